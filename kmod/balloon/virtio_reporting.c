// SPDX-License-Identifier: GPL-2.0
/*
 * Free page reporting: the kernel takes free blocks out of use for a moment and reports them, the
 * host drops what they hold.
 *
 * No locks: the kernel makes one report at a time.
 */
#include <linux/mm.h>
#include <linux/scatterlist.h>

#include "balloon/virtio.h"

/* A device that was taken away wakes nobody, so the report looks for that this often. */
#define LOOK_INTERVAL HZ

/* Returns when the host has dropped the blocks: they are used again then. */
static int report(struct page_reporting_dev_info *info, struct scatterlist *sg, unsigned int count)
{
	struct virtio_reporting *reporting = container_of(info, struct virtio_reporting, info);
	struct virtqueue *vq = reporting->vq;
	unsigned int length;
	int err;

	if (!vq)
		return -ENODEV;
	err = virtqueue_add_inbuf(vq, sg, count, reporting, GFP_NOWAIT | __GFP_NOWARN);
	if (err)
		return err;
	virtqueue_kick(vq);
	while (!virtqueue_is_broken(vq)) {
		if (wait_event_timeout(reporting->answered, virtqueue_get_buf(vq, &length),
				       LOOK_INTERVAL))
			return 0;
	}
	return -EIO;
}

/**
 * virtio_reporting_answered() - the host has taken a report
 * @vq: the reporting queue
 */
void virtio_reporting_answered(struct virtqueue *vq)
{
	struct virtio_balloon *vb = vq->vdev->priv;

	wake_up(&vb->reporting.answered);
}

/**
 * virtio_reporting_start() - from now on the kernel reports free pages, if the host wants that
 * @vb: the balloon, whose device is ready
 *
 * Only one device can have reports. A second one works without.
 *
 * Return: 0 or a negative error.
 */
int virtio_reporting_start(struct virtio_balloon *vb)
{
	struct virtio_reporting *reporting = &vb->reporting;
	int err;

	if (!reporting->vq)
		return 0;
	/* A report must fit, since it can't wait for room. */
	if (virtqueue_get_vring_size(reporting->vq) < PAGE_REPORTING_CAPACITY) {
		dev_err(&vb->vdev->dev, "the queue for free page reporting holds %u entries, not %u\n",
			virtqueue_get_vring_size(reporting->vq), PAGE_REPORTING_CAPACITY);
		return -ENOSPC;
	}
	reporting->info.report = report;
	err = page_reporting_register(&reporting->info);
	if (err == -EBUSY) {
		dev_notice(&vb->vdev->dev, "free pages are reported to another device already, not to this one\n");
		return 0;
	}
	reporting->registered = !err;
	return err;
}

/**
 * virtio_reporting_stop() - no report is made any more; waits for the one that is
 * @vb: the balloon
 */
void virtio_reporting_stop(struct virtio_balloon *vb)
{
	if (vb->reporting.registered)
		page_reporting_unregister(&vb->reporting.info);
	vb->reporting.registered = false;
}
