// SPDX-License-Identifier: GPL-2.0
/*
 * Since: 5.15
 * Change: RDMA: Globally allocate and release QP memory
 * Before it create_qp allocates and returns the QP, destroy_qp frees it.
 */
#include <linux/module.h>
#include <rdma/ib_verbs.h>

struct probe_qp {
	struct ib_qp base;
};

static int create_qp(struct ib_qp *qp, struct ib_qp_init_attr *attr,
		     struct ib_udata *udata)
{
	return 0;
}

extern const struct ib_device_ops ops;
const struct ib_device_ops ops = {
	.create_qp = create_qp,
	INIT_RDMA_OBJ_SIZE(ib_qp, probe_qp, base),
};

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
