// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Work requests, Read Responses and Terminates become FPDUs in tx.buf.
 */
#include "burst.h"
#include "qp.h"
#include "trace.h"

static enum siw_access put_sges(struct siw_burst *burst, u32 n)
{
	struct siw_tx *tx = &burst->qp->tx;
	const struct siw_sqe *sqe = &tx->sqe;
	enum siw_access verdict = SIW_ACCESS_OK;

	if (sqe->flags & SIW_WQE_INLINE) {
		siw_burst_put((u8 *)&sqe->sge[1] + burst->done, n, burst);
		return SIW_ACCESS_OK;
	}
	while (n && verdict == SIW_ACCESS_OK) {
		const struct siw_sge *sge = &sqe->sge[tx->sge];
		u32 part = min(n, sge->length - tx->sge_done);

		if (part)
			verdict = siw_mr_access(&tx->mr, burst->qp->base.pd,
						sge->lkey,
						sge->laddr + tx->sge_done,
						part, 0, siw_burst_put, burst);
		n -= part;
		tx->sge_done += part;
		if (tx->sge_done == sge->length) {
			tx->sge++;
			tx->sge_done = 0;
		}
	}
	return verdict;
}

/* The work request cannot be done: complete it, end the stream. */
static void fail_wqe(struct siw_qp *qp, enum siw_wc_status status)
{
	siw_count(siw_qp_dev(qp), SIW_CNT_LOCAL_ERR);
	qp->tx.fetched = false;
	qp->tx.msg = SIW_TX_NONE;
	siw_sq_done(qp, qp->sq.fetch - 1, status);
	siw_qp_fault(qp, SIW_FAULT_RDMAP_LOCAL, NULL, 0, 0);
}

static void wqe_finished(struct siw_qp *qp)
{
	qp->tx.fetched = false;
	qp->tx.msg = SIW_TX_NONE;
	qp->tx.last = SIW_TX_WQE;
}

/* FPDUs of a Send or Write */
static int put_wqe(struct siw_qp *qp)
{
	struct siw_tx *tx = &qp->tx;
	struct siw_burst burst = {
		.qp = qp,
		.seg.op = siw_ring_rdmap_op(&tx->sqe),
		.len = tx->len,
		.done = tx->done,
	};
	struct siw_seg *seg = &burst.seg;
	int n;

	if (seg->op == SIW_RDMAP_WRITE) {
		seg->tagged = true;
		seg->hdr_len = SIW_DDP_TAGGED_LEN;
		seg->stag = tx->sqe.rkey;
		burst.to = tx->sqe.raddr;
	} else {
		seg->hdr_len = SIW_DDP_UNTAGGED_LEN;
		if (siw_rdmap_op_info(seg->op)->invalidate)
			seg->stag = tx->sqe.rkey;
		seg->qn = SIW_QN_SEND;
		seg->msn = tx->msn[SIW_QN_SEND];
	}
	n = siw_burst_begin(&burst);
	if (n < 0)
		return n;
	if (put_sges(&burst, n) != SIW_ACCESS_OK) {
		siw_burst_undo(&burst);
		fail_wqe(qp, SIW_WC_LOC_PROT_ERR);
		return 0;
	}
	if (!tx->len)
		siw_burst_empty(&burst);

	tx->done = burst.done;
	tx->msg = SIW_TX_WQE;
	if (seg->last) {
		if (!seg->tagged)
			tx->msn[SIW_QN_SEND]++;
		wqe_finished(qp);
	}
	return 0;
}

static bool orq_has_room(struct siw_qp *qp)
{
	/* Pairs with the release of the receiver in orq_pop(). */
	return qp->orq_put - smp_load_acquire(&qp->orq_get) < qp->ord;
}

static bool orq_is_empty(struct siw_qp *qp)
{
	/* Pairs with the release of the receiver in orq_pop(). */
	return qp->orq_put == smp_load_acquire(&qp->orq_get);
}

