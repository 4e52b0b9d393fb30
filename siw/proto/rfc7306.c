// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Messages of RFC 7306, Immediate Data and atomics.  The driver refuses them;
 * this is for tests and tools, and not part of the module.
 */
#include <linux/types.h>
#include <linux/unaligned.h>

#include "ddp.h"
#include "fault.h"
#include "rfc7306.h"
#include "wire.h"

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
