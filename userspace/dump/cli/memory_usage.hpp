// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/cli/messages.hpp"
#include "dump/cli/options.hpp"
#include "dump/cli/signals.hpp"
#include "dump/filter/filter.hpp"
#include "dump/input/bitmap.hpp"

#include <cstdint>
#include <istream>
#include <string>
#include <vector>

namespace ballast::dump {

/** What a machine's pages are used for: how much each dump level would leave out. */
struct MemoryUsage {
    std::string release;
    std::uint64_t page_size = 0; // bytes
    std::uint64_t pages = 0;     // in all, without those kept for the capture kernel
    ExcludedPages excluded;
    std::uint64_t zero = 0;   // of the other pages
    std::uint64_t kernel = 0; // of these, the rest
};

/** Physical memory [begin, end) in bytes. */
struct MemoryRange {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
};

/** The ranges that are kept for the capture kernel, out of the text of /proc/iomem. */
std::vector<MemoryRange> capture_memory(std::istream &iomem);

/** makedumpfile's table; hwpoison and offline pages have a line where there are any. */
std::string usage_table(const MemoryUsage &usage);

/** One line of JSON, described in pmakedumpfile(8). */
std::string usage_json(const MemoryUsage &usage);

/** --mem-usage: counts the pages of a core, be it of the running kernel (/proc/kcore). Throws Error. */
void print_memory_usage(const Options &options, const Messages &messages, const HeldSignals &signals);

} // namespace ballast::dump
