// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/bitmap.hpp"
#include "dump/input/vmcoreinfo.hpp"
#include "dump/kernel/address_space.hpp"
#include "dump/kernel/types.hpp"

#include <cstdint>
#include <optional>
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

/** How the kernel's table of sections is laid out. What is absent the kernel didn't tell. */
struct SectionLayout {
    std::optional<std::uint64_t> size;            // of struct mem_section
    std::optional<std::uint64_t> section_mem_map; // the offset of this member, unsigned long

    [[nodiscard]] bool is_complete() const { return size && section_mem_map; }
};

/** What VMCOREINFO tells of it. */
SectionLayout section_layout_from(const Vmcoreinfo &vmcoreinfo);

/** Adds what is absent and what the kernel's types tell. */
void complete(SectionLayout &layout, const Types &types);

/**
 * Finds the sections below max_pfn through the kernel's mem_section (SPARSEMEM_EXTREME: an array of pointers to blocks
 * of a page each; Documentation/mm/memory-model.rst). What can't be followed is left out and told in remarks.
 * struct_page_size may be 0, where it isn't known.
 */
std::vector<MemorySection> find_memory_sections(const Vmcoreinfo &vmcoreinfo, const SectionLayout &section,
                                                std::uint64_t struct_page_size, AddressSpace &memory,
                                                std::uint64_t page_size, Pfn max_pfn,
                                                std::vector<std::string> &remarks);

} // namespace ballast::dump
