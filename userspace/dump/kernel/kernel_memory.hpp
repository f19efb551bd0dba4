// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/core.hpp"
#include "dump/input/vmcoreinfo.hpp"
#include "dump/kernel/memory_section.hpp"
#include "dump/kernel/page_tables.hpp"
#include "dump/kernel/symbols.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace ballast::dump {

/** Pages [begin, end). */
struct PfnRange {
    Pfn begin = 0;
    Pfn end = 0;
};

/** The symbols that find_kernel_memory() looks at. */
std::vector<std::string_view> kernel_memory_symbols();

/**
 * The pages without which no dump can be understood: the kernel's image but for what it has freed, its per-CPU
 * variables, its page tables, the struct pages of the sections, VMCOREINFO and the log buffer. Sorted, disjoint. Finds
 * what it can: a core may lack any of them. Throws Error on a read error.
 */
std::vector<PfnRange> find_kernel_memory(const Core &core, const Vmcoreinfo &vmcoreinfo, const PageTables &tables,
                                         const Symbols &symbols, const std::vector<MemorySection> &sections,
                                         std::uint64_t struct_page_size);

} // namespace ballast::dump
