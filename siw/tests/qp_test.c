// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Queue pairs: whose they are, what ends their stream and who hears of it, and
 * that one which begins anew has forgotten everything.
 */
#include <linux/slab.h>

#include "fake.h"

#define WQES	4

/**
 * struct qp_fixture - a queue pair, and what was heard of it
 * @dev: its device
 * @cq: its completion queue
 * @qp: the queue pair
 * @ctrl: what a provider would see
 * @llp: of a stream that is up; nobody looks into it
 * @events: calls of its event handler
 * @event: the last one
 * @flags_then: @ctrl when its completions were told of
 * @wakes: how often its owner was woken
 * @seen: its state then
 * @reason: what the first request that is flushed would be told then
 */
struct qp_fixture {
	struct siw_device *dev;
	struct siw_fake_cq *cq;
	struct siw_qp *qp;
	struct siw_qp_ctrl ctrl;
	struct siw_llp llp;
	unsigned int events;
	enum ib_event_type event;
	u32 flags_then;
	unsigned int wakes;
	enum siw_qp_state seen;
	u8 reason;
};

static void qp_event(struct ib_event *event, void *arg)
{
	struct qp_fixture *fix = arg;

	fix->events++;
	fix->event = event->event;
}

static void completion(struct ib_cq *base, void *arg)
{
	struct qp_fixture *fix = arg;

	fix->flags_then = READ_ONCE(fix->ctrl.flags);
}

static void free_depths(void *arg)
{
	struct siw_qp *qp = arg;

	kfree(qp->irq);
	kfree(qp->orq);
}

static int qp_init(struct kunit *test)
{
	struct qp_fixture *fix = kunit_kzalloc(test, sizeof(*fix), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fix);
	test->priv = fix;
	fix->dev = siw_fake_device(test);
	fix->cq = siw_fake_cq(test, fix->dev, 4 * WQES);
	fix->cq->cq.base.comp_handler = completion;
	fix->cq->cq.base.cq_context = fix;
	fix->qp = siw_fake_qp(test, fix->cq, WQES);
	fix->qp->sq.ctrl = &fix->ctrl;
	fix->qp->base.event_handler = qp_event;
	fix->qp->base.qp_context = fix;
	return kunit_add_action_or_reset(test, free_depths, fix->qp);
}

/* A stream on which nothing may be sent: the transmitter looks at no socket. */
static void start(struct kunit *test)
{
	struct qp_fixture *fix = test->priv;

	siw_fake_start(test, fix->qp, &fix->llp);
}

static void post(struct kunit *test, u64 id)
{
	struct qp_fixture *fix = test->priv;
	const struct ib_send_wr send = { .wr_id = id, .opcode = IB_WR_SEND };
	const struct ib_recv_wr recv = { .wr_id = id + 1 };
	const struct ib_send_wr *bad_send;
	const struct ib_recv_wr *bad_recv;

	KUNIT_ASSERT_EQ(test, 0, siw_sq_post(fix->qp, &send, &bad_send));
	KUNIT_ASSERT_EQ(test, 0, siw_rq_post(&fix->qp->rq, SIW_MAX_SGE, &recv,
					     &bad_recv));
}

/* How many work requests have come back, all of them flushed */
static int flushed(struct kunit *test)
{
	struct qp_fixture *fix = test->priv;
	struct ib_wc wc[4 * WQES];
	int n = siw_cq_poll(&fix->cq->cq.base, ARRAY_SIZE(wc), wc), i;

	for (i = 0; i < n; i++)
		KUNIT_EXPECT_EQ(test, IB_WC_WR_FLUSH_ERR, wc[i].status);
	return n;
}

static void count_wake(void *owner)
{
	++*(unsigned int *)owner;
}

static const struct siw_qp_ops owner_ops = {
	.wake = count_wake,
};

static void look(void *owner)
{
	struct qp_fixture *fix = owner;

	fix->wakes++;
	fix->seen = siw_qp_state(fix->qp);
	fix->reason = READ_ONCE(fix->qp->sq.peer_status);
}

