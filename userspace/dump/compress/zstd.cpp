// SPDX-License-Identifier: GPL-2.0
#include "dump/compress/codecs.hpp"
#include "dump/input/error.hpp"

// For the parameter that leaves literals as they are. It has had its number and its values since zstd 1.3.5.
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#include <fmt/format.h>

#include <cstdint>
#include <vector>

namespace ballast::dump {

namespace {

struct FreeContext {
    void operator()(ZSTD_CCtx *context) const { ZSTD_freeCCtx(context); }
};

// The level of which each page's share of the time matters more than that of its size.
constexpr int fast_level = 1;

std::size_t zero_bytes(std::span<const std::byte> page) {
    // Sums of eight bits, which compilers make vectors of.
    constexpr std::size_t block = 128;
    std::size_t zeros = 0;
    for (; page.size() >= block; page = page.subspan(block)) {
        std::uint8_t in_block = 0;
        for (std::size_t n = 0; n < block; n++) {
            in_block = static_cast<std::uint8_t>(in_block + (page[n] == std::byte{0} ? 1 : 0));
        }
        zeros += in_block;
    }
    return zeros;
}

/**
 * Whether a page's literals are to stay as they are: where 3/8 of its bytes are zeros, matches take most of it, and
 * Huffman coding the rest takes more time than all else, for 1 to 3 % of the page. With matches from 4 bytes on, which
 * save 1 to 2 % of all pages, dumps are as large as with neither within 1.5 %, and compressing takes 8 to 25 % less
 * time (docs/dump-performance.md).
 */
bool leaves_literals(std::span<const std::byte> page) {
    return zero_bytes(page) > page.size() / 8 * 3;
}

/** Zstandard frames (RFC 8878). */
class ZstdCompressor final : public Compressor {
  public:
    ZstdCompressor(std::size_t page_size, int level)
        : Compressor(Codec::zstd, ZSTD_compressBound(page_size)),
          is_fast_(level == fast_level),
          context_(ZSTD_createCCtx()) {
        if (!context_) {
            throw Error("No memory for zstd's compressor");
        }
        set(ZSTD_c_compressionLevel, level);
        if (is_fast_) {
            set(ZSTD_c_minMatch, 4);
        }
        // The context grows to its full size with the first page: here, where a lack of memory can still be told.
        const std::vector<std::byte> page(page_size);
        std::vector<std::byte> out(room());
        if (ZSTD_isError(compress(page, out)) != 0) {
            throw Error("No memory for zstd's compressor");
        }
    }

    [[nodiscard]] std::size_t memory() const override { return ZSTD_sizeof_CCtx(context_.get()); }

  private:
    void set(ZSTD_cParameter parameter, int value) {
        const std::size_t result = ZSTD_CCtx_setParameter(context_.get(), parameter, value);
        if (ZSTD_isError(result) != 0) {
            throw Error(fmt::format("libzstd doesn't work as expected: {}", ZSTD_getErrorName(result)));
        }
    }

    std::size_t compress(std::span<const std::byte> page, std::span<std::byte> out) override {
        if (is_fast_) {
            set(ZSTD_c_literalCompressionMode, leaves_literals(page) ? ZSTD_ps_disable : ZSTD_ps_auto);
        }
        // An error's value is beyond any page's size, so the page is stored raw.
        return ZSTD_compress2(context_.get(), out.data(), out.size(), page.data(), page.size());
    }

    bool is_fast_;
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
