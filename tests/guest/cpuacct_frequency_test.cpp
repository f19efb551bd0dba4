// SPDX-License-Identifier: GPL-2.0
// Time and energy per frequency, end to end: cpufreq's transitions to cpuacct.cpufreq and cpuacct.power. The
// frequencies are synthetic (tests/kmod/cpufreq_synthetic.c), and so is all energy here: the machine's CPUs run as they
// always do.
#include <chrono>
#include <filesystem>
#include <map>
#include <sstream>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "control/cgroup.hpp"
#include "control/file.hpp"
#include "cpuacct.hpp"
#include "loaded.hpp"
#include "machine.hpp"
#include "task.hpp"

using namespace std::chrono_literals;
using ballast::control::Cgroup;
using ballast::control::read_number;
using ballast::control::read_text;
using ballast::control::write_text;
using ballast::guest::burn;
using ballast::guest::Loaded;
using ballast::guest::LoadedCpuacct;
using ballast::guest::run_task;
using ballast::guest::settle;
using ballast::guest::Task;
using ballast::guest::TestGroup;
using ballast::guest::wait_until;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

namespace {

constexpr int low = 600'000;
constexpr int middle = 1'200'000;
constexpr int high = 2'400'000;

/** Lets a CPU run at a frequency of the synthetic driver. */
void set_frequency(int cpu, int khz) {
    const std::filesystem::path policy = "/sys/devices/system/cpu/cpufreq/policy" + std::to_string(cpu);
    write_text(policy / "scaling_governor", "performance");
    write_text(policy / "scaling_max_freq", std::to_string(khz));
    // The kernel leaves it to a worker.
    wait_until([&] { return read_number(policy / "scaling_cur_freq") == static_cast<std::uint64_t>(khz); });
}

void run_on(int cpu, milliseconds time, const Cgroup &group) {
    run_task([time] { burn(time); },
             [&](const Task &task) {
                 task.pin(cpu);
                 group.add_process(task.pid());
             });
    settle(group);
}

/** cpuacct.cpufreq: the time at each kHz. */
std::map<int, nanoseconds> time_at(const Cgroup &group) {
    std::istringstream text(read_text(group.path() / "cpuacct.cpufreq"));
    std::map<int, nanoseconds> times;
    int khz = 0;
    for (nanoseconds::rep time = 0; text >> khz >> time;) {
        times[khz] = nanoseconds(time);
    }
    REQUIRE(text.eof());
    return times;
}

nanoseconds all_of(const std::map<int, nanoseconds> &times) {
    nanoseconds all{};
    for (const auto &[khz, time] : times) {
        all += time;
    }
    return all;
}

std::uint64_t microjoules(const Cgroup &group) {
    return read_number(group.path() / "cpuacct.power_uj");
}

/** The energy of some time at some power. 1 ns at 1 mW is 1 pJ. */
std::uint64_t picojoules(nanoseconds time, int milliwatts) {
    return static_cast<std::uint64_t>(time.count()) * static_cast<std::uint64_t>(milliwatts);
}

/** All modules that it takes, loaded in this order. */
struct Platform {
    explicit Platform(const std::string &parameter = "600000:150,1200000:400,2400000:1000")
        : table("cpuacct_table", {"table=" + parameter}) {
        for (int cpu = 0; cpu < 2; ++cpu) {
            set_frequency(cpu, high);
        }
    }

    Loaded cpufreq{"cpufreq_synthetic"};
    LoadedCpuacct cpuacct;
    Loaded table;
};

} // namespace

TEST_CASE("Synthetic frequencies: A group's time goes to the frequency at which it ran, its energy by the table") {
    const Platform platform;
    const TestGroup group("frequency");
    const Cgroup child = group.create_child("child");
    set_frequency(0, low);
    run_on(0, 200ms, child);
    set_frequency(0, high);
    run_on(0, 100ms, child);

    auto times = time_at(child);
    REQUIRE(times.size() == 3);
    CHECK(times[low] >= 200ms);
    CHECK(times[middle] == 0ns);
    CHECK(times[high] >= 100ms);
    CHECK(all_of(times) == child.usage());
    CHECK(microjoules(child) == (picojoules(times[low], 150) + picojoules(times[high], 1000)) / 1'000'000);
    CHECK(read_number(child.path() / "cpuacct.power") == microjoules(child) / 1000);
    // The group above has the same; it had no tasks of its own.
    CHECK(time_at(*group) == times);
    CHECK(microjoules(*group) == microjoules(child));
}

TEST_CASE("Synthetic frequencies: Each CPU has its own frequency and its own power") {
    const Platform platform("0=600000:100,2400000:1000;1=600000:200,2400000:3000");
    const TestGroup group("frequencies");
    const Cgroup first = group.create_child("first");
    const Cgroup second = group.create_child("second");
    set_frequency(0, low);
    run_on(0, 100ms, first);
    run_on(1, 100ms, second);
    CHECK(time_at(first)[high] == 0ns);
    CHECK(time_at(second)[low] == 0ns);
    CHECK(microjoules(first) == picojoules(first.usage(), 100) / 1'000'000);
    CHECK(microjoules(second) == picojoules(second.usage(), 3000) / 1'000'000);
    CHECK(microjoules(*group) == (picojoules(first.usage(), 100) + picojoules(second.usage(), 3000)) / 1'000'000);
}

TEST_CASE("Synthetic frequencies: A transition while a task runs splits its time") {
    const Platform platform;
    const TestGroup group("transition");
    set_frequency(0, low);
    {
        // Until it is killed.
        Task task([] { burn(1h); });
        task.pin(0);
        group->add_process(task.pid());
        task.start();
        wait_until([&] { return group->usage() >= 100ms; });
        set_frequency(0, high);
        wait_until([&, then = group->usage()] { return group->usage() >= then + 50ms; });
    }
    settle(*group);
    auto times = time_at(*group);
    // What ran since the last tick counts at the new frequency.
    CHECK(times[low] >= 90ms);
    CHECK(times[high] >= 50ms);
    CHECK(all_of(times) == group->usage());
}

TEST_CASE("Synthetic frequencies: A cpufreq driver that comes and goes while the platform is there is followed") {
    const LoadedCpuacct cpuacct;
    const Loaded table("cpuacct_table", {"table=600000:150,2400000:1000"});
    const TestGroup group("driver");
    run_on(0, 50ms, *group);
    CHECK(time_at(*group)[low] == 0ns);
    nanoseconds before = time_at(*group)[high];
    CHECK(before == group->usage());
    {
        const Loaded cpufreq("cpufreq_synthetic");
        set_frequency(0, low);
        run_on(0, 50ms, *group);
        CHECK(time_at(*group)[low] >= 50ms);
        CHECK(time_at(*group)[high] == before);
    }
    run_on(0, 50ms, *group);
    CHECK(time_at(*group)[high] >= before + 50ms);
    CHECK(all_of(time_at(*group)) == group->usage());
}

TEST_CASE("Synthetic frequencies: Where a cpufreq driver doesn't tell the frequency, it counts as the highest") {
    const LoadedCpuacct cpuacct;
    const Loaded table("cpuacct_table", {"table=600000:150,2400000:1000"});
    const Loaded cpufreq("cpufreq_synthetic", {"setpolicy=1"});
    const TestGroup group("untold");
    run_on(0, 50ms, *group);
    CHECK(group->usage() >= 50ms);
    CHECK(time_at(*group)[high] == group->usage());
}
