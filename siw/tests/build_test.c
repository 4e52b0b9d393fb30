// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * What is taken of a send queue, what is built of it, and what is sent when.
 */
#include <linux/sizes.h>
#include <net/tcp.h>

#include "end.h"

/* A Send in the next element, as a process puts it there, without a doorbell */
static void put(struct siw_qp *qp, u64 id)
{
	struct siw_sqe *slot = &qp->sq.ring[qp->sq.put++ & (qp->sq.num - 1)];

	slot->id = id;
	slot->opcode = SIW_OP_SEND;
	slot->num_sge = 0;
	/* Pairs with the acquire of siw_sq_fetch(). */
	smp_store_release(&slot->flags, SIW_WQE_VALID | SIW_WQE_SIGNALLED);
}

/* An element is free as soon as it is taken, but not what is kept of it. */
static void takes_no_more_than_it_can_keep(struct kunit *test)
{
	struct siw_end *fix = test->priv;
	struct siw_qp *qp = fix->qp;
	u32 num = qp->sq.num, i;
	struct siw_sqe sqe;

	for (i = 0; i < num; i++) {
		put(qp, i);
		KUNIT_ASSERT_TRUE(test, siw_sq_fetch(qp, &sqe));
	}
	put(qp, num);
	KUNIT_EXPECT_FALSE(test, siw_sq_fetch(qp, &sqe));
	siw_sq_done(qp, 0, SIW_WC_SUCCESS);
	siw_end_completed(test, 0, IB_WC_SUCCESS);
	KUNIT_EXPECT_TRUE(test, siw_sq_fetch(qp, &sqe));
	KUNIT_EXPECT_EQ(test, num, sqe.id);
}

/* Who sleeps until a request is done wakes up for it, be it a Read or not. */
static void tells_of_what_is_done(struct kunit *test)
{
	struct siw_end *fix = test->priv;
	struct siw_qp *qp = fix->qp;
	struct siw_sqe sqe;

	put(qp, 1);
	put(qp, 2);
	KUNIT_ASSERT_TRUE(test, siw_sq_fetch(qp, &sqe));
	KUNIT_ASSERT_TRUE(test, siw_sq_fetch(qp, &sqe));
	siw_cq_arm(&fix->cq->cq.base, IB_CQ_NEXT_COMP);
	siw_sq_done(qp, 0, SIW_WC_SUCCESS);	/* its Response has come */
	KUNIT_EXPECT_EQ(test, 1, fix->cq->fired);
	siw_cq_arm(&fix->cq->cq.base, IB_CQ_NEXT_COMP);
	siw_sq_sent(qp, 2);
	KUNIT_EXPECT_EQ(test, 2, fix->cq->fired);
}

/*
 * Who finds the element before its new one still there rings no doorbell.  After
 * as many as there can be it is looked again, unless nobody is to hear of it.
 */
static void looks_again_behind_a_full_queue(struct kunit *test)
{
	struct siw_end *fix = test->priv;
	struct siw_qp *qp = fix->qp;
	int dying;
	u32 i;

	/* Who is kicked finds the transmitter taken, and leaves a mark. */
	mutex_lock(&qp->tx.lock);
	for (dying = 0; dying < 2; dying++) {
		for (i = 0; i < qp->sq.num; i++)
			put(qp, i);
		WRITE_ONCE(qp->dying, dying);
		siw_sq_flush(qp);
		flush_delayed_work(&qp->tx.work);
		KUNIT_EXPECT_EQ(test, !dying,
				test_and_clear_bit(0, &qp->tx.again));
	}
	mutex_unlock(&qp->tx.lock);
}

static void post_and_ring(struct ib_cq *base, void *arg)
{
	struct siw_end *fix = arg;

	put(fix->qp, 2);
	siw_tx_run(fix->qp);
}

