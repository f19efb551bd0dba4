// SPDX-License-Identifier: GPL-2.0
#include "dump/output/threads.hpp"

#include "dump/input/cpu_mask.hpp"
#include "dump/input/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <thread>

namespace ballast::dump {

namespace {

constexpr std::uint64_t kib = 1024;

// Of what MemAvailable tells, a capture kernel of 128 MiB can't free 6 MiB: with 13 MiB told, 12 threads of zlib were
// killed, and with 8.2 MiB one (6.1). And the program needs some for itself.
constexpr std::uint64_t reserve = 8 * kib * kib;

std::string plural(unsigned n, const char *what) {
    return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

} // namespace

ThreadChoice choose_threads(unsigned wanted, const ThreadLimits &limits) {
    const unsigned asked = wanted != 0 ? wanted : std::max(limits.cpus, 1U);
    const std::uint64_t spare = std::max(limits.available_memory, reserve) - reserve;
    if (spare < limits.memory_per_thread) {
        throw Error(fmt::format("Memory is too short even for one thread: {} KiB available, {} KiB needed: give the "
                                "capture kernel more (crashkernel=)",
                                limits.available_memory / kib, (reserve + limits.memory_per_thread) / kib));
    }
    const std::uint64_t budget = spare / 2 / std::max<std::uint64_t>(limits.memory_per_thread, 1);
    if (budget < asked) {
        const auto threads = static_cast<unsigned>(std::max<std::uint64_t>(budget, 1));
        return {.threads = threads,
                .reason = fmt::format("{} instead of {}, as memory is short: {} MiB available, {} KiB for each thread",
                                      plural(threads, "thread"), asked, limits.available_memory / kib / kib,
                                      limits.memory_per_thread / kib),
                .lowered = threads < asked};
    }
    if (asked > limits.cpus) {
        return {.threads = asked,
                .reason = fmt::format("{}, as asked for; more than the {} that can be used gain nothing",
                                      plural(asked, "thread"), plural(limits.cpus, "CPU"))};
    }
    return {.threads = asked,
            .reason = fmt::format("{}, {}", plural(asked, "thread"),
                                  wanted != 0 ? "as asked for" : "one for each CPU that can be used")};
}

unsigned usable_cpus() {
    const unsigned cpus = CpuMask::of_this_thread().count();
    return cpus != 0 ? cpus : std::max(std::thread::hardware_concurrency(), 1U);
}

std::uint64_t available_memory(const std::string &path) {
    std::ifstream file(path);
    std::string line;
    while (std::getline(file, line)) {
        constexpr std::string_view name = "MemAvailable:";
        if (line.starts_with(name)) {
            return std::stoull(line.substr(name.size())) * kib;
        }
    }
    return std::numeric_limits<std::uint64_t>::max();
}

} // namespace ballast::dump
