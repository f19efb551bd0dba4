// SPDX-License-Identifier: GPL-2.0
/*
 * Calls the operations of balloon_kvm's pages as the kernel never does: without the page lock, or
 * for a page that is not isolated. Each has to warn and to leave the balloon as it is; loading
 * fails if one did something.
 *
 * Balloon_kvm must be loaded, with single pages in the balloon (huge=0).
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagemap.h>

#include "compat/movable.h"

static unsigned long address_of(const char *function)
{
	struct kprobe probe = { .symbol_name = function };

	if (register_kprobe(&probe))
		return 0;
	unregister_kprobe(&probe);
	return (unsigned long)probe.addr;
}

/* Functions that are local to balloon_kvm. */
static int find_operations(struct movable_operations *operations)
{
	operations->isolate_page = (void *)address_of("balloon_kvm:isolate_page");
	operations->migrate_page = (void *)address_of("balloon_kvm:migrate_balloon_page");
	operations->putback_page = (void *)address_of("balloon_kvm:putback_page");
	if (operations->isolate_page && operations->migrate_page && operations->putback_page)
		return 0;
	return -ENOENT;
}

/* Some page of a balloon, with a reference. */
static struct page *find_page(void)
{
	unsigned long pfn;

	for (pfn = 0; pfn < (totalram_pages() + SZ_4G / PAGE_SIZE); pfn++) {
		struct page *page = pfn_valid(pfn) ? pfn_to_page(pfn) : NULL;

		if (page && PageOffline(page) && page_private(page) & COMPAT_PAGE_OURS &&
		    get_page_unless_zero(page))
			return page;
	}
	return NULL;
}

static bool isolate_unlocked(const struct movable_operations *operations, struct page *page)
{
	return !operations->isolate_page(page, ISOLATE_UNEVICTABLE);
}

static bool migrate_not_isolated(const struct movable_operations *operations, struct page *page,
				 struct page *target)
{
	int err;

	lock_page(page);
	lock_page(target);
	err = operations->migrate_page(target, page, MIGRATE_SYNC);
	unlock_page(target);
	unlock_page(page);
	return err == -EINVAL;
}

static void put_back_not_isolated(const struct movable_operations *operations, struct page *page)
{
	lock_page(page);
	operations->putback_page(page);
	unlock_page(page);
}

static int __init misuse_balloon_init(void)
{
	struct movable_operations operations = {};
	struct page *page, *target;
	int err = find_operations(&operations);

	if (err)
		return err;
	target = alloc_page(GFP_KERNEL);
	if (!target)
		return -ENOMEM;
	page = find_page();
	if (page) {
		bool refused = isolate_unlocked(&operations, page) &&
			       migrate_not_isolated(&operations, page, target);

		put_back_not_isolated(&operations, page);
		put_page(page);
		err = refused ? 0 : -EIO;
	} else {
		err = -ENODATA;
	}
	__free_page(target);
	return err;
}

static void __exit misuse_balloon_exit(void)
{
}

module_init(misuse_balloon_init);
module_exit(misuse_balloon_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("test aid: misuses the operations of balloon_kvm's pages");