/* A doorbell that finds the transmitter taken by who ends the stream is not lost. */
static void hears_doorbells_while_it_stops(struct kunit *test)
{
	const struct ib_recv_wr wr = { .wr_id = 1 };
	struct siw_end *fix = test->priv;
	struct siw_qp *qp = fix->qp;
	const struct ib_recv_wr *bad;

	/* The send queue is flushed before the receive queue is. */
	fix->cq->cq.base.comp_handler = post_and_ring;
	fix->cq->cq.base.cq_context = fix;
	KUNIT_ASSERT_EQ(test, 0, siw_rq_post(&qp->rq, SIW_MAX_SGE, &wr, &bad));
	siw_cq_arm(&fix->cq->cq.base, IB_CQ_NEXT_COMP);
	siw_qp_event(qp, SIW_QP_EV_FAIL);
	siw_qp_stop(qp, NULL);
	flush_delayed_work(&qp->tx.work);
	siw_end_completed(test, 1, IB_WC_WR_FLUSH_ERR);
	siw_end_completed(test, 2, IB_WC_WR_FLUSH_ERR);
}

/* The peer's Read is not answered behind a request that ended the stream. */
static void answers_nothing_behind_a_failure(struct kunit *test)
{
	struct siw_end *fix = test->priv;
	const struct ib_rdma_wr wr = {
		.wr = { .wr_id = 1, .opcode = IB_WR_RDMA_READ },
	};
	const struct ib_send_wr *bad;
	struct siw_qp *qp = fix->qp;

	siw_end_start(test, 0);			/* no Read may be sent */
	siw_end_add_read_request(test, 1);
	siw_end_all_arrive(test);
	qp->tx.last = SIW_TX_RESPONSE;	/* it is a request's turn */
	KUNIT_ASSERT_EQ(test, 0, siw_sq_post(qp, &wr.wr, &bad));
	KUNIT_EXPECT_EQ(test, 0, siw_build_one(qp));
	KUNIT_EXPECT_EQ(test, 0, siw_end_take_built(test));
	siw_end_completed(test, 1, IB_WC_LOC_QP_OP_ERR);
	KUNIT_EXPECT_EQ(test, SIW_QP_TERMINATE, siw_qp_state(qp));
	siw_end_over(test);
}

/* What a process left in an element that does not count is nobody's to see. */
static void read_of_nothing_names_no_sink(struct kunit *test)
{
	struct siw_end *fix = test->priv;
	struct siw_qp *qp = fix->qp;
	struct siw_sqe *slot = &qp->sq.ring[0];
	struct siw_read_req req;

	siw_end_start(test, 1);
	slot->opcode = SIW_OP_READ;
	slot->sge[0].laddr = 0x123456789abc;
	slot->sge[0].length = 5;
	slot->sge[0].lkey = fix->dma->lkey;
	slot->flags = SIW_WQE_VALID;
	KUNIT_EXPECT_EQ(test, 1, siw_build_one(qp));
	KUNIT_EXPECT_EQ(test, siw_mpa_fpdu_len(SIW_DDP_UNTAGGED_LEN +
					       SIW_READ_REQ_LEN),
			siw_end_take_built(test));
	KUNIT_EXPECT_EQ(test, SIW_RDMAP_READ_REQ, siw_end_built_op(fix));
	siw_read_req_decode(&req, fix->wire + SIW_MPA_LEN_LEN +
			    SIW_DDP_UNTAGGED_LEN);
	KUNIT_EXPECT_EQ(test, 0, req.sink_stag);
	KUNIT_EXPECT_EQ(test, 0, req.sink_to);
	KUNIT_EXPECT_EQ(test, 0, req.len);
	siw_end_over(test);
}

static void gathers_around_empty_elements(struct kunit *test)
{
	struct siw_end *fix = test->priv;
	struct ib_sge sge[] = {
		{ .lkey = 0x7700 }, siw_end_octets(fix, 4), { .lkey = 0x7700 },
		siw_end_octets(fix, SIW_END_OCTETS - 4), { .lkey = 0x7700 },
	};
	const struct ib_send_wr wr = {
		.wr_id = 1,
		.sg_list = sge,
		.num_sge = ARRAY_SIZE(sge),
		.opcode = IB_WR_SEND,
		.send_flags = IB_SEND_SIGNALED,
	};
	const struct ib_send_wr *bad;

	sge[3].addr += 100;
	memcpy(fix->page, "0123", 4);
	memcpy(fix->page + 100, "456789", SIW_END_OCTETS - 4);
	siw_end_start(test, 0);
	KUNIT_ASSERT_EQ(test, 0, siw_sq_post(fix->qp, &wr, &bad));
	KUNIT_EXPECT_EQ(test, 1, siw_build_one(fix->qp));
	KUNIT_EXPECT_EQ(test, siw_mpa_fpdu_len(SIW_DDP_UNTAGGED_LEN + SIW_END_OCTETS),
			siw_end_take_built(test));
	siw_end_completed(test, 1, IB_WC_SUCCESS);
	KUNIT_EXPECT_MEMEQ(test, "0123456789", fix->wire + SIW_MPA_LEN_LEN +
			   SIW_DDP_UNTAGGED_LEN, SIW_END_OCTETS);
	siw_end_over(test);
}

