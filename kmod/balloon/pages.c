// SPDX-License-Identifier: GPL-2.0
/*
 * Pages are taken from the machine, accounted, and given back, whichever their order. Takes no
 * lock: nobody else knows the pages.
 */
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>

#include "balloon/balloon.h"
#include "balloon/content.h"
#include "balloon/movable.h"
#include "balloon/pages.h"
#include "compat/page_alloc.h"
#include "compat/vmstat.h"

static bool huge = true;
module_param(huge, bool, 0444);
MODULE_PARM_DESC(huge, "take memory in blocks of 2 MiB while there are any (default: yes)");

/* As hard as the kernel's own balloon tries: reclaim yes, reserves and the OOM killer no. */
#define BALLOON_GFP (__GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN)

/**
 * balloon_uses_blocks() - are pages taken in blocks?
 *
 * Return: the module's parameter.
 */
bool balloon_uses_blocks(void)
{
	return huge;
}

/*
 * A block is taken if it is there. Nothing is reclaimed or compacted for it: single pages serve as
 * well.
 */
static gfp_t gfp_of(unsigned int order)
{
	gfp_t gfp = balloon_movable_gfp(order) | BALLOON_GFP;

	return order ? gfp & ~__GFP_RECLAIM : gfp;
}

/*
 * Compaction looks for free pages in each page block, but after some without any only at every 32nd
 * page (isolate_freepages() in mm/compaction.c), until it finds one there. A balloon that has
 * filled regular holes, and thereby has all of these, hides the free pages between them: compaction
 * walks past them and ends half-way or at once. So the balloon leaves the first page of each page
 * block to the machine, as long as there are others.
 */
static bool is_landmark(struct page *page)
{
	return IS_ALIGNED(page_to_pfn(page), pageblock_nr_pages);
}

/* Landmarks are put aside until inflation ends, lest they come again and again. */
static struct page *allocate_single(struct balloon *b)
{
	struct page *page;

	for (;;) {
		page = alloc_page(gfp_of(0));
		if (!page || !is_landmark(page))
			break;
		list_add(&page->lru, &b->landmarks);
	}
	if (!page) {
		page = list_first_entry_or_null(&b->landmarks, struct page, lru);
		if (page)
			list_del(&page->lru);
	}
	return page;
}

static struct page *allocate(struct balloon *b, unsigned int order)
{
	struct page *page = order ? alloc_pages(gfp_of(order), order) : allocate_single(b);

	if (page && b->check_content && balloon_content_assign(b, page, order)) {
		__free_pages(page, order);
		return NULL;
	}
	return page;
}

/**
 * balloon_pages_alloc() - take pages from the machine
 * @b: the balloon that they are for
 * @pages: where they go
 * @order: of each
 * @want: how many of that order
 *
 * Return: how many of that order it got.
 */
unsigned long balloon_pages_alloc(struct balloon *b, struct list_head *pages, unsigned int order,
				  unsigned long want)
{
	unsigned long got;

	for (got = 0; got < want; got++) {
		struct page *page = allocate(b, order);

		if (!page)
			break;
		list_add(&page->lru, pages);
	}
	return got;
}

/**
 * balloon_pages_free() - give pages back to the machine
 * @b: the balloon that they were for
 * @pages: the pages; empty afterwards
 * @order: of each
 */
void balloon_pages_free(struct balloon *b, struct list_head *pages, unsigned int order)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, pages, lru) {
		list_del(&page->lru);
		if (b->check_content)
			balloon_content_release(b, page, order);
		__free_pages(page, order);
	}
}

/**
 * balloon_pages_free_landmarks() - give back what was put aside while the balloon was inflated
 * @b: the balloon
 *
 * What is handed out next, or what a CPU keeps for itself, is no landmark for long, and keeps its
 * block from merging.
 */
void balloon_pages_free_landmarks(struct balloon *b)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, &b->landmarks, lru) {
		list_del(&page->lru);
		compat_free_page_last(page);
	}
}

/**
 * balloon_page_account() - neighbouring pages go into a balloon or leave it
 * @b: the balloon
 * @page: one of them; all are in its zone
 * @count: how many go in; negative: leave
 *
 * What is in the balloon is no part of MemTotal, unless b->stays_managed.
 */
void balloon_page_account(struct balloon *b, struct page *page, long count)
{
	if (!b->stays_managed)
		adjust_managed_page_count(page, -count);
	account_balloon_pages(page, count);
}

/**
 * balloon_pages_account() - pages go into a balloon or leave it
 * @b: the balloon
 * @pages: the pages
 * @order: of each
 * @sign: 1: they go in; -1: they leave
 *
 * Neighbours mostly lie in one zone, so that its counter and the machine's, which all CPUs share,
 * are written once for many pages. What the kernel's own balloon has, it accounts itself.
 */
void balloon_pages_account(struct balloon *b, struct list_head *pages, unsigned int order,
			   long sign)
{
	struct page *page, *first = NULL;
	long run = 0;

	if (!order && balloon_movable_by_core())
		return;

	list_for_each_entry(page, pages, lru) {
		if (first && page_zone(first) != page_zone(page)) {
			balloon_page_account(b, first, sign * run);
			run = 0;
		}
		first = page;
		run += 1L << order;
	}
	if (first)
		balloon_page_account(b, first, sign * run);
}
