// SPDX-License-Identifier: GPL-2.0
/*
 * The files in the tree of cgroup v2, byte for byte in the formats of v1's cpuacct.
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
#include <linux/string.h>

#include "compat/cgroup.h"
#include "cpuacct/files.h"
#include "cpuacct/group.h"
#include "cpuacct/sum.h"

/* The controller of cgroup v2 that the files hang on; NULL if there is none. */
static struct cgroup_subsys *host;

/* The kernel keeps the root's time. */
static u64 root_time_on(int cpu, enum cpuacct_part part)
{
	struct task_cputime time;

	compat_root_cpu_cputime(cpu, &time);
	switch (part) {
	case CPUACCT_USER:
		return time.utime;
	case CPUACCT_SYSTEM:
		return time.stime;
	default:
		return time.sum_exec_runtime;
	}
}

static u64 time_on(struct cpuacct_group *group, int cpu, enum cpuacct_part part)
{
	return is_root(group) ? root_time_on(cpu, part) : cpuacct_sum_on(group, cpu, part);
}

static u64 total_of(struct cpuacct_group *group, enum cpuacct_part part)
{
	u64 total = 0;
	int cpu;

	if (!is_root(group))
		return cpuacct_sum_total(group, part);
	for_each_possible_cpu(cpu)
		total += root_time_on(cpu, part);
	return total;
}

static int total_show(struct seq_file *file, enum cpuacct_part part)
{
	struct cpuacct_group *group = cpuacct_group_of(seq_css(file)->cgroup);

	/* See probe_mkdir(). */
	if (!group)
		return -ENOMEM;
	cpuacct_sum_begin(group);
	seq_put_decimal_ull(file, "", total_of(group, part));
	cpuacct_sum_end();
	seq_putc(file, '\n');
	return 0;
}

static int usage_show(struct seq_file *file, void *v)
{
	return total_show(file, CPUACCT_USAGE);
}

static int usage_user_show(struct seq_file *file, void *v)
{
	return total_show(file, CPUACCT_USER);
}

static int usage_sys_show(struct seq_file *file, void *v)
{
	return total_show(file, CPUACCT_SYSTEM);
}

static ssize_t usage_write(struct kernfs_open_file *of, char *buffer, size_t size, loff_t offset)
{
	struct cpuacct_group *group = cpuacct_group_of(of_css(of)->cgroup);
	u64 value;

	if (kstrtou64(strstrip(buffer), 0, &value) || value)
		return -EINVAL;
	if (!group)
		return -ENOMEM;
	/* As on v1, the root's counters are the machine's. */
	if (!is_root(group))
		cpuacct_sum_reset(group);
	return size;
}

static int percpu_show(struct seq_file *file, enum cpuacct_part part)
{
	struct cpuacct_group *group = cpuacct_group_of(seq_css(file)->cgroup);
	int cpu;

	if (!group)
		return -ENOMEM;
	cpuacct_sum_begin(group);
	for_each_possible_cpu(cpu) {
		seq_put_decimal_ull(file, "", time_on(group, cpu, part));
		seq_putc(file, ' ');
	}
	cpuacct_sum_end();
	seq_putc(file, '\n');
	return 0;
}

static int usage_percpu_show(struct seq_file *file, void *v)
{
	return percpu_show(file, CPUACCT_USAGE);
}

static int usage_percpu_user_show(struct seq_file *file, void *v)
{
	return percpu_show(file, CPUACCT_USER);
}

static int usage_percpu_sys_show(struct seq_file *file, void *v)
{
	return percpu_show(file, CPUACCT_SYSTEM);
}

static int usage_all_show(struct seq_file *file, void *v)
{
	struct cpuacct_group *group = cpuacct_group_of(seq_css(file)->cgroup);
	int cpu;

	if (!group)
		return -ENOMEM;
	seq_puts(file, "cpu user system\n");
	cpuacct_sum_begin(group);
	for_each_possible_cpu(cpu) {
		seq_put_decimal_ull(file, "", cpu);
		seq_put_decimal_ull(file, " ", time_on(group, cpu, CPUACCT_USER));
		seq_put_decimal_ull(file, " ", time_on(group, cpu, CPUACCT_SYSTEM));
		seq_putc(file, '\n');
	}
	cpuacct_sum_end();
	return 0;
}

