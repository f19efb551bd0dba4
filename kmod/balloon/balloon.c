// SPDX-License-Identifier: GPL-2.0
/*
 * The balloon's size, and the worker that brings the size to the target.
 *
 * Lock order: balloon->lock only; see store.c for the page locks.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/sched.h>

#include "balloon/balloon.h"
#include "balloon/core.h"
#include "balloon/device.h"
#include "balloon/floor.h"
#include "balloon/pages.h"
#include "balloon/pseudo_fs.h"
#include "balloon/store.h"
#include "compat/movable.h"

/*
 * Pages that the worker handles in one go: long enough that the cost of a go is lost among its
 * pages, short enough that a new target, suspend and unload wait for milliseconds at most.
 */
#define SLICE_PAGES (4 * BALLOON_BLOCK_PAGES)

/* Pages that a host is told of together, some of them in a slice: it reads while more are taken. */
#define BATCH_PAGES BALLOON_BLOCK_PAGES

/*
 * Until the worker tries again: when there was no memory, and when pages were isolated or locked.
 */
#define NO_MEMORY_DELAY (HZ / 5)
#define BUSY_DELAY (HZ / 50)

/* While it is at work, the size is announced this often. */
#define NOTIFY_INTERVAL (HZ / 10)

/* Pages on their way into the balloon. */
struct intake {
	struct list_head pages;
	struct list_head blocks;
	unsigned long count; /* pages, those of blocks included */
	bool blocks_failed;
};

/* Allocates pages of one order and tells the host of them. */
static int take_batch(struct balloon *b, struct intake *in, unsigned int order, unsigned long want)
{
	unsigned long got;
	int err = 0;
	LIST_HEAD(new);

	got = balloon_pages_alloc(b, &new, order, want);
	if (got && b->host)
		err = b->host->inflate(b, &new, order);
	list_splice(&new, order ? &in->blocks : &in->pages);
	in->count += got << order;
	return err;
}

/* A host reads of one batch while the next is allocated. */
static int take_pages(struct balloon *b, struct intake *in, unsigned long want)
{
	bool blocks = balloon_uses_blocks();
	unsigned long before = 0;
	int err = 0;

	while (in->count < want && !err) {
		unsigned long left = want - in->count;

		if (blocks && left >= BALLOON_BLOCK_PAGES) {
			err = take_batch(b, in, BALLOON_BLOCK_ORDER, 1);
			blocks = in->count > before;
			in->blocks_failed = !blocks;
		} else {
			err = take_batch(b, in, 0, min(left, BATCH_PAGES));
			if (in->count - before < min(left, BATCH_PAGES))
				break;
		}
		before = in->count;
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
	struct intake in = {
		.pages = LIST_HEAD_INIT(in.pages),
		.blocks = LIST_HEAD_INIT(in.blocks),
	};

	if (take_pages(b, &in, want)) {
		balloon_pages_free(b, &in.pages, 0);
		balloon_pages_free(b, &in.blocks, BALLOON_BLOCK_ORDER);
		give_up(b);
		return 0;
	}
	balloon_pages_account(b, &in.pages, 0, 1);
	balloon_store_add(b, &in.pages, 0);
	balloon_pages_account(b, &in.blocks, BALLOON_BLOCK_ORDER, 1);
	balloon_store_add(b, &in.blocks, BALLOON_BLOCK_ORDER);
	if (in.count < want || in.blocks_failed) {
		spin_lock(&b->lock);
		b->counters.inflate_failed += in.count < want;
		b->counters.huge_fallback += in.blocks_failed;
		spin_unlock(&b->lock);
	}
	return in.count;
}

static void give_back(struct balloon *b, struct list_head *pages, unsigned int order)
{
	if (b->host && !list_empty(pages))
		b->host->deflate(b, pages, order);
	balloon_pages_account(b, pages, order, -1);
	balloon_pages_free(b, pages, order);
}

/**
 * balloon_deflate() - give pages back to the machine
 * @b: the balloon
 * @want: how many
 *
 * Context: the software balloon any that may take a spinlock; with a host it may sleep. Nothing is
 * allocated.
 * Return: how many it gave back; less than @want when the others are isolated, locked, or not
 * there.
 */
unsigned long balloon_deflate(struct balloon *b, unsigned long want)
{
	unsigned long got;
	LIST_HEAD(pages);
	LIST_HEAD(blocks);

	got = balloon_store_take(b, &pages, &blocks, want);
	give_back(b, &pages, 0);
	give_back(b, &blocks, BALLOON_BLOCK_ORDER);
	return got;
}

/* Returns the jiffies until there is more to do, or -1 when the target is reached. */
static long resize_slice(struct balloon *b)
{
	unsigned long target = READ_ONCE(b->target), size = READ_ONCE(b->size), want;

	if (size == target)
		return -1;
	if (size < target) {
		want = balloon_floor_room(b, min(target - size, SLICE_PAGES));
		return want && balloon_inflate(b, want) == want ? 0 : NO_MEMORY_DELAY;
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

	if (delay != 0 || READ_ONCE(b->size) >= READ_ONCE(b->target))
		balloon_pages_free_landmarks(b);
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
 * Then all pages are on the list until balloon_release_isolation(). In the list of the kernel's own
 * balloon some may be isolated nevertheless, but none is moved.
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
	INIT_LIST_HEAD(&b->blocks);
	balloon_core_init(b);
	INIT_LIST_HEAD(&b->landmarks);
	b->min_free = balloon_floor_default();
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
	compat_movable_inode(b->inode);
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
	balloon_pages_free_landmarks(b);
	balloon_drain(b);
	ida_destroy(&b->serials);
	iput(b->inode);
}
