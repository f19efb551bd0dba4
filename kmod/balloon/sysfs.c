// SPDX-License-Identifier: GPL-2.0
/* The sysfs group `balloon` of a balloon's device: the target, the size, and the counters. */
#include <linux/ctype.h>
#include <linux/device.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "balloon/balloon.h"
#include "balloon/content.h"
#include "balloon/core.h"
#include "balloon/device.h"
#include "balloon/movable.h"

/* Decimal digits with one of K, M, G after them or none; a newline may follow. */
static int parse_bytes(const char *text, u64 *bytes)
{
	char digits[sizeof("18446744073709551615")];
	size_t length = strspn(text, "0123456789");
	unsigned int shift = 0;
	u64 number;

	if (!length)
		return -EINVAL;
	if (length >= sizeof(digits))
		return -ERANGE;
	strscpy(digits, text, length + 1);
	text += length;

	switch (toupper(*text)) {
	case 'G':
		shift += 10;
		fallthrough;
	case 'M':
		shift += 10;
		fallthrough;
	case 'K':
		shift += 10;
		text++;
	}
	if (!sysfs_streq(text, ""))
		return -EINVAL;
	if (kstrtou64(digits, 10, &number) || number > U64_MAX >> shift)
		return -ERANGE;
	*bytes = number << shift;
	return 0;
}

static ssize_t show_bytes(char *buf, unsigned long pages)
{
	return sysfs_emit(buf, "%llu\n", (u64)pages << PAGE_SHIFT);
}

static ssize_t target_bytes_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return show_bytes(buf, READ_ONCE(balloon_of_device(dev)->target));
}

static ssize_t target_bytes_store(struct device *dev, struct device_attribute *attr,
				  const char *buf, size_t count)
{
	u64 bytes;
	int err = parse_bytes(buf, &bytes);

	if (!err)
		err = balloon_set_target(balloon_of_device(dev), bytes >> PAGE_SHIFT);
	return err ? err : count;
}
static DEVICE_ATTR_RW(target_bytes);

static ssize_t target_pages_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lu\n", READ_ONCE(balloon_of_device(dev)->target));
}

static ssize_t target_pages_store(struct device *dev, struct device_attribute *attr,
				  const char *buf, size_t count)
{
	unsigned long pages;
	int err = kstrtoul(buf, 10, &pages);

	if (!err)
		err = balloon_set_target(balloon_of_device(dev), pages);
	return err ? err : count;
}
static DEVICE_ATTR_RW(target_pages);

static ssize_t size_bytes_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return show_bytes(buf, READ_ONCE(balloon_of_device(dev)->size));
}
static DEVICE_ATTR_RO(size_bytes);

static ssize_t size_pages_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lu\n", READ_ONCE(balloon_of_device(dev)->size));
}
static DEVICE_ATTR_RO(size_pages);

static ssize_t isolated_now_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct balloon *b = balloon_of_device(dev);

	return sysfs_emit(buf, "%lu\n", balloon_movable_by_core() ? balloon_core_isolated(b) :
						      READ_ONCE(b->isolated_now));
}
static DEVICE_ATTR_RO(isolated_now);

static ssize_t huge_now_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lu\n", READ_ONCE(balloon_of_device(dev)->huge_now));
}
static DEVICE_ATTR_RO(huge_now);

static ssize_t min_free_bytes_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return show_bytes(buf, READ_ONCE(balloon_of_device(dev)->min_free));
}

static ssize_t min_free_bytes_store(struct device *dev, struct device_attribute *attr,
				    const char *buf, size_t count)
{
	u64 bytes;
	int err = parse_bytes(buf, &bytes);

	if (err)
		return err;
	WRITE_ONCE(balloon_of_device(dev)->min_free, bytes >> PAGE_SHIFT);
	return count;
}
static DEVICE_ATTR_RW(min_free_bytes);

static ssize_t check_now_store(struct device *dev, struct device_attribute *attr,
			       const char *buf, size_t count)
{
	int err;

	if (!sysfs_streq(buf, "1"))
		return -EINVAL;
	err = balloon_content_check_all(balloon_of_device(dev));
	return err ? err : count;
}
static DEVICE_ATTR_WO(check_now);

struct counter_attribute {
	struct device_attribute attribute;
	size_t offset; /* in struct balloon_counters */
};

