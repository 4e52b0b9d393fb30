// SPDX-License-Identifier: GPL-2.0
/*
 * Since: 5.19
 * Change: RDMA: Split kernel-only global device caps from uverbs device caps
 */
#include <linux/module.h>
#include <rdma/ib_verbs.h>

void probe(struct ib_device_attr *attr);
void probe(struct ib_device_attr *attr)
{
	attr->kernel_cap_flags = IBK_ALLOW_USER_UNREG;
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
