// SPDX-License-Identifier: GPL-2.0
#include "dump/compress/compressor.hpp"

#include "dump/compress/codecs.hpp"

#include <cstring>

namespace ballast::dump {

namespace {

/** Stores every page as it is. */
class RawCompressor final : public Compressor {
  public:
    explicit RawCompressor(std::size_t page_size) : Compressor(Codec::raw, page_size) {}

    [[nodiscard]] std::size_t memory() const override { return 0; }

  private:
    std::size_t compress(std::span<const std::byte> page, std::span<std::byte> /*out*/) override { return page.size(); }
};

} // namespace

Compressor::Compressor(Codec codec, std::size_t room) : flags_(static_cast<std::uint32_t>(codec)), room_(room) {}

StoredPage Compressor::store(std::span<const std::byte> page, std::span<std::byte> out) {
    const std::size_t size = compress(page, out);
    if (size < page.size()) {
        return {.size = static_cast<std::uint32_t>(size), .flags = flags_};
    }
    std::memcpy(out.data(), page.data(), page.size());
    return {.size = static_cast<std::uint32_t>(page.size()), .flags = 0};
}

std::unique_ptr<Compressor> make_compressor(const Compression &compression, std::size_t page_size) {
    switch (compression.codec) {
    case Codec::zlib:
        return make_zlib_compressor(page_size);
    case Codec::lzo:
        return make_lzo_compressor(page_size);
    case Codec::snappy:
        return make_snappy_compressor(page_size);
    case Codec::zstd:
        return make_zstd_compressor(page_size, compression.zstd_level);
    case Codec::raw:
        break;
    }
    return std::make_unique<RawCompressor>(page_size);
}

} // namespace ballast::dump
