// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Send and receive queues: order, wrap-around, a full queue, completion, flush.
 */
#include "fake.h"
#include "../qp.h"

#define WQES	4

struct ring_fixture {
	struct siw_device *dev;
	struct siw_fake_cq *cq;
	struct siw_qp *qp;
	struct siw_srq *srq;
	unsigned int limits;
};

static void srq_event(struct ib_event *event, void *arg)
{
	struct ring_fixture *fix = arg;

	if (event->event == IB_EVENT_SRQ_LIMIT_REACHED)
		fix->limits++;
}

static int ring_init(struct kunit *test)
{
	struct ring_fixture *fix = kunit_kzalloc(test, sizeof(*fix),
						 GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fix);
	test->priv = fix;
	fix->dev = siw_fake_device(test);
	fix->cq = siw_fake_cq(test, fix->dev, 4 * WQES);
	fix->qp = siw_fake_qp(test, fix->cq, WQES);
	return 0;
}

/* The QP takes its receives from a shared queue from now on. */
static void share(struct kunit *test)
{
	struct ring_fixture *fix = test->priv;
	struct siw_srq *srq = kunit_kzalloc(test, sizeof(*srq), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, srq);
	srq->rq.num = WQES;
	srq->rq.ring = kunit_kcalloc(test, WQES, sizeof(*srq->rq.ring),
				     GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, srq->rq.ring);
	siw_srq_init(srq, true);
	srq->base.device = &fix->dev->base;
	srq->base.event_handler = srq_event;
	srq->base.srq_context = fix;
	fix->srq = srq;
	fix->qp->srq = srq;
}

/* Sends: one scatter entry, signalled, numbered */

static int post_send(struct ring_fixture *fix, u64 id)
{
	struct ib_sge sge = { .addr = 0x1000, .length = 10, .lkey = 0x77 };
	const struct ib_send_wr wr = {
		.wr_id = id,
		.sg_list = &sge,
		.num_sge = 1,
		.opcode = IB_WR_SEND,
		.send_flags = IB_SEND_SIGNALED,
	};
	const struct ib_send_wr *bad = NULL;
	int err = siw_sq_post(fix->qp, &wr, &bad);

	return err && bad != &wr ? 1 : err;
}

static void expect_fetched(struct kunit *test, u64 id)
{
	struct ring_fixture *fix = test->priv;
	struct siw_sqe sqe;

	KUNIT_ASSERT_TRUE(test, siw_sq_fetch(fix->qp, &sqe));
	KUNIT_EXPECT_EQ(test, id, sqe.id);
	KUNIT_EXPECT_EQ(test, SIW_OP_SEND, sqe.opcode);
	KUNIT_EXPECT_EQ(test, 1, sqe.num_sge);
	KUNIT_EXPECT_EQ(test, 10, sqe.sge[0].length);
}

static bool fetch(struct ring_fixture *fix)
{
	struct siw_sqe sqe;

	return siw_sq_fetch(fix->qp, &sqe);
}

static void expect_completed(struct kunit *test, u64 id,
			     enum ib_wc_status status)
{
	struct ring_fixture *fix = test->priv;
	struct ib_wc wc;

	KUNIT_ASSERT_EQ(test, 1, siw_cq_poll(&fix->cq->cq.base, 1, &wc));
	KUNIT_EXPECT_EQ(test, id, wc.wr_id);
	KUNIT_EXPECT_EQ(test, status, wc.status);
	KUNIT_EXPECT_PTR_EQ(test, &fix->qp->base, wc.qp);
}

static void expect_nothing_completed(struct kunit *test)
{
	struct ring_fixture *fix = test->priv;
	struct ib_wc wc;

	KUNIT_EXPECT_EQ(test, 0, siw_cq_poll(&fix->cq->cq.base, 1, &wc));
}

