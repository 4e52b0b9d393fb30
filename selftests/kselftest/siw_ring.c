// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * A process that writes nonsense into the queues it shares with the kernel.
 *
 *	netns sa                          netns sb
 *	+----------------------+          +----------------------+
 *	| siwa   side a        |          |        side b   siwb |
 *	|  SQ RQ CQ abused     |<- veth ->|        decent        |
 *	+----------------------+          +----------------------+
 *
 * The rings are those of the provider's mappings (maps.h), told apart by the
 * size of their elements.
 *
 * Whatever lies in them: an error to the one who put it there, never a hang,
 * a warning, a wedged queue, or trouble for anybody else.
 */
#include <poll.h>
#include <pthread.h>
#include <rdma/ib_user_verbs.h>
#include <rdma/siw-abi.h>

#include "harness.h"
#include "maps.h"

/* Depths that make the sizes of all rings differ. */
#define SQ_N 16
#define RQ_N 32
#define CQ_N 64

/**
 * struct rings - the queues of one end, as the kernel shares them
 * @sq: send queue
 * @rq: receive queue
 * @cq: the CQs, of the send and the receive queue
 * @ctrl: their arming words
 * @tail: next slot of @sq that a post would take
 */
struct rings {
	struct siw_sqe *sq;
	struct siw_rqe *rq;
	struct siw_cqe *cq[2];
	struct siw_cq_ctrl *ctrl[2];
	unsigned int tail;
};

static void rings_find(struct rings *r, int first)
{
	int ncq = 0;
	int i;

	memset(r, 0, sizeof(*r));
	for (i = first; i < nmaps; i++) {
		size_t len = maps[i].len;

		if (len == SQ_N * sizeof(struct siw_sqe))
			r->sq = maps[i].addr;
		else if (len == RQ_N * sizeof(struct siw_rqe))
			r->rq = maps[i].addr;
		else if (len == CQ_N * sizeof(struct siw_cqe) +
				sizeof(struct siw_cq_ctrl) && ncq < 2) {
			r->cq[ncq] = maps[i].addr;
			r->ctrl[ncq] = (void *)(r->cq[ncq] + CQ_N);
			ncq++;
		}
	}
	if (!r->sq || !r->rq || ncq != 2) {
		for (i = first; i < nmaps; i++)
			test_note("mapping of %zu octets at %lx", maps[i].len,
				  (long)maps[i].off);
		SKIP("the rings of this provider look different");
	}
}

static const struct opts abused = { .sq = SQ_N, .rq = RQ_N, .cqe = CQ_N };

static void open_abused(struct pair *p, struct rings *r)
{
	int first;

	/* Side b first makes its rings when the request comes. */
	memset(p, 0, sizeof(*p));
	first = nmaps = 0;
	pair_open2(p, &abused, &(struct opts){ .sq = 8, .rq = 128,
					       .cqe = 1024 });
	rings_find(r, first);
}

static struct siw_sqe *next_sqe(struct rings *r)
{
	return &r->sq[r->tail++ % SQ_N];
}

/* A Write of 16 octets that is in order. */
static struct siw_sqe good_sqe(struct pair *p)
{
	return (struct siw_sqe){
		.id = 77,
		.flags = SIW_WQE_SIGNALLED,
		.num_sge = 1,
		.opcode = SIW_OP_WRITE,
		.rkey = p->b.mr->rkey,
		.raddr = at(&p->b, 0),
		.sge[0] = { at(&p->a, 0), 16, p->a.mr->lkey },
	};
}

static void put_sqe(struct rings *r, struct siw_sqe e)
{
	struct siw_sqe *slot = next_sqe(r);
	uint16_t flags = e.flags | SIW_WQE_VALID;

	e.flags = 0;
	*slot = e;
	__atomic_store_n(&slot->flags, flags, __ATOMIC_RELEASE);
}

