// SPDX-License-Identifier: GPL-2.0
#include "dump/input/page_reader.hpp"

#include "failure.hpp"
#include "support/folder.hpp"
#include "support/synthetic_core.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <random>
#include <span>
#include <vector>

using ballast::dump::Core;
using ballast::dump::PageReader;
using ballast::dump::Pfn;
using Catch::Matchers::ContainsSubstring;

namespace {

void fill(SyntheticCore &core, Pfn pfn, unsigned value) {
    core.page(pfn).fill(static_cast<std::byte>(value));
}

/** The page's bytes are all of this value in [from, to), and zeros elsewhere. */
bool holds(std::span<const std::byte> page, unsigned value, std::size_t from = 0, std::size_t to = 4096) {
    for (std::size_t i = 0; i < page.size(); ++i) {
        const bool inside = i >= from && i < to;
        if (page[i] != (inside ? static_cast<std::byte>(value) : std::byte{0})) {
            return false;
        }
    }
    return page.size() == 4096;
}

class Opened {
  public:
    explicit Opened(const SyntheticCore &synthetic) {
        synthetic.write(path());
        core_.emplace(Core::open(path()));
    }
    [[nodiscard]] PageReader reader() const { return core_->reader(); }
    [[nodiscard]] std::filesystem::path path() const { return folder_.path() / "vmcore"; }

  private:
    Folder folder_;
    std::optional<Core> core_;
};

} // namespace

TEST_CASE("Pages read the same in any order") {
    SyntheticCore synthetic;
    std::vector<Pfn> pfns;
    for (Pfn pfn = 0x8000; pfn < 0x8200; ++pfn) {
        fill(synthetic, pfn, static_cast<unsigned>(pfn * 7 % 255 + 1));
        pfns.push_back(pfn);
    }
    const Opened opened(synthetic);
    PageReader reader = opened.reader();
    const auto all_right = [&] {
        return std::all_of(pfns.begin(), pfns.end(),
                           [&](Pfn pfn) { return holds(reader.page(pfn), static_cast<unsigned>(pfn * 7 % 255 + 1)); });
    };
    CHECK(all_right()); // upwards
    std::reverse(pfns.begin(), pfns.end());
    CHECK(all_right());
    std::shuffle(pfns.begin(), pfns.end(), std::mt19937(1)); // NOLINT(cert-msc51-cpp): the same order each time
    CHECK(all_right());
}

TEST_CASE("The last page of the file reads whole") {
    SyntheticCore synthetic;
    fill(synthetic, 65535, 9);
    const Opened opened(synthetic);
    CHECK(holds(opened.reader().page(65535), 9));
}

TEST_CASE("What no PT_LOAD holds of a page reads as zeros") {
    SyntheticCore synthetic;
    fill(synthetic, 1, 5);
    fill(synthetic, 3, 6);
    synthetic.segments = {{.physical = 0x1400, .memory_size = 0x2000, .file_size = {}}};
    const Opened opened(synthetic);
    PageReader reader = opened.reader();
    CHECK(holds(reader.page(1), 5, 0x400, 0x1000));
    CHECK(holds(reader.page(3), 6, 0, 0x400));
}

TEST_CASE("A page that two PT_LOADs share is put together") {
    SyntheticCore synthetic;
    fill(synthetic, 2, 7);
    synthetic.segments = {{.physical = 0x1000, .memory_size = 0x1800, .file_size = {}},
                          {.physical = 0x2800, .memory_size = 0x1800, .file_size = {}}};
    const Opened opened(synthetic);
    CHECK(holds(opened.reader().page(2), 7));
}

TEST_CASE("Memory beyond a PT_LOAD's data reads as zeros") {
    SyntheticCore synthetic;
    fill(synthetic, 1, 8);
    fill(synthetic, 2, 8);
    synthetic.segments = {{.physical = 0x1000, .memory_size = 0x3000, .file_size = 0x1800}};
    const Opened opened(synthetic);
    PageReader reader = opened.reader();
    CHECK(holds(reader.page(1), 8));
    CHECK(holds(reader.page(2), 8, 0, 0x800));
    CHECK(holds(reader.page(3), 0));
}

