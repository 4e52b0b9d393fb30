// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * What our provider does and the stock one does not, on a live driver; built
 * with the harness of selftests/kselftest.  All of it fails with the stock
 * provider but the last three.
 *
 *	netns sa                          netns sb
 *	+----------------------+          +----------------------+
 *	| siwa   side a        |          |        side b   siwb |
 *	|   va 10.83.0.1/24    |<- veth ->|    vb 10.83.0.2/24   |
 *	|  connects            | MTU 1500 |           listens    |
 *	+----------------------+          +----------------------+
 */
#include <dirent.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <rdma/ib_user_verbs.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "harness.h"
#include "rawpeer.h"

/* An end whose QP was never connected: nothing posted is ever taken. */
static void idle_open(struct side *s, const struct opts *o)
{
	side_init(s, NS_A, o);
	side_resolve(s, ADDR_B, next_port());
	side_open(s);
}

/* ---- what a verb returns ---- */

static void errors_are_positive(void)
{
	struct ibv_send_wr wr = { .opcode = IBV_WR_SEND }, *bad;
	struct ibv_recv_wr recv = {}, *bad_recv;
	struct ibv_sge sge[7] = {};
	struct pair p;
	int opcode, i;

	pair_open(&p, &(struct opts){ .sge = 2, .rq = 4 });
	wr.sg_list = sge;
	wr.num_sge = 3;
	bad = NULL;
	EXPECT_EQ(EINVAL, ibv_post_send(p.a.qp, &wr, &bad));
	EXPECT(bad == &wr, "bad_wr");
	wr.num_sge = 0;
	wr.send_flags = IBV_SEND_IP_CSUM;
	EXPECT_EQ(EINVAL, ibv_post_send(p.a.qp, &wr, &bad));
	wr.send_flags = 0;
	for (opcode = 0; opcode <= IBV_WR_DRIVER1; opcode++) {
		if (opcode == IBV_WR_SEND || opcode == IBV_WR_RDMA_WRITE ||
		    opcode == IBV_WR_RDMA_READ ||
		    opcode == IBV_WR_SEND_WITH_INV)
			continue;
		wr.opcode = opcode;
		bad = NULL;
		EXPECT_EQ(EOPNOTSUPP, ibv_post_send(p.a.qp, &wr, &bad));
		EXPECT(bad == &wr, "bad_wr of opcode %d", opcode);
	}
	recv.sg_list = sge;
	recv.num_sge = 3;
	EXPECT_EQ(EINVAL, ibv_post_recv(p.a.qp, &recv, &bad_recv));
	recv.num_sge = 0;
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, ibv_post_recv(p.a.qp, &recv, &bad_recv));
	bad_recv = NULL;
	EXPECT_EQ(ENOMEM, ibv_post_recv(p.a.qp, &recv, &bad_recv));
	EXPECT(bad_recv == &recv, "bad_wr");
	/* None of it did any harm. */
	POST(&p.b, .op = IBV_WR_SEND, .id = 1);
	WANT_WC(p.a.rcq, 0, IBV_WC_SUCCESS);
	pair_close(&p);
}

static void partial_post(void)
{
	struct ibv_send_wr wr[40] = {}, *bad = NULL;
	struct ibv_recv_wr recv[40] = {}, *bad_recv = NULL;
	struct side s;
	int i;

	/* The driver takes nothing of a QP that is not connected. */
	idle_open(&s, &(struct opts){ .sq = 32, .rq = 32 });
	for (i = 0; i < 40; i++) {
		wr[i].wr_id = i;
		wr[i].opcode = IBV_WR_SEND;
		wr[i].send_flags = IBV_SEND_SIGNALED;
		recv[i].wr_id = 100 + i;
		if (i < 39) {
			wr[i].next = &wr[i + 1];
			recv[i].next = &recv[i + 1];
		}
	}
	EXPECT_EQ(ENOMEM, ibv_post_send(s.qp, wr, &bad));
	EXPECT_EQ(32, bad - wr);
	EXPECT_EQ(ENOMEM, ibv_post_recv(s.qp, recv, &bad_recv));
	EXPECT_EQ(32, bad_recv - recv);
	EXPECT_EQ(0, side_to_err(&s));
	for (i = 0; i < 32; i++) {
		WANT_WC(s.scq, i, IBV_WC_WR_FLUSH_ERR);
		WANT_WC(s.rcq, 100 + i, IBV_WC_WR_FLUSH_ERR);
	}
	EXPECT(no_wc(s.scq, 100) && no_wc(s.rcq, 1), "more than was posted");
	side_close(&s);
}

