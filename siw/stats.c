// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Counters of a device.
 */
#include <linux/cpumask.h>
#include <linux/percpu.h>

#include "siw.h"

static const struct rdma_stat_desc siw_stat_descs[SIW_COUNTERS] = {
	[SIW_CNT_RX_FPDU].name = "rx_fpdu",
	[SIW_CNT_RX_BYTES].name = "rx_bytes",
	[SIW_CNT_RX_STRADDLE].name = "rx_straddle",
	[SIW_CNT_RX_FAULT].name = "rx_fault",
	[SIW_CNT_RX_CRC].name = "rx_crc_error",
	[SIW_CNT_RX_TERM].name = "rx_terminate",
	[SIW_CNT_TX_FPDU].name = "tx_fpdu",
	[SIW_CNT_TX_BYTES].name = "tx_bytes",
	[SIW_CNT_TX_TRAIN].name = "tx_train",
	[SIW_CNT_TX_WAIT].name = "tx_wait",
	[SIW_CNT_TX_CHUNK].name = "tx_chunk_alloc",
	[SIW_CNT_TX_TERM].name = "tx_terminate",
	[SIW_CNT_LOCAL_ERR].name = "local_error",
	[SIW_CNT_CQ_OVERFLOW].name = "cq_overflow",
	[SIW_CNT_CONN_OUT].name = "conn_out",
	[SIW_CNT_CONN_IN].name = "conn_in",
	[SIW_CNT_CONN_UP].name = "conn_up",
	[SIW_CNT_CONN_REFUSED].name = "conn_refused",
	[SIW_CNT_CONN_TIMEOUT].name = "conn_timeout",
};

struct rdma_hw_stats *siw_stats_alloc(struct ib_device *base, u32 port)
{
	return rdma_alloc_hw_stats_struct(siw_stat_descs, SIW_COUNTERS,
					  RDMA_HW_STATS_DEFAULT_LIFESPAN);
}

int siw_stats_get(struct ib_device *base, struct rdma_hw_stats *stats,
		  u32 port, int index)
{
	struct siw_device *dev = to_siw_dev(base);
	unsigned int counter;
	int cpu;

	if (!port)
		return 0;
	for (counter = 0; counter < SIW_COUNTERS; counter++) {
		u64 sum = 0;

		for_each_possible_cpu(cpu)
			sum += per_cpu_ptr(dev->stats, cpu)->value[counter];
		stats->value[counter] = sum;
	}
	return SIW_COUNTERS;
}
