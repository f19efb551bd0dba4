// SPDX-License-Identifier: GPL-2.0
/* Makes the kernel complain, so that the VM runner's search of the log can be tested. */
#include <linux/bug.h>
#include <linux/module.h>

static int __init warn_on_load_init(void)
{
	WARN(1, "complaining as the test wants it\n");
	return 0;
}
module_init(warn_on_load_init);

static void __exit warn_on_load_exit(void)
{
}
module_exit(warn_on_load_exit);

MODULE_DESCRIPTION("Warns when it is loaded");
MODULE_LICENSE("GPL");
