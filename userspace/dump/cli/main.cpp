// SPDX-License-Identifier: GPL-2.0
#include "dump/cli/options.hpp"
#include "dump/cli/print.hpp"
#include "dump/cli/progress.hpp"
#include "dump/cli/report.hpp"
#include "dump/cli/signals.hpp"
#include "dump/filter/filter.hpp"
#include "dump/input/core.hpp"
#include "dump/input/error.hpp"
#include "dump/kernel/kernel.hpp"
#include "dump/output/chunk_copier.hpp"
#include "dump/output/dump.hpp"
#include "dump/output/output_file.hpp"
#include "dump/output/threads.hpp"

#include <csignal>
#include <cstdio>
#include <fmt/format.h>
#include <new>
#include <span>
#include <string>

namespace {

using namespace ballast::dump;

/** Says what is asked for by --message-level: common, debugging and report messages to stdout, as makedumpfile does. */
class Messages {
  public:
    explicit Messages(unsigned level) : level_(level) {}

    [[nodiscard]] bool wants(unsigned kind) const { return (level_ & kind) != 0; }

    void say(unsigned kind, const std::string &text) const {
        if (wants(kind)) {
            print(stdout, text + "\n");
        }
    }

  private:
    unsigned level_;
};

unsigned decide_threads(const Options &options, const Core &core, const Messages &messages) {
    const ThreadChoice choice =
        choose_threads(options.threads, {.cpus = usable_cpus(),
                                         .available_memory = available_memory(),
                                         .memory_per_thread = ChunkCopier::memory(options.codec, core.page_size())});
    messages.say(message_level::common, fmt::format("Using {}.", choice.reason));
    return choice.threads;
}

void make_dump(const Options &options, const HeldSignals &signals) {
    const Messages messages(options.message_level);
    if (!options.dry_run) {
        check_output(options.output, options.overwrite, options.core);
    }
    const Core core = Core::open(options.core);
    const Kernel kernel = Kernel::describe(core);
    messages.say(message_level::debug, fmt::format("The crashed kernel is {}.", kernel.release()));
    for (const std::string &remark : kernel.remarks()) {
        messages.say(message_level::common, remark);
    }

    const unsigned threads = decide_threads(options, core, messages);
    ProgressPrinter progress(messages.wants(message_level::progress) ? stderr : nullptr, core.page_size(), signals);
    const Bitmap present = core.present();
    const FilterResult filtered = filter(core, kernel, options.dump_level, threads, progress);
    for (const std::string &warning : filtered.warnings) {
        messages.say(message_level::common, warning);
    }
    const DumpResult dump = write_dump(core, kernel, present, filtered.dumped,
                                       {.path = options.output,
                                        .overwrite = options.overwrite,
                                        .codec = options.codec,
                                        .dump_level = options.dump_level,
                                        .threads = threads,
                                        .dry_run = options.dry_run},
                                       progress);

    messages.say(message_level::report, report_text({.max_mapnr = present.size(),
                                                     .present = present.count(),
                                                     .excluded = filtered.excluded,
                                                     .zero = dump.zero_pages,
                                                     .bytes = dump.bytes}));
    if (!options.dry_run) {
        messages.say(message_level::common, fmt::format("\nThe dumpfile is saved to {}.", options.output));
    }
    messages.say(message_level::common, "\npmakedumpfile Completed.");
}

void run(const Options &options, const HeldSignals &signals) {
    switch (options.action) {
    case Options::Action::help:
        print(stdout, help_text());
        break;
    case Options::Action::version:
        print(stdout, version_text());
        break;
    case Options::Action::check_only:
        break;
    case Options::Action::dump:
        make_dump(options, signals);
        break;
    }
}

int fail(unsigned level, const std::string &message, int exit_status) {
    if ((level & message_level::error) != 0) {
        print(stderr, fmt::format("pmakedumpfile: {}\n", message));
    }
    return exit_status;
}

} // namespace

int main(int argc, char **argv) {
    // A file beyond the size limit and a reader that went away are errors that calls return.
    static_cast<void>(std::signal(SIGXFSZ, SIG_IGN));
    static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
    // A signal that ends the run does so when this goes, after the message.
    const HeldSignals signals;
    unsigned level = message_level::standard;
    try {
        const Options options = parse_options(std::span(argv, static_cast<std::size_t>(argc)));
        level = options.message_level;
        run(options, signals);
        return 0;
    } catch (const Error &error) {
        return fail(level, error.what(), error.exit_status());
    } catch (const std::bad_alloc &) {
        return fail(level, "Out of memory: give the capture kernel more (crashkernel=), or use fewer threads", 1);
    } catch (const std::exception &error) {
        return fail(level, error.what(), 1);
    }
}
