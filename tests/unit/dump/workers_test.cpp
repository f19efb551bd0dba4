// SPDX-License-Identifier: GPL-2.0
#include "dump/input/workers.hpp"

#include "failure.hpp"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <mutex>
#include <set>
#include <thread>

using ballast::dump::Error;
using ballast::dump::run_workers;

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
