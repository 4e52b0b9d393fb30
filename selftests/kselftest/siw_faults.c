// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Allocations of each call fail: those below the driver in turn, the others at
 * random.
 *
 *	netns sa                          netns sb
 *	+----------------------+          +----------------------+
 *	| siwa   side a        |<- veth ->|        side b   siwb |
 *	| siwf   on a dummy    |          |                      |
 *	+----------------------+          +----------------------+
 *
 * A call is made with its first allocation failing, with its second, and so on
 * until it has come through untouched (/proc/PID/fail-nth).  In between it may
 * succeed, if it could do without, or fail; then nothing is left of it, and
 * the same call works at once.  Those with the driver on the stack fail one by
 * one, however long it takes; only where there are more than IN_TURN, as in
 * whatever adds or deletes a link, and before 6.1, where the kernel cannot tell
 * them, there is no such round.  Then all allocations of the call do, in random
 * order: where there are more than fit into SIW_FAULTS_SECONDS, the test says how
 * many it made fail.  What the driver does in interrupts and workers belongs to no
 * call: there the allocations below it fail at random, for as long.
 *
 * Needs CONFIG_FAULT_INJECTION, CONFIG_FAILSLAB, CONFIG_FAIL_PAGE_ALLOC and
 * their files in debugfs.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "chance.h"
#include "harness.h"
#include "nldev.h"

#define DEBUGFS "/sys/kernel/debug"
#define MOST 20000		/* no call allocates so often */
#define IN_TURN 100		/* as many take minutes in a slow debug kernel */
#define LARGE 262144

/* ---- fault injection ---- */

static void set(const char *which, const char *what, const char *value)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), DEBUGFS "/%s/%s", which, what);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, value, strlen(value)) < 0)
		test_note("%s: %s", path, strerror(errno));
	close(fd);
}

static void set_both(const char *what, const char *value)
{
	set("failslab", what, value);
	set("fail_page_alloc", what, value);
}

static void aim_anywhere(void)
{
	set_both("require-start", "0");
	set_both("require-end", "0xffffffffffffffff");
}

/* Only allocations with the driver on the stack, where the kernel can tell. */
static bool aim_at_driver(void)
{
	unsigned long long addr, from = -1ull, to = 0;
	char line[256], name[64], type;
	FILE *f = fopen("/proc/kallsyms", "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%llx %c %*s [%63[^]]]", &addr, &type,
			   name) != 3 || strcmp(name, "siw") ||
		    (type != 't' && type != 'T'))
			continue;
		if (addr < from)
			from = addr;
		if (addr > to)
			to = addr;
	}
	if (f)
		fclose(f);
	if (!to || access(DEBUGFS "/failslab/require-start", F_OK))
		return false;
	snprintf(line, sizeof(line), "0x%llx", from);
	set_both("require-start", line);
	snprintf(line, sizeof(line), "0x%llx", to + 4096);
	set_both("require-end", line);
	set_both("stacktrace-depth", "32");
	return true;
}

/* Any allocation may fail, and the kernel does not show its stack each time. */
static void prepare_faults(void)
{
	aim_anywhere();
	set_both("probability", "0");
	set_both("verbose", "0");
	set_both("interval", "1");
	set_both("space", "0");
	set_both("task-filter", "N");
	set_both("ignore-gfp-wait", "N");
	set("fail_page_alloc", "ignore-gfp-highmem", "N");
	set("fail_page_alloc", "min-order", "0");
}

/* The @n-th allocation of this thread from now on fails; 0 for none. */
static int nth_fd;

static void fail_nth(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	ASSERT(pwrite(nth_fd, text, len, 0) == len, "fail-nth");
}

/* How many are still missing; 0 if it has failed. */
static unsigned int allocations_to_go(void)
{
	char text[16] = "";

	ASSERT(pread(nth_fd, text, sizeof(text) - 1, 0) > 0, "fail-nth");
	return strtoul(text, NULL, 10);
}

