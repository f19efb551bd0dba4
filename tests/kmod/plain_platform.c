// SPDX-License-Identifier: GPL-2.0
/*
 * A platform for cpuacct.ko with the callbacks of 2010 alone, none that collects: so it is called
 * for each level at each charge. Its figures are plain sums: ns by CPU in place of frequencies, all
 * ns in place of energy.
 *
 *   insmod plain_platform.ko [silent=1]
 */
#include <linux/atomic.h>
#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/seq_file.h>

#include "cpuacct/cpuacct_charge.h"

static bool silent;
module_param(silent, bool, 0444);
MODULE_PARM_DESC(silent, "goes without unregistering");

/* Groups that have data. */
static atomic_t groups = ATOMIC_INIT(0);

static u64 *time_on(void *data, unsigned int cpu)
{
	return per_cpu_ptr((u64 __percpu *)(unsigned long)data, cpu);
}

static int plain_init_data(void **data, gfp_t gfp)
{
	*data = (void *)(unsigned long)alloc_percpu_gfp(u64, gfp);
	if (!*data)
		return -ENOMEM;
	atomic_inc(&groups);
	return 0;
}

static void plain_exit_data(void *data)
{
	free_percpu((void __percpu *)(unsigned long)data);
	atomic_dec(&groups);
}

static void plain_charge(void *data, u64 cputime, unsigned int cpu)
{
	WARN_ON_ONCE(!irqs_disabled());
	*time_on(data, cpu) += cputime;
}

static void plain_cpufreq_show(void *data, struct seq_file *file)
{
	int cpu;

	for_each_possible_cpu(cpu)
		seq_printf(file, "%d %llu\n", cpu, READ_ONCE(*time_on(data, cpu)));
}

static u64 plain_power_usage(void *data)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*time_on(data, cpu));
	return sum;
}

static const struct cpuacct_charge_calls calls = {
	.owner = THIS_MODULE,
	.init = plain_init_data,
	.exit = plain_exit_data,
	.charge = plain_charge,
	.cpufreq_show = plain_cpufreq_show,
	.power_usage = plain_power_usage,
};

static int __init plain_platform_init(void)
{
	return cpuacct_register_charge(&calls);
}

static void __exit plain_platform_exit(void)
{
	if (silent)
		return;
	cpuacct_unregister_charge(&calls);
	WARN(atomic_read(&groups), "%d groups still have data\n", atomic_read(&groups));
}

module_init(plain_platform_init);
module_exit(plain_platform_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("test aid: a platform for cpuacct with the callbacks of 2010");
