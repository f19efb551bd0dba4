// SPDX-License-Identifier: GPL-2.0
#include "dump/kernel/page_layout.hpp"

namespace ballast::dump {

namespace {

/** NUMBER(PG_…): the number of a bit. */
std::optional<std::uint64_t> flag_mask(const Vmcoreinfo &vmcoreinfo, std::string_view name) {
    const auto bit = vmcoreinfo.number(name);
    if (!bit || *bit < 0 || *bit > 63) {
        return std::nullopt;
    }
    return std::uint64_t{1} << *bit;
}

/** A value that stands in a narrower member than the line's number could. */
template<typename Member>
std::optional<Member> member_value(const Vmcoreinfo &vmcoreinfo, std::string_view name) {
    const auto number = vmcoreinfo.number(name);
    return number ? std::optional(static_cast<Member>(*number)) : std::nullopt;
}

/** The offset of a member so long, inside struct page. */
std::optional<std::uint64_t> member(const Vmcoreinfo &vmcoreinfo, std::string_view name, std::uint64_t length,
                                    std::uint64_t struct_size) {
    const auto offset = vmcoreinfo.offset(name);
    return offset && *offset <= struct_size && struct_size - *offset >= length ? offset : std::nullopt;
}

} // namespace

PageLayout page_layout_from(const Vmcoreinfo &vmcoreinfo) {
    const std::uint64_t size = vmcoreinfo.size("page").value_or(0);
    return {
        .size = size,
        .flags = member(vmcoreinfo, "page.flags", 8, size),
        .mapping = member(vmcoreinfo, "page.mapping", 8, size),
        .mapcount = member(vmcoreinfo, "page._mapcount", 4, size),
        .private_data = member(vmcoreinfo, "page.private", 8, size),
        .compound_head = member(vmcoreinfo, "page.compound_head", 8, size),
        .compound_order = member(vmcoreinfo, "page.compound_order", 1, size),
        .compound_dtor = member(vmcoreinfo, "page.compound_dtor", 1, size),
        .lru = flag_mask(vmcoreinfo, "PG_lru"),
        .private_flag = flag_mask(vmcoreinfo, "PG_private"),
        .swapcache = flag_mask(vmcoreinfo, "PG_swapcache"),
        .swapbacked = flag_mask(vmcoreinfo, "PG_swapbacked"),
        .slab = flag_mask(vmcoreinfo, "PG_slab"),
        .hwpoison = flag_mask(vmcoreinfo, "PG_hwpoison"),
        .head = member_value<std::uint64_t>(vmcoreinfo, "PG_head_mask"),
        .buddy_type = member_value<std::uint32_t>(vmcoreinfo, "PAGE_BUDDY_MAPCOUNT_VALUE"),
        .offline_type = member_value<std::uint32_t>(vmcoreinfo, "PAGE_OFFLINE_MAPCOUNT_VALUE"),
        .hugetlb_dtor = member_value<std::uint8_t>(vmcoreinfo, "HUGETLB_PAGE_DTOR"),
        .free_area_count = vmcoreinfo.length("zone.free_area"),
    };
}

} // namespace ballast::dump
