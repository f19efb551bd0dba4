/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The virtio balloon: the driver of the memory balloon device (id 5) of the virtio specification,
 * 5.5. Its balloon's memory goes to the host, which sets the target.
 */
#ifndef BALLOON_KVM_VIRTIO_H
#define BALLOON_KVM_VIRTIO_H

#include <linux/kconfig.h>

#if IS_ENABLED(CONFIG_VIRTIO)

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/page_reporting.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "balloon/balloon.h"
#include "balloon/virtio_pages.h"
#include "compat/shrinker.h"
#include "compat/virtio.h"

/* As many as the kernel's own driver has in 6.12. */
#define VIRTIO_STATISTICS 16

/**
 * struct virtio_statistics - figures of the guest's memory, sent when the host asks for them
 * @vq: holds one buffer, which the host gives back when it wants new figures; NULL if it wants none
 * @work: sends the figures
 * @lock: protects @stopped; taken in interrupts
 * @stopped: @work may not be queued any more
 * @buffer: the figures
 */
struct virtio_statistics {
	struct virtqueue *vq;
	struct work_struct work;
	spinlock_t lock; /* protects stopped */
	bool stopped;
	struct virtio_balloon_stat buffer[VIRTIO_STATISTICS];
};

/**
 * struct virtio_hints - hints of free pages, which a host that migrates the guest need not copy
 * @vq: takes the blocks, between a start and a stop; NULL if the host wants no hints
 * @workqueue: where @work runs
 * @work: starts, goes on or ends as the host says
 * @id_changed: the host has written a new command id, not read yet
 * @id: the command id that was read last
 * @start: the command id that hints were last sent under, as the device reads it
 * @stop: the stop sign, as the device reads it
 * @stopped: the device is about to go, hint no more
 * @lock: protects @blocks and @count
 * @blocks: free memory that was hinted and is kept from use until the host is done
 * @count: how many there are
 * @shrinker: gives them back before that when memory is short
 */
struct virtio_hints {
	struct virtqueue *vq;
	struct workqueue_struct *workqueue;
	struct work_struct work;
	unsigned long id_changed; /* bit 0 */
	u32 id;
	__virtio32 start;
	__virtio32 stop;
	bool stopped;
	spinlock_t lock; /* protects blocks, count */
	struct list_head blocks;
	unsigned long count;
	struct compat_shrinker shrinker;
};

/**
 * struct virtio_reporting - free page reporting: the host drops what the guest does not use
 * @vq: takes the reports; NULL if the host wants none
 * @info: what the kernel calls
 * @answered: woken when the host has taken a report
 * @registered: the kernel calls
 */
struct virtio_reporting {
	struct virtqueue *vq;
	struct page_reporting_dev_info info;
	wait_queue_head_t answered;
	bool registered;
};

/**
 * struct virtio_balloon - a balloon and its device
 * @balloon: the balloon
 * @vdev: its device
 * @inflate: tells of pages that go into the balloon
 * @deflate: tells of pages that leave it
 * @read_target: sets the balloon's target to what the device says
 * @migrations: tells the host of the last few pages that were migrated
 * @actual_lock: one at a time writes the size to the device
 * @has_queues: the device works; not between freeze and restore, nor after a failed restore
 * @statistics: the statistics queue
 * @hints: free page hints
 * @reporting: free page reporting
 */
struct virtio_balloon {
	struct balloon balloon;
	struct virtio_device *vdev;
	struct page_queue inflate;
	struct page_queue deflate;
	struct work_struct read_target;
	struct delayed_work migrations;
	struct mutex actual_lock; /* one writes the size at a time */
	bool has_queues;
	struct virtio_statistics statistics;
	struct virtio_hints hints;
	struct virtio_reporting reporting;
};

void virtio_statistics_init(struct virtio_balloon *vb);
int virtio_statistics_start(struct virtio_balloon *vb);
void virtio_statistics_requested(struct virtqueue *vq);
void virtio_statistics_stop(struct virtio_balloon *vb);

int virtio_hints_init(struct virtio_balloon *vb);
void virtio_hints_start(struct virtio_balloon *vb);
void virtio_hints_changed(struct virtio_balloon *vb);
void virtio_hints_take_back(struct virtio_balloon *vb);
void virtio_hints_destroy(struct virtio_balloon *vb);

int virtio_reporting_start(struct virtio_balloon *vb);
void virtio_reporting_answered(struct virtqueue *vq);
void virtio_reporting_stop(struct virtio_balloon *vb);

int balloon_virtio_register(void);
void balloon_virtio_tell_others(void);
void balloon_virtio_unregister(void);

#else

static inline int balloon_virtio_register(void)
{
	return 0;
}

static inline void balloon_virtio_tell_others(void)
{
}

static inline void balloon_virtio_unregister(void)
{
}

#endif
#endif