static ssize_t counter_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct counter_attribute *counter = container_of(attr, struct counter_attribute, attribute);
	void *counters = &balloon_of_device(dev)->counters;

	return sysfs_emit(buf, "%lu\n", READ_ONCE(*(unsigned long *)(counters + counter->offset)));
}

#define COUNTER(_name)								\
	static struct counter_attribute counter_##_name = {			\
		.attribute.attr = { .name = #_name, .mode = 0444 },	\
		.attribute.show = counter_show,					\
		.offset = offsetof(struct balloon_counters, _name),		\
	}

COUNTER(inflated);
COUNTER(deflated);
COUNTER(isolated);
COUNTER(migrated);
COUNTER(putback);
COUNTER(inflate_failed);
COUNTER(min_free_stops);
COUNTER(huge_fallback);
COUNTER(huge_split);
COUNTER(content_errors);

static struct attribute *balloon_attributes[] = {
	&dev_attr_target_bytes.attr,
	&dev_attr_target_pages.attr,
	&dev_attr_size_bytes.attr,
	&dev_attr_size_pages.attr,
	&dev_attr_isolated_now.attr,
	&dev_attr_huge_now.attr,
	&dev_attr_min_free_bytes.attr,
	&dev_attr_check_now.attr,
	&counter_inflated.attribute.attr,
	&counter_deflated.attribute.attr,
	&counter_isolated.attribute.attr,
	&counter_migrated.attribute.attr,
	&counter_putback.attribute.attr,
	&counter_inflate_failed.attribute.attr,
	&counter_min_free_stops.attribute.attr,
	&counter_huge_fallback.attribute.attr,
	&counter_huge_split.attribute.attr,
	&counter_content_errors.attribute.attr,
	NULL,
};

/*
 * What tells of the content is there only if the content is checked, what tells of isolation only
 * if we see it; a target that the host sets is only shown.
 */
static umode_t balloon_attribute_visible(struct kobject *kobj, struct attribute *attr, int index)
{
	struct balloon *b = balloon_of_device(kobj_to_dev(kobj));
	bool of_content = attr == &dev_attr_check_now.attr ||
			  attr == &counter_content_errors.attribute.attr;
	bool of_isolation = attr == &counter_isolated.attribute.attr ||
			    attr == &counter_putback.attribute.attr;
	bool of_target = attr == &dev_attr_target_bytes.attr ||
			 attr == &dev_attr_target_pages.attr;

	if (of_content && !b->check_content)
		return 0;
	if (of_isolation && balloon_movable_by_core())
		return 0;
	return of_target && b->host ? 0444 : attr->mode;
}

static const struct attribute_group balloon_group = {
	.name = "balloon",
	.is_visible = balloon_attribute_visible,
	.attrs = balloon_attributes,
};

const struct attribute_group *balloon_groups[] = {
	&balloon_group,
	NULL,
};

/**
 * balloon_notify_start() - from now on changes of size are told to programs that poll the size
 * @b: the balloon, with its device
 */
void balloon_notify_start(struct balloon *b)
{
	struct kernfs_node *group = sysfs_get_dirent(b->dev->kobj.sd, balloon_group.name);

	if (!group)
		return;
	WRITE_ONCE(b->size_pages_file, sysfs_get_dirent(group, dev_attr_size_pages.attr.name));
	WRITE_ONCE(b->size_bytes_file, sysfs_get_dirent(group, dev_attr_size_bytes.attr.name));
	sysfs_put(group);
}

/**
 * balloon_notify_stop() - the opposite; balloon_notify_size() must not run any more
 * @b: the balloon
 */
void balloon_notify_stop(struct balloon *b)
{
	sysfs_put(b->size_pages_file);
	sysfs_put(b->size_bytes_file);
}

/**
 * balloon_notify_size() - wake programs that poll size_pages or size_bytes
 * @b: the balloon
 */
void balloon_notify_size(struct balloon *b)
{
	struct kernfs_node *pages = READ_ONCE(b->size_pages_file);
	struct kernfs_node *bytes = READ_ONCE(b->size_bytes_file);

	if (pages)
		sysfs_notify_dirent(pages);
	if (bytes)
		sysfs_notify_dirent(bytes);
}
