// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * What `rdma resource show -dd` is told of queues, streams and regions.
 */
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <net/netlink.h>
#include <rdma/rdma_netlink.h>

#include "../restrack.h"
#include "fake.h"

#define WQES	4

/**
 * struct details_fixture - what there is to tell of, and where it is told
 * @dev: its device
 * @cq: a completion queue
 * @qp: a queue pair
 * @srq: a shared receive queue
 * @llp: of a stream that is up; nobody looks into it
 * @msg: details
 */
struct details_fixture {
	struct siw_device *dev;
	struct siw_fake_cq *cq;
	struct siw_qp *qp;
	struct siw_srq srq;
	struct siw_llp llp;
	struct sk_buff *msg;
};

static void free_all(void *arg)
{
	struct details_fixture *fix = arg;

	kfree_skb(fix->msg);
	kfree(fix->qp->irq);
	kfree(fix->qp->orq);
}

static int details_init(struct kunit *test)
{
	struct details_fixture *fix = kunit_kzalloc(test, sizeof(*fix), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fix);
	test->priv = fix;
	fix->dev = siw_fake_device(test);
	fix->cq = siw_fake_cq(test, fix->dev, 4 * WQES);
	fix->qp = siw_fake_qp(test, fix->cq, WQES);
	fix->srq.base.device = &fix->dev->base;
	fix->msg = alloc_skb(4096, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fix->msg);
	return kunit_add_action_or_reset(test, free_all, fix);
}

/* The value that follows a name in the details, or NULL */
static const struct nlattr *detail(struct kunit *test, const char *name)
{
	struct details_fixture *fix = test->priv;
	const struct nlattr *table = (const struct nlattr *)fix->msg->data;
	const struct nlattr *at;
	int rest;

	if (fix->msg->len < NLA_HDRLEN)
		return NULL;
	KUNIT_EXPECT_EQ(test, RDMA_NLDEV_ATTR_DRIVER, nla_type(table));
	nla_for_each_nested(at, table, rest)
		if (nla_type(at) == RDMA_NLDEV_ATTR_DRIVER_STRING &&
		    !nla_strcmp(at, name))
			return nla_next(at, &rest);
	return NULL;
}

/* -1 if there is none of that name */
static s64 number(struct kunit *test, const char *name)
{
	const struct nlattr *value = detail(test, name);

	if (!value)
		return -1;
	KUNIT_EXPECT_EQ(test, RDMA_NLDEV_ATTR_DRIVER_U32, nla_type(value));
	return nla_get_u32(value);
}

static bool says(struct kunit *test, const char *name, const char *text)
{
	const struct nlattr *value = detail(test, name);

	return value && nla_type(value) == RDMA_NLDEV_ATTR_DRIVER_STRING &&
	       !nla_strcmp(value, text);
}

static void tell_of_qp(struct kunit *test)
{
	struct details_fixture *fix = test->priv;

	skb_trim(fix->msg, 0);
	KUNIT_EXPECT_EQ(test, 0, siw_restrack_qp(fix->msg, &fix->qp->base));
}