/* It may look on another CPU at once: what it is woken for is there. */
static void owner_hears_of_changes(struct kunit *test)
{
	static const struct siw_qp_ops ops = { .wake = look };
	struct qp_fixture *fix = test->priv;
	struct siw_qp *qp = fix->qp;

	KUNIT_ASSERT_EQ(test, 0, siw_qp_claim(qp, fix, &ops));
	KUNIT_EXPECT_TRUE(test, siw_qp_event(qp, SIW_QP_EV_CLOSE));
	KUNIT_EXPECT_EQ(test, 0, fix->wakes);	/* IDLE still */
	start(test);
	KUNIT_EXPECT_EQ(test, 1, fix->wakes);
	KUNIT_EXPECT_EQ(test, SIW_QP_RTS, fix->seen);
	KUNIT_EXPECT_FALSE(test, siw_qp_event(qp, SIW_QP_EV_START));
	KUNIT_EXPECT_EQ(test, 1, fix->wakes);
	siw_qp_event(qp, SIW_QP_EV_LOST);
	KUNIT_EXPECT_EQ(test, 2, fix->wakes);
	KUNIT_EXPECT_EQ(test, SIW_QP_ERROR, fix->seen);
	KUNIT_EXPECT_EQ(test, 1, siw_fake_count(fix->dev, SIW_CNT_STREAM_LOST));
	siw_qp_event(qp, SIW_QP_EV_LOST);
	KUNIT_EXPECT_EQ(test, 2, fix->wakes);
	KUNIT_EXPECT_EQ(test, 1, siw_fake_count(fix->dev, SIW_CNT_STREAM_LOST));
	siw_qp_stop(qp, fix);
	siw_qp_unclaim(qp);
	siw_qp_wake(qp);
	KUNIT_EXPECT_EQ(test, 2, fix->wakes);
}

/* Each direction has room for its own depth, and a power of two. */
static void provides_for_its_reads(struct kunit *test)
{
	static const struct {
		u32 ird;
		u32 ord;
		u32 irq;
		u32 orq;
	} rows[] = {
		{ 0, 0, 1, 1 }, { 1, 2, 1, 2 }, { 3, 5, 4, 8 }, { 64, 1, 64, 1 },
		{ SIW_MAX_RD_ATOM, 0, SIW_MAX_RD_ATOM, 1 },
	};
	struct qp_fixture *fix = test->priv;
	struct siw_qp *qp = fix->qp;
	int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		KUNIT_ASSERT_EQ(test, 0, siw_qp_depths(qp, rows[i].ird,
						       rows[i].ord));
		KUNIT_EXPECT_EQ(test, rows[i].irq - 1, qp->irq_mask);
		KUNIT_EXPECT_EQ(test, rows[i].orq - 1, qp->orq_mask);
		memset(qp->irq, 0xff, rows[i].irq * sizeof(*qp->irq));
		memset(qp->orq, 0xff, rows[i].orq * sizeof(*qp->orq));
	}
}

/* What the peer is told is the first fault, whoever found it. */
static void first_fault_wins(struct kunit *test)
{
	struct qp_fixture *fix = test->priv;
	struct siw_qp *qp = fix->qp;
	struct siw_term term;

	start(test);
	mutex_lock(&qp->tx.lock);		/* nothing goes out */
	siw_qp_fault(qp, SIW_FAULT_RDMAP_ACCESS, NULL, 0, 0);
	KUNIT_EXPECT_EQ(test, SIW_QP_TERMINATE, siw_qp_state(qp));
	siw_qp_fault(qp, SIW_FAULT_MPA_CRC, NULL, 0, 0);
	KUNIT_EXPECT_EQ(test, SIW_FAULT_RDMAP_ACCESS, qp->fault);
	KUNIT_EXPECT_EQ(test, SIW_LAYER_RDMAP, qp->term.layer);
	siw_term_fill(&term, SIW_FAULT_MPA_CRC, NULL, 0, 0);
	siw_qp_terminated(qp, &term);
	KUNIT_EXPECT_EQ(test, SIW_QP_ERROR, siw_qp_state(qp));
	KUNIT_EXPECT_EQ(test, SIW_FAULT_RDMAP_ACCESS, qp->fault);
	KUNIT_EXPECT_EQ(test, SIW_LAYER_RDMAP, qp->term.layer);
	KUNIT_EXPECT_FALSE(test, qp->by_peer);
	mutex_unlock(&qp->tx.lock);
	siw_qp_stop(qp, NULL);
}

