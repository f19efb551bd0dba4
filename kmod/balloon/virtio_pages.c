// SPDX-License-Identifier: GPL-2.0
/*
 * Telling the host of pages. Several arrays of page numbers are on their way at a time: the guest
 * fills one while the host works at another, and many pages cost one notification.
 *
 * The interrupt takes back what the host has read, so an array gets free whatever those who wait
 * for one are doing. They may hold locks, page locks among them.
 *
 * Lock order: queue->lock only; it is taken in interrupts.
 */
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "balloon/virtio_pages.h"
#include "compat/virtio.h"

/* As large as the allocator is quick at; the host does not mind. */
#define NUMBERS_PER_ARRAY (PAGE_SIZE / sizeof(__virtio32))

/* The device counts in pages of 4 KiB. */
#define NUMBERS_PER_PAGE BIT(PAGE_SHIFT - VIRTIO_BALLOON_PFN_SHIFT)

/*
 * How many pages the host is told of together when they come one by one: enough that a message
 * costs little for each, few enough to look through for each.
 */
#define COLLECTED_NUMBERS (64 * NUMBERS_PER_PAGE)

/* A device that was taken away wakes nobody, so those who wait look for that this often. */
#define LOOK_INTERVAL HZ

static bool is_gone(struct page_queue *q)
{
	return !q->vq || virtqueue_is_broken(q->vq);
}

/* Under q->lock. Returns an empty array that is no longer free, or NULL. */
static struct page_array *take_free(struct page_queue *q, int state)
{
	struct page_array *array;

	for (array = q->arrays; array < q->arrays + q->used; array++) {
		if (array->state == PAGE_ARRAY_FREE) {
			array->state = state;
			array->count = 0;
			return array;
		}
	}
	return NULL;
}

/* Returns whether there was an array, to be filled. */
static bool try_claim(struct page_queue *q, struct page_array **array)
{
	unsigned long flags;

	spin_lock_irqsave(&q->lock, flags);
	*array = take_free(q, PAGE_ARRAY_CLAIMED);
	spin_unlock_irqrestore(&q->lock, flags);
	return *array;
}

/* Waits for an array; returns whether there was one, or else the device is gone. */
static bool claim(struct page_queue *q, struct page_array **array)
{
	while (!is_gone(q)) {
		if (wait_event_timeout(q->answered, try_claim(q, array), LOOK_INTERVAL))
			return true;
	}
	return false;
}

/*
 * Under q->lock. The array is the host's then, or free after an error. With *@notify the host wants
 * virtqueue_notify(), not under the lock: it may be at it for long when this is a call into it.
 */
static int submit_locked(struct page_queue *q, struct page_array *array, bool *notify)
{
	struct scatterlist sg;
	int err;

	sg_init_one(&sg, array->numbers, array->count * sizeof(*array->numbers));
	/* One entry takes no indirect descriptor, which would have to be allocated. */
	err = virtqueue_add_outbuf(q->vq, &sg, 1, array, GFP_ATOMIC);
	if (err) {
		array->state = PAGE_ARRAY_FREE;
		return err;
	}
	array->state = PAGE_ARRAY_TOLD;
	array->ticket = ++q->tickets;
	*notify = virtqueue_kick_prepare(q->vq);
	return 0;
}

static int submit(struct page_queue *q, struct page_array *array)
{
	unsigned long flags;
	bool notify = false;
	int err;

	spin_lock_irqsave(&q->lock, flags);
	err = submit_locked(q, array, &notify);
	spin_unlock_irqrestore(&q->lock, flags);
	if (notify)
		virtqueue_notify(q->vq);
	if (err)
		wake_up(&q->answered);
	return err;
}

/* Returns the first number that does not fit. */
static u32 fill(struct page_queue *q, struct page_array *array, u32 number, u32 end)
{
	while (number != end && array->count < NUMBERS_PER_ARRAY)
		array->numbers[array->count++] = cpu_to_virtio32(q->vq->vdev, number++);
	return number;
}