/* The CQE by hand: the provider's tables are not for strange values. */
static bool wait_cqe(struct siw_cqe *cq, unsigned int i, struct siw_cqe *out)
{
	uint64_t end = deadline(5000);

	while (!passed(end)) {
		if (__atomic_load_n(&cq[i % CQ_N].flags, __ATOMIC_ACQUIRE) &
		    SIW_WQE_VALID) {
			*out = cq[i % CQ_N];
			cq[i % CQ_N].flags = 0;
			return true;
		}
		usleep(200);
	}
	return false;
}

/* The CQ of the send queue is the one something appears in. */
static struct siw_cqe *send_cq(struct rings *r)
{
	return r->cq[0];
}

/* Does the ring abuse itself work? */
static void by_hand(void)
{
	struct siw_cqe cqe;
	struct rings r;
	struct pair p;
	unsigned int i;

	open_abused(&p, &r);
	fill(p.a.buf, 16, 1);
	for (i = 0; i < 3 * SQ_N; i++) {
		struct siw_sqe e = good_sqe(&p);

		e.id = i;
		put_sqe(&r, e);
		ASSERT(!doorbell(p.a.qp), "doorbell");
		ASSERT(wait_cqe(send_cq(&r), i, &cqe), "no completion");
		EXPECT_EQ(i, cqe.id);
		EXPECT_EQ(SIW_WC_SUCCESS, cqe.status);
		EXPECT_EQ(SIW_OP_WRITE, cqe.opcode);
	}
	pair_close(&p);
}

/*
 * A bad entry, then a good one: the bad one fails, the queue pair is in
 * ERROR, the good one is flushed, and the next connection works.
 */
static void bad_entry(const char *what, void (*spoil)(struct pair *p,
						      struct siw_sqe *e,
						      int arg), int arg)
{
	struct siw_sqe e;
	struct siw_cqe cqe;
	struct rings r;
	struct pair p;
	bool failed = false;
	unsigned int n = 0;

	open_abused(&p, &r);
	memset(p.b.buf, 0xee, p.b.o.buf);
	e = good_sqe(&p);
	spoil(&p, &e, arg);
	put_sqe(&r, e);
	e = good_sqe(&p);
	e.id = 78;
	put_sqe(&r, e);
	doorbell(p.a.qp);
	while (n < 2 && wait_cqe(send_cq(&r), n, &cqe)) {
		n++;
		EXPECT(cqe.opcode <= SIW_OP_RECEIVE, "%s %d: CQE opcode %u",
		       what, arg, cqe.opcode);
		EXPECT(cqe.status < SIW_NUM_WC_STATUS,
		       "%s %d: CQE status %u", what, arg, cqe.status);
		failed |= cqe.status != SIW_WC_SUCCESS;
		if (cqe.id == 78)
			break;
	}
	EXPECT(n, "%s %d: no completion at all", what, arg);
	EXPECT(failed, "%s %d: nothing failed", what, arg);
	EXPECT(cqe.id == 78, "%s %d: the queue is wedged", what, arg);
	EXPECT_EQ(IBV_QPS_ERR, side_state(&p.a));
	CHECK_BYTE(p.b.buf, 65536, 0xee);
	pair_close(&p);
}

static void spoil_opcode(struct pair *p, struct siw_sqe *e, int arg)
{
	(void)p;
	e->opcode = arg;
	e->rkey = p->b.mr->rkey;
}

static void opcodes(void)
{
	int op;

	/* Four are for users; REG_MR and INVAL_STAG above all are not. */
	for (op = 0; op < 256; op += op < 32 ? 1 : 37) {
		if (op == SIW_OP_WRITE || op == SIW_OP_READ ||
		    op == SIW_OP_SEND || op == SIW_OP_SEND_REMOTE_INV)
			continue;
		bad_entry("opcode", spoil_opcode, op);
	}
	fresh_pair_works();
}

static void spoil_num_sge(struct pair *p, struct siw_sqe *e, int arg)
{
	(void)p;
	e->num_sge = arg;
}

static void num_sge(void)
{
	static const int n[] = { 7, 8, 16, 127, 128, 254, 255 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(n); i++)
		bad_entry("num_sge", spoil_num_sge, n[i]);
	fresh_pair_works();
}

