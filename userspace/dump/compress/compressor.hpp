// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/kdump_format.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace ballast::dump {

/** What a dump's pages are compressed with. */
struct Compression {
    Codec codec = Codec::raw;
    int zstd_level = 1; // from zstd_levels()
};

/** The lowest and the highest level of zstd that there is. */
struct Levels {
    int lowest = 0;
    int highest = 0;
};
Levels zstd_levels();

/** A page as the file stores it: bytes, and the flags of its descriptor. */
struct StoredPage {
    std::uint32_t size = 0;
    std::uint32_t flags = 0;
};

/**
 * Compresses pages one by one, each into a stream of its own. It has its work memory from its construction on and
 * belongs to one thread at a time. What it makes depends on the page alone, never on the pages before.
 */
class Compressor {
  public:
    Compressor(const Compressor &) = delete;
    Compressor(Compressor &&) = delete;
    Compressor &operator=(const Compressor &) = delete;
    Compressor &operator=(Compressor &&) = delete;
    virtual ~Compressor() = default;

    /** Bytes that store() may write, at most, for a page: more than the page, as codecs need room to find out. */
    [[nodiscard]] std::size_t room() const { return room_; }

    /** Bytes of work memory. */
    [[nodiscard]] virtual std::size_t memory() const = 0;

    /**
     * Puts the page into out, which has room() bytes: compressed, or as it is (flags 0) where that isn't smaller.
     * page is as long as make_compressor() was told.
     */
    StoredPage store(std::span<const std::byte> page, std::span<std::byte> out);

  protected:
    Compressor(Codec codec, std::size_t room);

  private:
    /** The compressed size. Anything from page.size() on says that the page isn't worth it; out is then garbage. */
    virtual std::size_t compress(std::span<const std::byte> page, std::span<std::byte> out) = 0;

    std::uint32_t flags_;
    std::size_t room_;
};

/** Throws Error when the codec can't be set up (no memory). page_size in bytes. */
std::unique_ptr<Compressor> make_compressor(const Compression &compression, std::size_t page_size);

} // namespace ballast::dump
