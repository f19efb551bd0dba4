/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints balloon_kvm:inflate, deflate: one hit a page, or a block; isolate, migrate, putback:
 * one hit a page; huge_split: one hit a block; min_free_stop: one hit when inflation stops.
 */
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

DEFINE_EVENT(balloon_page, isolate, TP_PROTO(unsigned long pfn), TP_ARGS(pfn));
DEFINE_EVENT(balloon_page, putback, TP_PROTO(unsigned long pfn), TP_ARGS(pfn));
DEFINE_EVENT(balloon_page, huge_split, TP_PROTO(unsigned long pfn), TP_ARGS(pfn));

DECLARE_EVENT_CLASS(balloon_pages,
		    TP_PROTO(unsigned long pfn, unsigned int order),
		    TP_ARGS(pfn, order),
		    TP_STRUCT__entry(__field(unsigned long, pfn)
				     __field(unsigned int, order)),
		    TP_fast_assign(__entry->pfn = pfn;
				   __entry->order = order;),
		    TP_printk("pfn=0x%lx order=%u", __entry->pfn, __entry->order)
);

DEFINE_EVENT(balloon_pages, inflate,
	     TP_PROTO(unsigned long pfn, unsigned int order), TP_ARGS(pfn, order));
DEFINE_EVENT(balloon_pages, deflate,
	     TP_PROTO(unsigned long pfn, unsigned int order), TP_ARGS(pfn, order));

TRACE_EVENT(migrate,
	    TP_PROTO(unsigned long src, unsigned long dst),
	    TP_ARGS(src, dst),
	    TP_STRUCT__entry(__field(unsigned long, src)
			     __field(unsigned long, dst)),
	    TP_fast_assign(__entry->src = src;
			   __entry->dst = dst;),
	    TP_printk("src=0x%lx dst=0x%lx", __entry->src, __entry->dst)
);

TRACE_EVENT(min_free_stop,
	    TP_PROTO(unsigned long available, unsigned long min_free),
	    TP_ARGS(available, min_free),
	    TP_STRUCT__entry(__field(unsigned long, available)
			     __field(unsigned long, min_free)),
	    TP_fast_assign(__entry->available = available;
			   __entry->min_free = min_free;),
	    TP_printk("available=%lu min_free=%lu", __entry->available, __entry->min_free)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH balloon
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
