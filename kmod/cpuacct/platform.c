// SPDX-License-Identifier: GPL-2.0
/*
 * The platform: its registration, its data in each group, its files.
 *
 * Lock order: cpuacct_platform_lock, then cgroup_mutex where files come and go, or sum_lock.
 * cpuacct_platform_lock guards which platform there is and the data in groups. No reader of a file
 * may take it: files are removed with it held.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cgroup.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/seq_file.h>

#include "compat/cgroup.h"
#include "cpuacct/charge.h"
#include "cpuacct/cpuacct_charge.h"
#include "cpuacct/files.h"
#include "cpuacct/group.h"
#include "cpuacct/platform.h"
#include "cpuacct/sum.h"

/* Guards what the comment above says. */
DEFINE_MUTEX(cpuacct_platform_lock);

/* Set as long as there is data of it in groups, hence as long as its files are there. */
static const struct cpuacct_charge_calls *platform;
/* Who gives new groups their data: the platform, or NULL. Under cpuacct_platform_lock or RCU. */
static const struct cpuacct_charge_calls *giver;

/**
 * cpuacct_platform_give() - let a group have the platform's data, if there is a platform
 * @group: a new one that nobody else sees yet; or any, if the caller has cpuacct_platform_lock
 * @gfp: the caller is an RCU reader if it does not let sleep
 *
 * Return: 0 or a negative errno.
 */
int cpuacct_platform_give(struct cpuacct_group *group, gfp_t gfp)
{
	const struct cpuacct_charge_calls *calls = READ_ONCE(giver);
	void *data;
	int ret;

	if (!calls || group->data)
		return 0;
	ret = calls->init(&data, gfp);
	if (ret)
		return ret;
	/* Pairs with charges, which may see the group already. */
	smp_store_release(&group->data, data);
	return 0;
}

/**
 * cpuacct_platform_take() - free a group's data
 * @group: nobody charges or collects it any more
 *
 * The caller has cpuacct_platform_lock.
 */
void cpuacct_platform_take(struct cpuacct_group *group)
{
	lockdep_assert_held(&cpuacct_platform_lock);
	if (group->data)
		platform->exit(group->data);
	group->data = NULL;
}

/* ENOMEM: no memory for the group or its data so far; see probe_mkdir(). */
static struct cpuacct_group *begin(struct seq_file *file)
{
	struct cpuacct_group *group = cpuacct_group_of(seq_css(file)->cgroup);

	if (!group || !READ_ONCE(group->data))
		return ERR_PTR(-ENOMEM);
	cpuacct_sum_begin(group);
	return group;
}

static int cpufreq_show(struct seq_file *file, void *v)
{
	struct cpuacct_group *group = begin(file);

	if (IS_ERR(group))
		return PTR_ERR(group);
	platform->cpufreq_show(group->data, file);
	cpuacct_sum_end();
	return 0;
}

static int energy_show(struct seq_file *file, u32 unit_uj)
{
	struct cpuacct_group *group = begin(file);

	if (IS_ERR(group))
		return PTR_ERR(group);
	seq_put_decimal_ull(file, "", div_u64(platform->power_usage(group->data), unit_uj));
	seq_putc(file, '\n');
	cpuacct_sum_end();
	return 0;
}

/* In mW*s, as in 2010. */
static int power_show(struct seq_file *file, void *v)
{
	return energy_show(file, 1000);
}

static int power_uj_show(struct seq_file *file, void *v)
{
	return energy_show(file, 1);
}

static struct cftype v2_files[] = {
	{
		.name = "cpuacct.cpufreq",
		.flags = CFTYPE_NO_PREFIX,
		.seq_show = cpufreq_show,
	},
	{
		.name = "cpuacct.power",
		.flags = CFTYPE_NO_PREFIX,
		.seq_show = power_show,
	},
	{
		.name = "cpuacct.power_uj",
		.flags = CFTYPE_NO_PREFIX,
		.seq_show = power_uj_show,
	},
	{ }
};

static struct cftype v1_files[] = {
	{ .name = "cpufreq", .seq_show = cpufreq_show },
	{ .name = "power", .seq_show = power_show },
	{ .name = "power_uj", .seq_show = power_uj_show },
	{ }
};

