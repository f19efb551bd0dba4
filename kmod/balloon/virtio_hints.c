// SPDX-License-Identifier: GPL-2.0
/*
 * Hints of free pages: a host that migrates the guest need not copy them. The guest takes all free
 * blocks out of use and hints at each; it gives them back when the host is done, or earlier when
 * memory is short. It may do so at any time, even before the host has read the hint: what is
 * written to a block after the host began is copied all the same.
 *
 * The host writes a command id to the device: start hinting under this id, stop, done (the blocks
 * may be given back).
 *
 * Lock order: hints->lock only.
 */
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>

#include "balloon/virtio.h"
#include "compat/mmzone.h"

#define BLOCK_ORDER COMPAT_MAX_PAGE_ORDER
#define BLOCK_PAGES BIT(BLOCK_ORDER)

/* What is free and no more: no reclaim, no reserves. */
#define BLOCK_GFP (__GFP_NORETRY | __GFP_NOWARN | __GFP_NOMEMALLOC)

static u32 read_id(struct virtio_balloon *vb)
{
	struct virtio_hints *hints = &vb->hints;

	if (test_and_clear_bit(0, &hints->id_changed))
		virtio_cread_le(vb->vdev, struct virtio_balloon_config, free_page_hint_cmd_id,
				&hints->id);
	return hints->id;
}

static void forget_read(struct virtqueue *vq)
{
	unsigned int length;

	while (virtqueue_get_buf(vq, &length))
		;
}

/* Start or stop: one entry of the queue is always left for it. */
static int send_id(struct virtio_hints *hints, __virtio32 *id)
{
	struct scatterlist sg;
	int err;

	forget_read(hints->vq);
	sg_init_one(&sg, id, sizeof(*id));
	err = virtqueue_add_outbuf(hints->vq, &sg, 1, id, GFP_KERNEL);
	if (!err)
		virtqueue_kick(hints->vq);
	return err;
}

static void keep(struct virtio_hints *hints, struct page *block)
{
	spin_lock(&hints->lock);
	list_add(&block->lru, &hints->blocks);
	hints->count++;
	spin_unlock(&hints->lock);
}

/* Returns how many blocks were given back. */
static unsigned long give_back(struct virtio_hints *hints, unsigned long want)
{
	unsigned long got = 0;

	spin_lock(&hints->lock);
	while (got < want && !list_empty(&hints->blocks)) {
		struct page *block = list_first_entry(&hints->blocks, struct page, lru);

		list_del(&block->lru);
		__free_pages(block, BLOCK_ORDER);
		hints->count--;
		got++;
	}
	spin_unlock(&hints->lock);
	return got;
}

/* Returns 0, -ENOMEM when no block is free, or another negative error. */
static int hint_block(struct virtio_hints *hints)
{
	struct page *block = alloc_pages(BLOCK_GFP, BLOCK_ORDER);
	struct scatterlist sg;
	int err;

	if (!block)
		return -ENOMEM;
	sg_init_one(&sg, page_address(block), PAGE_SIZE << BLOCK_ORDER);
	err = virtqueue_add_inbuf(hints->vq, &sg, 1, block, GFP_KERNEL);
	if (err) {
		__free_pages(block, BLOCK_ORDER);
		return err;
	}
	virtqueue_kick(hints->vq);
	keep(hints, block);
	return 0;
}

/* Until memory is used up or the host has said something new. */
static int hint_blocks(struct virtio_balloon *vb, u32 id)
{
	struct virtio_hints *hints = &vb->hints;
	int err = 0;

	while (!err && read_id(vb) == id && !READ_ONCE(hints->stopped)) {
		if (hints->vq->num_free <= 1)
			forget_read(hints->vq);
		if (hints->vq->num_free > 1) {
			err = hint_block(hints);
		} else if (virtqueue_is_broken(hints->vq)) {
			err = -EIO;
		} else {
			/* The host is behind. */
			usleep_range(1000, 2000);
		}
		cond_resched();
	}
	return err == -ENOMEM ? 0 : err;
}

