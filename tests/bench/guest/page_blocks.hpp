// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstdint>

namespace ballast::bench {

/**
 * Blocks of 2 MiB that could be free: those without a page that the kernel can't move, less what the pages in use in
 * the others would fill (/proc/kpageflags). A balloon's pages count as movable, whosoever they are, and so do pages
 * that have no flag at all, such as those that CPUs keep: rather too many blocks than too few.
 */
std::uint64_t ideal_free_blocks();

} // namespace ballast::bench
