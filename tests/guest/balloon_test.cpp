// SPDX-License-Identifier: GPL-2.0
// The balloon's size: targets, MemTotal, counters, and memory that runs out.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "balloon_fixture.hpp"
#include "control/file.hpp"
#include "machine.hpp"
#include "support/failure.hpp"

using namespace ballast::guest;
using ballast::control::open_file;
using ballast::control::read_number;
using ballast::control::read_text;
using ballast::control::write_text;

namespace {

/** Is the root file system in memory? Elsewhere the programs that run are page cache, which counts as available. */
bool programs_are_in_memory() {
    struct statfs root {};
    REQUIRE(statfs("/", &root) == 0);
    return root.f_type == RAMFS_MAGIC || root.f_type == TMPFS_MAGIC;
}

} // namespace

TEST_CASE("MemTotal falls by the balloon's size and comes back") {
    const LoadedBalloon balloon;
    const auto before = memory("MemTotal");
    balloon.resize(64 * mib);
    CHECK(memory("MemTotal") == before - 64 * mib);
    balloon.resize(24 * mib);
    CHECK(memory("MemTotal") == before - 24 * mib);
    balloon.resize(0);
    CHECK(memory("MemTotal") == before);
}

TEST_CASE("free memory falls by the balloon's size and comes back") {
    const LoadedBalloon balloon;
    const auto before = free_memory();
    balloon.resize(64 * mib);
    CHECK(free_memory() < before - 48 * mib);
    balloon.resize(0);
    // What was freed may take a while.
    wait_until([&] { return free_memory() > before - 16 * mib; });
}

TEST_CASE("target and size read the same in pages and in bytes") {
    const LoadedBalloon balloon;
    balloon.get().set_target_pages(1000);
    balloon.get().wait(LoadedBalloon::patient);
    CHECK(read_text(balloon.attribute("target_pages")) == "1000\n");
    CHECK(read_text(balloon.attribute("target_bytes")) == "4096000\n");
    CHECK(read_text(balloon.attribute("size_pages")) == "1000\n");
    CHECK(read_text(balloon.attribute("size_bytes")) == "4096000\n");
}

TEST_CASE("a target in bytes is rounded down to pages") {
    const LoadedBalloon balloon;
    write_text(balloon.attribute("target_bytes"), "8191");
    CHECK(read_number(balloon.attribute("target_pages")) == 1);
}

TEST_CASE("a target in bytes may have a unit") {
    const auto [text, pages] = GENERATE(table<std::string, std::uint64_t>(
        {{"64K", 16}, {"64k\n", 16}, {"3M", 768}, {"3m", 768}, {"0G", 0}, {"00010K", 2}}));
    const LoadedBalloon balloon;
    write_text(balloon.attribute("target_bytes"), text);
    CHECK(read_number(balloon.attribute("target_pages")) == pages);
}

TEST_CASE("what is no size is refused as a target and changes nothing") {
    const std::string text =
        GENERATE("-1", "-4096", "many", "", "\n", " ", "12 34", "0x1000", "1.5M", "64KB", "64T", "K", "1e6", "+-1");
    const std::string unit = GENERATE("target_bytes", "target_pages");
    const LoadedBalloon balloon;
    balloon.get().set_target_pages(7);
    CAPTURE(text, unit);
    // libc writes nothing for an empty string: a newline alone is as empty for the kernel.
    failure(std::errc::invalid_argument, [&] { write_text(balloon.attribute(unit), text.empty() ? "\n" : text); });
    CHECK(read_number(balloon.attribute("target_pages")) == 7);
}

TEST_CASE("more than the machine's memory is refused as a target") {
    const auto [unit, text] = GENERATE(table<std::string, std::string>({{"target_bytes", "1024G"},
                                                                        {"target_bytes", "18446744073709551615"},
                                                                        {"target_bytes", "18446744073709551616"},
                                                                        {"target_bytes", "18014398509481984K"},
                                                                        {"target_bytes", "99999999999999999999999999G"},
                                                                        {"target_pages", "268435456"},
                                                                        {"target_pages", "18446744073709551615"},
                                                                        {"target_pages", "18446744073709551616"}}));
    const LoadedBalloon balloon;
    CAPTURE(unit, text);
    failure(std::errc::result_out_of_range,
            [&, &unit = unit, &text = text] { write_text(balloon.attribute(unit), text); });
    CHECK(balloon.get().status().target_pages == 0);
}

