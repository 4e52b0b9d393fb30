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

static const struct siw_rdmap_op_info op_infos[SIW_RDMAP_OPS] = {
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

/**
 * siw_rdmap_op_info() - what an opcode looks like on the wire
 * @op: opcode as received, any value
 *
 * RFC 5040 section 4.1, RFC 7306 section 4.
 *
 * Return: its properties, or NULL if the opcode is not assigned.
 */
const struct siw_rdmap_op_info *siw_rdmap_op_info(u8 op)
{
	return op < SIW_RDMAP_OPS ? &op_infos[op] : NULL;
}

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
 * siw_rdmap_check_imm() - has an Immediate Data message its one legal form?
 * @seg: decoded segment, which passed siw_ddp_rx_untagged()
 *
 * RFC 7306 section 6.3: one segment of eight octets.
 *
 * Return: SIW_OK or SIW_FAULT_RDMAP_UNSPECIFIED.
 */
enum siw_fault siw_rdmap_check_imm(const struct siw_seg *seg)
{
	if (seg->len != SIW_IMM_LEN || !seg->last)
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

/* Atomic Request header, RFC 7306 section 5.2.1 */
#define AREQ_OFF_AOP		0
#define AREQ_OFF_ID		4
#define AREQ_OFF_STAG		8
#define AREQ_OFF_TO		12
#define AREQ_OFF_DATA		20
#define AREQ_OFF_DATA_MASK	28
#define AREQ_OFF_CMP		36
#define AREQ_OFF_CMP_MASK	44
#define AREQ_AOP_MASK		0xf

/**
 * siw_atomic_req_encode() - build the RDMAP header of an Atomic Request
 * @hdr: room for %SIW_ATOMIC_REQ_LEN octets
 * @req: what to say; a FetchAdd has cmp 0 and cmp_mask all ones
 *
 * RFC 7306 section 5.2.1.
 */
void siw_atomic_req_encode(u8 *hdr, const struct siw_atomic_req *req)
{
	put_unaligned_be32(req->aop, hdr + AREQ_OFF_AOP);
	put_unaligned_be32(req->id, hdr + AREQ_OFF_ID);
	put_unaligned_be32(req->stag, hdr + AREQ_OFF_STAG);
	put_unaligned_be64(req->to, hdr + AREQ_OFF_TO);
	put_unaligned_be64(req->data, hdr + AREQ_OFF_DATA);
	put_unaligned_be64(req->data_mask, hdr + AREQ_OFF_DATA_MASK);
	put_unaligned_be64(req->cmp, hdr + AREQ_OFF_CMP);
	put_unaligned_be64(req->cmp_mask, hdr + AREQ_OFF_CMP_MASK);
}

/**
 * siw_atomic_req_decode() - read the RDMAP header of an Atomic Request
 * @req: out
 * @hdr: %SIW_ATOMIC_REQ_LEN octets, see siw_rdmap_check_request()
 *
 * RFC 7306 section 5.2.1.
 *
 * Return: SIW_OK, or SIW_FAULT_RDMAP_OPCODE for an unknown operation.
 */
enum siw_fault siw_atomic_req_decode(struct siw_atomic_req *req, const u8 *hdr)
{
	req->aop = get_unaligned_be32(hdr + AREQ_OFF_AOP) & AREQ_AOP_MASK;
	req->id = get_unaligned_be32(hdr + AREQ_OFF_ID);
	req->stag = get_unaligned_be32(hdr + AREQ_OFF_STAG);
	req->to = get_unaligned_be64(hdr + AREQ_OFF_TO);
	req->data = get_unaligned_be64(hdr + AREQ_OFF_DATA);
	req->data_mask = get_unaligned_be64(hdr + AREQ_OFF_DATA_MASK);
	req->cmp = get_unaligned_be64(hdr + AREQ_OFF_CMP);
	req->cmp_mask = get_unaligned_be64(hdr + AREQ_OFF_CMP_MASK);
	if (req->aop != SIW_ATOMIC_FETCH_ADD && req->aop != SIW_ATOMIC_CMP_SWAP)
		return SIW_FAULT_RDMAP_OPCODE;
	return SIW_OK;
}

/**
 * siw_atomic_check_align() - is the target of an atomic aligned?
 * @addr: address the request's TO stands for
 *
 * RFC 7306 section 5.1: a multiple of eight.
 *
 * Return: SIW_OK or SIW_FAULT_RDMAP_STREAM.
 */
enum siw_fault siw_atomic_check_align(u64 addr)
{
	return addr & 7 ? SIW_FAULT_RDMAP_STREAM : SIW_OK;
}

/**
 * siw_atomic_result() - what an atomic leaves in memory
 * @req: decoded request
 * @old: value found, in host byte order
 *
 * RFC 7306 sections 5.1.1 and 5.1.2.  A set bit of a FetchAdd's mask ends a
 * field.  With these bits left out the fields cannot carry into each other, and
 * what arrives at such a bit is the carry from below: add it without carry.
 *
 * Return: the new value, equal to @old if a compare fails.
 */
u64 siw_atomic_result(const struct siw_atomic_req *req, u64 old)
{
	u64 ends = req->data_mask;

	if (req->aop == SIW_ATOMIC_FETCH_ADD)
		return ((old & ~ends) + (req->data & ~ends)) ^
		       ((old ^ req->data) & ends);
	if ((req->cmp ^ old) & req->cmp_mask)
		return old;
	return (old & ~req->data_mask) | (req->data & req->data_mask);
}

/* Atomic Response header, RFC 7306 figure 6 */
#define ARSP_OFF_ID		0
#define ARSP_OFF_VALUE		4

/**
 * siw_atomic_rsp_encode() - build the RDMAP header of an Atomic Response
 * @hdr: room for %SIW_ATOMIC_RSP_LEN octets
 * @id: Request Identifier of the request
 * @value: what was in memory before
 *
 * RFC 7306 section 5.2.2.
 */
void siw_atomic_rsp_encode(u8 *hdr, u32 id, u64 value)
{
	put_unaligned_be32(id, hdr + ARSP_OFF_ID);
	put_unaligned_be64(value, hdr + ARSP_OFF_VALUE);
}

/**
 * siw_atomic_rsp_decode() - read the RDMAP header of an Atomic Response
 * @hdr: %SIW_ATOMIC_RSP_LEN octets
 * @id: out, Request Identifier
 * @value: out, what was in memory before
 *
 * RFC 7306 section 5.2.2.
 */
void siw_atomic_rsp_decode(const u8 *hdr, u32 *id, u64 *value)
{
	*id = get_unaligned_be32(hdr + ARSP_OFF_ID);
	*value = get_unaligned_be64(hdr + ARSP_OFF_VALUE);
}

/**
 * siw_rdmap_check_atomic_rsp() - is this what the oldest atomic waits for?
 * @seg: decoded segment, which passed siw_ddp_rx_untagged()
 * @hdr: @seg->len octets behind the DDP header
 * @id: Request Identifier of the oldest outstanding atomic
 *
 * RFC 7306 section 5.2.2.
 *
 * Return: SIW_OK, SIW_FAULT_DDP_MO if more segments would follow, or
 * SIW_FAULT_RDMAP_UNSPECIFIED for a wrong length or identifier.
 */
enum siw_fault siw_rdmap_check_atomic_rsp(const struct siw_seg *seg,
					  const u8 *hdr, u32 id)
{
	if (!seg->last)
		return SIW_FAULT_DDP_MO;
	if (seg->len != SIW_ATOMIC_RSP_LEN ||
	    get_unaligned_be32(hdr + ARSP_OFF_ID) != id)
		return SIW_FAULT_RDMAP_UNSPECIFIED;
	return SIW_OK;
}
