// SPDX-License-Identifier: GPL-2.0
#include <exception>
#include <string>
#include <vector>

// CLI11's headers depend on one another, so only this one is included whole.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "ballast/commands.hpp"

namespace {

constexpr int failed = 1;
constexpr int wrong_usage = 2;

/** CLI11 misses a command before it complains of the word in its place. */
std::string describe(const CLI::ParseError &error, const std::vector<std::string> &unknown) {
    return unknown.empty() ? error.what() : fmt::format("unknown argument '{}'", unknown.front());
}

int refuse(const std::string &message) {
    fmt::print(stderr, "ballast: {} (`ballast --help` shows the usage)\n", message);
    return wrong_usage;
}

int run(int argc, char **argv) {
    CLI::App app("Controls Ballast's kernel modules: the memory balloon, and CPU accounting of control groups.",
                 "ballast");
    app.set_version_flag("--version", "ballast " BALLAST_VERSION);
    app.set_help_all_flag("--help-all", "Print the help of all commands and exit");
    app.require_subcommand(1);
    app.footer("Exit status: 0 done, 1 failed, 2 wrong usage. More: man 8 ballast");
    add_module_commands(app);
    add_balloon_commands(app);
    add_cgroup_commands(app);
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success &success) {
        return app.exit(success);
    } catch (const CLI::ParseError &error) {
        return refuse(describe(error, app.remaining(true)));
    }
    return 0;
}

} // namespace

int main(int argc, char **argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception &error) {
        fmt::print(stderr, "ballast: {}\n", error.what());
        return failed;
    }
}
