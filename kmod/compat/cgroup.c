// SPDX-License-Identifier: GPL-2.0
/*
 * What cpuacct needs of cgroups: controllers, their files, times.
 *
 * Lock order: cgroup_mutex, then rstat's lock, which is held inside here only.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel_stat.h>
#include <linux/mutex.h>
#include <linux/u64_stats_sync.h>

#include "compat/cgroup.h"
#include "compat/symbols.h"

/* The kernel's own prototypes give the types, so a changed signature does not compile. */
DEFINE_STATIC_CALL_NULL(add_dfl_cftypes, cgroup_add_dfl_cftypes);
DEFINE_STATIC_CALL_NULL(add_legacy_cftypes, cgroup_add_legacy_cftypes);
DEFINE_STATIC_CALL_NULL(rm_cftypes, cgroup_rm_cftypes);
DEFINE_STATIC_CALL_NULL(adjust, cputime_adjust);

/* What v1's cpuacct keeps for its root group: every task's time, whatever is mounted. */
static u64 __percpu *root_cpuusage;

/* The kernel's cgroup_mutex. */
static struct mutex *mutex;

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
 * while they are read: when the module is loaded, and for groups that had no memory when made.
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
	    !bind(add_legacy_cftypes, cgroup_add_legacy_cftypes) ||
	    !bind(rm_cftypes, cgroup_rm_cftypes) ||
	    !rstat_bind() ||
	    !bind(adjust, cputime_adjust))
		return -ENOENT;
	mutex = compat_symbol("cgroup_mutex");
	if (!mutex)
		return -ENOENT;
	root_cpuusage = (u64 __percpu *)(unsigned long)compat_symbol("root_cpuacct_cpuusage");
	return root_cpuusage ? 0 : -ENOENT;
}

/**
 * compat_cgroup_lock() - keep groups from being created and released
 *
 * Never where a file is read or written: rmdir waits for those with this lock held.
 */
void compat_cgroup_lock(void)
{
	mutex_lock(mutex);
}

/**
 * compat_cgroup_unlock() - undo compat_cgroup_lock()
 */
void compat_cgroup_unlock(void)
{
	mutex_unlock(mutex);
}

/**
 * compat_cgroup_assert_locked() - complain, on kernels with lockdep, unless the lock is held
 */
