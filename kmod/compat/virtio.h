/* SPDX-License-Identifier: GPL-2.0 */
/* linux/virtio*.h as the balloon needs it. */
#ifndef BALLAST_COMPAT_VIRTIO_H
#define BALLAST_COMPAT_VIRTIO_H

#include <linux/virtio.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>

/* A queue that the device may have. */
struct compat_virtqueue {
	const char *name; /* NULL: it is not wanted */
	vq_callback_t *callback;
};

#define COMPAT_VIRTQUEUES_MAX 8

#ifndef COMPAT_HAS_VIRTQUEUE_INFO
static inline int compat_virtio_find_vqs(struct virtio_device *vdev, unsigned int count,
					 struct virtqueue *vqs[],
					 const struct compat_virtqueue wanted[])
{
	vq_callback_t *callbacks[COMPAT_VIRTQUEUES_MAX];
	const char *names[COMPAT_VIRTQUEUES_MAX];
	unsigned int i;

	for (i = 0; i < count; i++) {
		callbacks[i] = wanted[i].callback;
		names[i] = wanted[i].name;
	}
	return virtio_find_vqs(vdev, count, vqs, callbacks, names, NULL);
}

/* What a transport's find_vqs() gets, and how it reads what is wanted of its i-th queue. */
#define COMPAT_FIND_VQS_PARAMETERS						\
	struct virtio_device *vdev, unsigned int count, struct virtqueue *vqs[],	\
	vq_callback_t *callbacks[], const char *const names[], const bool *ctx,	\
	struct irq_affinity *affinity
#define compat_wanted_name(i) (names[i])
#define compat_wanted_callback(i) (callbacks[i])
#else
static inline int compat_virtio_find_vqs(struct virtio_device *vdev, unsigned int count,
					 struct virtqueue *vqs[],
					 const struct compat_virtqueue wanted[])
{
	struct virtqueue_info info[COMPAT_VIRTQUEUES_MAX] = {};
	unsigned int i;

	for (i = 0; i < count; i++) {
		info[i].name = wanted[i].name;
		info[i].callback = wanted[i].callback;
	}
	return virtio_find_vqs(vdev, count, vqs, info, NULL);
}

#define COMPAT_FIND_VQS_PARAMETERS						\
	struct virtio_device *vdev, unsigned int count, struct virtqueue *vqs[],	\
	struct virtqueue_info wanted[], struct irq_affinity *affinity
#define compat_wanted_name(i) (wanted[i].name)
#define compat_wanted_callback(i) (wanted[i].callback)
#endif

#ifndef COMPAT_HAS_VIRTIO_RESET_DEVICE
static inline void virtio_reset_device(struct virtio_device *vdev)
{
	vdev->config->reset(vdev);
}
#endif

/* Statistics that the kernel's own driver has since 6.11. */
#ifndef VIRTIO_BALLOON_S_OOM_KILL
#define VIRTIO_BALLOON_S_OOM_KILL	10
#define VIRTIO_BALLOON_S_ALLOC_STALL	11
#define VIRTIO_BALLOON_S_ASYNC_SCAN	12
#define VIRTIO_BALLOON_S_DIRECT_SCAN	13
#define VIRTIO_BALLOON_S_ASYNC_RECLAIM	14
#define VIRTIO_BALLOON_S_DIRECT_RECLAIM	15
#endif

#endif
