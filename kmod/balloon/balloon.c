// SPDX-License-Identifier: GPL-2.0
/*
 * The balloon's list of pages, its size, and the worker that brings the size to the target.
 *
 * Lock order:
 *   page lock of a page in the balloon
 *     balloon->lock
 * Against that order (taking pages out of the list) the page lock is only tried. Nothing is
 * allocated under balloon->lock, so that the OOM notifier may take it wherever the kernel runs out
 * of memory.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched.h>

#include "balloon/balloon.h"
#include "balloon/content.h"
#include "balloon/device.h"
#include "balloon/movable.h"
#include "balloon/pseudo_fs.h"
#include "balloon/trace.h"
#include "compat/vmstat.h"

/*
 * Pages that the worker handles in one go: long enough that the cost of a go is lost among its
 * pages, short enough that a new target, suspend and unload wait for milliseconds at most.
 */
#define SLICE_PAGES 256UL

/* Pages that a host is told of together. */
#define BATCH_PAGES 256UL

/*
 * Until the worker tries again: when there was no memory, and when pages were isolated or locked.
 */
#define NO_MEMORY_DELAY (HZ / 5)
#define BUSY_DELAY (HZ / 50)

/* While it is at work, the size is announced this often. */
#define NOTIFY_INTERVAL (HZ / 10)

/* As hard as the kernel's own balloon tries: reclaim yes, reserves and the OOM killer no. */
#define BALLOON_GFP (GFP_HIGHUSER_MOVABLE | __GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN)

static struct page *allocate_page(struct balloon *b)
{
	struct page *page = alloc_page(BALLOON_GFP);

	if (page && b->check_content && balloon_content_assign(b, page)) {
		__free_page(page);
		return NULL;
	}
	return page;
}

static void free_pages_of(struct balloon *b, struct list_head *pages)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, pages, lru) {
		list_del(&page->lru);
		if (b->check_content)
			balloon_content_release(b, page);
		put_page(page);
	}
}

/*
 * Pages in the balloon are no part of MemTotal. Neighbours mostly lie in one zone, so that its
 * counter and the machine's, which all CPUs share, are written once for many pages.
 */
static void adjust_managed(struct balloon *b, struct list_head *pages, long sign)
{
	struct page *page, *first = NULL;
	long run = 0;

	if (b->stays_managed)
		return;
	list_for_each_entry(page, pages, lru) {
		if (first && page_zone(first) != page_zone(page)) {
			adjust_managed_page_count(first, sign * run);
			run = 0;
		}
		first = page;
		run++;
	}
	if (first)
		adjust_managed_page_count(first, sign * run);
}

static void enqueue(struct balloon *b, struct list_head *pages, unsigned long count)
{
	struct page *page, *next;

	list_for_each_entry(page, pages, lru)
		lock_page(page);

	spin_lock(&b->lock);
	list_for_each_entry_safe(page, next, pages, lru) {
		balloon_movable_mark(b, page);
		list_move(&page->lru, &b->pages);
		trace_inflate(page_to_pfn(page));
		unlock_page(page);
	}
	b->size += count;
	b->counters.inflated += count;
	spin_unlock(&b->lock);
	count_balloon_inflate(count);
}

static unsigned long dequeue(struct balloon *b, struct list_head *pages, unsigned long want)
{
	struct page *page, *next;
	unsigned long got = 0;

	spin_lock(&b->lock);
	list_for_each_entry_safe(page, next, &b->pages, lru) {
		if (got == want)
			break;
		/* Whoever holds the lock is about to isolate the page or has just put it back. */
		if (!trylock_page(page))
			continue;
		balloon_movable_clear(page);
		list_move(&page->lru, pages);
		trace_deflate(page_to_pfn(page));
		unlock_page(page);
		got++;
	}
	b->size -= got;
	b->counters.deflated += got;
	spin_unlock(&b->lock);
	count_balloon_deflate(got);
	return got;
}

