// SPDX-License-Identifier: GPL-2.0
#include "failure.hpp"
#include "support/file.hpp"
#include "support/folder.hpp"
#include "synthetic_btf.hpp"
#include "types_subject.hpp"

#include "dump/input/error.hpp"
#include "dump/kernel/btf.hpp"
#include "dump/kernel/dwarf.hpp"
#include "dump/kernel/vmlinux.hpp"

#include <bpf/btf.h>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <filesystem>

using ballast::dump::check_vmlinux;
using ballast::dump::Error;
using ballast::dump::open_dwarf;
using ballast::dump::parse_btf;
using ballast::dump::Type;
using ballast::dump::Vmcoreinfo;
using ballast::test::poke;
using ballast::test::read_file;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("BTF tells sizes, members, also of unnamed structs, lengths of arrays and enumerators") {
    const auto types = parse_btf(btf_of(types_of_6_1()));
    REQUIRE(types);
    CHECK(types->size("page") == 64);
    CHECK(types->offset("page", "flags") == 0);
    CHECK(types->offset("page", "_mapcount") == 48);
    CHECK(types->offset("page", "compound_order") == 17);
    CHECK(types->length("zone", "free_area") == 11);
    CHECK(types->enumerator("pageflags", "PG_hwpoison") == 23);
    CHECK(types->has_enum("compound_dtor_id"));
}

TEST_CASE("What BTF doesn't have is empty") {
    const auto types = parse_btf(btf_of(types_of_6_1()));
    REQUIRE(types);
    CHECK_FALSE(types->size("folio"));
    CHECK_FALSE(types->offset("page", "compound_info"));
    CHECK_FALSE(types->offset("folio", "page"));
    CHECK_FALSE(types->length("page", "flags"));
    CHECK_FALSE(types->enumerator("pageflags", "PG_head_mask"));
    CHECK_FALSE(types->enumerator("pagetype", "PGTY_buddy"));
    CHECK_FALSE(types->has_enum("pagetype"));
}

TEST_CASE("What isn't BTF, or only its beginning, is none") {
    std::vector<std::byte> bytes = btf_of(types_of_6_1());
    SECTION("nothing") {
        bytes.clear();
    }
    SECTION("cut") {
        bytes.resize(GENERATE(10U, 24U, 200U));
    }
    SECTION("another magic") {
        bytes[0] = std::byte{0};
    }
    CHECK_FALSE(parse_btf(bytes));
}

TEST_CASE("Types of damaged BTF that are made of themselves are none") {
    const std::unique_ptr<btf, decltype(&btf__free)> made(btf__new_empty(), btf__free);
    REQUIRE(btf__add_typedef(made.get(), "itself", 1) == 1);
    REQUIRE(btf__add_array(made.get(), 2, 2, 3) == 2);
    REQUIRE(btf__add_struct(made.get(), "page", 8) == 3);
    REQUIRE(btf__add_field(made.get(), "flags", 1, 0, 0) == 0);
    REQUIRE(btf__add_field(made.get(), "", 1, 0, 0) == 0);
    std::uint32_t size = 0;
    const auto *bytes = static_cast<const std::byte *>(btf__raw_data(made.get(), &size));
    const auto types = parse_btf({bytes, size});
    REQUIRE(types);
    CHECK(types->describe(1).kind == Type::Kind::other);
    CHECK(types->describe(2).size == 0);
    CHECK_FALSE(types->offset("page", "mapping"));
}

TEST_CASE("DWARF tells sizes, members, also of unnamed unions, lengths of arrays and enumerators") {
    CHECK(types_subject(std::vector<long>(64).data()) == 4);
    const auto types = open_dwarf("/proc/self/exe");
    CHECK(types->size("page") == 40);
    CHECK(types->offset("page", "flags") == 0);
    CHECK(types->offset("page", "compound_head") == 8);
    CHECK(types->offset("page", "mapping") == 32);
    CHECK(types->length("zone", "free_area") == 11);
    CHECK(types->offset("zone", "free_area") == 136);
    CHECK(types->enumerator("pageflags", "PG_lru") == 4);
    CHECK(types->has_enum("pageflags"));
}

TEST_CASE("DWARF 4, units of types and compressed sections tell the same") {
    const std::string form = GENERATE("dwarf_4", "dwarf_4_type_units", "dwarf_5_type_units", "compressed");
    CAPTURE(form);
    const auto types = open_dwarf(BALLAST_TYPES_SUBJECT + form + ".so");
    CHECK(types->size("page") == 40);
    CHECK(types->offset("page", "mapping") == 32);
    CHECK(types->length("zone", "free_area") == 11);
    CHECK(types->size("nodemask_t") == 128);
    CHECK(types->enumerator("pageflags", "PG_lru") == 4);
    const auto first = types->member(types->variable("types_of_variables")->type, "first");
    REQUIRE(first);
    CHECK(types->describe(*types->describe(first->type).target).size == 16);
}

