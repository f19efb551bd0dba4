// SPDX-License-Identifier: GPL-2.0
#include "dump/input/workers.hpp"

#include "dump/input/cpu_mask.hpp"

#include <algorithm>
#include <exception>
#include <latch>
#include <mutex>
#include <sched.h>
#include <thread>
#include <vector>

namespace ballast::dump {

namespace {

/** Where there are as many threads as CPUs, each starts on one of its own: kernels were seen to put a new thread on its
 * maker's CPU and to leave the other one idle for 4 ms, longer than filtering takes. */
class OwnCpus {
  public:
    explicit OwnCpus(unsigned threads) : cpus_(CpuMask::of_this_thread()), here_(sched_getcpu()) {
        spread_ = here_ >= 0 && threads > 1 && threads == cpus_.count();
    }

    /** The nth thread that is made, from 0 on. To be called by its maker and by itself, as only one of them may be
     * running. */
    void move(pthread_t thread, std::size_t n) const noexcept {
        if (spread_) {
            cpus_.move(thread, static_cast<unsigned>(n), static_cast<unsigned>(here_));
        }
    }

  private:
    CpuMask cpus_;
    int here_;
    bool spread_;
};

} // namespace

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

    const OwnCpus own_cpus(threads);
    std::latch made(1);
    const auto run_beside = [&run, &own_cpus, &made](std::size_t n) {
        own_cpus.move(pthread_self(), n);
        // With a table of files of its own, a thread's reads don't count references to a file that others count too.
        static_cast<void>(::unshare(CLONE_FILES));
        run();
        made.wait(); // who moves a thread that has ended moves itself
    };

    std::vector<std::jthread> others;
    others.reserve(std::max(threads, 1U) - 1);
    try {
        for (std::size_t n = 0; n + 1 < threads; n++) {
            others.emplace_back(run_beside, n);
            own_cpus.move(others.back().native_handle(), n);
        }
    } catch (const std::exception &) { // NOLINT(bugprone-empty-catch): fewer threads will do
    }
    made.count_down();
    run();
    others.clear();
    if (first_error) {
        std::rethrow_exception(first_error);
    }
}

} // namespace ballast::dump
