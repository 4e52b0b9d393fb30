/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * Counters of a device, shown by "rdma statistic show link".
 */
#ifndef SIW_STATS_H
#define SIW_STATS_H

#include <linux/types.h>

struct ib_device;
struct rdma_hw_stats;

enum siw_counter {
	SIW_CNT_RX_FPDU,	/* FPDUs that passed the CRC check */
	SIW_CNT_RX_BYTES,	/* octets of their ULPDUs */
	SIW_CNT_RX_STRADDLE,	/* FPDUs that had to be assembled */
	SIW_CNT_RX_FAULT,	/* received FPDUs that ended their stream */
	SIW_CNT_RX_CRC,		/* ... because of the CRC */
	SIW_CNT_RX_TERM,	/* Terminates received */
	SIW_CNT_TX_FPDU,
	SIW_CNT_TX_BYTES,	/* octets handed to TCP */
	SIW_CNT_TX_TRAIN,	/* calls into TCP */
	SIW_CNT_TX_WAIT,	/* times TCP had no room */
	SIW_CNT_TX_CHUNK,	/* transmit buffers allocated */
	SIW_CNT_TX_TERM,	/* Terminates sent */
	SIW_CNT_LOCAL_ERR,	/* work requests refused or failed locally */
	SIW_CNT_CQ_OVERFLOW,
	SIW_CNT_CONN_OUT,	/* connections asked for by us */
	SIW_CNT_CONN_IN,	/* connections asked for by peers */
	SIW_CNT_CONN_UP,	/* connections established */
	SIW_CNT_CONN_REFUSED,	/* Requests and Replies with an error in them */
	SIW_CNT_CONN_TIMEOUT,	/* start-ups that took too long */
	SIW_COUNTERS
};

struct siw_stats {
	u64 value[SIW_COUNTERS];
};

struct rdma_hw_stats *siw_stats_alloc(struct ib_device *base, u32 port);
int siw_stats_get(struct ib_device *base, struct rdma_hw_stats *stats,
		  u32 port, int index);

#endif