static void hint(struct virtio_balloon *vb, u32 id)
{
	struct virtio_hints *hints = &vb->hints;
	int err;

	hints->start = cpu_to_virtio32(vb->vdev, id);
	err = send_id(hints, &hints->start);
	if (!err)
		err = hint_blocks(vb, id);
	if (!err)
		err = send_id(hints, &hints->stop);
	if (err)
		dev_err(&vb->vdev->dev, "the host could not be given hints of free pages: error %d\n",
			err);
}

static void follow_host(struct work_struct *work)
{
	struct virtio_balloon *vb = container_of(work, struct virtio_balloon, hints.work);
	struct virtio_hints *hints = &vb->hints;
	u32 id;

	if (!hints->vq)
		return;
	id = read_id(vb);
	if (id == VIRTIO_BALLOON_CMD_ID_DONE)
		give_back(hints, ULONG_MAX);
	else if (id != VIRTIO_BALLOON_CMD_ID_STOP && id != virtio32_to_cpu(vb->vdev, hints->start))
		hint(vb, id);
}

/**
 * virtio_hints_changed() - the host may have written a new command id
 * @vb: the balloon
 *
 * Context: interrupt.
 */
void virtio_hints_changed(struct virtio_balloon *vb)
{
	if (!vb->hints.vq)
		return;
	set_bit(0, &vb->hints.id_changed);
	queue_work(vb->hints.workqueue, &vb->hints.work);
}

static unsigned long count_pages(struct shrinker *shrinker, struct shrink_control *sc)
{
	struct virtio_hints *hints = compat_shrinker_owner(shrinker);

	return READ_ONCE(hints->count) * BLOCK_PAGES;
}

static unsigned long free_pages_of_hints(struct shrinker *shrinker, struct shrink_control *sc)
{
	struct virtio_hints *hints = compat_shrinker_owner(shrinker);

	return give_back(hints, DIV_ROUND_UP(sc->nr_to_scan, BLOCK_PAGES)) * BLOCK_PAGES;
}

/**
 * virtio_hints_init() - make hints possible
 * @vb: the balloon
 *
 * Return: 0 or a negative error.
 */
int virtio_hints_init(struct virtio_balloon *vb)
{
	struct virtio_hints *hints = &vb->hints;
	int err;

	if (!virtio_has_feature(vb->vdev, VIRTIO_BALLOON_F_FREE_PAGE_HINT))
		return 0;
	spin_lock_init(&hints->lock);
	INIT_LIST_HEAD(&hints->blocks);
	INIT_WORK(&hints->work, follow_host);
	/* It may allocate all memory at one go: others should run beside it. */
	hints->workqueue = alloc_workqueue("balloon-kvm-hints", WQ_UNBOUND | WQ_FREEZABLE, 0);
	if (!hints->workqueue)
		return -ENOMEM;
	err = compat_shrinker_register(&hints->shrinker, "balloon-kvm-hints", hints, count_pages,
				       free_pages_of_hints);
	if (err)
		destroy_workqueue(hints->workqueue);
	return err;
}

/**
 * virtio_hints_start() - forget what a device said before it was reset
 * @vb: the balloon
 */
void virtio_hints_start(struct virtio_balloon *vb)
{
	vb->hints.id = VIRTIO_BALLOON_CMD_ID_STOP;
	vb->hints.start = cpu_to_virtio32(vb->vdev, VIRTIO_BALLOON_CMD_ID_STOP);
	vb->hints.stop = cpu_to_virtio32(vb->vdev, VIRTIO_BALLOON_CMD_ID_STOP);
}

/**
 * virtio_hints_take_back() - blocks that were hinted are free again
 * @vb: the balloon
 */
void virtio_hints_take_back(struct virtio_balloon *vb)
{
	if (vb->hints.workqueue)
		give_back(&vb->hints, ULONG_MAX);
}

/**
 * virtio_hints_destroy() - hint no more and give all blocks back
 * @vb: the balloon; the host does not write command ids any more
 */
void virtio_hints_destroy(struct virtio_balloon *vb)
{
	if (!vb->hints.workqueue)
		return;
	WRITE_ONCE(vb->hints.stopped, true);
	compat_shrinker_unregister(&vb->hints.shrinker);
	destroy_workqueue(vb->hints.workqueue);
	give_back(&vb->hints, ULONG_MAX);
}
