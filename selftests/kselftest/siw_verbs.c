// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * What the Verbs promise, between two ends that behave.
 *
 *	netns sa                          netns sb
 *	+----------------------+          +----------------------+
 *	| siwa   side a        |          |        side b   siwb |
 *	|   va 10.83.0.1/24    |<- veth ->|    vb 10.83.0.2/24   |
 *	|  connects            | MTU 1500 |           listens    |
 *	+----------------------+          +----------------------+
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <rdma/ib_user_verbs.h>
#include <rdma/siw-abi.h>

#include "harness.h"

#define KiB 1024u
#define MiB (1024u * 1024)

/* A call that makes nothing, and says why. */
#define REFUSED(err, call, what) \
	EXPECT((errno = 0, !(call) && errno == (err)), what ": %m")

/* ---- attributes ---- */

static void device_attributes(void)
{
	struct ibv_context *ctx = open_device(NS_A);
	struct ibv_device_attr a;

	ASSERT(ctx, "no device on va");
	EXPECT_EQ(IBV_TRANSPORT_IWARP, ctx->device->transport_type);
	EXPECT_EQ(IBV_NODE_RNIC, ctx->device->node_type);
	ASSERT(!ibv_query_device(ctx, &a), "ibv_query_device");
	EXPECT(a.vendor_id, "vendor_id");
	EXPECT_EQ(1, a.phys_port_cnt);
	EXPECT(a.max_qp >= 102400, "max_qp %d", a.max_qp);
	EXPECT(a.max_qp_wr >= 32768, "max_qp_wr %d", a.max_qp_wr);
	EXPECT(a.max_sge >= 6, "max_sge %d", a.max_sge);
	EXPECT(a.max_sge_rd >= 1, "max_sge_rd %d", a.max_sge_rd);
	EXPECT(a.max_cq >= 102400, "max_cq %d", a.max_cq);
	EXPECT(a.max_cqe >= 3276800, "max_cqe %d", a.max_cqe);
	EXPECT(a.max_mr >= 1024000, "max_mr %d", a.max_mr);
	EXPECT(a.max_pd >= 102400, "max_pd %d", a.max_pd);
	EXPECT(a.max_srq >= 102400, "max_srq %d", a.max_srq);
	EXPECT(a.max_srq_wr >= 327680, "max_srq_wr %d", a.max_srq_wr);
	EXPECT(a.max_qp_rd_atom >= 128, "max_qp_rd_atom %d", a.max_qp_rd_atom);
	EXPECT(a.max_mr_size > 1ull << 30, "max_mr_size %" PRIu64,
	       a.max_mr_size);
	EXPECT(ctx->num_comp_vectors >= 1, "comp vectors");
	ibv_close_device(ctx);
}

static void port_attributes(void)
{
	struct ibv_context *ctx = open_device(NS_A);
	struct ibv_port_attr p;
	union ibv_gid gid;

	ASSERT(ctx, "no device on va");
	ASSERT(!ibv_query_port(ctx, 1, &p), "ibv_query_port");
	EXPECT_EQ(IBV_PORT_ACTIVE, p.state);
	EXPECT_EQ(IBV_LINK_LAYER_ETHERNET, p.link_layer);
	EXPECT_EQ(1, p.gid_tbl_len);
	EXPECT_EQ(IBV_MTU_1024, p.active_mtu);
	ASSERT(!ibv_query_gid(ctx, 1, 0, &gid), "ibv_query_gid");
	EXPECT(ibv_query_port(ctx, 2, &p), "there is no port 2");
	ibv_close_device(ctx);
}

static enum ibv_mtu path_mtu(struct ibv_qp *qp)
{
	struct ibv_qp_init_attr ia;
	struct ibv_qp_attr a = { 0 };

	ASSERT(!ibv_query_qp(qp, &a, IBV_QP_PATH_MTU, &ia), "ibv_query_qp");
	return a.path_mtu;
}

/* What ib_core has no better words for than those of InfiniBand */
static void port_follows_netdev(void)
{
	static const struct {
		int mtu;
		enum ibv_mtu is;
	} rows[] = {
		{ 9000, IBV_MTU_4096 }, { 2100, IBV_MTU_2048 },
		{ 1500, IBV_MTU_1024 },
	};
	struct ibv_port_attr p;
	struct side s;
	size_t i;

	side_init(&s, NS_A, NULL);
	side_resolve(&s, ADDR_B, next_port());
	side_open(&s);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		ASSERT(!sh("ip -n sa link set va mtu %d", rows[i].mtu), "mtu");
		ASSERT(!ibv_query_port(s.qp->context, 1, &p), "ibv_query_port");
		EXPECT_EQ(rows[i].is, p.active_mtu);
		EXPECT_EQ(rows[i].is, path_mtu(s.qp));
	}
	EXPECT_EQ(IBV_MTU_4096, p.max_mtu);
	EXPECT_EQ(IBV_PORT_ACTIVE, p.state);
	EXPECT_EQ(5, p.phys_state);		/* LinkUp */
	EXPECT_EQ(0x7fffffff, p.max_msg_sz);
	EXPECT(p.active_speed && p.active_width, "speed %u, width %u",
	       p.active_speed, p.active_width);
	side_close(&s);
}

/* ---- what moves data ---- */

static void send_recv(void)
{
	struct pair p;
	struct ibv_wc wc;

	pair_open(&p, NULL);
	fill(p.a.buf, 1000, 7);
	memset(p.b.buf, 0xee, 2000);
	recv_at(&p.b, 11, 0, 2000);
	POST(&p.a, .op = IBV_WR_SEND, .len = 1000, .id = 12);
	wc = WANT_WC(p.a.scq, 12, IBV_WC_SUCCESS);
	EXPECT_EQ(IBV_WC_SEND, wc.opcode);
	EXPECT_EQ(p.a.qp->qp_num, wc.qp_num);
	wc = WANT_WC(p.b.rcq, 11, IBV_WC_SUCCESS);
	EXPECT_EQ(IBV_WC_RECV, wc.opcode);
	EXPECT_EQ(1000, wc.byte_len);
	EXPECT_EQ(p.b.qp->qp_num, wc.qp_num);
	EXPECT_EQ(0, wc.wc_flags);
	CHECK(p.b.buf, 1000, 7);
	CHECK_BYTE(p.b.buf + 1000, 1000, 0xee);
	pair_works(&p);
	pair_close(&p);
}

static void rdma_write(void)
{
	struct pair p;
	struct ibv_wc wc;

	pair_open(&p, NULL);
	fill(p.a.buf, 5000, 3);
	memset(p.b.buf, 0xee, 8192);
	POST(&p.a, .op = IBV_WR_RDMA_WRITE, .len = 5000, .id = 1,
	     .raddr = at(&p.b, 100), .rkey = p.b.mr->rkey);
	wc = WANT_WC(p.a.scq, 1, IBV_WC_SUCCESS);
	EXPECT_EQ(IBV_WC_RDMA_WRITE, wc.opcode);
	/* A Write is known to be there once a later Send was delivered. */
	recv_at(&p.b, 2, 60000, 10);
	POST(&p.a, .op = IBV_WR_SEND, .len = 1, .id = 3);
	WANT_WC(p.a.scq, 3, IBV_WC_SUCCESS);
	WANT_WC(p.b.rcq, 2, IBV_WC_SUCCESS);
	CHECK_BYTE(p.b.buf, 100, 0xee);
	CHECK(p.b.buf + 100, 5000, 3);
	CHECK_BYTE(p.b.buf + 5100, 3000, 0xee);
	EXPECT(no_wc(p.b.rcq, 50), "a Write completes nothing at the target");
	pair_close(&p);
}

static void rdma_read(void)
{
	struct pair p;
	struct ibv_wc wc;

	pair_open(&p, NULL);
	fill(p.b.buf, 5000, 4);
	memset(p.a.buf, 0xee, 8192);
	POST(&p.a, .op = IBV_WR_RDMA_READ, .off = 100, .len = 5000, .id = 1,
	     .raddr = at(&p.b, 0), .rkey = p.b.mr->rkey);
	wc = WANT_WC(p.a.scq, 1, IBV_WC_SUCCESS);
	EXPECT_EQ(IBV_WC_RDMA_READ, wc.opcode);
	EXPECT_EQ(5000, wc.byte_len);
	CHECK_BYTE(p.a.buf, 100, 0xee);
	CHECK(p.a.buf + 100, 5000, 4);
	CHECK_BYTE(p.a.buf + 5100, 3000, 0xee);
	pair_close(&p);
}

/* One send, one write and one read of @len octets from and to odd places. */
static void one_size(struct pair *p, uint32_t len, size_t soff, size_t doff)
{
	struct side *a = &p->a;
	struct side *b = &p->b;
	struct ibv_wc wc;

	fill(a->buf + soff, len, len + 1);
	memset(b->buf + doff, 0, len);
	recv_at(b, len, doff, len);
	POST(a, .op = IBV_WR_SEND, .off = soff, .len = len, .id = 1);
	WANT_WC(a->scq, 1, IBV_WC_SUCCESS);
	wc = WANT_WC(b->rcq, len, IBV_WC_SUCCESS);
	EXPECT_EQ(len, wc.byte_len);
	CHECK(b->buf + doff, len, len + 1);

	fill(a->buf + soff, len, len + 2);
	memset(b->buf + doff, 0, len);
	POST(a, .op = IBV_WR_RDMA_WRITE, .off = soff, .len = len, .id = 2,
	     .raddr = at(b, doff), .rkey = b->mr->rkey);
	WANT_WC(a->scq, 2, IBV_WC_SUCCESS);
	memset(a->buf + soff, 0, len);
	POST(a, .op = IBV_WR_RDMA_READ, .off = soff, .len = len, .id = 3,
	     .raddr = at(b, doff), .rkey = b->mr->rkey);
	wc = WANT_WC(a->scq, 3, IBV_WC_SUCCESS);
	EXPECT_EQ(len, wc.byte_len);
	CHECK(b->buf + doff, len, len + 2);
	CHECK(a->buf + soff, len, len + 2);
}

static void all_sizes(void)
{
	static const uint32_t sizes[] = {
		1, 2, 3, 4, 5, 7, 8, 63, 64, 80, 81, 127, 128, 129, 255, 511,
		512, 513, 1023, 1400, 1423, 1424, 1425, 1427, 1428, 1429, 1430,
		1435, 1436, 1437, 1439, 1440, 1441, 1447, 1448, 1449, 1460,
		1500, 2047, 2848, 2849, 4095, 4096, 4097, 8191, 16384, 32768,
		65535, 65536, 65537, 131072, 262143, 1 * MiB, 1 * MiB + 1,
		4 * MiB - 1, 4 * MiB,
	};
	struct pair p;
	size_t i;

	pair_open(&p, &(struct opts){ .buf = 5 * MiB });
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		one_size(&p, sizes[i], 0, 0);
	pair_close(&p);
}

static void unaligned(void)
{
	struct pair p;
	size_t s, d;

	pair_open(&p, NULL);
	for (s = 0; s < 8; s++)
		for (d = 0; d < 8; d++)
			one_size(&p, 3001 + s, 4090 + s, 8185 + d);
	pair_close(&p);
}

static void zero_length(void)
{
	struct pair p;
	struct ibv_wc wc;

	pair_open(&p, NULL);
	memset(p.b.buf, 0xee, 100);
	recv_at(&p.b, 1, 0, 100);
	recv_at(&p.b, 2, 0, 0);
	POST(&p.a, .op = IBV_WR_SEND, .id = 3);
	POST(&p.a, .op = IBV_WR_SEND, .id = 4);
	WANT_WC(p.a.scq, 3, IBV_WC_SUCCESS);
	WANT_WC(p.a.scq, 4, IBV_WC_SUCCESS);
	wc = WANT_WC(p.b.rcq, 1, IBV_WC_SUCCESS);
	EXPECT_EQ(0, wc.byte_len);
	wc = WANT_WC(p.b.rcq, 2, IBV_WC_SUCCESS);
	EXPECT_EQ(0, wc.byte_len);
	CHECK_BYTE(p.b.buf, 100, 0xee);
	/* An STag and address that mean nothing are not looked at. */
	POST(&p.a, .op = IBV_WR_RDMA_WRITE, .id = 5, .raddr = 12345,
	     .rkey = 0xabcdef);
	WANT_WC(p.a.scq, 5, IBV_WC_SUCCESS);
	POST(&p.a, .op = IBV_WR_RDMA_READ, .id = 6, .raddr = 12345,
	     .rkey = 0xabcdef);
	WANT_WC(p.a.scq, 6, IBV_WC_SUCCESS);
	pair_works(&p);
	pair_close(&p);
}

