// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ballast::dump {

/** Page frame number: a physical address divided by the page size. */
using Pfn = std::uint64_t;

/**
 * One bit for each pfn, as both bitmaps of a kdump-compressed file have it: bit n is bit n % 64 of word n / 64, which
 * in little endian is bit n % 8 of byte n / 8.
 */
class Bitmap {
  public:
    /** All bits clear. */
    explicit Bitmap(std::uint64_t bits);

    [[nodiscard]] std::uint64_t size() const { return bits_; }

    /** False beyond the end. */
    [[nodiscard]] bool test(std::uint64_t n) const { return n < bits_ && ((words_[n / 64] >> (n % 64)) & 1U) != 0; }

    /** Sets [begin, end), cut at size(); safe against other threads whose ranges share a word. Returns how many were
     * clear. */
    std::uint64_t set_range(std::uint64_t begin, std::uint64_t end);

    /** Clears [begin, end), cut at size(); safe against other threads whose ranges share a word. Returns how many were
     * set. */
    std::uint64_t clear_range(std::uint64_t begin, std::uint64_t end);

    /** Clears the bits that are clear in another bitmap of this size; or, unless kept, those that are set there. */
    void keep(const Bitmap &other, bool kept);

    /** The first bit set, or clear, from n on; size() where there is none. */
    [[nodiscard]] std::uint64_t next_set(std::uint64_t n) const { return next(n, 0); }
    [[nodiscard]] std::uint64_t next_clear(std::uint64_t n) const { return next(n, ~std::uint64_t{0}); }

    /** How many bits are set. */
    [[nodiscard]] std::uint64_t count() const;

    /** Bits beyond size() in the last word are zero. */
    [[nodiscard]] std::span<const std::uint64_t> words() const { return words_; }

    /** For reading them from a file: as many bytes as hold size() bits. Call clear_beyond_end() then. */
    [[nodiscard]] std::span<std::byte> writable_bytes();
    void clear_beyond_end();

  private:
    [[nodiscard]] std::uint64_t next(std::uint64_t n, std::uint64_t inverted) const;

    std::uint64_t bits_;
    std::vector<std::uint64_t> words_;
};

} // namespace ballast::dump
