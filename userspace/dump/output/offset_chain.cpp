// SPDX-License-Identifier: GPL-2.0
#include "dump/output/offset_chain.hpp"

namespace ballast::dump {

OffsetChain::OffsetChain(std::uint64_t start, unsigned threads) : slots_(std::size_t{threads} + 1) {
    pass(0, start);
}

std::optional<std::uint64_t> OffsetChain::place(std::uint64_t n, std::uint64_t size) {
    Slot &mine = slot(n);
    const auto turn = static_cast<std::uint32_t>(n + 1);
    for (auto seen = mine.turn.load(std::memory_order_acquire); seen != turn;
         seen = mine.turn.load(std::memory_order_acquire)) {
        // In this order: who cancels sets the flag before it changes the turn, so a sleep that starts after this look
        // ends.
        if (cancelled_.load(std::memory_order_acquire)) {
            return std::nullopt;
        }
        mine.turn.wait(seen, std::memory_order_acquire);
    }
    const std::uint64_t offset = mine.offset;
    pass(n + 1, offset + size);
    return offset;
}

void OffsetChain::pass(std::uint64_t n, std::uint64_t offset) {
    Slot &next = slot(n);
    next.offset = offset;
    next.turn.store(static_cast<std::uint32_t>(n + 1), std::memory_order_release);
    next.turn.notify_one();
}

void OffsetChain::cancel() {
    cancelled_.store(true, std::memory_order_release);
    for (Slot &each : slots_) {
        each.turn.store(wake_up, std::memory_order_release);
        each.turn.notify_all();
    }
}

} // namespace ballast::dump