static void multi_sge(void)
{
	static const uint32_t part[] = { 1, 1500, 7, 0, 4096, 333 };
	struct ibv_sge ssg[6], rsg[6];
	struct ibv_send_wr sw = { .wr_id = 1, .opcode = IBV_WR_SEND,
				  .send_flags = IBV_SEND_SIGNALED };
	struct ibv_recv_wr rw = { .wr_id = 2 };
	struct ibv_send_wr *sbad;
	struct ibv_recv_wr *rbad;
	uint8_t want[8192], got[8192];
	size_t total = 0;
	size_t n = 0;
	struct pair p;
	int i;

	pair_open(&p, &(struct opts){ .sge = 6 });
	fill(p.a.buf, 65536, 5);
	for (i = 0; i < 6; i++) {
		ssg[i] = (struct ibv_sge){ at(&p.a, i * 8192 + i), part[i],
					   p.a.mr->lkey };
		memcpy(want + total, p.a.buf + i * 8192 + i, part[i]);
		total += part[i];
		/* The receiver cuts in another way. */
		rsg[i] = (struct ibv_sge){ at(&p.b, i * 8192 + 2 * i),
					   part[5 - i], p.b.mr->lkey };
	}
	sw.sg_list = ssg;
	sw.num_sge = 6;
	rw.sg_list = rsg;
	rw.num_sge = 6;
	ASSERT(!ibv_post_recv(p.b.qp, &rw, &rbad), "ibv_post_recv");
	ASSERT(!ibv_post_send(p.a.qp, &sw, &sbad), "ibv_post_send");
	WANT_WC(p.a.scq, 1, IBV_WC_SUCCESS);
	EXPECT_EQ(total, WANT_WC(p.b.rcq, 2, IBV_WC_SUCCESS).byte_len);
	for (i = 0; i < 6; i++) {
		memcpy(got + n, p.b.buf + i * 8192 + 2 * i, part[5 - i]);
		n += part[5 - i];
	}
	EXPECT(!memcmp(want, got, total), "scattered data differ");

	/* The same as a Write. */
	sw.opcode = IBV_WR_RDMA_WRITE;
	sw.wr_id = 3;
	sw.wr.rdma.remote_addr = at(&p.b, 0);
	sw.wr.rdma.rkey = p.b.mr->rkey;
	ASSERT(!ibv_post_send(p.a.qp, &sw, &sbad), "ibv_post_send");
	WANT_WC(p.a.scq, 3, IBV_WC_SUCCESS);
	POST(&p.a, .op = IBV_WR_RDMA_READ, .off = 57344, .len = 1, .id = 4,
	     .raddr = at(&p.b, 0), .rkey = p.b.mr->rkey);
	WANT_WC(p.a.scq, 4, IBV_WC_SUCCESS);
	EXPECT(!memcmp(want, p.b.buf, total), "gathered data differ");
	/* More than was asked for at creation is refused. */
	sw.num_sge = 7;
	EXPECT(ibv_post_send(p.a.qp, &sw, &sbad), "7 SGEs are taken");
	pair_close(&p);
}

/*
 * More than is handed to TCP at a time: a request is left, and taken up again,
 * inside an element that is not its last one.
 */
static void long_sges(void)
{
	static const uint32_t part[] = { 70000, 100001, 130000 };
	struct ibv_send_wr wr = {
		.wr_id = 1, .num_sge = ARRAY_SIZE(part), .opcode = IBV_WR_SEND,
		.send_flags = IBV_SEND_SIGNALED,
	};
	struct ibv_sge sge[ARRAY_SIZE(part)];
	struct ibv_send_wr *bad;
	uint32_t total = 0;
	struct pair p;
	size_t i;

	pair_open(&p, &(struct opts){ .buf = MiB });
	recv_at(&p.b, 2, 0, MiB);
	for (i = 0; i < ARRAY_SIZE(part); i++) {
		sge[i] = (struct ibv_sge){ at(&p.a, i * 262144), part[i],
					   p.a.mr->lkey };
		fill(p.a.buf + i * 262144, part[i], i + 1);
		total += part[i];
	}
	wr.sg_list = sge;
	ASSERT(!ibv_post_send(p.a.qp, &wr, &bad), "ibv_post_send");
	WANT_WC(p.a.scq, 1, IBV_WC_SUCCESS);
	EXPECT_EQ(total, WANT_WC(p.b.rcq, 2, IBV_WC_SUCCESS).byte_len);
	for (i = 0, total = 0; i < ARRAY_SIZE(part); total += part[i++])
		CHECK(p.b.buf + total, part[i], i + 1);
	pair_close(&p);
}

static void inline_data(void)
{
	struct pair p;
	uint32_t len;

	pair_open(&p, &(struct opts){ .inl = 80 });
	EXPECT(p.a.attr.cap.max_inline_data >= 80, "max_inline_data %u",
	       p.a.attr.cap.max_inline_data);
	for (len = 0; len <= 80; len++) {
		fill(p.a.buf, len, len);
		recv_at(&p.b, len, 0, 100);
		/* An inline buffer needs no key. */
		POST(&p.a, .op = IBV_WR_SEND, .len = len, .id = 1,
		     .flags = IBV_SEND_INLINE, .lkey = 0xdead);
		memset(p.a.buf, 0xaa, 80);
		WANT_WC(p.a.scq, 1, IBV_WC_SUCCESS);
		EXPECT_EQ(len,
			  WANT_WC(p.b.rcq, len, IBV_WC_SUCCESS).byte_len);
		CHECK(p.b.buf, len, len);
		fill(p.a.buf, len, len + 100);
		POST(&p.a, .op = IBV_WR_RDMA_WRITE, .len = len, .id = 2,
		     .raddr = at(&p.b, 1000 + len), .rkey = p.b.mr->rkey,
		     .flags = IBV_SEND_INLINE, .lkey = 0xdead);
		memset(p.a.buf, 0xaa, 80);
		POST(&p.a, .op = IBV_WR_RDMA_READ, .off = 512, .len = 1,
		     .id = 3, .raddr = at(&p.b, 0), .rkey = p.b.mr->rkey);
		WANT_WC(p.a.scq, 2, IBV_WC_SUCCESS);
		WANT_WC(p.a.scq, 3, IBV_WC_SUCCESS);
		CHECK(p.b.buf + 1000 + len, len, len + 100);
	}
	EXPECT(try_post(&p.a, &(struct wr){ .op = IBV_WR_SEND, .len = 81,
					    .flags = IBV_SEND_INLINE }),
	       "81 inline octets are taken");
	pair_close(&p);
}

/* ---- the queues ---- */

static void solicited(void)
{
	struct ibv_wc wc;
	struct pair p;
	struct pollfd pfd;
	struct ibv_cq *cq;
	void *ctx;

	pair_open(&p, NULL);
	pfd = (struct pollfd){ .fd = p.b.rcc->fd, .events = POLLIN };
	recv_at(&p.b, 1, 0, 100);
	recv_at(&p.b, 2, 0, 100);
	ASSERT(!ibv_req_notify_cq(p.b.rcq, 1), "arm");
	POST(&p.a, .op = IBV_WR_SEND, .len = 5, .id = 3);
	WANT_WC(p.b.rcq, 1, IBV_WC_SUCCESS);
	EXPECT_EQ(0, poll(&pfd, 1, 100));
	POST(&p.a, .op = IBV_WR_SEND, .len = 5, .id = 4,
	     .flags = IBV_SEND_SOLICITED);
	EXPECT_EQ(1, poll(&pfd, 1, slow(5000)));
	EXPECT_EQ(0, ibv_get_cq_event(p.b.rcc, &cq, &ctx));
	ibv_ack_cq_events(cq, 1);
	wc = WANT_WC(p.b.rcq, 2, IBV_WC_SUCCESS);
	EXPECT_EQ(5, wc.byte_len);
	/* An error counts as solicited. */
	recv_at(&p.b, 5, 0, 100);
	ASSERT(!ibv_req_notify_cq(p.b.rcq, 1), "arm");
	side_to_err(&p.b);
	EXPECT_EQ(1, poll(&pfd, 1, slow(5000)));
	EXPECT_EQ(0, ibv_get_cq_event(p.b.rcc, &cq, &ctx));
	ibv_ack_cq_events(cq, 1);
	WANT_WC(p.b.rcq, 5, IBV_WC_WR_FLUSH_ERR);
	pair_close(&p);
}

static void arm_any(void)
{
	struct pair p;
	struct pollfd pfd;
	struct ibv_cq *cq;
	void *ctx;
	int i;

	pair_open(&p, NULL);
	pfd = (struct pollfd){ .fd = p.b.rcc->fd, .events = POLLIN };
	for (i = 0; i < 10; i++)
		recv_at(&p.b, i, 0, 100);
	for (i = 0; i < 5; i++) {
		ASSERT(!ibv_req_notify_cq(p.b.rcq, 0), "arm");
		POST(&p.a, .op = IBV_WR_SEND, .len = 5, .id = i);
		EXPECT_EQ(1, poll(&pfd, 1, slow(5000)));
		EXPECT_EQ(0, ibv_get_cq_event(p.b.rcc, &cq, &ctx));
		EXPECT(cq == p.b.rcq, "event of another CQ");
		EXPECT(ctx == &p.b, "another context");
		ibv_ack_cq_events(cq, 1);
		WANT_WC(p.b.rcq, i, IBV_WC_SUCCESS);
		WANT_WC(p.a.scq, i, IBV_WC_SUCCESS);
	}
	/* One shot: not armed again, no event. */
	POST(&p.a, .op = IBV_WR_SEND, .len = 5, .id = 9);
	WANT_WC(p.b.rcq, 5, IBV_WC_SUCCESS);
	EXPECT_EQ(0, poll(&pfd, 1, 100));
	/* The send side fires too. */
	WANT_WC(p.a.scq, 9, IBV_WC_SUCCESS);
	pfd.fd = p.a.scc->fd;
	ASSERT(!ibv_req_notify_cq(p.a.scq, 0), "arm");
	POST(&p.a, .op = IBV_WR_SEND, .len = 5, .id = 10);
	EXPECT_EQ(1, poll(&pfd, 1, slow(5000)));
	EXPECT_EQ(0, ibv_get_cq_event(p.a.scc, &cq, &ctx));
	ibv_ack_cq_events(cq, 1);
	pair_close(&p);
}

/* Arm, then find it empty, then sleep: no completion may be slept through. */
static void arm_race(void)
{
	struct pair p;
	struct pollfd pfd;
	struct ibv_cq *cq;
	struct ibv_wc wc;
	void *ctx;
	int got = 0;
	int sent = 0;

	pair_open(&p, &(struct opts){ .rq = 64, .sq = 64 });
	pfd = (struct pollfd){ .fd = p.b.rcc->fd, .events = POLLIN };
	for (sent = 0; sent < 32; sent++)
		recv_at(&p.b, sent, 0, 100);
	for (sent = 0; sent < 3000;) {
		int burst = 1 + sent % 7;

		while (burst-- && sent < 3000)
			POST(&p.a, .op = IBV_WR_SEND, .len = 9, .id = sent++);
		while (got < sent) {
			ASSERT(!ibv_req_notify_cq(p.b.rcq, 0), "arm");
			while (ibv_poll_cq(p.b.rcq, 1, &wc) == 1) {
				ASSERT(wc.status == IBV_WC_SUCCESS, "%s",
				       ibv_wc_status_str(wc.status));
				got++;
				recv_at(&p.b, got, 0, 100);
			}
			if (got >= sent)
				break;
			ASSERT(poll(&pfd, 1, slow(5000)) == 1,
			       "no event after %d of %d", got, sent);
			ASSERT(!ibv_get_cq_event(p.b.rcc, &cq, &ctx), "event");
			ibv_ack_cq_events(cq, 1);
		}
		while (ibv_poll_cq(p.a.scq, 1, &wc) == 1)
			;
	}
	/* Events of rounds that ended early are still queued. */
	while (!ibv_get_cq_event(p.b.rcc, &cq, &ctx))
		ibv_ack_cq_events(cq, 1);
	pair_close(&p);
}

static void unsignaled(void)
{
	struct pair p;
	int i;

	pair_open(&p, &(struct opts){ .sq = 16, .rq = 64 });
	for (i = 0; i < 60; i++)
		recv_at(&p.b, i, i * 100, 100);
	for (i = 0; i < 60; i++) {
		bool last = i % 8 == 7 || i == 59;

		fill(p.a.buf + i * 100, 100, i);
		POST(&p.a, .op = IBV_WR_SEND, .off = i * 100, .len = 100,
		     .id = i, .unsignaled = !last);
		if (last)
			WANT_WC(p.a.scq, i, IBV_WC_SUCCESS);
	}
	EXPECT(no_wc(p.a.scq, 50), "an unsignalled request completed");
	for (i = 0; i < 60; i++) {
		WANT_WC(p.b.rcq, i, IBV_WC_SUCCESS);
		CHECK(p.b.buf + i * 100, 100, i);
	}
	pair_close(&p);
}

static void sig_all(void)
{
	struct pair p;

	pair_open(&p, &(struct opts){ .sig_all = true });
	recv_at(&p.b, 1, 0, 100);
	POST(&p.a, .op = IBV_WR_SEND, .len = 1, .id = 2, .unsignaled = true);
	WANT_WC(p.a.scq, 2, IBV_WC_SUCCESS);
	WANT_WC(p.b.rcq, 1, IBV_WC_SUCCESS);
	pair_close(&p);
}

