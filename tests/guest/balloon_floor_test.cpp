// SPDX-License-Identifier: GPL-2.0
// min_free: inflation stops by itself before the machine is out of memory.
#include <optional>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "balloon_fixture.hpp"
#include "control/file.hpp"
#include "machine.hpp"
#include "support/failure.hpp"
#include "trace.hpp"

using namespace ballast::guest;
using ballast::control::read_number;
using ballast::control::write_text;

namespace {

std::uint64_t stops(const LoadedBalloon &balloon) {
    return read_number(balloon.attribute("min_free_stops"));
}

} // namespace

TEST_CASE("a balloon told to take all memory stops at min_free, and no process is killed") {
    const LoadedBalloon balloon;
    const Trace trace;
    const auto killed = event("oom_kill");
    const auto min_free = read_number(balloon.attribute("min_free_bytes"));
    balloon.get().set_target_bytes(memory("MemTotal"));
    wait_until([&] { return stops(balloon) > 0; });
    // Neither does the balloon shrink again in a machine that is left alone.
    const auto size = balloon.get().status().size_pages;
    CHECK(memory("MemAvailable") < min_free + 16 * mib);
    CHECK(memory("MemAvailable") > min_free / 2);
    CHECK(event("oom_kill") == killed);
    CHECK(balloon.get().status().size_pages >= size);
    // From here on it does not stop again.
    balloon.resize(0);
    CHECK(trace.events("min_free_stop").size() == stops(balloon));
}

TEST_CASE("inflation that stopped at min_free goes on when memory is free again") {
    const LoadedBalloon balloon;
    write_text(balloon.attribute("min_free_bytes"), "64M");
    const auto target = memory("MemAvailable") - 128 * mib;
    {
        const HoledMemory other_user;
        balloon.get().set_target_bytes(target);
        wait_until([&] { return stops(balloon) > 0; });
        CHECK(balloon.get().status().size_bytes < target);
    }
    balloon.get().wait(LoadedBalloon::patient);
    CHECK(balloon.get().status().size_bytes == target / page_size * page_size);
    CHECK(balloon.get().status().inflate_failed == 0);
}

TEST_CASE("min_free can be given at load, and changed") {
    const LoadedBalloon balloon({"min_free=48M"});
    CHECK(read_number("/sys/module/balloon_kvm/parameters/min_free") == 48 * mib);
    CHECK(read_number(balloon.attribute("min_free_bytes")) == 48 * mib);
    write_text(balloon.attribute("min_free_bytes"), "1M");
    CHECK(read_number(balloon.attribute("min_free_bytes")) == mib);
    failure(std::errc::invalid_argument, [&] { write_text(balloon.attribute("min_free_bytes"), "lots"); });
    CHECK(read_number(balloon.attribute("min_free_bytes")) == mib);
}

TEST_CASE("a min_free that is no size is refused at load") {
    const std::string value = GENERATE("min_free=lots", "min_free=", "min_free=1Q", "min_free=-1");
    CAPTURE(value);
    ballast::control::Modules modules;
    failure(std::errc::invalid_argument, [&] { modules.load("balloon_kvm", {value}); });
}

TEST_CASE("without a parameter min_free is a part of memory, within limits") {
    const LoadedBalloon balloon;
    const auto min_free = read_number(balloon.attribute("min_free_bytes"));
    CHECK(min_free >= 16 * mib);
    CHECK(min_free <= memory("MemTotal") / 16);
}
