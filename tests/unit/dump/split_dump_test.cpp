// SPDX-License-Identifier: GPL-2.0
#include "dump/input/core.hpp"
#include "dump/input/kdump_core.hpp"
#include "dump/input/page_reader.hpp"
#include "dump/output/flattened_output.hpp"
#include "dump_machine.hpp"
#include "failure.hpp"
#include "peers/dump_file.hpp"
#include "support/file.hpp"
#include "support/folder.hpp"
#include "support/synthetic_core.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fcntl.h>
#include <filesystem>
#include <random>
#include <unistd.h>

using namespace ballast::dump;
using Catch::Matchers::ContainsSubstring;

namespace {

const DumpMachine &machine() {
    static const DumpMachine one;
    return one;
}

Core open_set(const std::vector<std::string> &paths) {
    return Core::open(paths);
}

/** A dump of the machine in parts, and the same in one file. */
struct SplitDump {
    Folder folder;
    std::vector<std::string> parts;
    DumpOptions options;

    explicit SplitDump(std::size_t count, DumpOptions with = {.codec = Codec::lzo, .dump_level = 1, .threads = 3}) {
        options = std::move(with);
        for (std::size_t n = 0; n < count; n++) {
            parts.push_back(folder.path() / ("part" + std::to_string(n)));
        }
        options.paths = parts;
        make_dump(machine(), options);
    }

    [[nodiscard]] std::string whole() const {
        DumpOptions alone = options;
        alone.paths = {folder.path() / "whole"};
        make_dump(machine(), alone);
        return folder.read("whole");
    }

    [[nodiscard]] std::string reassembled(std::vector<std::string> from) const {
        const Core core = Core::open(from);
        NoProgress silent;
        write_dump(core, machine_of(*core.origin()), core.present(), core.with_data(),
                   {.paths = {folder.path() / "again"},
                    .overwrite = true,
                    .codec = core.origin()->codec(),
                    .as_stored = true,
                    .dump_level = core.origin()->dump_level(),
                    .threads = 2},
                   silent);
        return folder.read("again");
    }
};

} // namespace

TEST_CASE("A split dump's parts make the very file again that a dump in one file is") {
    const auto codec = GENERATE(Codec::raw, Codec::zlib, Codec::zstd);
    const unsigned level = GENERATE(0U, 1U);
    const SplitDump dump(GENERATE(2U, 3U, 5U), {.codec = codec, .dump_level = level, .threads = 3});
    auto parts = dump.parts;
    std::ranges::reverse(parts); // their order doesn't matter
    CHECK(dump.reassembled(parts) == dump.whole());
}

TEST_CASE("A split set is a core, with the pages of all parts") {
    const SplitDump dump(3);
    const Core core = Core::open(dump.parts);
    CHECK(core.with_data() == machine().dumped());
    PageReader reader = core.reader();
    CHECK(std::ranges::all_of(machine().dumped_pfns(),
                              [&](Pfn pfn) { return std::ranges::equal(reader.page(pfn), machine().page(pfn)); }));
}

TEST_CASE("The parts are the same for any number of threads") {
    const SplitDump one(3, {.codec = Codec::zlib, .dump_level = 1, .threads = 1});
    const SplitDump many(3, {.codec = Codec::zlib, .dump_level = 1, .threads = 7});
    for (const char *part : {"part0", "part1", "part2"}) {
        CHECK(one.folder.read(part) == many.folder.read(part));
    }
}

TEST_CASE("Parts have as many pages each, but for a block") {
    const std::uint64_t block = GENERATE(std::uint64_t{0}, std::uint64_t{1} << 20);
    const SplitDump dump(3, {.codec = Codec::raw, .threads = 2, .split_block = block});
    std::uint64_t least = UINT64_MAX;
    std::uint64_t most = 0;
    for (const std::string &part : dump.parts) {
        least = std::min<std::uint64_t>(least, std::filesystem::file_size(part));
        most = std::max<std::uint64_t>(most, std::filesystem::file_size(part));
    }
    // Parts begin with multiples of 64 pages; descriptors are not pages.
    CHECK(most - least <= std::max<std::uint64_t>(block, std::uint64_t{64} * 4096) * 101 / 100);
    CHECK(dump.reassembled(dump.parts) == dump.whole());
}

TEST_CASE("Parts are as large each where zeros or what compresses well gather in one place") {
    // All the zeros and the pages of one byte behind the others.
    SyntheticCore synthetic;
    std::mt19937_64 random(1);
    for (std::uint64_t pfn = 16384; pfn < 16384 + 1024; pfn++) {
        for (std::byte &byte : synthetic.page(pfn)) {
            byte = static_cast<std::byte>(random());
        }
    }
    for (std::uint64_t pfn = 16384 + 1024; pfn < 16384 + 2048; pfn++) {
        synthetic.page(pfn).fill(std::byte{7});
    }
    const Folder folder;
    const std::string path = folder.path() / "core";
    synthetic.write(path);
    const Core core = Core::open(path);
    Bitmap pages(core.max_pfn());
    pages.set_range(16384, 16384 + 4096);
    std::vector<std::string> parts{folder.path() / "a", folder.path() / "b", folder.path() / "c"};
    NoProgress silent;
    write_dump(core, machine_of(core, Kernel::describe(core)), core.present(), pages,
               {.paths = parts, .codec = GENERATE(Codec::lzo, Codec::zstd), .dump_level = 1}, silent);
    std::vector<std::uint64_t> sizes(parts.size());
    std::ranges::transform(parts, sizes.begin(), [](auto &part) { return std::filesystem::file_size(part); });
    const auto [least, most] = std::ranges::minmax(sizes);
    CAPTURE(sizes);
    // Parts begin with multiples of 64 pages, near that of a chunk of 32.
    CHECK(most - least <= std::uint64_t{64 + 32} * 4096);
    CHECK(least > (1024 - 64) * 4096 / 3);
}

