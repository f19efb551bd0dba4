// SPDX-License-Identifier: GPL-2.0
#include "dump/filter/filter.hpp"

#include "failure.hpp"
#include "support/folder.hpp"
#include "support/synthetic_core.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <catch2/matchers/catch_matchers_vector.hpp>
#include <random>

using ballast::dump::Core;
using ballast::dump::FilterResult;
using ballast::dump::Kernel;
using ballast::dump::NoProgress;
using ballast::dump::Pfn;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr std::uint64_t anonymous = 0xffff888001234561; // an anon_vma and bit 0
constexpr std::uint64_t file_mapping = 0xffff888001234560;
constexpr Pfn some_pfn = 0x9000; // aligned to 4096 pages, in the second section

FilterResult filter(const SyntheticCore &synthetic, unsigned level, unsigned threads = 1) {
    const Folder folder;
    synthetic.write(folder.path() / "vmcore");
    const Core core = Core::open(folder.path() / "vmcore");
    NoProgress progress;
    return ballast::dump::filter(core, Kernel::describe(core), level, threads, progress);
}

/** The pfns that are present but not dumped; the incomplete page at 0x9f000 aside. */
std::vector<Pfn> excluded(const FilterResult &result) {
    std::vector<Pfn> pfns;
    for (Pfn pfn = 0; pfn < result.dumped.size(); ++pfn) {
        const bool present = (pfn >= 1 && pfn < 0x9f) || pfn >= 0x100;
        if (present && !result.dumped.test(pfn)) {
            pfns.push_back(pfn);
        }
    }
    return pfns;
}

std::vector<Pfn> range(Pfn begin, Pfn end) {
    std::vector<Pfn> pfns;
    for (Pfn pfn = begin; pfn < end; ++pfn) {
        pfns.push_back(pfn);
    }
    return pfns;
}

/** The levels of one bit each that exclude a page which looks so. */
std::vector<unsigned> levels_that_exclude(const SyntheticPage &page) {
    SyntheticCore synthetic;
    synthetic.set(some_pfn, page);
    std::vector<unsigned> levels;
    for (const unsigned level : {0U, 1U, 2U, 4U, 8U, 16U}) {
        const auto pfns = excluded(filter(synthetic, level));
        if (pfns == std::vector<Pfn>{some_pfn}) {
            levels.push_back(level);
        } else {
            CHECK(pfns.empty());
        }
    }
    return levels;
}

using Levels = std::vector<unsigned>;
const Levels every_level{0, 1, 2, 4, 8, 16}; // NOLINT(cert-err58-cpp)

} // namespace

TEST_CASE("A page that says nothing of itself is kept at each level") {
    CHECK(levels_that_exclude({}).empty());
}

TEST_CASE("Page cache is excluded by 2 and 4, with private data only by 4") {
    CHECK(levels_that_exclude({.flags = page_flag::lru, .mapping = file_mapping}) == Levels{2, 4});
    CHECK(levels_that_exclude({.flags = page_flag::lru | page_flag::private_data, .mapping = file_mapping}) ==
          Levels{4});
}

TEST_CASE("The swap cache counts as cache only on pages that swap backs") {
    CHECK(levels_that_exclude({.flags = page_flag::swapcache | page_flag::swapbacked}) == Levels{2, 4});
    CHECK(levels_that_exclude({.flags = page_flag::swapcache}).empty());
    CHECK(levels_that_exclude({.flags = page_flag::swapbacked}).empty());
}

TEST_CASE("Anonymous memory is excluded by 8, and not as cache though it is on an LRU list") {
    CHECK(levels_that_exclude({.flags = page_flag::lru | page_flag::swapbacked, .mapping = anonymous}) == Levels{8});
    CHECK(levels_that_exclude({.mapping = anonymous + 2}) == Levels{8}); // KSM
}

TEST_CASE("A slab page is kept, whatever stands in the mapping's place") {
    CHECK(levels_that_exclude({.flags = page_flag::slab, .mapping = anonymous}).empty());
}

