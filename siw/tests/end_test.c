// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * One end of a stream: FPDUs arrive that no decent peer would send, and messages
 * are built, without a network.
 */
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/skbuff.h>
#include <net/tcp.h>

#include "fake.h"

#define WQES	4
#define OCTETS	10	/* of a message */

/**
 * struct end_fixture - a queue pair that is up, and what is on the wire
 * @dev: its device
 * @pd: its protection domain
 * @dma: all of memory, for everybody
 * @cq: its completion queue
 * @qp: the queue pair
 * @llp: its socket, which is connected to nothing
 * @page: memory
 * @wire: octets on their way
 * @len: how many
 */
struct end_fixture {
	struct siw_device *dev;
	struct ib_pd pd;
	struct ib_mr *dma;
	struct siw_fake_cq *cq;
	struct siw_qp *qp;
	struct siw_llp llp;
	u8 *page;
	u8 *wire;
	u32 len;
};

static int end_init(struct kunit *test)
{
	struct end_fixture *fix = kunit_kzalloc(test, sizeof(*fix), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fix);
	test->priv = fix;
	fix->dev = siw_fake_device(test);
	fix->pd.device = &fix->dev->base;
	fix->dma = siw_mr_get_dma(&fix->pd, IB_ACCESS_LOCAL_WRITE |
				  IB_ACCESS_REMOTE_WRITE);
	KUNIT_ASSERT_FALSE(test, IS_ERR(fix->dma));
	siw_fake_on_exit(test, siw_fake_dereg, fix->dma);
	fix->page = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	fix->wire = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fix->page);
	KUNIT_ASSERT_NOT_NULL(test, fix->wire);
	siw_fake_llp(test, &fix->llp);
	fix->cq = siw_fake_cq(test, fix->dev, 4 * WQES);
	fix->qp = siw_fake_qp(test, fix->cq, WQES);
	fix->qp->base.pd = &fix->pd;
	fix->qp->access = SIW_ACCESS_REMOTE_WRITE | SIW_ACCESS_REMOTE_READ;
	siw_fake_on_exit(test, siw_fake_end, fix->qp);
	return 0;
}

/*
 * From here on the test is the transmitter: the workers that are kicked find it
 * taken, and nothing goes to the socket.
 */
static void start(struct kunit *test, u32 ord)
{
	struct end_fixture *fix = test->priv;
	const struct siw_qp_start start = {
		.llp = &fix->llp,
		.ird = 2,
		.ord = ord,
	};

	KUNIT_ASSERT_EQ(test, 0, siw_qp_depths(fix->qp, start.ird, start.ord));
	KUNIT_ASSERT_EQ(test, 0, siw_qp_start(fix->qp, &start));
	mutex_lock(&fix->qp->tx.lock);
}

static void over(struct kunit *test)
{
	struct end_fixture *fix = test->priv;

	siw_qp_event(fix->qp, SIW_QP_EV_FAIL);
	siw_txbuf_drop(&fix->qp->tx.buf);
	mutex_unlock(&fix->qp->tx.lock);
}

/* An FPDU of @seg with the octets at @p, behind those that are on the wire. */
static void add(struct kunit *test, const struct siw_seg *seg, const void *p)
{
	struct end_fixture *fix = test->priv;
	u8 *to = fix->wire + fix->len;
	u32 hdr_len = siw_ddp_encode(to + SIW_MPA_LEN_LEN, seg);

	put_unaligned_be16(hdr_len + seg->len, to);
	memcpy(to + SIW_MPA_LEN_LEN + hdr_len, p, seg->len);
	fix->len += siw_mpa_fpdu_len(hdr_len + seg->len);	/* no CRC */
}

/* A Send of OCTETS octets of one segment */
static struct siw_seg send_seg(enum siw_rdmap_op op, u32 msn)
{
	return (struct siw_seg) {
		.op = op,
		.last = true,
		.len = OCTETS,
		.msn = msn,
	};
}

static void add_send(struct kunit *test, enum siw_rdmap_op op, u32 msn)
{
	struct siw_seg seg = send_seg(op, msn);

	add(test, &seg, "0123456789");
}

