// SPDX-License-Identifier: GPL-2.0
// pmakedumpfile's own options, and makedumpfile's that change nothing here, on a real core.
#include "dump_file.hpp"
#include "formats.hpp"
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
    const DumpFile useful(small);
    const std::uint64_t room = room_for_most_useful(small);
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

TEST_CASE("Where there is no room for level 31 either, all that a reader needs to find its way is in the file") {
    const std::string core = core_of("5_levels");
    const Folder folder;
    const std::string small = folder.path() / "small";
    const std::string cut = folder.path() / "cut";
    require_success({BALLAST_PMAKEDUMPFILE, "-l", "-d", "31", core, small});
    const std::string room = std::to_string(std::filesystem::file_size(small) / 2);
    const std::string level = GENERATE("31", "1");
    const Outcome outcome = run({BALLAST_PMAKEDUMPFILE, "-l", "-d", level, "-L", room, core, cut}, 300s);
    INFO(outcome.output << outcome.errors);
    REQUIRE(outcome.status == 1);
    CHECK(DumpFile(cut).dumped_count() >= DumpFile(small).dumped_count());
    // Through page tables, the image's data and log buffer, wherever in memory they stand.
    CHECK(dmesg_lines(printk_log(Kdumpfile(cut))) == dmesg_lines(printk_log(Kdumpfile(core))));
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

TEST_CASE("A dry run tells of the dump what the run that writes it tells") {
    const Folder folder;
    const auto stats_of = [&](const std::vector<std::string> &options) {
        std::vector<std::string> command{BALLAST_PMAKEDUMPFILE, "--stats=json", "-z", "-d", "31", core_of("5_levels")};
        command.insert(command.end(), options.begin(), options.end());
        const Outcome outcome = run(command, 300s);
        INFO(describe(command, outcome));
        REQUIRE(outcome.status == 0);
        auto stats = nlohmann::json::parse(outcome.output);
        stats.erase("steps"); // durations
        return stats;
    };
    const auto dry = stats_of({folder.path() / "dump", "--dry-run"});
    CHECK(std::filesystem::is_empty(folder.path()));
    CHECK(dry == stats_of({folder.path() / "dump"}));
}

TEST_CASE("The report counts what makedumpfile counts of each class") {
    skip_unless_makedumpfile_knows_kernel();
    const std::string level = GENERATE("3", "31");
    const auto excluded = [&](const std::string &program) {
        const Folder folder;
        const Outcome outcome = run(
            {program, "--message-level", "0", "--show-stats", "-d", level, core_of("5_levels"), folder.path() / "dump"},
            300s);
        REQUIRE(outcome.status == 0);
        // Of "Original pages" makedumpfile counts the kernel's text twice.
        const std::size_t begin = outcome.output.find("  Excluded pages ");
        return outcome.output.substr(begin, outcome.output.find("  Remaining pages") - begin);
    };
    const std::string ours = excluded(BALLAST_PMAKEDUMPFILE);
    CHECK_THAT(ours, ContainsSubstring("Hwpoison pages"));
    CHECK(ours == excluded("makedumpfile"));
}

TEST_CASE("Files of a split dump begin at multiples of --splitblock-size, and make the file that one run makes") {
    constexpr std::uint64_t block_kib = 32768;
    constexpr std::uint64_t block_pages = block_kib / 4;
    constexpr std::uint64_t word = 64; // of the bitmap, whose beginning crash wants
    const Folder folder;
    const auto path = [&](const char *name) { return (folder.path() / name).native(); };
    require_success({BALLAST_PMAKEDUMPFILE, "-l", "-d", "31", core_of("5_levels"), path("whole")});
    require_success({BALLAST_PMAKEDUMPFILE, "--split", "--splitblock-size", std::to_string(block_kib), "-l", "-d", "31",
                     core_of("5_levels"), path("a"), path("b"), path("c")});
    const DumpFile whole(path("whole"));
    for (const char *part : {"b", "c"}) {
        const std::uint64_t start = DumpFile(path(part)).header().start_pfn;
        std::uint64_t before = 0;
        for (std::uint64_t pfn = 0; pfn < start; pfn++) {
            before += whole.dumped(pfn) ? 1 : 0;
        }
        CHECK(before > block_pages / 2);
        CHECK((before + word / 2) % block_pages <= word);
    }
    require_success({BALLAST_PMAKEDUMPFILE, "--reassemble", path("a"), path("b"), path("c"), path("again")});
    CHECK(run({"cmp", path("whole"), path("again")}).status == 0);
}

TEST_CASE("A higher level of zstd makes a smaller dump of the same pages") {
    const Folder folder;
    const std::string fast = folder.path() / "fast";
    const std::string small = folder.path() / "small";
    require_success({BALLAST_PMAKEDUMPFILE, "-z", "-d", "31", core_of("5_levels"), fast});
    require_success({BALLAST_PMAKEDUMPFILE, "-z", "--zstd-level", "9", "-d", "31", core_of("5_levels"), small});
    CHECK(std::filesystem::file_size(small) < std::filesystem::file_size(fast));
    CHECK(pages_that_differ(DumpFile(fast), Kdumpfile(core_of("5_levels")), Kdumpfile(small)) == 0);
}

TEST_CASE("With -D more is said than without") {
    const auto said = [](const std::string &option) {
        std::vector<std::string> command{BALLAST_PMAKEDUMPFILE, "--dry-run", "-d", "31", option, core_of("5_levels")};
        std::erase(command, "");
        return run(command, 300s).output;
    };
    CHECK(said("-D").size() > said("").size());
}