static unsigned int seconds_per_call(void)
{
	return env_number("SIW_FAULTS_SECONDS", 5);
}

/* ---- the calls ---- */

/**
 * struct call - one call, made again and again
 * @prepare: what it needs; no allocation fails
 * @act: the call. Return: 0 if it succeeded
 * @finish: told how it ended; takes all of it down again
 */
struct call {
	void (*prepare)(void);
	int (*act)(void);
	void (*finish)(bool ok);
};

/* No allocation fails. */
static int call_cleanly(const struct call *c)
{
	int rc;

	if (c->prepare)
		c->prepare();
	rc = c->act();
	c->finish(!rc);
	return rc;
}

/**
 * call_failing() - make a call, and its @n-th allocation fail
 * @c: the call
 * @n: which, from 1
 * @baseline: what resources() said before
 * @needed: counts the calls that failed
 *
 * Return: how many allocations it made, if fewer than @n; else @n
 */
static unsigned int call_failing(const struct call *c, unsigned int n,
				 long baseline, unsigned int *needed)
{
	unsigned int left;
	int rc;

	if (c->prepare)
		c->prepare();
	fail_nth(n);
	rc = c->act();
	left = allocations_to_go();
	fail_nth(0);
	c->finish(!rc);
	EXPECT(resources_back(baseline, 10000),
	       "allocation %u: objects are left", n);
	if (left) {
		EXPECT(!rc, "%d without a fault", rc);
		return n - left;
	}
	if (rc) {
		++*needed;
		rc = call_cleanly(c);
		EXPECT(!rc, "after allocation %u had failed: %d", n, rc);
	}
	return n;
}

/* 1 to @n in random order. */
static void shuffled(unsigned int *v, unsigned int n, struct rng *r)
{
	unsigned int i, j;

	for (i = 0; i < n; i++) {
		j = below(r, i + 1);
		v[i] = v[j];
		v[j] = i + 1;
	}
}

/* Those that it makes with the driver on the stack, one by one to the last. */
static void each_in_turn(const struct call *c, long baseline)
{
	unsigned int count, n, needed = 0;

	count = call_failing(c, MOST, baseline, &needed);
	if (count > IN_TURN) {
		test_note("%u allocations below the driver: not in turn", count);
		return;
	}
	/* The count is not the same each time, but there is an end to it. */
	for (n = 1; call_failing(c, n, baseline, &needed) == n; n++)
		ASSERT(n < 2 * IN_TURN, "%u allocations, and no end to it", n);
	test_note("all %u allocations below the driver, %u of them needed",
		  n - 1, needed);
}

static void each_allocation(const struct call *c)
{
	static unsigned int order[MOST];
	unsigned int count, i, needed = 0;
	uint64_t seed = first_seed(), end;
	struct rng r;
	long baseline;

	if (nth_fd <= 0) {
		nth_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
		ASSERT(nth_fd > 0, "fail-nth");
	}
	prepare_faults();
	/* Once without, so that everything that stays has been made. */
	ASSERT(!call_cleanly(c), "does not work at all");
	baseline = resources();
	if (aim_at_driver())
		each_in_turn(c, baseline);
	else
		test_note("the driver's allocations cannot be told from others");
	aim_anywhere();
	end = now_ms() + 1000 * seconds_per_call();
	count = call_failing(c, MOST, baseline, &needed);
	ASSERT(count < MOST, "%u allocations, and no end to it", MOST);
	rng_seed(&r, seed);
	shuffled(order, count, &r);
	for (i = 0; i < count && !passed(end); i++)
		call_failing(c, order[i], baseline, &needed);
	/* The count is not the same each time: a cache fills, a worker helps. */
	for (; i == count && count < MOST && !passed(end); i = ++count)
		if (call_failing(c, count + 1, baseline, &needed) <= count)
			break;
	test_note("%u of %u allocations, %u of them needed", i, count, needed);
}

