// SPDX-License-Identifier: GPL-2.0
#include "task.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <ctime>
#include <system_error>
#include <utility>

#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ballast::guest {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

[[noreturn]] void fail(const char *call) {
    throw std::system_error(errno, std::generic_category(), call);
}

/** Whether it waits in read(2) and has left the CPU: state S comes earlier, when time is still charged to it. */
bool sleeps_in_read(pid_t pid) {
    return control::read_text(fmt::format("/proc/{}/syscall", pid)).starts_with(fmt::format("{} ", SYS_read));
}

nanoseconds thread_time() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
}

nanoseconds duration_of(const timeval &time) {
    return seconds(time.tv_sec) + microseconds(time.tv_usec);
}

} // namespace

Pipe::Pipe() : out(-1), in(-1) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
        fail("pipe2");
    }
    out = control::FileDescriptor(ends[0]);
    in = control::FileDescriptor(ends[1]);
}

Task::Task(const std::function<void()> &work) : gate_(-1) {
    Pipe gate;
    pid_ = fork();
    if (pid_ < 0) {
        fail("fork");
    }
    if (pid_ == 0) {
        char byte = 0;
        while (read(gate.out.get(), &byte, 1) < 0 && errno == EINTR) {
        }
        work();
        _exit(0);
    }
    gate_ = std::move(gate.in);
    while (!sleeps_in_read(pid_)) {
        usleep(1000);
    }
}

Task::Task(Task &&other) noexcept : pid_(std::exchange(other.pid_, -1)), gate_(std::move(other.gate_)) {}

Task::~Task() {
    if (pid_ > 0) {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
}

void Task::pin(int cpu) const {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(cpu, &cpus);
    if (sched_setaffinity(pid_, sizeof(cpus), &cpus) != 0) {
        fail("sched_setaffinity");
    }
}

void Task::start() {
    if (write(gate_.get(), "", 1) != 1) {
        fail("write");
    }
}

nanoseconds Task::finish() {
    rusage used{};
    int status = 0;
    if (wait4(std::exchange(pid_, -1), &status, 0, &used) < 0) {
        fail("wait4");
    }
    return duration_of(used.ru_utime) + duration_of(used.ru_stime);
}

nanoseconds run_task(const std::function<void()> &work, const std::function<void(const Task &)> &place) {
    Task task(work);
    place(task);
    task.start();
    return task.finish();
}

void burn(milliseconds time) {
    const auto end = thread_time() + time;
    while (thread_time() < end) {
        for (int i = 0; i < 20000; i++) {
            // Keeps the compiler from seeing that nothing is done.
            std::atomic_signal_fence(std::memory_order_seq_cst);
        }
    }
}

void burn_in_kernel(milliseconds time) {
    const control::FileDescriptor zero = control::open_file("/dev/zero", O_RDONLY);
    std::array<char, 65536> buffer{};
    const auto end = thread_time() + time;
    while (thread_time() < end) {
        if (read(zero.get(), buffer.data(), buffer.size()) < 0) {
            return;
        }
    }
}

} // namespace ballast::guest