/* Responses of many FPDUs, one behind the other */
static void long_reads(void)
{
	struct pair p;
	int i, round;

	pair_open(&p, &(struct opts){ .buf = MiB, .sq = 128, .ord = 16,
				      .ird = 16 });
	fill(p.b.buf, MiB, 9);
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 100; i++)
			POST(&p.a, .op = IBV_WR_RDMA_READ, .off = i % 16 << 16,
			     .len = 1 << 16, .id = i,
			     .raddr = at(&p.b, i % 16 << 16),
			     .rkey = p.b.mr->rkey);
		for (i = 0; i < 100; i++)
			WANT_WC(p.a.scq, i, IBV_WC_SUCCESS);
		CHECK(p.a.buf, MiB, 9);
	}
	pair_close(&p);
}

/* Sends behind a slow Read keep their completions back. */
static void completion_order(void)
{
	struct pair p;
	uint64_t id = 0;
	int round, i;

	pair_open(&p, &(struct opts){ .buf = 2 * MiB, .sq = 64, .rq = 64 });
	fill(p.b.buf + MiB, MiB, 9);
	for (round = 0; round < 3; round++) {
		uint64_t first = id;

		for (i = 0; i < 10; i++)
			recv_at(&p.b, i, i * 100, 100);
		for (i = 0; i < 10; i++) {
			POST(&p.a, .op = IBV_WR_RDMA_READ, .off = MiB,
			     .len = i == 0 ? MiB : 10, .id = id++,
			     .raddr = at(&p.b, MiB), .rkey = p.b.mr->rkey);
			POST(&p.a, .op = IBV_WR_SEND, .off = 0, .len = 100,
			     .id = id++);
			POST(&p.a, .op = IBV_WR_RDMA_WRITE, .len = 100,
			     .id = id++, .raddr = at(&p.b, 8192),
			     .rkey = p.b.mr->rkey);
		}
		for (; first < id; first++)
			WANT_WC(p.a.scq, first, IBV_WC_SUCCESS);
		for (i = 0; i < 10; i++)
			WANT_WC(p.b.rcq, i, IBV_WC_SUCCESS);
		CHECK(p.a.buf + MiB, MiB, 9);
	}
	pair_close(&p);
}

/* A fenced Send carries what the Read before it fetched. */
static void fence(void)
{
	struct pair p;
	int i;

	pair_open(&p, &(struct opts){ .buf = 2 * MiB });
	for (i = 0; i < 10; i++) {
		uint32_t len = 1000 + i * 50000;

		fill(p.b.buf + MiB, len, i);
		memset(p.a.buf, 0, len);
		memset(p.b.buf, 0, len);
		recv_at(&p.b, 1, 0, len);
		POST(&p.a, .op = IBV_WR_RDMA_READ, .len = len, .id = 2,
		     .raddr = at(&p.b, MiB), .rkey = p.b.mr->rkey);
		POST(&p.a, .op = IBV_WR_SEND, .len = len, .id = 3,
		     .flags = IBV_SEND_FENCE);
		WANT_WC(p.a.scq, 2, IBV_WC_SUCCESS);
		WANT_WC(p.a.scq, 3, IBV_WC_SUCCESS);
		EXPECT_EQ(len, WANT_WC(p.b.rcq, 1, IBV_WC_SUCCESS).byte_len);
		CHECK(p.b.buf, len, i);
	}
	pair_close(&p);
}

/* More Reads than ORD allows: they wait, and all come back in order. */
static void many_reads(void)
{
	struct pair p;
	int i;

	pair_open(&p, &(struct opts){ .ird = 2, .ord = 2, .sq = 64 });
	fill(p.b.buf, 60 * 1000, 2);
	for (i = 0; i < 60; i++)
		POST(&p.a, .op = IBV_WR_RDMA_READ, .off = i * 1000,
		     .len = 1000, .id = i, .raddr = at(&p.b, i * 1000),
		     .rkey = p.b.mr->rkey);
	for (i = 0; i < 60; i++)
		WANT_WC(p.a.scq, i, IBV_WC_SUCCESS);
	CHECK(p.a.buf, 60 * 1000, 2);
	pair_close(&p);
}

/*
 * A Read from each element of the send queue, lap after lap: the driver's
 * indices begin a lap before they wrap.
 */
static void reads_around_the_end(void)
{
	struct pair p;
	int i;

	pair_open(&p, &(struct opts){ .sq = 4 });
	fill(p.b.buf, 64, 6);
	for (i = 0; i < 64; i++) {
		POST(&p.a, .op = IBV_WR_RDMA_READ, .off = i, .len = 1, .id = i,
		     .raddr = at(&p.b, i), .rkey = p.b.mr->rkey);
		WANT_WC(p.a.scq, i, IBV_WC_SUCCESS);
	}
	CHECK(p.a.buf, 64, 6);
	pair_close(&p);
}

/* Both ends send, write and read at once. */
static void both_ways(void)
{
	struct side *s[2];
	struct pair p;
	int round, i, k;

	pair_open(&p, &(struct opts){ .buf = MiB, .sq = 64, .rq = 64 });
	s[0] = &p.a;
	s[1] = &p.b;
	for (round = 0; round < 20; round++) {
		for (k = 0; k < 2; k++)
			for (i = 0; i < 8; i++)
				recv_at(s[k], i, i * 8192, 8192);
		for (i = 0; i < 8; i++) {
			for (k = 0; k < 2; k++) {
				size_t o = 65536 * 2 + i * 8192;

				fill(s[k]->buf + o, 8192, round + i + k);
				POST(s[k], .op = IBV_WR_SEND, .off = o,
				     .len = 8192, .id = 2 * i);
				POST(s[k], .op = IBV_WR_RDMA_READ,
				     .off = 65536 * 4 + i * 8192, .len = 8192,
				     .id = 2 * i + 1, .raddr = at(s[!k], o),
				     .rkey = s[!k]->mr->rkey,
				     .flags = 0);
			}
			/* Let the other fill what is to be read. */
			if (!i)
				sleep_ms(1);
		}
		for (k = 0; k < 2; k++) {
			for (i = 0; i < 16; i++)
				WANT_WC(s[k]->scq, i, IBV_WC_SUCCESS);
			for (i = 0; i < 8; i++)
				WANT_WC(s[k]->rcq, i, IBV_WC_SUCCESS);
			for (i = 0; i < 8; i++)
				CHECK(s[k]->buf + i * 8192, 8192,
				      round + i + !k);
		}
	}
	pair_close(&p);
}

/*
 * What the driver allocates: kmalloc and friends by their call site, chunks of
 * pages by the driver's own counter.
 */
static const char tracing[] = "/sys/kernel/tracing";

static bool write_file(const char *file, const char *text)
{
	char path[256];
	FILE *f;
	bool ok;

	snprintf(path, sizeof(path), "%s/%s", tracing, file);
	f = fopen(path, "w");
	if (!f)
		return false;
	ok = fputs(text, f) >= 0;
	return fclose(f) == 0 && ok;
}

/* Return: it was on already. */
static bool event_on(const char *file)
{
	char path[256];
	int c;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", tracing, file);
	f = fopen(path, "r");
	c = f ? fgetc(f) : 0;
	if (f)
		fclose(f);
	if (c == '1')
		return true;
	if (!write_file(file, "1"))
		SKIP("no kmem events in this kernel");
	return false;
}

static int driver_allocations(void)
{
	char path[256], line[1024];
	int n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/trace", tracing);
	f = fopen(path, "r");
	ASSERT(f, "open %s", path);
	while (fgets(line, sizeof(line), f)) {
		if (!strstr(line, "[siw]") || strstr(line, "free"))
			continue;
		n++;
		line[strcspn(line, "\n")] = 0;
		test_note("%s", line);
	}
	fclose(f);
	return n;
}

static unsigned long chunks(const struct side *s)
{
	unsigned long n = 0;
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path),
		 "/sys/class/infiniband/%s/ports/1/hw_counters/tx_chunk_alloc",
		 ibv_get_device_name(s->id->verbs->device));
	f = fopen(path, "r");
	ASSERT(f && fscanf(f, "%lu", &n) == 1, "read %s", path);
	fclose(f);
	return n;
}

static void work_of_each_kind(struct pair *p, int rounds)
{
	int i;

	for (i = 0; i < rounds; i++) {
		recv_at(&p->b, 1, 0, 8192);
		POST(&p->a, .op = IBV_WR_RDMA_WRITE, .len = 65536, .id = 2,
		     .raddr = at(&p->b, 65536), .rkey = p->b.mr->rkey);
		POST(&p->a, .op = IBV_WR_RDMA_READ, .off = 65536, .len = 65536,
		     .id = 3, .raddr = at(&p->b, 0), .rkey = p->b.mr->rkey);
		POST(&p->a, .op = IBV_WR_SEND, .len = 8192, .id = 4);
		WANT_WC(p->a.scq, 2, IBV_WC_SUCCESS);
		WANT_WC(p->a.scq, 3, IBV_WC_SUCCESS);
		WANT_WC(p->a.scq, 4, IBV_WC_SUCCESS);
		WANT_WC(p->b.rcq, 1, IBV_WC_SUCCESS);
	}
}

/*
 * In steady state there is no allocation for a work request or an FPDU.  It may
 * be a while until then: the buffer of FPDUs that come in pieces grows with the
 * first of them, whenever TCP cuts one.
 */
static void no_allocation(void)
{
	static const char kmalloc[] = "events/kmem/kmalloc/enable";
	static const char cache[] = "events/kmem/kmem_cache_alloc/enable";
	unsigned long before, after;
	int n, tries = 3;
	bool on[2];
	struct pair p;

	if (access(tracing, F_OK) ||
	    (!write_file("tracing_on", "0") &&
	     (sh("mount -t tracefs tracefs %s", tracing) ||
	      !write_file("tracing_on", "0"))))
		SKIP("no tracefs in this kernel");
	on[0] = event_on(kmalloc);
	on[1] = event_on(cache);

	pair_open(&p, &(struct opts){ .buf = MiB, .sq = 16, .rq = 16 });
	work_of_each_kind(&p, 200);
	do {
		before = chunks(&p.a) + chunks(&p.b);
		write_file("trace", "");
		write_file("tracing_on", "1");
		work_of_each_kind(&p, 300);
		write_file("tracing_on", "0");
		after = chunks(&p.a) + chunks(&p.b);
		n = driver_allocations();
	} while (n && --tries);
	if (!on[0])
		write_file(kmalloc, "0");
	if (!on[1])
		write_file(cache, "0");
	EXPECT(!n, "%d allocations in 900 work requests", n);
	/* 1,500 chunks are filled; a CPU keeps 64 of them to fill again. */
	EXPECT(after - before <= 128, "%lu chunks in 900 work requests",
	       after - before);
	pair_close(&p);
}

/* The send queue many times over, always nearly full. */
static void many_small(void)
{
	const int total = 20000;
	struct pair p;
	struct ibv_wc wc;
	int posted = 0;
	int done = 0;
	int got = 0;
	uint64_t end;
	int i;

	pair_open(&p, &(struct opts){ .sq = 32, .rq = 128, .cqe = 512 });
	fill(p.a.buf, 4096, 1);
	for (i = 0; i < 128; i++)
		recv_at(&p.b, i, i * 64, 64);
	end = deadline(60000);
	while (got < total) {
		ASSERT(!passed(end), "stuck: posted %d, done %d, got %d",
		       posted, done, got);
		while (posted < total && posted - done < 32 &&
		       posted - got < 128) {
			POST(&p.a, .op = IBV_WR_SEND, .off = posted % 4000,
			     .len = 1 + posted % 64, .id = posted);
			posted++;
		}
		while (ibv_poll_cq(p.a.scq, 1, &wc) == 1) {
			ASSERT(wc.status == IBV_WC_SUCCESS &&
			       wc.wr_id == (uint64_t)done, "send %d", done);
			done++;
		}
		while (ibv_poll_cq(p.b.rcq, 1, &wc) == 1) {
			ASSERT(wc.status == IBV_WC_SUCCESS &&
			       wc.wr_id == (uint64_t)got % 128 &&
			       wc.byte_len == 1u + got % 64, "receive %d", got);
			i = got % 128;
			ASSERT(!memcmp(p.b.buf + i * 64,
				       p.a.buf + got % 4000, wc.byte_len),
			       "data of receive %d", got);
			recv_at(&p.b, i, i * 64, 64);
			got++;
		}
	}
	pair_close(&p);
}

static void sq_full(void)
{
	struct ibv_qp_init_attr ia;
	struct ibv_qp_attr qa;
	struct pair p;
	uint32_t depth, i;

	pair_open(&p, &(struct opts){ .sq = 8 });
	ASSERT(!ibv_query_qp(p.a.qp, &qa, IBV_QP_CAP, &ia), "ibv_query_qp");
	depth = qa.cap.max_send_wr;
	EXPECT(depth >= 8, "max_send_wr %u", depth);
	/* A Read that waits for ORD keeps the rest from leaving. */
	for (i = 0; i < depth + 64; i++)
		if (try_post(&p.a, &(struct wr){
			.op = IBV_WR_RDMA_READ, .len = 32768, .id = i,
			.raddr = at(&p.b, 0), .rkey = p.b.mr->rkey }))
			break;
	EXPECT(i >= 8, "only %u requests fit", i);
	while (i--)
		EXPECT_EQ(IBV_WC_SUCCESS, next_wc(p.a.scq).status);
	pair_works(&p);
	pair_close(&p);
}

