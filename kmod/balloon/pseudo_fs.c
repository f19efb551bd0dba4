// SPDX-License-Identifier: GPL-2.0
/*
 * The pseudo file system `balloon-kvm`. It is registered, so that /proc/filesystems lists it, and
 * has one mount, which nobody sees. Each balloon has one inode there; programs reach it through a
 * file descriptor only.
 */
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>
#include <linux/sched.h>

#include "balloon/balloon_kvm_ioctl.h"
#include "balloon/pseudo_fs.h"

static struct vfsmount *mount;

/* What /proc/self/fd/N reads. Like all names that d_path() gives, it stands at the buffer's end. */
static char *balloon_fs_dname(struct dentry *dentry, char *buffer, int length)
{
	char name[sizeof("balloon-kvm:[18446744073709551615]")];
	int size = scnprintf(name, sizeof(name), "balloon-kvm:[%llu]",
			     (u64)d_inode(dentry)->i_ino) + 1;

	if (size > length)
		return ERR_PTR(-ENAMETOOLONG);
	return memcpy(buffer + length - size, name, size);
}

static const struct dentry_operations balloon_fs_dentry_operations = {
	.d_dname = balloon_fs_dname,
};

static int balloon_fs_init_context(struct fs_context *fc)
{
	struct pseudo_fs_context *ctx = init_pseudo(fc, BALLOON_KVM_MAGIC);

	if (!ctx)
		return -ENOMEM;
	ctx->dops = &balloon_fs_dentry_operations;
	return 0;
}

static struct file_system_type balloon_fs_type = {
	.name = "balloon-kvm",
	.owner = THIS_MODULE,
	.init_fs_context = balloon_fs_init_context,
	.kill_sb = kill_anon_super,
};

/* There is nothing to read or write; that the file is open is all. */
static const struct file_operations balloon_fs_file_operations = {
	.owner = THIS_MODULE,
	.llseek = noop_llseek,
};

/**
 * balloon_fs_init() - register the file system and mount it
 *
 * Return: 0 or a negative error.
 */
int balloon_fs_init(void)
{
	int err = register_filesystem(&balloon_fs_type);

	if (err)
		return err;
	mount = kern_mount(&balloon_fs_type);
	if (IS_ERR(mount)) {
		unregister_filesystem(&balloon_fs_type);
		return PTR_ERR(mount);
	}
	/*
	 * The mount's own reference would make unloading impossible; balloon_fs_exit() takes it
	 * again for the unmount.
	 */
	module_put(THIS_MODULE);
	return 0;
}

static int references(void)
{
#ifdef CONFIG_MODULE_UNLOAD
	return module_refcount(THIS_MODULE);
#else
	return 0;
#endif
}

/**
 * balloon_fs_exit() - unmount and unregister
 *
 * No balloon may have an inode any more.
 */
void balloon_fs_exit(void)
{
	int before = references();

	__module_get(THIS_MODULE);
	kern_unmount(mount);
	/*
	 * The last close of a descriptor drops the module's reference first and the mount's later.
	 * A task that is still between the two does the unmount, and its last step drops the
	 * reference: until then the module must not go.
	 */
	while (references() > before)
		schedule_timeout_uninterruptible(1);
	unregister_filesystem(&balloon_fs_type);
}

/**
 * balloon_fs_inode() - make a balloon's inode
 *
 * Return: the inode, which iput() gives back, or an ERR_PTR.
 */
struct inode *balloon_fs_inode(void)
{
	return alloc_anon_inode(mount->mnt_sb);
}

/**
 * balloon_fs_open() - open a balloon's inode for the calling program
 * @inode: from balloon_fs_inode()
 *
 * Return: the new file descriptor or a negative error.
 */
int balloon_fs_open(struct inode *inode)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);
	struct file *file;

	if (fd < 0)
		return fd;
	ihold(inode);
	file = alloc_file_pseudo(inode, mount, "", O_RDONLY, &balloon_fs_file_operations);
	if (IS_ERR(file)) {
		iput(inode);
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	/* The last close drops a reference that alloc_file_pseudo() did not take. */
	__module_get(THIS_MODULE);
	fd_install(fd, file);
	return fd;
}
