// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Faults: why a stream must end, and the Terminate Message that says so
 * (RFC 5040 sections 4.8 and 7.1, RFC 5041 section 7, RFC 5044 section 8,
 * RFC 6581 section 10).
 */
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/unaligned.h>

#include "ddp.h"
#include "fault.h"
#include "wire.h"

/* Error types of RDMAP and DDP: RFC 5040 section 4.8, RFC 5041 section 7.2 */
#define ETYPE_LOCAL		0
#define ETYPE_RDMAP_PROTECTION	1
#define ETYPE_RDMAP_OPERATION	2
#define ETYPE_DDP_TAGGED	1
#define ETYPE_DDP_UNTAGGED	2
#define ETYPE_MPA		0
#define ETYPE_MPA_OLD		3	/* what some adapters send instead */

#define CODE_UNSPECIFIED	0xff

struct fault_info {
	const char *name;
	u8 layer;
	u8 etype;
	u8 code;
};

#define RDMAP_LOC(c, n)	 { n, SIW_LAYER_RDMAP, ETYPE_LOCAL, c }
#define RDMAP_PROT(c, n) { n, SIW_LAYER_RDMAP, ETYPE_RDMAP_PROTECTION, c }
#define RDMAP_OPER(c, n) { n, SIW_LAYER_RDMAP, ETYPE_RDMAP_OPERATION, c }
#define DDP_LOC(c, n)	 { n, SIW_LAYER_DDP, ETYPE_LOCAL, c }
#define DDP_TAG(c, n)	 { n, SIW_LAYER_DDP, ETYPE_DDP_TAGGED, c }
#define DDP_UNTAG(c, n)	 { n, SIW_LAYER_DDP, ETYPE_DDP_UNTAGGED, c }
#define MPA_ERR(c, n)	 { n, SIW_LAYER_MPA, ETYPE_MPA, c }

static const struct fault_info faults[SIW_FAULTS] = {
	[SIW_OK] = { .name = "no fault", .layer = 0, .etype = 0, .code = 0 },
	[SIW_FAULT_RDMAP_LOCAL] = RDMAP_LOC(0x00, "local catastrophic error"),
	[SIW_FAULT_RDMAP_STAG] = RDMAP_PROT(0x00, "invalid STag"),
	[SIW_FAULT_RDMAP_BOUNDS] = RDMAP_PROT(0x01, "base or bounds violation"),
	[SIW_FAULT_RDMAP_ACCESS] = RDMAP_PROT(0x02, "access rights violation"),
	[SIW_FAULT_RDMAP_PD] = RDMAP_PROT(0x03, "STag of another stream"),
	[SIW_FAULT_RDMAP_WRAP] = RDMAP_PROT(0x04, "Tagged Offset wraps"),
	[SIW_FAULT_RDMAP_INVALIDATE] =
		RDMAP_PROT(0x09, "STag cannot be invalidated"),
	[SIW_FAULT_RDMAP_VERSION] = RDMAP_OPER(0x05, "invalid RDMAP version"),
	[SIW_FAULT_RDMAP_OPCODE] = RDMAP_OPER(0x06, "unexpected opcode"),
	[SIW_FAULT_RDMAP_STREAM] =
		RDMAP_OPER(0x07, "catastrophic error of this stream"),
	[SIW_FAULT_RDMAP_UNSPECIFIED] =
		RDMAP_OPER(CODE_UNSPECIFIED, "unspecified RDMAP error"),
	[SIW_FAULT_DDP_LOCAL] = DDP_LOC(0x00, "DDP local catastrophic error"),
	[SIW_FAULT_DDP_STAG] = DDP_TAG(0x00, "tagged: invalid STag"),
	[SIW_FAULT_DDP_BOUNDS] =
		DDP_TAG(0x01, "tagged: base or bounds violation"),
	[SIW_FAULT_DDP_PD] = DDP_TAG(0x02, "tagged: STag of another stream"),
	[SIW_FAULT_DDP_WRAP] = DDP_TAG(0x03, "tagged: Tagged Offset wraps"),
	[SIW_FAULT_DDP_T_VERSION] =
		DDP_TAG(0x04, "tagged: invalid DDP version"),
	[SIW_FAULT_DDP_QN] = DDP_UNTAG(0x01, "untagged: invalid queue number"),
	[SIW_FAULT_DDP_NO_BUFFER] =
		DDP_UNTAG(0x02, "untagged: no buffer available"),
	[SIW_FAULT_DDP_MSN] = DDP_UNTAG(0x03, "untagged: MSN out of range"),
	[SIW_FAULT_DDP_MO] = DDP_UNTAG(0x04, "untagged: invalid offset"),
	[SIW_FAULT_DDP_TOO_LONG] =
		DDP_UNTAG(0x05, "untagged: message too long for buffer"),
	[SIW_FAULT_DDP_U_VERSION] =
		DDP_UNTAG(0x06, "untagged: invalid DDP version"),
	[SIW_FAULT_MPA_LOST] = MPA_ERR(0x01, "TCP connection lost"),
	[SIW_FAULT_MPA_CRC] = MPA_ERR(0x02, "CRC error"),
	[SIW_FAULT_MPA_MARKER] =
		MPA_ERR(0x03, "Marker and ULPDU length disagree"),
	[SIW_FAULT_MPA_FRAME] = MPA_ERR(0x04, "invalid MPA start-up frame"),
	[SIW_FAULT_MPA_LOCAL] =
		MPA_ERR(0x05, "local catastrophic error at start-up"),
	[SIW_FAULT_MPA_IRD] = MPA_ERR(0x06, "insufficient IRD resources"),
	[SIW_FAULT_MPA_RTR] = MPA_ERR(0x07, "no matching RTR option"),
};

