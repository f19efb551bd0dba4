// SPDX-License-Identifier: GPL-2.0
#include "ballast/progress.hpp"

#include <cstdint>
#include <cstdio>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "control/size.hpp"

using ballast::control::BalloonProgress;
using ballast::control::format_size;
using namespace std::chrono_literals;

namespace {

constexpr auto log_interval = 5s;
// The balloon can change a thousand times a second; nobody reads that fast.
constexpr auto terminal_interval = 100ms;

std::string describe(const BalloonProgress &progress) {
    std::string line = fmt::format("{} of {}", format_size(progress.size_bytes), format_size(progress.target_bytes));
    if (progress.left) {
        line += fmt::format(", {}/s, {} s left", format_size(static_cast<std::uint64_t>(progress.bytes_per_second)),
                            progress.left->count());
    }
    return line;
}

} // namespace

ProgressLine::ProgressLine(std::string balloon) : balloon_(std::move(balloon)), terminal_(isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
    if (terminal_ && shown_) {
        std::fputc('\n', stderr);
    }
}

void ProgressLine::show(const BalloonProgress &progress) {
    const bool done = progress.size_bytes == progress.target_bytes;
    const auto now = Clock::now();
    if (now - last_ < (terminal_ ? terminal_interval : log_interval) && !done) {
        return;
    }
    last_ = now;
    shown_ = true;
    // ESC [K clears what a longer line before it left.
    fmt::print(stderr, "{}{}: {}{}", terminal_ ? "\r" : "", balloon_, describe(progress), terminal_ ? "\x1b[K" : "\n");
    std::fflush(stderr);
}
