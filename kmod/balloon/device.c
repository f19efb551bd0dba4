// SPDX-License-Identifier: GPL-2.0
/* The software balloon: a misc device whose sysfs files set the balloon's size. */
#include <linux/compat.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "balloon/balloon.h"
#include "balloon/balloon_kvm_ioctl.h"
#include "balloon/device.h"
#include "balloon/oom.h"
#include "balloon/pseudo_fs.h"

struct software_balloon {
	struct balloon balloon;
	struct miscdevice misc;
};

/* An open file's private_data is the misc device. */
static long balloon_ioctl(struct file *file, unsigned int command, unsigned long unused)
{
	struct software_balloon *software =
		container_of(file->private_data, struct software_balloon, misc);

	if (command != BALLOON_KVM_GET_FD)
		return -ENOTTY;
	return balloon_fs_open(software->balloon.inode);
}

static const struct file_operations device_operations = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = balloon_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct software_balloon software_balloon = {
	.misc = {
		.minor = MISC_DYNAMIC_MINOR,
		.name = "balloon-kvm",
		.fops = &device_operations,
		.groups = balloon_groups,
	},
};

/**
 * balloon_of_device() - the balloon whose sysfs files a device has
 * @dev: the device
 *
 * Return: the balloon.
 */
struct balloon *balloon_of_device(struct device *dev)
{
	struct software_balloon *software =
		container_of(dev_get_drvdata(dev), struct software_balloon, misc);

	return &software->balloon;
}

/**
 * balloon_device_register() - make the software balloon and its device
 * @check_content: see balloon_init()
 *
 * Return: 0 or a negative error.
 */
int balloon_device_register(bool check_content)
{
	struct balloon *b = &software_balloon.balloon;
	int err;

	err = balloon_init(b, check_content);
	if (err)
		return err;
	err = balloon_oom_register(b);
	if (err)
		goto destroy;
	/* The sysfs files are there before this returns. */
	err = misc_register(&software_balloon.misc);
	if (err)
		goto unregister_oom;
	balloon_notify_start(b, software_balloon.misc.this_device);
	return 0;

unregister_oom:
	balloon_oom_unregister(b);
destroy:
	balloon_destroy(b);
	return err;
}

/**
 * balloon_device_unregister() - remove the device and give the balloon's pages back
 */
void balloon_device_unregister(void)
{
	struct balloon *b = &software_balloon.balloon;

	/* After this nobody sets the target. */
	misc_deregister(&software_balloon.misc);
	balloon_oom_unregister(b);
	balloon_destroy(b);
	balloon_notify_stop(b);
}
