// SPDX-License-Identifier: GPL-2.0
/*
 * The driver of virtio's memory balloon: its devices come and go, sleep and wake. Each has a
 * balloon whose target is the host's.
 *
 * Lock order:
 *   page locks, when a page is migrated
 *     queue->lock
 *   vb->actual_lock, alone
 *   a device's lock, alone, to see who its driver is
 * None of them is held while memory is allocated.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/poison.h>
#include <linux/slab.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>

#include "balloon/balloon.h"
#include "balloon/device.h"
#include "balloon/oom.h"
#include "balloon/virtio.h"

/* The device counts in pages of 4 KiB. */
#define NUMBERS_PER_PAGE BIT(PAGE_SHIFT - VIRTIO_BALLOON_PFN_SHIFT)

static struct virtio_balloon *virtio_of(struct balloon *b)
{
	return container_of(b, struct virtio_balloon, balloon);
}

/*
 * The host reads the two queues independently of each other, and a page that it believes in the
 * balloon loses its content. So before a page goes in, the host has read all that went out, and the
 * other way round: it can't take an old message for the newer one.
 */
static int tell_inflate(struct balloon *b, struct list_head *pages, unsigned int order)
{
	struct virtio_balloon *vb = virtio_of(b);

	return page_queue_wait(&vb->deflate, NULL) ?: page_queue_tell(&vb->inflate, pages, order);
}

static int wait_inflate(struct balloon *b)
{
	return page_queue_wait(&virtio_of(b)->inflate, NULL);
}

/* Until the host has read it, it may want the pages to stay unused. */
static void wait_deflate(struct virtio_balloon *vb, struct page *page)
{
	if (virtio_has_feature(vb->vdev, VIRTIO_BALLOON_F_MUST_TELL_HOST))
		page_queue_wait(&vb->deflate, page);
}

static void tell_deflate(struct balloon *b, struct list_head *pages, unsigned int order)
{
	struct virtio_balloon *vb = virtio_of(b);

	if (page_queue_wait(&vb->inflate, NULL) || page_queue_tell(&vb->deflate, pages, order))
		return;
	wait_deflate(vb, NULL);
}

/* How long the host may hear nothing of migrations, too few to be worth a message. */
#define MIGRATIONS_DELAY (HZ / 20)

static void tell_migrations(struct work_struct *work)
{
	struct virtio_balloon *vb =
		container_of(to_delayed_work(work), struct virtio_balloon, migrations);

	page_queue_tell_collected(&vb->inflate);
	page_queue_tell_collected(&vb->deflate);
}

/*
 * Only what the host was told of the same pages matters: many migrations are on their way to it at
 * a time, and it is told of several at once. A host that must be told first of what leaves the
 * balloon gets a message each. Where the device is gone there is nobody to tell, and pages move as
 * they like.
 */
static int tell_migrate(struct balloon *b, struct page *dst, struct page *src,
			enum migrate_mode mode)
{
	struct virtio_balloon *vb = virtio_of(b);
	int err;

	if (page_queue_wait(&vb->deflate, dst))
		return 0;
	err = page_queue_tell_later(&vb->inflate, dst, mode != MIGRATE_ASYNC);
	if (err)
		return err == -EAGAIN ? err : 0;
	if (page_queue_wait(&vb->inflate, src) || page_queue_tell_later(&vb->deflate, src, true))
		return 0;
	queue_delayed_work(system_wq, &vb->migrations, MIGRATIONS_DELAY);
	wait_deflate(vb, src);
	return 0;
}

static void tell_size(struct balloon *b)
{
	struct virtio_balloon *vb = virtio_of(b);
	u32 actual;

	mutex_lock(&vb->actual_lock);
	actual = READ_ONCE(b->size) * NUMBERS_PER_PAGE;
	virtio_cwrite_le(vb->vdev, struct virtio_balloon_config, actual, &actual);
	mutex_unlock(&vb->actual_lock);
}

static const struct balloon_host_ops host_ops = {
	.inflate = tell_inflate,
	.inflate_wait = wait_inflate,
	.deflate = tell_deflate,
	.migrate = tell_migrate,
	.size_changed = tell_size,
};

static void read_target(struct work_struct *work)
{
	struct virtio_balloon *vb = container_of(work, struct virtio_balloon, read_target);
	u32 numbers;

	virtio_cread_le(vb->vdev, struct virtio_balloon_config, num_pages, &numbers);
	balloon_follow_target(&vb->balloon, DIV_ROUND_UP(numbers, NUMBERS_PER_PAGE));
}

