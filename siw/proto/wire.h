/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * What stands where on the wire: the one place that knows an offset or a byte
 * order of MPA (RFC 5044, 6581), DDP (RFC 5041) and RDMAP (RFC 5040, 7306).
 */
#ifndef SIW_PROTO_WIRE_H
#define SIW_PROTO_WIRE_H

#include <linux/types.h>
#include <linux/unaligned.h>

/* MPA start-up frame, RFC 5044 section 7.1.1 */
#define SIW_MPA_KEY_LEN		16
#define SIW_MPA_HDR_LEN		20	/* key, flags, revision, PD_Length */
#define SIW_MPA_ENH_LEN		4	/* RFC 6581 section 9 */
#define SIW_MPA_PD_MAX		512	/* private data with the enhanced part */
#define SIW_MPA_FRAME_MAX	(SIW_MPA_HDR_LEN + SIW_MPA_PD_MAX)
#define SIW_MPA_OFF_FLAGS	16
#define SIW_MPA_OFF_REV		17
#define SIW_MPA_OFF_PD_LEN	18
#define SIW_MPA_F_MARKERS	0x80
#define SIW_MPA_F_CRC		0x40
#define SIW_MPA_F_REJECT	0x20
#define SIW_MPA_F_ENHANCED	0x10
#define SIW_MPA_DEPTH_MASK	0x3fff	/* IRD and ORD are 14 bits */
#define SIW_MPA_DEPTH_AUTO	0x3fff	/* "not negotiated", RFC 6581 s. 9.1 */
#define SIW_MPA_ENH_HI		0x8000	/* A with the IRD, C with the ORD */
#define SIW_MPA_ENH_LO		0x4000	/* B with the IRD, D with the ORD */

/* MPA framing, RFC 5044 section 4 */
#define SIW_MPA_LEN_LEN		2	/* ULPDU_Length */
#define SIW_MPA_CRC_LEN		4
#define SIW_MPA_MARKER_LEN	4
#define SIW_MPA_MARKER_INTERVAL	512
#define SIW_MPA_MULPDU_MIN	128
#define SIW_MPA_MULPDU_MAX	64768
/* Length field, largest ULPDU, pad and CRC; no Markers */
#define SIW_MPA_FPDU_MAX	(SIW_MPA_LEN_LEN + SIW_MPA_MULPDU_MAX + \
				 2 + SIW_MPA_CRC_LEN)

/* DDP, RFC 5041 section 4. Offsets count from the first octet of the ULPDU. */
#define SIW_DDP_VERSION		1
#define SIW_RDMAP_VERSION	1
#define SIW_DDP_TAGGED_LEN	14
#define SIW_DDP_UNTAGGED_LEN	18
#define SIW_DDP_F_TAGGED	0x80
#define SIW_DDP_F_LAST		0x40
#define SIW_DDP_VERSION_MASK	0x03
#define SIW_RDMAP_VERSION_SHIFT	6
#define SIW_RDMAP_OP_MASK	0x0f
#define SIW_DDP_OFF_STAG	2
#define SIW_DDP_OFF_TO		6
#define SIW_DDP_OFF_INV_STAG	2
#define SIW_DDP_OFF_QN		6
#define SIW_DDP_OFF_MSN		10
#define SIW_DDP_OFF_MO		14

/* DDP untagged queues, RFC 5040 section 4.1 and RFC 7306 section 4 */
enum siw_qn {
	SIW_QN_SEND = 0,
	SIW_QN_READ = 1,
	SIW_QN_TERM = 2,
	SIW_QN_ATOMIC_RSP = 3,
	SIW_QNS
};

/* RDMAP opcodes, RFC 5040 section 4.1 and RFC 7306 section 4 */
enum siw_rdmap_op {
	SIW_RDMAP_WRITE = 0x0,
	SIW_RDMAP_READ_REQ = 0x1,
	SIW_RDMAP_READ_RSP = 0x2,
	SIW_RDMAP_SEND = 0x3,
	SIW_RDMAP_SEND_INV = 0x4,
	SIW_RDMAP_SEND_SE = 0x5,
	SIW_RDMAP_SEND_SE_INV = 0x6,
	SIW_RDMAP_TERMINATE = 0x7,
	SIW_RDMAP_IMM = 0x8,
	SIW_RDMAP_IMM_SE = 0x9,
	SIW_RDMAP_ATOMIC_REQ = 0xa,
	SIW_RDMAP_ATOMIC_RSP = 0xb,
	SIW_RDMAP_OPS
};

/* RDMAP headers behind the untagged DDP header */
#define SIW_READ_REQ_LEN	28
#define SIW_ATOMIC_REQ_LEN	52
#define SIW_ATOMIC_RSP_LEN	12
#define SIW_IMM_LEN		8
#define SIW_TERM_CTRL_LEN	4
#define SIW_TERM_SEG_LEN_LEN	2
#define SIW_TERM_F_M		0x80	/* segment length valid */
#define SIW_TERM_F_D		0x40	/* DDP header present */
#define SIW_TERM_F_R		0x20	/* RDMAP header present */
/* Longest Terminate ULPDU: refused Read Request with both its headers */
#define SIW_TERM_ULPDU_MAX	(SIW_DDP_UNTAGGED_LEN + SIW_TERM_CTRL_LEN + \
				 SIW_TERM_SEG_LEN_LEN + \
				 SIW_DDP_UNTAGGED_LEN + SIW_READ_REQ_LEN)
/* As much of a ULPDU as any decoder here looks at */
#define SIW_ULPDU_HDR_MAX	(SIW_DDP_UNTAGGED_LEN + SIW_ATOMIC_REQ_LEN)

#endif
