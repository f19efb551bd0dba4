// SPDX-License-Identifier: GPL-2.0
#include "dump/cli/progress.hpp"

#include "dump/cli/print.hpp"
#include "dump/input/error.hpp"

#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace ballast::dump {

using namespace std::chrono_literals;

namespace {

std::string duration(double seconds) {
    const auto whole = std::llround(seconds);
    if (whole < 60) {
        return fmt::format("{} s", whole);
    }
    if (whole < 3600) {
        return fmt::format("{} min {:02} s", whole / 60, whole % 60);
    }
    return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
}

} // namespace

std::string describe_progress(const StepState &state) {
    if (state.total == 0) {
        return "[100.0 %]";
    }
    const auto done = static_cast<double>(state.done);
    const auto total = static_cast<double>(state.total);
    std::string text = fmt::format("[{:5.1f} %]", 100 * done / total);
    if (state.done == 0 || state.seconds <= 0) {
        return text;
    }
    const double pages_per_second = done / state.seconds;
    text += fmt::format("  {:.1f} MB/s", pages_per_second * static_cast<double>(state.page_size) / 1e6);
    return text + (state.done < state.total ? fmt::format("  eta {}", duration((total - done) / pages_per_second))
                                            : fmt::format("  in {:.2f} s", state.seconds));
}

std::string describe_progress_json(std::string_view step, const StepState &state) {
    const nlohmann::ordered_json json = {
        {"step", step}, {"done", state.done}, {"total", state.total}, {"seconds", state.seconds}};
    return json.dump();
}

ProgressPrinter::ProgressPrinter(std::FILE *stream, std::uint64_t page_size, const HeldSignals &signals, bool json)
    : stream_(stream),
      json_(json),
      terminal_(!json && stream != nullptr && isatty(fileno(stream)) != 0),
      page_size_(page_size),
      signals_(&signals) {}

ProgressPrinter::~ProgressPrinter() {
    if (in_line_) {
        print(stream_, "\n");
    }
}

void ProgressPrinter::begin(std::string_view step, std::uint64_t total) {
    step_ = step;
    total_ = total;
    done_ = 0;
    started_ = Clock::now();
    next_look_ = started_.time_since_epoch().count();
    next_print_ = (started_ + interval()).time_since_epoch().count();
}

void ProgressPrinter::add(std::uint64_t pages) {
    done_.fetch_add(pages, std::memory_order_relaxed);
    const auto now = Clock::now();
    // A system call, which after each chunk takes some hundredths of a dry run.
    if (move_on(next_look_, now, 1ms)) {
        if (const auto signal = signals_->arrived()) {
            throw Error(fmt::format("Interrupted by {}", *signal));
        }
    }
    if (stream_ != nullptr && move_on(next_print_, now, interval())) {
        show(terminal_ ? "" : "\n");
    }
}

/** Is it time? For one thread only: the time becomes the next one. */
bool ProgressPrinter::move_on(std::atomic<Clock::rep> &due, Clock::time_point now, Clock::duration interval) {
    auto seen = due.load(std::memory_order_relaxed);
    return now.time_since_epoch().count() >= seen &&
           due.compare_exchange_strong(seen, (now + interval).time_since_epoch().count());
}

void ProgressPrinter::end() {
    if (stream_ != nullptr) {
        show("\n");
    }
}

void ProgressPrinter::show(const char *line_end) {
    const std::lock_guard guard(printing_);
    const std::chrono::duration<double> elapsed = Clock::now() - started_;
    const StepState state{.done = done_.load(), .total = total_, .seconds = elapsed.count(), .page_size = page_size_};
    if (json_) {
        print(stream_, describe_progress_json(step_, state) + "\n");
        return;
    }
    // The last line may have been longer: the escape sequence clears the rest.
    const std::string line = fmt::format("{}{:<30}: {}{}{}", terminal_ ? "\r" : "", step_, describe_progress(state),
                                         terminal_ ? "\x1b[K" : "", line_end);
    print(stream_, line);
    in_line_ = *line_end == '\0';
}

ProgressPrinter::Clock::duration ProgressPrinter::interval() const {
    return terminal_ ? Clock::duration(250ms) : json_ ? Clock::duration(1s) : Clock::duration(10s);
}

} // namespace ballast::dump
