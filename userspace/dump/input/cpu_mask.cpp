// SPDX-License-Identifier: GPL-2.0
#include "dump/input/cpu_mask.hpp"

#include <algorithm>
#include <utility>

namespace ballast::dump {

CpuMask CpuMask::of_this_thread() {
    constexpr unsigned largest = 1U << 20U;
    CpuMask mask;
    // The kernel refuses a set smaller than its own; grow it until it fits.
    for (unsigned size = CPU_SETSIZE; size <= largest && mask.cpus_.empty(); size *= 2) {
        Set set(CPU_ALLOC(size));
        const std::size_t bytes = CPU_ALLOC_SIZE(size);
        if (!set || sched_getaffinity(0, bytes, set.get()) != 0) {
            continue;
        }
        for (unsigned cpu = 0; cpu < size; cpu++) {
            if (CPU_ISSET_S(cpu, bytes, set.get())) {
                mask.cpus_.push_back(cpu);
            }
        }
        mask.all_ = std::move(set);
        mask.set_bytes_ = bytes;
    }
    return mask;
}

void CpuMask::move(pthread_t thread, unsigned n, unsigned behind) const noexcept {
    const Set one(CPU_ALLOC(set_bytes_ * 8));
    if (!one) {
        return;
    }
    const auto first = std::ranges::upper_bound(cpus_, behind);
    const auto index = static_cast<std::size_t>(first - cpus_.begin()) + n;
    CPU_ZERO_S(set_bytes_, one.get());
    CPU_SET_S(cpus_[index % cpus_.size()], set_bytes_, one.get());
    static_cast<void>(pthread_setaffinity_np(thread, set_bytes_, one.get()));
    static_cast<void>(pthread_setaffinity_np(thread, set_bytes_, all_.get()));
}

} // namespace ballast::dump
