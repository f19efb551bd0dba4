// SPDX-License-Identifier: GPL-2.0
#include "dump/input/workers.hpp"

#include <exception>
#include <mutex>
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

    {
        std::vector<std::jthread> others;
        try {
            while (others.size() + 1 < threads) {
                others.emplace_back(run);
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
