// SPDX-License-Identifier: GPL-2.0
// Kernels that describe themselves: by kallsyms and BTF in their memory, and by newer lines of VMCOREINFO.
#include "support/folder.hpp"
#include "support/synthetic_core.hpp"
#include "synthetic_btf.hpp"
#include "synthetic_symbols.hpp"

#include "dump/filter/filter.hpp"
#include "dump/kernel/kernel.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

using ballast::dump::Core;
using ballast::dump::FilterResult;
using ballast::dump::Kernel;
using ballast::dump::NoProgress;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr std::uint64_t some_pfn = 0x8000;
constexpr std::uint64_t anonymous = 0xffff888001000001;

struct Filtered {
    Kernel kernel;
    FilterResult result;

    [[nodiscard]] bool dropped(std::uint64_t pfn) const { return !result.dumped.test(pfn); }
};

Filtered filter(const SyntheticCore &synthetic, unsigned dump_level = 31) {
    const Folder folder;
    synthetic.write(folder.path() / "vmcore");
    const Core core = Core::open(folder.path() / "vmcore");
    Kernel kernel = Kernel::describe(core);
    NoProgress progress;
    FilterResult result = ballast::dump::filter(core, kernel, dump_level, 1, progress);
    return {.kernel = std::move(kernel), .result = std::move(result)};
}

/** Takes away what VMCOREINFO says of layouts. */
void forget_layouts(SyntheticCore &core) {
    std::erase_if(core.vmcoreinfo, [](const auto &line) {
        const std::string &key = line.first;
        return key.starts_with("OFFSET(page.") || key.starts_with("OFFSET(mem_section.") || key.starts_with("SIZE(") ||
               key.starts_with("NUMBER(PG_") || key.starts_with("NUMBER(PAGE_") || key == "LENGTH(zone.free_area)" ||
               key == "NUMBER(HUGETLB_PAGE_DTOR)";
    });
}

void add_btf(SyntheticCore &core, const SyntheticTypes &types, std::map<std::string, std::uint64_t> symbols = {},
             KallsymsCoding coding = KallsymsCoding::absolute_or_below) {
    const std::vector<std::byte> btf = btf_of(types);
    core.write_physical(synthetic_btf_physical, btf);
    symbols["__start_BTF"] = core.image(synthetic_btf_physical);
    symbols["__stop_BTF"] = core.image(synthetic_btf_physical + btf.size());
    add_kallsyms(core, coding, symbols);
}

/** A page of each class of Linux 6.1, some_pfn and following. */
void add_pages_of_6_1(SyntheticCore &core) {
    core.set(some_pfn, {.flags = page_flag::lru, .mapping = anonymous});
    core.set(some_pfn + 1, {.flags = page_flag::lru});
    core.set(some_pfn + 2, {.flags = page_flag::lru | page_flag::private_data});
    core.set(some_pfn + 3, {.flags = page_flag::hwpoison});
    core.set(some_pfn + 4, {.mapcount = page_type::offline});
    core.set(some_pfn + 5, {.flags = page_flag::slab, .mapping = anonymous});
    core.set_free(some_pfn + 8, 3);
    core.set_compound(some_pfn + 512, {}, 9, hugetlb_dtor);
}

bool same_words(const FilterResult &a, const FilterResult &b) {
    return a.dumped == b.dumped;
}

} // namespace

TEST_CASE("BTF in the kernel's memory tells what VMCOREINFO doesn't, however kallsyms codes addresses") {
    const auto coding =
        GENERATE(KallsymsCoding::absolute_or_below, KallsymsCoding::above_base, KallsymsCoding::from_own_place);
    SyntheticCore synthetic;
    add_pages_of_6_1(synthetic);
    const Filtered told = filter(synthetic);
    CHECK(told.result.excluded.total() == 5 + 8 + 512);

    add_btf(synthetic, types_of_6_1(), {}, coding);
    forget_layouts(synthetic);
    const Filtered found = filter(synthetic);
    CHECK(found.kernel.remarks().empty());
    CHECK(found.result.warnings.empty());
    CHECK(same_words(told.result, found.result));
}

TEST_CASE("A kallsyms that VMCOREINFO doesn't tell of is searched for") {
    SyntheticCore synthetic;
    add_pages_of_6_1(synthetic);
    const Filtered told = filter(synthetic);
    const std::vector<std::byte> btf = btf_of(types_of_6_1());
    synthetic.write_physical(synthetic_btf_physical, btf);
    const std::map<std::string, std::uint64_t> symbols{
        {"__start_BTF", synthetic.image(synthetic_btf_physical)},
        {"__stop_BTF", synthetic.image(synthetic_btf_physical + btf.size())}};
    add_untold_kallsyms(synthetic, symbols);
    forget_layouts(synthetic);
    const Filtered found = filter(synthetic);
    CHECK(found.kernel.remarks().empty());
    CHECK(same_words(told.result, found.result));
}

