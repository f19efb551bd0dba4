// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/page_reader.hpp"
#include "dump/kernel/address_space.hpp"
#include "dump/kernel/kernel.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ballast::dump {

/**
 * Struct pages of the dead kernel, a window of them at a time, straight out of the core. The page tables are walked
 * once for each (usually huge) page that maps them. One for each thread.
 */
class StructPages {
  public:
    StructPages(const Core &core, const Kernel &kernel);

    /** Some struct pages in a row: count × size bytes at data; data is null where they can't be read. */
    struct Window {
        const std::byte *data = nullptr;
        std::uint64_t count = 0;
    };

    /**
     * Those of the pfns from `pfn` on that can be had in one piece, at least one; an even number, so that a compound
     * page's head isn't parted from its first tail, unless the section ends. Valid until the next call.
     * Throws Error on a read error.
     */
    Window at(const MemorySection &section, Pfn pfn);

  private:
    bool translate(std::uint64_t address);
    Window copied(std::uint64_t address, std::uint64_t count);

    PageReader reader_;
    AddressSpace memory_;
    std::uint64_t size_;
    std::uint64_t page_size_;
    std::uint64_t mapped_ = 0; // virtual address of the page that was last translated
    AddressSpace::Translation place_;
    std::vector<std::byte> copy_;
};

} // namespace ballast::dump
