/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For platforms: account more than time per group, such as the time at each CPU frequency and the
 * energy that it took. The callbacks are those of Mike Chan's "scheduler: cpuacct: Enable platform
 * hooks to track cpuusage for CPU frequencies" (2010); owner, exit and collect are new.
 *
 * A platform calls cpuacct_register_charge() when it is loaded and cpuacct_unregister_charge()
 * before it is unloaded. While it is registered, all groups of cgroup v2, and those of v1's
 * cpuacct, have the files cpuacct.cpufreq, cpuacct.power and cpuacct.power_uj.
 */
#ifndef BALLAST_CPUACCT_CHARGE_H
#define BALLAST_CPUACCT_CHARGE_H

#include <linux/types.h>

struct module;
struct seq_file;

/**
 * struct cpuacct_charge_calls - a platform
 * @owner: THIS_MODULE
 * @init: makes a group's data, all zero, and stores it, not NULL, in *@data. May sleep only if @gfp
 *	allows it: a new group's data is asked for with GFP_NOWAIT at first. Returns 0 or -ENOMEM.
 * @exit: frees a group's data. No other callback runs on it any more. May sleep.
 * @charge: a task of the group ran on @cpu for @cputime ns. The rq lock of @cpu is held and
 *	interrupts are off, maybe on another CPU: no sleep, no printk, no wakeup. Never called for
 *	the same CPU at the same time.
 * @collect: optional. Adds to @parent what @child was charged on @cpu, and collected for it, since
 *	the last call for @child and @cpu. May sleep. If there is none, @charge is called for the
 *	group of the task and for all groups above it, at each charge; if there is one, @charge is
 *	called for the task's group alone, and groups above get theirs here before they are read.
 * @cpufreq_show: prints a group's ns at each frequency, in lines of "KHZ NS". May sleep.
 * @power_usage: a group's energy in uJ. The file cpuacct.power shows it in mW*s, which are
 *	thousands of it, and cpuacct.power_uj as it is. May sleep.
 *
 * @collect, @cpufreq_show and @power_usage exclude each other, whatever the group; @charge may run
 * at the same time, and so may @init, on other data. The root group has data as all others have.
 */
struct cpuacct_charge_calls {
	struct module *owner;
	int (*init)(void **data, gfp_t gfp);
	void (*exit)(void *data);
	void (*charge)(void *data, u64 cputime, unsigned int cpu);
	void (*collect)(void *parent, void *child, unsigned int cpu);
	void (*cpufreq_show)(void *data, struct seq_file *file);
	u64 (*power_usage)(void *data);
};

int cpuacct_register_charge(const struct cpuacct_charge_calls *calls);
void cpuacct_unregister_charge(const struct cpuacct_charge_calls *calls);

#endif
