/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints that are not exported to modules. Each probe goes through the
 * check_trace_callback_type_NAME() of the kernel's headers, so that one with other arguments does
 * not compile.
 */
#ifndef BALLAST_COMPAT_TRACEPOINT_H
#define BALLAST_COMPAT_TRACEPOINT_H

#include <linux/tracepoint.h>
#include <trace/events/cgroup.h>
#include <trace/events/sched.h>

struct tracepoint *compat_tracepoint(const char *name);

#endif
