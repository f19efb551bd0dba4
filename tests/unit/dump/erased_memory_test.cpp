// SPDX-License-Identifier: GPL-2.0
#include "dump/erase/erased_memory.hpp"

#include <catch2/catch_test_macros.hpp>
#include <span>
#include <string>

using ballast::dump::ErasedMemory;

namespace {

constexpr std::uint64_t page_size = 4096;

/** What memory of dots at the address reads as. */
std::string read(const ErasedMemory &erased, std::uint64_t physical, std::size_t size) {
    std::string text(size, '.');
    erased.erase_from(physical, std::as_writable_bytes(std::span(text)));
    return text;
}

} // namespace

TEST_CASE("What is erased reads as the filling, to the byte, and nothing else does") {
    ErasedMemory erased(page_size);
    erased.add(0x10004, 3, std::byte{'X'});
    CHECK(read(erased, 0x10000, 10) == "....XXX...");
    CHECK(read(erased, 0x10005, 4) == "XX..");
    CHECK(read(erased, 0x10000, 5) == "....X");
    CHECK(read(erased, 0x10007, 4) == "....");
    CHECK(erased.touches(0x10));
    CHECK_FALSE(erased.touches(0xf));
    CHECK_FALSE(erased.touches(0x11));
}

TEST_CASE("What is erased goes on over the ends of pages") {
    ErasedMemory erased(page_size);
    erased.add(0x10ffe, page_size + 4, std::byte{'X'});
    CHECK(erased.touches(0x10));
    CHECK(erased.touches(0x11));
    CHECK(erased.touches(0x12));
    CHECK_FALSE(erased.touches(0x13));
    CHECK(read(erased, 0x10ffc, 4) == "..XX");
    CHECK(read(erased, 0x11000, page_size) == std::string(page_size, 'X'));
    CHECK(read(erased, 0x12000, 4) == "XX..");
    CHECK(read(erased, 0x10ffc, page_size + 8) == ".." + std::string(page_size + 4, 'X') + "..");
}

TEST_CASE("Of pieces that overlap the later counts") {
    ErasedMemory erased(page_size);
    erased.add(0x10000, 8, std::byte{'X'});
    erased.add(0x10002, 2, std::byte{'0'});
    CHECK(read(erased, 0x10000, 9) == "XX00XXXX.");
}