/* ---- SRQ ---- */

static void srq_basic(void)
{
	struct pair p;
	int i;

	pair_open(&p, &(struct opts){ .srq = 64 });
	for (i = 0; i < 40; i++)
		recv_at(&p.b, i, i * 1000, 1000);
	for (i = 0; i < 40; i++) {
		fill(p.a.buf, 1000, i);
		POST(&p.a, .op = IBV_WR_SEND, .len = 1000, .id = i);
		WANT_WC(p.a.scq, i, IBV_WC_SUCCESS);
		WANT_WC(p.b.rcq, i, IBV_WC_SUCCESS);
		CHECK(p.b.buf + i * 1000, 1000, i);
	}
	pair_close(&p);
}

/* Two connections drink from one queue; the death of one leaves the other. */
/* A second stream, whose messages go where those of @p go. */
static void srq_open_beside(struct pair *p, struct pair *q)
{
	struct ibv_qp_init_attr ia = {
		.send_cq = p->b.scq, .recv_cq = p->b.rcq, .srq = p->b.srq,
		.cap = { .max_send_wr = 8, .max_send_sge = 1 },
		.qp_type = IBV_QPT_RC,
	};
	uint16_t port = next_port();

	side_init(&q->a, NS_A, NULL);
	side_init(&q->b, NS_B, NULL);
	side_listen(&q->b, ADDR_B, port, 4);
	side_resolve(&q->a, ADDR_B, port);
	side_open(&q->a);
	ASSERT(!side_connect(&q->a), "rdma_connect");
	side_want(&q->b, RDMA_CM_EVENT_CONNECT_REQUEST);
	ASSERT(!rdma_create_qp(q->b.id, p->b.pd, &ia), "rdma_create_qp");
	q->b.qp = q->b.id->qp;
	ASSERT(!side_accept(&q->b), "rdma_accept");
	side_want(&q->a, RDMA_CM_EVENT_ESTABLISHED);
	side_want(&q->b, RDMA_CM_EVENT_ESTABLISHED);
}

static void srq_shared(void)
{
	struct pair p, q;
	struct ibv_wc wc;
	int i;

	pair_open(&p, &(struct opts){ .srq = 64 });
	srq_open_beside(&p, &q);
	for (i = 0; i < 32; i++)
		recv_at(&p.b, i, i * 1000, 1000);
	for (i = 0; i < 16; i++) {
		struct side *s = i % 2 ? &q.a : &p.a;

		fill(s->buf, 500, i);
		POST(s, .op = IBV_WR_SEND, .len = 500, .id = i);
		WANT_WC(s->scq, i, IBV_WC_SUCCESS);
		wc = WANT_WC(p.b.rcq, i, IBV_WC_SUCCESS);
		EXPECT_EQ((i % 2 ? q.b.qp : p.b.qp)->qp_num, wc.qp_num);
		CHECK(p.b.buf + i * 1000, 500, i);
	}
	side_to_err(&q.b);
	EXPECT(no_wc(p.b.rcq, 200), "an SRQ entry was flushed with a QP");
	for (; i < 32; i++) {
		POST(&p.a, .op = IBV_WR_SEND, .len = 500, .id = i);
		WANT_WC(p.a.scq, i, IBV_WC_SUCCESS);
		WANT_WC(p.b.rcq, i, IBV_WC_SUCCESS);
	}
	side_close(&q.a);
	side_close(&q.b);
	pair_close(&p);
}

#define SRQ_SENDS	20000
#define SRQ_NUM		512

static atomic_int srq_sent, srq_taken;

/* Empty Sends, eight at a time, until all are sent or one is not. */
static void *send_empty(void *side)
{
	struct side *s = side;
	struct ibv_wc wc;
	int n, i;

	for (n = 0; n < SRQ_SENDS; n += 8) {
		/* Never more than there are receives for, with both at it. */
		while (srq_sent - srq_taken > SRQ_NUM - 16)
			sched_yield();
		srq_sent += 8;
		for (i = 0; i < 8; i++)
			if (try_post(s, &(struct wr){ .op = IBV_WR_SEND }))
				return NULL;
		for (i = 0; i < 8; i++)
			if (!wait_wc(s->scq, &wc, 5000) ||
			    wc.status != IBV_WC_SUCCESS)
				return NULL;
	}
	return s;
}

/* What one takes is not there any more for the other: another is. */
static void srq_two_at_once(void)
{
	pthread_t thread[2];
	struct pair p, q;
	struct ibv_wc wc;
	void *done;
	int i;

	pair_open(&p, &(struct opts){ .srq = SRQ_NUM, .cqe = SRQ_NUM });
	srq_open_beside(&p, &q);
	for (i = 0; i < SRQ_NUM; i++)
		recv_at(&p.b, i, 0, 0);
	ASSERT(!pthread_create(&thread[0], NULL, send_empty, &p.a) &&
	       !pthread_create(&thread[1], NULL, send_empty, &q.a),
	       "pthread_create");
	for (i = 0; i < 2 * SRQ_SENDS; i++) {
		if (!wait_wc(p.b.rcq, &wc, 5000) ||
		    wc.status != IBV_WC_SUCCESS)
			break;
		recv_at(&p.b, i, 0, 0);
		srq_taken++;
	}
	EXPECT_EQ(2 * SRQ_SENDS, i);
	srq_taken = srq_sent;	/* nobody waits for what does not come */
	for (i = 0; i < 2; i++) {
		ASSERT(!pthread_join(thread[i], &done), "pthread_join");
		EXPECT(done, "stream %d was ended", i);
	}
	side_close(&q.a);
	side_close(&q.b);
	pair_close(&p);
}

static void srq_limit(void)
{
	struct ibv_srq_attr sa = { .srq_limit = 4 };
	struct pair p;
	int type = -1;
	int i;

	pair_open(&p, &(struct opts){ .srq = 64 });
	for (i = 0; i < 8; i++)
		recv_at(&p.b, i, i * 1000, 1000);
	ASSERT(!ibv_modify_srq(p.b.srq, &sa, IBV_SRQ_LIMIT), "ibv_modify_srq");
	EXPECT_EQ(-1, side_async(&p.b, 100));
	for (i = 0; i < 8; i++) {
		POST(&p.a, .op = IBV_WR_SEND, .len = 1, .id = i);
		WANT_WC(p.b.rcq, i, IBV_WC_SUCCESS);
		if (i < 3)
			EXPECT_EQ(-1, side_async(&p.b, 20));
	}
	type = side_async(&p.b, 2000);
	EXPECT_EQ(IBV_EVENT_SRQ_LIMIT_REACHED, type);
	/* One shot. */
	EXPECT_EQ(-1, side_async(&p.b, 100));
	pair_close(&p);
}

/*
 * An event is memory that nobody accounts for: who arms the limit again and
 * again hears of it once, and once more for each element that is taken.
 */
static void srq_limit_again(void)
{
	struct ibv_srq_attr sa;
	struct pair p;
	int i, k;

	pair_open(&p, &(struct opts){ .srq = 64 });
	for (i = 0; i < 3; i++) {
		for (k = 0; k < 50; k++) {
			sa.srq_limit = k % 5;	/* 0 disarms; 4 is the last */
			ASSERT(!ibv_modify_srq(p.b.srq, &sa, IBV_SRQ_LIMIT),
			       "ibv_modify_srq");
		}
		EXPECT_EQ(IBV_EVENT_SRQ_LIMIT_REACHED, side_async(&p.b, 2000));
		EXPECT_EQ(-1, side_async(&p.b, 0));
		recv_at(&p.b, i, 0, 64);
		POST(&p.a, .op = IBV_WR_SEND, .len = 1, .id = i);
		WANT_WC(p.b.rcq, i, IBV_WC_SUCCESS);
		EXPECT_EQ(IBV_EVENT_SRQ_LIMIT_REACHED, side_async(&p.b, 2000));
		EXPECT_EQ(-1, side_async(&p.b, 0));
	}
	pair_close(&p);
}

static void cq_overflow(void)
{
	struct pair p, bystander;
	int type = -1;
	uint64_t end;
	int i;

	pair_open(&bystander, NULL);
	/* The receiver never polls: 8 entries, 64 messages. */
	pair_open2(&p, &(struct opts){ .sq = 128 },
		   &(struct opts){ .rq = 128, .cqe = 4 });
	for (i = 0; i < 64; i++)
		recv_at(&p.b, i, 0, 10);
	for (i = 0; i < 64; i++)
		if (try_post(&p.a, &(struct wr){ .op = IBV_WR_SEND, .len = 1,
						 .id = i }))
			break;
	end = deadline(5000);
	while (type != IBV_EVENT_CQ_ERR && !passed(end))
		type = side_async(&p.b, 100);
	EXPECT_EQ(IBV_EVENT_CQ_ERR, type);
	/* One event for a queue, however many completions it loses. */
	for (i = 0; i < 20; i++)
		EXPECT(side_async(&p.b, 100) != IBV_EVENT_CQ_ERR, "again");
	/* RFC 5042 section 6.4.6: who does not use the queue notices nothing. */
	pair_works(&bystander);
	pair_close(&p);
	pair_works(&bystander);
	pair_close(&bystander);
	fresh_pair_works();
}

/* ---- truth ---- */

static void query_qp(void)
{
	struct ibv_qp_init_attr ia;
	struct ibv_qp_attr qa;
	struct pair p;

	pair_open(&p, &(struct opts){ .sq = 20, .rq = 30, .sge = 3,
				      .inl = 16, .ird = 3, .ord = 2 });
	ASSERT(!ibv_query_qp(p.a.qp, &qa, IBV_QP_STATE | IBV_QP_CAP |
			     IBV_QP_ACCESS_FLAGS, &ia), "ibv_query_qp");
	EXPECT_EQ(IBV_QPS_RTS, qa.qp_state);
	/* What iWARP has no word for is 0, not what the kernel's memory held. */
	EXPECT(!qa.qkey && !qa.rq_psn && !qa.sq_psn && !qa.dest_qp_num &&
	       !qa.pkey_index && !qa.timeout && !qa.retry_cnt &&
	       !qa.rnr_retry && !qa.min_rnr_timer && !qa.alt_timeout &&
	       !qa.ah_attr.dlid && !qa.ah_attr.is_global &&
	       !qa.alt_ah_attr.dlid && !qa.alt_ah_attr.is_global,
	       "attributes of InfiniBand");
	EXPECT(qa.cap.max_send_wr >= 20, "max_send_wr %u", qa.cap.max_send_wr);
	EXPECT(qa.cap.max_recv_wr >= 30, "max_recv_wr %u", qa.cap.max_recv_wr);
	EXPECT(qa.cap.max_send_sge >= 3, "max_send_sge %u",
	       qa.cap.max_send_sge);
	EXPECT(qa.cap.max_recv_sge >= 3, "max_recv_sge %u",
	       qa.cap.max_recv_sge);
	EXPECT(qa.cap.max_inline_data >= 16, "max_inline_data %u",
	       qa.cap.max_inline_data);
	EXPECT_EQ(p.a.attr.cap.max_send_wr, qa.cap.max_send_wr);
	EXPECT_EQ(p.a.attr.cap.max_recv_wr, qa.cap.max_recv_wr);
	EXPECT_EQ(2, qa.max_rd_atomic);		/* ORD */
	EXPECT_EQ(3, qa.max_dest_rd_atomic);	/* IRD */
	EXPECT(qa.qp_access_flags & IBV_ACCESS_REMOTE_WRITE, "flags %x",
	       qa.qp_access_flags);
	EXPECT(qa.qp_access_flags & IBV_ACCESS_REMOTE_READ, "flags %x",
	       qa.qp_access_flags);
	EXPECT(ia.qp_type == IBV_QPT_RC, "qp_type %d", ia.qp_type);
	EXPECT(ia.send_cq == p.a.scq && ia.recv_cq == p.a.rcq, "CQs");
	qa.qp_access_flags = IBV_ACCESS_REMOTE_READ;
	ASSERT(!ibv_modify_qp(p.a.qp, &qa, IBV_QP_ACCESS_FLAGS), "modify");
	ASSERT(!ibv_query_qp(p.a.qp, &qa, IBV_QP_ACCESS_FLAGS, &ia), "query");
	EXPECT(!(qa.qp_access_flags & IBV_ACCESS_REMOTE_WRITE) &&
	       (qa.qp_access_flags & IBV_ACCESS_REMOTE_READ), "flags %x",
	       qa.qp_access_flags);
	side_to_err(&p.a);
	EXPECT_EQ(IBV_QPS_ERR, side_state(&p.a));
	pair_close(&p);
}