static void tells_of_queues(struct kunit *test)
{
	struct details_fixture *fix = test->priv;
	const struct ib_send_wr send = { .opcode = IB_WR_SEND };
	const struct ib_recv_wr recv = {};
	const struct ib_send_wr *bad_send;
	const struct ib_recv_wr *bad_recv;
	struct siw_qp *qp = fix->qp;
	struct siw_sqe sqe;
	int i;

	tell_of_qp(test);
	KUNIT_EXPECT_EQ(test, 0, fix->msg->len);	/* it is not found */
	KUNIT_ASSERT_EQ(test, 0, xa_err(xa_store(&fix->dev->qps, qp->base.qp_num, qp,
						 GFP_KERNEL)));
	siw_sq_set_num(&qp->sq, WQES);
	siw_rq_set_num(&qp->rq, WQES);
	for (i = 0; i < 3; i++)
		KUNIT_ASSERT_EQ(test, 0, siw_sq_post(qp, &send, &bad_send));
	for (i = 0; i < 2; i++)
		KUNIT_ASSERT_EQ(test, 0, siw_rq_post(&qp->rq, SIW_MAX_SGE, &recv,
						     &bad_recv));
	KUNIT_ASSERT_TRUE(test, siw_sq_fetch(qp, &sqe));
	KUNIT_ASSERT_EQ(test, 0, siw_txbuf_reserve(fix->dev, &qp->tx.buf, 9));
	siw_txbuf_put(&qp->tx.buf, "an octet ", 9);
	tell_of_qp(test);
	KUNIT_EXPECT_EQ(test, WQES, number(test, "sq_size"));
	KUNIT_EXPECT_EQ(test, 2, number(test, "sq_posted"));
	KUNIT_EXPECT_EQ(test, 1, number(test, "sq_outstanding"));
	KUNIT_EXPECT_EQ(test, qp->sq.high, number(test, "sq_high"));
	KUNIT_EXPECT_EQ(test, 0, number(test, "sq_done"));
	KUNIT_EXPECT_EQ(test, 9, number(test, "tx_queued"));
	KUNIT_EXPECT_EQ(test, 0, number(test, "rq_done"));
	KUNIT_EXPECT_EQ(test, WQES, number(test, "rq_size"));
	KUNIT_EXPECT_EQ(test, 2, number(test, "rq_posted"));
	KUNIT_EXPECT_EQ(test, WQES, number(test, "rq_low"));
	/* It has no peer, and no depths yet. */
	KUNIT_EXPECT_TRUE(test, says(test, "stream", "IDLE"));
	KUNIT_EXPECT_NULL(test, detail(test, "local"));
	KUNIT_EXPECT_NULL(test, detail(test, "ord"));
	siw_sq_done(qp, qp->sq.fetch - 1, SIW_WC_SUCCESS);
	qp->rx.ddp.queue[SIW_QN_SEND].msn = 6;
	qp->srq = &fix->srq;
	tell_of_qp(test);
	KUNIT_EXPECT_EQ(test, 0, number(test, "sq_outstanding"));
	KUNIT_EXPECT_EQ(test, 1, number(test, "sq_done"));
	KUNIT_EXPECT_EQ(test, 5, number(test, "rq_done"));
	KUNIT_EXPECT_EQ(test, WQES, number(test, "sq_size"));
	KUNIT_EXPECT_NULL(test, detail(test, "rq_size"));
	KUNIT_EXPECT_NULL(test, detail(test, "rq_posted"));
	KUNIT_EXPECT_NULL(test, detail(test, "rq_low"));
	qp->srq = NULL;
	siw_txbuf_drop(&qp->tx.buf);
	xa_erase(&fix->dev->qps, qp->base.qp_num);
}

/* A queue has as many as it has, and who counts them comes to an end. */
static void tells_of_full_queues(struct kunit *test)
{
	struct details_fixture *fix = test->priv;
	struct siw_qp *qp = fix->qp;
	int i;

	KUNIT_ASSERT_EQ(test, 0, xa_err(xa_store(&fix->dev->qps, qp->base.qp_num, qp,
						 GFP_KERNEL)));
	for (i = 0; i < WQES; i++)
		qp->sq.ring[i].flags = SIW_WQE_VALID;
	tell_of_qp(test);
	KUNIT_EXPECT_EQ(test, WQES, number(test, "sq_posted"));
	qp->sq.fetch = 1;
	tell_of_qp(test);
	KUNIT_EXPECT_EQ(test, WQES, number(test, "sq_posted"));
	qp->sq.fetch = 0;
	for (i = 0; i < WQES; i++)
		qp->sq.ring[i].flags = 0;
	xa_erase(&fix->dev->qps, qp->base.qp_num);
}

static void post_and_take(struct kunit *test, u32 posts, u32 takes)
{
	struct details_fixture *fix = test->priv;
	const struct ib_recv_wr recv = {};
	const struct ib_recv_wr *bad;
	struct siw_rqe rqe;

	for (; posts; posts--)
		KUNIT_ASSERT_EQ(test, 0, siw_rq_post(&fix->qp->rq, SIW_MAX_SGE,
						     &recv, &bad));
	if (!takes)
		return;
	for (; takes; takes--)
		KUNIT_ASSERT_TRUE(test, siw_rq_take(fix->qp, &rqe));
	siw_rq_note_low(fix->qp);
}

