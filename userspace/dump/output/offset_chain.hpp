// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace ballast::dump {

/** Where the thread that has a chunk learns its offset: of one chunk at a time. It must stay for as long as any thread
 * uses the chain. */
class ChunkPlace {
  public:
    /** In bytes; nothing as long as it isn't known. */
    [[nodiscard]] std::optional<std::uint64_t> offset() const;

    /** Waits (asleep) for the offset; nothing where it isn't known and cancel() was called. */
    [[nodiscard]] std::optional<std::uint64_t> wait() const;

    /** Ready for the next chunk. */
    void forget();

    /** Wakes who waits, now and from now on. From any thread. */
    void cancel();

  private:
    friend class OffsetChain;
    void set(std::uint64_t offset);

    static constexpr std::uint32_t known = 1;
    static constexpr std::uint32_t cancelled = 2; // stays
    std::atomic<std::uint32_t> state_{0};
    std::uint64_t offset_ = 0; // where known
};

/**
 * Gives numbered chunks their places in the file, one behind the other in the order of their numbers, as soon as the
 * sizes of all chunks before are known. Who tells a size needn't wait for that: of the threads that know a chunk's size
 * and those before it, the last one hands the places on.
 *
 * Chunks must be claimed in the order of their numbers, each claim seeing what claims before it saw (acquire and
 * release), and a thread that claimed one must tell its size or cancel.
 */
class OffsetChain {
  public:
    /** start: offset of chunk 0 in bytes. under_way: how many claimed chunks there can be that are not done with. */
    OffsetChain(std::uint64_t start, std::size_t under_way);

    /** Chunk n has this size in bytes. Its place will tell the offset. */
    void set_size(std::uint64_t n, std::uint64_t size, ChunkPlace &place);

    /** For what must be done in the order of the chunks: waits (asleep) for the offset of chunk n, whose size nobody
     * has told; nothing once the chain is cancelled. All later ones wait until pass() tells where it ends. */
    std::optional<std::uint64_t> wait(std::uint64_t n);
    void pass(std::uint64_t n, std::uint64_t end);

    /** Wakes all in wait(), now and from now on. From any thread, more than once if need be. */
    void cancel();

    /** Where the chunks whose size is known end, as far as there is none before them whose size isn't. For when no
     * thread uses the chain any more. */
    [[nodiscard]] std::uint64_t end() const { return end_; }

  private:
    static constexpr std::uint32_t sized = 1;
    static constexpr std::uint32_t placed = 2;    // all chunks before have their size
    static constexpr std::uint32_t cancelled = 4; // stays

    // A chunk has the slot of its number until it is both sized and placed. The chunk that had the slot before is
    // always done with, as there is one slot more than chunks can be under way.
    struct alignas(32) Slot {
        std::atomic<std::uint32_t> state{0};
        std::uint64_t size = 0;
        ChunkPlace *place = nullptr;
    };

    Slot &slot(std::uint64_t n) { return slots_[n % slots_.size()]; }
    void tell_size(std::uint64_t n, std::uint64_t size, ChunkPlace *place);
    void hand_on(std::uint64_t n);

    std::vector<Slot> slots_;
    std::uint64_t end_; // belongs to who hands on, or has waited for its turn
};

} // namespace ballast::dump
