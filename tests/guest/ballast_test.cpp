// SPDX-License-Identifier: GPL-2.0
// The `ballast` command against the real modules; what libballast alone decides is in control_test.cpp.
#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <nlohmann/json.hpp>

#include "control/balloon.hpp"
#include "control/cgroup.hpp"
#include "control/modules.hpp"
#include "guest/loaded.hpp"
#include "support/process.hpp"

using ballast::control::Balloon;
using ballast::control::Cgroup;
using ballast::control::Modules;
using ballast::guest::Loaded;
using ballast::test::Outcome;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

namespace {

constexpr std::uint64_t mib = 1 << 20;

Outcome run_ballast(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "ballast");
    return ballast::test::run(arguments, std::chrono::minutes(5));
}

std::string succeed(const std::vector<std::string> &arguments) {
    const Outcome outcome = run_ballast(arguments);
    CAPTURE(outcome.errors);
    REQUIRE(outcome.status == 0);
    return outcome.output;
}

/** What it says when it fails, one line. */
std::string fail(const std::vector<std::string> &arguments) {
    const Outcome outcome = run_ballast(arguments);
    CHECK(outcome.status == 1);
    CHECK(outcome.output.empty());
    CHECK_THAT(outcome.errors, StartsWith("ballast: "));
    CHECK(std::count(outcome.errors.begin(), outcome.errors.end(), '\n') == 1);
    return outcome.errors;
}

} // namespace

TEST_CASE("ballast loads a module once and unloads it once", "[ballast]") {
    const Modules modules;
    succeed({"load", "balloon_kvm", "check_content=1"});
    CHECK(modules.is_loaded("balloon_kvm"));
    CHECK_THAT(fail({"load", "balloon_kvm"}), ContainsSubstring("already loaded"));
    succeed({"unload", "balloon_kvm"});
    CHECK_FALSE(modules.is_loaded("balloon_kvm"));
    CHECK_THAT(fail({"unload", "balloon_kvm"}), ContainsSubstring("not loaded"));
}

TEST_CASE("without the modules ballast says which to load", "[ballast]") {
    CHECK_THAT(fail({"balloon", "status"}), ContainsSubstring("ballast load balloon_kvm"));
    CHECK_THAT(fail({"balloon", "status", "--json"}), ContainsSubstring("ballast load balloon_kvm"));
    CHECK_THAT(fail({"balloon", "set", "4M"}), ContainsSubstring("ballast load balloon_kvm"));
    CHECK_THAT(fail({"balloon", "check"}), ContainsSubstring("ballast load balloon_kvm"));
    CHECK_THAT(fail({"cgroup", "show", "/"}), ContainsSubstring("ballast load cpuacct"));
    CHECK_THAT(fail({"cgroup", "reset", "/"}), ContainsSubstring("ballast load cpuacct"));
}

TEST_CASE("ballast balloon set --wait returns when the target is reached", "[ballast]") {
    const Loaded module("balloon_kvm");
    succeed({"balloon", "set", "32M", "--wait"});
    CHECK(Balloon::find().status().size_bytes == 32 * mib);
    succeed({"balloon", "set", "--pages", "100", "--wait"});
    CHECK(Balloon::find().status().size_pages == 100);
}

TEST_CASE("ballast balloon set refuses more than the machine has", "[ballast]") {
    const Loaded module("balloon_kvm");
    CHECK_THAT(fail({"balloon", "set", "900T"}), ContainsSubstring("900 TiB: this machine has"));
    CHECK(Balloon::find().status().target_pages == 0);
}

TEST_CASE("ballast balloon set --timeout fails when the time is over", "[ballast]") {
    // It never gets there, since so much memory is never free.
    const Loaded module("balloon_kvm", {"min_free=1T"});
    const Outcome outcome = run_ballast({"balloon", "set", "200M", "--wait", "--timeout", "0.001"});
    CHECK(outcome.status == 1);
    CHECK_THAT(outcome.errors, ContainsSubstring("did not reach its target"));
    CHECK(Balloon::find().status().target_bytes == 200 * mib);
}