/* A Read Request of no octets */
static void add_read_request(struct kunit *test, u32 msn)
{
	const struct siw_read_req req = {};
	const struct siw_seg seg = {
		.op = SIW_RDMAP_READ_REQ,
		.last = true,
		.len = SIW_READ_REQ_LEN,
		.qn = SIW_QN_READ,
		.msn = msn,
	};
	u8 hdr[SIW_READ_REQ_LEN];

	siw_read_req_encode(hdr, &req);
	add(test, &seg, hdr);
}

/* TCP has @skb, and what it had before and nobody took. */
static void receive(struct kunit *test, struct sk_buff *skb)
{
	struct end_fixture *fix = test->priv;
	struct sock *sk = fix->llp.sock->sk;
	u32 seq;

	lock_sock(sk);
	if (skb) {
		seq = tcp_sk(sk)->rcv_nxt;
		TCP_SKB_CB(skb)->seq = seq;
		TCP_SKB_CB(skb)->end_seq = seq + skb->len;
		WRITE_ONCE(tcp_sk(sk)->rcv_nxt, seq + skb->len);
		__skb_queue_tail(&sk->sk_receive_queue, skb);
	}
	siw_rx_data_ready(fix->qp);
	release_sock(sk);
}

/* Octets @from to @to of those on the wire arrive, in one buffer. */
static void arrive(struct kunit *test, u32 from, u32 to)
{
	struct end_fixture *fix = test->priv;
	struct sk_buff *skb = alloc_skb(to - from, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_put_data(skb, fix->wire + from, to - from);
	receive(test, skb);
}

static void all_arrive(struct kunit *test)
{
	struct end_fixture *fix = test->priv;

	arrive(test, 0, fix->len);
	fix->len = 0;
}

/* Take what was built. Return: octets. */
static u32 take_built(struct kunit *test)
{
	struct end_fixture *fix = test->priv;
	struct siw_qp *qp = fix->qp;
	struct siw_txbuf *buf = &qp->tx.buf;
	unsigned int segs = siw_txbuf_segs(buf), i;
	u32 n = 0;

	for (i = 0; i < segs; i++) {
		const struct bio_vec *bv = &buf->bvec[buf->first + i];

		KUNIT_ASSERT_LE(test, n + bv->bv_len, PAGE_SIZE);
		memcpy(fix->wire + n, page_address(bv->bv_page) +
		       bv->bv_offset, bv->bv_len);
		n += bv->bv_len;
	}
	siw_txbuf_drop(buf);
	siw_sq_sent(qp, qp->sq.fetch - qp->tx.fetched);
	return n;
}

/* What the first FPDU of what was taken is */
static u8 built_op(const struct end_fixture *fix)
{
	return fix->wire[SIW_MPA_LEN_LEN + 1] & SIW_RDMAP_OP_MASK;
}

static struct ib_sge octets(const struct end_fixture *fix, u32 len)
{
	return (struct ib_sge) {
		.addr = (uintptr_t)fix->page,
		.length = len,
		.lkey = fix->dma->lkey,
	};
}

static void post_recv(struct kunit *test, u64 id, struct ib_sge *sge, int num)
{
	struct end_fixture *fix = test->priv;
	const struct ib_recv_wr wr = {
		.wr_id = id,
		.sg_list = sge,
		.num_sge = num,
	};
	const struct ib_recv_wr *bad;

	KUNIT_ASSERT_EQ(test, 0, siw_rq_post(&fix->qp->rq, SIW_MAX_SGE, &wr,
					     &bad));
}

/* A receive of OCTETS octets */
static void post_usual_recv(struct kunit *test, u64 id)
{
	struct ib_sge sge = octets(test->priv, OCTETS);

	post_recv(test, id, &sge, 1);
}

static struct ib_wc completed(struct kunit *test, u64 id,
			      enum ib_wc_status status)
{
	struct end_fixture *fix = test->priv;
	struct ib_wc wc = {};

	KUNIT_EXPECT_EQ(test, 1, siw_cq_poll(&fix->cq->cq.base, 1, &wc));
	KUNIT_EXPECT_EQ(test, id, wc.wr_id);
	KUNIT_EXPECT_EQ(test, status, wc.status);
	return wc;
}

static void nothing_completed(struct kunit *test)
{
	struct end_fixture *fix = test->priv;
	struct ib_wc wc;

	KUNIT_EXPECT_EQ(test, 0, siw_cq_poll(&fix->cq->cq.base, 1, &wc));
}

/*
 * What arrives
 */

/* FPDUs that are whole are taken where they lie, also the last of a buffer. */
static void takes_what_is_whole_in_place(struct kunit *test)
{
	struct end_fixture *fix = test->priv;

	start(test, 0);
	post_usual_recv(test, 1);
	post_usual_recv(test, 2);
	add_send(test, SIW_RDMAP_SEND, 1);
	add_send(test, SIW_RDMAP_SEND, 2);
	all_arrive(test);
	completed(test, 1, IB_WC_SUCCESS);
	completed(test, 2, IB_WC_SUCCESS);
	KUNIT_EXPECT_EQ(test, 0, siw_fake_count(fix->dev, SIW_CNT_RX_STRADDLE));
	KUNIT_EXPECT_EQ(test, 0, fix->qp->rx.carry_size);
	over(test);
}

/* One that ends a message ends it, however much the next looks like it. */
static void counts_each_message(struct kunit *test)
{
	struct end_fixture *fix = test->priv;
	struct siw_seg seg = {
		.op = SIW_RDMAP_WRITE,
		.last = true,
		.tagged = true,
		.len = OCTETS,
		.stag = fix->dma->rkey,
	};
	int i;

	start(test, 0);
	for (i = 0; i < 3; i++) {
		seg.to = (uintptr_t)fix->page + i * OCTETS;
		add(test, &seg, "abcdefghij");
	}
	all_arrive(test);
	KUNIT_EXPECT_EQ(test, 3, siw_fake_count(fix->dev, SIW_CNT_RX_WRITE));
	KUNIT_EXPECT_MEMEQ(test, "abcdefghijabcdefghijabcdefghij", fix->page,
			   3 * OCTETS);
	KUNIT_EXPECT_EQ(test, SIW_QP_RTS, siw_qp_state(fix->qp));
	over(test);
}

/* The user ABI has no word for Immediate Data, with an event or without. */
static void refuses_immediate_data(struct kunit *test)
{
	static const enum siw_rdmap_op ops[] = {
		SIW_RDMAP_IMM, SIW_RDMAP_IMM_SE,
	};
	struct end_fixture *fix = test->priv;
	struct siw_qp *qp = fix->qp;
	int i;

	start(test, 0);
	post_usual_recv(test, 1);
	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		add_send(test, ops[i], 1);
		all_arrive(test);
		KUNIT_EXPECT_EQ_MSG(test, SIW_FAULT_RDMAP_OPCODE, qp->fault,
				    "opcode %d", ops[i]);
		/* As if nothing had happened */
		qp->fault = SIW_OK;
		WRITE_ONCE(qp->state, SIW_QP_RTS);
	}
	nothing_completed(test);
	over(test);
}

