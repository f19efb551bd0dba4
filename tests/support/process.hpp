// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace ballast::test {

/** How a program ended and what it said. */
struct Outcome {
    int status = -1;        /**< exit status; -1 where a signal ended it */
    int signal = 0;         /**< the signal that ended it, else 0 */
    bool timed_out = false; /**< it ran into the time limit and was killed */
    std::string output;     /**< standard output */
    std::string errors;     /**< standard error */
};

/**
 * Runs a program, found in PATH unless its name has a slash, to its end. Standard input is empty. Throws
 * std::system_error where it can't be started.
 */
Outcome run(const std::vector<std::string> &command, std::chrono::seconds limit = std::chrono::seconds(60));

/** For a failed test's message: the command and its outcome. */
std::string describe(const std::vector<std::string> &command, const Outcome &outcome);

} // namespace ballast::test