static void count_stall(struct siw_qp *qp)
{
	siw_count(siw_qp_dev(qp), SIW_CNT_TX_STALL);
	trace_siw_stall(&qp->base, qp->orq_put - READ_ONCE(qp->orq_get),
			qp->ord);
}

/*
 * True if a Read, or what TCP has not taken yet, has to complete first.  Announce
 * the wait, then look again: the receiver pops first and then looks whether
 * anybody waits.
 */
static bool waits_for_read(struct siw_qp *qp, bool (*ready)(struct siw_qp *qp))
{
	bool waited = READ_ONCE(qp->tx.stalled);

	if (ready(qp))
		return false;
	WRITE_ONCE(qp->tx.stalled, true);
	/* Pairs with the barrier in orq_pop(). */
	smp_mb();
	if (!ready(qp)) {
		if (!waited && !orq_is_empty(qp))
			count_stall(qp);
		return true;
	}
	WRITE_ONCE(qp->tx.stalled, false);
	return false;
}

static int put_read_request(struct siw_qp *qp, const struct siw_read_req *req,
			    bool inval)
{
	struct siw_orq_entry *orqe = &qp->orq[qp->orq_put & qp->orq_mask];
	struct siw_seg seg = {
		.op = SIW_RDMAP_READ_REQ,
		.hdr_len = SIW_DDP_UNTAGGED_LEN,
		.qn = SIW_QN_READ,
		.msn = qp->tx.msn[SIW_QN_READ],
	};
	u8 hdr[SIW_READ_REQ_LEN];
	int err;

	siw_read_req_encode(hdr, req);
	err = siw_burst_small(qp, &seg, hdr, sizeof(hdr));
	if (err)
		return err;
	orqe->sink.stag = req->sink_stag;
	orqe->sink.to = req->sink_to;
	orqe->sink.len = req->len;
	orqe->sink.done = 0;
	orqe->index = qp->sq.fetch - 1;
	orqe->inval = inval;
	/* Pairs with the acquire of the receiver. */
	smp_store_release(&qp->orq_put, qp->orq_put + 1);
	WRITE_ONCE(qp->orq_high, max(qp->orq_high,
				     qp->orq_put - READ_ONCE(qp->orq_get)));
	qp->tx.msn[SIW_QN_READ]++;
	return 0;
}

static int put_read(struct siw_qp *qp)
{
	const struct siw_sqe *sqe = &qp->tx.sqe;
	struct siw_read_req req = {
		.len = qp->tx.len,
		.src_stag = sqe->rkey,
		.src_to = sqe->raddr,
	};
	int err;

	if (sqe->num_sge) {
		req.sink_stag = sqe->sge[0].lkey;
		req.sink_to = sqe->sge[0].laddr;
	}
	if (req.len &&
	    siw_mr_access(&qp->tx.mr, qp->base.pd, req.sink_stag,
			  req.sink_to, req.len, SIW_ACCESS_LOCAL_WRITE, NULL,
			  NULL) != SIW_ACCESS_OK) {
		fail_wqe(qp, SIW_WC_LOC_PROT_ERR);
		return 0;
	}
	err = put_read_request(qp, &req, sqe->opcode == SIW_OP_READ_LOCAL_INV);
	if (!err)
		wqe_finished(qp);
	return err;
}

/* REG_MR and LOCAL_INV take effect in queue order and send nothing. */
static void do_local(struct siw_qp *qp)
{
	struct siw_device *dev = siw_qp_dev(qp);
	const struct siw_sqe *sqe = &qp->tx.sqe;
	int err;

	if (sqe->opcode == SIW_OP_REG_MR)
		err = siw_mr_enable(dev, qp->base.pd,
				    to_siw_mr((struct ib_mr *)(uintptr_t)
					      sqe->base_mr),
				    sqe->rkey, sqe->access);
	else
		err = siw_mr_invalidate_local(dev, qp->base.pd, sqe->rkey);
	if (err) {
		fail_wqe(qp, SIW_WC_LOC_QP_OP_ERR);
		return;
	}
	siw_count(dev, SIW_CNT_LOCAL_OP);
	wqe_finished(qp);
}

