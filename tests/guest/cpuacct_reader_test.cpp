// SPDX-License-Identifier: GPL-2.0
// Programs that were written for v1, unmodified, read the files of cgroup v2: what they make of them is what they make
// of v1's own for the same task. They get to see what is there on a machine with v1: a hierarchy in
// /sys/fs/cgroup/cpuacct.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "control/cgroup.hpp"
#include "control/file.hpp"
#include "cpuacct.hpp"
#include "support/process.hpp"
#include "task.hpp"

using namespace std::chrono_literals;
using ballast::control::find_cgroup2;
using ballast::control::read_number;
using ballast::control::read_text;
using ballast::guest::burn;
using ballast::guest::burn_in_kernel;
using ballast::guest::LoadedCpuacct;
using ballast::guest::run_task;
using ballast::guest::settle;
using ballast::guest::Task;
using ballast::guest::TestGroup;
using ballast::guest::v1_stat_counts_ticks;
using ballast::guest::V1Group;
using nlohmann::json;

namespace {

const std::string name = "readers";
const std::vector<std::string> files = {"cpuacct.usage", "cpuacct.usage_user", "cpuacct.usage_sys",
                                        "cpuacct.usage_percpu", "cpuacct.usage_percpu_user", "cpuacct.usage_percpu_sys",
                                        "cpuacct.usage_all",
                                        // The last, see without_stat().
                                        "cpuacct.stat"};

/** The same task's time in a group of v2 and in one of v1. */
struct TwoGroups {
    TwoGroups() {
        run_task(
            [] {
                for (int i = 0; i < 10; ++i) {
                    burn(20ms);
                    burn_in_kernel(20ms);
                }
            },
            [&](const Task &task) {
                v2->add_process(task.pid());
                v1.add_process(task.pid());
            });
        settle(*v2);
    }

    [[nodiscard]] std::filesystem::path v1_mount() const { return v1.path().parent_path(); }

    TestGroup v2{name};
    V1Group v1{name};
};

/** What a shell command prints that sees a hierarchy where v1's cpuacct would be. */
std::string output_with(const std::filesystem::path &hierarchy, const std::string &script) {
    const std::string view = "set -e; mkdir -p /tmp/view; mount --bind '" + hierarchy.string() +
                             "' /tmp/view; mount -t tmpfs view /sys/fs/cgroup; mkdir /sys/fs/cgroup/cpuacct; "
                             "mount --move /tmp/view /sys/fs/cgroup/cpuacct; ";
    const std::vector<std::string> command{"unshare", "-m", "sh", "-c", view + script};
    const auto outcome = ballast::test::run(command, 300s);
    INFO(ballast::test::describe(command, outcome));
    REQUIRE(outcome.status == 0);
    return outcome.output;
}

/** The variables as cgget prints them. It finds hierarchies by the tables of mounts and controllers. */
std::string cgget(const std::filesystem::path &hierarchy) {
    std::string command = "cp /proc/cgroups /tmp/cgroups; mount -t tmpfs proc /proc; cp /tmp/cgroups /proc; "
                          "echo 'view /sys/fs/cgroup/cpuacct cgroup rw,cpuacct 0 0' >/proc/mounts; exec cgget -n";
    for (const auto &file : files) {
        command += " -r " + file;
    }
    return output_with(hierarchy, command + " " + name);
}

/** The 22nd field of proc_pid_stat(5); the 2nd stands in parentheses. */
std::uint64_t start_time_of_this_process() {
    const std::string stat = read_text("/proc/self/stat");
    std::istringstream fields(stat.substr(stat.rfind(')') + 2));
    std::vector<std::string> values{std::istream_iterator<std::string>(fields), {}};
    return std::stoull(values.at(22 - 3));
}

/** The CPU figures that `runc events` reports of a container whose cgroup the group is. */
json runc(const std::filesystem::path &hierarchy) {
    // As runc keeps a running container; its first process is this one.
    const json container{{"id", name},
                         {"init_process_pid", getpid()},
                         {"init_process_start", start_time_of_this_process()},
                         {"created", "2026-01-01T00:00:00Z"},
                         {"config", {{"rootfs", "/"}, {"cgroups", {{"name", name}, {"memory", 0}}}}},
                         {"cgroup_paths", {{"cpuacct", "/sys/fs/cgroup/cpuacct/" + name}}}};
    std::filesystem::create_directories("/tmp/runc/" + name);
    std::ofstream("/tmp/runc/" + name + "/state.json") << container;
    const std::string said = output_with(hierarchy, "exec runc --root /tmp/runc events --stats " + name);
    INFO(said);
    return json::parse(said).at("data").at("cpu").at("usage");
}

/** What cgget printed of the other files, if v1's stat is another thing on this kernel. */
std::string without_stat(const std::string &printed) {
    return v1_stat_counts_ticks() ? printed.substr(0, printed.find("cpuacct.stat: ")) : printed;
}

/** The same of runc's figures. */
json without_stat(json usage) {
    if (v1_stat_counts_ticks()) {
        usage.erase("user");
        usage.erase("kernel");
    }
    return usage;
}

std::vector<std::uint64_t> numbers_in(const std::filesystem::path &file) {
    std::istringstream text(read_text(file));
    return {std::istream_iterator<std::uint64_t>(text), {}};
}

} // namespace

TEST_CASE("cgget of cgroup-tools prints every file as it prints v1's") {
    const LoadedCpuacct module;
    const TwoGroups groups;
    const std::string printed = cgget(find_cgroup2());
    CHECK(without_stat(printed) == without_stat(cgget(groups.v1_mount())));
    CHECK(printed.starts_with("cpuacct.usage: " + read_text(groups.v2->path() / "cpuacct.usage")));
    for (const auto &file : files) {
        CHECK(printed.find(file + ": ") != std::string::npos);
    }
}

TEST_CASE("runc reports a container's CPU time from usage_percpu, usage_all and stat as it does from v1's") {
    const LoadedCpuacct module;
    const TwoGroups groups;
    const json usage = runc(find_cgroup2());
    CHECK(without_stat(usage) == without_stat(runc(groups.v1_mount())));
    CHECK(usage.at("total") == read_number(groups.v2->path() / "cpuacct.usage"));
    CHECK(usage.at("percpu") == numbers_in(groups.v2->path() / "cpuacct.usage_percpu"));
    CHECK(usage.at("percpu_user") == numbers_in(groups.v2->path() / "cpuacct.usage_percpu_user"));
    CHECK(usage.at("percpu_kernel") == numbers_in(groups.v2->path() / "cpuacct.usage_percpu_sys"));
    CHECK(usage.at("user") >= 100'000'000);
    CHECK(usage.at("kernel") >= 100'000'000);
}
