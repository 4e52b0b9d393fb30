// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * FPDUs made by hand, good and bad, whole and in pieces.
 *
 *	netns sa                          netns sb
 *	+----------------------+          +----------------------+
 *	| raw TCP socket       |          |     the driver  siwb |
 *	|   va 10.83.0.1/24    |<- veth ->|    vb 10.83.0.2/24   |
 *	|  initiator           | MTU 1500 |   responder          |
 *	+----------------------+          +----------------------+
 *
 * Each fault is answered by a Terminate that is compared octet for octet, as
 * RFC 5040 section 4.8, RFC 5041 section 7 and RFC 5044 section 8 ask.
 */
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "harness.h"
#include "rawpeer.h"

/* Terminates: layer and type, code, M D R, 0 */
#define MD 0xc000
#define MDR 0xe000
#define TERM(ltc, mdr) ((uint32_t)(ltc) << 16 | (mdr))

/**
 * struct scene - what a bad FPDU is shot at
 * @w: the connection, in full operation
 * @other: region of another protection domain
 * @ro: region without remote write
 * @wo: region without remote read
 * @nrecv: receives of 64 octets that are posted
 */
struct scene {
	struct wire w;
	struct ibv_pd *pd2;
	struct ibv_mr *other;
	struct ibv_mr *ro;
	struct ibv_mr *wo;
	int nrecv;
};

static void scene_open(struct scene *c, int nrecv)
{
	struct side *s = &c->w.s;
	int i;

	memset(c, 0, sizeof(*c));
	wire_up(&c->w, NULL);
	c->pd2 = ibv_alloc_pd(s->pd->context);
	ASSERT(c->pd2, "ibv_alloc_pd");
	c->other = ibv_reg_mr(c->pd2, s->buf, s->o.buf, s->o.access);
	c->ro = ibv_reg_mr(s->pd, s->buf, s->o.buf, IBV_ACCESS_REMOTE_READ);
	c->wo = ibv_reg_mr(s->pd, s->buf, s->o.buf, IBV_ACCESS_LOCAL_WRITE |
			   IBV_ACCESS_REMOTE_WRITE);
	ASSERT(c->other && c->ro && c->wo, "ibv_reg_mr");
	memset(s->buf, 0xee, s->o.buf);
	for (i = 0; i < nrecv; i++)
		recv_at(s, i, i * 64, 64);
	c->nrecv = nrecv;
	wire_full(&c->w);
}

static void scene_close(struct scene *c)
{
	ibv_dereg_mr(c->other);
	ibv_dereg_mr(c->ro);
	ibv_dereg_mr(c->wo);
	ibv_dealloc_pd(c->pd2);
	wire_close(&c->w);
}

/* One fault: its name, how to make the segment, and the answer. */
struct fault {
	const char *name;
	size_t (*make)(struct scene *c, uint8_t *u);
	uint32_t term;
	int nrecv;
};

/* First FPDUs that are good, to set the stage for the bad one. */
static void good(struct scene *c, const uint8_t *u, size_t n)
{
	ASSERT(fpdu_put(&c->w.r, u, n), "cannot send");
}

static void shoot(const struct fault *f)
{
	uint8_t u[2048];
	struct scene c;
	struct ibv_wc wc;
	size_t n;
	int i;

	scene_open(&c, f->nrecv < 0 ? 0 : 4);
	memset(u, 0, sizeof(u));
	n = f->make(&c, u);
	if (n)
		ASSERT(fpdu_put(&c.w.r, u, n), "cannot send");
	test_info("%s", f->name);
	if (!WANT_TERM(&c.w, f->term, u, n))
		FAIL("%s", f->name);
	EXPECT(raw_end(&c.w.r, 15000) != RAW_OPEN, "%s: TCP stays open",
	       f->name);
	EXPECT(side_async_qp(&c.w.s, 5000) > 0, "%s: no event", f->name);
	side_want(&c.w.s, RDMA_CM_EVENT_DISCONNECTED);
	EXPECT_EQ(IBV_QPS_ERR, side_state(&c.w.s));
	/* All receives come back, in order, and none of them well. */
	for (i = 0; f->nrecv >= 0 && i < 4; i++) {
		wc = next_wc(c.w.s.rcq);
		if (!wc.status)		/* a good one before the bad */
			continue;
		EXPECT_EQ(i, wc.wr_id);
	}
	scene_close(&c);
}

static void shoot_all(const struct fault *f, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		shoot(&f[i]);
	fresh_pair_works();
}

#define SEND(u, ctl, qn, msn, mo) \
	ddp_untagged(u, ctl, 0, qn, msn, mo, "data", 4)

/* ---- CRC ---- */

static size_t bad_crc(struct scene *c, uint8_t *u)
{
	uint8_t out[256];
	size_t n = SEND(u, CTL_SEND, 0, 1, 0);
	size_t len = fpdu_make(out, u, n);

	out[len - 1] ^= 1;
	ASSERT(raw_put(&c->w.r, out, len), "cannot send");
	return 0;
}

static size_t bad_crc_payload(struct scene *c, uint8_t *u)
{
	uint8_t out[256];
	size_t n = SEND(u, CTL_SEND, 0, 1, 0);
	size_t len = fpdu_make(out, u, n);

	out[21] ^= 0x80;
	ASSERT(raw_put(&c->w.r, out, len), "cannot send");
	return 0;
}

static size_t bad_crc_stag(struct scene *c, uint8_t *u)
{
	uint8_t out[256];
	size_t n, len;

	/* A Write that the line turned to another place. */
	n = ddp_tagged(u, CTL_WRITE, c->w.s.mr->rkey, at(&c->w.s, 0), "data",
		       4);
	len = fpdu_make(out, u, n);
	out[15] ^= 0x10;
	ASSERT(raw_put(&c->w.r, out, len), "cannot send");
	return 0;
}

static void crc(void)
{
	static const struct fault f[] = {
		{ "CRC field off by one bit", bad_crc, TERM(0x2002, 0) },
		{ "payload off by one bit", bad_crc_payload, TERM(0x2002, 0) },
		{ "address off by one bit", bad_crc_stag, TERM(0x2002, 0) },
	};

	shoot_all(f, ARRAY_SIZE(f));
}

/* Verify, then place: nothing of a bad FPDU may reach memory. */
static void crc_before_placing(void)
{
	uint8_t data[1400], u[1500], out[1600];
	struct scene c;
	size_t n, len;
	int i;

	memset(data, 0x55, sizeof(data));
	for (i = 0; i < 3; i++) {
		scene_open(&c, 4);
		n = ddp_tagged(u, CTL_WRITE, c.w.s.mr->rkey,
			       at(&c.w.s, 4096), data, sizeof(data));
		len = fpdu_make(out, u, n);
		out[len - 2] ^= 4;
		if (i == 0) {
			raw_put(&c.w.r, out, len);
		} else {		/* in two and in many pieces */
			size_t step = i == 1 ? 700 : 100;
			size_t o;

			for (o = 0; o < len; o += step) {
				raw_put(&c.w.r, out + o,
					len - o < step ? len - o : step);
				sleep_ms(5);
			}
		}
		WANT_TERM(&c.w, TERM(0x2002, 0), NULL, 0);
		CHECK_BYTE(c.w.s.buf, c.w.s.o.buf, 0xee);
		scene_close(&c);
	}
}

/* ---- headers ---- */

static size_t ulpdu_0(struct scene *c, uint8_t *u)
{
	(void)u;
	ASSERT(fpdu_put(&c->w.r, (const uint8_t *)"", 0), "cannot send");
	return 0;
}

static size_t ulpdu_1(struct scene *c, uint8_t *u)
{
	SEND(u, CTL_SEND, 0, 1, 0);
	ASSERT(fpdu_put(&c->w.r, u, 1), "cannot send");
	return 0;
}

static size_t ulpdu_13(struct scene *c, uint8_t *u)
{
	ddp_tagged(u, CTL_WRITE, c->w.s.mr->rkey, at(&c->w.s, 0), NULL, 0);
	ASSERT(fpdu_put(&c->w.r, u, 13), "cannot send");
	return 0;
}

static size_t ulpdu_17(struct scene *c, uint8_t *u)
{
	SEND(u, CTL_SEND, 0, 1, 0);
	ASSERT(fpdu_put(&c->w.r, u, 17), "cannot send");
	return 0;
}

static size_t tagged(struct scene *c, uint8_t *u, uint16_t ctl)
{
	return ddp_tagged(u, ctl, c->w.s.mr->rkey, at(&c->w.s, 0), "data", 4);
}

static size_t ddp0_t(struct scene *c, uint8_t *u)
{
	return tagged(c, u, 0xc040);
}

static size_t ddp2_t(struct scene *c, uint8_t *u)
{
	return tagged(c, u, 0xc240);
}

static size_t ddp3_t(struct scene *c, uint8_t *u)
{
	return tagged(c, u, 0xc340);
}

static size_t ddp0_u(struct scene *c, uint8_t *u)
{
	(void)c;
	return SEND(u, 0x4043, 0, 1, 0);
}

static size_t rdmap0(struct scene *c, uint8_t *u)
{
	(void)c;
	return SEND(u, 0x4103, 0, 1, 0);
}

static size_t rdmap2(struct scene *c, uint8_t *u)
{
	(void)c;
	return SEND(u, 0x4183, 0, 1, 0);
}

static size_t op_c(struct scene *c, uint8_t *u)
{
	(void)c;
	return SEND(u, 0x414c, 0, 1, 0);
}

static size_t op_f(struct scene *c, uint8_t *u)
{
	(void)c;
	return SEND(u, 0x414f, 0, 1, 0);
}

static size_t send_tagged(struct scene *c, uint8_t *u)
{
	return tagged(c, u, 0xc143);
}

static size_t write_untagged(struct scene *c, uint8_t *u)
{
	(void)c;
	return SEND(u, 0x4140, 0, 1, 0);
}

static size_t op_imm(struct scene *c, uint8_t *u)
{
	(void)c;
	return ddp_untagged(u, 0x4148, 0, 0, 1, 0, "immedia", 8);
}

static void headers(void)
{
	static const struct fault f[] = {
		{ "ULPDU of 0 octets", ulpdu_0, TERM(0x1000, 0) },
		{ "ULPDU of 1 octet", ulpdu_1, TERM(0x1000, 0) },
		{ "tagged ULPDU of 13 octets", ulpdu_13, TERM(0x1000, 0) },
		{ "untagged ULPDU of 17 octets", ulpdu_17, TERM(0x1000, 0) },
		{ "DDP version 0, tagged", ddp0_t, TERM(0x1104, MD) },
		{ "DDP version 2, tagged", ddp2_t, TERM(0x1104, MD) },
		{ "DDP version 3, tagged", ddp3_t, TERM(0x1104, MD) },
		{ "DDP version 0, untagged", ddp0_u, TERM(0x1206, MD) },
		{ "RDMAP version 0", rdmap0, TERM(0x0205, MD) },
		{ "RDMAP version 2", rdmap2, TERM(0x0205, MD) },
		{ "opcode C", op_c, TERM(0x0206, MD) },
		{ "opcode F", op_f, TERM(0x0206, MD) },
		{ "Immediate Data", op_imm, TERM(0x0206, MD) },
		{ "Immediate Data, no receive", op_imm, TERM(0x0206, MD), -1 },
		{ "Send with T=1", send_tagged, TERM(0x0206, MD) },
		{ "Write with T=0", write_untagged, TERM(0x0206, MD) },
	};

	shoot_all(f, ARRAY_SIZE(f));
}

/* ---- untagged queues ---- */

static size_t qn4(struct scene *c, uint8_t *u)
{
	(void)c;
	return SEND(u, CTL_SEND, 4, 1, 0);
}

static size_t qn_big(struct scene *c, uint8_t *u)
{
	(void)c;
	return SEND(u, CTL_SEND, 0xffffffff, 1, 0);
}

static size_t qn1_send(struct scene *c, uint8_t *u)
{
	(void)c;
	return SEND(u, CTL_SEND, 1, 1, 0);
}

static size_t qn0_rreq(struct scene *c, uint8_t *u)
{
	size_t n = rdmap_rreq(u, 1, 7, 0, 4, c->w.s.mr->rkey, at(&c->w.s, 0));

	put32(u + 6, 0);
	return n;
}

