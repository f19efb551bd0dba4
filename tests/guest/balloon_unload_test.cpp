// SPDX-License-Identifier: GPL-2.0
// Loading and unloading: whatever happens, nothing is left.
#include <filesystem>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>

#include "balloon/balloon_kvm_ioctl.h"
#include "balloon_fixture.hpp"
#include "control/file.hpp"
#include "failing_call.hpp"
#include "loaded.hpp"
#include "machine.hpp"
#include "support/failure.hpp"
#include "support/file.hpp"
#include "support/folder.hpp"

using namespace ballast::guest;
using ballast::control::FileDescriptor;
using ballast::control::Modules;
using ballast::control::open_file;

namespace {

void check_nothing_left() {
    CHECK_FALSE(holds_line_with("/proc/filesystems", "balloon-kvm"));
    CHECK_FALSE(holds_line_with("/proc/modules", "balloon_kvm"));
    CHECK_FALSE(holds_line_with("/proc/misc", "balloon-kvm"));
    CHECK_FALSE(std::filesystem::exists("/dev/balloon-kvm"));
    CHECK_FALSE(std::filesystem::exists("/sys/class/misc/balloon-kvm"));
    CHECK_FALSE(std::filesystem::exists("/sys/module/balloon_kvm"));
}

bool has_parameter(const std::string &module, const std::string &parameter) {
    const Loaded loaded(module);
    return std::filesystem::exists("/sys/module/" + module + "/parameters/" + parameter);
}

std::string release() {
    utsname name{};
    REQUIRE(uname(&name) == 0);
    return name.release;
}

} // namespace

TEST_CASE("after unloading nothing is left, and the machine has its memory back") {
    const auto zones = managed_pages();
    const auto free = free_memory();
    {
        LoadedBalloon balloon({"check_content=1"});
        balloon.resize(64 * mib);
        balloon.unload();
    }
    check_nothing_left();
    CHECK(managed_pages() == zones);
    // What was freed may take a while.
    wait_until([&] { return free_memory() > free - 8 * mib; });
}

TEST_CASE("many loads leak neither memory nor inodes") {
    constexpr int turns = 20;
    const auto inodes = [] { return number_of("/proc/sys/fs/inode-nr", ""); };
    const auto run = [] {
        const LoadedBalloon balloon({"check_content=1"});
        balloon.resize(16 * mib);
        const FileDescriptor device = open_file("/dev/balloon-kvm", O_RDONLY);
        const FileDescriptor fd(ioctl(device.get(), BALLOON_KVM_GET_FD));
        CHECK(fd.get() >= 0);
    };
    run();
    const auto free = free_memory();
    const auto zones = managed_pages();
    const auto inodes_before = inodes();
    for (int turn = 0; turn < turns; ++turn) {
        run();
    }
    CHECK(managed_pages() == zones);
    // A leak of one balloon would be twice that. What was freed may take a while.
    wait_until([&] {
        drop_caches();
        return inodes() < inodes_before + turns / 2 && free_memory() > free - 8 * mib;
    });
}

TEST_CASE("a module that is loaded already is refused") {
    const LoadedBalloon balloon;
    Modules modules;
    failure(std::errc::file_exists, [&] { modules.load("balloon_kvm"); });
}

TEST_CASE("unloading while the balloon inflates gives all back") {
    const auto zones = managed_pages();
    for (int turn = 0; turn < 10; ++turn) {
        LoadedBalloon balloon;
        balloon.get().set_target_bytes(memory("MemAvailable") / 2);
        wait_until([&] { return balloon.get().status().size_pages > 0; });
        balloon.unload();
        check_nothing_left();
    }
    CHECK(managed_pages() == zones);
}

TEST_CASE("unloading while the kernel moves pages gives all back") {
    const auto zones = managed_pages();
    {
        const Background compaction(compact_memory);
        for (int turn = 0; turn < 10; ++turn) {
            LoadedBalloon balloon({"check_content=1"});
            balloon.resize(32 * mib);
            CHECK(balloon.get().status().content_errors == 0);
            balloon.unload();
            check_nothing_left();
        }
    }
    CHECK(managed_pages() == zones);
}

TEST_CASE("unloading while a memory block goes offline gives all back") {
    const auto blocks = MemoryBlock::find_movable();
    const auto zones = managed_pages();
    const bool blocks_move = LoadedBalloon().isolates_pages();
    for (int turn = 0; turn < 5; ++turn) {
        LoadedBalloon balloon({"check_content=1", blocks_move ? "huge=1" : "huge=0"});
        balloon.resize(memory("MemAvailable") / 2);
        {
            const Background offlining([&] {
                for (const auto &block : blocks) {
                    block.set_offline();
                    block.set_online();
                }
            });
            wait_until([&] {
                const auto status = balloon.get().status();
                return status.isolated.value_or(status.migrated) > 0;
            });
            balloon.unload();
        }
        check_nothing_left();
    }
    for (const auto &block : blocks) {
        block.set_online_again();
    }
    CHECK(managed_pages() == zones);
}

