// SPDX-License-Identifier: GPL-2.0
/*
 * The files in the cgroup tree, byte for byte in the formats of v1's cpuacct.
 *
 * A module cannot register a controller, so the files hang on one that is there: perf_event,
 * which is implicit on v2, or cpu.
 *
 * No lock is taken here but cgroup_mutex, by the kernel, in cpuacct_files_add() and
 * cpuacct_files_remove(). A file that is being read or written keeps its cgroup from being
 * released.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cgroup.h>
#include <linux/math64.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "compat/cgroup.h"
#include "cpuacct/files.h"
#include "cpuacct/group.h"
#include "cpuacct/sum.h"

/* ENOMEM: no memory for the group so far; see probe_mkdir(). */
static int read_times(struct cgroup *cgrp, struct cpuacct_times *times)
{
	struct cpuacct_group *group;
	struct task_cputime time;

	if (is_root(cgrp)) {
		compat_root_cputime(&time);
		times->usage = time.sum_exec_runtime;
		times->user = time.utime;
		times->system = time.stime;
		return 0;
	}
	group = cpuacct_group_find(cgrp);
	if (!group)
		return -ENOMEM;
	cpuacct_sum_times(group, times);
	return 0;
}

static int read_percpu(struct cgroup *cgrp, u64 *usage)
{
	struct cpuacct_group *group;
	int cpu;

	if (is_root(cgrp)) {
		for_each_possible_cpu(cpu)
			usage[cpu] = compat_root_cpu_runtime(cpu);
		return 0;
	}
	group = cpuacct_group_find(cgrp);
	if (!group)
		return -ENOMEM;
	cpuacct_sum_percpu(group, usage);
	return 0;
}

static int usage_show(struct seq_file *file, void *v)
{
	struct cpuacct_times times;
	int ret;

	ret = read_times(seq_css(file)->cgroup, &times);
	if (ret)
		return ret;
	seq_printf(file, "%llu\n", times.usage);
	return 0;
}

static ssize_t usage_write(struct kernfs_open_file *of, char *buffer, size_t size, loff_t offset)
{
	struct cgroup *cgrp = of_css(of)->cgroup;
	struct cpuacct_group *group;
	u64 value;

	if (kstrtou64(strstrip(buffer), 0, &value) || value)
		return -EINVAL;
	/* As on v1, where the root's counters are the machine's. */
	if (is_root(cgrp))
		return size;
	group = cpuacct_group_find(cgrp);
	if (!group)
		return -ENOMEM;
	cpuacct_sum_reset(group);
	return size;
}

static int usage_percpu_show(struct seq_file *file, void *v)
{
	int cpu, ret;
	u64 *usage;

	usage = kcalloc(nr_cpu_ids, sizeof(*usage), GFP_KERNEL);
	if (!usage)
		return -ENOMEM;
	ret = read_percpu(seq_css(file)->cgroup, usage);
	if (!ret) {
		for_each_possible_cpu(cpu)
			seq_printf(file, "%llu ", usage[cpu]);
		seq_putc(file, '\n');
	}
	kfree(usage);
	return ret;
}

static u64 in_clock_ticks(u64 ns)
{
	return div_u64(ns, NSEC_PER_SEC / USER_HZ);
}

static int stat_show(struct seq_file *file, void *v)
{
	struct cpuacct_times times;
	int ret;

	ret = read_times(seq_css(file)->cgroup, &times);
	if (ret)
		return ret;
	seq_printf(file, "user %llu\nsystem %llu\n", in_clock_ticks(times.user),
		   in_clock_ticks(times.system));
	return 0;
}

static struct cftype files[] = {
	{
		.name = "cpuacct.usage",
		.flags = CFTYPE_NO_PREFIX,
		.seq_show = usage_show,
		.write = usage_write,
	},
	{
		.name = "cpuacct.usage_percpu",
		.flags = CFTYPE_NO_PREFIX,
		.seq_show = usage_percpu_show,
	},
	{
		.name = "cpuacct.stat",
		.flags = CFTYPE_NO_PREFIX,
		.seq_show = stat_show,
	},
	{ }
};

static int add_to(const char *variable, const char *name)
{
	struct cgroup_subsys *subsys = compat_cgroup_subsys(variable);
	int ret;

	if (!subsys)
		return -ENODEV;
	ret = compat_cgroup_add_files(subsys, files);
	if (ret)
		return ret;
	pr_info("files are on the %s controller of cgroup v2\n", name);
	if (compat_cgroup_lacks_state(subsys))
		pr_notice("groups below the root get them once a cgroup.subtree_control is written\n");
	return 0;
}

/**
 * cpuacct_files_add() - add the files to all groups that there are and will be
 *
 * Takes cgroup_mutex.
 *
 * Return: 0 or a negative errno.
 */
int cpuacct_files_add(void)
{
	int ret;

	ret = add_to("perf_event_cgrp_subsys", "perf_event");
	if (ret == -ENODEV)
		ret = add_to("cpu_cgrp_subsys", "cpu");
	if (ret == -ENODEV)
		pr_err("neither perf_event nor cpu is a controller of cgroup v2 here\n");
	return ret;
}

/**
 * cpuacct_files_remove() - remove the files from all groups
 *
 * Takes cgroup_mutex. Nobody reads or writes them afterwards; what is still open reads ENODEV.
 */
void cpuacct_files_remove(void)
{
	compat_cgroup_rm_files(files);
}
