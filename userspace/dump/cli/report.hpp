// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/cli/timed_steps.hpp"
#include "dump/filter/filter.hpp"
#include "dump/output/dump.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ballast::dump {

/** What became of the pages. */
struct PageCounts {
    std::uint64_t max_mapnr = 0;
    std::uint64_t present = 0;
    ExcludedPages excluded;
    std::uint64_t zero = 0;  // left out too: one copy stands for all
    std::uint64_t bytes = 0; // the dump's size
};

/** What --stats=json tells. */
struct DumpStats {
    std::string release;
    unsigned dump_level = 0;
    unsigned threads = 1;
    std::uint64_t page_size = 0; // bytes
    PageCounts counts;
    ExcludedPages seen;          // as much as there is of each class
    std::uint64_t with_data = 0; // pages that the core has
    std::uint64_t dumped = 0;    // of these, that are dumped, zero pages included
    DumpResult dump;
    std::vector<TimedSteps::Step> steps;
};

/** One line of JSON, described in pmakedumpfile(8). */
std::string stats_json(const DumpStats &stats);

/** makedumpfile's report, line by line, numbers in hexadecimal as there. */
std::string report_text(const PageCounts &counts);

/**
 * Says on standard error that zeros stand for pages that could not be read. Throws Error where pages are lost that
 * `input` ("the core", "the parts") should have: the dump is marked incomplete then.
 */
void report_unreadable(const UnreadablePages &unreadable, std::string_view input);

} // namespace ballast::dump
