/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is kept for each group: of cgroup v2, and of v1's cpuacct hierarchy if there is one. A v1
 * group has its time from the kernel; only what a platform accounts is kept for it here.
 */
#ifndef BALLAST_CPUACCT_GROUP_H
#define BALLAST_CPUACCT_GROUP_H

#include <linux/cgroup.h>
#include <linux/llist.h>
#include <linux/percpu.h>

/* The parts of a group's time, each in ns. */
enum cpuacct_part {
	CPUACCT_USAGE,
	/* Sampled at ticks: */
	CPUACCT_USER,
	CPUACCT_SYSTEM,
	CPUACCT_PARTS,
};

/* A group's time on one CPU, in ns. What a charge touches comes first. */
struct cpuacct_cpu {
	struct cgroup *cgrp;
	/* The group's own tasks' time since charging began. Written under that CPU's rq lock. */
	u64 charged;
	/* Is this on its CPU's list of what was charged since the last flush? */
	bool updated;
	int cpu;
	struct llist_node updated_node;
	struct cpuacct_group *group;

	/* rstat's last samples of a group that was released, by part. */
	u64 last[CPUACCT_PARTS];

	/* The rest is under sum_lock. The group's own time that is in the sums already: */
	u64 flushed[CPUACCT_PARTS];
	/* Flushed time of the group, its descendants, and those that were removed: */
	u64 sum[CPUACCT_PARTS];
	/* The time when the group was last reset: */
	u64 base[CPUACCT_PARTS];
};

struct cpuacct_group {
	struct hlist_node hash_node;
	struct cgroup *cgrp;
	/* NULL for v2's root, and if the parent is v1's. */
	struct cpuacct_group *parent;
	struct cpuacct_cpu __percpu *cpus;
	/* What the platform's init gave; NULL without platform, or if there was no memory yet. */
	void *data;
	/* rstat has forgotten the group; its last samples are kept here. */
	bool released;
	/* Children, also removed ones until their time is flushed. */
	unsigned int nr_children;
	struct list_head retired_node;

	/* Under sum_lock. Time of which the CPU is not known: */
	u64 unknown[CPUACCT_PARTS];
	/* The time of all CPUs, and that, when the group was last reset: */
	u64 base[CPUACCT_PARTS];
	/* User and system time as cpu.stat had it when the group was last reset: */
	u64 stat_base[CPUACCT_PARTS];
};

static inline bool is_v2(const struct cgroup *cgrp)
{
	return cgrp->root == &cgrp_dfl_root;
}

/* v2's root group. Its time is kept by the kernel. */
static inline bool is_root(const struct cpuacct_group *group)
{
	return group->cgrp == &cgrp_dfl_root.cgrp;
}

struct cpuacct_group *cpuacct_group_of(struct cgroup *cgrp);
struct cpuacct_group *cpuacct_group_nearest(struct cgroup *cgrp);

void cpuacct_groups_visit(void (*visit)(struct cpuacct_group *group, int cpu), int cpu);
int cpuacct_groups_each(int (*action)(struct cpuacct_group *group));

int cpuacct_groups_init(void);
int cpuacct_groups_add_existing(void);
void cpuacct_groups_stop(void);
void cpuacct_groups_free(void);

#endif
