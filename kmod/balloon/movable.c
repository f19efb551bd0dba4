// SPDX-License-Identifier: GPL-2.0
/*
 * The balloon's pages as the kernel's page migration sees them: movable pages that are on no LRU
 * list, with operations of their own. How the kernel comes by these differs: compat/movable.h.
 *
 * Fields of struct page that the balloon uses:
 *   mapping	our operations, or what leads to them (with PAGE_MAPPING_MOVABLE); until 6.16
 *   private	the balloon, with COMPAT_PAGE_OURS, and BLOCK in the first page of a block
 *   lru	link in balloon->pages; the kernel's while the page is isolated
 *   index	serial number, with check_content=1
 *   type	offline: the content is of no use to dumps and hibernation
 * Of a block the first page has all of these, the others type and index only.
 *
 * Lock order: page lock, balloon->lock. The kernel calls all three operations with the page lock
 * held, migrate_page with those of both pages. Fields are only set with both locks held, which
 * makes page->private safe to follow in the operations.
 */
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/pagemap.h>

#include "balloon/balloon.h"
#include "balloon/content.h"
#include "balloon/movable.h"
#include "balloon/pages.h"
#include "balloon/store.h"
#include "balloon/trace.h"
#include "compat/mmzone.h"
#include "compat/movable.h"
#include "compat/vmstat.h"

#ifndef CONFIG_COMPACTION
#error "balloon_kvm needs a kernel that migrates pages: CONFIG_COMPACTION=y"
#endif

static bool movable = true;
module_param(movable, bool, 0444);
MODULE_PARM_DESC(movable, "the kernel may move the balloon's pages (default: yes); no is for comparison");

/* Single pages move by the kernel's own balloon, see core.h; then movable is false. */
static bool by_core;

#define BLOCK 1UL

static struct balloon *balloon_of_page(struct page *page)
{
	return (struct balloon *)(page_private(page) & ~(BLOCK | COMPAT_PAGE_OURS));
}

static bool is_block(struct page *page)
{
	return page_private(page) & BLOCK;
}

/**
 * balloon_movable_isolation_ended() - one page less is isolated
 * @b: the balloon; its lock is held
 */
void balloon_movable_isolation_ended(struct balloon *b)
{
	b->isolated_now--;
	if (!b->isolated_now)
		wake_up(&b->isolation_over);
}

/*
 * A whole block is no obstacle to compaction, which would only break it. Those who must have a
 * range of memory free, to take it offline or for one large allocation, want each page of it. They
 * ask in the same mode as a compaction by hand, but isolate the range's page blocks first.
 */
static bool wants_range(struct page *page, isolate_mode_t mode)
{
	return !(mode & ISOLATE_ASYNC_MIGRATE) && compat_has_isolate_pageblock(page_zone(page));
}

static bool isolate_page(struct page *page, isolate_mode_t mode)
{
	struct balloon *b = balloon_of_page(page);
	bool isolated;

	if (WARN_ON_ONCE(!PageLocked(page) || compat_page_isolated(page)))
		return false;

	spin_lock(&b->lock);
	isolated = !b->isolation_held && (!is_block(page) || wants_range(page, mode));
	if (isolated) {
		/* The kernel goes on with the block's other pages by itself. */
		if (is_block(page))
			balloon_store_split(b, page);
		list_del(&page->lru);
		b->isolated_now++;
		b->counters.isolated++;
	}
	spin_unlock(&b->lock);
	if (isolated)
		trace_isolate(page_to_pfn(page));
	return isolated;
}

static void putback_page(struct page *page)
{
	struct balloon *b = balloon_of_page(page);

	WARN_ON_ONCE(!PageLocked(page));
	/* It is on the list already. */
	if (WARN_ON_ONCE(!compat_page_isolated(page)))
		return;
	trace_putback(page_to_pfn(page));
	spin_lock(&b->lock);
	list_add(&page->lru, &b->pages);
	b->counters.putback++;
	balloon_movable_isolation_ended(b);
	spin_unlock(&b->lock);
}

/* The balloon's reference to @src goes over to @dst. */
static void replace_page(struct balloon *b, struct page *dst, struct page *src)
{
	get_page(dst);
	spin_lock(&b->lock);
	balloon_movable_clear(src, 0);
	balloon_movable_mark(b, dst, 0);
	list_add(&dst->lru, &b->pages);
	b->counters.migrated++;
	balloon_movable_isolation_ended(b);
	spin_unlock(&b->lock);
	put_page(src);
}

