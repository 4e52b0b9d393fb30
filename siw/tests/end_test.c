// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * What arrives: FPDUs as no decent peer would send them.
 */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/skbuff.h>
#include <net/tcp.h>

#include "end.h"

/* A Send of SIW_END_OCTETS octets of one segment */
static struct siw_seg send_seg(enum siw_rdmap_op op, u32 msn)
{
	return (struct siw_seg) {
		.op = op,
		.last = true,
		.len = SIW_END_OCTETS,
		.msn = msn,
	};
}

static void add_send(struct kunit *test, enum siw_rdmap_op op, u32 msn)
{
	struct siw_seg seg = send_seg(op, msn);

	siw_end_add(test, &seg, "0123456789");
}

static void post_recv(struct kunit *test, u64 id, struct ib_sge *sge, int num)
{
	struct siw_end *fix = test->priv;
	const struct ib_recv_wr wr = {
		.wr_id = id,
		.sg_list = sge,
		.num_sge = num,
	};
	const struct ib_recv_wr *bad;

	KUNIT_ASSERT_EQ(test, 0, siw_rq_post(&fix->qp->rq, SIW_MAX_SGE, &wr,
					     &bad));
}

/* A receive of SIW_END_OCTETS octets */
static void post_usual_recv(struct kunit *test, u64 id)
{
	struct ib_sge sge = siw_end_octets(test->priv, SIW_END_OCTETS);

	post_recv(test, id, &sge, 1);
}

static void nothing_completed(struct kunit *test)
{
	struct siw_end *fix = test->priv;
	struct ib_wc wc;

	KUNIT_EXPECT_EQ(test, 0, siw_cq_poll(&fix->cq->cq.base, 1, &wc));
}

/* FPDUs that are whole are taken where they lie, also the last of a buffer. */
static void takes_what_is_whole_in_place(struct kunit *test)
{
	struct siw_end *fix = test->priv;

	siw_end_start(test, 0);
	post_usual_recv(test, 1);
	post_usual_recv(test, 2);
	add_send(test, SIW_RDMAP_SEND, 1);
	add_send(test, SIW_RDMAP_SEND, 2);
	siw_end_all_arrive(test);
	siw_end_completed(test, 1, IB_WC_SUCCESS);
	siw_end_completed(test, 2, IB_WC_SUCCESS);
	KUNIT_EXPECT_EQ(test, 0, siw_fake_count(fix->dev, SIW_CNT_RX_STRADDLE));
	KUNIT_EXPECT_EQ(test, 0, fix->qp->rx.carry_size);
	siw_end_over(test);
}

/* One that ends a message ends it, however much the next looks like it. */
static void counts_each_message(struct kunit *test)
{
	struct siw_end *fix = test->priv;
	struct siw_seg seg = {
		.op = SIW_RDMAP_WRITE,
		.last = true,
		.tagged = true,
		.len = SIW_END_OCTETS,
		.stag = fix->dma->rkey,
	};
	int i;

	siw_end_start(test, 0);
	for (i = 0; i < 3; i++) {
		seg.to = (uintptr_t)fix->page + i * SIW_END_OCTETS;
		siw_end_add(test, &seg, "abcdefghij");
	}
	siw_end_all_arrive(test);
	KUNIT_EXPECT_EQ(test, 3, siw_fake_count(fix->dev, SIW_CNT_RX_WRITE));
	KUNIT_EXPECT_MEMEQ(test, "abcdefghijabcdefghijabcdefghij", fix->page,
			   3 * SIW_END_OCTETS);
	KUNIT_EXPECT_EQ(test, SIW_QP_RTS, siw_qp_state(fix->qp));
	siw_end_over(test);
}

