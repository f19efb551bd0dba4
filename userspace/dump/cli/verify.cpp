// SPDX-License-Identifier: GPL-2.0
#include "dump/cli/verify.hpp"

#include "dump/cli/open_core.hpp"
#include "dump/cli/progress.hpp"
#include "dump/input/error.hpp"
#include "dump/output/page_check.hpp"

#include <fmt/format.h>

namespace ballast::dump {

namespace {

constexpr std::size_t pages_to_name = 10;

std::string describe(const PageCheck &check) {
    return fmt::format(
        "{} pages: {} good, {} damaged, {} lost, {} unreadable when the dump was made, {} unreadable now", check.pages,
        check.good(), check.damaged, check.lost, check.unreadable, check.failed);
}

} // namespace

void verify_dump(const Options &options, const Messages &messages, const HeldSignals &signals) {
    const Core core = open_core(options);
    const unsigned threads = decide_threads(options, core, messages);
    ProgressPrinter progress(messages.wants(message_level::progress) ? stderr : nullptr, core.page_size(), signals,
                             options.json_progress);
    const PageCheck check = check_pages(core, threads, progress);

    std::size_t named = 0;
    for (const auto &[pfn, problem] : check.problems) {
        if (named++ < pages_to_name) {
            messages.say(message_level::common, problem);
        }
    }
    messages.say(message_level::common, fmt::format("{}: {}, {}", core.path(), core.format().name(), describe(check)));
    const auto origin = core.origin();
    if (origin && origin->incomplete) {
        throw Error(fmt::format("{}: marked incomplete: {}", core.path(), describe(check)));
    }
    if (check.not_present > 0) {
        throw Error(fmt::format("{}: {} pages are dumped (bitmap 2) but not of the machine (bitmap 1)", core.path(),
                                check.not_present));
    }
    if (check.good() < check.pages) {
        throw Error(fmt::format("{}: not all is well: {}", core.path(), describe(check)));
    }
}

} // namespace ballast::dump
