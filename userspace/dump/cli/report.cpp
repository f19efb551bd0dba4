// SPDX-License-Identifier: GPL-2.0
#include "dump/cli/report.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace ballast::dump {

std::string report_text(const PageCounts &counts) {
    const ExcludedPages &excluded = counts.excluded;
    const std::uint64_t all_excluded = excluded.total() + counts.zero;
    const std::uint64_t remaining = counts.present - all_excluded;
    return fmt::format(R"(
Original pages  : 0x{:016x}
  Excluded pages   : 0x{:016x}
    Pages filled with zero  : 0x{:016x}
    Non-private cache pages : 0x{:016x}
    Private cache pages     : 0x{:016x}
    User process data pages : 0x{:016x}
    Free pages              : 0x{:016x}
    Hwpoison pages          : 0x{:016x}
    Offline pages           : 0x{:016x}
  Remaining pages  : 0x{:016x}
  (The number of pages is reduced to {}%.)
Memory Hole     : 0x{:016x}
--------------------------------------------------
Total pages     : 0x{:016x}
Write bytes     : {}
)",
                       counts.present, all_excluded, counts.zero, excluded.cache, excluded.cache_private, excluded.user,
                       excluded.free, excluded.hwpoison, excluded.offline, remaining,
                       remaining * 100 / std::max<std::uint64_t>(counts.present, 1), counts.max_mapnr - counts.present,
                       counts.max_mapnr, counts.bytes);
}

} // namespace ballast::dump
