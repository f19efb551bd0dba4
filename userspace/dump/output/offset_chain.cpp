// SPDX-License-Identifier: GPL-2.0
#include "dump/output/offset_chain.hpp"

namespace ballast::dump {

std::optional<std::uint64_t> ChunkPlace::offset() const {
    return (state_.load(std::memory_order_acquire) & known) != 0 ? std::optional(offset_) : std::nullopt;
}

std::optional<std::uint64_t> ChunkPlace::wait() const {
    state_.wait(0, std::memory_order_acquire);
    return offset();
}

void ChunkPlace::forget() {
    state_.fetch_and(~known, std::memory_order_relaxed);
}

void ChunkPlace::cancel() {
    state_.fetch_or(cancelled, std::memory_order_release);
    state_.notify_all();
}

void ChunkPlace::set(std::uint64_t offset) {
    offset_ = offset;
    state_.fetch_or(known, std::memory_order_release);
    state_.notify_one();
}

OffsetChain::OffsetChain(std::uint64_t start, std::size_t under_way) : slots_(under_way + 1), end_(start) {
    slots_.front().state = placed;
}

void OffsetChain::set_size(std::uint64_t n, std::uint64_t size, ChunkPlace &place) {
    tell_size(n, size, &place);
}

std::optional<std::uint64_t> OffsetChain::wait(std::uint64_t n) {
    const std::atomic<std::uint32_t> &state = slot(n).state;
    state.wait(0, std::memory_order_acquire);
    return (state.load(std::memory_order_acquire) & placed) != 0 ? std::optional(end_) : std::nullopt;
}

void OffsetChain::pass(std::uint64_t n, std::uint64_t end) {
    tell_size(n, end - end_, nullptr);
}

void OffsetChain::tell_size(std::uint64_t n, std::uint64_t size, ChunkPlace *place) {
    Slot &mine = slot(n);
    mine.size = size;
    mine.place = place;
    // Whoever comes second, with the size or with the place, goes on.
    if ((mine.state.fetch_or(sized, std::memory_order_acq_rel) & placed) != 0) {
        hand_on(n);
    }
}

/** Gives chunk n, whose size is known and whose turn it is, its place, and those behind it as far as sizes are known.
 */
void OffsetChain::hand_on(std::uint64_t n) {
    std::uint32_t seen = sized;
    for (; (seen & sized) != 0; n++) {
        Slot &mine = slot(n);
        const std::uint64_t offset = end_;
        end_ = offset + mine.size;
        // In this order: a chunk that knows its place may be gone at once, and another have its slot.
        ChunkPlace *const place = mine.place;
        mine.state.fetch_and(cancelled, std::memory_order_release);
        if (place != nullptr) {
            place->set(offset);
        }
        Slot &next = slot(n + 1);
        seen = next.state.fetch_or(placed, std::memory_order_acq_rel);
        next.state.notify_one();
    }
}

void OffsetChain::cancel() {
    for (Slot &each : slots_) {
        each.state.fetch_or(cancelled, std::memory_order_release);
        each.state.notify_all();
    }
}

} // namespace ballast::dump
