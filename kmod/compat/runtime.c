// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cgroup.h>
#include <linux/ftrace.h>
#include <linux/ptrace.h>

#include "compat/runtime.h"

#ifdef COMPAT_HAS_STAT_RUNTIME_OF_ALL /* since 5.16 */

static struct tracepoint *sched_stat_runtime;

/**
 * compat_runtime_register() - be told of each runtime
 * @told: who is told; may be called before this returns
 *
 * Return: 0, or a negative errno; -ENOENT with a line in the log.
 */
int compat_runtime_register(compat_runtime_fn told)
{
	sched_stat_runtime = compat_tracepoint("sched_stat_runtime");
	if (!sched_stat_runtime)
		return -ENOENT;
	check_trace_callback_type_sched_stat_runtime(told);
	return tracepoint_probe_register(sched_stat_runtime, told, NULL);
}

/**
 * compat_runtime_unregister() - the opposite
 * @told: who was told; that may go on until tracepoint_synchronize_unregister()
 */
void compat_runtime_unregister(compat_runtime_fn told)
{
	tracepoint_probe_unregister(sched_stat_runtime, told, NULL);
}

#else

#if !defined(CONFIG_DYNAMIC_FTRACE_WITH_REGS) || !defined(CONFIG_CGROUP_CPUACCT)
#error "before 5.16 cpuacct needs CONFIG_DYNAMIC_FTRACE_WITH_REGS=y and CONFIG_CGROUP_CPUACCT=y"
#endif

static_assert(__same_type(cpuacct_charge, void(struct task_struct *task, u64 cputime)));

static compat_runtime_fn to_tell;

static void notrace charged(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
			    struct pt_regs *regs)
{
	to_tell(NULL, (struct task_struct *)regs_get_kernel_argument(regs, 0),
		regs_get_kernel_argument(regs, 1), 0);
}

/* What is told traces nothing itself. While this is in place, nobody can switch ftrace off. */
static struct ftrace_ops ops = {
	.func = charged,
	.flags = FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_RECURSION_SAFE | FTRACE_OPS_FL_PERMANENT,
};

int compat_runtime_register(compat_runtime_fn told)
{
	unsigned char name[] = "cpuacct_charge";
	int ret;

	ret = ftrace_set_filter(&ops, name, sizeof(name) - 1, 1);
	if (ret) {
		pr_err("ftrace does not know %s (%d)\n", name, ret);
		return ret;
	}
	to_tell = told;
	ret = register_ftrace_function(&ops);
	if (ret) {
		pr_err("ftrace can't trace %s (%d): is kernel.ftrace_enabled 0?\n", name, ret);
		ftrace_set_filter(&ops, NULL, 0, 1);
	}
	return ret;
}

void compat_runtime_unregister(compat_runtime_fn told)
{
	unregister_ftrace_function(&ops);
	/* Frees it. */
	ftrace_set_filter(&ops, NULL, 0, 1);
}

#endif
