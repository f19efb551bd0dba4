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

/** A piece of the core that can't be read, when others may be. */
class ReadError : public Error {
  public:
    enum class Kind {
        failed,    // by the system, or the core doesn't have it
        damaged,   // it is there, but makes no sense
        lost,      // left out of a dump that is incomplete
        unreadable // already when that dump was made: zeros stand for it
    };

    explicit ReadError(const std::string &message, Kind kind = Kind::failed) : Error(message), kind_(kind) {}

    [[nodiscard]] Kind kind() const { return kind_; }

  private:
    Kind kind_;
};

} // namespace ballast::dump
