// SPDX-License-Identifier: GPL-2.0
#include "dump/output/offset_chain.hpp"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

namespace {

using namespace ballast::dump;
using namespace std::chrono_literals;

/** A size for each chunk, no two neighbours alike. */
std::uint64_t size_of(std::uint64_t chunk) {
    return chunk * 37 % 101;
}

} // namespace

TEST_CASE("Chunks get their places one behind the other") {
    OffsetChain chain(1000, 1);
    CHECK(chain.place(0, 10) == 1000);
    CHECK(chain.place(1, 0) == 1010);
    CHECK(chain.place(2, 5) == 1010);
    CHECK(chain.place(3, 0) == 1015);
}

TEST_CASE("Many threads get the places that one would") {
    constexpr std::uint64_t chunks = 20'000;
    constexpr unsigned threads = 8;
    OffsetChain chain(0, threads);
    std::vector<std::uint64_t> places(chunks);
    std::atomic<std::uint64_t> next{0};
    {
        std::vector<std::jthread> team;
        for (unsigned n = 0; n < threads; n++) {
            team.emplace_back([&] {
                for (std::uint64_t chunk = next++; chunk < chunks; chunk = next++) {
                    places[chunk] = chain.place(chunk, size_of(chunk)).value();
                }
            });
        }
    }
    std::uint64_t expected = 0;
    std::uint64_t wrong = 0;
    for (std::uint64_t chunk = 0; chunk < chunks; chunk++) {
        wrong += places[chunk] != expected ? 1 : 0;
        expected += size_of(chunk);
    }
    CHECK(wrong == 0);
}

TEST_CASE("A chunk whose predecessor never comes waits until the chain is cancelled") {
    OffsetChain chain(0, 3);
    std::atomic<unsigned> left{0};
    std::vector<std::jthread> team;
    for (const std::uint64_t chunk : {1U, 2U}) {
        team.emplace_back([&chain, &left, chunk] {
            if (!chain.place(chunk, 1)) {
                left++;
            }
        });
    }
    std::this_thread::sleep_for(20ms);
    CHECK(left == 0);
    chain.cancel();
    team.clear();
    CHECK(left == 2);
    CHECK(chain.cancelled());
}
