// SPDX-License-Identifier: GPL-2.0
#include "peers/dump_file.hpp"
#include "pmakedumpfile.hpp"
#include "support/folder.hpp"
#include "support/synthetic_core.hpp"

#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstdlib>
#include <string>
#include <sys/resource.h>
#include <vector>

using namespace ballast::test;
using ballast::peers::DumpFile;

namespace {

constexpr std::uint64_t gib = std::uint64_t{1} << 30;
constexpr std::uint64_t section_pages = SyntheticCore::pages_per_section;

// In each section these pages are the kernel's, the others anonymous memory.
constexpr std::uint64_t first_kept = 0x4000;
constexpr std::uint64_t kept_in_section = 8;

// Every so many sections have a kept page that isn't zeros.
constexpr std::uint64_t sections_per_content = 64;

/** BALLAST_MEMORY_GIB: another size, for a run by hand. */
std::uint64_t memory() {
    const char *const wanted = std::getenv("BALLAST_MEMORY_GIB");
    return (wanted == nullptr ? 1024 : std::stoull(wanted)) * gib;
}

SyntheticCore large_core() {
    SyntheticCore core({.memory = memory(), .one_mem_map = true});
    for (std::uint64_t pfn = 0; pfn < section_pages; pfn++) {
        const bool kept = pfn >= first_kept && pfn < first_kept + kept_in_section;
        core.set(pfn, {.flags = kept ? page_flag::slab : page_flag::lru, .mapping = kept ? 0U : 0xffff888001234561U});
    }
    for (std::uint64_t pfn = first_kept; pfn < memory() / SyntheticCore::page_size;
         pfn += sections_per_content * section_pages) {
        core.page(pfn).fill(std::byte{0x5a});
    }
    return core;
}

/** The most that a child that has ended had in memory, in KiB. */
long peak_memory_of_children() {
    rusage usage{};
    getrusage(RUSAGE_CHILDREN, &usage);
    return usage.ru_maxrss;
}

} // namespace

TEST_CASE("A terabyte is filtered and dumped in 24 MiB of memory, the right pages of it") {
    const Folder folder;
    const std::string core = folder.path() / "core";
    const std::string dump = folder.path() / "dump";
    large_core().write(core);

    const std::vector<std::string> command = {BALLAST_PMAKEDUMPFILE, "-l", "-d", "31",
                                              "--num-threads",       "2",  core, dump};
    const Outcome outcome = run(command, std::chrono::minutes(5));
    INFO(describe(command, outcome));
    INFO("peak memory: " << peak_memory_of_children() << " KiB");
    REQUIRE(outcome.status == exit_ok);
    CHECK(peak_memory_of_children() < 24 * 1024);

    const DumpFile file(dump);
    const std::uint64_t pages = memory() / SyntheticCore::page_size;
    std::uint64_t wrong = 0;
    for (std::uint64_t pfn = section_pages; pfn < pages; pfn++) { // the first section holds the kernel
        const std::uint64_t within = pfn % section_pages;
        const bool kept = within >= first_kept && within < first_kept + kept_in_section;
        wrong += file.dumped(pfn) == kept ? 0 : 1;
    }
    CHECK(wrong == 0);
}