/* Good octets behind bad ones do not make a message. */
static void one_bad_element_spoils_a_message(struct kunit *test)
{
	struct siw_end *fix = test->priv;
	struct ib_sge sge[] = {
		siw_end_octets(fix, 4), siw_end_octets(fix, SIW_END_OCTETS),
	};
	const struct ib_send_wr wr = {
		.wr_id = 1,
		.sg_list = sge,
		.num_sge = ARRAY_SIZE(sge),
		.opcode = IB_WR_SEND,
		.send_flags = IB_SEND_SIGNALED,
	};
	const struct ib_send_wr *bad;

	sge[0].lkey ^= 1;
	siw_end_start(test, 0);
	KUNIT_ASSERT_EQ(test, 0, siw_sq_post(fix->qp, &wr, &bad));
	KUNIT_EXPECT_EQ(test, 1, siw_build_one(fix->qp));
	KUNIT_EXPECT_EQ(test, 0, siw_end_take_built(test));
	siw_end_completed(test, 1, IB_WC_LOC_PROT_ERR);
	KUNIT_EXPECT_EQ(test, SIW_QP_TERMINATE, siw_qp_state(fix->qp));
	siw_end_over(test);
}

/* What TCP has no room for is sent later, and not built once more. */
static void knows_that_its_terminate_is_built(struct kunit *test)
{
	struct siw_end *fix = test->priv;
	struct siw_qp *qp = fix->qp;

	siw_end_start(test, 0);
	siw_qp_fault(qp, SIW_FAULT_RDMAP_LOCAL, NULL, 0, 0);
	KUNIT_EXPECT_NE(test, SIW_TX_TERMINATE, qp->tx.msg);
	KUNIT_EXPECT_EQ(test, 0, siw_build_terminate(qp));
	KUNIT_EXPECT_EQ(test, SIW_TX_TERMINATE, qp->tx.msg);
	KUNIT_EXPECT_EQ(test, siw_mpa_fpdu_len(SIW_DDP_UNTAGGED_LEN +
					       SIW_TERM_CTRL_LEN),
			siw_end_take_built(test));
	KUNIT_EXPECT_EQ(test, SIW_RDMAP_TERMINATE, siw_end_built_op(fix));
	siw_end_over(test);
}

/* TCP has no room just now: the stream is not over before the Terminate is out. */
static void ends_when_its_terminate_is_sent(struct kunit *test)
{
	struct siw_end *fix = test->priv;
	struct siw_qp *qp = fix->qp;

	siw_end_start(test, 0);
	WRITE_ONCE(fix->llp.sock->sk->sk_state, TCP_SYN_SENT);	/* it takes nothing */
	siw_qp_fault(qp, SIW_FAULT_RDMAP_LOCAL, NULL, 0, 0);
	mutex_unlock(&qp->tx.lock);
	siw_tx_run(qp);
	mutex_lock(&qp->tx.lock);	/* a worker may have been faster */
	KUNIT_EXPECT_EQ(test, SIW_QP_TERMINATE, siw_qp_state(qp));
	KUNIT_EXPECT_EQ(test, SIW_TX_TERMINATE, qp->tx.msg);
	KUNIT_EXPECT_EQ(test, siw_mpa_fpdu_len(SIW_DDP_UNTAGGED_LEN +
					       SIW_TERM_CTRL_LEN),
			qp->tx.buf.len);
	KUNIT_EXPECT_EQ(test, 0, siw_fake_count(fix->dev, SIW_CNT_TX_TRAIN));
	KUNIT_EXPECT_EQ(test, 0, siw_fake_count(fix->dev, SIW_CNT_TX_FPDU));
	KUNIT_EXPECT_EQ(test, 0, siw_fake_count(fix->dev, SIW_CNT_TX_BYTES));
	/* It was the only one: when TCP has it, nothing is left to be sent. */
	siw_txbuf_drop(&qp->tx.buf);
	mutex_unlock(&qp->tx.lock);
	siw_tx_run(qp);
	mutex_lock(&qp->tx.lock);
	KUNIT_EXPECT_EQ(test, SIW_QP_ERROR, siw_qp_state(qp));
	KUNIT_EXPECT_EQ(test, 0, qp->tx.buf.len);
	KUNIT_EXPECT_EQ(test, 1, siw_fake_count(fix->dev, SIW_CNT_TX_TERM));
	siw_end_over(test);
}

