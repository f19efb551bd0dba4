// SPDX-License-Identifier: GPL-2.0
#include "dump/input/error.hpp"
#include "dump/input/page_reader.hpp"
#include "dump/output/dump.hpp"
#include "dump/output/layout.hpp"
#include "dump/output/output_file.hpp"
#include "dump/output/page_check.hpp"
#include "dump_machine.hpp"
#include "file_size_limit.hpp"
#include "peers/dump_file.hpp"
#include "peers/kdumpfile.hpp"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cstdint>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <string>

namespace {

using namespace ballast::dump;
using ballast::peers::DumpFile;
using ballast::peers::Kdumpfile;
using ballast::peers::PageDescriptor;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;
using Catch::Matchers::StartsWith;

const DumpMachine &machine() {
    static const DumpMachine one;
    return one;
}

/** What the failed dump said; empty where it did not fail. */
std::string failure(const DumpOptions &options, std::uint64_t size_limit) {
    const DumpMachine &dumped = machine(); // its core is written before the limit holds
    const FileSizeLimit limit(size_limit);
    try {
        make_dump(dumped, options);
    } catch (const Error &error) {
        CHECK(error.exit_status() == 1);
        return error.what();
    }
    return "";
}

/** How many descriptors of an incomplete dump point to pages; each must be whole and right, and the others all zeros.
 */
std::uint64_t check_kept_pages(const std::string &path) {
    const DumpFile dump(path);
    const Kdumpfile reader(path);
    std::vector<std::byte> bytes(machine().core().page_size());
    std::uint64_t kept = 0;
    std::uint64_t wrong = 0;
    std::uint64_t rank = 0;
    for (const Pfn pfn : machine().dumped_pfns()) {
        const PageDescriptor descriptor = dump.descriptor(rank++);
        if (descriptor.offset == 0) {
            wrong += descriptor.size != 0 || descriptor.flags != 0 ? 1 : 0;
            continue;
        }
        kept++;
        reader.read_page(pfn, bytes);
        wrong += bytes != machine().page(pfn) ? 1 : 0;
    }
    CHECK(wrong == 0);
    return kept;
}

std::uint64_t whole_size(const Folder &folder, DumpOptions options) {
    options.paths = {folder.path() / "whole"};
    return make_dump(machine(), options).bytes;
}

} // namespace

TEST_CASE("On a full disk what was written is kept, marked incomplete, and is right") {
    const Folder folder;
    const DumpOptions options{.paths = {folder.path() / "dump"},
                              .codec = GENERATE(Codec::raw, Codec::zlib, Codec::lzo),
                              .dump_level = GENERATE(0U, 1U),
                              .threads = GENERATE(1U, 4U)};
    const std::uint64_t limit = whole_size(folder, options) * GENERATE(30U, 70U, 99U) / 100;

    const std::string said = failure(options, limit);

    CHECK_THAT(said, StartsWith("Can't write " + options.paths.front() + ": File too large; what was written is kept"));
    CHECK(std::filesystem::file_size(options.paths.front()) <= limit);
    CHECK((DumpFile(options.paths.front()).header().status & 8U) != 0);
    const std::uint64_t kept = check_kept_pages(options.paths.front());
    CHECK(kept > 0);
    CHECK_THAT(said, ContainsSubstring(fmt::format(": {} of {} pages", kept, machine().dumped().count())));
}

TEST_CASE("A disk with room for headers and bitmaps alone leaves a file that opens") {
    const Folder folder;
    const DumpOptions options{.paths = {folder.path() / "dump"}, .codec = Codec::lzo, .dump_level = 31};
    make_dump(machine(), {.paths = {folder.path() / "whole"}, .codec = Codec::lzo, .dump_level = 31});
    const DumpFile whole(folder.path() / "whole");
    const std::uint64_t descriptors = (1 + whole.header().sub_header_blocks + whole.header().bitmap_blocks) * 4096;

    CHECK_THAT(failure(options, descriptors + 100), ContainsSubstring("File too large"));
    CHECK((DumpFile(options.paths.front()).header().status & 8U) != 0);
    CHECK(Kdumpfile(options.paths.front()).release() == machine().kernel().release());
}

