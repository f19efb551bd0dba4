// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/bitmap.hpp"
#include "dump/input/vmcoreinfo.hpp"
#include "dump/kernel/address_space.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ballast::dump {

/** A piece of sparse memory, and where the struct pages of its pages [first, end) stand: an array at a virtual address.
 */
struct MemorySection {
    Pfn first = 0;
    Pfn end = 0;
    std::uint64_t mem_map = 0;
};

/**
 * Finds the sections below max_pfn through the kernel's mem_section (SPARSEMEM_EXTREME: an array of pointers to blocks
 * of a page each; Documentation/mm/memory-model.rst). What can't be followed is left out and told in remarks.
 */
std::vector<MemorySection> find_memory_sections(const Vmcoreinfo &vmcoreinfo, AddressSpace &memory,
                                                std::uint64_t page_size, Pfn max_pfn,
                                                std::vector<std::string> &remarks);

} // namespace ballast::dump
