/* SPDX-License-Identifier: GPL-2.0 */
/*
 * linux/vmstat.h as the balloon needs it: the kernel has balloon events only where it was built
 * with balloons of its own.
 */
#ifndef BALLAST_COMPAT_VMSTAT_H
#define BALLAST_COMPAT_VMSTAT_H

#include <linux/mm.h>
#include <linux/vmstat.h>

/* Its name until 6.x, and in 7.x. */
#if defined(CONFIG_MEMORY_BALLOON) || defined(CONFIG_BALLOON)
#define COMPAT_HAS_BALLOON_EVENTS
#endif

/* Negative: what was counted, and no page went into a balloon or left it. */
static inline void count_balloon_inflate(long pages)
{
#ifdef COMPAT_HAS_BALLOON_EVENTS
	count_vm_events(BALLOON_INFLATE, pages);
#endif
}

static inline void count_balloon_deflate(long pages)
{
#ifdef COMPAT_HAS_BALLOON_EVENTS
	count_vm_events(BALLOON_DEFLATE, pages);
#endif
}

static inline void count_balloon_migrate(void)
{
#if defined(CONFIG_BALLOON_COMPACTION) || defined(CONFIG_BALLOON_MIGRATION) /* its name in 7.x */
	count_vm_event(BALLOON_MIGRATE);
#endif
}

/* "Balloon:" in /proc/meminfo, of kernels that have it. */
static inline void account_balloon_pages(struct page *page, long count)
{
#ifdef COMPAT_HAS_NR_BALLOON_PAGES
	mod_node_page_state(page_pgdat(page), NR_BALLOON_PAGES, count);
#endif
}

#endif