/* What was left when there was least, whatever comes later. */
static void tells_of_fewest_receives(struct kunit *test)
{
	struct details_fixture *fix = test->priv;
	struct siw_rq *rq = &fix->qp->rq;

	siw_rq_set_num(rq, WQES);
	post_and_take(test, WQES - 1, 0);
	KUNIT_EXPECT_EQ(test, WQES, rq->low);
	post_and_take(test, 0, 1);
	KUNIT_EXPECT_EQ(test, WQES - 2, rq->low);
	post_and_take(test, 2, 1);
	KUNIT_EXPECT_EQ(test, WQES - 2, rq->low);
	post_and_take(test, 0, WQES - 2);
	KUNIT_EXPECT_EQ(test, 1, rq->low);
	post_and_take(test, 2, 1);
	KUNIT_EXPECT_EQ(test, 1, rq->low);
	post_and_take(test, 0, 2);
	KUNIT_EXPECT_EQ(test, 0, rq->low);
	post_and_take(test, 2, 2);
	KUNIT_EXPECT_EQ(test, 0, rq->low);
	/* What is flushed was for no message. */
	siw_rq_forget(fix->qp);
	KUNIT_EXPECT_EQ(test, WQES, rq->low);
	post_and_take(test, 3, 0);
	siw_rq_flush(fix->qp);
	KUNIT_EXPECT_EQ(test, WQES, rq->low);
}

static void tells_of_streams(struct kunit *test)
{
	struct details_fixture *fix = test->priv;
	struct siw_qp *qp = fix->qp;

	KUNIT_ASSERT_EQ(test, 0, xa_err(xa_store(&fix->dev->qps, qp->base.qp_num, qp,
						 GFP_KERNEL)));
	siw_fake_start(test, qp, &fix->llp);
	qp->rev = 2;
	qp->tx.markers = true;
	qp->ord = 9;
	qp->orq_put = 5;
	qp->orq_get = 3;
	qp->orq_high = 4;
	qp->ird = 8;
	qp->irq_put = 2;
	qp->irq_get = -1;
	qp->irq_high = 6;
	tell_of_qp(test);
	KUNIT_EXPECT_TRUE(test, says(test, "stream", "RTS"));
	KUNIT_EXPECT_EQ(test, 2, number(test, "mpa_rev"));
	KUNIT_EXPECT_EQ(test, 0, number(test, "crc"));
	KUNIT_EXPECT_EQ(test, 1, number(test, "markers"));
	KUNIT_EXPECT_EQ(test, 9, number(test, "ord"));
	KUNIT_EXPECT_EQ(test, 2, number(test, "ord_used"));
	KUNIT_EXPECT_EQ(test, 4, number(test, "ord_high"));
	KUNIT_EXPECT_EQ(test, 8, number(test, "ird"));
	KUNIT_EXPECT_EQ(test, 3, number(test, "ird_used"));
	KUNIT_EXPECT_EQ(test, 6, number(test, "ird_high"));
	KUNIT_EXPECT_NULL(test, detail(test, "terminate_sent"));
	qp->fault = SIW_FAULT_DDP_STAG;
	siw_term_fill(&qp->term, qp->fault, NULL, 0, 0);
	tell_of_qp(test);
	KUNIT_EXPECT_TRUE(test, says(test, "terminate_sent", "1/1/00"));
	qp->by_peer = true;
	tell_of_qp(test);
	KUNIT_EXPECT_TRUE(test, says(test, "terminate_received", "1/1/00"));
	qp->orq_put = qp->orq_get;
	qp->irq_put = qp->irq_get;
	siw_qp_event(qp, SIW_QP_EV_FAIL);
	siw_qp_stop(qp, NULL);
	xa_erase(&fix->dev->qps, qp->base.qp_num);
}

