// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/core.hpp"
#include "dump/input/file_window.hpp"

#include <cstddef>
#include <cstdint>
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
     * PT_LOADs hold a part of the page only, the rest is zeros. Throws Error on a read error or a pfn that no PT_LOAD
     * holds.
     */
    std::span<const std::byte> page(Pfn pfn);

    /**
     * As many bytes of physical memory as can be had in one piece: from one up to `wanted`, valid until the next call.
     * Empty where no PT_LOAD holds the address. Throws Error on a read error.
     */
    std::span<const std::byte> view(std::uint64_t physical, std::uint64_t wanted);

    /** Copies physical memory. False where a part of it is in no PT_LOAD. Throws Error on a read error. */
    bool read(std::uint64_t physical, std::span<std::byte> out);

  private:
    std::span<const std::byte> assembled_page(std::uint64_t physical);

    const MemoryMap *memory_;
    const Extent *extent_ = nullptr; // the one last used
    std::uint64_t page_size_;
    FileWindow window_;
    std::vector<std::byte> page_;
};

} // namespace ballast::dump
