/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BALLAST_CHARGE_H
#define BALLAST_CHARGE_H

#include <linux/llist.h>

struct cpuacct_charge_calls;
struct cpuacct_cpu;
struct cpuacct_group;

int cpuacct_charge_init(void);
void cpuacct_charge_begin(int cpu);
void cpuacct_charge_begun(void);
void cpuacct_charge_stop(void);

void cpuacct_charge_forget(struct cpuacct_group *group);

void cpuacct_charge_start_platform(const struct cpuacct_charge_calls *calls);
void cpuacct_charge_stop_platform(void);

struct llist_node *cpuacct_charge_updates(int cpu);
u64 cpuacct_charge_read(struct cpuacct_cpu *time);

#endif
