// SPDX-License-Identifier: GPL-2.0
/*
 * The groups: found by their cgroup, created with it, freed after it.
 *
 * Lock order: cpuacct_platform_lock, cgroup_mutex, groups_lock. The last one guards changes of the
 * hash, of nr_children and of the list of retired groups; the probes take it inside cgroup_mutex
 * and the kernel's trace_cgroup_path_lock, interrupts off. Readers of the hash need RCU only. A
 * group is freed under cpuacct_platform_lock.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/hashtable.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "compat/cgroup.h"
#include "compat/tracepoint.h"
#include "cpuacct/charge.h"
#include "cpuacct/group.h"
#include "cpuacct/platform.h"
#include "cpuacct/sum.h"

static DEFINE_HASHTABLE(groups, 13);
static DEFINE_SPINLOCK(groups_lock);
static LIST_HEAD(retired);

/* Guarded by cpuacct_platform_lock. */
static bool existing_added;

static struct cgroup_subsys *cpuacct;
static struct tracepoint *mkdir_tracepoint;
static struct tracepoint *release_tracepoint;

static void add_missed(struct work_struct *work);
static DECLARE_WORK(add_missed_work, add_missed);

static void reap(struct work_struct *work);
static DECLARE_WORK(reap_work, reap);

static struct cpuacct_group *find(struct cgroup *cgrp)
{
	struct cpuacct_group *group;

	hash_for_each_possible_rcu(groups, group, hash_node, (unsigned long)cgrp, true) {
		if (group->cgrp == cgrp)
			return group;
	}
	return NULL;
}

/**
 * cpuacct_group_of() - the group of a cgroup
 * @cgrp: of v2 or of v1's cpuacct; both roots have v2's group
 *
 * The caller keeps @cgrp from being released.
 *
 * Return: the group, or NULL if there was no memory for it yet.
 */
struct cpuacct_group *cpuacct_group_of(struct cgroup *cgrp)
{
	struct cpuacct_group *group;

	/* The group stays, but others on the way to it may be freed. */
	rcu_read_lock();
	group = find(cgroup_parent(cgrp) ? cgrp : &cgrp_dfl_root.cgrp);
	rcu_read_unlock();
	return group;
}

/**
 * cpuacct_group_nearest() - the group of a cgroup, or of its nearest ancestor that has one
 * @cgrp: of v2 or of v1's cpuacct
 *
 * The caller is an RCU reader.
 *
 * Return: the group, never NULL for v2; NULL if only v1's root is left.
 */
struct cpuacct_group *cpuacct_group_nearest(struct cgroup *cgrp)
{
	struct cpuacct_group *group;

	for (; cgrp; cgrp = cgroup_parent(cgrp)) {
		group = find(cgrp);
		if (likely(group))
			return group;
	}
	return NULL;
}

static struct cpuacct_group *group_alloc(struct cgroup *cgrp, gfp_t gfp)
{
	struct cpuacct_group *group;
	int cpu;

	group = kzalloc(sizeof(*group), gfp);
	if (!group)
		return NULL;
	group->cpus = alloc_percpu_gfp(struct cpuacct_cpu, gfp);
	if (!group->cpus) {
		kfree(group);
		return NULL;
	}
	group->cgrp = cgrp;
	for_each_possible_cpu(cpu) {
		struct cpuacct_cpu *time = per_cpu_ptr(group->cpus, cpu);

		time->cgrp = cgrp;
		time->cpu = cpu;
		time->group = group;
	}
	return group;
}

static void group_free(struct cpuacct_group *group)
{
	free_percpu(group->cpus);
	kfree(group);
}

/* v1's root has no group. */
static bool has_parent(struct cgroup *cgrp)
{
	struct cgroup *parent = cgroup_parent(cgrp);

	return parent && (is_v2(parent) || cgroup_parent(parent));
}

static void group_insert(struct cpuacct_group *group)
{
	struct cpuacct_group *parent = group->parent;
	unsigned long flags;

	spin_lock_irqsave(&groups_lock, flags);
	if (parent)
		WRITE_ONCE(parent->nr_children, parent->nr_children + 1);
	hash_add_rcu(groups, &group->hash_node, (unsigned long)group->cgrp);
	spin_unlock_irqrestore(&groups_lock, flags);
}