static void virtio_balloon_changed(struct virtio_device *vdev)
{
	struct virtio_balloon *vb = vdev->priv;

	queue_work(vb->balloon.workqueue, &vb->read_target);
	virtio_hints_changed(vb);
}

static void inflate_answered(struct virtqueue *vq)
{
	struct virtio_balloon *vb = vq->vdev->priv;

	page_queue_answered(&vb->inflate, vq);
}

static void deflate_answered(struct virtqueue *vq)
{
	struct virtio_balloon *vb = vq->vdev->priv;

	page_queue_answered(&vb->deflate, vq);
}

#define QUEUES_MAX 5

/* The queues that a device has, and where the driver wants them. */
struct wanted_queues {
	struct compat_virtqueue queues[QUEUES_MAX];
	struct virtqueue **places[QUEUES_MAX];
	unsigned int count;
};

static void want(struct wanted_queues *wanted, const char *name, vq_callback_t *callback,
		 struct virtqueue **place)
{
	wanted->queues[wanted->count] = (struct compat_virtqueue){ name, callback };
	wanted->places[wanted->count++] = place;
}

/*
 * None is named that the device doesn't have, as the kernel's own driver does: virtio_pci of 6.12
 * doesn't find those behind such a gap when it deletes them, and oopses.
 */
static int find_queues(struct virtio_balloon *vb)
{
	struct virtio_device *vdev = vb->vdev;
	struct virtqueue *vqs[QUEUES_MAX], *inflate, *deflate;
	struct wanted_queues wanted = {};
	unsigned int i;
	int err;

	want(&wanted, "inflate", inflate_answered, &inflate);
	want(&wanted, "deflate", deflate_answered, &deflate);
	if (virtio_has_feature(vdev, VIRTIO_BALLOON_F_STATS_VQ))
		want(&wanted, "stats", virtio_statistics_requested, &vb->statistics.vq);
	if (virtio_has_feature(vdev, VIRTIO_BALLOON_F_FREE_PAGE_HINT))
		want(&wanted, "free_page_vq", NULL, &vb->hints.vq);
	if (virtio_has_feature(vdev, VIRTIO_BALLOON_F_REPORTING))
		want(&wanted, "reporting_vq", virtio_reporting_answered, &vb->reporting.vq);

	err = compat_virtio_find_vqs(vdev, wanted.count, vqs, wanted.queues);
	if (err)
		return err;
	for (i = 0; i < wanted.count; i++)
		*wanted.places[i] = vqs[i];
	page_queue_start(&vb->inflate, inflate);
	page_queue_start(&vb->deflate, deflate);
	vb->has_queues = true;
	return 0;
}

/*
 * The balloon is empty: nobody uses its queues any more. Without them, after a restore that failed,
 * the device still has to be reset.
 */
static void delete_queues(struct virtio_balloon *vb)
{
	cancel_delayed_work_sync(&vb->migrations);
	page_queue_wait(&vb->deflate, NULL);
	virtio_reset_device(vb->vdev);
	if (!vb->has_queues)
		return;
	vb->has_queues = false;
	page_queue_stop(&vb->inflate);
	page_queue_stop(&vb->deflate);
	vb->statistics.vq = NULL;
	vb->hints.vq = NULL;
	vb->reporting.vq = NULL;
	vb->vdev->config->del_vqs(vb->vdev);
}

/*
 * What the guest writes to freed pages, 0 if it clears them, so that the host gives pages back with
 * that content. One byte repeated has no byte order.
 */
static void tell_poison(struct virtio_balloon *vb)
{
	u32 poison = 0;

	if (!virtio_has_feature(vb->vdev, VIRTIO_BALLOON_F_PAGE_POISON))
		return;
	if (!want_init_on_free())
		memset(&poison, PAGE_POISON, sizeof(poison));
	virtio_cwrite_le(vb->vdev, struct virtio_balloon_config, poison_val, &poison);
}

static int start_device(struct virtio_balloon *vb)
{
	int err = find_queues(vb);

	if (err)
		return err;
	if (vb->hints.vq && virtqueue_get_vring_size(vb->hints.vq) < 2) {
		dev_err(&vb->vdev->dev, "the queue for free page hints holds no more than the command\n");
		return -ENOSPC;
	}
	virtio_hints_start(vb);
	tell_poison(vb);
	virtio_device_ready(vb->vdev);
	return virtio_statistics_start(vb);
}

