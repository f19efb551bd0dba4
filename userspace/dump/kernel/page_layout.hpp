// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/vmcoreinfo.hpp"
#include "dump/kernel/types.hpp"

#include <cstdint>
#include <optional>

namespace ballast::dump {

/** A page's type as _mapcount tells it, which typed pages use for that. */
struct PageType {
    std::uint32_t mask = 0;
    std::uint32_t value = 1; // of the masked bits; can't be with mask 0

    [[nodiscard]] bool matches(std::uint32_t mapcount) const { return (mapcount & mask) == value; }
};

/**
 * How this kernel's struct page looks: byte offsets of members, masks of flag bits, page types. What is absent the
 * kernel didn't tell; pages that only it would identify are kept.
 */
struct PageLayout {
    std::uint64_t size = 0; // 0: unknown

    std::optional<std::uint64_t> flags;        // unsigned long
    std::optional<std::uint64_t> mapping;      // pointer; bit 0: anonymous
    std::optional<std::uint64_t> mapcount;     // int
    std::optional<std::uint64_t> private_data; // unsigned long: a free page's order
    std::optional<std::uint64_t> tail_mark;    // compound_head or compound_info, unsigned long; bit 0: a tail page

    // In the first tail page:
    std::optional<std::uint64_t> order;        // the byte with the compound page's
    std::optional<std::uint64_t> dtor;         // unsigned char
    std::optional<std::uint64_t> hugetlb_flag; // mask for flags

    std::optional<std::uint64_t> lru; // masks for flags
    std::optional<std::uint64_t> private_flag;
    std::optional<std::uint64_t> swapcache;
    std::optional<std::uint64_t> swapbacked;
    std::optional<std::uint64_t> slab;
    std::optional<std::uint64_t> hwpoison;
    std::optional<std::uint64_t> head;

    std::optional<PageType> buddy_type;
    std::optional<PageType> unaccepted_type;
    std::optional<PageType> offline_type;
    std::optional<PageType> slab_type;
    std::optional<PageType> hugetlb_type;

    std::optional<std::uint8_t> hugetlb_dtor;     // value of dtor
    std::optional<std::uint64_t> free_area_count; // a free page's order is below

    /** Is nothing absent that a kernel of any release has? */
    [[nodiscard]] bool is_complete() const;
};

/** What VMCOREINFO tells of it (kernel/crash_core.c, since 6.10 kernel/vmcore_info.c). */
PageLayout page_layout_from(const Vmcoreinfo &vmcoreinfo);

/**
 * From 6.6 on VMCOREINFO doesn't tell where a compound page's order stands: for kernels that tell by which flag or type
 * hugetlb pages are known, as these do, takes the lowest byte of the second page's flags (include/linux/mm.h).
 */
void assume_order(PageLayout &layout);

/** Adds what is absent and what the kernel's types tell. */
void complete(PageLayout &layout, const Types &types);

} // namespace ballast::dump
