// SPDX-License-Identifier: GPL-2.0
/*
 * Since: between 6.12 and 7.2, and stable kernels of late 2026
 * Change: the block iterators moved from ib_umem.h and ib_verbs.h to rdma/iter.h
 */
#include <linux/module.h>
#include <rdma/ib_umem.h>
#include <rdma/iter.h>

dma_addr_t probe(struct ib_umem *umem);
dma_addr_t probe(struct ib_umem *umem)
{
	struct ib_block_iter biter;

	rdma_umem_for_each_dma_block(umem, &biter, PAGE_SIZE)
		return rdma_block_iter_dma_address(&biter);
	return 0;
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