/**
 * balloon_movable_move_content() - bring a page's content to the page that replaces it
 * @b: the balloon
 * @dst: the new page; its lock is held
 * @src: an isolated page; its lock is held
 * @mode: of the migration
 *
 * Return: 0; -EAGAIN: not now; -EINVAL: never in this mode.
 */
int balloon_movable_move_content(struct balloon *b, struct page *dst, struct page *src,
				 enum migrate_mode mode)
{
	/* The caller would copy by DMA later, and we could not check what it copied. */
	if (compat_copies_later(mode))
		return -EINVAL;

	if (b->host) {
		/* The host has thrown the content away. */
		int err = b->host->migrate(b, dst, src, mode);

		if (err)
			return err;
	} else {
		copy_highpage(dst, src);
	}
	if (b->check_content)
		balloon_content_moved(b, dst, src);
	/* src is out of our hands once it is replaced. */
	trace_migrate(page_to_pfn(src), page_to_pfn(dst));
	return 0;
}

static int migrate_balloon_page(struct page *dst, struct page *src, enum migrate_mode mode)
{
	struct balloon *b = balloon_of_page(src);
	int err;

	if (WARN_ON_ONCE(!PageLocked(src) || !PageLocked(dst) || !compat_page_isolated(src)))
		return -EINVAL;
	err = balloon_movable_move_content(b, dst, src, mode);
	if (err)
		return err;
	if (page_zone(src) != page_zone(dst)) {
		balloon_page_account(b, src, -1);
		balloon_page_account(b, dst, 1);
	}
	replace_page(b, dst, src);
	count_balloon_migrate();
	return MIGRATEPAGE_SUCCESS;
}

static const struct movable_operations operations = {
	.isolate_page = isolate_page,
	.migrate_page = migrate_balloon_page,
	.putback_page = putback_page,
};

/**
 * balloon_movable_init() - make our operations known to the kernel, before there is a balloon
 *
 * Return: 0, or a negative error with the reason in the log.
 */
int balloon_movable_init(void)
{
	int err = movable ? compat_movable_init(&operations) : 0;

	by_core = COMPAT_CORE && movable && !compat_movable();
	movable = movable && compat_movable();
	return err;
}

/**
 * balloon_movable_exit() - the opposite; no balloon has pages any more
 */
void balloon_movable_exit(void)
{
	compat_movable_exit();
}

/**
 * balloon_movable_by_core() - are single pages in the list of the kernel's own balloon?
 *
 * Return: the same as long as the module is loaded.
 */
bool balloon_movable_by_core(void)
{
	return by_core;
}

/**
 * balloon_movable_gfp() - what to allocate pages with
 * @order: of each
 *
 * Return: flags that say where pages may lie: with movable ones if they are movable.
 */
gfp_t balloon_movable_gfp(unsigned int order)
{
	return movable || (by_core && !order) ? GFP_HIGHUSER_MOVABLE : GFP_HIGHUSER;
}

/* The kernel looks at nothing else of the page before it has the page's lock. */
static void set_movable(struct balloon *b, struct page *page, unsigned long flags)
{
	set_page_private(page, (unsigned long)b | COMPAT_PAGE_OURS | flags);
	if (movable)
		compat_set_page_movable(page, b->inode);
}

/**
 * balloon_movable_mark() - from now on the kernel may isolate the page
 * @b: the balloon
 * @page: the page, of a block the first; its lock and @b->lock are held
 * @order: the page's
 */
void balloon_movable_mark(struct balloon *b, struct page *page, unsigned int order)
{
	unsigned long i;

	for (i = 0; i < 1UL << order; i++)
		__SetPageOffline(page + i);
	set_movable(b, page, order ? BLOCK : 0);
}

/**
 * balloon_movable_clear() - from now on the kernel leaves the page alone
 * @page: the page, of a block the first; its lock and the balloon's are held
 * @order: the page's
 */
void balloon_movable_clear(struct page *page, unsigned int order)
{
	unsigned long i;

	if (movable)
		compat_clear_page_movable(page);
	set_page_private(page, 0);
	compat_clear_page_offline(page);
	for (i = 1; i < 1UL << order; i++)
		__ClearPageOffline(page + i);
}

/**
 * balloon_movable_mark_split() - from now on the kernel may isolate each page of what was a block
 * @b: the balloon
 * @head: its first page, marked with the block's order; the locks of all pages and @b->lock are
 *	held
 */
void balloon_movable_mark_split(struct balloon *b, struct page *head)
{
	struct page *page;

	set_page_private(head, (unsigned long)b | COMPAT_PAGE_OURS);
	for (page = head + 1; page < head + BALLOON_BLOCK_PAGES; page++)
		set_movable(b, page, 0);
}
