// SPDX-License-Identifier: GPL-2.0
#include "dump/input/workers.hpp"

#include <exception>
#include <mutex>
#include <sched.h>
#include <system_error>
#include <thread>
#include <vector>

namespace ballast::dump {

void run_workers(unsigned threads, const std::function<void(const std::stop_token &)> &work) {
    std::stop_source stop;
    std::mutex mutex;
    std::exception_ptr first_error;

    const auto run = [&] {
        try {
            work(stop.get_token());
        } catch (...) {
            const std::lock_guard lock(mutex);
            if (!first_error) {
                first_error = std::current_exception();
            }
            stop.request_stop();
        }
    };

    const auto run_beside = [&run] {
        // With a table of files of its own, a thread's reads don't count references to a file that others count too.
        static_cast<void>(::unshare(CLONE_FILES));
        run();
    };

    {
        std::vector<std::jthread> others;
        try {
            while (others.size() + 1 < threads) {
                others.emplace_back(run_beside);
            }
        } catch (const std::system_error &) { // NOLINT(bugprone-empty-catch): fewer threads will do
        }
        run();
    }
    if (first_error) {
        std::rethrow_exception(first_error);
    }
}

} // namespace ballast::dump