static void spoil_inline(struct pair *p, struct siw_sqe *e, int arg)
{
	(void)p;
	e->flags |= SIW_WQE_INLINE;
	e->num_sge = 1;
	e->sge[0].length = arg;
}

static void inline_length(void)
{
	static const int n[] = { 81, 96, 97, 4096, 65536, 0x7fffffff, -1,
				 -80, (int)0x80000000 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(n); i++)
		bad_entry("inline length", spoil_inline, n[i]);
	fresh_pair_works();
}

static void spoil_read(struct pair *p, struct siw_sqe *e, int arg)
{
	(void)p;
	e->opcode = SIW_OP_READ;
	if (arg == 0) {			/* a Read has one sink */
		e->num_sge = 2;
		e->sge[1] = e->sge[0];
	} else if (arg == 1) {		/* and it is not inline */
		e->flags |= SIW_WQE_INLINE;
	} else {
		e->sge[0].length = 0xffffffff;
	}
}

static void reads(void)
{
	int i;

	for (i = 0; i < 3; i++)
		bad_entry("read", spoil_read, i);
	fresh_pair_works();
}

static void spoil_sge(struct pair *p, struct siw_sqe *e, int arg)
{
	(void)p;
	switch (arg) {
	case 0:
		e->sge[0].laddr = 0;
		break;
	case 1:
		e->sge[0].laddr = -1ull;
		break;
	case 2:
		e->sge[0].length = 0xffffffff;
		break;
	case 3:
		e->sge[0].lkey = 0;
		break;
	case 4:
		e->sge[0].lkey = 0xffffffff;
		break;
	case 5:				/* lengths whose sum wraps */
		e->num_sge = 6;
		for (int i = 0; i < 6; i++)
			e->sge[i] = (struct siw_sge){ p->a.buf ?
				(uintptr_t)p->a.buf : 0, 0x80000000,
				p->a.mr->lkey };
		break;
	case 6:				/* the kernel's own address */
		e->sge[0].laddr = 0xffff888000000000ull;
		break;
	}
}

static void sges(void)
{
	int i;

	for (i = 0; i < 7; i++)
		bad_entry("SGE", spoil_sge, i);
	fresh_pair_works();
}

/* Flags that mean nothing, or belong to the kernel: any end but a bad one. */
static void flags(void)
{
	struct siw_sqe e;
	struct siw_cqe cqe;
	struct rings r;
	struct pair p;
	int bit;

	for (bit = 3; bit < 17; bit++) {
		open_abused(&p, &r);
		e = good_sqe(&p);
		e.flags |= bit == 16 ? 0xfff0 : 1 << bit;
		put_sqe(&r, e);
		doorbell(p.a.qp);
		EXPECT(wait_cqe(send_cq(&r), 0, &cqe), "no completion, bit %d",
		       bit);
		EXPECT(cqe.status < SIW_NUM_WC_STATUS, "status %u",
		       cqe.status);
		pair_close(&p);
	}
	fresh_pair_works();
}

/* ---- receives ---- */

static void bad_rqe(void)
{
	static const struct siw_rqe bad[] = {
		{ .id = 1, .num_sge = 7 },
		{ .id = 1, .num_sge = 255 },
		{ .id = 1, .num_sge = 1, .opcode = 255 },
		{ .id = 1, .num_sge = 1, .sge[0] = { 0, 100, 0 } },
		{ .id = 1, .num_sge = 1,
		  .sge[0] = { -1ull, 0xffffffff, 0xffffffff } },
		{ .id = 1, .num_sge = 6,
		  .sge = { { 0, 0x80000000, 1 }, { 0, 0x80000000, 1 },
			   { 0, 0x80000000, 1 }, { 0, 0x80000000, 1 },
			   { 0, 0x80000000, 1 }, { 0, 0x80000000, 1 } } },
	};
	struct rings r;
	struct pair p;
	struct siw_cqe cqe;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		open_abused(&p, &r);
		memset(p.a.buf, 0xee, p.a.o.buf);
		r.rq[0] = bad[i];
		__atomic_store_n(&r.rq[0].flags, SIW_WQE_VALID,
				 __ATOMIC_RELEASE);
		POST(&p.b, .op = IBV_WR_SEND, .len = 64, .id = 1);
		/* The abuser loses its connection, the peer hears of it. */
		EXPECT(side_async_qp(&p.b, 5000) > 0, "no event, case %zu", i);
		EXPECT(wait_cqe(r.cq[1], 0, &cqe), "no completion, case %zu",
		       i);
		EXPECT(cqe.status && cqe.status < SIW_NUM_WC_STATUS,
		       "status %u, case %zu", cqe.status, i);
		CHECK_BYTE(p.a.buf, p.a.o.buf, 0xee);
		pair_close(&p);
	}
	fresh_pair_works();
}

