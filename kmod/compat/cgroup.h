/* SPDX-License-Identifier: GPL-2.0 */
/* The parts of cgroup and CPU time accounting that are not exported to modules. */
#ifndef BALLAST_COMPAT_CGROUP_H
#define BALLAST_COMPAT_CGROUP_H

#include <linux/cgroup.h>
#include <linux/sched/cputime.h>
#include <linux/static_call.h>

int compat_cgroup_init(void);

void compat_cgroup_lock(void);
void compat_cgroup_unlock(void);
void compat_cgroup_assert_locked(void);

struct cgroup_subsys *compat_cgroup_subsys(const char *name);
bool compat_cgroup_is_on_v2(struct cgroup_subsys *subsys);
bool compat_cgroup_lacks_state(struct cgroup_subsys *subsys);
int compat_cgroup_add_files(struct cgroup_subsys *subsys, struct cftype *files);
int compat_cgroup_add_v1_files(struct cgroup_subsys *subsys, struct cftype *files);
void compat_cgroup_rm_files(struct cftype *files);

void compat_cgroup_adjust(struct cgroup *cgrp, struct task_cputime *sampled,
			  struct task_cputime *time);
void compat_cgroup_cpu_cputime(struct cgroup *cgrp, int cpu, struct task_cputime *time);
void compat_cgroup_cputime(struct cgroup *cgrp, struct task_cputime *time);
void compat_cgroup_removed_cputime(struct cgroup *cgrp, struct task_cputime *time);

void compat_root_cpu_cputime(int cpu, struct task_cputime *time);

#endif
