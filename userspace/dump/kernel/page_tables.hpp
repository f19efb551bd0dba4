// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstdint>

namespace ballast::dump {

/** Where the kernel's own page tables start, and how x86-64 walks them. */
struct PageTables {
    std::uint64_t root = 0;            // physical address of the top table
    unsigned levels = 4;               // 4 or 5
    std::uint64_t encryption_mask = 0; // the bit of an entry that says "encrypted", AMD's SME
};

} // namespace ballast::dump
