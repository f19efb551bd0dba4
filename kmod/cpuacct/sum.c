// SPDX-License-Identifier: GPL-2.0
/*
 * A group's figures, added up when someone reads them.
 *
 * Lock order: sum_lock, then rstat's lock inside compat_cgroup_[removed_]cputime(). Neither
 * cgroup_mutex nor cpuacct_platform_lock inside sum_lock: rmdir waits for readers with the one
 * held, and files are removed with the other.
 */
#include <linux/cgroup.h>
#include <linux/cpu.h>
#include <linux/mutex.h>
#include <linux/smp.h>

#include "compat/cgroup.h"
#include "cpuacct/charge.h"
#include "cpuacct/cpuacct_charge.h"
#include "cpuacct/group.h"
#include "cpuacct/sum.h"

/* Guards the sums, bases, what is flushed, and what the platform collected. */
static DEFINE_MUTEX(sum_lock);

/* NULL if there is none, or none that collects. */
static const struct cpuacct_charge_calls *collector;

static u64 part_of(const struct task_cputime *time, enum cpuacct_part part)
{
	switch (part) {
	case CPUACCT_USER:
		return time->utime;
	case CPUACCT_SYSTEM:
		return time->stime;
	default:
		return time->sum_exec_runtime;
	}
}

/*
 * The time of a group's own tasks on a CPU, without descendants. rstat samples user and system time
 * on the CPU where the task runs, and knows nothing of v1's groups.
 *
 * The caller is an RCU reader, or keeps the cgroup from being released.
 */
static u64 own_time(struct cpuacct_group *group, int cpu, enum cpuacct_part part)
{
	struct cpuacct_cpu *time = per_cpu_ptr(group->cpus, cpu);
	struct task_cputime sampled;

	if (part == CPUACCT_USAGE)
		return READ_ONCE(time->charged);
	/* Pairs with cpuacct_sum_release(). The kernel frees the cgroup a grace period later. */
	if (smp_load_acquire(&group->released))
		return time->last[part];
	compat_cgroup_cpu_cputime(group->cgrp, cpu, &sampled);
	return part_of(&sampled, part);
}

static void add_to_sums(struct cpuacct_group *group, int cpu, enum cpuacct_part part, u64 delta)
{
	for (; group; group = group->parent)
		per_cpu_ptr(group->cpus, cpu)->sum[part] += delta;
}

/* From each group to the next one above that has data. */
static void collect(struct cpuacct_group *group, int cpu)
{
	void *child = NULL;

	for (; group; group = group->parent) {
		if (!group->data)
			continue;
		if (child)
			collector->collect(group->data, child, cpu);
		child = group->data;
	}
}

static void flush_cpu(struct cpuacct_group *group, int cpu)
{
	struct cpuacct_cpu *time = per_cpu_ptr(group->cpus, cpu);
	enum cpuacct_part part;

	rcu_read_lock();
	for (part = 0; part < CPUACCT_PARTS; part++) {
		u64 delta = own_time(group, cpu, part) - time->flushed[part];

		if (!delta)
			continue;
		time->flushed[part] += delta;
		add_to_sums(group, cpu, part, delta);
	}
	rcu_read_unlock();
	if (collector)
		collect(group, cpu);
}

/* Brings the sums of all groups up to date; visits only what was charged since the last flush. */
static void flush(void)
{
	struct cpuacct_cpu *time, *next;
	int cpu;

	lockdep_assert_held(&sum_lock);
	for_each_possible_cpu(cpu) {
		llist_for_each_entry_safe(time, next, cpuacct_charge_updates(cpu), updated_node) {
			cpuacct_charge_read(time);
			flush_cpu(time->group, cpu);
		}
		cond_resched();
	}
}

/**
 * cpuacct_sum_release() - keep what the kernel is about to forget
 * @group: no task can charge it any more; its cgroup is being released
 */
void cpuacct_sum_release(struct cpuacct_group *group)
{
	struct task_cputime sampled;
	int cpu;

	for_each_possible_cpu(cpu) {
		struct cpuacct_cpu *time = per_cpu_ptr(group->cpus, cpu);

		compat_cgroup_cpu_cputime(group->cgrp, cpu, &sampled);
		time->last[CPUACCT_USER] = sampled.utime;
		time->last[CPUACCT_SYSTEM] = sampled.stime;
	}
	/* Pairs with own_time(). */
	smp_store_release(&group->released, true);
}

