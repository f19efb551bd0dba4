// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <pthread.h>
#include <vector>

namespace ballast::dump {

/** The CPUs that a thread may run on, however many the kernel knows (sched_setaffinity(2)). */
class CpuMask {
  public:
    /** The calling thread's; empty where the kernel doesn't tell it. */
    static CpuMask of_this_thread();

    [[nodiscard]] unsigned count() const { return static_cast<unsigned>(cpus_.size()); }

    /** Moves a thread to the nth CPU behind this one, in a circle, from where the kernel may move it on to all of them.
     * There must be one. */
    void move(pthread_t thread, unsigned n, unsigned behind) const;

  private:
    void allow(pthread_t thread, const std::vector<unsigned> &cpus) const;

    std::vector<unsigned> cpus_; // sorted
    unsigned set_size_ = 0;      // CPUs in a set that the kernel takes
};

} // namespace ballast::dump
