// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <chrono>
#include <functional>

#include <sys/types.h>

#include "control/file.hpp"

namespace ballast::guest {

/** A pipe's two ends. */
struct Pipe {
    Pipe();

    control::FileDescriptor out;
    control::FileDescriptor in;
};

/**
 * A child process that sleeps until it is started, so that it can be moved and pinned before it uses any CPU time. It
 * is killed and reaped at the end.
 */
class Task {
  public:
    /** @param work what the child does once started; then it exits. It must not throw. */
    explicit Task(const std::function<void()> &work);
    Task(Task &&other) noexcept;
    Task &operator=(Task &&) = delete;
    Task(const Task &) = delete;
    Task &operator=(const Task &) = delete;
    ~Task();

    [[nodiscard]] pid_t pid() const { return pid_; }

    /** Lets it run on this CPU alone. */
    void pin(int cpu) const;
    void start();
    /** Waits for its end. @returns the CPU time that it used, as wait4(2) tells it */
    std::chrono::nanoseconds finish();

  private:
    pid_t pid_ = -1;
    control::FileDescriptor gate_;
};

/** Starts the work in a child that was moved by `place`, and waits for its end. @returns the CPU time that it used */
std::chrono::nanoseconds run_task(const std::function<void()> &work, const std::function<void(const Task &)> &place);

/** Keeps a CPU busy until the calling thread has used this much more CPU time; mostly in user mode. */
void burn(std::chrono::milliseconds time);
/** Same, mostly in the kernel. */
void burn_in_kernel(std::chrono::milliseconds time);

} // namespace ballast::guest
