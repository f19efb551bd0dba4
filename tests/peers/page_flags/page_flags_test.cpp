// SPDX-License-Identifier: GPL-2.0
// pmakedumpfile's choice of pages, judged by what the crashed kernel itself said of each.
#include "judge.hpp"
#include "support/folder.hpp"
#include "support/process.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace ballast::peers;
using ballast::test::Outcome;
using ballast::test::run;

namespace {

using namespace std::chrono_literals;

Judgement judge_dump(const PageFlags &flags, const std::string &core, const std::string &dump_level) {
    const Folder folder;
    const std::string dump = folder.path() / "dump";
    const std::vector<std::string> command = {BALLAST_PMAKEDUMPFILE, "-l", "-d", dump_level, core, dump};
    const Outcome outcome = run(command, 300s);
    INFO(describe(command, outcome));
    REQUIRE(outcome.status == 0);
    return judge(flags, dump);
}

} // namespace

TEST_CASE("No page is wrongly kept or dropped, judged by the kernel's own page flags at the crash") {
    const std::string core = BALLAST_CORES "-" + GENERATE(as<std::string>{}, "4_levels", "5_levels") + ".core";
    const PageFlags flags = page_flags_in(core);
    CAPTURE(core);

    SECTION("as VMCOREINFO describes them") {
        const std::string dump_level = GENERATE("1", "2", "4", "8", "16", "31");
        const Judgement judgement = judge_dump(flags, core, dump_level);
        INFO("-d " << dump_level << '\n' << judgement.describe(flags));
        CHECK(judgement.right());
    }
    SECTION("as BTF in the kernel's memory does, without VMCOREINFO's lines about struct page, its flags and types") {
        const Folder folder;
        const std::string without = folder.path() / "core";
        copy_without_layouts(core, without);
        for (const std::string dump_level : {"1", "2", "4", "8", "16", "31"}) {
            const Judgement judgement = judge_dump(flags, without, dump_level);
            INFO("-d " << dump_level << '\n' << judgement.describe(flags));
            CHECK(judgement.right());
        }
    }
}

TEST_CASE("The cores hold pages of each kind that a dump level is about") {
    const std::string core = BALLAST_CORES "-" + GENERATE(as<std::string>{}, "4_levels", "5_levels") + ".core";
    const PageFlags flags = page_flags_in(core);
    const Judgement judgement = judge_dump(flags, core, "0");
    INFO(judgement.describe(flags));
    for (const std::string kind : {"anonymous", "anonymous, large", "anonymous in the swap cache", "hugetlb", "cache",
                                   "cache, large", "cache with private data", "free", "slab", "slab, large",
                                   "page table", "reserved", "the kernel's", "the kernel's, large", "offline"}) {
        CAPTURE(kind);
        CHECK(judgement.kinds.contains(kind));
    }
    CHECK(std::ranges::any_of(judgement.kinds, [](const auto &kind) { return kind.first.ends_with(", broken"); }));
}
