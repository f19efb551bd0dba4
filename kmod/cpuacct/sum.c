// SPDX-License-Identifier: GPL-2.0
/*
 * A group's figures, added up when someone reads them.
 *
 * Lock order: sum_lock, then rstat's lock inside compat_cgroup_cputime(). No cgroup_mutex inside
 * sum_lock: rmdir waits for readers with that mutex held.
 */
#include <linux/cgroup.h>
#include <linux/cpu.h>
#include <linux/mutex.h>
#include <linux/smp.h>

#include "compat/cgroup.h"
#include "cpuacct/charge.h"
#include "cpuacct/group.h"
#include "cpuacct/sum.h"

/* Guards the sums, bases and what is flushed. */
static DEFINE_MUTEX(sum_lock);

static void add_to_sums(struct cpuacct_group *group, int cpu, u64 delta)
{
	for (; group; group = group->parent)
		per_cpu_ptr(group->cpus, cpu)->sum += delta;
}

/* Brings the sums of all groups up to date; visits only what was charged since the last flush. */
static void flush(void)
{
	struct cpuacct_cpu *time, *next;
	int cpu;
	u64 delta;

	lockdep_assert_held(&sum_lock);
	for_each_possible_cpu(cpu) {
		llist_for_each_entry_safe(time, next, cpuacct_charge_updates(cpu), updated_node) {
			delta = cpuacct_charge_read(time) - time->flushed;
			time->flushed += delta;
			add_to_sums(time->group, cpu, delta);
		}
		cond_resched();
	}
}

/**
 * cpuacct_sum_flush() - bring the sums of all groups up to date
 *
 * Afterwards a group that is charged no more is on no list of updates. May sleep.
 */
void cpuacct_sum_flush(void)
{
	mutex_lock(&sum_lock);
	flush();
	mutex_unlock(&sum_lock);
}

static void seed(struct cpuacct_group *group, int cpu)
{
	add_to_sums(group, cpu, compat_cgroup_cpu_runtime(group->cgrp, cpu));
}

/*
 * Runs on the CPU that @data points to, with interrupts off: no charge is under way there, neither
 * rstat's nor ours. The sender holds sum_lock.
 */
static void seed_cpu(void *data)
{
	int cpu = *(int *)data;

	cpuacct_groups_visit(seed, cpu);
	cpuacct_charge_begin(cpu);
}

/**
 * cpuacct_sum_seed() - give the groups the time from before they were charged, and begin to charge
 *
 * Call it once, after cpuacct_charge_init(). May sleep.
 */
void cpuacct_sum_seed(void)
{
	int cpu;

	cpus_read_lock();
	mutex_lock(&sum_lock);
	for_each_possible_cpu(cpu) {
		/* Nothing is charged on a CPU that is offline, so any other may do its part. */
		if (smp_call_function_single(cpu, seed_cpu, &cpu, true))
			seed_cpu(&cpu);
	}
	mutex_unlock(&sum_lock);
	cpus_read_unlock();
	cpuacct_charge_begun();
}

static void read_times(struct cpuacct_group *group, struct cpuacct_times *times)
{
	struct task_cputime time;

	compat_cgroup_cputime(group->cgrp, &time);
	times->usage = time.sum_exec_runtime;
	times->user = time.utime;
	times->system = time.stime;
}

/**
 * cpuacct_sum_times() - time of a group and its descendants since it was reset
 * @group: the group
 * @times: usage, and its user and system parts
 *
 * Equal to the group's cpu.stat but for resets. May sleep.
 */
void cpuacct_sum_times(struct cpuacct_group *group, struct cpuacct_times *times)
{
	mutex_lock(&sum_lock);
	read_times(group, times);
	times->usage -= group->base.usage;
	times->user -= group->base.user;
	times->system -= group->base.system;
	mutex_unlock(&sum_lock);
}

/* A group without children is up to date without a flush. */
static void flush_for(struct cpuacct_group *group)
{
	lockdep_assert_held(&sum_lock);
	if (READ_ONCE(group->nr_children))
		flush();
}

static u64 time_on(struct cpuacct_cpu *time)
{
	return time->sum + (READ_ONCE(time->charged) - time->flushed);
}

/**
 * cpuacct_sum_percpu() - time of a group and its descendants on each CPU since it was reset
 * @group: the group
 * @usage: in ns, by number of the possible CPU
 *
 * May sleep.
 */
void cpuacct_sum_percpu(struct cpuacct_group *group, u64 *usage)
{
	int cpu;

	mutex_lock(&sum_lock);
	flush_for(group);
	for_each_possible_cpu(cpu) {
		struct cpuacct_cpu *time = per_cpu_ptr(group->cpus, cpu);

		usage[cpu] = time_on(time) - time->base;
	}
	mutex_unlock(&sum_lock);
}

/**
 * cpuacct_sum_reset() - let a group's figures start from zero
 * @group: its ancestors and descendants keep theirs
 *
 * May sleep.
 */
void cpuacct_sum_reset(struct cpuacct_group *group)
{
	int cpu;

	mutex_lock(&sum_lock);
	flush_for(group);
	for_each_possible_cpu(cpu) {
		struct cpuacct_cpu *time = per_cpu_ptr(group->cpus, cpu);

		time->base = time_on(time);
	}
	read_times(group, &group->base);
	mutex_unlock(&sum_lock);
}
