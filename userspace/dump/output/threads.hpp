// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstdint>
#include <string>

namespace ballast::dump {

/** How many threads a run has, and the sentence that says why. */
struct ThreadChoice {
    unsigned threads = 1;
    std::string reason;
    bool lowered = false; // fewer than wanted, as memory is short
};

/** What there is to decide it. Memory in bytes. */
struct ThreadLimits {
    unsigned cpus = 1;
    std::uint64_t available_memory = 0;
    std::uint64_t memory_per_thread = 0;
};

/**
 * wanted: 0 is one for each CPU. Threads take at most half of the available memory beyond 8 MiB; a single one may take
 * all of that. Throws Error where it doesn't fit: the kernel would kill the program.
 */
ThreadChoice choose_threads(unsigned wanted, const ThreadLimits &limits);

/** CPUs that this process may run on. */
unsigned usable_cpus();

/** MemAvailable of a file like /proc/meminfo, in bytes; the highest number where it can't be told. */
std::uint64_t available_memory(const std::string &path = "/proc/meminfo");

} // namespace ballast::dump
