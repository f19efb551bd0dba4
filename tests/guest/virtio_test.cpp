// SPDX-License-Identifier: GPL-2.0
// The driver of virtio's balloon, as a host sees it that watches each page.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "control/file.hpp"
#include "machine.hpp"
#include "support/failure.hpp"
#include "virtio_fixture.hpp"

using namespace ballast::guest;

namespace {

constexpr std::uint64_t page_size = 4096;
constexpr std::uint64_t mib = 1 << 20;
constexpr std::uint64_t pages_of_64_mib = 64 * mib / page_size;

} // namespace

TEST_CASE("the balloon follows the host's target, and each page is told once") {
    const auto features = GENERATE(0U, must_tell_host, deflate_on_oom);
    CAPTURE(features);
    const Host host(features);
    const Loaded driver("balloon_kvm");
    const auto zones = managed_pages();
    std::uint64_t inflated = 0;
    std::uint64_t size = 0;
    for (const std::uint64_t target : {pages_of_64_mib, std::uint64_t{1}, 2 * pages_of_64_mib, std::uint64_t{0}}) {
        host.resize(target);
        inflated += target > size ? target - size : 0;
        size = target;
        CHECK(virtio_balloon().status().size_pages == target);
        CHECK(host.get("told_inflate") == inflated);
        // Of pages that leave the balloon the host may read later.
        wait_until([&] { return host.get("told_inflate") - host.get("told_deflate") == target; });
    }
    CHECK(managed_pages() == zones);
    CHECK(host.get("errors") == 0);
}

TEST_CASE("what is in the balloon is no part of MemTotal unless it comes back when memory runs out") {
    const auto features = GENERATE(0U, deflate_on_oom);
    CAPTURE(features);
    const Host host(features);
    const Loaded driver("balloon_kvm");
    const auto total = memory("MemTotal");
    host.resize(pages_of_64_mib);
    CHECK(memory("MemTotal") == (features == deflate_on_oom ? total : total - 64 * mib));
    host.resize(0);
    CHECK(memory("MemTotal") == total);
}

TEST_CASE("a balloon that shrank for want of memory tells the host, and follows its next target") {
    const Host host(deflate_on_oom);
    const Loaded driver("balloon_kvm");
    const auto kills = event("oom_kill");
    const auto target = memory("MemFree") * 3 / 4 / page_size;
    host.resize(target);
    {
        std::vector<char> memory_hog(memory("MemFree") + 24 * mib);
        for (std::size_t at = 0; at < memory_hog.size(); at += page_size) {
            memory_hog[at] = 1;
        }
    }
    CHECK(event("oom_kill") == kills);
    const auto left = virtio_balloon().status().size_pages;
    CHECK(left < target);
    CHECK(host.actual().at(0) == left);
    host.resize(target - 1);
    host.resize(0);
    CHECK(host.get("errors") == 0);
}

TEST_CASE("the target is the host's: nobody else may write it") {
    const Host host;
    const Loaded driver("balloon_kvm");
    const auto file = virtio_balloon().group() / "target_pages";
    failure(std::errc::permission_denied, [&] { ballast::control::write_text(file, "1"); });
    host.resize(5);
    CHECK(virtio_balloon().status().target_pages == 5);
}

TEST_CASE("pages that the kernel moves are told: the new one in, the old one out") {
    const auto features = GENERATE(0U, must_tell_host);
    CAPTURE(features);
    constexpr std::uint64_t size = 3000;
    const Host host(features);
    const Loaded driver("balloon_kvm", {"huge=0"});
    const auto blocks = MemoryBlock::find_movable();
    host.resize(size);
    // Whichever of them the pages lie in.
    for (const auto &block : blocks) {
        block.set_offline();
        block.set_online();
    }
    const auto status = virtio_balloon().status();
    CHECK(status.migrated > size / 2);
    CHECK(status.size_pages == size);
    wait_until([&] { return host.get("told_deflate") == status.migrated; });
    CHECK(host.get("told_inflate") == size + status.migrated);
    host.resize(0);
    CHECK(host.get("errors") == 0);
}

TEST_CASE("the host gets 16 statistics whenever it asks") {
    const Host host(statistics_queue);
    const Loaded driver("balloon_kvm");
    for (int turn = 0; turn < 3; ++turn) {
        host.set("ask_statistics", 1);
        wait_until([&] { return host.get("statistics") == 0xffff; });
    }
}

TEST_CASE("hints cover free memory, which comes back when the host is done, memory is short or the driver goes") {
    const Host host(free_page_hint);
    const Loaded driver("balloon_kvm");
    const auto free = memory("MemFree");
    host.set("hint_id", 2);
    // Zone Movable, most of the memory here, is not for a driver's own use.
    wait_until([&] { return memory("MemFree") < free - 64 * mib; });
    CHECK(host.get("hinted") > 48 * mib);
    SECTION("done") {
        host.set("hint_id", 1);
    }
    SECTION("short of memory") {
        host.set("hint_id", 0);
        const auto kills = event("oom_kill");
        { const std::vector<char> needed(memory("MemFree") + 32 * mib, 1); }
        CHECK(event("oom_kill") == kills);
        // All but what was needed may still be held.
        CHECK(memory("MemFree") > free - host.get("hinted") + 16 * mib);
        return;
    }
    SECTION("the driver goes") {
        unbind(Host::devices().at(0));
    }
    wait_until([&] { return memory("MemFree") > free - 24 * mib; });
}

TEST_CASE("free pages are reported") {
    const Host host(reporting);
    const Loaded driver("balloon_kvm");
    wait_until([&] { return host.get("reported") > 16 * mib; });
}
