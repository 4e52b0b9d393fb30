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
	[SIW_CNT_RX_SEND].name = "rx_send",
	[SIW_CNT_RX_WRITE].name = "rx_write",
	[SIW_CNT_RX_READ_REQ].name = "rx_read_request",
	[SIW_CNT_RX_READ_RSP].name = "rx_read_response",
	[SIW_CNT_RX_STRADDLE].name = "rx_straddle",
	[SIW_CNT_RX_FAULT].name = "rx_fault",
	[SIW_CNT_RX_CRC].name = "rx_crc_error",
	[SIW_CNT_RX_NO_BUFFER].name = "rx_no_buffer",
	[SIW_CNT_RX_TERM].name = "rx_terminate",
	[SIW_CNT_RX_TERM_RDMAP].name = "rx_terminate_rdmap",
	[SIW_CNT_RX_TERM_DDP].name = "rx_terminate_ddp",
	[SIW_CNT_RX_TERM_MPA].name = "rx_terminate_mpa",
	[SIW_CNT_TX_FPDU].name = "tx_fpdu",
	[SIW_CNT_TX_BYTES].name = "tx_bytes",
	[SIW_CNT_TX_SEND].name = "tx_send",
	[SIW_CNT_TX_WRITE].name = "tx_write",
	[SIW_CNT_TX_READ_REQ].name = "tx_read_request",
	[SIW_CNT_TX_READ_RSP].name = "tx_read_response",
	[SIW_CNT_TX_TRAIN].name = "tx_train",
	[SIW_CNT_TX_WAIT].name = "tx_wait",
	[SIW_CNT_TX_STALL].name = "tx_read_stall",
	[SIW_CNT_TX_CHUNK].name = "tx_chunk_alloc",
	[SIW_CNT_TX_TERM].name = "tx_terminate",
	[SIW_CNT_TX_TERM_RDMAP].name = "tx_terminate_rdmap",
	[SIW_CNT_TX_TERM_DDP].name = "tx_terminate_ddp",
	[SIW_CNT_TX_TERM_MPA].name = "tx_terminate_mpa",
	[SIW_CNT_LOCAL_OP].name = "local_op",
	[SIW_CNT_LOCAL_ERR].name = "local_error",
	[SIW_CNT_CQ_OVERFLOW].name = "cq_overflow",
	[SIW_CNT_CONN_OUT].name = "conn_out",
	[SIW_CNT_CONN_IN].name = "conn_in",
	[SIW_CNT_CONN_UP].name = "conn_up",
	[SIW_CNT_CONN_FALLBACK].name = "conn_fallback",
	[SIW_CNT_CONN_TIMEOUT].name = "conn_timeout",
	[SIW_CNT_CONN_REFUSED].name = "conn_refused",
	[SIW_CNT_CONN_TCP].name = "conn_tcp_error",
	[SIW_CNT_CONN_CLOSED].name = "conn_closed",
	[SIW_CNT_CONN_REJ_RCVD].name = "conn_reject_received",
	[SIW_CNT_CONN_REJ_SENT].name = "conn_reject_sent",
	[SIW_CNT_CONN_TERMS].name = "conn_terms",
	[SIW_CNT_CONN_LOCAL].name = "conn_local_error",
	[SIW_CNT_CONN_ABORT].name = "conn_abort",
	[SIW_CNT_TIMEOUT_TCP].name = "conn_timeout_tcp",
	[SIW_CNT_TIMEOUT_REPLY].name = "conn_timeout_reply",
	[SIW_CNT_TIMEOUT_REQ].name = "conn_timeout_request",
	[SIW_CNT_TIMEOUT_ULP].name = "conn_timeout_ulp",
	[SIW_CNT_TIMEOUT_FIRST].name = "conn_timeout_first",
	[SIW_CNT_HALF_OPEN].name = "conn_half_open",
	[SIW_CNT_STREAM_LOST].name = "stream_lost",
	[SIW_CNT_MSG_SUPPRESSED].name = "msg_suppressed",
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