/* It must not hide behind a doorbell that went well. */
static void bad_one_in_the_middle(void)
{
	struct ibv_send_wr wr[3] = {}, *bad = NULL;
	struct pair p;
	int i;

	pair_open(&p, NULL);
	for (i = 0; i < 3; i++) {
		wr[i].wr_id = i;
		wr[i].opcode = i == 1 ? IBV_WR_SEND_WITH_IMM : IBV_WR_SEND;
		wr[i].send_flags = IBV_SEND_SIGNALED;
		wr[i].next = i < 2 ? &wr[i + 1] : NULL;
		recv_at(&p.b, i, 0, 64);
	}
	EXPECT_EQ(EOPNOTSUPP, ibv_post_send(p.a.qp, wr, &bad));
	EXPECT(bad == &wr[1], "bad_wr");
	WANT_WC(p.a.scq, 0, IBV_WC_SUCCESS);
	WANT_WC(p.b.rcq, 0, IBV_WC_SUCCESS);
	EXPECT(no_wc(p.b.rcq, 100), "what follows the bad one was sent");
	pair_close(&p);
}

/* ---- objects ---- */

static void query_srq(void)
{
	struct ibv_srq_attr attr = {};
	struct side s;

	idle_open(&s, &(struct opts){ .srq = 100, .sge = 3 });
	ASSERT(!ibv_query_srq(s.srq, &attr), "ibv_query_srq");
	EXPECT(attr.max_wr >= 100, "max_wr %u", attr.max_wr);
	EXPECT(attr.max_sge >= 3, "max_sge %u", attr.max_sge);
	EXPECT_EQ(0, attr.srq_limit);
	/* A limit that is reached at once is none any more. */
	recv_at(&s, 1, 0, 64);
	recv_at(&s, 2, 0, 64);
	attr.srq_limit = 2;
	EXPECT_EQ(0, ibv_modify_srq(s.srq, &attr, IBV_SRQ_LIMIT));
	memset(&attr, 0, sizeof(attr));
	ASSERT(!ibv_query_srq(s.srq, &attr), "ibv_query_srq");
	EXPECT_EQ(2, attr.srq_limit);
	side_close(&s);
}

static void resize_cq(void)
{
	struct side s;
	int cqe;

	idle_open(&s, &(struct opts){ .cqe = 100 });
	cqe = s.scq->cqe;
	EXPECT(cqe >= 100, "cqe %d", cqe);
	EXPECT_EQ(0, ibv_resize_cq(s.scq, 50));
	EXPECT_EQ(0, ibv_resize_cq(s.scq, cqe));
	EXPECT_EQ(cqe, s.scq->cqe);
	EXPECT_EQ(EINVAL, ibv_resize_cq(s.scq, 0));
	EXPECT_EQ(EOPNOTSUPP, ibv_resize_cq(s.scq, cqe + 1));
	side_close(&s);
}

/* The in-box driver makes no queue for none, and the stock provider fails. */
static void no_receive_queue(void)
{
	struct ibv_recv_wr recv[2] = {}, *bad = NULL;
	struct pair p;

	pair_open(&p, &(struct opts){ .no_rq = true });
	POST(&p.a, .op = IBV_WR_RDMA_WRITE, .len = 64, .id = 1,
	     .raddr = at(&p.b, 0), .rkey = p.b.mr->rkey);
	WANT_WC(p.a.scq, 1, IBV_WC_SUCCESS);
	/* A driver may give one element of its own accord. */
	recv[0].next = &recv[1];
	EXPECT_EQ(ENOMEM, ibv_post_recv(p.a.qp, recv, &bad));
	EXPECT(bad == &recv[0] || bad == &recv[1], "bad_wr");
	pair_close(&p);
}

static void srq_instead_of_queue(void)
{
	struct ibv_recv_wr recv = {}, *bad = NULL;
	struct side s;

	idle_open(&s, &(struct opts){ .srq = 8 });
	EXPECT_EQ(EINVAL, ibv_post_recv(s.qp, &recv, &bad));
	EXPECT(bad == &recv, "bad_wr");
	side_close(&s);
}

static void receive_of_no_entry(void)
{
	struct ibv_recv_wr recv = { .wr_id = 7 }, *bad;
	struct pair p;

	pair_open(&p, NULL);
	EXPECT_EQ(0, ibv_post_recv(p.b.qp, &recv, &bad));
	POST(&p.a, .op = IBV_WR_SEND, .id = 1);
	EXPECT_EQ(0, WANT_WC(p.b.rcq, 7, IBV_WC_SUCCESS).byte_len);
	pair_close(&p);
}

