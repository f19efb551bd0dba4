// SPDX-License-Identifier: GPL-2.0
// The files: where they are, their formats, what they take, and what becomes of them.
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "control/file.hpp"
#include "cpuacct.hpp"
#include "task.hpp"

using namespace std::chrono_literals;
using ballast::control::Cgroup;
using ballast::guest::burn;
using ballast::guest::burn_in_kernel;
using ballast::guest::LoadedCpuacct;
using ballast::guest::run_task;
using ballast::guest::settle;
using ballast::guest::sum;
using ballast::guest::Task;
using ballast::guest::TestGroup;
using ballast::guest::wait_for_release;
using Catch::Matchers::Matches;

namespace {

constexpr std::array files{"cpuacct.usage",
                           "cpuacct.usage_user",
                           "cpuacct.usage_sys",
                           "cpuacct.usage_percpu",
                           "cpuacct.usage_percpu_user",
                           "cpuacct.usage_percpu_sys",
                           "cpuacct.usage_all",
                           "cpuacct.stat"};

bool has_files(const Cgroup &group) {
    return std::ranges::all_of(files, [&](const char *file) { return std::filesystem::exists(group.path() / file); });
}

bool has_some_file(const Cgroup &group) {
    const std::filesystem::directory_iterator entries(group.path());
    return std::any_of(begin(entries), end(entries),
                       [](const auto &entry) { return entry.path().filename().native().starts_with("cpuacct."); });
}

void run_in(const Cgroup &group, const std::function<void()> &work) {
    run_task(work, [&](const Task &task) { group.add_process(task.pid()); });
    settle(group);
}

/** The numbers of a file that holds nothing else. */
std::vector<std::uint64_t> times(const Cgroup &group, const std::string &file) {
    std::istringstream text(ballast::control::read_text(group.path() / file));
    return {std::istream_iterator<std::uint64_t>(text), {}};
}

/** @returns the errno of writing this to the file; 0 if it was taken */
int write_error(const std::filesystem::path &path, const std::string &text) {
    const auto file = ballast::control::open_file(path, O_WRONLY);
    return write(file.get(), text.data(), text.size()) < 0 ? errno : 0;
}

} // namespace

TEST_CASE("Groups from before and after loading have the files, the root group too") {
    const TestGroup before("before");
    const Cgroup before_child = before.create_child("child");
    LoadedCpuacct module;
    const TestGroup after("after");
    const Cgroup after_child = after.create_child("child");
    const Cgroup late_child = before.create_child("late");
    for (const Cgroup &group : {Cgroup::open("/"), *before, before_child, *after, after_child, late_child}) {
        INFO(group.name());
        CHECK(has_files(group));
    }
    module.unload();
    for (const Cgroup &group : {Cgroup::open("/"), *before, before_child, *after, after_child, late_child}) {
        INFO(group.name());
        CHECK_FALSE(has_some_file(group));
    }
}

TEST_CASE("The files have v1's formats") {
    const LoadedCpuacct module;
    const TestGroup group("format");
    for (const char *file : {"cpuacct.usage", "cpuacct.usage_user", "cpuacct.usage_sys"}) {
        CHECK(group.read(file) == "0\n");
    }
    for (const char *file : {"cpuacct.usage_percpu", "cpuacct.usage_percpu_user", "cpuacct.usage_percpu_sys"}) {
        CHECK(group.read(file) == "0 0 \n");
    }
    CHECK(group.read("cpuacct.usage_all") == "cpu user system\n0 0 0\n1 0 0\n");
    CHECK(group.read("cpuacct.stat") == "user 0\nsystem 0\n");
    run_in(*group, [] { burn(100ms); });
    CHECK_THAT(group.read("cpuacct.usage"), Matches("[1-9][0-9]{8,9}\n"));
    CHECK_THAT(group.read("cpuacct.usage_percpu"), Matches("[0-9]+ [0-9]+ \n"));
    CHECK_THAT(group.read("cpuacct.usage_user"), Matches("[1-9][0-9]{7,9}\n"));
    CHECK_THAT(group.read("cpuacct.usage_all"), Matches("cpu user system\n0 [0-9]+ [0-9]+\n1 [0-9]+ [0-9]+\n"));
    CHECK_THAT(group.read("cpuacct.stat"), Matches("user [0-9]+\nsystem [0-9]+\n"));
}

