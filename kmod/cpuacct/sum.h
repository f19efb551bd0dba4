/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BALLAST_CPUACCT_SUM_H
#define BALLAST_CPUACCT_SUM_H

#include <linux/list.h>
#include <linux/types.h>

#include "cpuacct/group.h"

struct cpuacct_charge_calls;

void cpuacct_sum_seed(void);
void cpuacct_sum_adopt(struct cpuacct_group *group);
void cpuacct_sum_release(struct cpuacct_group *group);
void cpuacct_sum_retire(struct list_head *groups);
void cpuacct_sum_set_platform(const struct cpuacct_charge_calls *calls);

void cpuacct_sum_begin(struct cpuacct_group *group);
void cpuacct_sum_end(void);
u64 cpuacct_sum_on(struct cpuacct_group *group, int cpu, enum cpuacct_part part);
u64 cpuacct_sum_total(struct cpuacct_group *group, enum cpuacct_part part);
void cpuacct_sum_stat(struct cpuacct_group *group, u64 *user, u64 *system);
void cpuacct_sum_reset(struct cpuacct_group *group);

#endif