TEST_CASE("More parts than there are pages are dumps all the same") {
    Bitmap few(machine().dumped().size());
    few.set_range(16384, 16384 + 3);
    const Folder folder;
    std::vector<std::string> parts;
    for (const char *name : {"a", "b", "c", "d"}) {
        parts.push_back(folder.path() / name);
    }
    NoProgress silent;
    write_dump(machine().core(), machine_of(machine().core(), machine().kernel()), machine().core().present(), few,
               {.paths = parts}, silent);
    CHECK(Core::open(parts).with_data().count() == 3);
}

TEST_CASE("Each part begins with a page whose number is a multiple of 64, as crash wants it") {
    const SplitDump dump(5);
    for (const std::string &part : dump.parts) {
        const KdumpFile file{File(part)};
        CAPTURE(part, file.begin());
        CHECK(file.begin() % 64 == 0);
        CHECK(file.sub_header().start_pfn_64 == file.begin());
    }
}

TEST_CASE("A page whose descriptor has no codec's flags, or too few bytes of no codec, is not put into the whole") {
    const SplitDump dump(2, {.codec = Codec::lzo, .dump_level = 1, .threads = 1});
    const ballast::peers::DumpFile part(dump.parts[0]);
    const auto &header = part.header();
    const std::uint64_t descriptors = (1 + header.sub_header_blocks + header.bitmap_blocks) * header.block_size;
    std::uint64_t rank = 200;
    while (part.descriptor(rank).flags == 0) {
        rank++;
    }
    const char flags = GENERATE('@', '\3', '\0');
    ballast::test::poke(dump.parts[0], descriptors + rank * 24 + 12, std::string(1, flags));
    const Core core = Core::open(dump.parts);
    NoProgress silent;
    const DumpResult whole =
        write_dump(core, machine_of(*core.origin()), core.present(), core.with_data(),
                   {.paths = {dump.folder.path() / "again"}, .codec = Codec::lzo, .as_stored = true}, silent);
    CHECK(whole.unreadable.lost == 1);
    CHECK(whole.unreadable.reasons.begin()->first == machine().dumped_pfns().at(rank));
    CHECK_THAT(whole.unreadable.reasons.begin()->second, ContainsSubstring("is damaged"));
}

TEST_CASE("A set that lacks a part is refused, and the missing pages are told") {
    const SplitDump dump(3);
    const std::vector<std::string> without_first(dump.parts.begin() + 1, dump.parts.end());
    const std::vector<std::string> without_last(dump.parts.begin(), dump.parts.end() - 1);
    CHECK_THAT(failure([&] { Core::open(without_first); }), ContainsSubstring("the pages 0x0 to "));
    CHECK_THAT(failure([&] { Core::open(without_last); }), ContainsSubstring("to 0xffff is missing"));
    CHECK_THAT(failure([&] { open_set({dump.parts[0], dump.parts[2]}); }), ContainsSubstring("is missing"));
    CHECK(Core::open(without_first, {.partial = true}).with_data().count() < machine().dumped().count());
}

TEST_CASE("Files of which one doesn't belong to the set are refused") {
    const SplitDump dump(2);
    const SplitDump other(2, {.codec = Codec::lzo, .dump_level = 0});
    CHECK_THAT(failure([&] { open_set({dump.parts[0], other.parts[1]}); }), ContainsSubstring("same dump"));
    CHECK_THAT(failure([&] { open_set({dump.parts[0], dump.parts[0]}); }), ContainsSubstring("too, from"));
    CHECK_THAT(failure([&] {
                   open_set({dump.parts[0], machine().core_path()});
               }),
               ContainsSubstring("not a kdump-compressed file"));
    CHECK_THAT(failure([&] {
                   open_set({machine().core_path(), dump.parts[0]});
               }),
               ContainsSubstring("not a part of a split dump"));
}

TEST_CASE("What comes through a pipe in the flattened format is put in its place again") {
    const Folder folder;
    const std::string flat = folder.path() / "flat";
    const int descriptor = ::open(flat.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    REQUIRE(descriptor >= 0);
    {
        FlattenedOutput output(descriptor);
        output.reserve(100'000);
        output.write(70'000, std::as_bytes(std::span("second", 6)));
        output.write(0, std::as_bytes(std::span("first", 5)));
        output.write(2, std::as_bytes(std::span("R", 1)));
        output.close();
    }
    const std::string path = folder.path() / "file";
    SECTION("whole") {
        REQUIRE(::lseek(descriptor, 0, SEEK_SET) == 0);
        OutputFile file(path, false);
        rearrange(descriptor, file);
        std::string expected(100'000, '\0');
        expected.replace(0, 5, "fiRst").replace(70'000, 6, "second");
        CHECK(folder.read("file") == expected);
    }
    SECTION("cut off") {
        std::filesystem::resize_file(flat, std::filesystem::file_size(flat) - 3);
        REQUIRE(::lseek(descriptor, 0, SEEK_SET) == 0);
        OutputFile file(path, false);
        CHECK_THAT(failure([&] { rearrange(descriptor, file); }), ContainsSubstring("ends before the end"));
        CHECK(folder.read("file").substr(0, 5) == "fiRst");
    }
    SECTION("something else") {
        REQUIRE(::lseek(descriptor, 5, SEEK_SET) == 5);
        OutputFile file(path, false);
        CHECK_THAT(failure([&] { rearrange(descriptor, file); }), ContainsSubstring("not in the flattened format"));
    }
    ::close(descriptor);
}