/* The peer's Terminate: the stream is over, and nothing is found behind it. */
static void peers_fault_wins_if_it_is_first(struct kunit *test)
{
	struct qp_fixture *fix = test->priv;
	struct siw_qp *qp = fix->qp;
	struct siw_term term;

	start(test);
	/* It has come, and who received it has not said so yet. */
	qp->fault = SIW_FAULT_DDP_STAG;
	qp->by_peer = true;
	siw_qp_fault(qp, SIW_FAULT_RDMAP_LOCAL, NULL, 0, 0);
	KUNIT_EXPECT_EQ(test, SIW_QP_RTS, siw_qp_state(qp));
	siw_term_fill(&term, SIW_FAULT_DDP_STAG, NULL, 0, 0);
	siw_qp_terminated(qp, &term);
	KUNIT_EXPECT_EQ(test, SIW_QP_ERROR, siw_qp_state(qp));
	siw_qp_fault(qp, SIW_FAULT_RDMAP_LOCAL, NULL, 0, 0);
	KUNIT_EXPECT_EQ(test, SIW_FAULT_DDP_STAG, qp->fault);
	KUNIT_EXPECT_TRUE(test, qp->by_peer);
	siw_qp_stop(qp, NULL);
}

/* What is found while it closes ends it, what is found behind its end does not. */
static void is_ended_once(struct kunit *test)
{
	struct qp_fixture *fix = test->priv;
	struct siw_qp *qp = fix->qp;

	start(test);
	mutex_lock(&qp->tx.lock);		/* nothing goes out */
	siw_qp_event(qp, SIW_QP_EV_CLOSE);
	siw_qp_fault(qp, SIW_FAULT_MPA_CRC, NULL, 0, 0);
	KUNIT_EXPECT_EQ(test, SIW_FAULT_MPA_CRC, qp->fault);
	KUNIT_EXPECT_EQ(test, SIW_LAYER_MPA, qp->term.layer);
	siw_qp_event(qp, SIW_QP_EV_FAIL);
	mutex_unlock(&qp->tx.lock);
	siw_qp_stop(qp, NULL);
	KUNIT_ASSERT_EQ(test, 0, siw_qp_reset(qp));
	start(test);
	siw_qp_event(qp, SIW_QP_EV_FAIL);
	siw_qp_fault(qp, SIW_FAULT_MPA_CRC, NULL, 0, 0);
	KUNIT_EXPECT_EQ(test, SIW_OK, qp->fault);
	siw_qp_stop(qp, NULL);
	siw_qp_report(qp);
	KUNIT_EXPECT_EQ(test, 0, fix->events);	/* nor of a last element */
}

/* Who is woken may flush at once: the first request says what the peer said. */
static void reason_is_there_before_the_news(struct kunit *test)
{
	static const struct siw_qp_ops ops = { .wake = look };
	struct qp_fixture *fix = test->priv;
	struct siw_qp *qp = fix->qp;
	struct siw_term term;

	KUNIT_ASSERT_EQ(test, 0, siw_qp_claim(qp, fix, &ops));
	start(test);
	siw_term_fill(&term, SIW_FAULT_DDP_STAG, NULL, 0, 0);
	siw_qp_terminated(qp, &term);
	KUNIT_EXPECT_EQ(test, SIW_QP_ERROR, fix->seen);
	KUNIT_EXPECT_EQ(test, SIW_WC_REM_ACCESS_ERR, fix->reason);
	siw_qp_stop(qp, fix);
	siw_qp_unclaim(qp);
}

