// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace ballast::dump {

/** A PT_LOAD: physical memory in the file. Addresses and sizes in bytes, of any alignment. */
struct Segment {
    std::uint64_t physical = 0;
    std::uint64_t memory_size = 0;
    std::uint64_t file_size = 0;       // the rest up to memory_size reads as zeros
    std::uint64_t offset = 0;          // in the file
    std::uint64_t virtual_address = 0; // of the dead kernel; 0: not told
};

/** Physical memory [begin, end) and where its bytes are. */
struct Extent {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::optional<std::uint64_t> offset; // of the byte at `begin`; none: all zeros
};

/**
 * Which physical addresses stand where in the file. Segments may overlap, as the kernel's text does with the RAM that
 * holds it: the one named first wins.
 */
class MemoryMap {
  public:
    explicit MemoryMap(std::span<const Segment> segments);

    /** Sorted, disjoint, none empty. */
    [[nodiscard]] std::span<const Extent> extents() const { return extents_; }

    /** The extent that holds this address or else the next one above; null where there is none. */
    [[nodiscard]] const Extent *at_or_after(std::uint64_t physical) const;

  private:
    std::vector<Extent> extents_;
};

} // namespace ballast::dump
