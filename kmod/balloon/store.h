/* SPDX-License-Identifier: GPL-2.0 */
/* The balloon's two lists: single pages, and blocks. */
#ifndef BALLOON_KVM_STORE_H
#define BALLOON_KVM_STORE_H

struct balloon;
struct list_head;
struct page;

void balloon_store_add(struct balloon *b, struct list_head *pages, unsigned int order);
unsigned long balloon_store_take(struct balloon *b, struct list_head *pages,
				 struct list_head *blocks, unsigned long want);
void balloon_store_split(struct balloon *b, struct page *head);

#endif
