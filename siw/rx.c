// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * The receiver: FPDUs become placements and completions.
 *
 * It runs where TCP delivers, with the socket locked, mostly in softirq.  An
 * FPDU that lies whole in one buffer is handled in place; one that straddles
 * is put together in the carry buffer.  Nothing is placed before the CRC of
 * its FPDU was found good (RFC 5044 section 6).
 */
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "cursor.h"
#include "qp.h"
#include "run.h"
#include "trace.h"

/* Messages; not the Terminate, which has counters of its own */
static const u8 rx_counter[SIW_RDMAP_TERMINATE] = {
	[SIW_RDMAP_WRITE] = SIW_CNT_RX_WRITE,
	[SIW_RDMAP_READ_REQ] = SIW_CNT_RX_READ_REQ,
	[SIW_RDMAP_READ_RSP] = SIW_CNT_RX_READ_RSP,
	[SIW_RDMAP_SEND] = SIW_CNT_RX_SEND,
	[SIW_RDMAP_SEND_INV] = SIW_CNT_RX_SEND,
	[SIW_RDMAP_SEND_SE] = SIW_CNT_RX_SEND,
	[SIW_RDMAP_SEND_SE_INV] = SIW_CNT_RX_SEND,
};

#define CARRY_MIN	4096

/* Copy to one contiguous piece of a region. */
static void place_piece(void *to, size_t n, void *arg)
{
	cursor_copy(arg, to, n);
}

/**
 * struct fpdu - a received FPDU on its way through the steps
 * @cur: from here on comes what is not consumed yet
 * @len: ULPDU length
 * @avail: octets at @hdr
 * @hdr: the ULPDU's first octets
 * @seg: decoded segment
 */
struct fpdu {
	struct cursor cur;
	u16 len;
	u16 avail;
	const u8 *hdr;
	struct siw_seg seg;
};

/*
 * DDP and RDMAP header: the cursor goes from the length field to what is behind
 * the DDP header.  What is looked at is a copy: who sent from pages that it
 * shares with TCP may write to them until the buffer is gone.
 */
static enum siw_fault decode(struct siw_qp *qp, struct fpdu *fpdu)
{
	enum siw_fault fault;
	struct cursor cur;

	cursor_skip(&fpdu->cur, SIW_MPA_LEN_LEN);
	cur = fpdu->cur;
	fpdu->avail = min_t(u16, fpdu->len, sizeof(qp->rx.hdr));
	cursor_copy(&cur, qp->rx.hdr, fpdu->avail);
	fpdu->hdr = qp->rx.hdr;
	fault = siw_ddp_decode(&fpdu->seg, fpdu->hdr, fpdu->avail, fpdu->len,
			       false);
	/* The user ABI has no word for Immediate Data. */
	if (!fault && (fpdu->seg.op == SIW_RDMAP_IMM ||
		       fpdu->seg.op == SIW_RDMAP_IMM_SE))
		fault = SIW_FAULT_RDMAP_OPCODE;
	if (!fault)
		cursor_skip(&fpdu->cur, fpdu->seg.hdr_len);
	return fault;
}

/* Receives that could take a new message with this segment's MSN */
static u32 buffers(struct siw_qp *qp, const struct siw_seg *seg)
{
	const struct siw_ddp_queue *q = &qp->rx.ddp.queue[seg->qn & 3];
	u32 ahead = seg->msn - q->msn;
	u32 sent;

	switch (seg->qn) {
	case SIW_QN_SEND:
		/* The peer chooses @ahead: look at that one, not at all up to it. */
		ahead -= q->op != SIW_DDP_NO_MSG;
		/* Others take from an SRQ at the same time: taking will tell. */
		if (!ahead && qp->srq)
			return 1;
		return siw_rq_is_posted(qp, ahead) ? ahead + 1 : 0;
	case SIW_QN_READ:
		/* Pairs with the release of the transmitter. */
		sent = smp_load_acquire(&qp->irq_get);
		return qp->ird - (qp->irq_put - sent);
	case SIW_QN_TERM:
		return 1;
	default:
		return 0;
	}
}

static void complete_receive(struct siw_qp *qp, const struct siw_seg *seg,
			     enum siw_wc_status status)
{
	const struct siw_rdmap_op_info *info = siw_rdmap_op_info(seg->op);
	struct siw_completion comp = {
		.id = qp->rx.rqe.id,
		.qp = &qp->base,
		.bytes = seg->mo + seg->len,
		.opcode = SIW_OP_RECEIVE,
		.status = status,
		.solicited = info->solicited,
		.invalidated = info->invalidate && status == SIW_WC_SUCCESS,
		.inval_stag = seg->stag,
	};

