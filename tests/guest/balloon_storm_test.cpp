// SPDX-License-Identifier: GPL-2.0
// All that can happen to a balloon, at once. BALLAST_STORM_SECONDS makes it last longer than in `make check`.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <random>
#include <system_error>

#include <catch2/catch_test_macros.hpp>

#include "balloon_fixture.hpp"
#include "control/error.hpp"
#include "control/file.hpp"
#include "machine.hpp"

using namespace ballast::guest;

namespace {

std::chrono::seconds storm_length() {
    const char *seconds = std::getenv("BALLAST_STORM_SECONDS");
    return std::chrono::seconds(seconds == nullptr ? 12 : std::atoi(seconds));
}

/** A process that takes more memory than there is beside the balloon, then is gone. */
void press_for_memory() {
    allocate_in_process(96 * mib);
}

/** Sets a target, unless a memory block is offline just now and the machine smaller than that. */
void aim_at(const LoadedBalloon &balloon, std::uint64_t pages) {
    try {
        balloon.get().set_target_pages(pages);
    } catch (const ballast::control::Error &error) {
        CHECK(error.code() == std::errc::result_out_of_range);
    }
}

/** Random targets until the end, checks of all pages in between. */
void resize_until(const LoadedBalloon &balloon, std::chrono::steady_clock::time_point end, std::uint64_t most,
                  std::mt19937 &random) {
    std::uniform_int_distribution<std::uint64_t> pages(0, most / page_size);
    std::uniform_int_distribution<int> pause(0, 200);
    for (int turn = 0; std::chrono::steady_clock::now() < end; ++turn) {
        aim_at(balloon, pages(random));
        std::this_thread::sleep_for(std::chrono::milliseconds(pause(random)));
        if (turn % 8 == 0) {
            CHECK(balloon.get().check_content() == 0);
        }
    }
}

} // namespace

TEST_CASE("inflation, deflation, compaction, offlining, lack of memory and unloading go together") {
    const auto blocks = MemoryBlock::find_movable();
    const auto zones = managed_pages();
    const auto available = memory("MemAvailable");
    const auto end = std::chrono::steady_clock::now() + storm_length();
    std::mt19937 random(20261122);
    std::uint64_t migrated = 0;
    std::uint64_t split = 0;
    bool blocks_move = false;
    // Blocks split where they can move; otherwise only a deflation that happens to end within a block splits one.
    const auto saw_all = [&] { return migrated > 0 && (!blocks_move || split > 0); };
    // A short storm on a slow machine goes on for as long as it takes to see that.
    const auto goes_on = [&] {
        const auto now = std::chrono::steady_clock::now();
        return now < end || (now < end + std::chrono::minutes(2) && !saw_all());
    };
    {
        const Background compaction(compact_memory);
        const Background offlining([&] {
            for (const auto &block : blocks) {
                block.set_offline();
                block.set_online();
            }
        });
        const Background pressure(press_for_memory);
        for (int load = 0; goes_on(); ++load) {
            const LoadedBalloon balloon({"check_content=1", load % 3 == 2 ? "huge=0" : "huge=1",
                                         load % 2 == 1 ? "min_free=0" : "min_free=32M"});
            resize_until(balloon, std::chrono::steady_clock::now() + std::chrono::seconds(4), available, random);
            const auto status = balloon.get().status();
            CHECK(status.content_errors == 0);
            migrated += status.migrated;
            blocks_move = balloon.isolates_pages();
            split += ballast::control::read_number(balloon.attribute("huge_split"));
            // Unloaded while all of it goes on.
        }
    }
    WARN(migrated << " pages moved, " << split << " blocks split");
    CHECK(saw_all());
    for (const auto &block : blocks) {
        block.set_online_again();
    }
    CHECK(managed_pages() == zones);
}
