/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * Devices: made by "rdma link add", gone with their net_device.
 */
#ifndef SIW_DEVICE_H
#define SIW_DEVICE_H

#include <linux/netdevice.h>
#include <rdma/ib_verbs.h>

extern const struct attribute_group siw_device_group;

int siw_device_gid(struct ib_device *base, u32 port, int index,
		   union ib_gid *gid);
void siw_device_speed(struct ib_device *base, struct ib_port_attr *attr);
int siw_device_add(const char *name, struct net_device *ndev);
void siw_device_dealloc(struct ib_device *base);
int siw_device_init(void);
void siw_device_exit(void);

#endif
