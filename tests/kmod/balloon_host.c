// SPDX-License-Identifier: GPL-2.0
/*
 * The other side of virtio's balloon: devices for a driver in the same machine. They show what QEMU
 * can't: several devices, MUST_TELL_HOST, a slow host, a device that is taken away.
 *
 *   insmod balloon_host.ko devices=2 features=0x3f
 *
 * All devices do the same; what they are to do is written to /sys/module/balloon_host/parameters/.
 *
 * They do to memory what a host does: a page that goes into the balloon loses its content. And they
 * watch the driver: a page that goes in twice, or comes out without being in, or is used while it
 * is in, or that is in when the driver lets the device go, is an error.
 *
 * Lock order: figures_lock, nothing else.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitmap.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pm.h>
#include <linux/slab.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>
#include <linux/workqueue.h>

#include "compat/virtio.h"

#define DEVICES_MAX 4
#define RING_ENTRIES 128
#define LOST_CONTENT 0xdb

enum role { INFLATE, DEFLATE, STATISTICS, HINTS, REPORTING, ROLES };

struct host_queue {
	struct virtqueue *vq;
	u16 seen; /* entries of the ring that were looked at */
};

struct host_device {
	struct virtio_device vdev;
	struct virtio_balloon_config config;
	struct host_queue queues[ROLES];
	struct workqueue_struct *workqueue;
	struct work_struct work;
	struct completion released;
	unsigned long *inside; /* a bit for each page that is in the balloon */
	u8 status;
	bool gone;
	bool asked; /* for statistics */
};

static struct host_device *hosts[DEVICES_MAX];
static struct device *root;
static unsigned long end_pfn; /* of the machine's memory */
/* All devices count in the same figures below, each in a thread of its own. */
static DEFINE_MUTEX(figures_lock);

static uint devices = 1;
module_param(devices, uint, 0444);
MODULE_PARM_DESC(devices, "how many there are (default: 1)");

static uint features;
module_param(features, uint, 0444);
MODULE_PARM_DESC(features, "what the devices offer, a bit each (default: none)");

static uint delay;
module_param(delay, uint, 0644);
MODULE_PARM_DESC(delay, "microseconds that the host takes for each buffer");

static ulong errors;
module_param(errors, ulong, 0444);
MODULE_PARM_DESC(errors, "what the driver has done wrong");

static ulong told_inflate, told_deflate, reported, hinted, statistics;
module_param(told_inflate, ulong, 0444);
MODULE_PARM_DESC(told_inflate, "pages that went into the balloons");
module_param(told_deflate, ulong, 0444);
MODULE_PARM_DESC(told_deflate, "pages that came out of the balloons");
module_param(reported, ulong, 0444);
MODULE_PARM_DESC(reported, "bytes that were reported free");
module_param(hinted, ulong, 0444);
MODULE_PARM_DESC(hinted, "bytes that were hinted free");
module_param(statistics, ulong, 0644);
MODULE_PARM_DESC(statistics, "tags of the statistics that came last, a bit each");

static struct host_device *host_of(struct virtio_device *vdev)
{
	return container_of(vdev, struct host_device, vdev);
}

static void wrong(unsigned long pfn, const char *what)
{
	errors++;
	pr_err_ratelimited("page 0x%lx %s\n", pfn, what);
}

static void page_goes_in(struct host_device *host, unsigned long pfn)
{
	told_inflate++;
	if (test_and_set_bit(pfn, host->inside))
		wrong(pfn, "goes into the balloon, where it is already");
	memset(pfn_to_kaddr(pfn), LOST_CONTENT, PAGE_SIZE);
}

static bool is_untouched(unsigned long pfn)
{
	u8 *content = pfn_to_kaddr(pfn);

	return content[0] == LOST_CONTENT && !memcmp(content, content + 1, PAGE_SIZE - 1);
}

/* Unless the host must be told first, the page may be anybody's by now. */
static void page_comes_out(struct host_device *host, unsigned long pfn)
{
	told_deflate++;
	if (!test_and_clear_bit(pfn, host->inside))
		wrong(pfn, "comes out of the balloon, where it is not");
	else if (virtio_has_feature(&host->vdev, VIRTIO_BALLOON_F_MUST_TELL_HOST) &&
		 !is_untouched(pfn))
		wrong(pfn, "was used before the host knew that it comes out of the balloon");
}

static void read_pages(struct host_device *host, enum role role, const __le32 *numbers,
		       unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		unsigned long pfn = le32_to_cpu(numbers[i]);

		if (pfn >= end_pfn || !pfn_valid(pfn))
			wrong(pfn, "is none");
		else if (role == INFLATE)
			page_goes_in(host, pfn);
		else
			page_comes_out(host, pfn);
	}
}

