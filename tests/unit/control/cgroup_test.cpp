// SPDX-License-Identifier: GPL-2.0
#include "control/cgroup.hpp"

#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <unistd.h>

#include "support/failure.hpp"
#include "support/folder.hpp"

using ballast::control::Cgroup;
using ballast::control::find_cgroup2;
using Catch::Matchers::ContainsSubstring;
using namespace std::chrono_literals;

namespace {

/** A hierarchy with the group work/build and its files, in the formats of cgroup v1's cpuacct. */
void lay_out(const Folder &hierarchy) {
    hierarchy.write("cpuacct.usage", "9000000000\n");
    hierarchy.write("work/build/cpuacct.usage", "1234567890123\n");
    hierarchy.write("work/build/cpuacct.usage_percpu", "1234000000000 567890123 0 \n");
    hierarchy.write("work/build/cpuacct.stat", "user 150\nsystem 25\n");
    hierarchy.write("work/build/cpu.stat", "usage_usec 1234567890\nuser_usec 1000000000\nsystem_usec 234567890\n"
                                           "nr_periods 0\n");
}

} // namespace

TEST_CASE("cgroup2 is found among the mounts", "[cgroup]") {
    const Folder proc;
    proc.write("mountinfo", "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
                            "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
                            "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:9 master:2 - cgroup2 none rw\n");
    CHECK(find_cgroup2(proc.path() / "mountinfo") == "/sys/fs/cgroup/unified");
}

TEST_CASE("white space in the mount point of cgroup2 is unescaped", "[cgroup]") {
    const Folder proc;
    proc.write("mountinfo", "41 31 0:38 / /mnt/my\\040groups\\134 rw - cgroup2 cgroup2 rw\n");
    CHECK(find_cgroup2(proc.path() / "mountinfo") == "/mnt/my groups\\");
}

TEST_CASE("without a cgroup2 mount the error says how to mount it", "[cgroup]") {
    const Folder proc;
    proc.write("mountinfo", "32 31 0:29 / /sys/fs/cgroup/cgroup2 rw - cgroup cgroup rw,cpu\n");
    CHECK_THAT(failure(std::errc::no_such_device, [&] { find_cgroup2(proc.path() / "mountinfo"); }),
               ContainsSubstring("mount -t cgroup2"));
}

TEST_CASE("a group has one name, however it is asked for", "[cgroup]") {
    const Folder hierarchy;
    lay_out(hierarchy);
    const auto asked = GENERATE(as<std::string>{}, "work/build", "/work/build", "work/build/", "./work/../work//build");
    CAPTURE(asked);
    const auto group = Cgroup::open(asked, hierarchy.path());
    CHECK(group.name() == "/work/build");
    CHECK(group.path() == hierarchy.path() / "work/build");
}

TEST_CASE("a group can be given by its path below the mount", "[cgroup]") {
    const Folder hierarchy;
    lay_out(hierarchy);
    CHECK(Cgroup::open((hierarchy.path() / "work/build").native(), hierarchy.path()).name() == "/work/build");
}

TEST_CASE("the root group is a slash", "[cgroup]") {
    const Folder hierarchy;
    lay_out(hierarchy);
    const auto root = Cgroup::open("/", hierarchy.path());
    CHECK(root.name() == "/");
    CHECK(root.usage() == 9s);
}

TEST_CASE("a group that is not there is refused with its path", "[cgroup]") {
    const Folder hierarchy;
    lay_out(hierarchy);
    const auto message =
        failure(std::errc::no_such_file_or_directory, [&] { Cgroup::open("work/absent", hierarchy.path()); });
    CHECK_THAT(message, ContainsSubstring("no such cgroup: " + (hierarchy.path() / "work/absent").native()));
}

TEST_CASE("a file of the hierarchy is no group", "[cgroup]") {
    const Folder hierarchy;
    lay_out(hierarchy);
    failure(std::errc::no_such_file_or_directory, [&] { Cgroup::open("work/build/cpu.stat", hierarchy.path()); });
}

