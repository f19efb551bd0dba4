/* SPDX-License-Identifier: GPL-2.0 */
/* Tracepoints that are not exported to modules, and the arguments that their probes get. */
#ifndef BALLAST_COMPAT_TRACEPOINT_H
#define BALLAST_COMPAT_TRACEPOINT_H

#include <linux/tracepoint.h>
#include <linux/version.h>

struct tracepoint *compat_tracepoint(const char *name);

/* The parameters of a probe of sched_stat_runtime. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#define COMPAT_SCHED_STAT_RUNTIME_PARAMETERS \
	void *data, struct task_struct *task, u64 runtime, u64 vruntime
#else
#define COMPAT_SCHED_STAT_RUNTIME_PARAMETERS \
	void *data, struct task_struct *task, u64 runtime
#endif

#endif