TEST_CASE("A movable page of a driver is kept") {
    CHECK(levels_that_exclude({.mapping = file_mapping + 2}).empty()); // PAGE_MAPPING_MOVABLE
}

TEST_CASE("Free pages are excluded by 16") {
    CHECK(levels_that_exclude({.private_data = 0, .mapcount = page_type::buddy}) == Levels{16});
}

TEST_CASE("Pages with broken memory and offline pages are excluded at each level") {
    CHECK(levels_that_exclude({.flags = page_flag::hwpoison}) == every_level);
    CHECK(levels_that_exclude({.mapcount = page_type::offline}) == every_level);
}

TEST_CASE("The first rule that matches gives the class") {
    SyntheticCore synthetic;
    synthetic.set(some_pfn, {.flags = page_flag::lru | page_flag::hwpoison, .mapping = file_mapping});
    synthetic.set(some_pfn + 1, {.flags = page_flag::lru | page_flag::private_data, .mapping = file_mapping});
    synthetic.set(some_pfn + 2, {.flags = page_flag::hwpoison, .mapping = anonymous});
    synthetic.set(some_pfn + 3, {.flags = page_flag::lru, .mapcount = page_type::buddy});
    synthetic.set(some_pfn + 4, {.flags = page_flag::hwpoison});
    synthetic.set(some_pfn + 5, {.mapcount = page_type::offline});
    const FilterResult result = filter(synthetic, 31);
    CHECK(result.excluded.cache == 1);
    CHECK(result.excluded.cache_private == 1);
    CHECK(result.excluded.user == 1);
    CHECK(result.excluded.free == 1);
    CHECK(result.excluded.hwpoison == 1);
    CHECK(result.excluded.offline == 1);
    CHECK(result.excluded.total() == 6);
    CHECK(excluded(result) == range(some_pfn, some_pfn + 6));
}

TEST_CASE("A free block takes all its pages with it") {
    SyntheticCore synthetic;
    synthetic.set_free(some_pfn, 10);
    const FilterResult result = filter(synthetic, 16);
    CHECK(result.excluded.free == 1024);
    CHECK(excluded(result) == range(some_pfn, some_pfn + 1024));
}

TEST_CASE("A free page whose order can't be is kept, and told") {
    const std::uint64_t order = GENERATE(as<std::uint64_t>{}, 11, 12, 63, 64, 0xdead000000000100);
    SyntheticCore synthetic;
    synthetic.set_free(some_pfn, order);
    const FilterResult result = filter(synthetic, 16);
    CHECK(excluded(result).empty());
    REQUIRE(result.warnings.size() == 1);
    CHECK_THAT(result.warnings[0], ContainsSubstring("1 free pages have an order that can't be"));
}

TEST_CASE("A free block that isn't aligned to its size is kept, and told") {
    SyntheticCore synthetic;
    synthetic.set_free(some_pfn + 2, 2);
    const FilterResult result = filter(synthetic, 16);
    CHECK(excluded(result).empty());
    CHECK(result.warnings.size() == 1);
}

TEST_CASE("A compound page goes as a whole, by its head") {
    SyntheticCore synthetic;
    SECTION("anonymous") {
        synthetic.set_compound(some_pfn, {.flags = page_flag::lru, .mapping = anonymous}, 9);
        CHECK(excluded(filter(synthetic, 8)) == range(some_pfn, some_pfn + 512));
        CHECK(excluded(filter(synthetic, 2)).empty());
    }
    SECTION("cache") {
        synthetic.set_compound(some_pfn, {.flags = page_flag::lru, .mapping = file_mapping}, 3);
        CHECK(excluded(filter(synthetic, 2)) == range(some_pfn, some_pfn + 8));
    }
    SECTION("hugetlb, which only the destructor tells") {
        synthetic.set_compound(some_pfn, {}, 9, hugetlb_dtor);
        CHECK(excluded(filter(synthetic, 8)) == range(some_pfn, some_pfn + 512));
    }
    SECTION("the kernel's own") {
        synthetic.set_compound(some_pfn, {}, 2);
        CHECK(excluded(filter(synthetic, 31)).empty());
    }
}

