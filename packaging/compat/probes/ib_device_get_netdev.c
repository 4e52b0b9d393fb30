// SPDX-License-Identifier: GPL-2.0
/*
 * Since: 6.12
 * Change: RDMA/device: Export ib_device_get_netdev() (private to ib_core before)
 */
#include <linux/module.h>
#include <rdma/ib_verbs.h>

struct net_device *probe(struct ib_device *dev);
struct net_device *probe(struct ib_device *dev)
{
	return ib_device_get_netdev(dev, 1);
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