	qp->rx.rqe_taken = false;
	qp->rx.news |= siw_qp_complete(qp, qp->rcq, &comp);
}

/* The receive element for a Send; refuse what does not fit into it */
static enum siw_fault resolve_send(struct siw_qp *qp, const struct siw_seg *seg)
{
	struct siw_rx *rx = &qp->rx;
	enum siw_wc_status status;

	if (!rx->rqe_taken) {
		if (!siw_rq_take(qp, &rx->rqe))
			return SIW_FAULT_DDP_NO_BUFFER;
		rx->rqe_taken = true;
		status = siw_ring_check_rqe(&rx->rqe, &rx->rqe_len);
		if (status != SIW_WC_SUCCESS) {
			siw_count(siw_qp_dev(qp), SIW_CNT_LOCAL_ERR);
			complete_receive(qp, seg, status);
			return SIW_FAULT_DDP_LOCAL;
		}
	}
	if (siw_ddp_check_room(seg->mo, seg->len, rx->rqe_len) == SIW_OK)
		return SIW_OK;
	complete_receive(qp, seg, SIW_WC_LOC_LEN_ERR);
	return SIW_FAULT_DDP_TOO_LONG;
}

static enum siw_fault place_send(struct siw_qp *qp, struct fpdu *fpdu)
{
	struct ib_pd *pd = qp->srq ? qp->srq->base.pd : qp->base.pd;
	const struct siw_rqe *rqe = &qp->rx.rqe;
	u32 skip = fpdu->seg.mo, left = fpdu->seg.len;
	u8 i;

	for (i = 0; i < rqe->num_sge && left; i++) {
		const struct siw_sge *sge = &rqe->sge[i];
		u32 n;

		if (skip >= sge->length) {
			skip -= sge->length;
			continue;
		}
		n = min(left, sge->length - skip);
		if (siw_mr_access(&qp->rx.mr, pd, sge->lkey,
				  sge->laddr + skip, n, SIW_ACCESS_LOCAL_WRITE,
				  place_piece, &fpdu->cur) != SIW_ACCESS_OK) {
			siw_count(siw_qp_dev(qp), SIW_CNT_LOCAL_ERR);
			complete_receive(qp, &fpdu->seg, SIW_WC_LOC_PROT_ERR);
			return SIW_FAULT_DDP_LOCAL;
		}
		left -= n;
		skip = 0;
	}
	trace_siw_placed(&qp->base, &fpdu->seg);
	return SIW_OK;
}

static enum siw_fault receive_send(struct siw_qp *qp, struct fpdu *fpdu)
{
	const struct siw_seg *seg = &fpdu->seg;
	enum siw_access verdict;
	enum siw_fault fault;

	fault = resolve_send(qp, seg);
	if (!fault)
		fault = place_send(qp, fpdu);
	if (fault || !seg->last)
		return fault;

	if (siw_rdmap_op_info(seg->op)->invalidate) {
		verdict = siw_mr_invalidate_remote(siw_qp_dev(qp),
						   qp->base.pd, seg->stag);
		if (verdict != SIW_ACCESS_OK) {
			complete_receive(qp, seg, SIW_WC_REM_INV_REQ_ERR);
			return SIW_FAULT_RDMAP_INVALIDATE;
		}
	}
	complete_receive(qp, seg, SIW_WC_SUCCESS);
	return SIW_OK;
}

/* Is this the ready-to-receive Send, which takes no receive element? */
static bool is_rtr_send(const struct siw_qp *qp, const struct siw_seg *seg)
{
	return qp->rx.rtr_send && seg->op == SIW_RDMAP_SEND &&
	       seg->last && !seg->len &&
	       seg->qn == SIW_QN_SEND && seg->msn == 1 && !seg->mo;
}

static enum siw_fault receive_write(struct siw_qp *qp, struct fpdu *fpdu)
{
	const struct siw_seg *seg = &fpdu->seg;
	enum siw_access verdict = SIW_ACCESS_RIGHTS;

