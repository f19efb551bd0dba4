// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/bitmap.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ballast::dump {

/** Consecutive set bits of a bitmap, the clear ones between them left out. */
struct Chunk {
    std::uint64_t rank = 0;  // how many set bits stand before it
    Pfn first = 0;           // its first set bit
    std::uint64_t pages = 0; // its set bits
};

/**
 * Cuts the set bits of a bitmap into chunks of equal length (but for the last), which are found by number, in any
 * order, by any thread. Memory: 8 bytes for 4,096 pfns. The bitmap must outlive the plan and stay as it is.
 */
class ChunkPlan {
  public:
    /** No chunk has pages on both sides of a cut; cuts: pfns, sorted. */
    ChunkPlan(const Bitmap &bitmap, std::uint64_t pages_per_chunk, std::span<const Pfn> cuts = {});

    [[nodiscard]] std::uint64_t pages() const { return ranks_.back(); }
    [[nodiscard]] std::uint64_t chunks() const { return sections_.back().chunk; }

    /** n < chunks(). */
    [[nodiscard]] Chunk chunk(std::uint64_t n) const;

    /** The first chunk behind the nth cut, and how many set bits stand before that. */
    [[nodiscard]] std::uint64_t chunk_at_cut(std::size_t n) const { return sections_[n + 1].chunk; }
    [[nodiscard]] std::uint64_t rank_at_cut(std::size_t n) const { return sections_[n + 1].rank; }

  private:
    /** Where equal lengths start anew. */
    struct Section {
        std::uint64_t chunk = 0;
        std::uint64_t rank = 0;
    };
    [[nodiscard]] Pfn select(std::uint64_t rank) const;
    void add_section(std::uint64_t rank);

    const Bitmap *bitmap_;
    std::uint64_t pages_per_chunk_;
    std::vector<std::uint64_t> ranks_; // set bits before each stretch of words, and at the end all
    std::vector<Section> sections_;    // the start, each cut, the end
};

/** Set bits without a gap. */
struct BitRun {
    Pfn first = 0;
    std::uint64_t length = 0;
};

/** Walks the set bits of a bitmap upwards. */
class SetBits {
  public:
    /** From the bit `from` on, which must lie within the bitmap. */
    SetBits(const Bitmap &bitmap, Pfn from);

    /** The next set bit; there must be one. */
    Pfn next() { return next_run(1).first; }

    /** The next set bit, which there must be, with those right behind it: at most `most` of them. */
    BitRun next_run(std::uint64_t most);

  private:
    BitRun run_in_word(std::uint64_t most);

    const Bitmap *bitmap_;
    std::uint64_t word_;
    std::uint64_t rest_; // bits of this word that are still to come
};

} // namespace ballast::dump
