// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * One end of a stream, without a network.
 */
#include <linux/mm.h>
#include <linux/skbuff.h>
#include <net/tcp.h>

#include "end.h"

#define WQES	4

int siw_end_init(struct kunit *test)
{
	struct siw_end *fix = kunit_kzalloc(test, sizeof(*fix), GFP_KERNEL);

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
void siw_end_start(struct kunit *test, u32 ord)
{
	struct siw_end *fix = test->priv;
	const struct siw_qp_start start = {
		.llp = &fix->llp,
		.ird = 2,
		.ord = ord,
	};

	KUNIT_ASSERT_EQ(test, 0, siw_qp_depths(fix->qp, start.ird, start.ord));
	KUNIT_ASSERT_EQ(test, 0, siw_qp_start(fix->qp, &start));
	mutex_lock(&fix->qp->tx.lock);
}

void siw_end_over(struct kunit *test)
{
	struct siw_end *fix = test->priv;

	siw_qp_event(fix->qp, SIW_QP_EV_FAIL);
	siw_txbuf_drop(&fix->qp->tx.buf);
	mutex_unlock(&fix->qp->tx.lock);
}

/* An FPDU of @seg with the octets at @p, behind those that are on the wire. */
void siw_end_add(struct kunit *test, const struct siw_seg *seg, const void *p)
{
	struct siw_end *fix = test->priv;
	u8 *to = fix->wire + fix->len;
	u32 hdr_len = siw_ddp_encode(to + SIW_MPA_LEN_LEN, seg);

	put_unaligned_be16(hdr_len + seg->len, to);
	memcpy(to + SIW_MPA_LEN_LEN + hdr_len, p, seg->len);
	fix->len += siw_mpa_fpdu_len(hdr_len + seg->len);	/* no CRC */
}

/* A Read Request of no octets */
void siw_end_add_read_request(struct kunit *test, u32 msn)
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
	siw_end_add(test, &seg, hdr);
}

/* TCP has @skb, and what it had before and nobody took. */
void siw_end_receive(struct kunit *test, struct sk_buff *skb)
{
	struct siw_end *fix = test->priv;
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
void siw_end_arrive(struct kunit *test, u32 from, u32 to)
{
	struct siw_end *fix = test->priv;
	struct sk_buff *skb = alloc_skb(to - from, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_put_data(skb, fix->wire + from, to - from);
	siw_end_receive(test, skb);
}

void siw_end_all_arrive(struct kunit *test)
{
	struct siw_end *fix = test->priv;

	siw_end_arrive(test, 0, fix->len);
	fix->len = 0;
}

/* Take what was built. Return: octets. */
u32 siw_end_take_built(struct kunit *test)
{
	struct siw_end *fix = test->priv;
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
u8 siw_end_built_op(const struct siw_end *fix)
{
	return fix->wire[SIW_MPA_LEN_LEN + 1] & SIW_RDMAP_OP_MASK;
}

struct ib_sge siw_end_octets(const struct siw_end *fix, u32 len)
{
	return (struct ib_sge) {
		.addr = (uintptr_t)fix->page,
		.length = len,
		.lkey = fix->dma->lkey,
	};
}

struct ib_wc siw_end_completed(struct kunit *test, u64 id,
			       enum ib_wc_status status)
{
	struct siw_end *fix = test->priv;
	struct ib_wc wc = {};

	KUNIT_EXPECT_EQ(test, 1, siw_cq_poll(&fix->cq->cq.base, 1, &wc));
	KUNIT_EXPECT_EQ(test, id, wc.wr_id);
	KUNIT_EXPECT_EQ(test, status, wc.status);
	return wc;
}