static size_t msn_ahead(struct scene *c, uint8_t *u)
{
	(void)c;
	return SEND(u, CTL_SEND, 0, 2, 0);
}

static size_t msn_0(struct scene *c, uint8_t *u)
{
	(void)c;
	return SEND(u, CTL_SEND, 0, 0, 0);
}

static size_t msn_again(struct scene *c, uint8_t *u)
{
	size_t n = SEND(u, CTL_SEND, 0, 1, 0);

	good(c, u, n);
	return n;
}

static size_t no_buffer(struct scene *c, uint8_t *u)
{
	(void)c;
	return SEND(u, CTL_SEND, 0, 1, 0);
}

static size_t mo_gap(struct scene *c, uint8_t *u)
{
	good(c, u, SEND(u, CTL_SEND & ~CTL_LAST, 0, 1, 0));
	return SEND(u, CTL_SEND, 0, 1, 8);
}

static size_t mo_back(struct scene *c, uint8_t *u)
{
	good(c, u, SEND(u, CTL_SEND & ~CTL_LAST, 0, 1, 0));
	return SEND(u, CTL_SEND, 0, 1, 0);
}

static size_t mo_first(struct scene *c, uint8_t *u)
{
	(void)c;
	return SEND(u, CTL_SEND, 0, 1, 4);
}

static size_t mo_huge(struct scene *c, uint8_t *u)
{
	(void)c;
	return SEND(u, CTL_SEND, 0, 1, 0xfffffffe);
}

static size_t too_long(struct scene *c, uint8_t *u)
{
	uint8_t data[65] = { 0 };

	(void)c;
	return ddp_untagged(u, CTL_SEND, 0, 0, 1, 0, data, 65);
}

static size_t too_long_2(struct scene *c, uint8_t *u)
{
	uint8_t data[64] = { 0 };

	good(c, u, ddp_untagged(u, CTL_SEND & ~CTL_LAST, 0, 0, 1, 0, data,
				64));
	return ddp_untagged(u, CTL_SEND, 0, 0, 1, 64, "x", 1);
}

static size_t mixed(struct scene *c, uint8_t *u)
{
	good(c, u, SEND(u, CTL_SEND & ~CTL_LAST, 0, 1, 0));
	return SEND(u, CTL_SEND, 0, 2, 0);
}

/* One receive is in use and one is left, which would be that message's. */
static size_t mixed_last(struct scene *c, uint8_t *u)
{
	good(c, u, SEND(u, CTL_SEND, 0, 1, 0));
	good(c, u, SEND(u, CTL_SEND, 0, 2, 0));
	good(c, u, SEND(u, CTL_SEND & ~CTL_LAST, 0, 3, 0));
	return SEND(u, CTL_SEND, 0, 4, 0);
}

static size_t mixed_op(struct scene *c, uint8_t *u)
{
	good(c, u, SEND(u, CTL_SEND & ~CTL_LAST, 0, 1, 0));
	return SEND(u, CTL_SEND_SE, 0, 1, 4);
}

static void queues(void)
{
	static const struct fault f[] = {
		{ "QN 4", qn4, TERM(0x1201, MD) },
		{ "QN 2^32-1", qn_big, TERM(0x1201, MD) },
		{ "Send on queue 1", qn1_send, TERM(0x0206, MD) },
		{ "Read Request on queue 0", qn0_rreq, TERM(0x0206, MD) },
		{ "no receive posted", no_buffer, TERM(0x1202, MD), -1 },
		{ "MSN one ahead", msn_ahead, TERM(0x1203, MD) },
		{ "MSN 0", msn_0, TERM(0x1203, MD) },
		{ "MSN again", msn_again, TERM(0x1203, MD) },
		{ "gap in MO", mo_gap, TERM(0x1204, MD) },
		{ "MO goes back", mo_back, TERM(0x1204, MD) },
		{ "first MO not 0", mo_first, TERM(0x1204, MD) },
		{ "MO near 2^32", mo_huge, TERM(0x1204, MD) },
		{ "Send one octet too long", too_long, TERM(0x1205, MD) },
		{ "second segment too long", too_long_2, TERM(0x1205, MD) },
		{ "another MSN inside a message", mixed, TERM(0x1203, MD) },
		{ "the same, with one receive left", mixed_last,
		  TERM(0x1203, MD) },
		{ "another opcode inside a message", mixed_op, TERM(0x0206, MD) },
	};

	shoot_all(f, ARRAY_SIZE(f));
}

/* A message is begun and not ended, and nothing is posted for the next. */
static void no_second_receive(void)
{
	struct wire w = { 0 };
	uint8_t u[64];
	size_t n;

	wire_up(&w, NULL);
	recv_at(&w.s, 1, 0, 64);
	wire_full(&w);
	fpdu_put(&w.r, u, SEND(u, CTL_SEND & ~CTL_LAST, 0, 1, 0));
	n = SEND(u, CTL_SEND, 0, 2, 0);
	fpdu_put(&w.r, u, n);
	WANT_TERM(&w, TERM(0x1202, MD), u, n);
	WANT_WC(w.s.rcq, 1, IBV_WC_WR_FLUSH_ERR);
	wire_close(&w);
}

/* A length above the MULPDU's limit is refused when it is seen. */
static void length_refused_at_once(void)
{
	static const uint16_t bad[] = { 64769, 65535 };
	struct wire w;
	uint8_t out[2];
	size_t i, cut;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		for (cut = 1; cut <= 2; cut++) {
			memset(&w, 0, sizeof(w));
			wire_up(&w, NULL);
			wire_full(&w);
			put16(out, bad[i]);
			raw_put(&w.r, out, cut);
			raw_put(&w.r, out + cut, 2 - cut);
			WANT_TERM(&w, TERM(0x1000, 0), NULL, 0);
			wire_close(&w);
		}
	}
}

/* ---- tagged ---- */

static size_t write_to(struct scene *c, uint8_t *u, uint32_t stag, uint64_t to,
		       size_t len)
{
	static const uint8_t zero[64];

	(void)c;
	return ddp_tagged(u, CTL_WRITE, stag, to, zero, len);
}

static size_t w_stag(struct scene *c, uint8_t *u)
{
	return write_to(c, u, 0x00abcd00, 0, 4);
}

static size_t w_stag_0(struct scene *c, uint8_t *u)
{
	return write_to(c, u, 0, 0, 4);
}

static size_t w_stag_f(struct scene *c, uint8_t *u)
{
	return write_to(c, u, 0xffffffff, 0, 4);
}

static size_t w_key(struct scene *c, uint8_t *u)
{
	return write_to(c, u, c->w.s.mr->rkey ^ 1, at(&c->w.s, 0), 4);
}

static size_t w_low(struct scene *c, uint8_t *u)
{
	return write_to(c, u, c->w.s.mr->rkey, at(&c->w.s, 0) - 1, 1);
}

static size_t w_low_2(struct scene *c, uint8_t *u)
{
	return write_to(c, u, c->w.s.mr->rkey, at(&c->w.s, 0) - 1, 2);
}

static size_t w_high(struct scene *c, uint8_t *u)
{
	return write_to(c, u, c->w.s.mr->rkey,
			at(&c->w.s, 0) + c->w.s.o.buf, 1);
}

static size_t w_high_2(struct scene *c, uint8_t *u)
{
	return write_to(c, u, c->w.s.mr->rkey,
			at(&c->w.s, 0) + c->w.s.o.buf - 1, 2);
}

static size_t w_wrap(struct scene *c, uint8_t *u)
{
	return write_to(c, u, c->w.s.mr->rkey, -(uint64_t)8, 16);
}

static size_t w_pd(struct scene *c, uint8_t *u)
{
	return write_to(c, u, c->other->rkey, at(&c->w.s, 0), 4);
}

static size_t w_rights(struct scene *c, uint8_t *u)
{
	return write_to(c, u, c->ro->rkey, at(&c->w.s, 0), 4);
}

static size_t w_revoked(struct scene *c, uint8_t *u)
{
	struct ibv_mr *mr = ibv_reg_mr(c->w.s.pd, c->w.s.buf, 4096,
				       c->w.s.o.access);
	uint32_t rkey;

	ASSERT(mr, "ibv_reg_mr");
	rkey = mr->rkey;
	good(c, u, write_to(c, u, rkey, at(&c->w.s, 8), 0));
	EXPECT_EQ(0, ibv_dereg_mr(mr));
	return write_to(c, u, rkey, at(&c->w.s, 0), 4);
}

static size_t rr(struct scene *c, uint8_t *u, uint32_t stag, uint64_t to,
		 uint32_t size)
{
	(void)c;
	return rdmap_rreq(u, 1, 0x7707, 0x1122334455667788ull, size, stag, to);
}

static size_t r_stag(struct scene *c, uint8_t *u)
{
	return rr(c, u, 0x00abcd00, 0, 4);
}

static size_t r_key(struct scene *c, uint8_t *u)
{
	return rr(c, u, c->w.s.mr->rkey ^ 0x80, at(&c->w.s, 0), 4);
}

static size_t r_low(struct scene *c, uint8_t *u)
{
	return rr(c, u, c->w.s.mr->rkey, at(&c->w.s, 0) - 1, 2);
}

static size_t r_high(struct scene *c, uint8_t *u)
{
	return rr(c, u, c->w.s.mr->rkey, at(&c->w.s, 1), c->w.s.o.buf);
}

static size_t r_huge(struct scene *c, uint8_t *u)
{
	return rr(c, u, c->w.s.mr->rkey, at(&c->w.s, 0), 0xffffffff);
}

static size_t r_wrap(struct scene *c, uint8_t *u)
{
	return rr(c, u, c->w.s.mr->rkey, -(uint64_t)8, 16);
}

static size_t r_pd(struct scene *c, uint8_t *u)
{
	return rr(c, u, c->other->rkey, at(&c->w.s, 0), 4);
}

static size_t r_rights(struct scene *c, uint8_t *u)
{
	return rr(c, u, c->wo->rkey, at(&c->w.s, 0), 4);
}

static size_t r_msn(struct scene *c, uint8_t *u)
{
	return rdmap_rreq(u, 2, 7, 0, 4, c->w.s.mr->rkey, at(&c->w.s, 0));
}

static size_t r_short(struct scene *c, uint8_t *u)
{
	return rr(c, u, c->w.s.mr->rkey, at(&c->w.s, 0), 4) - 1;
}

static size_t r_long(struct scene *c, uint8_t *u)
{
	return rr(c, u, c->w.s.mr->rkey, at(&c->w.s, 0), 4) + 4;
}

static size_t r_mo(struct scene *c, uint8_t *u)
{
	size_t n = rr(c, u, c->w.s.mr->rkey, at(&c->w.s, 0), 4);

	put32(u + 14, 28);
	return n;
}

static size_t rsp_none(struct scene *c, uint8_t *u)
{
	return ddp_tagged(u, CTL_RRSP, c->w.s.mr->rkey, at(&c->w.s, 0), "data",
			  4);
}

static size_t inv(struct scene *c, uint8_t *u, uint32_t stag)
{
	(void)c;
	return ddp_untagged(u, CTL_SEND_INV, stag, 0, 1, 0, "data", 4);
}

static size_t inv_unknown(struct scene *c, uint8_t *u)
{
	return inv(c, u, 0x00abcd00);
}

static size_t inv_pd(struct scene *c, uint8_t *u)
{
	return inv(c, u, c->other->rkey);
}

static size_t inv_user(struct scene *c, uint8_t *u)
{
	return inv(c, u, c->w.s.mr->rkey);
}

static void writes(void)
{
	static const struct fault f[] = {
		{ "Write: STag unknown", w_stag, TERM(0x1100, MD) },
		{ "Write: STag 0", w_stag_0, TERM(0x1100, MD) },
		{ "Write: STag 2^32-1", w_stag_f, TERM(0x1100, MD) },
		{ "Write: another key octet", w_key, TERM(0x1100, MD) },
		{ "Write: deregistered", w_revoked, TERM(0x1100, MD) },
		{ "Write: one octet below", w_low, TERM(0x1101, MD) },
		{ "Write: from one octet below", w_low_2, TERM(0x1101, MD) },
		{ "Write: one octet above", w_high, TERM(0x1101, MD) },
		{ "Write: to one octet above", w_high_2, TERM(0x1101, MD) },
		{ "Write: past 2^64", w_wrap, TERM(0x1103, MD) },
		{ "Write: another PD", w_pd, TERM(0x1102, MD) },
		{ "Write: no remote write", w_rights, TERM(0x0102, MD) },
	};

	shoot_all(f, ARRAY_SIZE(f));
}

