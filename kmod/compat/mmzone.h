/* SPDX-License-Identifier: GPL-2.0 */
/* linux/mmzone.h: the order of the largest block that can be allocated. */
#ifndef BALLAST_COMPAT_MMZONE_H
#define BALLAST_COMPAT_MMZONE_H

#include <linux/mmzone.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#define COMPAT_MAX_PAGE_ORDER (MAX_ORDER - 1)
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#define COMPAT_MAX_PAGE_ORDER MAX_ORDER
#else
#define COMPAT_MAX_PAGE_ORDER MAX_PAGE_ORDER
#endif

#endif
