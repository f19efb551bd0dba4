// SPDX-License-Identifier: GPL-2.0
// libballast against the real modules and a real cgroup v2 hierarchy.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <numeric>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "balloon/balloon_kvm_ioctl.h"
#include "control/balloon.hpp"
#include "control/cgroup.hpp"
#include "control/error.hpp"
#include "control/file.hpp"
#include "control/modules.hpp"
#include "guest/loaded.hpp"
#include "support/failure.hpp"

using namespace ballast::control;
using ballast::guest::Loaded;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t mib = 1 << 20;
constexpr pid_t no_process = 4194305; // one more than a process id can be

/** A group that is there for one test. */
class TestGroup {
  public:
    explicit TestGroup(const std::string &name) : group_(Cgroup::create(name)) {}
    TestGroup(const TestGroup &) = delete;
    TestGroup &operator=(const TestGroup &) = delete;
    TestGroup(TestGroup &&) = delete;
    TestGroup &operator=(TestGroup &&) = delete;
    ~TestGroup() { rmdir(group_.path().c_str()); }

    const Cgroup *operator->() const { return &group_; }

  private:
    Cgroup group_;
};

/** A guest can be very slow; what works gets to its end earlier. */
WaitOptions patient() {
    WaitOptions options;
    options.time_limit = 5min;
    options.no_progress_limit = 1min;
    return options;
}

/** A child process that is stopped until it is told to use some CPU time. */
class Child {
  public:
    Child() : pid_(fork()) {
        if (pid_ == 0) {
            raise(SIGSTOP);
            burn();
        }
        REQUIRE(waitpid(pid_, nullptr, WUNTRACED) == pid_);
    }
    Child(const Child &) = delete;
    Child &operator=(const Child &) = delete;
    Child(Child &&) = delete;
    Child &operator=(Child &&) = delete;
    ~Child() {
        if (pid_ > 0) {
            kill(pid_, SIGKILL);
            waitpid(pid_, nullptr, 0);
        }
    }

    [[nodiscard]] pid_t pid() const { return pid_; }

    /** Lets it use 200 ms of CPU time, and waits for its end. */
    void run() {
        REQUIRE(kill(pid_, SIGCONT) == 0);
        REQUIRE(waitpid(pid_, nullptr, 0) == pid_);
        pid_ = -1;
    }

  private:
    [[noreturn]] static void burn() {
        const std::clock_t end = std::clock() + CLOCKS_PER_SEC / 5;
        while (std::clock() < end) {
        }
        _exit(0);
    }

    pid_t pid_;
};

/** The caller without root's rights for as long as this lives. */
class Unprivileged {
  public:
    Unprivileged() { REQUIRE(seteuid(65534) == 0); }
    Unprivileged(const Unprivileged &) = delete;
    Unprivileged &operator=(const Unprivileged &) = delete;
    Unprivileged(Unprivileged &&) = delete;
    Unprivileged &operator=(Unprivileged &&) = delete;
    ~Unprivileged() { CHECK(seteuid(0) == 0); }
};

fs::path module_file(const std::string &name) {
    utsname kernel{};
    uname(&kernel);
    for (const auto &entry : fs::recursive_directory_iterator(fs::path("/lib/modules") / kernel.release)) {
        if (entry.path().filename() == name + ".ko") {
            return entry.path();
        }
    }
    throw std::runtime_error("the guest has no " + name + ".ko");
}

/** A copy of a module with each occurrence of some text replaced by another of the same length. */
fs::path altered_module(const std::string &name, const std::string &text, std::string_view replacement) {
    std::ifstream original(module_file(name), std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(original), {}};
    REQUIRE(text.size() == replacement.size());
    REQUIRE(bytes.find(text) != std::string::npos);
    for (auto at = bytes.find(text); at != std::string::npos; at = bytes.find(text, at + 1)) {
        bytes.replace(at, text.size(), replacement);
    }
    fs::path copy = fs::temp_directory_path() / (name + ".ko");
    std::ofstream(copy, std::ios::binary) << bytes;
    return copy;
}