static void sq_starts_at(struct ring_fixture *fix, u32 index)
{
	fix->qp->sq.put = index;
	fix->qp->sq.fetch = index;
	fix->qp->sq.sent = index;
	fix->qp->sq.comp = index;
}

static void sq_keeps_order_around_its_end(struct kunit *test)
{
	struct ring_fixture *fix = test->priv;
	u64 id;

	sq_starts_at(fix, -(2 * WQES + 1));
	for (id = 0; id < 6 * WQES; id += 3) {
		KUNIT_EXPECT_EQ(test, 0, post_send(fix, id));
		KUNIT_EXPECT_EQ(test, 0, post_send(fix, id + 1));
		KUNIT_EXPECT_EQ(test, 0, post_send(fix, id + 2));
		KUNIT_EXPECT_FALSE(test, siw_sq_is_idle(fix->qp));
		expect_fetched(test, id);
		expect_fetched(test, id + 1);
		expect_fetched(test, id + 2);
		KUNIT_EXPECT_FALSE(test, fetch(fix));
		siw_sq_sent(fix->qp, fix->qp->sq.fetch);
		expect_completed(test, id, IB_WC_SUCCESS);
		expect_completed(test, id + 1, IB_WC_SUCCESS);
		expect_completed(test, id + 2, IB_WC_SUCCESS);
		KUNIT_EXPECT_TRUE(test, siw_sq_is_idle(fix->qp));
	}
	expect_nothing_completed(test);
}

static void sq_is_full_until_completion(struct kunit *test)
{
	struct ring_fixture *fix = test->priv;
	u64 id;

	for (id = 0; id < WQES; id++)
		KUNIT_EXPECT_EQ(test, 0, post_send(fix, id));
	KUNIT_EXPECT_EQ(test, -ENOMEM, post_send(fix, id));
	for (id = 0; id < WQES; id++)
		expect_fetched(test, id);
	/* Fetched is not complete. */
	KUNIT_EXPECT_FALSE(test, siw_sq_has_room(fix->qp));
	KUNIT_EXPECT_EQ(test, -ENOMEM, post_send(fix, id));
	siw_sq_sent(fix->qp, 1);
	KUNIT_EXPECT_TRUE(test, siw_sq_has_room(fix->qp));
	KUNIT_EXPECT_EQ(test, 0, post_send(fix, WQES));
	KUNIT_EXPECT_EQ(test, -ENOMEM, post_send(fix, WQES + 1));
	expect_completed(test, 0, IB_WC_SUCCESS);
	expect_nothing_completed(test);
}

static void sq_post_takes_what_fits_of_a_list(struct kunit *test)
{
	struct ring_fixture *fix = test->priv;
	struct ib_send_wr wr[WQES + 2] = {};
	const struct ib_send_wr *bad = NULL;
	int i;

	for (i = 0; i < ARRAY_SIZE(wr); i++) {
		wr[i].wr_id = i;
		wr[i].opcode = IB_WR_SEND;
		wr[i].next = i + 1 < ARRAY_SIZE(wr) ? &wr[i + 1] : NULL;
	}
	KUNIT_EXPECT_EQ(test, -ENOMEM, siw_sq_post(fix->qp, wr, &bad));
	KUNIT_EXPECT_PTR_EQ(test, &wr[WQES], bad);
	KUNIT_EXPECT_EQ(test, WQES, fix->qp->sq.put);
}

