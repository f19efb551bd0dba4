/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/* What programs need to talk to /dev/balloon-kvm. */
#ifndef BALLOON_KVM_IOCTL_H
#define BALLOON_KVM_IOCTL_H

#include <linux/ioctl.h>

/* f_type of the pseudo file system `balloon-kvm`, as fstatfs() gives it. */
#define BALLOON_KVM_MAGIC 0x13661366

/*
 * Takes no argument. Returns a new file descriptor (close on exec) on the balloon's inode in the
 * pseudo file system. The module can't be unloaded while it is open.
 */
#define BALLOON_KVM_GET_FD _IO(0xBA, 0x00)

#endif
