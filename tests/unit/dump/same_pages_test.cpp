// SPDX-License-Identifier: GPL-2.0
#include "dump/output/same_pages.hpp"

#include "dump_machine.hpp"
#include "peers/dump_file.hpp"
#include "peers/kdumpfile.hpp"
#include "support/folder.hpp"
#include "support/synthetic_core.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <filesystem>
#include <set>

using namespace ballast::dump;
using ballast::peers::DumpFile;
using ballast::peers::Kdumpfile;

namespace {

constexpr Pfn first = 16384;
constexpr Pfn pages = 900;
constexpr std::uint64_t contents = 100;

/** A core with pages of a hundred contents, in turn. */
struct Repeating {
    Folder folder;
    std::string path = folder.path() / "core";
    Bitmap dumped{65536};

    Repeating() {
        SyntheticCore core;
        for (Pfn pfn = first; pfn < first + pages; pfn++) {
            auto &page = core.page(pfn);
            for (std::size_t n = 0; n < page.size(); n++) {
                page[n] = static_cast<std::byte>(pfn % contents * 31 + n * (1 + pfn % contents) % 251);
            }
        }
        core.write(path);
        dumped.set_range(first, first + pages);
    }

    [[nodiscard]] DumpResult dump(const DumpOptions &options) const {
        const Core core = Core::open(path);
        NoProgress silent;
        return write_dump(core, machine_of(core, Kernel::describe(core)), core.present(), dumped, options, silent);
    }
};

} // namespace

TEST_CASE("A table finds what was added, and nothing else") {
    SamePages known(1 << 12);
    const ContentHash a{1, 2};
    const ContentHash b{1, 3}; // in the same slot
    CHECK_FALSE(known.find(a));
    known.add(a, {.offset = 100, .size = 5, .flags = 1});
    CHECK_FALSE(known.find(b));
    known.add(b, {.offset = 200, .size = 6, .flags = 2});
    CHECK(known.find(a)->offset == 100);
    CHECK(known.find(b)->offset == 200);
}

TEST_CASE("A full table keeps what it has") {
    SamePages known(32 * 64);
    for (std::uint64_t n = 0; n < 1000; n++) {
        known.add({n * 7, n}, {.offset = n, .size = 1, .flags = 0});
    }
    CHECK(known.find({0, 0}));
    CHECK(known.find({47 * 7, 47}));
    CHECK_FALSE(known.find({999 * 7, 999}));
}

TEST_CASE("Pages with the same content have the same hash, others have not") {
    std::vector<std::byte> page(4096);
    const ContentHash zeros = hash_content(page);
    CHECK(hash_content(std::vector<std::byte>(4096)) == zeros);
    page[4095] = std::byte{1};
    CHECK_FALSE(hash_content(page) == zeros);
}

TEST_CASE("With --dedup pages of the same content share their data, and all read right") {
    const Repeating core;
    const auto codec = GENERATE(Codec::raw, Codec::lzo, Codec::zstd);
    const Folder folder;
    const std::string path = folder.path() / "dump";
    const DumpResult result =
        core.dump({.paths = {path}, .codec = codec, .threads = 3, .dedup_memory = std::uint64_t{1} << 20});
    CHECK(result.pages == pages);
    CHECK(result.same_pages == pages - contents);
    const DumpFile dump(path);
    std::set<std::uint64_t> offsets;
    for (std::uint64_t n = 0; n < dump.dumped_count(); n++) {
        offsets.insert(dump.descriptor(n).offset);
    }
    CHECK(offsets.size() == contents);
    const Kdumpfile theirs(path);
    const Kdumpfile original(core.path);
    std::vector<std::byte> in_dump(4096);
    std::vector<std::byte> in_core(4096);
    for (Pfn pfn = first; pfn < first + pages; pfn++) {
        theirs.read_page(pfn, in_dump);
        original.read_page(pfn, in_core);
        REQUIRE(in_dump == in_core);
    }
}

TEST_CASE("A dump with --dedup is the same for any number of threads, also where the table is too small") {
    const Repeating core;
    const Folder folder;
    const std::uint64_t memory = GENERATE(std::uint64_t{1} << 20, std::uint64_t{32} * 64);
    std::set<std::string> dumps;
    for (const unsigned threads : {1U, 2U, 8U}) {
        const DumpResult result = core.dump({.paths = {folder.path() / "dump"},
                                             .overwrite = true,
                                             .codec = Codec::zlib,
                                             .threads = threads,
                                             .dedup_memory = memory});
        CHECK(result.same_pages > 0);
        dumps.insert(folder.read("dump"));
    }
    CHECK(dumps.size() == 1);
}