static void sq_post_refuses_nonsense(struct kunit *test)
{
	struct ring_fixture *fix = test->priv;
	struct ib_sge sge[SIW_MAX_SGE] = {};
	struct ib_send_wr wr = { .sg_list = sge };
	const struct ib_send_wr *bad;
	int op;

	for (op = 0; op < 256; op++) {
		bool known = op == IB_WR_RDMA_WRITE || op == IB_WR_SEND ||
			     op == IB_WR_RDMA_READ ||
			     op == IB_WR_SEND_WITH_INV ||
			     op == IB_WR_RDMA_READ_WITH_INV ||
			     op == IB_WR_LOCAL_INV || op == IB_WR_REG_MR;

		if (known)
			continue;
		wr.opcode = op;
		KUNIT_EXPECT_EQ_MSG(test, -EINVAL,
				    siw_sq_post(fix->qp, &wr, &bad),
				    "opcode %d", op);
	}
	wr.opcode = IB_WR_SEND;
	wr.num_sge = SIW_MAX_SGE + 1;
	KUNIT_EXPECT_EQ(test, -EINVAL, siw_sq_post(fix->qp, &wr, &bad));
	wr.num_sge = -1;
	KUNIT_EXPECT_EQ(test, -EINVAL, siw_sq_post(fix->qp, &wr, &bad));
	wr.num_sge = 2;
	sge[0].length = SIW_MSG_MAX;
	sge[1].length = 1;
	KUNIT_EXPECT_EQ(test, -EINVAL, siw_sq_post(fix->qp, &wr, &bad));
	KUNIT_EXPECT_EQ(test, 0, fix->qp->sq.put);
	KUNIT_EXPECT_FALSE(test, fetch(fix));
}

/* As many elements as were asked for, though a queue has room for more */
static void post_takes_what_was_granted(struct kunit *test)
{
	struct ring_fixture *fix = test->priv;
	struct ib_sge sge[3] = {};
	struct ib_send_wr send = { .opcode = IB_WR_SEND, .sg_list = sge };
	struct ib_recv_wr recv = { .sg_list = sge };
	const struct ib_send_wr *bad_send;
	const struct ib_recv_wr *bad_recv;
	int n;

	fix->qp->max_send_sge = 2;
	for (n = 2; n <= 3; n++) {
		send.num_sge = n;
		recv.num_sge = n;
		KUNIT_EXPECT_EQ(test, n == 2 ? 0 : -EINVAL,
				siw_sq_post(fix->qp, &send, &bad_send));
		KUNIT_EXPECT_EQ(test, n == 2 ? 0 : -EINVAL,
				siw_rq_post(&fix->qp->rq, 2, &recv, &bad_recv));
	}
}

/* What is asked for, and the element that the transmitter finds */
static const struct asked_row {
	enum ib_wr_opcode op;
	int flags;
	u8 want_op;
	u16 want_flags;
} asked_rows[] = {
	{ IB_WR_SEND, 0, SIW_OP_SEND, 0 },
	{ IB_WR_SEND, IB_SEND_SIGNALED, SIW_OP_SEND, SIW_WQE_SIGNALLED },
	{ IB_WR_SEND, IB_SEND_SOLICITED, SIW_OP_SEND, SIW_WQE_SOLICITED },
	{ IB_WR_SEND, IB_SEND_FENCE, SIW_OP_SEND, SIW_WQE_READ_FENCE },
	{ IB_WR_SEND_WITH_INV, 0, SIW_OP_SEND_REMOTE_INV, 0 },
	{ IB_WR_RDMA_WRITE, 0, SIW_OP_WRITE, 0 },
	{ IB_WR_RDMA_READ, 0, SIW_OP_READ, 0 },
	{ IB_WR_RDMA_READ_WITH_INV, 0, SIW_OP_READ_LOCAL_INV, 0 },
	{ IB_WR_LOCAL_INV, IB_SEND_FENCE, SIW_OP_INVAL_STAG,
	  SIW_WQE_READ_FENCE },
};

