/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where pages can't have operations of their own (7.x without movable_chain=1), single pages are in
 * the list of the kernel's own balloon, which moves them. Blocks stay where they are.
 */
#ifndef BALLOON_KVM_CORE_H
#define BALLOON_KVM_CORE_H

#include <linux/types.h>

struct balloon;
struct list_head;
struct page;

void balloon_core_init(struct balloon *b);
unsigned long balloon_core_isolated(struct balloon *b);

void balloon_core_add(struct balloon *b, struct list_head *pages);
unsigned long balloon_core_take(struct balloon *b, struct list_head *pages, unsigned long want);
void balloon_core_add_block(struct balloon *b, struct page *head);

bool balloon_core_borrow(struct balloon *b, struct list_head *pages, unsigned long *borrowed);
void balloon_core_return(struct balloon *b, struct list_head *pages);

#endif
