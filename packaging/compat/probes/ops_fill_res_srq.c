// SPDX-License-Identifier: GPL-2.0
/*
 * Since: between 6.1 and 6.12
 * Change: RDMA/core: Add dedicated SRQ resource tracker function
 */
#include <linux/module.h>
#include <rdma/ib_verbs.h>

static int fill_srq(struct sk_buff *msg, struct ib_srq *srq)
{
	return 0;
}

extern const struct ib_device_ops ops;
const struct ib_device_ops ops = {
	.fill_res_srq_entry = fill_srq,
	.fill_res_srq_entry_raw = fill_srq,
};

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
