// SPDX-License-Identifier: GPL-2.0
/*
 * Since: 6.11
 * Change: RDMA: Pass uverbs_attr_bundle as part of '.create_cq' API
 */
#include <linux/module.h>
#include <rdma/ib_verbs.h>

static int create_cq(struct ib_cq *cq, const struct ib_cq_init_attr *attr,
		     struct uverbs_attr_bundle *attrs)
{
	return 0;
}

extern const struct ib_device_ops ops;
const struct ib_device_ops ops = {
	.create_cq = create_cq,
};

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