TEST_CASE("A tail page that looks like user memory stays with its kept head") {
    SyntheticCore synthetic;
    synthetic.set_compound(some_pfn, {}, 1);
    synthetic.set(some_pfn + 1, {.flags = page_flag::lru, .mapping = anonymous, .compound_head = 1, .order = 1});
    CHECK(excluded(filter(synthetic, 31)).empty());
}

TEST_CASE("A head whose order can't be goes alone") {
    SyntheticCore synthetic;
    SECTION("not aligned") {
        synthetic.set_compound(some_pfn + 2, {.mapping = anonymous}, 2);
        CHECK(excluded(filter(synthetic, 8)) == range(some_pfn + 2, some_pfn + 3));
    }
}

TEST_CASE("A head of more pages than x86-64's largest page has goes alone") {
    SyntheticCore::Options options;
    options.memory = std::uint64_t{4} << 30;
    SyntheticCore synthetic(options);
    constexpr Pfn aligned = 0x80000;
    synthetic.set_compound(aligned, {.mapping = anonymous}, 1);
    synthetic.set(aligned + 1, {.compound_head = 1, .order = 19});
    CHECK(excluded(filter(synthetic, 8)) == range(aligned, aligned + 1));
}

TEST_CASE("A compound page that spans sections goes as a whole, for any number of threads") {
    SyntheticCore::Options options;
    options.memory = std::uint64_t{2} << 30;
    SyntheticCore synthetic(options);
    constexpr Pfn gigabyte = 0x40000;
    synthetic.set_compound(gigabyte, {}, 18, hugetlb_dtor);
    // In the second of its sections something else says of itself that it is free.
    synthetic.set_free(gigabyte + 32768 + 8, 3);
    for (const unsigned threads : {1U, 2U, 3U, 8U}) {
        const FilterResult result = filter(synthetic, 31, threads);
        CHECK(excluded(result) == range(gigabyte, 2 * gigabyte));
        CHECK(result.excluded.free == 8);
        CHECK(result.excluded.user == gigabyte - 8);
    }
}

TEST_CASE("Any number of threads finds the same pages and counts") {
    SyntheticCore::Options options;
    options.memory = std::uint64_t{1} << 30;
    SyntheticCore synthetic(options);
    std::mt19937 random(4); // NOLINT(cert-msc51-cpp): the same pages each time
    for (int i = 0; i < 20000; ++i) {
        const Pfn pfn = 0x8000 + random() % 0x38000;
        switch (random() % 5) {
        case 0:
            synthetic.set_free(pfn / 16 * 16, random() % 5);
            break;
        case 1:
            synthetic.set(pfn, {.flags = page_flag::lru | random() % 2 * page_flag::private_data});
            break;
        case 2:
            synthetic.set(pfn, {.mapping = anonymous});
            break;
        case 3:
            synthetic.set_compound(pfn / 8 * 8, {.flags = page_flag::lru, .mapping = anonymous}, 3);
            break;
        default:
            synthetic.set(pfn, {.flags = page_flag::hwpoison});
        }
    }
    const FilterResult one = filter(synthetic, 31, 1);
    CHECK(one.excluded.total() == excluded(one).size());
    for (const unsigned threads : {2U, 3U, 8U}) {
        const FilterResult many = filter(synthetic, 31, threads);
        CHECK(one.dumped == many.dumped);
        CHECK(one.excluded.free == many.excluded.free);
        CHECK(one.excluded.cache == many.excluded.cache);
        CHECK(one.excluded.cache_private == many.excluded.cache_private);
        CHECK(one.excluded.user == many.excluded.user);
        CHECK(one.excluded.hwpoison == many.excluded.hwpoison);
    }
}

