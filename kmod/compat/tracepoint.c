// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/string.h>

#include "compat/tracepoint.h"

struct search {
	const char *name;
	struct tracepoint *found;
};

static void compare(struct tracepoint *tracepoint, void *data)
{
	struct search *search = data;

	if (!strcmp(tracepoint->name, search->name))
		search->found = tracepoint;
}

/**
 * compat_tracepoint() - find a tracepoint of the kernel by its name
 * @name: as in the folders of tracefs' events
 *
 * Return: the tracepoint, or NULL with a line in the log.
 */
struct tracepoint *compat_tracepoint(const char *name)
{
	struct search search = { .name = name };

	for_each_kernel_tracepoint(compare, &search);
	if (!search.found)
		pr_err("this kernel has no tracepoint %s\n", name);
	return search.found;
}