static void reads(void)
{
	static const struct fault f[] = {
		{ "Read: STag unknown", r_stag, TERM(0x0100, MDR) },
		{ "Read: another key octet", r_key, TERM(0x0100, MDR) },
		{ "Read: from one octet below", r_low, TERM(0x0101, MDR) },
		{ "Read: to one octet above", r_high, TERM(0x0101, MDR) },
		{ "Read: 4 GiB", r_huge, TERM(0x0101, MDR) },
		{ "Read: past 2^64", r_wrap, TERM(0x0104, MDR) },
		{ "Read: another PD", r_pd, TERM(0x0103, MDR) },
		{ "Read: no remote read", r_rights, TERM(0x0102, MDR) },
		{ "Read: MSN one ahead", r_msn, TERM(0x1203, MD) },
		{ "Read: header of 27 octets", r_short, TERM(0x02ff, MD) },
		{ "Read: header of 32 octets", r_long, TERM(0x1205, MD) },
		{ "Read: MO 28", r_mo, TERM(0x1204, MD) },
		{ "Read Response nobody asked for", rsp_none, TERM(0x0206, MD) },
	};

	shoot_all(f, ARRAY_SIZE(f));
}

static void invalidates(void)
{
	static const struct fault f[] = {
		{ "Invalidate: unknown", inv_unknown, TERM(0x0109, MD) },
		{ "Invalidate: another PD", inv_pd, TERM(0x0109, MD) },
		{ "Invalidate: a user's region", inv_user, TERM(0x0109, MD) },
	};

	shoot_all(f, ARRAY_SIZE(f));
}

/* ---- good FPDUs in every shape ---- */

static void every_cut(void)
{
	struct wire w = { 0 };
	uint8_t out[256], u[128], data[37];
	uint32_t msn = 1;
	size_t n, cut;

	wire_up(&w, NULL);
	wire_full(&w);
	fill(data, sizeof(data), 3);
	n = 2 + 18 + 37 + 3 + 4;
	for (cut = 1; cut < n; cut++) {
		memset(w.s.buf, 0, 64);
		recv_at(&w.s, msn, 0, 64);
		ASSERT(fpdu_make(out, u, ddp_untagged(u, CTL_SEND, 0, 0, msn,
						      0, data, 37)) == n,
		       "length");
		raw_put(&w.r, out, cut);
		sleep_ms(3);
		raw_put(&w.r, out + cut, n - cut);
		EXPECT_EQ(37,
			  WANT_WC(w.s.rcq, msn, IBV_WC_SUCCESS).byte_len);
		CHECK(w.s.buf, 37, 3);
		msn++;
	}
	/* A Write, likewise. */
	n = 2 + 14 + 37 + 3 + 4;
	for (cut = 1; cut < n; cut++) {
		memset(w.s.buf, 0, 128);
		recv_at(&w.s, msn, 0, 64);
		ASSERT(fpdu_make(out, u,
				 ddp_tagged(u, CTL_WRITE, w.s.mr->rkey,
					    at(&w.s, 1000 + cut), data,
					    37)) == n, "length");
		raw_put(&w.r, out, cut);
		sleep_ms(3);
		raw_put(&w.r, out + cut, n - cut);
		fpdu_put(&w.r, u, SEND(u, CTL_SEND, 0, msn, 0));
		WANT_WC(w.s.rcq, msn, IBV_WC_SUCCESS);
		CHECK(w.s.buf + 1000 + cut, 37, 3);
		msn++;
	}
	wire_close(&w);
}

static void octet_by_octet(void)
{
	struct wire w = { 0 };
	uint8_t out[512], u[128];
	size_t n, i;

	wire_up(&w, NULL);
	wire_full(&w);
	recv_at(&w.s, 1, 0, 64);
	recv_at(&w.s, 2, 64, 64);
	n = fpdu_make(out, u, SEND(u, CTL_SEND, 0, 1, 0));
	n += fpdu_make(out + n, u, rdmap_rreq(u, 1, 1, 2, 4, w.s.mr->rkey,
					      at(&w.s, 0)));
	n += fpdu_make(out + n, u, SEND(u, CTL_SEND, 0, 2, 0));
	for (i = 0; i < n; i++) {
		ASSERT(raw_put(&w.r, out + i, 1), "octet %zu", i);
		usleep(1000);
	}
	WANT_WC(w.s.rcq, 1, IBV_WC_SUCCESS);
	WANT_WC(w.s.rcq, 2, IBV_WC_SUCCESS);
	EXPECT(!memcmp(w.s.buf, "data", 4) && !memcmp(w.s.buf + 64, "data", 4),
	       "data");
	wire_close(&w);
}

/* Many FPDUs in one TCP segment, one FPDU over many. */
static void many_in_one(void)
{
	static uint8_t out[200000], u[70000], data[64000];
	struct wire w = { 0 };
	size_t n = 0;
	int i;

	wire_up(&w, &(struct opts){ .buf = 1 << 20, .rq = 128 });
	wire_full(&w);
	for (i = 0; i < 100; i++) {
		recv_at(&w.s, i, i * 64, 64);
		n += fpdu_make(out + n, u, SEND(u, CTL_SEND, 0, i + 1, 0));
	}
	raw_put(&w.r, out, n);
	for (i = 0; i < 100; i++) {
		WANT_WC(w.s.rcq, i, IBV_WC_SUCCESS);
		EXPECT(!memcmp(w.s.buf + i * 64, "data", 4), "data of %d", i);
	}
	/* Open in RFC 5044: larger than EMSS must be taken, up to 64768. */
	fill(data, sizeof(data), 4);
	recv_at(&w.s, 1, 65536, 64000);
	fpdu_put(&w.r, u, ddp_untagged(u, CTL_SEND, 0, 0, 101, 0, data,
				       sizeof(data)));
	EXPECT_EQ(64000, WANT_WC(w.s.rcq, 1, IBV_WC_SUCCESS).byte_len);
	CHECK(w.s.buf + 65536, 64000, 4);
	/* Segments of 1, 2, 3, ... octets, and empty ones between. */
	recv_at(&w.s, 2, 0, 10000);
	for (i = 0, n = 0; i < 100; i++) {
		fpdu_put(&w.r, u, ddp_untagged(u, 0x0143, 0, 0, 102, n,
					       data + n, i));
		n += i;
	}
	fpdu_put(&w.r, u, ddp_untagged(u, CTL_SEND, 0, 0, 102, n, NULL, 0));
	EXPECT_EQ(n, WANT_WC(w.s.rcq, 2, IBV_WC_SUCCESS).byte_len);
	CHECK(w.s.buf, n, 4);
	wire_close(&w);
}

/* A whole FPDU and part of one that is larger than any before it, many times. */
static void larger_and_larger(void)
{
	static const size_t size[] = { 40, 5000, 12000, 30000, 64000 };
	static uint8_t data[64000], u[70000], out[80000];
	unsigned int i, k, msn;
	struct wire w;
	size_t n, cut;

	srand(1);
	fill(data, sizeof(data), 4);
	for (i = 0; i < 60; i++) {
		memset(&w, 0, sizeof(w));
		wire_up(&w, &(struct opts){ .buf = 1 << 17 });
		wire_full(&w);
		for (k = 0, msn = 1; k < ARRAY_SIZE(size); k++, msn += 2) {
			recv_at(&w.s, 1, 0, 64);
			recv_at(&w.s, 2, 65536, size[k]);
			n = fpdu_make(out, u, SEND(u, CTL_SEND, 0, msn, 0));
			cut = n + 1 + rand() % size[k] / 2;
			n += fpdu_make(out + n, u,
				       ddp_untagged(u, CTL_SEND, 0, 0, msn + 1,
						    0, data, size[k]));
			raw_put(&w.r, out, cut);
			if (i % 3)
				usleep(rand() % 500);
			raw_put(&w.r, out + cut, n - cut);
			WANT_WC(w.s.rcq, 1, IBV_WC_SUCCESS);
			WANT_WC(w.s.rcq, 2, IBV_WC_SUCCESS);
			CHECK(w.s.buf + 65536, size[k], 4);
		}
		wire_close(&w);
	}
}

/* The buffer they are put together in is as long as they are, and no longer. */
static void powers_of_two(void)
{
	static uint8_t data[1 << 15], u[1 << 15], out[1 << 15];
	struct wire w = { 0 };
	uint32_t size, msn;

	wire_up(&w, NULL);
	wire_full(&w);
	fill(data, sizeof(data), 4);
	for (size = 4096, msn = 1; size <= sizeof(out); size *= 2, msn++) {
		uint32_t len = size - 24;	/* length, header, CRC */

		recv_at(&w.s, msn, 0, len);
		ASSERT(fpdu_make(out, u, ddp_untagged(u, CTL_SEND, 0, 0, msn, 0,
						      data, len)) == size,
		       "length");
		raw_put(&w.r, out, 10);
		sleep_ms(slow(20));	/* not in one buffer with the rest */
		raw_put(&w.r, out + 10, size - 10);
		EXPECT_EQ(len, WANT_WC(w.s.rcq, msn, IBV_WC_SUCCESS).byte_len);
		CHECK(w.s.buf, len, 4);
	}
	wire_close(&w);
}

static void liberal(void)
{
	struct wire w = { 0 };
	uint8_t u[128], out[128];
	uint32_t crc;
	size_t n;

	wire_up(&w, NULL);
	wire_full(&w);
	/* Reserved bits and the unused STag field are not looked at. */
	recv_at(&w.s, 1, 0, 64);
	fpdu_put(&w.r, u, ddp_untagged(u, 0x4143 | 0x3c30, 0xdeadbeef, 0, 1, 0,
				       "data", 4));
	EXPECT_EQ(4, WANT_WC(w.s.rcq, 1, IBV_WC_SUCCESS).byte_len);
	/* PAD may hold anything. */
	recv_at(&w.s, 2, 0, 64);
	n = ddp_untagged(u, CTL_SEND, 0, 0, 2, 0, "x", 1);
	put16(out, n);
	memcpy(out + 2, u, n);
	memset(out + 2 + n, 0xa5, 3);
	crc = crc32c(0, out, 2 + n + 3);
	out[2 + n + 3] = crc;
	out[2 + n + 4] = crc >> 8;
	out[2 + n + 5] = crc >> 16;
	out[2 + n + 6] = crc >> 24;
	raw_put(&w.r, out, 2 + n + 7);
	EXPECT_EQ(1, WANT_WC(w.s.rcq, 2, IBV_WC_SUCCESS).byte_len);
	/* A Write between the segments of a Send. */
	recv_at(&w.s, 3, 0, 64);
	fpdu_put(&w.r, u, SEND(u, 0x0143, 0, 3, 0));
	fpdu_put(&w.r, u, ddp_tagged(u, CTL_WRITE, w.s.mr->rkey,
				     at(&w.s, 500), "written", 7));
	fpdu_put(&w.r, u, SEND(u, CTL_SEND, 0, 3, 4));
	EXPECT_EQ(8, WANT_WC(w.s.rcq, 3, IBV_WC_SUCCESS).byte_len);
	EXPECT(!memcmp(w.s.buf, "datadata", 8), "Send");
	EXPECT(!memcmp(w.s.buf + 500, "written", 7), "Write");
	wire_close(&w);
}

/* TCP's urgent mark means nothing, wherever it is: the octet counts. */
static void urgent(void)
{
	static const size_t mark[] = { 1, 2, 10, 27, 28 };
	uint8_t out[128], u[64];
	struct wire w = { 0 };
	size_t i, n;

	wire_up(&w, NULL);
	for (i = 0; i <= ARRAY_SIZE(mark); i++)
		recv_at(&w.s, i, i * 64, 64);
	wire_full(&w);
	for (i = 0; i < ARRAY_SIZE(mark); i++) {
		n = fpdu_make(out, u, SEND(u, CTL_SEND, 0, i + 1, 0));
		ASSERT(n == 28, "length %zu", n);
		ASSERT(send(w.r.fd, out, mark[i], MSG_OOB) == (ssize_t)mark[i],
		       "send: %s", strerror(errno));
		raw_put(&w.r, out + mark[i], n - mark[i]);
		EXPECT_EQ(4, WANT_WC(w.s.rcq, i, IBV_WC_SUCCESS).byte_len);
	}
	/* The last octet is urgent, and the FIN comes with it. */
	n = fpdu_make(out, u, SEND(u, CTL_SEND, 0, i + 1, 0));
	ASSERT(send(w.r.fd, out, n, MSG_OOB) == (ssize_t)n, "send");
	shutdown(w.r.fd, SHUT_WR);
	EXPECT_EQ(4, WANT_WC(w.s.rcq, i, IBV_WC_SUCCESS).byte_len);
	side_want(&w.s, RDMA_CM_EVENT_DISCONNECTED);
	wire_close(&w);
}

