// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <csignal>
#include <optional>
#include <string>

namespace ballast::dump {

/**
 * While it lives, the signals that ask a program to end (SIGINT, SIGTERM, SIGHUP) wait until someone looks. In the end
 * they come through and do what they would have done. Those that are ignored stay ignored. Make it before there are
 * threads.
 */
class HeldSignals {
  public:
    HeldSignals();
    HeldSignals(const HeldSignals &) = delete;
    HeldSignals(HeldSignals &&) = delete;
    HeldSignals &operator=(const HeldSignals &) = delete;
    HeldSignals &operator=(HeldSignals &&) = delete;
    ~HeldSignals();

    /** The name of a signal that has come, if any. From any thread. */
    [[nodiscard]] std::optional<std::string> arrived() const;

  private:
    sigset_t held_;
    sigset_t before_;
};

} // namespace ballast::dump
