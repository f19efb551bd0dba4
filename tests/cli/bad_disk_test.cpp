// SPDX-License-Identifier: GPL-2.0
// A core some of whose pages can't be read.
#include "peers/dump_file.hpp"
#include "peers/kdumpfile.hpp"
#include "pmakedumpfile.hpp"
#include "small_core.hpp"
#include "support/folder.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

using namespace ballast::test;
using ballast::peers::DumpFile;
using ballast::peers::Kdumpfile;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr std::uint64_t pages = 1024;
constexpr std::uint64_t first_bad = 100;
constexpr std::uint64_t end_bad = 200;
constexpr std::uint64_t page_size = 4096;

/** A core whose pages from first_bad to end_bad can't be read. */
struct BadDisk {
    Folder folder;
    std::string core = folder.path() / "core";
    std::string dump = folder.path() / "dump";
    CoreLayout layout = make_core(core, {.pages = pages, .vmcoreinfo = true});

    [[nodiscard]] Outcome run(std::vector<std::string> arguments) const {
        const std::vector<std::string> command = {
            "env",
            std::string("LD_PRELOAD=") + BALLAST_FAILING_PREAD,
            "BALLAST_BAD_FILE=" + core,
            // Bad places begin where a disk's blocks do, not where pages do.
            fmt::format("BALLAST_BAD_BEGIN={}", layout.data + first_bad * page_size + 512),
            fmt::format("BALLAST_BAD_END={}", layout.data + (end_bad - 1) * page_size + 512),
            BALLAST_PMAKEDUMPFILE,
        };
        arguments.insert(arguments.begin(), command.begin(), command.end());
        return ballast::test::run(arguments);
    }
};

/** The one line about pages that can't be read. */
void require_told(const Outcome &outcome) {
    INFO(outcome.errors);
    REQUIRE(outcome.status == exit_ok);
    const auto lines = error_lines(outcome);
    REQUIRE(lines.size() == 1);
    CHECK_THAT(lines.front(), ContainsSubstring("100 pages can't be read, zeros stand for them; the first is 0x164: "));
    CHECK_THAT(lines.front(), ContainsSubstring("Input/output error"));
}

} // namespace

TEST_CASE("Pages that can't be read are zeros in the dump, told, counted and marked; all others are right") {
    const BadDisk disk;
    const std::string compressor = GENERATE("-d0", "-l", "-z");
    const std::string threads = GENERATE("1", "3");
    const Outcome outcome =
        disk.run({"--stats=json", "--message-level=4", "--num-threads", threads, compressor, disk.core, disk.dump});
    require_told(outcome);
    CHECK(nlohmann::json::parse(outcome.output)["pages"]["unreadable"] == end_bad - first_bad);

    const Kdumpfile reader(disk.dump);
    std::vector<std::byte> page(page_size);
    std::uint64_t wrong = 0;
    for (std::uint64_t n = 0; n < pages; n++) {
        reader.read_page(core_first_pfn + n, page);
        const bool bad = n >= first_bad && n < end_bad;
        wrong += page == (bad ? std::vector<std::byte>(page_size) : core_page(n)) ? 0 : 1;
    }
    CHECK(wrong == 0);
    const std::vector<std::string> verify = {"--verify", disk.dump};
    const Outcome verified = pmakedumpfile(verify);
    require_refusal(verify, verified, "924 good, 0 damaged, 0 lost, 100 unreadable when the dump was made");
}

TEST_CASE("The mark of pages that couldn't be read stays when the dump is filtered, split and put together again") {
    const BadDisk disk;
    const std::string first = disk.folder.path() / "first";
    const std::string second = disk.folder.path() / "second";
    const std::string again = disk.folder.path() / "again";
    SECTION("filtered") {
        require_told(disk.run({"--message-level=4", disk.core, disk.dump}));
        CHECK(pmakedumpfile({"-l", "-d", "1", disk.dump, again}).status == exit_ok);
    }
    SECTION("split and put together") {
        require_told(disk.run({"--message-level=4", "--split", disk.core, first, second}));
        CHECK(pmakedumpfile({"--reassemble", first, second, again}).status == exit_ok);
    }
    CHECK_THAT(pmakedumpfile({"--verify", again}).output, ContainsSubstring("100 unreadable when the dump was made"));
    CHECK((DumpFile(again).header().status & ballast::peers::status_incomplete) == 0);
}

TEST_CASE("Of an ELF dump the message alone tells of pages that can't be read, and zeros stand for them") {
    const BadDisk disk;
    require_told(disk.run({"-E", "--message-level=4", disk.core, disk.dump}));
    const Kdumpfile reader(disk.dump);
    std::vector<std::byte> page(page_size);
    reader.read_page(core_first_pfn + first_bad, page);
    CHECK(page == std::vector<std::byte>(page_size));
    reader.read_page(core_first_pfn + end_bad + 1, page);
    CHECK(page == core_page(end_bad + 1));
}
