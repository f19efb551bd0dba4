// SPDX-License-Identifier: GPL-2.0
/*
 * Makes one kernel function fail for the process that loads this module: calls of `function` don't
 * run it, they return `result`. For tests of error paths: what the function would have done is not
 * done.
 *
 *   insmod fail_call.ko function=misc_register result=-12
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/sched.h>

static char *function;
module_param(function, charp, 0444);
MODULE_PARM_DESC(function, "name of the function that fails");

static long result;
module_param(result, long, 0444);
MODULE_PARM_DESC(result, "what it returns");

static pid_t victim;

static noinline long forced_result(void)
{
	return READ_ONCE(result);
}

/* At the function's first instruction nothing is on the stack yet but the return address. */
static int divert(struct kprobe *probe, struct pt_regs *regs)
{
	if (task_tgid_nr(current) != victim)
		return 0;
	instruction_pointer_set(regs, (unsigned long)forced_result);
	return 1;
}

/* That there is one has the probe armed such that it may change where execution goes on. */
static void after(struct kprobe *probe, struct pt_regs *regs, unsigned long flags)
{
}

static struct kprobe probe = {
	.pre_handler = divert,
	.post_handler = after,
};

static int __init fail_call_init(void)
{
	if (!function)
		return -EINVAL;
	victim = task_tgid_nr(current);
	probe.symbol_name = function;
	return register_kprobe(&probe);
}

static void __exit fail_call_exit(void)
{
	unregister_kprobe(&probe);
}

module_init(fail_call_init);
module_exit(fail_call_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("test aid: makes a kernel function fail");