static void sq_post_says_what_was_asked(struct kunit *test)
{
	struct ring_fixture *fix = test->priv;
	const struct ib_send_wr *bad;
	struct siw_sqe sqe;
	int i;

	for (i = 0; i < ARRAY_SIZE(asked_rows); i++) {
		const struct asked_row *row = &asked_rows[i];
		bool rdma = row->want_op <= SIW_OP_READ_LOCAL_INV;
		bool local = row->op == IB_WR_LOCAL_INV;
		struct ib_sge sge = {
			.addr = 0x1234, .length = 10, .lkey = 0x77,
		};
		const struct ib_rdma_wr wr = {
			.wr = {
				.wr_id = i,
				.sg_list = &sge,
				.num_sge = !local,
				.opcode = row->op,
				.send_flags = row->flags,
				.ex.invalidate_rkey = 0x55,
			},
			.remote_addr = 0x123456789abcdef0,
			.rkey = 0x66,
		};

		KUNIT_ASSERT_EQ(test, 0, siw_sq_post(fix->qp, &wr.wr, &bad));
		KUNIT_ASSERT_TRUE(test, siw_sq_fetch(fix->qp, &sqe));
		KUNIT_EXPECT_EQ(test, i, sqe.id);
		KUNIT_EXPECT_EQ(test, row->want_op, sqe.opcode);
		KUNIT_EXPECT_EQ(test, row->want_flags | SIW_WQE_VALID,
				sqe.flags);
		if (row->op != IB_WR_SEND)
			KUNIT_EXPECT_EQ(test, rdma ? 0x66 : 0x55, sqe.rkey);
		KUNIT_EXPECT_EQ(test, rdma ? wr.remote_addr : 0, sqe.raddr);
		KUNIT_EXPECT_EQ(test, !local, sqe.num_sge);
		KUNIT_EXPECT_EQ(test, local ? 0 : 0x1234, sqe.sge[0].laddr);
		KUNIT_EXPECT_EQ(test, local ? 0 : 10, sqe.sge[0].length);
		KUNIT_EXPECT_EQ(test, local ? 0 : 0x77, sqe.sge[0].lkey);
		siw_sq_done(fix->qp, fix->qp->sq.fetch - 1, SIW_WC_SUCCESS);
	}
}

static void sq_post_copies_inline_data(struct kunit *test)
{
	struct ring_fixture *fix = test->priv;
	u8 octets[SIW_MAX_INLINE + 1];
	struct ib_sge sge[2] = {
		{ .addr = (uintptr_t)octets, .length = 50 },
		{ .addr = (uintptr_t)octets + 50,
		  .length = SIW_MAX_INLINE - 50 },
	};
	struct ib_send_wr wr = {
		.sg_list = sge, .num_sge = 2,
		.opcode = IB_WR_SEND, .send_flags = IB_SEND_INLINE,
	};
	const struct ib_send_wr *bad;
	struct siw_sqe sqe;
	int i;

	for (i = 0; i < sizeof(octets); i++)
		octets[i] = i;
	KUNIT_EXPECT_EQ(test, 0, siw_sq_post(fix->qp, &wr, &bad));
	KUNIT_ASSERT_TRUE(test, siw_sq_fetch(fix->qp, &sqe));
	KUNIT_EXPECT_EQ(test, SIW_MAX_INLINE, sqe.sge[0].length);
	KUNIT_EXPECT_MEMEQ(test, octets, &sqe.sge[1], SIW_MAX_INLINE);
	sge[1].length++;
	KUNIT_EXPECT_EQ(test, -EINVAL, siw_sq_post(fix->qp, &wr, &bad));
	wr.opcode = IB_WR_SEND_WITH_INV;
	KUNIT_EXPECT_EQ(test, -EINVAL, siw_sq_post(fix->qp, &wr, &bad));
}

static void sq_completes_in_order(struct kunit *test)
{
	struct ring_fixture *fix = test->priv;
	u32 i;

	for (i = 0; i < 3; i++) {
		post_send(fix, i);
		expect_fetched(test, i);
	}
	/* The first is a Read, whose end is told by its response. */
	fix->qp->sq.entry[0].opcode = SIW_OP_READ;
	siw_sq_sent(fix->qp, 3);
	expect_nothing_completed(test);
	siw_sq_done(fix->qp, 0, SIW_WC_SUCCESS);
	for (i = 0; i < 3; i++)
		expect_completed(test, i, IB_WC_SUCCESS);
	expect_nothing_completed(test);
}