/* Nearly a ready-to-receive Send is a Send, and needs a receive. */
static const struct rtr_row {
	const char *what;
	struct siw_seg seg;
	enum siw_fault fault;
} rtr_rows[] = {
	{ "octets", { .op = SIW_RDMAP_SEND, .last = true, .len = 1, .msn = 1 },
	  SIW_FAULT_DDP_NO_BUFFER },
	{ "more to come", { .op = SIW_RDMAP_SEND, .msn = 1 },
	  SIW_FAULT_DDP_NO_BUFFER },
	{ "an event", { .op = SIW_RDMAP_SEND_SE, .last = true, .msn = 1 },
	  SIW_FAULT_DDP_NO_BUFFER },
	{ "another MSN", { .op = SIW_RDMAP_SEND, .last = true, .msn = 2 },
	  SIW_FAULT_DDP_NO_BUFFER },
	{ "an offset", { .op = SIW_RDMAP_SEND, .last = true, .msn = 1, .mo = 4 },
	  SIW_FAULT_DDP_NO_BUFFER },
	{ "another queue", { .op = SIW_RDMAP_SEND, .last = true, .msn = 1,
			     .qn = SIW_QN_READ }, SIW_FAULT_RDMAP_OPCODE },
	{ "nothing", { .op = SIW_RDMAP_SEND, .last = true, .msn = 1 }, SIW_OK },
};

