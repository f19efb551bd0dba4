// SPDX-License-Identifier: GPL-2.0
#include "dump/cli/rearrange.hpp"

#include "dump/cli/open_core.hpp"
#include "dump/cli/progress.hpp"
#include "dump/cli/report.hpp"
#include "dump/input/error.hpp"
#include "dump/output/dump.hpp"
#include "dump/output/flattened_output.hpp"

#include <fmt/format.h>
#include <unistd.h>

namespace ballast::dump {

void rearrange_dump(const Options &options, const Messages &messages) {
    check_outputs(options);
    OutputFile file(options.outputs.front(), options.overwrite, options.size_limit);
    rearrange(STDIN_FILENO, file);
    file.close();
    say_saved(options, messages);
}

void reassemble_dump(const Options &options, const Messages &messages, const HeldSignals &signals) {
    check_outputs(options);
    const Core core = open_core(options);
    const auto origin = core.origin();
    if (!origin) {
        throw Error(fmt::format("{}: not a part of a split dump", core.path()));
    }
    const unsigned threads = decide_threads(options, core, messages);
    ProgressPrinter progress(messages.wants(message_level::progress) ? stderr : nullptr, core.page_size(), signals,
                             options.json_progress);
    const DumpResult dump = write_dump(core, machine_of(*origin), core.present(), core.with_data(),
                                       {.paths = options.outputs,
                                        .overwrite = options.overwrite,
                                        .codec = origin->codec(),
                                        .as_stored = true,
                                        .dump_level = origin->dump_level(),
                                        .threads = threads,
                                        .size_limit = options.size_limit,
                                        .dedup_memory = options.dedup_memory,
                                        .eraseinfo = core.eraseinfo()},
                                       progress);
    report_unreadable(dump.unreadable, "the parts");
    say_saved(options, messages);
}

} // namespace ballast::dump