/* A Response that was forged may come before TCP has its Request. */
static void sq_completes_nothing_with_what_is_gone(struct kunit *test)
{
	struct ring_fixture *fix = test->priv;
	u32 i;

	for (i = 0; i < WQES; i++) {
		post_send(fix, i);
		expect_fetched(test, i);
	}
	fix->qp->sq.entry[0].opcode = SIW_OP_READ;
	siw_sq_done(fix->qp, 0, SIW_WC_SUCCESS);
	expect_completed(test, 0, IB_WC_SUCCESS);
	/* The entry of the Read is that of a Send, which is not in TCP's hands yet. */
	post_send(fix, WQES);
	expect_fetched(test, WQES);
	siw_sq_sent(fix->qp, WQES);
	for (i = 1; i < WQES; i++)
		expect_completed(test, i, IB_WC_SUCCESS);
	expect_nothing_completed(test);
	siw_sq_sent(fix->qp, WQES + 1);
	expect_completed(test, WQES, IB_WC_SUCCESS);
}

/* The most that were outstanding, and not how many are now */
static void sq_remembers_the_most(struct kunit *test)
{
	struct ring_fixture *fix = test->priv;
	u32 i;

	for (i = 0; i < 4; i++) {
		post_send(fix, i);
		expect_fetched(test, i);
		if (i == 2)
			siw_sq_sent(fix->qp, 3);
	}
	KUNIT_EXPECT_EQ(test, 3, fix->qp->sq.high);
}

/* An element that was used before is not complete when it is used again. */
static void sq_entries_begin_anew(struct kunit *test)
{
	struct ring_fixture *fix = test->priv;
	u32 i;

	for (i = 0; i < WQES; i++) {
		post_send(fix, i);
		expect_fetched(test, i);
		siw_sq_done(fix->qp, i, SIW_WC_LOC_PROT_ERR);
		expect_completed(test, i, IB_WC_LOC_PROT_ERR);
	}
	post_send(fix, WQES);
	post_send(fix, WQES + 1);
	expect_fetched(test, WQES);
	expect_fetched(test, WQES + 1);
	siw_sq_done(fix->qp, WQES + 1, SIW_WC_SUCCESS);
	expect_nothing_completed(test);
	siw_sq_sent(fix->qp, fix->qp->sq.fetch);
	expect_completed(test, WQES, IB_WC_SUCCESS);
	expect_completed(test, WQES + 1, IB_WC_SUCCESS);
}

/* An index that is not outstanding shares its entry with one that is. */
static void sq_completes_only_what_is_outstanding(struct kunit *test)
{
	struct ring_fixture *fix = test->priv;
	u32 i;

	sq_starts_at(fix, WQES);
	for (i = 0; i < WQES; i++) {
		post_send(fix, i);
		expect_fetched(test, i);
	}
	siw_sq_done(fix->qp, 0, SIW_WC_SUCCESS);
	siw_sq_done(fix->qp, 2 * WQES, SIW_WC_SUCCESS);
	siw_sq_done(fix->qp, U32_MAX, SIW_WC_SUCCESS);
	expect_nothing_completed(test);
	siw_sq_done(fix->qp, WQES, SIW_WC_SUCCESS);
	expect_completed(test, 0, IB_WC_SUCCESS);
	expect_nothing_completed(test);
}

