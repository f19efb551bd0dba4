// SPDX-License-Identifier: GPL-2.0
// Lock order: none; the pool's mutex is the only one, and nothing is called while it is held.
#include "dump/input/bitmap.hpp"

#include <algorithm>
#include <atomic>
#include <bit>

namespace ballast::dump {

namespace {

constexpr std::uint64_t all = ~std::uint64_t{0};

std::uint64_t set_bits(std::uint64_t word) {
    return static_cast<std::uint64_t>(std::popcount(word));
}

} // namespace

Bitmap::Block *Bitmap::Pool::take(const Block &content) {
    const std::lock_guard guard(mutex_);
    if (free_.empty()) {
        return &blocks_.emplace_back(content);
    }
    Block *block = free_.back();
    free_.pop_back();
    *block = content;
    return block;
}

void Bitmap::Pool::give_back(Block *block) {
    const std::lock_guard guard(mutex_);
    free_.push_back(block);
}

Bitmap::Bitmap(std::uint64_t bits)
    : bits_(bits), blocks_((bits + block_bits - 1) / block_bits), pool_(std::make_unique<Pool>()) {}

Bitmap::Bitmap(const Bitmap &other) : bits_(other.bits_), blocks_(other.blocks_), pool_(std::make_unique<Pool>()) {
    for (Block *&block : blocks_) {
        if (block == other.all_set()) {
            block = all_set();
        } else if (block != nullptr) {
            block = pool_->take(*block);
        }
    }
}

/** Is [begin, end) a block, none of whose bits is beyond the end? */
bool Bitmap::is_whole(std::uint64_t begin, std::uint64_t end) const {
    return begin % block_bits == 0 && end - begin == block_bits && end <= bits_;
}

/** Lets a block whose bits are all the same be another such one, unless another thread was there first. */
bool Bitmap::replace_same(std::uint64_t block, Block *from, Block *to) {
    return std::atomic_ref(blocks_[block]).compare_exchange_strong(from, to, std::memory_order_acq_rel);
}

/** The block, with memory of its own. */
Bitmap::Block &Bitmap::own(std::uint64_t block) {
    Block *const before = std::atomic_ref(blocks_[block]).load(std::memory_order_acquire);
    if (before != nullptr && before != all_set()) {
        return *before;
    }
    Block *const mine = pool_->take(filled(before == nullptr ? 0 : all));
    if (replace_same(block, before, mine)) {
        return *mine;
    }
    pool_->give_back(mine);
    return own(block); // another thread made it own, or changed all of it
}

/** Calls change(word, mask) for each word of blocks that are not all_same yet; the sum of what it returns. */
template<typename Change>
std::uint64_t Bitmap::change_range(std::uint64_t begin, std::uint64_t end, Block *all_same, Change change) {
    end = std::min(end, bits_);
    std::uint64_t changed = 0;
    while (begin < end) {
        const std::uint64_t n = begin / block_bits;
        const std::uint64_t block_end = std::min((n + 1) * block_bits, end);
        Block *const before = std::atomic_ref(blocks_[n]).load(std::memory_order_acquire);
        const bool same = before == nullptr || before == all_set();
        if (before == all_same) {
            begin = block_end;
        } else if (same && is_whole(begin, block_end)) {
            if (replace_same(n, before, all_same)) {
                changed += block_bits;
                begin = block_end;
            }
        } else {
            Block &block = own(n);
            while (begin < block_end) {
                const std::uint64_t first = begin % 64;
                const std::uint64_t bits = std::min(64 - first, block_end - begin);
                const std::uint64_t mask = (bits < 64 ? (std::uint64_t{1} << bits) - 1 : all) << first;
                changed += change(block[begin / 64 % words_per_block], mask);
                begin += bits;
            }
        }
    }
    return changed;
}

std::uint64_t Bitmap::set_range(std::uint64_t begin, std::uint64_t end) {
    return change_range(begin, end, all_set(), [](std::uint64_t &word, std::uint64_t mask) {
        return set_bits(~std::atomic_ref(word).fetch_or(mask, std::memory_order_relaxed) & mask);
    });
}

std::uint64_t Bitmap::clear_range(std::uint64_t begin, std::uint64_t end) {
    return change_range(begin, end, nullptr, [](std::uint64_t &word, std::uint64_t mask) {
        return set_bits(std::atomic_ref(word).fetch_and(~mask, std::memory_order_relaxed) & mask);
    });
}

void Bitmap::keep(const Bitmap &other, bool kept) {
    for (std::uint64_t n = 0; n < word_count(); n++) {
        const std::uint64_t before = word(n);
        const std::uint64_t after = before & (kept ? other.word(n) : ~other.word(n));
        if (after != before) {
            own(n / words_per_block)[n % words_per_block] = after;
        }
    }
    settle(0, bits_);
}

void Bitmap::settle(std::uint64_t begin, std::uint64_t end) {
    for (std::uint64_t n = (begin + block_bits - 1) / block_bits; (n + 1) * block_bits <= std::min(end, bits_); n++) {
        Block *const block = blocks_[n];
        if (block == nullptr || block == all_set()) {
            continue;
        }
        if (*block == *all_set() || *block == Block{}) {
            blocks_[n] = (*block)[0] == 0 ? nullptr : all_set();
            pool_->give_back(block);
        }
    }
}

std::uint64_t Bitmap::next(std::uint64_t n, std::uint64_t inverted) const {
    while (n < bits_) {
        const std::uint64_t rest = (word(n / 64) ^ inverted) >> (n % 64);
        if (rest != 0) {
            return std::min(n + static_cast<std::uint64_t>(std::countr_zero(rest)), bits_);
        }
        n = (n / 64 + 1) * 64;
    }
    return bits_;
}

void Bitmap::copy_words(std::uint64_t n, std::span<std::uint64_t> out) const {
    for (std::uint64_t &to : out) {
        to = word(n++);
    }
}

void Bitmap::assign_words(std::uint64_t n, std::span<const std::uint64_t> words) {
    const std::uint64_t begin = n * 64;
    for (const std::uint64_t given : words) {
        const std::uint64_t beyond = (n + 1) * 64 > bits_ ? (n + 1) * 64 - bits_ : 0;
        const std::uint64_t value = given & (all >> beyond);
        if (value != word(n)) {
            own(n / words_per_block)[n % words_per_block] = value;
        }
        n++;
    }
    settle(begin, n * 64);
}

std::uint64_t Bitmap::count() const {
    std::uint64_t set = 0;
    for (std::uint64_t n = 0; n < word_count(); n++) {
        set += set_bits(word(n));
    }
    return set;
}

bool Bitmap::operator==(const Bitmap &other) const {
    if (bits_ != other.bits_) {
        return false;
    }
    std::uint64_t n = 0;
    while (n < word_count() && word(n) == other.word(n)) {
        n++;
    }
    return n == word_count();
}

} // namespace ballast::dump
