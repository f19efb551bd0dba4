// SPDX-License-Identifier: GPL-2.0
#include "dump/input/bitmap.hpp"

#include <catch2/catch_test_macros.hpp>
#include <thread>
#include <vector>

using ballast::dump::Bitmap;

TEST_CASE("A bitmap starts clear, its last word included") {
    const Bitmap bitmap(70);
    CHECK(bitmap.size() == 70);
    CHECK(bitmap.words().size() == 2);
    CHECK(bitmap.count() == 0);
}

TEST_CASE("Ranges are set and cleared within and across words") {
    Bitmap bitmap(200);
    CHECK(bitmap.set_range(3, 5) == 2);
    CHECK(bitmap.set_range(60, 130) == 70);
    CHECK(bitmap.words()[0] == 0xf000000000000018);
    CHECK(bitmap.words()[1] == ~std::uint64_t{0});
    CHECK(bitmap.words()[2] == 3);
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
    CHECK(bitmap.words()[1] == 0x3e);
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
