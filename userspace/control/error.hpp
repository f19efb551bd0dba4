// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <stdexcept>
#include <string>
#include <system_error>

namespace ballast::control {

/**
 * What every function of libballast throws when it can't do its work. what() is one line: what was wrong, where, and
 * what to do about it; code() is for programs that tell one failure from another.
 */
class Error : public std::runtime_error {
  public:
    /** Control characters in message, which may quote anything, become question marks. */
    Error(std::errc code, const std::string &message);

    [[nodiscard]] std::errc code() const noexcept { return code_; }

  private:
    std::errc code_;
};

/** The system's words for an errno value. */
std::string describe(int error_number);
/** Same, for a code of an Error. */
std::string describe(std::errc code);

} // namespace ballast::control