/* ---- random ---- */

static volatile bool stop;

struct fuzz {
	void *ring;
	size_t len;
	unsigned int seed;
	size_t elem;
	size_t flags_at;	/* offset of the flags octet in an element */
};

/* Random octets all over, with VALID set more often than chance would. */
static void *fuzzer(void *arg)
{
	struct fuzz *f = arg;
	uint8_t *p = f->ring;
	unsigned int k = 0;

	while (!stop) {
		size_t at = rand_r(&f->seed) % f->len;

		p[at] = rand_r(&f->seed);
		if (!(rand_r(&f->seed) % 4)) {
			size_t e = rand_r(&f->seed) % (f->len / f->elem);

			p[e * f->elem + f->flags_at] |= SIW_WQE_VALID;
		}
		if (++k % 512 == 0)
			usleep(50);
	}
	return NULL;
}

static void random_rings(void)
{
	static const char * const names[] = { "SQ", "RQ", "CQ", "all" };
	unsigned int n[2];
	pthread_t th[4];
	struct fuzz f[4];
	struct rings r;
	struct pair p;
	uint64_t end;
	int which, round, i, nth;

	for (which = 0; which < 4; which++) {
		for (round = 0; round < 5; round++) {
			open_abused(&p, &r);
			n[0] = n[1] = 0;
			for (i = 0; i < 64; i++)
				recv_at(&p.b, i, 0, 64);
			f[0] = (struct fuzz){ r.sq,
				SQ_N * sizeof(struct siw_sqe), round + 1,
				sizeof(struct siw_sqe),
				offsetof(struct siw_sqe, flags) };
			f[1] = (struct fuzz){ r.rq,
				RQ_N * sizeof(struct siw_rqe), round + 11,
				sizeof(struct siw_rqe),
				offsetof(struct siw_rqe, flags) };
			f[2] = (struct fuzz){ r.cq[0],
				CQ_N * sizeof(struct siw_cqe) + 8, round + 21,
				sizeof(struct siw_cqe),
				offsetof(struct siw_cqe, flags) };
			f[3] = f[2];
			f[3].ring = r.cq[1];
			f[3].seed += 10;
			stop = false;
			nth = 0;
			for (i = 0; i < 4; i++)
				if (which == 3 || which == i ||
				    (which == 2 && i == 3))
					pthread_create(&th[nth++], NULL,
						       fuzzer, &f[i]);
			end = now_ms() + 700;
			while (!passed(end)) {
				doorbell(p.a.qp);
				try_post(&p.b, &(struct wr){
					.op = n[0]++ % 2 ? IBV_WR_SEND :
							   IBV_WR_RDMA_WRITE,
					.len = 64, .raddr = at(&p.a, 0),
					.rkey = p.a.mr->rkey,
					.unsignaled = true });
				if (which != 3)
					usleep(100);
			}
			stop = true;
			while (nth)
				pthread_join(th[--nth], NULL);
			test_info("%s, round %d", names[which], round);
			/* All of it must go, at once. */
			end = deadline(5000);
			pair_close(&p);
			EXPECT(!passed(end), "closing took long");
		}
	}
	fresh_pair_works();
}

