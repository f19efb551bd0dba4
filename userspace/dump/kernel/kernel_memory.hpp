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

/** The pages without which no dump can be understood. Each list is sorted, its ranges are disjoint. */
struct KernelMemory {
    /**
     * What a reader goes through to find anything: the image's data, read-only or not, page tables, per-CPU variables,
     * VMCOREINFO and the log.
     */
    std::vector<PfnRange> way_in;

    /** That, the image's code, which its vmlinux has too, and the struct pages. */
    std::vector<PfnRange> all;
};

/** The symbols that find_kernel_memory() looks at. */
std::vector<std::string_view> kernel_memory_symbols();

/**
 * The kernel's own memory, but for what of its image it has freed. Finds what it can: a core may lack any of it. Throws
 * Error on a read error.
 */
KernelMemory find_kernel_memory(const Core &core, const Vmcoreinfo &vmcoreinfo, const PageTables &tables,
                                const Symbols &symbols, const std::vector<MemorySection> &sections,
                                std::uint64_t struct_page_size);

} // namespace ballast::dump
