/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * A small vocabulary for tests of the siw driver, so that each of them reads
 * as a script.
 *
 *	netns sa                          netns sb
 *	+----------------------+          +----------------------+
 *	| siwa                 |          |                 siwb |
 *	|   va 10.83.0.1/24    |<- veth ->|    vb 10.83.0.2/24   |
 *	|      fd83::1/64      | MTU 1500 |       fd83::2/64     |
 *	+----------------------+          +----------------------+
 *
 * One process drives both ends: a thread's network namespace is switched with
 * setns() before each call of rdma_cm that looks at it.  topo.sh makes and
 * removes the topology.
 *
 * Each test runs in a child of its own: a failed ASSERT leaves by exit() and
 * lets the kernel clean up, a hang is killed at its time limit.  After each
 * test the kernel log must hold no new warning and the counts of "rdma
 * resource" must be back where they were.
 */
#ifndef SIW_KSFT_HARNESS_H
#define SIW_KSFT_HARNESS_H

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/types.h>
#include <infiniband/verbs.h>
#include <rdma/rdma_cma.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define NS_A "sa"
#define NS_B "sb"
#define ADDR_A "10.83.0.1"
#define ADDR_B "10.83.0.2"
#define ADDR6_A "fd83::1"
#define ADDR6_B "fd83::2"

/* ---- KTAP ---- */

/**
 * struct test - one line of the report
 * @name: what holds, in words
 * @run: the script; runs in a child process of its own
 * @seconds: time limit, 0 for the usual one
 * @fresh: rebuild the topology before this test
 * @slow: takes seconds; -q leaves it out
 * @scarce: takes nearly all memory: an allocation that fails is no alarm
 */
struct test {
	const char *name;
	void (*run)(void);
	unsigned int seconds;
	bool fresh;
	bool slow;
	bool scarce;
};

int harness_main(int argc, char **argv, const struct test *tests, size_t n);

/* What a random test began with; told with a failure.  --seed replays it. */
uint64_t first_seed(void);
void seed_is(uint64_t seed);

extern int verbose;
extern bool faults_wanted;	/* memory is short on purpose: no alarm */
extern bool forgiving;		/* what fails now is not the driver's fault */

