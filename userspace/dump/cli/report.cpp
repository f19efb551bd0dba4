// SPDX-License-Identifier: GPL-2.0
#include "dump/cli/report.hpp"

#include "dump/cli/print.hpp"
#include "dump/input/error.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace ballast::dump {

namespace {

using Json = nlohmann::ordered_json;

Json class_json(std::uint64_t seen, std::uint64_t kept, std::uint64_t page_size) {
    return {{"seen", seen}, {"kept", kept}, {"kept_bytes", kept * page_size}};
}

Json classes_json(const DumpStats &stats) {
    const ExcludedPages &seen = stats.seen;
    const ExcludedPages &excluded = stats.counts.excluded;
    Json classes;
    // Broken pages of a class that this level keeps are left out as broken, though seen as of that class.
    const auto add = [&](const char *name, std::uint64_t ExcludedPages::*member) {
        const std::uint64_t all = std::max(seen.*member, excluded.*member);
        classes[name] = class_json(all, all - excluded.*member, stats.page_size);
    };
    add("free", &ExcludedPages::free);
    add("cache", &ExcludedPages::cache);
    add("cache_private", &ExcludedPages::cache_private);
    add("user", &ExcludedPages::user);
    add("hwpoison", &ExcludedPages::hwpoison);
    add("offline", &ExcludedPages::offline);
    const std::uint64_t kernel = stats.with_data - std::min(stats.with_data, seen.total());
    classes["kernel"] = class_json(kernel, kernel, stats.page_size);
    return classes;
}

} // namespace

std::string stats_json(const DumpStats &stats) {
    Json steps = Json::array();
    for (const TimedSteps::Step &step : stats.steps) {
        steps.push_back({{"name", step.name}, {"pages", step.pages}, {"seconds", step.seconds}});
    }
    const Json json = {
        {"release", stats.release},
        {"dump_level", stats.dump_level},
        {"threads", stats.threads},
        {"page_size", stats.page_size},
        {"pages",
         {{"max_mapnr", stats.counts.max_mapnr},
          {"present", stats.counts.present},
          {"with_data", stats.with_data},
          {"dumped", stats.dumped},
          {"zero", stats.dump.zero_pages},
          {"same", stats.dump.same_pages},
          {"unreadable", stats.dump.unreadable.count}}},
        {"classes", classes_json(stats)},
        {"output_bytes", stats.dump.bytes},
        {"steps", steps},
    };
    // The release comes out of a core: any bytes.
    return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

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

void report_unreadable(const UnreadablePages &unreadable, std::string_view input) {
    if (unreadable.count == 0) {
        return;
    }
    const auto &[pfn, reason] = *unreadable.reasons.begin();
    if (unreadable.count > unreadable.lost) {
        // Not an error, but nobody should miss it.
        print(stderr,
              fmt::format("pmakedumpfile: {} pages can't be read, zeros stand for them; the first is {:#x}: {}\n",
                          unreadable.count, pfn, reason));
    }
    if (unreadable.lost > 0) {
        throw Error(fmt::format("{} pages that {} should have are lost: the dump is marked incomplete; the first is "
                                "{:#x}: {}",
                                unreadable.lost, input, pfn, reason));
    }
}

} // namespace ballast::dump