/* What the one who posted is told, and the event, of each fault by name */
static const struct told_row {
	enum siw_fault from;
	enum siw_fault to;
	u8 status;
	enum ib_event_type event;
} told_rows[] = {
	{ SIW_FAULT_RDMAP_LOCAL, SIW_FAULT_RDMAP_LOCAL,
	  SIW_WC_GENERAL_ERR, IB_EVENT_QP_FATAL },
	{ SIW_FAULT_RDMAP_STAG, SIW_FAULT_RDMAP_INVALIDATE,
	  SIW_WC_REM_ACCESS_ERR, IB_EVENT_QP_ACCESS_ERR },
	{ SIW_FAULT_RDMAP_VERSION, SIW_FAULT_RDMAP_OPCODE,
	  SIW_WC_REM_INV_REQ_ERR, IB_EVENT_QP_REQ_ERR },
	{ SIW_FAULT_RDMAP_STREAM, SIW_FAULT_DDP_LOCAL,
	  SIW_WC_GENERAL_ERR, IB_EVENT_QP_FATAL },
	{ SIW_FAULT_DDP_STAG, SIW_FAULT_DDP_WRAP,
	  SIW_WC_REM_ACCESS_ERR, IB_EVENT_QP_ACCESS_ERR },
	{ SIW_FAULT_DDP_T_VERSION, SIW_FAULT_DDP_U_VERSION,
	  SIW_WC_REM_INV_REQ_ERR, IB_EVENT_QP_REQ_ERR },
	{ SIW_FAULT_MPA_LOST, SIW_FAULT_MPA_RTR,
	  SIW_WC_GENERAL_ERR, IB_EVENT_QP_FATAL },
};

static void says_what_ended_it(struct kunit *test)
{
	struct qp_fixture *fix = test->priv;
	struct siw_qp *qp = fix->qp;
	struct siw_term term;
	int i, fault, n = 0;

	siw_qp_report(qp);
	KUNIT_EXPECT_EQ(test, 0, fix->events);
	for (i = 0; i < ARRAY_SIZE(told_rows); i++) {
		const struct told_row *row = &told_rows[i];

		for (fault = row->from; fault <= row->to; fault++) {
			siw_term_fill(&term, fault, NULL, 0, 0);
			qp->fault = SIW_OK;
			siw_qp_terminated(qp, &term);
			KUNIT_EXPECT_EQ(test, fault, qp->fault);
			KUNIT_EXPECT_EQ_MSG(test, row->status,
					    qp->sq.peer_status, "%s",
					    siw_fault_name(fault));
			siw_qp_report(qp);
			KUNIT_EXPECT_EQ(test, ++n, fix->events);
			KUNIT_EXPECT_EQ_MSG(test, row->event, fix->event, "%s",
					    siw_fault_name(fault));
		}
	}
	KUNIT_EXPECT_EQ(test, SIW_FAULTS - 1, n);
}

/* Who is not its owner any more, or not yet, ends no other's stream. */
static void stops_for_its_owner_only(struct kunit *test)
{
	struct qp_fixture *fix = test->priv;
	struct siw_qp *qp = fix->qp;
	unsigned int owner = 0;

	KUNIT_ASSERT_EQ(test, 0, siw_qp_claim(qp, &owner, &owner_ops));
	start(test);
	post(test, 1);
	siw_qp_stop(qp, &owner);		/* not in ERROR */
	KUNIT_EXPECT_EQ(test, 0, flushed(test));
	siw_qp_event(qp, SIW_QP_EV_FAIL);
	siw_qp_stop(qp, NULL);
	KUNIT_EXPECT_EQ(test, 0, flushed(test));
	KUNIT_EXPECT_FALSE(test, siw_qp_is_stopped(qp));
	siw_qp_stop(qp, &owner);
	KUNIT_EXPECT_EQ(test, 2, flushed(test));
	KUNIT_EXPECT_TRUE(test, siw_qp_is_stopped(qp));
	siw_qp_unclaim(qp);
}

