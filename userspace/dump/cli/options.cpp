// SPDX-License-Identifier: GPL-2.0
#include "dump/cli/options.hpp"

#include "dump/input/error.hpp"

#include <array>
#include <charconv>
#include <fmt/format.h>
#include <getopt.h>
#include <limits>
#include <string_view>

namespace ballast::dump {

namespace {

// What getopt_long returns for options without a letter.
enum LongOption : int {
    message_level_option = 256,
    num_threads,
    dry_run,
    show_stats,
    check_params,
    split,
    splitblock_size,
    reassemble,
    verify,
    cyclic_buffer,
    work_dir,
    non_mmap,
    progress,
    stats,
    zstd_level,
    dedup,
    dump_dmesg,
    partial_dmesg,
    vtop,
    unsupported
};

// All of makedumpfile's, so that what is not supported is told from what is misspelt.
constexpr const char *short_options = ":b:cDd:eEFfg:hi:L:lpRvXx:z";
constexpr std::array long_options = {
    option{"message-level", required_argument, nullptr, message_level_option},
    option{"num-threads", required_argument, nullptr, num_threads},
    option{"dry-run", no_argument, nullptr, dry_run},
    option{"show-stats", no_argument, nullptr, show_stats},
    option{"check-params", no_argument, nullptr, check_params},
    option{"split", no_argument, nullptr, split},
    option{"splitblock-size", required_argument, nullptr, splitblock_size},
    option{"reassemble", no_argument, nullptr, reassemble},
    option{"cyclic-buffer", required_argument, nullptr, cyclic_buffer},
    option{"work-dir", required_argument, nullptr, work_dir},
    option{"non-mmap", no_argument, nullptr, non_mmap},
    option{"dump-dmesg", no_argument, nullptr, dump_dmesg},
    option{"partial-dmesg", no_argument, nullptr, partial_dmesg},
    option{"vtop", required_argument, nullptr, vtop},
    option{"help", no_argument, nullptr, 'h'},
    // Ours alone.
    option{"verify", no_argument, nullptr, verify},
    option{"progress", required_argument, nullptr, progress},
    option{"stats", required_argument, nullptr, stats},
    option{"zstd-level", required_argument, nullptr, zstd_level},
    option{"dedup", optional_argument, nullptr, dedup},
    // Not here.
    option{"config", required_argument, nullptr, unsupported},
    option{"diskset", required_argument, nullptr, unsupported},
    option{"eppic", required_argument, nullptr, unsupported},
    option{"extension", required_argument, nullptr, unsupported},
    option{"mem-usage", no_argument, nullptr, unsupported},
    option{"xen-syms", required_argument, nullptr, unsupported},
    option{"xen-vmcoreinfo", required_argument, nullptr, unsupported},
    option{"xen_phys_start", required_argument, nullptr, unsupported},
    option{nullptr, 0, nullptr, 0},
};

constexpr int most_threads = 65536;
constexpr int most_kib = std::numeric_limits<int>::max();
constexpr std::uint64_t kib = 1024;

/** A decimal number from least to most. name: of the option; meaning: of the number. */
template<typename Number>
Number parse_number(std::string_view name, std::string_view meaning, std::string_view text, Number least, Number most) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number < least || number > most) {
        throw Error(fmt::format("{} {}: {} is a number from {} to {}", name, text, meaning, least, most));
    }
    return number;
}

std::vector<unsigned> parse_dump_levels(std::string_view text) {
    std::vector<unsigned> levels;
    for (;;) {
        const std::size_t comma = text.find(',');
        levels.push_back(static_cast<unsigned>(parse_number("-d", "the dump level", text.substr(0, comma), 0, 31)));
        if (comma == std::string_view::npos) {
            return levels;
        }
        text.remove_prefix(comma + 1);
    }
}

/** Hexadecimal, with 0x or without. */
std::uint64_t parse_address(std::string_view name, std::string_view text) {
    const std::string_view digits = text.substr(text.starts_with("0x") ? 2 : 0);
    std::uint64_t address = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), address, 16);
    if (error != std::errc() || end != digits.data() + digits.size()) {
        throw Error(fmt::format("{} {}: an address is a hexadecimal number", name, text));
    }
    return address;
}

/** The only form that --progress and --stats have beside text. */
bool parse_json(std::string_view name, std::string_view text) {
    if (text != "json") {
        throw Error(fmt::format("{}={}: json is the one form there is", name, text));
    }
    return true;
}

/** The arguments while they are taken. */
class Parser {
  public:
    explicit Parser(std::span<char *> arguments) : arguments_(arguments) {}

