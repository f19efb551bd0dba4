// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace ballast::dump {

/**
 * Gives numbered chunks their places in the file, one behind the other in the order of their numbers, as soon as the
 * sizes of all chunks before are known. A thread waits (asleep) only until the thread with the chunk before it knows
 * its size.
 *
 * Chunks must be claimed in the order of their numbers, and a thread that claimed one must place or cancel.
 */
class OffsetChain {
  public:
    /** start: offset of chunk 0 in bytes. threads: how many chunks can be under way at most. */
    OffsetChain(std::uint64_t start, unsigned threads);

    /** The offset of chunk n, whose size in bytes is this; nothing once the chain is cancelled. */
    std::optional<std::uint64_t> place(std::uint64_t n, std::uint64_t size);

    /** The two halves of place(), for what must be done in the order of the chunks: in between all later ones wait. */
    std::optional<std::uint64_t> wait(std::uint64_t n);
    void pass(std::uint64_t n, std::uint64_t end);

    /** Wakes all who wait. From any thread, more than once if need be. */
    void cancel();

    [[nodiscard]] bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }

  private:
    // A chunk finds its offset in the slot of its number, each slot on a cache line of its own. There is one slot more
    // than chunks can be under way, so the chunk that had the slot before is always gone.
    struct alignas(64) Slot {
        std::atomic<std::uint32_t> turn{0}; // low half of 1 + the number of the chunk that `offset` is for
        std::uint64_t offset = 0;
    };
    static constexpr std::uint32_t wake_up = 0xffffffff; // not a turn: chunk numbers stay far below

    Slot &slot(std::uint64_t n) { return slots_[n % slots_.size()]; }
    void give_turn(std::uint64_t n, std::uint64_t offset);

    std::vector<Slot> slots_;
    std::atomic<bool> cancelled_{false};
};

} // namespace ballast::dump
