// SPDX-License-Identifier: GPL-2.0
#include "dump/input/rank_index.hpp"

#include <bit>

namespace ballast::dump {

namespace {

constexpr std::uint64_t words_per_stretch = 8;

std::uint64_t set_bits(std::uint64_t word) {
    return static_cast<std::uint64_t>(std::popcount(word));
}

} // namespace

RankIndex::RankIndex(const Bitmap &bitmap) : bitmap_(&bitmap) {
    const std::uint64_t words = bitmap.word_count();
    before_.reserve(words / words_per_stretch + 1);
    std::uint64_t rank = 0;
    for (std::uint64_t n = 0; n < words; n++) {
        if (n % words_per_stretch == 0) {
            before_.push_back(rank);
        }
        rank += set_bits(bitmap.word(n));
    }
    if (words % words_per_stretch == 0) {
        before_.push_back(rank);
    }
}

std::uint64_t RankIndex::rank(std::uint64_t n) const {
    const std::uint64_t stretch = n / 64 / words_per_stretch;
    std::uint64_t rank = before_[stretch];
    for (std::uint64_t word = stretch * words_per_stretch; word < n / 64; word++) {
        rank += set_bits(bitmap_->word(word));
    }
    return n % 64 == 0 ? rank : rank + set_bits(bitmap_->word(n / 64) << (64 - n % 64));
}

} // namespace ballast::dump