static u64 in_clock_ticks(u64 ns)
{
	return div_u64(ns, NSEC_PER_SEC / USER_HZ);
}

static void root_stat(struct cpuacct_group *root, u64 *user, u64 *system)
{
	struct task_cputime sampled = {
		.sum_exec_runtime = total_of(root, CPUACCT_USAGE),
		.utime = total_of(root, CPUACCT_USER),
		.stime = total_of(root, CPUACCT_SYSTEM),
	};
	struct task_cputime time;

	compat_cgroup_adjust(root->cgrp, &sampled, &time);
	*user = time.utime;
	*system = time.stime;
}

static int stat_show(struct seq_file *file, void *v)
{
	struct cpuacct_group *group = cpuacct_group_of(seq_css(file)->cgroup);
	u64 user, system;

	if (!group)
		return -ENOMEM;
	if (is_root(group)) {
		root_stat(group, &user, &system);
	} else {
		cpuacct_sum_begin(group);
		cpuacct_sum_stat(group, &user, &system);
		cpuacct_sum_end();
	}
	seq_put_decimal_ull(file, "user ", in_clock_ticks(user));
	seq_put_decimal_ull(file, "\nsystem ", in_clock_ticks(system));
	seq_putc(file, '\n');
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
		.name = "cpuacct.usage_user",
		.flags = CFTYPE_NO_PREFIX,
		.seq_show = usage_user_show,
	},
	{
		.name = "cpuacct.usage_sys",
		.flags = CFTYPE_NO_PREFIX,
		.seq_show = usage_sys_show,
	},
	{
		.name = "cpuacct.usage_percpu",
		.flags = CFTYPE_NO_PREFIX,
		.seq_show = usage_percpu_show,
	},
	{
		.name = "cpuacct.usage_percpu_user",
		.flags = CFTYPE_NO_PREFIX,
		.seq_show = usage_percpu_user_show,
	},
	{
		.name = "cpuacct.usage_percpu_sys",
		.flags = CFTYPE_NO_PREFIX,
		.seq_show = usage_percpu_sys_show,
	},
	{
		.name = "cpuacct.usage_all",
		.flags = CFTYPE_NO_PREFIX,
		.seq_show = usage_all_show,
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

	if (!subsys || !compat_cgroup_is_on_v2(subsys))
		return -ENODEV;
	ret = compat_cgroup_add_files(subsys, files);
	if (ret)
		return ret;
	host = subsys;
	pr_info("files are on the %s controller of cgroup v2\n", name);
	if (compat_cgroup_lacks_state(subsys))
		pr_notice("groups below the root get them once a cgroup.subtree_control is written\n");
	return 0;
}

/**
 * cpuacct_files_add() - add the files to all v2 groups that there are and will be
 *
 * Where v1 has both controllers, nothing is added: v1's groups have their own. Takes cgroup_mutex.
 *
 * Return: 0 or a negative errno.
 */
int cpuacct_files_add(void)
{
	int ret;

	ret = add_to("perf_event_cgrp_subsys", "perf_event");
	if (ret == -ENODEV)
		ret = add_to("cpu_cgrp_subsys", "cpu");
	if (ret == -ENODEV) {
		pr_notice("no files on cgroup v2: neither perf_event nor cpu is a controller there\n");
		ret = 0;
	}
	return ret;
}

/**
 * cpuacct_files_add_more() - add further files where those here are
 * @more: ends with an empty entry
 *
 * Takes cgroup_mutex.
 *
 * Return: 0 or a negative errno.
 */
int cpuacct_files_add_more(struct cftype *more)
{
	return host ? compat_cgroup_add_files(host, more) : 0;
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