    Options parse() {
        const auto count = static_cast<int>(arguments_.size());
        optind = 0; // glibc: start anew
        opterr = 0;
        for (int value = 0;
             (value = getopt_long(count, arguments_.data(), short_options, long_options.data(), &long_index_)) != -1;) {
            if (!take_letter(value) && !take_word(value)) {
                refuse(value);
            }
            if (options_.action == Options::Action::help || options_.action == Options::Action::version) {
                return options_;
            }
        }
        take_files();
        check_together();
        return options_;
    }

  private:
    void set_codec(Codec codec) { options_.compression.codec = codec; }

    void remark(std::string text) { options_.remarks.push_back(std::move(text)); }

    bool take_letter(int letter) {
        switch (letter) {
        case 'b':
            parse_number("-b", "the order", optarg, 0, 30);
            remark("-b changes nothing here: each thread has a buffer of its own.");
            return true;
        case 'c':
            set_codec(Codec::zlib);
            return true;
        case 'l':
            set_codec(Codec::lzo);
            return true;
        case 'p':
            set_codec(Codec::snappy);
            return true;
        case 'z':
            set_codec(Codec::zstd);
            return true;
        case 'd':
            options_.dump_levels = parse_dump_levels(optarg);
            return true;
        case 'D':
            options_.message_level |= message_level::debug;
            return true;
        case 'e':
            remark("-e changes nothing here: struct pages are never left out.");
            return true;
        case 'E':
            options_.elf = true;
            return true;
        case 'F':
            options_.flattened = true;
            return true;
        case 'f':
            options_.overwrite = true;
            return true;
        case 'h':
            options_.action = Options::Action::help;
            return true;
        case 'i':
            options_.vmcoreinfo = optarg;
            return true;
        case 'L':
            options_.size_limit = parse_number<std::uint64_t>("-L", "the limit in bytes", optarg, 1, INT64_MAX);
            return true;
        case 'R':
            options_.action = Options::Action::rearrange;
            return true;
        case 'x':
            options_.vmlinux = optarg;
            return true;
        case 'v':
            options_.action = Options::Action::version;
            return true;
        default:
            return false;
        }
    }

    bool take_word(int word) {
        switch (word) {
        case message_level_option:
            options_.message_level = static_cast<unsigned>(
                parse_number("--message-level", "the message level", optarg, 0, static_cast<int>(message_level::all)));
            return true;
        case num_threads:
            options_.threads =
                static_cast<unsigned>(parse_number("--num-threads", "the number of threads", optarg, 0, most_threads));
            return true;
        case dry_run:
            options_.dry_run = true;
            return true;
        case show_stats:
            options_.message_level |= message_level::report;
            return true;
        case check_params:
            options_.check_only = true;
            return true;
        case split:
            options_.split = true;
            return true;
        case splitblock_size:
            options_.split_block =
                static_cast<std::uint64_t>(parse_number("--splitblock-size", "the size in KiB", optarg, 1, most_kib)) *
                kib;
            return true;
        case reassemble:
            options_.action = Options::Action::reassemble;
            return true;
        case verify:
            options_.action = Options::Action::verify;
            return true;
        case dump_dmesg:
            options_.action = Options::Action::dump_log;
            return true;
        case partial_dmesg:
            options_.only_uncleared_log = true;
            return true;
        case vtop:
            options_.action = Options::Action::translate;
            options_.address_to_translate = parse_address("--vtop", optarg);
            return true;
        case cyclic_buffer:
            parse_number("--cyclic-buffer", "the size in KiB", optarg, 1, most_kib);
            remark("--cyclic-buffer changes nothing here: the bitmaps take two bits for each page, and there is one "
                   "cycle.");
            return true;
        case work_dir:
            remark("--work-dir changes nothing here: the bitmaps are in memory.");
            return true;
        case non_mmap:
            options_.allow_mapping = false;
            return true;
        case progress:
            options_.json_progress = parse_json("--progress", optarg);
            return true;
        case stats:
            options_.json_stats = parse_json("--stats", optarg);
            return true;
        case zstd_level:
            options_.compression.zstd_level =
                parse_number("--zstd-level", "the level", optarg, zstd_levels().lowest, zstd_levels().highest);
            return true;
        case dedup:
            options_.dedup_memory = kib * kib *
                                    static_cast<std::uint64_t>(parse_number(
                                        "--dedup", "the size in MiB", optarg != nullptr ? optarg : "16", 1, 1 << 20));
            return true;
        default:
            return false;
        }
    }

