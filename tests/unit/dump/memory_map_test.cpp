// SPDX-License-Identifier: GPL-2.0
#include "dump/input/memory_map.hpp"

#include <catch2/catch_test_macros.hpp>
#include <vector>

using ballast::dump::MemoryMap;
using ballast::dump::Segment;

namespace {

MemoryMap map_of(const std::vector<Segment> &segments) {
    return MemoryMap(segments);
}

} // namespace

TEST_CASE("Of segments that overlap, the one named first holds the memory") {
    // The kernel's text, then the RAM around it.
    const MemoryMap map = map_of({{.physical = 0x3000, .memory_size = 0x1000, .file_size = 0x1000, .offset = 0x100},
                                  {.physical = 0x1000, .memory_size = 0x5000, .file_size = 0x5000, .offset = 0x8000}});
    REQUIRE(map.extents().size() == 3);
    CHECK(map.extents()[0].begin == 0x1000);
    CHECK(map.extents()[0].end == 0x3000);
    CHECK(map.extents()[0].offset == 0x8000);
    CHECK(map.extents()[1].begin == 0x3000);
    CHECK(map.extents()[1].end == 0x4000);
    CHECK(map.extents()[1].offset == 0x100);
    CHECK(map.extents()[2].begin == 0x4000);
    CHECK(map.extents()[2].end == 0x6000);
    CHECK(map.extents()[2].offset == 0x8000 + 0x3000);
}

TEST_CASE("A segment that others cover wholly adds nothing") {
    const MemoryMap map = map_of({{.physical = 0x1000, .memory_size = 0x1000, .file_size = 0x1000, .offset = 1},
                                  {.physical = 0x2000, .memory_size = 0x1000, .file_size = 0x1000, .offset = 2},
                                  {.physical = 0x1800, .memory_size = 0x1000, .file_size = 0x1000, .offset = 3}});
    REQUIRE(map.extents().size() == 2);
    CHECK(map.extents()[0].end == 0x2000);
    CHECK(map.extents()[1].begin == 0x2000);
}

TEST_CASE("Memory beyond a segment's data is zeros, unless another segment has it") {
    const MemoryMap map = map_of({{.physical = 0x1000, .memory_size = 0x3000, .file_size = 0x1000, .offset = 0x100},
                                  {.physical = 0x3000, .memory_size = 0x1000, .file_size = 0x1000, .offset = 0x200}});
    REQUIRE(map.extents().size() == 3);
    CHECK(map.extents()[1].begin == 0x2000);
    CHECK(map.extents()[1].end == 0x3000);
    CHECK_FALSE(map.extents()[1].offset.has_value());
    CHECK(map.extents()[2].offset == 0x200);
}

TEST_CASE("An address is found in its extent, or else the next extent is") {
    const MemoryMap map = map_of({{.physical = 0x1000, .memory_size = 0x1000, .file_size = 0x1000, .offset = 1},
                                  {.physical = 0x4000, .memory_size = 0x1000, .file_size = 0x1000, .offset = 2}});
    CHECK(map.at_or_after(0) == map.extents().data());
    CHECK(map.at_or_after(0x1fff) == map.extents().data());
    CHECK(map.at_or_after(0x2000) == &map.extents()[1]);
    CHECK(map.at_or_after(0x5000) == nullptr);
}

TEST_CASE("Empty segments leave nothing") {
    CHECK(map_of({{.physical = 0x1000, .offset = 5}}).extents().empty());
}
