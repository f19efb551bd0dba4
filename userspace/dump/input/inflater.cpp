// SPDX-License-Identifier: GPL-2.0
#include "dump/input/inflater.hpp"

#include "dump/input/kdump_format.hpp"

#include <libdeflate.h>
#include <lzo/lzo1x.h>
#include <snappy.h>
#include <zstd.h>

#include <algorithm>
#include <new>

namespace ballast::dump {

namespace {

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

} // namespace

void Inflater::Free::operator()(libdeflate_decompressor *decompressor) const {
    libdeflate_free_decompressor(decompressor);
}

void Inflater::Free::operator()(ZSTD_DCtx_s *context) const {
    ZSTD_freeDCtx(context);
}

Inflater::Inflater() = default;
Inflater::~Inflater() = default;

bool Inflater::inflate(std::uint32_t flags, std::span<const std::byte> bytes, std::span<std::byte> page) {
    switch (static_cast<Codec>(flags)) {
    case Codec::raw:
        if (bytes.size() != page.size()) {
            return false;
        }
        std::ranges::copy(bytes, page.begin());
        return true;
    case Codec::zlib:
        return inflate_zlib(bytes, page);
    case Codec::lzo:
        return inflate_lzo(bytes, page);
    case Codec::snappy:
        return inflate_snappy(bytes, page);
    case Codec::zstd:
        return inflate_zstd(bytes, page);
    }
    return false;
}

bool Inflater::inflate_zlib(std::span<const std::byte> bytes, std::span<std::byte> page) {
    if (!zlib_) {
        zlib_.reset(libdeflate_alloc_decompressor());
    }
    if (!zlib_) {
        throw std::bad_alloc();
    }
    // With no place for the length it insists on the whole page.
    return libdeflate_zlib_decompress(zlib_.get(), bytes.data(), bytes.size(), page.data(), page.size(), nullptr) ==
           LIBDEFLATE_SUCCESS;
}

bool Inflater::inflate_zstd(std::span<const std::byte> bytes, std::span<std::byte> page) {
    if (!zstd_) {
        zstd_.reset(ZSTD_createDCtx());
    }
    if (!zstd_) {
        throw std::bad_alloc();
    }
    return ZSTD_decompressDCtx(zstd_.get(), page.data(), page.size(), bytes.data(), bytes.size()) == page.size();
}

std::uint64_t Inflater::memory() {
    constexpr std::uint64_t measured = std::uint64_t{96} << 10U; // zstd's context, the largest, in 1.5.4
    return measured;
}

} // namespace ballast::dump
