// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <chrono>
#include <string>
#include <vector>

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

std::chrono::nanoseconds sum(const std::vector<std::chrono::nanoseconds> &times);

/**
 * Waits until a group is no longer charged: a task's last moments may be charged after wait(2) has returned.
 */
void settle(const control::Cgroup &group);

} // namespace ballast::guest
