// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/bitmap.hpp"
#include "dump/input/core.hpp"
#include "dump/input/progress.hpp"
#include "dump/kernel/kernel.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ballast::dump {

/** The bits of a dump level: which pages are left out. */
namespace dump_level {
constexpr unsigned zero = 1;          // decided while copying, not here
constexpr unsigned cache = 2;         // page cache without private data
constexpr unsigned cache_private = 4; // page cache, with private data or without
constexpr unsigned user = 8;          // anonymous memory and hugetlb
constexpr unsigned free = 16;         // the buddy allocator's
constexpr unsigned all = 31;
} // namespace dump_level

/** How many present pages were left out, and as what. */
struct ExcludedPages {
    std::uint64_t free = 0;
    std::uint64_t cache = 0;
    std::uint64_t cache_private = 0;
    std::uint64_t user = 0;
    std::uint64_t hwpoison = 0;
    std::uint64_t offline = 0;

    [[nodiscard]] std::uint64_t total() const { return free + cache + cache_private + user + hwpoison + offline; }
};

struct FilterResult {
    Bitmap dumped; // the pages to dump: bitmap 2 of the file
    ExcludedPages excluded;
    std::vector<std::string> warnings; // what was not understood, and therefore kept
};

/**
 * Decides which of the present pages go into the dump. The result is the same for any number of threads.
 * Throws Error on a dump level above 31 and on unreadable struct pages.
 */
FilterResult filter(const Core &core, const Kernel &kernel, unsigned dump_level, unsigned threads,
                    ProgressSink &progress);

} // namespace ballast::dump