static unsigned long allocate_pages(struct balloon *b, struct list_head *pages, unsigned long want)
{
	unsigned long got;

	for (got = 0; got < want; got++) {
		struct page *page = allocate_page(b);

		if (!page)
			break;
		list_add(&page->lru, pages);
	}
	return got;
}

/* A host reads of one batch while the next is allocated. */
static int allocate_and_tell(struct balloon *b, struct list_head *pages, unsigned long want,
			     unsigned long *got)
{
	unsigned long batch, had;
	int err = 0;

	for (*got = 0; *got < want && !err; *got += had) {
		LIST_HEAD(new);

		batch = min(want - *got, BATCH_PAGES);
		had = allocate_pages(b, &new, batch);
		if (b->host && had)
			err = b->host->inflate(b, &new, 0);
		list_splice(&new, pages);
		if (had < batch) {
			*got += had;
			break;
		}
	}
	return b->host ? b->host->inflate_wait(b) ?: err : 0;
}

/* The host is gone: no more inflating, until there is a new target. */
static void give_up(struct balloon *b)
{
	spin_lock(&b->lock);
	b->target = min(b->target, b->size);
	spin_unlock(&b->lock);
}

/**
 * balloon_inflate() - take pages from the machine
 * @b: the balloon
 * @want: how many
 *
 * Context: may sleep.
 * Return: how many pages it got; less than @want when there was no more memory, 0 when the host is
 * gone: then the target has fallen to the size.
 */
unsigned long balloon_inflate(struct balloon *b, unsigned long want)
{
	unsigned long got;
	LIST_HEAD(pages);

	if (allocate_and_tell(b, &pages, want, &got)) {
		free_pages_of(b, &pages);
		give_up(b);
		return 0;
	}
	adjust_managed(b, &pages, -1);
	enqueue(b, &pages, got);
	if (got < want) {
		spin_lock(&b->lock);
		b->counters.inflate_failed++;
		spin_unlock(&b->lock);
	}
	return got;
}

/**
 * balloon_deflate() - give pages back to the machine
 * @b: the balloon
 * @want: how many
 *
 * Context: the software balloon any that may take a spinlock; with a host it may sleep. Nothing is
 * allocated. Return: how many it gave back; less than @want when the others are isolated, locked,
 * or not there.
 */
unsigned long balloon_deflate(struct balloon *b, unsigned long want)
{
	unsigned long got;
	LIST_HEAD(pages);

	got = dequeue(b, &pages, want);
	if (b->host && got)
		b->host->deflate(b, &pages, 0);
	adjust_managed(b, &pages, 1);
	free_pages_of(b, &pages);
	return got;
}

/* Returns the jiffies until there is more to do, or -1 when the target is reached. */
static long resize_slice(struct balloon *b)
{
	unsigned long target = READ_ONCE(b->target), size = READ_ONCE(b->size), want;

	if (size == target)
		return -1;
	if (size < target) {
		want = min(target - size, SLICE_PAGES);
		return balloon_inflate(b, want) == want ? 0 : NO_MEMORY_DELAY;
	}
	want = min(size - target, SLICE_PAGES);
	return balloon_deflate(b, want) == want ? 0 : BUSY_DELAY;
}

/*
 * One slice, then the work queues itself again: so a new target is seen, suspend can freeze it,
 * unload can cancel it.
 */
static void resize_work(struct work_struct *work)
{
	struct balloon *b = container_of(to_delayed_work(work), struct balloon, resize);
	long delay = resize_slice(b);

	if (delay != 0 || time_after(jiffies, b->notified + NOTIFY_INTERVAL)) {
		balloon_size_changed(b);
		b->notified = jiffies;
	}
	if (delay >= 0)
		queue_delayed_work(b->workqueue, &b->resize, delay);
}

/**
 * balloon_size_changed() - tell the host and those who poll the size
 * @b: the balloon
 *
 * Context: with a host it may sleep.
 */
