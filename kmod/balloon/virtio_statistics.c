// SPDX-License-Identifier: GPL-2.0
/*
 * The statistics queue of the virtio balloon. It works the other way round: the guest leaves a
 * buffer with figures there, the host gives it back when it wants new ones.
 *
 * Lock order: statistics->lock only; it is taken in interrupts.
 */
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/swap.h>
#include <linux/vmstat.h>

#include "balloon/virtio.h"

struct figures {
	struct virtio_balloon *vb;
	unsigned int count;
};

static void add(struct figures *figures, u16 tag, u64 value)
{
	struct virtio_device *vdev = figures->vb->vdev;
	struct virtio_balloon_stat *stat = &figures->vb->statistics.buffer[figures->count++];

	stat->tag = cpu_to_virtio16(vdev, tag);
	stat->val = cpu_to_virtio64(vdev, value);
}

static void add_bytes(struct figures *figures, u16 tag, u64 pages)
{
	add(figures, tag, pages << PAGE_SHIFT);
}

#ifdef CONFIG_VM_EVENT_COUNTERS
static u64 allocation_stalls(const unsigned long *events)
{
	u64 stalls = 0;
	int zone;

	for (zone = 0; zone < MAX_NR_ZONES; zone++)
		stalls += events[ALLOCSTALL_NORMAL - ZONE_NORMAL + zone];
	return stalls;
}

static void add_events(struct figures *figures)
{
	unsigned long events[NR_VM_EVENT_ITEMS];

	all_vm_events(events);
	add_bytes(figures, VIRTIO_BALLOON_S_SWAP_IN, events[PSWPIN]);
	add_bytes(figures, VIRTIO_BALLOON_S_SWAP_OUT, events[PSWPOUT]);
	add(figures, VIRTIO_BALLOON_S_MAJFLT, events[PGMAJFAULT]);
	add(figures, VIRTIO_BALLOON_S_MINFLT, events[PGFAULT]);
	add(figures, VIRTIO_BALLOON_S_OOM_KILL, events[OOM_KILL]);
	add(figures, VIRTIO_BALLOON_S_ALLOC_STALL, allocation_stalls(events));
	add_bytes(figures, VIRTIO_BALLOON_S_ASYNC_SCAN, events[PGSCAN_KSWAPD]);
	add_bytes(figures, VIRTIO_BALLOON_S_DIRECT_SCAN, events[PGSCAN_DIRECT]);
	add_bytes(figures, VIRTIO_BALLOON_S_ASYNC_RECLAIM, events[PGSTEAL_KSWAPD]);
	add_bytes(figures, VIRTIO_BALLOON_S_DIRECT_RECLAIM, events[PGSTEAL_DIRECT]);
#ifdef CONFIG_HUGETLB_PAGE
	add(figures, VIRTIO_BALLOON_S_HTLB_PGALLOC, events[HTLB_BUDDY_PGALLOC]);
	add(figures, VIRTIO_BALLOON_S_HTLB_PGFAIL, events[HTLB_BUDDY_PGALLOC_FAIL]);
#endif
}
#else
static void add_events(struct figures *figures)
{
}
#endif

/* Returns how many figures there are. */
static unsigned int fill_buffer(struct virtio_balloon *vb)
{
	struct figures figures = { .vb = vb };
	struct sysinfo memory;

	si_meminfo(&memory);
	add_events(&figures);
	add_bytes(&figures, VIRTIO_BALLOON_S_MEMFREE, memory.freeram);
	add_bytes(&figures, VIRTIO_BALLOON_S_MEMTOT, memory.totalram);
	add_bytes(&figures, VIRTIO_BALLOON_S_AVAIL, si_mem_available());
	add_bytes(&figures, VIRTIO_BALLOON_S_CACHES, global_node_page_state(NR_FILE_PAGES));
	return figures.count;
}

static int send(struct virtio_balloon *vb)
{
	struct virtio_statistics *s = &vb->statistics;
	struct scatterlist sg;
	int err;

	sg_init_one(&sg, s->buffer, fill_buffer(vb) * sizeof(s->buffer[0]));
	err = virtqueue_add_outbuf(s->vq, &sg, 1, vb, GFP_KERNEL);
	if (!err)
		virtqueue_kick(s->vq);
	return err;
}

/* While the host has the buffer there is nothing to do, as after a restore. */
static void send_again(struct work_struct *work)
{
	struct virtio_balloon *vb = container_of(work, struct virtio_balloon, statistics.work);
	unsigned int length;

	if (vb->statistics.vq && virtqueue_get_buf(vb->statistics.vq, &length))
		send(vb);
}

/**
 * virtio_statistics_requested() - the host wants new figures
 * @vq: the statistics queue
 *
 * Context: interrupt.
 */
void virtio_statistics_requested(struct virtqueue *vq)
{
	struct virtio_balloon *vb = vq->vdev->priv;
	unsigned long flags;

	spin_lock_irqsave(&vb->statistics.lock, flags);
	if (!vb->statistics.stopped)
		queue_work(system_freezable_wq, &vb->statistics.work);
	spin_unlock_irqrestore(&vb->statistics.lock, flags);
}

/**
 * virtio_statistics_init() - make requests possible
 * @vb: the balloon
 */
void virtio_statistics_init(struct virtio_balloon *vb)
{
	spin_lock_init(&vb->statistics.lock);
	INIT_WORK(&vb->statistics.work, send_again);
}

/**
 * virtio_statistics_start() - leave the first buffer with the host
 * @vb: the balloon, whose device is ready
 *
 * Return: 0 or a negative error.
 */
int virtio_statistics_start(struct virtio_balloon *vb)
{
	if (!vb->statistics.vq)
		return 0;
	/* A restore that failed has stopped it. */
	vb->statistics.stopped = false;
	return send(vb);
}

/**
 * virtio_statistics_stop() - answer no request any more
 * @vb: the balloon
 */
void virtio_statistics_stop(struct virtio_balloon *vb)
{
	spin_lock_irq(&vb->statistics.lock);
	vb->statistics.stopped = true;
	spin_unlock_irq(&vb->statistics.lock);
	cancel_work_sync(&vb->statistics.work);
}
