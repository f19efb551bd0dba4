// SPDX-License-Identifier: GPL-2.0
// What `ballast` says and answers before it touches the machine.
#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "support/process.hpp"

using ballast::test::Outcome;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

namespace {

Outcome run_ballast(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), BALLAST);
    return ballast::test::run(arguments);
}

struct Misuse {
    std::vector<std::string> arguments;
    std::string complaint;
};

} // namespace

TEST_CASE("wrong usage ends with status 2 and one line that says what is wrong", "[usage]") {
    const auto misuse = GENERATE(
        Misuse{{}, "subcommand is required"}, Misuse{{"inflate"}, "'inflate'"}, Misuse{{"--loud"}, "'--loud'"},
        Misuse{{"load"}, "MODULE is required"}, Misuse{{"unload"}, "MODULE is required"},
        Misuse{{"unload", "balloon_kvm", "cpuacct"}, "'cpuacct'"}, Misuse{{"balloon"}, "subcommand is required"},
        Misuse{{"balloon", "status", "now"}, "'now'"}, Misuse{{"balloon", "set"}, "SIZE"},
        Misuse{{"balloon", "set", "-5M"}, "'-5M' is negative"},
        Misuse{{"balloon", "set", "-5M", "--wait"}, "'-5M' is negative"},
        Misuse{{"balloon", "set", "--pages", "-5"}, "'-5' is negative"},
        Misuse{{"balloon", "set", "--pages=-5"}, "'-5' is negative"},
        Misuse{{"balloon", "set", "--pages", "5M"}, "'5M' is not a number"},
        Misuse{{"balloon", "set", "half"}, "'half' is not a size"},
        Misuse{{"balloon", "set", "5M", "--pages", "5"}, "either SIZE"},
        Misuse{{"balloon", "set", "99999999999999999999"}, "64 bits"},
        Misuse{{"balloon", "set", "5M", "--timeout", "5"}, "--wait"},
        Misuse{{"balloon", "set", "5M", "--wait", "--timeout", "0"}, "'0' is not a number of seconds above 0"},
        Misuse{{"balloon", "set", "5M", "--wait", "--timeout", "nan"}, "'nan' is not a number of seconds above 0"},
        Misuse{{"cgroup", "show"}, "GROUP is required"}, Misuse{{"cgroup", "reset"}, "GROUP is required"},
        Misuse{{"cgroup", "run", "work"}, "COMMAND is required"});
    CAPTURE(misuse.arguments);
    const Outcome outcome = run_ballast(misuse.arguments);
    CHECK(outcome.status == 2);
    CHECK(outcome.output.empty());
    CHECK_THAT(outcome.errors, StartsWith("ballast: ") && ContainsSubstring(misuse.complaint));
    CHECK(std::count(outcome.errors.begin(), outcome.errors.end(), '\n') == 1);
}

TEST_CASE("the help names every command and the exit statuses", "[usage]") {
    const Outcome outcome = run_ballast({"--help"});
    CHECK(outcome.status == 0);
    CHECK(outcome.errors.empty());
    for (const char *word : {"load", "unload", "balloon", "cgroup", "--version", "Exit status"}) {
        CHECK_THAT(outcome.output, ContainsSubstring(word));
    }
}

TEST_CASE("the version is printed alone", "[usage]") {
    const Outcome outcome = run_ballast({"--version"});
    CHECK(outcome.status == 0);
    CHECK_THAT(outcome.output, StartsWith("ballast ") && ContainsSubstring("."));
}

TEST_CASE("a failure ends with status 1 and one line", "[usage]") {
    const Outcome outcome = run_ballast({"load", "/nowhere/balloon_kvm.ko"});
    CHECK(outcome.status == 1);
    CHECK(outcome.output.empty());
    CHECK(outcome.errors == "ballast: cannot open /nowhere/balloon_kvm.ko: No such file or directory\n");
}
