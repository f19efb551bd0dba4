/* SPDX-License-Identifier: GPL-2.0 */
/* The pseudo file system `balloon-kvm`: one mount for the module, one inode for each balloon. */
#ifndef BALLOON_KVM_PSEUDO_FS_H
#define BALLOON_KVM_PSEUDO_FS_H

struct inode;

int balloon_fs_init(void);
void balloon_fs_exit(void);

struct inode *balloon_fs_inode(void);
int balloon_fs_open(struct inode *inode);

#endif
