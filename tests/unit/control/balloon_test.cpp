// SPDX-License-Identifier: GPL-2.0
#include "control/balloon.hpp"

#include <chrono>
#include <thread>

#include <catch2/catch_test_macros.hpp>

#include "support/failure.hpp"
#include "support/folder.hpp"

using ballast::control::Balloon;
using ballast::control::BalloonProgress;
using ballast::control::WaitOptions;
using Catch::Matchers::ContainsSubstring;
using namespace std::chrono_literals;

namespace {

const std::filesystem::path software = "class/misc/balloon-kvm/balloon";

/** A sysfs with one balloon of 10 of 20 pages. */
void lay_out(const Folder &sysfs, const std::filesystem::path &group = software) {
    sysfs.write(group / "target_bytes", "81920\n");
    sysfs.write(group / "target_pages", "20\n");
    sysfs.write(group / "size_bytes", "40960\n");
    sysfs.write(group / "size_pages", "10\n");
    sysfs.write(group / "inflated", "1\n");
    sysfs.write(group / "deflated", "2\n");
    sysfs.write(group / "isolated", "3\n");
    sysfs.write(group / "migrated", "4\n");
    sysfs.write(group / "putback", "5\n");
    sysfs.write(group / "inflate_failed", "6\n");
    sysfs.write(group / "isolated_now", "7\n");
    sysfs.write(group / "min_free_bytes", "4096\n");
    sysfs.write(group / "min_free_stops", "8\n");
    sysfs.write(group / "huge_now", "9\n");
    sysfs.write(group / "huge_fallback", "10\n");
    sysfs.write(group / "huge_split", "11\n");
}

const WaitOptions brief{.time_limit = 10s, .no_progress_limit = 50ms, .tick = 10ms, .report = {}};

} // namespace

TEST_CASE("the status holds every attribute under its own name", "[balloon]") {
    const Folder sysfs;
    lay_out(sysfs);
    const auto status = Balloon::find("", sysfs.path()).status();
    CHECK(status.target_bytes == 81920);
    CHECK(status.target_pages == 20);
    CHECK(status.size_bytes == 40960);
    CHECK(status.size_pages == 10);
    CHECK(status.inflated == 1);
    CHECK(status.deflated == 2);
    CHECK(status.isolated == 3);
    CHECK(status.migrated == 4);
    CHECK(status.putback == 5);
    CHECK(status.inflate_failed == 6);
    CHECK(status.isolated_now == 7);
    CHECK(status.min_free_bytes == 4096);
    CHECK(status.min_free_stops == 8);
    CHECK(status.huge_now == 9);
    CHECK(status.huge_fallback == 10);
    CHECK(status.huge_split == 11);
    CHECK_FALSE(status.content_errors.has_value());
}

TEST_CASE("content errors are there where the module checks content", "[balloon]") {
    const Folder sysfs;
    lay_out(sysfs);
    sysfs.write(software / "content_errors", "8\n");
    CHECK(Balloon::find("", sysfs.path()).status().content_errors == 8);
}

TEST_CASE("isolation is not there where the kernel does not tell the module", "[balloon]") {
    const Folder sysfs;
    lay_out(sysfs);
    std::filesystem::remove(sysfs.path() / software / "isolated");
    std::filesystem::remove(sysfs.path() / software / "putback");
    const auto status = Balloon::find("", sysfs.path()).status();
    CHECK_FALSE(status.isolated.has_value());
    CHECK_FALSE(status.putback.has_value());
    CHECK(status.migrated == 4);
}

TEST_CASE("without a balloon the error says which module to load", "[balloon]") {
    const Folder sysfs;
    sysfs.write("class/misc/rfkill/dev", "10:242\n");
    const auto message = failure(std::errc::no_such_device, [&] { Balloon::find("", sysfs.path()); });
    CHECK_THAT(message, ContainsSubstring("ballast load balloon_kvm"));
}

TEST_CASE("the balloon of a virtio device is found like the software one", "[balloon]") {
    const Folder sysfs;
    lay_out(sysfs, "bus/virtio/devices/virtio3/balloon");
    CHECK(Balloon::find("", sysfs.path()).name() == "virtio3");
}

TEST_CASE("one of several balloons has to be named", "[balloon]") {
    const Folder sysfs;
    lay_out(sysfs);
    lay_out(sysfs, "bus/virtio/devices/virtio3/balloon");
    CHECK(Balloon::find("virtio3", sysfs.path()).name() == "virtio3");
    CHECK_THAT(failure(std::errc::invalid_argument, [&] { Balloon::find("", sysfs.path()); }),
               ContainsSubstring("balloon-kvm, virtio3"));
    CHECK_THAT(failure(std::errc::no_such_device, [&] { Balloon::find("virtio4", sysfs.path()); }),
               ContainsSubstring("virtio4") && ContainsSubstring("balloon-kvm, virtio3"));
}

TEST_CASE("an attribute that holds no number is refused with its path", "[balloon]") {
    const Folder sysfs;
    lay_out(sysfs);
    sysfs.write(software / "migrated", "many\n");
    const auto balloon = Balloon::find("", sysfs.path());
    CHECK_THAT(failure(std::errc::invalid_argument, [&] { static_cast<void>(balloon.status()); }),
               ContainsSubstring("balloon/migrated: 'many' is not a number"));
}

