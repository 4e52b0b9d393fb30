// SPDX-License-Identifier: GPL-2.0
/*
 * Since: 5.13
 * Change: RDMA: Support more than 255 rdma ports
 * Port numbers in callbacks were u8 before.
 */
#include <linux/module.h>
#include <rdma/ib_verbs.h>

static int query_port(struct ib_device *dev, u32 port,
		      struct ib_port_attr *attr)
{
	return 0;
}

extern const struct ib_device_ops ops;
const struct ib_device_ops ops = {
	.query_port = query_port,
};

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