static void tells_of_cqs(struct kunit *test)
{
	struct details_fixture *fix = test->priv;
	const struct siw_completion comp = {
		.qp = &fix->qp->base, .opcode = SIW_OP_SEND,
	};
	struct siw_cq *cq = &fix->cq->cq;

	siw_cq_put(cq, &comp);
	siw_cq_put(cq, &comp);
	KUNIT_EXPECT_EQ(test, 0, siw_restrack_cq(fix->msg, &cq->base));
	KUNIT_EXPECT_EQ(test, 2, number(test, "pending"));
	KUNIT_EXPECT_EQ(test, 2, number(test, "high"));
	KUNIT_EXPECT_EQ(test, 0, number(test, "overflowed"));
	cq->overflowed = true;
	skb_trim(fix->msg, 0);
	KUNIT_EXPECT_EQ(test, 0, siw_restrack_cq(fix->msg, &cq->base));
	KUNIT_EXPECT_EQ(test, 1, number(test, "overflowed"));
}

/* Who has no room for all is told so, and asks again with more. */
static void tells_all_or_nothing(struct kunit *test)
{
	struct details_fixture *fix = test->priv;
	struct ib_cq *base = &fix->cq->cq.base;
	struct sk_buff *msg = fix->msg;
	u32 room, len;

	KUNIT_ASSERT_EQ(test, 0, siw_restrack_cq(msg, base));
	len = msg->len;
	for (room = 0; room < len; room += NLA_ALIGNTO) {
		skb_trim(msg, 0);
		skb_reserve(msg, skb_tailroom(msg) - room);
		KUNIT_EXPECT_EQ(test, -EMSGSIZE, siw_restrack_cq(msg, base));
		KUNIT_EXPECT_EQ(test, 0, msg->len);
	}
}

static void tell_of_mr(struct kunit *test, struct siw_mr *mr)
{
	struct details_fixture *fix = test->priv;

	skb_trim(fix->msg, 0);
	KUNIT_EXPECT_EQ(test, 0, siw_restrack_mr(fix->msg, &mr->base));
}

static void tells_of_regions(struct kunit *test)
{
	static const struct {
		const char *name;
		u32 access;
	} rights[] = {
		{ "local_write", SIW_ACCESS_LOCAL_WRITE },
		{ "remote_write", SIW_ACCESS_REMOTE_WRITE },
		{ "remote_read", SIW_ACCESS_REMOTE_READ },
	};
	struct siw_mr *mr = kunit_kzalloc(test, sizeof(*mr), GFP_KERNEL);
	void *pages[1] = {};
	int i, k;

	KUNIT_ASSERT_NOT_NULL(test, mr);
	rwlock_init(&mr->lock);
	for (i = 0; i < ARRAY_SIZE(rights); i++) {
		mr->region.access = rights[i].access;
		tell_of_mr(test, mr);
		for (k = 0; k < ARRAY_SIZE(rights); k++)
			KUNIT_EXPECT_EQ_MSG(test, i == k,
					    number(test, rights[k].name), "%s of %s",
					    rights[k].name, rights[i].name);
		KUNIT_EXPECT_EQ(test, 0, number(test, "valid"));
	}
	KUNIT_EXPECT_TRUE(test, says(test, "kind", "dma"));
	mr->pages = pages;
	mr->region.valid = true;
	tell_of_mr(test, mr);
	KUNIT_EXPECT_TRUE(test, says(test, "kind", "fast"));
	KUNIT_EXPECT_EQ(test, 1, number(test, "valid"));
}

static struct kunit_case restrack_cases[] = {
	KUNIT_CASE(tells_of_queues),
	KUNIT_CASE(tells_of_full_queues),
	KUNIT_CASE(tells_of_fewest_receives),
	KUNIT_CASE(tells_of_streams),
	KUNIT_CASE(tells_of_cqs),
	KUNIT_CASE(tells_all_or_nothing),
	KUNIT_CASE(tells_of_regions),
	{}
};

static struct kunit_suite restrack_suite = {
	.name = "siw_restrack",
	.init = details_init,
	.test_cases = restrack_cases,
};

kunit_test_suite(restrack_suite);