/* A Write that begins with nothing does not get past the rights of the queue pair. */
static void grants_no_more_behind_nothing(struct kunit *test)
{
	struct siw_end *fix = test->priv;
	struct siw_seg seg = {
		.op = SIW_RDMAP_WRITE,
		.tagged = true,
		.stag = fix->dma->rkey,
		.to = (uintptr_t)fix->page,
	};

	siw_end_start(test, 0);
	WRITE_ONCE(fix->qp->access, 0);
	siw_end_add(test, &seg, "");
	seg.len = SIW_END_OCTETS;
	siw_end_add(test, &seg, "abcdefghij");
	siw_end_all_arrive(test);
	KUNIT_EXPECT_EQ(test, SIW_FAULT_RDMAP_ACCESS, fix->qp->fault);
	KUNIT_EXPECT_EQ(test, 0, fix->page[0]);
	siw_end_over(test);
}

/* The user ABI has no word for Immediate Data, with an event or without. */
static void refuses_immediate_data(struct kunit *test)
{
	static const enum siw_rdmap_op ops[] = {
		SIW_RDMAP_IMM, SIW_RDMAP_IMM_SE,
	};
	struct siw_end *fix = test->priv;
	struct siw_qp *qp = fix->qp;
	int i;

	siw_end_start(test, 0);
	post_usual_recv(test, 1);
	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		add_send(test, ops[i], 1);
		siw_end_all_arrive(test);
		KUNIT_EXPECT_EQ_MSG(test, SIW_FAULT_RDMAP_OPCODE, qp->fault,
				    "opcode %d", ops[i]);
		/* As if nothing had happened */
		qp->fault = SIW_OK;
		WRITE_ONCE(qp->state, SIW_QP_RTS);
	}
	nothing_completed(test);
	siw_end_over(test);
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
	struct siw_end *fix = test->priv;
	struct siw_qp *qp = fix->qp;
	int i;

	siw_end_start(test, 0);
	for (i = 0; i < ARRAY_SIZE(rtr_rows); i++) {
		const struct rtr_row *row = &rtr_rows[i];

		qp->rx.rtr_send = true;
		qp->fault = SIW_OK;
		WRITE_ONCE(qp->state, SIW_QP_RTS);
		siw_end_add(test, &row->seg, "x");
		siw_end_all_arrive(test);
		KUNIT_EXPECT_EQ_MSG(test, row->fault, qp->fault, "%s",
				    row->what);
	}
	KUNIT_EXPECT_EQ(test, 2, qp->rx.ddp.queue[SIW_QN_SEND].msn);
	nothing_completed(test);
	siw_end_over(test);
}

/* What comes behind a fault is taken as well: unread, it would keep the FIN back. */
static void leaves_nothing_behind_a_fault(struct kunit *test)
{
	struct siw_end *fix = test->priv;
	struct sock *sk = fix->llp.sock->sk;

	siw_end_start(test, 0);
	post_usual_recv(test, 1);
	add_send(test, SIW_RDMAP_IMM, 1);
	add_send(test, SIW_RDMAP_SEND, 1);
	siw_end_all_arrive(test);
	KUNIT_EXPECT_EQ(test, SIW_QP_TERMINATE, siw_qp_state(fix->qp));
	KUNIT_EXPECT_TRUE(test, skb_queue_empty(&sk->sk_receive_queue));
	nothing_completed(test);
	siw_end_over(test);
}

/* A receive that a Send with a bad STag was for says so. */
static void says_that_it_could_not_invalidate(struct kunit *test)
{
	struct siw_end *fix = test->priv;
	struct siw_seg seg = send_seg(SIW_RDMAP_SEND_INV, 1);

	siw_end_start(test, 0);
	post_usual_recv(test, 1);
	seg.stag = fix->dma->rkey ^ 1;
	siw_end_add(test, &seg, "0123456789");
	siw_end_all_arrive(test);
	KUNIT_EXPECT_EQ(test, 0,
			siw_end_completed(test, 1, IB_WC_REM_INV_REQ_ERR).wc_flags);
	KUNIT_EXPECT_EQ(test, SIW_FAULT_RDMAP_INVALIDATE, fix->qp->fault);
	siw_end_over(test);
}

