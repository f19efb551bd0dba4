/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Being told of each runtime that the scheduler accounts. Since 5.16 the tracepoint
 * sched_stat_runtime tells of tasks of every class. Before that it is hit for fair tasks alone, and
 * the one place that all classes come by is v1's cpuacct_charge(): it is traced instead.
 */
#ifndef BALLAST_COMPAT_RUNTIME_H
#define BALLAST_COMPAT_RUNTIME_H

#include "compat/tracepoint.h"

/*
 * The parameters of the function that is told. It is called with the lock of the rq that the task
 * runs on held.
 */
#ifdef COMPAT_HAS_STAT_RUNTIME_VRUNTIME
#define COMPAT_RUNTIME_PARAMETERS \
	void *data, struct task_struct *task, u64 runtime, u64 vruntime
#else
#define COMPAT_RUNTIME_PARAMETERS \
	void *data, struct task_struct *task, u64 runtime
#endif

typedef void (*compat_runtime_fn)(COMPAT_RUNTIME_PARAMETERS);

int compat_runtime_register(compat_runtime_fn told);
void compat_runtime_unregister(compat_runtime_fn told);

#endif
