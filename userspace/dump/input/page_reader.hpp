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
     */
    std::span<const std::byte> page(Pfn pfn);

    /** Copies pages that stand side by side, from the pfn on. How many, whole; fewer than out has room for where page()
     * must be asked for the next one. */
    std::uint64_t pages(Pfn pfn, std::span<std::byte> out) { return memory_->read(pfn * page_size_, out) / page_size_; }

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
