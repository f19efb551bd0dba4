// SPDX-License-Identifier: GPL-2.0
#include "dump/erase/erase_config.hpp"

#include "failure.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace ballast::dump;

namespace {

std::vector<EraseSection> parse(std::string_view text) {
    return parse_erase_config(text, "erase.conf");
}

const EraseCommand &command(const EraseSection &section, std::size_t n) {
    return std::get<EraseCommand>(section.commands.at(n));
}

} // namespace

TEST_CASE("Erase commands name a variable or its members, and how much") {
    const auto sections = parse("# secrets\n"
                                "erase key\n"
                                "\n"
                                "  erase session.user.name size 25  # not all\n"
                                "erase a size 2K\n"
                                "erase b size 3m\r\n"
                                "erase c size c.length\n"
                                "erase d.next nullify");
    REQUIRE(sections.size() == 1);
    const EraseSection &section = sections[0];
    CHECK(section.module == "vmlinux");
    REQUIRE(section.commands.size() == 6);
    CHECK(command(section, 0).line == 2);
    CHECK(command(section, 0).what == Expression{"key"});
    CHECK(std::holds_alternative<EraseCommand::WholeType>(command(section, 0).extent));
    CHECK(command(section, 1).line == 4);
    CHECK(text_of(command(section, 1).what) == "session.user.name");
    CHECK(std::get<std::uint64_t>(command(section, 1).extent) == 25);
    CHECK(std::get<std::uint64_t>(command(section, 2).extent) == 2048);
    CHECK(std::get<std::uint64_t>(command(section, 3).extent) == std::uint64_t{3} << 20U);
    CHECK(std::get<Expression>(command(section, 4).extent) == Expression{"c", "length"});
    CHECK(std::holds_alternative<EraseCommand::Nullify>(command(section, 5).extent));
}

TEST_CASE("Loops go over arrays, over what a member leads to, and over lists") {
    const auto sections = parse("for x in table\n"
                                "  erase x.key\n"
                                "  erase x.text size x.length\n"
                                "endfor\n"
                                "for x in first.entry via next\n"
                                "endfor\n"
                                "for x in head.next within session:list\n"
                                "endfor\n");
    REQUIRE(sections[0].commands.size() == 3);
    const auto &array = std::get<EraseLoop>(sections[0].commands[0]);
    CHECK(array.variable == "x");
    CHECK(array.list == Expression{"table"});
    CHECK(std::holds_alternative<EraseLoop::Array>(array.kind));
    CHECK(array.commands.size() == 2);
    const auto &via = std::get<EraseLoop>(sections[0].commands[1]);
    CHECK(via.list == Expression{"first", "entry"});
    CHECK(std::get<EraseLoop::Via>(via.kind).next == "next");
    const auto &within = std::get<EraseLoop>(sections[0].commands[2]);
    CHECK(within.line == 7);
    CHECK(std::get<EraseLoop::Within>(within.kind).structure == "session");
    CHECK(std::get<EraseLoop::Within>(within.kind).member == "list");
}

TEST_CASE("A section is a module's, and vmlinux is the kernel") {
    const auto sections = parse("erase a\n[nf-tables]\nerase b\n[vmlinux]\nerase c\n");
    REQUIRE(sections.size() == 3);
    CHECK(sections[0].module == EraseSection::kernel);
    CHECK(sections[1].module == "nf-tables");
    CHECK(sections[1].line == 2);
    CHECK(command(sections[1], 0).what == Expression{"b"});
    CHECK(sections[2].module == EraseSection::kernel);
}

TEST_CASE("What is wrong in a config is told in one line, with its place") {
    struct Wrong {
        std::string text;
        std::string message;
    };
    const auto wrong = GENERATE(
        Wrong{"forget a", "erase.conf:1: 'forget' is no command: there are [MODULE], erase, for and endfor"},
        Wrong{"\n\nerase", "erase.conf:3: what to erase is missing: erase SYMBOL[.member…] [size N|nullify]"},
        Wrong{"erase a siz 3", "erase.conf:1: 'siz' is not understood after 'a': there are 'size N' and 'nullify'"},
        Wrong{"erase a size", "erase.conf:1: 'size' is not understood after 'a': there are 'size N' and 'nullify'"},
        Wrong{"erase a nullify 3",
              "erase.conf:1: 'nullify' is not understood after 'a': there are 'size N' and 'nullify'"},
        Wrong{"erase a->b", "erase.conf:1: 'a->b' is not of the form SYMBOL.member"},
        Wrong{"erase a..b", "erase.conf:1: 'a..b' is not of the form SYMBOL.member"},
        Wrong{"erase a.", "erase.conf:1: 'a.' is not of the form SYMBOL.member"},
        Wrong{"erase a size 0", "erase.conf:1: the size '0' is out of range"},
        Wrong{"erase a size 99999999999999999999", "erase.conf:1: the size '99999999999999999999' is out of range"},
        Wrong{"erase a size 18446744073709551615K", "erase.conf:1: the size '18446744073709551615K' is out of range"},
        Wrong{"erase a size 3G",
              "erase.conf:1: '3G' is no size: a number of bytes, with K or M behind it, or a variable"},
        Wrong{"erase a size -3", "erase.conf:1: '-3' is not of the form SYMBOL.member"},
        Wrong{"for x on y\nendfor", "erase.conf:1: a loop is: for NAME in LIST, for NAME in STRUCT via MEMBER, or for "
                                    "NAME in HEAD within STRUCT:MEMBER"},
        Wrong{"for x in y over z\nendfor",
              "erase.conf:1: 'over' is not understood after 'y': there are 'via MEMBER' and 'within STRUCT:MEMBER'"},
        Wrong{"for x in y within z\nendfor", "erase.conf:1: 'z' is not of the form STRUCT:MEMBER"},
        Wrong{"for x in y within :z\nendfor", "erase.conf:1: ':z' is not of the form STRUCT:MEMBER"},
        Wrong{"for x in y\nerase x.a\n", "erase.conf:1: this 'for' has no 'endfor'"},
        Wrong{"for x in y\nfor z in x\n", "erase.conf:2: a 'for' inside the one of line 1"},
        Wrong{"erase a\nendfor", "erase.conf:2: this 'endfor' has no 'for'"},
        Wrong{"for x in y\nendfor x", "erase.conf:2: 'x' is not understood after 'endfor'"},
        Wrong{"for x in y\n[module]\n", "erase.conf:2: a section begins inside the 'for' of line 1"},
        Wrong{"[]", "erase.conf:1: a section begins with [MODULE] or [vmlinux]"},
        Wrong{"[a", "erase.conf:1: a section begins with [MODULE] or [vmlinux]"},
        Wrong{"[a] b", "erase.conf:1: a section begins with [MODULE] or [vmlinux]"});
    CHECK(failure([&] { parse(wrong.text); }) == wrong.message);
}