static void creation_refuses(void)
{
	struct ibv_cq_init_attr_ex cq = { .cqe = 10 };
	struct ibv_qp_init_attr_ex qp = {};
	struct side s;

	idle_open(&s, NULL);
	cq.wc_flags = IBV_WC_EX_WITH_COMPLETION_TIMESTAMP;
	errno = 0;
	EXPECT(!ibv_create_cq_ex(s.id->verbs, &cq), "timestamps");
	EXPECT_EQ(EOPNOTSUPP, errno);
	cq.wc_flags = 0;
	cq.comp_mask = IBV_CQ_INIT_ATTR_MASK_FLAGS;
	cq.flags = IBV_CREATE_CQ_ATTR_IGNORE_OVERRUN;
	errno = 0;
	EXPECT(!ibv_create_cq_ex(s.id->verbs, &cq), "ignore overrun");
	EXPECT_EQ(EOPNOTSUPP, errno);
	qp.qp_type = IBV_QPT_RC;
	qp.send_cq = s.scq;
	qp.recv_cq = s.rcq;
	qp.pd = s.pd;
	qp.comp_mask = IBV_QP_INIT_ATTR_PD | IBV_QP_INIT_ATTR_SEND_OPS_FLAGS;
	qp.send_ops_flags = IBV_QP_EX_WITH_SEND | IBV_QP_EX_WITH_ATOMIC_CMP_AND_SWP;
	errno = 0;
	EXPECT(!ibv_create_qp_ex(s.id->verbs, &qp), "atomics");
	EXPECT_EQ(EOPNOTSUPP, errno);
	qp.send_ops_flags = 0;
	qp.qp_type = IBV_QPT_UD;
	errno = 0;
	EXPECT(!ibv_create_qp_ex(s.id->verbs, &qp), "UD");
	EXPECT(errno > 0, "errno");
	qp.qp_type = IBV_QPT_RC;
	qp.cap.max_send_sge = 7;
	errno = 0;
	EXPECT(!ibv_create_qp_ex(s.id->verbs, &qp), "7 entries");
	EXPECT_EQ(EINVAL, errno);
	side_close(&s);
}

/* ---- SEND with Invalidate, on the wire ---- */

static void stag_to_invalidate(void)
{
	static struct fpdu f;
	struct ibv_send_wr wr = {
		.wr_id = 1,
		.opcode = IBV_WR_SEND_WITH_INV,
		.send_flags = IBV_SEND_SIGNALED,
		.invalidate_rkey = 0x1234567,
	}, *bad;
	struct wire w;

	wire_up(&w, NULL);
	wire_full(&w);
	wr.wr.rdma.rkey = 0x7654321;
	ASSERT(!ibv_post_send(w.s.qp, &wr, &bad), "ibv_post_send");
	ASSERT(fpdu_read(&w.r, &f, 5000), "nothing was sent");
	EXPECT_EQ(CTL_SEND_INV, get16(f.ulpdu));
	EXPECT_EQ(0x1234567, get32(f.ulpdu + 2));
	wire_close(&w);
}

/* ---- the extended APIs ---- */

#define ALL_OPS (IBV_QP_EX_WITH_RDMA_WRITE | IBV_QP_EX_WITH_RDMA_READ | \
		 IBV_QP_EX_WITH_SEND | IBV_QP_EX_WITH_SEND_WITH_INV)

/* Its QP, and its CQs, are made anew by the extended calls. */
static struct ibv_qp_ex *extend(struct side *s)
{
	struct ibv_cq_init_attr_ex cq = {
		.cqe = s->o.cqe,
		.wc_flags = IBV_WC_STANDARD_FLAGS,
	};
	struct ibv_qp_init_attr_ex qp = {
		.cap = {
			.max_send_wr = s->o.sq,
			.max_recv_wr = s->o.rq,
			.max_send_sge = s->o.sge,
			.max_recv_sge = s->o.sge,
			.max_inline_data = s->o.inl,
		},
		.qp_type = IBV_QPT_RC,
		.comp_mask = IBV_QP_INIT_ATTR_PD |
			     IBV_QP_INIT_ATTR_SEND_OPS_FLAGS,
		.pd = s->pd,
		.send_ops_flags = ALL_OPS,
	};
	struct ibv_cq_ex *scq, *rcq;
	struct ibv_qp_ex *qpx;

	rdma_destroy_qp(s->id);
	ASSERT(!ibv_destroy_cq(s->scq), "ibv_destroy_cq");
	ASSERT(!ibv_destroy_cq(s->rcq), "ibv_destroy_cq");
	cq.channel = s->scc;
	scq = ibv_create_cq_ex(s->id->verbs, &cq);
	cq.channel = s->rcc;
	rcq = ibv_create_cq_ex(s->id->verbs, &cq);
	ASSERT(scq && rcq, "ibv_create_cq_ex");
	s->scq = ibv_cq_ex_to_cq(scq);
	s->rcq = ibv_cq_ex_to_cq(rcq);
	qp.send_cq = s->scq;
	qp.recv_cq = s->rcq;
	ASSERT(!rdma_create_qp_ex(s->id, &qp), "rdma_create_qp_ex");
	s->qp = s->id->qp;
	qpx = ibv_qp_to_qp_ex(s->qp);
	ASSERT(qpx, "ibv_qp_to_qp_ex");
	return qpx;
}

static struct ibv_qp_ex *pair_open_ex(struct pair *p, const struct opts *o)
{
	uint16_t port = next_port();
	struct ibv_qp_ex *qpx;

	side_init(&p->b, NS_B, o);
	side_init(&p->a, NS_A, o);
	side_listen(&p->b, ADDR_B, port, 4);
	side_resolve(&p->a, ADDR_B, port);
	side_open(&p->a);
	qpx = extend(&p->a);
	ASSERT(!side_connect(&p->a), "rdma_connect");
	side_want(&p->b, RDMA_CM_EVENT_CONNECT_REQUEST);
	side_open(&p->b);
	ASSERT(!side_accept(&p->b), "rdma_accept");
	side_want(&p->a, RDMA_CM_EVENT_ESTABLISHED);
	side_want(&p->b, RDMA_CM_EVENT_ESTABLISHED);
	return qpx;
}