static void read_statistics(const struct virtio_balloon_stat *stats, unsigned int count)
{
	unsigned int i;

	statistics = 0;
	for (i = 0; i < count; i++)
		statistics |= BIT(le16_to_cpu((__force __le16)stats[i].tag));
}

static void read_buffer(struct host_device *host, enum role role, void *buffer,
			unsigned int length, bool for_writing)
{
	switch (role) {
	case INFLATE:
	case DEFLATE:
		read_pages(host, role, buffer, length / sizeof(__le32));
		break;
	case STATISTICS:
		read_statistics(buffer, length / sizeof(struct virtio_balloon_stat));
		break;
	case HINTS:
		/* Else it is a command id. */
		if (for_writing)
			hinted += length;
		break;
	default:
		reported += length;
	}
}

static unsigned int read_chain(struct host_device *host, enum role role)
{
	struct host_queue *q = &host->queues[role];
	const struct vring *ring = virtqueue_get_vring(q->vq);
	u16 head = le16_to_cpu((__force __le16)ring->avail->ring[q->seen % ring->num]);
	u16 at = head, flags;

	do {
		struct vring_desc *desc = &ring->desc[at];

		flags = le16_to_cpu((__force __le16)desc->flags);
		read_buffer(host, role, phys_to_virt(le64_to_cpu((__force __le64)desc->addr)),
			    le32_to_cpu((__force __le32)desc->len), flags & VRING_DESC_F_WRITE);
		at = le16_to_cpu((__force __le16)desc->next);
	} while (flags & VRING_DESC_F_NEXT);
	return head;
}

static void give_back(struct host_queue *q, unsigned int head)
{
	const struct vring *ring = virtqueue_get_vring(q->vq);
	u16 used = le16_to_cpu((__force __le16)ring->used->idx);

	ring->used->ring[used % ring->num].id = (__force __virtio32)cpu_to_le32(head);
	ring->used->ring[used % ring->num].len = 0;
	/* The entry before its number. */
	smp_wmb();
	ring->used->idx = (__force __virtio16)cpu_to_le16(used + 1);
	q->seen++;
	vring_interrupt(0, q->vq);
}

static bool has_buffer(struct host_queue *q)
{
	const struct vring *ring = q->vq ? virtqueue_get_vring(q->vq) : NULL;

	if (!ring || q->seen == le16_to_cpu((__force __le16)READ_ONCE(ring->avail->idx)))
		return false;
	/* The number before the entry. */
	smp_rmb();
	return true;
}

static void serve(struct host_device *host, enum role role)
{
	struct host_queue *q = &host->queues[role];

	while (!READ_ONCE(host->gone) && has_buffer(q)) {
		unsigned int head;

		mutex_lock(&figures_lock);
		head = read_chain(host, role);
		mutex_unlock(&figures_lock);
		/* The host keeps it until it wants new ones. */
		if (role == STATISTICS && !host->asked)
			break;
		if (role == STATISTICS)
			host->asked = false;
		if (delay)
			usleep_range(delay, delay + 100);
		give_back(q, head);
	}
}

static void host_work(struct work_struct *work)
{
	struct host_device *host = container_of(work, struct host_device, work);
	enum role role;

	for (role = 0; role < ROLES; role++)
		serve(host, role);
}

static bool host_notify(struct virtqueue *vq)
{
	struct host_device *host = host_of(vq->vdev);

	queue_work(host->workqueue, &host->work);
	return true;
}

static void host_get(struct virtio_device *vdev, unsigned int offset, void *buffer,
		     unsigned int length)
{
	memcpy(buffer, (void *)&host_of(vdev)->config + offset, length);
}

static void host_set(struct virtio_device *vdev, unsigned int offset, const void *buffer,
		     unsigned int length)
{
	memcpy((void *)&host_of(vdev)->config + offset, buffer, length);
}

static u8 host_get_status(struct virtio_device *vdev)
{
	return host_of(vdev)->status;
}

static void host_set_status(struct virtio_device *vdev, u8 status)
{
	host_of(vdev)->status = status;
}

static void host_reset(struct virtio_device *vdev)
{
	struct host_device *host = host_of(vdev);

	host->status = 0;
	cancel_work_sync(&host->work);
	mutex_lock(&figures_lock);
	if (!host->gone && !bitmap_empty(host->inside, end_pfn))
		wrong(find_first_bit(host->inside, end_pfn), "is in the balloon at the reset");
	mutex_unlock(&figures_lock);
	bitmap_zero(host->inside, end_pfn);
}

