// SPDX-License-Identifier: GPL-2.0
#include "dump/output/page_check.hpp"

#include "dump_machine.hpp"
#include "peers/dump_file.hpp"
#include "support/file.hpp"
#include "support/folder.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <filesystem>

using namespace ballast::dump;
using ballast::peers::DumpFile;
using ballast::test::poke;

namespace {

const DumpMachine &machine() {
    static const DumpMachine one;
    return one;
}

PageCheck check(const std::string &path) {
    NoProgress silent;
    return check_pages(Core::open(path), 3, silent);
}

} // namespace

TEST_CASE("All pages of a good dump are good, whatever the codec and format") {
    const auto codec = GENERATE(Codec::raw, Codec::zlib, Codec::lzo, Codec::snappy, Codec::zstd);
    const Folder folder;
    const std::string path = folder.path() / "dump";
    make_dump(machine(), {.paths = {path}, .codec = codec, .dump_level = 1});
    const PageCheck checked = check(path);
    CHECK(checked.pages == machine().dumped().count());
    CHECK(checked.good() == checked.pages);
    CHECK(checked.not_present == 0);
    CHECK(check(machine().core_path()).good() == machine().core().with_data().count());
}

TEST_CASE("Each page that is damaged or lost is counted and named") {
    const Folder folder;
    const std::string path = folder.path() / "dump";
    make_dump(machine(), {.paths = {path}, .codec = Codec::zlib});
    const DumpFile dump(path);
    const std::uint64_t table = (1 + dump.header().sub_header_blocks + dump.header().bitmap_blocks) * 4096;
    const auto pfns = machine().dumped_pfns();
    poke(path, table + std::uint64_t{24} * 50, std::string(24, '\0'));
    poke(path, table + std::uint64_t{24} * 60 + 12, "@");
    std::uint64_t compressed = 100;
    while (dump.descriptor(compressed).flags == 0) {
        compressed++;
    }
    poke(path, dump.descriptor(compressed).offset, "UUU");
    const PageCheck checked = check(path);
    CHECK(checked.lost == 1);
    CHECK(checked.damaged == 2);
    CHECK(checked.good() == checked.pages - 3);
    REQUIRE(checked.problems.size() == 3);
    CHECK(checked.problems.begin()->first == pfns.at(50));
    CHECK(checked.problems.contains(pfns.at(60)));
    CHECK(checked.problems.contains(pfns.at(compressed)));
}

TEST_CASE("A dump that was cut off lacks the pages behind the cut") {
    const Folder folder;
    const std::string path = folder.path() / "dump";
    make_dump(machine(), {.paths = {path}, .codec = Codec::lzo});
    std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
    const PageCheck checked = check(path);
    CHECK(checked.damaged > checked.pages / 4);
    CHECK(checked.good() > checked.pages / 4);
}

TEST_CASE("Pages that are dumped but not of the machine are told") {
    const Folder folder;
    const std::string path = folder.path() / "dump";
    make_dump(machine(), {.paths = {path}});
    const DumpFile dump(path);
    const std::uint64_t bitmap_1 = (1 + dump.header().sub_header_blocks) * 4096;
    poke(path, bitmap_1 + machine().dumped_pfns().at(500) / 8, std::string(1, '\0'));
    CHECK(check(path).not_present > 0);
}
