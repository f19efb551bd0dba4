// SPDX-License-Identifier: GPL-2.0
/*
 * cpuacct_table.ko, the reference platform: time per frequency and energy, from a table of what a
 * CPU draws at which frequency.
 *
 * A group's data is per-CPU memory: three rows of times by frequency. Each has one writer, so no
 * lock is taken: row OWN is written by charges, under the rq lock; the others by collect, which
 * cpuacct serializes.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpufreq.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/seq_file.h>
#include <trace/events/power.h>

#include "cpuacct/cpuacct_charge.h"
#include "cpuacct/table_parameter.h"

static char *table;
module_param(table, charp, 0444);
MODULE_PARM_DESC(table, "[CPUS=]KHZ:MW[,KHZ:MW]...[;...]: power at each frequency, needed");

enum row {
	/* ns that the group's own tasks ran. */
	OWN,
	/* ns that were collected from the groups below. */
	BELOW,
	/* What of both was collected by the group above. */
	PASSED,
	ROWS,
};

static struct power_table power;

/* Which of the table's frequencies a CPU has now. */
static DEFINE_PER_CPU(unsigned int, current_frequency);

static u64 *row(void *data, unsigned int cpu, enum row row)
{
	u64 __percpu *rows = (u64 __percpu *)(unsigned long)data;

	return per_cpu_ptr(rows, cpu) + row * power.nr;
}

static int table_init_data(void **data, gfp_t gfp)
{
	size_t size = ROWS * power.nr * sizeof(u64);

	*data = (void *)(unsigned long)__alloc_percpu_gfp(size, sizeof(u64), gfp);
	return *data ? 0 : -ENOMEM;
}

static void table_exit_data(void *data)
{
	free_percpu((void __percpu *)(unsigned long)data);
}

static void table_charge(void *data, u64 cputime, unsigned int cpu)
{
	u64 *own = row(data, cpu, OWN);

	own[per_cpu(current_frequency, cpu)] += cputime;
}

static u64 time_at(void *data, unsigned int cpu, unsigned int i)
{
	return READ_ONCE(row(data, cpu, OWN)[i]) + row(data, cpu, BELOW)[i];
}

static void table_collect(void *parent, void *child, unsigned int cpu)
{
	u64 *below = row(parent, cpu, BELOW);
	u64 *passed = row(child, cpu, PASSED);
	unsigned int i;

	for (i = 0; i < power.nr; i++) {
		u64 time = time_at(child, cpu, i);

		below[i] += time - passed[i];
		passed[i] = time;
	}
}

static void table_cpufreq_show(void *data, struct seq_file *file)
{
	unsigned int i;
	int cpu;

	for (i = 0; i < power.nr; i++) {
		u64 time = 0;

		for_each_possible_cpu(cpu)
			time += time_at(data, cpu, i);
		seq_printf(file, "%u %llu\n", power.khz[i], time);
	}
}

/* 1 ns at 1 mW is 1 pJ. No overflow for centuries: whole ms go apart. */
static u64 table_power_usage(void *data)
{
	u64 uj = 0, pj = 0;
	unsigned int i;
	int cpu;

	for_each_possible_cpu(cpu) {
		for (i = 0; i < power.nr; i++) {
			u64 time = time_at(data, cpu, i);
			u32 rest;

			if (!time)
				continue;
			uj += div_u64_rem(time, NSEC_PER_MSEC, &rest) *
			      power.milliwatts[cpu * power.nr + i];
			pj += (u64)rest * power.milliwatts[cpu * power.nr + i];
		}
	}
	return uj + div_u64(pj, 1000000);
}

static const struct cpuacct_charge_calls calls = {
	.owner = THIS_MODULE,
	.init = table_init_data,
	.exit = table_exit_data,
	.charge = table_charge,
	.collect = table_collect,
	.cpufreq_show = table_cpufreq_show,
	.power_usage = table_power_usage,
};

/* The CPU's lowest frequency in the table that is not below @khz, or else its highest one. */
static void set_frequency(unsigned int cpu, unsigned int khz)
{
	unsigned int found = 0;
	unsigned int i;

	for (i = 0; i < power.nr; i++) {
		if (power.milliwatts[cpu * power.nr + i] < 0)
			continue;
		found = i;
		if (power.khz[i] >= khz)
			break;
	}
	WRITE_ONCE(per_cpu(current_frequency, cpu), found);
}

/*
 * A tracepoint, not cpufreq's notifier: having that one ends fast switching on the whole machine,
 * and is refused where fast switching is in use. Runs with preemption off, maybe under the rq lock.
 */
static void frequency_changed(void *data, unsigned int khz, unsigned int cpu)
{
	set_frequency(cpu, khz);
}

static int policy_changes(struct notifier_block *block, unsigned long event, void *data)
{
	struct cpufreq_policy *policy = data;
	int cpu;

	for_each_cpu(cpu, policy->related_cpus) {
		if (event == CPUFREQ_CREATE_POLICY)
			set_frequency(cpu, policy->cur ?: UINT_MAX);
		else if (event == CPUFREQ_REMOVE_POLICY)
			set_frequency(cpu, UINT_MAX);
	}
	return NOTIFY_OK;
}

static struct notifier_block policy_notifier = { .notifier_call = policy_changes };

/* Again if it changed meanwhile: frequency_changed() may have told before. */
static unsigned int set_present_frequency(unsigned int cpu)
{
	unsigned int khz, now = cpufreq_quick_get(cpu);

	do {
		khz = now;
		set_frequency(cpu, khz ?: UINT_MAX);
		now = cpufreq_quick_get(cpu);
	} while (now != khz);
	return khz;
}

/* Without cpufreq a CPU counts as running at its highest frequency. */
static int follow_frequencies(void)
{
	bool has_cpufreq = false;
	int cpu, ret;

	ret = cpufreq_register_notifier(&policy_notifier, CPUFREQ_POLICY_NOTIFIER);
	/* With cpufreq.off=1, and under Xen, cpufreq is there but refuses everybody. */
	if (ret && ret != -EINVAL)
		return ret;
	ret = register_trace_cpu_frequency(frequency_changed, NULL);
	if (ret) {
		cpufreq_unregister_notifier(&policy_notifier, CPUFREQ_POLICY_NOTIFIER);
		return ret;
	}
	for_each_possible_cpu(cpu)
		has_cpufreq |= set_present_frequency(cpu);
	if (!has_cpufreq)
		pr_notice("no cpufreq here: all time counts at the table's highest frequency\n");
	return 0;
}

static void stop_following(void)
{
	unregister_trace_cpu_frequency(frequency_changed, NULL);
	cpufreq_unregister_notifier(&policy_notifier, CPUFREQ_POLICY_NOTIFIER);
	tracepoint_synchronize_unregister();
}

static int __init table_init(void)
{
	int ret;

	if (!table) {
		pr_err("the parameter table is missing, such as table=600000:150,1800000:900\n");
		return -EINVAL;
	}
	ret = power_table_parse(table, &power);
	if (ret)
		goto free;
	ret = follow_frequencies();
	if (ret)
		goto free;
	ret = cpuacct_register_charge(&calls);
	if (ret)
		goto stop;
	return 0;

stop:
	stop_following();
free:
	power_table_free(&power);
	return ret;
}

static void __exit table_exit(void)
{
	cpuacct_unregister_charge(&calls);
	stop_following();
	power_table_free(&power);
}

module_init(table_init);
module_exit(table_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Energy of cgroups from a table of power at each CPU frequency");
