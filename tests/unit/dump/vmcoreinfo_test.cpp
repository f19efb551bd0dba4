// SPDX-License-Identifier: GPL-2.0
#include "dump/input/vmcoreinfo.hpp"

#include <catch2/catch_test_macros.hpp>

using ballast::dump::Vmcoreinfo;

TEST_CASE("Symbols are hexadecimal; offsets, sizes, lengths and numbers are decimal") {
    const Vmcoreinfo info(
        "SYMBOL(a)=ffffffff81000010\nOFFSET(s.m)=10\nSIZE(s)=64\nLENGTH(l)=11\nNUMBER(n)=-14680064\n");
    CHECK(info.symbol("a") == 0xffffffff81000010);
    CHECK(info.offset("s.m") == 10);
    CHECK(info.size("s") == 64);
    CHECK(info.length("l") == 11);
    CHECK(info.number("n") == -14680064);
}

TEST_CASE("What is absent or no number is empty") {
    const Vmcoreinfo info("NUMBER(a)=12x\nNUMBER(b)=\nOFFSET(c)=-1\nno equals sign\n");
    CHECK_FALSE(info.number("a"));
    CHECK_FALSE(info.number("b"));
    CHECK_FALSE(info.offset("c"));
    CHECK_FALSE(info.number("d"));
    CHECK_FALSE(info.text("no equals sign"));
}

TEST_CASE("The last line needs no newline, and text keeps what follows the first equals sign") {
    const Vmcoreinfo info("OSRELEASE=6.1.0=x\nPAGESIZE=4096");
    CHECK(info.text("OSRELEASE") == "6.1.0=x");
    CHECK(info.decimal("PAGESIZE") == 4096);
}

TEST_CASE("An empty text has no lines") {
    CHECK_FALSE(Vmcoreinfo("").text(""));
}