static void knows_the_ready_to_receive_send(struct kunit *test)
{
	struct end_fixture *fix = test->priv;
	struct siw_qp *qp = fix->qp;
	int i;

	start(test, 0);
	for (i = 0; i < ARRAY_SIZE(rtr_rows); i++) {
		const struct rtr_row *row = &rtr_rows[i];

		qp->rx.rtr_send = true;
		qp->fault = SIW_OK;
		WRITE_ONCE(qp->state, SIW_QP_RTS);
		add(test, &row->seg, "x");
		all_arrive(test);
		KUNIT_EXPECT_EQ_MSG(test, row->fault, qp->fault, "%s",
				    row->what);
	}
	KUNIT_EXPECT_EQ(test, 2, qp->rx.ddp.queue[SIW_QN_SEND].msn);
	nothing_completed(test);
	over(test);
}

/* What comes behind a fault is taken as well: unread, it would keep the FIN back. */
static void leaves_nothing_behind_a_fault(struct kunit *test)
{
	struct end_fixture *fix = test->priv;
	struct sock *sk = fix->llp.sock->sk;

	start(test, 0);
	post_usual_recv(test, 1);
	add_send(test, SIW_RDMAP_IMM, 1);
	add_send(test, SIW_RDMAP_SEND, 1);
	all_arrive(test);
	KUNIT_EXPECT_EQ(test, SIW_QP_TERMINATE, siw_qp_state(fix->qp));
	KUNIT_EXPECT_TRUE(test, skb_queue_empty(&sk->sk_receive_queue));
	nothing_completed(test);
	over(test);
}

/* A receive that a Send with a bad STag was for says so. */
static void says_that_it_could_not_invalidate(struct kunit *test)
{
	struct end_fixture *fix = test->priv;
	struct siw_seg seg = send_seg(SIW_RDMAP_SEND_INV, 1);

	start(test, 0);
	post_usual_recv(test, 1);
	seg.stag = fix->dma->rkey ^ 1;
	add(test, &seg, "0123456789");
	all_arrive(test);
	KUNIT_EXPECT_EQ(test, 0,
			completed(test, 1, IB_WC_REM_INV_REQ_ERR).wc_flags);
	KUNIT_EXPECT_EQ(test, SIW_FAULT_RDMAP_INVALIDATE, fix->qp->fault);
	over(test);
}

/* An element of no octets names no region, whatever its key. */
static void scatters_around_empty_elements(struct kunit *test)
{
	struct end_fixture *fix = test->priv;
	struct ib_sge sge[] = {
		{ .lkey = 0x7700 }, octets(fix, 4), { .lkey = 0x7700 },
		octets(fix, OCTETS - 4), { .lkey = 0x7700 },
	};

	sge[3].addr += 100;
	start(test, 0);
	post_recv(test, 1, sge, ARRAY_SIZE(sge));
	add_send(test, SIW_RDMAP_SEND, 1);
	all_arrive(test);
	completed(test, 1, IB_WC_SUCCESS);
	KUNIT_EXPECT_MEMEQ(test, "0123", fix->page, 4);
	KUNIT_EXPECT_MEMEQ(test, "456789", fix->page + 100, OCTETS - 4);
	over(test);
}

/* An element that nothing goes to may have any key. */
static void looks_at_no_element_behind_the_message(struct kunit *test)
{
	struct end_fixture *fix = test->priv;
	struct ib_sge sge[] = {
		octets(fix, OCTETS), { .length = 5, .lkey = 0x7700 },
	};

	start(test, 0);
	post_recv(test, 1, sge, ARRAY_SIZE(sge));
	add_send(test, SIW_RDMAP_SEND, 1);
	all_arrive(test);
	completed(test, 1, IB_WC_SUCCESS);
	KUNIT_EXPECT_MEMEQ(test, "0123456789", fix->page, OCTETS);
	KUNIT_EXPECT_EQ(test, SIW_QP_RTS, siw_qp_state(fix->qp));
	over(test);
}