/* Take the next work request; false if there is none that may start. */
static bool fetch_wqe(struct siw_qp *qp)
{
	struct siw_tx *tx = &qp->tx;
	enum siw_wc_status status;

	if (!tx->fetched) {
		/* The oldest of too many outstanding requests is a Read. */
		if ((!siw_sq_has_room(qp) &&
		     waits_for_read(qp, siw_sq_has_room)) ||
		    !siw_sq_fetch(qp, &tx->sqe))
			return false;
		tx->fetched = true;
		tx->done = 0;
		tx->sge = 0;
		tx->sge_done = 0;
		status = siw_ring_check_sqe(&tx->sqe, qp->sq.mmap, &tx->len);
		if (status == SIW_WC_SUCCESS && !qp->ord &&
		    siw_is_read(tx->sqe.opcode))
			status = SIW_WC_LOC_QP_OP_ERR;
		if (status != SIW_WC_SUCCESS) {
			fail_wqe(qp, status);
			return false;
		}
		qp->sq.entry[(qp->sq.fetch - 1) & (qp->sq.num - 1)].len =
			tx->len;
		trace_siw_start(&qp->base, &tx->sqe, tx->len);
	}
	return !(tx->sqe.flags & SIW_WQE_READ_FENCE &&
		 waits_for_read(qp, orq_is_empty)) &&
	       !(siw_is_read(tx->sqe.opcode) &&
		 waits_for_read(qp, orq_has_room));
}

static int next_wqe(struct siw_qp *qp)
{
	switch (qp->tx.sqe.opcode) {
	case SIW_OP_READ:
	case SIW_OP_READ_LOCAL_INV:
		return put_read(qp);
	case SIW_OP_REG_MR:
	case SIW_OP_INVAL_STAG:
		do_local(qp);
		return 0;
	default:
		return put_wqe(qp);
	}
}

/* The source of a Read Response went away: say so with its request. */
static void fail_response(struct siw_qp *qp, const struct siw_read_req *req,
			  enum siw_access verdict)
{
	struct siw_seg seg = {
		.op = SIW_RDMAP_READ_REQ,
		.last = true,
		.hdr_len = SIW_DDP_UNTAGGED_LEN,
		.qn = SIW_QN_READ,
		.msn = qp->irq_get + 1,
	};
	struct siw_read_req rest = *req;
	u8 ulpdu[SIW_DDP_UNTAGGED_LEN + SIW_READ_REQ_LEN];

	rest.sink_to += qp->tx.rsp_done;
	rest.src_to += qp->tx.rsp_done;
	rest.len -= qp->tx.rsp_done;
	siw_ddp_encode(ulpdu, &seg);
	siw_read_req_encode(ulpdu + SIW_DDP_UNTAGGED_LEN, &rest);
	qp->tx.msg = SIW_TX_NONE;
	siw_qp_fault(qp, siw_access_fault(verdict, SIW_LAYER_RDMAP), ulpdu,
		     sizeof(ulpdu), sizeof(ulpdu));
}

/* FPDUs of the oldest Read Response */
static int put_response(struct siw_qp *qp)
{
	struct siw_read_req *req = &qp->irq[qp->irq_get & qp->irq_mask];
	enum siw_access verdict = SIW_ACCESS_OK;
	struct siw_tx *tx = &qp->tx;
	struct siw_burst burst = {
		.qp = qp,
		.seg = {
			.op = SIW_RDMAP_READ_RSP,
			.tagged = true,
			.hdr_len = SIW_DDP_TAGGED_LEN,
			.stag = req->sink_stag,
		},
		.to = req->sink_to,
		.len = req->len,
	};
	int n;

	if (tx->msg != SIW_TX_RESPONSE)
		tx->rsp_done = 0;
	burst.done = tx->rsp_done;
	n = siw_burst_begin(&burst);
	if (n < 0)
		return n;
	if (n) {
		verdict = siw_mr_access(&tx->mr, qp->base.pd,
					req->src_stag, req->src_to + burst.done,
					n, SIW_ACCESS_REMOTE_READ, siw_burst_put,
					&burst);
	} else {
		siw_burst_empty(&burst);
	}
	if (verdict != SIW_ACCESS_OK) {
		fail_response(qp, req, verdict);
		return 0;
	}

	tx->rsp_done = burst.done;
	tx->msg = SIW_TX_RESPONSE;
	if (burst.seg.last) {
		tx->msg = SIW_TX_NONE;
		tx->last = SIW_TX_RESPONSE;
		/* Pairs with the acquire of the receiver. */
		smp_store_release(&qp->irq_get, qp->irq_get + 1);
	}
	return 0;
}

