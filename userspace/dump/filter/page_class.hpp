// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/kernel/page_layout.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace ballast::dump {

/** As what a page is left out. */
enum class PageClass : std::uint8_t { kept, free, cache, cache_private, user, hwpoison, offline };

/** What a struct page says: the class of 2^order pages from its own on. */
struct Verdict {
    PageClass page_class = PageClass::kept;
    unsigned order = 0;
    bool odd_free_order = false; // a free page whose order can't be: kept
};

/**
 * The rules of a dump level for the struct pages of a kernel, the first that matches:
 * tail page: goes with its head · free: the buddy allocator's, and what it has not accepted yet · cache: on an LRU list
 * or in the swap cache, not anonymous, without or with private data · user: anonymous (KSM too) or hugetlb · hwpoison ·
 * offline.
 */
class PageRules {
  public:
    PageRules(const PageLayout &layout, unsigned dump_level);

    /**
     * `page` is the struct page of `pfn`; `next` the one behind it, null where it can't be a tail of this page (a
     * compound page is aligned to its size).
     */
    [[nodiscard]] Verdict judge(const std::byte *page, const std::byte *next, std::uint64_t pfn) const;

    /** Can any page be left out by these rules? */
    [[nodiscard]] bool exclude_any() const { return exclude_any_; }

    /** The rules that this kernel doesn't tell enough for, a line each; their pages are kept. */
    [[nodiscard]] const std::vector<std::string> &missing() const { return missing_; }

  private:
    struct Compound {
        unsigned order = 0;
        bool is_hugetlb = false;
    };

    [[nodiscard]] Compound compound(const std::byte *next, std::uint64_t flags, std::uint32_t type,
                                    std::uint64_t pfn) const;
    [[nodiscard]] Verdict judge_free(std::uint64_t order, std::uint64_t pfn) const;
    [[nodiscard]] PageClass judge_used(std::uint64_t flags, std::uint32_t type, bool is_anonymous,
                                       bool is_hugetlb) const;
    [[nodiscard]] bool is_cache(std::uint64_t flags) const;

    // Members that the kernel doesn't tell are read at 0 and masked with 0; rules that need them are off.
    struct Offsets {
        std::size_t flags, mapping, mapcount, private_data, tail_mark, order, dtor;
    };
    struct Masks {
        std::uint64_t lru, private_flag, swapcache, swapbacked, slab, hwpoison, head, hugetlb;
    };

    Offsets at_{};
    Masks mask_{};
    // Types that the kernel doesn't tell match no page.
    struct Types {
        PageType buddy, unaccepted, offline, slab, hugetlb;
    };
    Types type_;
    std::optional<std::uint8_t> hugetlb_dtor_;
    std::uint64_t free_area_count_ = 0;

    bool exclude_any_ = false;
    bool exclude_free_ = false;
    bool exclude_cache_ = false;
    bool exclude_cache_private_ = false;
    bool exclude_user_ = false;
    std::vector<std::string> missing_;
};

} // namespace ballast::dump