/* The most Reads of the peer that were under way, and not how many are now */
static void remembers_the_most_reads(struct kunit *test)
{
	struct end_fixture *fix = test->priv;
	struct siw_qp *qp = fix->qp;

	start(test, 0);
	add_read_request(test, 1);
	add_read_request(test, 2);
	all_arrive(test);
	KUNIT_EXPECT_EQ(test, 2, qp->irq_high);
	KUNIT_EXPECT_EQ(test, 1, siw_build_one(qp));
	KUNIT_EXPECT_EQ(test, 1, siw_build_one(qp));
	KUNIT_EXPECT_EQ(test, 0, siw_build_one(qp));
	take_built(test);
	add_read_request(test, 3);
	all_arrive(test);
	KUNIT_EXPECT_EQ(test, 1, qp->irq_put - qp->irq_get);
	KUNIT_EXPECT_EQ(test, 2, qp->irq_high);
	over(test);
}

static void count_wake(void *owner)
{
	++*(unsigned int *)owner;
}

/* Its owner may have seen a FIN behind what waited for memory. */
static void wakes_its_owner_when_there_is_memory(struct kunit *test)
{
	static const struct siw_qp_ops ops = { .wake = count_wake };
	struct end_fixture *fix = test->priv;
	struct siw_qp *qp = fix->qp;
	unsigned int wakes = 0;

	KUNIT_ASSERT_EQ(test, 0, siw_qp_claim(qp, &wakes, &ops));
	start(test, 0);
	post_usual_recv(test, 1);
	add_send(test, SIW_RDMAP_SEND, 1);
	wakes = 0;
	arrive(test, 0, 5);
	flush_delayed_work(&qp->rx.grow);
	KUNIT_EXPECT_EQ(test, 1, wakes);
	receive(test, NULL);		/* as the socket would be asked to */
	arrive(test, 5, fix->len);
	completed(test, 1, IB_WC_SUCCESS);
	KUNIT_EXPECT_MEMEQ(test, "0123456789", fix->page, OCTETS);
	KUNIT_EXPECT_EQ(test, 1, siw_fake_count(fix->dev, SIW_CNT_RX_STRADDLE));
	over(test);
	siw_qp_unclaim(qp);
}

/* Octets that a device keeps to itself: the stream is over, and nobody looks. */
static void looks_into_no_devices_memory(struct kunit *test)
{
	struct end_fixture *fix = test->priv;
	struct siw_qp *qp = fix->qp;
	struct sk_buff *skb;
	struct page *page;

	start(test, 0);
	post_usual_recv(test, 1);
	add_send(test, SIW_RDMAP_SEND, 1);
	skb = alloc_skb(0, GFP_KERNEL);
	page = alloc_page(GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, skb && page);
	memcpy(page_address(page), fix->wire, fix->len);
	skb_add_rx_frag(skb, 0, page, 0, fix->len, PAGE_SIZE);
	skb->unreadable = true;
	receive(test, skb);
	flush_delayed_work(&qp->rx.grow);
	receive(test, NULL);
	nothing_completed(test);
	KUNIT_EXPECT_EQ(test, SIW_QP_ERROR, siw_qp_state(qp));
	over(test);
}

/* A socket, and how often its owner heard of it */
struct ear {
	struct siw_llp llp;
	unsigned int heard;
};

static void hear(struct siw_llp *llp)
{
	container_of(llp, struct ear, llp)->heard++;
}

