// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/cli/options.hpp"

#include <getopt.h>
#include <span>
#include <string>

namespace ballast::dump {

/** An option of the command line. */
struct OptionRule {
    char letter = 0;            // 0: none
    const char *word = nullptr; // null: none
    int value = no_argument;    // as getopt_long has it: no_argument, required_argument, optional_argument
    /** Puts it into the options; value is null where there is none. Throws Error. A null pointer: not supported. */
    void (*take)(Options &options, const char *value) = nullptr;

    /** As one types it; the word where there is one. */
    [[nodiscard]] std::string name() const {
        return word != nullptr ? "--" + std::string(word) : std::string{'-', letter};
    }
};

/** All of makedumpfile's, so that what is not supported is told from what is misspelt, and those that are ours. */
std::span<const OptionRule> option_rules();

} // namespace ballast::dump
