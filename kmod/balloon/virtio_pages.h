/* SPDX-License-Identifier: GPL-2.0 */
/* A virtqueue that tells the host of pages: which go into the balloon, or which leave it. */
#ifndef BALLOON_KVM_VIRTIO_PAGES_H
#define BALLOON_KVM_VIRTIO_PAGES_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/virtio_types.h>
#include <linux/wait.h>

struct page;
struct virtqueue;

/* How much the host may be behind. */
#define PAGE_ARRAYS 8

/**
 * struct page_array - numbers of pages that the host reads in one go
 * @numbers: of pages of 4 KiB, whatever the guest's page size
 * @count: how many
 * @ticket: when it was told, see struct page_queue
 * @state: whose it is
 */
struct page_array {
	__virtio32 *numbers;
	unsigned int count;
	unsigned long ticket;
	enum {
		PAGE_ARRAY_FREE,
		PAGE_ARRAY_CLAIMED,
		PAGE_ARRAY_COLLECTING, /* see page_queue_tell_later() */
		PAGE_ARRAY_TOLD,
	} state;
};

/**
 * struct page_queue - a virtqueue with several arrays on the way to the host
 * @vq: the virtqueue, NULL while there is none
 * @lock: protects the arrays, @tickets, @collecting and @vq; taken in interrupts
 * @answered: woken when the host has read arrays
 * @arrays: those that there are
 * @used: how many of them the virtqueue can hold
 * @tickets: the last ticket that an array got: they count up
 * @collecting: the array of those pages that the host is told of later, or NULL
 */
struct page_queue {
	struct virtqueue *vq;
	spinlock_t lock; /* protects all below, and vq */
	wait_queue_head_t answered;
	struct page_array arrays[PAGE_ARRAYS];
	unsigned int used;
	unsigned long tickets;
	struct page_array *collecting;
};

int page_queue_init(struct page_queue *q);
void page_queue_destroy(struct page_queue *q);
void page_queue_start(struct page_queue *q, struct virtqueue *vq);
void page_queue_stop(struct page_queue *q);
void page_queue_answered(struct page_queue *q, struct virtqueue *vq);

int page_queue_tell(struct page_queue *q, struct list_head *pages, unsigned int order);
int page_queue_tell_later(struct page_queue *q, struct page *page, bool may_wait);
void page_queue_tell_collected(struct page_queue *q);
int page_queue_wait(struct page_queue *q, struct page *page);

#endif
