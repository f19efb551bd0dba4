// SPDX-License-Identifier: GPL-2.0
#include "control/modules.hpp"

#include <cerrno>

#include <catch2/catch_test_macros.hpp>

#include "control/module_errors.hpp"
#include "support/failure.hpp"
#include "support/folder.hpp"

using ballast::control::explain;
using ballast::control::LoadFailure;
using ballast::control::Modules;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string explained(const LoadFailure &failure) {
    return explain(failure).what();
}

} // namespace

TEST_CASE("a module that no index holds is refused by name", "[modules]") {
    const Folder index;
    Modules modules(index.path());
    const auto message = failure(std::errc::no_such_file_or_directory, [&] { modules.load("ballast_no_such_module"); });
    CHECK_THAT(message, ContainsSubstring("no module ballast_no_such_module in " + index.path().native()));
}

TEST_CASE("a module file that is not there is refused with its path", "[modules]") {
    const Folder folder;
    Modules modules;
    const std::string path = folder.path() / "absent.ko";
    CHECK_THAT(failure(std::errc::no_such_file_or_directory, [&] { modules.load(path); }),
               ContainsSubstring("cannot open " + path));
}

TEST_CASE("a module that was never loaded is not loaded", "[modules]") {
    CHECK_FALSE(Modules().is_loaded("ballast_no_such_module"));
}

TEST_CASE("a load of what is loaded says how to load it anew", "[modules]") {
    const auto error = explain({.error_number = EEXIST, .module = "balloon_kvm", .vermagic = {}, .release = {}});
    CHECK(error.code() == std::errc::file_exists);
    CHECK_THAT(error.what(), ContainsSubstring("already loaded") && ContainsSubstring("ballast unload balloon_kvm"));
}

TEST_CASE("a module for another kernel names both kernels", "[modules]") {
    CHECK_THAT(explained({.error_number = ENOEXEC,
                          .module = "cpuacct",
                          .vermagic = "6.1.0-50-amd64 SMP preempt mod_unload",
                          .release = "6.1.0-56-amd64"}),
               ContainsSubstring("built for kernel 6.1.0-50-amd64") && ContainsSubstring("this is 6.1.0-56-amd64"));
}

TEST_CASE("a module for this kernel's release but of another configuration is told from one for another", "[modules]") {
    CHECK_THAT(explained({.error_number = ENOEXEC,
                          .module = "cpuacct",
                          .vermagic = "6.1.0-56-amd64 preempt",
                          .release = "6.1.0-56-amd64"}),
               ContainsSubstring("other headers"));
}

TEST_CASE("the reasons of a forbidden load are told apart", "[modules]") {
    LoadFailure refused{.error_number = EPERM, .module = "cpuacct", .vermagic = {}, .release = {}};
    SECTION("no privilege") {
        refused.privileged = false;
        refused.locked_down = true;
        CHECK_THAT(explained(refused), ContainsSubstring("run it as root"));
    }
    SECTION("lockdown") {
        refused.locked_down = true;
        CHECK_THAT(explained(refused), ContainsSubstring("locked down") && ContainsSubstring("signed"));
    }
    SECTION("modules turned off") {
        refused.modules_disabled = true;
        CHECK_THAT(explained(refused), ContainsSubstring("modules_disabled"));
    }
    SECTION("signature") {
        refused.error_number = EKEYREJECTED;
        CHECK_THAT(explained(refused), ContainsSubstring("signature"));
    }
}
