/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * Counters of a device, shown by "rdma statistic show link".
 */
#ifndef SIW_STATS_H
#define SIW_STATS_H

#include <linux/types.h>

struct ib_device;
struct rdma_hw_stats;

/*
 * FPDUs and octets are counted once for each train: each call of ours into TCP,
 * each call of TCP for us.  Messages count with their last FPDU.
 */
enum siw_counter {
	SIW_CNT_RX_FPDU,	/* FPDUs that passed the CRC check */
	SIW_CNT_RX_BYTES,	/* octets of their ULPDUs */
	SIW_CNT_RX_SEND,	/* messages, ready-to-receive ones too */
	SIW_CNT_RX_WRITE,
	SIW_CNT_RX_READ_REQ,
	SIW_CNT_RX_READ_RSP,
	SIW_CNT_RX_STRADDLE,	/* FPDUs that had to be assembled */
	SIW_CNT_RX_FAULT,	/* received FPDUs that ended their stream */
	SIW_CNT_RX_CRC,		/* ... because of the CRC */
	SIW_CNT_RX_NO_BUFFER,	/* ... because nothing was posted for them */
	SIW_CNT_RX_TERM,	/* Terminates received */
	SIW_CNT_RX_TERM_RDMAP,	/* those of a layer, in the layers' order */
	SIW_CNT_RX_TERM_DDP,
	SIW_CNT_RX_TERM_MPA,
	SIW_CNT_TX_FPDU,	/* FPDUs handed to TCP */
	SIW_CNT_TX_BYTES,	/* octets handed to TCP */
	SIW_CNT_TX_SEND,	/* messages, ready-to-receive ones too */
	SIW_CNT_TX_WRITE,
	SIW_CNT_TX_READ_REQ,
	SIW_CNT_TX_READ_RSP,
	SIW_CNT_TX_TRAIN,	/* calls into TCP */
	SIW_CNT_TX_WAIT,	/* times TCP had no room */
	SIW_CNT_TX_STALL,	/* times a Read had to complete first */
	SIW_CNT_TX_CHUNK,	/* transmit buffers allocated */
	SIW_CNT_TX_TERM,	/* Terminates sent */
	SIW_CNT_TX_TERM_RDMAP,	/* those of a layer, in the layers' order */
	SIW_CNT_TX_TERM_DDP,
	SIW_CNT_TX_TERM_MPA,
	SIW_CNT_LOCAL_OP,	/* REG_MR and LOCAL_INV that were done */
	SIW_CNT_LOCAL_ERR,	/* work requests refused or failed locally */
	SIW_CNT_CQ_OVERFLOW,
	SIW_CNT_CONN_OUT,	/* connections asked for by us */
	SIW_CNT_CONN_IN,	/* connections asked for by peers */
	SIW_CNT_CONN_UP,	/* connections established */
	SIW_CNT_CONN_FALLBACK,	/* tried again in the words of revision 1 */
	SIW_CNT_CONN_TIMEOUT,	/* start-ups that took too long, of any cause */
	/* Why connections were not made: one of these for each */
	SIW_CNT_CONN_REFUSED,	/* Requests and Replies with an error in them */
	SIW_CNT_CONN_TCP,	/* TCP: refused, unreachable */
	SIW_CNT_CONN_CLOSED,	/* closed or reset by the peer */
	SIW_CNT_CONN_REJ_RCVD,	/* rejected by the peer */
	SIW_CNT_CONN_REJ_SENT,	/* rejected by our ULP */
	SIW_CNT_CONN_TERMS,	/* the Reply's terms cannot be met */
	SIW_CNT_CONN_LOCAL,	/* an error on our side */
	SIW_CNT_CONN_ABORT,	/* given up by our ULP */
	SIW_CNT_TIMEOUT_TCP,	/* no answer to our SYN */
	SIW_CNT_TIMEOUT_REPLY,	/* no Reply to our Request */
	SIW_CNT_TIMEOUT_REQ,	/* no Request from the peer */
	SIW_CNT_TIMEOUT_ULP,	/* neither accept nor reject from our ULP */
	SIW_CNT_TIMEOUT_FIRST,	/* no first FPDU from the peer */
	SIW_CNT_HALF_OPEN,	/* made way for a newer one without a Request */
	SIW_CNT_STREAM_LOST,	/* ended without Terminate and close */
	SIW_CNT_MSG_SUPPRESSED,	/* messages the kernel log was spared */
	SIW_COUNTERS
};

struct siw_stats {
	u64 value[SIW_COUNTERS];
};

struct rdma_hw_stats *siw_stats_alloc(struct ib_device *base, u32 port);
int siw_stats_get(struct ib_device *base, struct rdma_hw_stats *stats,
		  u32 port, int index);

#endif
