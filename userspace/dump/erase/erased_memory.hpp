// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/core.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace ballast::dump {

/** Pieces of physical memory that a dump doesn't show. */
class ErasedMemory {
  public:
    explicit ErasedMemory(std::uint64_t page_size) : page_size_(page_size) {}

    /** Lets each of `size` bytes read as `fill`. What is added later counts. */
    void add(std::uint64_t physical, std::uint64_t size, std::byte fill);

    /** Is anything of the page erased? */
    [[nodiscard]] bool touches(Pfn pfn) const { return pages_.contains(pfn); }

    /** Erases what belongs to it in bytes that were read from a physical address. */
    void erase_from(std::uint64_t physical, std::span<std::byte> bytes) const;

  private:
    /** A part of a page. */
    struct Piece {
        std::uint64_t begin = 0; // physical addresses
        std::uint64_t end = 0;
        std::byte fill{};
    };

    std::uint64_t page_size_;
    std::map<Pfn, std::vector<Piece>> pages_;
};

} // namespace ballast::dump