/* Adds 2^order pages to *@array, which is submitted and replaced when it is full. */
static int add_numbers(struct page_queue *q, struct page_array **array, struct page *page,
		       unsigned int order)
{
	u32 number = page_to_pfn(page) * NUMBERS_PER_PAGE;
	u32 end = number + (NUMBERS_PER_PAGE << order);

	while (number != end) {
		int err;

		if (!*array && !claim(q, array))
			return -EIO;
		number = fill(q, *array, number, end);
		if ((*array)->count < NUMBERS_PER_ARRAY)
			break;
		err = submit(q, *array);
		*array = NULL;
		if (err)
			return err;
	}
	return 0;
}

/**
 * page_queue_tell() - tell the host of pages
 * @q: the queue
 * @pages: linked by page->lru, each 2^@order pages
 * @order: their order
 *
 * It waits while too much is on its way already. The host may not have read it when it returns.
 *
 * Context: may sleep, allocates nothing.
 * Return: 0 or -EIO when the device is gone; the host may know of some pages then.
 */
int page_queue_tell(struct page_queue *q, struct list_head *pages, unsigned int order)
{
	struct page_array *array = NULL;
	struct page *page;

	list_for_each_entry(page, pages, lru) {
		int err = add_numbers(q, &array, page, order);

		if (err)
			return err;
	}
	return array ? submit(q, array) : 0;
}

static bool tells_of(struct page_queue *q, const struct page_array *array, struct page *page)
{
	__virtio32 number = cpu_to_virtio32(q->vq->vdev, page_to_pfn(page) * NUMBERS_PER_PAGE);
	unsigned int i;

	for (i = 0; i < array->count; i++) {
		if (array->numbers[i] == number)
			return true;
	}
	return false;
}

/* What became of a page that is to be collected. */
struct collected {
	bool notify; /* an array was full, and the host wants virtqueue_notify() */
	int err;
};

/* Returns whether there was an array for the page. */
static bool try_collect(struct page_queue *q, struct page *page, struct collected *done)
{
	u32 number = page_to_pfn(page) * NUMBERS_PER_PAGE;
	struct page_array *array;
	unsigned long flags;

	spin_lock_irqsave(&q->lock, flags);
	if (!q->collecting)
		q->collecting = take_free(q, PAGE_ARRAY_COLLECTING);
	array = q->collecting;
	if (array) {
		fill(q, array, number, number + NUMBERS_PER_PAGE);
		if (array->count >= COLLECTED_NUMBERS) {
			q->collecting = NULL;
			done->err = submit_locked(q, array, &done->notify);
		}
	}
	spin_unlock_irqrestore(&q->lock, flags);
	return array;
}

static bool wait_and_collect(struct page_queue *q, struct page *page, struct collected *done)
{
	while (!is_gone(q)) {
		if (wait_event_timeout(q->answered, try_collect(q, page, done), LOOK_INTERVAL))
			return true;
	}
	return false;
}

/**
 * page_queue_tell_later() - tell the host of one page, together with others that come
 * @q: the queue
 * @page: the page, on whatever list
 * @may_wait: wait while too much is on its way already
 *
 * The host is told when enough have come, when somebody waits for the page, or by
 * page_queue_tell_collected(), which the caller has to see to.
 *
 * Return: as page_queue_tell(), or -EAGAIN if it would have to wait.
 */
int page_queue_tell_later(struct page_queue *q, struct page *page, bool may_wait)
{
	struct collected done = {};

	if (is_gone(q))
		return -EIO;
	if (!try_collect(q, page, &done)) {
		if (!may_wait)
			return -EAGAIN;
		if (!wait_and_collect(q, page, &done))
			return -EIO;
	}
	if (done.notify)
		virtqueue_notify(q->vq);
	return done.err;
}

/* Only if the page is among them, if there is one. */
static void tell_collected(struct page_queue *q, struct page *page)
{
	unsigned long flags;
	bool notify = false;

	spin_lock_irqsave(&q->lock, flags);
	if (q->collecting && (!page || tells_of(q, q->collecting, page))) {
		submit_locked(q, q->collecting, &notify);
		q->collecting = NULL;
	}
	spin_unlock_irqrestore(&q->lock, flags);
	if (notify)
		virtqueue_notify(q->vq);
}

