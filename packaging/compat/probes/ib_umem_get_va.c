// SPDX-License-Identifier: GPL-2.0
/*
 * Since: between 6.12 and 7.2
 * Change: RDMA/umem: ib_umem_get() became ib_umem_get_va()
 */
#include <linux/module.h>
#include <rdma/ib_verbs.h>
#include <rdma/ib_umem.h>

struct ib_umem *probe(struct ib_device *dev);
struct ib_umem *probe(struct ib_device *dev)
{
	return ib_umem_get_va(dev, 0, 0, 0);
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
