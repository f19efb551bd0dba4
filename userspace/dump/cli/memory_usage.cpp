// SPDX-License-Identifier: GPL-2.0
#include "dump/cli/memory_usage.hpp"

#include "dump/cli/open_core.hpp"
#include "dump/cli/progress.hpp"
#include "dump/input/error.hpp"
#include "dump/kernel/kernel.hpp"
#include "dump/output/dump.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <fstream>
#include <sstream>
#include <string_view>

namespace ballast::dump {

namespace {

constexpr const char *iomem_path = "/proc/iomem";

/** A line of the table, and what JSON calls it. */
struct UsageRow {
    std::string_view title;
    std::string_view name;
    std::uint64_t pages = 0;
    bool excludable = true;
    std::string_view description;
    bool always = true; // also where there are no such pages
};

std::array<UsageRow, 8> rows(const MemoryUsage &usage) {
    const ExcludedPages &excluded = usage.excluded;
    return {UsageRow{"ZERO", "zero", usage.zero, true, "Pages filled with zero"},
            UsageRow{"NON_PRI_CACHE", "cache", excluded.cache, true, "Cache pages without private flag"},
            UsageRow{"PRI_CACHE", "cache_private", excluded.cache_private, true, "Cache pages with private flag"},
            UsageRow{"USER", "user", excluded.user, true, "User process pages"},
            UsageRow{"FREE", "free", excluded.free, true, "Free pages"},
            UsageRow{"HWPOISON", "hwpoison", excluded.hwpoison, true, "Pages that the hardware found broken", false},
            UsageRow{"OFFLINE", "offline", excluded.offline, true, "Pages that are offline, a balloon's", false},
            UsageRow{"KERN_DATA", "kernel", usage.kernel, false, "Dumpable kernel data "}};
}

/** Pages of the machine that can be in a dump, and those that level 31 leaves of them. */
struct UsedPages {
    Bitmap present;
    Bitmap dumped;
};

/** The capture kernel's memory is no part of what would be dumped. */
void forget_capture_memory(UsedPages &pages, std::uint64_t page_size) {
    std::ifstream iomem(iomem_path);
    for (const MemoryRange &range : capture_memory(iomem)) {
        for (Bitmap *bitmap : {&pages.present, &pages.dumped}) {
            bitmap->clear_range(range.begin / page_size, range.end / page_size);
        }
    }
}

MemoryUsage count_pages(const Core &core, const Kernel &kernel, unsigned threads, const Messages &messages,
                        ProgressSink &progress) {
    const FilterResult filtered = filter(core, kernel, dump_level::all, threads, progress);
    for (const std::string &warning : filtered.warnings) {
        messages.say(message_level::common, warning);
    }
    UsedPages pages{core.with_data(), filtered.dumped};
    if (is_live(core.path())) {
        forget_capture_memory(pages, core.page_size());
    }
    // A dry run looks for pages of zeros.
    const DumpResult rest = write_dump(core, machine_of(core, kernel), pages.present, pages.dumped,
                                       {.dump_level = dump_level::all, .threads = threads, .dry_run = true}, progress);
    return {.release = kernel.release(),
            .page_size = core.page_size(),
            .pages = pages.present.count(),
            .excluded = filtered.excluded,
            .zero = rest.zero_pages,
            .kernel = pages.dumped.count() - rest.zero_pages};
}

} // namespace

std::vector<MemoryRange> capture_memory(std::istream &iomem) {
    constexpr std::string_view name = " : Crash kernel";
    std::vector<MemoryRange> ranges;
    for (std::string line; std::getline(iomem, line);) {
        if (!line.ends_with(name)) {
            continue;
        }
        MemoryRange range;
        char dash = 0;
        std::istringstream numbers(line);
        if (numbers >> std::hex >> range.begin >> dash >> range.end && dash == '-') {
            ++range.end; // the last byte's address stands there
            ranges.push_back(range);
        }
    }
    return ranges;
}

std::string usage_table(const MemoryUsage &usage) {
    std::string table = "\nTYPE\t\tPAGES\t\t\tEXCLUDABLE\tDESCRIPTION\n"
                        "----------------------------------------------------------------------\n";
    for (const UsageRow &row : rows(usage)) {
        if (row.always || row.pages > 0) {
            // As wide as two stops of a tabulator.
            table += fmt::format("{}\t{}{:<16}\t{}\t\t{}\n", row.title, row.title.size() < 8 ? "\t" : "", row.pages,
                                 row.excludable ? "yes" : "no", row.description);
        }
    }
    return table + fmt::format("\npage size:\t\t{:<16}\nTotal pages on system:\t{:<16}\n"
                               "Total size on system:\t{:<16} Byte\n",
                               usage.page_size, usage.pages, usage.pages * usage.page_size);
}

std::string usage_json(const MemoryUsage &usage) {
    nlohmann::ordered_json classes;
    for (const UsageRow &row : rows(usage)) {
        classes[row.name] = {{"pages", row.pages}, {"excludable", row.excludable}};
    }
    const nlohmann::ordered_json json = {{"release", usage.release},
                                         {"page_size", usage.page_size},
                                         {"pages", usage.pages},
                                         {"bytes", usage.pages * usage.page_size},
                                         {"classes", classes}};
    return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

void print_memory_usage(const Options &options, const Messages &messages, const HeldSignals &signals) {
    const Core core = open_core(options);
    const Kernel kernel = Kernel::describe(core, options.vmlinux);
    for (const std::string &remark : kernel.remarks()) {
        messages.say(message_level::common, remark);
    }
    const unsigned threads = decide_threads(options, core, messages);
    ProgressPrinter progress(messages.wants(message_level::progress) ? stderr : nullptr, core.page_size(), signals,
                             options.json_progress);
    const MemoryUsage usage = count_pages(core, kernel, threads, messages, progress);
    print_answer(stdout, options.json_stats ? usage_json(usage) : usage_table(usage));
}

} // namespace ballast::dump
