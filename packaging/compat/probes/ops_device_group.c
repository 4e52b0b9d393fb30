// SPDX-License-Identifier: GPL-2.0
/*
 * Since: 5.14
 * Change: RDMA: Remove rdma_set_device_sysfs_group()
 */
#include <linux/module.h>
#include <rdma/ib_verbs.h>

extern const struct ib_device_ops ops;
const struct ib_device_ops ops = {
	.device_group = NULL,
};

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
