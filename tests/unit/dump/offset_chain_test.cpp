// SPDX-License-Identifier: GPL-2.0
#include "dump/output/offset_chain.hpp"

#include <array>
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
    ChunkPlace place;
    const auto place_chunk = [&](std::uint64_t chunk, std::uint64_t size) {
        place.forget();
        chain.set_size(chunk, size, place);
        return place.offset();
    };
    CHECK(place_chunk(0, 10) == 1000);
    CHECK(place_chunk(1, 0) == 1010);
    CHECK(place_chunk(2, 5) == 1010);
    CHECK(place_chunk(3, 0) == 1015);
    CHECK(chain.end() == 1015);
}

TEST_CASE("Chunks whose sizes are told before those of chunks in front of them get the same places") {
    OffsetChain chain(1000, 4);
    std::array<ChunkPlace, 4> places;
    chain.set_size(3, 7, places[3]);
    chain.set_size(1, 20, places[1]);
    CHECK(!places[1].offset());
    chain.set_size(0, 10, places[0]);
    CHECK(places[0].offset() == 1000);
    CHECK(places[1].offset() == 1010);
    CHECK(!places[3].offset());
    CHECK(chain.end() == 1030);
    chain.set_size(2, 5, places[2]);
    CHECK(places[2].offset() == 1030);
    CHECK(places[3].offset() == 1035);
    CHECK(chain.end() == 1042);
}

TEST_CASE("Chunks that have to go in order wait until the one before is passed") {
    OffsetChain chain(1000, 2);
    ChunkPlace place;
    CHECK(chain.wait(0) == 1000);
    chain.set_size(1, 3, place);
    CHECK(!place.offset());
    chain.pass(0, 1007);
    CHECK(place.wait() == 1007);
    CHECK(chain.wait(2) == 1010);
}

TEST_CASE("Many threads that are many chunks ahead get the places that one would") {
    constexpr std::uint64_t chunks = 20'000;
    constexpr unsigned threads = 8;
    constexpr unsigned ahead = 5;
    OffsetChain chain(0, threads * ahead);
    std::vector<std::uint64_t> places(chunks);
    std::atomic<std::uint64_t> next{0};
    {
        std::vector<std::array<ChunkPlace, ahead>> mine(threads);
        std::vector<std::jthread> team;
        for (unsigned n = 0; n < threads; n++) {
            team.emplace_back([&, n] {
                std::array<std::uint64_t, ahead> claimed{};
                std::uint64_t done = 0;
                std::uint64_t count = 0;
                const auto finish_oldest = [&] {
                    places[claimed[done % ahead]] = mine[n][done % ahead].wait().value();
                    done++;
                };
                for (std::uint64_t chunk = next++; chunk < chunks; chunk = next++) {
                    ChunkPlace &place = mine[n][count % ahead];
                    claimed[count++ % ahead] = chunk;
                    place.forget();
                    chain.set_size(chunk, size_of(chunk), place);
                    // Not all of them as far ahead as can be.
                    while (done < count && count - done > n % ahead) {
                        finish_oldest();
                    }
                }
                while (done < count) {
                    finish_oldest();
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

TEST_CASE("A chunk whose predecessor never comes waits until it is cancelled") {
    OffsetChain chain(0, 3);
    ChunkPlace place;
    std::atomic<unsigned> left{0};
    std::vector<std::jthread> team;
    chain.set_size(1, 1, place);
    team.emplace_back([&place, &left] { left += place.wait() ? 0 : 1; });
    team.emplace_back([&chain, &left] { left += chain.wait(2) ? 0 : 1; });
    std::this_thread::sleep_for(20ms);
    CHECK(left == 0);
    chain.cancel();
    place.cancel();
    team.clear();
    CHECK(left == 2);
}

TEST_CASE("A place that is known stays so when all is cancelled") {
    OffsetChain chain(5, 1);
    ChunkPlace place;
    chain.set_size(0, 1, place);
    place.cancel();
    CHECK(place.wait() == 5);
    place.forget();
    CHECK(!place.wait());
}
