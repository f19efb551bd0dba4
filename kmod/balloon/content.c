// SPDX-License-Identifier: GPL-2.0
/*
 * With check_content=1 each page, also each of a block, is filled with its serial number from the
 * first word to the last; page->index holds the number as well. Serial numbers of all pages in the
 * balloon differ, so a page that got lost, doubled or another's content is noticed.
 *
 * Lock order: balloon->check (one check of all pages at a time), balloon->lock.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitops.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "balloon/balloon.h"
#include "balloon/content.h"
#include "balloon/core.h"
#include "balloon/movable.h"
#include "balloon/pages.h"
#include "compat/mm.h"

/* The number that the page is filled with, or 0 (never a serial number) if its words differ. */
static u64 content_of(struct page *page)
{
	u64 *words = kmap_local_page(page);
	u64 content = words[0];

	if (memcmp(words, words + 1, PAGE_SIZE - sizeof(*words)))
		content = 0;
	kunmap_local(words);
	return content;
}

static void count_errors(struct balloon *b, unsigned long errors)
{
	spin_lock(&b->lock);
	b->counters.content_errors += errors;
	spin_unlock(&b->lock);
}

/* Returns whether it is intact; if not, counts and tells it. */
static bool check_page(struct balloon *b, struct page *page, const char *when)
{
	u64 content = content_of(page);

	if (content == compat_page_index(page))
		return true;
	count_errors(b, 1);
	pr_err_ratelimited("page 0x%lx holds serial number %llu instead of %lu %s\n",
			   page_to_pfn(page), content, compat_page_index(page), when);
	return false;
}

static int assign(struct balloon *b, struct page *page)
{
	int serial = ida_alloc_min(&b->serials, 1, GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
	u64 *words;

	if (serial < 0)
		return serial;
	compat_page_index(page) = serial;
	words = kmap_local_page(page);
	memset64(words, serial, PAGE_SIZE / sizeof(*words));
	kunmap_local(words);
	return 0;
}

static void release(struct balloon *b, struct page *page)
{
	ida_free(&b->serials, compat_page_index(page));
	compat_page_index(page) = 0;
}

/**
 * balloon_content_assign() - give new pages serial numbers and fill them
 * @b: the balloon
 * @page: the first page; nobody else knows them yet
 * @order: how many
 *
 * Return: 0 or -ENOMEM: then none has one.
 */
int balloon_content_assign(struct balloon *b, struct page *page, unsigned int order)
{
	unsigned long i;

	for (i = 0; i < 1UL << order; i++) {
		int err = assign(b, page + i);

		if (err) {
			while (i--)
				release(b, page + i);
			return err;
		}
	}
	return 0;
}

/**
 * balloon_content_moved() - check the page that replaces another
 * @b: the balloon
 * @dst: the new page, whose content is complete
 * @src: the old page
 */
void balloon_content_moved(struct balloon *b, struct page *dst, struct page *src)
{
	compat_page_index(dst) = compat_page_index(src);
	check_page(b, dst, "after migration");
}

/**
 * balloon_content_release() - check pages that leave the balloon
 * @b: the balloon
 * @page: the first page, off the list
 * @order: how many
 */
void balloon_content_release(struct balloon *b, struct page *page, unsigned int order)
{
	unsigned long i;

	for (i = 0; i < 1UL << order; i++) {
		check_page(b, page + i, "when deflated");
		release(b, page + i);
	}
}

/* A check of all pages: what it finds, and the pages, in the order of the balloon's two lists. */
struct content_check {
	struct balloon *b;
	struct list_head pages;
	struct list_head blocks;
	unsigned long count;
	unsigned long highest;
	unsigned long *seen; /* a bit for each serial number */
};

typedef void visit_page(struct content_check *check, struct page *page);

static void visit_all(struct content_check *check, visit_page *visit)
{
	struct page *page;
	unsigned long i;

	list_for_each_entry(page, &check->pages, lru) {
		visit(check, page);
		cond_resched();
	}
	list_for_each_entry(page, &check->blocks, lru) {
		for (i = 0; i < BALLOON_BLOCK_PAGES; i++)
			visit(check, page + i);
		cond_resched();
	}
}

static void find_highest(struct content_check *check, struct page *page)
{
	check->count++;
	check->highest = max(check->highest, compat_page_index(page));
}

static void check_once(struct content_check *check, struct page *page)
{
	check_page(check->b, page, "in the check of all pages");
	if (__test_and_set_bit(compat_page_index(page), check->seen)) {
		count_errors(check->b, 1);
		pr_err_ratelimited("page 0x%lx: another page has serial number %lu as well\n",
				   page_to_pfn(page), compat_page_index(page));
	}
}

/* Until pages that the kernel's own balloon has isolated are given up for lost. */
#define BORROW_TIMEOUT (30 * HZ)

/* Takes b->lock with single pages in the check's list: all, or those that there are. */
static void lock_and_borrow(struct content_check *check)
{
	unsigned long end = jiffies + BORROW_TIMEOUT, borrowed = 0;
	struct balloon *b = check->b;

	spin_lock(&b->lock);
	if (!balloon_movable_by_core()) {
		list_splice_init(&b->pages, &check->pages);
		return;
	}
	while (!balloon_core_borrow(b, &check->pages, &borrowed) && time_before(jiffies, end)) {
		spin_unlock(&b->lock);
		schedule_timeout_uninterruptible(1);
		spin_lock(&b->lock);
	}
}

/* Under b->lock. */
static void give_back(struct content_check *check)
{
	struct balloon *b = check->b;

	if (balloon_movable_by_core())
		balloon_core_return(b, &check->pages);
	else
		list_splice(&check->pages, &b->pages);
	list_splice(&check->blocks, &b->blocks);
}

/*
 * The pages go to lists of the check's own: nothing takes pages from there, and while isolation is
 * held nothing moves them. The worker and the OOM notifier find empty lists meanwhile; the worker
 * tries again later.
 */
static int check_held(struct balloon *b)
{
	struct content_check check = {
		.b = b,
		.pages = LIST_HEAD_INIT(check.pages),
		.blocks = LIST_HEAD_INIT(check.blocks),
	};
	unsigned long size;

	lock_and_borrow(&check);
	list_splice_init(&b->blocks, &check.blocks);
	size = b->size;
	spin_unlock(&b->lock);

	visit_all(&check, find_highest);
	if (check.count != size) {
		count_errors(b, 1);
		pr_err("there are %lu pages in a balloon of size %lu\n", check.count, size);
	}
	check.seen = kvcalloc(BITS_TO_LONGS(check.highest + 1), sizeof(*check.seen), GFP_KERNEL);
	if (check.seen)
		visit_all(&check, check_once);
	kvfree(check.seen);

	spin_lock(&b->lock);
	give_back(&check);
	spin_unlock(&b->lock);
	return check.seen ? 0 : -ENOMEM;
}

/**
 * balloon_content_check_all() - check that each page is intact and each serial number is there once
 * @b: the balloon, with check_content
 *
 * What is wrong is counted in content_errors.
 *
 * Return: 0 when all pages were looked at, or -ENOMEM.
 */
int balloon_content_check_all(struct balloon *b)
{
	int err;

	mutex_lock(&b->check);
	balloon_hold_isolation(b);
	err = check_held(b);
	balloon_release_isolation(b);
	mutex_unlock(&b->check);
	return err;
}