/* Whatever is to be built finds no room, and no memory for more. */
static void use_up(struct kunit *test)
{
	struct siw_end *fix = test->priv;
	struct siw_txbuf *buf = &fix->qp->tx.buf;

	KUNIT_ASSERT_EQ(test, -ENOMEM, siw_txbuf_reserve(fix->dev, buf, SZ_16M));
	buf->cur = buf->num - 1;
	buf->left = 0;
}

/* Without memory the peer is told that we are ready when there is some. */
static void is_ready_later(struct kunit *test)
{
	static const u8 rows[][3] = {
		{ SIW_RTR_WRITE, SIW_RDMAP_WRITE, SIW_DDP_TAGGED_LEN },
		{ SIW_RTR_READ, SIW_RDMAP_READ_REQ,
		  SIW_DDP_UNTAGGED_LEN + SIW_READ_REQ_LEN },
		{ SIW_RTR_SEND, SIW_RDMAP_SEND, SIW_DDP_UNTAGGED_LEN },
	};
	struct siw_end *fix = test->priv;
	struct siw_qp *qp = fix->qp;
	int i;

	siw_end_start(test, 1);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		qp->tx.rtr = rows[i][0];
		use_up(test);
		KUNIT_EXPECT_EQ(test, -ENOMEM, siw_build_one(qp));
		siw_txbuf_drop(&qp->tx.buf);
		KUNIT_EXPECT_EQ(test, 1, siw_build_one(qp));
		KUNIT_EXPECT_EQ(test, siw_mpa_fpdu_len(rows[i][2]), siw_end_take_built(test));
		KUNIT_EXPECT_EQ(test, rows[i][1], siw_end_built_op(fix));
		/* What was not sent has no number. */
		if (rows[i][2] != SIW_DDP_TAGGED_LEN)
			KUNIT_EXPECT_EQ(test, 1,
					get_unaligned_be32(fix->wire + SIW_MPA_LEN_LEN +
							   SIW_DDP_OFF_MSN));
	}
	KUNIT_EXPECT_EQ(test, 2, qp->tx.msn[SIW_QN_SEND]);
	siw_end_over(test);
}

/* Nobody else says that there is memory again. */
static void looks_again_for_memory(struct kunit *test)
{
	const struct ib_send_wr wr = { .opcode = IB_WR_SEND };
	struct siw_end *fix = test->priv;
	struct siw_qp *qp = fix->qp;
	const struct ib_send_wr *bad;

	siw_end_start(test, 0);
	use_up(test);
	mutex_unlock(&qp->tx.lock);
	KUNIT_EXPECT_EQ(test, 0, siw_sq_post(qp, &wr, &bad));
	flush_delayed_work(&qp->tx.work);
	mutex_lock(&qp->tx.lock);
	siw_txbuf_drop(&qp->tx.buf);
	mutex_unlock(&qp->tx.lock);
	/* Who has found the lock taken is not forgotten. */
	siw_qp_is_drained(qp);
	flush_delayed_work(&qp->tx.work);
	KUNIT_EXPECT_EQ(test, 1, siw_fake_count(fix->dev, SIW_CNT_TX_SEND));
}