static void wr_api(void)
{
	struct ibv_data_buf bufs[2];
	struct ibv_sge sge[2];
	struct ibv_qp_ex *q;
	struct pair p;
	struct side *a = &p.a, *b = &p.b;

	q = pair_open_ex(&p, &(struct opts){ .inl = 80, .sge = 2 });
	fill(a->buf, 4096, 3);
	memset(b->buf, 0, 8192);
	recv_at(b, 1, 0, 2000);
	recv_at(b, 2, 2000, 80);

	/* One region: a Send, a Write, an inline Send, a Read of the Write. */
	ibv_wr_start(q);
	q->wr_flags = IBV_SEND_SIGNALED;
	q->wr_id = 10;
	ibv_wr_send(q);
	sge[0] = (struct ibv_sge){ at(a, 0), 700, a->mr->lkey };
	sge[1] = (struct ibv_sge){ at(a, 700), 300, a->mr->lkey };
	ibv_wr_set_sge_list(q, 2, sge);
	q->wr_id = 11;
	ibv_wr_rdma_write(q, b->mr->rkey, at(b, 4096));
	ibv_wr_set_sge(q, a->mr->lkey, at(a, 0), 4096);
	q->wr_id = 12;
	ibv_wr_send(q);
	bufs[0] = (struct ibv_data_buf){ a->buf, 30 };
	bufs[1] = (struct ibv_data_buf){ a->buf + 30, 50 };
	ibv_wr_set_inline_data_list(q, 2, bufs);
	q->wr_id = 13;
	ibv_wr_rdma_read(q, b->mr->rkey, at(b, 4096));
	ibv_wr_set_sge(q, a->mr->lkey, at(a, 8192), 4096);
	EXPECT(no_wc(b->rcq, 50), "something was sent before wr_complete");
	EXPECT_EQ(0, ibv_wr_complete(q));

	WANT_WC(a->scq, 10, IBV_WC_SUCCESS);
	WANT_WC(a->scq, 11, IBV_WC_SUCCESS);
	WANT_WC(a->scq, 12, IBV_WC_SUCCESS);
	WANT_WC(a->scq, 13, IBV_WC_SUCCESS);
	EXPECT_EQ(1000, WANT_WC(b->rcq, 1, IBV_WC_SUCCESS).byte_len);
	EXPECT_EQ(80, WANT_WC(b->rcq, 2, IBV_WC_SUCCESS).byte_len);
	CHECK(b->buf, 1000, 3);
	CHECK(b->buf + 2000, 80, 3);
	CHECK(b->buf + 4096, 4096, 3);
	CHECK(a->buf + 8192, 4096, 3);
	pair_close(&p);
}

static void wr_api_fails_as_a_whole(void)
{
	struct ibv_sge sge[3] = {};
	struct ibv_qp_ex *q;
	struct pair p;
	int i;

	q = pair_open_ex(&p, &(struct opts){ .sq = 8, .sge = 2, .inl = 80 });
	for (i = 0; i < 16; i++)
		recv_at(&p.b, i, 0, 100);
	q->wr_flags = IBV_SEND_SIGNALED;

	ibv_wr_start(q);
	ibv_wr_send(q);
	ibv_wr_send(q);
	ibv_wr_set_sge_list(q, 3, sge);
	EXPECT_EQ(EINVAL, ibv_wr_complete(q));

	ibv_wr_start(q);
	ibv_wr_send(q);
	ibv_wr_set_inline_data(q, p.a.buf, 81);
	EXPECT_EQ(EINVAL, ibv_wr_complete(q));

	ibv_wr_start(q);
	ibv_wr_rdma_read(q, p.b.mr->rkey, at(&p.b, 0));
	ibv_wr_set_inline_data(q, p.a.buf, 1);
	EXPECT_EQ(EINVAL, ibv_wr_complete(q));

	ibv_wr_start(q);
	for (i = 0; i < 9; i++)
		ibv_wr_send(q);
	EXPECT_EQ(ENOMEM, ibv_wr_complete(q));

	ibv_wr_start(q);
	ibv_wr_send(q);
	ibv_wr_abort(q);

	EXPECT_EQ(0, (ibv_wr_start(q), ibv_wr_complete(q)));
	EXPECT(no_wc(p.b.rcq, 100), "something was sent nevertheless");

	/* And what follows works, by this API and by the other. */
	ibv_wr_start(q);
	q->wr_id = 50;
	ibv_wr_send(q);
	EXPECT_EQ(0, ibv_wr_complete(q));
	WANT_WC(p.a.scq, 50, IBV_WC_SUCCESS);
	POST(&p.a, .op = IBV_WR_SEND, .id = 51);
	WANT_WC(p.a.scq, 51, IBV_WC_SUCCESS);
	WANT_WC(p.b.rcq, 0, IBV_WC_SUCCESS);
	WANT_WC(p.b.rcq, 1, IBV_WC_SUCCESS);
	pair_close(&p);
}

