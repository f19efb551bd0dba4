// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/vmcoreinfo.hpp"

#include <cstdint>
#include <optional>

namespace ballast::dump {

/**
 * How this kernel's struct page looks: byte offsets of members, masks of flag bits, values of _mapcount that mark a
 * page's type. What is absent the kernel didn't tell; pages that only it would identify are kept.
 */
struct PageLayout {
    std::uint64_t size = 0; // 0: unknown

    std::optional<std::uint64_t> flags;          // unsigned long
    std::optional<std::uint64_t> mapping;        // pointer; bit 0: anonymous
    std::optional<std::uint64_t> mapcount;       // int
    std::optional<std::uint64_t> private_data;   // unsigned long: a free page's order
    std::optional<std::uint64_t> compound_head;  // unsigned long; bit 0: a tail page
    std::optional<std::uint64_t> compound_order; // unsigned char, in the first tail page
    std::optional<std::uint64_t> compound_dtor;  // unsigned char, in the first tail page

    std::optional<std::uint64_t> lru; // masks for flags
    std::optional<std::uint64_t> private_flag;
    std::optional<std::uint64_t> swapcache;
    std::optional<std::uint64_t> swapbacked;
    std::optional<std::uint64_t> slab;
    std::optional<std::uint64_t> hwpoison;
    std::optional<std::uint64_t> head;

    std::optional<std::uint32_t> buddy_type; // values of mapcount
    std::optional<std::uint32_t> offline_type;

    std::optional<std::uint8_t> hugetlb_dtor;     // value of compound_dtor
    std::optional<std::uint64_t> free_area_count; // a free page's order is below
};

/** What VMCOREINFO tells of it. */
PageLayout page_layout_from(const Vmcoreinfo &vmcoreinfo);

} // namespace ballast::dump
