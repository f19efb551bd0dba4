// SPDX-License-Identifier: GPL-2.0
#include "dump/output/threads.hpp"

#include "dump/input/error.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cstdint>
#include <limits>
#include <sched.h>

namespace {

using namespace ballast::dump;
using Catch::Matchers::ContainsSubstring;

constexpr std::uint64_t kib = 1024;
constexpr std::uint64_t mib = 1024 * kib;

} // namespace

TEST_CASE("Without a wish there is a thread for each CPU") {
    const auto choice = choose_threads(0, {.cpus = 6, .available_memory = 4096 * mib, .memory_per_thread = 512 * kib});
    CHECK(choice.threads == 6);
    CHECK_FALSE(choice.lowered);
}

TEST_CASE("A wish is fulfilled, also beyond the CPUs, but not without a hint") {
    const ThreadLimits limits{.cpus = 2, .available_memory = 4096 * mib, .memory_per_thread = 512 * kib};
    CHECK(choose_threads(1, limits).threads == 1);
    CHECK(choose_threads(8, limits).threads == 8);
    CHECK_THAT(choose_threads(8, limits).reason, ContainsSubstring("2 CPUs"));
}

TEST_CASE("Where memory is short the number of threads is lowered, with a message") {
    const auto choice = choose_threads(64, {.cpus = 64, .available_memory = 20 * mib, .memory_per_thread = 512 * kib});
    CHECK(choice.threads == 12);
    CHECK(choice.lowered);
    CHECK_THAT(choice.reason, ContainsSubstring("12 threads instead of 64, as memory is short: 20 MiB"));
}

TEST_CASE("What the kernel tells as available but can't give up is not spent on threads") {
    const auto choice = choose_threads(64, {.cpus = 1, .available_memory = 9 * mib, .memory_per_thread = 494 * kib});
    CHECK(choice.threads == 1);
    CHECK(choice.lowered);
}

TEST_CASE("One thread may take all of the memory that can be spent, and where it does not fit there is none") {
    const ThreadLimits fits{.cpus = 4, .available_memory = 8 * mib + 500 * kib, .memory_per_thread = 500 * kib};
    CHECK(choose_threads(0, fits).threads == 1);
    const ThreadLimits short_by_little{
        .cpus = 4, .available_memory = 8 * mib + 499 * kib, .memory_per_thread = 500 * kib};
    CHECK_THROWS_WITH(choose_threads(0, short_by_little),
                      ContainsSubstring("even for one thread: 8691 KiB available, 8692 KiB needed"));
    CHECK_THROWS_AS(choose_threads(1, {.cpus = 1, .available_memory = 0, .memory_per_thread = 1}), Error);
}

TEST_CASE("The CPUs counted are those of the affinity mask") {
    cpu_set_t before;
    REQUIRE(sched_getaffinity(0, sizeof(before), &before) == 0);
    CHECK(usable_cpus() == static_cast<unsigned>(CPU_COUNT(&before)));

    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(sched_getcpu()), &one);
    REQUIRE(sched_setaffinity(0, sizeof(one), &one) == 0);
    const unsigned usable = usable_cpus();
    sched_setaffinity(0, sizeof(before), &before);
    CHECK(usable == 1);
}

TEST_CASE("Available memory is read from /proc/meminfo, and without that file doesn't limit") {
    CHECK(available_memory() > mib);
    CHECK(available_memory() < std::numeric_limits<std::uint64_t>::max());
    CHECK(available_memory("/nonexistent") == std::numeric_limits<std::uint64_t>::max());
}