TEST_CASE("a load that fails half-way undoes what it did") {
    const auto [function, result, error] = GENERATE(table<std::string, int, std::errc>({
        {"register_filesystem", -EBUSY, std::errc::device_or_resource_busy},
        {"kern_mount", -ENOMEM, std::errc::not_enough_memory},
        {"alloc_workqueue,alloc_workqueue_noprof", 0, std::errc::not_enough_memory},
        {"alloc_anon_inode", -ENOMEM, std::errc::not_enough_memory},
        {"register_oom_notifier", -ENOSPC, std::errc::no_space_on_device},
        {"misc_register", -EBUSY, std::errc::device_or_resource_busy},
    }));
    CAPTURE(function);
    {
        const FailingCall failing(function, result);
        Modules modules;
        failure(error, [&] { modules.load("balloon_kvm"); });
    }
    check_nothing_left();
    const LoadedBalloon works;
}

TEST_CASE("whatever symbol movable_chain=1 looks for in vain, it is refused with one line") {
    if (!has_parameter("balloon_kvm", "movable_chain")) {
        SKIP("pages have operations of their own on this kernel");
    }
    // kprobes ask kallsyms as well, for kallsyms' own function.
    const auto [function, result, whose, error, said] =
        GENERATE(table<std::string, int, std::vector<std::string>, std::errc, std::string>({
            {"register_kprobe", -EOPNOTSUPP, {}, std::errc::operation_not_supported, "no kprobe on"},
            {"kallsyms_lookup_name", 0, {}, std::errc::no_such_file_or_directory, "no kprobe on"},
            {"kallsyms_lookup_name",
             0,
             {"caller=balloon_kvm"},
             std::errc::no_such_file_or_directory,
             "this kernel has no symbol offline_movable_ops"},
        }));
    CAPTURE(function, said);
    NewLogLines log;
    NewLogLines reasons;
    {
        const FailingCall failing(function, result, whose);
        Modules modules;
        failure(error, [&] { modules.load("balloon_kvm", {"movable_chain=1"}); });
    }
    CHECK(reasons.with(said) == 1);
    CHECK(log.with("balloon_kvm: ") == 1);
    check_nothing_left();
    const LoadedBalloon works({"movable_chain=1"});
}

TEST_CASE("without movable_chain it looks for no symbols: it works where the kernel tells of none") {
    const auto [function, result] =
        GENERATE(table<std::string, int>({{"register_kprobe", -EOPNOTSUPP}, {"kallsyms_lookup_name", 0}}));
    CAPTURE(function);
    const bool may_chain = has_parameter("balloon_kvm", "movable_chain");
    const FailingCall failing(function, result);
    const LoadedBalloon balloon(may_chain ? std::vector<std::string>{"movable_chain=0"} : std::vector<std::string>{});
    balloon.resize(mib);
}

TEST_CASE("a kernel that lacks a function which it calls refuses it, with one line") {
    using namespace std::string_literals;
    const auto file = "/lib/modules/" + release() + "/ballast/balloon_kvm.ko";
    const std::string called = "\0misc_register\0"s;
    const Folder folder;
    const auto changed = folder.path() / "balloon_kvm.ko";
    std::filesystem::copy_file(file, changed);
    const std::string bytes = ballast::test::read_file(file);
    auto at = bytes.find(called);
    REQUIRE(at != std::string::npos);
    for (; at != std::string::npos; at = bytes.find(called, at + 1)) {
        ballast::test::poke(changed, at, "\0misc_absent__\0"s);
    }
    { const Loaded brings_what_it_depends_on("balloon_kvm"); }
    NewLogLines log;
    failure(std::errc::no_such_file_or_directory, [&] { Modules().load(changed); });
    CHECK(log.with("balloon_kvm: ") == 1);
    check_nothing_left();
}

TEST_CASE("a descriptor that can't be made leaves the module unloadable") {
    const std::string function = GENERATE("get_unused_fd_flags", "alloc_file_pseudo");
    LoadedBalloon balloon;
    {
        const FileDescriptor device = open_file("/dev/balloon-kvm", O_RDONLY);
        const FailingCall failing(function, -ENFILE);
        CHECK(ioctl(device.get(), BALLOON_KVM_GET_FD) == -1);
        CHECK(errno == ENFILE);
    }
    CHECK_NOTHROW(balloon.unload());
    check_nothing_left();
}
