// SPDX-License-Identifier: GPL-2.0
#include "dump/output/chunk_plan.hpp"

#include "dump/input/rank_index.hpp"

#include <algorithm>
#include <bit>
#include <iterator>

namespace ballast::dump {

namespace {

constexpr std::uint64_t words_per_stretch = 64;

std::uint64_t set_bits(std::uint64_t word) {
    return static_cast<std::uint64_t>(std::popcount(word));
}

} // namespace

ChunkPlan::ChunkPlan(const Bitmap &bitmap, std::uint64_t pages_per_chunk, std::span<const Pfn> cuts)
    : bitmap_(&bitmap), pages_per_chunk_(pages_per_chunk), sections_(1) {
    const std::uint64_t words = bitmap.word_count();
    ranks_.reserve(words / words_per_stretch + 2);
    std::uint64_t rank = 0;
    for (std::uint64_t n = 0; n < words; n++) {
        if (n % words_per_stretch == 0) {
            ranks_.push_back(rank);
        }
        rank += set_bits(bitmap.word(n));
    }
    ranks_.push_back(rank);
    if (!cuts.empty()) {
        const RankIndex index(bitmap);
        for (const Pfn cut : cuts) {
            add_section(index.rank(cut));
        }
    }
    add_section(pages());
}

void ChunkPlan::add_section(std::uint64_t rank) {
    const Section before = sections_.back();
    const std::uint64_t chunks = (rank - before.rank + pages_per_chunk_ - 1) / pages_per_chunk_;
    sections_.push_back({.chunk = before.chunk + chunks, .rank = rank});
}

Chunk ChunkPlan::chunk(std::uint64_t n) const {
    const auto next = std::ranges::upper_bound(sections_, n, {}, &Section::chunk);
    const Section &section = *std::prev(next);
    const std::uint64_t rank = section.rank + (n - section.chunk) * pages_per_chunk_;
    return {.rank = rank, .first = select(rank), .pages = std::min(pages_per_chunk_, next->rank - rank)};
}

/** The set bit that has `rank` set bits before it. */
Pfn ChunkPlan::select(std::uint64_t rank) const {
    const auto after = std::ranges::upper_bound(ranks_, rank);
    const auto stretch = static_cast<std::uint64_t>(after - ranks_.begin()) - 1;
    std::uint64_t before = ranks_[stretch];
    std::uint64_t n = stretch * words_per_stretch;
    while (before + set_bits(bitmap_->word(n)) <= rank) {
        before += set_bits(bitmap_->word(n++));
    }
    std::uint64_t word = bitmap_->word(n);
    for (; before < rank; before++) {
        word &= word - 1;
    }
    return n * 64 + static_cast<std::uint64_t>(std::countr_zero(word));
}

SetBits::SetBits(const Bitmap &bitmap, Pfn from)
    : bitmap_(&bitmap), word_(from / 64), rest_(bitmap.word(word_) & (~std::uint64_t{0} << (from % 64))) {}

BitRun SetBits::next_run(std::uint64_t most) {
    while (rest_ == 0) {
        rest_ = bitmap_->word(++word_);
    }
    BitRun run = run_in_word(most);
    while (run.length < most && (run.first + run.length) % 64 == 0 && word_ + 1 < bitmap_->word_count()) {
        rest_ = bitmap_->word(++word_);
        if ((rest_ & 1U) == 0) {
            break;
        }
        run.length += run_in_word(most - run.length).length;
    }
    return run;
}

/** Takes set bits side by side out of the rest of the word, of which there must be one. */
BitRun SetBits::run_in_word(std::uint64_t most) {
    const auto bit = static_cast<unsigned>(std::countr_zero(rest_));
    const auto side_by_side = static_cast<std::uint64_t>(std::countr_one(rest_ >> bit));
    const std::uint64_t length = std::min(side_by_side, most);
    rest_ &= ~((~std::uint64_t{0} >> (64 - length)) << bit);
    return {.first = word_ * 64 + bit, .length = length};
}

} // namespace ballast::dump
