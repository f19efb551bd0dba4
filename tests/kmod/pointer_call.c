// SPDX-License-Identifier: GPL-2.0
/*
 * What tests/lint/static_calls has to find: each function named wrong_* calls what was looked up
 * through a plain pointer, in a way of its own; those named right_* do nothing of the kind. Nobody
 * loads this.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/sched/clock.h>
#include <linux/static_call.h>

typedef u64 clock_function(void);

clock_function clock;

DEFINE_STATIC_CALL_NULL(clock_call, clock);

/* It is called this everywhere, and that is what the check goes by. */
static noinline void *compat_symbol(const char *name)
{
	struct kprobe probe = { .symbol_name = name };
	void *address;

	if (register_kprobe(&probe))
		return NULL;
	address = probe.addr;
	unregister_kprobe(&probe);
	return address;
}

static noinline u64 wrong_at_once(void)
{
	clock_function *clock = compat_symbol("local_clock");

	return clock ? clock() + 1 : 0;
}

static clock_function *kept;

static noinline void keep(void)
{
	kept = compat_symbol("local_clock");
}

static noinline u64 wrong_from_variable(void)
{
	return kept ? kept() + 1 : 0;
}

static noinline u64 wrong_argument(clock_function *clock)
{
	return clock() + 1;
}

static noinline void *find(void)
{
	return compat_symbol("local_clock");
}

static noinline u64 wrong_result(void)
{
	clock_function *clock = find();

	/* A tail call, which is a jump. */
	return clock();
}

static noinline u64 wrong_after_calls(void)
{
	clock_function *clock = compat_symbol("local_clock");

	keep();
	return clock() + 1;
}

/* IBT's ENDBR does not matter: it is an indirect call all the same. */
static noinline u64 wrong_past_entry(void)
{
	void *address = compat_symbol("local_clock");
	clock_function *clock = address + 4;

	return clock() + 1;
}

static noinline u64 right_static_call(void)
{
	clock_function *address = compat_symbol("local_clock");

	if (!address)
		return 0;
	static_call_update(clock_call, address);
	return static_call(clock_call)() + 1;
}

static clock_function *own = right_static_call;

static noinline u64 right_own_function(void)
{
	void *address = compat_symbol("jiffies");

	return address ? READ_ONCE(own)() + 1 : 0;
}

static int __init pointer_call_init(void)
{
	u64 sum;

	keep();
	sum = wrong_at_once() + wrong_from_variable() + wrong_argument(find()) + wrong_result() +
	      wrong_after_calls() + wrong_past_entry() + right_static_call() + right_own_function();
	return sum ? -ENODEV : -EINVAL;
}

module_init(pointer_call_init);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("test aid: calls that a processor with IBT faults on");