/* A BPF program's data may be where ours would be, with our callbacks behind its. */
static void hears_nothing_for_another(struct kunit *test)
{
	static const struct siw_llp_ops ops = {
		.data_ready = hear, .write_space = hear, .state_change = hear,
	};
	struct ear *ear = kunit_kzalloc(test, sizeof(*ear), GFP_KERNEL);
	uintptr_t ours;
	struct sock *sk;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, ear);
	siw_fake_llp(test, &ear->llp);
	siw_llp_attach(&ear->llp, &ops);
	sk = ear->llp.sock->sk;
	ours = (uintptr_t)sk->sk_user_data;
	for (i = 0; i < 2; i++) {
		sk->sk_user_data = (void *)(ours | (i ? SK_USER_DATA_PSOCK : 0));
		sk->sk_data_ready(sk);
		sk->sk_write_space(sk);
		sk->sk_state_change(sk);
		sk->sk_error_report(sk);
		KUNIT_EXPECT_EQ(test, 4, ear->heard);
	}
	sk->sk_user_data = (void *)ours;
}

/*
 * What is built
 */

/* The peer's Read is not answered behind a request that ended the stream. */
static void answers_nothing_behind_a_failure(struct kunit *test)
{
	struct end_fixture *fix = test->priv;
	const struct ib_rdma_wr wr = {
		.wr = { .wr_id = 1, .opcode = IB_WR_RDMA_READ },
	};
	const struct ib_send_wr *bad;
	struct siw_qp *qp = fix->qp;

	start(test, 0);			/* no Read may be sent */
	add_read_request(test, 1);
	all_arrive(test);
	qp->tx.last = SIW_TX_RESPONSE;	/* it is a request's turn */
	KUNIT_ASSERT_EQ(test, 0, siw_sq_post(qp, &wr.wr, &bad));
	KUNIT_EXPECT_EQ(test, 0, siw_build_one(qp));
	KUNIT_EXPECT_EQ(test, 0, take_built(test));
	completed(test, 1, IB_WC_LOC_QP_OP_ERR);
	KUNIT_EXPECT_EQ(test, SIW_QP_TERMINATE, siw_qp_state(qp));
	over(test);
}

/* What a process left in an element that does not count is nobody's to see. */
static void read_of_nothing_names_no_sink(struct kunit *test)
{
	struct end_fixture *fix = test->priv;
	struct siw_qp *qp = fix->qp;
	struct siw_sqe *slot = &qp->sq.ring[0];
	struct siw_read_req req;

	start(test, 1);
	slot->opcode = SIW_OP_READ;
	slot->sge[0].laddr = 0x123456789abc;
	slot->sge[0].length = 5;
	slot->sge[0].lkey = fix->dma->lkey;
	slot->flags = SIW_WQE_VALID;
	KUNIT_EXPECT_EQ(test, 1, siw_build_one(qp));
	KUNIT_EXPECT_EQ(test, siw_mpa_fpdu_len(SIW_DDP_UNTAGGED_LEN +
					       SIW_READ_REQ_LEN),
			take_built(test));
	KUNIT_EXPECT_EQ(test, SIW_RDMAP_READ_REQ, built_op(fix));
	siw_read_req_decode(&req, fix->wire + SIW_MPA_LEN_LEN +
			    SIW_DDP_UNTAGGED_LEN);
	KUNIT_EXPECT_EQ(test, 0, req.sink_stag);
	KUNIT_EXPECT_EQ(test, 0, req.sink_to);
	KUNIT_EXPECT_EQ(test, 0, req.len);
	over(test);
}