TEST_CASE("Without BTF a kernel that doesn't describe its struct page keeps all pages") {
    SyntheticCore synthetic;
    add_pages_of_6_1(synthetic);
    SECTION("no kallsyms") {}
    SECTION("no BTF between the symbols") {
        add_btf(synthetic, types_of_6_1());
        synthetic.page(synthetic_btf_physical / 4096).fill(std::byte{0});
    }
    SECTION("kallsyms that contradicts VMCOREINFO") {
        synthetic.vmcoreinfo["SYMBOL(_stext)"] = synthetic.vmcoreinfo["SYMBOL(init_uts_ns)"];
        add_btf(synthetic, types_of_6_1(), {{"_stext", synthetic.image(SyntheticCore::kernel_physical)}});
    }
    forget_layouts(synthetic);
    const Filtered found = filter(synthetic);
    CHECK(found.result.excluded.total() == 0);
    CHECK_FALSE(found.kernel.remarks().empty());
}

TEST_CASE("A kernel with page types and compound_info is understood from its BTF alone") {
    constexpr std::uint64_t lru = 1U << 5;
    constexpr std::uint64_t head = 1U << 6;
    constexpr auto type = [](std::uint32_t number, std::uint32_t low = 0) {
        return static_cast<std::int32_t>(number << 24U | low);
    };
    SyntheticCore synthetic;
    // The order stands in the second page's flags; a tail is marked where it was before.
    const auto set_large = [&](std::uint64_t pfn, SyntheticPage page, std::uint64_t order) {
        page.flags |= head;
        synthetic.set(pfn, page);
        synthetic.set(pfn + 1, {.flags = order | 0x100, .compound_head = 1});
        for (std::uint64_t tail = 2; tail < std::uint64_t{1} << order; ++tail) {
            synthetic.set(pfn + tail, {.compound_head = 1});
        }
    };
    set_large(some_pfn, {.flags = lru, .mapping = anonymous}, 4);
    set_large(some_pfn + 16, {.flags = lru}, 2);
    set_large(some_pfn + 32, {.mapping = anonymous, .mapcount = type(0xf5)}, 3); // slab
    set_large(some_pfn + 512, {.mapcount = type(0xf4)}, 9);                      // hugetlb
    synthetic.set(some_pfn + 1024, {.private_data = 5, .mapcount = type(0xf0)});
    synthetic.set(some_pfn + 2048, {.mapcount = type(0xf7)}); // not accepted yet: a whole block
    synthetic.set(some_pfn + 3072, {.mapcount = type(0xf1, 7)});
    add_btf(synthetic, types_of_7_3(), {}, KallsymsCoding::from_own_place);
    forget_layouts(synthetic);

    const Filtered found = filter(synthetic);
    CHECK(found.result.warnings.empty());
    CHECK(found.result.excluded.user == 16 + 512);
    CHECK(found.result.excluded.cache == 4);
    CHECK(found.result.excluded.free == 32 + 1024);
    CHECK(found.result.excluded.offline == 1);
    CHECK(found.dropped(some_pfn + 15));
    CHECK_FALSE(found.dropped(some_pfn + 32));
    CHECK_FALSE(found.dropped(some_pfn + 39));
    CHECK(found.dropped(some_pfn + 2048 + 1023));
}

TEST_CASE("VMCOREINFO of newer kernels tells a large page's order and hugetlb in other words") {
    SyntheticCore synthetic;
    synthetic.vmcoreinfo.erase("OFFSET(page.compound_order)");
    synthetic.vmcoreinfo.erase("OFFSET(page.compound_dtor)");
    synthetic.set_compound(some_pfn, {}, 1);
    SECTION("6.3 to 6.5: struct folio's second page") {
        synthetic.vmcoreinfo["OFFSET(folio._folio_dtor)"] = "80";
        synthetic.vmcoreinfo["OFFSET(folio._folio_order)"] = "81";
        synthetic.set(some_pfn + 1, {.compound_head = 1, .dtor = hugetlb_dtor, .order = 9});
    }
    SECTION("6.6 to 6.8: a flag of the second page") {
        synthetic.vmcoreinfo.erase("NUMBER(HUGETLB_PAGE_DTOR)");
        synthetic.vmcoreinfo["NUMBER(PG_hugetlb)"] = "8";
        synthetic.set(some_pfn + 1, {.flags = 9 | 1U << 8, .compound_head = 1});
    }
    SECTION("6.9 and later: a page type") {
        synthetic.vmcoreinfo.erase("NUMBER(HUGETLB_PAGE_DTOR)");
        synthetic.vmcoreinfo["NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)"] = std::to_string(0xf4U << 24U);
        synthetic.set(some_pfn, {.flags = page_flag::head, .mapcount = static_cast<std::int32_t>(0xf4U << 24U)});
        synthetic.set(some_pfn + 1, {.flags = 9, .compound_head = 1});
    }
    for (std::uint64_t tail = 2; tail < 512; ++tail) {
        synthetic.set(some_pfn + tail, {.compound_head = 1});
    }
    CHECK(filter(synthetic, 8).result.excluded.user == 512);
}

