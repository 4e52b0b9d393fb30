// SPDX-License-Identifier: GPL-2.0
/*
 * Since: 6.4
 * Change: RDMA/rxe: Introduce ib_virt_dma_to_ptr() and ib_virt_dma_to_page()
 */
#include <linux/module.h>
#include <rdma/ib_verbs.h>

struct page *probe(u64 dma, void **p);
struct page *probe(u64 dma, void **p)
{
	*p = ib_virt_dma_to_ptr(dma);
	return ib_virt_dma_to_page(dma);
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
