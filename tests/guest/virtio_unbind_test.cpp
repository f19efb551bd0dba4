// SPDX-License-Identifier: GPL-2.0
// Devices that are let go or vanish while their balloons are at work: nobody waits, no page is lost.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "machine.hpp"
#include "virtio_fixture.hpp"

using namespace ballast::guest;

namespace {

constexpr std::uint64_t page_size = 4096;
constexpr std::uint64_t mib = 1 << 20;

/** More than can be inflated while a test looks away. */
std::uint64_t third_of_memory() {
    return memory("MemAvailable") / 3 / page_size;
}

} // namespace

TEST_CASE("a driver that is unbound while it inflates or deflates gives all back") {
    const auto features = GENERATE(0U, all_features);
    CAPTURE(features);
    const Host host(features);
    const Loaded driver("balloon_kvm");
    const auto device = Host::devices().at(0);
    const auto zones = managed_pages();
    for (int turn = 0; turn < 6; ++turn) {
        host.set_target(third_of_memory());
        wait_until([&] { return host.actual().at(0) > 0; });
        if (turn % 2 != 0) {
            host.set_target(0);
        }
        unbind(device);
        CHECK(host.actual().at(0) == 0);
        CHECK(managed_pages() == zones);
        host.set_target(0);
        bind(device);
    }
    CHECK(host.get("errors") == 0);
}

TEST_CASE("a device that vanishes while it inflates keeps nobody waiting and no memory") {
    const auto features = GENERATE(0U, all_features);
    CAPTURE(features);
    const Loaded driver("balloon_kvm");
    const auto zones = managed_pages();
    const auto free = free_memory();
    for (int turn = 0; turn < 3; ++turn) {
        Host host(features, 2);
        host.set("delay", 5000);
        host.set_target(third_of_memory() / 2);
        wait_until([&] { return host.get("told_inflate") > 0; });
        host.set("vanish", 1);
        host.unload();
    }
    CHECK(managed_pages() == zones);
    // What was freed may take a while.
    wait_until([&] { return free_memory() > free - 16 * mib; });
}

TEST_CASE("pages of a device that has vanished can still be moved") {
    Host host;
    // Where the kernel's own balloon moves them, only single pages lie in the memory block.
    const Loaded driver("balloon_kvm", {"huge=0"});
    const auto blocks = MemoryBlock::find_movable();
    host.resize(memory("MemAvailable") / 2 / page_size);
    const auto balloon = virtio_balloon();
    host.set("vanish", 1);
    const auto before = balloon.status().migrated;
    for (const auto &block : blocks) {
        block.set_offline();
        block.set_online();
    }
    CHECK(balloon.status().migrated > before + 1000);
    host.unload();
}
