// SPDX-License-Identifier: GPL-2.0
// Side by side with the kernel's cpuacct on cgroup v1: the same task in a group of either.
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <system_error>
#include <thread>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/file.hpp"
#include "cpuacct.hpp"
#include "machine.hpp"
#include "task.hpp"

using namespace std::chrono_literals;
using ballast::control::Cgroup;
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
using ballast::guest::V1Hierarchy;

namespace {

/** User time, system time, sleeping and waking, children. */
void work_of_all_kinds() {
    for (int i = 0; i < 20; i++) {
        burn(10ms);
        burn_in_kernel(5ms);
        usleep(1000);
        const pid_t child = fork();
        if (child == 0) {
            burn(3ms);
            _exit(0);
        }
        waitpid(child, nullptr, 0);
    }
}

void make_realtime(const Task &task) {
    const sched_param parameters{.sched_priority = 1};
    if (sched_setscheduler(task.pid(), SCHED_FIFO, &parameters) != 0) {
        throw std::system_error(errno, std::generic_category(), "sched_setscheduler");
    }
}

/** As sched_setattr(2) has it; glibc has no such call. */
struct SchedAttributes {
    std::uint32_t size = sizeof(SchedAttributes);
    std::uint32_t policy = 0;
    std::uint64_t flags = 0;
    std::int32_t nice = 0;
    std::uint32_t priority = 0;
    std::uint64_t runtime = 0;
    std::uint64_t deadline = 0;
    std::uint64_t period = 0;
};

void make_deadline(const Task &task) {
    constexpr std::uint64_t reset_on_fork = 1;
    const SchedAttributes attributes{.policy = SCHED_DEADLINE,
                                     .flags = reset_on_fork,
                                     .runtime = 30'000'000,
                                     .deadline = 50'000'000,
                                     .period = 50'000'000};
    if (syscall(SYS_sched_setattr, task.pid(), &attributes, 0) != 0) {
        throw std::system_error(errno, std::generic_category(), "sched_setattr");
    }
}

void work_in_threads() {
    const std::jthread other(work_of_all_kinds);
    work_of_all_kinds();
}

constexpr std::array files{"usage",        "usage_user",        "usage_sys",        "stat",
                           "usage_percpu", "usage_percpu_user", "usage_percpu_sys", "usage_all"};

void check_same(const TestGroup &group, const V1Group &v1) {
    for (const std::string file : files) {
        if (file == "stat" && v1_stat_counts_ticks()) {
            continue;
        }
        INFO(file);
        CHECK(group.read("cpuacct." + file) == v1.read("cpuacct." + file));
    }
}

} // namespace

TEST_CASE("Every file is byte for byte what v1 shows for the same task") {
    const LoadedCpuacct module;
    const TestGroup group("same");
    const V1Group v1("same");
    check_same(group, v1);
    const std::string kind = GENERATE("normal", "realtime", "deadline", "threads");
    INFO(kind);
    run_task(kind == "threads" ? work_in_threads : work_of_all_kinds, [&](const Task &task) {
        if (kind == "realtime") {
            make_realtime(task);
        }
        if (kind == "deadline") {
            make_deadline(task);
        }
        group->add_process(task.pid());
        v1.add_process(task.pid());
    });
    settle(*group);
    REQUIRE(group->usage() > 300ms);
    check_same(group, v1);
}

TEST_CASE("cpuacct.stat is byte for byte what v1 shows for the same task") {
    if (v1_stat_counts_ticks()) {
        SKIP("before 5.16 v1's stat counts ticks, and does not add up to usage");
    }
    const LoadedCpuacct module;
    const TestGroup group("same");
    const V1Group v1("same");
    run_task(work_of_all_kinds, [&](const Task &task) {
        group->add_process(task.pid());
        v1.add_process(task.pid());
    });
    settle(*group);
    CHECK(group.read("cpuacct.stat") != "user 0\nsystem 0\n");
    CHECK(group.read("cpuacct.stat") == v1.read("cpuacct.stat"));
}

TEST_CASE("Every file of a parent is byte for byte v1's, while children come, run and go, and after a reset") {
    const LoadedCpuacct module;
    const TestGroup group("same");
    const V1Group v1("same");
    const auto run_child = [&](const std::string &name, const std::function<void()> &work) {
        const Cgroup child = group.create_child(name);
        const V1Group v1_child(v1, name);
        run_task(work, [&](const Task &task) {
            child.add_process(task.pid());
            v1_child.add_process(task.pid());
        });
        settle(*group);
        check_same(group, v1);
        child.remove();
    };
    run_child("first", work_of_all_kinds);
    check_same(group, v1);
    run_child("second", [] { burn_in_kernel(100ms); });
    check_same(group, v1);

    group->reset_usage();
    ballast::control::write_text(v1.path() / "cpuacct.usage", "0");
    // But for stat: v1's stands still until it would have been passed.
    for (const std::string file : files) {
        if (file != "stat") {
            INFO(file);
            CHECK(group.read("cpuacct." + file) == v1.read("cpuacct." + file));
        }
    }
    CHECK(group.read("cpuacct.stat") == "user 0\nsystem 0\n");
}

TEST_CASE("The root group's files are v1's") {
    const LoadedCpuacct module;
    const V1Hierarchy v1("cpuacct");
    const auto root = Cgroup::open("/").path();
    // They are about the whole machine, which is never quite still.
    for (const char *file : {"cpuacct.usage", "cpuacct.usage_user", "cpuacct.usage_sys"}) {
        INFO(file);
        const auto before = read_number(v1.path() / file);
        const auto value = read_number(root / file);
        CHECK(value >= before);
        CHECK(value <= read_number(v1.path() / file));
    }
    CHECK(read_text(root / "cpuacct.usage_all").starts_with("cpu user system\n0 "));
    CHECK_THAT(read_text(root / "cpuacct.usage_percpu_user"), Catch::Matchers::Matches("[0-9]+ [0-9]+ \n"));
}
