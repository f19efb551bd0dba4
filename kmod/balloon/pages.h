/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages on their way into a balloon or out of it: lists, linked by page->lru, whose pages are all
 * of one order. That is 0 or BALLOON_BLOCK_ORDER.
 *
 * A block is no compound page: the first of its pages stands for it, the others have no reference
 * until split_page().
 */
#ifndef BALLOON_KVM_PAGES_H
#define BALLOON_KVM_PAGES_H

#include <linux/bits.h>
#include <linux/mm.h>

struct balloon;

/* What the processor maps by one entry of a page middle directory: 2 MiB on x86-64. */
#define BALLOON_BLOCK_ORDER (PMD_SHIFT - PAGE_SHIFT)
#define BALLOON_BLOCK_PAGES BIT(BALLOON_BLOCK_ORDER)

bool balloon_uses_blocks(void);

unsigned long balloon_pages_alloc(struct balloon *b, struct list_head *pages, unsigned int order,
				  unsigned long want);
void balloon_pages_free(struct balloon *b, struct list_head *pages, unsigned int order);
void balloon_pages_free_landmarks(struct balloon *b);
void balloon_pages_account(struct balloon *b, struct list_head *pages, unsigned int order,
			   long sign);
void balloon_page_account(struct balloon *b, struct page *page, long count);

#endif