/* A FIN does not overtake what waits for memory to be put together. */
static void fin_behind_pieces(void)
{
	uint8_t out[8192], u[8192], data[6000];
	struct wire w;
	size_t n;
	int i;

	fill(data, sizeof(data), 4);
	for (i = 0; i < 20; i++) {
		memset(&w, 0, sizeof(w));
		wire_up(&w, NULL);
		recv_at(&w.s, 1, 0, 8192);
		wire_full(&w);
		n = ddp_untagged(u, CTL_SEND, 0, 0, 1, 0, data, sizeof(data));
		n = fpdu_make(out, u, n);
		raw_put(&w.r, out, 100);
		raw_put(&w.r, out + 100, n - 100);
		shutdown(w.r.fd, SHUT_WR);
		EXPECT_EQ(sizeof(data),
			  WANT_WC(w.s.rcq, 1, IBV_WC_SUCCESS).byte_len);
		CHECK(w.s.buf, sizeof(data), 4);
		side_want(&w.s, RDMA_CM_EVENT_DISCONNECTED);
		wire_close(&w);
	}
}

/* Octets that TCP puts into a segment, without its options; both ends agree on it. */
static uint32_t mss_of(const struct raw *r)
{
	socklen_t len = sizeof(int);
	int mss;

	ASSERT(!getsockopt(r->fd, IPPROTO_TCP, TCP_MAXSEG, &mss, &len),
	       "TCP_MAXSEG");
	return mss;
}

static void read_response(void)
{
	static struct fpdu f;
	struct wire w = { 0 };
	uint8_t u[128];
	uint32_t got = 0, mss, n;

	wire_up(&w, NULL);
	mss = mss_of(&w.r);
	wire_full(&w);
	fill(w.s.buf, 60000, 5);
	fpdu_put(&w.r, u, rdmap_rreq(u, 1, 0xcafe01, 0xfedcba9876543210ull,
				     50001, w.s.mr->rkey, at(&w.s, 7)));
	while (got < 50001) {
		ASSERT(fpdu_read(&w.r, &f, 5000), "%u octets", got);
		EXPECT(f.crc_ok, "bad CRC");
		/* With ULPDU_Length, PAD and CRC; the first is as long as can be. */
		n = (2 + f.len + 3) / 4 * 4 + 4;
		EXPECT(n <= mss, "FPDU of %u octets on an MSS of %u", n, mss);
		EXPECT(got || n == mss / 4 * 4,
		       "FPDU of %u octets on an MSS of %u", n, mss);
		ASSERT((get16(f.ulpdu) & 0xbfff) == 0x8142, "control %04x",
		       get16(f.ulpdu));
		EXPECT_EQ(0xcafe01, get32(f.ulpdu + 2));
		EXPECT(get64(f.ulpdu + 6) == 0xfedcba9876543210ull + got,
		       "TO %" PRIx64, get64(f.ulpdu + 6));
		EXPECT(!memcmp(f.ulpdu + 14, w.s.buf + 7 + got, f.len - 14),
		       "data at %u", got);
		got += f.len - 14;
		EXPECT_EQ(got == 50001, !!(get16(f.ulpdu) & CTL_LAST));
	}
	EXPECT_EQ(50001, got);
	/* Nothing is asked of the source of a Read of no octets. */
	fpdu_put(&w.r, u, rdmap_rreq(u, 2, 9, 8, 0, 0xabcdef, 1));
	ASSERT(fpdu_read(&w.r, &f, 5000), "no Read Response");
	EXPECT_EQ(14, f.len);
	EXPECT_EQ(CTL_RRSP, get16(f.ulpdu));
	wire_close(&w);
}

/*
 * RFC 5044 section 4.1: PAD is zero, whatever was there before.  Each message is
 * shorter than the one before it, whose place it takes.
 */
static void pad_is_zero(void)
{
	static struct fpdu f;
	struct wire w = { 0 };
	uint32_t len, i;

	wire_up(&w, NULL);
	wire_full(&w);
	memset(w.s.buf, 0xff, 256);
	for (i = 0; i < 200; i++) {
		len = 200 - i % 100;
		POST(&w.s, .op = IBV_WR_SEND, .len = len, .id = i);
		ASSERT(fpdu_read(&w.r, &f, 5000), "no FPDU %u", i);
		EXPECT(f.crc_ok, "bad CRC of %u octets", len);
		EXPECT(f.pad_ok, "PAD behind %u octets", len);
		WANT_WC(w.s.scq, i, IBV_WC_SUCCESS);
		/* TCP lets go of what is acknowledged. */
		wire_first(&w);
	}
	wire_close(&w);
}

/*
 * Read Requests above IRD.  Nobody reads the responses, so the first ones
 * stay under way while the next ones come.
 */
static void ird_exceeded(void)
{
	static struct fpdu f;
	struct wire w = { 0 };
	uint8_t u[128], pd[4];
	uint32_t rep;
	uint32_t i;

	wire_listen(&w, &(struct opts){ .ird = 2, .ord = 2, .buf = 8 << 20 });
	wire_dial(&w);
	put32(pd, MPA_ENHANCED(2, 2));
	wire_request(&w, MPA_C | MPA_S, 2, pd, 4);
	wire_accept(&w);
	rep = get32(w.rep.pd);
	wire_full(&w);
	for (i = 0; i < MPA_IRD(rep) + 20; i++)
		fpdu_put(&w.r, u, rdmap_rreq(u, i + 1, 1, 2, 8 << 20,
					     w.s.mr->rkey, at(&w.s, 0)));
	EXPECT(side_async_qp(&w.s, 5000) > 0, "no event");
	/* What was begun is finished, the Terminate comes at the next FPDU. */
	for (;;) {
		if (!fpdu_read(&w.r, &f, 15000)) {
			FAIL("no Terminate");
			break;
		}
		if (get16(f.ulpdu) == CTL_TERM) {
			EXPECT_EQ(0x1202c000, get32(f.ulpdu + 18));
			/* The first that is too many: its MSN */
			EXPECT_EQ(MPA_IRD(rep) + 1, get32(f.ulpdu + 34));
			break;
		}
	}
	wire_close(&w);
	fresh_pair_works();
}

/* ---- answers to the driver's own Reads ---- */

/* What the driver asked to read: 16 octets at 1000 of its buffer. */
static void read_asked(struct wire *w, struct fpdu *f)
{
	wire_up(w, NULL);
	wire_full(w);
	memset(w->s.buf, 0xee, w->s.o.buf);
	POST(&w->s, .op = IBV_WR_RDMA_READ, .off = 1000, .len = 16, .id = 1,
	     .raddr = 0x5000, .rkey = 0x4201);
	ASSERT(fpdu_read(&w->r, f, 5000), "no Read Request");
	ASSERT(get16(f->ulpdu) == CTL_RREQ && f->len == 46, "control %04x",
	       get16(f->ulpdu));
	EXPECT_EQ(1, get32(f->ulpdu + 6));
	EXPECT_EQ(1, get32(f->ulpdu + 10));
	EXPECT_EQ(16, get32(f->ulpdu + 30));
	EXPECT_EQ(0x4201, get32(f->ulpdu + 34));
	EXPECT_EQ(0x5000, get64(f->ulpdu + 38));
}

static void bad_responses(void)
{
	static const struct {
		const char *name;
		uint32_t stag_xor;
		int64_t to_add;
		uint16_t ctl;
		uint16_t len;
		uint32_t term;
	} bad[] = {
		{ "another STag", 0x100, 0, 0xc142, 16, TERM(0x1100, MD) },
		{ "another key", 1, 0, 0xc142, 16, TERM(0x1100, MD) },
		{ "TO too low", 0, -1, 0xc142, 16, TERM(0x1101, MD) },
		{ "TO too high", 0, 1, 0xc142, 16, TERM(0x1101, MD) },
		{ "an octet too long", 0, 0, 0xc142, 17, TERM(0x1101, MD) },
		{ "too long, not last", 0, 0, 0x8142, 17, TERM(0x1101, MD) },
		{ "an octet too short", 0, 0, 0xc142, 15, TERM(0x1101, MD) },
		{ "empty", 0, 0, 0xc142, 0, TERM(0x1101, MD) },
	};
	static struct fpdu f;
	uint8_t u[128], data[64] = { 0 };
	struct ibv_wc wc;
	struct wire w;
	size_t i, n;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		memset(&w, 0, sizeof(w));
		read_asked(&w, &f);
		n = ddp_tagged(u, bad[i].ctl,
			       get32(f.ulpdu + 18) ^ bad[i].stag_xor,
			       get64(f.ulpdu + 22) + bad[i].to_add, data,
			       bad[i].len);
		fpdu_put(&w.r, u, n);
		if (!WANT_TERM(&w, bad[i].term, u, n))
			FAIL("%s", bad[i].name);
		wc = next_wc(w.s.scq);
		EXPECT(wc.wr_id == 1 && wc.status != IBV_WC_SUCCESS,
		       "%s: the Read ends with %s", bad[i].name,
		       ibv_wc_status_str(wc.status));
		/* Nothing outside the sink, whatever inside. */
		CHECK_BYTE(w.s.buf, 1000, 0xee);
		CHECK_BYTE(w.s.buf + 1016, 5000, 0xee);
		wire_close(&w);
	}
}

/* A Response comes again: nothing is outstanding then. */
static void response_twice(void)
{
	static struct fpdu f;
	uint8_t u[128], data[16];
	struct wire w = { 0 };
	size_t n;

	fill(data, 16, 2);
	read_asked(&w, &f);
	n = ddp_tagged(u, CTL_RRSP, get32(f.ulpdu + 18), get64(f.ulpdu + 22),
		       data, 16);
	fpdu_put(&w.r, u, n);
	WANT_WC(w.s.scq, 1, IBV_WC_SUCCESS);
	CHECK(w.s.buf + 1000, 16, 2);
	fpdu_put(&w.r, u, n);
	WANT_TERM(&w, TERM(0x0206, MD), u, n);
	wire_close(&w);
}

/* Our FIN waits for the Read that is under way, and for nothing else. */
static void close_behind_read(void)
{
	static struct fpdu f;
	uint8_t u[128], data[16];
	struct wire w = { 0 };
	uint64_t start;

	fill(data, 16, 2);
	read_asked(&w, &f);
	EXPECT_EQ(0, rdma_disconnect(w.s.id));
	EXPECT(raw_end(&w.r, 300) == RAW_OPEN, "the Read was not waited for");
	start = now_ms();
	fpdu_put(&w.r, u, ddp_tagged(u, CTL_RRSP, get32(f.ulpdu + 18),
				     get64(f.ulpdu + 22), data, 16));
	WANT_WC(w.s.scq, 1, IBV_WC_SUCCESS);
	EXPECT_EQ(RAW_FIN, raw_end(&w.r, 4000));
	EXPECT(now_ms() - start < 2000, "the FIN took %llu ms",
	       (unsigned long long)(now_ms() - start));
	raw_close(&w.r);
	side_want(&w.s, RDMA_CM_EVENT_DISCONNECTED);
	wire_close(&w);
}

/* What the peer sends meanwhile does not keep a close waiting for the answer. */
static void close_behind_no_answer(void)
{
	static struct fpdu f;
	struct wire w = { 0 };
	uint64_t start;
	uint8_t u[64];

	read_asked(&w, &f);
	EXPECT_EQ(0, rdma_disconnect(w.s.id));
	start = now_ms();
	while (raw_end(&w.r, 1000) == RAW_OPEN &&
	       now_ms() - start < slow(20000))
		fpdu_put(&w.r, u, ddp_tagged(u, CTL_WRITE, 0, 0, NULL, 0));
	EXPECT(now_ms() - start < slow(15000), "%llu ms are too long",
	       (unsigned long long)(now_ms() - start));
	raw_close(&w.r);
	side_want(&w.s, RDMA_CM_EVENT_DISCONNECTED);
	wire_close(&w);
}

