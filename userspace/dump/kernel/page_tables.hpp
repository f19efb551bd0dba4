// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstdint>

namespace ballast::dump {

constexpr unsigned most_page_table_levels = 5;

/** Where the kernel's own page tables start, and how x86-64 walks them. */
struct PageTables {
    std::uint64_t root = 0;            // physical address of the top table
    unsigned levels = 4;               // 4 or 5
    std::uint64_t encryption_mask = 0; // the bit of an entry that says "encrypted", AMD's SME
};

/** An entry of a page table (Intel SDM vol. 3, 4.5). */
namespace page_table_entry {
constexpr std::uint64_t count = 512; // in a table
constexpr std::uint64_t present = 1;
constexpr std::uint64_t huge = std::uint64_t{1} << 7;
constexpr std::uint64_t address = 0x000ffffffffff000; // bits 51 to 12

/** Does the entry of a table of this level, the lowest being 1, map a page rather than a table? Only levels 2 and 3
 * have huge pages (2 MiB and 1 GiB); in level 1 the bit means something else (PAT). */
constexpr bool is_page(std::uint64_t entry, unsigned level) {
    return level == 1 || (level <= 3 && (entry & huge) != 0);
}
} // namespace page_table_entry

} // namespace ballast::dump
