# SPDX-License-Identifier: GPL-2.0
# Asks the kernel's headers for what no #ifdef can see. What is there becomes a macro COMPAT_HAS_…, for kmod/compat only.
# A kernel that lacks what all known ones have ends the build, with the name of what is missing.

# compat_has HEADER,REGEX: not empty where include/HEADER has a line that matches.
compat_has = $(shell grep -sE '$(2)' $(srctree)/include/$(1))
# compat_probe HEADER,NAME,REGEX: -DCOMPAT_HAS_NAME in that case.
compat_probe = $(if $(call compat_has,$(1),$(3)),-DCOMPAT_HAS_$(2))
# compat_need HEADER,REGEX,PURPOSE
compat_need = $(if $(call compat_has,$(1),$(2)),,$(error Ballast does not know this kernel: its include/$(1) lacks \
	$(2), by which $(3). Teach kmod/compat how it is done there))

ccflags-y += $(call compat_probe,linux/migrate.h,MOVABLE_OPERATIONS,^struct movable_operations)
ccflags-y += $(call compat_probe,linux/migrate.h,SET_MOVABLE_OPS,^int set_movable_ops)
ccflags-y += $(call compat_probe,linux/balloon.h,BALLOON_CORE,bool adjust_managed_page_count)
ccflags-y += $(call compat_probe,linux/migrate_mode.h,NO_COPY,MIGRATE_SYNC_NO_COPY)
ccflags-y += $(call compat_probe,linux/mm_types.h,FOLIO_INDEX,pgoff_t __folio_index)
ccflags-y += $(call compat_probe,linux/highmem-internal.h,KMAP_LOCAL,kmap_local_page)
ccflags-y += $(call compat_probe,linux/shrinker.h,SHRINKER_ALLOC,shrinker_alloc)
ccflags-y += $(call compat_probe,linux/shrinker.h,SHRINKER_NAME,__printf.*register_shrinker)
ccflags-y += $(call compat_probe,linux/mmzone.h,NR_BALLOON_PAGES,NR_BALLOON_PAGES)
ccflags-y += $(call compat_probe,linux/virtio.h,VIRTIO_RESET_DEVICE,virtio_reset_device)
ccflags-y += $(call compat_probe,linux/virtio_config.h,VIRTQUEUE_INFO,^struct virtqueue_info)
ccflags-y += $(call compat_probe,linux/cgroup.h,RSTAT_FLUSH_HOLD,cgroup_rstat_flush_hold)
ccflags-y += $(call compat_probe,linux/cgroup.h,RSTAT_RELEASE_GROUP,cgroup_rstat_flush_release.struct)
# Statistics of all scheduling classes came with the tracepoint for all of them.
ccflags-y += $(call compat_probe,linux/sched.h,STAT_RUNTIME_OF_ALL,^[[:space:]]+struct sched_statistics[[:space:]]+stats;)
ccflags-y += $(call compat_probe,trace/events/sched.h,STAT_RUNTIME_VRUNTIME,u64 runtime. u64 vruntime)

$(call compat_need,linux/migrate.h,__SetPageMovable|set_movable_ops,the balloon's pages move)
$(call compat_need,linux/pseudo_fs.h,init_pseudo,the balloon has its file system)
$(call compat_need,linux/cgroup.h,cgroup_add_dfl_cftypes,cpuacct adds its files)
$(call compat_need,linux/cgroup.h,cgroup_rstat_flush_hold|css_rstat_flush,cpuacct reads times)
$(call compat_need,linux/sched/cputime.h,cputime_adjust,cpuacct splits times)
$(call compat_need,trace/events/sched.h,sched_stat_runtime,cpuacct charges groups)
$(call compat_need,trace/events/cgroup.h,cgroup_mkdir,cpuacct learns of groups)