static void leaves_nothing_when_it_stops(struct kunit *test)
{
	struct qp_fixture *fix = test->priv;
	struct siw_qp *qp = fix->qp;

	start(test);
	post(test, 1);
	KUNIT_ASSERT_EQ(test, 0, siw_txbuf_reserve(fix->dev, &qp->tx.buf, 9));
	siw_txbuf_put(&qp->tx.buf, "an octet ", 9);
	qp->rx.carry = kvmalloc(100, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, qp->rx.carry);
	qp->rx.carry_size = 100;
	qp->rx.carry_len = 10;
	qp->rx.carry_want = 200;
	qp->rx.rqe_taken = true;
	qp->tx.fetched = true;
	qp->tx.msg = SIW_TX_RESPONSE;
	siw_qp_event(qp, SIW_QP_EV_FAIL);
	siw_qp_stop(qp, NULL);
	/* The receive it was in the middle of comes back as well. */
	KUNIT_EXPECT_EQ(test, 3, flushed(test));
	KUNIT_EXPECT_EQ(test, 0, qp->tx.buf.len);
	KUNIT_EXPECT_EQ(test, 0, qp->tx.buf.num);
	KUNIT_EXPECT_FALSE(test, qp->tx.fetched);
	KUNIT_EXPECT_EQ(test, SIW_TX_NONE, qp->tx.msg);
	KUNIT_EXPECT_NULL(test, qp->rx.carry);
	KUNIT_EXPECT_EQ(test, 0, qp->rx.carry_size);
	KUNIT_EXPECT_EQ(test, 0, qp->rx.carry_len);
	KUNIT_EXPECT_EQ(test, 0, qp->rx.carry_want);
	KUNIT_EXPECT_FALSE(test, qp->rx.rqe_taken);
	KUNIT_EXPECT_EQ(test, qp->sq.fetch, qp->sq.sent);
}

/* What was to find it memory is called off: it would find a queue pair that is gone. */
static void looks_for_no_memory_when_it_stopped(struct kunit *test)
{
	struct qp_fixture *fix = test->priv;
	struct siw_qp *qp = fix->qp;

	start(test);
	queue_delayed_work(siw_data_wq, &qp->rx.read_on, 10 * HZ);
	siw_qp_event(qp, SIW_QP_EV_FAIL);
	siw_qp_stop(qp, NULL);
	KUNIT_EXPECT_FALSE(test, cancel_delayed_work_sync(&qp->rx.read_on));
}

/* Who sleeps until something completes wakes up for it, also if it is all there is. */
static void tells_of_the_receive_it_was_in(struct kunit *test)
{
	struct qp_fixture *fix = test->priv;

	start(test);
	fix->qp->rx.rqe_taken = true;
	fix->flags_then = U32_MAX;	/* nothing was told of */
	siw_cq_arm(&fix->cq->cq.base, IB_CQ_NEXT_COMP);
	siw_qp_event(fix->qp, SIW_QP_EV_FAIL);
	siw_qp_stop(fix->qp, NULL);
	KUNIT_EXPECT_NE(test, U32_MAX, fix->flags_then);
	KUNIT_EXPECT_EQ(test, 1, flushed(test));
}

/* A provider posts and looks meanwhile: one of the two sees the other. */
static void says_that_it_stopped_before_it_flushes(struct kunit *test)
{
	struct qp_fixture *fix = test->priv;

	start(test);
	post(test, 1);
	siw_cq_arm(&fix->cq->cq.base, IB_CQ_NEXT_COMP);
	siw_qp_event(fix->qp, SIW_QP_EV_FAIL);
	siw_qp_stop(fix->qp, NULL);
	KUNIT_EXPECT_EQ(test, SIW_QP_CTRL_STOPPED, fix->flags_then);
	KUNIT_EXPECT_EQ(test, 2, flushed(test));
}

/* Who drains a shared queue waits for it; of one that is destroyed nobody hears. */
static void tells_its_last_element_once(struct kunit *test)
{
	struct qp_fixture *fix = test->priv;
	struct siw_srq *srq = kunit_kzalloc(test, sizeof(*srq), GFP_KERNEL);
	struct siw_qp *qp = fix->qp;

	KUNIT_ASSERT_NOT_NULL(test, srq);
	qp->srq = srq;
	start(test);
	siw_qp_event(qp, SIW_QP_EV_FAIL);
	siw_qp_stop(qp, NULL);
	KUNIT_EXPECT_EQ(test, 1, fix->events);
	KUNIT_EXPECT_EQ(test, IB_EVENT_QP_LAST_WQE_REACHED, fix->event);
	siw_qp_stop(qp, NULL);
	KUNIT_EXPECT_EQ(test, 1, fix->events);
	KUNIT_ASSERT_EQ(test, 0, siw_qp_reset(qp));
	start(test);
	WRITE_ONCE(qp->dying, true);
	siw_qp_event(qp, SIW_QP_EV_FAIL);
	siw_qp_stop(qp, NULL);
	KUNIT_EXPECT_EQ(test, 1, fix->events);
	qp->srq = NULL;
}

