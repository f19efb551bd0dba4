// SPDX-License-Identifier: GPL-2.0
#include "synthetic_btf.hpp"

#include <algorithm>
#include <bpf/btf.h>
#include <memory>
#include <span>
#include <stdexcept>

namespace {

struct Free {
    void operator()(btf *types) const { btf__free(types); }
};

/** Throws what a failed call returned. */
int check(int id) {
    if (id < 0) {
        throw std::runtime_error("libbpf can't make BTF");
    }
    return id;
}

} // namespace

SyntheticTypes types_of_6_1() {
    SyntheticTypes types;
    types.structs["page"] = {
        .size = 64,
        .members = {{"flags", 0}, {"_mapcount", 48}},
        .unnamed = {
            {"compound_head", 8}, {"compound_dtor", 16}, {"compound_order", 17}, {"mapping", 24}, {"private", 40}}};
    types.structs["mem_section"] = {.size = 32, .members = {{"section_mem_map", 0}}, .unnamed = {}};
    types.structs["zone"] = {.size = 1536, .members = {}, .unnamed = {}, .arrays = {{"free_area", 11}}};
    types.enums["pageflags"] = {{"PG_lru", 4},   {"PG_slab", 9},        {"PG_swapcache", 10}, {"PG_private", 13},
                                {"PG_head", 16}, {"PG_swapbacked", 19}, {"PG_hwpoison", 23}};
    types.enums["compound_dtor_id"] = {{"NULL_COMPOUND_DTOR", 0}, {"HUGETLB_PAGE_DTOR", 2}};
    return types;
}

SyntheticTypes types_of_7_3() {
    SyntheticTypes types = types_of_6_1();
    types.structs["page"].unnamed = {{"compound_info", 8}, {"mapping", 24}, {"private", 40}};
    types.structs["folio"] = {.size = 256, .members = {}, .unnamed = {{"_flags_1", 64}, {"_head_1", 72}}};
    types.enums["pageflags"] = {{"PG_lru", 5},      {"PG_head", 6},        {"PG_swapcache", 10},
                                {"PG_private", 14}, {"PG_swapbacked", 17}, {"PG_hwpoison", 21}};
    types.enums["pagetype"] = {{"PGTY_buddy", 0xf0},
                               {"PGTY_offline", 0xf1},
                               {"PGTY_hugetlb", 0xf4},
                               {"PGTY_slab", 0xf5},
                               {"PGTY_unaccepted", 0xf7}};
    types.enums.erase("compound_dtor_id");
    return types;
}

std::vector<std::byte> btf_of(const SyntheticTypes &types) {
    const std::unique_ptr<btf, Free> made(btf__new_empty());
    const int word = check(btf__add_int(made.get(), "unsigned long", 8, 0));
    const auto add_members = [&](const std::map<std::string, std::uint32_t> &members, std::uint32_t from) {
        for (const auto &[name, offset] : members) {
            check(btf__add_field(made.get(), name.c_str(), word, (offset - from) * 8, 0));
        }
    };
    for (const auto &[name, type] : types.structs) {
        std::map<std::string, int> arrays;
        for (const auto &[member, length] : type.arrays) {
            arrays[member] = check(btf__add_array(made.get(), word, word, length));
        }
        std::uint32_t start = type.size;
        for (const auto &[member, offset] : type.unnamed) {
            start = std::min(start, offset);
        }
        // A struct in a union in the struct, as struct page has them.
        const int inner = check(btf__add_struct(made.get(), "", type.size - start));
        add_members(type.unnamed, start);
        const int outer = check(btf__add_union(made.get(), "", type.size - start));
        check(btf__add_field(made.get(), "", inner, 0, 0));
        check(btf__add_struct(made.get(), name.c_str(), type.size));
        add_members(type.members, 0);
        check(btf__add_field(made.get(), "", outer, start * 8, 0));
        for (const auto &[member, array] : arrays) {
            check(btf__add_field(made.get(), member.c_str(), array, 0, 0));
        }
    }
    for (const auto &[name, values] : types.enums) {
        check(btf__add_enum(made.get(), name.c_str(), 4));
        for (const auto &[value_name, value] : values) {
            check(btf__add_enum_value(made.get(), value_name.c_str(), value));
        }
    }
    std::uint32_t size = 0;
    const void *bytes = btf__raw_data(made.get(), &size);
    const auto *begin = static_cast<const std::byte *>(bytes);
    return {begin, begin + size};
}