/* An element of no octets names no region, whatever its key. */
static void scatters_around_empty_elements(struct kunit *test)
{
	struct siw_end *fix = test->priv;
	struct ib_sge sge[] = {
		{ .lkey = 0x7700 }, siw_end_octets(fix, 4), { .lkey = 0x7700 },
		siw_end_octets(fix, SIW_END_OCTETS - 4), { .lkey = 0x7700 },
	};

	sge[3].addr += 100;
	siw_end_start(test, 0);
	post_recv(test, 1, sge, ARRAY_SIZE(sge));
	add_send(test, SIW_RDMAP_SEND, 1);
	siw_end_all_arrive(test);
	siw_end_completed(test, 1, IB_WC_SUCCESS);
	KUNIT_EXPECT_MEMEQ(test, "0123", fix->page, 4);
	KUNIT_EXPECT_MEMEQ(test, "456789", fix->page + 100, SIW_END_OCTETS - 4);
	siw_end_over(test);
}

/* An element that nothing goes to may have any key. */
static void looks_at_no_element_behind_the_message(struct kunit *test)
{
	struct siw_end *fix = test->priv;
	struct ib_sge sge[] = {
		siw_end_octets(fix, SIW_END_OCTETS), { .length = 5, .lkey = 0x7700 },
	};

	siw_end_start(test, 0);
	post_recv(test, 1, sge, ARRAY_SIZE(sge));
	add_send(test, SIW_RDMAP_SEND, 1);
	siw_end_all_arrive(test);
	siw_end_completed(test, 1, IB_WC_SUCCESS);
	KUNIT_EXPECT_MEMEQ(test, "0123456789", fix->page, SIW_END_OCTETS);
	KUNIT_EXPECT_EQ(test, SIW_QP_RTS, siw_qp_state(fix->qp));
	siw_end_over(test);
}

/* Its copy is older than the word that its slot is free: that is not in it. */
static void takes_a_receive_as_it_was_posted(struct kunit *test)
{
	struct siw_end *fix = test->priv;
	struct siw_rqe rqe = {};

	post_usual_recv(test, 1);
	KUNIT_ASSERT_TRUE(test, siw_rq_take(fix->qp, &rqe));
	KUNIT_EXPECT_EQ(test, SIW_WQE_VALID, rqe.flags);
	KUNIT_EXPECT_EQ(test, 1, rqe.id);
	KUNIT_EXPECT_EQ(test, SIW_END_OCTETS, rqe.sge[0].length);
	KUNIT_EXPECT_EQ(test, 0, fix->qp->rq.ring[0].flags);
}

/* What touches no octet needs no right, neither of the region nor of the stream. */
static void lets_messages_of_nothing_pass(struct kunit *test)
{
	const struct siw_seg write = {
		.op = SIW_RDMAP_WRITE,
		.last = true,
		.tagged = true,
		.stag = 0x7700,
	};
	struct siw_end *fix = test->priv;
	struct siw_qp *qp = fix->qp;

	qp->access = 0;
	siw_end_start(test, 0);
	siw_end_add_read_request(test, 1);
	siw_end_add(test, &write, "");
	siw_end_all_arrive(test);
	KUNIT_EXPECT_EQ(test, SIW_OK, qp->fault);
	KUNIT_EXPECT_EQ(test, 1, qp->irq_put);
	KUNIT_EXPECT_EQ(test, 1, siw_fake_count(fix->dev, SIW_CNT_RX_READ_REQ));
	KUNIT_EXPECT_EQ(test, 1, siw_fake_count(fix->dev, SIW_CNT_RX_WRITE));
	siw_end_over(test);
}

/* No message is begun before the one before is whole, be a Read answered for it or not. */
static void takes_no_response_inside_a_write(struct kunit *test)
{
	struct siw_end *fix = test->priv;
	struct siw_qp *qp = fix->qp;
	struct siw_seg seg = {
		.op = SIW_RDMAP_WRITE,
		.tagged = true,
		.len = SIW_END_OCTETS,
		.stag = fix->dma->rkey,
		.to = (uintptr_t)fix->page,
	};

	siw_end_start(test, 1);
	qp->orq[0] = (struct siw_orq_entry) {
		.sink = { .stag = seg.stag, .to = seg.to, .len = seg.len },
		.index = qp->sq.fetch - 1,
	};
	qp->orq_put = 1;
	siw_end_add(test, &seg, "0123456789");
	seg.op = SIW_RDMAP_READ_RSP;
	seg.last = true;
	siw_end_add(test, &seg, "abcdefghij");
	siw_end_all_arrive(test);
	KUNIT_EXPECT_EQ(test, SIW_FAULT_RDMAP_OPCODE, qp->fault);
	KUNIT_EXPECT_EQ(test, 0, qp->orq_get);
	KUNIT_EXPECT_MEMEQ(test, "0123456789", fix->page, SIW_END_OCTETS);
	siw_end_over(test);
}

