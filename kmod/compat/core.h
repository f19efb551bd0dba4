/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's own balloon as linux/balloon.h of 7.x has it: a list of pages that the kernel
 * isolates and puts back by itself; the owner only brings the content to another page.
 */
#ifndef BALLAST_COMPAT_CORE_H
#define BALLAST_COMPAT_CORE_H

#include <linux/list.h>
#include <linux/migrate_mode.h>
#include <linux/mm.h>

struct compat_core;

/* The kernel holds the locks of both pages. -EAGAIN: not now. */
typedef int (*compat_core_migrate_fn)(struct compat_core *core, struct page *dst,
				      struct page *src, enum migrate_mode mode);

#if defined(COMPAT_HAS_BALLOON_CORE) && defined(CONFIG_BALLOON_MIGRATION)
#include <linux/balloon.h>

#define COMPAT_CORE 1

struct compat_core {
	struct balloon_dev_info info;
	compat_core_migrate_fn migrate;
};

static inline int compat_core_migrate(struct balloon_dev_info *info, struct page *dst,
				      struct page *src, enum migrate_mode mode)
{
	struct compat_core *core = container_of(info, struct compat_core, info);

	return core->migrate(core, dst, src, mode);
}

static inline void compat_core_init(struct compat_core *core, compat_core_migrate_fn migrate)
{
	balloon_devinfo_init(&core->info);
	core->info.migratepage = compat_core_migrate;
	core->migrate = migrate;
}

/*
 * From now on the kernel may isolate the pages, which the list is left without. Counts them as
 * balloon pages, and with @unmanaged takes them out of MemTotal. Returns how many there were.
 */
static inline unsigned long compat_core_add(struct compat_core *core, struct list_head *pages,
					    bool unmanaged)
{
	core->info.adjust_managed_page_count = unmanaged;
	return balloon_page_list_enqueue(&core->info, pages);
}

/* The opposite, for as many as there are up to @want: without those that are isolated. */
static inline unsigned long compat_core_take(struct compat_core *core, struct list_head *pages,
					     unsigned long want, bool unmanaged)
{
	core->info.adjust_managed_page_count = unmanaged;
	return balloon_page_list_dequeue(&core->info, pages, want);
}

static inline unsigned long compat_core_isolated(struct compat_core *core)
{
	return READ_ONCE(core->info.isolated_pages);
}

#else

#define COMPAT_CORE 0

struct compat_core {
};

static inline void compat_core_init(struct compat_core *core, compat_core_migrate_fn migrate)
{
}

static inline unsigned long compat_core_add(struct compat_core *core, struct list_head *pages,
					    bool unmanaged)
{
	return 0;
}

static inline unsigned long compat_core_take(struct compat_core *core, struct list_head *pages,
					     unsigned long want, bool unmanaged)
{
	return 0;
}

static inline unsigned long compat_core_isolated(struct compat_core *core)
{
	return 0;
}
#endif

#endif
