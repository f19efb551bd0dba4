// SPDX-License-Identifier: GPL-2.0
/*
 * The files of v1's cpuacct controller in every group of cgroup v2; see docs/cpuacct.md.
 *
 * Lock order: cpuacct_platform_lock, cgroup_mutex, and what cpuacct_sum_seed() takes.
 */
#include <linux/module.h>
#include <linux/tracepoint.h>

#include "compat/cgroup.h"
#include "compat/symbols.h"
#include "cpuacct/charge.h"
#include "cpuacct/files.h"
#include "cpuacct/group.h"
#include "cpuacct/platform.h"
#include "cpuacct/sum.h"

static int add_and_seed_groups(void)
{
	int ret;

	mutex_lock(&cpuacct_platform_lock);
	compat_cgroup_lock();
	ret = cpuacct_groups_add_existing();
	if (!ret)
		cpuacct_sum_seed();
	compat_cgroup_unlock();
	mutex_unlock(&cpuacct_platform_lock);
	return ret;
}

static void stop_groups(void)
{
	cpuacct_groups_stop();
	tracepoint_synchronize_unregister();
	cpuacct_groups_free();
}

static void stop_charging(void)
{
	cpuacct_charge_stop();
	stop_groups();
}

static int start_charging(void)
{
	int ret;

	ret = cpuacct_groups_init();
	if (ret)
		return ret;
	ret = cpuacct_charge_init();
	if (ret)
		goto stop_groups;
	ret = add_and_seed_groups();
	if (ret)
		goto stop_charging;
	cpuacct_charge_begun();
	return 0;

stop_charging:
	cpuacct_charge_stop();
stop_groups:
	stop_groups();
	return ret;
}

static int __init cpuacct_init(void)
{
	int ret;

	ret = compat_symbols_init();
	if (!ret)
		ret = compat_cgroup_init();
	if (!ret)
		ret = start_charging();
	if (ret)
		return ret;
	ret = cpuacct_platform_init();
	if (ret)
		goto stop;
	ret = cpuacct_files_add();
	if (ret)
		goto exit_platform;
	return 0;

exit_platform:
	cpuacct_platform_exit();
stop:
	stop_charging();
	return ret;
}

static void __exit cpuacct_exit(void)
{
	cpuacct_files_remove();
	cpuacct_platform_exit();
	stop_charging();
}

module_init(cpuacct_init);
module_exit(cpuacct_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("CPU accounting for cgroup v2");
