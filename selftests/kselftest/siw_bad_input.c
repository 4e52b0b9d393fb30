// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Accesses that must fail: at the one who asks, with the right status, and
 * nowhere else.
 *
 *	netns sa                          netns sb
 *	+----------------------+          +----------------------+
 *	| siwa   side a        |          |        side b   siwb |
 *	|   the culprit        |<- veth ->|        the target    |
 *	|        side a        |          |        side b        |
 *	|   a bystander        |          |        its peer      |
 *	+----------------------+          +----------------------+
 */
#include <sys/mman.h>

#include "harness.h"

#define GUARD 4096
#define LEN 8192

/**
 * struct scene - a culprit's connection, and a bystander's
 * @p: the connection that goes wrong
 * @q: the one that must not notice
 * @mr: region of LEN octets in the middle of the target's buffer, with GUARD
 *	octets on either side that nobody may touch
 */
struct scene {
	struct pair p;
	struct pair q;
	struct ibv_mr *mr;
};

static void scene_open(struct scene *c, int access)
{
	memset(c, 0, sizeof(*c));
	pair_open(&c->q, NULL);
	pair_open(&c->p, NULL);
	c->mr = ibv_reg_mr(c->p.b.pd, c->p.b.buf + GUARD, LEN, access);
	ASSERT(c->mr, "ibv_reg_mr");
	memset(c->p.b.buf, 0xee, c->p.b.o.buf);
	memset(c->p.a.buf, 0x11, c->p.a.o.buf);
}

/* The others go on, and so does the next connection. */
static void scene_close(struct scene *c)
{
	pair_works(&c->q);
	if (c->mr)
		ibv_dereg_mr(c->mr);
	pair_close(&c->p);
	pair_close(&c->q);
	fresh_pair_works();
}

#define ALL (IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_READ | \
	     IBV_ACCESS_REMOTE_WRITE)

/*
 * A Write completes when TCP has taken it, so its fault is learnt later: the
 * Read that went out with it, or the Write itself if it is still there, carries
 * the error.
 */
static void refused_write(struct scene *c, uint64_t raddr, uint32_t rkey,
			  uint32_t len)
{
	struct side *a = &c->p.a;
	const struct wr wr[2] = {
		{ .op = IBV_WR_RDMA_WRITE, .len = len, .id = 1, .raddr = raddr,
		  .rkey = rkey },
		{ .op = IBV_WR_RDMA_READ, .off = 32768, .len = 16, .id = 2,
		  .raddr = at(&c->p.b, 0), .rkey = c->p.b.mr->rkey },
	};
	struct ibv_wc wc;
	bool named = false;
	int bad = 0;
	int i;

	recv_at(a, 90, 0, 64);
	recv_at(&c->p.b, 91, 60000, 64);
	post_two(a, &wr[0], &wr[1]);
	for (i = 1; i <= 2; i++) {
		wc = next_wc(a->scq);
		EXPECT_EQ(i, wc.wr_id);
		bad += wc.status != IBV_WC_SUCCESS;
		named |= wc.status == IBV_WC_REM_ACCESS_ERR;
	}
	EXPECT(bad, "Write and Read both completed well");
	EXPECT(named, "no completion says IBV_WC_REM_ACCESS_ERR");
	EXPECT(side_async_qp(a, 5000) > 0, "no event at the culprit");
	EXPECT(side_async_qp(&c->p.b, 5000) > 0, "no event at the target");
	WANT_WC(a->rcq, 90, IBV_WC_WR_FLUSH_ERR);
	WANT_WC(c->p.b.rcq, 91, IBV_WC_WR_FLUSH_ERR);
	EXPECT_EQ(IBV_QPS_ERR, side_state(a));
	EXPECT_EQ(IBV_QPS_ERR, side_state(&c->p.b));
	side_want(a, RDMA_CM_EVENT_DISCONNECTED);
	side_want(&c->p.b, RDMA_CM_EVENT_DISCONNECTED);
	/* Segments that lie inside may have come before the one that failed. */
	CHECK_BYTE(c->p.b.buf, GUARD, 0xee);
	CHECK_BYTE(c->p.b.buf + GUARD + LEN, c->p.b.o.buf - GUARD - LEN, 0xee);
	if (len < 1000)
		CHECK_BYTE(c->p.b.buf + GUARD, LEN, 0xee);
}