TEST_CASE("A disk with room for all but the pages leaves a file that has lost every page") {
    const Folder folder;
    const DumpOptions options{.paths = {folder.path() / "dump"}, .codec = Codec::lzo, .threads = 2};
    const Layout layout(4096, machine().core().notes().size(), machine().dumped().size(), machine().dumped().count());

    CHECK_THAT(failure(options, layout.data), ContainsSubstring(": 0 of "));
    CHECK(std::filesystem::file_size(options.paths.front()) == layout.data);
    CHECK(check_kept_pages(options.paths.front()) == 0);
}

TEST_CASE("A disk without room for the headers is told as full") {
    const Folder folder;
    CHECK_THAT(failure({.paths = {folder.path() / "dump"}}, 100), ContainsSubstring("File too large"));
    CHECK_THAT(failure({.paths = {"/dev/full"}, .overwrite = true}, RLIM_INFINITY),
               ContainsSubstring("No space left on device"));
}

TEST_CASE("A dump that is complete is not marked incomplete") {
    const Folder folder;
    const std::string path = folder.path() / "dump";
    make_dump(machine(), {.paths = {path}, .codec = Codec::lzo, .dump_level = 31, .threads = 2});
    CHECK(DumpFile(path).header().status == 2);
    CHECK(check_kept_pages(path) == machine().dumped().count());
}

namespace {

/** Asks for the end after some pages. */
class StopAfter final : public ProgressSink {
  public:
    explicit StopAfter(std::uint64_t pages) : left_(static_cast<std::int64_t>(pages)) {}
    void begin(std::string_view /*step*/, std::uint64_t /*total*/) override {}
    void add(std::uint64_t pages) override {
        if ((left_ -= static_cast<std::int64_t>(pages)) <= 0) {
            throw Error("Interrupted by SIGTERM");
        }
    }
    void end() override {}

  private:
    std::atomic<std::int64_t> left_;
};

} // namespace

TEST_CASE("A run that is interrupted leaves what it has, marked incomplete") {
    const Folder folder;
    const std::string path = folder.path() / "dump";
    StopAfter progress(1000);
    CHECK_THROWS_MATCHES(
        make_dump(machine(), {.paths = {path}, .codec = Codec::zstd, .threads = GENERATE(1U, 4U)}, progress), Error,
        MessageMatches(StartsWith("Interrupted by SIGTERM; what was written is kept, marked incomplete")));
    CHECK((DumpFile(path).header().status & 8U) != 0);
    const std::uint64_t kept = check_kept_pages(path);
    CHECK(kept >= 1000);
    CHECK(kept < machine().dumped().count());
}

TEST_CASE("Pages that can't be read are zeros, marked and told, and all others are right") {
    const DumpMachine victim;
    const Folder folder;
    const std::string path = folder.path() / "dump";
    const unsigned level = GENERATE(0U, 1U);
    const auto pfns = victim.dumped_pfns();
    // All pages from the middle of the dumped ones on.
    const std::uint64_t cut = victim.offset_in_core(pfns.at(pfns.size() / 2));
    std::vector<std::vector<std::byte>> pages;
    pages.reserve(pfns.size());
    for (const Pfn pfn : pfns) {
        pages.push_back(victim.page(pfn));
    }
    std::filesystem::resize_file(victim.core_path(), cut);

    const DumpOptions options{.paths = {path}, .codec = Codec::lzo, .dump_level = level, .threads = 4};
    DumpOptions dry = options;
    dry.dry_run = true;
    dry.codec = GENERATE(Codec::raw, Codec::lzo);
    const DumpResult told = make_dump(victim, dry);
    const DumpResult result = make_dump(victim, options);

    const std::uint64_t lost = pfns.size() - pfns.size() / 2;
    CHECK(result.pages == pfns.size());
    CHECK(result.unreadable.count == lost);
    CHECK(told.zero_pages == result.zero_pages);
    CHECK(told.unreadable.count == lost);
    CHECK(told.unreadable.reasons == result.unreadable.reasons);
    CHECK(result.unreadable.reasons.begin()->first == pfns.at(pfns.size() / 2));
    CHECK_THAT(result.unreadable.reasons.begin()->second, ContainsSubstring(victim.core_path()));
    CHECK((DumpFile(path).header().status & 8U) == 0);
    const Kdumpfile dump(path);
    const std::vector<std::byte> zeros(4096);
    std::vector<std::byte> bytes(4096);
    std::uint64_t wrong = 0;
    for (std::size_t n = 0; n < pfns.size(); n++) {
        dump.read_page(pfns[n], bytes);
        wrong += bytes != (n < pfns.size() / 2 ? pages[n] : zeros) ? 1 : 0;
    }
    CHECK(wrong == 0);

    const Core again = Core::open(path);
    CHECK_THAT(again.origin()->eraseinfo, StartsWith(fmt::format("unreadable page {:#x}\n", pfns.at(pfns.size() / 2))));
    NoProgress silent;
    const PageCheck check = check_pages(again, 2, silent);
    CHECK(check.unreadable == lost);
    CHECK(check.good() == pfns.size() - lost);
}

