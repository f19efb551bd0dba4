/* SPDX-License-Identifier: GPL-2.0 */
/* The balloon gives memory back before the kernel kills a process for it. */
#ifndef BALLOON_KVM_OOM_H
#define BALLOON_KVM_OOM_H

struct balloon;

int balloon_oom_register(struct balloon *b);
void balloon_oom_unregister(struct balloon *b);

#endif
