// SPDX-License-Identifier: GPL-2.0
#include "dump/cli/options.hpp"

#include "dump/cli/option_table.hpp"
#include "dump/input/error.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <getopt.h>
#include <string_view>

namespace ballast::dump {

namespace {

using Action = Options::Action;
using Files = std::span<char *>;

// What getopt_long returns for an option with a word is above all letters.
constexpr int first_word = 256;

/** The table as getopt_long takes it. */
class GetoptTables {
  public:
    GetoptTables() {
        letters_ = ":"; // a missing value is told from an unknown option
        int index = first_word;
        for (const OptionRule &rule : option_rules()) {
            if (rule.letter != 0) {
                letters_ += rule.letter;
                letters_ += rule.value == required_argument ? ":" : "";
            }
            if (rule.word != nullptr) {
                words_.push_back({rule.word, rule.value, nullptr, index});
            }
            ++index;
        }
        words_.push_back({});
    }

    [[nodiscard]] const char *letters() const { return letters_.c_str(); }
    [[nodiscard]] const option *words() const { return words_.data(); }

    /** The rule for what getopt_long returned; null for its signs of an error. */
    [[nodiscard]] static const OptionRule *rule(int value) {
        const auto rules = option_rules();
        if (value >= first_word) {
            return &rules[static_cast<std::size_t>(value - first_word)];
        }
        const auto found = std::ranges::find(rules, static_cast<char>(value), &OptionRule::letter);
        return found == rules.end() ? nullptr : &*found;
    }

  private:
    std::string letters_;
    std::vector<option> words_;
};

/** What getopt_long choked on: it gives a letter, or for a long option the argument before optind. */
std::string wrong_option(Files arguments) {
    return optopt > 0 && optopt < first_word ? fmt::format("-{}", static_cast<char>(optopt))
                                             : std::string(arguments[static_cast<std::size_t>(optind) - 1]);
}

void take_option(Options &options, int value, Files arguments) {
    if (value == ':') {
        throw Error(fmt::format("{}: its value is missing", wrong_option(arguments)));
    }
    const OptionRule *rule = GetoptTables::rule(value);
    if (rule == nullptr) {
        throw Error(fmt::format("{}: no such option; pmakedumpfile -h lists them", wrong_option(arguments)));
    }
    if (rule->take == nullptr) {
        throw Error(fmt::format("{} is not supported; pmakedumpfile(8) compares the options with makedumpfile's",
                                rule->name()));
    }
    rule->take(options, optarg);
}

[[noreturn]] void refuse_missing(std::string_view what, std::string_view usage) {
    throw Error(fmt::format("{} is missing: pmakedumpfile {}", what, usage));
}

void take_split(Options &options, Files files) {
    if (files.size() < 3) {
        refuse_missing("A second DUMPFILE", "--split [OPTION]... VMCORE DUMPFILE1 DUMPFILE2...");
    }
    options.cores = {files[0]};
    options.outputs.assign(files.begin() + 1, files.end());
}

/** One or more cores, and behind them the dump, unless it isn't needed. */
void take_cores_and_output(Options &options, Files files) {
    constexpr std::string_view usage = "[OPTION]... VMCORE DUMPFILE";
    if (files.empty()) {
        refuse_missing("VMCORE", usage);
    }
    if (options.split) {
        take_split(options, files);
        return;
    }
    const bool optional = options.dry_run || options.address_to_translate;
    const bool no_output = options.flattened || (optional && files.size() == 1);
    if (!no_output && files.size() == 1) {
        refuse_missing("DUMPFILE", usage);
    }
    const Files cores = no_output ? files : files.first(files.size() - 1);
    options.cores.assign(cores.begin(), cores.end());
    if (!no_output) {
        options.outputs = {files.back()};
    } else if (options.address_to_translate && !options.flattened && !options.dry_run) {
        options.action = Action::translate; // and no dump
    }
}

void take_files(Options &options, Files files) {
    switch (options.action) {
    case Action::help:
    case Action::version:
        break;
    case Action::rearrange:
        if (files.size() != 1) {
            refuse_missing("One DUMPFILE", "-R DUMPFILE <FLATTENED");
        }
        options.outputs.assign(files.begin(), files.end());
        break;
    case Action::verify:
        if (files.empty()) {
            refuse_missing("DUMPFILE", "--verify DUMPFILE...");
        }
        options.cores.assign(files.begin(), files.end());
        break;
    case Action::memory_usage:
        if (files.size() != 1) {
            refuse_missing("One VMCORE", "--mem-usage /proc/kcore");
        }
        options.cores = {files[0]};
        break;
    case Action::generate_vmcoreinfo:
        if (!files.empty()) {
            throw Error(fmt::format("{}: -g takes no other file: pmakedumpfile -g VMCOREINFO -x VMLINUX", files[0]));
        }
        break;
    default:
        take_cores_and_output(options, files);
    }
}

/** Options that each are right and together are not. */
void check_together(const Options &options) {
    struct Conflict {
        bool is_there;
        std::string_view one;
        std::string_view other;
        std::string_view why;
    };
    const bool writes_text = options.action == Action::dump_log || options.action == Action::generate_vmcoreinfo;
    const std::array conflicts = {
        Conflict{options.elf && options.compression.codec != Codec::raw, "-E", "-c, -l, -p or -z",
                 "ELF has no compressed pages"},
        Conflict{options.elf && options.split, "-E", "--split", "only kdump-compressed dumps can be split"},
        Conflict{options.elf && options.dedup_memory != 0, "-E", "--dedup", "in ELF each page has data of its own"},
        Conflict{options.flattened && options.split, "-F", "--split", "there is one standard output"},
        Conflict{options.flattened && options.size_limit != OutputFile::no_limit, "-F", "-L",
                 "what is in a pipe can't be taken back"},
        Conflict{options.flattened && options.json_stats, "-F", "--stats=json", "the standard output has the dump"},
        Conflict{writes_text && (options.dry_run || options.flattened), "--dump-dmesg or -g", "--dry-run or -F",
                 "the text goes to a file"},
        Conflict{options.action == Action::reassemble && options.flattened, "--reassemble", "-F",
                 "the dump goes to a file"},
        Conflict{options.action == Action::reassemble && options.dry_run, "--reassemble", "--dry-run",
                 "--verify reads all parts"},
    };
    for (const Conflict &conflict : conflicts) {
        if (conflict.is_there) {
            throw Error(fmt::format("{} can't be used with {}: {}", conflict.one, conflict.other, conflict.why));
        }
    }
    if (!options.erase_config.empty() && options.action != Action::dump) {
        // It would not be erased, with nobody the wiser.
        throw Error("--config goes with the making of a dump only");
    }
    if (options.action == Action::generate_vmcoreinfo && options.vmlinux.empty()) {
        refuse_missing("-x VMLINUX", "-g VMCOREINFO -x VMLINUX");
    }
}

} // namespace

Options parse_options(std::span<char *> arguments) {
    const GetoptTables tables;
    Options options;
    optind = 0; // glibc: start anew
    opterr = 0;
    for (int value = 0; (value = getopt_long(static_cast<int>(arguments.size()), arguments.data(), tables.letters(),
                                             tables.words(), nullptr)) != -1;) {
        take_option(options, value, arguments);
        if (options.action == Action::help || options.action == Action::version) {
            return options;
        }
    }
    take_files(options, arguments.subspan(static_cast<std::size_t>(optind)));
    check_together(options);
    return options;
}

} // namespace ballast::dump
