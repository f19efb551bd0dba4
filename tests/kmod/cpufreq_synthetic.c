// SPDX-License-Identifier: GPL-2.0
/*
 * A cpufreq driver for machines without one, such as VMs: each CPU has a policy of its own, with
 * three frequencies that exist only as numbers. Transitions are real to the kernel: the core asks
 * for them, notifies of them and traces them; the CPUs run as they always do. So every figure that
 * comes of these frequencies is synthetic.
 *
 * Not for a machine with one CPU that lacks constant_tsc: the kernel would believe that its clock
 * runs slower, too.
 */
#include <linux/cpufreq.h>
#include <linux/module.h>
#include <linux/percpu.h>

static struct cpufreq_frequency_table frequencies[] = {
	{ .frequency = 600000 },
	{ .frequency = 1200000 },
	{ .frequency = 2400000 },
	{ .frequency = CPUFREQ_TABLE_END },
};

static DEFINE_PER_CPU(unsigned int, khz);

static bool setpolicy;
module_param(setpolicy, bool, 0444);
MODULE_PARM_DESC(setpolicy, "the driver chooses the frequencies and tells nobody, as intel_pstate does (default: N)");

static int synthetic_init(struct cpufreq_policy *policy)
{
	per_cpu(khz, policy->cpu) = frequencies[ARRAY_SIZE(frequencies) - 2].frequency;
	policy->freq_table = frequencies;
	policy->cpuinfo.transition_latency = 1000;
	if (setpolicy)
		policy->policy = CPUFREQ_POLICY_PERFORMANCE;
	return 0;
}

static int synthetic_set(struct cpufreq_policy *policy, unsigned int index)
{
	WRITE_ONCE(per_cpu(khz, policy->cpu), frequencies[index].frequency);
	return 0;
}

static unsigned int synthetic_get(unsigned int cpu)
{
	return READ_ONCE(per_cpu(khz, cpu));
}

static int synthetic_setpolicy(struct cpufreq_policy *policy)
{
	return 0;
}

static struct cpufreq_driver driver = {
	.name = "synthetic",
	.flags = CPUFREQ_CONST_LOOPS,
	.init = synthetic_init,
	.verify = cpufreq_generic_frequency_table_verify,
	.target_index = synthetic_set,
	.get = synthetic_get,
};

static int __init cpufreq_synthetic_init(void)
{
	if (setpolicy) {
		driver.setpolicy = synthetic_setpolicy;
		driver.target_index = NULL;
		driver.get = NULL;
	}
	return cpufreq_register_driver(&driver);
}

static void __exit cpufreq_synthetic_exit(void)
{
	cpufreq_unregister_driver(&driver);
}

module_init(cpufreq_synthetic_init);
module_exit(cpufreq_synthetic_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("test aid: CPU frequencies that exist only as numbers");