std::string release() {
    utsname kernel{};
    uname(&kernel);
    return static_cast<const char *>(kernel.release);
}

} // namespace

TEST_CASE("a module is loaded by name and unloaded", "[modules]") {
    const auto *const name = GENERATE("balloon_kvm", "cpuacct");
    CAPTURE(name);
    Modules modules;
    REQUIRE_FALSE(modules.is_loaded(name));
    modules.load(name);
    CHECK(modules.is_loaded(name));
    CHECK(fs::exists(fs::path("/sys/module") / name));
    modules.unload(name);
    CHECK_FALSE(modules.is_loaded(name));
    CHECK_FALSE(fs::exists(fs::path("/sys/module") / name));
}

TEST_CASE("a module is loaded by the path of its file", "[modules]") {
    Modules modules;
    modules.load(module_file("cpuacct"));
    CHECK(modules.is_loaded("cpuacct"));
    modules.unload("cpuacct");
}

TEST_CASE("a second load is refused and leaves the first", "[modules]") {
    const Loaded balloon("balloon_kvm");
    Modules modules;
    const std::string how = GENERATE(as<std::string>{}, "balloon_kvm", module_file("balloon_kvm").native());
    CAPTURE(how);
    CHECK_THAT(failure(std::errc::file_exists, [&] { modules.load(how); }),
               ContainsSubstring("balloon_kvm: already loaded"));
    CHECK(modules.is_loaded("balloon_kvm"));
}

TEST_CASE("an unload of what is not loaded is refused", "[modules]") {
    Modules modules;
    CHECK_THAT(failure(std::errc::no_such_file_or_directory, [&] { modules.unload("balloon_kvm"); }),
               ContainsSubstring("cannot unload module balloon_kvm: it is not loaded"));
}

TEST_CASE("a module that does not exist is refused", "[modules]") {
    Modules modules;
    CHECK_THAT(failure(std::errc::no_such_file_or_directory, [&] { modules.load("balloon_xen"); }),
               ContainsSubstring("no module balloon_xen in /lib/modules/" + release()));
}

TEST_CASE("parameters reach the module", "[modules]") {
    const Loaded balloon("balloon_kvm", {"check_content=1"});
    CHECK(read_text("/sys/module/balloon_kvm/parameters/check_content") == "Y\n");
    CHECK(Balloon::find().status().content_errors == 0);
}

TEST_CASE("a parameter that the module lacks is refused before the load", "[modules]") {
    Modules modules;
    CHECK_THAT(failure(std::errc::invalid_argument, [&] { modules.load("balloon_kvm", {"check_contents=1"}); }),
               ContainsSubstring("no parameter 'check_contents'") && ContainsSubstring("it has check_content"));
    CHECK_FALSE(modules.is_loaded("balloon_kvm"));
}

TEST_CASE("a parameter's value that the module refuses is told as that", "[modules]") {
    Modules modules;
    CHECK_THAT(failure(std::errc::invalid_argument, [&] { modules.load("balloon_kvm", {"check_content=perhaps"}); }),
               ContainsSubstring("a parameter's value was refused"));
    CHECK_FALSE(modules.is_loaded("balloon_kvm"));
}

TEST_CASE("a module for another kernel is refused with both kernels' names", "[modules]") {
    // With symbol versions the kernel passes over the release and compares only the flags behind it.
    std::string other = release();
    other.front() = '9';
    const fs::path module =
        altered_module("balloon_kvm", "vermagic=" + release() + " SMP", "vermagic=" + other + " XMP");
    Modules modules;
    CHECK_THAT(failure(std::errc::executable_format_error, [&] { modules.load(module); }),
               ContainsSubstring("built for kernel " + other) && ContainsSubstring("this is " + release()));
    CHECK_FALSE(modules.is_loaded("balloon_kvm"));
}

TEST_CASE("a file that is no module is refused", "[modules]") {
    const fs::path text = fs::temp_directory_path() / "text.ko";
    std::ofstream(text) << std::string(4096, 'x');
    Modules modules;
    CHECK_THAT(failure(std::errc::executable_format_error, [&] { modules.load(text); }),
               ContainsSubstring("not a module of this kernel"));
}