/* An octet in a second: the close takes as long as the answer does. */
static void close_behind_slow_answer(void)
{
	static struct fpdu f;
	uint8_t u[64], data[16];
	struct wire w = { 0 };
	uint16_t ctl;
	int i;

	fill(data, 16, 2);
	read_asked(&w, &f);
	EXPECT_EQ(0, rdma_disconnect(w.s.id));
	for (i = 0; i < 16; i++) {
		sleep_ms(1000);
		ctl = i < 15 ? CTL_RRSP & ~CTL_LAST : CTL_RRSP;
		ASSERT(fpdu_put(&w.r, u,
				ddp_tagged(u, ctl, get32(f.ulpdu + 18),
					   get64(f.ulpdu + 22) + i, data + i,
					   1)), "cut off at octet %d", i);
	}
	WANT_WC(w.s.scq, 1, IBV_WC_SUCCESS);
	CHECK(w.s.buf + 1000, 16, 2);
	EXPECT_EQ(RAW_FIN, raw_end(&w.r, 4000));
	raw_close(&w.r);
	side_want(&w.s, RDMA_CM_EVENT_DISCONNECTED);
	wire_close(&w);
}

#define MUCH (16 << 20)

/* A Send of 16 MiB is on its way to a peer with a small window. */
static void much_under_way(struct wire *w)
{
	int window = 1 << 16;

	wire_up(w, &(struct opts){ .buf = MUCH });
	wire_full(w);
	setsockopt(w->r.fd, SOL_SOCKET, SO_RCVBUF, &window, sizeof(window));
	fill(w->s.buf, MUCH, 9);
	POST(&w->s, .op = IBV_WR_SEND, .len = MUCH, .id = 1);
}

/*
 * The Send arrives: 64 KiB in 200 ms, for twice as long as the driver waits for
 * a peer that does nothing, then all at once.  TCP holds what the peer has not
 * taken yet, and nothing else may be written over it.
 */
static void read_slowly(struct wire *w)
{
	static struct fpdu f;
	uint64_t end = now_ms() + 11000;
	uint32_t got, paused = 0;

	for (got = 0; got < MUCH; got += f.len - 18) {
		ASSERT(fpdu_read(&w->r, &f, 15000), "%u octets", got);
		EXPECT(f.crc_ok, "bad CRC at %u", got);
		ASSERT((get16(f.ulpdu) & ~CTL_LAST) == (CTL_SEND & ~CTL_LAST),
		       "control %04x at %u", get16(f.ulpdu), got);
		ASSERT(get32(f.ulpdu + 14) == got, "MO %u at %u",
		       get32(f.ulpdu + 14), got);
		ASSERT(got + f.len - 18 <= MUCH, "%u octets at %u", f.len, got);
		ASSERT(!memcmp(f.ulpdu + 18, w->s.buf + got, f.len - 18),
		       "data at %u", got);
		if (got - paused >= 1 << 16 && !passed(end)) {
			usleep(200000);
			paused = got;
		}
	}
}

/* A close takes as long as the peer takes to read, if it reads at all. */
static void close_behind_much(void)
{
	struct wire w = { 0 };

	much_under_way(&w);
	EXPECT_EQ(0, rdma_disconnect(w.s.id));
	read_slowly(&w);
	EXPECT(raw_end(&w.r, 15000) == RAW_FIN, "no FIN behind it");
	WANT_WC(w.s.scq, 1, IBV_WC_SUCCESS);
	raw_close(&w.r);
	side_want(&w.s, RDMA_CM_EVENT_DISCONNECTED);
	wire_close(&w);
}

/* Work waits for a slow peer, however long. */
static void slow_reader(void)
{
	struct wire w = { 0 };

	much_under_way(&w);
	read_slowly(&w);
	WANT_WC(w.s.scq, 1, IBV_WC_SUCCESS);
	EXPECT_EQ(0, rdma_disconnect(w.s.id));
	EXPECT(raw_end(&w.r, 15000) == RAW_FIN, "no FIN behind it");
	side_want(&w.s, RDMA_CM_EVENT_DISCONNECTED);
	wire_close(&w);
}

/* Until the peer's window is shut and nothing moves. */
static void window_shuts(struct wire *w)
{
	int before, now = 0;

	do {
		before = now;
		sleep_ms(1000);
		ASSERT(!ioctl(w->r.fd, FIONREAD, &now), "FIONREAD");
	} while (!now || now != before);
}

/* A FIN is no octet: it is no sign that the peer takes anything. */
static void fin_is_no_progress(void)
{
	struct wire w = { 0 };
	uint64_t start;

	much_under_way(&w);
	window_shuts(&w);
	start = now_ms();
	EXPECT_EQ(0, rdma_disconnect(w.s.id));
	sleep_ms(1000);		/* the driver watches by now */
	shutdown(w.r.fd, SHUT_WR);
	side_want(&w.s, RDMA_CM_EVENT_DISCONNECTED);
	/* It waits for 5 s, and would wait for 5 s more. */
	EXPECT(now_ms() - start < 9500, "%llu ms are too long",
	       (unsigned long long)(now_ms() - start));
	wire_close(&w);
}

/* The sink goes while the Read is under way. */
static void sink_revoked(void)
{
	static struct fpdu f;
	uint8_t u[128], data[16] = { 0 };
	struct wire w = { 0 };
	size_t n;

	read_asked(&w, &f);
	ASSERT(!ibv_dereg_mr(w.s.mr), "ibv_dereg_mr");
	w.s.mr = NULL;
	n = ddp_tagged(u, CTL_RRSP, get32(f.ulpdu + 18), get64(f.ulpdu + 22),
		       data, 16);
	fpdu_put(&w.r, u, n);
	WANT_TERM(&w, TERM(0x1100, MD), u, n);
	WANT_WC(w.s.scq, 1, IBV_WC_LOC_PROT_ERR);
	CHECK_BYTE(w.s.buf, w.s.o.buf, 0xee);
	wire_close(&w);
}

/*
 * The source goes while its octets are under way: those that were built come,
 * and the Terminate has the Read Request for the rest.
 */
static void source_revoked(void)
{
	const uint32_t total = 8 << 20;
	static struct fpdu f;
	struct wire w = { 0 };
	int window = 1 << 14;
	uint32_t got, rkey;
	uint8_t u[128];

	wire_listen(&w, &(struct opts){ .buf = total });
	wire_dial(&w);
	setsockopt(w.r.fd, SOL_SOCKET, SO_RCVBUF, &window, sizeof(window));
	wire_request(&w, MPA_C, 1, NULL, 0);
	wire_accept(&w);
	wire_full(&w);
	fill(w.s.buf, total, 8);
	rkey = w.s.mr->rkey;
	fpdu_put(&w.r, u, rdmap_rreq(u, 1, 0x77, 0x88, total, rkey,
				     at(&w.s, 0)));
	window_shuts(&w);
	ASSERT(!ibv_dereg_mr(w.s.mr), "ibv_dereg_mr");
	w.s.mr = NULL;
	for (got = 0;; got += f.len - 14) {
		ASSERT(fpdu_read(&w.r, &f, 10000), "no Terminate behind %u",
		       got);
		if (get16(f.ulpdu) == CTL_TERM)
			break;
		ASSERT((get16(f.ulpdu) & 0xbfff) == 0x8142, "control %04x",
		       get16(f.ulpdu));
		ASSERT(got + f.len - 14 <= total, "%u octets", got);
		EXPECT(!memcmp(f.ulpdu + 14, w.s.buf + got, f.len - 14),
		       "data at %u", got);
	}
	EXPECT(got && got < total, "%u octets came", got);
	EXPECT_EQ(TERM(0x0100, MDR), get32(f.ulpdu + 18));
	EXPECT_EQ(18 + 28, get16(f.ulpdu + 22));
	EXPECT_EQ(CTL_RREQ, get16(f.ulpdu + 24));
	EXPECT_EQ(1, get32(f.ulpdu + 30));		/* QN */
	EXPECT_EQ(1, get32(f.ulpdu + 34));		/* MSN */
	EXPECT_EQ(0x77, get32(f.ulpdu + 42));
	EXPECT_EQ(0x88 + got, get64(f.ulpdu + 46));
	EXPECT_EQ(total - got, get32(f.ulpdu + 54));
	EXPECT_EQ(rkey, get32(f.ulpdu + 58));
	EXPECT_EQ(at(&w.s, got), get64(f.ulpdu + 62));
	wire_close(&w);
}

/* Nothing is asked for that could not be placed. */
static void sink_checked_first(void)
{
	static struct fpdu f;
	struct wire w = { 0 };

	wire_up(&w, NULL);
	wire_full(&w);
	POST(&w.s, .op = IBV_WR_RDMA_READ, .len = 16, .id = 1,
	     .raddr = 0x5000, .rkey = 0x4201, .lkey = 0xdead);
	WANT_WC(w.s.scq, 1, IBV_WC_LOC_PROT_ERR);
	ASSERT(fpdu_read(&w.r, &f, 5000), "no Terminate");
	EXPECT_EQ(CTL_TERM, get16(f.ulpdu));
	EXPECT_EQ(0, get32(f.ulpdu + 18));
	wire_close(&w);
}

/* ---- faults in the middle of a message ---- */

#define MIDDLE_SEG 100
#define MIDDLE_GOOD 300
#define MIDDLE_BUF (64 << 10)

/**
 * struct middle - what is wrong with a segment that should be like those before
 * @name: for people
 * @ctl: CTL_WRITE, CTL_SEND or CTL_RRSP
 * @off: added to its TO or MO
 * @len: octets in it, 0 for as many as the others have
 * @key_xor: changes its STag
 * @bad_crc: its CRC is not right
 * @term: the answer
 */
struct middle {
	const char *name;
	uint16_t ctl;
	int64_t off;
	uint16_t len;
	uint32_t key_xor;
	bool bad_crc;
	uint32_t term;
};

/* A segment of that message that is not the last, its payload at @off. */
static size_t middle_seg(uint8_t *u, const struct middle *m, uint32_t stag,
			 uint64_t to, int64_t off, uint16_t len)
{
	static const uint8_t zeros[2048];

	if (m->ctl == CTL_SEND)
		return ddp_untagged(u, m->ctl & ~CTL_LAST, 0, 0, 1, off, zeros,
				    len);
	return ddp_tagged(u, m->ctl & ~CTL_LAST, stag, to + off, zeros, len);
}

/*
 * Three good segments and the bad one come as one piece: a driver that has seen
 * the first must look at the others as closely.
 */
static void middle(const struct middle *m)
{
	uint8_t u[2300], out[8192];
	static struct fpdu f;
	size_t n = 0, len = 0;
	struct wire w = { 0 };
	uint32_t stag;
	uint64_t to;
	int i;

	test_info("%s", m->name);
	wire_up(&w, &(struct opts){ .buf = MIDDLE_BUF });
	wire_full(&w);
	memset(w.s.buf, 0xee, w.s.o.buf);
	stag = w.s.mr->rkey;
	to = at(&w.s, 0);
	if (m->ctl == CTL_SEND)
		recv_at(&w.s, 1, 0, 1024);
	if (m->ctl == CTL_RRSP) {
		POST(&w.s, .op = IBV_WR_RDMA_READ, .len = 1024, .id = 1,
		     .raddr = 0x5000, .rkey = 0x4201);
		ASSERT(fpdu_read(&w.r, &f, 5000), "no Read Request");
		stag = get32(f.ulpdu + 18);
		to = get64(f.ulpdu + 22);
	}
	for (i = 0; i < MIDDLE_GOOD; i += MIDDLE_SEG) {
		n = middle_seg(u, m, stag, to, i, MIDDLE_SEG);
		len += fpdu_make(out + len, u, n);
	}
	n = middle_seg(u, m, stag ^ m->key_xor, to, i + m->off,
		       m->len ? m->len : MIDDLE_SEG);
	len += fpdu_make(out + len, u, n);
	if (m->bad_crc)
		out[len - 1] ^= 0x20;
	ASSERT(raw_put(&w.r, out, len), "cannot send");
	if (!WANT_TERM(&w, m->term, u, n))
		FAIL("%s", m->name);
	EXPECT(side_async_qp(&w.s, 5000) > 0, "no event");
	if (m->ctl == CTL_SEND)
		EXPECT(next_wc(w.s.rcq).status, "the receive is well");
	if (m->ctl == CTL_RRSP)
		EXPECT(next_wc(w.s.scq).status, "the Read is well");
	CHECK_BYTE(w.s.buf, MIDDLE_GOOD, 0);
	CHECK_BYTE(w.s.buf + MIDDLE_GOOD, MIDDLE_BUF - MIDDLE_GOOD, 0xee);
	wire_close(&w);
}