static void refused_read(struct scene *c, uint64_t raddr, uint32_t rkey,
			 uint32_t len)
{
	struct side *a = &c->p.a;

	POST(a, .op = IBV_WR_RDMA_READ, .len = len, .id = 1, .raddr = raddr,
	     .rkey = rkey);
	POST(a, .op = IBV_WR_SEND, .len = 16, .id = 2,
	     .flags = IBV_SEND_FENCE);
	WANT_WC(a->scq, 1, IBV_WC_REM_ACCESS_ERR);
	WANT_WC(a->scq, 2, IBV_WC_WR_FLUSH_ERR);
	EXPECT(side_async_qp(a, 5000) > 0, "no event at the culprit");
	EXPECT(side_async_qp(&c->p.b, 5000) > 0, "no event at the target");
	EXPECT_EQ(IBV_QPS_ERR, side_state(a));
	side_want(a, RDMA_CM_EVENT_DISCONNECTED);
	side_want(&c->p.b, RDMA_CM_EVENT_DISCONNECTED);
	CHECK_BYTE(a->buf, a->o.buf, 0x11);
}

/* Both kinds of access to @off of the region must be refused. */
static void refused_both(int64_t off, uint32_t len)
{
	struct scene c;

	scene_open(&c, ALL);
	refused_write(&c, at(&c.p.b, GUARD) + off, c.mr->rkey, len);
	scene_close(&c);
	scene_open(&c, ALL);
	refused_read(&c, at(&c.p.b, GUARD) + off, c.mr->rkey, len);
	scene_close(&c);
}

static void bad_rkey(void)
{
	struct scene c;

	scene_open(&c, ALL);
	refused_write(&c, at(&c.p.b, GUARD), c.mr->rkey ^ 0x5a5a00, 64);
	scene_close(&c);
	scene_open(&c, ALL);
	refused_read(&c, at(&c.p.b, GUARD), c.mr->rkey ^ 0x5a5a00, 64);
	scene_close(&c);
}

static void wrong_key_octet(void)
{
	struct scene c;

	scene_open(&c, ALL);
	refused_write(&c, at(&c.p.b, GUARD), c.mr->rkey ^ 1, 64);
	scene_close(&c);
	scene_open(&c, ALL);
	refused_read(&c, at(&c.p.b, GUARD), c.mr->rkey ^ 0x80, 64);
	scene_close(&c);
}

/*
 * What the driver has given up is kept a while, until there is more of it or 5 s
 * are over: from here on it is free, and who has kept a pointer to it is caught.
 */
static void memory_is_given_back(struct scene *c)
{
	struct ibv_mr *mr;
	int i;

	for (i = 0; i < 256; i++) {
		mr = ibv_reg_mr(c->p.b.pd, c->p.b.buf, 64, ALL);
		ASSERT(mr, "ibv_reg_mr");
		ibv_dereg_mr(mr);
	}
	sh("echo 6 >/proc/sys/vm/drop_caches");
	sleep_ms(slow(100));
}

static void revoked(void)
{
	struct scene c;
	uint32_t rkey;

	scene_open(&c, ALL);
	rkey = c.mr->rkey;
	POST(&c.p.a, .op = IBV_WR_RDMA_READ, .len = 64, .id = 9,
	     .raddr = at(&c.p.b, GUARD), .rkey = rkey);
	WANT_WC(c.p.a.scq, 9, IBV_WC_SUCCESS);
	ibv_dereg_mr(c.mr);
	c.mr = NULL;
	memory_is_given_back(&c);
	refused_write(&c, at(&c.p.b, GUARD), rkey, 64);
	scene_close(&c);

	scene_open(&c, ALL);
	rkey = c.mr->rkey;
	ibv_dereg_mr(c.mr);
	c.mr = NULL;
	refused_read(&c, at(&c.p.b, GUARD), rkey, 64);
	scene_close(&c);
}