TEST_CASE("Beyond its size limit a dump stops as on a full disk, at the same page for any number of threads") {
    const Folder folder;
    DumpOptions options{.paths = {folder.path() / "dump"}, .codec = Codec::lzo, .dump_level = 1};
    options.size_limit = whole_size(folder, options) / 2;
    std::vector<std::string> dumps;
    for (const unsigned threads : {1U, 2U, 7U}) {
        options.threads = threads;
        options.overwrite = true;
        CHECK_THROWS_MATCHES(make_dump(machine(), options), DiskFull, MessageMatches(ContainsSubstring("-L")));
        CHECK(std::filesystem::file_size(options.paths.front()) <= options.size_limit);
        CHECK(check_kept_pages(options.paths.front()) > 0);
        dumps.push_back(folder.read("dump"));
    }
    CHECK(dumps[0] == dumps[1]);
    CHECK(dumps[0] == dumps[2]);
}

TEST_CASE("With pages to write first, they are in the file when the disk is full") {
    const Folder folder;
    DumpOptions options{.paths = {folder.path() / "dump"}, .codec = Codec::zstd, .dump_level = 1, .threads = 3};
    options.size_limit = whole_size(folder, options) / 2;
    // The last sixth of the pages, which would not have come to it.
    Bitmap useful(machine().dumped().size());
    const auto pfns = machine().dumped_pfns();
    const std::uint64_t from = pfns.size() - pfns.size() / 6;
    useful.set_range(pfns.at(from), useful.size());
    options.first = std::span(&useful, 1);
    CHECK_THROWS_AS(make_dump(machine(), options), DiskFull);
    CHECK(check_kept_pages(options.paths.front()) > pfns.size() / 6);
    const DumpFile dump(options.paths.front());
    for (std::uint64_t rank = from; rank < pfns.size(); rank++) {
        REQUIRE(dump.descriptor(rank).offset != 0);
    }
}

TEST_CASE("A dump with pages to write first holds the same as any other") {
    const Folder folder;
    const std::string path = folder.path() / "dump";
    Bitmap useful(machine().dumped().size());
    useful.set_range(17'000, 18'000);
    const DumpResult result = make_dump(
        machine(),
        {.paths = {path}, .codec = Codec::zlib, .dump_level = 1, .threads = 3, .first = std::span(&useful, 1)});
    CHECK(result.pages == machine().dumped().count());
    CHECK(check_kept_pages(path) == machine().dumped().count());
}

TEST_CASE("An ELF dump that had no room tells of no data that is not there") {
    const Folder folder;
    DumpOptions options{.paths = {folder.path() / "dump"}, .format = Format::elf, .threads = GENERATE(1U, 4U)};
    options.size_limit = whole_size(folder, options) / 2;
    CHECK_THROWS_AS(make_dump(machine(), options), DiskFull);
    const Core core = Core::open(options.paths.front());
    PageReader reader = core.reader();
    const Bitmap with_data = core.with_data();
    std::uint64_t kept = 0;
    for (const Pfn pfn : machine().dumped_pfns()) {
        if (with_data.test(pfn)) {
            REQUIRE(std::ranges::equal(reader.page(pfn), machine().page(pfn)));
            kept++;
        }
    }
    CHECK(kept > machine().dumped().count() / 3);
    CHECK(kept < machine().dumped().count());
}