    /** What getopt_long choked on: it gives a letter, or for a long option the argument before optind. */
    [[nodiscard]] std::string wrong_option() const {
        return optopt > 0 && optopt < message_level_option
                   ? fmt::format("-{}", static_cast<char>(optopt))
                   : std::string(arguments_[static_cast<std::size_t>(optind) - 1]);
    }

    [[noreturn]] void refuse(int value) const {
        if (value == ':') {
            throw Error(fmt::format("{}: its value is missing", wrong_option()));
        }
        if (value == '?') {
            throw Error(fmt::format("{}: no such option; pmakedumpfile -h lists them", wrong_option()));
        }
        const std::string name = value < message_level_option
                                     ? fmt::format("-{}", static_cast<char>(value))
                                     : fmt::format("--{}", long_options.at(static_cast<std::size_t>(long_index_)).name);
        throw Error(
            fmt::format("{} is not supported; pmakedumpfile(8) compares the options with makedumpfile's", name));
    }

    [[nodiscard]] static Error missing(std::string_view what, std::string_view usage) {
        return Error(fmt::format("{} is missing: pmakedumpfile {}", what, usage));
    }

    void take_files() {
        const std::span<char *> files = arguments_.subspan(static_cast<std::size_t>(optind));
        switch (options_.action) {
        case Options::Action::rearrange:
            if (files.size() != 1) {
                throw missing("One DUMPFILE", "-R DUMPFILE <FLATTENED");
            }
            options_.outputs.assign(files.begin(), files.end());
            break;
        case Options::Action::verify:
            if (files.empty()) {
                throw missing("DUMPFILE", "--verify DUMPFILE...");
            }
            options_.cores.assign(files.begin(), files.end());
            break;
        case Options::Action::translate:
            if (files.empty()) {
                throw missing("VMCORE", "--vtop ADDRESS VMCORE");
            }
            options_.cores = {files[0]}; // a DUMPFILE is not written
            break;
        default:
            take_cores_and_outputs(files);
        }
    }

    void take_cores_and_outputs(std::span<char *> files) {
        constexpr std::string_view usage = "[OPTION]... VMCORE DUMPFILE";
        if (files.empty()) {
            throw missing("VMCORE", usage);
        }
        if (options_.split) {
            if (files.size() < 3) {
                throw missing("A second DUMPFILE", "--split [OPTION]... VMCORE DUMPFILE1 DUMPFILE2...");
            }
            options_.cores = {files[0]};
            options_.outputs.assign(files.begin() + 1, files.end());
            return;
        }
        const bool no_output = options_.flattened || (options_.dry_run && files.size() == 1);
        if (!no_output && files.size() == 1) {
            throw missing("DUMPFILE", usage);
        }
        const std::span<char *> cores = no_output ? files : files.first(files.size() - 1);
        options_.cores.assign(cores.begin(), cores.end());
        if (!no_output) {
            options_.outputs = {files.back()};
        }
    }

    /** Options that each are right and together are not. */
    void check_together() const {
        const auto refuse_together = [](std::string_view one, std::string_view other, std::string_view why) {
            throw Error(fmt::format("{} can't be used with {}: {}", one, other, why));
        };
        if (options_.elf && options_.compression.codec != Codec::raw) {
            refuse_together("-E", "-c, -l, -p or -z", "ELF has no compressed pages");
        }
        if (options_.elf && options_.split) {
            refuse_together("-E", "--split", "only kdump-compressed dumps can be split");
        }
        if (options_.elf && options_.dedup_memory != 0) {
            refuse_together("-E", "--dedup", "in ELF each page has data of its own");
        }
        if (options_.flattened && options_.split) {
            refuse_together("-F", "--split", "there is one standard output");
        }
        if (options_.flattened && options_.size_limit != OutputFile::no_limit) {
            refuse_together("-F", "-L", "what is in a pipe can't be taken back");
        }
        if (options_.flattened && options_.json_stats) {
            refuse_together("-F", "--stats=json", "the standard output has the dump");
        }
        if (options_.action == Options::Action::dump_log && (options_.dry_run || options_.flattened)) {
            refuse_together("--dump-dmesg", "--dry-run or -F", "the log goes to a file");
        }
        if (options_.action == Options::Action::reassemble && options_.flattened) {
            refuse_together("--reassemble", "-F", "the dump goes to a file");
        }
        if (options_.action == Options::Action::reassemble && options_.dry_run) {
            refuse_together("--reassemble", "--dry-run", "--verify reads all parts");
        }
    }

    std::span<char *> arguments_;
    Options options_;
    int long_index_ = 0;
};

} // namespace

Options parse_options(std::span<char *> arguments) {
    return Parser(arguments).parse();
}

} // namespace ballast::dump
