// SPDX-License-Identifier: GPL-2.0
#include "dump/cli/option_table.hpp"

#include "dump/input/error.hpp"

#include <array>
#include <charconv>
#include <filesystem>
#include <fmt/format.h>
#include <limits>
#include <string_view>
#include <system_error>

namespace ballast::dump {

namespace {

using Action = Options::Action;

constexpr int most_threads = 65536;
constexpr int most_kib = std::numeric_limits<int>::max();
constexpr int most_mib = 1 << 20;
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

unsigned parse_unsigned(std::string_view name, std::string_view meaning, std::string_view text, int most) {
    return static_cast<unsigned>(parse_number(name, meaning, text, 0, most));
}

/** In bytes, of a size in KiB. */
std::uint64_t parse_kib(std::string_view name, std::string_view text) {
    return static_cast<std::uint64_t>(parse_number(name, "the size in KiB", text, 1, most_kib)) * kib;
}

std::vector<unsigned> parse_dump_levels(std::string_view text) {
    std::vector<unsigned> levels;
    for (;;) {
        const std::size_t comma = text.find(',');
        levels.push_back(parse_unsigned("-d", "the dump level", text.substr(0, comma), 31));
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

template<Codec codec>
void set_codec(Options &options, const char * /*value*/) {
    options.compression.codec = codec;
}

template<Action action>
void set_action(Options &options, const char * /*value*/) {
    options.action = action;
}

template<bool Options::*member, bool value = true>
void set_flag(Options &options, const char * /*value*/) {
    options.*member = value;
}

template<std::string Options::*member>
void set_text(Options &options, const char *value) {
    options.*member = value;
}

template<unsigned level>
void add_message_level(Options &options, const char * /*value*/) {
    options.message_level |= level;
}

void generate_vmcoreinfo(Options &options, const char *value) {
    options.action = Action::generate_vmcoreinfo;
    options.outputs = {value};
}

constexpr std::array rules = {
    // What goes into the dump.
    OptionRule{'d', nullptr, required_argument,
               [](Options &options, const char *value) { options.dump_levels = parse_dump_levels(value); }},
    OptionRule{'L', nullptr, required_argument,
               [](Options &options, const char *value) {
                   options.size_limit = parse_number<std::uint64_t>("-L", "the limit in bytes", value, 1, INT64_MAX);
               }},
    OptionRule{'x', nullptr, required_argument, set_text<&Options::vmlinux>},
    OptionRule{'i', nullptr, required_argument, set_text<&Options::vmcoreinfo>},
    OptionRule{0, "config", required_argument, set_text<&Options::erase_config>},
    // How it is written.
    OptionRule{'c', nullptr, no_argument, set_codec<Codec::zlib>},
    OptionRule{'l', nullptr, no_argument, set_codec<Codec::lzo>},
    OptionRule{'p', nullptr, no_argument, set_codec<Codec::snappy>},
    OptionRule{'z', nullptr, no_argument, set_codec<Codec::zstd>},
    OptionRule{0, "zstd-level", required_argument,
               [](Options &options, const char *value) {
                   const Levels levels = zstd_levels();
                   options.compression.zstd_level =
                       parse_number("--zstd-level", "the level", value, levels.lowest, levels.highest);
               }},
    OptionRule{0, "dedup", optional_argument,
               [](Options &options, const char *value) {
                   const int mib =
                       parse_number("--dedup", "the size in MiB", value != nullptr ? value : "16", 1, most_mib);
                   options.dedup_memory = static_cast<std::uint64_t>(mib) * kib * kib;
               }},
    OptionRule{'E', nullptr, no_argument, set_flag<&Options::elf>},
    OptionRule{'F', nullptr, no_argument, set_flag<&Options::flattened>},
    OptionRule{'f', nullptr, no_argument, set_flag<&Options::overwrite>},
    OptionRule{0, "split", no_argument, set_flag<&Options::split>},
    OptionRule{0, "splitblock-size", required_argument,
               [](Options &options, const char *value) {
                   options.split_block = parse_kib("--splitblock-size", value);
               }},
    OptionRule{0, "dry-run", no_argument, set_flag<&Options::dry_run>},
    OptionRule{0, "num-threads", required_argument,
               [](Options &options, const char *value) {
                   options.threads = parse_unsigned("--num-threads", "the number of threads", value, most_threads);
               }},
    OptionRule{0, "non-mmap", no_argument, set_flag<&Options::allow_mapping, false>},
    // What is done instead.
    OptionRule{'R', nullptr, no_argument, set_action<Action::rearrange>},
    OptionRule{0, "reassemble", no_argument, set_action<Action::reassemble>},
    OptionRule{0, "verify", no_argument, set_action<Action::verify>},
    OptionRule{0, "dump-dmesg", no_argument, set_action<Action::dump_log>},
    OptionRule{0, "partial-dmesg", no_argument, set_flag<&Options::only_uncleared_log>},
    OptionRule{0, "mem-usage", no_argument, set_action<Action::memory_usage>},
    OptionRule{'g', nullptr, required_argument, generate_vmcoreinfo},
    OptionRule{0, "vtop", required_argument,
               [](Options &options, const char *value) {
                   options.address_to_translate = parse_address("--vtop", value);
               }},
    OptionRule{0, "check-params", no_argument, set_flag<&Options::check_only>},
    OptionRule{'h', "help", no_argument, set_action<Action::help>},
    OptionRule{'v', nullptr, no_argument, set_action<Action::version>},
    // What is said.
    OptionRule{0, "message-level", required_argument,
               [](Options &options, const char *value) {
                   options.message_level =
                       parse_unsigned("--message-level", "the message level", value, message_level::all);
               }},
    OptionRule{'D', nullptr, no_argument, add_message_level<message_level::debug>},
    OptionRule{0, "show-stats", no_argument, add_message_level<message_level::report>},
    OptionRule{0, "stats", required_argument,
               [](Options &options, const char *value) { options.json_stats = parse_json("--stats", value); }},
    OptionRule{0, "progress", required_argument,
               [](Options &options, const char *value) { options.json_progress = parse_json("--progress", value); }},
    // What this design needs not.
    OptionRule{'b', nullptr, required_argument,
               [](Options &options, const char *value) {
                   parse_number("-b", "the order", value, 0, 30);
                   options.remarks.emplace_back("-b changes nothing here: each thread has a buffer of its own.");
               }},
    OptionRule{'e', nullptr, no_argument,
               [](Options &options, const char * /*value*/) {
                   options.remarks.emplace_back("-e changes nothing here: struct pages are never left out.");
               }},
    OptionRule{0, "cyclic-buffer", required_argument,
               [](Options &options, const char *value) {
                   parse_number("--cyclic-buffer", "the size in KiB", value, 0, most_kib);
                   options.remarks.emplace_back("--cyclic-buffer changes nothing here: the bitmaps take two to three "
                                                "bits for each page at most, and there is one cycle.");
               }},
    OptionRule{0, "work-dir", required_argument,
               [](Options &options, const char *value) {
                   std::error_code ignored;
                   if (!std::filesystem::is_directory(value, ignored)) {
                       throw Error(fmt::format("--work-dir {}: there is no such folder", value));
                   }
                   options.remarks.emplace_back("--work-dir changes nothing here: the bitmaps are in memory.");
               }},
    // Not here.
    OptionRule{'X', nullptr, no_argument, nullptr},
    OptionRule{0, "diskset", required_argument, nullptr},
    OptionRule{0, "eppic", required_argument, nullptr},
    OptionRule{0, "extension", required_argument, nullptr},
    OptionRule{0, "xen-syms", required_argument, nullptr},
    OptionRule{0, "xen-vmcoreinfo", required_argument, nullptr},
    OptionRule{0, "xen_phys_start", required_argument, nullptr},
};

} // namespace

std::span<const OptionRule> option_rules() {
    return rules;
}

} // namespace ballast::dump
