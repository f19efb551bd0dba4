// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/balloon-kvm, which hands out descriptors on all balloons, and the software balloon, whose
 * sysfs files that device has.
 *
 * Lock order: balloons_lock, nothing else.
 */
#include <linux/compat.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "balloon/balloon.h"
#include "balloon/balloon_kvm_ioctl.h"
#include "balloon/device.h"
#include "balloon/oom.h"
#include "balloon/pseudo_fs.h"

static LIST_HEAD(balloons); /* the oldest first */
static DEFINE_MUTEX(balloons_lock);

/* Returns the balloon of the device of that name, the oldest without a name, or NULL. */
static struct balloon *find_balloon(const char *name)
{
	struct balloon *b;

	list_for_each_entry(b, &balloons, link) {
		if (!name || !strcmp(dev_name(b->dev), name))
			return b;
	}
	return NULL;
}

static int open_balloon(const char *name)
{
	struct balloon *b;
	int fd = -ENODEV;

	mutex_lock(&balloons_lock);
	b = find_balloon(name);
	if (b)
		fd = balloon_fs_open(b->inode);
	mutex_unlock(&balloons_lock);
	return fd;
}

static int open_named_balloon(const struct balloon_kvm_name __user *argument)
{
	struct balloon_kvm_name name;

	if (copy_from_user(&name, argument, sizeof(name)))
		return -EFAULT;
	if (strnlen(name.device, sizeof(name.device)) == sizeof(name.device))
		return -EINVAL;
	return open_balloon(name.device);
}

static long balloon_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	switch (command) {
	case BALLOON_KVM_GET_FD:
		return open_balloon(NULL);
	case BALLOON_KVM_GET_FD_OF:
		return open_named_balloon((const struct balloon_kvm_name __user *)argument);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations device_operations = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = balloon_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "balloon-kvm",
	.fops = &device_operations,
};

static struct balloon software;
static bool has_software;

/**
 * balloon_of_device() - the balloon whose sysfs files a device has
 * @dev: the device; the driver data of any but the misc device is its balloon
 *
 * Return: the balloon.
 */
struct balloon *balloon_of_device(struct device *dev)
{
	void *data = dev_get_drvdata(dev);

	return data == &misc ? &software : data;
}

/**
 * balloon_announce() - make a balloon known to programs
 * @b: the balloon
 * @dev: its device, which has the sysfs group
 */
void balloon_announce(struct balloon *b, struct device *dev)
{
	b->dev = dev;
	balloon_notify_start(b);
	mutex_lock(&balloons_lock);
	list_add_tail(&b->link, &balloons);
	mutex_unlock(&balloons_lock);
}

/**
 * balloon_retract() - the opposite, before the device goes
 * @b: the balloon
 */
void balloon_retract(struct balloon *b)
{
	mutex_lock(&balloons_lock);
	list_del(&b->link);
	mutex_unlock(&balloons_lock);
}

/**
 * balloon_any() - is there a balloon?
 *
 * Return: whether one was announced and not retracted.
 */
bool balloon_any(void)
{
	bool any;

	mutex_lock(&balloons_lock);
	any = !list_empty(&balloons);
	mutex_unlock(&balloons_lock);
	return any;
}

static int software_init(bool check_content)
{
	int err = balloon_init(&software, NULL, check_content);

	if (err)
		return err;
	err = balloon_oom_register(&software);
	if (err)
		balloon_destroy(&software);
	return err;
}

static void software_destroy(void)
{
	balloon_oom_unregister(&software);
	balloon_destroy(&software);
	balloon_notify_stop(&software);
}

/**
 * balloon_device_register() - make /dev/balloon-kvm, and the software balloon if there is no other
 * @check_content: see balloon_init()
 *
 * Return: 0 or a negative error.
 */
int balloon_device_register(bool check_content)
{
	int err;

	has_software = !balloon_any();
	if (has_software) {
		err = software_init(check_content);
		if (err)
			return err;
		misc.groups = balloon_groups;
	}
	/* The sysfs files are there before this returns. */
	err = misc_register(&misc);
	if (err && has_software)
		software_destroy();
	if (!err && has_software)
		balloon_announce(&software, misc.this_device);
	return err;
}

/**
 * balloon_device_unregister() - remove the device and give the software balloon's pages back
 */
void balloon_device_unregister(void)
{
	if (has_software)
		balloon_retract(&software);
	/* After this nobody sets the target. */
	misc_deregister(&misc);
	if (has_software)
		software_destroy();
}
