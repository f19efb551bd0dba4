// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "../comparison.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace ballast::peers {

/** /proc/kpageflags as it was at the crash, a word for each pfn; pages of which it says nothing are not judged. */
using PageFlags = std::vector<std::uint64_t>;

/**
 * Finds the copy that crash_with_page_flags left in the guest's memory. The core is a raw one, its pages aligned in the
 * file. Throws std::runtime_error where there is no whole copy.
 */
PageFlags page_flags_in(const std::string &core);

/** How a dump treats pages of one kind. */
struct KindCount {
    std::uint64_t pages = 0;
    std::uint64_t kept = 0;
};

/** A dump judged by what the kernel said of its pages. */
struct Judgement {
    PfnSet wrongly_kept;
    PfnSet wrongly_dropped;
    std::map<std::string, KindCount> kinds; /**< of present pages */

    [[nodiscard]] bool right() const { return wrongly_kept.count() == 0 && wrongly_dropped.count() == 0; }
    /** A line for each kind, then the wrong pages with their flags. */
    [[nodiscard]] std::string describe(const PageFlags &flags) const;
};

/** Judges bitmap 2 of a kdump-compressed file by the dump level in its header. */
Judgement judge(const PageFlags &flags, const std::string &dump);

/**
 * Copies a core but for those lines of VMCOREINFO which depend on the kernel's release: what its struct page, page
 * flags, page types and sections look like.
 */
void copy_without_layouts(const std::string &core, const std::string &to);

/** Takes from a core all BTF in the kernel's memory, and what VMCOREINFO says of where the kernel's symbols are. */
void remove_btf(const std::string &core);

} // namespace ballast::peers
