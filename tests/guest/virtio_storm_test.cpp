// SPDX-License-Identifier: GPL-2.0
// All that can happen to balloons of devices, at once. BALLAST_STORM_SECONDS makes it last longer than in `make check`.
#include <chrono>
#include <cstdlib>
#include <initializer_list>
#include <optional>
#include <random>

#include <catch2/catch_test_macros.hpp>

#include "machine.hpp"
#include "virtio_fixture.hpp"

using namespace ballast::guest;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::uint64_t page_size = 4096;
constexpr std::uint64_t mib = 1 << 20;

std::chrono::seconds storm_length() {
    const char *seconds = std::getenv("BALLAST_STORM_SECONDS");
    return std::chrono::seconds(seconds == nullptr ? 12 : std::atoi(seconds));
}

/** If no balloon gives way, the kernel kills the process. */
void run_out_of_memory() {
    allocate_in_process(memory("MemFree") + 48 * mib);
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
}

/** Memory of a program, known to the word: no balloon may touch it. */
class WorkingSet {
  public:
    WorkingSet() {
        for (std::size_t i = 0; i < words_.size(); ++i) {
            words_[i] = word(i);
        }
    }
    [[nodiscard]] bool is_intact() const {
        for (std::size_t i = 0; i < words_.size(); ++i) {
            if (words_[i] != word(i)) {
                return false;
            }
        }
        return true;
    }

  private:
    static std::uint64_t word(std::size_t i) { return i * 0x9e3779b97f4a7c15; }
    std::vector<std::uint64_t> words_ = std::vector<std::uint64_t>(48 * mib / 8);
};

/** One life of the host's devices, during which the driver is unbound and unloaded, and what happened to it. */
class Turn {
  public:
    explicit Turn(std::mt19937 &random)
        : random_(random), host_(pick({all_features, must_tell_host, deflate_on_oom, 0U}), pick({1U, 2U, 3U})) {
        host_.set("delay", pick({0U, 0U, 100U, 300U}));
    }

    void run(Clock::time_point end) {
        load();
        for (unsigned step = 0; step < 12 && Clock::now() < end; ++step) {
            host_.set_target(pick({0U, 100U, 3000U, 20000U, 60000U}) / Host::devices().size());
            std::this_thread::sleep_for(std::chrono::milliseconds(pick({1U, 20U, 100U})));
            act(step);
        }
        CHECK(host_.get("errors") == 0);
    }

    /** Devices vanish, the module or the devices go first. */
    void end() {
        switch (pick({0U, 1U, 2U})) {
        case 0:
            host_.set("vanish", 1);
            host_.unload();
            break;
        case 1:
            driver_->unload();
            CHECK(host_.get("errors") == 0);
            break;
        default:
            host_.unload();
        }
    }

    [[nodiscard]] std::uint64_t told() const { return host_.get("told_inflate"); }

  private:
    unsigned pick(std::initializer_list<unsigned> choices) {
        std::uniform_int_distribution<std::size_t> index(0, choices.size() - 1);
        return *(choices.begin() + index(random_));
    }

    void load() { driver_.emplace("balloon_kvm", std::vector<std::string>{pick({0U, 1U}) == 0 ? "huge=0" : "huge=1"}); }

    void act(unsigned step) {
        const auto device = Host::devices().at(0);
        if (step % 4 == 1) {
            unbind(device);
            bind(device);
        } else if (step % 6 == 5) {
            driver_->unload();
            load();
        } else {
            host_.set("hint_id", step % 2 == 0 ? 2 + step : 1);
            host_.set("ask_statistics", 1);
        }
    }

    std::mt19937 &random_;
    Host host_;
    std::optional<Loaded> driver_;
};

/** What goes on beside the balloon moves its pages, as long as it gets the time. */
void see_migration() {
    const Host host;
    const Loaded driver("balloon_kvm", {"huge=0"});
    const auto migrated = event("balloon_migrate");
    host.set_target(memory("MemAvailable") / 3 / page_size);
    wait_until([&] { return event("balloon_migrate") > migrated; });
}

} // namespace

TEST_CASE("host, OOM, compaction, offlining, unbinding, unloading and vanishing against each other leave all intact") {
    const auto seed = std::random_device{}();
    std::mt19937 random(seed);
    const auto zones = managed_pages();
    const auto blocks = MemoryBlock::find_movable();
    const auto migrated = event("balloon_migrate");
    const auto kills = event("oom_kill");
    const WorkingSet working_set;
    unsigned turns = 0;
    std::uint64_t told = 0;
    {
        const Background compaction(compact_memory);
        const Background offlining([&] {
            for (const auto &block : blocks) {
                block.set_offline();
                block.set_online();
            }
        });
        see_migration();
        const Background hog(run_out_of_memory);
        const auto end = Clock::now() + storm_length();
        // A short storm on a slow machine goes on for as long as it takes to see that.
        for (; Clock::now() < end || (told == 0 && Clock::now() < end + 2min); ++turns) {
            Turn turn(random);
            turn.run(Clock::now() + 4s);
            told += turn.told();
            turn.end();
        }
    }
    WARN("seed " << seed << ": " << turns << " hosts, " << told << " pages told in, "
                 << event("balloon_migrate") - migrated << " migrated, " << event("oom_kill") - kills << " OOM kills");
    CHECK(told > 0);
    CHECK(working_set.is_intact());
    for (const auto &block : blocks) {
        block.set_online_again();
    }
    CHECK(managed_pages() == zones);
}