static void sq_tells_of_unsignalled_only_failures(struct kunit *test)
{
	struct ring_fixture *fix = test->priv;
	u32 i;

	for (i = 0; i < 3; i++) {
		post_send(fix, i);
		expect_fetched(test, i);
		fix->qp->sq.entry[i].signalled = false;
	}
	siw_sq_done(fix->qp, 0, SIW_WC_SUCCESS);
	expect_nothing_completed(test);
	siw_sq_done(fix->qp, 1, SIW_WC_LOC_PROT_ERR);
	expect_completed(test, 1, IB_WC_LOC_PROT_ERR);
	siw_sq_done(fix->qp, 2, SIW_WC_SUCCESS);
	expect_nothing_completed(test);
	KUNIT_EXPECT_TRUE(test, siw_sq_is_idle(fix->qp));
}

static void sq_flushes_all_in_order(struct kunit *test)
{
	struct ring_fixture *fix = test->priv;
	u64 id;

	for (id = 0; id < WQES; id++)
		post_send(fix, id);
	expect_fetched(test, 0);
	expect_fetched(test, 1);
	fix->qp->sq.peer_status = SIW_WC_REM_ACCESS_ERR;
	siw_cq_arm(&fix->cq->cq.base, IB_CQ_NEXT_COMP);
	siw_sq_flush(fix->qp);
	/* The first says what went wrong at the peer. */
	expect_completed(test, 0, IB_WC_REM_ACCESS_ERR);
	for (id = 1; id < WQES; id++)
		expect_completed(test, id, IB_WC_WR_FLUSH_ERR);
	expect_nothing_completed(test);
	KUNIT_EXPECT_EQ(test, 1, fix->cq->fired);
	KUNIT_EXPECT_TRUE(test, siw_sq_is_idle(fix->qp));
}

/* A mapped queue: opcodes that do not fit are told as Sends. */
static void sq_user_opcodes_are_not_believed(struct kunit *test)
{
	struct ring_fixture *fix = test->priv;
	struct siw_mmap_entry mapped = {};
	int op;

	fix->qp->sq.mmap = &mapped;
	for (op = 0; op < 256; op++) {
		u32 at = fix->qp->sq.fetch & (WQES - 1);
		u8 want = op <= SIW_OP_SEND_REMOTE_INV ? op : SIW_OP_SEND;

		fix->qp->sq.ring[at].opcode = op;
		fix->qp->sq.ring[at].flags = SIW_WQE_VALID;
		KUNIT_ASSERT_TRUE(test, fetch(fix));
		KUNIT_EXPECT_EQ(test, 0, fix->qp->sq.ring[at].flags);
		KUNIT_EXPECT_EQ(test, want, fix->qp->sq.entry[at].opcode);
		siw_sq_done(fix->qp, fix->qp->sq.fetch - 1, SIW_WC_SUCCESS);
	}
	expect_nothing_completed(test);
}

/* Receives: two scatter entries, numbered */

static int post_recv(struct siw_rq *rq, u64 id)
{
	struct ib_sge sge[2] = {
		{ .addr = 0x1000, .length = 10, .lkey = 0x77 },
		{ .addr = 0x2000, .length = 20, .lkey = 0x88 },
	};
	const struct ib_recv_wr wr = {
		.wr_id = id,
		.sg_list = sge,
		.num_sge = 2,
	};
	const struct ib_recv_wr *bad = NULL;
	int err = siw_rq_post(rq, SIW_MAX_SGE, &wr, &bad);

	return err && bad != &wr ? 1 : err;
}

static void expect_taken(struct kunit *test, u64 id)
{
	struct ring_fixture *fix = test->priv;
	struct siw_rqe rqe;

	KUNIT_ASSERT_TRUE(test, siw_rq_take(fix->qp, &rqe));
	KUNIT_EXPECT_EQ(test, id, rqe.id);
	KUNIT_EXPECT_EQ(test, 2, rqe.num_sge);
	KUNIT_EXPECT_EQ(test, 0x2000, rqe.sge[1].laddr);
	KUNIT_EXPECT_EQ(test, 20, rqe.sge[1].length);
	KUNIT_EXPECT_EQ(test, 0x88, rqe.sge[1].lkey);
}

