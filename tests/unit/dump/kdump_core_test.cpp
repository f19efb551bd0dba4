// SPDX-License-Identifier: GPL-2.0
#include "dump/input/core.hpp"
#include "dump/input/page_reader.hpp"
#include "dump_machine.hpp"
#include "failure.hpp"
#include "peers/dump_file.hpp"
#include "support/file.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <filesystem>
#include <fstream>

using namespace ballast::dump;
using ballast::peers::DumpFile;
using ballast::test::poke;
using Catch::Matchers::ContainsSubstring;

namespace {

const DumpMachine &machine() {
    static const DumpMachine one;
    return one;
}

/** A dump of the machine. */
class Dump {
  public:
    explicit Dump(Codec codec = Codec::lzo, unsigned level = 1) {
        make_dump(machine(), {.paths = {path()}, .codec = codec, .dump_level = level});
    }
    [[nodiscard]] std::string path() const { return folder_.path() / "dump"; }
    [[nodiscard]] Core open() const { return Core::open(path()); }
    [[nodiscard]] std::string open_failure() const {
        return failure([this] { static_cast<void>(open()); });
    }

    /** Offset of a page's descriptor. */
    [[nodiscard]] std::uint64_t descriptor(std::uint64_t rank) const {
        const auto header = DumpFile(path()).header();
        return (1 + header.sub_header_blocks + header.bitmap_blocks) * header.block_size + rank * 24;
    }

  private:
    Folder folder_;
};

/** How many of the machine's dumped pages a core doesn't give back. */
std::uint64_t wrong_pages(const Core &core) {
    PageReader reader = core.reader();
    std::uint64_t wrong = 0;
    for (const Pfn pfn : machine().dumped_pfns()) {
        const auto expected = machine().page(pfn);
        wrong += std::ranges::equal(reader.page(pfn), expected) ? 0 : 1;
    }
    return wrong;
}

/** The rank of a page that got smaller. */
std::uint64_t a_compressed_page(const std::string &path) {
    const DumpFile dump(path);
    std::uint64_t rank = 200;
    while (dump.descriptor(rank).flags == 0) {
        rank++;
    }
    return rank;
}

} // namespace

TEST_CASE("A dump is a core again, with the pages that were dumped, whatever the codec") {
    const auto codec = GENERATE(Codec::raw, Codec::zlib, Codec::lzo, Codec::snappy, Codec::zstd);
    const Dump dump(codec, GENERATE(0U, 1U));
    const Core core = dump.open();
    CHECK(core.max_pfn() == machine().core().max_pfn());
    CHECK(core.vmcoreinfo() == machine().core().vmcoreinfo());
    CHECK(std::ranges::equal(core.notes(), machine().core().notes()));
    CHECK(core.prstatus_count() == 1);
    CHECK(core.present() == machine().core().present());
    CHECK(core.with_data() == machine().dumped());
    CHECK(core.origin()->codec() == codec);
    CHECK(wrong_pages(core) == 0);
}

TEST_CASE("Pages that a dump left out can't be read from it") {
    const Dump dump;
    const Core core = dump.open();
    const Pfn left_out = machine().dumped().next_clear(16384);
    CHECK_THAT(failure([&] { core.reader().page(left_out); }), ContainsSubstring("doesn't hold"));
    CHECK(core.reader().view(left_out * 4096, 8).empty());
}

TEST_CASE("Parts of pages are read, and across pages") {
    const Dump dump(Codec::zlib);
    const Core core = dump.open();
    const Pfn first = 16384;
    const auto expected = machine().page(first);
    const auto next = machine().page(first + 1);
    PageReader reader = core.reader();
    CHECK(std::ranges::equal(reader.view(first * 4096 + 100, 50), std::span(expected).subspan(100, 50)));
    std::vector<std::byte> bytes(200);
    REQUIRE(reader.read(first * 4096 + 3996, bytes));
    CHECK(std::ranges::equal(std::span(bytes).first(100), std::span(expected).last(100)));
    CHECK(std::ranges::equal(std::span(bytes).last(100), std::span(next).first(100)));
}