static void other_pd(void)
{
	struct scene c;
	struct ibv_pd *pd;

	scene_open(&c, ALL);
	pd = ibv_alloc_pd(c.p.b.pd->context);
	ibv_dereg_mr(c.mr);
	c.mr = ibv_reg_mr(pd, c.p.b.buf + GUARD, LEN, ALL);
	ASSERT(c.mr, "ibv_reg_mr");
	refused_write(&c, at(&c.p.b, GUARD), c.mr->rkey, 64);
	scene_close(&c);

	scene_open(&c, ALL);
	pd = ibv_alloc_pd(c.p.b.pd->context);
	ibv_dereg_mr(c.mr);
	c.mr = ibv_reg_mr(pd, c.p.b.buf + GUARD, LEN, ALL);
	ASSERT(c.mr, "ibv_reg_mr");
	refused_read(&c, at(&c.p.b, GUARD), c.mr->rkey, 64);
	scene_close(&c);
}

static void missing_rights(void)
{
	struct scene c;

	scene_open(&c, IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_READ);
	refused_write(&c, at(&c.p.b, GUARD), c.mr->rkey, 64);
	scene_close(&c);
	scene_open(&c, IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE);
	refused_read(&c, at(&c.p.b, GUARD), c.mr->rkey, 64);
	scene_close(&c);
	scene_open(&c, IBV_ACCESS_LOCAL_WRITE);
	refused_write(&c, at(&c.p.b, GUARD), c.mr->rkey, 64);
	scene_close(&c);
	scene_open(&c, 0);
	refused_read(&c, at(&c.p.b, GUARD), c.mr->rkey, 64);
	scene_close(&c);
}

static void qp_rights(void)
{
	struct ibv_qp_attr qa = { 0 };
	struct scene c;

	/* The region allows it, the queue pair does not. */
	scene_open(&c, ALL);
	qa.qp_access_flags = IBV_ACCESS_REMOTE_READ;
	ASSERT(!ibv_modify_qp(c.p.b.qp, &qa, IBV_QP_ACCESS_FLAGS), "modify");
	refused_write(&c, at(&c.p.b, GUARD), c.mr->rkey, 64);
	scene_close(&c);
	scene_open(&c, ALL);
	qa.qp_access_flags = IBV_ACCESS_REMOTE_WRITE;
	ASSERT(!ibv_modify_qp(c.p.b.qp, &qa, IBV_QP_ACCESS_FLAGS), "modify");
	refused_read(&c, at(&c.p.b, GUARD), c.mr->rkey, 64);
	scene_close(&c);
}

/* Who may connect to it is told later: rights are taken from the start. */
static void qp_rights_first(void)
{
	static const struct {
		int access;
		int mask;
		enum ibv_wr_opcode op;
	} bad[] = {
		{ IBV_ACCESS_REMOTE_READ, IBV_QP_STATE, IBV_WR_RDMA_WRITE },
		{ IBV_ACCESS_REMOTE_WRITE, IBV_QP_STATE, IBV_WR_RDMA_READ },
		{ 0, 0, IBV_WR_RDMA_WRITE },
		{ 0, 0, IBV_WR_RDMA_READ },
	};
	struct pair p;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct ibv_qp_attr qa = {
			.qp_state = IBV_QPS_INIT,
			.qp_access_flags = bad[i].access,
		};

		pair_ready(&p, NULL, NULL);
		ASSERT(!ibv_modify_qp(p.a.qp, &qa, IBV_QP_ACCESS_FLAGS |
				      bad[i].mask), "modify");
		pair_connect(&p);
		memset(p.a.buf, 0xee, p.a.o.buf);
		POST(&p.b, .op = bad[i].op, .len = 64, .id = 1,
		     .raddr = at(&p.a, 0), .rkey = p.a.mr->rkey);
		EXPECT(side_async_qp(&p.a, 5000) > 0, "no event, case %zu", i);
		CHECK_BYTE(p.a.buf, p.a.o.buf, 0xee);
		pair_close(&p);
	}
	fresh_pair_works();
}

static void below(void)
{
	refused_both(-1, 1);
	refused_both(-1, 64);
}

static void above(void)
{
	refused_both(LEN, 1);
	refused_both(LEN - 63, 64);
}

static void around(void)
{
	refused_both(-1, LEN + 2);
	refused_both(0, LEN + 1);
	refused_both(1, LEN);
}

static void far_away(void)
{
	refused_both(1ll << 32, 64);
	refused_both(-(1ll << 32), 64);
}

