/* SPDX-License-Identifier: GPL-2.0 */
/* Tracepoints balloon_kvm:inflate, deflate, isolate, migrate, putback: one hit a page. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM balloon_kvm

#if !defined(BALLOON_KVM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define BALLOON_KVM_TRACE_H

#include <linux/tracepoint.h>

DECLARE_EVENT_CLASS(balloon_page,
		    TP_PROTO(unsigned long pfn),
		    TP_ARGS(pfn),
		    TP_STRUCT__entry(__field(unsigned long, pfn)),
		    TP_fast_assign(__entry->pfn = pfn;),
		    TP_printk("pfn=0x%lx", __entry->pfn)
);

DEFINE_EVENT(balloon_page, inflate, TP_PROTO(unsigned long pfn), TP_ARGS(pfn));
DEFINE_EVENT(balloon_page, deflate, TP_PROTO(unsigned long pfn), TP_ARGS(pfn));
DEFINE_EVENT(balloon_page, isolate, TP_PROTO(unsigned long pfn), TP_ARGS(pfn));
DEFINE_EVENT(balloon_page, putback, TP_PROTO(unsigned long pfn), TP_ARGS(pfn));

TRACE_EVENT(migrate,
	    TP_PROTO(unsigned long src, unsigned long dst),
	    TP_ARGS(src, dst),
	    TP_STRUCT__entry(__field(unsigned long, src)
			     __field(unsigned long, dst)),
	    TP_fast_assign(__entry->src = src;
			   __entry->dst = dst;),
	    TP_printk("src=0x%lx dst=0x%lx", __entry->src, __entry->dst)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH balloon
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
