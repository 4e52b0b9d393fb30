// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Two queue pairs of kernel users: what one builds the other takes.  There is no
 * network between them: octets go from a transmit buffer to a receive queue.
 */
#include <linux/scatterlist.h>
#include <net/tcp.h>

#include "fake.h"

#define WQES	4
#define IOVA	0x4000000000ULL
#define OCTETS	2500	/* of a message that takes more than one FPDU */

/**
 * struct end - a queue pair and what it needs
 * @cq: its completion queue
 * @qp: the queue pair
 * @llp: its socket, which is connected to nothing
 * @mr: region for fast registration of @page, at IOVA
 * @page: memory
 */
struct end {
	struct siw_fake_cq *cq;
	struct siw_qp *qp;
	struct siw_llp llp;
	struct siw_mr *mr;
	u8 *page;
};

/**
 * struct stream_fixture - two ends of a stream
 * @dev: their device
 * @pd: their protection domain
 * @other_pd: another one
 * @dma: all of memory, in @pd
 * @wire: octets on their way
 * @a: one end
 * @b: the other
 */
struct stream_fixture {
	struct siw_device *dev;
	struct ib_pd pd;
	struct ib_pd other_pd;
	struct ib_mr *dma;
	u8 *wire;
	struct end a;
	struct end b;
};

static struct ib_mr *dma_mr(struct kunit *test, struct ib_pd *pd)
{
	struct ib_mr *mr = siw_mr_get_dma(pd, IB_ACCESS_LOCAL_WRITE);

	KUNIT_ASSERT_FALSE(test, IS_ERR(mr));
	siw_fake_on_exit(test, siw_fake_dereg, mr);
	return mr;
}

/* @end->page is mapped and not registered yet. */
static void map(struct kunit *test, struct end *end)
{
	struct stream_fixture *fix = test->priv;
	struct ib_mr *mr = siw_mr_alloc(&fix->pd, IB_MR_TYPE_MEM_REG, 1);
	struct scatterlist sg;

	KUNIT_ASSERT_FALSE(test, IS_ERR(mr));
	siw_fake_on_exit(test, siw_fake_dereg, mr);
	end->mr = to_siw_mr(mr);
	sg_init_one(&sg, end->page, PAGE_SIZE);
	mr->page_size = PAGE_SIZE;
	KUNIT_ASSERT_EQ(test, 1, ib_dma_map_sg(&fix->dev->base, &sg, 1,
					       DMA_BIDIRECTIONAL));
	KUNIT_ASSERT_EQ(test, 1, siw_mr_map_sg(mr, &sg, 1, NULL));
	mr->iova = IOVA;
}

static void open_end(struct kunit *test, struct end *end)
{
	struct stream_fixture *fix = test->priv;

	siw_fake_llp(test, &end->llp);
	end->page = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, end->page);
	end->cq = siw_fake_cq(test, fix->dev, 4 * WQES);
	end->qp = siw_fake_qp(test, end->cq, WQES);
	end->qp->base.pd = &fix->pd;
	end->qp->access = SIW_ACCESS_REMOTE_WRITE | SIW_ACCESS_REMOTE_READ;
	siw_fake_on_exit(test, siw_fake_end, end->qp);
	map(test, end);
}

static int stream_init(struct kunit *test)
{
	struct stream_fixture *fix = kunit_kzalloc(test, sizeof(*fix),
						   GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fix);
	test->priv = fix;
	fix->dev = siw_fake_device(test);
	fix->pd.device = &fix->dev->base;
	fix->other_pd.device = &fix->dev->base;
	fix->dma = dma_mr(test, &fix->pd);
	fix->wire = kunit_kmalloc(test, SIW_TRAIN_LEN, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fix->wire);
	open_end(test, &fix->a);
	open_end(test, &fix->b);
	return 0;
}

/*
 * From here on the test is the transmitter of both: the workers that are kicked
 * find it taken, and nothing goes to a socket.
 */
