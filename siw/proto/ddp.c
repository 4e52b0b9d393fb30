// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * DDP segments: headers, and the order of untagged and tagged messages
 * (RFC 5041), with the RDMAP control octet that DDP carries for RDMAP.
 */
#include <linux/string.h>
#include <linux/types.h>
#include <linux/unaligned.h>

#include "ddp.h"
#include "fault.h"
#include "rdmap.h"
#include "wire.h"

/* The two control octets */
#define OFF_DDP_CTRL	0
#define OFF_RDMAP_CTRL	1
#define CTRL_LEN	2

static bool op_supported(const struct siw_rdmap_op_info *info, bool atomics)
{
	return info && (atomics || !info->atomic_ext);
}

/* Checks 3 to 7 of a ULPDU: lengths, versions, opcode; the first wins */
static enum siw_fault check_header(const u8 *ulpdu, size_t n, bool atomics)
{
	const struct siw_rdmap_op_info *info;
	u8 ddp, rdmap;
	bool tagged;

	if (n < CTRL_LEN)
		return SIW_FAULT_DDP_LOCAL;
	ddp = ulpdu[OFF_DDP_CTRL];
	rdmap = ulpdu[OFF_RDMAP_CTRL];
	tagged = ddp & SIW_DDP_F_TAGGED;
	if ((ddp & SIW_DDP_VERSION_MASK) != SIW_DDP_VERSION)
		return tagged ? SIW_FAULT_DDP_T_VERSION :
				SIW_FAULT_DDP_U_VERSION;
	if (n < (tagged ? SIW_DDP_TAGGED_LEN : SIW_DDP_UNTAGGED_LEN))
		return SIW_FAULT_DDP_LOCAL;
	if (rdmap >> SIW_RDMAP_VERSION_SHIFT != SIW_RDMAP_VERSION)
		return SIW_FAULT_RDMAP_VERSION;
	info = siw_rdmap_op_info(rdmap & SIW_RDMAP_OP_MASK);
	if (!op_supported(info, atomics) || info->tagged != tagged)
		return SIW_FAULT_RDMAP_OPCODE;
	return SIW_OK;
}

/**
 * siw_ddp_decode() - understand the DDP header and the RDMAP control octet
 * @seg: out, valid if the result is SIW_OK, else untouched
 * @ulpdu: first octets of the ULPDU
 * @avail: how many are at hand, at least the smaller of @ulpdu_len and 18
 * @ulpdu_len: octets of the whole ULPDU, 0..65535
 * @atomics: the messages of RFC 7306 atomics are supported
 *
 * RFC 5041 section 4, RFC 5040 section 4.1.  Reserved bits are ignored.
 *
 * Return: SIW_OK, or in this order SIW_FAULT_DDP_LOCAL (no control octets),
 * SIW_FAULT_DDP_T_VERSION or SIW_FAULT_DDP_U_VERSION, SIW_FAULT_DDP_LOCAL
 * (shorter than its header), SIW_FAULT_RDMAP_VERSION, SIW_FAULT_RDMAP_OPCODE.
 */
enum siw_fault siw_ddp_decode(struct siw_seg *seg, const u8 *ulpdu,
			      size_t avail, u16 ulpdu_len, bool atomics)
{
	size_t n = avail < ulpdu_len ? avail : ulpdu_len;
	enum siw_fault fault;

	fault = check_header(ulpdu, n, atomics);
	if (fault)
		return fault;

	*seg = (struct siw_seg) {
		.op = ulpdu[OFF_RDMAP_CTRL] & SIW_RDMAP_OP_MASK,
		.last = ulpdu[OFF_DDP_CTRL] & SIW_DDP_F_LAST,
		.tagged = ulpdu[OFF_DDP_CTRL] & SIW_DDP_F_TAGGED,
		.stag = get_unaligned_be32(ulpdu + SIW_DDP_OFF_STAG),
	};
	if (seg->tagged) {
		seg->hdr_len = SIW_DDP_TAGGED_LEN;
		seg->to = get_unaligned_be64(ulpdu + SIW_DDP_OFF_TO);
	} else {
		seg->hdr_len = SIW_DDP_UNTAGGED_LEN;
		seg->qn = get_unaligned_be32(ulpdu + SIW_DDP_OFF_QN);
		seg->msn = get_unaligned_be32(ulpdu + SIW_DDP_OFF_MSN);
		seg->mo = get_unaligned_be32(ulpdu + SIW_DDP_OFF_MO);
	}
	seg->len = ulpdu_len - seg->hdr_len;
	return SIW_OK;
}

/**
 * siw_ddp_encode() - build a DDP header
 * @ulpdu: room for 14 or 18 octets
 * @seg: what to say; its opcode is an assigned one, hdr_len and len are not
 *	 looked at, stag goes out untagged only with an invalidating opcode
 *
 * Return: octets written, 14 or 18.
 */
size_t siw_ddp_encode(u8 *ulpdu, const struct siw_seg *seg)
{
	ulpdu[OFF_DDP_CTRL] = SIW_DDP_VERSION |
			      (seg->tagged ? SIW_DDP_F_TAGGED : 0) |
			      (seg->last ? SIW_DDP_F_LAST : 0);
	ulpdu[OFF_RDMAP_CTRL] = SIW_RDMAP_VERSION << SIW_RDMAP_VERSION_SHIFT |
				seg->op;
	if (seg->tagged) {
		put_unaligned_be32(seg->stag, ulpdu + SIW_DDP_OFF_STAG);
		put_unaligned_be64(seg->to, ulpdu + SIW_DDP_OFF_TO);
		return SIW_DDP_TAGGED_LEN;
	}
	put_unaligned_be32(siw_rdmap_op_info(seg->op)->invalidate ?
			   seg->stag : 0, ulpdu + SIW_DDP_OFF_INV_STAG);
	put_unaligned_be32(seg->qn, ulpdu + SIW_DDP_OFF_QN);
	put_unaligned_be32(seg->msn, ulpdu + SIW_DDP_OFF_MSN);
	put_unaligned_be32(seg->mo, ulpdu + SIW_DDP_OFF_MO);
	return SIW_DDP_UNTAGGED_LEN;
}