static void middles(void)
{
	static const struct middle bad[] = {
		{ "Write: CRC", CTL_WRITE, .bad_crc = true,
		  .term = TERM(0x2002, 0) },
		{ "Write: another key", CTL_WRITE, .key_xor = 1,
		  .term = TERM(0x1100, MD) },
		{ "Write: below the region", CTL_WRITE, -MIDDLE_GOOD - 1,
		  .term = TERM(0x1101, MD) },
		{ "Write: to one octet above", CTL_WRITE,
		  MIDDLE_BUF - MIDDLE_GOOD - MIDDLE_SEG + 1,
		  .term = TERM(0x1101, MD) },
		{ "Send: CRC", CTL_SEND, .bad_crc = true,
		  .term = TERM(0x2002, 0) },
		{ "Send: a gap", CTL_SEND, 1, .term = TERM(0x1204, MD) },
		{ "Send: an octet again", CTL_SEND, -1,
		  .term = TERM(0x1204, MD) },
		{ "Send: too long", CTL_SEND, 0, 1024 - MIDDLE_GOOD + 1,
		  .term = TERM(0x1205, MD) },
		{ "Read Response: CRC", CTL_RRSP, .bad_crc = true,
		  .term = TERM(0x2002, 0) },
		{ "Read Response: another key", CTL_RRSP, .key_xor = 1,
		  .term = TERM(0x1100, MD) },
		{ "Read Response: a gap", CTL_RRSP, 1,
		  .term = TERM(0x1101, MD) },
		{ "Read Response: an octet again", CTL_RRSP, -1,
		  .term = TERM(0x1101, MD) },
		{ "Read Response: too long", CTL_RRSP, 0,
		  1024 - MIDDLE_GOOD + 1, .term = TERM(0x1101, MD) },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		middle(&bad[i]);
	fresh_pair_works();
}

/*
 * A receive whose second element may not be written to, a third one beside it,
 * and a Send whose first segment fills the first element: @lkey, @addr and @len
 * are those of the second.
 */
static void second_element(struct scene *c, const char *name, uint64_t addr,
			   uint32_t len, uint32_t lkey)
{
	struct ibv_recv_wr wr = { .wr_id = 1, .num_sge = 3 }, *bad;
	const struct middle m = { .ctl = CTL_SEND };
	struct side *s = &c->w.s;
	struct ibv_sge sge[3];
	uint8_t u[256], out[1024];
	static struct fpdu f;
	size_t n = 0;
	int i;

	test_info("%s", name);
	sge[0] = (struct ibv_sge){ at(s, 0), MIDDLE_SEG, s->mr->lkey };
	sge[1] = (struct ibv_sge){ addr, len, lkey };
	sge[2] = (struct ibv_sge){ at(s, 4096), 1024, s->mr->lkey };
	wr.sg_list = sge;
	ASSERT(!ibv_post_recv(s->qp, &wr, &bad), "ibv_post_recv");
	for (i = 0; i < MIDDLE_GOOD; i += MIDDLE_SEG)
		n += fpdu_make(out + n, u, middle_seg(u, &m, 0, 0, i,
						      MIDDLE_SEG));
	ASSERT(raw_put(&c->w.r, out, n), "cannot send");
	WANT_WC(s->rcq, 1, IBV_WC_LOC_PROT_ERR);
	ASSERT(fpdu_read(&c->w.r, &f, 5000), "%s: no Terminate", name);
	EXPECT_EQ(CTL_TERM, get16(f.ulpdu));
	EXPECT_EQ(0x1000, get32(f.ulpdu + 18) >> 16);
	CHECK_BYTE(s->buf, MIDDLE_SEG, 0);
	CHECK_BYTE(s->buf + MIDDLE_SEG, s->o.buf - MIDDLE_SEG, 0xee);
}

static void second_elements(void)
{
	struct scene c;
	int i;

	for (i = 0; i < 5; i++) {
		struct side *s = &c.w.s;

		scene_open(&c, 0);
		switch (i) {
		case 0:
			second_element(&c, "another PD", at(s, 1000), 500,
				       c.other->lkey);
			break;
		case 1:
			second_element(&c, "no local write", at(s, 1000), 500,
				       c.ro->lkey);
			break;
		case 2:
			second_element(&c, "another key", at(s, 1000), 500,
				       s->mr->lkey ^ 1);
			break;
		case 3:
			second_element(&c, "to one octet above",
				       at(s, s->o.buf - 99), 500, s->mr->lkey);
			break;
		case 4:
			second_element(&c, "from one octet below",
				       at(s, 0) - 1, 500, s->mr->lkey);
			break;
		}
		scene_close(&c);
	}
}

/* Segments that end in one element and go on in the next */
static void across_elements(void)
{
	static const uint32_t at_off[] = { 1000, 3000, 5000, 7000, 9000, 11000 };
	static const uint32_t room[] = { 1, 150, 99, 101, 249, 4000 };
	struct ibv_recv_wr wr = { .wr_id = 1, .num_sge = 6 }, *bad;
	uint8_t data[1000], u[256], out[2048];
	struct ibv_sge sge[6];
	struct wire w = { 0 };
	size_t i, n = 0, got;
	struct ibv_wc wc;

	wire_up(&w, &(struct opts){ .sge = ARRAY_SIZE(sge) });
	wire_full(&w);
	memset(w.s.buf, 0xee, w.s.o.buf);
	fill(data, sizeof(data), 3);
	for (i = 0; i < ARRAY_SIZE(sge); i++)
		sge[i] = (struct ibv_sge){ at(&w.s, at_off[i]), room[i],
					   w.s.mr->lkey };
	wr.sg_list = sge;
	ASSERT(!ibv_post_recv(w.s.qp, &wr, &bad), "ibv_post_recv");
	for (i = 0; i < sizeof(data); i += MIDDLE_SEG)
		n += fpdu_make(out + n, u,
			       ddp_untagged(u, i + MIDDLE_SEG == sizeof(data) ?
					       CTL_SEND : CTL_SEND & ~CTL_LAST,
					    0, 0, 1, i, data + i, MIDDLE_SEG));
	ASSERT(raw_put(&w.r, out, n), "cannot send");
	wc = WANT_WC(w.s.rcq, 1, IBV_WC_SUCCESS);
	EXPECT_EQ(sizeof(data), wc.byte_len);
	for (i = 0, got = 0; i < ARRAY_SIZE(sge); got += room[i++]) {
		n = sizeof(data) - got < room[i] ? sizeof(data) - got : room[i];
		EXPECT(!memcmp(w.s.buf + at_off[i], data + got, n),
		       "element %zu", i);
		CHECK_BYTE(w.s.buf + at_off[i] + n, 500, 0xee);
	}
	wire_close(&w);
}

/* ---- Terminates and ends of stream ---- */

/*
 * The stream ends, and before that no Terminate comes back.  One for work that
 * @failed here may have been on its way; it says 0/0/00.
 */
static void unanswered(struct wire *w, bool failed)
{
	static struct fpdu f;

	while (fpdu_read(&w->r, &f, 15000))
		EXPECT(get16(f.ulpdu) != CTL_TERM ||
		       (failed && !get32(f.ulpdu + 18)),
		       "Terminate %08x in answer", get32(f.ulpdu + 18));
	EXPECT_EQ(RAW_FIN, raw_end(&w->r, 1000));
}

static void terminate_received(void)
{
	static const struct {
		uint32_t word;
		enum ibv_wc_status status;
	} term[] = {
		{ 0x01000000, IBV_WC_REM_ACCESS_ERR },
		{ 0x01010000, IBV_WC_REM_ACCESS_ERR },
		{ 0x01020000, IBV_WC_REM_ACCESS_ERR },
		{ 0x01030000, IBV_WC_REM_ACCESS_ERR },
		{ 0x11000000, IBV_WC_REM_ACCESS_ERR },
		{ 0x11010000, IBV_WC_REM_ACCESS_ERR },
		{ 0x12020000, IBV_WC_REM_INV_REQ_ERR },
		{ 0x00000000, IBV_WC_GENERAL_ERR },
		{ 0x20020000, IBV_WC_GENERAL_ERR },
	};
	static struct fpdu f;
	uint8_t u[128], word[4];
	struct wire w;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(term); i++) {
		memset(&w, 0, sizeof(w));
		read_asked(&w, &f);
		POST(&w.s, .op = IBV_WR_RDMA_READ, .off = 2000, .len = 16,
		     .id = 3, .raddr = 0x6000, .rkey = 0x4201);
		recv_at(&w.s, 2, 0, 64);
		put32(word, term[i].word);
		fpdu_put(&w.r, u, ddp_untagged(u, CTL_TERM, 0, 2, 1, 0, word,
					       4));
		EXPECT(side_async_qp(&w.s, 5000) > 0, "no event");
		/* The first that is not done tells it, and no other. */
		WANT_WC(w.s.scq, 1, term[i].status);
		WANT_WC(w.s.scq, 3, IBV_WC_WR_FLUSH_ERR);
		WANT_WC(w.s.rcq, 2, IBV_WC_WR_FLUSH_ERR);
		side_want(&w.s, RDMA_CM_EVENT_DISCONNECTED);
		unanswered(&w, false);
		wire_close(&w);
	}
}

/* What TCP took is done: that its completion waits for a Read changes nothing. */
static void done_behind_read(void)
{
	uint8_t u[64], word[4] = { 0x01, 0x01 };
	static struct fpdu f;
	struct wire w = { 0 };

	read_asked(&w, &f);
	POST(&w.s, .op = IBV_WR_RDMA_WRITE, .len = 16, .id = 2, .raddr = 0x6000,
	     .rkey = 0x4201);
	ASSERT(fpdu_read(&w.r, &f, 5000), "no Write");
	EXPECT_EQ(CTL_WRITE, get16(f.ulpdu));
	POST(&w.s, .op = IBV_WR_SEND, .len = 16, .id = 3,
	     .flags = IBV_SEND_FENCE);
	EXPECT(no_wc(w.s.scq, 20), "a completion before that of the Read");
	fpdu_put(&w.r, u, ddp_untagged(u, CTL_TERM, 0, 2, 1, 0, word, 4));
	WANT_WC(w.s.scq, 1, IBV_WC_REM_ACCESS_ERR);
	WANT_WC(w.s.scq, 2, IBV_WC_SUCCESS);
	WANT_WC(w.s.scq, 3, IBV_WC_WR_FLUSH_ERR);
	wire_close(&w);
}

/*
 * A RST does not overtake a Terminate that waits for memory to be put together:
 * what the driver had before it counts.
 */
static void terminate_before_reset(void)
{
	static struct fpdu f;
	uint8_t out[128], u[128], word[4];
	struct wire w;
	size_t n;
	int i;

	put32(word, 0x01010000);
	for (i = 0; i < 50; i++) {
		memset(&w, 0, sizeof(w));
		read_asked(&w, &f);
		n = fpdu_make(out, u, ddp_untagged(u, CTL_TERM, 0, 2, 1, 0,
						   word, 4));
		raw_put(&w.r, out, 10);
		raw_put(&w.r, out + 10, n - 10);
		raw_reset(&w.r);
		WANT_WC(w.s.scq, 1, IBV_WC_REM_ACCESS_ERR);
		side_want(&w.s, RDMA_CM_EVENT_DISCONNECTED);
		wire_close(&w);
	}
}

