// SPDX-License-Identifier: GPL-2.0
// Everything at once: fork bombs in groups that come and go, readers and writers, modules and platforms that come and
// go. For BALLAST_STORM_SECONDS each, a few seconds unless that is set. The kernel's log is judged after the run.
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <numeric>
#include <sstream>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/error.hpp"
#include "control/file.hpp"
#include "control/modules.hpp"
#include "cpuacct.hpp"
#include "loaded.hpp"
#include "machine.hpp"
#include "task.hpp"

using namespace std::chrono_literals;
using ballast::control::Cgroup;
using ballast::control::Error;
using ballast::control::FileDescriptor;
using ballast::control::Modules;
using ballast::control::read_text;
using ballast::control::write_text;
using ballast::guest::burn;
using ballast::guest::Loaded;
using ballast::guest::LoadedCpuacct;
using ballast::guest::run_task;
using ballast::guest::settle;
using ballast::guest::sum;
using ballast::guest::Task;
using ballast::guest::TestGroup;
using ballast::guest::V1Group;
using ballast::guest::wait_for_release;
using ballast::guest::wait_until;
using std::chrono::nanoseconds;
using std::filesystem::path;

namespace {

const std::string table = "table=600000:150,1200000:400,2400000:1000";

std::chrono::seconds length() {
    const char *asked = std::getenv("BALLAST_STORM_SECONDS");
    return std::chrono::seconds(asked == nullptr ? 6 : std::atoi(asked));
}

/** What came of a storm, to be sure that there was one. */
struct Counts {
    std::atomic<int> groups;
    std::atomic<int> bombs;
    std::atomic<int> reads;
    std::atomic<int> loads;
    std::atomic<int> transitions;
    /** Reads that ended as none may. */
    std::atomic<int> wrong_reads;