static void cq_ex(void)
{
	struct ibv_poll_cq_attr attr = {}, unknown = { .comp_mask = 1 };
	struct ibv_cq_ex *cq;
	struct pair p;
	int err, i, rc;

	pair_open_ex(&p, NULL);
	cq = (struct ibv_cq_ex *)p.a.rcq;
	EXPECT_EQ(EINVAL, ibv_start_poll(cq, &unknown));
	EXPECT_EQ(ENOENT, ibv_start_poll(cq, &attr));
	for (i = 0; i < 3; i++)
		recv_at(&p.a, 40 + i, 0, 1000);
	for (i = 0; i < 3; i++)
		POST(&p.b, .op = IBV_WR_SEND, .len = 100 + i, .id = i);
	for (i = 0; i < 3; i++)
		WANT_WC(p.b.scq, i, IBV_WC_SUCCESS);
	/* An acknowledgement that all of them are there */
	sleep_ms(slow(100));
	rc = ibv_start_poll(cq, &attr);
	for (i = 0; !rc; i++) {
		EXPECT_EQ(40 + i, cq->wr_id);
		EXPECT_EQ(IBV_WC_SUCCESS, cq->status);
		EXPECT_EQ(IBV_WC_RECV, ibv_wc_read_opcode(cq));
		EXPECT_EQ(100 + i, ibv_wc_read_byte_len(cq));
		EXPECT_EQ(p.a.qp->qp_num, ibv_wc_read_qp_num(cq));
		EXPECT_EQ(0, ibv_wc_read_wc_flags(cq));
		EXPECT_EQ(0, ibv_wc_read_src_qp(cq));
		EXPECT_EQ(0, ibv_wc_read_vendor_err(cq));
		rc = ibv_next_poll(cq);
	}
	EXPECT_EQ(ENOENT, rc);
	EXPECT_EQ(3, i);
	ibv_end_poll(cq);
	/* The other API on the same CQ, and a status that is none of success */
	recv_at(&p.a, 50, 0, 10);
	EXPECT_EQ(0, side_to_err(&p.a));
	for (err = 1; err;)
		err = ibv_start_poll(cq, &attr);
	EXPECT_EQ(50, cq->wr_id);
	EXPECT_EQ(IBV_WC_WR_FLUSH_ERR, cq->status);
	ibv_end_poll(cq);
	EXPECT(no_wc(p.a.rcq, 1), "it was taken");
	pair_close(&p);
}

/* ---- credentials ---- */

/* The kernel refuses write() then.  So it does to rdma_cm: no orderly end. */
static void other_credentials(void)
{
	struct pair p;

	pair_open(&p, NULL);
	recv_at(&p.b, 1, 0, 64);
	ASSERT(!setgid(1), "setgid");
	POST(&p.a, .op = IBV_WR_SEND, .len = 8, .id = 2);
	WANT_WC(p.a.scq, 2, IBV_WC_SUCCESS);
	WANT_WC(p.b.rcq, 1, IBV_WC_SUCCESS);
}

/* So many doorbells find the kernel without memory, or after that no device. */
static int no_memory, no_device;

/* Set in threads of the program that post: the poller is none of them. */
static __thread bool ours;

/* Those of the poller: how late, how many, how many for no queue pair. */
static unsigned int late_ms;
static int polled, polled_in_vain;

static bool one_of(int *count)
{
	if (!__atomic_load_n(count, __ATOMIC_RELAXED))
		return false;
	__atomic_sub_fetch(count, 1, __ATOMIC_RELAXED);
	return true;
}

/* The provider's too: a program's own functions come before those of libc. */
ssize_t write(int fd, const void *data, size_t len)
{
	const struct ib_uverbs_cmd_hdr *hdr = data;
	ssize_t n;

	if (len < sizeof(*hdr) || hdr->command != IB_USER_VERBS_CMD_POST_SEND)
		return syscall(SYS_write, fd, data, len);
	if (!ours) {
		__atomic_add_fetch(&polled, 1, __ATOMIC_RELAXED);
		if (late_ms)
			sleep_ms(late_ms);
	}
	if (one_of(&no_memory)) {
		errno = ENOMEM;
		return -1;
	}
	if (one_of(&no_device)) {
		errno = EIO;
		return -1;
	}
	n = syscall(SYS_write, fd, data, len);
	if (!ours && n < 0 && errno == EINVAL)
		__atomic_add_fetch(&polled_in_vain, 1, __ATOMIC_RELAXED);
	return n;
}

static void doorbell_without_memory(void)
{
	struct pair p;

	pair_open(&p, NULL);
	recv_at(&p.b, 1, 0, 64);
	no_memory = 3;
	POST(&p.a, .op = IBV_WR_SEND, .len = 8, .id = 2);
	EXPECT_EQ(0, no_memory);
	WANT_WC(p.a.scq, 2, IBV_WC_SUCCESS);
	WANT_WC(p.b.rcq, 1, IBV_WC_SUCCESS);
	pair_close(&p);
}

/* ---- posting in ERROR ---- */

