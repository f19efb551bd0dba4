/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Movable pages that are on no LRU list, as linux/migrate.h of 6.0 has them: an owner's
 * struct movable_operations. The kernel comes by them in three ways:
 *
 * - until 5.19 through the page's mapping: the address_space_operations of the owner's inode;
 * - until 6.16 through the page: its mapping holds them;
 * - since 6.17 through the page's type: all offline pages have one owner, the kernel's own balloon.
 *   Ours go there only if the administrator says so (parameter movable_chain): then the kernel's
 *   pointer to its operations is replaced by one to ours, which pass on what is not ours.
 *   Otherwise single pages go through that balloon: compat/core.h.
 */
#ifndef BALLAST_COMPAT_MOVABLE_H
#define BALLAST_COMPAT_MOVABLE_H

#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/page-flags.h>

struct inode;

#ifndef COMPAT_HAS_MOVABLE_OPERATIONS
struct movable_operations {
	bool (*isolate_page)(struct page *page, isolate_mode_t mode);
	int (*migrate_page)(struct page *dst, struct page *src, enum migrate_mode mode);
	void (*putback_page)(struct page *page);
};
#endif

#ifndef MIGRATEPAGE_SUCCESS
#define MIGRATEPAGE_SUCCESS 0
#endif

/* page_private() of our pages has this bit, that of nobody else's offline pages. */
#define COMPAT_PAGE_OURS BIT(1)

/**
 * compat_movable_init() - make the operations of our pages known, before there are any
 * @operations: must live until compat_movable_exit()
 *
 * Return: 0, or a negative error with the reason in the log.
 */
int compat_movable_init(const struct movable_operations *operations);

/**
 * compat_movable_exit() - the opposite, when no page of ours is left
 *
 * When it returns, no kernel code is inside compat's own operations. May sleep.
 */
void compat_movable_exit(void);

/**
 * compat_movable() - may pages be made movable?
 *
 * Return: false where the kernel has no way for others' pages that the administrator lets us take.
 */
bool compat_movable(void);

/**
 * compat_movable_inode() - prepare the inode whose pages become movable
 * @inode: of the owner, with no pages yet
 */
void compat_movable_inode(struct inode *inode);

/**
 * compat_set_page_movable() - from now on the kernel may call the operations for the page
 * @page: locked, of type offline, with COMPAT_PAGE_OURS in its private data
 * @inode: of the owner
 */
void compat_set_page_movable(struct page *page, struct inode *inode);

void compat_clear_page_movable(struct page *page);
void compat_clear_page_offline(struct page *page);

/* Is the page isolated? */
static inline bool compat_page_isolated(struct page *page)
{
#ifdef COMPAT_HAS_SET_MOVABLE_OPS
	return PageMovableOpsIsolated(page);
#else
	return PageIsolated(page);
#endif
}

/* Will the caller of migrate_page() copy the content itself, after it? */
static inline bool compat_copies_later(enum migrate_mode mode)
{
#ifdef COMPAT_HAS_NO_COPY
	return mode == MIGRATE_SYNC_NO_COPY;
#else
	return false;
#endif
}

#endif
