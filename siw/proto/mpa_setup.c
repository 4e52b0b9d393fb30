// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * MPA start-up: Request and Reply frames of revision 1 and 2, and what the two
 * sides agree on (RFC 5044 section 7.1, RFC 6581).
 */
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/unaligned.h>

#include "fault.h"
#include "mpa_setup.h"
#include "wire.h"

static const char setup_key[][SIW_MPA_KEY_LEN + 1] = {
	[SIW_MPA_REQUEST] = "MPA ID Req Frame",
	[SIW_MPA_REPLY] = "MPA ID Rep Frame",
};

/* The four octets of RFC 6581 section 9, IRD word first */
static void decode_enhanced(struct siw_mpa_setup *frame, const u8 *p)
{
	u16 ird = get_unaligned_be16(p);
	u16 ord = get_unaligned_be16(p + 2);

	frame->ird = ird & SIW_MPA_DEPTH_MASK;
	frame->ord = ord & SIW_MPA_DEPTH_MASK;
	frame->p2p = ird & SIW_MPA_ENH_HI;
	frame->rtr = 0;
	if (!frame->p2p)
		return;		/* B, C and D are ignored */
	if (ird & SIW_MPA_ENH_LO)
		frame->rtr |= SIW_RTR_SEND;
	if (ord & SIW_MPA_ENH_HI)
		frame->rtr |= SIW_RTR_WRITE;
	if (ord & SIW_MPA_ENH_LO)
		frame->rtr |= SIW_RTR_READ;
}

static void encode_enhanced(u8 *p, const struct siw_mpa_setup *frame)
{
	u16 ird = frame->ird & SIW_MPA_DEPTH_MASK;
	u16 ord = frame->ord & SIW_MPA_DEPTH_MASK;

	if (frame->p2p) {
		ird |= SIW_MPA_ENH_HI;
		if (frame->rtr & SIW_RTR_SEND)
			ird |= SIW_MPA_ENH_LO;
		if (frame->rtr & SIW_RTR_WRITE)
			ord |= SIW_MPA_ENH_HI;
		if (frame->rtr & SIW_RTR_READ)
			ord |= SIW_MPA_ENH_LO;
	}
	put_unaligned_be16(ird, p);
	put_unaligned_be16(ord, p + 2);
}

/**
 * siw_mpa_setup_decode() - understand a start-up frame
 * @frame: out, valid if the verdict is %SIW_MPA_GOOD
 * @kind: which frame is due
 * @buf: all octets received so far
 * @len: how many
 * @need: out, octets the frame has in total as far as known: 20, then with its
 *	  private data.  %SIW_MPA_WAIT means @len has not reached it
 *
 * RFC 5044 section 7.1.1, RFC 6581 section 9.  A wrong key is found in the
 * first octet that differs, everything else but the private data once the
 * header of 20 octets is there.  The private data of the ULP starts
 * siw_mpa_setup_hdr_len() octets into @buf.
 *
 * Return: %SIW_MPA_GOOD, %SIW_MPA_WAIT or what is wrong; all the latter close
 * the connection.
 */
enum siw_mpa_verdict siw_mpa_setup_decode(struct siw_mpa_setup *frame,
					  enum siw_mpa_kind kind,
					  const u8 *buf, size_t len,
					  size_t *need)
{
	bool enhanced;
	u8 flags, rev;
	u16 pd_len;

	*need = SIW_MPA_HDR_LEN;
	if (memcmp(buf, setup_key[kind], min_t(size_t, len, SIW_MPA_KEY_LEN)))
		return SIW_MPA_BAD_KEY;
	if (len < SIW_MPA_HDR_LEN)
		return SIW_MPA_WAIT;

	flags = buf[SIW_MPA_OFF_FLAGS];
	rev = buf[SIW_MPA_OFF_REV];
	pd_len = get_unaligned_be16(buf + SIW_MPA_OFF_PD_LEN);
	enhanced = rev >= 2 && (flags & SIW_MPA_F_ENHANCED);
	if (pd_len > SIW_MPA_PD_MAX)
		return SIW_MPA_BAD_PD_LEN;
	if (rev != 1 && rev != 2)
		return SIW_MPA_BAD_REV;
	if (enhanced && pd_len < SIW_MPA_ENH_LEN)
		return SIW_MPA_BAD_ENHANCED;
	*need += pd_len;
	if (len < *need)
		return SIW_MPA_WAIT;
	if (len > *need)
		return SIW_MPA_BAD_TRAIL;

	*frame = (struct siw_mpa_setup) {
		.kind = kind,
		.rev = rev,
		.markers = flags & SIW_MPA_F_MARKERS,
		.crc = flags & SIW_MPA_F_CRC,
		.reject = kind == SIW_MPA_REPLY && (flags & SIW_MPA_F_REJECT),
		.enhanced = enhanced,
		.pd_len = pd_len - (enhanced ? SIW_MPA_ENH_LEN : 0),
	};
	if (enhanced)
		decode_enhanced(frame, buf + SIW_MPA_HDR_LEN);
	return SIW_MPA_GOOD;
}

