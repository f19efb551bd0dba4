/* SPDX-License-Identifier: GPL-2.0 */
/* The page allocator, where its interface is not the same everywhere. */
#ifndef BALLAST_COMPAT_PAGE_ALLOC_H
#define BALLAST_COMPAT_PAGE_ALLOC_H

#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/version.h>

/**
 * compat_page_alloc_drain() - have all CPUs put the free pages that they hold back where they merge
 * with their neighbours
 * @pfn: of a page that was just freed
 *
 * drain_all_pages() is not exported; alloc_contig_range(), which begins with it, is. It may get the
 * page, or not: that does not matter.
 *
 * Context: may sleep.
 */
static inline void compat_page_alloc_drain(unsigned long pfn)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
	int err = alloc_contig_range(pfn, pfn + 1, ACR_FLAGS_NONE, GFP_KERNEL | __GFP_NOWARN);
#else
	int err = alloc_contig_range(pfn, pfn + 1, MIGRATE_MOVABLE, GFP_KERNEL | __GFP_NOWARN);
#endif

	if (!err)
		free_contig_range(pfn, 1);
}

#endif
