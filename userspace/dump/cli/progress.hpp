// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/cli/signals.hpp"
#include "dump/input/progress.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <string>
#include <string_view>

namespace ballast::dump {

/** How far a step is. */
struct StepState {
    std::uint64_t done = 0; // pages
    std::uint64_t total = 0;
    double seconds = 0;
    std::uint64_t page_size = 0;
};

/** Percentage, rate and time left, as far as they can be told: "[ 42.0 %]  812.5 MB/s  eta 3 s". */
std::string describe_progress(const StepState &state);

/** The same as a JSON object: step, pages done and in all, seconds. */
std::string describe_progress_json(std::string_view step, const StepState &state);

/**
 * Tells on a stream how far a run is: on a terminal in one line that is kept up to date, else in a line every ten
 * seconds and one at the end of each step; as JSON, in a line each second. It is also where a run learns that it shall
 * end: add(), which looks for that each millisecond, then throws Error.
 */
class ProgressPrinter final : public ProgressSink {
  public:
    /** stream may be null: then it tells nobody. page_size in bytes. */
    ProgressPrinter(std::FILE *stream, std::uint64_t page_size, const HeldSignals &signals, bool json = false);
    ProgressPrinter(const ProgressPrinter &) = delete;
    ProgressPrinter(ProgressPrinter &&) = delete;
    ProgressPrinter &operator=(const ProgressPrinter &) = delete;
    ProgressPrinter &operator=(ProgressPrinter &&) = delete;
    /** Leaves the terminal at the start of a line, also after an error. */
    ~ProgressPrinter() override;

    void begin(std::string_view step, std::uint64_t total) override;
    void add(std::uint64_t pages) override;
    void end() override;

  private:
    using Clock = std::chrono::steady_clock;

    static bool move_on(std::atomic<Clock::rep> &due, Clock::time_point now, Clock::duration interval);
    void show(const char *line_end);
    [[nodiscard]] Clock::duration interval() const;

    std::FILE *stream_;
    bool json_;
    bool terminal_;        // to be written to as one
    bool in_line_ = false; // the cursor of the terminal stands behind a progress line
    std::uint64_t page_size_;
    const HeldSignals *signals_;
    std::string step_;
    std::uint64_t total_ = 0;
    Clock::time_point started_;
    std::atomic<std::uint64_t> done_{0};
    std::atomic<Clock::rep> next_look_{0};  // for signals, on Clock
    std::atomic<Clock::rep> next_print_{0}; // on Clock
    std::mutex printing_;
};

} // namespace ballast::dump