void test_fail(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void test_skip(const char *fmt, ...)
	__attribute__((noreturn, format(printf, 1, 2)));
void test_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void test_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void test_stop(void) __attribute__((noreturn));

#define FAIL(...) test_fail(__FILE__, __LINE__, __VA_ARGS__)
#define SKIP(...) test_skip(__VA_ARGS__)

/* Note a failure and go on. */
#define EXPECT(cond, fmt, ...)						\
	do {								\
		if (!(cond))						\
			test_fail(__FILE__, __LINE__, "%s: " fmt,	\
				  #cond, ##__VA_ARGS__);		\
	} while (0)

/* Note a failure and leave the test. */
#define ASSERT(cond, fmt, ...)						\
	do {								\
		if (!(cond)) {						\
			test_fail(__FILE__, __LINE__, "%s: " fmt,	\
				  #cond, ##__VA_ARGS__);		\
			test_stop();					\
		}							\
	} while (0)

#define EXPECT_EQ(want, got)						\
	do {								\
		long long want_ = (long long)(want);			\
		long long got_ = (long long)(got);			\
									\
		if (want_ != got_)					\
			test_fail(__FILE__, __LINE__,			\
				  "%s: want %lld, got %lld", #got,	\
				  want_, got_);				\
	} while (0)

/* ---- time, namespaces, shell ---- */

uint64_t now_ms(void);
void sleep_ms(unsigned int ms);
unsigned int slow(unsigned int ms);	/* stretched on slow machines */
void ns_enter(const char *ns);
int sh(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int topo(const char *verb);		/* runs "topo.sh verb" */
int beside(const char *command);	/* a script of this directory */
long resources(void);			/* sum of "rdma resource", or -1 */
bool resources_back(long baseline, unsigned int ms);

/* A deadline of @ms, stretched; loops ask whether it has passed. */
uint64_t deadline(unsigned int ms);
bool passed(uint64_t deadline);

/* ---- data ---- */

uint8_t pattern(uint32_t seed, size_t i);
void fill(void *buf, size_t len, uint32_t seed);
#define CHECK(buf, len, seed) check_at(__FILE__, __LINE__, buf, len, seed)
bool check_at(const char *file, int line, const void *buf, size_t len,
	      uint32_t seed);
#define CHECK_BYTE(buf, len, val) \
	check_byte_at(__FILE__, __LINE__, buf, len, val)
bool check_byte_at(const char *file, int line, const void *buf, size_t len,
		   uint8_t val);

/* ---- one end of a connection, run by the driver ---- */

/**
 * struct opts - how to make an end; zero means the usual value
 * @sq: send queue depth (32)
 * @rq: receive queue depth (32)
 * @no_rq: ask for max_recv_wr 0
 * @srq: depth of a shared receive queue, none if 0
 * @sge: gather entries (4)
 * @inl: octets of inline data (0)
 * @cqe: depth of each CQ (256)
 * @sig_all: create with sq_sig_all
 * @ird: responder_resources (4)
 * @ord: initiator_depth (4)
 * @pdata: private data of connect, accept
 * @plen: its length
 * @buf: octets of the data buffer (64 KiB)
 * @access: of the data MR (everything)
 */
struct opts {
	uint32_t sq;
	uint32_t rq;
	bool no_rq;
	uint32_t srq;
	uint32_t sge;
	uint32_t inl;
	int cqe;
	bool sig_all;
	uint8_t ird;
	uint8_t ord;
	const void *pdata;
	uint8_t plen;
	size_t buf;
	int access;
};

/**
 * struct side - one end
 * @ns: namespace it lives in
 * @o: how it was made
 * @ec: its event channel
 * @lid: listening id, on the passive end
 * @id: connection id
 * @pd: protection domain
 * @scc: completion channel of @scq
 * @rcc: completion channel of @rcq
 * @scq: CQ of the send queue
 * @rcq: CQ of the receive queue
 * @srq: shared receive queue or NULL
 * @qp: the queue pair
 * @attr: as returned by creating @qp
 * @buf: data buffer
 * @mr: its region
 * @event: last rdma_cm event
 * @status: its status
 * @pdata: its private data
 * @plen: length of that
 * @ird: responder_resources of the event
 * @ord: initiator_depth of the event
 */
struct side {
	const char *ns;
	struct opts o;
	struct rdma_event_channel *ec;
	struct rdma_cm_id *lid;
	struct rdma_cm_id *id;
	struct ibv_pd *pd;
	struct ibv_comp_channel *scc;
	struct ibv_comp_channel *rcc;
	struct ibv_cq *scq;
	struct ibv_cq *rcq;
	struct ibv_srq *srq;
	struct ibv_qp *qp;
	struct ibv_qp_init_attr attr;
	uint8_t *buf;
	struct ibv_mr *mr;
	int event;
	int status;
	uint8_t pdata[256];
	uint8_t plen;
	uint8_t ird;
	uint8_t ord;
};

void addr_of(struct sockaddr_storage *ss, const char *ip, uint16_t port,
	     const char *dev);
void side_init(struct side *s, const char *ns, const struct opts *o);
void side_open(struct side *s);		/* PD, CQs, QP, MR; needs s->id */
void side_listen(struct side *s, const char *ip, uint16_t port, int backlog);
void side_resolve(struct side *s, const char *ip, uint16_t port);
void side_resolve_dev(struct side *s, const char *ip, uint16_t port,
		      const char *dev);
struct rdma_conn_param side_param(const struct side *s);
int side_connect(struct side *s);
int side_accept(struct side *s);
int side_event(struct side *s, unsigned int ms);	/* -1: none came */
void side_want(struct side *s, int event);
int side_async(struct side *s, unsigned int ms);	/* -1: none came */
int side_async_qp(struct side *s, unsigned int ms);	/* any QP error */
enum ibv_qp_state side_state(struct side *s);
int side_to_err(struct side *s);
void side_close(struct side *s);
struct ibv_context *open_device(const char *ns);

/* ---- two ends, connected: a in sa is active, b in sb passive ---- */

struct pair {
	struct side a;
	struct side b;
};

uint16_t next_port(void);
/* Everything but the connection; the port where b listens. */
uint16_t pair_ready(struct pair *p, const struct opts *oa,
		    const struct opts *ob);
void pair_connect(struct pair *p);
void pair_open(struct pair *p, const struct opts *o);
void pair_open2(struct pair *p, const struct opts *oa, const struct opts *ob);
void pair_again(struct pair *p);	/* a new connection on a new pair */
void pair_close(struct pair *p);
void pair_works(struct pair *p);	/* one send each way, one write, read */
void fresh_pair_works(void);
bool new_process_works(void);

/* ---- work requests ---- */

/**
 * struct wr - a work request on the data buffer of its side
 * @op: IBV_WR_*
 * @off: offset in the data buffer
 * @len: octets
 * @raddr: remote address
 * @rkey: remote key, also the STag to invalidate
 * @flags: IBV_SEND_*, without IBV_SEND_SIGNALED
 * @unsignaled: do not ask for a completion
 * @id: work request id
 * @lkey: local key, 0 for that of the data region
 */
struct wr {
	enum ibv_wr_opcode op;
	size_t off;
	uint32_t len;
	uint64_t raddr;
	uint32_t rkey;
	unsigned int flags;
	bool unsignaled;
	uint64_t id;
	uint32_t lkey;
};

int try_post(struct side *s, const struct wr *w);
void post(struct side *s, const struct wr *w);
/* With one doorbell: both are on their way before the peer can answer. */
void post_two(struct side *s, const struct wr *first, const struct wr *second);
#define POST(s, ...) post(s, &(struct wr){ __VA_ARGS__ })
int try_recv(struct side *s, uint64_t id, size_t off, uint32_t len);
void recv_at(struct side *s, uint64_t id, size_t off, uint32_t len);
bool wait_wc(struct ibv_cq *cq, struct ibv_wc *wc, unsigned int ms);
struct ibv_wc next_wc(struct ibv_cq *cq);
#define WANT_WC(cq, id, status) want_wc(__FILE__, __LINE__, cq, id, status)
struct ibv_wc want_wc(const char *file, int line, struct ibv_cq *cq,
		      uint64_t id, enum ibv_wc_status status);
bool no_wc(struct ibv_cq *cq, unsigned int ms);
uint64_t at(const struct side *s, size_t off);	/* address of an offset */

#endif /* SIW_KSFT_HARNESS_H */
