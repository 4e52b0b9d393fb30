// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * A receiver around proto/, for the vectors.
 *
 * Octets stand in allocations of just their number, so that KASAN sees each one
 * that is read beyond them.
 */
#include <linux/slab.h>
#include <linux/sprintf.h>
#include <linux/string.h>

#include "receiver.h"

#define STAG_INDEX(stag)	((stag) >> 8)

static u8 *copy_of(const u8 *p, size_t n)
{
	return kmemdup(p, n, GFP_KERNEL | __GFP_NOFAIL);
}

static __printf(2, 3) void event(struct siw_receiver *rx, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	rx->events_len += vscnprintf(rx->events + rx->events_len,
				     sizeof(rx->events) - rx->events_len,
				     fmt, args);
	va_end(args);
}

static struct siw_receiver_region *find_region(struct siw_receiver *rx,
					       u32 stag)
{
	int i;

	for (i = 0; i < SIW_RECEIVER_REGIONS; i++)
		if (STAG_INDEX(rx->region[i].region.stag) == STAG_INDEX(stag))
			return &rx->region[i];
	return NULL;
}

static enum siw_fault check_access(struct siw_receiver *rx, u32 stag, u64 to,
				   u32 len, u32 want, enum siw_layer layer)
{
	struct siw_receiver_region *found = find_region(rx, stag);

	return siw_access_fault(siw_access_check(found ? &found->region : NULL,
						 stag,
						 found && found->same_pd,
						 to, len, want), layer);
}

static struct siw_read_sink *oldest_read(struct siw_receiver *rx)
{
	if (rx->reads_done == rx->ctx.num_reads)
		return NULL;
	return &rx->ctx.read[rx->reads_done];
}

static enum siw_fault take_read_rsp(struct siw_receiver *rx,
				    const struct siw_seg *seg)
{
	struct siw_read_sink *sink = oldest_read(rx);
	enum siw_fault fault = siw_rdmap_check_read_rsp(sink, seg);

	if (fault)
		return fault;
	sink->done += seg->len;
	if (seg->last) {
		rx->reads_done++;
		event(rx, "read complete\n");
	}
	return SIW_OK;
}

static enum siw_fault take_write(struct siw_receiver *rx,
				 const struct siw_seg *seg)
{
	enum siw_fault fault;

	if (!seg->len)
		return SIW_OK;
	fault = check_access(rx, seg->stag, seg->to, seg->len,
			     SIW_ACCESS_REMOTE_WRITE, SIW_LAYER_DDP);
	if (!fault)
		event(rx, "placed %u octets\n", seg->len);
	return fault;
}

static enum siw_fault take_tagged(struct siw_receiver *rx,
				  const struct siw_seg *seg)
{
	enum siw_fault fault = siw_ddp_rx_tagged(&rx->ddp, seg);

	if (fault)
		return fault;
	if (seg->op == SIW_RDMAP_READ_RSP)
		return take_read_rsp(rx, seg);
	return take_write(rx, seg);
}

static enum siw_fault deliver(struct siw_receiver *rx,
			      const struct siw_seg *seg, u32 len)
{
	const struct siw_rdmap_op_info *info = siw_rdmap_op_info(seg->op);
	struct siw_receiver_region *found = find_region(rx, seg->stag);

	if (info->invalidate) {
		if (siw_access_check_invalidate(found ? &found->region : NULL,
						seg->stag,
						found && found->same_pd))
			return SIW_FAULT_RDMAP_INVALIDATE;
		found->region.valid = false;
		event(rx, "invalidated %08x\n", seg->stag);
	}
	event(rx, "delivered %s %u octets\n", info->name, len);
	return SIW_OK;
}

static enum siw_fault take_send(struct siw_receiver *rx,
				const struct siw_seg *seg)
{
	enum siw_fault fault;

	if (!rx->in_msg)
		rx->room = rx->ctx.buffer[rx->buffers_used++];
	rx->in_msg = true;
	if (seg->op == SIW_RDMAP_IMM || seg->op == SIW_RDMAP_IMM_SE)
		fault = siw_rdmap_check_imm(seg);
	else
		fault = siw_ddp_check_room(seg->mo, seg->len, rx->room);
	if (fault || !seg->last)
		return fault;
	rx->in_msg = false;
	return deliver(rx, seg, seg->mo + seg->len);
}