/* The test lets go of the transmitter: all that there is to do is done. */
static void let_go(struct kunit *test)
{
	struct siw_end *fix = test->priv;
	struct siw_qp *qp = fix->qp;

	flush_delayed_work(&qp->tx.work);	/* who was kicked finds it taken */
	mutex_unlock(&qp->tx.lock);
	siw_tx_run(qp);
	mutex_lock(&qp->tx.lock);	/* a worker may have been faster */
}

static void post_send(struct kunit *test, u64 id, u32 lkey)
{
	struct siw_end *fix = test->priv;
	struct ib_sge sge = siw_end_octets(fix, SIW_END_OCTETS);
	const struct ib_send_wr wr = {
		.wr_id = id,
		.sg_list = &sge,
		.num_sge = 1,
		.opcode = IB_WR_SEND,
		.send_flags = IB_SEND_SIGNALED,
	};
	const struct ib_send_wr *bad;

	sge.lkey = lkey;
	KUNIT_EXPECT_EQ(test, 0, siw_sq_post(fix->qp, &wr, &bad));
}

/* A request that fails at its first octet takes none of those before it along. */
static void fails_alone(struct kunit *test)
{
	struct siw_end *fix = test->priv;

	siw_end_start(test, 0);
	post_send(test, 1, fix->dma->lkey);
	post_send(test, 2, fix->dma->lkey ^ 1);
	KUNIT_EXPECT_EQ(test, 1, siw_build_one(fix->qp));
	KUNIT_EXPECT_EQ(test, 1, siw_build_one(fix->qp));
	KUNIT_EXPECT_EQ(test, siw_mpa_fpdu_len(SIW_DDP_UNTAGGED_LEN + SIW_END_OCTETS),
			siw_end_take_built(test));
	KUNIT_EXPECT_EQ(test, SIW_RDMAP_SEND, siw_end_built_op(fix));
	siw_end_completed(test, 1, IB_WC_SUCCESS);
	siw_end_completed(test, 2, IB_WC_LOC_PROT_ERR);
	siw_end_over(test);
}

/* Behind it nothing goes out but the Terminate. */
static void sends_nothing_behind_a_failure(struct kunit *test)
{
	struct siw_end *fix = test->priv;
	struct siw_qp *qp = fix->qp;

	siw_end_start(test, 0);
	WRITE_ONCE(fix->llp.sock->sk->sk_state, TCP_SYN_SENT);	/* it takes nothing */
	post_send(test, 1, fix->dma->lkey ^ 1);
	post_send(test, 2, fix->dma->lkey);
	let_go(test);
	KUNIT_EXPECT_EQ(test, SIW_TX_TERMINATE, qp->tx.msg);
	KUNIT_EXPECT_EQ(test, siw_mpa_fpdu_len(SIW_DDP_UNTAGGED_LEN +
					       SIW_TERM_CTRL_LEN),
			qp->tx.buf.len);
	KUNIT_EXPECT_EQ(test, 0, siw_fake_count(fix->dev, SIW_CNT_TX_SEND));
	siw_end_completed(test, 1, IB_WC_LOC_PROT_ERR);
	siw_end_over(test);
}

/* Who may not send yet says all the same why the stream ends. */
static void says_why_before_it_may_send(struct kunit *test)
{
	struct siw_end *fix = test->priv;
	struct siw_qp *qp = fix->qp;

	siw_end_start(test, 0);
	WRITE_ONCE(fix->llp.sock->sk->sk_state, TCP_SYN_SENT);	/* it takes nothing */
	WRITE_ONCE(qp->tx.held, true);
	siw_qp_fault(qp, SIW_FAULT_DDP_QN, NULL, 0, 0);
	let_go(test);
	KUNIT_EXPECT_EQ(test, SIW_TX_TERMINATE, qp->tx.msg);
	KUNIT_EXPECT_EQ(test, 1, siw_fake_count(fix->dev, SIW_CNT_TX_TERM_DDP));
	siw_end_over(test);
}

