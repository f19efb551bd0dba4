// SPDX-License-Identifier: GPL-2.0
#include "dump/input/bitmap.hpp"

#include <algorithm>
#include <atomic>
#include <bit>

namespace ballast::dump {

namespace {

/** Calls change(word index, mask) for each word that [begin, end) touches; the sum of what it returns. */
template<typename Change>
std::uint64_t for_each_word(std::uint64_t begin, std::uint64_t end, Change change) {
    std::uint64_t changed = 0;
    while (begin < end) {
        const std::uint64_t first = begin % 64;
        const std::uint64_t bits = std::min(64 - first, end - begin);
        const std::uint64_t mask = (~std::uint64_t{0} >> (64 - bits)) << first;
        changed += change(begin / 64, mask);
        begin += bits;
    }
    return changed;
}

} // namespace

Bitmap::Bitmap(std::uint64_t bits) : bits_(bits), words_(bits / 64 + (bits % 64 != 0 ? 1 : 0)) {}

std::uint64_t Bitmap::set_range(std::uint64_t begin, std::uint64_t end) {
    return for_each_word(begin, std::min(end, bits_), [this](std::uint64_t word, std::uint64_t mask) {
        const std::uint64_t old = std::atomic_ref(words_[word]).fetch_or(mask, std::memory_order_relaxed);
        return static_cast<std::uint64_t>(std::popcount(~old & mask));
    });
}

std::uint64_t Bitmap::clear_range(std::uint64_t begin, std::uint64_t end) {
    return for_each_word(begin, std::min(end, bits_), [this](std::uint64_t word, std::uint64_t mask) {
        const std::uint64_t old = std::atomic_ref(words_[word]).fetch_and(~mask, std::memory_order_relaxed);
        return static_cast<std::uint64_t>(std::popcount(old & mask));
    });
}

void Bitmap::keep(const Bitmap &other, bool kept) {
    for (std::size_t n = 0; n < words_.size(); n++) {
        words_[n] &= kept ? other.words_[n] : ~other.words_[n];
    }
}

std::uint64_t Bitmap::next(std::uint64_t n, std::uint64_t inverted) const {
    while (n < bits_) {
        const std::uint64_t rest = (words_[n / 64] ^ inverted) >> (n % 64);
        if (rest != 0) {
            return std::min(n + static_cast<std::uint64_t>(std::countr_zero(rest)), bits_);
        }
        n = (n / 64 + 1) * 64;
    }
    return bits_;
}

std::span<std::byte> Bitmap::writable_bytes() {
    return std::as_writable_bytes(std::span(words_)).first((bits_ + 7) / 8);
}

void Bitmap::clear_beyond_end() {
    if (bits_ % 64 != 0) {
        words_.back() &= ~std::uint64_t{0} >> (64 - bits_ % 64);
    }
}

std::uint64_t Bitmap::count() const {
    std::uint64_t set = 0;
    for (const std::uint64_t word : words_) {
        set += static_cast<std::uint64_t>(std::popcount(word));
    }
    return set;
}

} // namespace ballast::dump
