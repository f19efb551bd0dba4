// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <stdexcept>
#include <string>

namespace ballast::dump {

/** What stops a run: one line for stderr, and the exit status of the program. */
class Error : public std::runtime_error {
  public:
    explicit Error(const std::string &message, int exit_status = 1)
        : std::runtime_error(message), exit_status_(exit_status) {}

    [[nodiscard]] int exit_status() const { return exit_status_; }

  private:
    int exit_status_;
};

} // namespace ballast::dump
