// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Queues that are rewritten while work runs.
 *
 *	netns sa                          netns sb
 *	+----------------------+          +----------------------+
 *	| siwa   side a        |          |        side b   siwb |
 *	|  SQ RQ SRQ CQ ctrl   |<- veth ->|  SQ RQ SRQ CQ ctrl   |
 *	+----------------------+          +----------------------+
 *	  all of them rewritten by threads of a process of their own
 *
 * Each round is a process: it may crash over its own nonsense, for the
 * provider believes in its rings.  The kernel must not mind, memory that no
 * entry may write to must not change, and the process must be able to close
 * everything, to exit and to be killed.
 *
 * SIW_FUZZ_SECONDS says how long, --seed where to begin.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <rdma/siw-abi.h>

#include "chance.h"
#include "harness.h"
#include "maps.h"

#define BUF 65536
#define FORBIDDEN 65536

static volatile bool stop;
static struct pair p;
static uint8_t *forbidden;
static struct ibv_mr *forbidden_mr;

/* ---- entries that might be, and others ---- */

static uint32_t some_len(struct rng *r)
{
	static const uint32_t v[] = { 0, 1, 16, 80, 81, 4096, 65536, 65537,
				      0x7fffffff, 0x80000000, 0xffffffff };

	return chance(r, 50) ? below(r, 4096) : v[below(r, ARRAY_SIZE(v))];
}

static struct siw_sge some_sge(struct rng *r)
{
	const struct side *s = chance(r, 50) ? &p.a : &p.b;
	struct siw_sge sge = {
		.laddr = at(s, below(r, BUF)),
		.length = some_len(r),
		.lkey = s->mr->lkey,
	};

	switch (below(r, 12)) {
	case 0:				/* may be read, not written */
		sge.laddr = (uintptr_t)forbidden + below(r, FORBIDDEN);
		sge.lkey = forbidden_mr->lkey;
		break;
	case 1:				/* a right key, elsewhere */
		sge.laddr = (uintptr_t)forbidden + below(r, FORBIDDEN);
		break;
	case 2:
		sge.laddr = rnd64(r);
		break;
	case 3:
		sge.lkey = chance(r, 50) ? rnd(r) : sge.lkey ^ 1 << below(r, 32);
		break;
	case 4:
		sge.laddr = 0xffff888000000000ull + rnd(r);
		break;
	}
	return sge;
}

static void new_sqe(struct rng *r, struct siw_sqe *slot)
{
	static const uint8_t ops[] = {
		SIW_OP_WRITE, SIW_OP_READ, SIW_OP_SEND, SIW_OP_SEND_REMOTE_INV,
		SIW_OP_READ_LOCAL_INV, SIW_OP_INVAL_STAG, SIW_OP_REG_MR,
		SIW_OP_READ_RESPONSE, SIW_OP_FETCH_AND_ADD, 255,
	};
	const struct side *peer = chance(r, 50) ? &p.a : &p.b;
	struct siw_sqe e = {
		.id = rnd(r),
		.num_sge = chance(r, 90) ? below(r, 7) : rnd(r),
		.opcode = ops[below(r, chance(r, 80) ? 4 : ARRAY_SIZE(ops))],
		.rkey = chance(r, 90) ? peer->mr->rkey : rnd(r),
		.raddr = chance(r, 90) ? at(peer, below(r, BUF)) : rnd64(r),
	};
	uint16_t flags = SIW_WQE_VALID;
	int i;

	for (i = 0; i < SIW_MAX_SGE; i++)
		e.sge[i] = some_sge(r);
	flags |= chance(r, 90) ? rnd(r) & 0x3f : rnd(r);
	*slot = e;
	__atomic_store_n(&slot->flags, flags, __ATOMIC_RELEASE);
}

static void new_rqe(struct rng *r, struct siw_rqe *slot)
{
	struct siw_rqe e = {
		.id = rnd(r),
		.num_sge = chance(r, 90) ? 1 + below(r, 6) : rnd(r),
		.opcode = rnd(r),
	};
	int i;

	for (i = 0; i < SIW_MAX_SGE; i++)
		e.sge[i] = some_sge(r);
	*slot = e;
	__atomic_store_n(&slot->flags, chance(r, 90) ? SIW_WQE_VALID : rnd(r),
			 __ATOMIC_RELEASE);
}

