// SPDX-License-Identifier: GPL-2.0
#include "dump/compress/codecs.hpp"
#include "dump/input/error.hpp"

#include <libdeflate.h>

namespace ballast::dump {

namespace {

// makedumpfile's level (Z_BEST_SPEED).
constexpr int level = 1;

// What libdeflate 1.14 allocates for that level, rounded up; it has no call to ask.
constexpr std::size_t work_memory = std::size_t{208} << 10U;

struct FreeCompressor {
    void operator()(libdeflate_compressor *compressor) const { libdeflate_free_compressor(compressor); }
};

/** zlib streams (RFC 1950), written by libdeflate. */
class ZlibCompressor final : public Compressor {
  public:
    explicit ZlibCompressor(std::size_t page_size)
        : Compressor(Codec::zlib, page_size), deflate_(libdeflate_alloc_compressor(level)) {
        if (!deflate_) {
            throw Error("No memory for zlib's compressor");
        }
    }

    [[nodiscard]] std::size_t memory() const override { return work_memory; }

  private:
    std::size_t compress(std::span<const std::byte> page, std::span<std::byte> out) override {
        // With no room for a full page it stops as soon as that is lost.
        const std::size_t size =
            libdeflate_zlib_compress(deflate_.get(), page.data(), page.size(), out.data(), page.size() - 1);
        return size != 0 ? size : page.size();
    }

    std::unique_ptr<libdeflate_compressor, FreeCompressor> deflate_;
};

} // namespace

std::unique_ptr<Compressor> make_zlib_compressor(std::size_t page_size) {
    return std::make_unique<ZlibCompressor>(page_size);
}

} // namespace ballast::dump
