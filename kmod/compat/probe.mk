# SPDX-License-Identifier: GPL-2.0
# Asks the kernel's headers for what no #ifdef can see. What is there becomes a macro COMPAT_HAS_…, for kmod/compat only.

# compat_probe HEADER,NAME,REGEX: -DCOMPAT_HAS_NAME where include/linux/HEADER has a line that matches.
compat_probe = $(shell grep -qsE '$(3)' $(srctree)/include/linux/$(1) && echo -DCOMPAT_HAS_$(2))

ccflags-y += $(call compat_probe,migrate.h,MOVABLE_OPERATIONS,^struct movable_operations)
ccflags-y += $(call compat_probe,migrate.h,SET_MOVABLE_OPS,^int set_movable_ops)
ccflags-y += $(call compat_probe,migrate_mode.h,NO_COPY,MIGRATE_SYNC_NO_COPY)
ccflags-y += $(call compat_probe,cgroup.h,RSTAT_FLUSH_HOLD,cgroup_rstat_flush_hold)
ccflags-y += $(call compat_probe,cgroup.h,RSTAT_RELEASE_GROUP,cgroup_rstat_flush_release.struct)
