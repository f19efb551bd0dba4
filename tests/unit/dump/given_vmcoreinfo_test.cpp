// SPDX-License-Identifier: GPL-2.0
#include "dump/input/given_vmcoreinfo.hpp"

#include "dump/input/core.hpp"
#include "dump/input/error.hpp"
#include "dump/input/vmcoreinfo.hpp"
#include "dump/kernel/generate_vmcoreinfo.hpp"
#include "dump/kernel/kernel.hpp"

#include "failure.hpp"
#include "support/folder.hpp"
#include "support/synthetic_core.hpp"
#include "types_subject.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fmt/format.h>
#include <span>
#include <string>
#include <vector>

namespace {

using namespace ballast::dump;
using Catch::Matchers::ContainsSubstring;

constexpr std::string_view built = "OSRELEASE=6.1.0\nSYMBOL(_stext)=ffffffff81000000\nSIZE(page)=64\n";

/** A synthetic core, whose own VMCOREINFO is taken away or changed, opened with a text for it. */
Kernel describe_with(const SyntheticCore &synthetic, const std::string &given) {
    const Folder folder;
    const std::string path = folder.path() / "core";
    synthetic.write(path);
    return Kernel::describe(Core::open(std::span(&path, 1), {.vmcoreinfo = given}));
}

std::string text_of(const SyntheticCore &synthetic) {
    std::string text;
    for (const auto &[key, value] : synthetic.vmcoreinfo) {
        text += fmt::format("{}={}\n", key, value);
    }
    return text;
}

} // namespace

TEST_CASE("Symbols of a build are moved to where the core says that the kernel ran") {
    const std::string text = complete_given_vmcoreinfo(
        built, "OSRELEASE=6.1.0\nKERNELOFFSET=1d000000\nNUMBER(phys_base)=-4096\nSIZE(page)=56\nCRASHTIME=17\n", {});
    const Vmcoreinfo lines(text);
    CHECK(lines.symbol("_stext") == 0xffffffff9e000000);
    CHECK(lines.number("phys_base") == -4096);
    CHECK(lines.decimal("CRASHTIME") == 17);
    CHECK(lines.size("page") == 64);
}

TEST_CASE("Symbols of a text that tells where its kernel ran stay, and so does what else it tells of the run") {
    const std::string given = std::string(built) + "KERNELOFFSET=2000000\nNUMBER(phys_base)=8192\n";
    const std::string text =
        complete_given_vmcoreinfo(given, "OSRELEASE=6.1.0\nKERNELOFFSET=1d000000\nNUMBER(phys_base)=4096\n", {});
    CHECK(text == given);
}

TEST_CASE("Without a text of the core's own, the segment of the kernel's text tells where it ran") {
    const std::vector<Segment> segments{
        {.physical = 0x100000, .memory_size = 0x1000, .virtual_address = 0xffff888000100000},
        {.physical = 0x3a000000, .memory_size = 0x2000000, .virtual_address = 0xffffffff9e000000}};
    const std::string text = complete_given_vmcoreinfo(built, "", segments);
    const Vmcoreinfo lines(text);
    CHECK(lines.text("KERNELOFFSET") == "1d000000");
    CHECK(lines.symbol("_stext") == 0xffffffff9e000000);
    CHECK(lines.number("phys_base") == 0x3a000000 - 0x1e000000);
}

TEST_CASE("A text of VMCOREINFO of another kernel than the core's is refused with exit status 2") {
    try {
        complete_given_vmcoreinfo(built, "OSRELEASE=6.12.0\n", {});
        FAIL("it was taken");
    } catch (const Error &error) {
        CHECK(error.exit_status() == 2);
        CHECK_THAT(error.what(), ContainsSubstring("6.1.0") && ContainsSubstring("6.12.0"));
    }
    CHECK_THAT(failure([] { complete_given_vmcoreinfo("root:x:0:0\n", "", {}); }), ContainsSubstring("no OSRELEASE"));
}

TEST_CASE("A text of VMCOREINFO given by the user does for a core that has none") {
    SyntheticCore synthetic;
    const std::string text = text_of(synthetic);
    synthetic.vmcoreinfo.clear();
    const Kernel kernel = describe_with(synthetic, text);
    CHECK(kernel.sections().size() == 2);
    CHECK(kernel.remarks().empty());
}

TEST_CASE("Where a text tells but the pointer to the memory sections, that is followed") {
    SyntheticCore synthetic;
    constexpr std::uint64_t pointer_at = SyntheticCore::kernel_physical + 0x8;
    const std::uint64_t sections = std::stoull(synthetic.vmcoreinfo["SYMBOL(mem_section)"], nullptr, 16);
    synthetic.write_physical(pointer_at, std::as_bytes(std::span(&sections, 1)));
    synthetic.vmcoreinfo["SYMBOL(mem_section)"] = fmt::format("{:x}", synthetic.image(pointer_at));
    synthetic.vmcoreinfo.erase("LENGTH(mem_section)");
    synthetic.vmcoreinfo.erase("NUMBER(SECTION_SIZE_BITS)");
    CHECK(describe_with(synthetic, "").sections().size() == 2);
}

TEST_CASE("A text of VMCOREINFO is made of a vmlinux: release, symbols, sizes, offsets, lengths, page flags") {
    CHECK(types_subject(std::vector<long>(64).data()) == 4);
    const std::string text = generate_vmcoreinfo("/proc/self/exe");
    const Vmcoreinfo lines(text);
    CHECK(lines.text("OSRELEASE") == "6.1.0-synthetic");
    CHECK(lines.decimal("PAGESIZE") == 4096);
    CHECK(lines.size("zone") == 224);
    CHECK(lines.offset("page.mapping") == 32);
    CHECK(lines.length("zone.free_area") == 11);
    CHECK(lines.number("PG_lru") == 4);
    CHECK_FALSE(lines.size("mem_section"));
    CHECK_FALSE(lines.symbol("mem_section"));
}

TEST_CASE("No text of VMCOREINFO is made of what isn't a vmlinux") {
    CHECK_THAT(failure([] { generate_vmcoreinfo("/etc/passwd"); }), ContainsSubstring("/etc/passwd: "));
    CHECK_THAT(failure([] { generate_vmcoreinfo("/bin/true"); }), ContainsSubstring("not a vmlinux"));
}