TEST_CASE("What DWARF doesn't tell is looked for once, also where a typedef's struct is told nowhere") {
    const auto types = open_dwarf(BALLAST_TYPES_SUBJECT "dwarf_4.so");
    CHECK_FALSE(types->size("no such type"));
    CHECK_FALSE(types->variable("no_such_variable"));
    const auto pointer = types->variable("undefined_variable");
    REQUIRE(pointer);
    CHECK(types->describe(*types->describe(pointer->type).target).kind == Type::Kind::other);
}

TEST_CASE("Damaged DWARF is refused in one line that names the file, not read as far as it goes") {
    const Folder folder;
    const std::string path = folder.path() / "vmlinux";
    std::filesystem::copy(BALLAST_TYPES_SUBJECT "dwarf_4.so", path);
    // A unit of version 4, with the first abbreviations, for addresses of 8 bytes. Its length stands before that.
    const std::size_t unit = read_file(path).find(std::string("\4\0\0\0\0\0\10", 7));
    REQUIRE(unit != std::string::npos);
    poke(path, unit - sizeof(std::uint32_t), "\xf0\xff\xff\xff");
    const auto types = open_dwarf(path);
    CHECK_THAT(failure([&] { [[maybe_unused]] const auto size = types->size("page"); }),
               ContainsSubstring("vmlinux: damaged debug information: "));
}

TEST_CASE("DWARF's numbers beyond 127 are not taken for negative ones, nor negative ones for large") {
    const auto types = open_dwarf("/proc/self/exe");
    CHECK(types->offset("large", "after") == 200);
    CHECK(types->length("large", "after") == 200);
    CHECK(types->enumerator("pagetype", "PGTY_buddy") == 0xf0);
    CHECK(types->enumerator("pagetype", "PGTY_none") == -1);
}

TEST_CASE("DWARF tells a variable's type, and the types that it is made of and points at") {
    const auto types = open_dwarf("/proc/self/exe");
    const auto variable = types->variable("types_of_variables");
    REQUIRE(variable);
    CHECK(variable->offset != 0);
    const Type list = types->describe(variable->type);
    CHECK(list.kind == Type::Kind::structure);
    CHECK(list.size == 40);

    const auto first = types->member(variable->type, "first");
    REQUIRE(first);
    const Type pointer = types->describe(first->type);
    CHECK(pointer.kind == Type::Kind::pointer);
    CHECK(pointer.size == 8);
    REQUIRE(pointer.target);
    CHECK(types->describe(*pointer.target).size == 16);
    CHECK(types->member(*pointer.target, "owner")->offset == 8);

    const Type name = types->describe(types->member(variable->type, "name")->type);
    CHECK(name.kind == Type::Kind::array);
    CHECK(name.count == 16);
    CHECK(name.size == 16);
    CHECK(types->describe(*name.target).size == 1);

    const Type balance = types->describe(types->member(variable->type, "balance")->type);
    CHECK(balance.kind == Type::Kind::integer);
    CHECK(balance.is_signed);
    CHECK(balance.size == 4);
}

TEST_CASE("DWARF's numbers from 128 on, which it has in bytes, are not negative") {
    const auto types = open_dwarf("/proc/self/exe");
    CHECK(types->size("zone") == 224);
    CHECK(types->enumerator("pageflags", "PG_far") == 200);
}

TEST_CASE("A struct that only a typedef names is known by that") {
    CHECK(open_dwarf("/proc/self/exe")->size("nodemask_t") == 128);
}

TEST_CASE("What DWARF doesn't have is empty") {
    const auto types = open_dwarf("/proc/self/exe");
    CHECK_FALSE(types->size("no such struct"));
    CHECK_FALSE(types->offset("page", "no_such_member"));
    CHECK_FALSE(types->length("page", "flags"));
    CHECK_FALSE(types->enumerator("pageflags", "PG_head"));
    CHECK_FALSE(types->has_enum("no_such_enum"));
    CHECK_FALSE(types->variable("no_such_variable"));
}

TEST_CASE("A vmlinux must have the crashed kernel's build ID, or release where the kernel doesn't tell its build ID") {
    const auto status = [](std::string_view vmcoreinfo) {
        try {
            check_vmlinux("/proc/self/exe", Vmcoreinfo(vmcoreinfo));
        } catch (const Error &error) {
            return error.exit_status();
        }
        return 0;
    };
    CHECK(types_subject(std::vector<long>(64).data()) == 4);
    CHECK(status("OSRELEASE=6.1.0-synthetic\n") == 0);
    CHECK(status("OSRELEASE=6.1.0\n") == 2);
    CHECK(status("OSRELEASE=6.1.0-synthetic\nBUILD-ID=0123456789abcdef\n") == 2);
}

TEST_CASE("A vmlinux that isn't there or has no debug information is refused") {
    CHECK_THAT(failure([] { open_dwarf("/nowhere"); }), ContainsSubstring("/nowhere: can't open it: No such file"));
    CHECK_THAT(failure([] { open_dwarf("/etc/passwd"); }), ContainsSubstring("debug package"));
}