static void host_del_vqs(struct virtio_device *vdev)
{
	struct virtqueue *vq, *next;

	cancel_work_sync(&host_of(vdev)->work);
	memset(host_of(vdev)->queues, 0, sizeof(host_of(vdev)->queues));
	list_for_each_entry_safe(vq, next, &vdev->vqs, list)
		vring_del_virtqueue(vq);
}

/* Features decide which queues there are; they are numbered in this order, without gaps. */
static bool has_queue(struct virtio_device *vdev, enum role role)
{
	switch (role) {
	case STATISTICS:
		return virtio_has_feature(vdev, VIRTIO_BALLOON_F_STATS_VQ);
	case HINTS:
		return virtio_has_feature(vdev, VIRTIO_BALLOON_F_FREE_PAGE_HINT);
	case REPORTING:
		return virtio_has_feature(vdev, VIRTIO_BALLOON_F_REPORTING);
	default:
		return role < ROLES;
	}
}

/* What virtio_pci of 6.12 oopses of when it deletes the queues. */
static void wanted_a_gap(void)
{
	mutex_lock(&figures_lock);
	errors++;
	mutex_unlock(&figures_lock);
	pr_err("a queue is wanted that the device does not have\n");
}

static int host_find_vqs(COMPAT_FIND_VQS_PARAMETERS)
{
	struct host_device *host = host_of(vdev);
	unsigned int i, number = 0;
	enum role role = 0;

	for (i = 0; i < count; i++) {
		vqs[i] = NULL;
		if (!compat_wanted_name(i)) {
			wanted_a_gap();
			continue;
		}
		while (role < ROLES && !has_queue(vdev, role))
			role++;
		if (role == ROLES) {
			host_del_vqs(vdev);
			return -EINVAL;
		}
		vqs[i] = vring_create_virtqueue(number++, RING_ENTRIES, PAGE_SIZE, vdev, true,
						false, false, host_notify,
						compat_wanted_callback(i), compat_wanted_name(i));
		if (!vqs[i]) {
			host_del_vqs(vdev);
			return -ENOMEM;
		}
		host->queues[role++] = (struct host_queue){ .vq = vqs[i] };
	}
	return 0;
}

static u64 host_get_features(struct virtio_device *vdev)
{
	return features | BIT_ULL(VIRTIO_F_VERSION_1);
}

static int host_finalize_features(struct virtio_device *vdev)
{
	vring_transport_features(vdev);
	return 0;
}

static const char *host_bus_name(struct virtio_device *vdev)
{
	return KBUILD_MODNAME;
}

static const struct virtio_config_ops host_config = {
	.get = host_get,
	.set = host_set,
	.get_status = host_get_status,
	.set_status = host_set_status,
	.reset = host_reset,
	.find_vqs = host_find_vqs,
	.del_vqs = host_del_vqs,
	.get_features = host_get_features,
	.finalize_features = host_finalize_features,
	.bus_name = host_bus_name,
};

static void change_config(size_t offset, u32 value)
{
	unsigned int i;

	for (i = 0; i < DEVICES_MAX; i++) {
		if (!hosts[i])
			continue;
		*(__le32 *)((void *)&hosts[i]->config + offset) = cpu_to_le32(value);
		virtio_config_changed(&hosts[i]->vdev);
	}
}

static int set_target(const char *text, const struct kernel_param *unused)
{
	u32 pages;
	int err = kstrtou32(text, 10, &pages);

	if (!err)
		change_config(offsetof(struct virtio_balloon_config, num_pages), pages);
	return err;
}

static int get_actual(char *buffer, const struct kernel_param *unused)
{
	unsigned int i;
	int length = 0;

	for (i = 0; i < DEVICES_MAX; i++) {
		if (hosts[i])
			length += sysfs_emit_at(buffer, length, "%u\n",
						le32_to_cpu(hosts[i]->config.actual));
	}
	return length;
}

static const struct kernel_param_ops target_ops = { .set = set_target, .get = get_actual };
module_param_cb(target, &target_ops, NULL, 0644);
MODULE_PARM_DESC(target, "written: pages that each balloon is to have; read: those that they have");

static int get_poison(char *buffer, const struct kernel_param *unused)
{
	return sysfs_emit(buffer, "%x\n", le32_to_cpu(hosts[0]->config.poison_val));
}

static const struct kernel_param_ops poison_ops = { .get = get_poison };
module_param_cb(poison, &poison_ops, NULL, 0444);
MODULE_PARM_DESC(poison, "what freed memory holds, as the first device was told");

static int set_hint_id(const char *text, const struct kernel_param *unused)
{
	u32 id;
	int err = kstrtou32(text, 10, &id);

	if (!err)
		change_config(offsetof(struct virtio_balloon_config, free_page_hint_cmd_id), id);
	return err;
}

