// SPDX-License-Identifier: GPL-2.0
#include "dump/kernel/page_layout.hpp"

#include <string>

namespace ballast::dump {

namespace {

constexpr std::uint32_t whole_word = 0xffffffff;
constexpr unsigned type_shift = 24;

// Debugging makes 64 bytes some more. A damaged core's number must not let us look for terabytes of struct pages.
constexpr std::uint64_t largest_struct_page = 256;

/** 0 where it can't be. */
std::uint64_t sane_size(std::optional<std::uint64_t> size) {
    return size && *size <= largest_struct_page ? *size : 0;
}

/** A flag's mask from the number of its bit. */
std::optional<std::uint64_t> mask_of(std::optional<std::int64_t> bit) {
    return bit && *bit >= 0 && *bit < 64 ? std::optional(std::uint64_t{1} << *bit) : std::nullopt;
}

/** The offset if a member so long fits into the struct. */
std::optional<std::uint64_t> inside(std::optional<std::uint64_t> offset, std::uint64_t length, std::uint64_t size) {
    return offset && *offset <= size && size - *offset >= length ? offset : std::nullopt;
}

/** A member of struct folio that stands in its second page, as that page's struct page has it. */
std::optional<std::uint64_t> in_second_page(std::optional<std::uint64_t> offset, std::uint64_t page_size) {
    return offset && *offset >= page_size ? inside(*offset - page_size, 1, page_size) : std::nullopt;
}

template<typename Value>
void fill(std::optional<Value> &absent, std::optional<Value> value) {
    if (!absent) {
        absent = value;
    }
}

/** What VMCOREINFO tells. */
class FromVmcoreinfo {
  public:
    explicit FromVmcoreinfo(const Vmcoreinfo &vmcoreinfo)
        : vmcoreinfo_(&vmcoreinfo), size_(sane_size(vmcoreinfo.size("page"))) {}

    [[nodiscard]] PageLayout layout() const {
        PageLayout layout{
            .size = size_,
            .flags = member("page.flags", 8),
            .mapping = member("page.mapping", 8),
            .mapcount = member("page._mapcount", 4),
            .private_data = member("page.private", 8),
            .tail_mark = member("page.compound_head", 8),
            .order = member("page.compound_order", 1),
            .dtor = member("page.compound_dtor", 1),
            .hugetlb_flag = flag("PG_hugetlb"),
            .lru = flag("PG_lru"),
            .private_flag = flag("PG_private"),
            .swapcache = flag("PG_swapcache"),
            .swapbacked = flag("PG_swapbacked"),
            .slab = flag("PG_slab"),
            .hwpoison = flag("PG_hwpoison"),
            .head = value<std::uint64_t>("PG_head_mask"),
            .buddy_type = type("PAGE_BUDDY_MAPCOUNT_VALUE"),
            .unaccepted_type = type("PAGE_UNACCEPTED_MAPCOUNT_VALUE"),
            .offline_type = type("PAGE_OFFLINE_MAPCOUNT_VALUE"),
            .slab_type = type("PAGE_SLAB_MAPCOUNT_VALUE"),
            .hugetlb_type = type("PAGE_HUGETLB_MAPCOUNT_VALUE"),
            .hugetlb_dtor = value<std::uint8_t>("HUGETLB_PAGE_DTOR"),
            .free_area_count = vmcoreinfo_->length("zone.free_area"),
        };
        fill(layout.tail_mark, member("page.compound_info", 8));                              // 7.1
        fill(layout.order, in_second_page(vmcoreinfo_->offset("folio._folio_order"), size_)); // 6.3 to 6.5
        fill(layout.dtor, in_second_page(vmcoreinfo_->offset("folio._folio_dtor"), size_));
        return layout;
    }

  private:
    [[nodiscard]] std::optional<std::uint64_t> member(std::string_view name, std::uint64_t length) const {
        return inside(vmcoreinfo_->offset(name), length, size_);
    }

    [[nodiscard]] std::optional<std::uint64_t> flag(std::string_view name) const {
        return mask_of(vmcoreinfo_->number(name));
    }

    /** A value that stands in a narrower member than the line's number could. */
    template<typename Member>
    [[nodiscard]] std::optional<Member> value(std::string_view name) const {
        const auto number = vmcoreinfo_->number(name);
        return number ? std::optional(static_cast<Member>(*number)) : std::nullopt;
    }

    [[nodiscard]] std::optional<PageType> type(std::string_view name) const {
        const auto number = value<std::uint32_t>(name);
        return number ? std::optional(PageType{.mask = whole_word, .value = *number}) : std::nullopt;
    }

    const Vmcoreinfo *vmcoreinfo_;
    std::uint64_t size_;
};

/** What the types tell. */
class FromTypes {
  public:
    FromTypes(const Types &types, std::uint64_t size) : types_(&types), size_(size) {}

    [[nodiscard]] std::optional<std::uint64_t> member(std::string_view name, std::uint64_t length) const {
        return inside(types_->offset("page", name), length, size_);
    }