TEST_CASE("without root's rights modules are neither loaded nor unloaded", "[modules]") {
    Modules modules;
    SECTION("load") {
        const Unprivileged nobody;
        CHECK_THAT(failure(std::errc::operation_not_permitted, [&] { modules.load("balloon_kvm"); }),
                   ContainsSubstring("run it as root"));
    }
    SECTION("unload") {
        const Loaded balloon("balloon_kvm");
        const Unprivileged nobody;
        CHECK_THAT(failure(std::errc::operation_not_permitted, [&] { modules.unload("balloon_kvm"); }),
                   ContainsSubstring("run it as root"));
    }
}

TEST_CASE("a module in use is not unloaded", "[modules]") {
    const Loaded balloon("balloon_kvm");
    const FileDescriptor inode = Balloon::find().open_inode();
    Modules modules;
    CHECK_THAT(failure(std::errc::device_or_resource_busy, [&] { modules.unload("balloon_kvm"); }),
               ContainsSubstring("in use"));
    CHECK(modules.is_loaded("balloon_kvm"));
}

TEST_CASE("without balloon_kvm the balloon is absent and the error says what to load", "[balloon]") {
    CHECK(Balloon::find_all().empty());
    CHECK_THAT(failure(std::errc::no_such_device, [] { Balloon::find(); }),
               ContainsSubstring("ballast load balloon_kvm"));
}

TEST_CASE("a balloon goes to its target, up and down", "[balloon]") {
    const Loaded module("balloon_kvm");
    const Balloon balloon = Balloon::find();
    CHECK(balloon.name() == "balloon-kvm");
    balloon.set_target_bytes(64 * mib);
    balloon.wait(patient());
    BalloonStatus status = balloon.status();
    CHECK(status.size_bytes == 64 * mib);
    CHECK(status.inflated >= status.size_pages);
    balloon.set_target_pages(0);
    balloon.wait(patient());
    status = balloon.status();
    CHECK(status.size_pages == 0);
    CHECK(status.deflated == status.inflated);
}

TEST_CASE("a wait reports sizes that grow up to the target", "[balloon]") {
    const Loaded module("balloon_kvm");
    const Balloon balloon = Balloon::find();
    std::vector<std::uint64_t> sizes;
    balloon.set_target_bytes(64 * mib);
    WaitOptions options = patient();
    options.report = [&](const BalloonProgress &progress) {
        CHECK(progress.target_bytes == 64 * mib);
        sizes.push_back(progress.size_bytes);
    };
    balloon.wait(options);
    REQUIRE_FALSE(sizes.empty());
    CHECK(std::is_sorted(sizes.begin(), sizes.end()));
    CHECK(sizes.back() == 64 * mib);
}

TEST_CASE("a target beyond the machine's memory is refused and the old one stays", "[balloon]") {
    const Loaded module("balloon_kvm");
    const Balloon balloon = Balloon::find();
    balloon.set_target_bytes(4 * mib);
    const std::uint64_t absurd = GENERATE(1ULL << 40, ~0ULL);
    CAPTURE(absurd);
    CHECK_THAT(failure(std::errc::result_out_of_range, [&] { balloon.set_target_bytes(absurd); }),
               ContainsSubstring("this machine has") && ContainsSubstring("of memory"));
    CHECK_THAT(failure(std::errc::result_out_of_range, [&] { balloon.set_target_pages(absurd); }),
               ContainsSubstring("this machine has") && ContainsSubstring("of memory"));
    CHECK(balloon.status().target_bytes == 4 * mib);
}

TEST_CASE("a target is not set without root's rights", "[balloon]") {
    const Loaded module("balloon_kvm");
    const Balloon balloon = Balloon::find();
    const Unprivileged nobody;
    CHECK_THAT(failure(std::errc::permission_denied, [&] { balloon.set_target_bytes(mib); }),
               ContainsSubstring("run it as root"));
}

