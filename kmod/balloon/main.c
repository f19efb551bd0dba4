// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>

#include "balloon/device.h"
#include "balloon/movable.h"
#include "balloon/pseudo_fs.h"
#include "balloon/virtio.h"

#define CREATE_TRACE_POINTS
#include "balloon/trace.h"

static bool check_content;
module_param(check_content, bool, 0444);
MODULE_PARM_DESC(check_content, "fill each page with a serial number and check it when it moves and leaves (default: no)");

static int __init balloon_kvm_init(void)
{
	int err = balloon_movable_init();

	if (err)
		return err;
	err = balloon_fs_init();
	if (err)
		goto exit_movable;
	err = balloon_virtio_register();
	if (err)
		goto exit_fs;
	balloon_virtio_tell_others();
	/* Devices that were taken have balloons by now; the software balloon is for want of one. */
	err = balloon_device_register(check_content);
	if (err)
		goto unregister_virtio;
	return 0;

unregister_virtio:
	balloon_virtio_unregister();
exit_fs:
	balloon_fs_exit();
exit_movable:
	balloon_movable_exit();
	return err;
}

static void __exit balloon_kvm_exit(void)
{
	balloon_device_unregister();
	balloon_virtio_unregister();
	balloon_fs_exit();
	balloon_movable_exit();
}

module_init(balloon_kvm_init);
module_exit(balloon_kvm_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("a memory balloon whose pages move");
