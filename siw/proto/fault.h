/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * Faults: why a stream must end, and the Terminate Message that says so
 * (RFC 5040 sections 4.8 and 7.1, RFC 5041 section 7, RFC 5044 section 8,
 * RFC 6581 section 10).
 */
#ifndef SIW_PROTO_FAULT_H
#define SIW_PROTO_FAULT_H

#include <linux/types.h>
#include "wire.h"

/* One entry for each code this implementation can send */
enum siw_fault {
	SIW_OK = 0,
	/* 0/0 and 0/1: RDMAP local catastrophic, remote protection */
	SIW_FAULT_RDMAP_LOCAL,		/* 0/0/00 */
	SIW_FAULT_RDMAP_STAG,		/* 0/1/00 */
	SIW_FAULT_RDMAP_BOUNDS,		/* 0/1/01 */
	SIW_FAULT_RDMAP_ACCESS,		/* 0/1/02 */
	SIW_FAULT_RDMAP_PD,		/* 0/1/03 */
	SIW_FAULT_RDMAP_WRAP,		/* 0/1/04 */
	SIW_FAULT_RDMAP_INVALIDATE,	/* 0/1/09 */
	/* 0/2: RDMAP remote operation */
	SIW_FAULT_RDMAP_VERSION,	/* 0/2/05 */
	SIW_FAULT_RDMAP_OPCODE,		/* 0/2/06 */
	SIW_FAULT_RDMAP_STREAM,		/* 0/2/07 */
	SIW_FAULT_RDMAP_UNSPECIFIED,	/* 0/2/ff */
	/* 1/0, 1/1: DDP local catastrophic, tagged buffer */
	SIW_FAULT_DDP_LOCAL,		/* 1/0/00 */
	SIW_FAULT_DDP_STAG,		/* 1/1/00 */
	SIW_FAULT_DDP_BOUNDS,		/* 1/1/01 */
	SIW_FAULT_DDP_PD,		/* 1/1/02 */
	SIW_FAULT_DDP_WRAP,		/* 1/1/03 */
	SIW_FAULT_DDP_T_VERSION,	/* 1/1/04 */
	/* 1/2: DDP untagged buffer */
	SIW_FAULT_DDP_QN,		/* 1/2/01 */
	SIW_FAULT_DDP_NO_BUFFER,	/* 1/2/02 */
	SIW_FAULT_DDP_MSN,		/* 1/2/03 */
	SIW_FAULT_DDP_MO,		/* 1/2/04 */
	SIW_FAULT_DDP_TOO_LONG,		/* 1/2/05 */
	SIW_FAULT_DDP_U_VERSION,	/* 1/2/06 */
	/* 2/0: MPA */
	SIW_FAULT_MPA_LOST,		/* 2/0/01, local use only */
	SIW_FAULT_MPA_CRC,		/* 2/0/02 */
	SIW_FAULT_MPA_MARKER,		/* 2/0/03 */
	SIW_FAULT_MPA_FRAME,		/* 2/0/04, local use only */
	SIW_FAULT_MPA_LOCAL,		/* 2/0/05 */
	SIW_FAULT_MPA_IRD,		/* 2/0/06 */
	SIW_FAULT_MPA_RTR,		/* 2/0/07 */
	SIW_FAULTS
};

enum siw_layer {
	SIW_LAYER_RDMAP = 0,
	SIW_LAYER_DDP = 1,
	SIW_LAYER_MPA = 2,
};

/**
 * struct siw_term - a Terminate Message, decoded or about to be encoded
 * @layer: enum siw_layer; a peer may send other values up to 15
 * @etype: error type, 0..15
 * @code: error code
 * @seg_len: ULPDU length of the terminated segment, valid if @m
 * @m: the M bit
 * @hdr_len: octets of terminated DDP header at @hdr, 0 if the D bit is clear
 * @read_len: octets of terminated Read Request header at @read, 0 if R is clear
 * @hdr: terminated DDP header as on the wire
 * @read: terminated Read Request header as on the wire
 */
struct siw_term {
	u8 layer;
	u8 etype;
	u8 code;
	bool m;
	u16 seg_len;
	u8 hdr_len;
	u8 read_len;
	u8 hdr[SIW_DDP_UNTAGGED_LEN];
	u8 read[SIW_READ_REQ_LEN];
};

const char *siw_fault_name(enum siw_fault fault);
void siw_term_fill(struct siw_term *term, enum siw_fault fault,
		   const u8 *ulpdu, size_t avail, u16 ulpdu_len);
size_t siw_term_encode(u8 *ulpdu, const struct siw_term *term);
void siw_term_decode(struct siw_term *term, const u8 *body, size_t len);
enum siw_fault siw_term_fault(const struct siw_term *term);

#endif
