/* SPDX-License-Identifier: GPL-2.0 */
/* Pages: their fields and how to reach their content. */
#ifndef BALLAST_COMPAT_MM_H
#define BALLAST_COMPAT_MM_H

#include <linux/highmem.h>
#include <linux/mm.h>

/* The word of an owner's own that was called index. */
#ifdef COMPAT_HAS_FOLIO_INDEX
#define compat_page_index(page) ((page)->__folio_index)
#else
#define compat_page_index(page) ((page)->index)
#endif

#ifndef COMPAT_HAS_KMAP_LOCAL
#ifdef CONFIG_HIGHMEM
#error "before 5.11 Ballast reaches pages only where all memory is mapped"
#endif

static inline void *kmap_local_page(struct page *page)
{
	return page_address(page);
}

static inline void kunmap_local(void *address)
{
}
#endif

#endif
