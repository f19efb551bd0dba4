// SPDX-License-Identifier: GPL-2.0
#include "dump/compress/codecs.hpp"

#include <snappy.h>

namespace ballast::dump {

namespace {

/** Snappy's raw format, without the frames of its streams. */
class SnappyCompressor final : public Compressor {
  public:
    explicit SnappyCompressor(std::size_t page_size)
        : Compressor(Codec::snappy, snappy::MaxCompressedLength(page_size)) {}

    // Snappy takes its table and scratch space from malloc and returns them, page by page.
    [[nodiscard]] std::size_t memory() const override { return std::size_t{32 << 10U} + 2 * room(); }

  private:
    std::size_t compress(std::span<const std::byte> page, std::span<std::byte> out) override {
        std::size_t size = 0;
        snappy::RawCompress(reinterpret_cast<const char *>(page.data()), page.size(),
                            reinterpret_cast<char *>(out.data()), &size);
        return size;
    }
};

} // namespace

std::unique_ptr<Compressor> make_snappy_compressor(std::size_t page_size) {
    return std::make_unique<SnappyCompressor>(page_size);
}

} // namespace ballast::dump
