/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * MPA start-up: Request and Reply frames of revision 1 and 2, and what the two
 * sides agree on (RFC 5044 section 7.1, RFC 6581).
 */
#ifndef SIW_PROTO_MPA_SETUP_H
#define SIW_PROTO_MPA_SETUP_H

#include <linux/types.h>
#include "fault.h"

enum siw_mpa_kind {
	SIW_MPA_REQUEST,
	SIW_MPA_REPLY,
};

/* Ready-to-receive messages, RFC 6581 section 9 */
#define SIW_RTR_SEND	0x1	/* flag B */
#define SIW_RTR_WRITE	0x2	/* control flag C */
#define SIW_RTR_READ	0x4	/* control flag D */

/**
 * struct siw_mpa_setup - a start-up frame without its private data
 * @kind: Request or Reply
 * @rev: MPA revision, 1 or 2
 * @markers: M: whoever reads this frame must send Markers to its sender
 * @crc: C: CRC is to be used in both directions
 * @reject: R: the Reply refuses the connection
 * @enhanced: S in revision 2: @p2p to @ord are valid and go over the wire
 * @p2p: A: peer-to-peer, the initiator sends a ready-to-receive message
 * @rtr: SIW_RTR_* bits, 0 unless @p2p
 * @ird: requests the sender of this frame takes, 0..0x3fff
 * @ord: requests the sender of this frame issues, 0..0x3fff
 * @pd_len: octets of ULP private data behind the (enhanced) header
 */
struct siw_mpa_setup {
	enum siw_mpa_kind kind;
	u8 rev;
	bool markers;
	bool crc;
	bool reject;
	bool enhanced;
	bool p2p;
	u8 rtr;
	u16 ird;
	u16 ord;
	u16 pd_len;
};

enum siw_mpa_verdict {
	SIW_MPA_GOOD,
	SIW_MPA_WAIT,		/* more octets have to come */
	SIW_MPA_BAD_KEY,
	SIW_MPA_BAD_REV,
	SIW_MPA_BAD_PD_LEN,	/* above 512 */
	SIW_MPA_BAD_TRAIL,	/* octets behind the frame */
	SIW_MPA_BAD_ENHANCED,	/* S set, private data shorter than 4 */
};

enum siw_mpa_verdict siw_mpa_setup_decode(struct siw_mpa_setup *frame,
					  enum siw_mpa_kind kind,
					  const u8 *buf, size_t len,
					  size_t *need);
size_t siw_mpa_setup_encode(u8 *buf, const struct siw_mpa_setup *frame);

/* Octets of header in front of the ULP private data: 20 or 24 */
static inline size_t siw_mpa_setup_hdr_len(const struct siw_mpa_setup *frame)
{
	return SIW_MPA_HDR_LEN + (frame->enhanced ? SIW_MPA_ENH_LEN : 0);
}

/* Most ULP private data a frame of this form can carry: 512 or 508 */
static inline size_t siw_mpa_setup_pd_max(const struct siw_mpa_setup *frame)
{
	return SIW_MPA_PD_MAX - (frame->enhanced ? SIW_MPA_ENH_LEN : 0);
}

void siw_mpa_setup_reply(struct siw_mpa_setup *reply,
			 const struct siw_mpa_setup *req, bool crc, u8 rtr,
			 u16 ird_max, u16 ord_max);
enum siw_fault siw_mpa_setup_conclude(const struct siw_mpa_setup *req,
				      const struct siw_mpa_setup *reply,
				      u16 *ird, u16 *ord, u8 *rtr);

#endif