TEST_CASE("User and system time by CPU are the same in all files that have them") {
    const LoadedCpuacct module;
    const TestGroup parent("parts");
    const Cgroup group = parent.create_child("child");
    for (const int cpu : {0, 1}) {
        run_task(
            [] {
                burn(100ms);
                burn_in_kernel(100ms);
            },
            [&](const Task &task) {
                task.pin(cpu);
                group.add_process(task.pid());
            });
    }
    settle(group);
    for (const Cgroup &each : {group, *parent}) {
        const auto user = times(each, "cpuacct.usage_percpu_user");
        const auto system = times(each, "cpuacct.usage_percpu_sys");
        CHECK(times(each, "cpuacct.usage_user") == std::vector{user[0] + user[1]});
        CHECK(times(each, "cpuacct.usage_sys") == std::vector{system[0] + system[1]});
        CHECK(ballast::control::read_text(each.path() / "cpuacct.usage_all") ==
              fmt::format("cpu user system\n0 {} {}\n1 {} {}\n", user[0], system[0], user[1], system[1]));
        for (const std::size_t cpu : {0U, 1U}) {
            CHECK(user[cpu] > 0);
            CHECK(system[cpu] > 0);
        }
    }
}

TEST_CASE("cpuacct.stat splits the usage into user and system time") {
    const LoadedCpuacct module;
    const TestGroup user("user");
    const TestGroup system("system");
    run_in(*user, [] { burn(300ms); });
    run_in(*system, [] { burn_in_kernel(300ms); });
    CHECK(user->stat().user > user->stat().system);
    CHECK(system->stat().system > system->stat().user);
    for (const TestGroup *group : {&user, &system}) {
        const auto stat = (*group)->stat();
        const auto unsplit = (*group)->usage() - stat.user - stat.system;
        CHECK(unsplit >= 0ns);
        CHECK(unsplit < 20ms);
        CHECK((*group)->cpu_stat().user - stat.user < 10ms);
        CHECK((*group)->cpu_stat().system - stat.system < 10ms);
    }
}

TEST_CASE("Writing 0 lets a group's figures start again") {
    const LoadedCpuacct module;
    const TestGroup parent("parent");
    const Cgroup group = parent.create_child("child");
    run_in(group, [] { burn(300ms); });
    const auto cpu_stat = group.cpu_stat();
    const auto parent_usage = parent->usage_percpu();
    group.reset_usage();

    CHECK(group.usage() == 0ns);
    CHECK(sum(group.usage_percpu()) == 0ns);
    CHECK(group.stat().user == 0ns);
    CHECK(group.stat().system == 0ns);
    CHECK(times(group, "cpuacct.usage_user") == std::vector<std::uint64_t>{0});
    CHECK(times(group, "cpuacct.usage_sys") == std::vector<std::uint64_t>{0});
    CHECK(times(group, "cpuacct.usage_percpu_user") == std::vector<std::uint64_t>{0, 0});
    CHECK(group.cpu_stat().usage == cpu_stat.usage);
    CHECK(parent->usage_percpu() == parent_usage);

    run_in(group, [] { burn(100ms); });
    CHECK(group.usage() >= 100ms);
    // What cpu.stat has gained since, which is in microseconds.
    CHECK(std::chrono::abs(group.usage() - (group.cpu_stat().usage - cpu_stat.usage)) <= 1us);
    CHECK(sum(group.usage_percpu()) == group.usage());
    CHECK(sum(parent->usage_percpu()) == sum(parent_usage) + group.usage());
}

TEST_CASE("A reset also holds for the time of groups below, removed ones included") {
    const LoadedCpuacct module;
    const TestGroup group("reset");
    const Cgroup child = group.create_child("child");
    run_in(child, [] { burn(100ms); });
    const auto child_usage = child.usage();
    group->reset_usage();
    CHECK(group->usage() == 0ns);
    CHECK(sum(group->usage_percpu()) == 0ns);
    CHECK(child.usage() == child_usage);
    child.remove();
    wait_for_release(*group);
    CHECK(group->usage() == 0ns);
    CHECK(sum(group->usage_percpu()) == 0ns);
}

TEST_CASE("The root group takes a reset and keeps its figures, as v1's does") {
    const LoadedCpuacct module;
    const Cgroup root = Cgroup::open("/");
    const auto before = root.usage();
    root.reset_usage();
    CHECK(root.usage() >= before);
}

TEST_CASE("cpuacct.usage takes nothing but 0") {
    const LoadedCpuacct module;
    const TestGroup group("refuse");
    run_in(*group, [] { burn(20ms); });
    const auto before = group->usage();
    const std::string text = GENERATE("1", "-1", "-0x", "abc", " ", "0 0", "00000000000000000001", "1e0", "0.0",
                                      "18446744073709551615", "18446744073709551616", "99999999999999999999999999");
    INFO(text);
    CHECK(write_error(group->path() / "cpuacct.usage", text) == EINVAL);
    CHECK(group->usage() == before);
}

TEST_CASE("All files but cpuacct.usage are read-only") {
    const LoadedCpuacct module;
    const TestGroup group("readonly");
    for (const std::string file : files) {
        INFO(file);
        CHECK(std::filesystem::status(group->path() / file).permissions() ==
              std::filesystem::perms(file == "cpuacct.usage" ? 0644 : 0444));
    }
}
