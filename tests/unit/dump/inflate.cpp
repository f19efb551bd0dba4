// SPDX-License-Identifier: GPL-2.0
#include "inflate.hpp"

#include <libdeflate.h>
#include <lzo/lzo1x.h>
#include <memory>
#include <snappy.h>
#include <zstd.h>

using ballast::dump::Codec;

namespace {

bool inflate_zlib(std::span<const std::byte> bytes, std::span<std::byte> page) {
    const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> inflater(
        libdeflate_alloc_decompressor(), &libdeflate_free_decompressor);
    return libdeflate_zlib_decompress(inflater.get(), bytes.data(), bytes.size(), page.data(), page.size(), nullptr) ==
           LIBDEFLATE_SUCCESS;
}

bool inflate_lzo(std::span<const std::byte> bytes, std::span<std::byte> page) {
    lzo_uint size = page.size();
    return lzo1x_decompress_safe(reinterpret_cast<const unsigned char *>(bytes.data()), bytes.size(),
                                 reinterpret_cast<unsigned char *>(page.data()), &size, nullptr) == LZO_E_OK &&
           size == page.size();
}

bool inflate_snappy(std::span<const std::byte> bytes, std::span<std::byte> page) {
    const auto *compressed = reinterpret_cast<const char *>(bytes.data());
    std::size_t size = 0;
    return snappy::GetUncompressedLength(compressed, bytes.size(), &size) && size == page.size() &&
           snappy::RawUncompress(compressed, bytes.size(), reinterpret_cast<char *>(page.data()));
}

bool inflate_zstd(std::span<const std::byte> bytes, std::span<std::byte> page) {
    return ZSTD_decompress(page.data(), page.size(), bytes.data(), bytes.size()) == page.size();
}

} // namespace

std::vector<std::byte> inflate(Codec codec, std::span<const std::byte> bytes, std::size_t page_size) {
    std::vector<std::byte> page(page_size);
    const bool good = codec == Codec::zlib     ? inflate_zlib(bytes, page)
                      : codec == Codec::lzo    ? inflate_lzo(bytes, page)
                      : codec == Codec::snappy ? inflate_snappy(bytes, page)
                                               : inflate_zstd(bytes, page);
    return good ? page : std::vector<std::byte>{};
}