/* A receive takes no system call, unless nobody would look at it any more. */
static void receive_in_error(void)
{
	struct side s;
	int i;

	idle_open(&s, NULL);
	EXPECT_EQ(0, side_to_err(&s));
	for (i = 0; i < 100; i++) {
		recv_at(&s, i, 0, 64);
		WANT_WC(s.rcq, i, IBV_WC_WR_FLUSH_ERR);
	}
	side_close(&s);
}

/* The same when it was the peer who ended it: the driver has to tell us. */
static void receive_after_the_peer_left(void)
{
	struct ibv_wc wc;
	struct pair p;

	pair_open(&p, NULL);
	rdma_disconnect(p.b.id);
	side_want(&p.a, RDMA_CM_EVENT_DISCONNECTED);
	recv_at(&p.a, 1, 0, 64);
	if (!wait_wc(p.a.rcq, &wc, 1000)) {
		/* Whatever the driver, the next doorbell brings it back. */
		POST(&p.a, .op = IBV_WR_SEND, .id = 2);
		WANT_WC(p.a.rcq, 1, IBV_WC_WR_FLUSH_ERR);
		SKIP("the driver grants no control word");
	}
	EXPECT_EQ(1, wc.wr_id);
	EXPECT_EQ(IBV_WC_WR_FLUSH_ERR, wc.status);
	pair_close(&p);
}

/* ---- the polling thread ---- */

/* For devices that are opened from here on */
static void poller_on(const char *usec)
{
	setenv("SIW_POLL_USEC", usec, 1);
	ours = true;
}

static int threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	int n = 0;

	ASSERT(dir, "/proc/self/task");
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

static void poller_if_asked_for(void)
{
	static const struct {
		const char *usec;
		int threads;
	} rows[] = {
		{ "20", 2 }, { "1000000", 2 }, { NULL, 1 }, { "", 1 },
		{ "0", 1 }, { "-1", 1 }, { "20us", 1 }, { "1000001", 1 },
	};
	struct ibv_context *ctx;
	int status = -1;
	uint64_t end;
	pid_t child;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].usec)
			poller_on(rows[i].usec);
		else
			unsetenv("SIW_POLL_USEC");
		ctx = open_device(NS_A);
		ASSERT(ctx, "ibv_open_device");
		EXPECT_EQ(rows[i].threads, threads());
		/* A child has no such thread, and does not wait for it. */
		child = fork();
		ASSERT(child >= 0, "fork");
		if (!child) {
			alarm(slow(10000) / 1000);
			_exit(ibv_close_device(ctx) ? 1 : 0);
		}
		EXPECT_EQ(child, waitpid(child, &status, 0));
		EXPECT_EQ(0, status);
		EXPECT_EQ(0, ibv_close_device(ctx));
		/* It is joined, and then goes. */
		end = deadline(5000);
		while (threads() > 1 && !passed(end))
			sleep_ms(1);
		EXPECT_EQ(1, threads());
	}
}

/*
 * Of this thread all fail but those that tell the time, give the CPU away, wake
 * the poller, and end the thread: a doorbell of its own with EPERM.
 */
static int forbid_system_calls(void)
{
#define MAY(nr) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		MAY(SYS_clock_gettime),
		MAY(SYS_sched_yield),
		MAY(SYS_futex),
		MAY(SYS_madvise),
		MAY(SYS_rt_sigprocmask),
		MAY(SYS_exit),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	};
	struct sock_fprog program = {
		.len = ARRAY_SIZE(code),
		.filter = code,
	};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		return errno;
	return 0;
}

#define QUIET 1000

struct quiet {
	pthread_t thread;
	struct pair p;
	struct ibv_qp_ex *q;
	int no_filter;
	int done;
	int rc;
};

static bool spin_for(struct ibv_cq *cq, uint64_t id)
{
	uint64_t end = deadline(10000);
	struct ibv_wc wc;

	while (!ibv_poll_cq(cq, 1, &wc)) {
		if (passed(end))
			return false;
		sched_yield();
	}
	return wc.wr_id == id && wc.status == IBV_WC_SUCCESS;
}

/* By the one API and by the other */
static int send_one(struct quiet *me, int id)
{
	struct wr w = { .op = IBV_WR_SEND, .len = 8, .id = id };
	struct side *a = &me->p.a;
	int rc;

	rc = try_recv(&me->p.b, id, 0, 64);
	if (rc)
		return rc;
	if (id % 2) {
		ibv_wr_start(me->q);
		me->q->wr_flags = IBV_SEND_SIGNALED;
		me->q->wr_id = id;
		ibv_wr_send(me->q);
		ibv_wr_set_sge(me->q, a->mr->lkey, at(a, 0), 8);
		rc = ibv_wr_complete(me->q);
	} else {
		rc = try_post(a, &w);
	}
	if (rc)
		return rc;
	return spin_for(a->scq, id) && spin_for(me->p.b.rcq, id) ? 0 : ETIME;
}

/* Nothing is printed here: that takes a system call. */
static void *quiet(void *arg)
{
	struct quiet *me = arg;

	ours = true;
	me->no_filter = forbid_system_calls();
	while (!me->no_filter && !me->rc && me->done < QUIET) {
		me->rc = send_one(me, me->done);
		me->done += !me->rc;
	}
	return NULL;
}

