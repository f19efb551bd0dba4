// SPDX-License-Identifier: GPL-2.0
// What pmakedumpfile tells of a real core instead of dumping it: the kernel's log, where an address is.
#include "changed_core.hpp"
#include "kdumpfile.hpp"
#include "printk_log.hpp"
#include "real_core.hpp"
#include "support/folder.hpp"
#include "support/process.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <filesystem>
#include <fmt/format.h>
#include <regex>
#include <sstream>

using namespace ballast::peers;
using ballast::test::Outcome;
using ballast::test::run;
using Catch::Matchers::ContainsSubstring;

namespace {

std::vector<std::string> lines_of(const std::string &text) {
    std::istringstream stream(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) {
        lines.push_back(line);
    }
    return lines;
}

/** The lines with what matches taken away. */
std::vector<std::string> without(std::vector<std::string> lines, const std::regex &pattern) {
    for (std::string &line : lines) {
        line = std::regex_replace(line, pattern, "");
    }
    return lines;
}

/** What --dump-dmesg saves, or makedumpfile's. */
std::vector<std::string> saved_log(const std::string &program, const std::string &core,
                                   const std::string &option = "") {
    const Folder folder;
    require_success({program, "--dump-dmesg", option, core, folder.path() / "log"});
    return lines_of(folder.read("log"));
}

/** A number of VMCOREINFO's. */
std::uint64_t number(const Kdumpfile &core, const std::string &key, int base = 10) {
    return std::stoull(core.vmcoreinfo(key).value(), nullptr, base);
}

/** Lets the kernel's log look as if it had been cleared before its nth record. */
void clear_log(const std::string &core, std::uint64_t n) {
    const Kdumpfile memory(core);
    const std::uint64_t symbol = number(memory, "SYMBOL(clear_seq)", 16);
    const bool is_latched = memory.vmcoreinfo("OFFSET(latched_seq.val)").has_value(); // since 5.13
    const std::uint64_t first = is_latched ? number(memory, "OFFSET(latched_seq.val)") : 0;
    for (std::uint64_t copy = 0; copy < (is_latched ? 2 : 1); copy++) {
        write_kernel(core, symbol + first + copy * sizeof n, std::as_bytes(std::span(&n, 1)));
    }
}

std::uint64_t read_word(const Kdumpfile &core, std::uint64_t address) {
    std::uint64_t word = 0;
    core.read_kernel(address, std::as_writable_bytes(std::span(&word, 1)));
    return word;
}

/** An address of each kind that the kernel has. */
std::vector<std::uint64_t> kernel_addresses(const Kdumpfile &core) {
    constexpr std::uint64_t flags = 0xfff; // of section_mem_map
    const std::uint64_t sections = number(core, "SYMBOL(mem_section)", 16);
    const std::uint64_t mem_map =
        read_word(core, read_word(core, sections) + number(core, "OFFSET(mem_section.section_mem_map)")) & ~flags;
    constexpr std::uint64_t some_page = 4000;
    std::vector<std::uint64_t> addresses{number(core, "SYMBOL(init_uts_ns)", 16), number(core, "SYMBOL(_stext)", 16),
                                         sections, mem_map + some_page * number(core, "SIZE(page)") + 8};
    const std::vector<std::uint64_t> stacks = core.stack_pointers();
    addresses.insert(addresses.end(), stacks.begin(), stacks.end());
    return addresses;
}

} // namespace

TEST_CASE("The log that is saved is the one that another reader finds") {
    static const std::regex caller(R"( ?\[ *[CT][0-9]+\](?= ))");
    const std::string core = core_of(GENERATE("4_levels", "5_levels"));
    const std::vector<std::string> expected = dmesg_lines(printk_log(Kdumpfile(core)));
    REQUIRE(expected.size() > 100);
    const std::vector<std::string> saved = saved_log(BALLAST_PMAKEDUMPFILE, core);
    CHECK(without(saved, caller) == expected);
    CHECK(std::regex_search(saved.front(), caller));
}

TEST_CASE("The log that is saved is makedumpfile's") {
    skip_unless_makedumpfile_knows_kernel();
    // Of a record of several lines makedumpfile indents all but the first.
    static const std::regex before(R"(^(\[[^\]]*\]( ?\[ *[CT][0-9]+\])?)? +)");
    const std::string core = core_of("5_levels");
    CHECK(without(saved_log(BALLAST_PMAKEDUMPFILE, core), before) == without(saved_log("makedumpfile", core), before));
}

TEST_CASE("Of a log that was cleared only what came since is saved, if asked for") {
    constexpr std::uint64_t cleared = 100;
    const Folder folder;
    const std::string core = folder.path() / "core";
    std::filesystem::copy_file(core_of("5_levels"), core);
    clear_log(core, cleared);
    const std::vector<LogRecord> records = printk_log(Kdumpfile(core));
    REQUIRE_THAT(records.front().text, ContainsSubstring("Linux version")); // the first of all

    const std::vector<std::string> whole = saved_log(BALLAST_PMAKEDUMPFILE, core);
    const std::vector<std::string> partial = saved_log(BALLAST_PMAKEDUMPFILE, core, "--partial-dmesg");
    CHECK(whole == saved_log(BALLAST_PMAKEDUMPFILE, core_of("5_levels")));
    const std::vector<LogRecord> old(records.begin(), records.begin() + cleared);
    REQUIRE(partial.size() + dmesg_lines(old).size() == whole.size());
    CHECK(std::equal(partial.begin(), partial.end(), whole.end() - static_cast<std::ptrdiff_t>(partial.size())));
}

TEST_CASE("Addresses of text, data, the direct map, struct pages and stacks are where libkdumpfile finds them") {
    const std::string core = core_of(GENERATE("4_levels", "5_levels"));
    const Kdumpfile memory(core);
    REQUIRE_FALSE(memory.stack_pointers().empty());
    for (const std::uint64_t address : kernel_addresses(memory)) {
        const std::string expected = fmt::format("{:016x}  {:x}\n", address, memory.physical(address));
        const Outcome outcome = run({BALLAST_PMAKEDUMPFILE, "--vtop", fmt::format("{:x}", address), core});
        CHECK(outcome.status == 0);
        CHECK_THAT(outcome.output, ContainsSubstring(expected));
    }
}

TEST_CASE("An address that nothing maps is told so") {
    constexpr auto poison = "dead000000000100"; // LIST_POISON1
    const Outcome outcome = run({BALLAST_PMAKEDUMPFILE, "--vtop", poison, core_of("5_levels")});
    CHECK(outcome.status == 1);
    CHECK_THAT(outcome.errors, ContainsSubstring("nothing is mapped at dead000000000100"));
}
