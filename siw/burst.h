/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * A message becomes FPDUs.
 */
#ifndef SIW_BURST_H
#define SIW_BURST_H

#include "txbuf.h"
#include "proto/ddp.h"
#include "proto/wire.h"

struct siw_qp;

/**
 * struct siw_burst - FPDUs of one message, one behind the other
 * @qp: the QP
 * @seg: the open FPDU, or the one before; its op, tagged, hdr_len, stag, qn
 *	 and msn are those of the message
 * @hdr: the header of a segment of the message, which is not its last one
 * @to: Tagged Offset of the message's first octet, if it is tagged
 * @len: octets of the message
 * @done: octets of it in FPDUs that are complete
 * @max: octets of it in a full FPDU
 * @next: octets of it that the next FPDU may have
 * @left: octets of it the open FPDU still wants, 0 if none is open
 * @row: the open FPDU, if all of it goes in a row, or NULL
 * @fill: octets of @row that are there
 * @mark: where the open FPDU begins in the buffer
 * @pos: where it begins in the stream
 */
struct siw_burst {
	struct siw_qp *qp;
	struct siw_seg seg;
	u8 hdr[SIW_DDP_UNTAGGED_LEN];
	u64 to;
	u32 len;
	u32 done;
	u32 max;
	u32 next;
	u32 left;
	u8 *row;
	u32 fill;
	struct siw_txmark mark;
	u32 pos;
};

int siw_burst_begin(struct siw_burst *burst);
void siw_burst_put(void *p, size_t n, void *arg);
void siw_burst_empty(struct siw_burst *burst);
void siw_burst_undo(struct siw_burst *burst);
int siw_burst_small(struct siw_qp *qp, const struct siw_seg *seg, void *p,
		    u32 n);

#endif
