// SPDX-License-Identifier: GPL-2.0
// Several devices of a host that watches each page, in a machine that sleeps. No other device of the machine may mind:
// tests/vm/sleep_test runs it.
#include <algorithm>
#include <cerrno>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "control/file.hpp"
#include "failing_call.hpp"
#include "machine.hpp"
#include "virtio_fixture.hpp"

using namespace ballast::guest;
using ballast::control::write_text;

namespace {

constexpr std::uint64_t page_size = 4096;
constexpr std::uint64_t mib = 1 << 20;
constexpr std::uint64_t pages = 64 * mib / page_size;
constexpr unsigned devices = 2;

/** All devices are put to sleep and woken; the machine itself stays awake. */
void sleep_and_wake() {
    write_text("/sys/module/suspend/parameters/pm_test_delay", "0");
    write_text("/sys/power/pm_test", "devices");
    write_text("/sys/power/state", "freeze");
    write_text("/sys/power/pm_test", "none");
}

} // namespace

TEST_CASE("a sleeping machine takes its pages back, and gives the host as many when it wakes", "[.sleep]") {
    // What moves is told as well.
    stop_background_compaction();
    const Host host(must_tell_host | statistics_queue | reporting, devices);
    const Loaded driver("balloon_kvm");
    const auto zones = managed_pages();
    host.resize(pages);
    sleep_and_wake();
    // Before the reset, which the host watches.
    CHECK(host.get("told_deflate") == devices * pages);
    wait_until([&] { return host.get("told_inflate") == 2 * devices * pages; });
    CHECK(host.get("errors") == 0);
    host.set("statistics", 0);
    host.set("ask_statistics", 1);
    wait_until([&] { return host.get("statistics") == 0xffff; });
    const auto reported = host.get("reported");
    { const std::vector<char> used_and_freed(64 * mib, 1); }
    wait_until([&] { return host.get("reported") > reported; });
    host.resize(0);
    CHECK(host.get("errors") == 0);
    CHECK(managed_pages() == zones);
}

TEST_CASE("hinted blocks are free after a sleep, and a balloon gives way to programs as before it", "[.sleep]") {
    const Host host(deflate_on_oom | free_page_hint);
    const Loaded driver("balloon_kvm");
    const auto free = free_memory();
    host.set("hint_id", 2);
    wait_until([&] { return free_memory() < free - 64 * mib; });
    sleep_and_wake();
    wait_until([&] { return free_memory() > free - 32 * mib; });
    host.set("hint_id", 0);
    const auto kills = event("oom_kill");
    const auto target = memory("MemFree") * 3 / 4 / page_size;
    host.resize(target);
    { const std::vector<char> hog(memory("MemFree") + target * page_size / 4, 1); }
    CHECK(event("oom_kill") == kills);
    CHECK(host.actual().at(0) < target);
    host.resize(0);
    CHECK(host.get("errors") == 0);
}

TEST_CASE("whichever call of waking fails, the balloon is empty until the next sleep, or until it is bound anew",
          "[.sleep]") {
    // What is told when the machine goes to sleep must not fail: no page where that takes the same call.
    const auto [function, result, size] = GENERATE(table<std::string, int, std::uint64_t>({
        {"balloon_host:host_find_vqs", -ENOMEM, pages},
        {"virtqueue_add_outbuf", -EIO, 0},
        {"register_oom_notifier", -ENOMEM, pages},
        {"page_reporting_register", -ENOMEM, pages},
    }));
    CAPTURE(function);
    const Host host(all_features);
    Loaded driver("balloon_kvm");
    const auto device = Host::devices().at(0);
    const auto wake_up_badly = [&, function = function, result = result, size = size] {
        host.resize(size);
        {
            const FailingCall failing(function, result);
            sleep_and_wake();
        }
        CHECK(driver_of(device) == "balloon_kvm");
        CHECK(virtio_balloon().status().size_bytes == 0);
        CHECK(host.get("told_deflate") == host.get("told_inflate"));
    };
    wake_up_badly();
    sleep_and_wake();
    host.resize(2 * pages);
    wake_up_badly();
    unbind(device);
    bind(device);
    host.resize(2 * pages);
    wake_up_badly();
    driver.unload();
    CHECK(host.get("errors") == 0);
}
