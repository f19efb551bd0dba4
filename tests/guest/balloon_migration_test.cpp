// SPDX-License-Identifier: GPL-2.0
// Pages of the balloon move, and nothing is lost.
#include <algorithm>

#include <catch2/catch_test_macros.hpp>

#include "balloon_fixture.hpp"
#include "control/file.hpp"
#include "machine.hpp"
#include "trace.hpp"

using namespace ballast::guest;
using ballast::control::write_text;

namespace {

/** Inflates; returns the block that holds most of the balloon, and how many pages that is. */
std::pair<MemoryBlock, std::uint64_t> fill_blocks(const LoadedBalloon &balloon, std::uint64_t size,
                                                  const std::vector<MemoryBlock> &blocks) {
    const Trace trace;
    balloon.resize(size);
    const auto pages = trace.events("inflate");
    REQUIRE(pages.size() == size / page_size);
    std::vector<std::ptrdiff_t> inside(blocks.size());
    std::transform(blocks.begin(), blocks.end(), inside.begin(), [&](const MemoryBlock &block) {
        return std::count_if(pages.begin(), pages.end(), [&](const auto &page) { return block.holds(page.front()); });
    });
    const auto most = std::max_element(inside.begin(), inside.end());
    return {blocks.at(static_cast<std::size_t>(most - inside.begin())), static_cast<std::uint64_t>(*most)};
}

/** Inflates; returns the page frame of a page in the balloon that lies in none of the blocks. */
std::uint64_t fill_outside(const LoadedBalloon &balloon, std::uint64_t size, const std::vector<MemoryBlock> &blocks) {
    const Trace trace;
    balloon.resize(size);
    const auto pages = trace.events("inflate");
    const auto outside = std::find_if(pages.begin(), pages.end(), [&](const auto &page) {
        return std::none_of(blocks.begin(), blocks.end(), [&](const auto &block) { return block.holds(page.front()); });
    });
    REQUIRE(outside != pages.end());
    return outside->front();
}

/** What is true of any balloon as soon as nothing is happening to it: the kernel may be moving pages still. */
void check_settled(const LoadedBalloon &balloon, std::uint64_t pages) {
    CHECK(balloon.get().check_content() == 0);
    wait_until([&] {
        const auto status = balloon.get().status();
        return status.isolated_now == 0 &&
               (!status.isolated || *status.isolated == status.migrated + status.putback.value());
    });
    const auto status = balloon.get().status();
    CHECK(status.content_errors == 0);
    CHECK(status.size_pages == pages);
    CHECK(status.inflated - status.deflated == pages);
}

} // namespace

TEST_CASE("compaction over holes moves pages of the balloon, each with its content") {
    stop_background_compaction();
    const auto moved = event("balloon_migrate");
    const LoadedBalloon balloon({"huge=0", "check_content=1"});
    std::uint64_t size = 0;
    {
        const HoledMemory holes;
        size = holes.free_bytes();
        balloon.resize(size);
    }
    const auto before = balloon.get().status().migrated;
    compact_memory();
    const auto status = balloon.get().status();
    WARN("of " << status.size_pages << " pages, compaction moved " << status.migrated - before);
    CHECK(status.migrated > before);
    wait_until([&] { return event("balloon_migrate") - moved == balloon.get().status().migrated; });
    check_settled(balloon, size / page_size);
    balloon.resize(0);
    CHECK(balloon.get().status().content_errors == 0);
}

TEST_CASE("single pages are taken without the first page of each 2 MiB while there are others") {
    stop_background_compaction();
    const LoadedBalloon balloon({"huge=0"});
    const Trace trace;
    const HoledMemory holes;
    balloon.resize(holes.free_bytes() / 2);
    const auto pages = trace.events("inflate");
    REQUIRE(!pages.empty());
    CHECK(std::none_of(pages.begin(), pages.end(),
                       [](const auto &page) { return page.front() % (2 * mib / page_size) == 0; }));
}

TEST_CASE("offlining a memory block moves the balloon's pages out of it, each with its content") {
    stop_background_compaction();
    const auto blocks = MemoryBlock::find_movable();
    const auto zones = managed_pages();
    const LoadedBalloon balloon({"huge=0", "check_content=1"});
    // So much that it comes to lie in all blocks, and still fits when there is one less.
    const std::uint64_t size = memory("MemAvailable") / 2 / page_size * page_size;
    const auto [block, inside] = fill_blocks(balloon, size, blocks);
    REQUIRE(inside > 0);
    // A check takes pages off the kernel's own balloon for a moment, where that moves them.
    CHECK(balloon.get().check_content() == 0);

    block.set_offline();
    const auto status = balloon.get().status();
    WARN("the block held " << inside << " pages of the balloon, " << status.migrated << " moved");
    // Others may move as well, and a page may have been moved twice.
    CHECK(status.migrated >= inside);
    check_settled(balloon, size / page_size);

    block.set_online();
    balloon.resize(0);
    CHECK(balloon.get().status().content_errors == 0);
    // Also of each zone: pages that went to another zone have been accounted there.
    CHECK(managed_pages() == zones);
}

TEST_CASE("soft offlining a page of the balloon moves this page alone") {
    stop_background_compaction();
    const auto blocks = MemoryBlock::find_movable();
    // Of a 2 MiB block no page can be soft offlined.
    const LoadedBalloon balloon({"huge=0", "check_content=1"});
    const std::uint64_t size = memory("MemAvailable") / 2 / page_size * page_size;
    // Linux 6.1 tries forever to offline a block with a movable page that was soft offlined: spare the other tests
    // that.
    const std::uint64_t page_frame = fill_outside(balloon, size, blocks);
    write_text("/sys/devices/system/memory/soft_offline_page", std::to_string(page_frame * page_size));
    const auto status = balloon.get().status();
    CHECK(status.isolated.value_or(1) == 1);
    CHECK(status.migrated == 1);
    check_settled(balloon, size / page_size);
}

TEST_CASE("each event of a page has its tracepoint") {
    stop_background_compaction();
    const LoadedBalloon balloon({"huge=0"});
    const Trace trace;
    {
        const HoledMemory holes;
        balloon.resize(16 * mib);
    }
    compact_memory();
    balloon.resize(0);
    const auto status = balloon.get().status();
    REQUIRE(status.migrated > 0);
    CHECK(trace.events("inflate").size() == status.inflated);
    CHECK(trace.events("deflate").size() == status.deflated);
    CHECK(trace.events("isolate").size() == status.isolated.value_or(0));
    CHECK(trace.events("putback").size() == status.putback.value_or(0));
    const auto moves = trace.events("migrate");
    REQUIRE(moves.size() == status.migrated);
    for (const auto &move : moves) {
        REQUIRE(move.size() == 2);
        REQUIRE(move[0] != move[1]);
    }
}

TEST_CASE("the balloon can grow and shrink while its pages move") {
    const LoadedBalloon balloon({"check_content=1"});
    const auto zones = managed_pages();
    const Background compaction(compact_memory);
    for (int turn = 0; turn < 5; ++turn) {
        balloon.resize(96 * mib);
        CHECK(balloon.get().check_content() == 0);
        balloon.resize(16 * mib);
    }
    balloon.resize(0);
    CHECK(balloon.get().status().content_errors == 0);
    CHECK(managed_pages() == zones);
}