/* Each Terminate counts, and for its layer if it is one that may be believed. */
static void counts_terminates_by_their_layer(struct kunit *test)
{
	static const struct {
		u32 mo;
		u8 layer;
	} rows[] = { { 0, SIW_LAYER_DDP }, { 4, SIW_LAYER_DDP }, { 0, 3 } };
	struct siw_end *fix = test->priv;
	struct siw_qp *qp = fix->qp;
	u8 ulpdu[SIW_TERM_ULPDU_MAX];
	int i;

	siw_end_start(test, 0);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct siw_term term = {
			.layer = rows[i].layer,
			.etype = 1,
		};
		const struct siw_seg seg = {
			.op = SIW_RDMAP_TERMINATE,
			.last = true,
			.len = siw_term_encode(ulpdu, &term) - SIW_DDP_UNTAGGED_LEN,
			.qn = SIW_QN_TERM,
			.msn = 1,
			.mo = rows[i].mo,
		};

		siw_ddp_rx_init(&qp->rx.ddp);
		WRITE_ONCE(qp->state, SIW_QP_RTS);
		siw_end_add(test, &seg, ulpdu + SIW_DDP_UNTAGGED_LEN);
		siw_end_all_arrive(test);
		KUNIT_EXPECT_EQ(test, i + 1,
				siw_fake_count(fix->dev, SIW_CNT_RX_TERM));
		KUNIT_EXPECT_EQ(test, 1,
				siw_fake_count(fix->dev, SIW_CNT_RX_TERM_DDP));
	}
	KUNIT_EXPECT_EQ(test, 0, siw_fake_count(fix->dev, SIW_CNT_RX_TERM_RDMAP));
	siw_end_over(test);
}

/* An element that its poster has spoilt is an error of ours, and completes. */
static void counts_a_receive_that_is_none(struct kunit *test)
{
	struct siw_end *fix = test->priv;

	siw_end_start(test, 0);
	post_usual_recv(test, 1);
	fix->qp->rq.ring[0].num_sge = SIW_MAX_SGE + 1;
	add_send(test, SIW_RDMAP_SEND, 1);
	siw_end_all_arrive(test);
	siw_end_completed(test, 1, IB_WC_LOC_QP_OP_ERR);
	KUNIT_EXPECT_EQ(test, 1, siw_fake_count(fix->dev, SIW_CNT_LOCAL_ERR));
	siw_end_over(test);
}

/* The most Reads of the peer that were under way, and not how many are now */
static void remembers_the_most_reads(struct kunit *test)
{
	struct siw_end *fix = test->priv;
	struct siw_qp *qp = fix->qp;

	siw_end_start(test, 0);
	siw_end_add_read_request(test, 1);
	siw_end_add_read_request(test, 2);
	siw_end_all_arrive(test);
	KUNIT_EXPECT_EQ(test, 2, qp->irq_high);
	KUNIT_EXPECT_EQ(test, 1, siw_build_one(qp));
	KUNIT_EXPECT_EQ(test, 1, siw_build_one(qp));
	KUNIT_EXPECT_EQ(test, 0, siw_build_one(qp));
	siw_end_take_built(test);
	siw_end_add_read_request(test, 3);
	siw_end_all_arrive(test);
	KUNIT_EXPECT_EQ(test, 1, qp->irq_put - qp->irq_get);
	KUNIT_EXPECT_EQ(test, 2, qp->irq_high);
	siw_end_over(test);
}

static void count_wake(void *owner)
{
	++*(unsigned int *)owner;
}

