// SPDX-License-Identifier: GPL-2.0
// Platforms: cpuacct_table.ko, and plain_platform.ko, which has the callbacks of 2010 alone.
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <sstream>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

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
using ballast::control::read_text;
using ballast::guest::burn;
using ballast::guest::burn_in;
using ballast::guest::FailingCall;
using ballast::guest::Loaded;
using ballast::guest::LoadedCpuacct;
using ballast::guest::run_task;
using ballast::guest::settle;
using ballast::guest::Task;
using ballast::guest::TestGroup;
using ballast::guest::V1Group;
using ballast::guest::wait_for_release;
using ballast::guest::wait_until;

namespace {

/** There is no cpufreq in a VM, so all time counts at each CPU's highest frequency: 900 mW and 400 mW. */
constexpr const char *power_table = "table=600000:150,1800000:900;1=600000:150,1000000:400";
constexpr const char *platform_files[] = {"cpuacct.cpufreq", "cpuacct.power", "cpuacct.power_uj"};

class LoadedTable : public Loaded {
  public:
    LoadedTable() : Loaded("cpuacct_table", {power_table}) {}
};

bool has_all_files(const std::filesystem::path &folder) {
    return std::ranges::all_of(platform_files,
                               [&](const char *file) { return std::filesystem::exists(folder / file); });
}

bool has_any_file(const std::filesystem::path &folder) {
    return std::ranges::any_of(platform_files,
                               [&](const char *file) { return std::filesystem::exists(folder / file); });
}

/** The lines of cpuacct.cpufreq, each with two numbers. */
std::map<std::uint64_t, std::uint64_t> cpufreq(const std::filesystem::path &folder) {
    std::istringstream text(read_text(folder / "cpuacct.cpufreq"));
    std::map<std::uint64_t, std::uint64_t> lines;
    std::uint64_t key = 0;
    std::uint64_t value = 0;
    while (text >> key >> value) {
        lines[key] = value;
    }
    REQUIRE(text.eof());
    return lines;
}

using Times = std::map<std::uint64_t, std::uint64_t>;

/** What the table gives for times by CPU. */
Times expected_cpufreq(const std::vector<std::chrono::nanoseconds> &usage) {
    return {{600000, 0},
            {1000000, static_cast<std::uint64_t>(usage.at(1).count())},
            {1800000, static_cast<std::uint64_t>(usage.at(0).count())}};
}

void check_energy(const Cgroup &group) {
    const auto usage = group.usage_percpu();
    CHECK(cpufreq(group.path()) == expected_cpufreq(usage));
    const auto microjoules = static_cast<std::uint64_t>((usage[0].count() * 900 + usage[1].count() * 400) / 1'000'000);
    CHECK(read_number(group.path() / "cpuacct.power_uj") == microjoules);
    CHECK(read_number(group.path() / "cpuacct.power") == microjoules / 1000);
}

} // namespace

TEST_CASE("A platform's files are in all groups of v2 and v1 as long as it is registered") {
    const LoadedCpuacct module;
    const TestGroup before("before");
    const V1Group v1("before");
    {
        const LoadedTable platform;
        const TestGroup after("after");
        const V1Group v1_after(v1, "after");
        for (const auto &folder : {Cgroup::open("/").path(), before->path(), after->path(), v1.path().parent_path(),
                                   v1.path(), v1_after.path()}) {
            INFO(folder);
            CHECK(has_all_files(folder));
        }
    }
    for (const auto &folder : {Cgroup::open("/").path(), before->path(), v1.path().parent_path(), v1.path()}) {
        INFO(folder);
        CHECK_FALSE(has_any_file(folder));
    }
}

TEST_CASE("Energy is what the table says for the time on each CPU, in the group and those above") {
    const LoadedCpuacct module;
    const TestGroup before("energy");
    const LoadedTable platform;
    const Cgroup child = before.create_child("child");
    CHECK(read_text(child.path() / "cpuacct.power") == "0\n");
    CHECK(read_text(child.path() / "cpuacct.power_uj") == "0\n");
    CHECK(read_text(child.path() / "cpuacct.cpufreq") == "600000 0\n1000000 0\n1800000 0\n");
    burn_in(child, 200ms, 0);
    burn_in(child, 100ms, 1);
    burn_in(*before, 50ms, 1);
    check_energy(child);
    check_energy(*before);
    const auto root_before = read_number(Cgroup::open("/").path() / "cpuacct.power_uj");
    const auto child_before = read_number(child.path() / "cpuacct.power_uj");
    burn_in(child, 100ms, 0);
    CHECK(read_number(Cgroup::open("/").path() / "cpuacct.power_uj") - root_before >=
          read_number(child.path() / "cpuacct.power_uj") - child_before);
}

