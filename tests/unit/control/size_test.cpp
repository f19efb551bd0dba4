// SPDX-License-Identifier: GPL-2.0
#include "control/size.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "support/failure.hpp"

using ballast::control::format_size;
using ballast::control::parse_size;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("a size is a number of bytes, or of the units that follow it", "[size]") {
    CHECK(parse_size("0") == 0);
    CHECK(parse_size("4096") == 4096);
    CHECK(parse_size("4096B") == 4096);
    CHECK(parse_size("8K") == 8192);
    CHECK(parse_size("128M") == 128ULL << 20);
    CHECK(parse_size("128m") == 128ULL << 20);
    CHECK(parse_size("1GiB") == 1ULL << 30);
    CHECK(parse_size("2TB") == 2ULL << 40);
    CHECK(parse_size("18446744073709551615") == ~0ULL);
}

TEST_CASE("a negative size is refused as such", "[size]") {
    const auto message = failure(std::errc::invalid_argument, [] { parse_size("-5M"); });
    CHECK_THAT(message, ContainsSubstring("'-5M' is negative"));
}

TEST_CASE("what is not a size is refused", "[size]") {
    const auto *const text = GENERATE("", " 1", "M", "abc", "1X", "1MM", "1.5G", "0x10", "1 M", "1Mi", "+1", "1\n");
    CAPTURE(text);
    CHECK_THAT(failure(std::errc::invalid_argument, [&] { parse_size(text); }), ContainsSubstring("is not a size"));
}

TEST_CASE("a size that 64 bits can't hold is refused", "[size]") {
    const auto *const text = GENERATE("18446744073709551616", "16777216T", "99999999999999999999999G");
    CAPTURE(text);
    CHECK_THAT(failure(std::errc::result_out_of_range, [&] { parse_size(text); }), ContainsSubstring("64 bits"));
}

TEST_CASE("a size is shown in the largest unit that leaves 1 or more", "[size]") {
    CHECK(format_size(0) == "0 B");
    CHECK(format_size(1023) == "1023 B");
    CHECK(format_size(1024) == "1 KiB");
    CHECK(format_size(128ULL << 20) == "128 MiB");
    CHECK(format_size(3ULL << 29) == "1.5 GiB");
    CHECK(format_size(1ULL << 52) == "4096 TiB");
}