TEST_CASE("Struct pages are read the same however they are mapped") {
    SyntheticCore::Options options;
    options.huge_mem_map = GENERATE(true, false);
    options.struct_page_size = GENERATE(as<std::uint64_t>{}, 56, 64, 72); // 56 and 72 stand across pages
    SyntheticCore synthetic(options);
    for (Pfn pfn = 0; pfn < 4096; pfn += 2) {
        synthetic.set(some_pfn + pfn, {.mapping = anonymous});
    }
    synthetic.set_compound(0xc000, {.mapping = anonymous}, 9);
    const FilterResult result = filter(synthetic, 8);
    CHECK(result.excluded.user == 2048 + 512);
    CHECK(result.dumped.test(some_pfn + 1));
    CHECK_FALSE(result.dumped.test(some_pfn + 4094));
    CHECK(result.warnings.empty());
}

TEST_CASE("Pages whose struct pages can't be read are kept, and told") {
    SyntheticCore synthetic;
    synthetic.set(some_pfn, {.mapping = anonymous});
    synthetic.set(0x3000, {.mapping = anonymous});
    synthetic.unmap_struct_pages(1);
    const FilterResult result = filter(synthetic, 31);
    CHECK(excluded(result) == range(0x3000, 0x3001));
    REQUIRE(result.warnings.size() == 1);
    CHECK_THAT(result.warnings[0], ContainsSubstring("32768 struct pages can't be read"));
}

TEST_CASE("A page that isn't present is not believed, even if it is the head of pages that are") {
    SyntheticCore synthetic;
    synthetic.segments[1].memory_size = 0xcf00000;
    synthetic.segments.push_back({.physical = 0xd100000, .memory_size = 0x100000, .file_size = {}});
    synthetic.set_compound(0xd000, {.mapping = anonymous}, 9);
    const FilterResult result = filter(synthetic, 31);
    CHECK(result.dumped.test(0xd100));
    CHECK(result.excluded.total() == 0);
}

TEST_CASE("A rule that the kernel doesn't tell enough for is off, and told") {
    struct Case {
        const char *line;
        SyntheticPage page;
        const char *warning;
    };
    const auto [line, page, warning] =
        GENERATE(Case{"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)", {.mapcount = page_type::buddy}, "free pages"},
                 Case{"LENGTH(zone.free_area)", {.mapcount = page_type::buddy}, "free pages"},
                 Case{"NUMBER(PG_lru)", {.flags = page_flag::lru}, "cache pages"},
                 Case{"NUMBER(PG_private)", {.flags = page_flag::lru}, "cache pages"},
                 Case{"NUMBER(PG_slab)", {.mapping = anonymous}, "user pages"},
                 Case{"OFFSET(page.flags)", {.mapping = anonymous}, "all pages"},
                 Case{"OFFSET(page.compound_head)", {.mapping = anonymous}, "all pages"});
    SyntheticCore synthetic;
    synthetic.set(some_pfn, page);
    CHECK(excluded(filter(synthetic, 31)) == range(some_pfn, some_pfn + 1));
    synthetic.vmcoreinfo.erase(line);
    const FilterResult result = filter(synthetic, 31);
    CHECK(excluded(result).empty());
    REQUIRE(result.warnings.size() == 1);
    CHECK_THAT(result.warnings[0], ContainsSubstring(warning));
}

TEST_CASE("A struct page too small for its members is not believed") {
    SyntheticCore synthetic;
    synthetic.set(some_pfn, {.mapping = anonymous});
    synthetic.vmcoreinfo["OFFSET(page.mapping)"] = "57";
    CHECK(excluded(filter(synthetic, 8)).empty());
}

TEST_CASE("A dump level above 31 is refused") {
    CHECK_THAT(failure([] { filter(SyntheticCore(), 32); }), ContainsSubstring("0 to 31"));
}
