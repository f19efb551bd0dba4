// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstdio>
#include <string>

namespace ballast::dump {

/** Prints and flushes. What can't be printed, to a reader that went away or a full disk, must not stop a dump. */
inline void print(std::FILE *stream, const std::string &text) {
    static_cast<void>(std::fputs(text.c_str(), stream));
    static_cast<void>(std::fflush(stream));
}

} // namespace ballast::dump
