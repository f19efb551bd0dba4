// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/progress.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace ballast::dump {

/** Passes on what it is told, and keeps how long each step took. */
class TimedSteps final : public ProgressSink {
  public:
    struct Step {
        std::string name;
        std::uint64_t pages = 0;
        double seconds = 0;
    };

    explicit TimedSteps(ProgressSink &next) : next_(&next) {}

    void begin(std::string_view step, std::uint64_t total) override {
        steps_.push_back({.name = std::string(step), .pages = total, .seconds = 0});
        started_ = Clock::now();
        next_->begin(step, total);
    }
    void add(std::uint64_t pages) override { next_->add(pages); }
    void end() override {
        steps_.back().seconds = std::chrono::duration<double>(Clock::now() - started_).count();
        next_->end();
    }

    [[nodiscard]] const std::vector<Step> &steps() const { return steps_; }

  private:
    using Clock = std::chrono::steady_clock;

    ProgressSink *next_;
    Clock::time_point started_;
    std::vector<Step> steps_;
};

} // namespace ballast::dump