#define CALL(name)							\
	static void each_##name(void)					\
	{								\
		each_allocation(&(struct call){				\
			name##_prepare, name##_act, name##_finish });	\
	}

/* ---- links ---- */

static void link_add_prepare(void)
{
	ns_enter(NS_A);
	if (access("/sys/class/net/sf", F_OK))
		sh("ip link add sf type dummy 2>/dev/null; ip link set sf up");
}

static int link_add_act(void)
{
	return nldev_link_add("siwf", "sf");
}

static void link_add_finish(bool ok)
{
	int rc = nldev_link_del("siwf");

	/* A link may be there though its answer was not. */
	if (ok)
		EXPECT(!rc, "link del: %d", rc);
}
CALL(link_add)

static void link_del_prepare(void)
{
	link_add_prepare();
	ASSERT(!nldev_link_add("siwf", "sf"), "link add");
}

static int link_del_act(void)
{
	return nldev_link_del("siwf");
}

static void link_del_finish(bool ok)
{
	int rc;

	if (ok)
		return;
	rc = nldev_link_del("siwf");
	EXPECT(!rc || rc == -ENODEV, "link del, once more: %d", rc);
}
CALL(link_del)

/* ---- verbs ---- */

static struct ibv_context *ctx;
static struct ibv_pd *pd;
static struct ibv_comp_channel *channel;
static struct ibv_cq *cq;
static struct ibv_srq *srq;
static struct ibv_mr *mr;
static struct ibv_qp *qp;
static uint8_t *memory;

static struct ibv_device *device_of_a(void)
{
	static struct ibv_device *dev;

	if (!dev) {
		struct ibv_context *c = open_device(NS_A);

		ASSERT(c, "no device in sa");
		dev = c->device;
		/* Stays open, or the library forgets the device. */
	}
	return dev;
}

static void open_prepare(void)
{
	device_of_a();
}

static int open_act(void)
{
	ctx = ibv_open_device(device_of_a());
	return ctx ? 0 : -1;
}

static void open_finish(bool ok)
{
	if (ok)
		EXPECT_EQ(0, ibv_close_device(ctx));
	ctx = NULL;
}
CALL(open)

static void verbs_prepare(void)
{
	if (ctx)
		return;
	ctx = ibv_open_device(device_of_a());
	ASSERT(ctx, "ibv_open_device");
	pd = ibv_alloc_pd(ctx);
	cq = ibv_create_cq(ctx, 64, NULL, NULL, 0);
	memory = aligned_alloc(4096, LARGE);
	ASSERT(pd && cq && memory, "PD, CQ, memory");
	memset(memory, 1, LARGE);
}

static struct ibv_pd *new_pd;

#define pd_prepare verbs_prepare

static int pd_act(void)
{
	new_pd = ibv_alloc_pd(ctx);
	return new_pd ? 0 : -1;
}

static void pd_finish(bool ok)
{
	if (ok)
		EXPECT_EQ(0, ibv_dealloc_pd(new_pd));
}
CALL(pd)

#define chan_prepare verbs_prepare

static int chan_act(void)
{
	channel = ibv_create_comp_channel(ctx);
	return channel ? 0 : -1;
}

static void chan_finish(bool ok)
{
	if (ok)
		EXPECT_EQ(0, ibv_destroy_comp_channel(channel));
}
CALL(chan)

static struct ibv_cq *new_cq;

#define cq_prepare verbs_prepare

static int cq_act(void)
{
	new_cq = ibv_create_cq(ctx, 1000, NULL, NULL, 0);
	return new_cq ? 0 : -1;
}

static void cq_finish(bool ok)
{
	if (ok)
		EXPECT_EQ(0, ibv_destroy_cq(new_cq));
}
CALL(cq)

#define srq_prepare verbs_prepare

static int srq_act(void)
{
	struct ibv_srq_init_attr ia = { .attr = { .max_wr = 200,
						  .max_sge = 2 } };

	srq = ibv_create_srq(pd, &ia);
	return srq ? 0 : -1;
}

static void srq_finish(bool ok)
{
	if (ok)
		EXPECT_EQ(0, ibv_destroy_srq(srq));
}
CALL(srq)

#define mr_prepare verbs_prepare

static int mr_act(void)
{
	mr = ibv_reg_mr(pd, memory, LARGE, IBV_ACCESS_LOCAL_WRITE);
	return mr ? 0 : -1;
}

static void mr_finish(bool ok)
{
	if (ok)
		EXPECT_EQ(0, ibv_dereg_mr(mr));
}
CALL(mr)

#define qp_prepare verbs_prepare

static int qp_act(void)
{
	struct ibv_qp_init_attr ia = {
		.send_cq = cq, .recv_cq = cq, .qp_type = IBV_QPT_RC,
		.cap = { 200, 200, 2, 2, 0 },
	};

	qp = ibv_create_qp(pd, &ia);
	return qp ? 0 : -1;
}

static void qp_finish(bool ok)
{
	if (ok)
		EXPECT_EQ(0, ibv_destroy_qp(qp));
}
CALL(qp)

/* A destroy that could not be done can be done later. */
#define CALL_GONE(name, undo)						\
	static void name##_gone_prepare(void)				\
	{								\
		verbs_prepare();					\
		ASSERT(!name##_act(), "what is to go");			\
	}								\
	static int name##_gone_act(void)				\
	{								\
		return undo;						\
	}								\
	static void name##_gone_finish(bool ok)				\
	{								\
		if (!ok)						\
			EXPECT_EQ(0, undo);				\
	}								\
	CALL(name##_gone)

CALL_GONE(pd, ibv_dealloc_pd(new_pd))
CALL_GONE(cq, ibv_destroy_cq(new_cq))
CALL_GONE(srq, ibv_destroy_srq(srq))
CALL_GONE(mr, ibv_dereg_mr(mr))
CALL_GONE(qp, ibv_destroy_qp(qp))

static void limit_prepare(void)
{
	verbs_prepare();
	ASSERT(!srq_act(), "ibv_create_srq");
}

static int limit_act(void)
{
	struct ibv_srq_attr attr = { .srq_limit = 10 };

	return ibv_modify_srq(srq, &attr, IBV_SRQ_LIMIT);
}

static void limit_finish(bool ok)
{
	if (!ok)
		EXPECT_EQ(0, limit_act());
	srq_finish(true);
}
CALL(limit)

/* ---- connections ---- */

static struct pair p;
static uint16_t port;

static void ids_prepare(void)
{
	ns_enter(NS_A);
	if (!p.a.ec)
		side_init(&p.a, NS_A, NULL);
}

static int id_act(void)
{
	return rdma_create_id(p.a.ec, &p.a.id, NULL, RDMA_PS_TCP);
}

static void id_finish(bool ok)
{
	if (ok)
		EXPECT_EQ(0, rdma_destroy_id(p.a.id));
	p.a.id = NULL;
}

#define id_prepare ids_prepare
CALL(id)

static void listen_prepare(void)
{
	struct sockaddr_storage ss;

	ids_prepare();
	ASSERT(!id_act(), "rdma_create_id");
	addr_of(&ss, ADDR_A, next_port(), NULL);
	ASSERT(!rdma_bind_addr(p.a.id, (struct sockaddr *)&ss), "bind");
}

static int bind_act(void)
{
	struct sockaddr_storage ss;

	addr_of(&ss, ADDR_A, next_port(), NULL);
	return rdma_bind_addr(p.a.id, (struct sockaddr *)&ss);
}

static void bind_finish(bool ok)
{
	(void)ok;
	id_finish(true);
}

static void bind_prepare(void)
{
	ids_prepare();
	ASSERT(!id_act(), "rdma_create_id");
}
CALL(bind)

static int listen_act(void)
{
	return rdma_listen(p.a.id, 8);
}

#define listen_finish bind_finish
CALL(listen)

/* On each link there is. */
static void listen_any_prepare(void)
{
	struct sockaddr_storage ss;

	bind_prepare();
	addr_of(&ss, "0.0.0.0", next_port(), NULL);
	ASSERT(!rdma_bind_addr(p.a.id, (struct sockaddr *)&ss), "bind");
}

#define listen_any_act listen_act
#define listen_any_finish bind_finish
CALL(listen_any)

#define resolve_prepare bind_prepare

static int resolve_act(void)
{
	struct sockaddr_storage ss;

	addr_of(&ss, ADDR_B, 4000, NULL);
	return rdma_resolve_addr(p.a.id, NULL, (struct sockaddr *)&ss,
				 slow(5000));
}

static void resolve_finish(bool ok)
{
	if (ok)		/* how is another matter: a worker did it */
		EXPECT(side_event(&p.a, 10000) >= 0, "no event");
	id_finish(true);
}
CALL(resolve)

/* A pair, up to the point where a connects. */
static void connect_prepare(void)
{
	memset(&p, 0, sizeof(p));
	port = next_port();
	side_init(&p.b, NS_B, NULL);
	side_init(&p.a, NS_A, NULL);
	side_listen(&p.b, ADDR_B, port, 4);
	side_resolve(&p.a, ADDR_B, port);
	side_open(&p.a);
	ns_enter(NS_A);
}

static int connect_act(void)
{
	struct rdma_conn_param cp = side_param(&p.a);
	int rc = rdma_connect(p.a.id, &cp);

	/* TCP has two more words for it; to iw_cm a QP that is not given is none. */
	EXPECT(!rc || errno == ENOMEM || errno == ENOBUFS || errno == ENFILE ||
	       errno == EINVAL, "rdma_connect: %m");
	return rc;
}

static void close_both(void)
{
	side_close(&p.a);
	side_close(&p.b);
}

static void connect_finish(bool ok)
{
	if (ok) {
		side_want(&p.b, RDMA_CM_EVENT_CONNECT_REQUEST);
		side_open(&p.b);
		ASSERT(!side_accept(&p.b), "rdma_accept");
		side_want(&p.a, RDMA_CM_EVENT_ESTABLISHED);
		side_want(&p.b, RDMA_CM_EVENT_ESTABLISHED);
		pair_works(&p);
	}
	close_both();
}
CALL(connect)

static void accept_prepare(void)
{
	connect_prepare();
	ASSERT(!side_connect(&p.a), "rdma_connect");
	side_want(&p.b, RDMA_CM_EVENT_CONNECT_REQUEST);
	side_open(&p.b);
	ns_enter(NS_B);
}

static int accept_act(void)
{
	struct rdma_conn_param cp = side_param(&p.b);

	return rdma_accept(p.b.id, &cp);
}

static void accept_finish(bool ok)
{
	if (ok) {
		side_want(&p.a, RDMA_CM_EVENT_ESTABLISHED);
		side_want(&p.b, RDMA_CM_EVENT_ESTABLISHED);
		pair_works(&p);
	}
	close_both();
}
CALL(accept)

static int reject_act(void)
{
	return rdma_reject(p.b.id, "no", 2);
}

static void reject_finish(bool ok)
{
	if (ok)
		side_want(&p.a, RDMA_CM_EVENT_REJECTED);
	close_both();
}

#define reject_prepare accept_prepare
CALL(reject)

static void up_prepare(void)
{
	memset(&p, 0, sizeof(p));
	pair_open(&p, &(struct opts){ .buf = 2 * LARGE });
}

static int disconnect_act(void)
{
	return rdma_disconnect(p.a.id);
}

static void disconnect_finish(bool ok)
{
	if (ok) {
		side_want(&p.a, RDMA_CM_EVENT_DISCONNECTED);
		side_want(&p.b, RDMA_CM_EVENT_DISCONNECTED);
	}
	close_both();
}

#define disconnect_prepare up_prepare
CALL(disconnect)

static int modify_act(void)
{
	return side_to_err(&p.a);
}

static void modify_finish(bool ok)
{
	if (ok) {
		EXPECT_EQ(IBV_QPS_ERR, side_state(&p.a));
		side_want(&p.b, RDMA_CM_EVENT_DISCONNECTED);
	}
	close_both();
}

#define modify_prepare up_prepare
CALL(modify)

/*
 * A post without memory: it is sent later, or fails; it does not hang.  What is
 * said to have been transferred is there.
 */
static void transfer_finish(bool ok)
{
	struct ibv_wc wc;

	if (ok) {
		ASSERT(wait_wc(p.a.scq, &wc, 15000), "a post never completes");
		EXPECT(!wc.status, "a post failed: %s",
		       ibv_wc_status_str(wc.status));
	}
	if (ok && !wc.status && wc.opcode == IBV_WC_RDMA_READ)
		CHECK(p.a.buf + LARGE, LARGE, 5);
	close_both();
}

static void write_prepare(void)
{
	up_prepare();
	fill(p.a.buf, LARGE, 4);
}

static int write_act(void)
{
	return try_post(&p.a, &(struct wr){
		.op = IBV_WR_RDMA_WRITE, .len = LARGE, .raddr = at(&p.b, 0),
		.rkey = p.b.mr->rkey });
}

#define write_finish transfer_finish
CALL(write)

static void read_prepare(void)
{
	up_prepare();
	fill(p.b.buf, LARGE, 5);
}

static int read_act(void)
{
	return try_post(&p.a, &(struct wr){
		.op = IBV_WR_RDMA_READ, .off = LARGE, .len = LARGE,
		.raddr = at(&p.b, 0), .rkey = p.b.mr->rkey });
}

#define read_finish transfer_finish
CALL(read)

static void destroy_id_prepare(void)
{
	up_prepare();
	rdma_destroy_qp(p.a.id);
	p.a.qp = NULL;
}

static int destroy_id_act(void)
{
	int rc = rdma_destroy_id(p.a.id);

	if (!rc)
		p.a.id = NULL;
	return rc;
}

static void destroy_id_finish(bool ok)
{
	(void)ok;
	close_both();
}
CALL(destroy_id)

/* ---- below the driver, whoever runs it ---- */

/* What completes has to be right; that it completes is a must. */
static void transfer_somehow(struct pair *q, struct rng *r)
{
	bool read = chance(r, 50);
	struct side *to = read ? &q->a : &q->b;
	struct side *from = read ? &q->b : &q->a;
	uint32_t seed = rnd(r);
	uint32_t len = 1 + below(r, LARGE);
	struct ibv_wc wc;
	bool came;

	fill(from->buf, len, seed);
	if (!read)
		recv_at(to, 1, LARGE, LARGE);
	POST(&q->a, .op = read ? IBV_WR_RDMA_READ : IBV_WR_SEND,
	     .off = read ? LARGE : 0, .len = len, .raddr = at(&q->b, 0),
	     .rkey = q->b.mr->rkey);
	came = wait_wc(q->a.scq, &wc, 20000);
	if (came && !wc.status && !read)
		came = wait_wc(to->rcq, &wc, 20000);
	forgiving = false;
	ASSERT(came, "a work request never completes");
	if (!wc.status)
		CHECK(to->buf + LARGE, len, seed);
	forgiving = true;
	ASSERT(!wc.status, "the connection is lost");
}

static void try_connection(uint64_t seed)
{
	struct rng r;
	struct pair q;
	int n;

	forgiving = true;
	rng_seed(&r, seed);
	pair_open(&q, &(struct opts){ .buf = 2 * LARGE });
	for (n = below(&r, 16); n; n--)
		transfer_somehow(&q, &r);
	pair_close(&q);
	_exit(0);
}

static void below_the_driver(void)
{
	uint64_t seed = first_seed();
	uint64_t end = now_ms() + 1000 * seconds_per_call();
	unsigned int worked = 0, tried = 0;
	long baseline = resources();
	uint64_t limit;
	int status;
	pid_t pid;
	bool aimed;

	prepare_faults();
	aimed = aim_at_driver();
	test_note("seed %" PRIu64 ", faults %s", seed, aimed ?
		  "in what the driver calls" : "anywhere in the kernel");
	/* A bound, in case nobody is left to switch it off. */
	set_both("times", "100000");
	while (!passed(end)) {
		seed_is(++seed);
		fflush(stdout);
		set_both("probability", aimed ? seed % 2 ? "3" : "20" : "1");
		pid = fork();
		if (!pid)
			try_connection(seed);
		limit = deadline(60000);
		while (pid > 0 && waitpid(pid, &status, WNOHANG) != pid) {
			if (passed(limit)) {
				set_both("probability", "0");
				FAIL("a connection hangs");
				kill(pid, SIGKILL);
			}
			usleep(2000);
		}
		set_both("probability", "0");
		tried++;
		worked += pid > 0 && WIFEXITED(status) && !WEXITSTATUS(status);
		EXPECT(resources_back(baseline, 15000), "objects are left");
	}
	aim_anywhere();
	test_note("%u connections, %u came to their end", tried, worked);
	fresh_pair_works();
}

static struct test tests[] = {
	{ "link add", each_link_add },
	{ "link del", each_link_del },
	{ "ibv_open_device", each_open },
	{ "ibv_alloc_pd", each_pd },
	{ "ibv_create_comp_channel", each_chan },
	{ "ibv_create_cq", each_cq },
	{ "ibv_create_srq", each_srq },
	{ "ibv_reg_mr", each_mr },
	{ "ibv_create_qp", each_qp },
	{ "ibv_dealloc_pd", each_pd_gone },
	{ "ibv_destroy_cq", each_cq_gone },
	{ "ibv_destroy_srq", each_srq_gone },
	{ "ibv_dereg_mr", each_mr_gone },
	{ "ibv_destroy_qp", each_qp_gone },
	{ "ibv_modify_srq", each_limit },
	{ "rdma_create_id", each_id },
	{ "rdma_bind_addr", each_bind },
	{ "rdma_listen", each_listen },
	{ "rdma_listen at a wildcard", each_listen_any },
	{ "rdma_resolve_addr", each_resolve },
	{ "rdma_connect", each_connect },
	{ "rdma_accept", each_accept },
	{ "rdma_reject", each_reject },
	{ "rdma_disconnect", each_disconnect },
	{ "ibv_modify_qp to ERROR", each_modify },
	{ "a Write of 256 KiB", each_write },
	{ "a Read of 256 KiB", each_read },
	{ "rdma_destroy_id", each_destroy_id },
	{ "faults at random, in interrupts and workers too", below_the_driver },
};

int main(int argc, char **argv)
{
	unsigned int i;

	if (!geteuid() && access(DEBUGFS "/failslab", F_OK))
		sh("mount -t debugfs none " DEBUGFS " 2>/dev/null");
	if (access("/proc/self/fail-nth", F_OK) ||
	    access(DEBUGFS "/failslab", F_OK)) {
		printf("KTAP version 1\n1..0 # SKIP this kernel has no CONFIG_FAULT_INJECTION, or no debugfs\n");
		return 4;
	}
	faults_wanted = true;
	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		tests[i].seconds = seconds_per_call() + 120;
		tests[i].slow = true;
	}
	return harness_main(argc, argv, tests, ARRAY_SIZE(tests));
}
