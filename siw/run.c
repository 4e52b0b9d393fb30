// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * FPDUs in the middle of a message: they come by the dozen, look alike, and
 * their octets go to one region, which is looked up once.
 */
#include "run.h"
#include "trace.h"

/* Is it the segment that has to come now, and where does it go? */
static bool run_target(const struct siw_run *run, u64 *to)
{
	const struct siw_qp *qp = run->qp;
	const struct siw_seg *seg = &run->seg;
	const struct siw_orq_entry *orqe;

	if (!seg->tagged) {
		*to = run->base + seg->mo;
		return seg->mo == qp->rx.ddp.queue[SIW_QN_SEND].mo &&
		       seg->len <= run->end - seg->mo;
	}
	*to = seg->to;
	if (seg->op == SIW_RDMAP_WRITE)
		return true;
	orqe = &qp->orq[qp->orq_get & qp->orq_mask];
	return siw_rdmap_check_read_rsp(&orqe->sink, seg) == SIW_OK;
}

/* The segment is taken; it is not the last one of its message. */
static void run_advance(struct siw_run *run)
{
	const struct siw_seg *seg = &run->seg;
	struct siw_qp *qp = run->qp;

	if (!seg->tagged)
		qp->rx.ddp.queue[SIW_QN_SEND].mo += seg->len;
	else if (seg->op == SIW_RDMAP_READ_RSP)
		qp->orq[qp->orq_get & qp->orq_mask].sink.done += seg->len;
}

/* Place the segment of an FPDU that does not lie in a row. */
static void run_place(const struct siw_run *run, const struct siw_mr *mr, u64 to)
{
	struct cursor cur = run->cur;
	u32 n, left;

	cursor_skip(&cur, SIW_MPA_LEN_LEN + run->seg.hdr_len);
	for (left = run->seg.len; left; left -= n) {
		const u8 *p;

		n = left;
		p = cursor_next(&cur, &n);
		siw_mr_copy_to(mr, to, p, n);
		to += n;
	}
}

/*
 * The length and header of the next FPDU, which are at @p if they lie in a row.
 * As in decode(): the sender may still write to the original.
 */
static void run_header(const struct siw_run *run,
		       u8 hdr[SIW_MPA_LEN_LEN + SIW_DDP_UNTAGGED_LEN],
		       const u8 *p, u32 len)
{
	struct cursor cur;

	if (p) {
		memcpy(hdr, p, SIW_MPA_LEN_LEN + SIW_DDP_UNTAGGED_LEN);
		return;
	}
	cur = run->cur;
	cursor_copy(&cur, hdr, len);
}

/* @p: where the FPDU is, if it lies in a row */
static bool run_crc_ok(const struct siw_run *run, const u8 *p, u16 ulpdu_len)
{
	return cursor_crc_ok(p ? (struct cursor) { .lin = p } : run->cur,
			     ulpdu_len);
}

/*
 * FPDU by FPDU.  One that is not plainly the next of its message is left to
 * receive(), which knows what is wrong with it.
 */
static void run_on(const struct siw_mr *mr, void *arg)
{
	struct siw_run *run = arg;
	struct siw_qp *qp = run->qp;
	struct siw_seg *seg = &run->seg;
	u32 hdr_len = SIW_MPA_LEN_LEN + seg->hdr_len;

	/* The rest of it is looked at for each segment. */
	if (!mr || siw_access_check(&mr->region, run->stag, mr->pd == run->pd,
				    mr->region.base, 0, run->want) !=
		   SIW_ACCESS_OK)
		return;
	while (run->len - run->done > hdr_len && siw_qp_receives(qp)) {
		u8 hdr[SIW_MPA_LEN_LEN + SIW_DDP_UNTAGGED_LEN];
		u16 ulpdu_len;
		const u8 *p;
		u32 row, n;
		u64 to;

		p = cursor_settle(&run->cur, &row);
		run_header(run, hdr, row < sizeof(hdr) ? NULL : p, hdr_len);
		ulpdu_len = get_unaligned_be16(hdr);
		n = siw_mpa_fpdu_len(ulpdu_len);
		if (n > row && cursor_reach(&run->cur, p, row, n) < n)
			p = NULL;
		if (n > run->len - run->done || !siw_mpa_len_ok(ulpdu_len) ||
		    !siw_ddp_follow(seg, run->hdr, hdr + SIW_MPA_LEN_LEN,
				    ulpdu_len) ||
		    !run_target(run, &to) ||
		    (qp->rx.mpa.crc && !run_crc_ok(run, p, ulpdu_len)) ||
		    !siw_access_again(&mr->region, to, seg->len))
			return;
		qp->rx.fpdus++;
		qp->rx.bytes += ulpdu_len;
		if (trace_siw_rx_fpdu_enabled())
			trace_siw_rx_fpdu(&qp->base, seg,
					  siw_llp_cookie(qp->llp),
					  siw_llp_acked(qp->llp));
		if (p)
			siw_mr_copy_to(mr, to, p + hdr_len, seg->len);
		else
			run_place(run, mr, to);
		run_advance(run);
		trace_siw_placed(&qp->base, seg);
		if (n <= row)
			run->cur.off += n;
		else
			cursor_skip(&run->cur, n);
		run->done += n;
	}
}

/* Where the octets behind a segment of a Send go */
static bool run_of_send(struct siw_run *run)
{
	const struct siw_rqe *rqe = &run->qp->rx.rqe;
	u32 next = run->seg.mo + run->seg.len;
	struct siw_qp *qp = run->qp;
	u8 i;

	run->pd = qp->srq ? qp->srq->base.pd : qp->base.pd;
	run->end = 0;
	for (i = 0; i < rqe->num_sge; i++) {
		run->from = run->end;
		run->end += rqe->sge[i].length;
		if (next >= run->end)
			continue;
		run->stag = rqe->sge[i].lkey;
		run->base = rqe->sge[i].laddr - run->from;
		return true;
	}
	return false;
}

/**
 * siw_run_behind() - go on with the message that @run->seg did not end
 * @run: the run, with @qp, @seg, @cur, @len and @done
 *
 * Context: the socket is locked.
 */
void siw_run_behind(struct siw_run *run)
{
	const struct siw_seg *seg = &run->seg;
	struct siw_qp *qp = run->qp;

	run->want = SIW_ACCESS_LOCAL_WRITE;
	if (seg->tagged) {
		run->pd = qp->base.pd;
		run->stag = seg->stag;
		if (seg->op == SIW_RDMAP_WRITE) {
			run->want = SIW_ACCESS_REMOTE_WRITE;
			if (!(READ_ONCE(qp->access) & SIW_ACCESS_REMOTE_WRITE))
				return;
		}
	} else if (seg->qn != SIW_QN_SEND || !run_of_send(run)) {
		return;
	}
	siw_ddp_encode(run->hdr, seg);
	siw_mr_hold(&qp->rx.mr, run->stag, run_on, run);
}