static void does_not_begin_anew_too_early(struct kunit *test)
{
	struct qp_fixture *fix = test->priv;
	struct siw_qp *qp = fix->qp;
	unsigned int owner = 0;

	KUNIT_ASSERT_EQ(test, 0, siw_qp_claim(qp, &owner, &owner_ops));
	KUNIT_EXPECT_EQ(test, -EBUSY, siw_qp_reset(qp));
	start(test);
	KUNIT_EXPECT_EQ(test, -EBUSY, siw_qp_reset(qp));
	siw_qp_event(qp, SIW_QP_EV_FAIL);
	KUNIT_EXPECT_EQ(test, -EBUSY, siw_qp_reset(qp));
	siw_qp_unclaim(qp);
	/* Its socket is still looked at. */
	KUNIT_EXPECT_EQ(test, -EBUSY, siw_qp_reset(qp));
	KUNIT_EXPECT_EQ(test, SIW_QP_ERROR, siw_qp_state(qp));
	siw_qp_stop(qp, NULL);
	KUNIT_EXPECT_EQ(test, 0, siw_qp_reset(qp));
	KUNIT_EXPECT_EQ(test, SIW_QP_IDLE, siw_qp_state(qp));
	KUNIT_EXPECT_EQ(test, IB_QPS_RESET, qp->ib_state);
}

/* As a stream leaves it that ended in the middle of everything. */
static void use_up(struct siw_qp *qp)
{
	u32 qn;

	for (qn = 0; qn < SIW_QNS; qn++) {
		qp->tx.msn[qn] = 7;
		qp->rx.ddp.queue[qn] = (struct siw_ddp_queue) {
			.msn = 7, .mo = 100, .op = SIW_RDMAP_SEND,
		};
	}
	qp->rx.ddp.tagged_op = SIW_RDMAP_WRITE;
	qp->rx.fpdus = 5;
	qp->tx.pos = 5;
	qp->tx.fpdus = 5;
	qp->tx.last = SIW_TX_RESPONSE;
	qp->tx.stalled = true;
	qp->fault = SIW_FAULT_MPA_CRC;
	qp->by_peer = true;
	qp->orq_put = 5;
	qp->orq_get = 3;
	qp->orq_high = 2;
	qp->irq_put = 6;
	qp->irq_get = 4;
	qp->irq_high = 2;
	qp->sq.peer_status = SIW_WC_REM_ACCESS_ERR;
}

static void forgets_its_stream(struct kunit *test)
{
	struct qp_fixture *fix = test->priv;
	struct siw_qp *qp = fix->qp;
	u32 qn;

	use_up(qp);
	KUNIT_ASSERT_EQ(test, 0, siw_qp_reset(qp));
	for (qn = 0; qn < SIW_QNS; qn++) {
		KUNIT_EXPECT_EQ(test, 1, qp->tx.msn[qn]);
		KUNIT_EXPECT_EQ(test, 1, qp->rx.ddp.queue[qn].msn);
		KUNIT_EXPECT_EQ(test, 0, qp->rx.ddp.queue[qn].mo);
		KUNIT_EXPECT_EQ(test, SIW_DDP_NO_MSG, qp->rx.ddp.queue[qn].op);
	}
	KUNIT_EXPECT_EQ(test, SIW_DDP_NO_MSG, qp->rx.ddp.tagged_op);
	KUNIT_EXPECT_EQ(test, 0, qp->rx.fpdus);
	KUNIT_EXPECT_EQ(test, 0, qp->tx.pos);
	KUNIT_EXPECT_EQ(test, 0, qp->tx.fpdus);
	KUNIT_EXPECT_EQ(test, SIW_TX_NONE, qp->tx.last);
	KUNIT_EXPECT_FALSE(test, qp->tx.stalled);
	KUNIT_EXPECT_EQ(test, SIW_OK, qp->fault);
	KUNIT_EXPECT_FALSE(test, qp->by_peer);
	KUNIT_EXPECT_EQ(test, 0, qp->orq_put);
	KUNIT_EXPECT_EQ(test, 0, qp->orq_get);
	KUNIT_EXPECT_EQ(test, 0, qp->orq_high);
	KUNIT_EXPECT_EQ(test, 0, qp->irq_put);
	KUNIT_EXPECT_EQ(test, 0, qp->irq_get);
	KUNIT_EXPECT_EQ(test, 0, qp->irq_high);
	KUNIT_EXPECT_EQ(test, SIW_WC_SUCCESS, qp->sq.peer_status);
}

