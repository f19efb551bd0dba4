// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/compress/compressor.hpp"

#include <span>
#include <string>

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
    enum class Action { dump, help, version, check_only };

    Action action = Action::dump;
    Codec codec = Codec::raw;
    unsigned dump_level = 0;
    unsigned threads = 0; // 0: one for each usable CPU
    unsigned message_level = message_level::standard;
    bool overwrite = false;
    bool dry_run = false;
    std::string core;
    std::string output; // may be empty with dry_run
};

/** Understands makedumpfile's command line; arguments as main() gets them. Throws Error, one line that names the
 * argument. */
Options parse_options(std::span<char *> arguments);

/** What -h prints. */
std::string help_text();

/** What -v prints. */
std::string version_text();

} // namespace ballast::dump