/* One octet, or one word, whatever it means. */
static void scribble(struct rng *r, const struct mapping *m)
{
	uint8_t *b = m->addr;

	if (chance(r, 50))
		b[below(r, m->len)] = rnd(r);
	else
		*(uint32_t *)(b + below(r, m->len / 4) * 4) =
			chance(r, 50) ? 0xffffffff : rnd(r);
}

static void rewrite_cq(struct rng *r, const struct mapping *m)
{
	unsigned int n = (m->len - sizeof(struct siw_cq_ctrl)) /
			 sizeof(struct siw_cqe);
	struct siw_cqe *cqe = m->addr;
	struct siw_cq_ctrl *ctrl = (void *)(cqe + n);
	unsigned int i;

	switch (below(r, 6)) {
	case 0:
	case 1:				/* as one who polls and arms */
		for (i = 0; i < n; i++)
			cqe[i].flags = 0;
		/* fall through */
	case 2:
		__atomic_store_n(&ctrl->flags, chance(r, 90) ? below(r, 8) :
				 rnd(r), __ATOMIC_SEQ_CST);
		break;
	case 3:				/* "full" */
		for (i = 0; i < n; i++)
			cqe[i].flags = SIW_WQE_VALID;
		break;
	default:
		scribble(r, m);
	}
}

static void rewrite(struct rng *r, const struct mapping *m)
{
	if (m->len % sizeof(struct siw_cqe) == sizeof(struct siw_cq_ctrl)) {
		rewrite_cq(r, m);
	} else if (chance(r, 40)) {
		scribble(r, m);
	} else if (!(m->len % sizeof(struct siw_sqe))) {
		struct siw_sqe *sqe = m->addr;

		new_sqe(r, &sqe[below(r, m->len / sizeof(*sqe))]);
	} else if (!(m->len % sizeof(struct siw_rqe))) {
		struct siw_rqe *rqe = m->addr;

		new_rqe(r, &rqe[below(r, m->len / sizeof(*rqe))]);
	}
}

static void *rewriter(void *arg)
{
	struct rng *r = arg;
	unsigned int pause = below(r, 3);

	while (!stop) {
		rewrite(r, &maps[below(r, nmaps)]);
		if (pause && !below(r, pause * 20))
			usleep(below(r, 300));
	}
	return NULL;
}

/* ---- one process ---- */

static struct opts some_opts(struct rng *r)
{
	return (struct opts){
		.sq = 1 << below(r, 8),
		.rq = 1 << below(r, 8),
		.srq = chance(r, 40) ? 1 << below(r, 8) : 0,
		.cqe = 1 << below(r, 9),
		.sge = 1 + below(r, 6),
		.sig_all = chance(r, 20),
		.buf = BUF,
	};
}

static void work(struct rng *r)
{
	struct side *s = chance(r, 50) ? &p.a : &p.b;
	struct side *peer = s == &p.a ? &p.b : &p.a;
	static const enum ibv_wr_opcode ops[] = {
		IBV_WR_SEND, IBV_WR_RDMA_WRITE, IBV_WR_RDMA_READ,
	};

	switch (below(r, 8)) {
	case 0:
	case 1:
	case 2:
		doorbell(s->qp);
		break;
	case 3:
	case 4:
		try_post(s, &(struct wr){
			.op = ops[below(r, 3)], .len = below(r, 8192),
			.raddr = at(peer, 0), .rkey = peer->mr->rkey });
		break;
	case 5:
	case 6:
		try_recv(s, 0, 0, 8192);
		break;
	default:
		ibv_req_notify_cq(chance(r, 50) ? s->scq : s->rcq,
				  chance(r, 50));
	}
}