/* Its owner may have seen a FIN behind what waited for memory. */
static void wakes_its_owner_when_there_is_memory(struct kunit *test)
{
	static const struct siw_qp_ops ops = { .wake = count_wake };
	struct siw_end *fix = test->priv;
	struct siw_qp *qp = fix->qp;
	unsigned int wakes = 0;

	KUNIT_ASSERT_EQ(test, 0, siw_qp_claim(qp, &wakes, &ops));
	siw_end_start(test, 0);
	post_usual_recv(test, 1);
	add_send(test, SIW_RDMAP_SEND, 1);
	wakes = 0;
	siw_end_arrive(test, 0, 5);
	flush_delayed_work(&qp->rx.read_on);
	KUNIT_EXPECT_EQ(test, 1, wakes);
	siw_end_receive(test, NULL);		/* as the socket would be asked to */
	siw_end_arrive(test, 5, fix->len);
	siw_end_completed(test, 1, IB_WC_SUCCESS);
	KUNIT_EXPECT_MEMEQ(test, "0123456789", fix->page, SIW_END_OCTETS);
	KUNIT_EXPECT_EQ(test, 1, siw_fake_count(fix->dev, SIW_CNT_RX_STRADDLE));
	siw_end_over(test);
	siw_qp_unclaim(qp);
}

/* What there is no memory for comes when there is some: nobody else asks again. */
static void asks_for_memory_again(struct kunit *test)
{
	unsigned long end = jiffies + 5 * HZ;
	struct siw_end *fix = test->priv;
	struct siw_rx *rx = &fix->qp->rx;

	siw_end_start(test, 0);
	post_usual_recv(test, 1);
	add_send(test, SIW_RDMAP_SEND, 1);
	WRITE_ONCE(rx->carry_want, 1u << 31);	/* more than kvmalloc() gives */
	queue_delayed_work(siw_data_wq, &rx->read_on, 0);
	flush_delayed_work(&rx->read_on);
	KUNIT_EXPECT_EQ(test, 0, rx->carry_size);
	KUNIT_EXPECT_EQ(test, 1u << 31, READ_ONCE(rx->carry_want));
	WRITE_ONCE(rx->carry_want, fix->len);
	while (READ_ONCE(rx->carry_want) && time_before(jiffies, end))
		msleep(20);
	KUNIT_EXPECT_EQ(test, 0, READ_ONCE(rx->carry_want));
	siw_end_arrive(test, 0, 5);
	siw_end_arrive(test, 5, fix->len);
	siw_end_completed(test, 1, IB_WC_SUCCESS);
	siw_end_over(test);
}

/* Octets that a device keeps to itself: the stream is over, and nobody looks. */
static void looks_into_no_devices_memory(struct kunit *test)
{
	struct siw_end *fix = test->priv;
	struct siw_qp *qp = fix->qp;
	struct sk_buff *skb;
	struct page *page;

	siw_end_start(test, 0);
	post_usual_recv(test, 1);
	add_send(test, SIW_RDMAP_SEND, 1);
	skb = alloc_skb(0, GFP_KERNEL);
	page = alloc_page(GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, skb && page);
	memcpy(page_address(page), fix->wire, fix->len);
	skb_add_rx_frag(skb, 0, page, 0, fix->len, PAGE_SIZE);
	skb->unreadable = true;
	siw_end_receive(test, skb);
	flush_delayed_work(&qp->rx.read_on);
	siw_end_receive(test, NULL);
	nothing_completed(test);
	KUNIT_EXPECT_EQ(test, SIW_QP_ERROR, siw_qp_state(qp));
	siw_end_over(test);
}

/* Who sleeps until something completes hears of it, and once, whatever came with it. */
static void tells_of_a_train_once(struct kunit *test)
{
	struct siw_end *fix = test->priv;
	int i;

	siw_end_start(test, 0);
	for (i = 1; i <= 3; i++)
		post_usual_recv(test, i);
	siw_cq_arm(&fix->cq->cq.base, IB_CQ_SOLICITED);
	add_send(test, SIW_RDMAP_SEND_SE, 1);
	add_send(test, SIW_RDMAP_SEND, 2);
	siw_end_all_arrive(test);
	KUNIT_EXPECT_EQ(test, 1, fix->cq->fired);
	add_send(test, SIW_RDMAP_SEND, 3);	/* It has not asked for this one. */
	siw_end_all_arrive(test);
	KUNIT_EXPECT_EQ(test, 1, fix->cq->fired);
	for (i = 1; i <= 3; i++)
		siw_end_completed(test, i, IB_WC_SUCCESS);
	siw_end_over(test);
}