/*
 * The entry changes between the kernel's look and its use: an inline length,
 * a count and an opcode that flip as fast as they can.
 */
static struct siw_sqe *flip_slots;

static void *flipper(void *arg)
{
	unsigned int k = 0;
	int i;

	(void)arg;
	while (!stop) {
		for (i = 0; i < SQ_N; i++) {
			flip_slots[i].num_sge = k & 1 ? 255 : 1;
			flip_slots[i].sge[0].length = k & 2 ? 0xffffffff : 16;
			flip_slots[i].opcode = k & 4 ? SIW_OP_REG_MR :
						       SIW_OP_SEND;
		}
		k++;
	}
	return NULL;
}

static void read_once(void)
{
	struct siw_cqe cqe;
	struct rings r;
	struct pair p;
	pthread_t th;
	uint64_t end = now_ms() + 8000;
	int tries = 0;

	while (!passed(end)) {
		open_abused(&p, &r);
		flip_slots = r.sq;
		stop = false;
		pthread_create(&th, NULL, flipper, NULL);
		for (tries = 0; tries < 50; tries++) {
			struct siw_sqe e = good_sqe(&p);

			e.opcode = SIW_OP_SEND;
			recv_at(&p.b, 1, 0, 64);
			e.flags |= tries & 1 ? SIW_WQE_INLINE : 0;
			put_sqe(&r, e);
			doorbell(p.a.qp);
			if (!wait_cqe(send_cq(&r), tries, &cqe))
				break;
			EXPECT(cqe.status < SIW_NUM_WC_STATUS, "status %u",
			       cqe.status);
			if (cqe.status)
				break;
		}
		stop = true;
		pthread_join(th, NULL);
		pair_close(&p);
	}
	fresh_pair_works();
}

/* ---- the calls ---- */

/* Other keys than those handed out, other sizes, other protections. */
static void mmap_keys(void)
{
	struct rings r;
	struct pair p;
	off_t off;
	void *m;
	int fd;
	int i, n;

	open_abused(&p, &r);
	fd = p.a.qp->context->cmd_fd;
	n = nmaps;
	for (off = 0; off < 1 << 22; off += 4096) {
		bool known = false;

		for (i = 0; i < n; i++)
			known |= maps[i].off == off && maps[i].fd == fd;
		nmaps = n;
		m = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED,
			 fd, off);
		EXPECT(m == MAP_FAILED, "1 MiB mapped at %lx", (long)off);
		if (known)
			continue;
		m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			 off);
		EXPECT(m == MAP_FAILED, "mapped unknown offset %lx",
		       (long)off);
	}
	m = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_SHARED,
		 fd, maps[0].off);
	if (m != MAP_FAILED)
		test_info("a ring can be mapped executable");
	pair_works(&p);
	pair_close(&p);
}

/*
 * A queue pair with completions in a CQ of another context: one context's
 * handles mean nothing in another, be it of the same process.
 */