static void caps_returned(void)
{
	struct ibv_context *ctx = open_device(NS_A);
	struct ibv_qp_init_attr ia;
	struct ibv_device_attr da;
	struct ibv_pd *pd;
	struct ibv_cq *cq;
	struct ibv_qp *qp;

	ASSERT(ctx, "no device on va");
	ASSERT(!ibv_query_device(ctx, &da), "ibv_query_device");
	pd = ibv_alloc_pd(ctx);
	ASSERT(pd, "ibv_alloc_pd");
	cq = ibv_create_cq(ctx, 100, NULL, NULL, 0);
	ASSERT(cq, "ibv_create_cq");
	EXPECT(cq->cqe >= 100, "cqe %d", cq->cqe);
	ia = (struct ibv_qp_init_attr){
		.send_cq = cq, .recv_cq = cq, .qp_type = IBV_QPT_RC,
		.cap = { 33, 65, 2, 3, 60 },
	};
	qp = ibv_create_qp(pd, &ia);
	ASSERT(qp, "ibv_create_qp");
	EXPECT(ia.cap.max_send_wr >= 33, "max_send_wr %u", ia.cap.max_send_wr);
	EXPECT(ia.cap.max_recv_wr >= 65, "max_recv_wr %u", ia.cap.max_recv_wr);
	EXPECT(ia.cap.max_send_sge >= 2, "max_send_sge %u",
	       ia.cap.max_send_sge);
	EXPECT(ia.cap.max_recv_sge >= 3, "max_recv_sge %u",
	       ia.cap.max_recv_sge);
	EXPECT(ia.cap.max_inline_data >= 60, "max_inline_data %u",
	       ia.cap.max_inline_data);
	EXPECT_EQ(0, ibv_destroy_qp(qp));

	/* Beyond the limits: refused, not rounded down. */
	ia.cap.max_send_wr = da.max_qp_wr + 1;
	REFUSED(EINVAL, ibv_create_qp(pd, &ia), "max_send_wr above max_qp_wr");
	ia.cap.max_send_wr = 8;
	ia.cap.max_send_sge = da.max_sge + 1;
	REFUSED(EINVAL, ibv_create_qp(pd, &ia), "max_send_sge above max_sge");
	ia.cap.max_send_sge = 1;
	ia.cap.max_inline_data = 81;
	REFUSED(EINVAL, ibv_create_qp(pd, &ia), "81 octets of inline data");
	ia.cap.max_inline_data = 0xffffffff;
	EXPECT(!ibv_create_qp(pd, &ia), "4 GiB of inline data");
	ia.cap.max_inline_data = 0;
	ia.cap.max_recv_wr = 0xffffffff;
	EXPECT(!ibv_create_qp(pd, &ia), "max_recv_wr 2^32-1");
	ia.cap.max_recv_wr = 8;
	ia.cap.max_recv_sge = da.max_sge + 1;
	REFUSED(EINVAL, ibv_create_qp(pd, &ia), "max_recv_sge above max_sge");
	REFUSED(EINVAL, ibv_create_cq(ctx, da.max_cqe + 1, NULL, NULL, 0),
		"a CQ above max_cqe");
	REFUSED(EINVAL, ibv_create_cq(ctx, 0, NULL, NULL, 0),
		"a CQ of no entries");
	EXPECT_EQ(0, ibv_destroy_cq(cq));
	EXPECT_EQ(0, ibv_dealloc_pd(pd));
	ibv_close_device(ctx);
}

/* No type lets a user make up packets, or send to whom it is not connected. */
static void other_types(void)
{
	static const struct {
		enum ibv_qp_type type;
		int err;
	} rows[] = {
		{ IBV_QPT_UC, EOPNOTSUPP },
		{ IBV_QPT_UD, EOPNOTSUPP },
		{ IBV_QPT_RAW_PACKET, EOPNOTSUPP },
		{ IBV_QPT_XRC_SEND, EOPNOTSUPP },
		{ IBV_QPT_DRIVER, EOPNOTSUPP },
		/* libibverbs may miss the XRC domain, of which there is none. */
		{ IBV_QPT_XRC_RECV, EINVAL },
	};
	struct ibv_context *ctx = open_device(NS_A);
	struct ibv_qp_init_attr ia;
	struct ibv_pd *pd;
	struct ibv_cq *cq;
	struct ibv_qp *qp;
	size_t i;

	ASSERT(ctx, "no device on va");
	pd = ibv_alloc_pd(ctx);
	ASSERT(pd, "ibv_alloc_pd");
	cq = ibv_create_cq(ctx, 16, NULL, NULL, 0);
	ASSERT(cq, "ibv_create_cq");
	ia = (struct ibv_qp_init_attr){
		.send_cq = cq, .recv_cq = cq, .qp_type = IBV_QPT_RC,
		.cap = { 8, 8, 1, 1, 0 },
	};
	qp = ibv_create_qp(pd, &ia);
	ASSERT(qp, "ibv_create_qp");
	EXPECT_EQ(0, ibv_destroy_qp(qp));
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		ia.qp_type = rows[i].type;
		errno = 0;
		qp = ibv_create_qp(pd, &ia);
		EXPECT(!qp && (errno == EOPNOTSUPP || errno == rows[i].err),
		       "a queue pair of type %d: %m", rows[i].type);
	}
	EXPECT_EQ(0, ibv_destroy_cq(cq));
	EXPECT_EQ(0, ibv_dealloc_pd(pd));
	ibv_close_device(ctx);
}

static struct ibv_srq *srq_of(struct ibv_pd *pd, uint32_t wr, uint32_t sge)
{
	struct ibv_srq_init_attr sa = {
		.attr = { .max_wr = wr, .max_sge = sge },
	};
	struct ibv_srq *srq = ibv_create_srq(pd, &sa);

	EXPECT(!srq || sa.attr.max_wr >= wr, "max_wr %u", sa.attr.max_wr);
	return srq;
}

static void srq_caps(void)
{
	struct ibv_context *ctx = open_device(NS_A);
	struct ibv_srq_attr limit = { .srq_limit = 1 << 20 };
	struct ibv_device_attr da;
	struct ibv_srq *srq;
	struct ibv_pd *pd;

	ASSERT(ctx, "no device on va");
	ASSERT(!ibv_query_device(ctx, &da), "ibv_query_device");
	pd = ibv_alloc_pd(ctx);
	ASSERT(pd, "ibv_alloc_pd");
	srq = srq_of(pd, 10, 2);
	ASSERT(srq, "ibv_create_srq");
	EXPECT_EQ(EINVAL, ibv_modify_srq(srq, &limit, IBV_SRQ_LIMIT));
	EXPECT_EQ(0, ibv_destroy_srq(srq));
	REFUSED(EINVAL, srq_of(pd, 0, 1), "an SRQ of no elements");
	REFUSED(EINVAL, srq_of(pd, da.max_srq_wr + 1, 1),
		"max_wr above max_srq_wr");
	EXPECT(!srq_of(pd, 0xffffffff, 1), "max_wr 2^32-1");
	REFUSED(EINVAL, srq_of(pd, 10, da.max_srq_sge + 1),
		"max_sge above max_srq_sge");
	EXPECT_EQ(0, ibv_dealloc_pd(pd));
	ibv_close_device(ctx);
}

/* A command as a provider would not send it. Return: what the kernel says. */
static int command(int fd, const void *cmd, size_t len)
{
	return write(fd, cmd, len) == (ssize_t)len ? 0 : errno;
}

/* Of which the answer at @resp has room for @room, and the request @flags. */
static int context_for(int fd, size_t room, const uint32_t *flags,
		       struct ib_uverbs_get_context_resp *resp)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_get_context cmd;
		uint32_t flags[2];
	} req = {
		.hdr = { .command = IB_USER_VERBS_CMD_GET_CONTEXT,
			 .in_words = sizeof(req) / 4,
			 .out_words = (sizeof(*resp) + room) / 4 },
		.cmd.response = (uintptr_t)resp,
		.flags = { flags[0], flags[1] },
	};
	int err = command(fd, &req, sizeof(req));

	if (!err)
		close(resp->async_fd);
	return err;
}

static void other_interface(void)
{
	static const struct {
		size_t room;
		uint32_t flags[2];	/* the second is reserved */
		int err;
	} rows[] = {
		{ 8, { 0, 0 }, 0 },
		{ 4, { 0, 0 }, EINVAL },
		{ 0, { 0, 0 }, EINVAL },
		{ 8, { 0, 1 }, EINVAL },
	};
	struct ibv_context *ctx = open_device(NS_A);
	struct ib_uverbs_get_context_resp resp[8];
	char node[64];
	size_t i;
	int fd;

	ASSERT(ctx, "no device on va");
	snprintf(node, sizeof(node), "/proc/self/fd/%d", ctx->cmd_fd);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		fd = open(node, O_RDWR | O_CLOEXEC);
		ASSERT(fd >= 0, "open: %m");
		test_info("row %zu", i);
		EXPECT_EQ(rows[i].err,
			  context_for(fd, rows[i].room, rows[i].flags, resp));
		close(fd);
	}
	ibv_close_device(ctx);
}

static int cq_to(const struct ibv_context *ctx, void *resp)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_create_cq cmd;
	} req = {
		.hdr = { .command = IB_USER_VERBS_CMD_CREATE_CQ,
			 .in_words = sizeof(req) / 4,
			 .out_words = (sizeof(struct ib_uverbs_create_cq_resp) +
				       sizeof(struct siw_uresp_create_cq)) / 4 },
		.cmd = { .response = (uintptr_t)resp, .cqe = 16,
			 .comp_channel = -1 },
	};

	return command(ctx->cmd_fd, &req, sizeof(req));
}

static int srq_to(const struct ibv_pd *pd, void *resp)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_create_srq cmd;
	} req = {
		.hdr = { .command = IB_USER_VERBS_CMD_CREATE_SRQ,
			 .in_words = sizeof(req) / 4,
			 .out_words = (sizeof(struct ib_uverbs_create_srq_resp) +
				       sizeof(struct siw_uresp_create_srq)) / 4 },
		.cmd = { .response = (uintptr_t)resp, .pd_handle = pd->handle,
			 .max_wr = 16, .max_sge = 1 },
	};

	return command(pd->context->cmd_fd, &req, sizeof(req));
}

static int qp_to(const struct ibv_pd *pd, uint32_t cq, void *resp)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_create_qp cmd;
	} req = {
		.hdr = { .command = IB_USER_VERBS_CMD_CREATE_QP,
			 .in_words = sizeof(req) / 4,
			 .out_words = (sizeof(struct ib_uverbs_create_qp_resp) +
				       sizeof(struct siw_uresp_create_qp)) / 4 },
		.cmd = { .response = (uintptr_t)resp, .pd_handle = pd->handle,
			 .send_cq_handle = cq, .recv_cq_handle = cq,
			 .max_send_wr = 4, .max_recv_wr = 4, .max_send_sge = 1,
			 .max_recv_sge = 1, .qp_type = IBV_QPT_RC },
	};

	return command(pd->context->cmd_fd, &req, sizeof(req));
}

/* Room for the first @core octets of an answer, and for none of the driver's part */
static void *answer_of(uint8_t *closed, size_t core)
{
	return closed - core;
}

/*
 * Nobody would know of them, and so there must be none.  A device that is freed
 * looks whether all that was counted has gone, and ib_core whether a context has
 * a queue left.
 */
static void queues_unanswered(void)
{
	static const uint32_t flags[2];
	struct ibv_context *ctx = open_device(NS_A);
	uint32_t answer[32], cq;
	struct ibv_pd *pd;
	uint8_t *closed;
	char node[64];
	int fd;

	ASSERT(ctx, "no device on va");
	pd = ibv_alloc_pd(ctx);
	ASSERT(pd, "ibv_alloc_pd");
	ASSERT(!cq_to(ctx, answer), "not even with an answer: %m");
	cq = answer[0];
	closed = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT(closed != MAP_FAILED, "mmap");
	closed += 4096;
	ASSERT(!mprotect(closed, 4096, PROT_NONE), "mprotect");
	EXPECT_EQ(EFAULT, cq_to(ctx, answer_of(closed,
			sizeof(struct ib_uverbs_create_cq_resp))));
	EXPECT_EQ(EFAULT, srq_to(pd, answer_of(closed,
			sizeof(struct ib_uverbs_create_srq_resp))));
	EXPECT_EQ(EFAULT, qp_to(pd, cq, answer_of(closed,
			sizeof(struct ib_uverbs_create_qp_resp))));
	snprintf(node, sizeof(node), "/proc/self/fd/%d", ctx->cmd_fd);
	fd = open(node, O_RDWR | O_CLOEXEC);
	ASSERT(fd >= 0, "open: %m");
	EXPECT_EQ(EFAULT, context_for(fd, 8, flags, answer_of(closed,
			sizeof(struct ib_uverbs_get_context_resp))));
	close(fd);
	/* It was not for another reason; these go with the context. */
	EXPECT_EQ(0, srq_to(pd, answer));
	EXPECT_EQ(0, qp_to(pd, cq, answer));
	ibv_close_device(ctx);
	EXPECT_EQ(0, topo("del a"));
	EXPECT_EQ(0, topo("add a"));
}

/* The library knows no such CQ: the driver is asked past it. */
static int cq_with_flags(struct ibv_context *ctx)
{
	struct ib_uverbs_ex_create_cq_resp resp;
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_ex_cmd_hdr ex;
		struct ib_uverbs_ex_create_cq cmd;
	} req = {
		.hdr = { .command = IB_USER_VERBS_CMD_CREATE_CQ |
				    IB_USER_VERBS_CMD_FLAG_EXTENDED,
			 .in_words = sizeof(req.cmd) / 8,
			 .out_words = sizeof(resp) / 8 },
		.ex.response = (uintptr_t)&resp,
		.cmd = { .cqe = 16, .comp_channel = -1,
			 .flags = IB_UVERBS_CQ_FLAGS_TIMESTAMP_COMPLETION },
	};

	return command(ctx->cmd_fd, &req, sizeof(req));
}

