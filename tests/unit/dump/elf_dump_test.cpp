// SPDX-License-Identifier: GPL-2.0
#include "dump/input/core.hpp"
#include "dump/input/elf_headers.hpp"
#include "dump/input/page_reader.hpp"
#include "dump/output/elf_layout.hpp"
#include "dump_machine.hpp"
#include "peers/kdumpfile.hpp"
#include "support/folder.hpp"
#include "support/synthetic_core.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <filesystem>

using namespace ballast::dump;
using ballast::peers::Kdumpfile;

namespace {

const DumpMachine &machine() {
    static const DumpMachine one;
    return one;
}

Bitmap with_data_in(const std::string &path) {
    return Core::open(path).with_data();
}

/** The machine's pages of [begin, end) in an ELF dump that was to have these. */
Bitmap elf_of(const Bitmap &pages, unsigned level, const std::string &path) {
    NoProgress silent;
    write_dump(machine().core(), machine_of(machine().core(), machine().kernel()), machine().core().present(), pages,
               {.paths = {path}, .format = Format::elf, .dump_level = level, .threads = 2}, silent);
    return with_data_in(path);
}

bool is_zero_page(Pfn pfn) {
    return std::ranges::all_of(machine().page(pfn), [](std::byte byte) { return byte == std::byte{0}; });
}

} // namespace

TEST_CASE("libkdumpfile reads from an ELF dump what the core has") {
    const Folder folder;
    const std::string path = folder.path() / "dump";
    make_dump(machine(), {.paths = {path}, .format = Format::elf, .threads = 3});
    CHECK(Kdumpfile(path).release() == machine().kernel().release());
    CHECK(machine().wrong_pages(Kdumpfile(path)) == 0);
}

TEST_CASE("An ELF dump is the same for any number of threads, and of the size that was told") {
    const Folder folder;
    const unsigned level = GENERATE(0U, 1U);
    std::vector<std::string> dumps;
    for (const unsigned threads : {1U, 2U, 9U}) {
        const std::string path = folder.path() / std::to_string(threads);
        const DumpResult result =
            make_dump(machine(), {.paths = {path}, .format = Format::elf, .dump_level = level, .threads = threads});
        CHECK(result.bytes == std::filesystem::file_size(path));
        dumps.push_back(folder.read(path));
    }
    CHECK(dumps[0] == dumps[1]);
    CHECK(dumps[0] == dumps[2]);
}

TEST_CASE("An ELF dump has the memory of its core, with data where pages were dumped") {
    const Folder folder;
    Bitmap pages(machine().core().max_pfn());
    pages.set_range(20'000, 20'100);
    pages.set_range(40'000, 40'300);
    const Bitmap found = elf_of(pages, 0, folder.path() / "dump");
    CHECK(found == pages);
    const Core core = Core::open(folder.path() / "dump");
    CHECK(core.present() == machine().core().present());
    CHECK(std::ranges::equal(core.notes(), machine().core().notes()));
    CHECK(core.vmcoreinfo() == machine().core().vmcoreinfo());
}

TEST_CASE("Short runs of pages that are left out are taken into an ELF dump, longer ones are not") {
    const Folder folder;
    Bitmap pages(machine().core().max_pfn());
    pages.set_range(20'000, 20'001);
    pages.set_range(20'256, 20'257); // 255 pages between
    pages.set_range(20'513, 20'514); // 256
    const Bitmap found = elf_of(pages, 0, folder.path() / "dump");
    CHECK(found.count() == 257 + 1);
    CHECK(found.test(20'100));
    CHECK_FALSE(found.test(20'300));
}

TEST_CASE("At level 1 an ELF dump has no data for long runs of zeros, which read as zeros") {
    const Folder folder;
    Bitmap pages(machine().core().max_pfn());
    pages.set_range(30'000, 31'000); // zeros
    pages.set_range(17'000, 17'100);
    const std::string path = folder.path() / "dump";
    const Bitmap found = elf_of(pages, 1, path);
    CHECK_FALSE(found.test(30'500));
    CHECK(Core::open(path).present().test(30'500));
    CHECK(std::filesystem::file_size(path) < std::uint64_t{200} * 4096);
    Pfn data = 17'000;
    while (is_zero_page(data)) {
        data++;
    }
    CHECK(found.test(data));
    CHECK(std::ranges::equal(Core::open(path).reader().page(data), machine().page(data)));
}

TEST_CASE("Virtual addresses in an ELF dump are the core's, and the direct map's where the core tells none") {
    const Folder folder;
    const std::string path = folder.path() / "dump";
    std::string core_path = machine().core_path();
    SECTION("of an ELF core") {}
    SECTION("of a dump") {
        core_path = folder.path() / "source";
        make_dump(machine(), {.paths = {core_path}});
    }
    const Core core = Core::open(core_path);
    const Kernel kernel = Kernel::describe(core);
    NoProgress silent;
    write_dump(core, machine_of(core, kernel), core.present(), core.with_data(),
               {.paths = {path}, .format = Format::elf}, silent);
    const ElfHeaders headers = read_elf_headers(File(path));
    REQUIRE_FALSE(headers.segments.empty());
    CHECK(std::ranges::all_of(headers.segments, [](const Segment &segment) {
        return segment.virtual_address == SyntheticCore().direct(segment.physical);
    }));
}

TEST_CASE("More than 65,535 program headers are counted in the section header") {
    SyntheticCore synthetic;
    constexpr std::uint64_t segments = 70'000;
    synthetic.segments.clear();
    for (std::uint64_t n = 0; n < segments; n++) {
        // A sixteenth of a page each, so that all fit.
        synthetic.segments.push_back({.physical = 0x100000 + n * 256, .memory_size = 256, .file_size = {}});
    }
    const Folder folder;
    const std::string path = folder.path() / "core";
    synthetic.write(path);
    const Core core = Core::open(path);
    CHECK(core.segments().size() == segments);
    const ElfLayout layout(core, {}, core.with_data(), "");
    const auto bytes = layout.headers(UINT64_MAX);
    folder.write("dump", {reinterpret_cast<const char *>(bytes.data()), bytes.size()});
    std::filesystem::resize_file(folder.path() / "dump", layout.data() + core.with_data().count() * 4096);
    CHECK(read_elf_headers(File(folder.path() / "dump")).segments.size() == segments);
}
