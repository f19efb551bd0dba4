// SPDX-License-Identifier: GPL-2.0
// Many groups, coming and going under readers and loading. The kernel's log is judged after the run.
#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <stop_token>
#include <thread>

#include <catch2/catch_test_macros.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/file.hpp"
#include "cpuacct.hpp"
#include "task.hpp"

using namespace std::chrono_literals;
using ballast::control::Cgroup;
using ballast::guest::burn;
using ballast::guest::LoadedCpuacct;
using ballast::guest::run_task;
using ballast::guest::settle;
using ballast::guest::sum;
using ballast::guest::Task;
using ballast::guest::TestGroup;

namespace {

/** Reads and writes that may fail: groups go away meanwhile. */
void poke(const std::filesystem::path &folder) {
    std::array<char, 256> buffer{};
    for (const char *file : {"cpuacct.usage", "cpuacct.usage_percpu", "cpuacct.stat"}) {
        const int fd = open((folder / file).c_str(), O_RDWR | O_CLOEXEC);
        if (fd < 0) {
            continue;
        }
        while (read(fd, buffer.data(), buffer.size()) > 0) {
        }
        if (write(fd, "0", 1) != 1) {
            buffer[0] = 0;
        }
        close(fd);
    }
}

/** Makes groups in groups and takes them away, a short-lived task in each. */
void make_and_remove(const std::filesystem::path &folder, const std::stop_token &stop) {
    while (!stop.stop_requested()) {
        const std::filesystem::path child = folder / "child";
        mkdir(child.c_str(), 0755);
        const pid_t task = fork();
        if (task == 0) {
            const int procs = open((child / "cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC);
            if (write(procs, "0", 1) == 1) {
                burn(1ms);
            }
            _exit(0);
        }
        waitpid(task, nullptr, 0);
        // Busy for a moment longer than its task is.
        while (rmdir(child.c_str()) != 0 && errno == EBUSY) {
            usleep(1000);
        }
    }
}

} // namespace

TEST_CASE("Groups may come and go under readers while the module is loaded and unloaded") {
    const TestGroup group("storm");
    const Cgroup first = group.create_child("first");
    const Cgroup second = group.create_child("second");
    {
        const std::jthread making([&](const std::stop_token &stop) { make_and_remove(first.path(), stop); });
        const std::jthread making_too([&](const std::stop_token &stop) { make_and_remove(second.path(), stop); });
        const std::jthread reading([&](const std::stop_token &stop) {
            while (!stop.stop_requested()) {
                for (const auto &folder : {group->path(), first.path(), first.path() / "child", second.path()}) {
                    poke(folder);
                }
                usleep(500);
            }
        });
        for (int i = 0; i < 5; i++) {
            const LoadedCpuacct module;
            usleep(100'000);
        }
    }
    // The sums are right for what comes after the storm.
    const LoadedCpuacct module;
    group->reset_usage();
    run_task([] { burn(50ms); }, [&](const Task &task) { first.add_process(task.pid()); });
    settle(*group);
    CHECK(group->usage() >= 50ms);
    CHECK(sum(group->usage_percpu()) == group->usage());
}

TEST_CASE("A storm of groups leaves the right sums in their parent") {
    const LoadedCpuacct module;
    const TestGroup group("after-storm");
    {
        const std::jthread making([&](const std::stop_token &stop) { make_and_remove(group->path(), stop); });
        for (int i = 0; i < 100; i++) {
            const auto usage = group->usage_percpu();
            const auto later = group->usage_percpu();
            CHECK(later[0] >= usage[0]);
            CHECK(later[1] >= usage[1]);
            usleep(10'000);
        }
    }
    settle(*group);
    CHECK(group->usage() > 0ns);
    CHECK(sum(group->usage_percpu()) == group->usage());
}

// Per-CPU memory that can be had without sleeping lasts for a part of them only.
TEST_CASE("A thousand groups from before loading and as many from after all count") {
    constexpr int count = 1000;
    const TestGroup group("thousands");
    for (int i = 0; i < count; i++) {
        static_cast<void>(group.create_child(fmt::format("before-{}", i)));
    }
    const LoadedCpuacct module;
    for (int i = 0; i < count; i++) {
        static_cast<void>(group.create_child(fmt::format("after-{}", i)));
    }
    usleep(100'000);
    for (const char *part : {"before", "after"}) {
        for (int i = 0; i < count; i++) {
            const Cgroup child = Cgroup::open(fmt::format("thousands/{}-{}", part, i));
            REQUIRE(child.usage_percpu().size() == 2);
        }
        const Cgroup last = Cgroup::open(fmt::format("thousands/{}-{}", part, count - 1));
        run_task([] { burn(10ms); }, [&](const Task &task) { last.add_process(task.pid()); });
        settle(last);
        CHECK(last.usage() >= 10ms);
        CHECK(sum(last.usage_percpu()) == last.usage());
    }
    CHECK(sum(group->usage_percpu()) == group->usage());
}