/* The caller has cgroup_mutex, so nobody else creates the same group, and the parent stays. */
static int group_create(struct cgroup *cgrp, gfp_t gfp)
{
	struct cpuacct_group *parent = NULL;
	struct cpuacct_group *group;
	int ret;

	if (has_parent(cgrp)) {
		parent = find(cgroup_parent(cgrp));
		if (!parent)
			return -ENOENT;
	}
	group = group_alloc(cgrp, gfp);
	if (!group)
		return -ENOMEM;
	group->parent = parent;
	/* Without the platform's data it is still of use. */
	ret = cpuacct_platform_give(group, gfp);
	group_insert(group);
	return ret;
}

static bool is_ours(struct cgroup *cgrp)
{
	return is_v2(cgrp) || cgrp->root == READ_ONCE(cpuacct->root);
}

/*
 * Runs under a spinlock. Per-CPU memory is scarce there after many mkdirs in a row, so what finds
 * none is added by the worker; its parent's group, or the next one up, is charged until then.
 */
static void probe_mkdir(void *data, struct cgroup *cgrp, const char *path)
{
	if (is_ours(cgrp) && group_create(cgrp, GFP_NOWAIT | __GFP_NOWARN))
		schedule_work(&add_missed_work);
}

/*
 * No task is left that could charge the group, and none has been for an RCU grace period, but what
 * it was charged may not be flushed yet.
 */
static void probe_release(void *data, struct cgroup *cgrp, const char *path)
{
	struct cpuacct_group *group;
	unsigned long flags;

	spin_lock_irqsave(&groups_lock, flags);
	group = find(cgrp);
	if (group) {
		hash_del_rcu(&group->hash_node);
		list_add_tail(&group->retired_node, &retired);
		cpuacct_charge_forget(group);
		cpuacct_sum_release(group);
	}
	spin_unlock_irqrestore(&groups_lock, flags);
	if (group)
		schedule_work(&reap_work);
}

static void reap(struct work_struct *work)
{
	struct cpuacct_group *group, *next;
	LIST_HEAD(reaped);

	mutex_lock(&cpuacct_platform_lock);
	spin_lock_irq(&groups_lock);
	list_splice_init(&retired, &reaped);
	spin_unlock_irq(&groups_lock);

	/* Nobody finds them in the hash or in a cache then. */
	synchronize_rcu();
	cpuacct_sum_retire(&reaped);

	spin_lock_irq(&groups_lock);
	list_for_each_entry(group, &reaped, retired_node) {
		if (group->parent)
			WRITE_ONCE(group->parent->nr_children, group->parent->nr_children - 1);
	}
	spin_unlock_irq(&groups_lock);
	list_for_each_entry_safe(group, next, &reaped, retired_node) {
		cpuacct_platform_take(group);
		group_free(group);
	}
	mutex_unlock(&cpuacct_platform_lock);
}

/* Adds the groups that are missing below a root; @added is told of each. */
static int add_below(struct cgroup *root, void (*added)(struct cpuacct_group *group))
{
	struct cgroup_subsys_state *css;
	int ret;

	css_for_each_descendant_pre(css, &root->self) {
		struct cgroup *cgrp = css->cgroup;
		struct cpuacct_group *group = find(cgrp);

		if (cgrp == root)
			continue;
		ret = group ? cpuacct_platform_give(group, GFP_KERNEL) :
			      group_create(cgrp, GFP_KERNEL);
		if (ret)
			return ret;
		if (!group && added)
			added(find(cgrp));
		cond_resched();
	}
	return 0;
}

static int add_groups(void (*added)(struct cpuacct_group *group))
{
	int ret;

	compat_cgroup_assert_locked();
	ret = add_below(&cgrp_dfl_root.cgrp, added);
	if (!ret && cpuacct->root != &cgrp_dfl_root)
		ret = add_below(&cpuacct->root->cgrp, NULL);
	return ret;
}

/**
 * cpuacct_groups_add_existing() - create the groups that were there before the module
 *
 * The caller has cpuacct_platform_lock and compat_cgroup_lock().
 *
 * Return: 0 or a negative errno.
 */
int cpuacct_groups_add_existing(void)
{
	int ret = add_groups(NULL);

	existing_added = !ret;
	return ret;
}

/* Before the existing groups are added none is missed: their time is seeded, not adopted. */
static void add_missed(struct work_struct *work)
{
	int ret = 0;

	mutex_lock(&cpuacct_platform_lock);
	compat_cgroup_lock();
	if (existing_added)
		ret = add_groups(cpuacct_sum_adopt);
	compat_cgroup_unlock();
	mutex_unlock(&cpuacct_platform_lock);
	if (ret)
		pr_warn_ratelimited("no memory for new groups: their parents are charged\n");
}

