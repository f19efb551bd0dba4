/* SPDX-License-Identifier: GPL-2.0 */
/*
 * linux/vmstat.h as the balloon needs it: the kernel has balloon events only where it was built
 * with balloons of its own.
 */
#ifndef BALLAST_COMPAT_VMSTAT_H
#define BALLAST_COMPAT_VMSTAT_H

#include <linux/vmstat.h>

static inline void count_balloon_inflate(unsigned long pages)
{
#ifdef CONFIG_MEMORY_BALLOON
	count_vm_events(BALLOON_INFLATE, pages);
#endif
}

static inline void count_balloon_deflate(unsigned long pages)
{
#ifdef CONFIG_MEMORY_BALLOON
	count_vm_events(BALLOON_DEFLATE, pages);
#endif
}

static inline void count_balloon_migrate(void)
{
#ifdef CONFIG_BALLOON_COMPACTION
	count_vm_event(BALLOON_MIGRATE);
#endif
}

#endif
