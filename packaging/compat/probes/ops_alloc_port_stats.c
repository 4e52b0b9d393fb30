// SPDX-License-Identifier: GPL-2.0
/*
 * Since: 5.14
 * Change: RDMA: Split the alloc_hw_stats() ops to port and device variants
 */
#include <linux/module.h>
#include <rdma/ib_verbs.h>

static struct rdma_hw_stats *alloc_stats(struct ib_device *dev, u32 port)
{
	return NULL;
}

extern const struct ib_device_ops ops;
const struct ib_device_ops ops = {
	.alloc_hw_port_stats = alloc_stats,
};

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
