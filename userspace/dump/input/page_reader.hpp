// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/core.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace ballast::dump {

/**
 * Reads physical memory out of a core through one bounded window. One for each thread; nothing is shared. Refers to its
 * core, which must outlive it.
 */
class PageReader {
  public:
    explicit PageReader(const Core &core);

    /**
     * The page's bytes, core.page_size() long, of any alignment in our memory, valid until the next call. Where
     * PT_LOADs hold a part of the page only, the rest is zeros. Throws ReadError where it can't be read or the core
     * doesn't hold it.
     * expected: how many pages from this one on will be asked for; 0: that isn't known.
     */
    std::span<const std::byte> page(Pfn pfn, std::uint64_t expected = 0);

    /**
     * As many bytes of physical memory as can be had in one piece: from one up to `wanted`, valid until the next call.
     * Empty where the core doesn't hold the address, or it can't be read.
     */
    std::span<const std::byte> view(std::uint64_t physical, std::uint64_t wanted);

    /** Copies physical memory. False where the core doesn't hold a part of it, or it can't be read. */
    bool read(std::uint64_t physical, std::span<std::byte> out);

    /** The page as the core stores it, valid until the next call; none where it is stored as it is. Throws ReadError.
     */
    std::optional<StoredBytes> stored(Pfn pfn) { return memory_->stored(pfn); }

  private:
    std::span<const std::byte> assembled_page(std::uint64_t physical);

    std::unique_ptr<MemoryReader> memory_;
    std::uint64_t page_size_;
    std::vector<std::byte> page_;
};

} // namespace ballast::dump