/**
 * struct owner - who looks when it is woken
 * @qp: what it owns
 * @wakes: how often it was woken
 * @held: nothing might be sent then
 */
struct owner {
	struct siw_qp *qp;
	unsigned int wakes;
	bool held;
};

static void look(void *arg)
{
	struct owner *owner = arg;

	owner->wakes++;
	owner->held = READ_ONCE(owner->qp->tx.held);
}

/* It may look on another CPU at once: there is no second call. */
static void says_that_it_may_send_when_it_may(struct kunit *test)
{
	static const struct siw_qp_ops ops = { .wake = look };
	struct siw_end *fix = test->priv;
	struct owner owner = { .qp = fix->qp };

	KUNIT_ASSERT_EQ(test, 0, siw_qp_claim(fix->qp, &owner, &ops));
	siw_end_start(test, 0);
	WRITE_ONCE(fix->qp->tx.held, true);
	owner.wakes = 0;
	siw_end_add_read_request(test, 1);
	siw_end_all_arrive(test);
	KUNIT_EXPECT_EQ(test, 1, owner.wakes);
	KUNIT_EXPECT_FALSE(test, owner.held);
	siw_end_over(test);
	siw_qp_unclaim(fix->qp);
}

/* While a larger buffer is on its way, nothing goes to the one that it replaces. */
static void waits_for_the_larger_buffer(struct kunit *test)
{
	struct siw_end *fix = test->priv;
	struct siw_rx *rx = &fix->qp->rx;

	siw_end_start(test, 0);
	post_usual_recv(test, 1);
	post_usual_recv(test, 2);
	add_send(test, SIW_RDMAP_SEND, 1);
	siw_end_arrive(test, 0, 5);
	flush_delayed_work(&rx->read_on);
	siw_end_receive(test, NULL);
	siw_end_arrive(test, 5, fix->len);
	siw_end_completed(test, 1, IB_WC_SUCCESS);
	fix->len = 0;
	add_send(test, SIW_RDMAP_SEND, 2);
	WRITE_ONCE(rx->carry_want, 2 * rx->carry_size);	/* its worker is at it */
	siw_end_arrive(test, 0, 5);
	KUNIT_EXPECT_EQ(test, 0, rx->carry_len);
	WRITE_ONCE(rx->carry_want, 0);
	siw_end_receive(test, NULL);
	KUNIT_EXPECT_EQ(test, 5, rx->carry_len);
	siw_end_arrive(test, 5, fix->len);
	siw_end_completed(test, 2, IB_WC_SUCCESS);
	siw_end_over(test);
}

#define SEGS	4
#define OCTETS	(SEGS * SIW_END_OCTETS)
#define PIECE	10	/* octets; shorter than a header */
#define BEHIND	100	/* where a piece begins in its page */

/* A message of SEGS segments, each with its CRC, that begins at @seg */
static void add_message(struct kunit *test, struct siw_seg seg,
			const char *octets)
{
	struct siw_end *fix = test->priv;
	u32 from, n;
	int i;

	for (i = 0; i < SEGS; i++) {
		from = fix->len;
		seg.last = i == SEGS - 1;
		siw_end_add(test, &seg, octets + i * SIW_END_OCTETS);
		seg.to += SIW_END_OCTETS;
		seg.mo += SIW_END_OCTETS;
		n = fix->len - from - SIW_MPA_CRC_LEN;
		siw_mpa_crc_put(fix->wire + from + n,
				siw_mpa_crc_add(~0u, fix->wire + from, n));
	}
}

