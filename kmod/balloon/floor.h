/* SPDX-License-Identifier: GPL-2.0 */
/* min_free: the memory that inflation leaves to the machine. */
#ifndef BALLOON_KVM_FLOOR_H
#define BALLOON_KVM_FLOOR_H

struct balloon;

unsigned long balloon_floor_default(void);
unsigned long balloon_floor_room(struct balloon *b, unsigned long want);

#endif