static int qp_with_rate(struct ibv_qp *qp)
{
	struct ib_uverbs_ex_modify_qp_resp resp;
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_ex_cmd_hdr ex;
		struct ib_uverbs_ex_modify_qp cmd;
	} req = {
		.hdr = { .command = IB_USER_VERBS_CMD_MODIFY_QP |
				    IB_USER_VERBS_CMD_FLAG_EXTENDED,
			 .in_words = sizeof(req.cmd) / 8,
			 .out_words = sizeof(resp) / 8 },
		.ex.response = (uintptr_t)&resp,
		.cmd = { .base = { .qp_handle = qp->handle,
				   .attr_mask = IBV_QP_RATE_LIMIT },
			 .rate_limit = 1000 },
	};

	return command(qp->context->cmd_fd, &req, sizeof(req));
}

static int srq_with_tags(struct ibv_pd *pd, struct ibv_cq *cq)
{
	struct ib_uverbs_create_srq_resp resp;
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_create_xsrq cmd;
	} req = {
		.hdr = { .command = IB_USER_VERBS_CMD_CREATE_XSRQ,
			 .in_words = sizeof(req) / 4,
			 .out_words = sizeof(resp) / 4 },
		.cmd = { .response = (uintptr_t)&resp,
			 .srq_type = IBV_SRQT_TM, .pd_handle = pd->handle,
			 .max_wr = 8, .max_sge = 1, .max_num_tags = 8,
			 .cq_handle = cq->handle },
	};

	return command(pd->context->cmd_fd, &req, sizeof(req));
}

static void not_there(void)
{
	struct ibv_srq_attr more = { .max_wr = 16 };
	struct side s;

	side_init(&s, NS_A, &(struct opts){ .srq = 8 });
	side_resolve(&s, ADDR_B, next_port());
	side_open(&s);
	EXPECT_EQ(EOPNOTSUPP, ibv_resize_cq(s.scq, 512));
	EXPECT_EQ(EOPNOTSUPP, ibv_modify_srq(s.srq, &more, IBV_SRQ_MAX_WR));
	EXPECT_EQ(EOPNOTSUPP, cq_with_flags(s.qp->context));
	EXPECT_EQ(EOPNOTSUPP, qp_with_rate(s.qp));
	EXPECT_EQ(EOPNOTSUPP, srq_with_tags(s.pd, s.scq));
	side_close(&s);
}

/* The largest depth there is works, and the one that is no power of two. */
static void deep_queues(void)
{
	struct pair p;

	pair_open(&p, &(struct opts){ .sq = 32768, .rq = 32768,
				      .cqe = 100000 });
	pair_works(&p);
	pair_close(&p);
	pair_open(&p, &(struct opts){ .sq = 1, .rq = 1, .cqe = 1 });
	recv_at(&p.b, 1, 0, 100);
	POST(&p.a, .op = IBV_WR_SEND, .len = 10, .id = 2);
	WANT_WC(p.a.scq, 2, IBV_WC_SUCCESS);
	WANT_WC(p.b.rcq, 1, IBV_WC_SUCCESS);
	pair_close(&p);
	pair_open(&p, &(struct opts){ .sq = 1000, .rq = 1000, .cqe = 1000 });
	pair_works(&p);
	pair_close(&p);
}

#define CGROUP "/tmp/siw-ksft-cgroup"

/* Octets of a memory cgroup that this process is in, or -1 */
static long cgroup_memory(void)
{
	FILE *f = fopen(CGROUP "/siw/memory.current", "r");
	long octets = -1;

	if (f && fscanf(f, "%ld", &octets) != 1)
		octets = -1;
	if (f)
		fclose(f);
	return octets;
}

static void leave_cgroup(void)
{
	/* The first shell is still inside. */
	sh("echo %d >" CGROUP "/cgroup.procs", getpid());
	sh("rmdir " CGROUP "/siw; umount " CGROUP "; rmdir " CGROUP);
}

/* Enter a memory cgroup of our own. Return: false if there are none. */
static bool enter_cgroup(void)
{
	sh("mkdir -p " CGROUP);
	if (!sh("mount -t cgroup2 none " CGROUP) &&
	    !sh("cd " CGROUP " && echo +memory >cgroup.subtree_control") &&
	    !sh("mkdir " CGROUP "/siw; echo %d >" CGROUP "/siw/cgroup.procs",
		getpid()))
		return true;
	leave_cgroup();
	return false;
}

/* A process cannot hold more of the kernel's memory than its cgroup may. */
static void cgroup_counts_queues(void)
{
	const int entries = 1 << 17;
	struct ibv_context *ctx;
	struct ibv_cq *cq;
	long before, held;

	if (!sh("uname -r | grep -q '^5\\.10\\.'"))
		SKIP("this kernel cannot both count a page and map it");
	if (!enter_cgroup())
		SKIP("no memory controller of cgroup 2");
	ctx = open_device(NS_A);
	before = cgroup_memory();
	cq = ctx ? ibv_create_cq(ctx, entries, NULL, NULL, 0) : NULL;
	held = cgroup_memory() - before;
	leave_cgroup();
	ASSERT(cq, "ibv_create_cq");
	/*
	 * An element has 32 octets.  Processes that have ended give pages back
	 * a little later.
	 */
	EXPECT(held >= entries * 31l, "%ld octets for a queue of %d entries",
	       held, entries);
	EXPECT_EQ(0, ibv_destroy_cq(cq));
	ibv_close_device(ctx);
}

static void cgroup_counts_regions(void)
{
	enum { REGIONS = 4000 };
	static struct ibv_mr *mrs[REGIONS];
	static char octet;
	struct ibv_context *ctx;
	long before, held;
	struct ibv_pd *pd;
	int i, n = 0;

	if (!enter_cgroup())
		SKIP("no memory controller of cgroup 2");
	ctx = open_device(NS_A);
	pd = ctx ? ibv_alloc_pd(ctx) : NULL;
	before = cgroup_memory();
	while (pd && n < REGIONS && (mrs[n] = ibv_reg_mr(pd, &octet, 1, 0)))
		n++;
	held = cgroup_memory() - before;
	leave_cgroup();
	ASSERT(n == REGIONS, "ibv_reg_mr");
	/*
	 * The driver's part of a region is 256 octets or more.  libibverbs has
	 * about 100 for it, and the table of its one page has 32.
	 */
	EXPECT(held >= REGIONS * 256l, "%ld octets for %d regions", held,
	       REGIONS);
	for (i = 0; i < REGIONS; i++)
		EXPECT_EQ(0, ibv_dereg_mr(mrs[i]));
	EXPECT_EQ(0, ibv_dealloc_pd(pd));
	ibv_close_device(ctx);
}

/* ---- the end of a queue pair ---- */

static void flush(void)
{
	struct ibv_wc wc[10];
	struct pair p;
	int i;

	pair_open(&p, NULL);
	for (i = 0; i < 10; i++)
		recv_at(&p.b, i, 0, 100);
	EXPECT_EQ(0, side_to_err(&p.b));
	/* They are back when the call is. */
	ASSERT(ibv_poll_cq(p.b.rcq, 10, wc) == 10, "not flushed yet");
	for (i = 0; i < 10; i++) {
		EXPECT_EQ(i, wc[i].wr_id);
		EXPECT_EQ(IBV_WC_WR_FLUSH_ERR, wc[i].status);
	}
	EXPECT_EQ(IBV_QPS_ERR, side_state(&p.b));
	side_want(&p.b, RDMA_CM_EVENT_DISCONNECTED);
	side_want(&p.a, RDMA_CM_EVENT_DISCONNECTED);
	pair_close(&p);
}

static void post_in_err(void)
{
	struct pair p;
	int i;

	pair_open(&p, NULL);
	EXPECT_EQ(0, side_to_err(&p.a));
	for (i = 0; i < 5; i++) {
		POST(&p.a, .op = IBV_WR_SEND, .len = 10, .id = i);
		WANT_WC(p.a.scq, i, IBV_WC_WR_FLUSH_ERR);
	}
	/* Unsignalled or not. */
	POST(&p.a, .op = IBV_WR_SEND, .len = 10, .id = 9, .unsignaled = true);
	WANT_WC(p.a.scq, 9, IBV_WC_WR_FLUSH_ERR);
	pair_close(&p);
}

/* Whoever drains a queue pair with an SRQ waits for this event. */
static void last_wqe(void)
{
	struct side s;
	int type;

	side_init(&s, NS_A, &(struct opts){ .srq = 8 });
	side_resolve(&s, ADDR_B, next_port());
	side_open(&s);
	recv_at(&s, 1, 0, 64);
	EXPECT_EQ(0, side_to_err(&s));
	do
		type = side_async(&s, 2000);
	while (type >= 0 && type != IBV_EVENT_QP_LAST_WQE_REACHED);
	EXPECT_EQ(IBV_EVENT_QP_LAST_WQE_REACHED, type);
	EXPECT(no_wc(s.rcq, 100), "an SRQ entry was flushed with a QP");
	side_close(&s);
}

static int side_to_reset(struct side *s)
{
	struct ibv_qp_attr a = { .qp_state = IBV_QPS_RESET };

	return ibv_modify_qp(s->qp, &a, IBV_QP_STATE);
}

/* Once for each stream, and not each time the queue pair goes to ERROR. */
static void last_wqe_once(void)
{
	struct pair p;
	int i;

	pair_ready(&p, &(struct opts){ .srq = 8 }, NULL);
	for (i = 0; i < 50; i++) {
		EXPECT_EQ(0, side_to_err(&p.a));
		EXPECT_EQ(0, side_to_reset(&p.a));
	}
	EXPECT_EQ(IBV_EVENT_QP_LAST_WQE_REACHED, side_async(&p.a, 2000));
	EXPECT_EQ(-1, side_async(&p.a, 0));
	pair_connect(&p);
	EXPECT_EQ(0, side_to_err(&p.a));
	EXPECT_EQ(IBV_EVENT_QP_LAST_WQE_REACHED, side_async(&p.a, 2000));
	EXPECT_EQ(-1, side_async(&p.a, 100));
	pair_close(&p);
}

/* Its work requests are gone with it, in whatever state it was. */
static void destroy_is_silent(void)
{
	struct side s;
	int err, i;

	for (err = 0; err < 2; err++) {
		side_init(&s, NS_A, NULL);
		side_resolve(&s, ADDR_B, next_port());
		side_open(&s);
		if (err)
			EXPECT_EQ(0, side_to_err(&s));
		for (i = 0; i < 10; i++)
			recv_at(&s, i, 0, 64);
		rdma_destroy_qp(s.id);
		s.qp = NULL;
		EXPECT(no_wc(s.rcq, 200), "a completion of a QP that is gone");
		side_close(&s);
	}
}

/*
 * Posting a receive is no system call, so the kernel sees it when it is told
 * to look: at the next doorbell.
 */
static void recv_in_err(void)
{
	struct pair p;

	pair_open(&p, NULL);
	EXPECT_EQ(0, side_to_err(&p.a));
	recv_at(&p.a, 1, 0, 100);
	POST(&p.a, .op = IBV_WR_SEND, .len = 10, .id = 2);
	WANT_WC(p.a.scq, 2, IBV_WC_WR_FLUSH_ERR);
	WANT_WC(p.a.rcq, 1, IBV_WC_WR_FLUSH_ERR);
	pair_close(&p);
}

/* Everything posted comes back, whatever happens to the connection. */
static void drain(void)
{
	struct ibv_wc wc;
	struct pair p;
	int posted = 0;
	int done = 0;
	int round;
	int i;

	for (round = 0; round < 10; round++) {
		pair_open(&p, &(struct opts){ .sq = 64, .rq = 64,
					      .buf = MiB });
		for (i = 0; i < 30; i++)
			recv_at(&p.a, i, 0, 100);
		for (posted = 0; posted < 60; posted++)
			if (try_post(&p.a, &(struct wr){
				.op = posted % 3 ? IBV_WR_RDMA_WRITE :
						   IBV_WR_RDMA_READ,
				.len = 100000, .id = posted,
				.raddr = at(&p.b, 0),
				.rkey = p.b.mr->rkey }))
				break;
		sleep_ms(round);
		if (round % 2)
			rdma_disconnect(p.b.id);
		else
			side_to_err(&p.a);
		for (done = 0; done < posted; done++) {
			wc = next_wc(p.a.scq);
			EXPECT_EQ(done, wc.wr_id);
		}
		for (i = 0; i < 30; i++)
			WANT_WC(p.a.rcq, i, IBV_WC_WR_FLUSH_ERR);
		pair_close(&p);
	}
}

struct ending {
	struct pair *p;
	int how;
};

