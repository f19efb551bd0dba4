// SPDX-License-Identifier: GPL-2.0
/*
 * The balloon's pages as the kernel's page migration sees them: movable pages that are on no LRU
 * list, with operations of their own (struct movable_operations, Linux 6.0 and later).
 *
 * Fields of struct page that the balloon uses:
 *   mapping	our movable_operations (with PAGE_MAPPING_MOVABLE)
 *   private	the balloon
 *   lru	link in balloon->pages; the kernel's while the page is isolated
 *   index	serial number, with check_content=1
 *   type	offline: the content is of no use to dumps and hibernation
 *
 * Lock order: page lock, balloon->lock. The kernel calls all three operations with the page lock
 * held, migrate_page with those of both pages. Fields are only set with both locks held, which
 * makes page->private safe to follow in the operations.
 */
#include <linux/highmem.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/pagemap.h>

#include "balloon/balloon.h"
#include "balloon/content.h"
#include "balloon/movable.h"
#include "balloon/trace.h"
#include "compat/vmstat.h"

#ifndef CONFIG_COMPACTION
#error "balloon_kvm needs a kernel that migrates pages: CONFIG_COMPACTION=y"
#endif

static struct balloon *balloon_of_page(struct page *page)
{
	return (struct balloon *)page_private(page);
}

/* Under b->lock. */
static void isolation_ended(struct balloon *b)
{
	b->isolated_now--;
	if (!b->isolated_now)
		wake_up(&b->isolation_over);
}

static bool isolate_page(struct page *page, isolate_mode_t mode)
{
	struct balloon *b = balloon_of_page(page);
	bool isolated;

	spin_lock(&b->lock);
	isolated = !b->isolation_held;
	if (isolated) {
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

	trace_putback(page_to_pfn(page));
	spin_lock(&b->lock);
	list_add(&page->lru, &b->pages);
	b->counters.putback++;
	isolation_ended(b);
	spin_unlock(&b->lock);
}

/* The balloon's reference to @src goes over to @dst. */
static void replace_page(struct balloon *b, struct page *dst, struct page *src)
{
	get_page(dst);
	spin_lock(&b->lock);
	balloon_movable_clear(src);
	balloon_movable_mark(b, dst);
	list_add(&dst->lru, &b->pages);
	b->counters.migrated++;
	isolation_ended(b);
	spin_unlock(&b->lock);
	put_page(src);
}

static int migrate_page(struct page *dst, struct page *src, enum migrate_mode mode)
{
	struct balloon *b = balloon_of_page(src);

	/* The caller would copy by DMA later, and we could not check what it copied. */
	if (mode == MIGRATE_SYNC_NO_COPY)
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
	/* src is out of our hands after replace_page(). */
	trace_migrate(page_to_pfn(src), page_to_pfn(dst));
	if (!b->stays_managed && page_zone(src) != page_zone(dst)) {
		adjust_managed_page_count(src, 1);
		adjust_managed_page_count(dst, -1);
	}
	replace_page(b, dst, src);
	count_balloon_migrate();
	return MIGRATEPAGE_SUCCESS;
}

static const struct movable_operations operations = {
	.isolate_page = isolate_page,
	.migrate_page = migrate_page,
	.putback_page = putback_page,
};

/**
 * balloon_movable_mark() - from now on the kernel may isolate the page
 * @b: the balloon
 * @page: the page; its lock and @b->lock are held
 */
void balloon_movable_mark(struct balloon *b, struct page *page)
{
	__SetPageOffline(page);
	set_page_private(page, (unsigned long)b);
	__SetPageMovable(page, &operations);
}

/**
 * balloon_movable_clear() - from now on the kernel leaves the page alone
 * @page: the page; its lock and the balloon's are held
 */
void balloon_movable_clear(struct page *page)
{
	__ClearPageMovable(page);
	set_page_private(page, 0);
	__ClearPageOffline(page);
}