/* The initiator's first message: RFC 6581 section 9.2 */
static int put_rtr(struct siw_qp *qp)
{
	struct siw_seg seg = {};
	struct siw_read_req req = {};
	int err;

	if (qp->tx.rtr == SIW_RTR_READ) {
		err = put_read_request(qp, &req, false);
	} else if (qp->tx.rtr == SIW_RTR_SEND) {
		seg.op = SIW_RDMAP_SEND;
		seg.hdr_len = SIW_DDP_UNTAGGED_LEN;
		seg.msn = qp->tx.msn[SIW_QN_SEND];
		err = siw_burst_small(qp, &seg, NULL, 0);
		qp->tx.msn[SIW_QN_SEND] += !err;
	} else {
		seg.op = SIW_RDMAP_WRITE;
		seg.tagged = true;
		seg.hdr_len = SIW_DDP_TAGGED_LEN;
		err = siw_burst_small(qp, &seg, NULL, 0);
	}
	if (!err)
		qp->tx.rtr = 0;
	return err;
}

/* Return: 0 or -ENOMEM. */
int siw_build_terminate(struct siw_qp *qp)
{
	u8 ulpdu[SIW_TERM_ULPDU_MAX];
	struct siw_term term;
	struct siw_seg seg = {
		.op = SIW_RDMAP_TERMINATE,
		.hdr_len = SIW_DDP_UNTAGGED_LEN,
		.qn = SIW_QN_TERM,
		.msn = 1,
	};
	size_t n;
	int err;

	spin_lock_bh(&qp->lock);
	term = qp->term;
	spin_unlock_bh(&qp->lock);
	n = siw_term_encode(ulpdu, &term);
	err = siw_burst_small(qp, &seg, ulpdu + SIW_DDP_UNTAGGED_LEN,
			      n - SIW_DDP_UNTAGGED_LEN);
	if (err)
		return err;
	siw_count(siw_qp_dev(qp), SIW_CNT_TX_TERM);
	siw_count(siw_qp_dev(qp), SIW_CNT_TX_TERM_RDMAP + term.layer);
	trace_siw_terminate_sent(&qp->base, &term);
	qp->tx.msg = SIW_TX_TERMINATE;
	return 0;
}

/**
 * siw_build_one() - add FPDUs of one message, or do one local operation
 * @qp: the QP; the caller owns its transmitter
 *
 * A message is never broken open for another; between messages responses and
 * work requests take turns (RFC 5041 section 5.3, RFC 5040 section 5.5).
 *
 * Return: 1 if something was done, 0 if there is nothing to do, or -ENOMEM.
 */
int siw_build_one(struct siw_qp *qp)
{
	struct siw_tx *tx = &qp->tx;
	bool response;
	int err;

	if (tx->rtr) {
		err = put_rtr(qp);
	} else if (tx->msg == SIW_TX_WQE) {
		err = put_wqe(qp);
	} else if (tx->msg == SIW_TX_RESPONSE) {
		err = put_response(qp);
	} else {
		response = siw_qp_owes_response(qp);
		if ((!response || tx->last == SIW_TX_RESPONSE) &&
		    fetch_wqe(qp))
			err = next_wqe(qp);
		else if (response && siw_qp_receives(qp))
			err = put_response(qp);
		else
			return 0;
	}
	return err ? err : 1;
}
