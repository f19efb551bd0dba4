/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints that are not exported to modules, and the arguments that their probes get. Each probe
 * goes through the check_trace_callback_type_NAME() of the kernel's headers, so that one with other
 * arguments does not compile.
 */
#ifndef BALLAST_COMPAT_TRACEPOINT_H
#define BALLAST_COMPAT_TRACEPOINT_H

#include <linux/tracepoint.h>
#include <trace/events/cgroup.h>
#include <trace/events/sched.h>

struct tracepoint *compat_tracepoint(const char *name);

/* The parameters of a probe of sched_stat_runtime. */
#ifdef COMPAT_HAS_STAT_RUNTIME_VRUNTIME
#define COMPAT_SCHED_STAT_RUNTIME_PARAMETERS \
	void *data, struct task_struct *task, u64 runtime, u64 vruntime
#else
#define COMPAT_SCHED_STAT_RUNTIME_PARAMETERS \
	void *data, struct task_struct *task, u64 runtime
#endif

#endif