static void wraps(void)
{
	struct scene c;

	scene_open(&c, ALL);
	refused_write(&c, -16ull, c.mr->rkey, 64);
	scene_close(&c);
	scene_open(&c, ALL);
	refused_read(&c, -16ull, c.mr->rkey, 64);
	scene_close(&c);
	/* Half of the address space away. */
	scene_open(&c, ALL);
	refused_read(&c, at(&c.p.b, GUARD) | 1ull << 63, c.mr->rkey, 64);
	scene_close(&c);
}

static void edges_are_inside(void)
{
	struct scene c;

	scene_open(&c, ALL);
	fill(c.p.a.buf, LEN, 1);
	POST(&c.p.a, .op = IBV_WR_RDMA_WRITE, .len = LEN, .id = 1,
	     .raddr = at(&c.p.b, GUARD), .rkey = c.mr->rkey);
	POST(&c.p.a, .op = IBV_WR_RDMA_READ, .off = 16384, .len = 1, .id = 2,
	     .raddr = at(&c.p.b, GUARD + LEN - 1), .rkey = c.mr->rkey);
	POST(&c.p.a, .op = IBV_WR_RDMA_READ, .off = 32768, .len = LEN,
	     .id = 3, .raddr = at(&c.p.b, GUARD), .rkey = c.mr->rkey);
	WANT_WC(c.p.a.scq, 1, IBV_WC_SUCCESS);
	WANT_WC(c.p.a.scq, 2, IBV_WC_SUCCESS);
	WANT_WC(c.p.a.scq, 3, IBV_WC_SUCCESS);
	CHECK(c.p.b.buf + GUARD, LEN, 1);
	CHECK(c.p.a.buf + 32768, LEN, 1);
	CHECK_BYTE(c.p.b.buf, GUARD, 0xee);
	CHECK_BYTE(c.p.b.buf + GUARD + LEN, GUARD, 0xee);
	scene_close(&c);
}

/* ---- receives ---- */

static void no_receive(void)
{
	struct scene c;
	struct ibv_wc wc;

	scene_open(&c, ALL);
	recv_at(&c.p.a, 90, 0, 64);
	POST(&c.p.a, .op = IBV_WR_SEND, .len = 64, .id = 1);
	POST(&c.p.a, .op = IBV_WR_RDMA_READ, .off = 4096, .len = 64, .id = 2,
	     .raddr = at(&c.p.b, GUARD), .rkey = c.mr->rkey);
	next_wc(c.p.a.scq);
	wc = next_wc(c.p.a.scq);
	EXPECT(wc.status != IBV_WC_SUCCESS, "nothing failed");
	test_info("status at the sender: %s", ibv_wc_status_str(wc.status));
	EXPECT(side_async_qp(&c.p.a, 5000) > 0, "no event at the sender");
	EXPECT(side_async_qp(&c.p.b, 5000) > 0, "no event at the target");
	WANT_WC(c.p.a.rcq, 90, IBV_WC_WR_FLUSH_ERR);
	EXPECT_EQ(IBV_QPS_ERR, side_state(&c.p.b));
	scene_close(&c);
}

static void no_srq_receive(void)
{
	struct pair p;

	pair_open(&p, &(struct opts){ .srq = 16 });
	POST(&p.a, .op = IBV_WR_SEND, .len = 64, .id = 1);
	EXPECT(side_async_qp(&p.a, 5000) > 0, "no event at the sender");
	EXPECT_EQ(IBV_QPS_ERR, side_state(&p.b));
	pair_close(&p);
	fresh_pair_works();
}

