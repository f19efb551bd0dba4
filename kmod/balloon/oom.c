// SPDX-License-Identifier: GPL-2.0
/*
 * When the machine has run out of memory, the balloon shrinks before the kernel kills a process.
 * Its target shrinks as well: the balloon would take the memory again at once otherwise.
 *
 * Lock order: balloon->lock only, and what the host's operations take. The notifier is called from
 * anywhere in the kernel that allocates, and may sleep.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/oom.h>
#include <linux/printk.h>

#include "balloon/balloon.h"
#include "balloon/oom.h"

/* Before the kernel's notifiers that take what someone uses; as the kernel's own balloon. */
#define OOM_PRIORITY 80

/* Enough to get a process over one allocation, few enough to be freed at once: 4 MiB. */
static uint oom_pages = 1024;
module_param(oom_pages, uint, 0644);
MODULE_PARM_DESC(oom_pages, "pages that a balloon gives back when the machine is out of memory; 0: none (default: 1024)");

static int deflate_on_oom(struct notifier_block *nb, unsigned long unused, void *freed)
{
	struct balloon *b = container_of(nb, struct balloon, oom);
	unsigned long pages = balloon_deflate(b, READ_ONCE(oom_pages));

	if (!pages)
		return NOTIFY_OK;

	spin_lock(&b->lock);
	b->target = min(b->target, b->size);
	spin_unlock(&b->lock);
	*(unsigned long *)freed += pages;
	balloon_size_changed(b);
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
	b->oom.priority = OOM_PRIORITY;
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
