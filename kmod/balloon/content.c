// SPDX-License-Identifier: GPL-2.0
/*
 * With check_content=1 each page is filled with its serial number from the first word to the last;
 * page->index holds the number as well. Serial numbers of all pages in the balloon differ, so a
 * page that got lost, doubled or another's content is noticed.
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

	if (content == page->index)
		return true;
	count_errors(b, 1);
	pr_err_ratelimited("page 0x%lx holds serial number %llu instead of %lu %s\n",
			   page_to_pfn(page), content, page->index, when);
	return false;
}

/**
 * balloon_content_assign() - give a new page a serial number and fill it
 * @b: the balloon
 * @page: a page that nobody else knows yet
 *
 * Return: 0 or -ENOMEM.
 */
int balloon_content_assign(struct balloon *b, struct page *page)
{
	int serial = ida_alloc_min(&b->serials, 1, GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
	u64 *words;

	if (serial < 0)
		return serial;
	page->index = serial;
	words = kmap_local_page(page);
	memset64(words, serial, PAGE_SIZE / sizeof(*words));
	kunmap_local(words);
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
	dst->index = src->index;
	check_page(b, dst, "after migration");
}

/**
 * balloon_content_release() - check a page that leaves the balloon
 * @b: the balloon
 * @page: the page, off the list
 */
void balloon_content_release(struct balloon *b, struct page *page)
{
	check_page(b, page, "when deflated");
	ida_free(&b->serials, page->index);
	page->index = 0;
}

static unsigned long highest_serial(struct list_head *pages)
{
	unsigned long highest = 0;
	struct page *page;

	list_for_each_entry(page, pages, lru) {
		highest = max(highest, page->index);
		cond_resched();
	}
	return highest;
}

/*
 * Checks that the pages are @size in number, each intact, and no two with the same serial number.
 */
static void check_pages(struct balloon *b, struct list_head *pages, unsigned long size,
			unsigned long *seen)
{
	unsigned long count = 0;
	struct page *page;

	list_for_each_entry(page, pages, lru) {
		count++;
		check_page(b, page, "in the check of all pages");
		if (__test_and_set_bit(page->index, seen)) {
			count_errors(b, 1);
			pr_err_ratelimited("page 0x%lx: another page has serial number %lu as well\n",
					   page_to_pfn(page), page->index);
		}
		cond_resched();
	}
	if (count != size) {
		count_errors(b, 1);
		pr_err("there are %lu pages in a balloon of size %lu\n", count, size);
	}
}

/*
 * The pages go to a list of the check's own: nothing takes pages from there, and while isolation is
 * held nothing moves them. The worker and the OOM notifier find an empty list meanwhile; the worker
 * tries again later.
 */
static int check_held(struct balloon *b)
{
	unsigned long size, *seen;
	LIST_HEAD(pages);

	spin_lock(&b->lock);
	list_splice_init(&b->pages, &pages);
	size = b->size;
	spin_unlock(&b->lock);

	seen = kvcalloc(BITS_TO_LONGS(highest_serial(&pages) + 1), sizeof(*seen), GFP_KERNEL);
	if (seen)
		check_pages(b, &pages, size, seen);
	kvfree(seen);

	spin_lock(&b->lock);
	list_splice(&pages, &b->pages);
	spin_unlock(&b->lock);
	return seen ? 0 : -ENOMEM;
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
