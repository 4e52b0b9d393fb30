// SPDX-License-Identifier: GPL-2.0
/*
 * Since: between 6.12 and 7.2
 * Change: RDMA/core: Add ib_dispatch_port_state_event and netdev event handling
 * Behaviour: the core turns netdev events into PORT_ACTIVE and PORT_ERR.
 * Its exported helper is the proxy for that.
 */
#include <linux/module.h>
#include <rdma/ib_verbs.h>

void probe(struct ib_device *dev, struct net_device *ndev);
void probe(struct ib_device *dev, struct net_device *ndev)
{
	ib_dispatch_port_state_event(dev, ndev);
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
