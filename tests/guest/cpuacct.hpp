// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "control/cgroup.hpp"
#include "loaded.hpp"

namespace ballast::guest {

class LoadedCpuacct : public Loaded {
  public:
    LoadedCpuacct() : Loaded("cpuacct") {}
};

/** A new group of cgroup v2, removed at the end with the groups below it. */
class TestGroup {
  public:
    explicit TestGroup(const std::string &name);
    TestGroup(const TestGroup &) = delete;
    TestGroup(TestGroup &&) = delete;
    TestGroup &operator=(const TestGroup &) = delete;
    TestGroup &operator=(TestGroup &&) = delete;
    ~TestGroup();

    const control::Cgroup *operator->() const { return &group_; }
    const control::Cgroup &operator*() const { return group_; }

    /** A group below this one. */
    [[nodiscard]] control::Cgroup create_child(const std::string &name) const;
    /** What one of its files holds. */
    [[nodiscard]] std::string read(const std::string &file) const;

  private:
    control::Cgroup group_;
};

/** A controller on a hierarchy of cgroup v1 as long as this lives. */
class V1Hierarchy {
  public:
    explicit V1Hierarchy(std::string controller);
    V1Hierarchy(const V1Hierarchy &) = delete;
    V1Hierarchy(V1Hierarchy &&) = delete;
    V1Hierarchy &operator=(const V1Hierarchy &) = delete;
    V1Hierarchy &operator=(V1Hierarchy &&) = delete;
    /** Waits until the controller is back on v2: there must be no groups left. */
    ~V1Hierarchy();

    [[nodiscard]] std::filesystem::path path() const { return "/tmp/v1-" + controller_; }

  private:
    [[nodiscard]] bool mount_it() const;
    [[nodiscard]] bool is_on_v2() const;

    std::string controller_;
};

/** A group of v1's cpuacct, gone at the end. */
class V1Group {
  public:
    /** Below the root group of a hierarchy of its own. */
    explicit V1Group(const std::string &name);
    V1Group(const V1Group &parent, const std::string &name);
    V1Group(const V1Group &) = delete;
    V1Group(V1Group &&) = delete;
    V1Group &operator=(const V1Group &) = delete;
    V1Group &operator=(V1Group &&) = delete;
    ~V1Group();

    [[nodiscard]] const std::filesystem::path &path() const { return path_; }
    void add_process(pid_t pid) const;
    /** What one of its files holds. */
    [[nodiscard]] std::string read(const std::string &file) const;

  private:
    std::optional<V1Hierarchy> hierarchy_;
    std::filesystem::path path_;
};

/** Before 5.16 v1's stat counts ticks; ours adds up to usage in any kernel, as cpu.stat does. */
bool v1_stat_counts_ticks();

std::chrono::nanoseconds sum(const std::vector<std::chrono::nanoseconds> &times);

/**
 * Waits until a group is no longer charged: a task's last moments may be charged after wait(2) has returned.
 */
void settle(const control::Cgroup &group);

/** Waits until the kernel has released the groups that were removed below this one, which it does a little later. */
void wait_for_release(const control::Cgroup &group);

/** Keeps a CPU busy on behalf of a group; the group is at rest afterwards. */
void burn_in(const control::Cgroup &group, std::chrono::milliseconds time, int cpu = 0);

} // namespace ballast::guest
