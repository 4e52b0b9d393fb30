// SPDX-License-Identifier: GPL-2.0
/*
 * Since: 5.11
 * Change: RDMA: Check attr_mask during modify_qp
 */
#include <linux/module.h>
#include <rdma/ib_verbs.h>

int probe(int mask);
int probe(int mask)
{
	return mask & IB_QP_ATTR_STANDARD_BITS;
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
