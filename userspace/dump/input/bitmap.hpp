// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace ballast::dump {

/** Page frame number: a physical address divided by the page size. */
using Pfn = std::uint64_t;

/**
 * One bit for each pfn, as both bitmaps of a kdump-compressed file have it: bit n is bit n % 64 of word n / 64, which
 * in little endian is bit n % 8 of byte n / 8.
 *
 * In blocks of 512 bits, the 2 MiB by which the kernel keeps memory of a kind together. A block whose bits are all the
 * same takes the 8 bytes that say so, others 72 and more.
 */
class Bitmap {
  public:
    /** All bits clear. */
    explicit Bitmap(std::uint64_t bits);
    Bitmap(const Bitmap &other);
    Bitmap(Bitmap &&) noexcept = default;
    Bitmap &operator=(const Bitmap &) = delete;
    Bitmap &operator=(Bitmap &&) noexcept = default;
    ~Bitmap() = default;

    [[nodiscard]] std::uint64_t size() const { return bits_; }

    /** False beyond the end. */
    [[nodiscard]] bool test(std::uint64_t n) const { return n < bits_ && ((word(n / 64) >> (n % 64)) & 1U) != 0; }

    /** Sets [begin, end), cut at size(); safe against other threads whose ranges share a word. Returns how many were
     * clear. */
    std::uint64_t set_range(std::uint64_t begin, std::uint64_t end);

    /** Clears [begin, end), cut at size(); safe against other threads whose ranges share a word. Returns how many were
     * set. */
    std::uint64_t clear_range(std::uint64_t begin, std::uint64_t end);

    /** Clears the bits that are clear in another bitmap of this size; or, unless kept, those that are set there. */
    void keep(const Bitmap &other, bool kept);

    /** Gives back the memory of blocks in [begin, end) whose bits have become all the same. No other thread may be at
     * these bits meanwhile; at others it may. */
    void settle(std::uint64_t begin, std::uint64_t end);

    /** The first bit set, or clear, from n on; size() where there is none. */
    [[nodiscard]] std::uint64_t next_set(std::uint64_t n) const { return next(n, 0); }
    [[nodiscard]] std::uint64_t next_clear(std::uint64_t n) const { return next(n, ~std::uint64_t{0}); }

    /** How many bits are set. */
    [[nodiscard]] std::uint64_t count() const;

    [[nodiscard]] std::uint64_t word_count() const { return (bits_ + 63) / 64; }

    /** n < word_count(). Bits beyond size() in the last one are zero. */
    [[nodiscard]] std::uint64_t word(std::uint64_t n) const {
        const Block *block = blocks_[n / words_per_block];
        return block == nullptr ? 0 : (*block)[n % words_per_block];
    }

    /** Copies words from the n-th on, as many as out has. */
    void copy_words(std::uint64_t n, std::span<std::uint64_t> out) const;

    /** Sets words from the n-th on; bits beyond size() are ignored. */
    void assign_words(std::uint64_t n, std::span<const std::uint64_t> words);

    /** Of the same size and bits? */
    [[nodiscard]] bool operator==(const Bitmap &other) const;

  private:
    static constexpr std::uint64_t words_per_block = 8;
    static constexpr std::uint64_t block_bits = words_per_block * 64;
    using Block = std::array<std::uint64_t, words_per_block>;
    static constexpr Block filled(std::uint64_t word) { return {word, word, word, word, word, word, word, word}; }

    /** Blocks that stay where they are. */
    class Pool {
      public:
        /** Shared by all blocks that are so; never written to. */
        Block all_set = filled(~std::uint64_t{0});

        Block *take(const Block &content);
        void give_back(Block *block);

      private:
        std::mutex mutex_;
        std::deque<Block> blocks_;
        std::vector<Block *> free_;
    };

    [[nodiscard]] std::uint64_t next(std::uint64_t n, std::uint64_t inverted) const;
    [[nodiscard]] bool is_whole(std::uint64_t begin, std::uint64_t end) const;
    bool replace_same(std::uint64_t block, Block *from, Block *to);
    Block &own(std::uint64_t block);
    [[nodiscard]] Block *all_set() const { return &pool_->all_set; }
    template<typename Change>
    std::uint64_t change_range(std::uint64_t begin, std::uint64_t end, Block *all_same, Change change);

    std::uint64_t bits_;
    std::vector<Block *> blocks_; // none: all clear; or one of the pool's
    std::unique_ptr<Pool> pool_;
};

} // namespace ballast::dump
