/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BALLAST_CPUACCT_SUM_H
#define BALLAST_CPUACCT_SUM_H

#include <linux/types.h>

struct cpuacct_group;
struct cpuacct_times;

void cpuacct_sum_flush(void);
void cpuacct_sum_seed(void);

void cpuacct_sum_times(struct cpuacct_group *group, struct cpuacct_times *times);
void cpuacct_sum_percpu(struct cpuacct_group *group, u64 *usage);
void cpuacct_sum_reset(struct cpuacct_group *group);

#endif
