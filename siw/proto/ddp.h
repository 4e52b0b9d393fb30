/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * DDP segments: headers, and the order of untagged and tagged messages
 * (RFC 5041), with the RDMAP control octet that DDP carries for RDMAP.
 */
#ifndef SIW_PROTO_DDP_H
#define SIW_PROTO_DDP_H

#include <linux/string.h>
#include <linux/types.h>
#include <linux/unaligned.h>

#include "fault.h"
#include "wire.h"

/**
 * struct siw_seg - one DDP segment, its header decoded and found legal
 * @op: enum siw_rdmap_op
 * @last: the L bit
 * @tagged: the T bit; says which of the members below are valid
 * @hdr_len: octets of DDP header, 14 or 18
 * @len: octets behind the DDP header (payload or RDMAP header)
 * @stag: STag, or the Invalidate STag of an untagged segment
 * @to: Tagged Offset
 * @qn: queue number, enum siw_qn
 * @msn: message sequence number
 * @mo: message offset
 */
struct siw_seg {
	u8 op;
	bool last;
	bool tagged;
	u8 hdr_len;
	u32 len;
	u32 stag;
	u64 to;
	u32 qn;
	u32 msn;
	u32 mo;
};

enum siw_fault siw_ddp_decode(struct siw_seg *seg, const u8 *ulpdu,
			      size_t avail, u16 ulpdu_len, bool atomics);
size_t siw_ddp_encode(u8 *ulpdu, const struct siw_seg *seg);

/**
 * siw_ddp_encode_next() - adjust the header of another segment of a message
 * @ulpdu: header that siw_ddp_encode() made for a segment that was not the last
 * @seg: what it has to say; differs from the other in @last, and @to or @mo
 */
static inline void siw_ddp_encode_next(u8 *ulpdu, const struct siw_seg *seg)
{
	if (seg->last)
		ulpdu[0] |= SIW_DDP_F_LAST;
	if (seg->tagged)
		put_unaligned_be64(seg->to, ulpdu + SIW_DDP_OFF_TO);
	else
		put_unaligned_be32(seg->mo, ulpdu + SIW_DDP_OFF_MO);
}

/**
 * siw_ddp_follow() - is it plainly another segment of the same message?
 * @seg: a segment that was not the last one of its message; becomes the one
 *	 that is found, or stays as it is
 * @hdr: the header of @seg as siw_ddp_encode() makes it
 * @ulpdu: @seg->hdr_len octets or more
 * @ulpdu_len: octets of the whole ULPDU, 0..65535
 *
 * Its header has to be @hdr but for the offset, and there has to be payload; so
 * it is not the last segment either.  What is not that plain, the last segment
 * for one, is a matter for siw_ddp_decode().
 *
 * Return: true if it is; where its octets go was not looked at.
 */
static inline bool siw_ddp_follow(struct siw_seg *seg, const u8 *hdr,
				  const u8 *ulpdu, u16 ulpdu_len)
{
	if (ulpdu_len <= seg->hdr_len)
		return false;
	if (seg->tagged) {
		if (memcmp(ulpdu, hdr, SIW_DDP_OFF_TO))
			return false;
		seg->to = get_unaligned_be64(ulpdu + SIW_DDP_OFF_TO);
	} else {
		if (memcmp(ulpdu, hdr, SIW_DDP_OFF_MO))
			return false;
		seg->mo = get_unaligned_be32(ulpdu + SIW_DDP_OFF_MO);
	}
	seg->len = ulpdu_len - seg->hdr_len;
	return true;
}

/* No message of this queue or kind is in progress */
#define SIW_DDP_NO_MSG		0xff

/**
 * struct siw_ddp_queue - receive state of one untagged queue
 * @msn: the next message's (or the current one's) sequence number
 * @mo: octets of the current message that have come
 * @op: opcode of the message in progress, or SIW_DDP_NO_MSG
 */
struct siw_ddp_queue {
	u32 msn;
	u32 mo;
	u8 op;
};

/**
 * struct siw_ddp_rx - receive state of one DDP stream
 * @queue: untagged queues by number
 * @tagged_op: opcode of the tagged message in progress, or SIW_DDP_NO_MSG
 */
struct siw_ddp_rx {
	struct siw_ddp_queue queue[SIW_QNS];
	u8 tagged_op;
};

void siw_ddp_rx_init(struct siw_ddp_rx *rx);
enum siw_fault siw_ddp_rx_untagged(const struct siw_ddp_rx *rx,
				   const struct siw_seg *seg, u32 buffers);
enum siw_fault siw_ddp_rx_tagged(const struct siw_ddp_rx *rx,
				 const struct siw_seg *seg);
enum siw_fault siw_ddp_check_room(u32 mo, u32 len, u32 room);
void siw_ddp_rx_advance(struct siw_ddp_rx *rx, const struct siw_seg *seg);

#endif
