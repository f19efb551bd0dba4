// SPDX-License-Identifier: GPL-2.0
/*
 * The scheduler's hot path: charge a task's runtime to its group.
 *
 * Takes no lock: the scheduler calls with the rq lock of the task's CPU held and interrupts off,
 * which makes it the only writer of that CPU's slots and an RCU reader. Only the task's own group
 * is charged; sum.c adds up its ancestors when someone reads, and visits no more than what is on
 * the lists here.
 */
#include <linux/cgroup.h>
#include <linux/jump_label.h>
#include <linux/sched.h>

#include "compat/tracepoint.h"
#include "cpuacct/group.h"
#include "cpuacct/charge.h"

/* Per CPU, what was charged since the last flush. */
static DEFINE_PER_CPU(struct llist_head, updates);

/* Until all CPUs have begun, each decides for the charges that it makes. */
static DEFINE_STATIC_KEY_TRUE(beginning);
static DEFINE_PER_CPU(bool, begun);

static struct tracepoint *sched_stat_runtime;

static void probe_runtime(COMPAT_SCHED_STAT_RUNTIME_PARAMETERS)
{
	struct cgroup *cgrp = rcu_dereference_sched(task->cgroups)->dfl_cgrp;
	struct cpuacct_group *group = cpuacct_group_nearest(cgrp);
	int cpu = task_cpu(task);
	struct cpuacct_cpu *time;

	if (!group)
		return;
	if (static_branch_unlikely(&beginning) && !__this_cpu_read(begun))
		return;
	time = per_cpu_ptr(group->cpus, cpu);
	WRITE_ONCE(time->charged, time->charged + runtime);
	/*
	 * Pairs with cpuacct_charge_updates(): either this sees that the flush took the slot off
	 * the list, or the flush sees the new time. Without it the time could go unseen until the
	 * next charge.
	 */
	smp_mb();
	if (READ_ONCE(time->updated))
		return;
	WRITE_ONCE(time->updated, true);
	llist_add(&time->updated_node, per_cpu_ptr(&updates, cpu));
}

/**
 * cpuacct_charge_updates() - take what was charged on a CPU since the last call
 * @cpu: a possible CPU
 *
 * Flushes must not run in parallel.
 *
 * Return: a list of &struct cpuacct_cpu by updated_node. Read the next node of each before
 * cpuacct_charge_read(), which lets it onto the list again.
 */
struct llist_node *cpuacct_charge_updates(int cpu)
{
	return llist_del_all(per_cpu_ptr(&updates, cpu));
}

/**
 * cpuacct_charge_read() - time charged so far to a slot from cpuacct_charge_updates()
 * @time: the slot
 *
 * Return: ns.
 */
u64 cpuacct_charge_read(struct cpuacct_cpu *time)
{
	/* Release: the list was walked past this slot before a charge may put it on one again. */
	smp_store_release(&time->updated, false);
	/* Pairs with probe_runtime(). */
	smp_mb();
	return READ_ONCE(time->charged);
}

/**
 * cpuacct_charge_begin() - from now on charge what a CPU accounts
 * @cpu: the calling CPU, with interrupts off, or one that is offline
 */
void cpuacct_charge_begin(int cpu)
{
	per_cpu(begun, cpu) = true;
}

/**
 * cpuacct_charge_begun() - tell that cpuacct_charge_begin() was called for all CPUs
 *
 * May sleep.
 */
void cpuacct_charge_begun(void)
{
	static_branch_disable(&beginning);
}

/**
 * cpuacct_charge_init() - be told of runtimes
 *
 * A CPU's are charged from its cpuacct_charge_begin() on.
 *
 * Return: 0 or a negative errno.
 */
int cpuacct_charge_init(void)
{
	sched_stat_runtime = compat_tracepoint("sched_stat_runtime");
	if (!sched_stat_runtime)
		return -ENOENT;
	return tracepoint_probe_register(sched_stat_runtime, probe_runtime, NULL);
}

/**
 * cpuacct_charge_stop() - charge no more
 *
 * The probe may still run until tracepoint_synchronize_unregister().
 */
void cpuacct_charge_stop(void)
{
	tracepoint_probe_unregister(sched_stat_runtime, probe_runtime, NULL);
}
