/* SPDX-License-Identifier: GPL-2.0 */
/* The page allocator, where its interface is not the same everywhere. */
#ifndef BALLAST_COMPAT_PAGE_ALLOC_H
#define BALLAST_COMPAT_PAGE_ALLOC_H

#include <linux/gfp.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/page_ref.h>
#include <linux/version.h>

/**
 * compat_free_page_last() - free a page so that it is handed out after all others
 * @page: the page, one reference
 *
 * And so that it is free at once: what __free_page() frees, a CPU keeps for itself first. Memory
 * that comes online is freed like that. It counts as more memory then, which this is not. Whoever
 * looks at the page at this moment has a reference; then it is freed the ordinary way.
 *
 * Context: any that may take a spinlock.
 */
static inline void compat_free_page_last(struct page *page)
{
#ifdef CONFIG_MEMORY_HOTPLUG
	if (page_ref_freeze(page, 1)) {
		adjust_managed_page_count(page, -1);
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
		/* So are pages marked there that were never online. No header tells of it. */
		__SetPageOffline(page);
#endif
		generic_online_page(page, 0);
		return;
	}
#endif
	__free_page(page);
}

#endif
