// SPDX-License-Identifier: GPL-2.0
/*
 * When the machine has run out of memory, the balloon shrinks before the kernel kills a process.
 * Its target shrinks as well: the balloon would take the memory again at once otherwise.
 *
 * Lock order: balloon->lock only. The notifier is called from anywhere in the kernel that
 * allocates.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/oom.h>
#include <linux/printk.h>

#include "balloon/balloon.h"
#include "balloon/oom.h"

/* Enough to get a process over one allocation, few enough to be freed at once: 4 MiB. */
#define OOM_PAGES 1024UL

static int deflate_on_oom(struct notifier_block *nb, unsigned long unused, void *freed)
{
	struct balloon *b = container_of(nb, struct balloon, oom);
	unsigned long pages = balloon_deflate(b, OOM_PAGES);

	if (!pages)
		return NOTIFY_OK;

	spin_lock(&b->lock);
	b->target = min(b->target, b->size);
	spin_unlock(&b->lock);
	*(unsigned long *)freed += pages;
	pr_notice_ratelimited("the machine is out of memory: the balloon gave back %lu pages\n",
			      pages);
	return NOTIFY_OK;
}

/**
 * balloon_oom_register() - from now on the balloon shrinks when memory runs out
 * @b: the balloon
 *
 * Return: 0 or a negative error.
 */
int balloon_oom_register(struct balloon *b)
{
	b->oom.notifier_call = deflate_on_oom;
	return register_oom_notifier(&b->oom);
}

/**
 * balloon_oom_unregister() - the opposite; when it returns, the notifier does not run any more
 * @b: the balloon
 */
void balloon_oom_unregister(struct balloon *b)
{
	unregister_oom_notifier(&b->oom);
}