	if (!seg->len)		/* STag and TO are not looked at */
		verdict = SIW_ACCESS_OK;
	else if (READ_ONCE(qp->access) & SIW_ACCESS_REMOTE_WRITE)
		verdict = siw_mr_access(&qp->rx.mr, qp->base.pd,
					seg->stag, seg->to, seg->len,
					SIW_ACCESS_REMOTE_WRITE, place_piece,
					&fpdu->cur);
	if (verdict == SIW_ACCESS_OK)
		trace_siw_placed(&qp->base, seg);
	return siw_access_fault(verdict, SIW_LAYER_DDP);
}

static enum siw_fault receive_request(struct siw_qp *qp, struct fpdu *fpdu)
{
	struct siw_read_req *req = &qp->irq[qp->irq_put & qp->irq_mask];
	enum siw_access verdict = SIW_ACCESS_OK;
	enum siw_fault fault;

	fault = siw_rdmap_check_request(&fpdu->seg);
	if (fault)
		return fault;
	siw_read_req_decode(req, fpdu->hdr + fpdu->seg.hdr_len);
	if (req->len && !(READ_ONCE(qp->access) & SIW_ACCESS_REMOTE_READ))
		verdict = SIW_ACCESS_RIGHTS;
	else if (req->len)
		verdict = siw_mr_access(&qp->rx.mr, qp->base.pd,
					req->src_stag, req->src_to,
					req->len, SIW_ACCESS_REMOTE_READ,
					NULL, NULL);
	if (verdict != SIW_ACCESS_OK)
		return siw_access_fault(verdict, SIW_LAYER_RDMAP);
	/* Pairs with the acquire of the transmitter. */
	smp_store_release(&qp->irq_put, qp->irq_put + 1);
	WRITE_ONCE(qp->irq_high, max(qp->irq_high,
				     qp->irq_put - READ_ONCE(qp->irq_get)));
	siw_tx_kick(qp);
	return SIW_OK;
}

/* A Read is complete: its successors, and fenced work, may start. */
static void orq_pop(struct siw_qp *qp)
{
	const struct siw_orq_entry *orqe = &qp->orq[qp->orq_get & qp->orq_mask];
	enum siw_wc_status status = SIW_WC_SUCCESS;
	u32 index = orqe->index;

	if (orqe->inval &&
	    siw_mr_invalidate_local(siw_qp_dev(qp), qp->base.pd,
				    orqe->sink.stag)) {
		status = SIW_WC_LOC_ACCESS_ERR;
		siw_qp_fault(qp, SIW_FAULT_RDMAP_LOCAL, NULL, 0, 0);
	}
	/* Pairs with the acquire of the transmitter. */
	smp_store_release(&qp->orq_get, qp->orq_get + 1);
	siw_sq_done(qp, index, status);
	/* Pairs with the barrier in waits_for_read(). */
	smp_mb();
	if (READ_ONCE(qp->tx.stalled)) {
		WRITE_ONCE(qp->tx.stalled, false);
		siw_tx_kick(qp);
	}
	/* It may be what the FIN has waited for. */
	if (siw_qp_state(qp) == SIW_QP_CLOSING)
		siw_qp_wake(qp);
}

static enum siw_fault receive_response(struct siw_qp *qp, struct fpdu *fpdu)
{
	struct siw_orq_entry *orqe = &qp->orq[qp->orq_get & qp->orq_mask];
	const struct siw_seg *seg = &fpdu->seg;
	enum siw_access verdict = SIW_ACCESS_OK;
	enum siw_fault fault;

	/* Pairs with the release of the transmitter. */
	if (smp_load_acquire(&qp->orq_put) == qp->orq_get)
		return SIW_FAULT_RDMAP_OPCODE;
	fault = siw_rdmap_check_read_rsp(&orqe->sink, seg);
	if (fault)
		return fault;
	if (seg->len)
		verdict = siw_mr_access(&qp->rx.mr, qp->base.pd,
					seg->stag, seg->to, seg->len,
					SIW_ACCESS_LOCAL_WRITE, place_piece,
					&fpdu->cur);
	if (verdict != SIW_ACCESS_OK) {
		siw_sq_done(qp, orqe->index, SIW_WC_LOC_PROT_ERR);
		return siw_access_fault(verdict, SIW_LAYER_DDP);
	}
	trace_siw_placed(&qp->base, seg);
	orqe->sink.done += seg->len;
	WRITE_ONCE(qp->rx.answers, qp->rx.answers + seg->len);
	if (seg->last)
		orq_pop(qp);
	return SIW_OK;
}

