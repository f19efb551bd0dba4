// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <memory>
#include <pthread.h>
#include <sched.h>
#include <vector>

namespace ballast::dump {

/** The CPUs that a thread may run on, however many the kernel knows (sched_setaffinity(2)). */
class CpuMask {
  public:
    /** The calling thread's, of those that are online; empty where the kernel doesn't tell it. */
    static CpuMask of_this_thread();

    [[nodiscard]] unsigned count() const { return static_cast<unsigned>(cpus_.size()); }

    /** Moves a thread to the nth CPU behind this one, in a circle, from where the kernel may move it on to all of them,
     * but to none that comes online, or into the thread's cpuset, later. The mask must not be empty. Where the kernel
     * refuses, the thread runs on where it is. */
    void move(pthread_t thread, unsigned n, unsigned behind) const noexcept;

  private:
    struct FreeSet {
        void operator()(cpu_set_t *set) const { CPU_FREE(set); }
    };
    using Set = std::unique_ptr<cpu_set_t, FreeSet>;

    std::vector<unsigned> cpus_; // sorted
    Set all_;
    std::size_t set_bytes_ = 0; // of a set that the kernel takes
};

} // namespace ballast::dump