/**
 * page_queue_tell_collected() - tell the host of the pages that it was to be told of later
 * @q: the queue
 */
void page_queue_tell_collected(struct page_queue *q)
{
	if (!is_gone(q))
		tell_collected(q, NULL);
}

/* Of any page if @page is NULL. */
static bool on_its_way(struct page_queue *q, unsigned long ticket, struct page *page)
{
	bool found = false;
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&q->lock, flags);
	for (i = 0; i < q->used && !found; i++)
		found = q->arrays[i].state == PAGE_ARRAY_TOLD &&
			(long)(q->arrays[i].ticket - ticket) <= 0 &&
			(!page || tells_of(q, &q->arrays[i], page));
	spin_unlock_irqrestore(&q->lock, flags);
	return found;
}

/**
 * page_queue_wait() - wait until the host has read what it was told
 * @q: the queue
 * @page: of this page, or NULL: of all
 *
 * What it is told while this waits is not waited for, so it ends however busy others keep the
 * queue.
 *
 * Return: 0 or -EIO when the device is gone.
 */
int page_queue_wait(struct page_queue *q, struct page *page)
{
	unsigned long ticket;

	if (is_gone(q))
		return -EIO;
	tell_collected(q, page);
	ticket = READ_ONCE(q->tickets);
	while (!is_gone(q)) {
		if (wait_event_timeout(q->answered, !on_its_way(q, ticket, page), LOOK_INTERVAL))
			return 0;
	}
	return -EIO;
}

/**
 * page_queue_answered() - take back what the host has read
 * @q: the queue
 * @vq: its virtqueue, which interrupts
 */
void page_queue_answered(struct page_queue *q, struct virtqueue *vq)
{
	struct page_array *array;
	unsigned long flags;
	unsigned int length;

	spin_lock_irqsave(&q->lock, flags);
	while ((array = virtqueue_get_buf(vq, &length)))
		array->state = PAGE_ARRAY_FREE;
	spin_unlock_irqrestore(&q->lock, flags);
	wake_up_all(&q->answered);
}

/**
 * page_queue_init() - allocate the arrays
 * @q: the queue, zeroed
 *
 * Return: 0 or -ENOMEM.
 */
int page_queue_init(struct page_queue *q)
{
	unsigned int i;

	spin_lock_init(&q->lock);
	init_waitqueue_head(&q->answered);
	for (i = 0; i < PAGE_ARRAYS; i++) {
		q->arrays[i].numbers = kmalloc_array(NUMBERS_PER_ARRAY, sizeof(__virtio32),
						     GFP_KERNEL);
		if (!q->arrays[i].numbers) {
			page_queue_destroy(q);
			return -ENOMEM;
		}
	}
	return 0;
}

/**
 * page_queue_destroy() - free the arrays
 * @q: the queue, whose virtqueue is gone
 */
void page_queue_destroy(struct page_queue *q)
{
	unsigned int i;

	for (i = 0; i < PAGE_ARRAYS; i++)
		kfree(q->arrays[i].numbers);
}

/**
 * page_queue_start() - from now on the queue may be used
 * @q: the queue
 * @vq: its virtqueue, new and empty
 */
void page_queue_start(struct page_queue *q, struct virtqueue *vq)
{
	unsigned int i;

	q->collecting = NULL;
	q->used = min_t(unsigned int, virtqueue_get_vring_size(vq), PAGE_ARRAYS);
	/* The last one may have been deleted with arrays on their way. */
	for (i = 0; i < PAGE_ARRAYS; i++)
		q->arrays[i].state = PAGE_ARRAY_FREE;
	q->vq = vq;
}

/**
 * page_queue_stop() - the virtqueue is about to be deleted
 * @q: the queue, which nobody is using
 */
void page_queue_stop(struct page_queue *q)
{
	q->used = 0;
	q->vq = NULL;
}
