// SPDX-License-Identifier: GPL-2.0
/*
 * The groups: found by their cgroup, created with it, freed after it.
 *
 * Lock order: groups_lock is innermost. It guards changes of the hash, nr_children and the list
 * of retired groups. The probes take it inside cgroup_mutex and the kernel's
 * trace_cgroup_path_lock, interrupts off. Readers of the hash need RCU only.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/hashtable.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "compat/tracepoint.h"
#include "cpuacct/group.h"
#include "cpuacct/sum.h"

static DEFINE_HASHTABLE(groups, 12);
static DEFINE_SPINLOCK(groups_lock);
static LIST_HEAD(retired);

static struct tracepoint *mkdir_tracepoint;
static struct tracepoint *release_tracepoint;

static void add_missed(struct work_struct *work);
static DECLARE_WORK(add_missed_work, add_missed);

static void reap(struct work_struct *work);
static DECLARE_WORK(reap_work, reap);

/**
 * cpuacct_group_find() - the group of a cgroup
 * @cgrp: not the root
 *
 * The caller is an RCU reader, or keeps @cgrp from being released.
 *
 * Return: the group, or NULL if there was no memory for it yet.
 */
struct cpuacct_group *cpuacct_group_find(struct cgroup *cgrp)
{
	struct cpuacct_group *group;

	hash_for_each_possible_rcu(groups, group, hash_node, (unsigned long)cgrp, true) {
		if (group->cgrp == cgrp)
			return group;
	}
	return NULL;
}

/**
 * cpuacct_group_nearest() - the group of a cgroup, or of its nearest ancestor that has one
 * @cgrp: any v2 group
 *
 * The caller is an RCU reader.
 *
 * Return: the group, or NULL if only the root is left.
 */
struct cpuacct_group *cpuacct_group_nearest(struct cgroup *cgrp)
{
	struct cpuacct_group *group;

	for (; !is_root(cgrp); cgrp = cgroup_parent(cgrp)) {
		group = cpuacct_group_find(cgrp);
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
	for_each_possible_cpu(cpu)
		per_cpu_ptr(group->cpus, cpu)->group = group;
	return group;
}

static void group_free(struct cpuacct_group *group)
{
	free_percpu(group->cpus);
	kfree(group);
}

/* Both the walk over what exists and the probe may come with the same group: the first one wins. */
static int group_insert(struct cpuacct_group *group)
{
	struct cgroup *parent = cgroup_parent(group->cgrp);

	lockdep_assert_held(&groups_lock);
	if (cpuacct_group_find(group->cgrp))
		return -EEXIST;
	if (!is_root(parent)) {
		group->parent = cpuacct_group_find(parent);
		if (!group->parent)
			return -ENOENT;
		WRITE_ONCE(group->parent->nr_children, group->parent->nr_children + 1);
	}
	hash_add_rcu(groups, &group->hash_node, (unsigned long)group->cgrp);
	return 0;
}

static int group_create(struct cgroup *cgrp, gfp_t gfp)
{
	struct cpuacct_group *group;
	unsigned long flags;
	int ret;

	group = group_alloc(cgrp, gfp);
	if (!group)
		return -ENOMEM;
	spin_lock_irqsave(&groups_lock, flags);
	ret = group_insert(group);
	spin_unlock_irqrestore(&groups_lock, flags);
	if (ret)
		group_free(group);
	return ret == -EEXIST ? 0 : ret;
}

/*
 * Runs under a spinlock. Per-CPU memory is scarce there after many mkdirs in a row, so what finds
 * none is added by the worker; its parent's group, or the next one up, is charged until then.
 */
static void probe_mkdir(void *data, struct cgroup *cgrp, const char *path)
{
	if (cgrp->root != &cgrp_dfl_root)
		return;
	if (group_create(cgrp, GFP_NOWAIT | __GFP_NOWARN))
		schedule_work(&add_missed_work);
}

/* No task is left that could charge the group, but what it was charged may not be flushed yet. */
static void probe_release(void *data, struct cgroup *cgrp, const char *path)
{
	struct cpuacct_group *group;
	unsigned long flags;

	spin_lock_irqsave(&groups_lock, flags);
	group = cpuacct_group_find(cgrp);
	if (group) {
		hash_del_rcu(&group->hash_node);
		list_add_tail(&group->retired_node, &retired);
	}
	spin_unlock_irqrestore(&groups_lock, flags);
	if (group)
		schedule_work(&reap_work);
}

static void reap(struct work_struct *work)
{
	struct cpuacct_group *group, *next;
	LIST_HEAD(reaped);

	spin_lock_irq(&groups_lock);
	list_splice_init(&retired, &reaped);
	spin_unlock_irq(&groups_lock);

	/* Nobody walks past them in the hash then, and flushing takes them off the lists. */
	synchronize_rcu();
	cpuacct_sum_flush();

	spin_lock_irq(&groups_lock);
	list_for_each_entry(group, &reaped, retired_node) {
		if (group->parent)
			WRITE_ONCE(group->parent->nr_children, group->parent->nr_children - 1);
	}
	spin_unlock_irq(&groups_lock);
	list_for_each_entry_safe(group, next, &reaped, retired_node)
		group_free(group);
}

/*
 * The next v2 group below the root, parents first; NULL starts and ends. The walk holds a
 * reference on the group that it stands at, so the body may sleep. Groups that are removed but
 * still counted come too: their ancestors have their time.
 */
static struct cgroup *next_cgroup(struct cgroup *position)
{
	struct cgroup_subsys_state *root = &cgrp_dfl_root.cgrp.self;
	struct cgroup_subsys_state *css = position ? &position->self : root;

	rcu_read_lock();
	do {
		css = css_next_descendant_pre(css, root);
	} while (css && !css_tryget(css));
	rcu_read_unlock();
	if (position)
		css_put(&position->self);
	return css ? css->cgroup : NULL;
}

/**
 * cpuacct_groups_add_existing() - create the groups that are missing
 *
 * Return: 0, or -ENOMEM with those groups created for which there was memory.
 */
int cpuacct_groups_add_existing(void)
{
	struct cgroup *cgrp;

	for (cgrp = next_cgroup(NULL); cgrp; cgrp = next_cgroup(cgrp)) {
		if (cpuacct_group_find(cgrp) || group_create(cgrp, GFP_KERNEL) != -ENOMEM)
			continue;
		css_put(&cgrp->self);
		return -ENOMEM;
	}
	return 0;
}

static void add_missed(struct work_struct *work)
{
	if (cpuacct_groups_add_existing())
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

/**
 * cpuacct_groups_init() - follow the creation and release of groups
 *
 * Return: 0 or a negative errno.
 */
int cpuacct_groups_init(void)
{
	int ret;

	mkdir_tracepoint = compat_tracepoint("cgroup_mkdir");
	release_tracepoint = compat_tracepoint("cgroup_release");
	if (!mkdir_tracepoint || !release_tracepoint)
		return -ENOENT;
	/* Whatever mkdir adds must go when it is released. */
	ret = tracepoint_probe_register(release_tracepoint, probe_release, NULL);
	if (ret)
		return ret;
	ret = tracepoint_probe_register(mkdir_tracepoint, probe_mkdir, NULL);
	if (ret)
		tracepoint_probe_unregister(release_tracepoint, probe_release, NULL);
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
