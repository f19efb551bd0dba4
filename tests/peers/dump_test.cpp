// SPDX-License-Identifier: GPL-2.0
// pmakedumpfile's dumps of real cores, judged by makedumpfile, libkdumpfile and crash.
#include "comparison.hpp"
#include "dump_file.hpp"
#include "kdumpfile.hpp"
#include "printk_log.hpp"
#include "real_core.hpp"
#include "support/folder.hpp"
#include "support/process.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cstdlib>
#include <filesystem>

using namespace ballast::peers;
using ballast::test::Outcome;
using ballast::test::run;

namespace {

using namespace std::chrono_literals;

/** Whether the files have the same bytes. */
bool identical(const std::string &first, const std::string &second) {
    return run({"cmp", first, second}, 300s).status == 0;
}

std::vector<std::string> log_of(const std::string &dump) {
    return dmesg_lines(printk_log(Kdumpfile(dump)));
}

/** Each bit and all of them, or all 32 where BALLAST_ALL_LEVELS is set: minutes. */
std::vector<std::string> dump_levels() {
    if (std::getenv("BALLAST_ALL_LEVELS") == nullptr) {
        return {"0", "1", "2", "4", "8", "16", "31"};
    }
    std::vector<std::string> levels;
    for (unsigned level = 0; level < 32; ++level) {
        levels.push_back(std::to_string(level));
    }
    return levels;
}

/** The dumped pages that are not the core's. */
PfnSet wrong_pages(const Kdumpfile &core, const Kdumpfile &dump, const DumpFile &bitmaps) {
    std::vector<std::byte> in_core(dump.page_size());
    std::vector<std::byte> in_dump(dump.page_size());
    PfnSet wrong;
    for (std::uint64_t pfn = 0; pfn < bitmaps.header().max_pfn; pfn++) {
        if (bitmaps.dumped(pfn)) {
            core.read_page(pfn, in_core);
            dump.read_page(pfn, in_dump);
            if (in_core != in_dump) {
                wrong.add(pfn);
            }
        }
    }
    return wrong;
}

} // namespace

TEST_CASE("A dump has the bitmaps and the page contents of makedumpfile's, at each level") {
    skip_unless_makedumpfile_knows_kernel();
    const std::string levels = GENERATE("4_levels", "5_levels");
    const std::string dump_level = GENERATE(from_range(dump_levels()));
    const Folder folder;
    const std::string ours = folder.path() / "ours";
    const std::string theirs = folder.path() / "theirs";
    CAPTURE(levels, dump_level);

    require_success({BALLAST_PMAKEDUMPFILE, "-l", "-d", dump_level, core_of(levels), ours});
    require_success({"makedumpfile", "-l", "-d", dump_level, core_of(levels), theirs});
    const Comparison comparison = compare_dumps(theirs, ours);
    INFO("first: makedumpfile's, second: pmakedumpfile's\n" << comparison.describe());
    CHECK(comparison.pages_compared > 1000);
    CHECK(comparison.equal());
}

TEST_CASE("The dumps of 1, 2, 3 and 8 threads are the same file, for each compressor") {
    const std::string compressor = GENERATE("", "-c", "-l", "-p", "-z");
    const std::string dump_level = GENERATE("1", "31");
    const Folder folder;
    const std::string one = folder.path() / "1";
    CAPTURE(compressor, dump_level);

    const auto dump = [&](const std::string &threads) {
        require_success({BALLAST_PMAKEDUMPFILE, compressor, "-d", dump_level, "--num-threads", threads,
                         core_of("5_levels"), folder.path() / threads});
    };
    dump("1");
    for (const std::string threads : {"2", "3", "8"}) {
        dump(threads);
        CHECK(identical(one, folder.path() / threads));
        std::filesystem::remove(folder.path() / threads);
    }
}

TEST_CASE("libkdumpfile reads each page as it is in the core, for each compressor") {
    const std::string levels = GENERATE("4_levels", "5_levels");
    const std::string compressor = GENERATE("", "-c", "-l", "-p", "-z");
    const Folder folder;
    const std::string path = folder.path() / "dump";
    CAPTURE(levels, compressor);
    require_success({BALLAST_PMAKEDUMPFILE, compressor, "-d", "1", core_of(levels), path});
    CHECK(DumpFile(path).dumped_count() > 10000);
    CHECK(wrong_pages(Kdumpfile(core_of(levels)), Kdumpfile(path), DumpFile(path)).count() == 0);
}

TEST_CASE("libkdumpfile reads each page of a split dump as it is in the core") {
    const Folder folder;
    const std::vector<std::string> parts{folder.path() / "a", folder.path() / "b", folder.path() / "c"};
    require_success(
        {BALLAST_PMAKEDUMPFILE, "--split", "-l", "-d", "31", core_of("5_levels"), parts[0], parts[1], parts[2]});
    const Kdumpfile dump({parts[1], parts[2], parts[0]});
    CHECK(dump.release() == BALLAST_KERNEL_RELEASE);
    // Each part's bitmaps are those of the whole dump.
    CHECK(wrong_pages(Kdumpfile(core_of("5_levels")), dump, DumpFile(parts[0])).count() == 0);
}