static void receive_terminate(struct siw_qp *qp, struct fpdu *fpdu)
{
	bool ok = siw_rdmap_term_ok(&fpdu->seg);
	struct siw_term term;

	/* Of one that is not well formed only that it came is believed. */
	siw_term_decode(&term, fpdu->hdr + fpdu->seg.hdr_len,
			ok ? fpdu->avail - fpdu->seg.hdr_len : 0);
	siw_count(siw_qp_dev(qp), SIW_CNT_RX_TERM);
	if (ok && term.layer <= SIW_LAYER_MPA)
		siw_count(siw_qp_dev(qp), SIW_CNT_RX_TERM_RDMAP + term.layer);
	trace_siw_terminate_received(&qp->base, &term);
	siw_qp_terminated(qp, &term);
}

/* Order of messages, then the message itself */
static enum siw_fault dispatch(struct siw_qp *qp, struct fpdu *fpdu)
{
	const struct siw_seg *seg = &fpdu->seg;
	enum siw_fault fault;

	/* RFC 5040 section 5.4: a Terminate is never answered with one. */
	if (seg->op == SIW_RDMAP_TERMINATE && !siw_rdmap_term_ok(seg)) {
		receive_terminate(qp, fpdu);
		return SIW_OK;
	}
	if (is_rtr_send(qp, seg)) {
		siw_ddp_rx_advance(&qp->rx.ddp, seg);
		return SIW_OK;
	}
	if (seg->tagged)
		fault = siw_ddp_rx_tagged(&qp->rx.ddp, seg);
	else
		fault = siw_ddp_rx_untagged(&qp->rx.ddp, seg,
					    buffers(qp, seg));
	if (fault)
		return fault;

	switch (seg->op) {
	case SIW_RDMAP_WRITE:
		fault = receive_write(qp, fpdu);
		break;
	case SIW_RDMAP_READ_REQ:
		fault = receive_request(qp, fpdu);
		break;
	case SIW_RDMAP_READ_RSP:
		fault = receive_response(qp, fpdu);
		break;
	case SIW_RDMAP_TERMINATE:
		receive_terminate(qp, fpdu);
		break;
	default:
		fault = receive_send(qp, fpdu);
	}
	if (!fault)
		siw_ddp_rx_advance(&qp->rx.ddp, seg);
	return fault;
}

/* Something came: the responder may send, and its connection is up. */
static void first_fpdu(struct siw_qp *qp)
{
	if (!READ_ONCE(qp->tx.held))
		return;
	WRITE_ONCE(qp->tx.held, false);
	siw_qp_wake(qp);
	siw_tx_kick(qp);
}

static void acted_upon(struct siw_qp *qp, const struct siw_seg *seg)
{
	qp->rx.rtr_send = false;	/* only the first may be that */
	if (seg->last && seg->op < ARRAY_SIZE(rx_counter))
		siw_count(siw_qp_dev(qp), rx_counter[seg->op]);
	if (siw_qp_receives(qp))	/* a Terminate opens nothing */
		first_fpdu(qp);
}

static void refused(struct siw_qp *qp, const struct fpdu *fpdu,
		    enum siw_fault fault)
{
	siw_count(siw_qp_dev(qp), SIW_CNT_RX_FAULT);
	if (fault == SIW_FAULT_DDP_NO_BUFFER)
		siw_count(siw_qp_dev(qp), SIW_CNT_RX_NO_BUFFER);
	siw_qp_fault(qp, fault, fpdu->avail ? fpdu->hdr : NULL, fpdu->avail,
		     fpdu->len);
}

/* Return: more of its message is to come; then @seg says which. */
static bool receive(struct siw_qp *qp, struct cursor cur, u16 ulpdu_len,
		    struct siw_seg *seg)
{
	struct fpdu fpdu = { .cur = cur, .len = ulpdu_len };
	enum siw_fault fault = SIW_OK;

	if (!siw_mpa_len_ok(ulpdu_len)) {
		fault = SIW_FAULT_DDP_LOCAL;
	} else if (qp->rx.mpa.crc && !cursor_crc_ok(cur, ulpdu_len)) {
		siw_count(siw_qp_dev(qp), SIW_CNT_RX_CRC);
		fault = SIW_FAULT_MPA_CRC;
	} else {
		qp->rx.fpdus++;
		qp->rx.bytes += ulpdu_len;
		fault = decode(qp, &fpdu);
	}
	if (!fault) {
		if (trace_siw_rx_fpdu_enabled())
			trace_siw_rx_fpdu(&qp->base, &fpdu.seg,
					  siw_llp_cookie(qp->llp),
					  siw_llp_acked(qp->llp));
		fault = dispatch(qp, &fpdu);
	}
	if (fault) {
		refused(qp, &fpdu, fault);
		return false;
	}
	acted_upon(qp, &fpdu.seg);
	*seg = fpdu.seg;
	return !fpdu.seg.last;
}