/* What there is no memory for is neither lost nor taken for done. */
static void builds_later(struct kunit *test)
{
	struct siw_end *fix = test->priv;
	const struct ib_rdma_wr wr = {
		.wr = { .wr_id = 1, .opcode = IB_WR_RDMA_READ },
	};
	const struct ib_send_wr *bad;
	struct siw_qp *qp = fix->qp;

	siw_end_start(test, 1);
	KUNIT_EXPECT_EQ(test, 0, siw_sq_post(qp, &wr.wr, &bad));
	use_up(test);
	KUNIT_EXPECT_EQ(test, -ENOMEM, siw_build_one(qp));
	KUNIT_EXPECT_EQ(test, 0, qp->orq_put - qp->orq_get);
	siw_txbuf_drop(&qp->tx.buf);
	KUNIT_EXPECT_EQ(test, 1, siw_build_one(qp));
	KUNIT_EXPECT_EQ(test, 1, qp->orq_put - qp->orq_get);
	KUNIT_EXPECT_GT(test, siw_end_take_built(test), 0);
	KUNIT_EXPECT_EQ(test, SIW_RDMAP_READ_REQ, siw_end_built_op(fix));

	siw_qp_fault(qp, SIW_FAULT_RDMAP_LOCAL, NULL, 0, 0);
	use_up(test);
	KUNIT_EXPECT_EQ(test, -ENOMEM, siw_build_terminate(qp));
	KUNIT_EXPECT_NE(test, SIW_TX_TERMINATE, qp->tx.msg);
	KUNIT_EXPECT_EQ(test, 0, siw_fake_count(fix->dev, SIW_CNT_TX_TERM));
	siw_txbuf_drop(&qp->tx.buf);
	KUNIT_EXPECT_EQ(test, 0, siw_build_terminate(qp));
	KUNIT_EXPECT_GT(test, siw_end_take_built(test), 0);
	KUNIT_EXPECT_EQ(test, SIW_RDMAP_TERMINATE, siw_end_built_op(fix));
	KUNIT_EXPECT_EQ(test, 1, siw_fake_count(fix->dev, SIW_CNT_TX_TERM));
	siw_end_over(test);
}

/* The right that counts is that of now, and not when the Read was asked for. */
static void reads_with_the_right_of_now(struct kunit *test)
{
	struct siw_end *fix = test->priv;
	struct siw_qp *qp = fix->qp;

	siw_end_start(test, 0);
	qp->irq[0] = (struct siw_read_req) {
		.len = SIW_END_OCTETS,
		.src_stag = fix->dma->rkey,	/* nobody may read it any more */
		.src_to = (uintptr_t)fix->page,
	};
	qp->irq_put++;
	KUNIT_EXPECT_EQ(test, 1, siw_build_one(qp));
	KUNIT_EXPECT_EQ(test, 0, siw_end_take_built(test));
	KUNIT_EXPECT_EQ(test, SIW_FAULT_RDMAP_ACCESS, qp->fault);
	KUNIT_EXPECT_EQ(test, SIW_QP_TERMINATE, siw_qp_state(qp));
	siw_end_over(test);
}

/* A region that may be invalidated as often as one likes. Return: its STag. */
static u32 region(struct kunit *test)
{
	struct siw_end *fix = test->priv;
	struct ib_mr *mr = siw_mr_alloc(&fix->pd, IB_MR_TYPE_MEM_REG, 1);

	KUNIT_ASSERT_FALSE(test, IS_ERR(mr));
	siw_fake_on_exit(test, siw_fake_dereg, mr);
	return mr->rkey;
}

static void post_inv(struct kunit *test, u64 id, u32 stag)
{
	struct siw_end *fix = test->priv;
	const struct ib_send_wr wr = {
		.wr_id = id,
		.opcode = IB_WR_LOCAL_INV,
		.send_flags = IB_SEND_SIGNALED,
		.ex.invalidate_rkey = stag,
	};
	const struct ib_send_wr *bad;

	KUNIT_EXPECT_EQ(test, 0, siw_sq_post(fix->qp, &wr, &bad));
}

/* What has no FPDU is told of at once, and not when the next one is sent. */
static void tells_of_what_sends_nothing(struct kunit *test)
{
	u32 stag = region(test);

	siw_end_start(test, 0);
	post_inv(test, 1, stag);
	let_go(test);
	siw_end_completed(test, 1, IB_WC_SUCCESS);
	siw_end_over(test);
}