static void foreign_cq(void)
{
	struct ibv_context *ctx = open_device(NS_A);
	struct ibv_context *other = open_device(NS_A);
	struct ibv_qp_init_attr ia;
	struct ibv_cq *theirs[8];
	struct ibv_cq *own;
	struct ibv_pd *pd;
	struct ibv_qp *qp;
	uint32_t handle;
	size_t i;

	ASSERT(ctx && other, "no device on va");
	pd = ibv_alloc_pd(ctx);
	ASSERT(pd, "ibv_alloc_pd");
	own = ibv_create_cq(ctx, 16, NULL, NULL, 0);
	ASSERT(own, "ibv_create_cq");
	/* Each context counts from 0: the last is one that @ctx has not got to. */
	for (i = 0; i < ARRAY_SIZE(theirs); i++) {
		theirs[i] = ibv_create_cq(other, 16, NULL, NULL, 0);
		ASSERT(theirs[i], "ibv_create_cq");
	}
	handle = own->handle;
	ASSERT(theirs[i - 1]->handle > handle + 1, "handle %u, own %u",
	       theirs[i - 1]->handle, handle);
	ia = (struct ibv_qp_init_attr){
		.send_cq = own, .recv_cq = own, .qp_type = IBV_QPT_RC,
		.cap = { 8, 8, 1, 1, 0 },
	};
	own->handle = theirs[i - 1]->handle;
	errno = 0;
	qp = ibv_create_qp(pd, &ia);
	EXPECT(!qp && (errno == EINVAL || errno == ENOENT),
	       "on a CQ of another context: %m");
	own->handle = handle;
	if (qp)
		ibv_destroy_qp(qp);
	/* It was the CQ that was wrong. */
	qp = ibv_create_qp(pd, &ia);
	ASSERT(qp, "ibv_create_qp");
	EXPECT_EQ(0, ibv_destroy_qp(qp));
	while (i)
		EXPECT_EQ(0, ibv_destroy_cq(theirs[--i]));
	EXPECT_EQ(0, ibv_destroy_cq(own));
	EXPECT_EQ(0, ibv_dealloc_pd(pd));
	ibv_close_device(other);
	ibv_close_device(ctx);
}

/* There is nothing behind a ring that could be mapped. */
static void mapping_grows(void)
{
	size_t more = sysconf(_SC_PAGESIZE);
	struct rings r;
	struct pair p;
	int i, n = 0;

	open_abused(&p, &r);
	for (i = 0; i < nmaps; i++) {
		if (maps[i].fd != p.a.qp->context->cmd_fd)
			continue;
		errno = 0;
		/* If it were, the provider's would be gone: no way on. */
		ASSERT(mremap(maps[i].addr, maps[i].len, maps[i].len + more,
			      MREMAP_MAYMOVE) == MAP_FAILED,
		       "%zu octets became more", maps[i].len);
		EXPECT_EQ(EFAULT, errno);
		n++;
	}
	EXPECT(n >= 4, "only %d mappings", n);
	pair_works(&p);
	pair_close(&p);
}

/* A ring outlives its queue as a mapping only. */
static void late_doorbell(void)
{
	struct siw_sqe *sq;
	struct rings r;
	struct pair p;
	struct side s;
	int i;

	open_abused(&p, &r);
	/* Map it once more, for the provider unmaps its own. */
	sq = NULL;
	for (i = 0; i < nmaps; i++)
		if (maps[i].addr == r.sq)
			sq = mmap(NULL, maps[i].len, PROT_READ | PROT_WRITE,
				  MAP_SHARED, maps[i].fd, maps[i].off);
	if (sq == MAP_FAILED)
		sq = NULL;
	s = p.a;
	side_to_err(&p.a);
	for (i = 0; i < 1000; i++)
		EXPECT_EQ(0, doorbell(p.a.qp));
	if (sq) {
		for (i = 0; i < SQ_N; i++)
			sq[i].flags = SIW_WQE_VALID;
		doorbell(p.a.qp);
	}
	sleep_ms(50);
	pair_close(&p);
	if (sq)
		memset(sq, 0xff, SQ_N * sizeof(*sq));
	(void)s;
	fresh_pair_works();
}

/* Doorbells for queue pairs of others, and of nobody. */
static void wrong_doorbells(void)
{
	struct ibv_qp fake;
	struct rings r;
	struct pair p;
	uint32_t h;

	open_abused(&p, &r);
	for (h = 0; h < 200; h++) {
		fake = *p.a.qp;
		fake.handle = h * 7919;
		doorbell(&fake);
	}
	pair_works(&p);
	pair_close(&p);
}

/*
 * A work request in the call itself is for queues of the kernel: it would be
 * believed, addresses included.
 */