static void start(struct kunit *test, const struct siw_qp_start *how)
{
	struct stream_fixture *fix = test->priv;
	struct end *ends[] = { &fix->a, &fix->b };
	int i;

	for (i = 0; i < 2; i++) {
		struct siw_qp_start start = *how;

		start.llp = &ends[i]->llp;
		KUNIT_ASSERT_EQ(test, 0, siw_qp_depths(ends[i]->qp, start.ird,
						       start.ord));
		KUNIT_ASSERT_EQ(test, 0, siw_qp_start(ends[i]->qp, &start));
	}
	mutex_lock(&fix->a.qp->tx.lock);
	mutex_lock_nested(&fix->b.qp->tx.lock, SINGLE_DEPTH_NESTING);
}

static const struct siw_qp_start usual = {
	.ird = 2,
	.ord = 2,
	.crc = true,
};

static void over(struct kunit *test)
{
	struct stream_fixture *fix = test->priv;
	struct end *ends[] = { &fix->a, &fix->b };
	int i;

	for (i = 0; i < 2; i++) {
		siw_qp_event(ends[i]->qp, SIW_QP_EV_FAIL);
		siw_txbuf_drop(&ends[i]->qp->tx.buf);
	}
	mutex_unlock(&fix->b.qp->tx.lock);
	mutex_unlock(&fix->a.qp->tx.lock);
}

/* Take what was built. Return: octets. */
static u32 take_built(struct kunit *test, struct end *from)
{
	struct stream_fixture *fix = test->priv;
	struct siw_qp *qp = from->qp;
	struct siw_txbuf *buf = &qp->tx.buf;
	unsigned int segs = siw_txbuf_segs(buf), i;
	u32 n = 0;

	for (i = 0; i < segs; i++) {
		const struct bio_vec *bv = &buf->bvec[buf->first + i];

		memcpy(fix->wire + n, page_address(bv->bv_page) +
		       bv->bv_offset, bv->bv_len);
		n += bv->bv_len;
	}
	siw_txbuf_drop(buf);
	siw_sq_sent(qp, qp->sq.fetch - qp->tx.fetched);
	return n;
}

