// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * RDMAP messages: opcode properties, request and response headers, and the
 * checks a message has to pass (RFC 5040 sections 4 and 5, RFC 7306).
 */
#include <linux/types.h>
#include <linux/unaligned.h>

#include "ddp.h"
#include "fault.h"
#include "rdmap.h"
#include "wire.h"

const struct siw_rdmap_op_info siw_rdmap_ops[SIW_RDMAP_OPS] = {
	[SIW_RDMAP_WRITE] = {
		.name = "RDMA Write",
		.tagged = true,
	},
	[SIW_RDMAP_READ_REQ] = {
		.name = "RDMA Read Request",
		.qn = SIW_QN_READ,
	},
	[SIW_RDMAP_READ_RSP] = {
		.name = "RDMA Read Response",
		.tagged = true,
	},
	[SIW_RDMAP_SEND] = {
		.name = "Send",
		.qn = SIW_QN_SEND,
		.send = true,
	},
	[SIW_RDMAP_SEND_INV] = {
		.name = "Send with Invalidate",
		.qn = SIW_QN_SEND,
		.invalidate = true,
		.send = true,
	},
	[SIW_RDMAP_SEND_SE] = {
		.name = "Send with SE",
		.qn = SIW_QN_SEND,
		.solicited = true,
		.send = true,
	},
	[SIW_RDMAP_SEND_SE_INV] = {
		.name = "Send with SE and Invalidate",
		.qn = SIW_QN_SEND,
		.solicited = true,
		.invalidate = true,
		.send = true,
	},
	[SIW_RDMAP_TERMINATE] = {
		.name = "Terminate",
		.qn = SIW_QN_TERM,
	},
	[SIW_RDMAP_IMM] = {
		.name = "Immediate Data",
		.qn = SIW_QN_SEND,
		.send = true,
	},
	[SIW_RDMAP_IMM_SE] = {
		.name = "Immediate Data with SE",
		.qn = SIW_QN_SEND,
		.solicited = true,
		.send = true,
	},
	[SIW_RDMAP_ATOMIC_REQ] = {
		.name = "Atomic Request",
		.qn = SIW_QN_READ,
		.atomic_ext = true,
	},
	[SIW_RDMAP_ATOMIC_RSP] = {
		.name = "Atomic Response",
		.qn = SIW_QN_ATOMIC_RSP,
		.atomic_ext = true,
	},
};

/* RDMA Read Request header, RFC 5040 section 4.4 */
#define READ_OFF_SINK_STAG	0
#define READ_OFF_SINK_TO	4
#define READ_OFF_LEN		12
#define READ_OFF_SRC_STAG	16
#define READ_OFF_SRC_TO		20

/**
 * siw_read_req_encode() - build the RDMAP header of a Read Request
 * @hdr: room for %SIW_READ_REQ_LEN octets
 * @req: what to say
 *
 * RFC 5040 section 4.4.
 */
void siw_read_req_encode(u8 *hdr, const struct siw_read_req *req)
{
	put_unaligned_be32(req->sink_stag, hdr + READ_OFF_SINK_STAG);
	put_unaligned_be64(req->sink_to, hdr + READ_OFF_SINK_TO);
	put_unaligned_be32(req->len, hdr + READ_OFF_LEN);
	put_unaligned_be32(req->src_stag, hdr + READ_OFF_SRC_STAG);
	put_unaligned_be64(req->src_to, hdr + READ_OFF_SRC_TO);
}

/**
 * siw_read_req_decode() - read the RDMAP header of a Read Request
 * @req: out
 * @hdr: %SIW_READ_REQ_LEN octets, see siw_rdmap_check_request()
 *
 * RFC 5040 section 4.4.
 */
void siw_read_req_decode(struct siw_read_req *req, const u8 *hdr)
{
	req->sink_stag = get_unaligned_be32(hdr + READ_OFF_SINK_STAG);
	req->sink_to = get_unaligned_be64(hdr + READ_OFF_SINK_TO);
	req->len = get_unaligned_be32(hdr + READ_OFF_LEN);
	req->src_stag = get_unaligned_be32(hdr + READ_OFF_SRC_STAG);
	req->src_to = get_unaligned_be64(hdr + READ_OFF_SRC_TO);
}

/**
 * siw_rdmap_check_read_rsp() - is this what the oldest Read waits for?
 * @sink: the oldest outstanding Read, NULL if there is none
 * @seg: decoded segment of a Read Response
 *
 * RFC 5040 section 5.2: the response goes to the STag and TO of the request,
 * without a gap, and has its length.  STag and TO of a response to a Read of
 * no octets are not looked at.  The caller adds @seg->len to @sink->done.
 *
 * Return: SIW_OK, SIW_FAULT_RDMAP_OPCODE if there is no such Read,
 * SIW_FAULT_DDP_STAG or SIW_FAULT_DDP_BOUNDS.
 */
enum siw_fault siw_rdmap_check_read_rsp(const struct siw_read_sink *sink,
					const struct siw_seg *seg)
{
	u32 rest;

	if (!sink)
		return SIW_FAULT_RDMAP_OPCODE;
	if (!sink->len && !seg->len)
		return SIW_OK;
	rest = sink->len - sink->done;
	if (seg->stag != sink->stag)
		return SIW_FAULT_DDP_STAG;
	if (seg->to != sink->to + sink->done || seg->len > rest)
		return SIW_FAULT_DDP_BOUNDS;
	if (seg->last && seg->len != rest)
		return SIW_FAULT_DDP_BOUNDS;
	return SIW_OK;
}

/**
 * siw_rdmap_check_request() - has a request its one legal form?
 * @seg: decoded segment of a Read Request or Atomic Request, which passed
 *	 siw_ddp_rx_untagged()
 *
 * RFC 5040 section 4.4, RFC 7306 section 5.2: one segment, exactly its header.
 *
 * Return: SIW_OK, SIW_FAULT_DDP_MO if more segments would follow,
 * SIW_FAULT_DDP_TOO_LONG or SIW_FAULT_RDMAP_UNSPECIFIED (too short).
 */
enum siw_fault siw_rdmap_check_request(const struct siw_seg *seg)
{
	u32 want = seg->op == SIW_RDMAP_READ_REQ ? SIW_READ_REQ_LEN :
						   SIW_ATOMIC_REQ_LEN;

	if (!seg->last)
		return SIW_FAULT_DDP_MO;
	if (seg->len > want)
		return SIW_FAULT_DDP_TOO_LONG;
	if (seg->len < want)
		return SIW_FAULT_RDMAP_UNSPECIFIED;
	return SIW_OK;
}

/**
 * siw_rdmap_term_ok() - is this a well-formed Terminate Message?
 * @seg: decoded segment with the Terminate opcode
 *
 * RFC 5040 section 4.8: queue 2, MSN 1, one segment.  One that is not well
 * formed ends the stream as well, but is never answered with a Terminate.
 *
 * Return: true if its body is worth a look.
 */
bool siw_rdmap_term_ok(const struct siw_seg *seg)
{
	return seg->qn == SIW_QN_TERM && seg->msn == 1 && !seg->mo && seg->last;
}
