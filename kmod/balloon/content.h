/* SPDX-License-Identifier: GPL-2.0 */
/*
 * With check_content=1: a serial number in each page, which must survive all that happens to the
 * page.
 */
#ifndef BALLOON_KVM_CONTENT_H
#define BALLOON_KVM_CONTENT_H

struct balloon;
struct page;

int balloon_content_assign(struct balloon *b, struct page *page, unsigned int order);
void balloon_content_moved(struct balloon *b, struct page *dst, struct page *src);
void balloon_content_release(struct balloon *b, struct page *page, unsigned int order);
int balloon_content_check_all(struct balloon *b);

#endif
