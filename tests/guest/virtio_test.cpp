// SPDX-License-Identifier: GPL-2.0
// The driver of virtio's balloon, as a host sees it that watches each page.
#include <fstream>
#include <optional>

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

/** What a program can't have unless a balloon of so many pages gives way: caches and the CPUs' own lists may. */
std::uint64_t more_than_free(std::uint64_t balloon) {
    return memory("MemFree") + balloon * page_size / 4;
}

/** How many blocks of 4 MiB are free; those of zone Movable, most of the memory here, are not for a driver's own use.
 */
std::uint64_t free_blocks_for_drivers() {
    std::ifstream zones("/proc/buddyinfo");
    std::uint64_t blocks = 0;
    for (std::string line; std::getline(zones, line);) {
        if (line.find("DMA32") != std::string::npos || line.find("Normal") != std::string::npos) {
            blocks += std::stoull(line.substr(line.find_last_of(' ', line.find_last_not_of(' '))));
        }
    }
    return blocks;
}

} // namespace

TEST_CASE("the balloon follows the host's target, and each page is told once") {
    const auto features = GENERATE(0U, must_tell_host, deflate_on_oom);
    CAPTURE(features);
    // What moves is told as well.
    stop_background_compaction();
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
        std::vector<char> memory_hog(more_than_free(target));
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

TEST_CASE("oom_pages is how much a balloon gives each time that memory runs out") {
    constexpr std::uint64_t oom_pages = 8192;
    const Host host(deflate_on_oom);
    const Loaded driver("balloon_kvm", {"oom_pages=" + std::to_string(oom_pages)});
    const auto target = memory("MemFree") * 3 / 4 / page_size;
    host.resize(target);
    CHECK(allocate_in_process(more_than_free(target)));
    const auto deflated = virtio_balloon().status().deflated;
    CHECK(deflated > 0);
    CHECK(deflated % oom_pages == 0);
}

TEST_CASE("with oom_pages=0 the host keeps its memory when the guest runs out of it") {
    const Host host(deflate_on_oom);
    const Loaded driver("balloon_kvm", {"oom_pages=0"});
    const auto target = memory("MemFree") * 3 / 4 / page_size;
    host.resize(target);
    CHECK_FALSE(allocate_in_process(more_than_free(target)));
    CHECK(virtio_balloon().status().deflated == 0);
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
    constexpr std::uint64_t size = 6000;
    const Host host(features);
    const Loaded driver("balloon_kvm", {"huge=0"});
    std::optional<HoledMemory> other_user(std::in_place);
    host.resize(size);
    other_user.reset();
    compact_memory();
    CHECK(virtio_balloon().status().migrated > 0);
    CHECK(virtio_balloon().status().size_pages == size);
    // The last few together, a moment later.
    wait_until([&] {
        const auto migrated = virtio_balloon().status().migrated;
        return host.get("told_deflate") == migrated && host.get("told_inflate") == size + migrated;
    });
    host.resize(0);
    CHECK(host.get("errors") == 0);
}

TEST_CASE("pages that the host must be told of first are nobody's until a slow host has read that") {
    const Host host(must_tell_host);
    const Loaded driver("balloon_kvm");
    host.resize(memory("MemFree") / 2 / page_size);
    // It reads of a few pages at a time.
    host.set("delay", 20'000);
    host.set_target(0);
    wait_until([&] {
        REQUIRE(allocate_in_process(memory("MemFree") * 3 / 4));
        return host.actual().at(0) == 0;
    });
    CHECK(host.get("errors") == 0);
}

TEST_CASE("the host gets 16 statistics whenever it asks") {
    const Host host(statistics_queue);
    const Loaded driver("balloon_kvm");
    for (int turn = 0; turn < 3; ++turn) {
        host.set("statistics", 0);
        host.set("ask_statistics", 1);
        wait_until([&] { return host.get("statistics") == 0xffff; });
    }
}

TEST_CASE("hints cover free memory, which comes back when the host is done, memory is short or the driver goes") {
    const Host host(free_page_hint);
    const Loaded driver("balloon_kvm");
    const auto free = free_memory();
    // All but some that others may take meanwhile.
    const auto free_blocks = (free_blocks_for_drivers() - 4) * 4 * mib;
    REQUIRE(free_blocks > 48 * mib);
    host.set("hint_id", 2);
    // It takes a while: the kernel clears them.
    wait_until([&] { return host.get("hinted") >= free_blocks; });
    SECTION("done") {
        host.set("hint_id", 1);
    }
    SECTION("short of memory") {
        host.set("hint_id", 0);
        const auto kills = event("oom_kill");
        const auto hinted = host.get("hinted");
        { const std::vector<char> needed(memory("MemFree") + hinted / 2, 1); }
        CHECK(event("oom_kill") == kills);
        // All but what was needed may still be held.
        wait_until([&] { return free_memory() > free - hinted + hinted / 8; });
        return;
    }
    SECTION("the driver goes") {
        unbind(Host::devices().at(0));
    }
    wait_until([&] { return free_memory() > free - 24 * mib; });
}

TEST_CASE("free pages are reported") {
    const Host host(reporting);
    const Loaded driver("balloon_kvm");
    wait_until([&] { return host.get("reported") > 16 * mib; });
}
