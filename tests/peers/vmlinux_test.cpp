// SPDX-License-Identifier: GPL-2.0
// pmakedumpfile with the debug information of the crashed kernel.
#include "comparison.hpp"
#include "debug_info.hpp"
#include "page_flags/judge.hpp"
#include "real_core.hpp"
#include "support/folder.hpp"
#include "support/process.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <filesystem>
#include <fstream>

using namespace ballast::peers;
using ballast::test::Outcome;
using ballast::test::run;

namespace {

using namespace std::chrono_literals;

} // namespace

TEST_CASE("With -x alone, without BTF and VMCOREINFO's layouts, no page is wrongly kept or dropped") {
    const std::string vmlinux = require_vmlinux();
    const std::string core = core_of("5_levels");
    const PageFlags flags = page_flags_in(core);
    const Folder folder;
    const std::string without = folder.path() / "core";
    const std::string dump = folder.path() / "dump";
    copy_without_layouts(core, without);
    remove_btf(without);

    // Nothing else in the core tells.
    require_success({BALLAST_PMAKEDUMPFILE, "-l", "-d", "31", without, dump});
    CHECK_FALSE(judge(flags, dump).right());

    for (const std::string dump_level : {"1", "2", "4", "8", "16", "31"}) {
        require_success({BALLAST_PMAKEDUMPFILE, "-f", "-x", vmlinux, "-l", "-d", dump_level, without, dump});
        const Judgement judgement = judge(flags, dump);
        INFO("-d " << dump_level << '\n' << judgement.describe(flags));
        CHECK(judgement.right());
    }
}

TEST_CASE("The vmlinux of another kernel is refused with exit status 2") {
    const std::string vmlinux = require_vmlinux();
    const Folder folder;
    const std::string vmcoreinfo = folder.path() / "vmcoreinfo";
    std::ofstream(vmcoreinfo) << "OSRELEASE=" BALLAST_KERNEL_RELEASE "\nBUILD-ID=00\nPAGESIZE=4096\n";
    const Outcome outcome = run({BALLAST_PMAKEDUMPFILE, "-x", vmlinux, "-i", vmcoreinfo, "-d", "31",
                                 core_of("5_levels"), folder.path() / "dump"});
    INFO(outcome.errors);
    CHECK(outcome.status == 2);
    CHECK_FALSE(std::filesystem::exists(folder.path() / "dump"));
}

TEST_CASE("With a VMCOREINFO made of the vmlinux the dump is the one that the core's own gives, also makedumpfile's") {
    const std::string vmlinux = require_vmlinux();
    const std::string core = core_of(GENERATE("4_levels", "5_levels"));
    const Folder folder;
    const auto path = [&](const char *name) { return (folder.path() / name).native(); };
    require_success({BALLAST_PMAKEDUMPFILE, "-g", path("vmcoreinfo"), "-x", vmlinux});
    require_success({BALLAST_PMAKEDUMPFILE, "-l", "-d", "31", core, path("own")});
    require_success({BALLAST_PMAKEDUMPFILE, "-i", path("vmcoreinfo"), "-l", "-d", "31", core, path("given")});
    CHECK(run({"cmp", path("own"), path("given")}).status == 0);
    if (!makedumpfile_knows_kernel()) {
        return;
    }
    // It takes our text too.
    require_success({"makedumpfile", "-i", path("vmcoreinfo"), "-l", "-d", "31", core, path("theirs")});
    const Comparison comparison = compare_dumps(path("own"), path("theirs"));
    INFO(comparison.describe());
    CHECK(comparison.equal());
}
