// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/filter/filter.hpp"

#include <cstdint>
#include <string>

namespace ballast::dump {

/** What became of the pages. */
struct PageCounts {
    std::uint64_t max_mapnr = 0;
    std::uint64_t present = 0;
    ExcludedPages excluded;
    std::uint64_t zero = 0;  // left out too: one copy stands for all
    std::uint64_t bytes = 0; // the dump's size
};

/** makedumpfile's report, line by line, numbers in hexadecimal as there. */
std::string report_text(const PageCounts &counts);

} // namespace ballast::dump