static bool take(struct ring_fixture *fix)
{
	struct siw_rqe rqe;

	return siw_rq_take(fix->qp, &rqe);
}

static void rq_keeps_order_around_its_end(struct kunit *test)
{
	struct ring_fixture *fix = test->priv;
	struct siw_rq *rq = &fix->qp->rq;
	u64 id;

	rq->put = -(2 * WQES + 1);
	rq->get = rq->put;
	for (id = 0; id < 6 * WQES; id += 3) {
		KUNIT_EXPECT_EQ(test, 0, post_recv(rq, id));
		KUNIT_EXPECT_EQ(test, 0, post_recv(rq, id + 1));
		KUNIT_EXPECT_EQ(test, 0, post_recv(rq, id + 2));
		KUNIT_EXPECT_EQ(test, 3, siw_rq_available(fix->qp));
		KUNIT_EXPECT_TRUE(test, siw_rq_is_posted(fix->qp, 2));
		KUNIT_EXPECT_FALSE(test, siw_rq_is_posted(fix->qp, 3));
		KUNIT_EXPECT_FALSE(test, siw_rq_is_posted(fix->qp, WQES));
		KUNIT_EXPECT_FALSE(test, siw_rq_is_posted(fix->qp, U32_MAX));
		expect_taken(test, id);
		expect_taken(test, id + 1);
		expect_taken(test, id + 2);
		KUNIT_EXPECT_FALSE(test, take(fix));
		KUNIT_EXPECT_EQ(test, 0, siw_rq_available(fix->qp));
	}
}

static void rq_is_full_until_taken(struct kunit *test)
{
	struct ring_fixture *fix = test->priv;
	struct siw_rq *rq = &fix->qp->rq;
	u64 id;

	for (id = 0; id < WQES; id++)
		KUNIT_EXPECT_EQ(test, 0, post_recv(rq, id));
	KUNIT_EXPECT_EQ(test, -ENOMEM, post_recv(rq, id));
	KUNIT_EXPECT_EQ(test, WQES, siw_rq_available(fix->qp));
	expect_taken(test, 0);
	KUNIT_EXPECT_EQ(test, 0, post_recv(rq, WQES));
	for (id = 1; id <= WQES; id++)
		expect_taken(test, id);
}

static void rq_post_refuses_nonsense(struct kunit *test)
{
	struct ring_fixture *fix = test->priv;
	struct ib_sge sge[SIW_MAX_SGE + 1] = {};
	struct ib_recv_wr wr = { .sg_list = sge };
	const struct ib_recv_wr *bad;

	wr.num_sge = SIW_MAX_SGE + 1;
	KUNIT_EXPECT_EQ(test, -EINVAL, siw_rq_post(&fix->qp->rq, SIW_MAX_SGE,
						   &wr, &bad));
	wr.num_sge = -1;
	KUNIT_EXPECT_EQ(test, -EINVAL, siw_rq_post(&fix->qp->rq, SIW_MAX_SGE,
						   &wr, &bad));
	KUNIT_EXPECT_PTR_EQ(test, &wr, bad);
	wr.num_sge = 0;
	KUNIT_EXPECT_EQ(test, 0, siw_rq_post(&fix->qp->rq, SIW_MAX_SGE, &wr,
					     &bad));
	KUNIT_EXPECT_EQ(test, 1, siw_rq_available(fix->qp));
}

static void rq_flushes_all_in_order(struct kunit *test)
{
	struct ring_fixture *fix = test->priv;
	u64 id;

	for (id = 0; id < WQES; id++)
		post_recv(&fix->qp->rq, id);
	expect_taken(test, 0);
	siw_cq_arm(&fix->cq->cq.base, IB_CQ_SOLICITED);
	siw_rq_flush(fix->qp);
	for (id = 1; id < WQES; id++)
		expect_completed(test, id, IB_WC_WR_FLUSH_ERR);
	expect_nothing_completed(test);
	KUNIT_EXPECT_EQ(test, 1, fix->cq->fired);
}