static void forgets_what_was_posted(struct kunit *test)
{
	struct qp_fixture *fix = test->priv;
	struct siw_qp *qp = fix->qp;
	struct siw_sqe sqe;

	fix->ctrl.flags = SIW_QP_CTRL_STOPPED;
	post(test, 1);
	post(test, 3);
	KUNIT_ASSERT_TRUE(test, siw_sq_fetch(qp, &sqe));
	KUNIT_ASSERT_EQ(test, 0, siw_qp_reset(qp));
	KUNIT_EXPECT_EQ(test, 0, fix->ctrl.flags);
	KUNIT_EXPECT_TRUE(test, siw_sq_is_idle(qp));
	KUNIT_EXPECT_EQ(test, qp->sq.fetch, qp->sq.sent);
	KUNIT_EXPECT_EQ(test, 0, qp->sq.high);
	KUNIT_EXPECT_EQ(test, 0, siw_rq_available(qp));
	siw_qp_event(qp, SIW_QP_EV_FAIL);
	siw_qp_stop(qp, NULL);
	KUNIT_EXPECT_EQ(test, 0, flushed(test));
}

static void forgets_full_queues(struct kunit *test)
{
	struct qp_fixture *fix = test->priv;
	u64 id;

	for (id = 0; id < WQES; id++)
		post(test, id);
	KUNIT_ASSERT_EQ(test, 0, siw_qp_reset(fix->qp));
	KUNIT_EXPECT_TRUE(test, siw_sq_is_idle(fix->qp));
	KUNIT_EXPECT_EQ(test, 0, siw_rq_available(fix->qp));
}

/* Not before what is posted, owed or on its way is gone */
static void is_drained_when_all_is_gone(struct kunit *test)
{
	struct qp_fixture *fix = test->priv;
	struct siw_qp *qp = fix->qp;

	start(test);
	KUNIT_EXPECT_TRUE(test, siw_qp_is_drained(qp));
	post(test, 1);
	KUNIT_EXPECT_FALSE(test, siw_qp_is_drained(qp));
	siw_sq_forget(qp);
	KUNIT_EXPECT_TRUE(test, siw_qp_is_drained(qp));
	qp->irq_put++;
	KUNIT_EXPECT_FALSE(test, siw_qp_is_drained(qp));
	qp->irq_get++;
	KUNIT_ASSERT_EQ(test, 0, siw_txbuf_reserve(fix->dev, &qp->tx.buf, 1));
	siw_txbuf_put(&qp->tx.buf, "x", 1);
	KUNIT_EXPECT_FALSE(test, siw_qp_is_drained(qp));
	siw_txbuf_drop(&qp->tx.buf);
	KUNIT_EXPECT_TRUE(test, siw_qp_is_drained(qp));
	siw_qp_event(qp, SIW_QP_EV_FAIL);
	siw_qp_stop(qp, NULL);
}

/* The peer may close when nothing is half received or still due. */
static void is_idle_between_messages(struct kunit *test)
{
	struct qp_fixture *fix = test->priv;
	struct siw_qp *qp = fix->qp;

	KUNIT_EXPECT_TRUE(test, siw_rx_is_idle(qp));
	qp->rx.carry_len = 1;
	KUNIT_EXPECT_FALSE(test, siw_rx_is_idle(qp));
	qp->rx.carry_len = 0;
	qp->rx.ddp.tagged_op = SIW_RDMAP_WRITE;
	KUNIT_EXPECT_FALSE(test, siw_rx_is_idle(qp));
	qp->rx.ddp.tagged_op = SIW_DDP_NO_MSG;
	qp->rx.ddp.queue[SIW_QN_SEND].op = SIW_RDMAP_SEND;
	KUNIT_EXPECT_FALSE(test, siw_rx_is_idle(qp));
	qp->rx.ddp.queue[SIW_QN_SEND].op = SIW_DDP_NO_MSG;
	qp->orq_put++;
	KUNIT_EXPECT_FALSE(test, siw_rx_is_idle(qp));
	qp->orq_get++;
	KUNIT_EXPECT_TRUE(test, siw_rx_is_idle(qp));
}

