// SPDX-License-Identifier: GPL-2.0
#include "dump/kernel/kernel.hpp"

#include "support/folder.hpp"
#include "support/synthetic_core.hpp"

#include "dump/kernel/address_space.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

using ballast::dump::AddressSpace;
using ballast::dump::Core;
using ballast::dump::Kernel;
using Catch::Matchers::ContainsSubstring;

namespace {

class Described {
  public:
    explicit Described(const SyntheticCore &synthetic) {
        synthetic.write(folder_.path() / "vmcore");
        core_.emplace(Core::open(folder_.path() / "vmcore"));
        kernel_ = Kernel::describe(*core_);
    }
    [[nodiscard]] const Kernel &kernel() const { return kernel_; }
    [[nodiscard]] AddressSpace memory() const { return {*core_, kernel_.page_tables()}; }

  private:
    Folder folder_;
    std::optional<Core> core_;
    Kernel kernel_;
};

/** The one remark of a kernel that isn't understood. */
std::string remark_without(const std::string &line) {
    SyntheticCore synthetic;
    REQUIRE(synthetic.vmcoreinfo.erase(line) == 1);
    const Described described(synthetic);
    CHECK(described.kernel().sections().empty());
    REQUIRE(described.kernel().remarks().size() == 1);
    return described.kernel().remarks()[0];
}

} // namespace

TEST_CASE("A kernel is found with 4 and 5 levels of page tables, wherever it was loaded") {
    const unsigned levels = GENERATE(4U, 5U);
    const std::int64_t phys_base = GENERATE(0, -14680064, 0x3a000000);
    const SyntheticCore synthetic({.levels = levels, .phys_base = phys_base});
    const Described described(synthetic);
    const Kernel &kernel = described.kernel();
    CHECK(kernel.phys_base() == phys_base);
    CHECK(kernel.release() == "6.1.0-synthetic");
    CHECK(kernel.crash_time() == 1700000000);
    CHECK(std::string(kernel.utsname().data() + 65) == "nowhere");
    CHECK(std::string(kernel.utsname().data() + 4 * 65) == "x86_64");
    CHECK(kernel.remarks().empty());
    REQUIRE(kernel.sections().size() == 2);
    CHECK(kernel.sections()[1].first == 32768);
    CHECK(kernel.sections()[1].end == 65536);
    CHECK(kernel.sections()[1].mem_map - kernel.sections()[0].mem_map == 32768 * 64);
}

TEST_CASE("The kernel's name is found where VMCOREINFO doesn't tell its place, as before 5.11") {
    SyntheticCore synthetic;
    REQUIRE(synthetic.vmcoreinfo.erase("OFFSET(uts_namespace.name)") == 1);
    const Described described(synthetic);
    CHECK(described.kernel().remarks().empty());
    CHECK(std::string(described.kernel().utsname().data() + 65) == "nowhere");
}

TEST_CASE("Addresses translate through pages of 4 KiB, 2 MiB and 1 GiB") {
    const SyntheticCore synthetic;
    const Described described(synthetic);
    AddressSpace memory = described.memory();

    const auto small = memory.translate(synthetic.image(SyntheticCore::kernel_physical + 0x1234));
    REQUIRE(small);
    CHECK(small->physical == SyntheticCore::kernel_physical + 0x1234);
    CHECK(small->bytes == 0x1000 - 0x234);

    const auto large = memory.translate(described.kernel().sections()[1].mem_map + 64);
    REQUIRE(large);
    CHECK(large->physical == SyntheticCore::mem_map_physical + 0x200000 + 64);
    CHECK(large->bytes == 0x200000 - 64);

    const auto huge = memory.translate(synthetic.direct(0x1234567));
    REQUIRE(huge);
    CHECK(huge->physical == 0x1234567);
    CHECK(huge->bytes == 0x40000000 - 0x1234567);
}

TEST_CASE("Addresses that nothing maps, or that no CPU takes, don't translate") {
    const SyntheticCore synthetic;
    const Described described(synthetic);
    AddressSpace memory = described.memory();
    CHECK_FALSE(memory.translate(0));
    CHECK_FALSE(memory.translate(synthetic.image(SyntheticCore::kernel_physical + 0x200000)));
    CHECK_FALSE(memory.translate(synthetic.direct(0x1000) & 0x0000ffffffffffff)); // not canonical
}

