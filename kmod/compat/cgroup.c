// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel_stat.h>
#include <linux/u64_stats_sync.h>

#include "compat/cgroup.h"
#include "compat/symbols.h"

/* The kernel's own prototypes give the types, so a changed signature does not compile. */
DEFINE_STATIC_CALL_NULL(add_dfl_cftypes, cgroup_add_dfl_cftypes);
DEFINE_STATIC_CALL_NULL(rm_cftypes, cgroup_rm_cftypes);
DEFINE_STATIC_CALL_NULL(adjust, cputime_adjust);

/* What v1's cpuacct keeps for its root group: every task's time, whatever is mounted. */
static u64 __percpu *root_cpuusage;

/* Points static call @call to the kernel's @function; false if the kernel has none. */
#define bind(call, function)						\
({									\
	typeof(function) *address = compat_symbol(#function);	\
									\
	if (address)							\
		static_call_update(call, address);			\
	!!address;							\
})

#ifdef COMPAT_HAS_RSTAT_FLUSH_HOLD /* until 6.15 */

/* What the time of a CPU is in since then. */
#define cgroup_rstat_base_cpu cgroup_rstat_cpu
#define rstat_base_cpu rstat_cpu

DEFINE_STATIC_CALL_NULL(rstat_flush_hold, cgroup_rstat_flush_hold);
DEFINE_STATIC_CALL_NULL(rstat_flush_release, cgroup_rstat_flush_release);

static bool rstat_bind(void)
{
	return bind(rstat_flush_hold, cgroup_rstat_flush_hold) &&
	       bind(rstat_flush_release, cgroup_rstat_flush_release);
}

/* Brings cgrp->bstat up to date and keeps it so. */
static void rstat_hold(struct cgroup *cgrp)
{
	static_call(rstat_flush_hold)(cgrp);
}

static void rstat_release(struct cgroup *cgrp)
{
#ifdef COMPAT_HAS_RSTAT_RELEASE_GROUP
	static_call(rstat_flush_release)(cgrp);
#else
	static_call(rstat_flush_release)();
#endif
}

#else

DEFINE_STATIC_CALL_NULL(rstat_flush, css_rstat_flush);

static bool rstat_bind(void)
{
	return bind(rstat_flush, css_rstat_flush);
}

/*
 * The lock that would keep cgrp->bstat is static. Without it another flush may add to the figures
 * while they are read: each is whole, and cputime_adjust() makes two of them add up to the third.
 */
static void rstat_hold(struct cgroup *cgrp)
{
	static_call(rstat_flush)(&cgrp->self);
}

static void rstat_release(struct cgroup *cgrp)
{
}

#endif

/**
 * compat_cgroup_init() - look up all that the other functions here need
 *
 * compat_symbols_init() comes first.
 *
 * Return: 0, or -ENOENT with the missing symbol in the log.
 */
int compat_cgroup_init(void)
{
	if (!bind(add_dfl_cftypes, cgroup_add_dfl_cftypes) ||
	    !bind(rm_cftypes, cgroup_rm_cftypes) ||
	    !rstat_bind() ||
	    !bind(adjust, cputime_adjust))
		return -ENOENT;
	root_cpuusage = (u64 __percpu *)(unsigned long)compat_symbol("root_cpuacct_cpuusage");
	if (!root_cpuusage) {
		pr_err("is CONFIG_CGROUP_CPUACCT off?\n");
		return -ENOENT;
	}
	return 0;
}

/**
 * compat_cgroup_subsys() - a controller, by the name of its variable
 * @name: such as "perf_event_cgrp_subsys"
 *
 * Return: the controller, or NULL with a line in the log.
 */
struct cgroup_subsys *compat_cgroup_subsys(const char *name)
{
	return compat_symbol(name);
}

/**
 * compat_cgroup_lacks_state() - do v2 groups below the root still lack the state of this
 * controller?
 * @subsys: a controller
 *
 * The implicit controllers come to life below the root only when cgroup.subtree_control is
 * written for the first time.
 */
bool compat_cgroup_lacks_state(struct cgroup_subsys *subsys)
{
	return !(READ_ONCE(cgrp_dfl_root.cgrp.subtree_ss_mask) & BIT(subsys->id));
}

/**
 * compat_cgroup_add_files() - add files to all v2 groups that have a controller, and will have it
 * @subsys: the controller
 * @files: ends with an empty entry
 *
 * Takes cgroup_mutex.
 *
 * Return: 0, or a negative errno; -ENODEV if the controller is disabled or on a v1 hierarchy.
 */
int compat_cgroup_add_files(struct cgroup_subsys *subsys, struct cftype *files)
{
	int ret;

	if (READ_ONCE(subsys->root) != &cgrp_dfl_root)
		return -ENODEV;
	ret = static_call(add_dfl_cftypes)(subsys, files);
	/* With cgroup_disable= the kernel says 0 and adds nothing. */
	if (!ret && !files[0].ss)
		ret = -ENODEV;
	return ret;
}

/**
 * compat_cgroup_rm_files() - take files away again
 * @files: as added
 *
 * Takes cgroup_mutex. On return nobody reads or writes the files, and what is still open reads
 * -ENODEV.
 */
void compat_cgroup_rm_files(struct cftype *files)
{
	static_call(rm_cftypes)(files);
}

/**
 * compat_cgroup_cputime() - time of a v2 group and its descendants, as cpu.stat shows it
 * @cgrp: a v2 group, not the root
 * @time: in ns; utime and stime are adjusted to add up to sum_exec_runtime
 *
 * May sleep.
 */
void compat_cgroup_cputime(struct cgroup *cgrp, struct task_cputime *time)
{
	struct task_cputime sampled;

	rstat_hold(cgrp);
	sampled = cgrp->bstat.cputime;
	static_call(adjust)(&sampled, &cgrp->prev_cputime, &time->utime, &time->stime);
	rstat_release(cgrp);
	time->sum_exec_runtime = sampled.sum_exec_runtime;
}

/**
 * compat_cgroup_cpu_runtime() - what rstat has charged to a group itself on a CPU
 * @cgrp: a v2 group, not the root
 * @cpu: a possible CPU
 *
 * rstat charges to the CPU that does the accounting, which under wakeups from another CPU is not
 * always the one that the task ran on.
 *
 * Return: ns, without the descendants' time.
 */
u64 compat_cgroup_cpu_runtime(struct cgroup *cgrp, int cpu)
{
	struct cgroup_rstat_base_cpu *rstat = per_cpu_ptr(cgrp->rstat_base_cpu, cpu);
	unsigned int seq;
	u64 runtime;

	do {
		seq = u64_stats_fetch_begin(&rstat->bsync);
		runtime = READ_ONCE(rstat->bstat.cputime.sum_exec_runtime);
	} while (u64_stats_fetch_retry(&rstat->bsync, seq));
	return runtime;
}

/**
 * compat_root_cputime() - time of all tasks, as v1's root group shows it
 * @time: in ns, as in compat_cgroup_cputime()
 */
void compat_root_cputime(struct task_cputime *time)
{
	struct task_cputime sampled = {};
	int cpu;

	for_each_possible_cpu(cpu) {
		struct kernel_cpustat stat;

		kcpustat_cpu_fetch(&stat, cpu);
		sampled.utime += stat.cpustat[CPUTIME_USER] + stat.cpustat[CPUTIME_NICE];
		sampled.stime += stat.cpustat[CPUTIME_SYSTEM] + stat.cpustat[CPUTIME_IRQ] +
				 stat.cpustat[CPUTIME_SOFTIRQ];
		sampled.sum_exec_runtime += compat_root_cpu_runtime(cpu);
	}
	time->sum_exec_runtime = sampled.sum_exec_runtime;
	static_call(adjust)(&sampled, &cgrp_dfl_root.cgrp.prev_cputime, &time->utime, &time->stime);
}

/**
 * compat_root_cpu_runtime() - time of all tasks on a CPU
 * @cpu: a possible CPU
 *
 * Return: ns.
 */
u64 compat_root_cpu_runtime(int cpu)
{
	return READ_ONCE(*per_cpu_ptr(root_cpuusage, cpu));
}
