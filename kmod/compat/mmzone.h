/* SPDX-License-Identifier: GPL-2.0 */
/* linux/mmzone.h: the largest block that can be allocated, and page blocks that are isolated. */
#ifndef BALLAST_COMPAT_MMZONE_H
#define BALLAST_COMPAT_MMZONE_H

#include <linux/log2.h>
#include <linux/mmzone.h>

/* What MAX_ORDER is, and whether it has that name, differs; this does not. */
#define COMPAT_MAX_PAGE_ORDER ilog2(MAX_ORDER_NR_PAGES)

/* Does someone want a range of the zone's memory for himself? */
static inline bool compat_has_isolate_pageblock(struct zone *zone)
{
#ifdef CONFIG_MEMORY_ISOLATION
	return READ_ONCE(zone->nr_isolate_pageblock);
#else
	return false;
#endif
}

#endif
