// SPDX-License-Identifier: GPL-2.0
// pmakedumpfile's own options, and makedumpfile's that change nothing here, on a real core.
#include "dump_file.hpp"
#include "kdumpfile.hpp"
#include "printk_log.hpp"
#include "real_core.hpp"
#include "support/folder.hpp"
#include "support/process.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

using namespace ballast::peers;
using ballast::test::Outcome;
using ballast::test::run;
using Catch::Matchers::ContainsSubstring;

namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t descriptor_size = 24;

/** How many of the pages with bits in `pages` the dump does not give back as the core has them. */
std::uint64_t pages_that_differ(const DumpFile &pages, const Kdumpfile &core, const Kdumpfile &dump) {
    std::vector<std::byte> in_core(dump.page_size());
    std::vector<std::byte> in_dump(dump.page_size());
    std::uint64_t differ = 0;
    for (std::uint64_t pfn = 0; pfn < pages.header().max_pfn; pfn++) {
        if (!pages.dumped(pfn)) {
            continue;
        }
        try {
            core.read_page(pfn, in_core);
            dump.read_page(pfn, in_dump);
            differ += in_core == in_dump ? 0 : 1;
        } catch (const KdumpfileError &) {
            differ++;
        }
    }
    return differ;
}

} // namespace

TEST_CASE("Where there is no room for level 1, all pages of level 31 are in the file all the same") {
    const std::string core = core_of("5_levels");
    const Folder folder;
    const std::string small = folder.path() / "small";
    const std::string cut = folder.path() / "cut";
    require_success({BALLAST_PMAKEDUMPFILE, "-z", "-d", "31", core, small});
    // Room for the kernel's own pages, and for the descriptors of all.
    const DumpFile useful(small);
    const std::uint64_t room = useful.bytes() + useful.present_count() * descriptor_size + (1U << 20U);
    const std::vector<std::string> command = {BALLAST_PMAKEDUMPFILE, "-z", "-d", "1", "-L",
                                              std::to_string(room),  core, cut};
    const Outcome outcome = run(command, 300s);
    INFO(describe(command, outcome));
    REQUIRE(outcome.status == 1);
    CHECK_THAT(outcome.output, ContainsSubstring("writing the most useful ones first"));
    CHECK(std::filesystem::file_size(cut) <= room);
    CHECK((DumpFile(cut).header().status & status_incomplete) != 0);
    CHECK(DumpFile(cut).dumped_count() > useful.dumped_count());
    CHECK(pages_that_differ(useful, Kdumpfile(core), Kdumpfile(cut)) == 0);
    CHECK(dmesg_lines(printk_log(Kdumpfile(cut))) == dmesg_lines(printk_log(Kdumpfile(core))));
    CHECK(run({"crash", "--osrelease", cut}).output == BALLAST_KERNEL_RELEASE "\n");
}

TEST_CASE("The next dump level that there is room for makes the file that it makes alone") {
    const Folder folder;
    const std::string alone = folder.path() / "alone";
    const std::string next = folder.path() / "next";
    require_success({BALLAST_PMAKEDUMPFILE, "-l", "-d", "31", core_of("5_levels"), alone});
    const std::string room = std::to_string(std::filesystem::file_size(alone));
    require_success({BALLAST_PMAKEDUMPFILE, "-l", "-L", room, "-d", "1,31", core_of("5_levels"), next});
    CHECK(run({"cmp", alone, next}).status == 0);
}

TEST_CASE("Pages that share their data are each as in the core") {
    const Folder folder;
    const std::string plain = folder.path() / "plain";
    const std::string shared = folder.path() / "shared";
    require_success({BALLAST_PMAKEDUMPFILE, "-l", "-d", "1", core_of("5_levels"), plain});
    require_success({BALLAST_PMAKEDUMPFILE, "-l", "-d", "1", "--dedup", core_of("5_levels"), shared});
    CHECK(std::filesystem::file_size(shared) < std::filesystem::file_size(plain));
    require_success({BALLAST_PMAKEDUMPFILE, "--verify", shared});
    CHECK(pages_that_differ(DumpFile(plain), Kdumpfile(core_of("5_levels")), Kdumpfile(shared)) == 0);
}

TEST_CASE("The classes of --stats=json add up to the core's pages, what is kept of them to the dump's") {
    const std::string level = GENERATE("8", "31");
    const Folder folder;
    const std::string dump = folder.path() / "dump";
    const Outcome outcome =
        run({BALLAST_PMAKEDUMPFILE, "--stats=json", "-l", "-d", level, core_of("5_levels"), dump}, 300s);
    REQUIRE(outcome.status == 0);
    const auto stats = nlohmann::json::parse(outcome.output);
    std::uint64_t seen = 0;
    std::uint64_t kept = 0;
    for (const auto &page_class : stats["classes"]) {
        seen += page_class["seen"].get<std::uint64_t>();
        kept += page_class["kept"].get<std::uint64_t>();
        CHECK(page_class["kept_bytes"] == page_class["kept"].get<std::uint64_t>() * 4096);
    }
    CHECK(stats["release"] == BALLAST_KERNEL_RELEASE);
    CHECK(stats["classes"]["user"]["seen"] > 1000);
    CHECK(stats["classes"]["user"]["kept"] == 0);
    CHECK((stats["classes"]["free"]["kept"] == 0) == (level == "31"));
    CHECK(seen == stats["pages"]["with_data"]);
    CHECK(kept == stats["pages"]["dumped"]);
    CHECK(kept == DumpFile(dump).dumped_count());
    CHECK(stats["output_bytes"] == std::filesystem::file_size(dump));
    CHECK(stats["steps"].size() == 2);
}

TEST_CASE("Progress as JSON ends each step with all of its pages") {
    const Folder folder;
    const Outcome outcome = run({BALLAST_PMAKEDUMPFILE, "--progress=json", "--message-level", "1", "-l", "-d", "31",
                                 core_of("5_levels"), folder.path() / "dump"},
                                300s);
    REQUIRE(outcome.status == 0);
    std::map<std::string, nlohmann::json> last;
    std::istringstream lines(outcome.errors);
    for (std::string line; std::getline(lines, line);) {
        const auto progress = nlohmann::json::parse(line);
        last[progress["step"]] = progress;
    }
    CHECK(last.size() == 2);
    for (const auto &[step, progress] : last) {
        CAPTURE(step);
        CHECK(progress["done"] == progress["total"]);
        CHECK(progress["total"] > 1000);
    }
}

TEST_CASE("Options that change nothing here change nothing") {
    const Folder folder;
    const std::string without = folder.path() / "without";
    const std::string with = folder.path() / "with";
    require_success({BALLAST_PMAKEDUMPFILE, "-l", "-d", "31", core_of("5_levels"), without});
    require_success({BALLAST_PMAKEDUMPFILE, "--non-mmap", "-b", "8", "-e", "-D", "--cyclic-buffer", "1024",
                     "--work-dir", folder.path(), "-l", "-d", "31", core_of("5_levels"), with});
    CHECK(run({"cmp", without, with}).status == 0);
}
