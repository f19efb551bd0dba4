/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The balloon: pages that were taken from the machine's own use, and the target that its size
 * follows.
 */
#ifndef BALLOON_KVM_BALLOON_H
#define BALLOON_KVM_BALLOON_H

#include <linux/idr.h>
#include <linux/list.h>
#include <linux/migrate_mode.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "compat/core.h"

struct balloon;
struct device;
struct inode;
struct kernfs_node;
struct page;

/**
 * struct balloon_counters - what happened since the balloon was made, in pages
 * @inflated: pages that were put into the balloon
 * @deflated: pages that were given back
 * @isolated: pages that the kernel took off the list in order to migrate them
 * @migrated: isolated pages that were replaced by another page
 * @putback: isolated pages that came back unmoved
 * @inflate_failed: how often there was no memory for a page that was wanted; it is tried again
 * @min_free_stops: how often inflation stopped because it would have left too little to the machine
 * @huge_fallback: how often there was no block to be had and single pages were taken
 * @huge_split: blocks that became single pages
 * @content_errors: damaged, doubled and missing serial numbers, see content.c
 */
struct balloon_counters {
	unsigned long inflated;
	unsigned long deflated;
	unsigned long isolated;
	unsigned long migrated;
	unsigned long putback;
	unsigned long inflate_failed;
	unsigned long min_free_stops;
	unsigned long huge_fallback;
	unsigned long huge_split;
	unsigned long content_errors;
};

/**
 * struct balloon_host_ops - how the host that gets a balloon's memory is told of pages
 * @inflate: these pages go into the balloon. It may return before the host has read that.
 * @inflate_wait: returns when the host has read all that @inflate told it. Only then may pages
 *	become movable. An error says that the host can't be told any more: the pages are still the
 *	caller's, to be freed.
 * @deflate: these pages leave the balloon; they may be freed when it returns. A host that is gone
 *	is no error.
 * @migrate: @src is replaced by @dst; the caller holds both page locks. -EAGAIN: not now; any
 *	other outcome than 0 has told the host nothing as well.
 * @size_changed: the balloon's size has changed, or is about to stay what it is for a while
 *
 * A list holds pages that are linked by page->lru and are all of the same order (0, or that of a
 * 2 MiB block). The page store tells the host of pages before they become movable, and after they
 * have ceased to be: no lock is held then, only @migrate has the two page locks.
 *
 * All of them may sleep, for as long as the host takes. None allocates memory or waits for anybody
 * who does, for the OOM notifier deflates as well. A host that is gone keeps nobody waiting.
 */
struct balloon_host_ops {
	int (*inflate)(struct balloon *b, struct list_head *pages, unsigned int order);
	int (*inflate_wait)(struct balloon *b);
	void (*deflate)(struct balloon *b, struct list_head *pages, unsigned int order);
	int (*migrate)(struct balloon *b, struct page *dst, struct page *src,
		       enum migrate_mode mode);
	void (*size_changed)(struct balloon *b);
};

/**
 * struct balloon - one balloon; all numbers are in pages
 * @lock: protects all up to @counters; what is only shown is read without it
 * @pages: the single pages, linked by page->lru, without those that are isolated
 * @blocks: the blocks of BALLOON_BLOCK_ORDER, linked by their first pages
 * @size: how many pages there are, isolated ones and those of blocks included
 * @huge_now: how many blocks there are
 * @target: the size that the worker is to reach
 * @isolated_now: how many are isolated at the moment; of those in @core how many are migrated
 * @isolation_held: no page may be isolated for now
 * @stopped: inflation has stopped at @min_free
 * @in_core: how many single pages the kernel's own balloon has for us, see core.h
 * @core: its list of them
 * @counters: what happened until now
 * @landmarks: pages that were put aside during inflation, see pages.c; the worker's
 * @min_free: inflation leaves the machine so much
 * @isolation_over: woken when @isolated_now falls to 0
 * @resize: the worker that brings @size to @target, a slice of pages at a time
 * @workqueue: where it runs
 * @notified: when it last told of a new size (jiffies)
 * @oom: gives memory back when the machine is about to kill a process for it
 * @inode: the balloon's file in the pseudo file system
 * @dev: the device whose sysfs group it has; NULL until then
 * @link: in the list of all balloons
 * @size_pages_file: the device's sysfs file of that name, for those who poll it; NULL until then
 * @size_bytes_file: likewise
 * @host: who gets the memory and sets the target; NULL for the software balloon
 * @stays_managed: pages in the balloon stay part of MemTotal, since they come back when it runs out
 * @check_content: pages are filled with serial numbers that are checked
 * @serials: the serial numbers in use
 * @check: one check of all pages at a time
 */
struct balloon {
	spinlock_t lock; /* protects all up to counters */
	struct list_head pages;
	struct list_head blocks;
	unsigned long size;
	unsigned long huge_now;
	unsigned long target;
	unsigned long isolated_now;
	bool isolation_held;
	bool stopped;
	unsigned long in_core;
	struct compat_core core;
	struct balloon_counters counters;

	struct list_head landmarks;
	unsigned long min_free;
	wait_queue_head_t isolation_over;
	struct delayed_work resize;
	struct workqueue_struct *workqueue;
	unsigned long notified;
	struct notifier_block oom;
	struct inode *inode;
	struct device *dev;
	struct list_head link;
	struct kernfs_node *size_pages_file;
	struct kernfs_node *size_bytes_file;

	const struct balloon_host_ops *host;
	bool stays_managed;
	bool check_content;
	struct ida serials;
	struct mutex check; /* one check of all pages at a time */
};

int balloon_init(struct balloon *b, const struct balloon_host_ops *host, bool check_content);
void balloon_destroy(struct balloon *b);
void balloon_drain(struct balloon *b);

unsigned long balloon_inflate(struct balloon *b, unsigned long want);
unsigned long balloon_deflate(struct balloon *b, unsigned long want);
int balloon_set_target(struct balloon *b, unsigned long pages);
void balloon_follow_target(struct balloon *b, unsigned long pages);
void balloon_size_changed(struct balloon *b);

void balloon_hold_isolation(struct balloon *b);
void balloon_release_isolation(struct balloon *b);

#endif
