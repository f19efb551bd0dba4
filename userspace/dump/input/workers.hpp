// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <functional>
#include <stop_token>

namespace ballast::dump {

/**
 * Runs `work` in so many threads, the caller's among them, until each has returned. The first exception asks the others
 * to stop and is thrown here. Where no more threads can be had, those that there are do the work, so `work` takes its
 * share by claiming, not by number. A file that one thread opens there the others do not have. `work` leaves its
 * thread's CPU mask alone, as the threads are being spread over the CPUs meanwhile.
 */
void run_workers(unsigned threads, const std::function<void(const std::stop_token &)> &work);

} // namespace ballast::dump
