/* SPDX-License-Identifier: GPL-2.0 */
/* linux/mmzone.h: the largest block that can be allocated, and page blocks that are isolated. */
#ifndef BALLAST_COMPAT_MMZONE_H
#define BALLAST_COMPAT_MMZONE_H

#include <linux/mmzone.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#define COMPAT_MAX_PAGE_ORDER (MAX_ORDER - 1)
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#define COMPAT_MAX_PAGE_ORDER MAX_ORDER
#else
#define COMPAT_MAX_PAGE_ORDER MAX_PAGE_ORDER
#endif

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