static enum siw_fault take_read_req(struct siw_receiver *rx,
				    const struct siw_seg *seg, const u8 *body)
{
	enum siw_fault fault = siw_rdmap_check_request(seg);
	struct siw_read_req req;

	if (fault)
		return fault;
	siw_read_req_decode(&req, body);
	if (req.len)
		fault = check_access(rx, req.src_stag, req.src_to, req.len,
				     SIW_ACCESS_REMOTE_READ, SIW_LAYER_RDMAP);
	if (fault)
		return fault;
	rx->ctx.ird--;
	event(rx, "read request %u octets\n", req.len);
	return SIW_OK;
}

static enum siw_fault take_atomic_req(struct siw_receiver *rx,
				      const struct siw_seg *seg,
				      const u8 *body)
{
	enum siw_fault fault = siw_rdmap_check_request(seg);
	struct siw_atomic_req req;

	if (!fault)
		fault = siw_atomic_req_decode(&req, body);
	if (!fault)
		fault = check_access(rx, req.stag, req.to, sizeof(u64),
				     SIW_ACCESS_REMOTE_ATOMIC,
				     SIW_LAYER_RDMAP);
	if (!fault)
		fault = siw_atomic_check_align(req.to);
	if (fault)
		return fault;
	rx->ctx.ird--;
	event(rx, "atomic request id %u\n", req.id);
	return SIW_OK;
}

static enum siw_fault take_atomic_rsp(struct siw_receiver *rx,
				      const struct siw_seg *seg,
				      const u8 *body)
{
	u32 id = rx->ctx.atomic[rx->atomics_done];
	enum siw_fault fault = siw_rdmap_check_atomic_rsp(seg, body, id);

	if (fault)
		return fault;
	rx->atomics_done++;
	event(rx, "atomic complete\n");
	return SIW_OK;
}

static enum siw_fault take_terminate(struct siw_receiver *rx,
				     const struct siw_seg *seg, const u8 *body)
{
	rx->terminated = true;
	if (siw_rdmap_term_ok(seg))
		event(rx, "Terminate received %*phN\n",
		      min_t(int, seg->len, SIW_TERM_CTRL_LEN), body);
	else
		rx->dropping = true;
	return SIW_OK;
}

static u32 free_buffers(const struct siw_receiver *rx, u32 qn)
{
	switch (qn) {
	case SIW_QN_SEND:
		return rx->ctx.num_buffers - rx->buffers_used;
	case SIW_QN_READ:
		return rx->ctx.ird;
	case SIW_QN_TERM:
		return 1;
	case SIW_QN_ATOMIC_RSP:
		return rx->ctx.num_atomics - rx->atomics_done;
	default:
		return 0;
	}
}

static enum siw_fault take_untagged(struct siw_receiver *rx,
				    const struct siw_seg *seg, const u8 *body)
{
	enum siw_fault fault = siw_ddp_rx_untagged(&rx->ddp, seg,
						   free_buffers(rx, seg->qn));

	if (fault)
		return fault;
	switch (seg->op) {
	case SIW_RDMAP_READ_REQ:
		return take_read_req(rx, seg, body);
	case SIW_RDMAP_ATOMIC_REQ:
		return take_atomic_req(rx, seg, body);
	case SIW_RDMAP_ATOMIC_RSP:
		return take_atomic_rsp(rx, seg, body);
	case SIW_RDMAP_TERMINATE:
		return take_terminate(rx, seg, body);
	default:
		return take_send(rx, seg);
	}
}

static enum siw_fault take_ulpdu(struct siw_receiver *rx, const u8 *ulpdu,
				 u16 len)
{
	struct siw_seg seg;
	enum siw_fault fault = siw_ddp_decode(&seg, ulpdu, len, len,
					      rx->ctx.atomics);

	if (fault)
		return fault;
	fault = seg.tagged ? take_tagged(rx, &seg) :
			     take_untagged(rx, &seg, ulpdu + seg.hdr_len);
	if (!fault)
		siw_ddp_rx_advance(&rx->ddp, &seg);
	return fault;
}