static int start_oom(struct virtio_balloon *vb)
{
	if (!virtio_has_feature(vb->vdev, VIRTIO_BALLOON_F_DEFLATE_ON_OOM))
		return 0;
	vb->balloon.stays_managed = true;
	return balloon_oom_register(&vb->balloon);
}

/* Also after a start that failed, or without one. */
static void stop_oom(struct virtio_balloon *vb)
{
	if (virtio_has_feature(vb->vdev, VIRTIO_BALLOON_F_DEFLATE_ON_OOM))
		balloon_oom_unregister(&vb->balloon);
}

/* From now on the kernel leaves the device alone, and the host's questions get no answer. */
static void stop_calls(struct virtio_balloon *vb)
{
	virtio_reporting_stop(vb);
	stop_oom(vb);
	virtio_statistics_stop(vb);
}

/* The balloon is empty. Also after a start that failed, or stopped half-way. */
static void stop(struct virtio_balloon *vb)
{
	stop_calls(vb);
	delete_queues(vb);
}

/*
 * Makes the device work, when it is new and after a restore; then the kernel may use it of its own
 * accord.
 */
static int start(struct virtio_balloon *vb)
{
	int err = start_device(vb) ?: start_oom(vb) ?: virtio_reporting_start(vb);

	if (err)
		stop(vb);
	return err;
}

static struct virtio_balloon *allocate(struct virtio_device *vdev)
{
	struct virtio_balloon *vb = kzalloc(sizeof(*vb), GFP_KERNEL);

	if (!vb)
		return NULL;
	vb->vdev = vdev;
	vdev->priv = vb;
	dev_set_drvdata(&vdev->dev, &vb->balloon);
	INIT_WORK(&vb->read_target, read_target);
	INIT_DELAYED_WORK(&vb->migrations, tell_migrations);
	mutex_init(&vb->actual_lock);
	init_waitqueue_head(&vb->reporting.answered);
	virtio_statistics_init(vb);
	return vb;
}

static int virtio_balloon_probe(struct virtio_device *vdev)
{
	struct virtio_balloon *vb;
	int err;

	if (!vdev->config->get) {
		dev_err(&vdev->dev, "the device's configuration can't be read\n");
		return -EINVAL;
	}
	vb = allocate(vdev);
	if (!vb)
		return -ENOMEM;
	err = balloon_init(&vb->balloon, &host_ops, false);
	if (err)
		goto free;
	err = page_queue_init(&vb->inflate);
	if (err)
		goto destroy_balloon;
	err = page_queue_init(&vb->deflate);
	if (err)
		goto destroy_inflate;
	err = virtio_hints_init(vb);
	if (err)
		goto destroy_deflate;
	err = start(vb);
	if (err)
		goto destroy_hints;
	err = device_add_groups(&vdev->dev, balloon_groups);
	if (err)
		goto stop;
	balloon_announce(&vb->balloon, &vdev->dev);
	/* What the host set before this is no change. */
	virtio_balloon_changed(vdev);
	return 0;

stop:
	stop(vb);
destroy_hints:
	virtio_hints_destroy(vb);
destroy_deflate:
	page_queue_destroy(&vb->deflate);
destroy_inflate:
	page_queue_destroy(&vb->inflate);
destroy_balloon:
	balloon_destroy(&vb->balloon);
free:
	kfree(vb);
	return err;
}

/* The core reports no change of the device's configuration any more. */
static void virtio_balloon_remove(struct virtio_device *vdev)
{
	struct virtio_balloon *vb = vdev->priv;

	balloon_retract(&vb->balloon);
	device_remove_groups(&vdev->dev, balloon_groups);
	stop_calls(vb);
	virtio_hints_destroy(vb);
	cancel_work_sync(&vb->read_target);
	balloon_destroy(&vb->balloon);
	tell_size(&vb->balloon);
	delete_queues(vb);
	page_queue_destroy(&vb->deflate);
	page_queue_destroy(&vb->inflate);
	balloon_notify_stop(&vb->balloon);
	kfree(vb);
}

#ifdef CONFIG_PM_SLEEP
/*
 * All work of ours is frozen, but not that which reports free pages, nor those who run out of them.
 * The device forgets all that it was told, so the guest takes its pages back first.
 */
