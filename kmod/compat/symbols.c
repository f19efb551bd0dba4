// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/static_call.h>
#include <linux/string.h>

#include "compat/symbols.h"

DEFINE_STATIC_CALL_NULL(lookup_name, kallsyms_lookup_name);

/* The entry of the function that @address lies in: with IBT a kprobe stands behind its ENDBR. */
static unsigned long function_entry(unsigned long address)
{
	char text[KSYM_SYMBOL_LEN];
	const char *plus;
	unsigned long offset;

	sprint_symbol(text, address);
	plus = strrchr(text, '+');
	if (!plus || sscanf(plus, "+%lx/", &offset) != 1)
		return 0;
	return address - offset;
}

/**
 * compat_symbols_init() - find kallsyms_lookup_name(), which compat_symbol() asks
 *
 * Return: 0, or a negative errno with the reason in the log.
 */
int compat_symbols_init(void)
{
	struct kprobe probe = { .symbol_name = "kallsyms_lookup_name" };
	unsigned long entry;
	int ret;

	ret = register_kprobe(&probe);
	if (ret) {
		pr_err("no kprobe on kallsyms_lookup_name (%d): is CONFIG_KPROBES off?\n", ret);
		return ret;
	}
	entry = function_entry((unsigned long)probe.addr);
	unregister_kprobe(&probe);
	if (!entry) {
		pr_err("kallsyms does not know the address that kprobes found\n");
		return -ENOENT;
	}
	static_call_update(lookup_name, (typeof(kallsyms_lookup_name) *)entry);
	return 0;
}

/**
 * compat_symbol() - address of a function or variable of the kernel
 * @name: as in /proc/kallsyms
 *
 * Return: the address (for a per-CPU variable: what per_cpu_ptr() takes), or NULL with a line in
 * the log.
 */
void *compat_symbol(const char *name)
{
	unsigned long address = static_call(lookup_name)(name);

	if (!address)
		pr_err("this kernel has no symbol %s\n", name);
	return (void *)address;
}
