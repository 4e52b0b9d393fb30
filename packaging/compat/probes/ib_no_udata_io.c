// SPDX-License-Identifier: GPL-2.0
/*
 * Since: 7.2 or later
 * Change: RDMA/core: Add ib_no_udata_io()
 */
#include <linux/module.h>
#include <rdma/ib_verbs.h>
#include <rdma/uverbs_ioctl.h>

int probe(struct ib_udata *udata);
int probe(struct ib_udata *udata)
{
	return ib_no_udata_io(udata);
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
