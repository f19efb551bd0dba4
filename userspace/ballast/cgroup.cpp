// SPDX-License-Identifier: GPL-2.0
#include "control/cgroup.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "ballast/commands.hpp"
#include "control/error.hpp"

using namespace ballast::control;
using std::chrono::nanoseconds;

namespace {

struct Arguments {
    std::string group;
    std::vector<std::string> command;
    bool json = false;
};

struct Figures {
    nanoseconds usage;
    std::vector<nanoseconds> percpu;
    CpuTimes times;
    CpuStat core;
};

Figures read(const Cgroup &group) {
    return {.usage = group.usage(), .percpu = group.usage_percpu(), .times = group.stat(), .core = group.cpu_stat()};
}

void print_json(const Cgroup &group, const Figures &figures) {
    nlohmann::ordered_json percpu = nlohmann::ordered_json::array();
    for (const nanoseconds usage : figures.percpu) {
        percpu.push_back(usage.count());
    }
    const nlohmann::ordered_json json{
        {"group", group.name()},
        {"usage_ns", figures.usage.count()},
        {"usage_percpu_ns", percpu},
        {"user_ns", figures.times.user.count()},
        {"system_ns", figures.times.system.count()},
        {"cpu_stat_usage_ns", figures.core.usage.count()},
        {"cpu_stat_user_ns", figures.core.user.count()},
        {"cpu_stat_system_ns", figures.core.system.count()},
    };
    fmt::print("{}\n", json.dump(2));
}

double seconds(nanoseconds time) {
    return std::chrono::duration<double>(time).count();
}

void print(const Cgroup &group, const Figures &figures) {
    fmt::print("cgroup {}: CPU time in seconds\n", group.name());
    fmt::print("            {:>14}  {:>14}\n", "cpuacct", "cpu.stat");
    const auto row = [](const char *name, nanoseconds ours, nanoseconds core) {
        fmt::print("  {:<10}{:>14.6f}  {:>14.6f}\n", name, seconds(ours), seconds(core));
    };
    row("usage", figures.usage, figures.core.usage);
    row("user", figures.times.user, figures.core.user);
    row("system", figures.times.system, figures.core.system);
    for (std::size_t cpu = 0; cpu < figures.percpu.size(); cpu++) {
        if (figures.percpu[cpu].count() > 0) {
            fmt::print("  {:<10}{:>14.6f}\n", fmt::format("CPU {}", cpu), seconds(figures.percpu[cpu]));
        }
    }
    const auto idle = std::count(figures.percpu.begin(), figures.percpu.end(), nanoseconds::zero());
    if (idle > 0) {
        fmt::print("  {} of {} CPUs: none\n", idle, figures.percpu.size());
    }
}

void show(const Arguments &arguments) {
    const Cgroup group = Cgroup::open(arguments.group);
    const Figures figures = read(group);
    if (arguments.json) {
        print_json(group, figures);
    } else {
        print(group, figures);
    }
}

/** Creates before it opens: of two that do so at once, both get the group. */
Cgroup create_or_open(const std::string &name) {
    try {
        return Cgroup::create(name);
    } catch (const Error &error) {
        if (error.code() != std::errc::file_exists) {
            throw;
        }
        return Cgroup::open(name);
    }
}

/** Becomes the command, in the group; the group stays when it has ended. */
void run(const Arguments &arguments) {
    std::vector<std::string> command = arguments.command;
    create_or_open(arguments.group).add_process(0);
    std::vector<char *> argv;
    std::transform(command.begin(), command.end(), std::back_inserter(argv),
                   [](std::string &word) { return word.data(); });
    argv.push_back(nullptr);
    execvp(argv.front(), argv.data());
    const int error_number = errno;
    throw Error(static_cast<std::errc>(error_number),
                fmt::format("cannot run {}: {}", command.front(), describe(error_number)));
}

} // namespace

void add_cgroup_commands(CLI::App &ballast) {
    const auto arguments = std::make_shared<Arguments>();
    CLI::App *cgroup =
        ballast.add_subcommand("cgroup", "Show and reset the CPU time of control groups (module cpuacct)");
    cgroup->require_subcommand(1);
    const auto add = [&](const char *name, const char *description) {
        CLI::App *command = cgroup->add_subcommand(name, description);
        command->add_option("GROUP", arguments->group, "Below the cgroup2 mount, such as system.slice; / is the root")
            ->required();
        return command;
    };

    CLI::App *show_command =
        add("show", "Show its CPU time: in total, by CPU, user and system, and cpu.stat's beside it");
    show_command->add_flag("--json", arguments->json, "As JSON");
    show_command->callback([arguments] { show(*arguments); });

    CLI::App *reset = add("reset", "Set its CPU usage back to 0");
    reset->callback([arguments] { Cgroup::open(arguments->group).reset_usage(); });

    CLI::App *run_command = add("run", "Run a command in it; a group that is not there is made");
    run_command->add_option("COMMAND", arguments->command, "The command and its arguments, after --")->required();
    run_command->callback([arguments] { run(*arguments); });
}
