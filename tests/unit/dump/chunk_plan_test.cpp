// SPDX-License-Identifier: GPL-2.0
#include "dump/output/chunk_plan.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

namespace {

using namespace ballast::dump;

std::vector<Pfn> set_bits(const Bitmap &bitmap) {
    std::vector<Pfn> all;
    for (Pfn pfn = 0; pfn < bitmap.size(); pfn++) {
        if (bitmap.test(pfn)) {
            all.push_back(pfn);
        }
    }
    return all;
}

/** The pages of all chunks, one chunk after the other. */
std::vector<Pfn> planned(const Bitmap &bitmap, const ChunkPlan &plan) {
    std::vector<Pfn> all;
    for (std::uint64_t n = 0; n < plan.chunks(); n++) {
        const Chunk chunk = plan.chunk(n);
        CHECK(chunk.rank == all.size());
        SetBits pfns(bitmap, chunk.first);
        for (std::uint64_t page = 0; page < chunk.pages; page++) {
            all.push_back(pfns.next());
        }
    }
    return all;
}

/** Set bits with the given density, in per mille. */
Bitmap random_bitmap(std::uint64_t bits, unsigned density) {
    std::mt19937 random(density);
    Bitmap bitmap(bits);
    for (Pfn pfn = 0; pfn < bits; pfn++) {
        if (random() % 1000 < density) {
            bitmap.set_range(pfn, pfn + 1);
        }
    }
    return bitmap;
}

} // namespace

TEST_CASE("The chunks have each dumped page once, in order, be they many or few") {
    const Bitmap bitmap = random_bitmap(100'003, GENERATE(1U, 60U, 500U, 999U));
    const std::uint64_t pages_per_chunk = GENERATE(1U, 7U, 64U, 100'000U);
    const ChunkPlan plan(bitmap, pages_per_chunk);

    CHECK(plan.pages() == bitmap.count());
    CHECK(planned(bitmap, plan) == set_bits(bitmap));
}

TEST_CASE("All chunks but the last have the full number of pages") {
    Bitmap bitmap(1000);
    bitmap.set_range(100, 231);
    const ChunkPlan plan(bitmap, 64);

    REQUIRE(plan.chunks() == 3);
    CHECK(plan.chunk(0).pages == 64);
    CHECK(plan.chunk(1).first == 164);
    CHECK(plan.chunk(2).pages == 3);
}

TEST_CASE("Dumped pages far apart are found") {
    Bitmap bitmap(std::uint64_t{1} << 24U);
    bitmap.set_range(5, 6);
    bitmap.set_range(32'768, 32'769);
    bitmap.set_range((std::uint64_t{1} << 24U) - 1, std::uint64_t{1} << 24U);
    CHECK(planned(bitmap, ChunkPlan(bitmap, 1)) == set_bits(bitmap));
}

TEST_CASE("A run of set bits goes on beyond a word, and ends where they do, or their number") {
    Bitmap bitmap(320);
    bitmap.set_range(60, 200);
    bitmap.set_range(256, 320);
    auto next = [pfns = SetBits(bitmap, 60)](std::uint64_t most) mutable {
        const BitRun run = pfns.next_run(most);
        return std::pair(run.first, run.length);
    };
    CHECK(next(2) == std::pair<Pfn, std::uint64_t>(60, 2));
    CHECK(next(2) == std::pair<Pfn, std::uint64_t>(62, 2)); // up to the word's end
    CHECK(next(1) == std::pair<Pfn, std::uint64_t>(64, 1));
    CHECK(next(64) == std::pair<Pfn, std::uint64_t>(65, 64));
    CHECK(next(1000) == std::pair<Pfn, std::uint64_t>(129, 71));
    CHECK(next(1000) == std::pair<Pfn, std::uint64_t>(256, 64)); // up to the bitmap's end
}

TEST_CASE("An empty bitmap makes no chunks") {
    CHECK(ChunkPlan(Bitmap(5000), 64).chunks() == 0);
    CHECK(ChunkPlan(Bitmap(0), 64).chunks() == 0);
}

TEST_CASE("With cuts the chunks have each dumped page once, and none lies on both sides of a cut") {
    const Bitmap bitmap = random_bitmap(100'003, GENERATE(1U, 500U, 999U));
    const std::vector<Pfn> cuts = {0, 640, 64'000, 64'000, 64'064, 100'003};
    const ChunkPlan plan(bitmap, 32, cuts);
    CHECK(planned(bitmap, plan) == set_bits(bitmap));
    for (std::size_t n = 0; n < cuts.size(); n++) {
        CAPTURE(cuts[n]);
        const std::uint64_t behind = plan.chunk_at_cut(n);
        CHECK(plan.rank_at_cut(n) == Bitmap(bitmap).clear_range(0, cuts[n]));
        if (behind < plan.chunks()) {
            CHECK(plan.chunk(behind).first >= cuts[n]);
            CHECK(plan.chunk(behind).rank == plan.rank_at_cut(n));
        } else {
            CHECK(plan.rank_at_cut(n) == plan.pages());
        }
    }
}
