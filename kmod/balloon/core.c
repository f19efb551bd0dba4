// SPDX-License-Identifier: GPL-2.0
/*
 * Single pages in the list of the kernel's own balloon, which isolates them, puts them back and
 * counts them as balloon pages and as managed by itself; we see just that they move.
 *
 * Lock order: page lock, balloon->lock, the lock of the kernel's list. All that we do with that
 * list is done under balloon->lock, so that balloon->in_core tells what is in it, or isolated.
 */
#include <linux/list.h>
#include <linux/mm.h>

#include "balloon/balloon.h"
#include "balloon/core.h"
#include "balloon/movable.h"
#include "balloon/pages.h"
#include "balloon/trace.h"
#include "compat/vmstat.h"

/*
 * As long as isolation is held nothing moves, also what the kernel has isolated before. The page is
 * back in the kernel's list, from where it can be taken, only after this has returned.
 */
static int migrate_page_of(struct compat_core *core, struct page *dst, struct page *src,
			   enum migrate_mode mode)
{
	struct balloon *b = container_of(core, struct balloon, core);
	bool held;
	int err;

	spin_lock(&b->lock);
	held = b->isolation_held;
	if (!held)
		b->isolated_now++;
	spin_unlock(&b->lock);
	if (held)
		return -EAGAIN;

	err = balloon_movable_move_content(b, dst, src, mode);
	spin_lock(&b->lock);
	if (!err)
		b->counters.migrated++;
	balloon_movable_isolation_ended(b);
	spin_unlock(&b->lock);
	return err;
}

/**
 * balloon_core_init() - make the kernel's list of an empty balloon
 * @b: the balloon
 */
void balloon_core_init(struct balloon *b)
{
	compat_core_init(&b->core, migrate_page_of);
}

/**
 * balloon_core_isolated() - how many single pages are isolated at the moment
 * @b: the balloon
 */
unsigned long balloon_core_isolated(struct balloon *b)
{
	return compat_core_isolated(&b->core);
}

/**
 * balloon_core_add() - from now on the kernel moves the pages
 * @b: the balloon; its lock is held
 * @pages: single pages; empty afterwards
 */
void balloon_core_add(struct balloon *b, struct list_head *pages)
{
	struct page *page;

	list_for_each_entry(page, pages, lru) {
		trace_inflate(page_to_pfn(page), 0);
		b->in_core++;
	}
	compat_core_add(&b->core, pages, !b->stays_managed);
}

/**
 * balloon_core_take() - take pages from the kernel again
 * @b: the balloon; its lock is held
 * @pages: where they go
 * @want: how many
 *
 * Return: how many; less than @want when the others are isolated or not there.
 */
unsigned long balloon_core_take(struct balloon *b, struct list_head *pages, unsigned long want)
{
	struct page *page;
	unsigned long got;
	LIST_HEAD(taken);

	got = compat_core_take(&b->core, &taken, want, !b->stays_managed);
	b->in_core -= got;
	list_for_each_entry(page, &taken, lru)
		trace_deflate(page_to_pfn(page), 0);
	list_splice(&taken, pages);
	return got;
}

/**
 * balloon_core_add_block() - from now on the kernel moves the pages of what was a block
 * @b: the balloon; its lock is held
 * @head: the first page, marked with the block's order and in no list
 */
void balloon_core_add_block(struct balloon *b, struct page *head)
{
	struct page *page;
	LIST_HEAD(pages);

	split_page(head, BALLOON_BLOCK_ORDER);
	balloon_movable_clear(head, BALLOON_BLOCK_ORDER);
	for (page = head; page < head + BALLOON_BLOCK_PAGES; page++)
		list_add_tail(&page->lru, &pages);
	/* The kernel counts each of them again. */
	balloon_page_account(b, head, -(long)BALLOON_BLOCK_PAGES);
	count_balloon_inflate(-(long)BALLOON_BLOCK_PAGES);
	b->in_core += BALLOON_BLOCK_PAGES;
	compat_core_add(&b->core, &pages, !b->stays_managed);
}

/*
 * The kernel counts what enters and leaves its list as managed or not; what is borrowed leaves the
 * list, but not the balloon. The kernel isn't told to leave the count alone meanwhile: it would
 * also leave that of a page that moves to another zone.
 */
static void correct_managed(struct balloon *b, struct list_head *pages, long count)
{
	struct page *page;

	if (b->stays_managed)
		return;
	list_for_each_entry(page, pages, lru)
		adjust_managed_page_count(page, count);
}

/**
 * balloon_core_borrow() - take pages off the kernel's list that stay in the balloon
 * @b: the balloon; its lock and isolation are held
 * @pages: where they go
 * @borrowed: how many there are; increased
 *
 * Return: whether these are all; otherwise some are isolated, and come back soon.
 */
bool balloon_core_borrow(struct balloon *b, struct list_head *pages, unsigned long *borrowed)
{
	unsigned long got;
	LIST_HEAD(taken);

	got = compat_core_take(&b->core, &taken, b->in_core - *borrowed, !b->stays_managed);
	*borrowed += got;
	count_balloon_deflate(-(long)got);
	correct_managed(b, &taken, -1);
	list_splice(&taken, pages);
	return *borrowed == b->in_core;
}

/**
 * balloon_core_return() - the opposite
 * @b: the balloon; its lock is held
 * @pages: the pages; empty afterwards
 */
void balloon_core_return(struct balloon *b, struct list_head *pages)
{
	unsigned long got;

	correct_managed(b, pages, 1);
	got = compat_core_add(&b->core, pages, !b->stays_managed);
	count_balloon_inflate(-(long)got);
}
