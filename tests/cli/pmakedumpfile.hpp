// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "support/process.hpp"

#include <string>
#include <vector>

namespace ballast::test {

/** The exit statuses that -h promises. */
constexpr int exit_ok = 0;
constexpr int exit_failed = 1;

/** Runs the pmakedumpfile of this build. */
Outcome pmakedumpfile(std::vector<std::string> arguments);

/**
 * The same inside a mount namespace of its own, where a tmpfs with the given mount options covers `folder`; what is in
 * it at the end is copied to the folder `kept`. Skips the test where no such namespace can be had.
 */
Outcome pmakedumpfile_on_tmpfs(const std::string &folder, const std::string &mount_options, const std::string &kept,
                               std::vector<std::string> arguments);

/** The lines on standard error but for those that tell of progress. */
std::vector<std::string> error_lines(const Outcome &outcome);

/**
 * Fails the test unless the program refused as it should: status 1, no signal, no hang, one line on standard error that
 * says who speaks and holds `words`.
 */
void require_refusal(const std::vector<std::string> &arguments, const std::string &words);
void require_refusal(const std::vector<std::string> &arguments, const Outcome &outcome, const std::string &words);

} // namespace ballast::test
