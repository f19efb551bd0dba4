// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace ballast::peers {

/**
 * A page of the copy that a guest makes of its own /proc/kpageflags and that the judge finds again in the core, by
 * `magic` at a page's beginning. Copies are made until two in a row agree; the one of the highest generation counts.
 */
struct PageFlagsCopy {
    static constexpr std::uint64_t magic_value = 0x8d1f6b02a94ec357;

    std::uint64_t magic;
    std::uint64_t generation;
    std::uint64_t pages;     // how many pfns the whole copy has
    std::uint64_t first_pfn; // of `flags`
    std::array<std::uint64_t, 508> flags;
};
static_assert(sizeof(PageFlagsCopy) == 4096);

/** Bits of /proc/kpageflags (include/uapi/linux/kernel-page-flags.h, include/linux/kernel-page-flags.h). */
namespace kpf {
constexpr std::uint64_t bit(unsigned n) {
    return std::uint64_t{1} << n;
}
constexpr std::uint64_t lru = bit(5);
constexpr std::uint64_t slab = bit(7);
constexpr std::uint64_t buddy = bit(10);
constexpr std::uint64_t anonymous = bit(12);
constexpr std::uint64_t swapcache = bit(13);
constexpr std::uint64_t swapbacked = bit(14);
constexpr std::uint64_t compound_head = bit(15);
constexpr std::uint64_t compound_tail = bit(16);
constexpr std::uint64_t huge = bit(17);
constexpr std::uint64_t hwpoison = bit(19);
constexpr std::uint64_t no_page = bit(20);
constexpr std::uint64_t ksm = bit(21);
constexpr std::uint64_t thp = bit(22);
constexpr std::uint64_t offline = bit(23);
constexpr std::uint64_t page_table = bit(26);
constexpr std::uint64_t reserved = bit(32);
constexpr std::uint64_t private_data = bit(35);
} // namespace kpf

} // namespace ballast::peers