static void post_without_system_calls(void)
{
	static struct quiet me;

	poller_on("1000000");
	me.q = pair_open_ex(&me.p, NULL);
	/* The first one of a queue pair rings for itself. */
	recv_at(&me.p.b, 1, 0, 64);
	POST(&me.p.a, .op = IBV_WR_SEND, .len = 8, .id = 2);
	WANT_WC(me.p.a.scq, 2, IBV_WC_SUCCESS);
	WANT_WC(me.p.b.rcq, 1, IBV_WC_SUCCESS);
	EXPECT_EQ(0, polled);
	ASSERT(!pthread_create(&me.thread, NULL, quiet, &me), "pthread_create");
	pthread_join(me.thread, NULL);
	if (me.no_filter)
		SKIP("no filter of system calls: %s", strerror(me.no_filter));
	EXPECT_EQ(0, me.rc);
	EXPECT_EQ(QUIET, me.done);
	EXPECT(polled > 0, "the poller rang nothing");
	pair_close(&me.p);
}

/* Whoever rings is told; of the poller's doorbell, who posts next. */
static void polled_doorbell_fails(void)
{
	struct wr w = { .op = IBV_WR_SEND, .id = 99 };
	struct pair p;
	int i, rc, n;

	poller_on("1000000");
	pair_open(&p, NULL);
	for (i = 0; i < 32; i++)
		recv_at(&p.b, i, 0, 64);
	no_device = 1;
	EXPECT_EQ(EIO, try_post(&p.a, &w));
	POST(&p.a, .op = IBV_WR_SEND, .id = 0);
	WANT_WC(p.a.scq, 0, IBV_WC_SUCCESS);
	/* So that nobody looks at the queue unless a doorbell is rung */
	sleep_ms(slow(50));
	no_device = 2;
	for (n = 1; n < 30; n++) {
		w.id = n;
		rc = try_post(&p.a, &w);
		if (rc)
			break;
		sleep_ms(slow(20));
	}
	EXPECT_EQ(EIO, rc);
	EXPECT(n > 1, "the poller did not ring");
	EXPECT_EQ(0, no_device);
	/* What was posted stays posted, and goes with what follows. */
	POST(&p.a, .op = IBV_WR_SEND, .id = n);
	for (i = 1; i <= n; i++)
		WANT_WC(p.a.scq, i, IBV_WC_SUCCESS);
	for (i = 0; i <= n; i++)
		WANT_WC(p.b.rcq, i, IBV_WC_SUCCESS);
	EXPECT(no_wc(p.b.rcq, 100), "what was refused was sent nevertheless");
	pair_close(&p);
}

/* In ERROR it is flushed; the poller's doorbell comes when it is too late. */
static void destroyed_before_the_doorbell(void)
{
	struct ibv_send_wr wr = {
		.opcode = IBV_WR_SEND,
		.send_flags = IBV_SEND_SIGNALED,
	}, *bad;
	struct ibv_qp_attr error = { .qp_state = IBV_QPS_ERR };
	struct ibv_qp_init_attr init;
	struct ibv_qp *qp;
	struct side s;
	int i, n;

	poller_on("1000000");
	late_ms = 5;
	idle_open(&s, NULL);
	for (i = 0; i < 20; i++) {
		init = s.attr;
		qp = ibv_create_qp(s.pd, &init);
		ASSERT(qp, "ibv_create_qp");
		EXPECT_EQ(0, ibv_modify_qp(qp, &error, IBV_QP_STATE));
		EXPECT_EQ(0, ibv_post_send(qp, &wr, &bad));
		WANT_WC(s.scq, 0, IBV_WC_WR_FLUSH_ERR);
		for (n = 0; n < 3; n++)
			EXPECT_EQ(0, ibv_post_send(qp, &wr, &bad));
		EXPECT_EQ(0, ibv_destroy_qp(qp));
		EXPECT(no_wc(s.scq, 0), "a completion of what is destroyed");
		/* Nobody may have its handle before the doorbell comes. */
		sleep_ms(slow(2 * late_ms));
	}
	EXPECT(polled >= 20, "the poller rang %d times", polled);
	EXPECT_EQ(0, polled_in_vain);
	side_close(&s);
}

/* ---- threads ---- */

#define THREADS 4
#define EACH 5000

static struct pair shared;
static bool give_up;

struct poster {
	pthread_t thread;
	int done;
	int full;
	int rc;
};

static void *poster(void *arg)
{
	struct wr w = { .op = IBV_WR_RDMA_WRITE, .len = 8, .id = 1 };
	struct poster *me = arg;

	w.raddr = at(&shared.b, 0);
	w.rkey = shared.b.mr->rkey;
	while (me->done < EACH && !__atomic_load_n(&give_up, __ATOMIC_RELAXED)) {
		me->rc = try_post(&shared.a, &w);
		if (!me->rc) {
			me->done++;
		} else if (abs(me->rc) == ENOMEM) {
			/* The stock provider's sign is not the point here. */
			me->rc = 0;
			me->full++;
			usleep(10);
		} else {
			break;
		}
	}
	return NULL;
}

