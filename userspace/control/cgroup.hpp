// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

namespace ballast::control {

/** CPU time of a group, split as the kernel splits it. */
struct CpuTimes {
    std::chrono::nanoseconds user{};
    std::chrono::nanoseconds system{};
};

/** What the core's cpu.stat says of a group; the kernel gives it in microseconds. */
struct CpuStat {
    std::chrono::nanoseconds usage{};
    std::chrono::nanoseconds user{};
    std::chrono::nanoseconds system{};
};

/**
 * Where cgroup2 is mounted.
 *
 * @param mountinfo in the format of proc_pid_mountinfo(5)
 * @throws Error no_such_device: nowhere
 */
std::filesystem::path find_cgroup2(const std::filesystem::path &mountinfo = "/proc/self/mountinfo");

/** A control group of the v2 hierarchy, with the files that cpuacct.ko adds to it. */
class Cgroup {
  public:
    /**
     * A group that is there.
     *
     * @param group relative to the mount ("work/build"; "/" is the root group), or a path below the mount
     * @throws Error no_such_file_or_directory: no such group; invalid_argument: outside the hierarchy
     */
    static Cgroup open(const std::string &group, const std::filesystem::path &mount = find_cgroup2());

    /** A new group. @throws Error file_exists: there already; permission_denied; no_such_file_or_directory: no parent
     */
    static Cgroup create(const std::string &group, const std::filesystem::path &mount = find_cgroup2());

    /** As /proc/self/cgroup names it: from the root group, with a leading slash. */
    [[nodiscard]] std::string name() const;
    [[nodiscard]] const std::filesystem::path &path() const { return path_; }

    /** Removes the group. @throws Error device_or_resource_busy: it still has processes or groups below it */
    void remove() const;

    /** Moves a process, all its threads, into the group; 0 is the caller. */
    void add_process(pid_t pid) const;

    /**
     * CPU time of the group's tasks and of all groups below it since cpuacct.ko was loaded or the last reset.
     *
     * All that read a cpuacct file: @throws Error no_such_file_or_directory: the group has no such file; says what to
     * do
     */
    [[nodiscard]] std::chrono::nanoseconds usage() const;
    /** Same, by possible CPU: element n is the n-th of them. */
    [[nodiscard]] std::vector<std::chrono::nanoseconds> usage_percpu() const;
    /** cpuacct.stat; the kernel gives it in clock ticks (USER_HZ), so that is its resolution. */
    [[nodiscard]] CpuTimes stat() const;
    /** Sets usage back to 0. */
    void reset_usage() const;

    /** The core's own figures, there without cpuacct.ko. */
    [[nodiscard]] CpuStat cpu_stat() const;

  private:
    Cgroup(std::filesystem::path mount, std::filesystem::path path);

    [[nodiscard]] std::filesystem::path cpuacct_file(const std::string &file) const;

    std::filesystem::path mount_;
    std::filesystem::path path_;
};

} // namespace ballast::control
