/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/* What programs need to talk to /dev/balloon-kvm. */
#ifndef BALLOON_KVM_IOCTL_H
#define BALLOON_KVM_IOCTL_H

#include <linux/ioctl.h>

/* f_type of the pseudo file system `balloon-kvm`, as fstatfs() gives it. */
#define BALLOON_KVM_MAGIC 0x13661366

/*
 * Takes no argument. Returns a new file descriptor (close on exec) on a balloon's inode in the
 * pseudo file system: the software balloon's, or if there is none that of the virtio device
 * that came first; ENODEV without any. The module can't be unloaded while it is open.
 */
#define BALLOON_KVM_GET_FD _IO(0xBA, 0x00)

/* A balloon's device as sysfs names it: "balloon-kvm" is the software balloon, or "virtio3". */
struct balloon_kvm_name {
	char device[32];
};

/* Likewise, of the balloon of a certain device. ENODEV: it has none. EINVAL: no NUL in the name. */
#define BALLOON_KVM_GET_FD_OF _IOW(0xBA, 0x01, struct balloon_kvm_name)

#endif
