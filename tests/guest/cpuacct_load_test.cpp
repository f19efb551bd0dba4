// SPDX-License-Identifier: GPL-2.0
// Loading and unloading: what becomes of files and groups, and loads that fail.
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/error.hpp"
#include "control/file.hpp"
#include "control/modules.hpp"
#include "cpuacct.hpp"
#include "failing_call.hpp"
#include "machine.hpp"
#include "support/failure.hpp"
#include "task.hpp"

using namespace std::chrono_literals;
using ballast::control::Cgroup;
using ballast::control::Modules;
using ballast::control::read_number;
using ballast::guest::Background;
using ballast::guest::burn;
using ballast::guest::burn_in;
using ballast::guest::FailingCall;
using ballast::guest::LoadedCpuacct;
using ballast::guest::NewLogLines;
using ballast::guest::run_task;
using ballast::guest::settle;
using ballast::guest::sum;
using ballast::guest::Task;
using ballast::guest::TestGroup;
using ballast::guest::V1Hierarchy;
using ballast::guest::wait_for_release;
using ballast::guest::wait_until;
using std::chrono::duration_cast;
using std::chrono::microseconds;

namespace {

bool is_readable(const std::filesystem::path &path) {
    std::array<char, 64> buffer{};
    const auto file = ballast::control::open_file(path, O_RDONLY);
    return read(file.get(), buffer.data(), buffer.size()) > 0;
}

/** Loads the module where the `nth` thing that it looks up is not there; false if it does without. */
bool is_refused_without(const std::string &lookup, unsigned nth) {
    NewLogLines log;
    {
        const FailingCall failing(lookup, 0, "cpuacct", nth);
        try {
            Modules().load("cpuacct");
            return false;
        } catch (const ballast::control::Error &error) {
            CHECK(error.code() == std::errc::no_such_file_or_directory);
        }
    }
    CHECK(log.with("cpuacct: ") == 1);
    return true;
}

/** User and system time, in ns, as the kernel samples it. */
std::uint64_t samples_of(const Cgroup &group) {
    return read_number(group.path() / "cpuacct.usage_user") + read_number(group.path() / "cpuacct.usage_sys");
}

} // namespace

TEST_CASE("A file that is open over the unload reads ENODEV") {
    LoadedCpuacct module;
    const TestGroup group("open");
    for (const char *name : {"cpuacct.usage", "cpuacct.usage_percpu", "cpuacct.stat"}) {
        INFO(name);
        const auto file = ballast::control::open_file(group->path() / name, O_RDONLY);
        std::array<char, 64> buffer{};
        CHECK(pread(file.get(), buffer.data(), buffer.size(), 0) > 0);
        module.unload();
        CHECK(pread(file.get(), buffer.data(), buffer.size(), 0) == -1);
        CHECK(errno == ENODEV);
        Modules().load("cpuacct");
        CHECK(pread(file.get(), buffer.data(), buffer.size(), 0) == -1);
        CHECK(errno == ENODEV);
    }
}

TEST_CASE("Loading it twice is refused") {
    const LoadedCpuacct module;
    failure(std::errc::file_exists, [] { Modules().load("cpuacct"); });
}

TEST_CASE("With perf_event on cgroup v1 the files are where the cpu controller is") {
    const V1Hierarchy perf_event("perf_event");
    const LoadedCpuacct module;
    const TestGroup group("with-cpu");
    const Cgroup without = group.create_child("without-cpu");
    CHECK(std::filesystem::exists(group->path() / "cpuacct.usage"));
    CHECK_FALSE(std::filesystem::exists(without.path() / "cpuacct.usage"));
}

TEST_CASE("perf_event may leave for cgroup v1 and come back while the module is loaded") {
    LoadedCpuacct module;
    const TestGroup group("leaving");
    {
        const V1Hierarchy perf_event("perf_event");
        CHECK_FALSE(std::filesystem::exists(group->path() / "cpuacct.usage"));
    }
    CHECK(std::filesystem::exists(group->path() / "cpuacct.usage"));
    {
        const V1Hierarchy perf_event("perf_event");
        module.unload();
    }
    CHECK_FALSE(std::filesystem::exists(group->path() / "cpuacct.usage"));
}

TEST_CASE("With both on cgroup v1 it loads, and v1's groups have their files from the kernel") {
    const V1Hierarchy perf_event("perf_event");
    {
        const V1Hierarchy cpu("cpu");
        const LoadedCpuacct module;
        const TestGroup group("v1-only");
        CHECK_FALSE(std::filesystem::exists(group->path() / "cpuacct.usage"));
    }
    // Back on v2, it is enabled for no group.
    ballast::control::write_text(ballast::control::find_cgroup2() / "cgroup.subtree_control", "+cpu");
}