/* A poster that finds the transmitter taken leaves its work to who has it. */
static void loses_no_look(struct kunit *test)
{
	struct qp_fixture *fix = test->priv;
	struct siw_qp *qp = fix->qp;

	mutex_lock(&qp->tx.lock);
	siw_tx_run(qp);
	mutex_unlock(&qp->tx.lock);
	KUNIT_EXPECT_TRUE(test, test_bit(0, &qp->tx.again));
	siw_qp_is_drained(qp);
	flush_delayed_work(&qp->tx.work);
	KUNIT_EXPECT_FALSE(test, test_bit(0, &qp->tx.again));
}

/* Nobody rings a doorbell for a kernel user. */
static void post_sets_it_to_work(struct kunit *test)
{
	struct qp_fixture *fix = test->priv;
	const struct ib_send_wr wr = { .opcode = IB_WR_SEND };
	const struct ib_send_wr *bad;

	siw_qp_event(fix->qp, SIW_QP_EV_FAIL);
	KUNIT_ASSERT_EQ(test, 0, siw_sq_post(fix->qp, &wr, &bad));
	flush_delayed_work(&fix->qp->tx.work);
	KUNIT_EXPECT_EQ(test, 1, flushed(test));
}

/* What was taken of a list is done, though the rest was refused. */
static void half_a_list_sets_it_to_work(struct kunit *test)
{
	struct qp_fixture *fix = test->priv;
	struct ib_send_wr refused = { .opcode = IB_WR_LSO };
	const struct ib_send_wr wr = { .opcode = IB_WR_SEND, .next = &refused };
	const struct ib_send_wr *bad;

	siw_qp_event(fix->qp, SIW_QP_EV_FAIL);
	KUNIT_ASSERT_EQ(test, -EINVAL, siw_sq_post(fix->qp, &wr, &bad));
	KUNIT_EXPECT_PTR_EQ(test, &refused, bad);
	flush_delayed_work(&fix->qp->tx.work);
	KUNIT_EXPECT_EQ(test, 1, flushed(test));
}

static struct kunit_case qp_cases[] = {
	KUNIT_CASE(owner_hears_of_changes),
	KUNIT_CASE(provides_for_its_reads),
	KUNIT_CASE(first_fault_wins),
	KUNIT_CASE(peers_fault_wins_if_it_is_first),
	KUNIT_CASE(is_ended_once),
	KUNIT_CASE(reason_is_there_before_the_news),
	KUNIT_CASE(says_what_ended_it),
	KUNIT_CASE(stops_for_its_owner_only),
	KUNIT_CASE(leaves_nothing_when_it_stops),
	KUNIT_CASE(looks_for_no_memory_when_it_stopped),
	KUNIT_CASE(tells_of_the_receive_it_was_in),
	KUNIT_CASE(says_that_it_stopped_before_it_flushes),
	KUNIT_CASE(tells_its_last_element_once),
	KUNIT_CASE(does_not_begin_anew_too_early),
	KUNIT_CASE(forgets_its_stream),
	KUNIT_CASE(forgets_what_was_posted),
	KUNIT_CASE(forgets_full_queues),
	KUNIT_CASE(is_drained_when_all_is_gone),
	KUNIT_CASE(is_idle_between_messages),
	KUNIT_CASE(loses_no_look),
	KUNIT_CASE(post_sets_it_to_work),
	KUNIT_CASE(half_a_list_sets_it_to_work),
	{}
};

static struct kunit_suite qp_suite = {
	.name = "siw_qp",
	.init = qp_init,
	.test_cases = qp_cases,
};

kunit_test_suite(qp_suite);