static void gathers_around_empty_elements(struct kunit *test)
{
	struct end_fixture *fix = test->priv;
	struct ib_sge sge[] = {
		{ .lkey = 0x7700 }, octets(fix, 4), { .lkey = 0x7700 },
		octets(fix, OCTETS - 4), { .lkey = 0x7700 },
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
	memcpy(fix->page + 100, "456789", OCTETS - 4);
	start(test, 0);
	KUNIT_ASSERT_EQ(test, 0, siw_sq_post(fix->qp, &wr, &bad));
	KUNIT_EXPECT_EQ(test, 1, siw_build_one(fix->qp));
	KUNIT_EXPECT_EQ(test, siw_mpa_fpdu_len(SIW_DDP_UNTAGGED_LEN + OCTETS),
			take_built(test));
	completed(test, 1, IB_WC_SUCCESS);
	KUNIT_EXPECT_MEMEQ(test, "0123456789", fix->wire + SIW_MPA_LEN_LEN +
			   SIW_DDP_UNTAGGED_LEN, OCTETS);
	over(test);
}

/* What TCP has no room for is sent later, and not built once more. */
static void knows_that_its_terminate_is_built(struct kunit *test)
{
	struct end_fixture *fix = test->priv;
	struct siw_qp *qp = fix->qp;

	start(test, 0);
	siw_qp_fault(qp, SIW_FAULT_RDMAP_LOCAL, NULL, 0, 0);
	KUNIT_EXPECT_NE(test, SIW_TX_TERMINATE, qp->tx.msg);
	KUNIT_EXPECT_EQ(test, 0, siw_build_terminate(qp));
	KUNIT_EXPECT_EQ(test, SIW_TX_TERMINATE, qp->tx.msg);
	KUNIT_EXPECT_EQ(test, siw_mpa_fpdu_len(SIW_DDP_UNTAGGED_LEN +
					       SIW_TERM_CTRL_LEN),
			take_built(test));
	KUNIT_EXPECT_EQ(test, SIW_RDMAP_TERMINATE, built_op(fix));
	over(test);
}

/* TCP has no room just now: the stream is not over before the Terminate is out. */
static void ends_when_its_terminate_is_sent(struct kunit *test)
{
	struct end_fixture *fix = test->priv;
	struct siw_qp *qp = fix->qp;

	start(test, 0);
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
	over(test);
}

/* Whatever is to be built finds no room, and no memory for more. */
static void use_up(struct kunit *test)
{
	struct end_fixture *fix = test->priv;
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
	struct end_fixture *fix = test->priv;
	struct siw_qp *qp = fix->qp;
	int i;

	start(test, 1);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		qp->tx.rtr = rows[i][0];
		use_up(test);
		KUNIT_EXPECT_EQ(test, -ENOMEM, siw_build_one(qp));
		siw_txbuf_drop(&qp->tx.buf);
		KUNIT_EXPECT_EQ(test, 1, siw_build_one(qp));
		KUNIT_EXPECT_EQ(test, siw_mpa_fpdu_len(rows[i][2]), take_built(test));
		KUNIT_EXPECT_EQ(test, rows[i][1], built_op(fix));
	}
	over(test);
}

/* Nobody else says that there is memory again. */
static void looks_again_for_memory(struct kunit *test)
{
	const struct ib_send_wr wr = { .opcode = IB_WR_SEND };
	struct end_fixture *fix = test->priv;
	struct siw_qp *qp = fix->qp;
	const struct ib_send_wr *bad;

	start(test, 0);
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

static struct kunit_case end_cases[] = {
	KUNIT_CASE(takes_what_is_whole_in_place),
	KUNIT_CASE(counts_each_message),
	KUNIT_CASE(refuses_immediate_data),
	KUNIT_CASE(knows_the_ready_to_receive_send),
	KUNIT_CASE(leaves_nothing_behind_a_fault),
	KUNIT_CASE(says_that_it_could_not_invalidate),
	KUNIT_CASE(scatters_around_empty_elements),
	KUNIT_CASE(looks_at_no_element_behind_the_message),
	KUNIT_CASE(remembers_the_most_reads),
	KUNIT_CASE(wakes_its_owner_when_there_is_memory),
	KUNIT_CASE(looks_into_no_devices_memory),
	KUNIT_CASE(hears_nothing_for_another),
	KUNIT_CASE(answers_nothing_behind_a_failure),
	KUNIT_CASE(read_of_nothing_names_no_sink),
	KUNIT_CASE(gathers_around_empty_elements),
	KUNIT_CASE(knows_that_its_terminate_is_built),
	KUNIT_CASE(ends_when_its_terminate_is_sent),
	KUNIT_CASE(is_ready_later),
	KUNIT_CASE(looks_again_for_memory),
	{}
};

static struct kunit_suite end_suite = {
	.name = "siw_end",
	.init = end_init,
	.test_cases = end_cases,
};

kunit_test_suite(end_suite);