TEST_CASE("The bit that marks encrypted memory is no part of an address") {
    SyntheticCore synthetic;
    constexpr std::uint64_t encrypted = std::uint64_t{1} << 47;
    synthetic.vmcoreinfo["NUMBER(sme_mask)"] = std::to_string(encrypted);
    auto &top = synthetic.page(SyntheticCore::kernel_physical / 4096);
    for (std::size_t entry = 0; entry < 512; ++entry) {
        if (top[entry * 8] != std::byte{0}) {
            top[entry * 8 + 5] |= std::byte{0x80};
        }
    }
    CHECK(Described(synthetic).kernel().sections().size() == 2);
    synthetic.vmcoreinfo["NUMBER(sme_mask)"] = "0";
    CHECK(Described(synthetic).kernel().sections().empty());
}

TEST_CASE("Without its page tables a kernel is not understood, and says so") {
    CHECK_THAT(remark_without("SYMBOL(init_top_pgt)"), ContainsSubstring("page tables"));
    CHECK_THAT(remark_without("NUMBER(phys_base)"), ContainsSubstring("page tables"));
}

TEST_CASE("Without its memory sections a kernel is not understood, and says so") {
    CHECK_THAT(remark_without("SYMBOL(mem_section)"), ContainsSubstring("struct pages"));
    CHECK_THAT(remark_without("SIZE(page)"), ContainsSubstring("struct pages"));
}

TEST_CASE("swapper_pg_dir will do for init_top_pgt") {
    SyntheticCore synthetic;
    auto symbol = synthetic.vmcoreinfo.extract("SYMBOL(init_top_pgt)");
    symbol.key() = "SYMBOL(swapper_pg_dir)";
    synthetic.vmcoreinfo.insert(std::move(symbol));
    CHECK(Described(synthetic).kernel().sections().size() == 2);
}

TEST_CASE("Page tables that lead to another kernel's name are not believed") {
    SyntheticCore synthetic;
    SECTION("another release") {
        synthetic.vmcoreinfo["OSRELEASE"] = "6.12.0";
    }
    SECTION("another place") {
        synthetic.vmcoreinfo["NUMBER(phys_base)"] = "4096";
    }
    SECTION("outside of the core") {
        synthetic.vmcoreinfo["NUMBER(phys_base)"] = "99999999999999";
    }
    const Described described(synthetic);
    CHECK(described.kernel().sections().empty());
    REQUIRE(described.kernel().remarks().size() == 1);
    CHECK_THAT(described.kernel().remarks()[0], ContainsSubstring("all pages are kept"));
    CHECK(std::string(described.kernel().utsname().data() + 2 * 65) == synthetic.vmcoreinfo["OSRELEASE"]);
}

TEST_CASE("Sizes that can't be are not believed") {
    const char *const line =
        GENERATE("SIZE(mem_section)", "OFFSET(mem_section.section_mem_map)", "NUMBER(SECTION_SIZE_BITS)");
    const char *const value = GENERATE("0", "7", "5000", "-1", "99999999999999999999");
    SyntheticCore synthetic;
    synthetic.vmcoreinfo[line] = value;
    const Kernel kernel = Described(synthetic).kernel();
    // An offset of 0 is the right one; of 7 misread, but harmless.
    const bool readable = std::string(line).starts_with("OFFSET") && std::string(value).size() == 1;
    CHECK(kernel.remarks().empty() == readable);
}

TEST_CASE("Numbers of VMCOREINFO that can't be don't make the search for the kernel endless") {
    SyntheticCore synthetic;
    SECTION("the place of the kernel's name is the last one of all, after which the first one comes") {
        synthetic.vmcoreinfo["OFFSET(uts_namespace.name)"] = "18446744073709551615";
        CHECK(Described(synthetic).kernel().remarks().empty()); // found where it comes out right
    }
    SECTION("struct pages are of gigabytes") {
        synthetic.vmcoreinfo["SIZE(page)"] = GENERATE("2147483648", "1099511627776");
        const Described described(synthetic);
        REQUIRE(described.kernel().remarks().size() == 1);
        CHECK_THAT(described.kernel().remarks()[0], ContainsSubstring("all pages are kept"));
    }
}

TEST_CASE("Sections end where memory does") {
    SyntheticCore::Options options;
    options.memory = (std::uint64_t{128} << 20) + 0x5000;
    const Described described{SyntheticCore(options)};
    REQUIRE(described.kernel().sections().size() == 2);
    CHECK(described.kernel().sections()[1].end == 32768 + 5);
}
