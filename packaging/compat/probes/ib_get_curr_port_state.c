// SPDX-License-Identifier: GPL-2.0
/*
 * Since: between 6.12 and 7.2
 * Change: RDMA/core: Add ib_get_curr_port_state()
 */
#include <linux/module.h>
#include <rdma/ib_verbs.h>

enum ib_port_state probe(struct net_device *ndev);
enum ib_port_state probe(struct net_device *ndev)
{
	return ib_get_curr_port_state(ndev);
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
