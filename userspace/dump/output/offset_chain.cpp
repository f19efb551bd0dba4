// SPDX-License-Identifier: GPL-2.0
#include "dump/output/offset_chain.hpp"

namespace ballast::dump {

OffsetChain::OffsetChain(std::uint64_t start, unsigned threads) : slots_(std::size_t{threads} + 1) {
    give_turn(0, start);
}

std::optional<std::uint64_t> OffsetChain::place(std::uint64_t n, std::uint64_t size) {
    const auto offset = wait(n);
    if (offset) {
        pass(n, *offset + size);
    }
    return offset;
}

std::optional<std::uint64_t> OffsetChain::wait(std::uint64_t n) {
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
    return mine.offset;
}

void OffsetChain::pass(std::uint64_t n, std::uint64_t end) {
    give_turn(n + 1, end);
}

void OffsetChain::give_turn(std::uint64_t n, std::uint64_t offset) {
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