static const struct kernel_param_ops hint_ops = { .set = set_hint_id };
module_param_cb(hint_id, &hint_ops, NULL, 0200);
MODULE_PARM_DESC(hint_id, "0: stop hinting, 1: done, others: begin");

static int ask_statistics(const char *text, const struct kernel_param *unused)
{
	unsigned int i;

	for (i = 0; i < DEVICES_MAX; i++) {
		if (!hosts[i])
			continue;
		hosts[i]->asked = true;
		queue_work(hosts[i]->workqueue, &hosts[i]->work);
	}
	return 0;
}

static const struct kernel_param_ops ask_ops = { .set = ask_statistics };
module_param_cb(ask_statistics, &ask_ops, NULL, 0200);
MODULE_PARM_DESC(ask_statistics, "written: the devices ask for statistics");

/* As a transport does when its device is no longer there: nothing is answered from now on. */
static int vanish(const char *text, const struct kernel_param *unused)
{
	unsigned int i;

	for (i = 0; i < DEVICES_MAX; i++) {
		if (!hosts[i])
			continue;
		WRITE_ONCE(hosts[i]->gone, true);
		cancel_work_sync(&hosts[i]->work);
		virtio_break_device(&hosts[i]->vdev);
	}
	return 0;
}

static const struct kernel_param_ops vanish_ops = { .set = vanish };
module_param_cb(vanish, &vanish_ops, NULL, 0200);
MODULE_PARM_DESC(vanish, "written: the devices are gone; unloading tells the driver");

static void host_released(struct device *dev)
{
	complete(&host_of(dev_to_virtio(dev))->released);
}

/* A transport does so when the machine goes to sleep and wakes. */
static int host_suspend(struct device *dev)
{
	return virtio_device_freeze(dev_to_virtio(dev));
}

static int host_resume(struct device *dev)
{
	return virtio_device_restore(dev_to_virtio(dev));
}

static struct dev_pm_domain sleep = {
	.ops = { SET_SYSTEM_SLEEP_PM_OPS(host_suspend, host_resume) },
};

static void free_host(struct host_device *host)
{
	if (host->workqueue)
		destroy_workqueue(host->workqueue);
	kvfree(host->inside);
	kfree(host);
}

static struct host_device *make_host(void)
{
	struct host_device *host = kzalloc(sizeof(*host), GFP_KERNEL);

	if (!host)
		return NULL;
	INIT_WORK(&host->work, host_work);
	init_completion(&host->released);
	host->vdev.id.device = VIRTIO_ID_BALLOON;
	host->vdev.config = &host_config;
	host->vdev.dev.parent = root;
	host->vdev.dev.release = host_released;
	host->vdev.dev.pm_domain = &sleep;
	/* A driver that gives pages back since there is no memory waits for it. */
	host->workqueue = alloc_ordered_workqueue("balloon-host", WQ_MEM_RECLAIM);
	host->inside = kvcalloc(BITS_TO_LONGS(end_pfn), sizeof(long), GFP_KERNEL);
	if (host->workqueue && host->inside)
		return host;
	free_host(host);
	return NULL;
}

static void remove_hosts(void)
{
	unsigned int i;

	for (i = 0; i < DEVICES_MAX && hosts[i]; i++) {
		unregister_virtio_device(&hosts[i]->vdev);
		wait_for_completion(&hosts[i]->released);
		free_host(hosts[i]);
		hosts[i] = NULL;
	}
	root_device_unregister(root);
}

static int add_host(unsigned int i)
{
	struct host_device *host = make_host();
	int err;

	if (!host)
		return -ENOMEM;
	err = register_virtio_device(&host->vdev);
	if (err) {
		put_device(&host->vdev.dev);
		wait_for_completion(&host->released);
		free_host(host);
		return err;
	}
	hosts[i] = host;
	return 0;
}

static int __init balloon_host_init(void)
{
	unsigned int i;
	int node, err = 0;

	if (!devices || devices > DEVICES_MAX)
		return -EINVAL;
	for_each_online_node(node)
		end_pfn = max(end_pfn, node_end_pfn(node));
	root = root_device_register(KBUILD_MODNAME);
	if (IS_ERR(root))
		return PTR_ERR(root);
	for (i = 0; i < devices && !err; i++)
		err = add_host(i);
	if (err)
		remove_hosts();
	return err;
}

static void __exit balloon_host_exit(void)
{
	remove_hosts();
}

module_init(balloon_host_init);
module_exit(balloon_host_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("test aid: the host's side of virtio balloons");
