// SPDX-License-Identifier: GPL-2.0
/*
 * Since: 5.16
 * Change: RDMA/counter: Add a descriptor in struct rdma_hw_stats
 * Before it the counters were named by an array of strings.
 */
#include <linux/module.h>
#include <rdma/ib_verbs.h>

struct rdma_hw_stats *probe(const struct rdma_stat_desc *desc);
struct rdma_hw_stats *probe(const struct rdma_stat_desc *desc)
{
	return rdma_alloc_hw_stats_struct(desc, 1,
					  RDMA_HW_STATS_DEFAULT_LIFESPAN);
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
