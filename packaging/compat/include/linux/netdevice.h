/* SPDX-License-Identifier: GPL-2.0 */
#include_next <linux/netdevice.h>

#ifndef SIWC_LINUX_NETDEVICE_H
#define SIWC_LINUX_NETDEVICE_H

#ifndef SIWC_HAVE_DEV_PUT_NULL
static inline void siwc_dev_put(struct net_device *ndev)
{
	if (ndev)
		dev_put(ndev);
}

#define dev_put siwc_dev_put
#endif

#endif
