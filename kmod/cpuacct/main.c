// SPDX-License-Identifier: GPL-2.0
/* The files of v1's cpuacct controller in every group of cgroup v2; see docs/cpuacct.md. */
#include <linux/module.h>
#include <linux/tracepoint.h>

#include "compat/cgroup.h"
#include "compat/symbols.h"
#include "cpuacct/charge.h"
#include "cpuacct/files.h"
#include "cpuacct/group.h"
#include "cpuacct/sum.h"

static int start_groups(void)
{
	int ret;

	ret = cpuacct_groups_init();
	if (ret)
		return ret;
	ret = cpuacct_groups_add_existing();
	if (!ret)
		ret = cpuacct_charge_init();
	if (ret)
		cpuacct_groups_stop();
	else
		cpuacct_sum_seed();
	return ret;
}

static void free_groups(void)
{
	tracepoint_synchronize_unregister();
	cpuacct_groups_free();
}

static int __init cpuacct_init(void)
{
	int ret;

	ret = compat_symbols_init();
	if (!ret)
		ret = compat_cgroup_init();
	if (ret)
		return ret;

	ret = start_groups();
	if (ret)
		goto free;
	ret = cpuacct_files_add();
	if (ret)
		goto stop;
	return 0;

stop:
	cpuacct_charge_stop();
	cpuacct_groups_stop();
free:
	free_groups();
	return ret;
}

static void __exit cpuacct_exit(void)
{
	cpuacct_files_remove();
	cpuacct_charge_stop();
	cpuacct_groups_stop();
	free_groups();
}

module_init(cpuacct_init);
module_exit(cpuacct_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("CPU accounting for cgroup v2");
