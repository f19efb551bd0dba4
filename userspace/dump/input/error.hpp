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

/** A piece of the core that can't be read, when others may be: the disk's error, a damaged or lost page. */
class ReadError : public Error {
  public:
    using Error::Error;
};

} // namespace ballast::dump
