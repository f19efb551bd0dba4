// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/bitmap.hpp"
#include "dump/input/core.hpp"
#include "dump/input/progress.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace ballast::dump {

/** What reading all pages of a core showed. Numbers of pages. */
struct PageCheck {
    std::uint64_t pages = 0; // that should be there
    std::uint64_t damaged = 0;
    std::uint64_t lost = 0;
    std::uint64_t unreadable = 0;        // already when the dump was made
    std::uint64_t failed = 0;            // reading them now
    std::uint64_t not_present = 0;       // dumped, but not of the machine
    std::map<Pfn, std::string> problems; // of the lowest, a line each

    [[nodiscard]] std::uint64_t good() const { return pages - damaged - lost - unreadable - failed; }
};

/** Reads every page: its descriptor, its data, and whether that makes a page. */
PageCheck check_pages(const Core &core, unsigned threads, ProgressSink &progress);

} // namespace ballast::dump
