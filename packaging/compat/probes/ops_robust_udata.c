// SPDX-License-Identifier: GPL-2.0
/*
 * Since: between 6.12 and 7.2
 * Change: RDMA/core: Add uverbs_robust_udata to struct ib_device_ops
 * A driver promises to check the length of every udata; an older core has
 * no use for the promise.
 */
#include <linux/module.h>
#include <rdma/ib_verbs.h>

extern const struct ib_device_ops ops;
const struct ib_device_ops ops = {
	.uverbs_robust_udata = 1,
};

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