/**
 * cpuacct_groups_visit() - call a function for each group, in no order
 * @visit: runs in an RCU read-side section
 * @cpu: passed to it
 */
void cpuacct_groups_visit(void (*visit)(struct cpuacct_group *group, int cpu), int cpu)
{
	struct cpuacct_group *group;
	int bucket;

	rcu_read_lock();
	hash_for_each_rcu(groups, bucket, group, hash_node)
		visit(group, cpu);
	rcu_read_unlock();
}

static int each_retired(int (*action)(struct cpuacct_group *group))
{
	struct cpuacct_group *group;
	LIST_HEAD(list);
	int ret = 0;

	spin_lock_irq(&groups_lock);
	list_splice_init(&retired, &list);
	spin_unlock_irq(&groups_lock);
	list_for_each_entry(group, &list, retired_node) {
		ret = action(group);
		if (ret)
			break;
	}
	spin_lock_irq(&groups_lock);
	list_splice(&list, &retired);
	spin_unlock_irq(&groups_lock);
	return ret;
}

/**
 * cpuacct_groups_each() - do something that may sleep for each group, in no order
 * @action: stops the walk unless it returns 0; may come twice to a group that is released meanwhile
 *
 * Released groups that are not freed yet come too. The caller has cpuacct_platform_lock, so that
 * none is freed.
 *
 * Return: what the last action returned.
 */
int cpuacct_groups_each(int (*action)(struct cpuacct_group *group))
{
	struct cpuacct_group *group;
	int bucket, ret;

	lockdep_assert_held(&cpuacct_platform_lock);
	for (bucket = 0; bucket < HASH_SIZE(groups); bucket++) {
		hlist_for_each_entry_rcu(group, &groups[bucket], hash_node, true) {
			ret = action(group);
			if (ret)
				return ret;
		}
		cond_resched();
	}
	return each_retired(action);
}

static int follow(void)
{
	int ret;

	mkdir_tracepoint = compat_tracepoint("cgroup_mkdir");
	if (!mkdir_tracepoint)
		return -ENOENT;
	release_tracepoint = compat_tracepoint("cgroup_release");
	if (!release_tracepoint)
		return -ENOENT;
	/* Whatever mkdir adds must go when it is released. */
	check_trace_callback_type_cgroup_release(probe_release);
	ret = tracepoint_probe_register(release_tracepoint, probe_release, NULL);
	if (ret)
		return ret;
	check_trace_callback_type_cgroup_mkdir(probe_mkdir);
	ret = tracepoint_probe_register(mkdir_tracepoint, probe_mkdir, NULL);
	if (ret) {
		tracepoint_probe_unregister(release_tracepoint, probe_release, NULL);
		tracepoint_synchronize_unregister();
	}
	return ret;
}

/**
 * cpuacct_groups_init() - follow the creation and release of groups; the root has its own
 *
 * Return: 0, or a negative errno with nothing left to undo.
 */
int cpuacct_groups_init(void)
{
	int ret;

	cpuacct = compat_cgroup_subsys("cpuacct_cgrp_subsys");
	if (!cpuacct)
		return -ENOENT;
	ret = group_create(&cgrp_dfl_root.cgrp, GFP_KERNEL);
	if (ret)
		return ret;
	ret = follow();
	if (ret)
		cpuacct_groups_free();
	return ret;
}

/**
 * cpuacct_groups_stop() - stop following
 *
 * The probes may still run until tracepoint_synchronize_unregister().
 */
void cpuacct_groups_stop(void)
{
	tracepoint_probe_unregister(mkdir_tracepoint, probe_mkdir, NULL);
	tracepoint_probe_unregister(release_tracepoint, probe_release, NULL);
}

/**
 * cpuacct_groups_free() - free all groups
 *
 * No probe runs any more and no file is left.
 */
void cpuacct_groups_free(void)
{
	struct cpuacct_group *group, *next;
	struct hlist_node *node;
	int bucket;

	cancel_work_sync(&add_missed_work);
	cancel_work_sync(&reap_work);
	hash_for_each_safe(groups, bucket, node, group, hash_node)
		group_free(group);
	list_for_each_entry_safe(group, next, &retired, retired_node)
		group_free(group);
}