TEST_CASE("memory that is in the balloon counts as the machine's for the highest target") {
    const LoadedBalloon balloon;
    const auto total = memory("MemTotal");
    balloon.resize(128 * mib);
    failure(std::errc::result_out_of_range, [&] { balloon.get().set_target_bytes(total + page_size); });
    balloon.get().set_target_bytes(total);
    balloon.resize(0);
}

TEST_CASE("a new target takes over before the old one is reached") {
    const LoadedBalloon balloon;
    const auto before = memory("MemTotal");
    for (int turn = 0; turn < 20; ++turn) {
        balloon.get().set_target_bytes(128 * mib);
        balloon.get().set_target_bytes(mib);
    }
    balloon.get().wait(LoadedBalloon::patient);
    // The size may pass the target while what an old target asked for is still on its way.
    wait_until([&] { return memory("MemTotal") == before - mib; });
}

TEST_CASE("counters of pages and the kernel's own balloon events agree with what happened") {
    const LoadedBalloon balloon;
    const auto inflated = event("balloon_inflate");
    const auto deflated = event("balloon_deflate");
    balloon.resize(16 * mib);
    balloon.resize(4 * mib);
    const auto status = balloon.get().status();
    CHECK(status.inflated == 4096);
    CHECK(status.deflated == 3072);
    CHECK(event("balloon_inflate") - inflated == status.inflated);
    CHECK(event("balloon_deflate") - deflated == status.deflated);
}

TEST_CASE("no balloon event is counted when a block is split and when the content is checked") {
    const LoadedBalloon balloon({"check_content=1"});
    const auto inflated = event("balloon_inflate");
    const auto deflated = event("balloon_deflate");
    balloon.resize(16 * mib);
    balloon.resize(5 * mib);
    write_text(balloon.attribute("check_now"), "1");
    const auto status = balloon.get().status();
    CHECK(event("balloon_inflate") - inflated == status.inflated);
    CHECK(event("balloon_deflate") - deflated == status.deflated);
    CHECK(event("balloon_inflate") - event("balloon_deflate") - (inflated - deflated) == status.size_pages);
}

TEST_CASE("a program that polls the size is woken when it changes") {
    const std::string name = GENERATE("size_pages", "size_bytes");
    const LoadedBalloon balloon;
    const auto path = balloon.attribute(name);
    const auto file = open_file(path, O_RDONLY);
    CHECK(read_text(file, path) == "0\n");
    pollfd wake{.fd = file.get(), .events = POLLPRI, .revents = 0};
    REQUIRE(poll(&wake, 1, 0) == 0);
    balloon.get().set_target_pages(1);
    CHECK(poll(&wake, 1, 60'000) == 1);
    CHECK((wake.revents & POLLPRI) != 0);
    CHECK(read_text(file, path) == (name == "size_pages" ? "1\n" : "4096\n"));
}

TEST_CASE("without check_content there is nothing to read of content") {
    const LoadedBalloon balloon;
    CHECK_FALSE(std::filesystem::exists(balloon.get().group() / "content_errors"));
    CHECK_FALSE(std::filesystem::exists(balloon.get().group() / "check_now"));
    CHECK(read_text("/sys/module/balloon_kvm/parameters/check_content") == "N\n");
}

TEST_CASE("when memory runs out the balloon gives way before a process is killed") {
    const LoadedBalloon balloon;
    const auto killed = event("oom_kill");
    const auto available = memory("MemAvailable");
    balloon.resize(available - 64 * mib);
    CHECK(allocate_in_process(128 * mib));
    CHECK(event("oom_kill") == killed);
    const auto status = balloon.get().status();
    CHECK(status.size_bytes < available - 64 * mib);
    CHECK(status.target_bytes < available - 64 * mib);
}

TEST_CASE("an inflation that finds no memory goes on when there is some") {
    if (!programs_are_in_memory()) {
        SKIP("a balloon of all that is available takes the memory of the programs that run from here");
    }
    const LoadedBalloon balloon({"min_free=0"});
    const auto target = memory("MemAvailable") - 64 * mib;
    {
        const HoledMemory other_user;
        balloon.get().set_target_bytes(target);
        wait_until([&] { return balloon.get().status().inflate_failed > 0; });
        CHECK(balloon.get().status().size_bytes < target);
    }
    wait_until([&] {
        const auto status = balloon.get().status();
        // With no memory left at all someone may have got some out of the balloon.
        if (status.target_pages < target / page_size) {
            balloon.get().set_target_bytes(target);
        }
        return status.size_pages == target / page_size;
    });
}