TEST_CASE("Each compressor's pages are stored as the format says") {
    struct Codec {
        std::string option;
        std::uint32_t flag;
    };
    const Codec codec = GENERATE(Codec{"", 0}, Codec{"-c", 0x1}, Codec{"-l", 0x2}, Codec{"-p", 0x4}, Codec{"-z", 0x20});
    const Folder folder;
    const std::string path = folder.path() / "dump";
    CAPTURE(codec.option);
    require_success({BALLAST_PMAKEDUMPFILE, codec.option, "-d", "31", core_of("5_levels"), path});

    const DumpFile dump(path);
    const std::uint64_t page_size = dump.header().block_size;
    std::uint64_t compressed = 0;
    for (std::uint64_t n = 0; n < dump.dumped_count(); n++) {
        const PageDescriptor descriptor = dump.descriptor(n);
        REQUIRE_NOTHROW(dump.stored(descriptor));
        if (descriptor.flags == 0) {
            REQUIRE(descriptor.size == page_size);
        } else {
            REQUIRE(descriptor.flags == codec.flag);
            REQUIRE(descriptor.size < page_size);
            compressed++;
        }
    }
    CHECK(dump.header().status == codec.flag);
    CHECK((compressed > dump.dumped_count() / 2) == (codec.flag != 0));
}

TEST_CASE("makedumpfile filters our dump of all pages into our dump of few") {
    skip_unless_makedumpfile_knows_kernel();
    const Folder folder;
    const std::string all = folder.path() / "all";
    const std::string few = folder.path() / "few";
    const std::string refiltered = folder.path() / "refiltered";
    require_success({BALLAST_PMAKEDUMPFILE, "-l", "-d", "0", core_of("5_levels"), all});
    require_success({BALLAST_PMAKEDUMPFILE, "-l", "-d", "31", core_of("5_levels"), few});
    require_success({"makedumpfile", "-l", "-d", "31", all, refiltered});
    const Comparison comparison = compare_dumps(refiltered, few);
    INFO(comparison.describe());
    CHECK(comparison.equal());
}

TEST_CASE("Our filter makes of makedumpfile's dump of all pages the file that it makes of the core") {
    skip_unless_makedumpfile_knows_kernel();
    const std::string compressor = GENERATE("", "-c", "-l");
    const std::string form = GENERATE("", "-F");
    const Folder folder;
    const std::string all = folder.path() / "all";
    const std::string few = folder.path() / "few";
    const std::string refiltered = folder.path() / "refiltered";
    CAPTURE(compressor, form);
    if (form.empty()) {
        require_success({"makedumpfile", compressor, "-d", "1", core_of("5_levels"), all});
    } else {
        require_success({"sh", "-c", "makedumpfile -F -d 1 $2 $0 > $1", core_of("5_levels"), all, compressor});
    }
    require_success({BALLAST_PMAKEDUMPFILE, "-z", "-d", "31", core_of("5_levels"), few});
    require_success({BALLAST_PMAKEDUMPFILE, "-z", "-d", "31", all, refiltered});
    CHECK(identical(refiltered, few));
}

TEST_CASE("Through -F and -R, ours or makedumpfile's, a dump is the very file again") {
    const std::string format = GENERATE("-E", "-c", "-z");
    const Folder folder;
    const std::string direct = folder.path() / "direct";
    const std::string flat = folder.path() / "flat";
    const std::string restored = folder.path() / "restored";
    CAPTURE(format);
    require_success({BALLAST_PMAKEDUMPFILE, format, "-d", "31", core_of("5_levels"), direct});
    require_success({"sh", "-c", "$0 -F $1 -d 31 $2 > $3", BALLAST_PMAKEDUMPFILE, format, core_of("5_levels"), flat});
    for (const std::string program : {BALLAST_PMAKEDUMPFILE, "makedumpfile"}) {
        require_success({"sh", "-c", "$0 -f -R $1 < $2", program, restored, flat});
        CHECK(identical(restored, direct));
    }
    if (format != "-E") {
        CHECK(run({"crash", "--osrelease", flat}).output == Kdumpfile(direct).release() + "\n");
    }
    // Refiltered without -R.
    require_success({BALLAST_PMAKEDUMPFILE, "-f", "-l", "-d", "31", flat, restored});
    require_success({BALLAST_PMAKEDUMPFILE, "-f", "-l", "-d", "31", direct, flat});
    CHECK(identical(restored, flat));
}

