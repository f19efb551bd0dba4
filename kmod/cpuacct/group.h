/* SPDX-License-Identifier: GPL-2.0 */
/* What is kept for each cgroup v2 group but the root, whose time the kernel keeps itself. */
#ifndef BALLAST_CPUACCT_GROUP_H
#define BALLAST_CPUACCT_GROUP_H

#include <linux/cgroup.h>
#include <linux/llist.h>
#include <linux/percpu.h>

/* A group's time on one CPU, in ns. */
struct cpuacct_cpu {
	/* The group's own tasks' time since charging began. Written under that CPU's rq lock. */
	u64 charged;
	/* Is this on its CPU's list of what was charged since the last flush? */
	bool updated;
	struct llist_node updated_node;
	struct cpuacct_group *group;

	/* The rest is under the lock of sum.c. The part of @charged that is in the sums already: */
	u64 flushed;
	/* Flushed time of the group, its descendants, and those that were removed: */
	u64 sum;
	/* @sum when the group was last reset: */
	u64 base;
};

/* A group's time, in ns. */
struct cpuacct_times {
	u64 usage;
	u64 user;
	u64 system;
};

struct cpuacct_group {
	struct hlist_node hash_node;
	struct cgroup *cgrp;
	/* NULL if that is the root. */
	struct cpuacct_group *parent;
	struct cpuacct_cpu __percpu *cpus;
	/* Children, also removed ones until their time is flushed. */
	unsigned int nr_children;
	struct list_head retired_node;
	/* Under the lock of sum.c: the group's time when it was last reset. */
	struct cpuacct_times base;
};

static inline bool is_root(struct cgroup *cgrp)
{
	return cgrp == &cgrp_dfl_root.cgrp;
}

struct cpuacct_group *cpuacct_group_find(struct cgroup *cgrp);
struct cpuacct_group *cpuacct_group_nearest(struct cgroup *cgrp);

void cpuacct_groups_visit(void (*visit)(struct cpuacct_group *group, int cpu), int cpu);

int cpuacct_groups_init(void);
int cpuacct_groups_add_existing(void);
void cpuacct_groups_stop(void);
void cpuacct_groups_free(void);

#endif
