// SPDX-License-Identifier: GPL-2.0
// The figures: where time is charged, and what adds up to what.
#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/file.hpp"
#include "cpuacct.hpp"
#include "task.hpp"

using namespace std::chrono_literals;
using ballast::control::Cgroup;
using ballast::control::write_text;
using ballast::guest::burn;
using ballast::guest::burn_in;
using ballast::guest::LoadedCpuacct;
using ballast::guest::Pipe;
using ballast::guest::run_task;
using ballast::guest::settle;
using ballast::guest::sum;
using ballast::guest::Task;
using ballast::guest::TestGroup;
using ballast::guest::wait_for_release;
using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::nanoseconds;

namespace {

/** For a conversation of two tasks. */
struct Pipes {
    Pipe there;
    Pipe back;
};

/** Answers each byte after some work, or with `first` says the first one. */
void converse(const Pipes &pipes, bool first, int rounds) {
    const int in = first ? pipes.back.out.get() : pipes.there.out.get();
    const int out = first ? pipes.there.in.get() : pipes.back.in.get();
    char byte = 0;
    for (int i = 0; i < rounds; i++) {
        if (first && write(out, &byte, 1) != 1) {
            return;
        }
        if (read(in, &byte, 1) != 1) {
            return;
        }
        if (!first && write(out, &byte, 1) != 1) {
            return;
        }
    }
}

} // namespace

TEST_CASE("cpuacct.usage is what cpu.stat says") {
    const LoadedCpuacct module;
    const TestGroup group("usage");
    burn_in(*group, 400ms);
    CHECK(group->usage() >= 400ms);
    CHECK(duration_cast<microseconds>(group->usage()) == group->cpu_stat().usage);
}

TEST_CASE("A task pinned to a CPU is charged to that CPU alone") {
    const LoadedCpuacct module;
    const TestGroup group("pinned");
    const int cpu = GENERATE(0, 1);
    burn_in(*group, 300ms, cpu);
    const auto usage = group->usage_percpu();
    REQUIRE(usage.size() == 2);
    CHECK(usage[static_cast<std::size_t>(cpu)] >= 300ms);
    CHECK(usage[static_cast<std::size_t>(1 - cpu)] == 0ns);
}

// A wakeup makes the scheduler account for the task that runs there, on the waker's CPU: the kernel's own per-CPU
// figures (rstat) charge that one then.
TEST_CASE("A task on whose CPU another CPU wakes tasks is charged to its own alone") {
    const LoadedCpuacct module;
    const TestGroup group("woken");
    const Pipes pipes;
    constexpr int rounds = 300;
    Task waker([&] { converse(pipes, true, rounds); });
    waker.pin(1);
    Task woken([&] { converse(pipes, false, rounds); });
    Task busy([] { burn(1h); });
    for (const Task *task : {&woken, &busy}) {
        task->pin(0);
        group->add_process(task->pid());
    }
    busy.start();
    woken.start();
    waker.start();
    woken.finish();
    waker.finish();

    const auto usage = group->usage_percpu();
    CHECK(usage[0] > 0ns);
    CHECK(usage[1] == 0ns);
}

TEST_CASE("The CPUs' usage adds up to the group's") {
    const LoadedCpuacct module;
    const TestGroup group("sum");
    Task other([] { burn(200ms); });
    other.pin(1);
    group->add_process(other.pid());
    other.start();
    burn_in(*group, 300ms, 0);
    other.finish();
    settle(*group);
    CHECK(sum(group->usage_percpu()) == group->usage());
}

TEST_CASE("A group has its own time and that of the groups below it") {
    const LoadedCpuacct module;
    const TestGroup group("tree");
    const Cgroup middle = group.create_child("middle");
    const Cgroup leaf = Cgroup::create("tree/middle/leaf");
    const Cgroup beside = group.create_child("beside");
    burn_in(leaf, 200ms, 0);
    burn_in(beside, 300ms, 1);

    CHECK(middle.usage() == leaf.usage());
    CHECK(middle.usage_percpu() == leaf.usage_percpu());
    CHECK(group->usage() == leaf.usage() + beside.usage());
    CHECK(group->usage_percpu() == std::vector{leaf.usage_percpu()[0], beside.usage_percpu()[1]});
}

TEST_CASE("A removed group's time stays with its parent") {
    const LoadedCpuacct module;
    const TestGroup group("removed");
    const bool read_before = GENERATE(true, false);
    std::vector<nanoseconds> before(2);
    for (const int cpu : {0, 1}) {
        const Cgroup child = group.create_child("child");
        burn_in(child, 100ms, cpu);
        if (read_before) {
            before = group->usage_percpu();
            CHECK(sum(before) == group->usage());
        }
        child.remove();
    }
    const auto after = group->usage_percpu();
    CHECK(after[0] >= 100ms);
    CHECK(after[1] >= 100ms);
    CHECK(sum(after) == group->usage());
    if (read_before) {
        CHECK(after == before);
    }
    wait_for_release(*group);
    CHECK(group->usage_percpu() == after);
    CHECK(Cgroup::create("removed/child").usage_percpu() == std::vector<nanoseconds>(2));
}

TEST_CASE("A task that moves is charged to each group for its time there") {
    const LoadedCpuacct module;
    const TestGroup first("first");
    const TestGroup second("second");
    const Pipes pipes;
    Task task([&] {
        burn(200ms);
        converse(pipes, true, 1);
        burn(400ms);
    });
    first->add_process(task.pid());
    task.start();
    char byte = 0;
    REQUIRE(read(pipes.there.out.get(), &byte, 1) == 1);
    settle(*first);
    second->add_process(task.pid());
    const auto in_first = first->usage_percpu();
    REQUIRE(write(pipes.back.in.get(), &byte, 1) == 1);
    task.finish();
    settle(*second);

    CHECK(first->usage() >= 200ms);
    CHECK(first->usage_percpu() == in_first);
    CHECK(second->usage() >= 400ms);
    CHECK(sum(first->usage_percpu()) == first->usage());
    CHECK(sum(second->usage_percpu()) == second->usage());
    // None of what it used in the other group.
    CHECK(duration_cast<microseconds>(second->usage()) == second->cpu_stat().usage);
}