/* Codes we do not send and what they amount to */
#define ALIASES		2
static const struct {
	struct fault_info info;
	enum siw_fault fault;
} aliases[ALIASES] = {
	{ RDMAP_OPER(0x08, "global"), SIW_FAULT_RDMAP_STREAM },
	{ RDMAP_OPER(0x09, "invalidate"), SIW_FAULT_RDMAP_INVALIDATE },
};

/**
 * siw_fault_name() - a fault in words
 * @fault: any fault
 *
 * Return: a phrase without an end of line, never NULL.
 */
const char *siw_fault_name(enum siw_fault fault)
{
	if (fault >= SIW_FAULTS)
		fault = SIW_FAULT_RDMAP_UNSPECIFIED;
	return faults[fault].name;
}

/* Octets of the DDP header at @ulpdu; its first octet is there */
static u8 ddp_hdr_len(const u8 *ulpdu)
{
	return *ulpdu & SIW_DDP_F_TAGGED ? SIW_DDP_TAGGED_LEN :
					   SIW_DDP_UNTAGGED_LEN;
}

static bool is_read_req(const u8 *ulpdu)
{
	return (ulpdu[1] & SIW_RDMAP_OP_MASK) == SIW_RDMAP_READ_REQ;
}

/**
 * siw_term_fill() - what the Terminate for a fault has to say
 * @term: out
 * @fault: what was found, not SIW_OK
 * @ulpdu: the offending ULPDU, NULL if the fault belongs to none
 * @avail: octets of it at hand; up to 46 are used
 * @ulpdu_len: octets it has in total
 *
 * RFC 5040 section 4.8: errors of MPA and local catastrophic ones carry no
 * header, the others the DDP header, and a Read Request refused for protection
 * its RDMAP header as well.
 */
void siw_term_fill(struct siw_term *term, enum siw_fault fault,
		   const u8 *ulpdu, size_t avail, u16 ulpdu_len)
{
	const struct fault_info *info = &faults[fault];
	size_t n = min_t(size_t, avail, ulpdu_len);

	*term = (struct siw_term) {
		.layer = info->layer,
		.etype = info->etype,
		.code = info->code,
	};
	if (info->layer == SIW_LAYER_MPA || info->etype == ETYPE_LOCAL)
		return;
	if (!ulpdu || !n || n < ddp_hdr_len(ulpdu))
		return;
	term->m = true;
	term->seg_len = ulpdu_len;
	term->hdr_len = ddp_hdr_len(ulpdu);
	memcpy(term->hdr, ulpdu, term->hdr_len);

	if (info->layer != SIW_LAYER_RDMAP ||
	    info->etype != ETYPE_RDMAP_PROTECTION || !is_read_req(ulpdu) ||
	    n < (size_t)term->hdr_len + SIW_READ_REQ_LEN)
		return;
	term->read_len = SIW_READ_REQ_LEN;
	memcpy(term->read, ulpdu + term->hdr_len, SIW_READ_REQ_LEN);
}

/**
 * siw_term_encode() - build a Terminate Message
 * @ulpdu: room for %SIW_TERM_ULPDU_MAX octets
 * @term: what to say
 *
 * RFC 5040 section 4.8: queue 2, MSN 1, one segment.
 *
 * Return: octets of the ULPDU, DDP header included.
 */
