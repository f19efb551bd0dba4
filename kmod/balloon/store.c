// SPDX-License-Identifier: GPL-2.0
/*
 * The balloon's lists: pages go in and come out, blocks are split.
 *
 * Lock order:
 *   page lock of a page in the balloon
 *     balloon->lock
 * Against that order (taking pages out of the list) the page lock is only tried. Nothing is
 * allocated under balloon->lock, so that the OOM notifier may take it wherever the kernel runs out
 * of memory.
 *
 * Of a block only the first page is locked: the others have no reference, so nobody can get at
 * them.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>

#include "balloon/balloon.h"
#include "balloon/core.h"
#include "balloon/movable.h"
#include "balloon/pages.h"
#include "balloon/store.h"
#include "balloon/trace.h"
#include "compat/vmstat.h"

static void add_to_core(struct balloon *b, struct list_head *pages)
{
	unsigned long before;

	spin_lock(&b->lock);
	before = b->in_core;
	balloon_core_add(b, pages);
	b->size += b->in_core - before;
	b->counters.inflated += b->in_core - before;
	spin_unlock(&b->lock);
}

/**
 * balloon_store_add() - put pages into the balloon, from where the kernel may isolate them
 * @b: the balloon
 * @pages: the pages; empty afterwards
 * @order: of each
 *
 * Context: may sleep.
 */
void balloon_store_add(struct balloon *b, struct list_head *pages, unsigned int order)
{
	struct page *page, *next;
	unsigned long count = 0;

	if (!order && balloon_movable_by_core()) {
		add_to_core(b, pages);
		return;
	}

	list_for_each_entry(page, pages, lru)
		lock_page(page);

	spin_lock(&b->lock);
	list_for_each_entry_safe(page, next, pages, lru) {
		balloon_movable_mark(b, page, order);
		list_move(&page->lru, order ? &b->blocks : &b->pages);
		trace_inflate(page_to_pfn(page), order);
		unlock_page(page);
		count++;
	}
	if (order)
		b->huge_now += count;
	b->size += count << order;
	b->counters.inflated += count << order;
	spin_unlock(&b->lock);
	count_balloon_inflate(count << order);
}

/* Under b->lock. Takes up to @want off a list; returns how many. */
static unsigned long take(struct list_head *from, struct list_head *to, unsigned int order,
			  unsigned long want)
{
	struct page *page, *next;
	unsigned long got = 0;

	list_for_each_entry_safe(page, next, from, lru) {
		if (got == want)
			break;
		/* Whoever holds the lock is about to isolate the page or has just put it back. */
		if (!trylock_page(page))
			continue;
		balloon_movable_clear(page, order);
		list_move(&page->lru, to);
		trace_deflate(page_to_pfn(page), order);
		unlock_page(page);
		got++;
	}
	return got;
}

/* Under b->lock. */
static unsigned long take_single(struct balloon *b, struct list_head *pages, unsigned long want)
{
	unsigned long got;

	if (balloon_movable_by_core())
		return balloon_core_take(b, pages, want);
	got = take(&b->pages, pages, 0, want);
	count_balloon_deflate(got);
	return got;
}

/* Under b->lock. */
static void count_split(struct balloon *b, struct page *head)
{
	b->huge_now--;
	b->counters.huge_split++;
	trace_huge_split(page_to_pfn(head));
}

/* Under b->lock. Nobody but us knows the block's pages: no lock is needed. */
static bool split_into_core(struct balloon *b)
{
	struct page *head = list_first_entry_or_null(&b->blocks, struct page, lru);

	if (!head)
		return false;
	list_del(&head->lru);
	count_split(b, head);
	balloon_core_add_block(b, head);
	return true;
}

/* Under b->lock. Returns whether there was one to split. */
static bool split_any(struct balloon *b)
{
	struct page *head;

	if (balloon_movable_by_core())
		return split_into_core(b);
	list_for_each_entry(head, &b->blocks, lru) {
		if (!trylock_page(head))
			continue;
		balloon_store_split(b, head);
		unlock_page(head);
		return true;
	}
	return false;
}

/**
 * balloon_store_take() - take pages out of the balloon, whole blocks first
 * @b: the balloon
 * @pages: where single pages go
 * @blocks: where blocks go
 * @want: how many pages, those of blocks included
 *
 * A block is split only when that leaves fewer than a block to take.
 *
 * Context: any that may take a spinlock.
 * Return: how many pages; less than @want when the others are isolated, locked, or not there.
 */
unsigned long balloon_store_take(struct balloon *b, struct list_head *pages,
				 struct list_head *blocks, unsigned long want)
{
	unsigned long huge, got;

	spin_lock(&b->lock);
	huge = take(&b->blocks, blocks, BALLOON_BLOCK_ORDER, want >> BALLOON_BLOCK_ORDER);
	b->huge_now -= huge;
	got = huge << BALLOON_BLOCK_ORDER;
	count_balloon_deflate(got);
	got += take_single(b, pages, want - got);
	if (got < want && split_any(b))
		got += take_single(b, pages, want - got);
	b->size -= got;
	b->counters.deflated += got;
	spin_unlock(&b->lock);
	return got;
}

/**
 * balloon_store_split() - make a block single pages
 * @b: the balloon; its lock is held
 * @head: the block's first page, in the balloon; its lock is held
 */
void balloon_store_split(struct balloon *b, struct page *head)
{
	struct page *tail;

	/* As long as they have no reference nobody else can hold their locks. */
	for (tail = head + 1; tail < head + BALLOON_BLOCK_PAGES; tail++)
		WARN_ON_ONCE(!trylock_page(tail));
	split_page(head, BALLOON_BLOCK_ORDER);
	balloon_movable_mark_split(b, head);

	list_move(&head->lru, &b->pages);
	for (tail = head + 1; tail < head + BALLOON_BLOCK_PAGES; tail++) {
		list_add(&tail->lru, &b->pages);
		unlock_page(tail);
	}
	count_split(b, head);
}
