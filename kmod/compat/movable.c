// SPDX-License-Identifier: GPL-2.0
/* Takes no lock. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/fs.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "compat/core.h"
#include "compat/movable.h"

#ifndef COMPAT_HAS_MOVABLE_OPERATIONS /* 5.10 */

static const struct movable_operations *ours;

static bool isolate_page(struct page *page, isolate_mode_t mode)
{
	return ours->isolate_page(page, mode);
}

static int migrate_page_of(struct address_space *mapping, struct page *dst, struct page *src,
			   enum migrate_mode mode)
{
	return ours->migrate_page(dst, src, mode);
}

static void putback_page(struct page *page)
{
	ours->putback_page(page);
}

static const struct address_space_operations mapping_operations = {
	.isolate_page = isolate_page,
	.migratepage = migrate_page_of,
	.putback_page = putback_page,
};

int compat_movable_init(const struct movable_operations *operations)
{
	ours = operations;
	return 0;
}

void compat_movable_exit(void)
{
}

bool compat_movable(void)
{
	return true;
}

void compat_movable_inode(struct inode *inode)
{
	inode->i_mapping->a_ops = &mapping_operations;
}

void compat_set_page_movable(struct page *page, struct inode *inode)
{
	__SetPageMovable(page, inode->i_mapping);
}

#elif !defined(COMPAT_HAS_SET_MOVABLE_OPS) /* 6.1, 6.12 */

static const struct movable_operations *ours;

int compat_movable_init(const struct movable_operations *operations)
{
	ours = operations;
	return 0;
}

void compat_movable_exit(void)
{
}

bool compat_movable(void)
{
	return true;
}

void compat_movable_inode(struct inode *inode)
{
}

void compat_set_page_movable(struct page *page, struct inode *inode)
{
	__SetPageMovable(page, ours);
}

#else /* 7.3 */

/* kbuild has no objects that two modules share. */
#include "compat/symbols.c"

static bool movable_chain;
module_param(movable_chain, bool, 0444);
MODULE_PARM_DESC(movable_chain, "pages are movable through the kernel's own balloon's hook, which we take over (default: no)");

static const struct movable_operations *ours;
/* The kernel's, whose place we take; NULL if it has none. */
static const struct movable_operations *others;
/* Where the kernel looks for them. */
static const struct movable_operations **slot;
static atomic_t inside = ATOMIC_INIT(0);

static bool is_ours(struct page *page)
{
	return page_private(page) & COMPAT_PAGE_OURS;
}

static bool isolate_page(struct page *page, isolate_mode_t mode)
{
	if (is_ours(page))
		return ours->isolate_page(page, mode);
	/* A page of ours that was just given back has no owner any more. */
	return page_private(page) && others && others->isolate_page(page, mode);
}

/* May sleep in the other owner's function, so those who are inside are counted. */
static int migrate_page_of(struct page *dst, struct page *src, enum migrate_mode mode)
{
	int err;

	atomic_inc(&inside);
	err = (is_ours(src) ? ours : others)->migrate_page(dst, src, mode);
	atomic_dec(&inside);
	return err;
}

static void putback_page(struct page *page)
{
	(is_ours(page) ? ours : others)->putback_page(page);
}

static const struct movable_operations chained = {
	.isolate_page = isolate_page,
	.migrate_page = migrate_page_of,
	.putback_page = putback_page,
};

int compat_movable_init(const struct movable_operations *operations)
{
	int err;

	ours = operations;
	if (!movable_chain) {
		pr_notice("pages are %s on this kernel without movable_chain=1\n",
			  COMPAT_CORE ? "moved by the kernel's own balloon" : "not movable");
		return 0;
	}
	err = compat_symbols_init();
	if (err)
		return err;
	slot = compat_symbol("offline_movable_ops");
	if (!slot)
		return -ENOENT;
	others = READ_ONCE(*slot);
	/* Whoever sees the pointer sees what it passes on to. */
	smp_store_release(slot, &chained);
	return 0;
}

/* No page of ours is left. */
void compat_movable_exit(void)
{
	if (!slot)
		return;
	WRITE_ONCE(*slot, others);
	/* Those who have read our pointer are counted when this returns, or gone. */
	synchronize_rcu_tasks();
	while (atomic_read(&inside))
		schedule_timeout_uninterruptible(1);
	/* And those who were counted last have left our code. */
	synchronize_rcu_tasks();
}

bool compat_movable(void)
{
	return movable_chain;
}

void compat_movable_inode(struct inode *inode)
{
}

void compat_set_page_movable(struct page *page, struct inode *inode)
{
	SetPageMovableOps(page);
}

#endif

/**
 * compat_clear_page_movable() - the opposite of compat_set_page_movable()
 * @page: locked, with its private data 0 where the kernel keeps the page's flag until it is freed
 */
void compat_clear_page_movable(struct page *page)
{
#ifndef COMPAT_HAS_SET_MOVABLE_OPS
	__ClearPageMovable(page);
#endif
}

/**
 * compat_clear_page_offline() - the page is about to be freed
 * @page: an offline page
 *
 * Where movability hangs on the type, the page keeps it until it is freed.
 */
void compat_clear_page_offline(struct page *page)
{
#ifndef COMPAT_HAS_SET_MOVABLE_OPS
	__ClearPageOffline(page);
#endif
}