static void *end_it(void *arg)
{
	struct ending *e = arg;

	switch (e->how) {
	case 0:
		side_to_err(&e->p->a);
		break;
	case 1:
		side_to_err(&e->p->b);
		break;
	default:
		rdma_disconnect(e->p->a.id);
	}
	return NULL;
}

/* The same while the posting goes on: each comes back once, and in order. */
static void post_while_ending(void)
{
	const int total = 1000;
	pthread_t thread;
	struct ibv_wc wc;
	struct pair p;
	uint64_t end;
	int round, i;

	for (round = 0; round < 18; round++) {
		struct ending e = { .p = &p, .how = round % 3 };
		int posted = 0, done = 0, recvs = 0;
		bool over = false;

		pair_open(&p, &(struct opts){ .sq = 64, .rq = 64,
					      .cqe = 2048 });
		end = deadline(10000);
		while (done < total) {
			ASSERT(!passed(end), "%d of %d came back", done,
			       posted);
			if (posted < total && posted - done < 64) {
				recvs += !try_recv(&p.a, recvs, 0, 64);
				POST(&p.a, .op = IBV_WR_RDMA_WRITE, .len = 64,
				     .id = posted, .raddr = at(&p.b, 0),
				     .rkey = p.b.mr->rkey);
				if (posted++ == 100)
					ASSERT(!pthread_create(&thread, NULL,
							       end_it, &e),
					       "pthread_create");
			}
			while (ibv_poll_cq(p.a.scq, 1, &wc) == 1) {
				over |= wc.status != IBV_WC_SUCCESS;
				EXPECT_EQ(done, wc.wr_id);
				EXPECT_EQ(over ? IBV_WC_WR_FLUSH_ERR :
						 IBV_WC_SUCCESS, wc.status);
				done++;
			}
		}
		pthread_join(thread, NULL);
		side_want(&p.a, RDMA_CM_EVENT_DISCONNECTED);
		/* The kernel sees the last receives at this doorbell. */
		POST(&p.a, .op = IBV_WR_RDMA_WRITE, .id = total);
		WANT_WC(p.a.scq, total, IBV_WC_WR_FLUSH_ERR);
		for (i = 0; i < recvs; i++)
			WANT_WC(p.a.rcq, i, IBV_WC_WR_FLUSH_ERR);
		EXPECT(no_wc(p.a.rcq, 20) && no_wc(p.a.scq, 0),
		       "more completions than requests");
		pair_close(&p);
	}
}

static void disconnect(void)
{
	struct pair p;
	int i;

	pair_open(&p, NULL);
	for (i = 0; i < 4; i++) {
		recv_at(&p.a, i, 0, 10);
		recv_at(&p.b, i, 0, 10);
	}
	ns_enter(NS_A);
	EXPECT_EQ(0, rdma_disconnect(p.a.id));
	side_want(&p.a, RDMA_CM_EVENT_DISCONNECTED);
	side_want(&p.b, RDMA_CM_EVENT_DISCONNECTED);
	for (i = 0; i < 4; i++) {
		WANT_WC(p.a.rcq, i, IBV_WC_WR_FLUSH_ERR);
		WANT_WC(p.b.rcq, i, IBV_WC_WR_FLUSH_ERR);
	}
	pair_close(&p);
}

/* What was sent before an orderly close arrives. */
static void send_then_close(void)
{
	struct pair p;
	int round, i;

	for (round = 0; round < 5; round++) {
		pair_open(&p, NULL);
		for (i = 0; i < 16; i++)
			recv_at(&p.b, i, i * 4096, 4096);
		fill(p.a.buf, 4096, round);
		for (i = 0; i < 16; i++)
			POST(&p.a, .op = IBV_WR_SEND, .len = 4096, .id = i);
		for (i = 0; i < 16; i++)
			WANT_WC(p.a.scq, i, IBV_WC_SUCCESS);
		rdma_disconnect(p.a.id);
		for (i = 0; i < 16; i++) {
			WANT_WC(p.b.rcq, i, IBV_WC_SUCCESS);
			CHECK(p.b.buf + i * 4096, 4096, round);
		}
		pair_close(&p);
	}
}

static void no_recv_queue(void)
{
	struct pair p;
	int i;

	/* Only the end that does not receive goes without. */
	pair_open2(&p, &(struct opts){ .no_rq = true }, NULL);
	for (i = 0; i < 10; i++) {
		fill(p.a.buf, 100, i);
		recv_at(&p.b, 1, 0, 100);
		POST(&p.a, .op = IBV_WR_SEND, .len = 100, .id = 2);
		WANT_WC(p.a.scq, 2, IBV_WC_SUCCESS);
		WANT_WC(p.b.rcq, 1, IBV_WC_SUCCESS);
		CHECK(p.b.buf, 100, i);
	}
	/* A Send to it finds no buffer: the stream ends, nothing else. */
	POST(&p.b, .op = IBV_WR_SEND, .len = 100, .id = 3);
	EXPECT(side_async_qp(&p.b, 5000) > 0, "no event at the sender");
	pair_close(&p);
	fresh_pair_works();
}

static void reset_forgets(void)
{
	struct pair p;

	pair_ready(&p, NULL, NULL);
	recv_at(&p.a, 1, 0, 64);
	try_post(&p.a, &(struct wr){ .op = IBV_WR_SEND, .len = 64, .id = 2 });
	ASSERT(!side_to_reset(&p.a), "to RESET");
	recv_at(&p.a, 3, 64, 64);
	recv_at(&p.a, 4, 128, 64);
	pair_connect(&p);
	POST(&p.b, .op = IBV_WR_SEND, .len = 10, .id = 5);
	WANT_WC(p.b.scq, 5, IBV_WC_SUCCESS);
	WANT_WC(p.a.rcq, 3, IBV_WC_SUCCESS);
	EXPECT(no_wc(p.a.scq, 200), "a Send from before the reset");
	pair_close(&p);
}

/* The queue pair of @p->a, with an id and a peer that are new. */
static void connect_again(const struct pair *p, struct pair *q)
{
	struct rdma_conn_param cp;
	uint16_t port = next_port();

	q->a = p->a;
	side_init(&q->b, NS_B, &p->b.o);
	side_listen(&q->b, ADDR_B, port, 4);
	side_resolve(&q->a, ADDR_B, port);
	cp = side_param(&q->a);
	cp.qp_num = q->a.qp->qp_num;
	ns_enter(NS_A);
	ASSERT(!rdma_connect(q->a.id, &cp), "rdma_connect");
	side_want(&q->b, RDMA_CM_EVENT_CONNECT_REQUEST);
	side_open(&q->b);
	ASSERT(!side_accept(&q->b), "rdma_accept");
	side_want(&q->a, RDMA_CM_EVENT_ESTABLISHED);
	side_want(&q->b, RDMA_CM_EVENT_ESTABLISHED);
}

/* Its streams end with Reads under way and waiting, and a receive posted. */
static void used_again(void)
{
	struct pair p, q;
	int round, i;

	pair_open(&p, &(struct opts){ .ird = 1, .ord = 1, .buf = MiB });
	q = p;
	for (round = 0; round < 3; round++) {
		pair_works(&q);
		recv_at(&q.a, 9, 0, 64);
		for (i = 0; i < 4; i++)
			POST(&q.a, .op = i == 2 ? IBV_WR_RDMA_WRITE :
						  IBV_WR_RDMA_READ,
			     .off = 65536, .len = 300000, .id = i,
			     .raddr = at(&q.b, 65536), .rkey = q.b.mr->rkey);
		EXPECT_EQ(0, side_to_err(&q.a));
		for (i = 0; i < 4; i++)
			EXPECT_EQ(i, next_wc(q.a.scq).wr_id);
		WANT_WC(q.a.rcq, 9, IBV_WC_WR_FLUSH_ERR);
		side_want(&q.a, RDMA_CM_EVENT_DISCONNECTED);
		ASSERT(!side_to_reset(&q.a), "to RESET");
		if (round) {
			EXPECT_EQ(0, rdma_destroy_id(q.a.id));
			side_close(&q.b);
		}
		connect_again(&p, &q);
	}
	pair_works(&q);
	EXPECT(no_wc(q.a.scq, 50) && no_wc(q.a.rcq, 0),
	       "a completion of a stream before");
	rdma_disconnect(q.a.id);
	EXPECT_EQ(0, rdma_destroy_id(q.a.id));
	side_close(&q.b);
	pair_close(&p);
}

/*
 * The request that ended its stream had got some way into its memory: more than
 * goes out in one train.  The next begins at its own beginning.
 */
static void used_again_after_failure(void)
{
	struct pair p, q;

	pair_open(&p, &(struct opts){ .buf = MiB });
	POST(&p.a, .op = IBV_WR_SEND, .len = 300000, .id = 1, .lkey = 0xdead);
	WANT_WC(p.a.scq, 1, IBV_WC_LOC_PROT_ERR);
	side_want(&p.a, RDMA_CM_EVENT_DISCONNECTED);
	ASSERT(!side_to_reset(&p.a), "to RESET");
	connect_again(&p, &q);
	pair_works(&q);
	rdma_disconnect(q.a.id);
	EXPECT_EQ(0, rdma_destroy_id(q.a.id));
	side_close(&q.b);
	pair_close(&p);
}

/*
 * A connection is made by rdma_cm and by nothing else.  Verbs let a provider
 * take or refuse the states on the way, but none of them may act like a
 * connection, and ERROR must work from everywhere.
 */
static void modify_states(void)
{
	static const enum ibv_qp_state odd[] = {
		IBV_QPS_RESET, IBV_QPS_INIT, IBV_QPS_RTR, IBV_QPS_RTS,
		IBV_QPS_SQD, IBV_QPS_SQE, (enum ibv_qp_state)77,
	};
	struct ibv_context *ctx = open_device(NS_A);
	struct ibv_qp_init_attr ia = { .qp_type = IBV_QPT_RC,
				       .cap = { 8, 8, 1, 1, 0 } };
	struct ibv_send_wr wr = { .wr_id = 5, .opcode = IBV_WR_RDMA_WRITE,
				  .send_flags = IBV_SEND_SIGNALED };
	struct ibv_qp_init_attr qi;
	struct ibv_qp_attr qa = { 0 };
	struct ibv_send_wr *bad;
	struct ibv_cq *cq;
	struct ibv_pd *pd;
	struct pair p;
	size_t i;

	ASSERT(ctx, "no device on va");
	pd = ibv_alloc_pd(ctx);
	cq = ibv_create_cq(ctx, 16, NULL, NULL, 0);
	ASSERT(pd && cq, "PD and CQ");
	ia.send_cq = cq;
	ia.recv_cq = cq;
	for (i = 0; i < ARRAY_SIZE(odd); i++) {
		struct ibv_qp *qp = ibv_create_qp(pd, &ia);
		int taken, posted;

		ASSERT(qp, "ibv_create_qp");
		/* The state IDLE of RFC 5040 goes by this name. */
		ASSERT(!ibv_query_qp(qp, &qa, IBV_QP_STATE, &qi), "query");
		EXPECT_EQ(IBV_QPS_INIT, qa.qp_state);
		qa.qp_state = odd[i];
		taken = !ibv_modify_qp(qp, &qa, IBV_QP_STATE);
		test_info("a new QP to state %d: %s", odd[i],
			  taken ? "taken" : "refused");
		EXPECT(odd[i] != 77 || !taken, "there is no state 77");
		posted = !ibv_post_send(qp, &wr, &bad);
		qa.qp_state = IBV_QPS_ERR;
		EXPECT_EQ(0, ibv_modify_qp(qp, &qa, IBV_QP_STATE));
		ASSERT(!ibv_query_qp(qp, &qa, IBV_QP_STATE, &qi), "query");
		EXPECT_EQ(IBV_QPS_ERR, qa.qp_state);
		if (posted)
			WANT_WC(cq, 5, IBV_WC_WR_FLUSH_ERR);
		qa.qp_state = IBV_QPS_RTS;
		EXPECT(ibv_modify_qp(qp, &qa, IBV_QP_STATE),
		       "ERROR to RTS is taken");
		EXPECT_EQ(0, ibv_destroy_qp(qp));
	}
	EXPECT_EQ(0, ibv_destroy_cq(cq));
	EXPECT_EQ(0, ibv_dealloc_pd(pd));
	ibv_close_device(ctx);

	/* A live connection does not go back. */
	pair_open(&p, NULL);
	qa.qp_state = IBV_QPS_INIT;
	ibv_modify_qp(p.a.qp, &qa, IBV_QP_STATE);
	EXPECT_EQ(IBV_QPS_RTS, side_state(&p.a));
	pair_works(&p);
	pair_close(&p);
}

/*
 * Objects in use cannot go away under their users.  The provider of ABI 1
 * unmaps a queue before it asks the kernel, so nothing is used afterwards.
 */
static void busy_objects(void)
{
	struct pair p;

	pair_open(&p, &(struct opts){ .srq = 8 });
	EXPECT(ibv_dealloc_pd(p.a.pd), "a PD with a QP is freed");
	pair_works(&p);
	EXPECT(ibv_destroy_cq(p.a.scq), "a CQ with a QP is destroyed");
	EXPECT(ibv_destroy_srq(p.a.srq), "an SRQ with a QP is destroyed");
}

