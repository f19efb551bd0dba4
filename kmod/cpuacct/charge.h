/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BALLAST_CPUACCT_CHARGE_H
#define BALLAST_CPUACCT_CHARGE_H

#include <linux/llist.h>

struct cpuacct_cpu;

int cpuacct_charge_init(void);
void cpuacct_charge_begin(int cpu);
void cpuacct_charge_begun(void);
void cpuacct_charge_stop(void);

struct llist_node *cpuacct_charge_updates(int cpu);
u64 cpuacct_charge_read(struct cpuacct_cpu *time);

#endif