/**
 * siw_ddp_rx_init() - a stream enters full operation
 * @rx: receive state; every untagged queue starts with MSN 1
 */
void siw_ddp_rx_init(struct siw_ddp_rx *rx)
{
	u32 qn;

	for (qn = 0; qn < SIW_QNS; qn++)
		rx->queue[qn] = (struct siw_ddp_queue) {
			.msn = 1,
			.op = SIW_DDP_NO_MSG,
		};
	rx->tagged_op = SIW_DDP_NO_MSG;
}

/*
 * Over an in-order stream only the next MSN is acceptable; what is wrong with
 * another one depends on whether a buffer would be there for it.
 */
static enum siw_fault check_msn(const struct siw_ddp_queue *q, u32 msn,
				u32 buffers)
{
	u32 busy = q->op != SIW_DDP_NO_MSG;
	u32 ahead = msn - q->msn;

	if (!ahead)
		return busy || buffers ? SIW_OK : SIW_FAULT_DDP_NO_BUFFER;
	if (ahead < 0x80000000u && ahead - busy >= buffers)
		return SIW_FAULT_DDP_NO_BUFFER;
	return SIW_FAULT_DDP_MSN;
}

/**
 * siw_ddp_rx_untagged() - is this the untagged segment that has to come now?
 * @rx: receive state, see siw_ddp_rx_advance()
 * @seg: decoded untagged segment
 * @buffers: buffers that its queue (if it has that number) could give to a new
 *	     message: receives posted, IRD entries free, 1 for a Terminate,
 *	     atomics outstanding.  The one of a message in progress is not
 *	     counted
 *
 * RFC 5041 sections 5.3, 5.4 and 7.1, RFC 5040 section 4.1.  Whether the
 * payload fits the buffer is siw_ddp_check_room(); what else a Terminate has to
 * be is siw_rdmap_term_ok().
 *
 * Return: SIW_OK, or in this order SIW_FAULT_DDP_QN, SIW_FAULT_RDMAP_OPCODE
 * (on another queue), SIW_FAULT_DDP_NO_BUFFER or SIW_FAULT_DDP_MSN,
 * SIW_FAULT_RDMAP_OPCODE (changed within the message), SIW_FAULT_DDP_MO.
 */
enum siw_fault siw_ddp_rx_untagged(const struct siw_ddp_rx *rx,
				   const struct siw_seg *seg, u32 buffers)
{
	const struct siw_ddp_queue *q;
	enum siw_fault fault;

	if (seg->qn >= SIW_QNS)
		return SIW_FAULT_DDP_QN;
	if (seg->qn != siw_rdmap_op_info(seg->op)->qn)
		return SIW_FAULT_RDMAP_OPCODE;
	q = &rx->queue[seg->qn];
	fault = check_msn(q, seg->msn, buffers);
	if (fault)
		return fault;
	if (q->op != SIW_DDP_NO_MSG && q->op != seg->op)
		return SIW_FAULT_RDMAP_OPCODE;
	if (q->mo != seg->mo && seg->op != SIW_RDMAP_TERMINATE)
		return SIW_FAULT_DDP_MO;
	return SIW_OK;
}

/**
 * siw_ddp_rx_tagged() - may this tagged segment come now?
 * @rx: receive state, see siw_ddp_rx_advance()
 * @seg: decoded tagged segment
 *
 * RFC 5041 section 5.3: tagged messages are not interleaved.
 *
 * Return: SIW_OK, or SIW_FAULT_RDMAP_OPCODE if a tagged message of another
 * kind has not been finished.
 */
enum siw_fault siw_ddp_rx_tagged(const struct siw_ddp_rx *rx,
				 const struct siw_seg *seg)
{
	if (rx->tagged_op != SIW_DDP_NO_MSG && rx->tagged_op != seg->op)
		return SIW_FAULT_RDMAP_OPCODE;
	return SIW_OK;
}

/**
 * siw_ddp_check_room() - does an untagged segment fit its buffer?
 * @mo: its Message Offset
 * @len: octets of its payload
 * @room: octets of the buffer
 *
 * RFC 5041 section 7.1.  @mo and @len come from the peer and their sum can
 * wrap, so compare by subtraction.
 *
 * Return: SIW_OK or SIW_FAULT_DDP_TOO_LONG.
 */
enum siw_fault siw_ddp_check_room(u32 mo, u32 len, u32 room)
{
	if (len > room || mo > room - len)
		return SIW_FAULT_DDP_TOO_LONG;
	return SIW_OK;
}

/**
 * siw_ddp_rx_advance() - a segment was taken
 * @rx: receive state
 * @seg: the segment, which passed siw_ddp_rx_tagged() or siw_ddp_rx_untagged()
 *	 and siw_ddp_check_room()
 */
void siw_ddp_rx_advance(struct siw_ddp_rx *rx, const struct siw_seg *seg)
{
	struct siw_ddp_queue *q;

	if (seg->tagged) {
		rx->tagged_op = seg->last ? SIW_DDP_NO_MSG : seg->op;
		return;
	}
	q = &rx->queue[seg->qn];
	if (seg->last) {
		q->msn++;
		q->mo = 0;
		q->op = SIW_DDP_NO_MSG;
	} else {
		q->mo += seg->len;
		q->op = seg->op;
	}
}