/* The first @n octets of @carry. */
static u8 *cut_off(struct siw_receiver *rx, size_t n)
{
	u8 *head = copy_of(rx->carry, n);
	u8 *rest = copy_of(rx->carry + n, rx->carry_len - n);

	kfree(rx->carry);
	rx->carry = rest;
	rx->carry_len -= n;
	return head;
}

static enum siw_fault take_fpdu(struct siw_receiver *rx, u32 need)
{
	u8 *fpdu = cut_off(rx, need);
	u8 *ulpdu, *copy;
	u16 len;
	enum siw_fault fault = siw_mpa_rx_open(&rx->mpa, fpdu, need, &ulpdu,
					       &len);

	if (!fault) {
		copy = copy_of(ulpdu, len);
		fault = take_ulpdu(rx, copy, len);
		if (fault) {
			rx->refused = copy;
			rx->refused_len = len;
		} else {
			kfree(copy);
		}
	}
	kfree(fpdu);
	return fault;
}

static void take_fpdus(struct siw_receiver *rx)
{
	while (rx->carry_len && !rx->terminated && !rx->fault) {
		u32 need = siw_mpa_rx_need(&rx->mpa, rx->carry, rx->carry_len);

		if (need <= SIW_MPA_RX_MAX && (!need || need > rx->carry_len))
			return;
		rx->fault = need > SIW_MPA_RX_MAX ? SIW_FAULT_DDP_LOCAL :
						    take_fpdu(rx, need);
	}
}

/**
 * siw_receiver_feed() - take the next octets of the stream
 * @rx: the receiver
 * @p: octets
 * @n: how many
 *
 * Nothing is taken any more once there is a fault.
 */
void siw_receiver_feed(struct siw_receiver *rx, const u8 *p, size_t n)
{
	u8 *carry;

	if (rx->fault || !n)
		return;
	carry = kmalloc(rx->carry_len + n, GFP_KERNEL | __GFP_NOFAIL);
	memcpy(carry, rx->carry, rx->carry_len);
	memcpy(carry + rx->carry_len, p, n);
	kfree(rx->carry);
	rx->carry = carry;
	rx->carry_len += n;

	take_fpdus(rx);
	if (!rx->terminated || !rx->carry_len)
		return;
	if (!rx->dropping)
		event(rx, "dropped after Terminate\n");
	rx->dropping = true;
	rx->carry_len = 0;
}

/* The answer to a fault. Return: octets of the ULPDU. */
size_t siw_receiver_terminate(const struct siw_receiver *rx, u8 *ulpdu)
{
	struct siw_term term;

	siw_term_fill(&term, rx->fault, rx->refused,
		      min_t(size_t, rx->refused_len, SIW_ULPDU_HDR_MAX),
		      rx->refused_len);
	return siw_term_encode(ulpdu, &term);
}

/**
 * siw_receiver_new() - a receiver
 * @ctx: its state
 * @region: its SIW_RECEIVER_REGIONS regions
 *
 * Return: the receiver; never NULL.
 */
struct siw_receiver *siw_receiver_new(const struct siw_receiver_ctx *ctx,
				      const struct siw_receiver_region *region)
{
	struct siw_receiver *rx = kzalloc(sizeof(*rx),
					  GFP_KERNEL | __GFP_NOFAIL);
	u32 qn;

	rx->ctx = *ctx;
	memcpy(rx->region, region, sizeof(rx->region));
	rx->mpa.markers = ctx->markers;
	rx->mpa.crc = ctx->crc;
	siw_ddp_rx_init(&rx->ddp);
	for (qn = 0; qn < SIW_QNS; qn++)
		rx->ddp.queue[qn].msn = ctx->msn[qn];
	return rx;
}

void siw_receiver_free(struct siw_receiver *rx)
{
	kfree(rx->carry);
	kfree(rx->refused);
	kfree(rx);
}
