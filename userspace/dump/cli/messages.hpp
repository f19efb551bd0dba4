// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/cli/print.hpp"

#include <cstdio>
#include <string>

namespace ballast::dump {

/** Says what is asked for by --message-level: common, debugging and report messages to stdout, as makedumpfile does,
 * unless something else goes there. */
class Messages {
  public:
    Messages(unsigned level, std::FILE *stream) : level_(level), stream_(stream) {}

    [[nodiscard]] bool wants(unsigned kind) const { return (level_ & kind) != 0; }

    void say(unsigned kind, const std::string &text) const {
        if (wants(kind)) {
            print(stream_, text + "\n");
        }
    }

    /** The same for what the whole run is for: throws Error where it can't be printed. */
    void answer(unsigned kind, const std::string &text) const {
        if (wants(kind)) {
            print_answer(stream_, text + "\n");
        }
    }

  private:
    unsigned level_;
    std::FILE *stream_;
};

} // namespace ballast::dump
