/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BALLAST_CPUACCT_PLATFORM_H
#define BALLAST_CPUACCT_PLATFORM_H

#include <linux/mutex.h>
#include <linux/types.h>

struct cpuacct_group;

/* See platform.c. */
extern struct mutex cpuacct_platform_lock;

int cpuacct_platform_give(struct cpuacct_group *group, gfp_t gfp);
void cpuacct_platform_take(struct cpuacct_group *group);

int cpuacct_platform_init(void);
void cpuacct_platform_exit(void);

#endif
