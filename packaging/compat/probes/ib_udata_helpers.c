// SPDX-License-Identifier: GPL-2.0
/*
 * Since: between 6.12 and 7.2
 * Change: RDMA/core: Add ib_respond_udata(), ib_copy_validate_udata_in() and kin
 */
#include <linux/module.h>
#include <rdma/ib_verbs.h>
#include <rdma/uverbs_ioctl.h>

struct body {
	u64 a;
	u64 b;
};

int probe(struct ib_udata *udata);
int probe(struct ib_udata *udata)
{
	struct body body;

	return ib_copy_validate_udata_in(udata, body, a) ?:
	       ib_is_udata_in_empty(udata) ?:
	       ib_respond_empty_udata(udata) ?:
	       ib_respond_udata(udata, body);
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