/**
 * cpuacct_sum_retire() - give all of some groups' time to those above
 * @groups: released ones, by retired_node
 *
 * Afterwards they are on no list of updates, and no sum needs them. May sleep.
 */
void cpuacct_sum_retire(struct list_head *groups)
{
	struct cpuacct_group *group;
	int cpu;

	mutex_lock(&sum_lock);
	flush();
	list_for_each_entry(group, groups, retired_node) {
		/* Samples of tasks that moved away meanwhile don't put a group on a list. */
		for_each_possible_cpu(cpu)
			flush_cpu(group, cpu);
	}
	mutex_unlock(&sum_lock);
}

/**
 * cpuacct_sum_set_platform() - choose who collects
 * @calls: the platform, or NULL; the data that groups have is its data from now on
 *
 * May sleep.
 */
void cpuacct_sum_set_platform(const struct cpuacct_charge_calls *calls)
{
	mutex_lock(&sum_lock);
	collector = calls && calls->collect ? calls : NULL;
	mutex_unlock(&sum_lock);
}

/* Charged time is counted from zero on, samples are rstat's. */
static void seed(struct cpuacct_group *group, int cpu)
{
	struct cpuacct_cpu *time = per_cpu_ptr(group->cpus, cpu);
	struct task_cputime own;

	if (is_root(group) || !is_v2(group->cgrp))
		return;
	compat_cgroup_cpu_cputime(group->cgrp, cpu, &own);
	time->flushed[CPUACCT_USER] = own.utime;
	time->flushed[CPUACCT_SYSTEM] = own.stime;
	add_to_sums(group, cpu, CPUACCT_USAGE, own.sum_exec_runtime);
	add_to_sums(group, cpu, CPUACCT_USER, own.utime);
	add_to_sums(group, cpu, CPUACCT_SYSTEM, own.stime);
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

/*
 * Groups below this one that were removed: rstat knows their time, but no longer on which CPU it
 * was. Parts from @first on.
 */
static void add_removed(struct cpuacct_group *group, enum cpuacct_part first)
{
	struct task_cputime removed;
	enum cpuacct_part part;

	compat_cgroup_removed_cputime(group->cgrp, &removed);
	for (; group; group = group->parent) {
		for (part = first; part < CPUACCT_PARTS; part++)
			group->unknown[part] += part_of(&removed, part);
	}
}

static int seed_unknown(struct cpuacct_group *group)
{
	if (!group->released && !is_root(group) && is_v2(group->cgrp))
		add_removed(group, CPUACCT_USAGE);
	return 0;
}

/**
 * cpuacct_sum_seed() - give the groups the time from before they were charged, and begin to charge
 *
 * Call it once, after cpuacct_charge_init() and cpuacct_groups_add_existing(), with
 * cpuacct_platform_lock and, so that no group is released meanwhile, compat_cgroup_lock().
 * May sleep.
 */
void cpuacct_sum_seed(void)
{
	int cpu;

	compat_cgroup_assert_locked();
	cpus_read_lock();
	mutex_lock(&sum_lock);
	for_each_possible_cpu(cpu) {
		/* Nothing is charged on a CPU that is offline, so any other may do its part. */
		if (smp_call_function_single(cpu, seed_cpu, &cpu, true))
			seed_cpu(&cpu);
	}
	cpus_read_unlock();
	cpuacct_groups_each(seed_unknown);
	mutex_unlock(&sum_lock);
}

/**
 * cpuacct_sum_adopt() - give a group the time from before there was memory for it
 * @group: a v2 group that was just created; those above it were charged so far, also for those
 *	   below it, which are created only after it
 *
 * Samples are rstat's all the time, but no flush has brought them to the groups above, and those of
 * groups that were removed none will.
 * The caller has compat_cgroup_lock(). May sleep.
 */
void cpuacct_sum_adopt(struct cpuacct_group *group)
{
	struct task_cputime total;
	int cpu;

	mutex_lock(&sum_lock);
	compat_cgroup_cputime(group->cgrp, &total);
	group->unknown[CPUACCT_USAGE] += total.sum_exec_runtime;
	for_each_possible_cpu(cpu) {
		group->unknown[CPUACCT_USAGE] -= own_time(group, cpu, CPUACCT_USAGE);
		flush_cpu(group, cpu);
	}
	add_removed(group, CPUACCT_USER);
	mutex_unlock(&sum_lock);
}

/**
 * cpuacct_sum_begin() - bring a group's figures up to date and keep others from changing them
 * @group: the group; its own tasks still run, and are counted
 *
 * May sleep.
 */
void cpuacct_sum_begin(struct cpuacct_group *group)
{
	mutex_lock(&sum_lock);
	/* A group without children is up to date without a flush. */
	if (READ_ONCE(group->nr_children))
		flush();
}

/**
 * cpuacct_sum_end() - undo cpuacct_sum_begin()
 */
void cpuacct_sum_end(void)
{
	mutex_unlock(&sum_lock);
}

static u64 time_on(struct cpuacct_group *group, int cpu, enum cpuacct_part part)
{
	struct cpuacct_cpu *time = per_cpu_ptr(group->cpus, cpu);

	return time->sum[part] + own_time(group, cpu, part) - time->flushed[part];
}

/**
 * cpuacct_sum_on() - time of a group and its descendants on a CPU since it was reset
 * @group: the group, after cpuacct_sum_begin()
 * @cpu: a possible CPU
 * @part: which part of the time
 *
 * Return: ns.
 */
u64 cpuacct_sum_on(struct cpuacct_group *group, int cpu, enum cpuacct_part part)
{
	return time_on(group, cpu, part) - per_cpu_ptr(group->cpus, cpu)->base[part];
}

/* Since the group was made, whatever was reset. */
static u64 total_ever(struct cpuacct_group *group, enum cpuacct_part part)
{
	u64 total = group->unknown[part];
	int cpu;

	for_each_possible_cpu(cpu)
		total += time_on(group, cpu, part);
	return total;
}

/**
 * cpuacct_sum_total() - time of a group and its descendants since it was reset
 * @group: the group, after cpuacct_sum_begin()
 * @part: which part of the time
 *
 * Return: ns, including those whose CPU is not known.
 */
u64 cpuacct_sum_total(struct cpuacct_group *group, enum cpuacct_part part)
{
	return total_ever(group, part) - group->base[part];
}

/* As cpu.stat has them: scaled to the usage, and never less than before. */
static void read_stat(struct cpuacct_group *group, struct task_cputime *time)
{
	struct task_cputime sampled = {
		.sum_exec_runtime = total_ever(group, CPUACCT_USAGE),
		.utime = total_ever(group, CPUACCT_USER),
		.stime = total_ever(group, CPUACCT_SYSTEM),
	};

	compat_cgroup_adjust(group->cgrp, &sampled, time);
}

/**
 * cpuacct_sum_stat() - user and system time of a group and its descendants since it was reset
 * @group: the group, after cpuacct_sum_begin()
 * @user: ns
 * @system: ns
 *
 * Equal to the group's cpu.stat but for resets.
 */
void cpuacct_sum_stat(struct cpuacct_group *group, u64 *user, u64 *system)
{
	struct task_cputime time;

	read_stat(group, &time);
	*user = time.utime - group->stat_base[CPUACCT_USER];
	*system = time.stime - group->stat_base[CPUACCT_SYSTEM];
}

/**
 * cpuacct_sum_reset() - let a group's figures start from zero
 * @group: its ancestors and descendants keep theirs
 *
 * May sleep.
 */
void cpuacct_sum_reset(struct cpuacct_group *group)
{
	enum cpuacct_part part;
	struct task_cputime time;
	int cpu;

	cpuacct_sum_begin(group);
	for (part = 0; part < CPUACCT_PARTS; part++) {
		group->base[part] = group->unknown[part];
		for_each_possible_cpu(cpu) {
			u64 *base = per_cpu_ptr(group->cpus, cpu)->base;

			base[part] = time_on(group, cpu, part);
			group->base[part] += base[part];
		}
	}
	read_stat(group, &time);
	group->stat_base[CPUACCT_USER] = time.utime;
	group->stat_base[CPUACCT_SYSTEM] = time.stime;
	cpuacct_sum_end();
}