/**
 * siw_mpa_setup_encode() - build a start-up frame up to its private data
 * @buf: room for siw_mpa_setup_hdr_len() octets
 * @frame: what to say; @frame->pd_len is at most siw_mpa_setup_pd_max()
 *
 * Return: octets written, 20 or 24; the ULP private data goes behind them.
 */
size_t siw_mpa_setup_encode(u8 *buf, const struct siw_mpa_setup *frame)
{
	u16 pd_len = frame->pd_len;
	u8 flags = 0;

	if (frame->markers)
		flags |= SIW_MPA_F_MARKERS;
	if (frame->crc)
		flags |= SIW_MPA_F_CRC;
	if (frame->reject && frame->kind == SIW_MPA_REPLY)
		flags |= SIW_MPA_F_REJECT;
	if (frame->enhanced) {
		flags |= SIW_MPA_F_ENHANCED;
		pd_len += SIW_MPA_ENH_LEN;
		encode_enhanced(buf + SIW_MPA_HDR_LEN, frame);
	}
	memcpy(buf, setup_key[frame->kind], SIW_MPA_KEY_LEN);
	buf[SIW_MPA_OFF_FLAGS] = flags;
	buf[SIW_MPA_OFF_REV] = frame->rev;
	put_unaligned_be16(pd_len, buf + SIW_MPA_OFF_PD_LEN);
	return siw_mpa_setup_hdr_len(frame);
}

/* Depth to answer with; "not negotiated" is answered in kind */
static u16 answer_depth(u16 asked, u16 limit)
{
	if (asked == SIW_MPA_DEPTH_AUTO)
		return SIW_MPA_DEPTH_AUTO;
	return min(asked, limit);
}

/**
 * siw_mpa_setup_reply() - prepare the accepting Reply to a Request
 * @reply: out; the caller adds @reply->pd_len, or sets @reply->reject
 * @req: the Request
 * @crc: we want CRC
 * @rtr: SIW_RTR_* kinds we take as ready-to-receive message
 * @ird_max: inbound requests we can take, below 0x3fff
 * @ord_max: outbound requests we may issue, below 0x3fff
 *
 * RFC 6581 section 9.1.  The Reply has the Request's revision and form.  Its
 * depths are the ones to set locally; %SIW_MPA_DEPTH_AUTO stands for "leave
 * the local depth as it is".  A Read as ready-to-receive message needs an IRD
 * of one, whatever the Request's ORD says.
 */
void siw_mpa_setup_reply(struct siw_mpa_setup *reply,
			 const struct siw_mpa_setup *req, bool crc, u8 rtr,
			 u16 ird_max, u16 ord_max)
{
	*reply = (struct siw_mpa_setup) {
		.kind = SIW_MPA_REPLY,
		.rev = req->rev,
		.crc = crc || req->crc,
		.enhanced = req->enhanced,
	};
	if (!req->enhanced)
		return;
	reply->p2p = req->p2p;
	reply->rtr = req->p2p ? rtr : 0;
	reply->ird = answer_depth(req->ord, ird_max);
	reply->ord = answer_depth(req->ird, ord_max);
	if (reply->rtr & req->rtr & SIW_RTR_READ && ird_max)
		reply->ird = max_t(u16, reply->ird, 1);
}

/* The ready-to-receive message to send: the cheapest kind first */
static u8 choose_rtr(u8 common)
{
	if (common & SIW_RTR_WRITE)
		return SIW_RTR_WRITE;
	if (common & SIW_RTR_READ)
		return SIW_RTR_READ;
	return common & SIW_RTR_SEND;
}

/**
 * siw_mpa_setup_conclude() - what the initiator makes of an accepting Reply
 * @req: the Request it sent
 * @reply: the Reply it got, @reply->reject clear
 * @ird: in and out, inbound depth of the initiator
 * @ord: in and out, outbound depth
 * @rtr: out, the one SIW_RTR_* bit to send, 0 if none
 *
 * RFC 6581 sections 9.1 and 9.2.  A depth that is not negotiated stays what
 * the Request said, possibly %SIW_MPA_DEPTH_AUTO: the local depth then stays.
 * If Request or Reply is not enhanced, there is nothing to agree on.
 *
 * Return: SIW_OK, SIW_FAULT_MPA_IRD if the responder would issue more requests
 * than we take, SIW_FAULT_MPA_RTR if no kind of RTR message is common.
 */
enum siw_fault siw_mpa_setup_conclude(const struct siw_mpa_setup *req,
				      const struct siw_mpa_setup *reply,
				      u16 *ird, u16 *ord, u8 *rtr)
{
	*ird = req->ird;
	*ord = req->ord;
	*rtr = 0;
	if (!req->enhanced || !reply->enhanced)
		return SIW_OK;
	if (req->ord != SIW_MPA_DEPTH_AUTO)
		*ord = min(req->ord, reply->ird);
	if (req->ird != SIW_MPA_DEPTH_AUTO &&
	    reply->ord != SIW_MPA_DEPTH_AUTO && reply->ord > req->ird)
		return SIW_FAULT_MPA_IRD;
	if (!req->p2p)
		return SIW_OK;
	*rtr = choose_rtr(req->rtr & reply->rtr);
	return *rtr ? SIW_OK : SIW_FAULT_MPA_RTR;
}
