// SPDX-License-Identifier: GPL-2.0
/*
 * Since: 6.0
 * Change: net: add netdev_hold() and netdev_put()
 * Behaviour: dev_put() takes NULL since 5.15.  What came soon after it is the
 * proxy; in between the check is made twice.
 */
#include <linux/module.h>
#include <linux/netdevice.h>

void probe(struct net_device *ndev, netdevice_tracker *tracker);
void probe(struct net_device *ndev, netdevice_tracker *tracker)
{
	netdev_put(ndev, tracker);
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