TEST_CASE("The kernel's own pages stay, whatever their struct pages say") {
    SyntheticCore synthetic;
    const std::uint64_t image = SyntheticCore::kernel_physical;
    add_btf(synthetic, types_of_6_1(),
            {{"_text", synthetic.image(image + 0x80000)},
             {"_etext", synthetic.image(image + 0x81800)},
             {"__nosave_begin", synthetic.image(image + 0x90000)},
             {"__start_bss_decrypted_unused", synthetic.image(image + 0x91000)},
             {"__bss_stop", synthetic.image(image + 0x93000)},
             {"__per_cpu_start", 0x1000},
             {"__per_cpu_end", 0x3000},
             {"__per_cpu_offset", synthetic.image(image + 0x94000)},
             {"nr_cpu_ids", synthetic.image(image + 0x95000)}});
    const auto put = [&synthetic](std::uint64_t physical, std::uint64_t number) {
        synthetic.write_physical(physical, std::as_bytes(std::span(&number, 1)));
    };
    put(image + 0x94000, synthetic.direct(0x6000000));
    put(image + 0x94008, synthetic.direct(0x7000000));
    put(image + 0x95000, 2);
    // Everything says that it is free, or anonymous.
    for (std::uint64_t pfn = 0x1000; pfn < 0x8000; pfn += 0x400) {
        synthetic.set_free(pfn, 10);
    }
    const Filtered found = filter(synthetic, 16);

    const auto stays = [&found](std::uint64_t physical) { return !found.dropped(physical / 4096); };
    CHECK(stays(image));           // the top page table
    CHECK(stays(image + 0x4000));  // another one
    CHECK(stays(image + 0x80000)); // text
    CHECK(stays(image + 0x81000));
    CHECK_FALSE(stays(image + 0x82000)); // behind it, freed
    CHECK(stays(image + 0x90000));
    CHECK_FALSE(stays(image + 0x91000));           // freed
    CHECK(stays(SyntheticCore::mem_map_physical)); // struct pages
    CHECK(stays(SyntheticCore::mem_map_physical + 2 * 0x200000 - 1));
    CHECK_FALSE(stays(SyntheticCore::mem_map_physical + 2 * 0x200000));
    CHECK(stays(0x6001000)); // each CPU's variables
    CHECK(stays(0x7002000));
    CHECK_FALSE(stays(0x6003000));
    CHECK_FALSE(stays(0x6000000));
    REQUIRE(found.result.warnings.size() == 1);
    CHECK_THAT(found.result.warnings[0], ContainsSubstring("pages of the kernel's own"));
    CHECK(found.result.excluded.free + std::stoull(found.result.warnings[0]) == 0x7000);
}

TEST_CASE(
    "Per-CPU areas larger than the machine's memory are not looked at to their end, and cost nothing else its place") {
    SyntheticCore synthetic;
    const std::uint64_t image = SyntheticCore::kernel_physical;
    add_btf(synthetic, types_of_6_1(),
            {{"__per_cpu_start", 0x1000},
             {"__per_cpu_end", 0x1000000},
             {"__per_cpu_offset", synthetic.image(image + 0x94000)},
             {"nr_cpu_ids", synthetic.image(image + 0x93000)}});
    const auto put = [&synthetic](std::uint64_t physical, std::uint64_t number) {
        synthetic.write_physical(physical, std::as_bytes(std::span(&number, 1)));
    };
    put(image + 0x93000, 8192);
    put(image + 0x94000, synthetic.direct(0x4000000));
    put(image + 0x94000 + 100 * sizeof(std::uint64_t), synthetic.direct(0x6000000));
    for (std::uint64_t pfn = 0x1000; pfn < 0x8000; pfn += 0x400) {
        synthetic.set_free(pfn, 10);
    }
    const Filtered found = filter(synthetic, 16);
    const auto stays = [&found](std::uint64_t physical) { return !found.dropped(physical / 4096); };
    CHECK(stays(0x4001000));
    CHECK_FALSE(stays(0x6001000));
    CHECK(stays(SyntheticCore::mem_map_physical));
}
