// SPDX-License-Identifier: GPL-2.0
#include "dump/cli/help.hpp"
#include "dump/cli/look_inside.hpp"
#include "dump/cli/make_dump.hpp"
#include "dump/cli/memory_usage.hpp"
#include "dump/cli/messages.hpp"
#include "dump/cli/options.hpp"
#include "dump/cli/print.hpp"
#include "dump/cli/rearrange.hpp"
#include "dump/cli/signals.hpp"
#include "dump/cli/verify.hpp"
#include "dump/input/error.hpp"

#include <csignal>
#include <cstdio>
#include <fmt/format.h>
#include <new>
#include <span>
#include <string>

namespace {

using namespace ballast::dump;

void run(const Options &options, const HeldSignals &signals) {
    // The standard output is for the dump, or for what a program reads.
    const Messages messages(options.message_level, options.flattened || options.json_stats ? stderr : stdout);
    for (const std::string &remark : options.remarks) {
        messages.say(message_level::common, remark);
    }
    switch (options.action) {
    case Options::Action::help:
        print_answer(stdout, help_text());
        break;
    case Options::Action::version:
        print_answer(stdout, version_text());
        break;
    case Options::Action::dump:
        if (options.address_to_translate) {
            translate_address(options, messages);
        }
        make_dump(options, messages, signals);
        break;
    case Options::Action::rearrange:
        rearrange_dump(options, messages);
        break;
    case Options::Action::reassemble:
        reassemble_dump(options, messages, signals);
        break;
    case Options::Action::dump_log:
        dump_log(options, messages);
        break;
    case Options::Action::translate:
        translate_address(options, messages);
        break;
    case Options::Action::generate_vmcoreinfo:
        write_vmcoreinfo(options, messages);
        break;
    case Options::Action::memory_usage:
        print_memory_usage(options, messages, signals);
        break;
    case Options::Action::verify:
        verify_dump(options, messages, signals);
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
        if (!options.check_only) {
            run(options, signals);
        }
        return 0;
    } catch (const Error &error) {
        return fail(level, error.what(), error.exit_status());
    } catch (const std::bad_alloc &) {
        return fail(level, "Out of memory: give the capture kernel more (crashkernel=), or use fewer threads", 1);
    } catch (const std::exception &error) {
        return fail(level, error.what(), 1);
    }
}