static int files_add(void)
{
	struct cgroup_subsys *v1 = compat_cgroup_subsys("cpuacct_cgrp_subsys");
	int ret;

	if (!v1)
		return -ENOENT;
	ret = cpuacct_files_add_more(v2_files);
	if (ret)
		return ret;
	ret = compat_cgroup_add_v1_files(v1, v1_files);
	/* Disabled on the kernel's command line: then there are no v1 groups to have them. */
	if (ret == -ENODEV)
		return 0;
	if (ret)
		compat_cgroup_rm_files(v2_files);
	return ret;
}

static void files_remove(void)
{
	compat_cgroup_rm_files(v1_files);
	compat_cgroup_rm_files(v2_files);
}

static int give(struct cpuacct_group *group)
{
	return cpuacct_platform_give(group, GFP_KERNEL);
}

static int take(struct cpuacct_group *group)
{
	cpuacct_platform_take(group);
	return 0;
}

/* The platform is called for no new charges, and no file of it is there. */
static void take_all_back(void)
{
	cpuacct_sum_set_platform(NULL);
	WRITE_ONCE(giver, NULL);
	/* Charges and mkdirs that are under way may still call it. */
	synchronize_rcu_expedited();
	cpuacct_groups_each(take);
	platform = NULL;
}

static int start(const struct cpuacct_charge_calls *calls)
{
	int ret;

	platform = calls;
	WRITE_ONCE(giver, calls);
	/* Afterwards new groups come with data, so that the walk misses none. */
	synchronize_rcu_expedited();
	ret = cpuacct_groups_each(give);
	if (ret)
		goto take_back;
	cpuacct_sum_set_platform(calls);
	cpuacct_charge_start_platform(calls);
	ret = files_add();
	if (ret)
		goto stop_charging;
	return 0;

stop_charging:
	cpuacct_charge_stop_platform();
take_back:
	take_all_back();
	return ret;
}

/**
 * cpuacct_register_charge() - have a platform account what groups run
 * @calls: stays as it is until cpuacct_unregister_charge()
 *
 * All groups have its data and files when this returns. May sleep.
 *
 * Return: 0; -EBUSY if there is a platform already; -EINVAL if a callback is missing; -ENOMEM.
 */
int cpuacct_register_charge(const struct cpuacct_charge_calls *calls)
{
	int ret = -EBUSY;

	if (!calls->init || !calls->exit || !calls->charge || !calls->cpufreq_show ||
	    !calls->power_usage)
		return -EINVAL;
	mutex_lock(&cpuacct_platform_lock);
	if (!platform)
		ret = start(calls);
	mutex_unlock(&cpuacct_platform_lock);
	return ret;
}
EXPORT_SYMBOL_GPL(cpuacct_register_charge);

static void unregister(void)
{
	lockdep_assert_held(&cpuacct_platform_lock);
	files_remove();
	cpuacct_charge_stop_platform();
	take_all_back();
}

/**
 * cpuacct_unregister_charge() - end what cpuacct_register_charge() began
 * @calls: as registered; nothing happens if it is not
 *
 * No callback runs any more when this returns, and all data was given to exit. May sleep.
 */
void cpuacct_unregister_charge(const struct cpuacct_charge_calls *calls)
{
	mutex_lock(&cpuacct_platform_lock);
	if (platform == calls)
		unregister();
	mutex_unlock(&cpuacct_platform_lock);
}
EXPORT_SYMBOL_GPL(cpuacct_unregister_charge);

/* A platform that goes without a word, or whose init fails after it registered. */
static int module_changes(struct notifier_block *block, unsigned long state, void *module)
{
	if (state != MODULE_STATE_GOING)
		return NOTIFY_DONE;
	mutex_lock(&cpuacct_platform_lock);
	if (platform && platform->owner == module) {
		pr_warn("%s goes without unregistering\n", module_name(platform->owner));
		unregister();
	}
	mutex_unlock(&cpuacct_platform_lock);
	return NOTIFY_DONE;
}

static struct notifier_block module_notifier = { .notifier_call = module_changes };

/**
 * cpuacct_platform_init() - watch for platforms that go
 *
 * Return: 0 or a negative errno.
 */
int cpuacct_platform_init(void)
{
	return register_module_notifier(&module_notifier);
}

/**
 * cpuacct_platform_exit() - undo cpuacct_platform_init()
 *
 * No platform is registered: its module would keep this one from being unloaded.
 */
void cpuacct_platform_exit(void)
{
	unregister_module_notifier(&module_notifier);
}