static int virtio_balloon_freeze(struct virtio_device *vdev)
{
	struct virtio_balloon *vb = vdev->priv;

	stop_calls(vb);
	balloon_drain(&vb->balloon);
	tell_size(&vb->balloon);
	virtio_hints_take_back(vb);
	delete_queues(vb);
	return 0;
}

static int virtio_balloon_restore(struct virtio_device *vdev)
{
	struct virtio_balloon *vb = vdev->priv;
	int err = start(vb);

	if (err) {
		dev_err(&vdev->dev, "the balloon stays empty, its device does not work after the sleep: error %d\n",
			err);
		return err;
	}
	balloon_release_isolation(&vb->balloon);
	tell_size(&vb->balloon);
	virtio_balloon_changed(vdev);
	return 0;
}
#endif

/*
 * Free pages that the host drops read as zeros later. A guest that poisons or clears what it frees
 * relies on their content, so it must be able to tell the host, or go without.
 */
static int virtio_balloon_validate(struct virtio_device *vdev)
{
	if (!want_init_on_free() && !page_poisoning_enabled())
		__virtio_clear_bit(vdev, VIRTIO_BALLOON_F_PAGE_POISON);
	else if (!virtio_has_feature(vdev, VIRTIO_BALLOON_F_PAGE_POISON))
		__virtio_clear_bit(vdev, VIRTIO_BALLOON_F_REPORTING);

	/* They would have to be allocated when free pages are reported. */
	__virtio_clear_bit(vdev, VIRTIO_RING_F_INDIRECT_DESC);
	/* The device gets page numbers, which no IOMMU translates. */
	__virtio_clear_bit(vdev, VIRTIO_F_ACCESS_PLATFORM);
	return 0;
}

static const struct virtio_device_id id_table[] = {
	{ VIRTIO_ID_BALLOON, VIRTIO_DEV_ANY_ID },
	{ },
};
MODULE_DEVICE_TABLE(virtio, id_table);

static unsigned int features[] = {
	VIRTIO_BALLOON_F_MUST_TELL_HOST,
	VIRTIO_BALLOON_F_STATS_VQ,
	VIRTIO_BALLOON_F_DEFLATE_ON_OOM,
	VIRTIO_BALLOON_F_FREE_PAGE_HINT,
	VIRTIO_BALLOON_F_PAGE_POISON,
	VIRTIO_BALLOON_F_REPORTING,
};

static struct virtio_driver driver = {
	.feature_table = features,
	.feature_table_size = ARRAY_SIZE(features),
	.driver = {
		.name = KBUILD_MODNAME,
		.owner = THIS_MODULE,
		/* Whether there is a device decides whether there is the software balloon. */
		.probe_type = PROBE_FORCE_SYNCHRONOUS,
	},
	.id_table = id_table,
	.validate = virtio_balloon_validate,
	.probe = virtio_balloon_probe,
	.remove = virtio_balloon_remove,
	.config_changed = virtio_balloon_changed,
#ifdef CONFIG_PM_SLEEP
	.freeze = virtio_balloon_freeze,
	.restore = virtio_balloon_restore,
#endif
};

static int tell_if_others(struct device *dev, void *unused)
{
	bool others;

	/* Or the driver might be unbound, and gone, meanwhile. */
	device_lock(dev);
	others = dev->driver && dev->driver != &driver.driver;
	if (others && dev_to_virtio(dev)->id.device == VIRTIO_ID_BALLOON)
		pr_notice("%s belongs to %s and is left alone; unbind it there and bind it to %s to hand it over\n",
			  dev_name(dev), dev->driver->name, driver.driver.name);
	device_unlock(dev);
	return 0;
}

/**
 * balloon_virtio_tell_others() - say which balloon devices another driver has
 */
void balloon_virtio_tell_others(void)
{
	bus_for_each_dev(driver.driver.bus, NULL, NULL, tell_if_others);
}

/**
 * balloon_virtio_register() - take the balloon devices that there are and will be
 *
 * Return: 0 or a negative error.
 */
int balloon_virtio_register(void)
{
	return register_virtio_driver(&driver);
}

/**
 * balloon_virtio_unregister() - let go of all devices
 */
void balloon_virtio_unregister(void)
{
	unregister_virtio_driver(&driver);
}
