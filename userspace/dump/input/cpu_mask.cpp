// SPDX-License-Identifier: GPL-2.0
#include "dump/input/cpu_mask.hpp"

#include <algorithm>
#include <memory>
#include <sched.h>

namespace ballast::dump {

namespace {

struct FreeCpuSet {
    void operator()(cpu_set_t *set) const { CPU_FREE(set); }
};

using CpuSet = std::unique_ptr<cpu_set_t, FreeCpuSet>;

} // namespace

CpuMask CpuMask::of_this_thread() {
    constexpr unsigned largest = 1U << 20U;
    CpuMask mask;
    // The kernel refuses a set smaller than its own; grow it until it fits.
    for (unsigned size = CPU_SETSIZE; size <= largest && mask.cpus_.empty(); size *= 2) {
        const CpuSet set(CPU_ALLOC(size));
        const std::size_t bytes = CPU_ALLOC_SIZE(size);
        if (!set || sched_getaffinity(0, bytes, set.get()) != 0) {
            continue;
        }
        mask.set_size_ = size;
        for (unsigned cpu = 0; cpu < size; cpu++) {
            if (CPU_ISSET_S(cpu, bytes, set.get())) {
                mask.cpus_.push_back(cpu);
            }
        }
    }
    return mask;
}

void CpuMask::move(pthread_t thread, unsigned n, unsigned behind) const {
    const auto first = std::ranges::upper_bound(cpus_, behind);
    const auto index = static_cast<std::size_t>(first - cpus_.begin()) + n;
    allow(thread, {cpus_[index % cpus_.size()]});
    allow(thread, cpus_);
}

/** Does nothing where it can't be: the thread runs anyway. */
void CpuMask::allow(pthread_t thread, const std::vector<unsigned> &cpus) const {
    const CpuSet set(CPU_ALLOC(set_size_));
    const std::size_t bytes = CPU_ALLOC_SIZE(set_size_);
    if (!set) {
        return;
    }
    CPU_ZERO_S(bytes, set.get());
    for (const unsigned cpu : cpus) {
        CPU_SET_S(cpu, bytes, set.get());
    }
    static_cast<void>(pthread_setaffinity_np(thread, bytes, set.get()));
}

} // namespace ballast::dump