TEST_CASE("targets are written as plain numbers to the attribute of their unit", "[balloon]") {
    const Folder sysfs;
    lay_out(sysfs);
    const auto balloon = Balloon::find("", sysfs.path());
    balloon.set_target_pages(123456);
    CHECK(sysfs.read(software / "target_pages") == "123456");
    balloon.set_target_bytes(134217728);
    CHECK(sysfs.read(software / "target_bytes") == "134217728");
}

TEST_CASE("a target that is read-only is the host's, and is not written", "[balloon]") {
    const Folder sysfs;
    const std::filesystem::path group = "bus/virtio/devices/virtio3/balloon";
    lay_out(sysfs, group);
    const auto balloon = Balloon::find("", sysfs.path());
    CHECK_FALSE(balloon.host_sets_target());
    std::filesystem::permissions(sysfs.path() / group / "target_pages", std::filesystem::perms(0444));
    CHECK(balloon.host_sets_target());
    CHECK_THAT(failure(std::errc::operation_not_permitted, [&] { balloon.set_target_bytes(4096); }),
               ContainsSubstring("balloon virtio3") && ContainsSubstring("host") && ContainsSubstring("`balloon N`"));
    CHECK(sysfs.read(group / "target_bytes") == "81920\n");
}

TEST_CASE("a wait ends when the size is the target", "[balloon]") {
    const Folder sysfs;
    lay_out(sysfs);
    sysfs.write(software / "size_pages", "20\n");
    CHECK_NOTHROW(Balloon::find("", sysfs.path()).wait(brief));
}

TEST_CASE("a wait goes on while the size changes, and reports it", "[balloon]") {
    const Folder sysfs;
    lay_out(sysfs);
    int reports = 0;
    WaitOptions options = brief;
    std::uint64_t pages = 10;
    options.report = [&](const BalloonProgress &progress) {
        reports++;
        CHECK(progress.size_bytes == pages * 4096);
        CHECK(progress.target_bytes == 81920);
        CHECK((progress.bytes_per_second > 0) == (pages > 10));
        CHECK(progress.left.has_value() == (pages > 10));
        pages += 2;
        sysfs.write(software / "size_bytes", std::to_string(pages * 4096));
        sysfs.write(software / "size_pages", std::to_string(pages));
    };
    Balloon::find("", sysfs.path()).wait(options);
    CHECK(reports == 6);
}

TEST_CASE("a wait without progress is given up and says how far it got", "[balloon]") {
    const Folder sysfs;
    lay_out(sysfs);
    const auto balloon = Balloon::find("", sysfs.path());
    const auto message = failure(std::errc::timed_out, [&] { balloon.wait(brief); });
    CHECK_THAT(message, ContainsSubstring("no progress") && ContainsSubstring("40 KiB of 80 KiB"));
}

TEST_CASE("a wait that fails for want of memory says so", "[balloon]") {
    const Folder sysfs;
    lay_out(sysfs);
    WaitOptions options = brief;
    options.report = [&](const BalloonProgress & /*progress*/) { sysfs.write(software / "inflate_failed", "9\n"); };
    const auto balloon = Balloon::find("", sysfs.path());
    const auto message = failure(std::errc::timed_out, [&] { balloon.wait(options); });
    CHECK_THAT(message, ContainsSubstring("no memory to give 3 times"));
}

TEST_CASE("a wait ends at its time limit although the balloon moves", "[balloon]") {
    const Folder sysfs;
    lay_out(sysfs);
    WaitOptions options{.time_limit = 50ms, .no_progress_limit = 1h, .tick = 1ms, .report = {}};
    std::uint64_t pages = 10;
    options.report = [&](const BalloonProgress & /*progress*/) {
        pages = pages == 10 ? 11 : 10;
        sysfs.write(software / "size_pages", std::to_string(pages));
    };
    const auto balloon = Balloon::find("", sysfs.path());
    CHECK_THAT(failure(std::errc::timed_out, [&] { balloon.wait(options); }), ContainsSubstring("in 0.05 s"));
}

TEST_CASE("a wait fails when the target is changed meanwhile", "[balloon]") {
    const Folder sysfs;
    lay_out(sysfs);
    WaitOptions options = brief;
    options.report = [&](const BalloonProgress & /*progress*/) {
        sysfs.write(software / "target_bytes", "40960\n");
        sysfs.write(software / "target_pages", "10\n");
    };
    const auto balloon = Balloon::find("", sysfs.path());
    CHECK_THAT(failure(std::errc::operation_canceled, [&] { balloon.wait(options); }),
               ContainsSubstring("from 80 KiB to 40 KiB"));
}

TEST_CASE("a content check without the module's parameter says how to load it", "[balloon]") {
    const Folder sysfs;
    lay_out(sysfs);
    const auto balloon = Balloon::find("", sysfs.path());
    CHECK_THAT(failure(std::errc::not_supported, [&] { static_cast<void>(balloon.check_content()); }),
               ContainsSubstring("check_content=1"));
}