/**
 * struct poster - who posts again when it hears of the first completion
 * @qp: where
 * @stag: what is to be invalidated
 */
struct poster {
	struct siw_qp *qp;
	u32 stag;
};

/* As a provider, whose doorbell finds the transmitter taken */
static void post_again(struct ib_cq *base, void *arg)
{
	struct poster *poster = arg;
	struct siw_sq *sq = &poster->qp->sq;
	struct siw_sqe *slot = &sq->ring[sq->put++ & (sq->num - 1)];

	slot->id = 2;
	slot->opcode = SIW_OP_INVAL_STAG;
	slot->num_sge = 0;
	slot->rkey = poster->stag;
	slot->flags = SIW_WQE_VALID | SIW_WQE_SIGNALLED;
	set_bit(0, &poster->qp->tx.again);
}

/* What is posted while its owner looks is seen by its next look. */
static void looks_again_for_work(struct kunit *test)
{
	struct siw_end *fix = test->priv;
	struct poster poster = { .qp = fix->qp, .stag = region(test) };
	struct ib_cq *cq = &fix->cq->cq.base;

	siw_end_start(test, 0);
	cq->comp_handler = post_again;
	cq->cq_context = &poster;
	siw_cq_arm(cq, IB_CQ_NEXT_COMP);
	post_inv(test, 1, poster.stag);
	let_go(test);
	siw_end_completed(test, 1, IB_WC_SUCCESS);
	siw_end_completed(test, 2, IB_WC_SUCCESS);
	siw_end_over(test);
}

static atomic_t asked;

static void count_asked(struct sock *sk)
{
	atomic_inc(&asked);
}

/* What comes behind a small window while the socket is locked waits for who opens it. */
static void reads_behind_a_small_window_later(struct kunit *test)
{
	struct siw_end *fix = test->priv;
	struct sock *sk = fix->llp.sock->sk;
	struct siw_qp *qp = fix->qp;

	siw_end_start(test, 0);
	siw_end_add_read_request(test, 1);
	atomic_set(&asked, 0);
	sk->sk_data_ready = count_asked;
	tcp_sk(sk)->rcv_wnd = 0;
	siw_end_all_arrive(test);
	KUNIT_EXPECT_EQ(test, 0, qp->irq_put);
	flush_delayed_work(&qp->rx.read_on);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&asked));
	fix->llp.poked = true;		/* as it is while it is asked */
	siw_end_receive(test, NULL);
	fix->llp.poked = false;
	KUNIT_EXPECT_EQ(test, 1, qp->irq_put);
	siw_end_over(test);
}

static struct kunit_case build_cases[] = {
	KUNIT_CASE(takes_no_more_than_it_can_keep),
	KUNIT_CASE(tells_of_what_is_done),
	KUNIT_CASE(looks_again_behind_a_full_queue),
	KUNIT_CASE(hears_doorbells_while_it_stops),
	KUNIT_CASE(answers_nothing_behind_a_failure),
	KUNIT_CASE(read_of_nothing_names_no_sink),
	KUNIT_CASE(gathers_around_empty_elements),
	KUNIT_CASE(one_bad_element_spoils_a_message),
	KUNIT_CASE(knows_that_its_terminate_is_built),
	KUNIT_CASE(ends_when_its_terminate_is_sent),
	KUNIT_CASE(is_ready_later),
	KUNIT_CASE(looks_again_for_memory),
	KUNIT_CASE(fails_alone),
	KUNIT_CASE(sends_nothing_behind_a_failure),
	KUNIT_CASE(says_why_before_it_may_send),
	KUNIT_CASE(builds_later),
	KUNIT_CASE(reads_with_the_right_of_now),
	KUNIT_CASE(tells_of_what_sends_nothing),
	KUNIT_CASE(looks_again_for_work),
	KUNIT_CASE(reads_behind_a_small_window_later),
	{}
};

static struct kunit_suite build_suite = {
	.name = "siw_build",
	.init = siw_end_init,
	.test_cases = build_cases,
};

kunit_test_suite(build_suite);
