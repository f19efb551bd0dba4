// SPDX-License-Identifier: GPL-2.0
// zlib then takes input that is const.
#define ZLIB_CONST

#include "dump/compress/codecs.hpp"
#include "dump/input/error.hpp"

#include <libdeflate.h>
#include <zlib.h>

#include <algorithm>
#include <vector>

namespace ballast::dump {

namespace {

// makedumpfile's level (Z_BEST_SPEED).
constexpr int level = 1;

// What libdeflate 1.14 allocates for that level, rounded up; it has no call to ask.
constexpr std::size_t work_memory = std::size_t{208} << 10U;

/**
 * Pages that libdeflate brings to a size in this range, in 64ths of a page, zlib makes about a seventh smaller: of text
 * without repetitions, libdeflate's first level codes matches that cost more than their letters. They are few (1 to 4 %
 * of a dump's pages), and without them the dump would be 2.1 to 2.5 % larger than makedumpfile's. Nowhere else do so
 * few pages save as much.
 */
constexpr std::size_t better_by_zlib_from = 38;
constexpr std::size_t better_by_zlib_to = 40;

/** zlib itself, with just the memory that a page of 4 KiB needs. */
class SmallDeflate {
    static constexpr int window_bits = 12;
    static constexpr int memory_level = 6;

  public:
    SmallDeflate() {
        if (deflateInit2(&stream_, level, Z_DEFLATED, window_bits, memory_level, Z_DEFAULT_STRATEGY) != Z_OK) {
            throw Error("No memory for zlib's compressor");
        }
    }
    SmallDeflate(const SmallDeflate &) = delete;
    SmallDeflate(SmallDeflate &&) = delete;
    SmallDeflate &operator=(const SmallDeflate &) = delete;
    SmallDeflate &operator=(SmallDeflate &&) = delete;
    ~SmallDeflate() { deflateEnd(&stream_); }

    /** As zconf.h tells it, and the state. */
    static constexpr std::size_t memory =
        (std::size_t{1} << (window_bits + 2)) + (std::size_t{1} << (memory_level + 9)) + (std::size_t{8} << 10U);

    /** The compressed size; 0 where that is more than out has. */
    std::size_t compress(std::span<const std::byte> page, std::span<std::byte> out) {
        deflateReset(&stream_);
        stream_.next_in = reinterpret_cast<const Bytef *>(page.data());
        stream_.avail_in = static_cast<uInt>(page.size());
        stream_.next_out = reinterpret_cast<Bytef *>(out.data());
        stream_.avail_out = static_cast<uInt>(out.size());
        return deflate(&stream_, Z_FINISH) == Z_STREAM_END ? stream_.total_out : 0;
    }

  private:
    z_stream stream_{};
};

struct FreeCompressor {
    void operator()(libdeflate_compressor *compressor) const { libdeflate_free_compressor(compressor); }
};

/** zlib streams (RFC 1950), written by libdeflate, or where it is clearly better by zlib. */
class ZlibCompressor final : public Compressor {
  public:
    explicit ZlibCompressor(std::size_t page_size)
        : Compressor(Codec::zlib, page_size), deflate_(libdeflate_alloc_compressor(level)), small_(page_size) {
        if (!deflate_) {
            throw Error("No memory for zlib's compressor");
        }
    }

    [[nodiscard]] std::size_t memory() const override { return work_memory + SmallDeflate::memory + small_.size(); }

  private:
    std::size_t compress(std::span<const std::byte> page, std::span<std::byte> out) override {
        // With no room for a full page it stops as soon as that is lost.
        const std::size_t size =
            libdeflate_zlib_compress(deflate_.get(), page.data(), page.size(), out.data(), page.size() - 1);
        if (size >= page.size() * better_by_zlib_from / 64 && size < page.size() * better_by_zlib_to / 64) {
            return compress_by_zlib(page, out, size);
        }
        return size != 0 ? size : page.size();
    }

    /** size: what there is in out already, which stays where zlib makes no less of it. */
    std::size_t compress_by_zlib(std::span<const std::byte> page, std::span<std::byte> out, std::size_t size) {
        const std::size_t smaller = zlib_.compress(page, std::span(small_).first(size));
        if (smaller == 0) {
            return size;
        }
        std::copy_n(small_.begin(), smaller, out.begin());
        return smaller;
    }

    std::unique_ptr<libdeflate_compressor, FreeCompressor> deflate_;
    SmallDeflate zlib_;
    std::vector<std::byte> small_; // what zlib made
};

} // namespace

std::unique_ptr<Compressor> make_zlib_compressor(std::size_t page_size) {
    return std::make_unique<ZlibCompressor>(page_size);
}

} // namespace ballast::dump