static void round_of(uint64_t seed)
{
	struct rng r, th_rng[3];
	struct opts oa, ob;
	pthread_t th[3];
	unsigned int n, i;
	uint64_t end;

	rng_seed(&r, seed);
	oa = some_opts(&r);
	ob = some_opts(&r);
	nmaps = 0;
	pair_open2(&p, &oa, &ob);
	if (nmaps < 6)
		SKIP("the provider maps %d queues", nmaps);
	forbidden = aligned_alloc(4096, FORBIDDEN);
	memset(forbidden, 0xcd, FORBIDDEN);
	forbidden_mr = ibv_reg_mr(p.a.pd, forbidden, FORBIDDEN,
				  IBV_ACCESS_REMOTE_READ);
	ASSERT(forbidden_mr, "ibv_reg_mr");
	n = 1 + below(&r, 3);
	for (i = 0; i < n; i++) {
		rng_seed(&th_rng[i], rnd64(&r));
		pthread_create(&th[i], NULL, rewriter, &th_rng[i]);
	}
	end = now_ms() + 50 + below(&r, 300);
	while (!passed(end)) {
		work(&r);
		if (chance(&r, 5))
			usleep(below(&r, 1000));
	}
	if (chance(&r, 20))
		side_to_err(chance(&r, 50) ? &p.a : &p.b);
	CHECK_BYTE(forbidden, FORBIDDEN, 0xcd);
	if (chance(&r, 30))		/* in the middle of it */
		_exit(0);
	/* Everything can be closed, with the rewriters still at it or not. */
	if (chance(&r, 70)) {
		stop = true;
		for (i = 0; i < n; i++)
			pthread_join(th[i], NULL);
		EXPECT_EQ(0, ibv_dereg_mr(forbidden_mr));
		pair_close(&p);
	} else {
		rdma_disconnect(p.a.id);
		ibv_dereg_mr(forbidden_mr);
		side_to_err(&p.b);
		EXPECT_EQ(0, ibv_destroy_qp(p.a.qp));
	}
	_exit(0);
}

/* The process must be gone in the end, crashed, killed or by itself. */
static void round_process(uint64_t seed)
{
	bool killed = false;
	uint64_t end, kill_at;
	struct rng r;
	int status;
	pid_t pid;

	seed_is(seed);
	rng_seed(&r, ~seed);
	fflush(stdout);
	pid = fork();
	ASSERT(pid >= 0, "fork");
	if (!pid)
		round_of(seed);
	kill_at = now_ms() + (chance(&r, 20) ? below(&r, slow(300)) :
					       slow(15000));
	end = now_ms() + slow(30000);
	while (waitpid(pid, &status, WNOHANG) != pid) {
		ASSERT(!passed(end), "the process cannot be killed");
		if (!killed && passed(kill_at)) {
			kill(pid, SIGKILL);
			killed = true;
		}
		usleep(1000);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 4)
		_exit(4);		/* skipped, and said why */
}

static void rings(void)
{
	uint64_t end = now_ms() + 1000 * env_number("SIW_FUZZ_SECONDS", 2);
	uint64_t seed = first_seed();
	uint64_t said = now_ms();
	long baseline = resources();
	unsigned int rounds = 0;
	int status;
	pid_t pid;

	test_note("seed %" PRIu64, seed);
	while (!passed(end)) {
		round_process(seed++);
		if (++rounds % 8 && !passed(end))
			continue;
		pid = fork();
		if (!pid) {
			fresh_pair_works();
			_exit(0);
		}
		ASSERT(waitpid(pid, &status, 0) == pid && !status,
		       "others do not work");
		EXPECT(resources_back(baseline, 10000), "objects are left");
		if (now_ms() - said > 30000) {
			said = now_ms();
			test_note("%u rounds", rounds);
		}
	}
	test_note("%u rounds", rounds);
}

static struct test tests[] = {
	{ "queues rewritten while work runs", rings, .slow = true },
};

int main(int argc, char **argv)
{
	tests[0].seconds = env_number("SIW_FUZZ_SECONDS", 2) + 60;
	return harness_main(argc, argv, tests, ARRAY_SIZE(tests));
}
