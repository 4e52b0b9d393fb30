// SPDX-License-Identifier: GPL-2.0
/*
 * Since: 6.17
 * Change: RDMA/core: Introduce a DMAH object and its alloc/free APIs
 * reg_user_mr gained a struct ib_dmah argument.
 */
#include <linux/module.h>
#include <rdma/ib_verbs.h>

static struct ib_mr *reg_user_mr(struct ib_pd *pd, u64 start, u64 length,
				 u64 virt_addr, int access,
				 struct ib_dmah *dmah, struct ib_udata *udata)
{
	return NULL;
}

extern const struct ib_device_ops ops;
const struct ib_device_ops ops = {
	.reg_user_mr = reg_user_mr,
};

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