TEST_CASE("A page whose descriptor or data is damaged is an error of that page alone") {
    const Dump dump(Codec::zlib, 0);
    const std::uint64_t rank = a_compressed_page(dump.path());
    const Pfn victim = machine().dumped_pfns().at(rank);
    SECTION("lost") {
        poke(dump.path(), dump.descriptor(rank), std::string(24, '\0'));
        CHECK_THAT(failure([&] { dump.open().reader().page(victim); }), ContainsSubstring("was lost"));
    }
    SECTION("beyond the end") {
        poke(dump.path(), dump.descriptor(rank) + 6, "\x7f");
        CHECK_THAT(failure([&] { dump.open().reader().page(victim); }), ContainsSubstring("descriptor of page"));
    }
    SECTION("too large") {
        poke(dump.path(), dump.descriptor(rank) + 10, "\x01");
        CHECK_THAT(failure([&] { dump.open().reader().page(victim); }), ContainsSubstring("descriptor of page"));
    }
    SECTION("of an unknown codec") {
        poke(dump.path(), dump.descriptor(rank) + 12, "@");
        CHECK_THAT(failure([&] { dump.open().reader().page(victim); }), ContainsSubstring("data of page"));
    }
    SECTION("data") {
        const auto descriptor = DumpFile(dump.path()).descriptor(rank);
        poke(dump.path(), descriptor.offset, std::string(descriptor.size, '\x55'));
        CHECK_THAT(failure([&] { dump.open().reader().page(victim); }), ContainsSubstring("data of page"));
    }
    CHECK(dump.open().reader().view(victim * 4096, 1).empty());
    const Pfn other = machine().dumped_pfns().at(rank + 1);
    CHECK(std::ranges::equal(dump.open().reader().page(other), machine().page(other)));
}

TEST_CASE("A dump that ends within its headers is refused as truncated") {
    const Dump dump;
    const std::uint64_t size = GENERATE(100U, 4096U + 50U, 4096U + 200U, 3U * 4096U);
    std::filesystem::resize_file(dump.path(), size);
    CHECK_THAT(dump.open_failure(), ContainsSubstring("truncated"));
}

TEST_CASE("Where a part would be that a dump doesn't have makes no difference") {
    const Dump dump;
    poke(dump.path(), 4096 + 64 + 6, "\x7f"); // eraseinfo
    CHECK(dump.open().eraseinfo().empty());
}

TEST_CASE("Headers that can't be are refused") {
    const Dump dump;
    const auto spoil = [&](std::uint64_t offset, const std::string &bytes) { poke(dump.path(), offset, bytes); };
    SECTION("of another block size") {
        spoil(428, std::string("\0\0\1\0", 4));
        CHECK_THAT(dump.open_failure(), ContainsSubstring("65536 bytes"));
    }
    SECTION("of another machine") {
        spoil(12 + std::uint64_t{4} * 65, "aarch64");
        CHECK_THAT(dump.open_failure(), ContainsSubstring("another machine (aarch64)"));
    }
    SECTION("with more pages than bits") {
        spoil(4096 + 96 + 4, "\x01");
        CHECK_THAT(dump.open_failure(), ContainsSubstring("damaged: bitmaps"));
    }
    SECTION("without a sub header") {
        spoil(432, std::string(4, '\0'));
        CHECK_THAT(dump.open_failure(), ContainsSubstring("sub header of 0 blocks"));
    }
    SECTION("with notes beyond the end") {
        spoil(4096 + 56 + 6, "\x7f");
        CHECK_THAT(dump.open_failure(), ContainsSubstring("its notes"));
    }
    SECTION("with gigabytes of notes") {
        spoil(4096 + 56 + 3, "\x10");
        CHECK_THAT(dump.open_failure(), ContainsSubstring("its notes would be"));
    }
}