TEST_CASE("a name that leaves the hierarchy is refused", "[cgroup]") {
    const Folder hierarchy;
    lay_out(hierarchy);
    const auto asked = GENERATE(as<std::string>{}, "", "..", "work/../../..", "../etc");
    CAPTURE(asked);
    failure(std::errc::invalid_argument, [&] { Cgroup::open(asked, hierarchy.path()); });
}

TEST_CASE("usage is read in total and per CPU", "[cgroup]") {
    const Folder hierarchy;
    lay_out(hierarchy);
    const auto group = Cgroup::open("work/build", hierarchy.path());
    CHECK(group.usage() == 1234567890123ns);
    CHECK(group.usage_percpu() == std::vector{1234000000000ns, 567890123ns, 0ns});
}

TEST_CASE("cpuacct.stat counts clock ticks", "[cgroup]") {
    const Folder hierarchy;
    lay_out(hierarchy);
    const auto times = Cgroup::open("work/build", hierarchy.path()).stat();
    const auto ticks_per_second = sysconf(_SC_CLK_TCK);
    CHECK(times.user == std::chrono::nanoseconds(150s) / ticks_per_second);
    CHECK(times.system == std::chrono::nanoseconds(25s) / ticks_per_second);
}

TEST_CASE("cpu.stat counts microseconds", "[cgroup]") {
    const Folder hierarchy;
    lay_out(hierarchy);
    const auto stat = Cgroup::open("work/build", hierarchy.path()).cpu_stat();
    CHECK(stat.usage == 1234567890us);
    CHECK(stat.user == 1000000000us);
    CHECK(stat.system == 234567890us);
}

TEST_CASE("a cpu.stat without the usage line is refused", "[cgroup]") {
    const Folder hierarchy;
    lay_out(hierarchy);
    hierarchy.write("work/build/cpu.stat", "nr_periods 0\n");
    const auto group = Cgroup::open("work/build", hierarchy.path());
    CHECK_THAT(failure(std::errc::invalid_argument, [&] { static_cast<void>(group.cpu_stat()); }),
               ContainsSubstring("usage_usec"));
}

TEST_CASE("a reset writes 0 to the usage", "[cgroup]") {
    const Folder hierarchy;
    lay_out(hierarchy);
    Cgroup::open("work/build", hierarchy.path()).reset_usage();
    CHECK(hierarchy.read("work/build/cpuacct.usage").starts_with("0"));
}

TEST_CASE("without cpuacct's files anywhere the error says which module to load", "[cgroup]") {
    const Folder hierarchy;
    hierarchy.write("work/cpu.stat", "usage_usec 0\n");
    const auto group = Cgroup::open("work", hierarchy.path());
    CHECK_THAT(failure(std::errc::no_such_file_or_directory, [&] { static_cast<void>(group.usage()); }),
               ContainsSubstring("ballast load cpuacct"));
}

TEST_CASE("a group alone without cpuacct's files is told from an absent module", "[cgroup]") {
    const Folder hierarchy;
    lay_out(hierarchy);
    hierarchy.write("new/cpu.stat", "usage_usec 0\n");
    const auto group = Cgroup::open("new", hierarchy.path());
    CHECK_THAT(failure(std::errc::no_such_file_or_directory, [&] { static_cast<void>(group.usage()); }),
               ContainsSubstring("cgroup.subtree_control") && !ContainsSubstring("ballast load"));
}

TEST_CASE("a group is created once and removed once", "[cgroup]") {
    const Folder hierarchy;
    const auto group = Cgroup::create("fresh", hierarchy.path());
    CHECK(std::filesystem::is_directory(hierarchy.path() / "fresh"));
    CHECK_THAT(failure(std::errc::file_exists, [&] { Cgroup::create("fresh", hierarchy.path()); }),
               ContainsSubstring("exists"));
    group.remove();
    CHECK_FALSE(std::filesystem::exists(hierarchy.path() / "fresh"));
    CHECK_THAT(failure(std::errc::no_such_file_or_directory, [&] { group.remove(); }),
               ContainsSubstring("no such cgroup"));
}

TEST_CASE("a group without a parent is not created", "[cgroup]") {
    const Folder hierarchy;
    CHECK_THAT(failure(std::errc::no_such_file_or_directory, [&] { Cgroup::create("a/b", hierarchy.path()); }),
               ContainsSubstring("parent"));
}
