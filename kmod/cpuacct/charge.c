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
#include <linux/static_call.h>

#include "compat/runtime.h"
#include "cpuacct/charge.h"
#include "cpuacct/cpuacct_charge.h"
#include "cpuacct/group.h"

/* What no group has; a cache that points here is empty. */
static struct cpuacct_cpu nobody;

struct charging {
	/* The slots that were charged last: saves a look into the hash. */
	struct cpuacct_cpu *v2_cache;
	struct cpuacct_cpu *v1_cache;
	/* What was charged since the last flush. */
	struct llist_head updates;
	/* Does this CPU charge what it accounts? */
	bool begun;
};

static DEFINE_PER_CPU(struct charging, charging);

/* Something is to be asked at each charge: */
static DEFINE_STATIC_KEY_TRUE(with_questions);
/* has this CPU begun, */
static DEFINE_STATIC_KEY_TRUE(with_beginning);

static void charge_nothing(void *data, u64 cputime, unsigned int cpu)
{
}

/* is there a platform, and does it want each charge for the ancestors too? */
static DEFINE_STATIC_KEY_FALSE(with_platform);
static DEFINE_STATIC_KEY_FALSE(with_ancestors);
DEFINE_STATIC_CALL(platform_charge, charge_nothing);

static noinline struct cpuacct_cpu *find(struct cpuacct_cpu **cache, struct cgroup *cgrp, int cpu)
{
	struct cpuacct_group *group = cpuacct_group_nearest(cgrp);
	struct cpuacct_cpu *time;

	if (!group)
		return NULL;
	time = per_cpu_ptr(group->cpus, cpu);
	if (time->cgrp == cgrp)
		WRITE_ONCE(*cache, time);
	return time;
}

static noinline void put_on_list(struct cpuacct_cpu *time)
{
	WRITE_ONCE(time->updated, true);
	llist_add(&time->updated_node, &per_cpu(charging, time->cpu).updates);
}

/* After all that is charged for a runtime. */
static __always_inline void tell(struct cpuacct_cpu *time)
{
	/*
	 * Pairs with cpuacct_charge_read(): either this sees that the flush took the slot off the
	 * list, or the flush sees the new time. Without it the time could go unseen until the next
	 * charge.
	 */
	smp_mb();
	if (unlikely(!time->updated))
		put_on_list(time);
}

/* A group may lack its data yet; then the one above is charged instead. */
static noinline void charge_above(struct cpuacct_group *group, u64 runtime, int cpu)
{
	for (; group; group = group->parent) {
		void *data = READ_ONCE(group->data);

		if (!data)
			continue;
		static_call(platform_charge)(data, runtime, cpu);
		if (!static_branch_unlikely(&with_ancestors))
			return;
	}
}

static __always_inline void charge_platform(struct cpuacct_group *group, u64 runtime, int cpu)
{
	void *data = READ_ONCE(group->data);

	if (unlikely(!data) || static_branch_unlikely(&with_ancestors))
		charge_above(group, runtime, cpu);
	else
		static_call(platform_charge)(data, runtime, cpu);
}

/* Nothing but @time is needed after what is called here: that saves saving registers. */
static __always_inline void charge(struct cpuacct_cpu *time, u64 runtime, int cpu)
{
	time->charged += runtime;
	if (static_branch_unlikely(&with_platform))
		charge_platform(time->group, runtime, cpu);
	tell(time);
}

static noinline void charge_group(struct cpuacct_cpu **cache, struct cgroup *cgrp, u64 runtime,
				  int cpu)
{
	struct cpuacct_cpu *time = *cache;

	if (time->cgrp != cgrp)
		time = find(cache, cgrp, cpu);
	if (time)
		charge(time, runtime, cpu);
}

static noinline void charge_v2(struct task_struct *task, u64 runtime)
{
	int cpu = task_cpu(task);

	charge_group(&per_cpu(charging, cpu).v2_cache,
		     rcu_dereference_sched(task->cgroups)->dfl_cgrp, runtime, cpu);
}

static struct cgroup *v1_group(struct task_struct *task)
{
	return rcu_dereference_sched(task->cgroups)->subsys[cpuacct_cgrp_id]->cgroup;
}

/* v1's own figures are the kernel's work, the platform's are ours; v2 charges the root for both. */
static noinline void charge_both(struct task_struct *task, u64 runtime)
{
	int cpu = task_cpu(task);

	charge_group(&per_cpu(charging, cpu).v1_cache, v1_group(task), runtime, cpu);
	charge_v2(task, runtime);
}