TEST_CASE("A removed group's energy stays with its parent") {
    const LoadedCpuacct module;
    const LoadedTable platform;
    const TestGroup group("removed");
    const Cgroup child = group.create_child("child");
    const Cgroup grandchild = Cgroup::create("removed/child/grandchild");
    burn_in(grandchild, 100ms, 0);
    burn_in(child, 100ms, 1);
    grandchild.remove();
    child.remove();
    check_energy(*group);
    wait_for_release(*group);
    check_energy(*group);
}

TEST_CASE("A v1 group's energy is that of a v2 group with the same task") {
    const LoadedCpuacct module;
    const LoadedTable platform;
    const TestGroup group("same");
    const V1Group v1("same");
    const V1Group v1_child(v1, "child");
    run_task([] { burn(200ms); },
             [&](const Task &task) {
                 group->add_process(task.pid());
                 v1_child.add_process(task.pid());
             });
    settle(*group);
    check_energy(*group);
    for (const char *file : platform_files) {
        INFO(file);
        CHECK(v1.read(file) == group.read(file));
        CHECK(v1_child.read(file) == group.read(file));
    }
}

TEST_CASE("A reset of the usage leaves the energy as it is") {
    const LoadedCpuacct module;
    const LoadedTable platform;
    const TestGroup group("reset");
    burn_in(*group, 100ms, 0);
    const auto energy = group.read("cpuacct.power_uj");
    group->reset_usage();
    CHECK(group->usage() == 0ns);
    CHECK(group.read("cpuacct.power_uj") == energy);
}

TEST_CASE("A platform without collect is charged for the task's group and all above it") {
    const LoadedCpuacct module;
    const TestGroup group("plain");
    const Cgroup child = group.create_child("child");
    burn_in(child, 50ms, 0);
    const auto usage_before = group->usage_percpu();
    const Loaded platform("plain_platform");
    const Cgroup later = Cgroup::create("plain/child/later");
    burn_in(child, 100ms, 0);
    burn_in(later, 100ms, 1);
    const auto usage = group->usage_percpu();
    const Times expected{{0, (usage[0] - usage_before[0]).count()}, {1, (usage[1] - usage_before[1]).count()}};
    CHECK(cpufreq(group->path()) == expected);
    CHECK(cpufreq(child.path()) == expected);
    CHECK(cpufreq(later.path()) == Times{{0, 0}, {1, later.usage().count()}});
    CHECK(read_number(group->path() / "cpuacct.power_uj") == expected.at(0) + expected.at(1));
    const auto root = cpufreq(Cgroup::open("/").path());
    CHECK(root.at(0) >= expected.at(0));
    CHECK(root.at(1) >= expected.at(1));
}

TEST_CASE("There is one platform at a time") {
    const LoadedCpuacct module;
    const TestGroup group("one");
    {
        const LoadedTable first;
        failure(std::errc::device_or_resource_busy, [] { Modules().load("plain_platform"); });
        CHECK(has_all_files(group->path()));
        CHECK_FALSE(std::filesystem::exists("/sys/module/plain_platform"));
    }
    const Loaded second("plain_platform");
    CHECK(has_all_files(group->path()));
    failure(std::errc::device_or_resource_busy, [] { Modules().load("cpuacct_table", {power_table}); });
    CHECK_FALSE(std::filesystem::exists("/sys/module/cpuacct_table"));
}

TEST_CASE("A platform that goes without unregistering is gone") {
    const LoadedCpuacct module;
    const TestGroup group("silent");
    {
        const Loaded platform("plain_platform", {"silent=1"});
        burn_in(*group, 20ms, 0);
    }
    CHECK_FALSE(has_any_file(group->path()));
    burn_in(*group, 20ms, 0);
    const LoadedTable next;
    CHECK(has_all_files(group->path()));
}

TEST_CASE("cpuacct can't be unloaded before its platform") {
    const LoadedCpuacct module;
    const LoadedTable platform;
    failure(std::errc::device_or_resource_busy, [] { Modules().unload("cpuacct"); });
}