void compat_cgroup_assert_locked(void)
{
	lockdep_assert_held(mutex);
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
 * compat_cgroup_is_on_v2() - is a controller not on a v1 hierarchy?
 * @subsys: a controller; that may change at any time
 */
bool compat_cgroup_is_on_v2(struct cgroup_subsys *subsys)
{
	return READ_ONCE(subsys->root) == &cgrp_dfl_root;
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
 * @subsys: the controller; while it is on a v1 hierarchy nobody has the files
 * @files: ends with an empty entry
 *
 * Takes cgroup_mutex.
 *
 * Return: 0, or a negative errno; -ENODEV if the controller is disabled.
 */
int compat_cgroup_add_files(struct cgroup_subsys *subsys, struct cftype *files)
{
	int ret = static_call(add_dfl_cftypes)(subsys, files);

	/* With cgroup_disable= the kernel says 0 and adds nothing. */
	if (!ret && !files[0].ss)
		ret = -ENODEV;
	return ret;
}

/**
 * compat_cgroup_add_v1_files() - add files to all groups of a controller's v1 hierarchy
 * @subsys: the controller; while it is not on a v1 hierarchy nobody has the files
 * @files: ends with an empty entry; the names get the controller's prefix
 *
 * Takes cgroup_mutex.
 *
 * Return: 0, or a negative errno; -ENODEV if the controller is disabled.
 */
int compat_cgroup_add_v1_files(struct cgroup_subsys *subsys, struct cftype *files)
{
	int ret = static_call(add_legacy_cftypes)(subsys, files);

	if (!ret && !files[0].ss)
		ret = -ENODEV;
	return ret;
}

/**
 * compat_cgroup_rm_files() - take files away again
 * @files: as added, or not at all
 *
 * Takes cgroup_mutex. On return nobody reads or writes the files, and what is still open reads
 * -ENODEV.
 */
void compat_cgroup_rm_files(struct cftype *files)
{
	if (files[0].ss)
		static_call(rm_cftypes)(files);
}

/**
 * compat_cgroup_adjust() - make sampled times add up, as cpu.stat does for a group
 * @cgrp: the group; what cpu.stat and this have said of it so far is a lower limit
 * @sampled: in ns; utime and stime as counted at ticks
 * @time: in ns; utime and stime in about the same proportion, with sum_exec_runtime as their sum
 */
void compat_cgroup_adjust(struct cgroup *cgrp, struct task_cputime *sampled,
			  struct task_cputime *time)
{
	time->sum_exec_runtime = sampled->sum_exec_runtime;
	static_call(adjust)(sampled, &cgrp->prev_cputime, &time->utime, &time->stime);
}

/**
 * compat_cgroup_cpu_cputime() - what rstat has charged to a group itself on a CPU
 * @cgrp: any group but v2's root; v1's have no time here, and until 5.13 no rstat
 * @cpu: a possible CPU
 * @time: in ns, without the descendants' time
 *
 * User and system time are sampled by the CPU that the task runs on. The runtime is charged to the
 * CPU that does the accounting, which under wakeups from another CPU is not always that one.
 */
void compat_cgroup_cpu_cputime(struct cgroup *cgrp, int cpu, struct task_cputime *time)
{
	struct cgroup_rstat_base_cpu *rstat = per_cpu_ptr(cgrp->rstat_base_cpu, cpu);
	unsigned int seq;

	if (!cgrp->rstat_base_cpu) {
		*time = (struct task_cputime){};
		return;
	}
	do {
		seq = u64_stats_fetch_begin(&rstat->bsync);
		time->sum_exec_runtime = READ_ONCE(rstat->bstat.cputime.sum_exec_runtime);
		time->utime = READ_ONCE(rstat->bstat.cputime.utime);
		time->stime = READ_ONCE(rstat->bstat.cputime.stime);
	} while (u64_stats_fetch_retry(&rstat->bsync, seq));
}

static void subtract(struct task_cputime *time, const struct task_cputime *part)
{
	time->sum_exec_runtime -= part->sum_exec_runtime;
	time->utime -= part->utime;
	time->stime -= part->stime;
}

/**
 * compat_cgroup_cputime() - time of a v2 group and of all below it, removed ones included
 * @cgrp: a v2 group, not the root
 * @time: in ns
 *
 * May sleep.
 */
void compat_cgroup_cputime(struct cgroup *cgrp, struct task_cputime *time)
{
	rstat_hold(cgrp);
	*time = cgrp->bstat.cputime;
	rstat_release(cgrp);
}

/**
 * compat_cgroup_removed_cputime() - time of those children of a v2 group that were removed
 * @cgrp: a v2 group, not the root
 * @time: in ns
 *
 * rstat adds up what it has flushed of each CPU and of each child; what is not among those that are
 * left is of children that were released. The caller has compat_cgroup_lock(). May sleep.
 */
void compat_cgroup_removed_cputime(struct cgroup *cgrp, struct task_cputime *time)
{
	struct cgroup_subsys_state *child;
	int cpu;

	compat_cgroup_assert_locked();
	rstat_hold(cgrp);
	*time = cgrp->bstat.cputime;
	for_each_possible_cpu(cpu)
		subtract(time, &per_cpu_ptr(cgrp->rstat_base_cpu, cpu)->last_bstat.cputime);
	list_for_each_entry(child, &cgrp->self.children, sibling)
		subtract(time, &child->cgroup->last_bstat.cputime);
	rstat_release(cgrp);
}

/**
 * compat_root_cpu_cputime() - time of all tasks on a CPU, as v1's root group has it
 * @cpu: a possible CPU
 * @time: in ns
 */
void compat_root_cpu_cputime(int cpu, struct task_cputime *time)
{
	const u64 *sampled = kcpustat_cpu(cpu).cpustat;

	time->sum_exec_runtime = READ_ONCE(*per_cpu_ptr(root_cpuusage, cpu));
	time->utime = READ_ONCE(sampled[CPUTIME_USER]) + READ_ONCE(sampled[CPUTIME_NICE]);
	time->stime = READ_ONCE(sampled[CPUTIME_SYSTEM]) + READ_ONCE(sampled[CPUTIME_IRQ]) +
		      READ_ONCE(sampled[CPUTIME_SOFTIRQ]);
}
