/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The balloon: pages that were taken from the machine's own use, and the target that its size
 * follows.
 */
#ifndef BALLOON_KVM_BALLOON_H
#define BALLOON_KVM_BALLOON_H

#include <linux/idr.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

struct inode;
struct kernfs_node;

/**
 * struct balloon_counters - what happened since the balloon was made, in pages
 * @inflated: pages that were put into the balloon
 * @deflated: pages that were given back
 * @isolated: pages that the kernel took off the list in order to migrate them
 * @migrated: isolated pages that were replaced by another page
 * @putback: isolated pages that came back unmoved
 * @inflate_failed: how often there was no memory for a page that was wanted; it is tried again
 * @content_errors: damaged, doubled and missing serial numbers, see content.c
 */
struct balloon_counters {
	unsigned long inflated;
	unsigned long deflated;
	unsigned long isolated;
	unsigned long migrated;
	unsigned long putback;
	unsigned long inflate_failed;
	unsigned long content_errors;
};

/**
 * struct balloon - one balloon; all numbers are in pages
 * @lock: protects all up to @counters; what is only shown is read without it
 * @pages: the pages, linked by page->lru, without those that are isolated
 * @size: how many there are, isolated ones included
 * @target: the size that the worker is to reach
 * @isolated_now: how many are isolated at the moment
 * @isolation_held: no page may be isolated for now
 * @counters: what happened until now
 * @isolation_over: woken when @isolated_now falls to 0
 * @resize: the worker that brings @size to @target, a slice of pages at a time
 * @workqueue: where it runs
 * @notified: when it last told of a new size (jiffies)
 * @oom: gives memory back when the machine is about to kill a process for it
 * @inode: the balloon's file in the pseudo file system
 * @size_pages_file: the device's sysfs file of that name, for those who poll it; NULL until then
 * @size_bytes_file: likewise
 * @check_content: pages are filled with serial numbers that are checked
 * @serials: the serial numbers in use
 * @check: one check of all pages at a time
 */
struct balloon {
	spinlock_t lock; /* protects all up to counters */
	struct list_head pages;
	unsigned long size;
	unsigned long target;
	unsigned long isolated_now;
	bool isolation_held;
	struct balloon_counters counters;

	wait_queue_head_t isolation_over;
	struct delayed_work resize;
	struct workqueue_struct *workqueue;
	unsigned long notified;
	struct notifier_block oom;
	struct inode *inode;
	struct kernfs_node *size_pages_file;
	struct kernfs_node *size_bytes_file;

	bool check_content;
	struct ida serials;
	struct mutex check; /* one check of all pages at a time */
};

int balloon_init(struct balloon *b, bool check_content);
void balloon_destroy(struct balloon *b);

unsigned long balloon_inflate(struct balloon *b, unsigned long want);
unsigned long balloon_deflate(struct balloon *b, unsigned long want);
int balloon_set_target(struct balloon *b, unsigned long pages);

void balloon_hold_isolation(struct balloon *b);
void balloon_release_isolation(struct balloon *b);

#endif
