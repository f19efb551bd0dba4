// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/cli/messages.hpp"
#include "dump/cli/options.hpp"
#include "dump/input/core.hpp"

#include <string>
#include <string_view>

namespace ballast::dump {

// What every action that reads a core or writes a dump begins and ends with.

/** Throws Error for outputs that could not be created later. */
void check_outputs(const Options &options);

/** The cores of the command line. Throws Error, also for the running kernel's memory where that isn't only counted. */
Core open_core(const Options &options);

/** Whether a file is the running kernel's memory, /proc/kcore. */
bool is_live(const std::string &path);

/** How many threads, and says why. */
unsigned decide_threads(const Options &options, const Core &core, const Messages &messages);

/** A file's text, which must not be empty nor longer than 1 MiB. what: it should be, for the message of the Error. */
std::string read_text(const std::string &path, std::string_view what);

void say_saved(const Options &options, const Messages &messages);

} // namespace ballast::dump