static void receive_too_small(void)
{
	struct scene c;

	scene_open(&c, ALL);
	recv_at(&c.p.b, 1, GUARD, 63);
	recv_at(&c.p.b, 2, GUARD, 4096);
	POST(&c.p.a, .op = IBV_WR_SEND, .len = 64, .id = 3);
	WANT_WC(c.p.b.rcq, 1, IBV_WC_LOC_LEN_ERR);
	WANT_WC(c.p.b.rcq, 2, IBV_WC_WR_FLUSH_ERR);
	EXPECT(side_async_qp(&c.p.a, 5000) > 0, "no event at the sender");
	EXPECT(side_async_qp(&c.p.b, 5000) > 0, "no event at the target");
	/* What lies behind the buffer was not touched. */
	CHECK_BYTE(c.p.b.buf, GUARD, 0xee);
	CHECK_BYTE(c.p.b.buf + GUARD + 63, 8192, 0xee);
	scene_close(&c);

	/* Too small for the second segment only. */
	scene_open(&c, ALL);
	recv_at(&c.p.b, 1, GUARD, 3999);
	POST(&c.p.a, .op = IBV_WR_SEND, .len = 4000, .id = 3);
	WANT_WC(c.p.b.rcq, 1, IBV_WC_LOC_LEN_ERR);
	CHECK_BYTE(c.p.b.buf + GUARD + 3999, 8192, 0xee);
	scene_close(&c);
}

static void receive_bad_lkey(void)
{
	struct ibv_recv_wr *bad;
	struct ibv_sge sge;
	struct ibv_recv_wr wr = { .wr_id = 1, .sg_list = &sge, .num_sge = 1 };
	struct ibv_wc wc;
	struct scene c;
	int i;

	for (i = 0; i < 4; i++) {
		struct ibv_mr *mr = NULL;

		scene_open(&c, ALL);
		sge = (struct ibv_sge){ at(&c.p.b, GUARD), 4096,
					c.p.b.mr->lkey };
		if (i == 0)
			sge.lkey ^= 0x5a5a00;	/* unknown */
		if (i == 1)			/* an octet past its end */
			sge = (struct ibv_sge){ at(&c.p.b, GUARD), LEN + 1,
						c.mr->lkey };
		if (i == 2) {			/* not writable */
			mr = ibv_reg_mr(c.p.b.pd, c.p.b.buf, 65536,
					IBV_ACCESS_REMOTE_READ);
			ASSERT(mr, "ibv_reg_mr");
			sge.lkey = mr->lkey;
		}
		if (i == 3) {			/* another PD's */
			mr = ibv_reg_mr(ibv_alloc_pd(c.p.b.pd->context),
					c.p.b.buf, 65536, ALL);
			ASSERT(mr, "ibv_reg_mr");
			sge.lkey = mr->lkey;
		}
		ASSERT(!ibv_post_recv(c.p.b.qp, &wr, &bad), "ibv_post_recv");
		fill(c.p.a.buf, LEN + 1, 1);
		POST(&c.p.a, .op = IBV_WR_SEND, .len = i == 1 ? LEN + 1 : 64,
		     .id = 2);
		wc = next_wc(c.p.b.rcq);
		EXPECT_EQ(1, wc.wr_id);
		EXPECT(wc.status == IBV_WC_LOC_PROT_ERR ||
		       wc.status == IBV_WC_LOC_ACCESS_ERR, "case %d: %s", i,
		       ibv_wc_status_str(wc.status));
		EXPECT(side_async_qp(&c.p.a, 5000) > 0,
		       "no event at the sender");
		CHECK_BYTE(c.p.b.buf + GUARD + LEN, GUARD, 0xee);
		if (mr)
			EXPECT_EQ(0, ibv_dereg_mr(mr));
		scene_close(&c);
	}
}

/* ---- the culprit's own memory ---- */

static void local_fault(struct scene *c, struct wr w,
			enum ibv_wc_status a, enum ibv_wc_status b)
{
	struct ibv_wc wc;

	w.id = 1;
	recv_at(&c->p.b, 9, 60000, 64);
	POST(&c->p.a, .op = w.op, .off = w.off, .len = w.len, .id = 1,
	     .raddr = w.raddr, .rkey = w.rkey, .lkey = w.lkey);
	wc = next_wc(c->p.a.scq);
	EXPECT_EQ(1, wc.wr_id);
	EXPECT(wc.status == a || wc.status == b, "%s",
	       ibv_wc_status_str(wc.status));
	EXPECT_EQ(IBV_QPS_ERR, side_state(&c->p.a));
	/* Behind it, flushed. */
	POST(&c->p.a, .op = IBV_WR_SEND, .len = 16, .id = 2);
	WANT_WC(c->p.a.scq, 2, IBV_WC_WR_FLUSH_ERR);
	/* The peer's receive is not completed well. */
	WANT_WC(c->p.b.rcq, 9, IBV_WC_WR_FLUSH_ERR);
	CHECK_BYTE(c->p.b.buf, c->p.b.o.buf, 0xee);
}

