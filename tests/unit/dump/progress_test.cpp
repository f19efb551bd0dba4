// SPDX-License-Identifier: GPL-2.0
#include "dump/cli/progress.hpp"

#include "dump/cli/report.hpp"
#include "dump/cli/signals.hpp"
#include "dump/input/error.hpp"

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <unistd.h>

namespace {

using namespace ballast::dump;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::Message;

constexpr std::uint64_t page_size = 4096;

using Log = std::unique_ptr<std::FILE, decltype(&std::fclose)>;

std::string content(std::FILE *file) {
    std::rewind(file);
    std::string text(4096, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), file));
    return text;
}

} // namespace

TEST_CASE("Progress names percentage, rate and time left") {
    CHECK(describe_progress({.done = 250, .total = 1000, .seconds = 2, .page_size = page_size}) ==
          "[ 25.0 %]  0.5 MB/s  eta 6 s");
    CHECK(describe_progress({.done = 1, .total = 10'000, .seconds = 1, .page_size = page_size}) ==
          "[  0.0 %]  0.0 MB/s  eta 2 h 46 min");
}

TEST_CASE("A step that is done names its duration instead of the time left") {
    CHECK(describe_progress({.done = 1000, .total = 1000, .seconds = 0.5, .page_size = page_size}) ==
          "[100.0 %]  8.2 MB/s  in 0.50 s");
}

TEST_CASE("A step with nothing done, or nothing to do, has no rate") {
    CHECK(describe_progress({.done = 0, .total = 10, .seconds = 1, .page_size = page_size}) == "[  0.0 %]");
    CHECK(describe_progress({.done = 0, .total = 0, .seconds = 1, .page_size = page_size}) == "[100.0 %]");
}

TEST_CASE("In a log a short step is one plain line") {
    const Log log(std::tmpfile(), &std::fclose);
    const HeldSignals signals;
    ProgressPrinter progress(log.get(), page_size, signals);
    progress.begin("Copying data", 100);
    progress.add(60);
    progress.add(40);
    progress.end();

    const std::string text = content(log.get());
    CHECK_THAT(text, ContainsSubstring("Copying data") && ContainsSubstring("[100.0 %]"));
    CHECK(text.find('\r') == std::string::npos);
    CHECK(text.find('\n') == text.size() - 1);
}

TEST_CASE("A signal that asks to end stops the run within a millisecond") {
    const HeldSignals signals;
    ProgressPrinter progress(nullptr, page_size, signals);
    progress.begin("Copying data", 100);
    CHECK_NOTHROW(progress.add(1));

    kill(getpid(), SIGTERM);
    std::this_thread::sleep_for(2ms);
    CHECK_THROWS_MATCHES(progress.add(1), Error, Message("Interrupted by SIGTERM"));

    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    int taken = 0;
    sigwait(&term, &taken);
    CHECK_FALSE(signals.arrived());
}

TEST_CASE("A signal that is ignored, as under nohup, stays ignored") {
    auto *const before = std::signal(SIGHUP, SIG_IGN);
    {
        const HeldSignals signals;
        kill(getpid(), SIGHUP);
        CHECK_FALSE(signals.arrived());
    }
    std::signal(SIGHUP, before);
}

TEST_CASE("The report adds up") {
    const std::string report = report_text({.max_mapnr = 0x2000,
                                            .present = 0x1000,
                                            .excluded = {.free = 0x400, .cache = 0x100, .user = 0x80},
                                            .zero = 0x80,
                                            .bytes = 12345});
    CHECK_THAT(report, ContainsSubstring("Original pages  : 0x0000000000001000"));
    CHECK_THAT(report, ContainsSubstring("Excluded pages   : 0x0000000000000600"));
    CHECK_THAT(report, ContainsSubstring("Pages filled with zero  : 0x0000000000000080"));
    CHECK_THAT(report, ContainsSubstring("Remaining pages  : 0x0000000000000a00"));
    CHECK_THAT(report, ContainsSubstring("reduced to 62%"));
    CHECK_THAT(report, ContainsSubstring("Memory Hole     : 0x0000000000001000"));
    CHECK_THAT(report, ContainsSubstring("Write bytes     : 12345"));
}

TEST_CASE("The report of a core without pages divides by nothing") {
    CHECK_THAT(report_text({}), ContainsSubstring("reduced to 0%"));
}