/* @good octets of a Send can be sent, and the next cannot. */
static void fail_behind(uint32_t good, bool markers)
{
	struct ibv_send_wr wr = {
		.wr_id = 1, .num_sge = 2, .opcode = IBV_WR_SEND,
		.send_flags = IBV_SEND_SIGNALED,
	}, *bad;
	static struct fpdu f;
	struct wire w = { 0 };
	struct ibv_sge sge[2];
	uint32_t got;

	wire_listen(&w, NULL);
	wire_dial(&w);
	wire_request(&w, markers ? MPA_C | MPA_M : MPA_C, 1, NULL, 0);
	wire_accept(&w);
	w.r.markers = markers;
	wire_full(&w);
	fill(w.s.buf, good, 6);
	sge[0] = (struct ibv_sge){ at(&w.s, 0), good, w.s.mr->lkey };
	sge[1] = (struct ibv_sge){ at(&w.s, 0), 100, 0xdead };
	wr.sg_list = sge;
	ASSERT(!ibv_post_send(w.s.qp, &wr, &bad), "ibv_post_send");
	WANT_WC(w.s.scq, 1, IBV_WC_LOC_PROT_ERR);
	for (got = 0;; got += f.len - 18) {
		ASSERT(fpdu_read(&w.r, &f, 5000),
		       "no Terminate behind %u octets", got);
		EXPECT(f.crc_ok, "bad CRC");
		EXPECT(f.markers_ok, "bad Marker");
		if (get16(f.ulpdu) == CTL_TERM)
			break;
		ASSERT(get16(f.ulpdu) == (CTL_SEND & ~CTL_LAST),
		       "control %04x", get16(f.ulpdu));
		EXPECT_EQ(got, get32(f.ulpdu + 14));
		ASSERT(got + f.len - 18 <= good, "%u octets of %u",
		       got + f.len - 18, good);
		EXPECT(!memcmp(f.ulpdu + 18, w.s.buf + got, f.len - 18),
		       "data at %u", got);
	}
	EXPECT_EQ(0, get32(f.ulpdu + 18) >> 16);
	EXPECT_EQ(RAW_FIN, raw_end(&w.r, 15000));
	wire_close(&w);
}

/*
 * Its first octets may be on their way when an SGE turns out to be none: what
 * the peer sees are whole FPDUs all the same, and a Terminate 0/0/00 behind.
 */
static void fails_half_way(void)
{
	static const uint32_t good[] = { 0, 1, 700, 1440, 1441, 5000, 40000 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		fail_behind(good[i], false);
		fail_behind(good[i], true);
	}
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

/**
 * struct late_post - a request that fails, from a thread of its own
 * @s: where
 * @when: in ns; 0 until that is known
 */
struct late_post {
	struct side *s;
	uint64_t when;
};

static void *post_bad(void *arg)
{
	struct late_post *late = arg;
	uint64_t when;

	do {
		sched_yield();
		when = __atomic_load_n(&late->when, __ATOMIC_ACQUIRE);
	} while (!when || now_ns() < when);
	try_post(late->s, &(struct wr){ .op = IBV_WR_RDMA_WRITE, .len = 10,
					.id = 2, .lkey = 0xdead });
	return NULL;
}

/*
 * Of any code, while a Read is under way or the driver closes, and just when
 * work of our own fails.  Which comes first is open: the one moves over the
 * other.
 */
static void terminate_unanswered(void)
{
	uint8_t u[128], word[4];
	uint64_t start, took = 0;
	static struct fpdu f;
	pthread_t thread;
	struct ibv_wc wc;
	struct wire w;
	int i, id;

	for (i = 0; i < 64; i++) {
		struct late_post late = { .s = &w.s };

		memset(&w, 0, sizeof(w));
		read_asked(&w, &f);
		if (i & 16)
			rdma_disconnect(w.s.id);
		put32(word, (i / 16) << 28 | (i % 16 / 4) << 24 |
			    ((i % 4 * 3 - 1u) & 0xff) << 16);
		ASSERT(!pthread_create(&thread, NULL, post_bad, &late),
		       "pthread_create");
		start = now_ns();
		__atomic_store_n(&late.when, start + took * (i % 16) / 16,
				 __ATOMIC_RELEASE);
		fpdu_put(&w.r, u, ddp_untagged(u, CTL_TERM, 0, 2, 1, 0, word,
					       4));
		took = now_ns() - start;
		pthread_join(thread, NULL);
		for (id = 1; id <= 2; id++) {
			wc = next_wc(w.s.scq);
			EXPECT_EQ(id, wc.wr_id);
			EXPECT(wc.status != IBV_WC_SUCCESS, "%02x%02x: %d",
			       word[0], word[1], id);
		}
		unanswered(&w, true);
		wire_close(&w);
	}
}

/* Short, long, and with nonsense inside: still Terminates. */
static void terminate_odd(void)
{
	uint8_t u[512], junk[300];
	struct wire w;
	int i;

	memset(junk, 0xff, sizeof(junk));
	for (i = 0; i < 60; i++) {
		memset(&w, 0, sizeof(w));
		wire_up(&w, NULL);
		recv_at(&w.s, 2, 0, 64);
		wire_full(&w);
		fpdu_put(&w.r, u, ddp_untagged(u, CTL_TERM, 0, 2, 1, 0, junk,
					       i < 56 ? i : i * 5));
		WANT_WC(w.s.rcq, 2, IBV_WC_WR_FLUSH_ERR);
		unanswered(&w, false);
		wire_close(&w);
	}
}

/* On the wrong queue, out of order, not whole: the stream ends, and one hears. */
static void terminate_malformed(void)
{
	static const struct {
		uint16_t ctl;
		uint32_t qn;
		uint32_t msn;
		uint32_t mo;
	} bad[] = {
		{ CTL_TERM, 0, 1, 0 },
		{ CTL_TERM, 1, 1, 0 },
		{ CTL_TERM, 2, 2, 0 },
		{ CTL_TERM, 2, 1, 4 },
		{ CTL_TERM & ~CTL_LAST, 2, 1, 0 },
	};
	uint8_t u[128], word[4] = { 0x11, 0 };
	struct wire w;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		memset(&w, 0, sizeof(w));
		wire_up(&w, NULL);
		recv_at(&w.s, 2, 0, 64);
		wire_full(&w);
		fpdu_put(&w.r, u, ddp_untagged(u, bad[i].ctl, 0, bad[i].qn,
					       bad[i].msn, bad[i].mo, word,
					       4));
		/* What it says is not believed. */
		EXPECT_EQ(IBV_EVENT_QP_FATAL, side_async_qp(&w.s, 5000));
		WANT_WC(w.s.rcq, 2, IBV_WC_WR_FLUSH_ERR);
		side_want(&w.s, RDMA_CM_EVENT_DISCONNECTED);
		unanswered(&w, false);
		wire_close(&w);
	}
}

/* A Terminate concerns what was posted before it. */
static void terminate_then_post(void)
{
	struct wire w = { 0 };
	uint8_t u[128], word[4] = { 0x11, 0 };

	wire_up(&w, NULL);
	wire_full(&w);
	fpdu_put(&w.r, u, ddp_untagged(u, CTL_TERM, 0, 2, 1, 0, word, 4));
	EXPECT(side_async_qp(&w.s, 5000) > 0, "no event");
	side_want(&w.s, RDMA_CM_EVENT_DISCONNECTED);
	POST(&w.s, .op = IBV_WR_SEND, .len = 10, .id = 7);
	WANT_WC(w.s.scq, 7, IBV_WC_WR_FLUSH_ERR);
	wire_close(&w);
}

static void terminate_then_data(void)
{
	struct wire w = { 0 };
	uint8_t u[128], word[4] = { 0x20, 2 };
	int i;

	wire_up(&w, NULL);
	recv_at(&w.s, 1, 0, 64);
	memset(w.s.buf, 0xee, 4096);
	wire_full(&w);
	fpdu_put(&w.r, u, ddp_untagged(u, CTL_TERM, 0, 2, 1, 0, word, 4));
	for (i = 0; i < 10; i++) {
		fpdu_put(&w.r, u, SEND(u, CTL_SEND, 0, 1 + i, 0));
		fpdu_put(&w.r, u, ddp_tagged(u, CTL_WRITE, w.s.mr->rkey,
					     at(&w.s, 0), "data", 4));
	}
	WANT_WC(w.s.rcq, 1, IBV_WC_WR_FLUSH_ERR);
	CHECK_BYTE(w.s.buf, 4096, 0xee);
	wire_close(&w);
}

/* How a stream ends: at each octet of an FPDU, by FIN and by RST. */
static void end_anywhere(void)
{
	uint8_t out[128], u[128];
	struct wire w;
	size_t n, cut;
	int rst;

	for (rst = 0; rst < 2; rst++) {
		for (cut = 0; cut <= 28; cut++) {
			memset(&w, 0, sizeof(w));
			wire_up(&w, NULL);
			recv_at(&w.s, 1, 0, 64);
			recv_at(&w.s, 2, 64, 64);
			wire_full(&w);
			n = fpdu_make(out, u, SEND(u, CTL_SEND, 0, 1, 0));
			ASSERT(n == 28, "length %zu", n);
			raw_put(&w.r, out, cut);
			if (rst)
				raw_reset(&w.r);
			else
				raw_close(&w.r);
			if (cut == n && !rst)
				WANT_WC(w.s.rcq, 1, IBV_WC_SUCCESS);
			else if (cut < n)
				WANT_WC(w.s.rcq, 1, IBV_WC_WR_FLUSH_ERR);
			else
				next_wc(w.s.rcq);
			WANT_WC(w.s.rcq, 2, IBV_WC_WR_FLUSH_ERR);
			side_want(&w.s, RDMA_CM_EVENT_DISCONNECTED);
			wire_close(&w);
		}
	}
}

/* The peer shuts its sending side only and still wants to read. */
static void half_close(void)
{
	struct wire w = { 0 };
	uint64_t start;

	wire_up(&w, NULL);
	recv_at(&w.s, 1, 0, 64);
	wire_full(&w);
	start = now_ms();
	shutdown(w.r.fd, SHUT_WR);
	WANT_WC(w.s.rcq, 1, IBV_WC_WR_FLUSH_ERR);
	side_want(&w.s, RDMA_CM_EVENT_DISCONNECTED);
	EXPECT_EQ(RAW_FIN, raw_end(&w.r, 15000));
	/* There is nothing to wait for, and no timer to run out first. */
	EXPECT(now_ms() - start < 4000, "it took %llu ms",
	       (unsigned long long)(now_ms() - start));
	wire_close(&w);
}

/* What the peer asked for before its FIN, it still gets. */
static void half_close_behind_read(void)
{
	const uint32_t total = 1 << 20;
	static struct fpdu f;
	struct wire w = { 0 };
	uint8_t u[128];
	uint32_t got = 0;
	uint64_t start;

	wire_up(&w, &(struct opts){ .buf = total });
	wire_full(&w);
	fill(w.s.buf, total, 6);
	fpdu_put(&w.r, u, rdmap_rreq(u, 1, 1, 2, total, w.s.mr->rkey,
				     at(&w.s, 0)));
	shutdown(w.r.fd, SHUT_WR);
	sleep_ms(300);	/* The FIN is seen while TCP has no room for the rest. */
	while (got < total) {
		ASSERT(fpdu_read(&w.r, &f, 5000), "%u octets", got);
		ASSERT((get16(f.ulpdu) & 0xbfff) == 0x8142, "control %04x",
		       get16(f.ulpdu));
		EXPECT(!memcmp(f.ulpdu + 14, w.s.buf + got, f.len - 14),
		       "data at %u", got);
		got += f.len - 14;
	}
	start = now_ms();
	EXPECT_EQ(RAW_FIN, raw_end(&w.r, 15000));
	/* With the last octet, and not when a timer looks again. */
	EXPECT(now_ms() - start < 2500, "the FIN took %llu ms",
	       (unsigned long long)(now_ms() - start));
	side_want(&w.s, RDMA_CM_EVENT_DISCONNECTED);
	wire_close(&w);
}

/*
 * The peer's FIN comes while ours is behind octets that it has no room for: it is
 * not reset, and gets the rest when it reads on.
 */