TEST_CASE("A platform's file that is open while it unregisters reads ENODEV") {
    const LoadedCpuacct module;
    const TestGroup group("open");
    LoadedTable platform;
    const auto file = ballast::control::open_file(group->path() / "cpuacct.power", O_RDONLY);
    std::array<char, 64> buffer{};
    CHECK(pread(file.get(), buffer.data(), buffer.size(), 0) > 0);
    platform.unload();
    CHECK(pread(file.get(), buffer.data(), buffer.size(), 0) == -1);
    CHECK(errno == ENODEV);
}

TEST_CASE("A table that is wrong is refused") {
    const LoadedCpuacct module;
    const std::string text = GENERATE("", "600000", "600000:", ":150", "600000:-1", "0:150", "6e5:150", "600000:150,",
                                      "0=600000:150", "7=600000:150", "x=600000:150", "600000:150;", "0-1=");
    INFO(text);
    failure(std::errc::invalid_argument, [&] { Modules().load("cpuacct_table", {"table=" + text}); });
}

TEST_CASE("A platform needs its table") {
    const LoadedCpuacct module;
    failure(std::errc::invalid_argument, [] { Modules().load("cpuacct_table"); });
}

TEST_CASE("A registration that fails half-way undoes what it did") {
    const LoadedCpuacct module;
    const TestGroup group("half-way");
    const auto [function, result] = GENERATE(table<std::string, int>({
        {"__alloc_percpu_gfp,pcpu_alloc_noprof", 0},
        {"cgroup_add_dfl_cftypes", -ENOMEM},
        {"cgroup_add_legacy_cftypes", -ENOMEM},
        {"cpufreq_register_notifier", -ENOMEM},
    }));
    CAPTURE(function);
    {
        const FailingCall failing(function, result);
        failure(std::errc::not_enough_memory, [] { Modules().load("cpuacct_table", {power_table}); });
    }
    CHECK_FALSE(has_any_file(group->path()));
    CHECK_FALSE(std::filesystem::exists("/sys/module/cpuacct_table"));
    const LoadedTable works;
    burn_in(*group, 20ms, 0);
    check_energy(*group);
}

TEST_CASE("A group whose data gets no memory when it is made gets it soon after") {
    const LoadedCpuacct module;
    const LoadedTable platform;
    const TestGroup group("late");
    {
        const FailingCall failing("cpuacct_table:table_init_data", -ENOMEM);
        static_cast<void>(group.create_child("child"));
    }
    const Cgroup child = Cgroup::open("late/child");
    wait_until([&] {
        std::array<char, 64> buffer{};
        const auto file = ballast::control::open_file(child.path() / "cpuacct.power", O_RDONLY);
        return read(file.get(), buffer.data(), buffer.size()) > 0;
    });
    burn_in(child, 50ms, 1);
    check_energy(child);
    check_energy(*group);
}

TEST_CASE("Platforms may come and go while groups do, and their tasks run") {
    const LoadedCpuacct module;
    const TestGroup group("changing");
    const Cgroup busy = group.create_child("busy");
    Task task([] { burn(1h); });
    busy.add_process(task.pid());
    task.start();
    {
        const std::jthread making([&](const std::stop_token &stop) {
            while (!stop.stop_requested()) {
                const auto child = group->path() / "child";
                mkdir(child.c_str(), 0755);
                rmdir(child.c_str());
                usleep(1000);
            }
        });
        const std::jthread reading([&](const std::stop_token &stop) {
            std::array<char, 256> buffer{};
            while (!stop.stop_requested()) {
                for (const char *name : platform_files) {
                    const int file = open((group->path() / name).c_str(), O_RDONLY | O_CLOEXEC);
                    if (file >= 0) {
                        while (read(file, buffer.data(), buffer.size()) > 0) {
                        }
                        close(file);
                    }
                }
                usleep(500);
            }
        });
        { const Loaded plain("plain_platform"); }
        { const LoadedTable with_table; }
    }
    const LoadedTable last;
    const Cgroup settling = group.create_child("settling");
    burn_in(settling, 20ms, 0);
    CHECK(read_number(settling.path() / "cpuacct.power_uj") > 0);
    CHECK(read_number(group->path() / "cpuacct.power_uj") > 0);
}
