// SPDX-License-Identifier: GPL-2.0
// The balloon in blocks of 2 MiB: taken and given back whole, split where only part of one is wanted.
#include <algorithm>
#include <numeric>

#include <catch2/catch_test_macros.hpp>

#include "balloon_fixture.hpp"
#include "control/file.hpp"
#include "machine.hpp"
#include "trace.hpp"

using namespace ballast::guest;
using ballast::control::read_number;

namespace {

constexpr std::uint64_t block = 2 * mib;
constexpr std::uint64_t block_pages = block / page_size;
constexpr std::uint64_t block_order = 9;

std::uint64_t number(const LoadedBalloon &balloon, const std::string &name) {
    return read_number(balloon.attribute(name));
}

/** Blocks can be had; what the kernel would do with them by itself it does not. */
void make_room() {
    stop_background_compaction();
    drop_caches();
    compact_memory();
}

std::uint64_t pages_of(const std::vector<std::vector<std::uint64_t>> &events) {
    return std::transform_reduce(events.begin(), events.end(), std::uint64_t{0}, std::plus<>(),
                                 [](const auto &event) { return std::uint64_t{1} << event.at(1); });
}

/** The memory block that holds most blocks of the balloon, and how many. */
std::pair<MemoryBlock, std::uint64_t> fullest(const std::vector<MemoryBlock> &candidates,
                                              const std::vector<std::vector<std::uint64_t>> &inflated) {
    std::vector<std::uint64_t> inside(candidates.size());
    for (const auto &event : inflated) {
        for (std::size_t i = 0; i < candidates.size(); ++i) {
            inside[i] += event.at(1) == block_order && candidates[i].holds(event.at(0)) ? 1 : 0;
        }
    }
    const auto most = std::max_element(inside.begin(), inside.end());
    return {candidates.at(static_cast<std::size_t>(most - inside.begin())), *most};
}

} // namespace

TEST_CASE("a balloon takes whole blocks where there are any, and counts their pages") {
    make_room();
    const LoadedBalloon balloon;
    const auto total = memory("MemTotal");
    balloon.resize(64 * mib);
    CHECK(number(balloon, "huge_now") == 32);
    CHECK(number(balloon, "huge_fallback") == 0);
    CHECK(balloon.get().status().inflated == 32 * block_pages);
    CHECK(memory("MemTotal") == total - 64 * mib);
    balloon.resize(0);
    CHECK(number(balloon, "huge_now") == 0);
    CHECK(number(balloon, "huge_split") == 0);
    CHECK(memory("MemTotal") == total);
}

TEST_CASE("what is less than a block is made up of single pages") {
    make_room();
    const LoadedBalloon balloon({"check_content=1"});
    balloon.resize(3 * block - page_size);
    CHECK(number(balloon, "huge_now") == 2);
    CHECK(balloon.get().check_content() == 0);
    // The single pages are enough for this.
    balloon.resize(2 * block);
    CHECK(number(balloon, "huge_now") == 2);
    CHECK(number(balloon, "huge_split") == 0);
}

TEST_CASE("deflating gives back whole blocks, and splits one where only part of it is wanted") {
    make_room();
    const LoadedBalloon balloon({"check_content=1"});
    balloon.resize(32 * block);
    balloon.resize(30 * block - 3 * page_size);
    CHECK(number(balloon, "huge_now") == 29);
    CHECK(number(balloon, "huge_split") == 1);
    CHECK(balloon.get().check_content() == 0);
    balloon.resize(0);
    const auto status = balloon.get().status();
    CHECK(status.content_errors == 0);
    CHECK(status.deflated == status.inflated);
}

TEST_CASE("memory that lies in small holes is taken page by page") {
    stop_background_compaction();
    const LoadedBalloon balloon;
    // All the whole blocks first.
    balloon.resize(memory("MemAvailable") / 4);
    const HoledMemory holes;
    const auto before = number(balloon, "huge_fallback");
    balloon.resize(balloon.get().status().size_bytes + memory("MemFree") - 96 * mib);
    CHECK(number(balloon, "huge_fallback") > before);
}

TEST_CASE("huge=0: the balloon holds single pages only") {
    make_room();
    const LoadedBalloon balloon({"huge=0"});
    balloon.resize(32 * mib);
    CHECK(number(balloon, "huge_now") == 0);
    CHECK(number(balloon, "huge_fallback") == 0);
}

TEST_CASE("compaction leaves whole blocks alone") {
    make_room();
    const LoadedBalloon balloon({"check_content=1"});
    balloon.resize(64 * mib);
    compact_memory();
    CHECK(number(balloon, "huge_now") == 32);
    CHECK(balloon.get().status().migrated == 0);
    CHECK(balloon.get().status().isolated.value_or(0) == 0);
    CHECK(balloon.get().check_content() == 0);
}

TEST_CASE("a memory block full of the balloon's blocks goes offline, each page's content intact") {
    make_room();
    const auto blocks = MemoryBlock::find_movable();
    const auto zones = managed_pages();
    const LoadedBalloon balloon({"check_content=1"});
    if (!balloon.isolates_pages()) {
        SKIP("the kernel's own balloon moves single pages only");
    }
    const Trace trace;
    // So much that it comes to lie in all blocks, and still fits when there is one less.
    const std::uint64_t size = memory("MemAvailable") / 2 / page_size * page_size;
    balloon.resize(size);
    const auto [memory_block, inside] = fullest(blocks, trace.events("inflate"));
    REQUIRE(inside > 0);
    const auto huge = number(balloon, "huge_now");

    memory_block.set_offline();
    const auto status = balloon.get().status();
    WARN("the memory block held " << inside << " blocks of the balloon, " << status.migrated << " pages moved");
    CHECK(number(balloon, "huge_split") == inside);
    CHECK(number(balloon, "huge_now") == huge - inside);
    CHECK(trace.events("huge_split").size() == inside);
    CHECK(status.migrated >= inside * block_pages);
    CHECK(status.isolated == status.migrated + status.putback.value());
    CHECK(status.isolated_now == 0);
    CHECK(status.size_pages == size / page_size);
    CHECK(balloon.get().check_content() == 0);

    memory_block.set_online();
    balloon.resize(0);
    CHECK(balloon.get().status().content_errors == 0);
    CHECK(managed_pages() == zones);
}

TEST_CASE("a block in or out of the balloon is one hit of its tracepoint, with its order") {
    make_room();
    const LoadedBalloon balloon;
    const Trace trace;
    balloon.resize(3 * block + 5 * page_size);
    balloon.resize(2 * block - page_size);
    balloon.resize(0);
    const auto inflated = trace.events("inflate");
    CHECK(inflated.size() == 3 + 5);
    CHECK(pages_of(inflated) == 3 * block_pages + 5);
    CHECK(pages_of(trace.events("deflate")) == 3 * block_pages + 5);
    CHECK(trace.events("huge_split").size() == number(balloon, "huge_split"));
}

TEST_CASE("movable=0: the kernel moves none of the balloon's pages") {
    stop_background_compaction();
    const LoadedBalloon balloon({"movable=0", "check_content=1"});
    {
        const HoledMemory holes;
        balloon.resize(holes.free_bytes() / 2);
    }
    compact_memory();
    CHECK(balloon.get().status().migrated == 0);
    CHECK(balloon.get().status().isolated.value_or(0) == 0);
    CHECK(balloon.get().check_content() == 0);
    balloon.resize(0);
    CHECK(balloon.get().status().content_errors == 0);
}
