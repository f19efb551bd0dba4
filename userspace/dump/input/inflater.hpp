// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

struct libdeflate_decompressor;
struct ZSTD_DCtx_s;

namespace ballast::dump {

/** Undoes what Compressor does, for every codec. One for each thread; the libraries' memory is taken when needed. */
class Inflater {
  public:
    Inflater();
    Inflater(const Inflater &) = delete;
    Inflater(Inflater &&) = delete;
    Inflater &operator=(const Inflater &) = delete;
    Inflater &operator=(Inflater &&) = delete;
    ~Inflater();

    /**
     * Fills the page from bytes that were stored with these flags (of a page descriptor; 0: as they are). False unless
     * they make exactly one page.
     */
    bool inflate(std::uint32_t flags, std::span<const std::byte> bytes, std::span<std::byte> page);

    /** What it takes at most, in bytes. */
    static std::uint64_t memory();

  private:
    bool inflate_zlib(std::span<const std::byte> bytes, std::span<std::byte> page);
    bool inflate_zstd(std::span<const std::byte> bytes, std::span<std::byte> page);

    struct Free {
        void operator()(libdeflate_decompressor *decompressor) const;
        void operator()(ZSTD_DCtx_s *context) const;
    };
    std::unique_ptr<libdeflate_decompressor, Free> zlib_;
    std::unique_ptr<ZSTD_DCtx_s, Free> zstd_;
};

} // namespace ballast::dump
