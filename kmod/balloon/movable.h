/* SPDX-License-Identifier: GPL-2.0 */
/* How a balloon's pages are made known to the kernel as movable. */
#ifndef BALLOON_KVM_MOVABLE_H
#define BALLOON_KVM_MOVABLE_H

struct balloon;
struct page;

void balloon_movable_mark(struct balloon *b, struct page *page);
void balloon_movable_clear(struct page *page);

#endif
