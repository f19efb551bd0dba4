// SPDX-License-Identifier: GPL-2.0
#include "cpuacct.hpp"

#include <deque>
#include <filesystem>
#include <iostream>
#include <numeric>

#include <unistd.h>

#include "control/file.hpp"

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

nanoseconds sum(const std::vector<nanoseconds> &times) {
    return std::accumulate(times.begin(), times.end(), nanoseconds(0));
}

void settle(const Cgroup &group) {
    nanoseconds before = group.cpu_stat().usage;
    while (true) {
        usleep(50'000);
        const nanoseconds now = group.cpu_stat().usage;
        if (now == before) {
            return;
        }
        before = now;
    }
}

} // namespace ballast::guest
