// SPDX-License-Identifier: GPL-2.0
#include "cpuacct.hpp"

#include <cerrno>
#include <deque>
#include <filesystem>
#include <iostream>
#include <numeric>
#include <system_error>
#include <utility>

#include <sys/mount.h>
#include <unistd.h>

#include "control/file.hpp"
#include "machine.hpp"
#include "task.hpp"

namespace ballast::guest {

using control::Cgroup;
using std::chrono::nanoseconds;

TestGroup::TestGroup(const std::string &name) : group_(Cgroup::create(name)) {}

TestGroup::~TestGroup() {
    // Folders come before those in them.
    std::deque<std::filesystem::path> folders{group_.path()};
    for (const auto &entry : std::filesystem::recursive_directory_iterator(group_.path())) {
        if (entry.is_directory()) {
            folders.push_front(entry.path());
        }
    }
    for (const auto &folder : folders) {
        if (rmdir(folder.c_str()) != 0) {
            std::cerr << "cannot remove " << folder << '\n';
        }
    }
}

Cgroup TestGroup::create_child(const std::string &name) const {
    return Cgroup::create(group_.name() + "/" + name);
}

std::string TestGroup::read(const std::string &file) const {
    return control::read_text(group_.path() / file);
}

V1Hierarchy::V1Hierarchy(std::string controller) : controller_(std::move(controller)) {
    std::filesystem::create_directory(path());
    // Busy as long as a group that was just removed is not released yet.
    wait_until([this] { return mount_it() || errno != EBUSY; });
    if (is_on_v2()) {
        throw std::system_error(errno, std::generic_category(), "mount " + controller_);
    }
}

V1Hierarchy::~V1Hierarchy() {
    // A hierarchy stays if a group that was just removed is not released yet when it is unmounted.
    while (umount(path().c_str()) == 0) {
        usleep(100'000);
        if (is_on_v2() || !mount_it()) {
            return;
        }
    }
    std::cerr << "cannot unmount " << path() << '\n';
}

bool V1Hierarchy::mount_it() const {
    return mount("cgroup", path().c_str(), "cgroup", 0, controller_.c_str()) == 0;
}

bool V1Hierarchy::is_on_v2() const {
    // The hierarchy's number follows the controller's name; v2's is 0.
    return holds_line_with("/proc/cgroups", controller_ + "\t0\t");
}

V1Group::V1Group(const std::string &name) : path_(hierarchy_.emplace("cpuacct").path() / name) {
    std::filesystem::create_directory(path_);
}

V1Group::V1Group(const V1Group &parent, const std::string &name) : path_(parent.path() / name) {
    std::filesystem::create_directory(path_);
}

V1Group::~V1Group() {
    if (rmdir(path_.c_str()) != 0) {
        std::cerr << "cannot remove " << path_ << '\n';
    }
}

void V1Group::add_process(pid_t pid) const {
    control::write_text(path_ / "cgroup.procs", std::to_string(pid));
}

std::string V1Group::read(const std::string &file) const {
    return control::read_text(path_ / file);
}

bool v1_stat_counts_ticks() {
    return kernel_is_before(5, 16);
}

nanoseconds sum(const std::vector<nanoseconds> &times) {
    return std::accumulate(times.begin(), times.end(), nanoseconds(0));
}

void settle(const Cgroup &group) {
    // What cpu.stat has once said stays a lower limit of user and of system time, in cpuacct.stat too, but not in v1's.
    const bool is_loaded = std::filesystem::exists(group.path() / "cpuacct.usage");
    const auto usage = [&] { return is_loaded ? group.usage() : group.cpu_stat().usage; };
    nanoseconds before = usage();
    wait_until([&] {
        usleep(50'000);
        const nanoseconds now = usage();
        return std::exchange(before, now) == now;
    });
}

void wait_for_release(const Cgroup &group) {
    wait_until([&] { return number_of(group.path() / "cgroup.stat", "nr_dying_descendants ") == 0; });
}

void burn_in(const Cgroup &group, std::chrono::milliseconds time, int cpu) {
    run_task([=] { burn(time); },
             [&](const Task &task) {
                 task.pin(cpu);
                 group.add_process(task.pid());
             });
    settle(group);
}

} // namespace ballast::guest
