// SPDX-License-Identifier: GPL-2.0
/*
 * Since: between 6.12 and 7.2
 * Change: RDMA/core: create_user_cq and resize_user_cq for the CQs of users
 * Before it create_cq serves kernel and user CQs alike and the driver
 * tells them apart by udata.
 */
#include <linux/module.h>
#include <rdma/ib_verbs.h>

static int create_user_cq(struct ib_cq *cq, const struct ib_cq_init_attr *attr,
			  struct uverbs_attr_bundle *attrs)
{
	return 0;
}

static int resize_user_cq(struct ib_cq *cq, unsigned int cqe,
			  struct ib_udata *udata)
{
	return 0;
}

extern const struct ib_device_ops ops;
const struct ib_device_ops ops = {
	.create_user_cq = create_user_cq,
	.resize_user_cq = resize_user_cq,
};

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
