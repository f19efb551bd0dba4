/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /dev/balloon-kvm, the software balloon, the sysfs files that every balloon has, and what they
 * need of each other.
 */
#ifndef BALLOON_KVM_DEVICE_H
#define BALLOON_KVM_DEVICE_H

#include <linux/sysfs.h>

struct balloon;
struct device;

int balloon_device_register(bool check_content);
void balloon_device_unregister(void);

struct balloon *balloon_of_device(struct device *dev);
void balloon_announce(struct balloon *b, struct device *dev);
void balloon_retract(struct balloon *b);
bool balloon_any(void);

extern const struct attribute_group *balloon_groups[];
void balloon_notify_start(struct balloon *b);
void balloon_notify_stop(struct balloon *b);
void balloon_notify_size(struct balloon *b);

#endif
