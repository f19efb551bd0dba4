// SPDX-License-Identifier: GPL-2.0
#include "dump/input/workers.hpp"

#include "failure.hpp"

#include "dump/output/threads.hpp"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <latch>
#include <mutex>
#include <sched.h>
#include <set>
#include <thread>

using ballast::dump::Error;
using ballast::dump::run_workers;
using ballast::dump::usable_cpus;

namespace {

/** Empty where the kernel doesn't tell it. Catch2's checks are for one thread, so there is none. */
cpu_set_t mask_of_this_thread() {
    cpu_set_t mask;
    CPU_ZERO(&mask);
    static_cast<void>(sched_getaffinity(0, sizeof(mask), &mask));
    return mask;
}

/** On how many CPUs that many workers start. */
std::size_t cpus_of_workers(unsigned threads) {
    std::latch started(threads);
    std::mutex mutex;
    std::set<int> cpus;
    run_workers(threads, [&](const std::stop_token &) {
        const int cpu = sched_getcpu();
        started.arrive_and_wait(); // so none starts where another has ended
        const std::lock_guard lock(mutex);
        cpus.insert(cpu);
    });
    return cpus.size();
}

} // namespace

TEST_CASE("Workers run in as many threads as asked for, the caller's among them") {
    std::atomic<unsigned> started = 0;
    std::mutex mutex;
    std::set<std::thread::id> ids;
    run_workers(3, [&](const std::stop_token &) {
        ++started;
        while (started < 3) { // all at the same time, so no thread serves twice
            std::this_thread::yield();
        }
        const std::lock_guard lock(mutex);
        ids.insert(std::this_thread::get_id());
    });
    CHECK(ids.size() == 3);
    CHECK(ids.contains(std::this_thread::get_id()));
}

TEST_CASE("The first error of a worker stops the others and reaches the caller") {
    std::atomic<bool> failed = false;
    const std::string message = failure([&] {
        run_workers(4, [&](const std::stop_token &stop) {
            if (!failed.exchange(true)) {
                throw Error("this one");
            }
            while (!stop.stop_requested()) {
                std::this_thread::yield();
            }
        });
    });
    CHECK(message == "this one");
}

TEST_CASE("No threads still means the caller's") {
    unsigned runs = 0;
    run_workers(0, [&](const std::stop_token &) { ++runs; });
    CHECK(runs == 1);
}

TEST_CASE("As many workers as there are CPUs start on one each") {
    const unsigned cpus = usable_cpus();
    if (cpus < 2) {
        SKIP("there is one CPU");
    }
    constexpr unsigned tries = 50;
    unsigned apart = 0;
    for (unsigned n = 0; n < tries; n++) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        apart += cpus_of_workers(cpus) == cpus ? 1 : 0;
    }
    // The kernel moves some on at once where other programs run.
    CHECK(apart > tries / 2);
}

TEST_CASE("Workers may run on all CPUs once they have started") {
    using std::chrono::steady_clock;
    const cpu_set_t all = mask_of_this_thread();
    REQUIRE(CPU_COUNT(&all) > 0);
    std::atomic<unsigned> free = 0;
    run_workers(usable_cpus(), [&](const std::stop_token &) {
        const auto late = steady_clock::now() + std::chrono::seconds(10);
        while (steady_clock::now() < late) { // their maker may still be about it
            const cpu_set_t mine = mask_of_this_thread();
            if (CPU_EQUAL(&mine, &all)) {
                ++free;
                break;
            }
        }
    });
    CHECK(free == usable_cpus());
}
