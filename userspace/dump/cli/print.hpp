// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/error.hpp"

#include <cerrno>
#include <cstdio>
#include <fmt/format.h>
#include <string>
#include <system_error>

namespace ballast::dump {

/** Prints and flushes. Whether that was possible; errno says why not. */
inline bool try_print(std::FILE *stream, const std::string &text) {
    return std::fputs(text.c_str(), stream) != EOF && std::fflush(stream) == 0;
}

/** The same for messages: what can't be printed, to a reader that went away or a full disk, must not stop a dump. */
inline void print(std::FILE *stream, const std::string &text) {
    static_cast<void>(try_print(stream, text));
}

/** The same for what was asked for; throws Error where it does not get there. */
inline void print_answer(std::FILE *stream, const std::string &text) {
    if (!try_print(stream, text)) {
        throw Error(fmt::format("Can't write to the standard output: {}", std::generic_category().message(errno)));
    }
}

} // namespace ballast::dump