void balloon_size_changed(struct balloon *b)
{
	if (b->host)
		b->host->size_changed(b);
	balloon_notify_size(b);
}

/**
 * balloon_follow_target() - have the balloon inflated or deflated as far as it goes
 * @b: the balloon
 * @pages: the size, also one that the machine does not have
 *
 * Returns at once; the worker does it. An earlier target that is not reached yet is forgotten.
 */
void balloon_follow_target(struct balloon *b, unsigned long pages)
{
	spin_lock(&b->lock);
	b->target = pages;
	spin_unlock(&b->lock);
	mod_delayed_work(b->workqueue, &b->resize, 0);
}

/**
 * balloon_set_target() - have the balloon inflated or deflated to a size
 * @b: the balloon
 * @pages: the size
 *
 * As balloon_follow_target().
 *
 * Return: 0, or -ERANGE if the machine has less memory than that.
 */
int balloon_set_target(struct balloon *b, unsigned long pages)
{
	if (pages > totalram_pages() + READ_ONCE(b->size))
		return -ERANGE;
	balloon_follow_target(b, pages);
	return 0;
}

/**
 * balloon_hold_isolation() - let no page be isolated, and wait until none is
 * @b: the balloon
 *
 * Then all pages are on the list until balloon_release_isolation().
 */
void balloon_hold_isolation(struct balloon *b)
{
	spin_lock(&b->lock);
	b->isolation_held = true;
	spin_unlock(&b->lock);
	wait_event(b->isolation_over, !READ_ONCE(b->isolated_now));
}

/**
 * balloon_release_isolation() - pages may be isolated again
 * @b: the balloon
 */
void balloon_release_isolation(struct balloon *b)
{
	spin_lock(&b->lock);
	b->isolation_held = false;
	spin_unlock(&b->lock);
}

/**
 * balloon_drain() - give all pages back and let none be isolated
 * @b: the balloon; nothing inflates it any more
 *
 * After this no kernel code is inside our movable operations: they run under the lock of a page
 * that is in the balloon when they end, and each page was locked here after that.
 */
void balloon_drain(struct balloon *b)
{
	balloon_hold_isolation(b);
	while (READ_ONCE(b->size)) {
		if (!balloon_deflate(b, SLICE_PAGES))
			schedule_timeout_uninterruptible(1);
		cond_resched();
	}
}

/**
 * balloon_init() - make an empty balloon
 * @b: the balloon
 * @host: who gets its memory, or NULL
 * @check_content: fill each page with a serial number and check it
 *
 * Return: 0 or a negative error.
 */
int balloon_init(struct balloon *b, const struct balloon_host_ops *host, bool check_content)
{
	memset(b, 0, sizeof(*b));
	spin_lock_init(&b->lock);
	INIT_LIST_HEAD(&b->pages);
	init_waitqueue_head(&b->isolation_over);
	INIT_DELAYED_WORK(&b->resize, resize_work);
	b->notified = jiffies;
	b->host = host;
	b->check_content = check_content;
	ida_init(&b->serials);
	mutex_init(&b->check);

	b->workqueue = alloc_workqueue("balloon-kvm", WQ_UNBOUND | WQ_FREEZABLE, 1);
	if (!b->workqueue)
		return -ENOMEM;

	b->inode = balloon_fs_inode();
	if (IS_ERR(b->inode)) {
		destroy_workqueue(b->workqueue);
		return PTR_ERR(b->inode);
	}
	return 0;
}

/**
 * balloon_destroy() - give all pages back
 * @b: the balloon; nothing may set its target any more
 *
 * Isolated pages are waited for.
 */
void balloon_destroy(struct balloon *b)
{
	cancel_delayed_work_sync(&b->resize);
	destroy_workqueue(b->workqueue);
	balloon_drain(b);
	ida_destroy(&b->serials);
	iput(b->inode);
}
