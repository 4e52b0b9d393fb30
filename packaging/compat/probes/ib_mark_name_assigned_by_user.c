// SPDX-License-Identifier: GPL-2.0
/*
 * Since: 6.11
 * Change: RDMA/core: Introduce "name_assign_type" for an IB device
 */
#include <linux/module.h>
#include <rdma/ib_verbs.h>

void probe(struct ib_device *dev);
void probe(struct ib_device *dev)
{
	ib_mark_name_assigned_by_user(dev);
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