TEST_CASE("A split dump is put together by us and by makedumpfile, and so is makedumpfile's by us") {
    skip_unless_makedumpfile_knows_kernel();
    const Folder folder;
    const auto path = [&](const char *name) { return (folder.path() / name).native(); };
    const std::string core = core_of("5_levels");
    require_success({BALLAST_PMAKEDUMPFILE, "-l", "-d", "31", core, path("whole")});
    require_success({BALLAST_PMAKEDUMPFILE, "--split", "-l", "-d", "31", core, path("a"), path("b"), path("c")});
    require_success({BALLAST_PMAKEDUMPFILE, "--reassemble", path("c"), path("a"), path("b"), path("ours")});
    CHECK(identical(path("whole"), path("ours")));
    require_success({"makedumpfile", "--reassemble", path("a"), path("b"), path("c"), path("theirs")});
    CHECK(compare_dumps(path("whole"), path("theirs")).equal());

    require_success({"makedumpfile", "--split", "-l", "-d", "31", core, path("d"), path("e")});
    require_success({BALLAST_PMAKEDUMPFILE, "--verify", path("d"), path("e")});
    require_success({BALLAST_PMAKEDUMPFILE, "--reassemble", path("d"), path("e"), path("of_theirs")});
    const Comparison comparison = compare_dumps(path("theirs"), path("of_theirs"));
    INFO(comparison.describe());
    CHECK(comparison.content.count() + comparison.unreadable.count() == 0);
    CHECK(comparison.dumped_in_first.count() + comparison.dumped_in_second.count() == 0);
}

TEST_CASE("libkdumpfile, crash and makedumpfile read an ELF dump") {
    skip_unless_makedumpfile_knows_kernel();
    const std::string levels = GENERATE("4_levels", "5_levels");
    const Folder folder;
    const std::string elf = folder.path() / "elf";
    const std::string kdump = folder.path() / "kdump";
    const std::string refiltered = folder.path() / "refiltered";
    CAPTURE(levels);
    require_success({BALLAST_PMAKEDUMPFILE, "-E", "-d", "30", core_of(levels), elf});
    require_success({BALLAST_PMAKEDUMPFILE, "-l", "-d", "30", core_of(levels), kdump});
    CHECK(run({"crash", "--osrelease", elf}).output == Kdumpfile(kdump).release() + "\n");
    // Filtered again it loses the pages that only short gaps let in.
    require_success({"makedumpfile", "-l", "-d", "30", elf, refiltered});
    require_success({BALLAST_PMAKEDUMPFILE, "--verify", refiltered});
    const Comparison comparison = compare_dumps(refiltered, kdump);
    INFO(comparison.describe());
    CHECK(comparison.pages_compared > 10000);
    CHECK(comparison.equal());
    CHECK(log_of(elf) == log_of(kdump));
    CHECK(wrong_pages(Kdumpfile(core_of(levels)), Kdumpfile(elf), DumpFile(kdump)).count() == 0);
}

TEST_CASE("crash tells the kernel's release from a dump") {
    const std::string compressor = GENERATE("", "-c", "-l", "-p", "-z");
    const Folder folder;
    const std::string path = folder.path() / "dump";
    CAPTURE(compressor);
    require_success({BALLAST_PMAKEDUMPFILE, compressor, "-d", "31", core_of("5_levels"), path});
    const Outcome crash = run({"crash", "--osrelease", path});
    INFO(crash.errors);
    CHECK(crash.status == 0);
    CHECK(crash.output == Kdumpfile(core_of("5_levels")).release() + "\n");
}

TEST_CASE("The kernel's log can be read from the smallest dump, to its last line") {
    const std::string levels = GENERATE("4_levels", "5_levels");
    const Folder folder;
    const std::string path = folder.path() / "dump";
    CAPTURE(levels);
    require_success({BALLAST_PMAKEDUMPFILE, "-l", "-d", "31", core_of(levels), path});
    const std::vector<std::string> lines = log_of(path);
    REQUIRE_FALSE(lines.empty());
    CHECK_THAT(lines.front(), Catch::Matchers::ContainsSubstring("Linux version"));
    CHECK(
        std::ranges::any_of(lines, [](const std::string &line) { return line.find("Trigger a crash") != line.npos; }));
    CHECK(lines == log_of(core_of(levels)));
}

TEST_CASE("A real core that was cut is refused at the highest level") {
    const Folder folder;
    const std::string core = folder.path() / "core";
    const std::string dump = folder.path() / "dump";
    std::filesystem::copy_file(core_of("5_levels"), core);
    constexpr unsigned steps = 16;
    const std::uint64_t size = std::filesystem::file_size(core);
    for (unsigned step = steps; step-- > 0;) {
        std::filesystem::resize_file(core, size / steps * step + step);
        const std::vector<std::string> command = {BALLAST_PMAKEDUMPFILE, "-l", "-d", "31", core, dump};
        const Outcome outcome = run(command);
        INFO(describe(command, outcome));
        REQUIRE(outcome.status == 1);
        REQUIRE(std::ranges::count(outcome.errors, '\n') == 1);
        REQUIRE_FALSE(std::filesystem::exists(dump));
    }
}
