/* SPDX-License-Identifier: GPL-2.0 */
/* How a balloon's pages are made known to the kernel as movable. */
#ifndef BALLOON_KVM_MOVABLE_H
#define BALLOON_KVM_MOVABLE_H

#include <linux/migrate_mode.h>
#include <linux/types.h>

struct balloon;
struct page;

int balloon_movable_init(void);
void balloon_movable_exit(void);

bool balloon_movable_by_core(void);
gfp_t balloon_movable_gfp(unsigned int order);
void balloon_movable_mark(struct balloon *b, struct page *page, unsigned int order);
void balloon_movable_clear(struct page *page, unsigned int order);
void balloon_movable_mark_split(struct balloon *b, struct page *head);
int balloon_movable_move_content(struct balloon *b, struct page *dst, struct page *src,
				 enum migrate_mode mode);
void balloon_movable_isolation_ended(struct balloon *b);

#endif