static void dying_qp_completes_nothing(struct kunit *test)
{
	struct ring_fixture *fix = test->priv;

	post_recv(&fix->qp->rq, 1);
	post_send(fix, 2);
	WRITE_ONCE(fix->qp->dying, true);
	siw_rq_flush(fix->qp);
	siw_sq_flush(fix->qp);
	expect_nothing_completed(test);
	KUNIT_EXPECT_TRUE(test, siw_sq_is_idle(fix->qp));
	KUNIT_EXPECT_EQ(test, 0, siw_rq_available(fix->qp));
}

static void srq_serves_its_qps(struct kunit *test)
{
	struct ring_fixture *fix = test->priv;

	share(test);
	post_recv(&fix->srq->rq, 1);
	post_recv(&fix->qp->rq, 2);
	KUNIT_EXPECT_EQ(test, 1, siw_rq_available(fix->qp));
	/* A flush leaves its elements to the others. */
	siw_rq_flush(fix->qp);
	expect_nothing_completed(test);
	expect_taken(test, 1);
	KUNIT_EXPECT_FALSE(test, take(fix));
}

static void srq_limit_fires_once(struct kunit *test)
{
	struct ring_fixture *fix = test->priv;
	u64 id;

	share(test);
	for (id = 0; id < WQES; id++)
		post_recv(&fix->srq->rq, id);
	siw_srq_arm(fix->srq, 3);
	KUNIT_EXPECT_EQ(test, 0, fix->limits);
	take(fix);
	KUNIT_EXPECT_EQ(test, 0, fix->limits);
	take(fix);
	KUNIT_EXPECT_EQ(test, 1, fix->limits);
	take(fix);
	KUNIT_EXPECT_EQ(test, 1, fix->limits);
	/* One element is left: below the limit at once. */
	siw_srq_arm(fix->srq, 2);
	KUNIT_EXPECT_EQ(test, 2, fix->limits);
	siw_srq_arm(fix->srq, 1);
	siw_srq_arm(fix->srq, 0);
	take(fix);
	KUNIT_EXPECT_EQ(test, 2, fix->limits);
}

static struct kunit_case ring_cases[] = {
	KUNIT_CASE(sq_keeps_order_around_its_end),
	KUNIT_CASE(sq_is_full_until_completion),
	KUNIT_CASE(sq_post_takes_what_fits_of_a_list),
	KUNIT_CASE(sq_post_refuses_nonsense),
	KUNIT_CASE(post_takes_what_was_granted),
	KUNIT_CASE(sq_post_says_what_was_asked),
	KUNIT_CASE(sq_post_copies_inline_data),
	KUNIT_CASE(sq_completes_in_order),
	KUNIT_CASE(sq_completes_nothing_with_what_is_gone),
	KUNIT_CASE(sq_remembers_the_most),
	KUNIT_CASE(sq_entries_begin_anew),
	KUNIT_CASE(sq_completes_only_what_is_outstanding),
	KUNIT_CASE(sq_tells_of_unsignalled_only_failures),
	KUNIT_CASE(sq_flushes_all_in_order),
	KUNIT_CASE(sq_user_opcodes_are_not_believed),
	KUNIT_CASE(rq_keeps_order_around_its_end),
	KUNIT_CASE(rq_is_full_until_taken),
	KUNIT_CASE(rq_post_refuses_nonsense),
	KUNIT_CASE(rq_flushes_all_in_order),
	KUNIT_CASE(dying_qp_completes_nothing),
	KUNIT_CASE(srq_serves_its_qps),
	KUNIT_CASE(srq_limit_fires_once),
	{}
};

static struct kunit_suite ring_suite = {
	.name = "siw_ring",
	.init = ring_init,
	.test_cases = ring_cases,
};

kunit_test_suite(ring_suite);