/*
 * Octets to be seen before an FPDU can be handled: all of them, but one whose
 * length is not legal is refused for that alone.
 */
static u32 octets_due(u16 ulpdu_len)
{
	return siw_mpa_len_ok(ulpdu_len) ? siw_mpa_fpdu_len(ulpdu_len) :
					   SIW_MPA_LEN_LEN;
}

/* Octets the FPDU in the carry buffer needs in all; 2 until that is known */
static u32 carry_need(const struct siw_rx *rx)
{
	if (rx->carry_len < SIW_MPA_LEN_LEN)
		return SIW_MPA_LEN_LEN;
	return octets_due(get_unaligned_be16(rx->carry));
}

/* Move octets to the carry buffer; an FPDU that is whole is handled. */
static size_t carry(struct siw_qp *qp, struct sk_buff *skb, u32 off, size_t len)
{
	struct siw_rx *rx = &qp->rx;
	u32 need, n;

	/*
	 * TCP offers the rest at once.  Pairs with the release in grow(): the
	 * buffer is its own until this is 0.
	 */
	if (smp_load_acquire(&rx->carry_want))
		return 0;
	need = carry_need(rx);
	if (need > rx->carry_size) {
		/* Pairs with the acquire in read_on(), which may run already. */
		smp_store_release(&rx->carry_want, need);
		queue_delayed_work(siw_data_wq, &rx->read_on, 0);
		return 0;
	}
	n = min_t(size_t, need - rx->carry_len, len);
	if (skb_copy_bits(skb, off, rx->carry + rx->carry_len, n)) {
		siw_qp_event(qp, SIW_QP_EV_LOST);
		return len;
	}
	rx->carry_len += n;
	if (rx->carry_len == carry_need(rx)) {
		struct cursor cur = { .lin = rx->carry };
		struct siw_seg seg;

		siw_count(siw_qp_dev(qp), SIW_CNT_RX_STRADDLE);
		rx->carry_len = 0;
		receive(qp, cur, get_unaligned_be16(rx->carry), &seg);
	}
	return n;
}

/*
 * Length of the FPDU at the cursor if it is whole and can be handled in place.
 * @cur goes to the FPDU's octets in a row, if they are.
 */
static u32 in_place(struct cursor *cur, size_t len, u16 *ulpdu_len)
{
	u8 field[SIW_MPA_LEN_LEN];
	struct cursor peek;
	const u8 *p;
	u32 n, row;

	if (len < sizeof(field))
		return 0;
	p = cursor_settle(cur, &row);
	if (row >= sizeof(field)) {
		memcpy(field, p, sizeof(field));
	} else {
		peek = *cur;
		cursor_copy(&peek, field, sizeof(field));
	}
	*ulpdu_len = get_unaligned_be16(field);
	n = octets_due(*ulpdu_len);
	if (n > len)
		return 0;
	if (n <= row || cursor_reach(cur, p, row, n) >= n)
		*cur = (struct cursor) { .lin = p };
	return n;
}

/* Memory of a device may be out of our reach; carry() sees to it. */
static bool readable(const struct sk_buff *skb)
{
	const struct sk_buff *part;

	if (!skb_frags_readable(skb))
		return false;
	skb_walk_frags(skb, part)
		if (!skb_frags_readable(part) || skb_has_frag_list(part))
			return false;
	return true;
}

/* Take what TCP has; what comes after a fault is dropped. */
static size_t take(void *arg, struct sk_buff *skb, u32 off, size_t len)
{
	struct siw_qp *qp = arg;
	struct siw_run run = { .qp = qp, .len = len };
	bool direct = readable(skb);

	if (direct)
		run.cur = cursor_at(skb, off);
	while (run.done < len && siw_qp_receives(qp)) {
		struct cursor cur = run.cur;
		bool more = false;
		u16 ulpdu_len;
		size_t n = 0;

		if (direct && !qp->rx.carry_len)
			n = in_place(&cur, len - run.done, &ulpdu_len);
		if (n)
			more = receive(qp, cur, ulpdu_len, &run.seg);
		else
			n = carry(qp, skb, off + run.done, len - run.done);
		if (!n)
			return run.done;
		if (direct)
			cursor_skip(&run.cur, n);
		run.done += n;
		if (more)
			siw_run_behind(&run);
	}
	return len;
}