static void local_lkey(void)
{
	static const enum ibv_wr_opcode op[] = {
		IBV_WR_SEND, IBV_WR_RDMA_WRITE, IBV_WR_RDMA_READ,
	};
	struct scene c;
	size_t i;
	int how;

	for (i = 0; i < ARRAY_SIZE(op); i++) {
		for (how = 0; how < 3; how++) {
			struct ibv_mr *mr = NULL;
			struct wr w = { .op = op[i], .len = 64 };

			scene_open(&c, ALL);
			w.raddr = at(&c.p.b, GUARD);
			w.rkey = c.mr->rkey;
			if (how == 0)
				w.lkey = c.p.a.mr->lkey ^ 0x5a5a00;
			if (how == 1)
				w.lkey = c.p.a.mr->lkey ^ 1;
			if (how == 2) {
				mr = ibv_reg_mr(ibv_alloc_pd(c.p.a.pd->context),
						c.p.a.buf, 65536, ALL);
				ASSERT(mr, "ibv_reg_mr");
				w.lkey = mr->lkey;
			}
			local_fault(&c, w, IBV_WC_LOC_PROT_ERR,
				    IBV_WC_LOC_ACCESS_ERR);
			scene_close(&c);
		}
	}
}

static void local_bounds(void)
{
	static const enum ibv_wr_opcode op[] = {
		IBV_WR_SEND, IBV_WR_RDMA_WRITE, IBV_WR_RDMA_READ,
	};
	struct scene c;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(op); i++) {
		scene_open(&c, ALL);
		local_fault(&c, (struct wr){
			.op = op[i], .off = 65536 - 63, .len = 64,
			.raddr = at(&c.p.b, GUARD), .rkey = c.mr->rkey },
			IBV_WC_LOC_PROT_ERR, IBV_WC_LOC_LEN_ERR);
		scene_close(&c);
		scene_open(&c, ALL);
		local_fault(&c, (struct wr){
			.op = op[i], .off = -1ul, .len = 64,
			.raddr = at(&c.p.b, GUARD), .rkey = c.mr->rkey },
			IBV_WC_LOC_PROT_ERR, IBV_WC_LOC_LEN_ERR);
		scene_close(&c);
		scene_open(&c, ALL);
		local_fault(&c, (struct wr){
			.op = op[i], .off = 0, .len = 0xfffffff0,
			.raddr = at(&c.p.b, GUARD), .rkey = c.mr->rkey },
			IBV_WC_LOC_PROT_ERR, IBV_WC_LOC_LEN_ERR);
		scene_close(&c);
	}
}

static void read_sink_rights(void)
{
	struct ibv_mr *mr;
	struct scene c;

	scene_open(&c, ALL);
	mr = ibv_reg_mr(c.p.a.pd, c.p.a.buf, 65536, IBV_ACCESS_REMOTE_READ);
	ASSERT(mr, "ibv_reg_mr");
	local_fault(&c, (struct wr){
		.op = IBV_WR_RDMA_READ, .len = 64, .raddr = at(&c.p.b, GUARD),
		.rkey = c.mr->rkey, .lkey = mr->lkey },
		IBV_WC_LOC_PROT_ERR, IBV_WC_LOC_ACCESS_ERR);
	CHECK_BYTE(c.p.a.buf, 65536, 0x11);
	EXPECT_EQ(0, ibv_dereg_mr(mr));
	scene_close(&c);

	/* And no remote right is needed. */
	scene_open(&c, ALL);
	mr = ibv_reg_mr(c.p.a.pd, c.p.a.buf, 65536, IBV_ACCESS_LOCAL_WRITE);
	ASSERT(mr, "ibv_reg_mr");
	POST(&c.p.a, .op = IBV_WR_RDMA_READ, .len = 64, .id = 1,
	     .raddr = at(&c.p.b, GUARD), .rkey = c.mr->rkey, .lkey = mr->lkey);
	WANT_WC(c.p.a.scq, 1, IBV_WC_SUCCESS);
	CHECK_BYTE(c.p.a.buf, 64, 0xee);
	EXPECT_EQ(0, ibv_dereg_mr(mr));
	scene_close(&c);
}

