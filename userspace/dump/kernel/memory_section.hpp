// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/bitmap.hpp"

#include <cstdint>

namespace ballast::dump {

/** A piece of sparse memory, and where the struct pages of its pages [first, end) stand: an array at a virtual address.
 */
struct MemorySection {
    Pfn first = 0;
    Pfn end = 0;
    std::uint64_t mem_map = 0;
};

} // namespace ballast::dump
