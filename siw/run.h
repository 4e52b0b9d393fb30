/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * FPDUs in the middle of a message.
 */
#ifndef SIW_RUN_H
#define SIW_RUN_H

#include "cursor.h"
#include "qp.h"

/**
 * struct siw_run - FPDUs in the middle of a message, which touch one region
 * @qp: the QP
 * @seg: the segment before the next one
 * @hdr: its DDP header
 * @pd: protection domain that is to be the region's
 * @stag: the region
 * @want: SIW_ACCESS_* rights that are needed
 * @base: address of octet 0 of a Send
 * @from: first octet of a Send that goes to the region
 * @end: octet of a Send behind the last one that goes there
 * @cur: next octet of the stream
 * @len: octets there are
 * @done: octets that were handled
 */
struct siw_run {
	struct siw_qp *qp;
	struct siw_seg seg;
	u8 hdr[SIW_DDP_UNTAGGED_LEN];
	struct ib_pd *pd;
	u32 stag;
	u32 want;
	u64 base;
	u32 from;
	u32 end;
	struct cursor cur;
	size_t len;
	size_t done;
};

void siw_run_behind(struct siw_run *run);

#endif