    void say() const {
        std::cerr << fmt::format("{} groups, {} fork bombs, {} reads, {} loads, {} transitions\n", groups.load(),
                                 bombs.load(), reads.load(), loads.load(), transitions.load());
    }
};

/** Runs until the storm's end. What the kernel refuses, since other threads are at it as well, is done again. */
std::jthread keep_doing(std::function<void()> action) {
    return std::jthread([action = std::move(action)](const std::stop_token &stop) {
        while (!stop.stop_requested()) {
            try {
                action();
            } catch (const Error &) {
                usleep(1000);
            }
        }
    });
}

void make_groups(const path &folder, Counts &counts) {
    constexpr int batch = 20;
    for (int i = 0; i < batch; ++i) {
        mkdir((folder / std::to_string(i)).c_str(), 0755);
    }
    for (int i = 0; i < batch; ++i) {
        if (rmdir((folder / std::to_string(i)).c_str()) == 0) {
            ++counts.groups;
        }
    }
}

[[noreturn]] void fork_bomb() {
    // Nobody waits for them.
    std::signal(SIGCHLD, SIG_IGN);
    while (true) {
        fork();
        burn(1ms);
    }
}

void kill_all_of(const path &group) {
    write_text(group / "pids.max", "0");
    for (std::string pids = read_text(group / "cgroup.procs"); !pids.empty();
         pids = read_text(group / "cgroup.procs")) {
        std::istringstream text(pids);
        for (pid_t pid = 0; text >> pid;) {
            // 0 stands for a task that is just ending; kill() takes it for all of the caller's own group.
            if (pid > 0) {
                kill(pid, SIGKILL);
            }
        }
        usleep(1000);
    }
}

/** A fork bomb in a group that is made for it and removed after it. */
void bomb(const path &folder, const std::function<void(const Task &)> &place, Counts &counts) {
    const path group = folder / "bomb";
    mkdir(group.c_str(), 0755);
    write_text(group / "pids.max", "30");
    Task task(fork_bomb);
    place(task);
    write_text(group / "cgroup.procs", std::to_string(task.pid()));
    task.start();
    usleep(50'000);
    kill_all_of(group);
    task.finish();
    // Busy for a moment longer than its tasks are.
    while (rmdir(group.c_str()) != 0 && errno == EBUSY) {
        usleep(1000);
    }
    ++counts.bombs;
}

/** Files of the module that a group has now. */
std::vector<path> files_of(const path &group) {
    std::vector<path> files;
    std::error_code gone;
    for (std::filesystem::directory_iterator entry(group, gone), end; !gone && entry != end; entry.increment(gone)) {
        if (entry->path().filename().string().starts_with("cpuacct.")) {
            files.push_back(entry->path());
        }
    }
    return files;
}

/** Reads a file to its end, twice: it may be gone, or go while it is open. */
void read_twice(const path &file, Counts &counts) {
    const FileDescriptor opened(open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (opened.get() < 0) {
        return;
    }
    std::array<char, 4096> buffer{};
    for (int i = 0; i < 2; ++i) {
        if (pread(opened.get(), buffer.data(), buffer.size(), 0) > 0) {
            ++counts.reads;
        } else if (errno != ENODEV && errno != ENOMEM) {
            ++counts.wrong_reads;
        }
        usleep(200);
    }
}

void read_all(const path &folder, Counts &counts) {
    for (const path &group : {folder, folder / "bomb", folder / "0"}) {
        for (const path &file : files_of(group)) {
            read_twice(file, counts);
        }
    }
}

void reset(const path &folder) {
    for (const path &group : {folder, folder / "bomb"}) {
        write_text(group / "cpuacct.usage", "0");
    }
}

void change_frequency(Counts &counts) {
    for (const char *khz : {"600000", "1200000", "2400000"}) {
        for (int cpu = 0; cpu < 2; ++cpu) {
            write_text(fmt::format("/sys/devices/system/cpu/cpufreq/policy{}/scaling_max_freq", cpu), khz);
        }
        ++counts.transitions;
        usleep(2000);
    }
}

/** Unloading may be refused for a moment, not for long. */
void unload(Modules &modules, const std::string &name) {
    for (const auto end = std::chrono::steady_clock::now() + 60s;; usleep(1000)) {
        try {
            modules.unload(name);
            return;
        } catch (const Error &error) {
            if (std::chrono::steady_clock::now() > end) {
                throw;
            }
        }
    }
}

/** A platform that comes and goes while cpuacct stays, then with it. */
void load_and_unload(Modules &modules, Counts &counts) {
    modules.load("cpuacct");
    for (int i = 0; i < 3; ++i) {
        modules.load("cpuacct_table", {table});
        usleep(20'000);
        unload(modules, "cpuacct_table");
        ++counts.loads;
    }
    unload(modules, "cpuacct");
    modules.load("cpuacct_table", {table});
    unload(modules, "cpuacct_table");
    unload(modules, "cpuacct");
    ++counts.loads;
}

nanoseconds all_frequencies(const Cgroup &group) {
    std::istringstream text(read_text(group.path() / "cpuacct.cpufreq"));
    nanoseconds all{};
    nanoseconds::rep time = 0;
    for (int khz = 0; text >> khz >> time;) {
        all += nanoseconds(time);
    }
    return all;
}

/** A group whose children may have a limit of processes, and frequencies that change when they are told to. */
struct Stage {
    explicit Stage(const std::string &name) : group(name) {
        write_text(group->path() / "cgroup.subtree_control", "+pids");
        for (int cpu = 0; cpu < 2; ++cpu) {
            write_text(fmt::format("/sys/devices/system/cpu/cpufreq/policy{}/scaling_governor", cpu), "performance");
        }
    }

    TestGroup group;
    Loaded cpufreq{"cpufreq_synthetic"};
};

} // namespace

TEST_CASE("Modules and platforms may come and go under fork bombs in groups that come and go, and readers") {
    Counts counts{};
    {
        const Stage stage("storm");
        const path folder = stage.group->path();
        Modules modules;
        {
            const std::vector<std::jthread> storm = [&] {
                std::vector<std::jthread> threads;
                threads.push_back(keep_doing([&] { make_groups(folder, counts); }));
                threads.push_back(keep_doing([&] {
                    bomb(
                        folder, [](const Task &) {}, counts);
                }));
                threads.push_back(keep_doing([&] { read_all(folder, counts); }));
                threads.push_back(keep_doing([&] { reset(folder); }));
                threads.push_back(keep_doing([&] { change_frequency(counts); }));
                return threads;
            }();
            for (const auto end = std::chrono::steady_clock::now() + length();
                 std::chrono::steady_clock::now() < end;) {
                REQUIRE_NOTHROW(load_and_unload(modules, counts));
            }
        }
        // The sums are right for what comes after the storm.
        const LoadedCpuacct cpuacct;
        const Loaded platform("cpuacct_table", {table});
        stage.group->reset_usage();
        const Cgroup child = stage.group.create_child("after");
        run_task([] { burn(50ms); }, [&](const Task &task) { child.add_process(task.pid()); });
        settle(*stage.group);
        CHECK(child.usage() >= 50ms);
        CHECK(stage.group->usage() == child.usage());
        CHECK(sum(stage.group->usage_percpu()) == child.usage());
        CHECK(all_frequencies(child) == child.usage());
        // Nothing of the module's keeps a group that was removed.
        wait_for_release(*stage.group);
    }
    counts.say();
    CHECK(counts.wrong_reads == 0);
    CHECK(counts.groups > 0);
    CHECK(counts.bombs > 0);
    CHECK(counts.reads > 0);
    CHECK(counts.transitions > 0);
}

TEST_CASE("After a storm of groups and fork bombs every figure is right to the nanosecond") {
    const LoadedCpuacct cpuacct;
    Counts counts{};
    const V1Group v1("storm");
    {
        const Stage stage("sums");
        const Loaded platform("cpuacct_table", {table});
        const path folder = stage.group->path();
        const auto place = [&](const Task &task) { v1.add_process(task.pid()); };
        {
            const std::jthread making = keep_doing([&] { make_groups(folder, counts); });
            const std::jthread reading = keep_doing([&] { read_all(folder, counts); });
            const std::jthread changing = keep_doing([&] { change_frequency(counts); });
            const std::jthread bombing = keep_doing([&] { bomb(folder, place, counts); });
            std::this_thread::sleep_for(length());
        }
        counts.say();
        settle(*stage.group);
        CHECK(stage.group->usage() > 100ms);
        CHECK(sum(stage.group->usage_percpu()) == stage.group->usage());
        CHECK(all_frequencies(*stage.group) == stage.group->usage());
        CHECK(stage.group.read("cpuacct.usage") == v1.read("cpuacct.usage"));
        CHECK(stage.group.read("cpuacct.usage_percpu") == v1.read("cpuacct.usage_percpu"));
        CHECK(counts.bombs > 0);
        CHECK(counts.wrong_reads == 0);
    }
}

TEST_CASE("Unloading is not refused while files are open and being read") {
    const TestGroup group("open");
    Counts counts{};
    Modules modules;
    modules.load("cpuacct");
    std::vector<FileDescriptor> files;
    for (const path &file : files_of(group->path())) {
        files.push_back(ballast::control::open_file(file, O_RDONLY));
    }
    CHECK(files.size() == 8);
    const std::jthread reading = keep_doing([&] { read_all(group->path(), counts); });
    wait_until([&] { return counts.reads > 20; });
    REQUIRE_NOTHROW(modules.unload("cpuacct"));
    for (const FileDescriptor &file : files) {
        char byte = 0;
        CHECK(pread(file.get(), &byte, 1, 0) == -1);
        CHECK(errno == ENODEV);
    }
    CHECK(counts.wrong_reads == 0);
}
