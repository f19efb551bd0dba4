// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/compress/compressor.hpp"
#include "dump/output/output_file.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ballast::dump {

/** The bits of --message-level, as makedumpfile has them. */
namespace message_level {
constexpr unsigned progress = 1;
constexpr unsigned common = 2;
constexpr unsigned error = 4;
constexpr unsigned debug = 8;
constexpr unsigned report = 16;
constexpr unsigned standard = progress | common | error;
constexpr unsigned all = 31;
} // namespace message_level

/** The command line. */
struct Options {
    enum class Action {
        dump,
        rearrange,
        reassemble,
        verify,
        dump_log,
        translate,
        memory_usage,
        generate_vmcoreinfo,
        help,
        version
    };

    Action action = Action::dump;
    bool check_only = false; // the command line, and no more
    bool dry_run = false;
    bool overwrite = false;

    std::vector<std::string> cores;   // several: of a split set
    std::vector<std::string> outputs; // none: standard output (flattened), or nothing (dry_run)
    std::string vmcoreinfo;           // -i: path of a text to use for the core's own VMCOREINFO; empty: none
    std::string vmlinux;              // -x: path of the kernel with debug information; empty: none
    std::string erase_config;         // --config: path of a text that tells what to erase; empty: none
    bool allow_mapping = true;
    std::optional<std::uint64_t> address_to_translate; // the kernel's, virtual
    bool only_uncleared_log = false;                   // since the last `dmesg --clear`

    bool elf = false;
    bool flattened = false;
    bool split = false;
    Compression compression;
    std::vector<unsigned> dump_levels{0};            // the next one where there is no room for a dump of the one before
    std::uint64_t size_limit = OutputFile::no_limit; // bytes
    std::uint64_t split_block = 0;                   // bytes
    std::uint64_t dedup_memory = 0;                  // bytes

    unsigned threads = 0; // 0: one for each usable CPU
    unsigned message_level = message_level::standard;
    bool json_progress = false;
    bool json_stats = false;
    std::vector<std::string> remarks; // on options that change nothing here
};

/** Understands makedumpfile's command line, and what is ours; arguments as main() gets them. Throws Error, one line
 * that names the argument. */
Options parse_options(std::span<char *> arguments);

} // namespace ballast::dump
