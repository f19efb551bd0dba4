// SPDX-License-Identifier: GPL-2.0
#include "dump/filter/page_class.hpp"

#include "dump/filter/filter.hpp"

#include <cstring>

namespace ballast::dump {

namespace {

constexpr std::uint64_t anonymous_mapping = 1; // PAGE_MAPPING_ANON, also set in KSM's
constexpr unsigned largest_order = 18;         // x86-64's largest page, 1 GiB
constexpr std::uint64_t tail_mark = 1;         // of compound_head or compound_info

template<typename Member>
Member load(const std::byte *page, std::size_t offset) {
    Member member{};
    std::memcpy(&member, page + offset, sizeof member);
    return member;
}

} // namespace

PageRules::PageRules(const PageLayout &layout, unsigned dump_level)
    : at_{.flags = layout.flags.value_or(0),
          .mapping = layout.mapping.value_or(0),
          .mapcount = layout.mapcount.value_or(0),
          .private_data = layout.private_data.value_or(0),
          .tail_mark = layout.tail_mark.value_or(0),
          .order = layout.order.value_or(0),
          .dtor = layout.dtor.value_or(0)},
      mask_{.lru = layout.lru.value_or(0),
            .private_flag = layout.private_flag.value_or(0),
            .swapcache = layout.swapcache.value_or(0),
            .swapbacked = layout.swapbacked.value_or(0),
            .slab = layout.slab.value_or(0),
            .hwpoison = layout.hwpoison.value_or(0),
            .head = layout.order ? layout.head.value_or(0) : 0,
            .hugetlb = layout.hugetlb_flag.value_or(0)},
      hugetlb_dtor_(layout.dtor ? layout.hugetlb_dtor : std::nullopt),
      free_area_count_(layout.free_area_count.value_or(0)) {
    if (layout.mapcount) {
        type_ = {.buddy = layout.buddy_type.value_or(PageType{}),
                 .unaccepted = layout.unaccepted_type.value_or(PageType{}),
                 .offline = layout.offline_type.value_or(PageType{}),
                 .slab = layout.slab_type.value_or(PageType{}),
                 .hugetlb = layout.hugetlb_type.value_or(PageType{})};
    }
    if (layout.size == 0 || !layout.flags || !layout.tail_mark) {
        missing_.emplace_back("this kernel doesn't tell how its struct page looks: all pages are kept");
        return;
    }
    exclude_any_ = true;

    const bool want_cache = (dump_level & (dump_level::cache | dump_level::cache_private)) != 0;
    const bool want_user = (dump_level & dump_level::user) != 0;
    const bool want_free = (dump_level & dump_level::free) != 0;

    const bool know_free =
        layout.buddy_type && layout.mapcount && layout.private_data && layout.free_area_count.value_or(0) > 0;
    exclude_free_ = want_free && know_free;
    if (want_free && !know_free) {
        missing_.emplace_back("this kernel doesn't tell how free pages look: they are kept");
    }

    const bool know_cache = layout.lru && layout.private_flag && layout.mapping;
    exclude_cache_ = (dump_level & dump_level::cache) != 0 && know_cache;
    exclude_cache_private_ = (dump_level & dump_level::cache_private) != 0 && know_cache;
    if (want_cache && !know_cache) {
        missing_.emplace_back("this kernel doesn't tell how cache pages look: they are kept");
    }

    // Slab pages have other things where the mapping is.
    exclude_user_ = want_user && layout.mapping && (layout.slab || (layout.slab_type && layout.mapcount));
    if (want_user && !exclude_user_) {
        missing_.emplace_back("this kernel doesn't tell how user pages look: they are kept");
    }
    const bool know_hugetlb = (layout.hugetlb_type && layout.mapcount) || layout.hugetlb_flag || hugetlb_dtor_;
    if (exclude_user_ && (mask_.head == 0 || !know_hugetlb)) {
        missing_.emplace_back("this kernel doesn't tell how hugetlb pages look: they are kept");
    }
}

Verdict PageRules::judge(const std::byte *page, const std::byte *next, std::uint64_t pfn) const {
    if ((load<std::uint64_t>(page, at_.tail_mark) & tail_mark) != 0) {
        return {};
    }
    const auto type = load<std::uint32_t>(page, at_.mapcount);
    if (exclude_free_ && type_.buddy.matches(type)) {
        return judge_free(load<std::uint64_t>(page, at_.private_data), pfn);
    }
    if (exclude_free_ && type_.unaccepted.matches(type)) {
        return judge_free(free_area_count_ - 1, pfn); // always in blocks of the largest order
    }
    const auto flags = load<std::uint64_t>(page, at_.flags);
    const bool is_slab = (flags & mask_.slab) != 0 || type_.slab.matches(type);
    const bool is_anonymous = !is_slab && (load<std::uint64_t>(page, at_.mapping) & anonymous_mapping) != 0;
    const Compound whole = compound(next, flags, type, pfn);
    return {.page_class = judge_used(flags, type, is_anonymous, whole.is_hugetlb), .order = whole.order};
}

PageRules::Compound PageRules::compound(const std::byte *next, std::uint64_t flags, std::uint32_t type,
                                        std::uint64_t pfn) const {
    if ((flags & mask_.head) == 0 || next == nullptr) {
        return {};
    }
    const unsigned order = load<std::uint8_t>(next, at_.order);
    const bool is_sane = order <= largest_order && pfn % (std::uint64_t{1} << order) == 0;
    const bool is_hugetlb = type_.hugetlb.matches(type) ||
                            (mask_.hugetlb != 0 && (load<std::uint64_t>(next, at_.flags) & mask_.hugetlb) != 0) ||
                            (hugetlb_dtor_ && load<std::uint8_t>(next, at_.dtor) == *hugetlb_dtor_);
    return {.order = is_sane ? order : 0, .is_hugetlb = is_hugetlb};
}

Verdict PageRules::judge_free(std::uint64_t order, std::uint64_t pfn) const {
    if (order >= free_area_count_ || order >= 64 || pfn % (std::uint64_t{1} << order) != 0) {
        return {.odd_free_order = true};
    }
    return {.page_class = PageClass::free, .order = static_cast<unsigned>(order)};
}

PageClass PageRules::judge_used(std::uint64_t flags, std::uint32_t type, bool is_anonymous, bool is_hugetlb) const {
    if ((exclude_cache_ || exclude_cache_private_) && !is_anonymous && is_cache(flags)) {
        const bool is_private = (flags & mask_.private_flag) != 0;
        if (!is_private) {
            return PageClass::cache;
        }
        if (exclude_cache_private_) {
            return PageClass::cache_private;
        }
    }
    if (exclude_user_ && (is_anonymous || is_hugetlb)) {
        return PageClass::user;
    }
    if ((flags & mask_.hwpoison) != 0) {
        return PageClass::hwpoison;
    }
    if (type_.offline.matches(type)) {
        return PageClass::offline;
    }
    return PageClass::kept;
}

bool PageRules::is_cache(std::uint64_t flags) const {
    // PG_swapcache shares its bit with another flag, and counts only on pages that swap backs.
    const std::uint64_t in_swap = mask_.swapcache | mask_.swapbacked;
    const bool is_swapcache = mask_.swapcache != 0 && mask_.swapbacked != 0 && (flags & in_swap) == in_swap;
    return (flags & mask_.lru) != 0 || is_swapcache;
}

} // namespace ballast::dump