TEST_CASE("Short-lived tasks are counted") {
    const LoadedCpuacct module;
    const TestGroup group("short");
    run_task(
        [] {
            for (int i = 0; i < 50; i++) {
                const pid_t child = fork();
                if (child == 0) {
                    burn(2ms);
                    _exit(0);
                }
                waitpid(child, nullptr, 0);
            }
        },
        [&](const Task &task) { group->add_process(task.pid()); });
    settle(*group);
    CHECK(group->usage() >= 100ms);
    CHECK(duration_cast<microseconds>(group->usage()) == group->cpu_stat().usage);
    CHECK(sum(group->usage_percpu()) == group->usage());
}

TEST_CASE("A group that was busy before loading starts with its time so far") {
    const TestGroup group("seeded");
    const Cgroup child = group.create_child("child");
    burn_in(child, 400ms, 1);
    const LoadedCpuacct module;

    const auto usage = group->usage_percpu();
    CHECK(group->usage() >= 400ms);
    CHECK(sum(usage) == group->usage());
    CHECK(usage == child.usage_percpu());
    // Where a wakeup of another CPU had it charged, the kernel's figure is some ms less.
    CHECK(usage[0] < usage[1]);
}

TEST_CASE("The time of groups that were removed before loading is in the usage, and on no CPU") {
    const TestGroup group("forgotten");
    const Cgroup middle = group.create_child("middle");
    const Cgroup removed = Cgroup::create("forgotten/middle/removed");
    burn_in(removed, 100ms, 1);
    const auto forgotten = removed.cpu_stat().usage;
    removed.remove();
    wait_for_release(*group);
    burn_in(middle, 50ms, 0);
    const LoadedCpuacct module;

    for (int i = 0; i < 2; i++) {
        for (const Cgroup &each : {*group, middle}) {
            CHECK(duration_cast<microseconds>(each.usage()) == each.cpu_stat().usage);
            CHECK(duration_cast<microseconds>(each.usage() - sum(each.usage_percpu())) == forgotten);
        }
        burn_in(middle, 50ms, 1);
    }
    group->reset_usage();
    CHECK(group->usage() == 0ns);
}

TEST_CASE("A CPU that goes offline keeps its time and is charged again when it is back") {
    const LoadedCpuacct module;
    const TestGroup group("hotplug");
    const Cgroup child = group.create_child("child");
    burn_in(child, 100ms, 1);
    const auto before = group->usage_percpu();
    const std::filesystem::path online = "/sys/devices/system/cpu/cpu1/online";
    write_text(online, "0");
    const auto offline = group->usage_percpu();
    burn_in(child, 100ms, 0);
    const auto other = group->usage_percpu();
    write_text(online, "1");
    CHECK(offline == before);
    REQUIRE(other.size() == 2);
    CHECK(other[0] >= before[0] + 100ms);
    CHECK(other[1] == before[1]);
    burn_in(child, 100ms, 1);
    CHECK(group->usage_percpu()[1] >= before[1] + 100ms);
    CHECK(sum(group->usage_percpu()) == group->usage());
    CHECK(duration_cast<microseconds>(group->usage()) == group->cpu_stat().usage);
}

TEST_CASE("Loading while a CPU is offline seeds its time too") {
    const TestGroup group("offline");
    // Where a wakeup of another CPU had it charged, the kernel's figure is a few ms less.
    burn_in(*group, 400ms, 1);
    const std::filesystem::path online = "/sys/devices/system/cpu/cpu1/online";
    write_text(online, "0");
    {
        const LoadedCpuacct module;
        write_text(online, "1");
        CHECK(group->usage_percpu()[1] >= 100ms);
        burn_in(*group, 50ms, 1);
        CHECK(sum(group->usage_percpu()) == group->usage());
        CHECK(duration_cast<microseconds>(group->usage()) == group->cpu_stat().usage);
    }
}

TEST_CASE("No time is lost or counted twice while the module is loaded under load") {
    const TestGroup group("loading");
    const Cgroup child = group.create_child("child");
    const Pipes pipes;
    Task waker([&] { converse(pipes, true, 1'000'000); });
    Task woken([&] { converse(pipes, false, 1'000'000); });
    waker.pin(1);
    for (const Task *task : {&waker, &woken}) {
        child.add_process(task->pid());
    }
    woken.start();
    waker.start();
    usleep(100'000);
    for (int i = 0; i < 5; i++) {
        const LoadedCpuacct module;
        usleep(20'000);
        for (const Task *task : {&waker, &woken}) {
            kill(task->pid(), SIGSTOP);
        }
        settle(child);
        CHECK(sum(child.usage_percpu()) == child.usage());
        CHECK(group->usage_percpu() == child.usage_percpu());
        for (const Task *task : {&waker, &woken}) {
            kill(task->pid(), SIGCONT);
        }
    }
}

TEST_CASE("The root group has the time of all tasks") {
    const LoadedCpuacct module;
    const Cgroup root = Cgroup::open("/");
    const TestGroup group("part");
    const auto before = root.usage_percpu();
    burn_in(*group, 300ms, 1);
    const auto after = root.usage_percpu();
    CHECK(after[1] - before[1] >= group->usage());
    const auto usage = root.usage();
    CHECK(sum(after) <= usage);
    CHECK(usage <= sum(root.usage_percpu()));
}
