// SPDX-License-Identifier: GPL-2.0
#include "dump/cli/memory_usage.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

namespace {

using namespace ballast::dump;
using Catch::Matchers::ContainsSubstring;

MemoryUsage some_usage() {
    return {.release = "6.1.0-56-amd64",
            .page_size = 4096,
            .pages = 100,
            .excluded = {.free = 40, .cache = 20, .cache_private = 5, .user = 15},
            .zero = 8,
            .kernel = 12};
}

} // namespace

TEST_CASE("Memory kept for the capture kernel is found in /proc/iomem, wherever it stands there") {
    std::istringstream iomem("00001000-0009fbff : System RAM\n"
                             "00100000-bffdffff : System RAM\n"
                             "  38000000-39ffffff : Kernel code\n"
                             "  b0000000-b7ffffff : Crash kernel\n"
                             "100000000-13fffffff : System RAM\n"
                             "  12f000000-13effffff : Crash kernel\n");
    const auto ranges = capture_memory(iomem);
    REQUIRE(ranges.size() == 2);
    CHECK(ranges[0].begin == 0xb0000000);
    CHECK(ranges[0].end == 0xb8000000);
    CHECK(ranges[1].begin == 0x12f000000);
    CHECK(ranges[1].end == 0x13f000000);
}

TEST_CASE("No memory is kept for a capture kernel where /proc/iomem names none") {
    std::istringstream iomem("00001000-0009fbff : System RAM\n");
    CHECK(capture_memory(iomem).empty());
}

TEST_CASE("The table of pages is makedumpfile's, to the byte") {
    CHECK(usage_table(some_usage()) == "\nTYPE\t\tPAGES\t\t\tEXCLUDABLE\tDESCRIPTION\n"
                                       "----------------------------------------------------------------------\n"
                                       "ZERO\t\t8               \tyes\t\tPages filled with zero\n"
                                       "NON_PRI_CACHE\t20              \tyes\t\tCache pages without private flag\n"
                                       "PRI_CACHE\t5               \tyes\t\tCache pages with private flag\n"
                                       "USER\t\t15              \tyes\t\tUser process pages\n"
                                       "FREE\t\t40              \tyes\t\tFree pages\n"
                                       "KERN_DATA\t12              \tno\t\tDumpable kernel data \n"
                                       "\npage size:\t\t4096            \n"
                                       "Total pages on system:\t100             \n"
                                       "Total size on system:\t409600           Byte\n");
}

TEST_CASE("Broken and offline pages have a line in the table where there are any") {
    MemoryUsage usage = some_usage();
    usage.excluded.offline = 7;
    CHECK_THAT(usage_table(usage), ContainsSubstring("OFFLINE\t\t7 "));
    CHECK_THAT(usage_table(usage), !ContainsSubstring("HWPOISON"));
}

TEST_CASE("As JSON the use of memory names each class and whether it can be left out") {
    const auto usage = nlohmann::json::parse(usage_json(some_usage()));
    CHECK(usage["release"] == "6.1.0-56-amd64");
    CHECK(usage["bytes"] == 409600);
    CHECK(usage["classes"]["free"]["pages"] == 40);
    CHECK(usage["classes"]["free"]["excludable"] == true);
    CHECK(usage["classes"]["kernel"]["pages"] == 12);
    CHECK(usage["classes"]["kernel"]["excludable"] == false);
}