static noinline void charge_with_questions(struct task_struct *task, u64 runtime)
{
	struct cgroup *cgrp = rcu_dereference_sched(task->cgroups)->dfl_cgrp;
	struct cpuacct_cpu *time;

	if (static_branch_unlikely(&with_beginning) && !__this_cpu_read(charging.begun))
		return;
	if (!static_branch_unlikely(&with_platform)) {
		if (cgrp != &cgrp_dfl_root.cgrp)
			charge_v2(task, runtime);
		return;
	}
	if (unlikely(cgroup_parent(v1_group(task)))) {
		charge_both(task, runtime);
		return;
	}
	time = per_cpu(charging, task_cpu(task)).v2_cache;
	if (unlikely(time->cgrp != cgrp)) {
		charge_v2(task, runtime);
		return;
	}
	charge(time, runtime, task_cpu(task));
}

/*
 * Without a platform, and in the group that was charged last on that CPU, nothing is called from
 * here. That is what keeps the cost down: no register needs saving.
 */
static void probe_runtime(COMPAT_RUNTIME_PARAMETERS)
{
	struct cgroup *cgrp = rcu_dereference_sched(task->cgroups)->dfl_cgrp;
	struct cpuacct_cpu *time;

	if (static_branch_unlikely(&with_questions)) {
		charge_with_questions(task, runtime);
		return;
	}
	if (cgrp == &cgrp_dfl_root.cgrp)
		return;
	time = per_cpu(charging, task_cpu(task)).v2_cache;
	if (unlikely(time->cgrp != cgrp)) {
		charge_v2(task, runtime);
		return;
	}
	time->charged += runtime;
	tell(time);
}

/**
 * cpuacct_charge_forget() - a group is about to be freed
 * @group: no task can charge it any more
 *
 * Charges may compare with its slots until the next RCU grace period has passed.
 */
void cpuacct_charge_forget(struct cpuacct_group *group)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct charging *there = per_cpu_ptr(&charging, cpu);
		struct cpuacct_cpu *time = per_cpu_ptr(group->cpus, cpu);

		cmpxchg(&there->v2_cache, time, &nobody);
		cmpxchg(&there->v1_cache, time, &nobody);
	}
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
	return llist_del_all(&per_cpu_ptr(&charging, cpu)->updates);
}

/**
 * cpuacct_charge_read() - time charged so far to a slot from cpuacct_charge_updates()
 * @time: the slot
 *
 * What is read afterwards of what was charged with that time, such as the platform's data, is at
 * least as new.
 *
 * Return: ns.
 */
u64 cpuacct_charge_read(struct cpuacct_cpu *time)
{
	/* Release: the list was walked past this slot before a charge may put it on one again. */
	smp_store_release(&time->updated, false);
	/* Pairs with charge(). */
	smp_mb();
	return READ_ONCE(time->charged);
}

/**
 * cpuacct_charge_start_platform() - call a platform at each charge from now on
 * @calls: all groups that exist have its data
 *
 * Charges that were under way before may go without. May sleep.
 */
void cpuacct_charge_start_platform(const struct cpuacct_charge_calls *calls)
{
	static_call_update(platform_charge, calls->charge);
	if (!calls->collect)
		static_branch_enable(&with_ancestors);
	static_branch_enable(&with_platform);
	static_branch_inc(&with_questions);
}

/**
 * cpuacct_charge_stop_platform() - call the platform no more
 *
 * Charges that are under way may still do so until the next RCU grace period has passed. May sleep.
 */
void cpuacct_charge_stop_platform(void)
{
	static_branch_dec(&with_questions);
	static_branch_disable(&with_platform);
	static_branch_disable(&with_ancestors);
	static_call_update(platform_charge, &charge_nothing);
}

/**
 * cpuacct_charge_begin() - from now on charge what a CPU accounts
 * @cpu: the calling CPU, with interrupts off, or one that is offline
 */
void cpuacct_charge_begin(int cpu)
{
	per_cpu(charging, cpu).begun = true;
}

/**
 * cpuacct_charge_begun() - tell that cpuacct_charge_begin() was called for all CPUs
 *
 * May sleep.
 */
void cpuacct_charge_begun(void)
{
	static_branch_dec(&with_questions);
	static_branch_disable(&with_beginning);
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
	int cpu;

	/* Modules' per-CPU variables can't have addresses as initial values. */
	for_each_possible_cpu(cpu) {
		per_cpu(charging, cpu).v2_cache = &nobody;
		per_cpu(charging, cpu).v1_cache = &nobody;
	}
	return compat_runtime_register(probe_runtime);
}

/**
 * cpuacct_charge_stop() - charge no more
 *
 * The probe may still run until tracepoint_synchronize_unregister().
 */
void cpuacct_charge_stop(void)
{
	compat_runtime_unregister(probe_runtime);
}