static int post_in_call(struct ibv_qp *qp)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_post_send cmd;
		struct ib_uverbs_send_wr wr;
	} req = {
		.hdr = {
			.command = IB_USER_VERBS_CMD_POST_SEND,
			.in_words = sizeof(req) / 4,
			.out_words = sizeof(struct ib_uverbs_post_send_resp) / 4,
		},
		.cmd = {
			.qp_handle = qp->handle,
			.wr_count = 1,
			.wqe_size = sizeof(req.wr),
		},
		.wr = {
			.wr_id = 1,
			.opcode = IBV_WR_SEND,
			.send_flags = IBV_SEND_SIGNALED,
		},
	};
	struct ib_uverbs_post_send_resp resp;

	req.cmd.response = (uintptr_t)&resp;
	return write(qp->context->cmd_fd, &req, sizeof(req)) ==
	       sizeof(req) ? 0 : errno;
}

static void work_in_doorbell(void)
{
	struct pair p;

	pair_open(&p, NULL);
	recv_at(&p.b, 1, 0, 64);
	EXPECT_EQ(EINVAL, post_in_call(p.a.qp));
	EXPECT(no_wc(p.a.scq, 100) && no_wc(p.b.rcq, 0), "it was done");
	POST(&p.a, .op = IBV_WR_SEND, .id = 2);
	WANT_WC(p.a.scq, 2, IBV_WC_SUCCESS);
	WANT_WC(p.b.rcq, 1, IBV_WC_SUCCESS);
	pair_close(&p);
}

/* Two threads that ring and post, and never a lost doorbell. */
static void *ringer(void *arg)
{
	while (!stop)
		doorbell(arg);
	return NULL;
}

static void lost_doorbell(void)
{
	struct pair p;
	struct ibv_wc wc;
	pthread_t th;
	int sent;

	pair_open(&p, NULL);
	stop = false;
	pthread_create(&th, NULL, ringer, p.a.qp);
	for (sent = 0; sent < 5000; sent++) {
		POST(&p.a, .op = IBV_WR_RDMA_WRITE, .len = 8, .id = sent,
		     .raddr = at(&p.b, 0), .rkey = p.b.mr->rkey);
		ASSERT(wait_wc(p.a.scq, &wc, 5000), "post %d got lost", sent);
		ASSERT(wc.status == IBV_WC_SUCCESS && wc.wr_id == (uint64_t)sent,
		       "post %d", sent);
	}
	stop = true;
	pthread_join(th, NULL);
	/* And with nobody helping, at the edge of the queue running dry. */
	for (sent = 0; sent < 5000;) {
		int burst = 1 + sent % 5;
		int i;

		for (i = 0; i < burst; i++)
			POST(&p.a, .op = IBV_WR_RDMA_WRITE, .len = 8,
			     .id = sent + i, .raddr = at(&p.b, 0),
			     .rkey = p.b.mr->rkey);
		for (i = 0; i < burst; i++, sent++)
			ASSERT(wait_wc(p.a.scq, &wc, 5000),
			       "post %d got lost", sent);
	}
	pair_close(&p);
}

static const struct test tests[] = {
	{ "posting by hand works", by_hand },
	{ "opcodes not for users", opcodes, 120, .slow = true },
	{ "num_sge of 7 to 255", num_sge, 60 },
	{ "inline length above 80", inline_length, 60 },
	{ "Reads that cannot be", reads },
	{ "SGEs that point nowhere", sges, 60 },
	{ "flags that mean nothing", flags, 60, .slow = true },
	{ "bad receive queue entries", bad_rqe, 60 },
	{ "entries that change while they are read", read_once, 60,
	  .slow = true },
	{ "random octets while the doorbell rings", random_rings, 120,
	  .slow = true },
	{ "mmap of keys not handed out", mmap_keys, 60 },
	{ "a queue pair on a CQ of another context", foreign_cq },
	{ "a mapped queue cannot grow", mapping_grows },
	{ "doorbells in ERROR and after destroy", late_doorbell },
	{ "doorbells for queue pairs that do not exist", wrong_doorbells },
	{ "a doorbell with a work request in it", work_in_doorbell },
	{ "no doorbell is lost", lost_doorbell, 90, .slow = true },
};

int main(int argc, char **argv)
{
	return harness_main(argc, argv, tests, ARRAY_SIZE(tests));
}
