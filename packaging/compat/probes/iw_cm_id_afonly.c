// SPDX-License-Identifier: GPL-2.0
/*
 * Since: between 5.10 and 6.1
 * Change: RDMA/iwcm: Allow AFONLY binding for IPv6 addresses
 */
#include <linux/module.h>
#include <rdma/ib_verbs.h>
#include <rdma/iw_cm.h>

bool probe(const struct iw_cm_id *cm_id);
bool probe(const struct iw_cm_id *cm_id)
{
	return cm_id->afonly;
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