static void both_close(void)
{
	const uint32_t total = 24 << 10;
	static struct fpdu f;
	struct wire w = { 0 };
	int window = 1 << 13;
	uint32_t got;

	w.port = next_port();
	w.lfd = raw_listen(NS_A, ADDR_A, w.port);
	/* What it accepts begins with such a window. */
	setsockopt(w.lfd, SOL_SOCKET, SO_RCVBUF, &window, sizeof(window));
	wire_connect(&w, NULL);
	wire_reply_well(&w);
	side_want(&w.s, RDMA_CM_EVENT_ESTABLISHED);
	ASSERT(fpdu_read(&w.r, &f, 5000), "no RTR");
	fill(w.s.buf, total, 7);
	POST(&w.s, .op = IBV_WR_SEND, .len = total, .id = 1);
	WANT_WC(w.s.scq, 1, IBV_WC_SUCCESS);	/* TCP has all of it */
	EXPECT_EQ(0, rdma_disconnect(w.s.id));
	sleep_ms(slow(50));		/* and the FIN */
	shutdown(w.r.fd, SHUT_WR);
	side_want(&w.s, RDMA_CM_EVENT_DISCONNECTED);
	sleep_ms(slow(50));
	for (got = 0; got < total; got += f.len - 18) {
		ASSERT(fpdu_read(&w.r, &f, 5000), "cut off behind %u octets",
		       got);
		ASSERT((get16(f.ulpdu) & ~CTL_LAST) == (CTL_SEND & ~CTL_LAST),
		       "control %04x", get16(f.ulpdu));
		ASSERT(got + f.len - 18 <= total, "%u octets at %u", f.len,
		       got);
		EXPECT(!memcmp(f.ulpdu + 18, w.s.buf + got, f.len - 18),
		       "data at %u", got);
	}
	EXPECT_EQ(RAW_FIN, raw_end(&w.r, 5000));
	wire_close(&w);
}

/* A peer that has our FIN and never sends its own is left. */
static void never_closes(void)
{
	struct wire w = { 0 };
	struct pollfd pfd = { 0 };

	wire_up(&w, NULL);
	wire_full(&w);
	EXPECT_EQ(0, rdma_disconnect(w.s.id));
	EXPECT_EQ(RAW_FIN, raw_end(&w.r, 5000));
	/* 5 s to 10 s for its FIN, and as long for the end of TCP */
	pfd.fd = w.r.fd;
	EXPECT(poll(&pfd, 1, slow(25000)) == 1 && pfd.revents & POLLERR,
	       "it is not reset");
	side_want(&w.s, RDMA_CM_EVENT_DISCONNECTED);
	wire_close(&w);
}

/* What comes behind our FIN is dropped, and the peer is not kept from its own. */
static void much_behind_fin(void)
{
	static uint8_t junk[1 << 16];
	struct wire w = { 0 };
	uint64_t start;
	size_t n;

	wire_up(&w, NULL);
	wire_full(&w);
	side_to_err(&w.s);
	side_want(&w.s, RDMA_CM_EVENT_DISCONNECTED);
	EXPECT_EQ(RAW_FIN, raw_end(&w.r, 5000));
	start = now_ms();
	for (n = 0; n < MUCH && raw_put(&w.r, junk, sizeof(junk));
	     n += sizeof(junk))
		;
	/* 5 s to 10 s for its FIN: a slow machine is not done by then. */
	EXPECT(n >= MUCH || now_ms() - start >= 4500, "cut off behind %zu", n);
	EXPECT(n >= MUCH / 16, "cut off behind %zu", n);
	wire_close(&w);
}

/* As long as our FIN is not out, a fault is answered. */
static void fault_while_closing(void)
{
	static struct fpdu f;
	struct wire w = { 0 };
	uint8_t u[64];

	much_under_way(&w);
	EXPECT_EQ(0, rdma_disconnect(w.s.id));
	fpdu_put(&w.r, u, SEND(u, CTL_SEND, 4, 1, 0));
	do {
		ASSERT(fpdu_read(&w.r, &f, 5000), "no Terminate");
	} while (get16(f.ulpdu) != CTL_TERM);
	EXPECT_EQ(0x1201c000, get32(f.ulpdu + 18));
	EXPECT(raw_end(&w.r, 15000) != RAW_OPEN, "TCP stays open");
	side_want(&w.s, RDMA_CM_EVENT_DISCONNECTED);
	wire_close(&w);
}

/* A peer may take its time over what is ahead of the Terminate. */
static void terminate_slow_reader(void)
{
	static struct fpdu f;
	struct wire w = { 0 };
	int window = 1 << 14;
	uint64_t start;
	uint8_t u[64];
	size_t got = 0;

	wire_listen(&w, &(struct opts){ .buf = 8 << 20 });
	wire_dial(&w);
	setsockopt(w.r.fd, SOL_SOCKET, SO_RCVBUF, &window, sizeof(window));
	wire_request(&w, MPA_C, 1, NULL, 0);
	wire_accept(&w);
	wire_full(&w);
	POST(&w.s, .op = IBV_WR_SEND, .len = 8 << 20, .id = 1);
	fpdu_put(&w.r, u, SEND(u, CTL_SEND, 4, 1, 0));
	start = now_ms();
	do {
		ASSERT(fpdu_read(&w.r, &f, 10000), "no Terminate behind %zu",
		       got);
		got += f.len;
		/* Slowly for 8 s, then as fast as it comes. */
		if (now_ms() - start < 8000)
			sleep_ms(100);
	} while (get16(f.ulpdu) != CTL_TERM);
	EXPECT_EQ(0x1201c000, get32(f.ulpdu + 18));
	/* Much longer than the driver waits for a peer that takes nothing. */
	EXPECT(now_ms() - start > 3000, "it took %llu ms only: no test",
	       (unsigned long long)(now_ms() - start));
	EXPECT(raw_end(&w.r, 15000) != RAW_OPEN, "TCP stays open");
	side_want(&w.s, RDMA_CM_EVENT_DISCONNECTED);
	wire_close(&w);
}

/* One that takes nothing gets no Terminate, and all the same it is over. */
static void fault_of_stalled_reader(void)
{
	struct wire w = { 0 };
	uint64_t start;
	uint8_t u[64];

	much_under_way(&w);
	window_shuts(&w);
	start = now_ms();
	fpdu_put(&w.r, u, SEND(u, CTL_SEND, 4, 1, 0));
	side_want(&w.s, RDMA_CM_EVENT_DISCONNECTED);
	WANT_WC(w.s.scq, 1, IBV_WC_WR_FLUSH_ERR);
	EXPECT(now_ms() - start < slow(5000), "it took %llu ms",
	       (unsigned long long)(now_ms() - start));
	wire_close(&w);
}

/* A peer that reads nothing: the queue fills, and is torn down at once. */
static void stalled_reader(void)
{
	struct wire w = { 0 };
	uint64_t start;
	int i;

	wire_up(&w, &(struct opts){ .buf = 8 << 20 });
	wire_full(&w);
	for (i = 0; i < 8; i++)
		POST(&w.s, .op = IBV_WR_SEND, .len = 8 << 20, .id = i);
	sleep_ms(300);
	start = now_ms();
	side_to_err(&w.s);
	for (i = 0; i < 8; i++)
		next_wc(w.s.scq);
	EXPECT(now_ms() - start < slow(5000), "flush took %llu ms",
	       (unsigned long long)(now_ms() - start));
	start = now_ms();
	side_close(&w.s);
	EXPECT(now_ms() - start < slow(5000), "destroy took %llu ms",
	       (unsigned long long)(now_ms() - start));
	raw_close(&w.r);
}

/* 2000 random FPDUs with a good CRC on 200 connections. */
static void random_fpdus(void)
{
	uint8_t u[200];
	struct wire w;
	int i, k;
	size_t n, j;

	srand(1);
	for (i = 0; i < 200; i++) {
		memset(&w, 0, sizeof(w));
		wire_up(&w, NULL);
		recv_at(&w.s, 1, 0, 64);
		memset(w.s.buf, 0xee, w.s.o.buf);
		wire_full(&w);
		for (k = 0; k < 10; k++) {
			n = rand() % sizeof(u);
			for (j = 0; j < n; j++)
				u[j] = rand();
			/* Mostly good control octets, or all end there. */
			if (n > 18 && rand() % 4) {
				u[0] = rand() % 2 ? 0xc1 : 0x41;
				u[1] = 0x40 | rand() % 16;
				if (u[0] == 0x41) {
					put32(u + 6, rand() % 4);
					put32(u + 10, 1 + rand() % 2);
					put32(u + 14, rand() % 2 * 4);
				}
			}
			if (!fpdu_put(&w.r, u, n))
				break;
		}
		raw_end(&w.r, 20);
		CHECK_BYTE(w.s.buf + 64, w.s.o.buf - 64, 0xee);
		wire_close(&w);
	}
	fresh_pair_works();
}

static const struct test tests[] = {
	{ "an FPDU cut at every octet", every_cut },
	{ "FPDUs octet by octet", octet_by_octet },
	{ "many FPDUs at once, large and tiny segments", many_in_one },
	{ "FPDUs larger and larger, in two pieces", larger_and_larger, 60,
	  .slow = true },
	{ "FPDUs of a power of two, in two pieces", powers_of_two },
	{ "what a receiver must tolerate", liberal },
	{ "TCP urgent data are data", urgent },
	{ "the Read Response of the driver", read_response },
	{ "PAD of the driver is zero", pad_is_zero },
	{ "bad CRC: Terminate 2/0/02", crc, 60 },
	{ "nothing is placed before the CRC is good", crc_before_placing },
	{ "bad headers, each with its Terminate", headers, 120 },
	{ "bad queue, MSN, MO, length: each with its Terminate", queues, 120 },
	{ "a second message without a receive: 1/2/02", no_second_receive },
	{ "a length that cannot be: 1/0/00 at once", length_refused_at_once },
	{ "bad Writes, each with its Terminate", writes, 120 },
	{ "bad Read Requests, each with its Terminate", reads, 120 },
	{ "bad Invalidates, each with its Terminate", invalidates, 60 },
	{ "Read Requests above IRD: Terminate 1/2/02", ird_exceeded, 60 },
	{ "bad Read Responses, each with its Terminate", bad_responses, 60 },
	{ "a Read Response that comes twice", response_twice },
	{ "a Read sink that was deregistered", sink_revoked },
	{ "a Read source that was deregistered half-way", source_revoked, 60,
	  .slow = true },
	{ "a Read without a sink is not sent", sink_checked_first },
	{ "a fault in the middle of a message, each with its Terminate",
	  middles, 60 },
	{ "an element of a receive that the message may not reach",
	  second_elements, 60 },
	{ "segments across the elements of a receive", across_elements },
	{ "Terminate received: the completion names the cause", terminate_received },
	{ "Terminate received: what TCP took is done", done_behind_read },
	{ "a Terminate is not answered, also when work fails just then",
	  terminate_unanswered, 120, .slow = true },
	{ "a Terminate in pieces with a RST behind it", terminate_before_reset,
	  120, .slow = true },
	{ "a request that fails half-way: whole FPDUs, then 0/0/00",
	  fails_half_way, 60 },
	{ "Terminates short, long and odd", terminate_odd, 60, .slow = true },
	{ "malformed Terminates end the stream, with an event", terminate_malformed, 60 },
	{ "what is posted after a Terminate is flushed", terminate_then_post },
	{ "what follows a Terminate is dropped", terminate_then_data },
	{ "FIN and RST at every octet of an FPDU", end_anywhere, 120,
	  .slow = true },
	{ "a FIN behind an FPDU in pieces", fin_behind_pieces, 60 },
	{ "half close", half_close },
	{ "half close behind a Read Request", half_close_behind_read },
	{ "both ends close, and the peer reads on", both_close },
	{ "a peer that never closes", never_closes, 60, .slow = true },
	{ "16 MiB behind the driver's FIN", much_behind_fin, 60 },
	{ "a bad FPDU while the driver closes", fault_while_closing, 60 },
	{ "a close behind a Read", close_behind_read, .slow = true },
	{ "a close behind a Read without an answer", close_behind_no_answer, 60,
	  .slow = true },
	{ "a close behind a Read that is answered slowly",
	  close_behind_slow_answer, 60, .slow = true },
	{ "a close behind 16 MiB and a slow reader", close_behind_much, 60,
	  .slow = true },
	{ "what a slow reader takes arrives", slow_reader, 60, .slow = true },
	{ "a FIN of a peer that takes nothing", fin_is_no_progress, 60,
	  .slow = true },
	{ "a Terminate behind a slow reader", terminate_slow_reader, 60,
	  .slow = true },
	{ "a bad FPDU of a peer that stops reading", fault_of_stalled_reader,
	  60, .slow = true },
	{ "a peer that stops reading", stalled_reader, 60 },
	{ "2000 random FPDUs", random_fpdus, 180, .slow = true },
};

int main(int argc, char **argv)
{
	return harness_main(argc, argv, tests, ARRAY_SIZE(tests));
}