/* All octets arrive in one buffer: @cut of them in a row, and pieces, each in a page. */
static void arrive_in_pieces(struct kunit *test, u32 cut)
{
	struct siw_end *fix = test->priv;
	struct sk_buff *skb = alloc_skb(cut, GFP_KERNEL);
	u32 at, n;
	int i = 0;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_put_data(skb, fix->wire, cut);
	for (at = cut; at < fix->len; at += n) {
		struct page *page = alloc_page(GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, page);
		n = min(fix->len - at, PIECE);
		memset(page_address(page), 0x5e, PAGE_SIZE);
		memcpy(page_address(page) + BEHIND, fix->wire + at, n);
		skb_add_rx_frag(skb, i++, page, BEHIND, n, PAGE_SIZE);
	}
	fix->len = 0;
	siw_end_receive(test, skb);
}

/* Of each piece what is in it, and no octet behind it, is taken. */
static void takes_what_is_in_pieces(struct kunit *test)
{
	static const char octets[] = "0123456789abcdefghijABCDEFGHIJzyxwvutsrq";
	struct siw_end *fix = test->priv;
	struct ib_sge sge = siw_end_octets(fix, OCTETS);
	struct siw_seg write = {
		.op = SIW_RDMAP_WRITE,
		.tagged = true,
		.len = SIW_END_OCTETS,
		.stag = fix->dma->rkey,
		.to = (uintptr_t)fix->page + OCTETS,
	};
	struct siw_qp *qp = fix->qp;
	u32 cut;

	siw_end_start(test, 0);
	qp->rx.mpa.crc = true;
	for (cut = 1; cut < 128 && siw_qp_state(qp) == SIW_QP_RTS; cut++) {
		memset(fix->page, 0, 2 * OCTETS);
		add_message(test, write, octets);
		arrive_in_pieces(test, cut);
		KUNIT_EXPECT_MEMEQ(test, octets, fix->page + OCTETS, OCTETS);
		post_recv(test, cut, &sge, 1);
		add_message(test, send_seg(SIW_RDMAP_SEND, cut), octets);
		arrive_in_pieces(test, cut);
		siw_end_completed(test, cut, IB_WC_SUCCESS);
		KUNIT_EXPECT_MEMEQ(test, octets, fix->page, OCTETS);
	}
	KUNIT_EXPECT_EQ(test, 128, cut);
	KUNIT_EXPECT_EQ(test, SIW_OK, qp->fault);
	KUNIT_EXPECT_EQ(test, 0, siw_fake_count(fix->dev, SIW_CNT_RX_STRADDLE));
	siw_end_over(test);
}

static struct kunit_case end_cases[] = {
	KUNIT_CASE(takes_what_is_whole_in_place),
	KUNIT_CASE(counts_each_message),
	KUNIT_CASE(grants_no_more_behind_nothing),
	KUNIT_CASE(refuses_immediate_data),
	KUNIT_CASE(knows_the_ready_to_receive_send),
	KUNIT_CASE(leaves_nothing_behind_a_fault),
	KUNIT_CASE(says_that_it_could_not_invalidate),
	KUNIT_CASE(scatters_around_empty_elements),
	KUNIT_CASE(looks_at_no_element_behind_the_message),
	KUNIT_CASE(takes_a_receive_as_it_was_posted),
	KUNIT_CASE(lets_messages_of_nothing_pass),
	KUNIT_CASE(takes_no_response_inside_a_write),
	KUNIT_CASE(counts_terminates_by_their_layer),
	KUNIT_CASE(counts_a_receive_that_is_none),
	KUNIT_CASE(remembers_the_most_reads),
	KUNIT_CASE(wakes_its_owner_when_there_is_memory),
	KUNIT_CASE(asks_for_memory_again),
	KUNIT_CASE(looks_into_no_devices_memory),
	KUNIT_CASE(tells_of_a_train_once),
	KUNIT_CASE(says_that_it_may_send_when_it_may),
	KUNIT_CASE(waits_for_the_larger_buffer),
	KUNIT_CASE(takes_what_is_in_pieces),
	{}
};

static struct kunit_suite end_suite = {
	.name = "siw_end",
	.init = siw_end_init,
	.test_cases = end_cases,
};

kunit_test_suite(end_suite);
