// SPDX-License-Identifier: GPL-2.0
/*
 * Inflation stops by itself when it would leave the machine less than min_free: rather a balloon
 * below its target than a machine that kills its processes. What counts is MemAvailable, so that
 * the page cache gives way to the balloon.
 *
 * Lock order: balloon->lock only.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/string.h>

#include "balloon/balloon.h"
#include "balloon/floor.h"
#include "balloon/trace.h"

/* Unless there is a parameter: a part of the machine's memory, within limits. */
#define DEFAULT_FRACTION 32
#define DEFAULT_LEAST (16UL << 20 >> PAGE_SHIFT)
#define DEFAULT_MOST (512UL << 20 >> PAGE_SHIFT)

/* In pages. */
static unsigned long min_free = ULONG_MAX;

static int set_min_free(const char *text, const struct kernel_param *parameter)
{
	char *end;
	unsigned long long bytes = memparse(text, &end);

	if (end == text || !sysfs_streq(end, ""))
		return -EINVAL;
	min_free = bytes >> PAGE_SHIFT;
	return 0;
}

static int get_min_free(char *buffer, const struct kernel_param *parameter)
{
	return sysfs_emit(buffer, "%llu\n", (u64)balloon_floor_default() << PAGE_SHIFT);
}

static const struct kernel_param_ops min_free_ops = {
	.set = set_min_free,
	.get = get_min_free,
};

module_param_cb(min_free, &min_free_ops, NULL, 0444);
__MODULE_PARM_TYPE(min_free, "bytes");
MODULE_PARM_DESC(min_free, "bytes (K, M, G) that inflation leaves available (default: 1/32 of memory, 16M to 512M); 0: none");

/**
 * balloon_floor_default() - what a new balloon leaves available
 *
 * Return: pages.
 */
unsigned long balloon_floor_default(void)
{
	if (min_free != ULONG_MAX)
		return min_free;
	return clamp(totalram_pages() / DEFAULT_FRACTION, DEFAULT_LEAST, DEFAULT_MOST);
}

/* Counts the stops, not the tries until there is room again. */
static void set_stopped(struct balloon *b, bool stopped, unsigned long available)
{
	bool before;

	spin_lock(&b->lock);
	before = b->stopped;
	b->stopped = stopped;
	if (stopped && !before)
		b->counters.min_free_stops++;
	spin_unlock(&b->lock);
	if (stopped && !before)
		trace_min_free_stop(available, READ_ONCE(b->min_free));
}

/**
 * balloon_floor_room() - how much inflation may take now
 * @b: the balloon
 * @want: how many pages it would take
 *
 * Return: how many it may take; 0: inflation stops.
 */
unsigned long balloon_floor_room(struct balloon *b, unsigned long want)
{
	unsigned long floor = READ_ONCE(b->min_free);
	unsigned long available, room;

	if (!floor)
		return want;
	available = max(si_mem_available(), 0L);
	room = available > floor ? available - floor : 0;
	/* A few pages at a time that someone frees are no end of the stop. */
	if (!room || room >= want)
		set_stopped(b, !room, available);
	return min(want, room);
}