/**
 * siw_rx_data_ready() - read what has come
 * @qp: started QP
 *
 * Context: the socket is locked.
 */
void siw_rx_data_ready(struct siw_qp *qp)
{
	struct siw_llp *llp = READ_ONCE(qp->llp);
	u32 fpdus = qp->rx.fpdus;
	u64 bytes = qp->rx.bytes;
	u32 news;

	if (!llp)
		return;
	if (siw_llp_reads_later(llp)) {
		queue_delayed_work(siw_data_wq, &qp->rx.read_on, 0);
		return;
	}
	siw_llp_read(llp, take, qp);
	if (qp->rx.fpdus != fpdus) {
		siw_count_add(siw_qp_dev(qp), SIW_CNT_RX_FPDU,
			      qp->rx.fpdus - fpdus);
		siw_count_add(siw_qp_dev(qp), SIW_CNT_RX_BYTES,
			      qp->rx.bytes - bytes);
	}
	news = qp->rx.news;
	if (!news)
		return;
	qp->rx.news = 0;
	if (siw_qp_receives(qp))	/* else it is flushed */
		siw_rq_note_low(qp);
	siw_cq_tell(qp->rcq, news);
}

/* Make room for the largest FPDU in sight. Return: false if there is no memory now. */
static bool grow(struct siw_rx *rx)
{
	u32 size = max_t(u32, roundup_pow_of_two(rx->carry_want), CARRY_MIN);
	unsigned int noio = memalloc_noio_save();
	u8 *bigger;

	/* Who reclaims memory may wait for our queue: try again without any. */
	bigger = kvmalloc(size, GFP_KERNEL | __GFP_RETRY_MAYFAIL |
				__GFP_NOWARN);
	memalloc_noio_restore(noio);
	if (!bigger)
		return false;
	memcpy(bigger, rx->carry, rx->carry_len);
	kvfree(rx->carry);
	rx->carry = bigger;
	rx->carry_size = size;
	/* Pairs with carry(), which does not look at the buffer before this. */
	smp_store_release(&rx->carry_want, 0);
	return true;
}

static void read_on(struct work_struct *work)
{
	struct siw_qp *qp = container_of(to_delayed_work(work), struct siw_qp,
					 rx.read_on);
	/* Pairs with the release in carry(). */
	bool wanted = smp_load_acquire(&qp->rx.carry_want);

	if (wanted && !grow(&qp->rx)) {
		queue_delayed_work(siw_data_wq, &qp->rx.read_on, 1);
		return;
	}
	siw_llp_poke(qp->llp);
	if (wanted)
		siw_qp_wake(qp);
}

/* The peer may close now: nothing is half received or still due. */
bool siw_rx_is_idle(const struct siw_qp *qp)
{
	const struct siw_rx *rx = &qp->rx;

	return !rx->carry_len && rx->ddp.tagged_op == SIW_DDP_NO_MSG &&
	       rx->ddp.queue[SIW_QN_SEND].op == SIW_DDP_NO_MSG &&
	       READ_ONCE(qp->orq_put) == READ_ONCE(qp->orq_get);
}

void siw_rx_init(struct siw_qp *qp)
{
	siw_ddp_rx_init(&qp->rx.ddp);
	qp->rx.mr.dev = siw_qp_dev(qp);
	INIT_DELAYED_WORK(&qp->rx.read_on, read_on);
}

/* The receiver is stopped: the receive it was in the middle of is flushed. */
void siw_rx_stop(struct siw_qp *qp)
{
	struct siw_completion comp = {
		.id = qp->rx.rqe.id,
		.qp = &qp->base,
		.opcode = SIW_OP_RECEIVE,
		.status = SIW_WC_WR_FLUSH_ERR,
	};

	cancel_delayed_work_sync(&qp->rx.read_on);
	if (qp->rx.rqe_taken)
		siw_cq_tell(qp->rcq, siw_qp_complete(qp, qp->rcq, &comp));
	qp->rx.rqe_taken = false;
	kvfree(qp->rx.carry);
	qp->rx.carry = NULL;
	qp->rx.carry_size = 0;
	qp->rx.carry_len = 0;
	qp->rx.carry_want = 0;
}