size_t siw_term_encode(u8 *ulpdu, const struct siw_term *term)
{
	static const struct siw_seg seg = {
		.op = SIW_RDMAP_TERMINATE,
		.last = true,
		.qn = SIW_QN_TERM,
		.msn = 1,
	};
	u8 *p = ulpdu + siw_ddp_encode(ulpdu, &seg);

	*p++ = term->layer << 4 | term->etype;
	*p++ = term->code;
	*p++ = (term->m ? SIW_TERM_F_M : 0) |
	       (term->hdr_len ? SIW_TERM_F_D : 0) |
	       (term->read_len ? SIW_TERM_F_R : 0);
	*p++ = 0;
	if (term->m || term->hdr_len) {
		put_unaligned_be16(term->seg_len, p);
		p += SIW_TERM_SEG_LEN_LEN;
	}
	memcpy(p, term->hdr, term->hdr_len);
	p += term->hdr_len;
	memcpy(p, term->read, term->read_len);
	p += term->read_len;
	return p - ulpdu;
}

/* The headers a Terminate returns, as far as they are there in full */
static void decode_headers(struct siw_term *term, u8 flags, const u8 *p,
			   size_t len)
{
	u8 n;

	if (len < SIW_TERM_SEG_LEN_LEN)
		return;
	term->m = flags & SIW_TERM_F_M;
	if (term->m)
		term->seg_len = get_unaligned_be16(p);
	p += SIW_TERM_SEG_LEN_LEN;
	len -= SIW_TERM_SEG_LEN_LEN;

	if (!(flags & SIW_TERM_F_D) || !len || len < ddp_hdr_len(p))
		return;
	n = ddp_hdr_len(p);
	term->hdr_len = n;
	memcpy(term->hdr, p, n);
	p += n;
	len -= n;

	if (!(flags & SIW_TERM_F_R) || len < SIW_READ_REQ_LEN)
		return;
	term->read_len = SIW_READ_REQ_LEN;
	memcpy(term->read, p, SIW_READ_REQ_LEN);
}

/**
 * siw_term_decode() - understand a received Terminate Message
 * @term: out
 * @body: octets behind its DDP header
 * @len: how many, any number
 *
 * RFC 5040 section 4.8.  One without layer and code counts as 0/2/ff; a header
 * that is announced but not there in full is left out.
 */
void siw_term_decode(struct siw_term *term, const u8 *body, size_t len)
{
	*term = (struct siw_term) {
		.layer = SIW_LAYER_RDMAP,
		.etype = ETYPE_RDMAP_OPERATION,
		.code = CODE_UNSPECIFIED,
	};
	if (len < 2)
		return;
	term->layer = body[0] >> 4;
	term->etype = body[0] & 0xf;
	term->code = body[1];
	if (len > SIW_TERM_CTRL_LEN)
		decode_headers(term, body[2], body + SIW_TERM_CTRL_LEN,
			       len - SIW_TERM_CTRL_LEN);
}

static bool is_code(const struct fault_info *info, u8 layer, u8 etype, u8 code)
{
	return info->layer == layer && info->etype == etype &&
	       info->code == code;
}

/**
 * siw_term_fault() - the fault a received Terminate names
 * @term: decoded Terminate
 *
 * Any code of a local catastrophic error is taken for the one we know, error
 * type 3 of MPA, which older adapters send, for type 0, and 0/2/09 for 0/1/09:
 * RFC 5040 has both.
 *
 * Return: the fault, SIW_FAULT_RDMAP_UNSPECIFIED for an unknown code; never
 * SIW_OK.
 */
enum siw_fault siw_term_fault(const struct siw_term *term)
{
	u8 etype = term->etype;
	u8 code = term->code;
	u32 i;

	if (term->layer == SIW_LAYER_MPA && etype == ETYPE_MPA_OLD)
		etype = ETYPE_MPA;
	if (term->layer != SIW_LAYER_MPA && etype == ETYPE_LOCAL)
		code = 0;
	for (i = SIW_OK + 1; i < SIW_FAULTS; i++)
		if (is_code(&faults[i], term->layer, etype, code))
			return i;
	for (i = 0; i < ALIASES; i++)
		if (is_code(&aliases[i].info, term->layer, etype, code))
			return aliases[i].fault;
	return SIW_FAULT_RDMAP_UNSPECIFIED;
}