TEST_CASE("A pfn that no PT_LOAD holds is an error that names its address") {
    const Opened opened{SyntheticCore()};
    CHECK_THAT(failure([&] { opened.reader().page(0xa5); }), ContainsSubstring("0xa5000"));
    CHECK_THAT(failure([&] { opened.reader().page(65536); }), ContainsSubstring("0x10000000"));
}

TEST_CASE("Pages side by side are read at once, whole ones, up to the end of their PT_LOAD's data") {
    SyntheticCore synthetic;
    for (Pfn pfn = 1; pfn < 6; pfn++) {
        fill(synthetic, pfn, static_cast<unsigned>(pfn));
    }
    synthetic.segments = {{.physical = 0x1000, .memory_size = 0x4000, .file_size = 0x2800},
                          {.physical = 0x5000, .memory_size = 0x1000, .file_size = {}}};
    const Opened opened(synthetic);
    PageReader reader = opened.reader();
    std::vector<std::byte> out(4 * 4096);
    const auto page = [&out](std::size_t n) { return std::span(out).subspan(n * 4096, 4096); };
    CHECK(reader.pages(1, std::span(out).first(4096)) == 1);
    CHECK(holds(page(0), 1));
    CHECK(holds(page(1), 0));
    CHECK(reader.pages(1, out) == 2);
    CHECK(holds(page(0), 1));
    CHECK(holds(page(1), 2));
    CHECK(reader.pages(3, out) == 0); // half of it is zeros that the file doesn't have
    CHECK(reader.pages(4, out) == 0); // all of it
    CHECK(reader.pages(5, out) == 1);
    CHECK(holds(page(0), 5));
    CHECK(reader.pages(6, out) == 0); // no PT_LOAD
}

TEST_CASE("A view ends where its PT_LOAD does") {
    SyntheticCore synthetic;
    synthetic.segments = {{.physical = 0x1000, .memory_size = 0x3400, .file_size = {}}};
    const Opened opened(synthetic);
    PageReader reader = opened.reader();
    CHECK(reader.view(0x1100, 0x200).size() == 0x200);
    CHECK(reader.view(0x1100, 0x10000).size() == 0x3300);
    CHECK(reader.view(0x4400, 8).empty());
    CHECK(reader.view(0, 8).empty());
}

TEST_CASE("Reading copies across PT_LOADs, and fails over a hole") {
    SyntheticCore synthetic;
    fill(synthetic, 1, 3);
    fill(synthetic, 2, 3);
    synthetic.segments = {{.physical = 0x2000, .memory_size = 0x1000, .file_size = {}},
                          {.physical = 0x1000, .memory_size = 0x1000, .file_size = {}}};
    const Opened opened(synthetic);
    PageReader reader = opened.reader();
    std::vector<std::byte> out(0x2000);
    CHECK(reader.read(0x1000, out));
    CHECK(std::count(out.begin(), out.end(), std::byte{3}) == 0x2000);
    CHECK_FALSE(reader.read(0x1001, out));
}

TEST_CASE("A file cut off while it is read is an error") {
    const Opened opened{SyntheticCore()};
    PageReader reader = opened.reader();
    std::filesystem::resize_file(opened.path(), 0x10000);
    CHECK_THAT(failure([&] { reader.page(65000); }), ContainsSubstring("too early"));
    std::vector<std::byte> out(16 * 4096);
    CHECK(reader.pages(65000, out) == 0);
}

TEST_CASE("Pages before the place where a file is cut off still read") {
    SyntheticCore synthetic;
    for (Pfn pfn = 1; pfn < 64; pfn++) {
        fill(synthetic, pfn, 4);
    }
    synthetic.segments = {{.physical = 0x1000, .memory_size = 0x40000, .file_size = {}}};
    const Opened opened(synthetic);
    PageReader reader = opened.reader();
    std::filesystem::resize_file(opened.path(), 0x18000);
    std::vector<std::byte> out(63 * 4096);
    CHECK(reader.pages(1, out) == 0);
    Pfn pfn = 1;
    CHECK_THAT(failure([&] {
                   while (pfn < 64 && holds(reader.page(pfn), 4)) {
                       pfn++;
                   }
               }),
               ContainsSubstring("too early"));
    CHECK(pfn > 8);
    CHECK(pfn < 24);
}