static void send_with_inv(void)
{
	struct ibv_mr *mr;
	struct pair p;

	/*
	 * An ordinary long-lived region is not the peer's to invalidate (RFC
	 * 5040 section 8.1.1 item 7): the stream ends, and the region lives.
	 */
	pair_open(&p, NULL);
	mr = ibv_reg_mr(p.b.pd, p.b.buf, 4096, p.b.o.access);
	ASSERT(mr, "ibv_reg_mr");
	recv_at(&p.b, 1, 0, 100);
	POST(&p.a, .op = IBV_WR_SEND_WITH_INV, .len = 10, .id = 2,
	     .rkey = mr->rkey);
	EXPECT(side_async_qp(&p.b, 5000) > 0, "no event at the target");
	EXPECT(side_async_qp(&p.a, 5000) > 0, "no event at the sender");
	EXPECT(next_wc(p.b.rcq).status != IBV_WC_SUCCESS,
	       "the receive completed well");
	EXPECT_EQ(0, ibv_dereg_mr(mr));
	pair_close(&p);

	/* An STag that does not exist. */
	pair_open(&p, NULL);
	recv_at(&p.b, 1, 0, 100);
	POST(&p.a, .op = IBV_WR_SEND_WITH_INV, .len = 10, .id = 2,
	     .rkey = 0x12345678);
	EXPECT(side_async_qp(&p.a, 5000) > 0, "no event at the sender");
	pair_close(&p);
	fresh_pair_works();
}

/* ---- memory regions ---- */

static void mr_attributes(void)
{
	struct ibv_context *ctx = open_device(NS_A);
	struct ibv_mr *mr[64];
	struct ibv_pd *pd;
	uint8_t *buf;
	int same = 0;
	int step = 0;
	int i;

	ASSERT(ctx, "no device on va");
	pd = ibv_alloc_pd(ctx);
	ASSERT(pd, "ibv_alloc_pd");
	buf = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (i = 0; i < 64; i++) {
		mr[i] = ibv_reg_mr(pd, buf + i, 1000, IBV_ACCESS_LOCAL_WRITE);
		ASSERT(mr[i], "ibv_reg_mr %d", i);
		EXPECT_EQ(mr[i]->lkey, mr[i]->rkey);
		if (i) {
			same += mr[i]->lkey >> 8 == mr[i - 1]->lkey >> 8;
			step += mr[i]->lkey - mr[i - 1]->lkey == 0x100;
		}
	}
	/* RFC 5042: STags hard to predict, no plain counting. */
	EXPECT(!same, "%d equal indices", same);
	EXPECT(step < 16, "%d of 63 STags follow their predecessor", step);
	for (i = 0; i < 64; i++)
		EXPECT_EQ(0, ibv_dereg_mr(mr[i]));
	EXPECT(!ibv_reg_mr(pd, buf, 1000, IBV_ACCESS_REMOTE_WRITE),
	       "remote write without local write");
	REFUSED(EFAULT, ibv_reg_mr(pd, (void *)0x1000, 4096,
				   IBV_ACCESS_LOCAL_WRITE),
		"memory that is not there");
	REFUSED(EINVAL, ibv_reg_mr(pd, (void *)-4096ul, 8192,
				   IBV_ACCESS_LOCAL_WRITE),
		"memory that wraps");
	REFUSED(EINVAL, ibv_reg_mr(pd, buf, 0, IBV_ACCESS_LOCAL_WRITE),
		"no memory");
	REFUSED(EINVAL, ibv_reg_mr_iova(pd, buf, 8192, -4096ull,
					IBV_ACCESS_LOCAL_WRITE),
		"offsets that wrap");
	REFUSED(EOPNOTSUPP, ibv_reg_mr(pd, buf, 4096, IBV_ACCESS_LOCAL_WRITE |
				       IBV_ACCESS_MW_BIND), "memory windows");
	ibv_dealloc_pd(pd);
	ibv_close_device(ctx);
}

/* Wherever memory begins in its page, and whatever it is called. */
static void mr_anywhere(void)
{
	static const uint32_t first[] = { 0, 1, 77, 4095 };
	const uint32_t len = 9000;
	struct ibv_mr *mr;
	struct pair p;
	uint64_t iova;
	uint8_t *mem;
	size_t i;

	pair_open(&p, NULL);
	for (i = 0; i < ARRAY_SIZE(first); i++) {
		mem = p.b.buf + 8192 + first[i];
		iova = 0x7000000000ull + first[i];
		memset(p.b.buf, 0xee, p.b.o.buf);
		fill(p.a.buf, len, i);
		mr = ibv_reg_mr_iova(p.b.pd, mem, len, iova, p.b.o.access);
		ASSERT(mr, "ibv_reg_mr_iova");
		POST(&p.a, .op = IBV_WR_RDMA_WRITE, .len = len, .id = 1,
		     .raddr = iova, .rkey = mr->rkey);
		POST(&p.a, .op = IBV_WR_RDMA_READ, .off = 16384, .len = len,
		     .id = 2, .raddr = iova, .rkey = mr->rkey);
		WANT_WC(p.a.scq, 1, IBV_WC_SUCCESS);
		WANT_WC(p.a.scq, 2, IBV_WC_SUCCESS);
		CHECK(mem, len, i);
		CHECK_BYTE(p.b.buf, mem - p.b.buf, 0xee);
		CHECK_BYTE(mem + len, 8192, 0xee);
		CHECK(p.a.buf + 16384, len, i);
		EXPECT_EQ(0, ibv_dereg_mr(mr));
	}
	pair_close(&p);
}

/* Register memory, and have the answer at @resp. */
static int reg_mr_to(const struct ibv_pd *pd, void *mem, size_t len, void *resp)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_reg_mr cmd;
		struct siw_ureq_reg_mr own;
	} req = {
		.hdr = { .command = IB_USER_VERBS_CMD_REG_MR,
			 .in_words = sizeof(req) / 4,
			 .out_words = (sizeof(struct ib_uverbs_reg_mr_resp) +
				       sizeof(struct siw_uresp_reg_mr)) / 4 },
		.cmd = { .response = (uintptr_t)resp, .start = (uintptr_t)mem,
			 .length = len, .hca_va = (uintptr_t)mem,
			 .pd_handle = pd->handle,
			 .access_flags = IBV_ACCESS_LOCAL_WRITE },
	};

	return command(pd->context->cmd_fd, &req, sizeof(req));
}

/* Kilobytes of this process that are pinned */
static long pinned(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	long kb = -1;

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "VmPin: %ld", &kb);
	if (f)
		fclose(f);
	ASSERT(kb >= 0, "no VmPin");
	return kb;
}

/*
 * Nobody would know of the region, and so there must be none.  A device that is
 * freed looks whether all that was counted has gone.
 */
static void mr_unanswered(void)
{
	struct ibv_context *ctx = open_device(NS_A);
	uint32_t answer[8];
	struct ibv_pd *pd;
	void *mem, *closed;
	long before, one;
	int i;

	ASSERT(ctx, "no device on va");
	pd = ibv_alloc_pd(ctx);
	ASSERT(pd, "ibv_alloc_pd");
	mem = mmap(NULL, MiB, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	closed = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT(mem != MAP_FAILED && closed != MAP_FAILED, "mmap");
	before = pinned();
	ASSERT(!reg_mr_to(pd, mem, MiB, answer), "not even with an answer: %m");
	one = pinned();
	EXPECT_EQ(before + 1024, one);
	for (i = 0; i < 8; i++)
		EXPECT_EQ(EFAULT, reg_mr_to(pd, mem, MiB, closed));
	EXPECT_EQ(one, pinned());
	/* The first region is in the kernel only, and goes with the context. */
	ibv_close_device(ctx);
	EXPECT_EQ(before, pinned());
	EXPECT_EQ(0, topo("del a"));
	EXPECT_EQ(0, topo("add a"));
}

/* A read-only mapping can be a source, and not a sink. */
static void mr_readonly(void)
{
	struct pair p;
	struct ibv_mr *mr;
	uint8_t *ro;

	pair_open(&p, NULL);
	ro = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	fill(ro, 8192, 6);
	mprotect(ro, 8192, PROT_READ);
	REFUSED(EFAULT, ibv_reg_mr(p.b.pd, ro, 8192, IBV_ACCESS_LOCAL_WRITE),
		"local write on a read-only mapping");
	mr = ibv_reg_mr(p.b.pd, ro, 8192, IBV_ACCESS_REMOTE_READ);
	ASSERT(mr, "ibv_reg_mr");
	POST(&p.a, .op = IBV_WR_RDMA_READ, .len = 8192, .id = 1,
	     .raddr = (uintptr_t)ro, .rkey = mr->rkey);
	WANT_WC(p.a.scq, 1, IBV_WC_SUCCESS);
	CHECK(p.a.buf, 8192, 6);
	ibv_dereg_mr(mr);
	pair_close(&p);
}

static const struct test tests[] = {
	{ "query_device reports the limits it should", device_attributes },
	{ "query_port and query_gid tell what the link is", port_attributes },
	{ "query_port and query_qp follow the netdev", port_follows_netdev },
	{ "the limits asked for at creation are granted or refused", caps_returned },
	{ "queue pairs of any type but RC are refused", other_types },
	{ "memory regions: keys, refusals", mr_attributes },
	{ "memory regions at any offset, of any address", mr_anywhere },
	{ "memory regions without an answer are none", mr_unanswered,
	  .slow = true },
	{ "send and receive", send_recv },
	{ "RDMA Write lands where it should and nowhere else", rdma_write },
	{ "RDMA Read fetches what it should", rdma_read },
	{ "1 octet to 4 MiB by Send, Write and Read", all_sizes, 120,
	  .slow = true },
	{ "every alignment of source and sink", unaligned },
	{ "zero-length Send, Write and Read", zero_length },
	{ "gather and scatter lists", multi_sge },
	{ "gathered from long elements", long_sges },
	{ "inline data of 0 to 80 octets", inline_data, 60 },
	{ "Send with Invalidate of what may not be invalidated", send_with_inv },
	{ "a read-only mapping is a source only", mr_readonly },
	{ "CQ armed for solicited completions", solicited },
	{ "CQ armed for any completion", arm_any },
	{ "no completion is lost between arming and sleeping", arm_race, 60 },
	{ "unsignalled work requests", unsignaled },
	{ "sq_sig_all signals everything", sig_all },
	{ "completions come in the order of posting", completion_order },
	{ "a fenced Send waits for the Read before it", fence },
	{ "more Reads than ORD wait their turn", many_reads },
	{ "a hundred Reads of 64 KiB", long_reads, 60, .slow = true },
	{ "a Read from each element of the send queue", reads_around_the_end },
	{ "both ends send and read at once", both_ways, 60 },
	{ "20000 small messages through a queue of 32", many_small, 90,
	  .slow = true },
	{ "no allocation for a work request in steady state", no_allocation,
	  90, .slow = true },
	{ "a full send queue refuses, then drains", sq_full },
	{ "SRQ serves a queue pair", srq_basic },
	{ "SRQ serves two, and survives one of them", srq_shared,
	  .slow = true },
	{ "SRQ serves two at once", srq_two_at_once, 120, .slow = true },
	{ "an SRQ's size and limit are granted or refused", srq_caps },
	{ "what this device does not have", not_there },
	{ "a context for a provider of another interface", other_interface },
	{ "queues and contexts without an answer are none", queues_unanswered,
	  .slow = true },
	{ "SRQ limit event comes once", srq_limit, .slow = true },
	{ "an SRQ limit armed again and again is told once", srq_limit_again },
	{ "CQ overflow raises IBV_EVENT_CQ_ERR", cq_overflow, .slow = true },
	{ "query_qp tells the truth", query_qp },
	{ "queues of 1, 1000 and 32768 entries", deep_queues },
	{ "queues count for the memory cgroup", cgroup_counts_queues,
	  .slow = true },
	{ "regions count for the memory cgroup", cgroup_counts_regions,
	  .slow = true },
	{ "max_recv_wr 0", no_recv_queue },
	{ "modify_qp to ERROR flushes the receive queue", flush },
	{ "a send posted in ERROR is flushed", post_in_err },
	{ "an SRQ's consumer hears of the last element", last_wqe },
	{ "the last element is told once for each stream", last_wqe_once },
	{ "a destroyed queue pair completes nothing", destroy_is_silent,
	  .slow = true },
	{ "a receive posted in ERROR is flushed at the next doorbell", recv_in_err },
	{ "everything posted comes back when a connection ends", drain, 90,
	  .slow = true },
	{ "everything posted while a connection ends comes back",
	  post_while_ending, 90, .slow = true },
	{ "disconnect flushes and tells both ends", disconnect },
	{ "what was sent before an orderly close arrives", send_then_close },
	{ "modify_qp to RESET forgets what is posted", reset_forgets,
	  .slow = true },
	{ "a queue pair is used again after RESET", used_again },
	{ "a queue pair is used again after a request that failed",
	  used_again_after_failure },
	{ "modify_qp makes no connection, and ERROR works always", modify_states },
	{ "objects in use cannot be destroyed", busy_objects },
};

int main(int argc, char **argv)
{
	return harness_main(argc, argv, tests, ARRAY_SIZE(tests));
}
