// SPDX-License-Identifier: GPL-2.0
#include "dump/compress/codecs.hpp"
#include "dump/input/error.hpp"

#include <zstd.h>

#include <vector>

namespace ballast::dump {

namespace {

struct FreeContext {
    void operator()(ZSTD_CCtx *context) const { ZSTD_freeCCtx(context); }
};

/** Zstandard frames (RFC 8878). */
class ZstdCompressor final : public Compressor {
  public:
    ZstdCompressor(std::size_t page_size, int level)
        : Compressor(Codec::zstd, ZSTD_compressBound(page_size)), level_(level), context_(ZSTD_createCCtx()) {
        if (!context_) {
            throw Error("No memory for zstd's compressor");
        }
        // The context grows to its full size with the first page: here, where a lack of memory can still be told.
        const std::vector<std::byte> page(page_size);
        std::vector<std::byte> out(room());
        if (ZSTD_isError(compress_page(page, out)) != 0) {
            throw Error("No memory for zstd's compressor");
        }
    }

    [[nodiscard]] std::size_t memory() const override { return ZSTD_sizeof_CCtx(context_.get()); }

  private:
    std::size_t compress(std::span<const std::byte> page, std::span<std::byte> out) override {
        // An error's value is beyond any page's size, so the page is stored raw.
        return compress_page(page, out);
    }

    std::size_t compress_page(std::span<const std::byte> page, std::span<std::byte> out) {
        return ZSTD_compressCCtx(context_.get(), out.data(), out.size(), page.data(), page.size(), level_);
    }

    int level_;
    std::unique_ptr<ZSTD_CCtx, FreeContext> context_;
};

} // namespace

std::unique_ptr<Compressor> make_zstd_compressor(std::size_t page_size, int level) {
    return std::make_unique<ZstdCompressor>(page_size, level);
}

Levels zstd_levels() {
    return {.lowest = ZSTD_minCLevel(), .highest = ZSTD_maxCLevel()};
}

} // namespace ballast::dump