TEST_CASE("a wait past its time limit says how far the balloon got", "[balloon]") {
    // It never gets there, since so much memory is never free.
    const Loaded module("balloon_kvm", {"min_free=1T"});
    const Balloon balloon = Balloon::find();
    balloon.set_target_bytes(200 * mib);
    WaitOptions options;
    options.time_limit = 0ms;
    CHECK_THAT(failure(std::errc::timed_out, [&] { balloon.wait(options); }), ContainsSubstring("of 200 MiB"));
}

TEST_CASE("a content check finds every page intact", "[balloon]") {
    const Loaded module("balloon_kvm", {"check_content=1"});
    const Balloon balloon = Balloon::find();
    balloon.set_target_bytes(16 * mib);
    balloon.wait(patient());
    CHECK(balloon.check_content() == 0);
}

TEST_CASE("a content check is refused where the module keeps no content", "[balloon]") {
    const Loaded module("balloon_kvm");
    const Balloon balloon = Balloon::find();
    CHECK_THAT(failure(std::errc::not_supported, [&] { static_cast<void>(balloon.check_content()); }),
               ContainsSubstring("check_content=1"));
}

TEST_CASE("the balloon's inode lies in its own file system", "[balloon]") {
    const Loaded module("balloon_kvm");
    const FileDescriptor inode = Balloon::find().open_inode();
    struct statfs file_system {};
    REQUIRE(fstatfs(inode.get(), &file_system) == 0);
    CHECK(file_system.f_type == BALLOON_KVM_MAGIC);
}

TEST_CASE("a group that does not exist is refused", "[cgroup]") {
    CHECK_THAT(failure(std::errc::no_such_file_or_directory, [] { Cgroup::open("no/such/group"); }),
               ContainsSubstring("no such cgroup: /sys/fs/cgroup/no/such/group"));
}

TEST_CASE("a process is moved to a group", "[cgroup]") {
    const TestGroup group("control-move");
    const Child child;
    group->add_process(child.pid());
    CHECK(read_text("/proc/" + std::to_string(child.pid()) + "/cgroup") == "0::" + group->name() + "\n");
}

TEST_CASE("a process that does not exist is not moved", "[cgroup]") {
    const TestGroup group("control-nobody");
    CHECK_THAT(failure(std::errc::no_such_process, [&] { group->add_process(no_process); }),
               ContainsSubstring("no such process"));
}

TEST_CASE("a group with a process in it is not removed", "[cgroup]") {
    const TestGroup group("control-busy");
    const Child child;
    group->add_process(child.pid());
    CHECK_THAT(failure(std::errc::device_or_resource_busy, [&] { group->remove(); }),
               ContainsSubstring("still has processes"));
}

TEST_CASE("without cpuacct a group's usage is refused and the error says what to load", "[cgroup]") {
    const TestGroup group("control-plain");
    CHECK_THAT(failure(std::errc::no_such_file_or_directory, [&] { static_cast<void>(group->usage()); }),
               ContainsSubstring("ballast load cpuacct"));
    CHECK(group->cpu_stat().usage == 0ns);
}

TEST_CASE("a group's usage is read in every form and reset", "[cgroup]") {
    const Loaded module("cpuacct");
    const TestGroup group("control-usage");
    Child child;
    group->add_process(child.pid());
    child.run();
    const std::vector<std::chrono::nanoseconds> percpu = group->usage_percpu();
    CHECK(percpu.size() == static_cast<std::size_t>(sysconf(_SC_NPROCESSORS_CONF)));
    CHECK(std::accumulate(percpu.begin(), percpu.end(), 0ns) > 100ms);
    CHECK(group->usage() > 100ms);
    CHECK(group->stat().user + group->stat().system > 100ms);
    CHECK(group->cpu_stat().usage > 100ms);
    const auto before = group->cpu_stat().usage;
    group->reset_usage();
    // The child's last moments may be charged after its end.
    const auto usage = group->usage();
    CHECK(usage <= group->cpu_stat().usage + 1us - before);
    CHECK(group->cpu_stat().usage > 100ms);
}