static void four_posters(void)
{
	struct poster posters[THREADS] = {};
	uint64_t end = deadline(20000);
	struct ibv_wc wc[16];
	int i, n, done = 0;

	pair_open(&shared, &(struct opts){ .sq = 16, .cqe = THREADS * EACH });
	for (i = 0; i < THREADS; i++)
		ASSERT(!pthread_create(&posters[i].thread, NULL, poster,
				       &posters[i]), "pthread_create");
	while (done < THREADS * EACH && !passed(end)) {
		n = ibv_poll_cq(shared.a.scq, 16, wc);
		for (i = 0; i < n; i++)
			EXPECT_EQ(IBV_WC_SUCCESS, wc[i].status);
		done += n;
		if (!n)
			sched_yield();
	}
	__atomic_store_n(&give_up, true, __ATOMIC_RELAXED);
	EXPECT_EQ(THREADS * EACH, done);
	for (i = 0; i < THREADS; i++) {
		pthread_join(posters[i].thread, NULL);
		EXPECT_EQ(0, posters[i].rc);
		test_info("posted %d, found it full %d times, last %d",
			  posters[i].done, posters[i].full, posters[i].rc);
	}
	pair_close(&shared);
}

static void four_posters_and_a_poller(void)
{
	poller_on("50");
	four_posters();
	test_info("doorbells: %d", polled);
}

/* One thread, and the queue always as full as it gets. */
static void lists_to_a_full_queue(void)
{
	struct ibv_send_wr wr[16] = {}, *bad, *next;
	uint64_t end = deadline(20000);
	struct ibv_wc wc[16];
	struct ibv_sge sge;
	int i, n, rc, posted = 0, done = 0;
	struct pair p;

	pair_open(&p, &(struct opts){ .sq = 16 });
	sge = (struct ibv_sge){ at(&p.a, 0), 8, p.a.mr->lkey };
	for (i = 0; i < 16; i++) {
		wr[i].opcode = IBV_WR_RDMA_WRITE;
		wr[i].send_flags = IBV_SEND_SIGNALED;
		wr[i].sg_list = &sge;
		wr[i].num_sge = 1;
		wr[i].wr.rdma.remote_addr = at(&p.b, 0);
		wr[i].wr.rdma.rkey = p.b.mr->rkey;
		wr[i].next = i < 15 ? &wr[i + 1] : NULL;
	}
	while (done < 20000 && !passed(end)) {
		next = &wr[0];
		bad = NULL;
		rc = posted < 20000 ? ibv_post_send(p.a.qp, next, &bad) : 0;
		EXPECT(!rc || abs(rc) == ENOMEM, "ibv_post_send: %d", rc);
		if (posted < 20000)
			posted += bad ? bad - wr : 16;
		n = ibv_poll_cq(p.a.scq, 16, wc);
		for (i = 0; i < n; i++)
			EXPECT_EQ(IBV_WC_SUCCESS, wc[i].status);
		done += n;
	}
	EXPECT(done >= 20000, "done %d, posted %d", done, posted);
	pair_close(&p);
}

static const struct test tests[] = {
	{ "errors are positive, and name the request", errors_are_positive },
	{ "a list that does not fit is posted as far as it does", partial_post },
	{ "a bad request in the middle of a list", bad_one_in_the_middle },
	{ "query_srq", query_srq },
	{ "resize_cq to what is there", resize_cq },
	{ "max_recv_wr 0", no_receive_queue },
	{ "post_recv to a queue pair with an SRQ", srq_instead_of_queue },
	{ "a receive without an entry", receive_of_no_entry },
	{ "creation refuses what cannot be", creation_refuses },
	{ "Send with Invalidate names the right STag", stag_to_invalidate },
	{ "ibv_wr API", wr_api },
	{ "ibv_wr API: a failure makes all of it void", wr_api_fails_as_a_whole },
	{ "extended completion queues", cq_ex },
	{ "post_send after a change of credentials", other_credentials },
	{ "a doorbell for which there is no memory is rung again",
	  doorbell_without_memory },
	{ "a receive posted in ERROR is flushed", receive_in_error },
	{ "a receive posted after the peer left is flushed",
	  receive_after_the_peer_left },
	{ "a poller if it is asked for", poller_if_asked_for },
	{ "with a poller a post takes no system call",
	  post_without_system_calls },
	{ "who posts is told if the poller's doorbell fails",
	  polled_doorbell_fails },
	{ "a queue pair that is destroyed before the poller's doorbell",
	  destroyed_before_the_doorbell },
	/* The in-box driver ends these with LOC_QP_OP_ERR at times. */
	{ "lists posted to a queue that is full", lists_to_a_full_queue, 60 },
	{ "four threads post to one queue pair", four_posters, 90 },
	{ "four threads post, a poller rings", four_posters_and_a_poller, 90 },
};

int main(int argc, char **argv)
{
	return harness_main(argc, argv, tests, ARRAY_SIZE(tests));
}
