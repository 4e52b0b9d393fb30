// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Pages of a process, pinned, with their kernel addresses.
 *
 * The device uses virtual DMA, so a "DMA address" of ib_core is the page's
 * address in the kernel's linear map: nothing has to be mapped at placement.
 */
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <rdma/ib_umem.h>
#include <rdma/ib_verbs.h>
#include <rdma/iter.h>

#include "umem.h"

/**
 * siw_umem_get() - pin a range of the caller's memory
 * @base: device, for accounting
 * @start: user address, any alignment
 * @len: octets, not 0
 * @access: IB_ACCESS_* the range is going to be registered with
 *
 * Context: process, may sleep.
 * Return: the memory, or an ERR_PTR() of what ib_umem_get_va() or the
 * allocation said.
 */
struct siw_umem *siw_umem_get(struct ib_device *base, u64 start, u64 len,
			      int access)
{
	struct ib_block_iter biter;
	struct siw_umem *umem;
	struct ib_umem *pinned;
	size_t pages, i = 0;

	pinned = ib_umem_get_va(base, start, len, access);
	if (IS_ERR(pinned))
		return ERR_CAST(pinned);

	pages = ib_umem_num_pages(pinned);
	umem = kvzalloc(struct_size(umem, page, pages),
			GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!umem) {
		ib_umem_release(pinned);
		return ERR_PTR(-ENOMEM);
	}
	umem->base = pinned;
	rdma_umem_for_each_dma_block(pinned, &biter, PAGE_SIZE) {
		dma_addr_t addr = rdma_block_iter_dma_address(&biter);

		if (i < pages)
			umem->page[i++] = ib_virt_dma_to_ptr(addr);
	}
	return umem;
}

/* Unpin; the caller made sure that nobody looks at the pages any more. */
void siw_umem_put(struct siw_umem *umem)
{
	ib_umem_release(umem->base);
	kvfree(umem);
}