/* @n octets arrive. */
static void arrive(struct kunit *test, struct end *to, u32 n)
{
	struct stream_fixture *fix = test->priv;
	struct sock *sk = to->llp.sock->sk;
	struct sk_buff *skb;
	u32 seq;

	if (!n)
		return;
	skb = alloc_skb(n, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_put_data(skb, fix->wire, n);
	lock_sock(sk);
	seq = tcp_sk(sk)->copied_seq;
	TCP_SKB_CB(skb)->seq = seq;
	TCP_SKB_CB(skb)->end_seq = seq + n;
	WRITE_ONCE(tcp_sk(sk)->rcv_nxt, seq + n);
	__skb_queue_tail(&sk->sk_receive_queue, skb);
	siw_rx_data_ready(to->qp);
	release_sock(sk);
}

/* Build what there is to build, and let it arrive. */
static void pass(struct kunit *test, struct end *from, struct end *to)
{
	while (siw_build_one(from->qp) > 0)
		;
	arrive(test, to, take_built(test, from));
}

static void post(struct kunit *test, struct end *end,
		 const struct ib_send_wr *wr)
{
	const struct ib_send_wr *bad;

	KUNIT_EXPECT_EQ(test, 0, siw_sq_post(end->qp, wr, &bad));
}

/* The first @len of @end's page */
static struct ib_sge octets(struct kunit *test, struct end *end, u32 len)
{
	struct stream_fixture *fix = test->priv;

	return (struct ib_sge) {
		.addr = (uintptr_t)end->page,
		.length = len,
		.lkey = fix->dma->lkey,
	};
}

static void post_send(struct kunit *test, struct end *end, u64 id, u32 len)
{
	struct ib_sge sge = octets(test, end, len);
	const struct ib_send_wr wr = {
		.wr_id = id,
		.sg_list = &sge,
		.num_sge = 1,
		.opcode = IB_WR_SEND,
		.send_flags = IB_SEND_SIGNALED,
	};

	post(test, end, &wr);
}

static void post_recv(struct kunit *test, struct end *end, u64 id, u32 len)
{
	struct ib_sge sge = octets(test, end, len);
	const struct ib_recv_wr wr = {
		.wr_id = id,
		.sg_list = &sge,
		.num_sge = 1,
	};
	const struct ib_recv_wr *bad;

	KUNIT_EXPECT_EQ(test, 0, siw_rq_post(&end->qp->rq, SIW_MAX_SGE, &wr,
					     &bad));
}

/* Register @end's page. Return: its STag. */
static u32 reg(struct kunit *test, struct end *end, int access)
{
	const struct ib_reg_wr wr = {
		.wr = { .wr_id = 100, .opcode = IB_WR_REG_MR },
		.mr = &end->mr->base,
		.key = end->mr->base.rkey | 0x5a,
		.access = access,
	};

	post(test, end, &wr.wr);
	KUNIT_EXPECT_EQ(test, 1, siw_build_one(end->qp));
	siw_sq_sent(end->qp, end->qp->sq.fetch);
	return wr.key;
}

static void post_inv(struct kunit *test, struct end *end, u64 id, u32 stag,
		     int flags)
{
	const struct ib_send_wr wr = {
		.wr_id = id,
		.opcode = IB_WR_LOCAL_INV,
		.send_flags = IB_SEND_SIGNALED | flags,
		.ex.invalidate_rkey = stag,
	};

	post(test, end, &wr);
}

/* Read @len octets of the peer's region to @addr of @lkey. */
static void post_read(struct kunit *test, struct end *end, u64 id, u32 rkey,
		      u64 addr, u32 lkey, u32 len, enum ib_wr_opcode op)
{
	struct ib_sge sge = { .addr = addr, .length = len, .lkey = lkey };
	const struct ib_rdma_wr wr = {
		.wr = {
			.wr_id = id,
			.sg_list = &sge,
			.num_sge = 1,
			.opcode = op,
			.send_flags = IB_SEND_SIGNALED,
			.ex.invalidate_rkey = lkey,
		},
		.remote_addr = IOVA,
		.rkey = rkey,
	};

	post(test, end, &wr.wr);
}

static struct ib_wc completed(struct kunit *test, struct end *end, u64 id,
			      enum ib_wc_status status)
{
	struct ib_wc wc = {};

	KUNIT_EXPECT_EQ(test, 1, siw_cq_poll(&end->cq->cq.base, 1, &wc));
	KUNIT_EXPECT_EQ(test, id, wc.wr_id);
	KUNIT_EXPECT_EQ(test, status, wc.status);
	return wc;
}

static void nothing_completed(struct kunit *test, struct end *end)
{
	struct ib_wc wc;

	KUNIT_EXPECT_EQ(test, 0, siw_cq_poll(&end->cq->cq.base, 1, &wc));
}

static enum siw_access may(struct kunit *test, struct end *end, u32 stag,
			   u32 want)
{
	struct stream_fixture *fix = test->priv;

	return siw_mr_access(&end->qp->rx.mr, &fix->pd, stag, IOVA, PAGE_SIZE,
			     want, NULL, NULL);
}

static void registers_and_invalidates(struct kunit *test)
{
	struct stream_fixture *fix = test->priv;
	struct end *a = &fix->a;
	u32 stag;

	start(test, &usual);
	stag = reg(test, a, IB_ACCESS_REMOTE_READ);
	KUNIT_EXPECT_EQ(test, SIW_ACCESS_OK,
			may(test, a, stag, SIW_ACCESS_REMOTE_READ));
	KUNIT_EXPECT_EQ(test, SIW_ACCESS_RIGHTS,
			may(test, a, stag, SIW_ACCESS_REMOTE_WRITE));
	nothing_completed(test, a);		/* not signalled */
	post_inv(test, a, 1, stag, 0);
	pass(test, a, &fix->b);
	completed(test, a, 1, IB_WC_SUCCESS);
	KUNIT_EXPECT_EQ(test, SIW_ACCESS_STAG,
			may(test, a, stag, SIW_ACCESS_REMOTE_READ));
	KUNIT_EXPECT_EQ(test, 2, siw_fake_count(fix->dev, SIW_CNT_LOCAL_OP));
	/* There is no such region: the stream ends. */
	post_inv(test, a, 2, stag ^ 0x100, 0);
	siw_build_one(a->qp);
	completed(test, a, 2, IB_WC_LOC_QP_OP_ERR);
	KUNIT_EXPECT_EQ(test, 1, siw_fake_count(fix->dev, SIW_CNT_LOCAL_ERR));
	KUNIT_EXPECT_EQ(test, 2, siw_fake_count(fix->dev, SIW_CNT_LOCAL_OP));
	KUNIT_EXPECT_EQ(test, SIW_QP_TERMINATE, siw_qp_state(a->qp));
	KUNIT_EXPECT_EQ(test, SIW_FAULT_RDMAP_LOCAL, a->qp->fault);
	over(test);
}

static void peer_invalidates(struct kunit *test)
{
	struct stream_fixture *fix = test->priv;
	struct end *a = &fix->a, *b = &fix->b;
	struct ib_send_wr wr = {
		.wr_id = 1,
		.opcode = IB_WR_SEND_WITH_INV,
	};
	struct ib_wc wc;
	u32 stag;

	start(test, &usual);
	stag = reg(test, b, IB_ACCESS_REMOTE_READ);
	post_recv(test, b, 2, 10);
	post_recv(test, b, 3, 10);
	wr.ex.invalidate_rkey = stag;
	post(test, a, &wr);
	pass(test, a, b);
	wc = completed(test, b, 2, IB_WC_SUCCESS);
	KUNIT_EXPECT_EQ(test, IB_WC_WITH_INVALIDATE, wc.wc_flags);
	KUNIT_EXPECT_EQ(test, stag, wc.ex.invalidate_rkey);
	KUNIT_EXPECT_EQ(test, SIW_ACCESS_STAG,
			may(test, b, stag, SIW_ACCESS_REMOTE_READ));
	post_send(test, a, 4, 10);
	pass(test, a, b);
	wc = completed(test, b, 3, IB_WC_SUCCESS);
	KUNIT_EXPECT_EQ(test, 0, wc.wc_flags);
	over(test);
}

/* The sink of a Read stays what it was, of one with Invalidate it does not. */
static void read_invalidates_if_asked(struct kunit *test)
{
	static const enum ib_wr_opcode ops[] = {
		IB_WR_RDMA_READ, IB_WR_RDMA_READ_WITH_INV,
	};
	struct stream_fixture *fix = test->priv;
	struct end *a = &fix->a, *b = &fix->b;
	u32 rkey, lkey;
	int i;

	start(test, &usual);
	rkey = reg(test, b, IB_ACCESS_REMOTE_READ);
	lkey = reg(test, a, IB_ACCESS_LOCAL_WRITE);
	for (i = 0; i < 2; i++) {
		memset(a->page, 0, PAGE_SIZE);
		memset(b->page, 0x41 + i, PAGE_SIZE);
		post_read(test, a, i, rkey, IOVA, lkey, OCTETS, ops[i]);
		pass(test, a, b);
		nothing_completed(test, a);
		pass(test, b, a);
		completed(test, a, i, IB_WC_SUCCESS);
		KUNIT_EXPECT_MEMEQ(test, b->page, a->page, OCTETS);
		KUNIT_EXPECT_EQ(test, 0, a->page[OCTETS]);
		KUNIT_EXPECT_EQ(test, i ? SIW_ACCESS_STAG : SIW_ACCESS_OK,
				may(test, a, lkey, SIW_ACCESS_LOCAL_WRITE));
	}
	over(test);
}

/* A sink that cannot be invalidated: the Read failed. */
static void read_says_if_it_could_not(struct kunit *test)
{
	struct stream_fixture *fix = test->priv;
	struct end *a = &fix->a, *b = &fix->b;
	u32 rkey;

	start(test, &usual);
	rkey = reg(test, b, IB_ACCESS_REMOTE_READ);
	post_read(test, a, 1, rkey, (uintptr_t)a->page, fix->dma->lkey, 10,
		  IB_WR_RDMA_READ_WITH_INV);
	pass(test, a, b);
	pass(test, b, a);
	completed(test, a, 1, IB_WC_LOC_ACCESS_ERR);
	KUNIT_EXPECT_EQ(test, SIW_FAULT_RDMAP_LOCAL, a->qp->fault);
	over(test);
}

static void read_needs_a_depth(struct kunit *test)
{
	struct stream_fixture *fix = test->priv;
	struct end *a = &fix->a;

	start(test, &(struct siw_qp_start) { .ird = 1 });
	post_read(test, a, 1, 0x700, (uintptr_t)a->page, fix->dma->lkey, 10,
		  IB_WR_RDMA_READ);
	KUNIT_EXPECT_EQ(test, 0, siw_build_one(a->qp));
	completed(test, a, 1, IB_WC_LOC_QP_OP_ERR);
	over(test);
}

/* Nothing is asked for that could not be placed. */
static void read_needs_a_sink(struct kunit *test)
{
	struct stream_fixture *fix = test->priv;
	struct end *a = &fix->a;
	u32 lkey;

	start(test, &usual);
	lkey = reg(test, a, IB_ACCESS_REMOTE_READ);
	post_read(test, a, 1, 0x700, IOVA, lkey, 10, IB_WR_RDMA_READ);
	siw_build_one(a->qp);
	KUNIT_EXPECT_EQ(test, 0, take_built(test, a));
	completed(test, a, 1, IB_WC_LOC_PROT_ERR);
	over(test);
}

/* What is fenced waits for Reads; Reads wait for their depth. */
static void waits_for_reads(struct kunit *test)
{
	struct stream_fixture *fix = test->priv;
	struct end *a = &fix->a, *b = &fix->b;
	u32 rkey;

	start(test, &(struct siw_qp_start) { .ird = 1, .ord = 1 });
	rkey = reg(test, b, IB_ACCESS_REMOTE_READ);
	post_read(test, a, 1, rkey, (uintptr_t)a->page, fix->dma->lkey, 10,
		  IB_WR_RDMA_READ);
	post_read(test, a, 2, rkey, (uintptr_t)a->page, fix->dma->lkey, 10,
		  IB_WR_RDMA_READ);
	post_inv(test, a, 3, rkey, IB_SEND_FENCE);
	KUNIT_EXPECT_EQ(test, 1, siw_build_one(a->qp));
	KUNIT_EXPECT_EQ(test, 0, siw_build_one(a->qp));
	KUNIT_EXPECT_TRUE(test, a->qp->tx.stalled);
	pass(test, a, b);
	pass(test, b, a);
	completed(test, a, 1, IB_WC_SUCCESS);
	KUNIT_EXPECT_FALSE(test, a->qp->tx.stalled);
	pass(test, a, b);		/* the second, and no more */
	KUNIT_EXPECT_TRUE(test, a->qp->tx.stalled);
	KUNIT_EXPECT_TRUE(test, a->qp->tx.fetched);
	pass(test, b, a);
	completed(test, a, 2, IB_WC_SUCCESS);
	nothing_completed(test, a);
	KUNIT_EXPECT_EQ(test, 2, siw_fake_count(fix->dev, SIW_CNT_TX_STALL));
	over(test);
}

/* Neither work requests nor responses keep the others from leaving. */
static void takes_turns(struct kunit *test)
{
	static const u8 want[] = {
		SIW_RDMAP_READ_RSP, SIW_RDMAP_SEND,
		SIW_RDMAP_READ_RSP, SIW_RDMAP_SEND,
	};
	struct stream_fixture *fix = test->priv;
	struct end *a = &fix->a;
	int i;

	start(test, &usual);
	memset(a->qp->irq, 0, 2 * sizeof(*a->qp->irq));	/* of no octets */
	a->qp->irq_put = 2;
	post_send(test, a, 1, 10);
	post_send(test, a, 2, 10);
	for (i = 0; i < ARRAY_SIZE(want); i++) {
		KUNIT_EXPECT_EQ(test, 1, siw_build_one(a->qp));
		KUNIT_EXPECT_GT(test, take_built(test, a), 0);
		KUNIT_EXPECT_EQ(test, want[i], fix->wire[3] &
				SIW_RDMAP_OP_MASK);
	}
	over(test);
}

/* What was not begun has no length, whatever had its place a lap before. */
static void flushed_send_has_no_length(struct kunit *test)
{
	struct stream_fixture *fix = test->priv;
	struct end *a = &fix->a;
	u32 i;

	start(test, &usual);
	for (i = 0; i < WQES; i++) {
		post_send(test, a, i, 10);
		KUNIT_EXPECT_EQ(test, 1, siw_build_one(a->qp));
		take_built(test, a);
		KUNIT_EXPECT_EQ(test, 10,
				completed(test, a, i, IB_WC_SUCCESS).byte_len);
	}
	post_send(test, a, i, 10);
	siw_sq_flush(a->qp);
	KUNIT_EXPECT_EQ(test, 0,
			completed(test, a, i, IB_WC_WR_FLUSH_ERR).byte_len);
	over(test);
}

/* The Terminate names what could not be read, and no more than that. */
static void source_goes_half_way(struct kunit *test)
{
	struct stream_fixture *fix = test->priv;
	struct siw_qp *qp = fix->a.qp;
	struct siw_read_req rest;

	start(test, &usual);
	qp->irq_put = 7;
	qp->irq_get = 6;
	qp->irq[0] = (struct siw_read_req) {
		.sink_stag = 0x111, .sink_to = 0x222, .len = 3000,
		.src_stag = 0x333, .src_to = 0x444,
	};
	qp->tx.msg = SIW_TX_RESPONSE;
	qp->tx.rsp_done = 1000;
	siw_build_one(qp);
	KUNIT_EXPECT_EQ(test, SIW_FAULT_RDMAP_STAG, qp->fault);
	KUNIT_EXPECT_EQ(test, SIW_QP_TERMINATE, siw_qp_state(qp));
	KUNIT_EXPECT_EQ(test, SIW_DDP_UNTAGGED_LEN, qp->term.hdr_len);
	KUNIT_EXPECT_EQ(test, SIW_QN_READ,
			get_unaligned_be32(qp->term.hdr + SIW_DDP_OFF_QN));
	KUNIT_EXPECT_EQ(test, 7,
			get_unaligned_be32(qp->term.hdr + SIW_DDP_OFF_MSN));
	KUNIT_EXPECT_EQ(test, SIW_READ_REQ_LEN, qp->term.read_len);
	siw_read_req_decode(&rest, qp->term.read);
	KUNIT_EXPECT_EQ(test, 0x111, rest.sink_stag);
	KUNIT_EXPECT_EQ(test, 0x222 + 1000, rest.sink_to);
	KUNIT_EXPECT_EQ(test, 2000, rest.len);
	KUNIT_EXPECT_EQ(test, 0x333, rest.src_stag);
	KUNIT_EXPECT_EQ(test, 0x444 + 1000, rest.src_to);
	over(test);
}

/* A Send takes a receive unless it is there to say "ready", before all else. */
static void only_an_empty_first_send_is_free(struct kunit *test)
{
	const struct ib_rdma_wr write = { .wr.opcode = IB_WR_RDMA_WRITE };
	struct stream_fixture *fix = test->priv;
	struct end *a = &fix->a, *b = &fix->b;

	start(test, &(struct siw_qp_start) { .rtr_send = true });
	post_recv(test, b, 1, 10);
	post_send(test, a, 2, 5);
	pass(test, a, b);
	KUNIT_EXPECT_EQ(test, 5, completed(test, b, 1, IB_WC_SUCCESS).byte_len);
	/* Here another message was the first. */
	post_recv(test, a, 3, 10);
	post(test, b, &write.wr);
	post_send(test, b, 4, 0);
	pass(test, b, a);
	completed(test, a, 2, IB_WC_SUCCESS);
	KUNIT_EXPECT_EQ(test, 0, completed(test, a, 3, IB_WC_SUCCESS).byte_len);
	over(test);
}

/* Payload of a full FPDU of a Send */
static u32 one_fpdu(const struct end *end)
{
	return siw_mpa_mulpdu(siw_llp_mss(&end->llp), false) -
	       SIW_DDP_UNTAGGED_LEN;
}

/*
 * A message of many FPDUs to a receive of two elements: the first is full when
 * one has come, so that those behind it begin with the second.
 */
static enum ib_wc_status scatter(struct kunit *test, u32 first, u32 second)
{
	struct stream_fixture *fix = test->priv;
	struct end *a = &fix->a, *b = &fix->b;
	struct ib_sge sge[2] = {
		{ (uintptr_t)b->page, one_fpdu(a), first },
		{ (uintptr_t)b->page + 800, OCTETS, second },
	};
	const struct ib_recv_wr recv = { .sg_list = sge, .num_sge = 2 };
	const struct ib_recv_wr *bad;
	struct ib_wc wc = {};

	memset(a->page, 0x5e, OCTETS);
	memset(b->page, 0, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, 0, siw_rq_post(&b->qp->srq->rq, SIW_MAX_SGE,
					     &recv, &bad));
	post_send(test, a, 1, OCTETS);
	pass(test, a, b);
	KUNIT_EXPECT_EQ(test, 1, siw_cq_poll(&b->cq->cq.base, 1, &wc));
	return wc.status;
}

static void share(struct kunit *test)
{
	struct stream_fixture *fix = test->priv;
	struct siw_srq *srq = kunit_kzalloc(test, sizeof(*srq), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, srq);
	srq->rq.num = WQES;
	srq->rq.ring = kunit_kcalloc(test, WQES, sizeof(*srq->rq.ring),
				     GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, srq->rq.ring);
	siw_srq_init(srq, true);
	srq->base.device = &fix->dev->base;
	srq->base.pd = &fix->other_pd;
	fix->b.qp->srq = srq;
}

/* Receives of a shared queue name regions of the queue's domain. */
static void shared_receives_have_a_domain(struct kunit *test)
{
	struct stream_fixture *fix = test->priv;
	u32 lkey = dma_mr(test, &fix->other_pd)->lkey;
	u32 one = one_fpdu(&fix->a);

	share(test);
	start(test, &usual);
	KUNIT_EXPECT_EQ(test, IB_WC_SUCCESS, scatter(test, lkey, lkey));
	KUNIT_EXPECT_MEMEQ(test, fix->a.page, fix->b.page, one);
	KUNIT_EXPECT_MEMEQ(test, fix->a.page, fix->b.page + 800, OCTETS - one);
	KUNIT_EXPECT_EQ(test, 0, fix->b.page[800 + OCTETS - one]);
	completed(test, &fix->a, 1, IB_WC_SUCCESS);
	KUNIT_EXPECT_EQ(test, IB_WC_LOC_PROT_ERR,
			scatter(test, lkey, fix->dma->lkey));
	KUNIT_EXPECT_EQ(test, 0, fix->b.page[800]);
	KUNIT_EXPECT_EQ(test, 1, siw_fake_count(fix->dev, SIW_CNT_LOCAL_ERR));
	over(test);
}

static struct kunit_case stream_cases[] = {
	KUNIT_CASE(registers_and_invalidates),
	KUNIT_CASE(peer_invalidates),
	KUNIT_CASE(read_invalidates_if_asked),
	KUNIT_CASE(read_says_if_it_could_not),
	KUNIT_CASE(read_needs_a_depth),
	KUNIT_CASE(read_needs_a_sink),
	KUNIT_CASE(waits_for_reads),
	KUNIT_CASE(takes_turns),
	KUNIT_CASE(flushed_send_has_no_length),
	KUNIT_CASE(source_goes_half_way),
	KUNIT_CASE(only_an_empty_first_send_is_free),
	KUNIT_CASE(shared_receives_have_a_domain),
	{}
};

static struct kunit_suite stream_suite = {
	.name = "siw_stream",
	.init = stream_init,
	.test_cases = stream_cases,
};

kunit_test_suite(stream_suite);
