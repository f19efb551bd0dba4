// SPDX-License-Identifier: GPL-2.0
/*
 * Makes one kernel function fail for the process that loads this module, or for all: calls of
 * `function` don't run it, they return `result`. For tests of error paths: what the function would
 * have done is not done.
 *
 *   insmod fail_call.ko function=misc_register result=-12
 *   insmod fail_call.ko function=kmalloc_trace,__kmalloc_cache_noprof caller=balloon_kvm nth=3
 */
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/string.h>

static char *function[4];
static unsigned int functions;
module_param_array(function, charp, &functions, 0444);
MODULE_PARM_DESC(function, "name of the function that fails; several: its names in different kernels");

static long result;
module_param(result, long, 0444);
MODULE_PARM_DESC(result, "what it returns");

static char *caller;
module_param(caller, charp, 0444);
MODULE_PARM_DESC(caller, "only the calls by this module's code count (default: all)");

static uint nth;
module_param(nth, uint, 0444);
MODULE_PARM_DESC(nth, "only this one of the calls fails, from 1 on (default: all)");

static bool everyone;
module_param(everyone, bool, 0444);
MODULE_PARM_DESC(everyone, "the calls of other processes and of the kernel's threads fail too (default: N)");

static pid_t victim;
static uint calls;

static noinline long forced_result(void)
{
	return READ_ONCE(result);
}

/* At the function's first instruction nothing is on the stack yet but the return address. */
static bool is_called_by(const char *module, struct pt_regs *regs)
{
	char symbol[KSYM_SYMBOL_LEN], ending[MODULE_NAME_LEN + 2];
	int length = scnprintf(ending, sizeof(ending), "[%s]", module);

	sprint_symbol(symbol, regs_get_kernel_stack_nth(regs, 0));
	return strlen(symbol) >= length && !strcmp(symbol + strlen(symbol) - length, ending);
}

static int divert(struct kprobe *probe, struct pt_regs *regs)
{
	if (!everyone && task_tgid_nr(current) != victim)
		return 0;
	if (caller && !is_called_by(caller, regs))
		return 0;
	calls++;
	if (nth && calls != nth)
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
	unsigned int i;
	int err = -EINVAL;

	victim = task_tgid_nr(current);
	for (i = 0; i < functions; i++) {
		probe.addr = NULL;
		probe.symbol_name = function[i];
		err = register_kprobe(&probe);
		if (err != -ENOENT)
			break;
	}
	return err;
}

static void __exit fail_call_exit(void)
{
	unregister_kprobe(&probe);
}

module_init(fail_call_init);
module_exit(fail_call_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("test aid: makes a kernel function fail");
