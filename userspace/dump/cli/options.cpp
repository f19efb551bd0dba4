// SPDX-License-Identifier: GPL-2.0
#include "dump/cli/options.hpp"

#include "dump/input/error.hpp"

#include <array>
#include <charconv>
#include <fmt/format.h>
#include <getopt.h>
#include <string_view>

namespace ballast::dump {

namespace {

// What getopt_long returns for options without a letter.
enum LongOption : int { message_level_option = 256, num_threads, dry_run, show_stats, check_params, unsupported };

// All of makedumpfile's, so that what is not supported is told from what is misspelt.
constexpr const char *short_options = ":b:cDd:eEFfg:hi:L:lpRvXx:z";
constexpr std::array long_options = {
    option{"message-level", required_argument, nullptr, message_level_option},
    option{"num-threads", required_argument, nullptr, num_threads},
    option{"dry-run", no_argument, nullptr, dry_run},
    option{"show-stats", no_argument, nullptr, show_stats},
    option{"check-params", no_argument, nullptr, check_params},
    option{"help", no_argument, nullptr, 'h'},
    option{"config", required_argument, nullptr, unsupported},
    option{"cyclic-buffer", required_argument, nullptr, unsupported},
    option{"diskset", required_argument, nullptr, unsupported},
    option{"dump-dmesg", no_argument, nullptr, unsupported},
    option{"eppic", required_argument, nullptr, unsupported},
    option{"mem-usage", no_argument, nullptr, unsupported},
    option{"non-mmap", no_argument, nullptr, unsupported},
    option{"partial-dmesg", no_argument, nullptr, unsupported},
    option{"reassemble", no_argument, nullptr, unsupported},
    option{"split", no_argument, nullptr, unsupported},
    option{"splitblock-size", required_argument, nullptr, unsupported},
    option{"vtop", required_argument, nullptr, unsupported},
    option{"work-dir", required_argument, nullptr, unsupported},
    option{"xen-syms", required_argument, nullptr, unsupported},
    option{"xen-vmcoreinfo", required_argument, nullptr, unsupported},
    option{"xen_phys_start", required_argument, nullptr, unsupported},
    option{nullptr, 0, nullptr, 0},
};

constexpr unsigned most_threads = 65536;

/** A decimal number from 0 to most. name: of the option; meaning: of the number. */
unsigned parse_number(std::string_view name, std::string_view meaning, std::string_view text, unsigned most) {
    unsigned number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number > most) {
        throw Error(fmt::format("{} {}: {} is a number from 0 to {}", name, text, meaning, most));
    }
    return number;
}

unsigned parse_dump_level(std::string_view text) {
    if (text.find(',') != std::string_view::npos) {
        throw Error(fmt::format("-d {}: more than one dump level is not supported", text));
    }
    return parse_number("-d", "the dump level", text, 31);
}

/** How the option that getopt_long just returned looks on the command line. */
std::string current_option(int value, int long_index) {
    return value < message_level_option
               ? fmt::format("-{}", static_cast<char>(value))
               : fmt::format("--{}", long_options.at(static_cast<std::size_t>(long_index)).name);
}

/** What getopt_long choked on: it gives a letter, or for a long option the argument before optind. */
std::string wrong_option(std::span<char *> arguments) {
    return optopt > 0 && optopt < message_level_option ? fmt::format("-{}", static_cast<char>(optopt))
                                                       : std::string(arguments[static_cast<std::size_t>(optind) - 1]);
}

void apply(Options &options, int value, int long_index, std::span<char *> arguments) {
    switch (value) {
    case 'c':
        options.codec = Codec::zlib;
        break;
    case 'l':
        options.codec = Codec::lzo;
        break;
    case 'p':
        options.codec = Codec::snappy;
        break;
    case 'z':
        options.codec = Codec::zstd;
        break;
    case 'd':
        options.dump_level = parse_dump_level(optarg);
        break;
    case 'D':
        options.message_level |= message_level::debug;
        break;
    case 'f':
        options.overwrite = true;
        break;
    case 'h':
        options.action = Options::Action::help;
        break;
    case 'v':
        options.action = Options::Action::version;
        break;
    case message_level_option:
        options.message_level = parse_number("--message-level", "the message level", optarg, message_level::all);
        break;
    case num_threads:
        options.threads = parse_number("--num-threads", "the number of threads", optarg, most_threads);
        break;
    case dry_run:
        options.dry_run = true;
        break;
    case show_stats:
        options.message_level |= message_level::report;
        break;
    case check_params:
        options.action = Options::Action::check_only;
        break;
    case ':':
        throw Error(fmt::format("{}: its value is missing", wrong_option(arguments)));
    case '?':
        throw Error(fmt::format("{}: no such option; pmakedumpfile -h lists them", wrong_option(arguments)));
    default:
        throw Error(fmt::format("{} is not supported; pmakedumpfile(8) compares the options with makedumpfile's",
                                current_option(value, long_index)));
    }
}

void take_files(Options &options, std::span<char *> files) {
    if (files.empty()) {
        throw Error("VMCORE is missing: pmakedumpfile [OPTION]... VMCORE DUMPFILE");
    }
    options.core = files[0];
    if (files.size() > 2) {
        throw Error(fmt::format("{}: one DUMPFILE is all that is supported", files[2]));
    }
    if (files.size() == 2) {
        options.output = files[1];
    } else if (!options.dry_run) {
        throw Error("DUMPFILE is missing: pmakedumpfile [OPTION]... VMCORE DUMPFILE");
    }
}

} // namespace

Options parse_options(std::span<char *> arguments) {
    Options options;
    const auto count = static_cast<int>(arguments.size());
    optind = 0; // glibc: start anew
    opterr = 0;
    int long_index = 0;
    for (int value = 0;
         (value = getopt_long(count, arguments.data(), short_options, long_options.data(), &long_index)) != -1;) {
        apply(options, value, long_index, arguments);
        if (options.action == Options::Action::help || options.action == Options::Action::version) {
            return options;
        }
    }
    take_files(options, arguments.subspan(static_cast<std::size_t>(optind)));
    return options;
}

std::string help_text() {
    return R"(Usage: pmakedumpfile [OPTION]... VMCORE DUMPFILE

Writes the crashed kernel's memory, VMCORE (/proc/vmcore or a saved core), to DUMPFILE in the kdump-compressed
format, without the pages that are not needed, in parallel.

  -c, -l, -p, -z       compress each page with zlib, lzo, snappy, zstd; without any of them nothing is compressed
  -d LEVEL             leave out pages, the sum of (0 to 31, default 0):
                         1 pages of zeros   2 page cache without private data   4 page cache
                         8 user data       16 free pages
  --num-threads N      threads; 0, and the default: one for each CPU that can be used
  -f                   overwrite DUMPFILE
  --dry-run            do all but write DUMPFILE
  --message-level N    print, the sum of (0 to 31, default 7):
                         1 progress   2 common messages   4 errors   8 debugging messages   16 a report
  --show-stats         print the report
  -D                   print debugging messages
  --check-params       check the command line, and no more
  -h, --help           print this
  -v                   print the version

Exit status: 0 done, 1 failed. pmakedumpfile(8) says more.
)";
}

std::string version_text() {
    return fmt::format("pmakedumpfile: version {}\nlzo\tenabled\nsnappy\tenabled\nzstd\tenabled\n", BALLAST_VERSION);
}

} // namespace ballast::dump