static void unknown_opcodes(void)
{
	static const enum ibv_wr_opcode op[] = {
		IBV_WR_RDMA_WRITE_WITH_IMM, IBV_WR_SEND_WITH_IMM,
		IBV_WR_ATOMIC_CMP_AND_SWP, IBV_WR_ATOMIC_FETCH_AND_ADD,
		IBV_WR_LOCAL_INV, IBV_WR_BIND_MW, IBV_WR_TSO,
	};
	struct scene c;
	size_t i;
	int rc;

	for (i = 0; i < ARRAY_SIZE(op); i++) {
		scene_open(&c, ALL);
		rc = try_post(&c.p.a, &(struct wr){
			.op = op[i], .len = 8, .id = 1,
			.raddr = at(&c.p.b, GUARD), .rkey = c.mr->rkey });
		if (!rc) {
			struct ibv_wc wc = next_wc(c.p.a.scq);

			EXPECT(wc.status != IBV_WC_SUCCESS,
			       "opcode %d completed", op[i]);
		}
		CHECK_BYTE(c.p.b.buf, c.p.b.o.buf, 0xee);
		scene_close(&c);
	}
}

/* Regions come and go while the peer writes to them: an error, never more. */
static void revoke_under_load(void)
{
	struct scene c;
	struct ibv_wc wc;
	int round, i;
	int refused = 0;

	for (round = 0; round < 30; round++) {
		int posted = 0;

		memset(&c, 0, sizeof(c));
		pair_open(&c.p, &(struct opts){ .buf = 1 << 20, .sq = 64 });
		c.mr = ibv_reg_mr(c.p.b.pd, c.p.b.buf, 1 << 20, ALL);
		ASSERT(c.mr, "ibv_reg_mr");
		for (i = 0; i < 20; i++) {
			POST(&c.p.a, .op = i & 1 ? IBV_WR_RDMA_READ :
						   IBV_WR_RDMA_WRITE,
			     .len = 100000, .id = i, .raddr = at(&c.p.b, 0),
			     .rkey = c.mr->rkey);
			posted++;
		}
		usleep(round * 300);
		ibv_dereg_mr(c.mr);
		/* The barrier has passed: from here no write may come. */
		memset(c.p.b.buf, 0xee, 1 << 20);
		for (i = 0; i < posted; i++) {
			wc = next_wc(c.p.a.scq);
			EXPECT_EQ(i, wc.wr_id);
			refused += wc.status == IBV_WC_REM_ACCESS_ERR;
		}
		CHECK_BYTE(c.p.b.buf, 1 << 20, 0xee);
		pair_close(&c.p);
	}
	test_info("%d of 30 refused", refused);
	fresh_pair_works();
}

static const struct test tests[] = {
	{ "what lies just inside is allowed", edges_are_inside },
	{ "an rkey that does not exist", bad_rkey },
	{ "an rkey with another key octet", wrong_key_octet },
	{ "an rkey that was deregistered", revoked, .slow = true },
	{ "an rkey of another protection domain", other_pd },
	{ "a region without the right", missing_rights, 60, .slow = true },
	{ "a queue pair without the right", qp_rights },
	{ "a queue pair that never had the right", qp_rights_first },
	{ "one octet below a region", below, 60 },
	{ "one octet above a region", above, 60 },
	{ "all of a region and an octet more", around, 60 },
	{ "4 GiB away", far_away, 60 },
	{ "an address that wraps", wraps, 60 },
	{ "no receive posted", no_receive },
	{ "no receive posted in the SRQ", no_srq_receive },
	{ "a receive that is an octet too small", receive_too_small },
	{ "a receive into memory it may not touch", receive_bad_lkey, 60 },
	{ "a bad lkey at the source or sink", local_lkey, 90, .slow = true },
	{ "a source or sink out of bounds", local_bounds, 90, .slow = true },
	{ "a Read sink needs local write and no more", read_sink_rights },
	{ "opcodes that are not for users", unknown_opcodes, 60, .slow = true },
	{ "regions deregistered under load", revoke_under_load, 90,
	  .slow = true },
};

int main(int argc, char **argv)
{
	return harness_main(argc, argv, tests, ARRAY_SIZE(tests));
}
