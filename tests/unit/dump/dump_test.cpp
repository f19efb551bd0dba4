// SPDX-License-Identifier: GPL-2.0
#include "dump/output/dump.hpp"

#include "dump/input/error.hpp"
#include "dump/output/chunk_copier.hpp"
#include "dump_machine.hpp"
#include "peers/dump_file.hpp"
#include "peers/kdumpfile.hpp"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

using namespace ballast::dump;
using ballast::peers::DumpFile;
using ballast::peers::Kdumpfile;

/** The file's number of 32 or 64 bits at an offset. */
template<typename Number>
Number number_at(const std::string &path, std::streamoff offset) {
    std::ifstream file(path, std::ios::binary);
    file.seekg(offset);
    std::array<char, sizeof(Number)> bytes{};
    file.read(bytes.data(), bytes.size());
    return std::bit_cast<Number>(bytes);
}

const DumpMachine &machine() {
    static const DumpMachine one;
    return one;
}

} // namespace

TEST_CASE("The file is the same for any number of threads, whatever the codec") {
    const auto codec = GENERATE(Codec::raw, Codec::zlib, Codec::lzo, Codec::snappy, Codec::zstd);
    const unsigned level = GENERATE(0U, 1U);
    const Folder folder;
    const auto dump_with = [&](unsigned threads) {
        const std::string path = folder.path() / std::to_string(threads);
        make_dump(machine(), {.paths = {path}, .codec = codec, .dump_level = level, .threads = threads});
        return folder.read(path);
    };
    const auto one = dump_with(1);
    for (const unsigned threads : {2U, 3U, 8U, 300U}) {
        CHECK(dump_with(threads) == one);
    }
}

TEST_CASE("libkdumpfile reads from the dump what the core has, whatever the codec") {
    const auto codec = GENERATE(Codec::raw, Codec::zlib, Codec::lzo, Codec::snappy, Codec::zstd);
    const unsigned level = GENERATE(0U, 31U);
    const Folder folder;
    const std::string path = folder.path() / "dump";
    make_dump(machine(), {.paths = {path}, .codec = codec, .dump_level = level, .threads = 3});

    const Kdumpfile dump(path);
    CHECK(dump.release() == machine().kernel().release());
    CHECK(machine().wrong_pages(dump) == 0);
}

TEST_CASE("The headers tell of the machine what the core tells") {
    const Folder folder;
    const std::string path = folder.path() / "dump";
    make_dump(machine(), {.paths = {path}, .codec = Codec::zstd, .dump_level = 17});

    const DumpFile dump(path);
    CHECK(dump.header().version == 6);
    CHECK(dump.header().release == machine().kernel().release());
    CHECK(dump.header().status == 0x20);
    CHECK(dump.header().dump_level == 17);
    CHECK(dump.header().max_pfn == machine().core().max_pfn());
    CHECK(dump.header().cpus == 1);
    CHECK(dump.header().phys_base == static_cast<std::uint64_t>(machine().kernel().phys_base()));
    CHECK(dump.vmcoreinfo() == machine().core().vmcoreinfo());
    CHECK(dump.header().note_size == machine().core().notes().size());
    CHECK(dump.present_count() == machine().core().present().count());
    CHECK(dump.dumped_count() == machine().dumped().count());
}

TEST_CASE("The time stamp is the crash's, as a file that tells the time of day would never be the same again") {
    const Folder folder;
    const std::string path = folder.path() / "dump";
    make_dump(machine(), {.paths = {path}});
    CHECK(number_at<std::int64_t>(path, 408) == DumpMachine::crash_time);
    CHECK(number_at<std::int64_t>(path, 416) == 0);
}

TEST_CASE("With level 1 all zero pages share one raw page") {
    const Folder folder;
    const std::string path = folder.path() / "dump";
    const DumpResult result =
        make_dump(machine(), {.paths = {path}, .codec = Codec::lzo, .dump_level = 1, .threads = 2});

    const DumpFile dump(path);
    const auto shared = dump.descriptor(machine().rank_of_a_zero_page());
    std::uint64_t sharing = 0;
    for (std::uint64_t n = 0; n < dump.dumped_count(); n++) {
        sharing += dump.descriptor(n).offset == shared.offset ? 1 : 0;
    }
    CHECK(shared.flags == 0);
    CHECK(shared.size == dump.header().block_size);
    CHECK(sharing == machine().zero_pages());
    CHECK(result.zero_pages == machine().zero_pages());
}

TEST_CASE("Without level 1 each zero page is stored") {
    const Folder folder;
    const std::string path = folder.path() / "dump";
    CHECK(make_dump(machine(), {.paths = {path}}).zero_pages == 0);
    CHECK(std::filesystem::file_size(path) > machine().dumped().count() * machine().core().page_size());
}

TEST_CASE("What a dump is said to have, the file has") {
    const Folder folder;
    const std::string path = folder.path() / "dump";
    const DumpResult result =
        make_dump(machine(), {.paths = {path}, .codec = Codec::zlib, .dump_level = 31, .threads = 2});
    CHECK(result.pages == machine().dumped().count());
    CHECK(result.bytes == std::filesystem::file_size(path));
}

TEST_CASE("A dry run tells the same and creates nothing") {
    const Folder folder;
    DumpOptions wet{.paths = {folder.path() / "dump"},
                    .codec = GENERATE(Codec::raw, Codec::lzo),
                    .dump_level = GENERATE(0U, 1U),
                    .threads = 2};
    SECTION("in one file") {}
    SECTION("in two files") {
        wet.paths.push_back(folder.path() / "second");
    }
    SECTION("with pages that share data") {
        wet.dedup_memory = 1 << 20;
    }
    SECTION("as ELF") {
        wet.format = Format::elf;
        wet.codec = Codec::raw;
    }
    DumpOptions dry = wet;
    dry.dry_run = true;
    const DumpResult told = make_dump(machine(), dry);
    CHECK(std::filesystem::is_empty(folder.path()));

    const DumpResult result = make_dump(machine(), wet);
    CHECK(told.pages == result.pages);
    CHECK(told.zero_pages == result.zero_pages);
    CHECK(told.same_pages == result.same_pages);
    CHECK(told.bytes == result.bytes);
}

TEST_CASE("A dump of no pages opens") {
    const Folder folder;
    const std::string path = folder.path() / "dump";
    const Bitmap nothing(machine().core().max_pfn());
    NoProgress silent;
    const DumpResult result =
        write_dump(machine().core(), machine_of(machine().core(), machine().kernel()), machine().core().present(),
                   nothing, {.paths = {path}, .dump_level = 31, .threads = 4}, silent);
    CHECK(result.pages == 0);
    CHECK(Kdumpfile(path).release() == machine().kernel().release());
}

TEST_CASE("A thread takes at most 512 KiB, whatever the codec") {
    const auto codec = GENERATE(Codec::raw, Codec::zlib, Codec::lzo, Codec::snappy, Codec::zstd);
    CHECK(ChunkCopier::memory({.codec = codec}, machine().core()) <= 512 * 1024);
}