TEST_CASE("ballast balloon status as JSON holds what sysfs holds", "[ballast]") {
    const Loaded module("balloon_kvm", {"check_content=1"});
    succeed({"balloon", "set", "8M", "--wait"});
    const auto json = nlohmann::json::parse(succeed({"balloon", "status", "--json"})).at("balloons").at(0);
    CHECK(json.at("name") == "balloon-kvm");
    CHECK(json.at("target_bytes") == 8 * mib);
    CHECK(json.at("size_bytes") == 8 * mib);
    CHECK(json.at("size_pages") == json.at("target_pages"));
    CHECK(json.at("inflated") >= json.at("size_pages"));
    CHECK(json.at("content_errors") == 0);
    for (const char *counter : {"deflated", "migrated", "inflate_failed", "isolated_now", "min_free_bytes",
                                "min_free_stops", "huge_now", "huge_fallback", "huge_split"}) {
        CHECK(json.at(counter).is_number_unsigned());
    }
    // Files that are there where the balloon is told of it.
    for (const char *counter : {"isolated", "putback"}) {
        CHECK(json.at(counter).is_null() != std::filesystem::exists(Balloon::find().group() / counter));
    }
}

TEST_CASE("ballast balloon status tells people the size", "[ballast]") {
    const Loaded module("balloon_kvm");
    succeed({"balloon", "set", "8M", "--wait"});
    CHECK_THAT(succeed({"balloon", "status"}), ContainsSubstring("balloon balloon-kvm: target reached") &&
                                                   ContainsSubstring("8 MiB") && ContainsSubstring("2048 pages"));
}

TEST_CASE("ballast balloon check says how many pages are intact", "[ballast]") {
    const Loaded module("balloon_kvm", {"check_content=1"});
    succeed({"balloon", "set", "8M", "--wait"});
    CHECK_THAT(succeed({"balloon", "check"}), ContainsSubstring("2048 pages hold what the balloon put there"));
}

TEST_CASE("ballast cgroup run charges the command to the group, show and reset its usage", "[ballast]") {
    const Loaded module("cpuacct");
    const std::string busy = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; exit 7";
    const Outcome outcome = run_ballast({"cgroup", "run", "ballast-test", "--", "sh", "-c", busy});
    CHECK(outcome.status == 7);
    const Cgroup group = Cgroup::open("ballast-test");
    // The command's last moments may be charged after its end.
    const auto usage = group.usage().count();
    const auto cpu_stat = group.cpu_stat().usage.count();
    const auto json = nlohmann::json::parse(succeed({"cgroup", "show", "ballast-test", "--json"}));
    CHECK(json.at("group") == "/ballast-test");
    CHECK(json.at("usage_ns") >= usage);
    CHECK(json.at("usage_ns") <= group.usage().count());
    CHECK(json.at("cpu_stat_usage_ns") >= cpu_stat);
    CHECK(json.at("cpu_stat_usage_ns") <= group.cpu_stat().usage.count());
    CHECK(json.at("usage_percpu_ns").size() == group.usage_percpu().size());
    CHECK(json.at("usage_ns") > 0);
    CHECK_THAT(succeed({"cgroup", "show", "ballast-test"}),
               ContainsSubstring("cgroup /ballast-test") && ContainsSubstring("CPU "));
    succeed({"cgroup", "reset", "ballast-test"});
    CHECK(group.usage().count() == 0);
    group.remove();
}

TEST_CASE("ballast cgroup show refuses a group that does not exist", "[ballast]") {
    const Loaded module("cpuacct");
    CHECK_THAT(fail({"cgroup", "show", "no/such/group"}),
               ContainsSubstring("no such cgroup: /sys/fs/cgroup/no/such/group"));
}

TEST_CASE("ballast cgroup run fails when there is no such command", "[ballast]") {
    CHECK_THAT(fail({"cgroup", "run", "ballast-none", "--", "no-such-command"}),
               ContainsSubstring("cannot run no-such-command"));
    Cgroup::open("ballast-none").remove();
}