TEST_CASE("A load that fails half-way undoes what it did") {
    const auto [function, result, error] = GENERATE(table<std::string, int, std::errc>({
        {"register_kprobe", -EOPNOTSUPP, std::errc::operation_not_supported},
        {"kallsyms_lookup_name", 0, std::errc::no_such_file_or_directory},
        {"tracepoint_probe_register", -ENOMEM, std::errc::not_enough_memory},
        {"__alloc_percpu_gfp,pcpu_alloc_noprof", 0, std::errc::not_enough_memory},
        {"register_module_notifier", -ENOMEM, std::errc::not_enough_memory},
        {"cgroup_add_dfl_cftypes", -ENOMEM, std::errc::not_enough_memory},
    }));
    CAPTURE(function);
    const TestGroup group("half-way");
    {
        const FailingCall failing(function, result);
        failure(error, [] { Modules().load("cpuacct"); });
        CHECK_FALSE(std::filesystem::exists("/sys/module/cpuacct"));
        CHECK_FALSE(std::filesystem::exists(group->path() / "cpuacct.usage"));
    }
    const LoadedCpuacct works;
    CHECK(group->usage() == 0ns);
}

TEST_CASE("Where the kernel tells of no symbols the module refuses to load, with one line") {
    NewLogLines log;
    {
        const FailingCall failing("kallsyms_lookup_name", 0);
        failure(std::errc::no_such_file_or_directory, [] { Modules().load("cpuacct"); });
    }
    CHECK(log.with("cpuacct: ") == 1);
}

TEST_CASE("Whichever symbol or tracepoint the kernel lacks, the module refuses to load, with one line") {
    const std::string lookup = GENERATE("kallsyms_lookup_name", "for_each_kernel_tracepoint");
    const TestGroup group("lacking");
    unsigned nth = 1;
    for (; is_refused_without(lookup, nth); ++nth) {
        CAPTURE(lookup, nth);
        CHECK_FALSE(std::filesystem::exists("/sys/module/cpuacct"));
        CHECK_FALSE(std::filesystem::exists(group->path() / "cpuacct.usage"));
    }
    // It loads when no lookup failed, or when only perf_event was not there, whose place cpu takes.
    CHECK(nth > (lookup == "kallsyms_lookup_name" ? 8 : 2));
    CHECK(std::filesystem::exists(group->path() / "cpuacct.usage"));
    Modules().unload("cpuacct");
}

TEST_CASE("A group that gets no memory when it is made gets it soon after") {
    const LoadedCpuacct module;
    const TestGroup group("late");
    {
        const FailingCall failing("cpuacct:group_create", -ENOMEM);
        const Cgroup child = group.create_child("child");
        const Cgroup grandchild = Cgroup::create("late/child/grandchild");
    }
    const Cgroup grandchild = Cgroup::open("late/child/grandchild");
    wait_until([&] { return is_readable(grandchild.path() / "cpuacct.usage_percpu"); });
    run_task([] { burn(50ms); }, [&](const Task &task) { grandchild.add_process(task.pid()); });
    settle(grandchild);
    CHECK(grandchild.usage() >= 50ms);
    CHECK(sum(grandchild.usage_percpu()) == grandchild.usage());
    CHECK(group->usage_percpu() == grandchild.usage_percpu());
}

TEST_CASE("What ran in groups before there was memory for them is in their figures, once") {
    const LoadedCpuacct module;
    const TestGroup group("adopted");
    const Cgroup child = group.create_child("child");
    std::optional<FailingCall> failing(std::in_place, "cpuacct:group_create", -ENOMEM,
                                       std::vector<std::string>{"everyone=1"});
    const Cgroup parent = Cgroup::create("adopted/child/parent");
    const Cgroup leaf = Cgroup::create("adopted/child/parent/leaf");
    const Cgroup removed = Cgroup::create("adopted/child/parent/removed");
    for (const Cgroup &each : {leaf, removed}) {
        run_task([] { burn(100ms); }, [&](const Task &task) { each.add_process(task.pid()); });
    }
    wait_until([&] {
        std::error_code error;
        return std::filesystem::remove(removed.path(), error);
    });
    wait_for_release(*group);
    failing.reset();
    // One that needs those above it.
    const Cgroup last = Cgroup::create("adopted/child/parent/leaf/last");
    wait_until([&] { return is_readable(last.path() / "cpuacct.usage"); });
    run_task([] { burn(50ms); }, [&](const Task &task) { leaf.add_process(task.pid()); });
    settle(leaf);
    for (const Cgroup &each : {*group, child, parent, leaf}) {
        CAPTURE(each.name());
        CHECK(duration_cast<microseconds>(each.usage()) == each.cpu_stat().usage);
    }
    CHECK(leaf.usage() >= 150ms);
    CHECK(parent.usage() >= 250ms);
    // What the removed group ran is not among the samples of those that are left.
    CHECK(samples_of(parent) > samples_of(leaf));
    CHECK(samples_of(parent) == samples_of(child));
    CHECK(samples_of(child) == samples_of(*group));
}

TEST_CASE("No time is counted twice when groups are made while the module is loaded") {
    const TestGroup busy("busy");
    const Cgroup child = busy.create_child("child");
    burn_in(child, 100ms);
    const TestGroup making("making");
    const Cgroup parent = making.create_child("parent");
    const Background maker([path = parent.path() / "new"] {
        mkdir(path.c_str(), 0755);
        rmdir(path.c_str());
    });
    for (int i = 0; i < 20; i++) {
        const LoadedCpuacct module;
        CHECK(duration_cast<microseconds>(child.usage()) == child.cpu_stat().usage);
        CHECK(duration_cast<microseconds>(busy->usage()) == busy->cpu_stat().usage);
    }
}
