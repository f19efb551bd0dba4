// SPDX-License-Identifier: GPL-2.0
#include "dump/input/cpu_mask.hpp"

#include <catch2/catch_test_macros.hpp>
#include <sched.h>
#include <vector>

using ballast::dump::CpuMask;

namespace {

std::vector<unsigned> cpus_of(const cpu_set_t &mask) {
    std::vector<unsigned> cpus;
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &mask)) {
            cpus.push_back(cpu);
        }
    }
    return cpus;
}

/** Is this thread, most of the times that it is moved so, on that CPU? The kernel moves it on at once where other
 * programs run. */
bool moves_to(const CpuMask &mask, unsigned n, unsigned behind, unsigned wanted) {
    constexpr unsigned tries = 50;
    unsigned there = 0;
    for (unsigned i = 0; i < tries; i++) {
        mask.move(pthread_self(), n, behind);
        there += sched_getcpu() == static_cast<int>(wanted) ? 1 : 0;
    }
    return there > tries / 2;
}

} // namespace

TEST_CASE("A thread is moved to the nth CPU behind another, in a circle, and may run on all afterwards") {
    cpu_set_t before;
    REQUIRE(sched_getaffinity(0, sizeof(before), &before) == 0);
    const std::vector<unsigned> cpus = cpus_of(before);
    const CpuMask mask = CpuMask::of_this_thread();
    REQUIRE(mask.count() == cpus.size());

    for (std::size_t behind = 0; behind < cpus.size(); behind++) {
        for (const unsigned n : {0U, 1U, mask.count()}) {
            CHECK(moves_to(mask, n, cpus[behind], cpus[(behind + 1 + n) % cpus.size()]));
        }
    }
    CHECK(moves_to(mask, 0, CPU_SETSIZE, cpus.front())); // behind all that there are
    cpu_set_t after;
    REQUIRE(sched_getaffinity(0, sizeof(after), &after) == 0);
    CHECK(CPU_EQUAL(&after, &before));
}
