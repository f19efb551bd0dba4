// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <chrono>
#include <string>

#include "control/balloon.hpp"

/** Shows on stderr how a balloon gets on: one line that is overwritten on a terminal, a line every few seconds in a
 * log. */
class ProgressLine {
  public:
    explicit ProgressLine(std::string balloon);
    ProgressLine(const ProgressLine &) = delete;
    ProgressLine &operator=(const ProgressLine &) = delete;
    ProgressLine(ProgressLine &&) = delete;
    ProgressLine &operator=(ProgressLine &&) = delete;
    /** Ends the line, so that what follows begins its own. */
    ~ProgressLine();

    void show(const ballast::control::BalloonProgress &progress);

  private:
    using Clock = std::chrono::steady_clock;

    std::string balloon_;
    bool terminal_;
    bool shown_ = false;
    Clock::time_point last_ = Clock::now();
};