    [[nodiscard]] std::optional<std::uint64_t> flag(std::string_view name) const {
        return mask_of(types_->enumerator("pageflags", name));
    }

    /**
     * A page type of 6.12 and later, in the highest byte; of 6.10 and 6.11, a bit that is clear; or of kernels before,
     * where it is a macro and so in no debug information, but the same in all of them (include/linux/page-flags.h).
     */
    [[nodiscard]] std::optional<PageType> type(const std::string &name, std::optional<std::uint32_t> macro) const {
        if (const auto number = types_->enumerator("pagetype", "PGTY_" + name)) {
            return PageType{.mask = 0xffU << type_shift, .value = static_cast<std::uint32_t>(*number) << type_shift};
        }
        if (types_->has_enum("pagetype")) {
            const auto number = types_->enumerator("pagetype", "PG_" + name);
            return number ? std::optional(PageType{.mask = whole_word, .value = ~static_cast<std::uint32_t>(*number)})
                          : std::nullopt;
        }
        // That slab is a flag marks those kernels.
        return macro && flag("PG_slab") ? std::optional(PageType{.mask = whole_word, .value = ~*macro}) : std::nullopt;
    }

    [[nodiscard]] std::optional<std::uint64_t> order() const {
        if (const auto own = member("compound_order", 1)) {
            return own; // to 6.2
        }
        const auto in_folio = types_->offset("folio", "_folio_order"); // to 6.5
        return in_second_page(in_folio ? in_folio : types_->offset("folio", "_flags_1"), size_);
    }

    [[nodiscard]] std::optional<std::uint64_t> dtor() const {
        const auto own = member("compound_dtor", 1);
        return own ? own : in_second_page(types_->offset("folio", "_folio_dtor"), size_);
    }

    [[nodiscard]] std::optional<std::uint8_t> hugetlb_dtor() const {
        const auto number = types_->enumerator("compound_dtor_id", "HUGETLB_PAGE_DTOR");
        return number ? std::optional(static_cast<std::uint8_t>(*number)) : std::nullopt;
    }

    [[nodiscard]] std::optional<std::uint64_t> tail_mark() const {
        const auto head = member("compound_head", 8);
        return head ? head : member("compound_info", 8);
    }

  private:
    const Types *types_;
    std::uint64_t size_;
};

} // namespace

bool PageLayout::is_complete() const {
    const bool knows_slab = slab || slab_type;
    const bool knows_hugetlb = hugetlb_type || hugetlb_flag || (dtor && hugetlb_dtor);
    return size != 0 && flags && mapping && mapcount && private_data && tail_mark && order && lru && private_flag &&
           swapcache && swapbacked && hwpoison && head && buddy_type && offline_type && free_area_count && knows_slab &&
           knows_hugetlb;
}

PageLayout page_layout_from(const Vmcoreinfo &vmcoreinfo) {
    return FromVmcoreinfo(vmcoreinfo).layout();
}

void assume_order(PageLayout &layout) {
    if (layout.hugetlb_flag || layout.hugetlb_type || layout.slab_type) {
        fill(layout.order, layout.flags);
    }
}

void complete(PageLayout &layout, const Types &types) {
    constexpr std::uint32_t buddy_macro = 0x80;
    constexpr std::uint32_t offline_macro = 0x100;

    if (layout.size == 0) {
        layout.size = sane_size(types.size("page"));
    }
    const FromTypes from(types, layout.size);
    fill(layout.flags, from.member("flags", 8));
    fill(layout.mapping, from.member("mapping", 8));
    fill(layout.mapcount, from.member("_mapcount", 4));
    fill(layout.private_data, from.member("private", 8));
    fill(layout.tail_mark, from.tail_mark());
    fill(layout.order, from.order());
    fill(layout.dtor, from.dtor());
    fill(layout.hugetlb_dtor, from.hugetlb_dtor());
    fill(layout.hugetlb_flag, from.flag("PG_hugetlb")); // 6.6 to 6.8

    fill(layout.lru, from.flag("PG_lru"));
    fill(layout.private_flag, from.flag("PG_private"));
    fill(layout.swapcache, from.flag("PG_swapcache"));
    fill(layout.swapbacked, from.flag("PG_swapbacked"));
    fill(layout.slab, from.flag("PG_slab"));
    fill(layout.hwpoison, from.flag("PG_hwpoison"));
    fill(layout.head, from.flag("PG_head"));

    fill(layout.buddy_type, from.type("buddy", buddy_macro));
    fill(layout.unaccepted_type, from.type("unaccepted", std::nullopt));
    fill(layout.offline_type, from.type("offline", offline_macro));
    fill(layout.slab_type, from.type("slab", std::nullopt));
    fill(layout.hugetlb_type, from.type("hugetlb", std::nullopt));
    fill(layout.free_area_count, types.length("zone", "free_area"));
}

} // namespace ballast::dump
