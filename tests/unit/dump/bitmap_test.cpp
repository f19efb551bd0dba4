// SPDX-License-Identifier: GPL-2.0
#include "dump/input/bitmap.hpp"

#include "dump/input/rank_index.hpp"

#include <catch2/catch_test_macros.hpp>
#include <thread>
#include <vector>

using ballast::dump::Bitmap;
using ballast::dump::RankIndex;

TEST_CASE("A bitmap starts clear, its last word included") {
    const Bitmap bitmap(70);
    CHECK(bitmap.size() == 70);
    CHECK(bitmap.word_count() == 2);
    CHECK(bitmap.count() == 0);
}

TEST_CASE("Ranges are set and cleared within and across words") {
    Bitmap bitmap(200);
    CHECK(bitmap.set_range(3, 5) == 2);
    CHECK(bitmap.set_range(60, 130) == 70);
    CHECK(bitmap.word(0) == 0xf000000000000018);
    CHECK(bitmap.word(1) == ~std::uint64_t{0});
    CHECK(bitmap.word(2) == 3);
    CHECK(bitmap.clear_range(64, 129) == 65);
    CHECK(bitmap.count() == 7);
    CHECK(bitmap.test(129));
    CHECK_FALSE(bitmap.test(128));
}

TEST_CASE("A range counts only the bits that it changed") {
    Bitmap bitmap(64);
    CHECK(bitmap.set_range(0, 10) == 10);
    CHECK(bitmap.set_range(5, 15) == 5);
    CHECK(bitmap.clear_range(14, 20) == 1);
}

TEST_CASE("What lies beyond the end is neither set nor there") {
    Bitmap bitmap(70);
    CHECK(bitmap.set_range(65, 1000) == 5);
    CHECK(bitmap.word(1) == 0x3e);
    CHECK_FALSE(bitmap.test(70));
    CHECK_FALSE(bitmap.test(1000));
    CHECK(bitmap.set_range(90, 80) == 0);
}

TEST_CASE("Threads may change ranges that share words") {
    Bitmap bitmap(64 * 1000);
    bitmap.set_range(0, bitmap.size());
    std::vector<std::jthread> threads;
    for (std::uint64_t first = 0; first < 4; ++first) {
        threads.emplace_back([&bitmap, first] {
            for (std::uint64_t n = first; n < bitmap.size(); n += 4) {
                bitmap.clear_range(n, n + 1);
            }
        });
    }
    threads.clear();
    CHECK(bitmap.count() == 0);
}

TEST_CASE("Threads may change whole blocks and single bits of a bitmap at once") {
    Bitmap bitmap(512 * 200);
    std::vector<std::jthread> threads;
    for (std::uint64_t first = 0; first < 4; ++first) {
        threads.emplace_back([&bitmap, first] {
            for (std::uint64_t n = first; n < bitmap.size(); n += 4) {
                bitmap.set_range(n, n + 1);
            }
            for (std::uint64_t block = first; block < 200; block += 2) {
                bitmap.set_range(block * 512, (block + 1) * 512);
            }
        });
    }
    threads.clear();
    CHECK(bitmap.count() == bitmap.size());
}

TEST_CASE("Blocks that settled hold the same bits as before, and can be changed again") {
    Bitmap bitmap(512 * 5 + 3);
    bitmap.set_range(0, bitmap.size());
    bitmap.clear_range(10, 20); // mixed
    bitmap.clear_range(512, 600);
    bitmap.clear_range(600, 1024); // all clear, bit by bit
    bitmap.clear_range(2000, 2010);
    bitmap.set_range(2000, 2010); // all set again
    const Bitmap before = bitmap;
    bitmap.settle(0, bitmap.size());
    CHECK(bitmap == before);
    CHECK(bitmap.count() == 4 * 512 + 3 - 10);
    CHECK(bitmap.set_range(512, 513) == 1);
    CHECK(bitmap.clear_range(2000, 2001) == 1);
    CHECK_FALSE(bitmap == before);
    CHECK(before.count() == 4 * 512 + 3 - 10);
}

TEST_CASE("Words assigned are the words that come out, but for bits beyond the end") {
    Bitmap bitmap(64 * 20 + 1);
    std::vector<std::uint64_t> words(21, 0x5555555555555555);
    words[8] = words[9] = ~std::uint64_t{0};
    bitmap.assign_words(0, words);
    std::vector<std::uint64_t> back(21);
    bitmap.copy_words(0, back);
    words.back() = 1;
    CHECK(back == words);
    CHECK(bitmap.count() == 18 * 32 + 2 * 64 + 1);
}

TEST_CASE("Of another bitmap the bits are kept that it has, or those that it lacks") {
    Bitmap other(2000);
    other.set_range(100, 1500);
    Bitmap with(2000);
    with.set_range(0, 1000);
    Bitmap without = with;
    with.keep(other, true);
    without.keep(other, false);
    CHECK(with.next_set(0) == 100);
    CHECK(with.count() == 900);
    CHECK(without.next_clear(0) == 100);
    CHECK(without.count() == 100);
}

TEST_CASE("The next set and the next clear bit are found, or the end") {
    Bitmap bitmap(200);
    bitmap.set_range(5, 7);
    bitmap.set_range(63, 130);
    bitmap.set_range(199, 200);
    CHECK(bitmap.next_set(0) == 5);
    CHECK(bitmap.next_set(6) == 6);
    CHECK(bitmap.next_set(7) == 63);
    CHECK(bitmap.next_clear(5) == 7);
    CHECK(bitmap.next_clear(63) == 130);
    CHECK(bitmap.next_set(130) == 199);
    CHECK(bitmap.next_clear(199) == 200);
    CHECK(bitmap.next_set(200) == 200);
    CHECK(Bitmap(200).next_set(0) == 200);
}

TEST_CASE("A rank is the number of set bits before") {
    Bitmap bitmap(5000);
    bitmap.set_range(5, 7);
    bitmap.set_range(600, 1300);
    bitmap.set_range(4096, 5000);
    const RankIndex ranks(bitmap);
    std::uint64_t before = 0;
    for (std::uint64_t n = 0; n <= bitmap.size(); n++) {
        REQUIRE(ranks.rank(n) == before);
        before += bitmap.test(n) ? 1 : 0;
    }
}

TEST_CASE("A rank at the end of a bitmap that ends with a stretch of words") {
    Bitmap bitmap(1024);
    bitmap.set_range(1000, 1024);
    CHECK(RankIndex(bitmap).rank(1024) == 24);
}
