// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include <arpa/inet.h>
#include <fcntl.h>
#include <getopt.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <time.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "harness.h"

#define ALL_ACCESS (IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_READ | \
		    IBV_ACCESS_REMOTE_WRITE)
#define TEST_SECONDS 30
#define EVENT_MS 10000
#define KSFT_SKIP 4

int verbose;
static bool quick;
static bool scarce;
bool faults_wanted;
bool forgiving;

/* What a child tells its parent besides its exit status. */
struct report {
	int failures;
	uint64_t seed;
	bool seeded;
	char skip[256];
};

static struct report *report;
static unsigned int slowness = 1;
static char here[512];		/* the directory of this program */
static pid_t running;		/* the child, while there is one */
static bool own_topo;
static uint64_t seed;

/* ---- KTAP ---- */

static void say(const char *fmt, va_list ap)
{
	char line[1024];
	char *p = line;
	char *nl;

	vsnprintf(line, sizeof(line), fmt, ap);
	while ((nl = strchr(p, '\n')) && nl[1]) {
		*nl = 0;
		printf("# %s\n", p);
		p = nl + 1;
	}
	if (nl)
		*nl = 0;
	printf("# %s\n", p);
	fflush(stdout);
}

void test_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void test_info(const char *fmt, ...)
{
	va_list ap;

	if (!verbose)
		return;
	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void test_fail(const char *file, int line, const char *fmt, ...)
{
	char text[900];
	va_list ap;
	int e = errno;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (forgiving) {
		test_info("%s:%d: %s", file, line, text);
		return;
	}
	/* A test that fails in a loop says so ten times, not ten thousand. */
	if (report->failures++ < 10)
		test_note("%s:%d: %s (errno %d %s)", file, line, text, e,
			  strerror(e));
}

void test_skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(report->skip, sizeof(report->skip), fmt, ap);
	va_end(ap);
	fflush(stdout);
	_exit(KSFT_SKIP);
}

void test_stop(void)
{
	fflush(stdout);
	_exit(1);
}

uint64_t first_seed(void)
{
	seed_is(seed);
	return seed;
}

void seed_is(uint64_t value)
{
	report->seed = value;
	report->seeded = true;
}

/* ---- the kernel log ---- */

static const char * const alarming[] = {
	"WARNING:", "BUG:", "KASAN", "KCSAN", "UBSAN", "Oops", "cut here",
	"circular locking", "recursive locking", "inconsistent lock state",
	"irq lock inversion", "bad unlock balance", "held lock freed",
	"suspicious RCU usage", "sleeping function", "blocked for more than",
	"soft lockup", "self-detected stall", "detected stalls", "refcount_t:",
	"to become free", "kmemleak:", "memory leak",
	/* Of a program it is "general protection fault ip:". */
	"general protection fault:", "general protection fault,",
	"RESTRACK detected leak", "unable to handle", "list_add corruption",
	"list_del corruption", "ODEBUG", "Call Trace", "invalid opcode:",
	"allocated at module unload",
};

/* A list of words is only a guess: these lines hold one and are harmless. */
static const char * const harmless[] = {
	"kmemleak: Kernel memory leak detector",
	"kmemleak: Automatic memory scanning",
	"kmemleak: Cannot allocate a scan area",	/* it scans all of it */
};

static int kmsg = -1;

static void kmsg_open(void)
{
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	if (kmsg >= 0)
		lseek(kmsg, 0, SEEK_END);
}

static bool has_any(const char *line, const char * const *words, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strstr(line, words[i]))
			return true;
	return false;
}

/* The kernel shows its stack as well where it only lacks memory. */
static const char * const short_of_memory[] = {
	"Call Trace", "page allocation failure", "vmalloc error",
};

static bool is_alarm(const char *line)
{
	if (has_any(line, harmless, ARRAY_SIZE(harmless)))
		return false;
	if ((faults_wanted || scarce) &&
	    has_any(line, short_of_memory, ARRAY_SIZE(short_of_memory)))
		return false;
	return has_any(line, alarming, ARRAY_SIZE(alarming));
}

/* How many alarming lines the kernel wrote since the last call. */
static int kmsg_alarms(void)
{
	char line[8192];
	int alarms = 0;
	int shown = 0;
	ssize_t n;
	char *text;

	if (kmsg < 0)
		return 0;
	for (;;) {
		n = read(kmsg, line, sizeof(line) - 1);
		if (n < 0 && errno == EPIPE)	/* overwritten: go on */
			continue;
		if (n <= 0)
			return alarms;
		line[n] = 0;
		text = strchr(line, ';');
		text = text ? text + 1 : line;
		text[strcspn(text, "\n")] = 0;
		if (is_alarm(text))
			alarms++;
		/* The first lines of a report say what it is about. */
		if (alarms && shown < 60) {
			test_note("kernel: %s", text);
			shown++;
		}
	}
}

/* ---- time, namespaces, shell ---- */

uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void sleep_ms(unsigned int ms)
{
	struct timespec ts = { ms / 1000, (ms % 1000) * 1000000L };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

unsigned int slow(unsigned int ms)
{
	return ms * slowness;
}

uint64_t deadline(unsigned int ms)
{
	return now_ms() + slow(ms);
}

bool passed(uint64_t end)
{
	return now_ms() >= end;
}

void ns_enter(const char *ns)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/var/run/netns/%s", ns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT(fd >= 0, "%s", path);
	ASSERT(!setns(fd, CLONE_NEWNET), "setns %s", ns);
	close(fd);
}

int sh(const char *fmt, ...)
{
	char cmd[1024];
	va_list ap;
	int rc;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	fflush(stdout);
	rc = system(cmd);
	test_info("%s: %d", cmd, rc);
	return rc == -1 ? -1 : WIFEXITED(rc) ? WEXITSTATUS(rc) : 128;
}

int topo(const char *verb)
{
	return sh("%s/topo.sh %s", here, verb);
}

int beside(const char *command)
{
	return sh("%s/%s", here, command);
}

bool resources_back(long baseline, unsigned int ms)
{
	uint64_t end = deadline(ms);
	long now;

	while ((now = resources()) > baseline) {
		if (passed(end)) {
			test_note("%ld objects left in \"rdma resource\"",
				  now - baseline);
			sh("rdma resource show | sed 's/^/# /'");
			return false;
		}
		sleep_ms(20);
	}
	return true;
}

/* ---- running the tests ---- */

static void show_stack(pid_t pid)
{
	char path[64];
	char line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stack", pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		test_note("  %s", line);
	}
	if (f)
		fclose(f);
}

/* Wait for @pid until @end; true if it is gone, its status in @status. */
static bool gone(pid_t pid, int *status, uint64_t end)
{
	for (;;) {
		if (waitpid(pid, status, WNOHANG) == pid)
			return true;
		if (passed(end))
			return false;
		sleep_ms(2);
	}
}

static void run_child(const struct test *t)
{
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	t->run();
	fflush(stdout);
	_exit(report->failures ? 1 : 0);
}

/* 0 passed, 1 failed, 2 skipped */
static int run_one(const struct test *t, long baseline)
{
	unsigned int seconds = t->seconds ? t->seconds : TEST_SECONDS;
	uint64_t start = now_ms();
	int status = 0;

	memset(report, 0, sizeof(*report));
	scarce = t->scarce;
	if (t->fresh && own_topo && topo("up")) {
		test_note("cannot rebuild the topology");
		return 1;
	}
	fflush(stdout);
	running = fork();
	if (running < 0) {
		test_note("fork: %s", strerror(errno));
		return 1;
	}
	if (!running)
		run_child(t);
	setpgid(running, running);

	if (!gone(running, &status, deadline(seconds * 1000))) {
		test_note("time limit of %u s passed", seconds);
		report->failures++;
		show_stack(running);
		kill(-running, SIGKILL);
		if (!gone(running, &status, deadline(20000))) {
			test_note("and it cannot be killed: the kernel hangs");
			show_stack(running);
		}
	} else if (WIFSIGNALED(status)) {
		test_note("killed by signal %d", WTERMSIG(status));
		report->failures++;
	}
	kill(-running, SIGKILL);	/* whatever it left behind */
	running = 0;

	/* Connections may finish in the background: give them a while. */
	if (baseline >= 0 && !resources_back(baseline, 10000))
		report->failures++;
	if (kmsg_alarms())
		report->failures++;
	test_info("%s: %llu ms", t->name,
		  (unsigned long long)(now_ms() - start));
	if (report->failures) {
		if (report->seeded)
			test_note("replay: --seed %" PRIu64 " '%s'",
				  report->seed, t->name);
		return 1;
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == KSFT_SKIP ? 2 : 0;
}

static void tidy(void)
{
	if (running > 0)
		kill(-running, SIGKILL);
	if (own_topo)
		topo("down");
	own_topo = false;
}

static void on_signal(int sig)
{
	/* The KTAP is cut short and the plan not met: that is a failure. */
	tidy();
	_exit(128 + sig);
}

static void usage(const char *me, const struct test *tests, size_t n)
{
	size_t i;

	printf("usage: %s [-v] [-q] [-l] [-k] [--seed N] [NAME...]\n"
	       "  -v    say more\n"
	       "  -q    quick: without the tests that take long\n"
	       "  -l    list the tests\n"
	       "  -k    keep a topology that is there, and leave it\n"
	       "  -s, --seed N  where random tests begin\n"
	       "  NAME  only tests whose name holds one of these words\n", me);
	for (i = 0; i < n; i++)
		printf("%3zu %s\n", i + 1, tests[i].name);
}

static bool chosen(const struct test *t, char **words, int n)
{
	int i;

	if (quick && t->slow)
		return false;
	for (i = 0; i < n; i++)
		if (strstr(t->name, words[i]))
			return true;
	return !n;
}

static int skip_all(const char *why)
{
	printf("1..0 # SKIP %s\n", why);
	return KSFT_SKIP;
}

/* With a module and a veth there is no excuse for a link that cannot be added. */
static int no_topology(int rc)
{
	topo("down");
	if (rc == KSFT_SKIP)
		return skip_all("no namespaces or no veth here");
	printf("1..1\nnot ok 1 the topology can be made\n");
	return 1;
}

int harness_main(int argc, char **argv, const struct test *tests, size_t n)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL },
	};
	size_t plan = 0;
	size_t num = 0;
	int failed = 0;
	bool keep = false;
	long baseline;
	ssize_t len;
	char *slash;
	size_t i;
	int c, rc;

	seed = now_ms() << 16 ^ (uint64_t)getpid() ^ (uint64_t)time(NULL);
	if (getenv("SIW_KSFT_SEED"))
		seed = strtoull(getenv("SIW_KSFT_SEED"), NULL, 0);
	while ((c = getopt_long(argc, argv, "vqlks:h", options, NULL)) != -1) {
		switch (c) {
		case 's':
			seed = strtoull(optarg, NULL, 0);
			break;
		case 'v':
			verbose++;
			break;
		case 'q':
			quick = true;
			break;
		case 'k':
			keep = true;
			break;
		default:
			usage(argv[0], tests, n);
			return c == 'l' || c == 'h' ? 0 : 2;
		}
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (getenv("SIW_KSFT_SLOW"))
		slowness = atoi(getenv("SIW_KSFT_SLOW"));
	if (!slowness)
		slowness = 1;
	len = readlink("/proc/self/exe", here, sizeof(here) - 1);
	here[len > 0 ? len : 0] = 0;
	slash = strrchr(here, '/');
	if (slash)
		*slash = 0;

	report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (report == MAP_FAILED)
		return 1;

	printf("KTAP version 1\n");
	if (geteuid())
		return skip_all("needs root");
	for (i = 0; i < n; i++)
		plan += chosen(&tests[i], argv + optind, argc - optind);
	if (!plan)
		return skip_all("no test of that name, or none that is quick");
	if (!keep) {
		if (topo("load"))
			return skip_all("no module siw for this kernel");
		kmsg_open();
		rc = topo("up");
		if (rc)
			return no_topology(rc);
		own_topo = true;
	} else {
		kmsg_open();
	}
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	signal(SIGHUP, on_signal);
	signal(SIGPIPE, SIG_IGN);

	printf("1..%zu\n", plan);
	baseline = resources();
	for (i = 0; i < n; i++) {
		if (!chosen(&tests[i], argv + optind, argc - optind))
			continue;
		num++;
		switch (run_one(&tests[i], baseline)) {
		case 0:
			printf("ok %zu %s\n", num, tests[i].name);
			break;
		case 2:
			printf("ok %zu %s # SKIP %s\n", num, tests[i].name,
			       report->skip);
			break;
		default:
			printf("not ok %zu %s\n", num, tests[i].name);
			failed++;
		}
	}
	tidy();
	if (kmsg_alarms()) {
		printf("# the kernel complained while the topology went away\n");
		failed++;
	}
	printf("# %zu tests, %d failed\n", num, failed);
	return failed ? 1 : 0;
}

/* ---- data ---- */

uint8_t pattern(uint32_t seed, size_t i)
{
	uint32_t x = seed * 2654435761u + (uint32_t)i * 40503u;

	return (x >> 16) ^ (x >> 5) ^ i;
}

void fill(void *buf, size_t len, uint32_t seed)
{
	uint8_t *p = buf;
	size_t i;

	for (i = 0; i < len; i++)
		p[i] = pattern(seed, i);
}

bool check_at(const char *file, int line, const void *buf, size_t len,
	      uint32_t seed)
{
	const uint8_t *p = buf;
	size_t i;

	for (i = 0; i < len; i++) {
		if (p[i] == pattern(seed, i))
			continue;
		test_fail(file, line,
			  "octet %zu of %zu: want %02x, got %02x", i, len,
			  pattern(seed, i), p[i]);
		return false;
	}
	return true;
}

bool check_byte_at(const char *file, int line, const void *buf, size_t len,
		   uint8_t val)
{
	const uint8_t *p = buf;
	size_t i;

	for (i = 0; i < len; i++) {
		if (p[i] == val)
			continue;
		test_fail(file, line, "octet %zu of %zu: want %02x, got %02x",
			  i, len, val, p[i]);
		return false;
	}
	return true;
}

/* ---- one end ---- */

void addr_of(struct sockaddr_storage *ss, const char *ip, uint16_t port,
	     const char *dev)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *in = (struct sockaddr_in *)ss;

	memset(ss, 0, sizeof(*ss));
	if (strchr(ip, ':')) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		ASSERT(inet_pton(AF_INET6, ip, &in6->sin6_addr) == 1, "%s", ip);
		if (dev)
			in6->sin6_scope_id = if_nametoindex(dev);
	} else {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		ASSERT(inet_pton(AF_INET, ip, &in->sin_addr) == 1, "%s", ip);
	}
}

#define DEFAULT(field, value) \
	do { \
		if (!s->o.field) \
			s->o.field = (value); \
	} while (0)

void side_init(struct side *s, const char *ns, const struct opts *o)
{
	int fl;

	memset(s, 0, sizeof(*s));
	s->ns = ns;
	if (o)
		s->o = *o;
	DEFAULT(sq, 32);
	DEFAULT(rq, 32);
	DEFAULT(sge, 4);
	DEFAULT(cqe, 256);
	DEFAULT(ird, 4);
	DEFAULT(ord, 4);
	DEFAULT(buf, 65536);
	DEFAULT(access, ALL_ACCESS);
	ns_enter(ns);
	s->ec = rdma_create_event_channel();
	ASSERT(s->ec, "rdma_create_event_channel");
	fl = fcntl(s->ec->fd, F_GETFL);
	fcntl(s->ec->fd, F_SETFL, fl | O_NONBLOCK);
}

static void nonblock(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static struct ibv_comp_channel *open_channel(struct ibv_context *ctx)
{
	struct ibv_comp_channel *cc = ibv_create_comp_channel(ctx);

	ASSERT(cc, "ibv_create_comp_channel");
	nonblock(cc->fd);
	return cc;
}

void side_open(struct side *s)
{
	struct ibv_context *ctx = s->id->verbs;

	ASSERT(ctx, "no device behind the id");
	ns_enter(s->ns);
	nonblock(ctx->async_fd);
	s->pd = ibv_alloc_pd(ctx);
	ASSERT(s->pd, "ibv_alloc_pd");
	s->scc = open_channel(ctx);
	s->rcc = open_channel(ctx);
	s->scq = ibv_create_cq(ctx, s->o.cqe, s, s->scc, 0);
	ASSERT(s->scq, "ibv_create_cq");
	s->rcq = ibv_create_cq(ctx, s->o.cqe, s, s->rcc, 0);
	ASSERT(s->rcq, "ibv_create_cq");
	if (s->o.srq) {
		struct ibv_srq_init_attr sa = {
			.attr = { .max_wr = s->o.srq, .max_sge = s->o.sge },
		};

		s->srq = ibv_create_srq(s->pd, &sa);
		ASSERT(s->srq, "ibv_create_srq");
	}
	s->attr = (struct ibv_qp_init_attr){
		.send_cq = s->scq,
		.recv_cq = s->rcq,
		.srq = s->srq,
		.cap = {
			.max_send_wr = s->o.sq,
			.max_recv_wr = s->o.no_rq ? 0 : s->o.rq,
			.max_send_sge = s->o.sge,
			.max_recv_sge = s->o.sge,
			.max_inline_data = s->o.inl,
		},
		.qp_type = IBV_QPT_RC,
		.sq_sig_all = s->o.sig_all,
	};
	ASSERT(!rdma_create_qp(s->id, s->pd, &s->attr), "rdma_create_qp");
	s->qp = s->id->qp;
	s->buf = mmap(NULL, s->o.buf, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT(s->buf != MAP_FAILED, "mmap");
	s->mr = ibv_reg_mr(s->pd, s->buf, s->o.buf, s->o.access);
	ASSERT(s->mr, "ibv_reg_mr");
}

void side_listen(struct side *s, const char *ip, uint16_t port, int backlog)
{
	struct sockaddr_storage ss;

	ns_enter(s->ns);
	addr_of(&ss, ip, port, s->ns[1] == 'a' ? "va" : "vb");
	ASSERT(!rdma_create_id(s->ec, &s->lid, s, RDMA_PS_TCP),
	       "rdma_create_id");
	ASSERT(!rdma_bind_addr(s->lid, (struct sockaddr *)&ss),
	       "rdma_bind_addr %s", ip);
	ASSERT(!rdma_listen(s->lid, backlog), "rdma_listen");
}

void side_resolve_dev(struct side *s, const char *ip, uint16_t port,
		      const char *dev)
{
	struct sockaddr_storage ss;

	ns_enter(s->ns);
	addr_of(&ss, ip, port, dev);
	ASSERT(!rdma_create_id(s->ec, &s->id, s, RDMA_PS_TCP),
	       "rdma_create_id");
	ASSERT(!rdma_resolve_addr(s->id, NULL, (struct sockaddr *)&ss,
				  slow(5000)), "rdma_resolve_addr %s", ip);
	side_want(s, RDMA_CM_EVENT_ADDR_RESOLVED);
	ASSERT(!rdma_resolve_route(s->id, slow(5000)), "rdma_resolve_route");
	side_want(s, RDMA_CM_EVENT_ROUTE_RESOLVED);
}

void side_resolve(struct side *s, const char *ip, uint16_t port)
{
	side_resolve_dev(s, ip, port, s->ns[1] == 'a' ? "va" : "vb");
}

struct rdma_conn_param side_param(const struct side *s)
{
	return (struct rdma_conn_param){
		.private_data = s->o.pdata,
		.private_data_len = s->o.plen,
		.responder_resources = s->o.ird,
		.initiator_depth = s->o.ord,
		.retry_count = 7,
		.rnr_retry_count = 7,
	};
}

int side_connect(struct side *s)
{
	struct rdma_conn_param cp = side_param(s);

	ns_enter(s->ns);
	return rdma_connect(s->id, &cp);
}

int side_accept(struct side *s)
{
	struct rdma_conn_param cp = side_param(s);

	ns_enter(s->ns);
	return rdma_accept(s->id, &cp);
}

static bool readable(int fd, unsigned int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, ms) == 1;
}

int side_event(struct side *s, unsigned int ms)
{
	struct rdma_cm_event *e;

	ns_enter(s->ns);
	if (!readable(s->ec->fd, slow(ms)) || rdma_get_cm_event(s->ec, &e))
		return -1;
	s->event = e->event;
	s->status = e->status;
	s->plen = e->param.conn.private_data ?
		  e->param.conn.private_data_len : 0;
	if (s->plen)
		memcpy(s->pdata, e->param.conn.private_data, s->plen);
	s->ird = e->param.conn.responder_resources;
	s->ord = e->param.conn.initiator_depth;
	if (e->event == RDMA_CM_EVENT_CONNECT_REQUEST)
		s->id = e->id;
	test_info("%s: %s status %d", s->ns, rdma_event_str(e->event),
		  e->status);
	rdma_ack_cm_event(e);
	return s->event;
}

void side_want(struct side *s, int event)
{
	int got = side_event(s, EVENT_MS);

	if (got == event)
		return;
	FAIL("%s: want %s, got %s status %d", s->ns, rdma_event_str(event),
	     got < 0 ? "nothing" : rdma_event_str(got), s->status);
	/* Was it late, or lost? */
	while (got >= 0 && (got = side_event(s, 1000)) >= 0)
		test_note("%s: then %s status %d", s->ns, rdma_event_str(got),
			  s->status);
	test_stop();
}

int side_async(struct side *s, unsigned int ms)
{
	struct ibv_async_event e;
	int type;

	if (!readable(s->id->verbs->async_fd, slow(ms)) ||
	    ibv_get_async_event(s->id->verbs, &e))
		return -1;
	type = e.event_type;
	ibv_ack_async_event(&e);
	test_info("%s: %s", s->ns, ibv_event_type_str(type));
	return type;
}

int side_async_qp(struct side *s, unsigned int ms)
{
	uint64_t end = deadline(ms);
	int type;

	do {
		type = side_async(s, 50);
		if (type == IBV_EVENT_QP_FATAL ||
		    type == IBV_EVENT_QP_REQ_ERR ||
		    type == IBV_EVENT_QP_ACCESS_ERR)
			return type;
	} while (!passed(end));
	return -1;
}

enum ibv_qp_state side_state(struct side *s)
{
	struct ibv_qp_init_attr ia;
	struct ibv_qp_attr a = { 0 };

	ASSERT(!ibv_query_qp(s->qp, &a, IBV_QP_STATE, &ia), "ibv_query_qp");
	return a.qp_state;
}

int side_to_err(struct side *s)
{
	struct ibv_qp_attr a = { .qp_state = IBV_QPS_ERR };

	return ibv_modify_qp(s->qp, &a, IBV_QP_STATE);
}

void side_close(struct side *s)
{
	if (s->qp)
		rdma_destroy_qp(s->id);
	if (s->id)
		EXPECT_EQ(0, rdma_destroy_id(s->id));
	if (s->lid)
		EXPECT_EQ(0, rdma_destroy_id(s->lid));
	if (s->mr)
		EXPECT_EQ(0, ibv_dereg_mr(s->mr));
	if (s->srq)
		EXPECT_EQ(0, ibv_destroy_srq(s->srq));
	if (s->scq)
		EXPECT_EQ(0, ibv_destroy_cq(s->scq));
	if (s->rcq)
		EXPECT_EQ(0, ibv_destroy_cq(s->rcq));
	if (s->scc)
		EXPECT_EQ(0, ibv_destroy_comp_channel(s->scc));
	if (s->rcc)
		EXPECT_EQ(0, ibv_destroy_comp_channel(s->rcc));
	if (s->pd)
		EXPECT_EQ(0, ibv_dealloc_pd(s->pd));
	if (s->buf)
		munmap(s->buf, s->o.buf);
	if (s->ec)
		rdma_destroy_event_channel(s->ec);
	memset(s, 0, sizeof(*s));
}

/* The device whose port belongs to the veth of @ns, whatever it is called. */
struct ibv_context *open_device(const char *ns)
{
	struct ibv_context *ctx = NULL;
	struct ibv_device **list;
	char path[512];
	char dev[64];
	int i, n;
	FILE *f;

	list = ibv_get_device_list(&n);
	ASSERT(list, "ibv_get_device_list");
	for (i = 0; i < n && !ctx; i++) {
		snprintf(path, sizeof(path), "%s/ports/1/gid_attrs/ndevs/0",
			 list[i]->ibdev_path);
		f = fopen(path, "r");
		/* Old kernels have no such file for iWARP: go by the name. */
		if (!f || fscanf(f, "%63s", dev) != 1)
			snprintf(dev, sizeof(dev), "v%s",
				 ibv_get_device_name(list[i]) + strlen("siw"));
		if (f)
			fclose(f);
		if (dev[0] == 'v' && dev[1] == ns[1] && !dev[2])
			ctx = ibv_open_device(list[i]);
	}
	ibv_free_device_list(list);
	return ctx;
}

/* ---- two ends ---- */

/* Each test starts at another port, out of the way of those before it. */
uint16_t next_port(void)
{
	static uint16_t port;

	if (!port || port >= 32500)	/* below what TCP picks by itself */
		port = 10240 + getpid() % 220 * 100;
	return port++;
}

uint16_t pair_ready(struct pair *p, const struct opts *oa,
		    const struct opts *ob)
{
	uint16_t port = next_port();

	memset(p, 0, sizeof(*p));
	side_init(&p->b, NS_B, ob);
	side_init(&p->a, NS_A, oa);
	side_listen(&p->b, ADDR_B, port, 4);
	side_resolve(&p->a, ADDR_B, port);
	side_open(&p->a);
	return port;
}

void pair_connect(struct pair *p)
{
	int got;

	ASSERT(!side_connect(&p->a), "rdma_connect");
	got = side_event(&p->b, EVENT_MS);
	ASSERT(got == RDMA_CM_EVENT_CONNECT_REQUEST,
	       "no request at b but %d; event %d at a, status %d", got,
	       side_event(&p->a, 0), p->a.status);
	side_open(&p->b);
	ASSERT(!side_accept(&p->b), "rdma_accept");
	side_want(&p->a, RDMA_CM_EVENT_ESTABLISHED);
	side_want(&p->b, RDMA_CM_EVENT_ESTABLISHED);
	rdma_destroy_id(p->b.lid);
	p->b.lid = NULL;
}

void pair_open2(struct pair *p, const struct opts *oa, const struct opts *ob)
{
	pair_ready(p, oa, ob);
	pair_connect(p);
}

void pair_open(struct pair *p, const struct opts *o)
{
	pair_open2(p, o, o);
}

void pair_close(struct pair *p)
{
	if (p->a.id)
		rdma_disconnect(p->a.id);
	side_close(&p->a);
	side_close(&p->b);
}

void pair_works(struct pair *p)
{
	struct side *a = &p->a;
	struct side *b = &p->b;

	fill(a->buf, 1024, 1);
	memset(b->buf, 0, 4096);
	recv_at(b, 1, 0, 1024);
	POST(a, .op = IBV_WR_SEND, .len = 1024, .id = 2);
	WANT_WC(a->scq, 2, IBV_WC_SUCCESS);
	EXPECT_EQ(1024, WANT_WC(b->rcq, 1, IBV_WC_SUCCESS).byte_len);
	CHECK(b->buf, 1024, 1);

	memset(a->buf + 2048, 0, 2048);
	recv_at(a, 3, 2048, 1024);
	POST(b, .op = IBV_WR_SEND, .len = 1024, .id = 4);
	WANT_WC(b->scq, 4, IBV_WC_SUCCESS);
	EXPECT_EQ(1024, WANT_WC(a->rcq, 3, IBV_WC_SUCCESS).byte_len);
	CHECK(a->buf + 2048, 1024, 1);

	POST(a, .op = IBV_WR_RDMA_WRITE, .len = 1024, .id = 5,
	     .raddr = at(b, 4096), .rkey = b->mr->rkey);
	POST(a, .op = IBV_WR_RDMA_READ, .off = 4096, .len = 1024, .id = 6,
	     .raddr = at(b, 4096), .rkey = b->mr->rkey);
	WANT_WC(a->scq, 5, IBV_WC_SUCCESS);
	WANT_WC(a->scq, 6, IBV_WC_SUCCESS);
	CHECK(b->buf + 4096, 1024, 1);
	CHECK(a->buf + 4096, 1024, 1);
}

void fresh_pair_works(void)
{
	struct pair p;

	pair_open(&p, NULL);
	pair_works(&p);
	pair_close(&p);
}

/*
 * The same in a new program: librdmacm keeps a list of the devices it saw
 * first, which does not follow those that come and go.
 */
bool new_process_works(void)
{
	return !sh("%s/siw_verbs -k 'send and receive' >/dev/null 2>&1", here);
}

void pair_again(struct pair *p)
{
	pair_close(p);
	pair_open(p, NULL);
}

/* ---- work requests ---- */

uint64_t at(const struct side *s, size_t off)
{
	return (uint64_t)(uintptr_t)(s->buf + off);
}

static void make_wr(struct side *s, const struct wr *w, struct ibv_send_wr *wr,
		    struct ibv_sge *sge)
{
	*sge = (struct ibv_sge){
		.addr = at(s, w->off),
		.length = w->len,
		.lkey = w->lkey ? w->lkey : s->mr->lkey,
	};
	*wr = (struct ibv_send_wr){
		.wr_id = w->id,
		.sg_list = sge,
		.num_sge = w->len ? 1 : 0,
		.opcode = w->op,
		.send_flags = w->flags |
			      (w->unsignaled ? 0 : IBV_SEND_SIGNALED),
	};
	wr->wr.rdma.remote_addr = w->raddr;
	wr->wr.rdma.rkey = w->rkey;
	/* The stock provider reads the STag from the other union. */
	if (w->op == IBV_WR_SEND_WITH_INV)
		wr->invalidate_rkey = w->rkey;
}

int try_post(struct side *s, const struct wr *w)
{
	struct ibv_send_wr wr, *bad;
	struct ibv_sge sge;

	make_wr(s, w, &wr, &sge);
	return ibv_post_send(s->qp, &wr, &bad);
}

void post_two(struct side *s, const struct wr *first, const struct wr *second)
{
	struct ibv_send_wr wr[2], *bad;
	struct ibv_sge sge[2];
	int rc;

	make_wr(s, first, &wr[0], &sge[0]);
	make_wr(s, second, &wr[1], &sge[1]);
	wr[0].next = &wr[1];
	rc = ibv_post_send(s->qp, wr, &bad);
	ASSERT(!rc, "ibv_post_send: %d", rc);
}

void post(struct side *s, const struct wr *w)
{
	int rc = try_post(s, w);

	ASSERT(!rc, "ibv_post_send: %d", rc);
}

int try_recv(struct side *s, uint64_t id, size_t off, uint32_t len)
{
	struct ibv_sge sge = {
		.addr = at(s, off),
		.length = len,
		.lkey = s->mr->lkey,
	};
	/* The provider of ABI 1 refuses a receive without an SGE. */
	struct ibv_recv_wr wr = {
		.wr_id = id,
		.sg_list = &sge,
		.num_sge = 1,
	};
	struct ibv_recv_wr *bad;

	if (s->srq)
		return ibv_post_srq_recv(s->srq, &wr, &bad);
	return ibv_post_recv(s->qp, &wr, &bad);
}

void recv_at(struct side *s, uint64_t id, size_t off, uint32_t len)
{
	int rc = try_recv(s, id, off, len);

	ASSERT(!rc, "ibv_post_recv: %d", rc);
}

bool wait_wc(struct ibv_cq *cq, struct ibv_wc *wc, unsigned int ms)
{
	uint64_t end = deadline(ms);
	unsigned int spins = 0;
	int n;

	memset(wc, 0, sizeof(*wc));
	for (;;) {
		n = ibv_poll_cq(cq, 1, wc);
		ASSERT(n >= 0, "ibv_poll_cq: %d", n);
		if (n)
			return true;
		if (passed(end))
			return false;
		if (spins++ < 100)
			sched_yield();
		else
			usleep(200);
	}
}

struct ibv_wc next_wc(struct ibv_cq *cq)
{
	struct ibv_wc wc;

	ASSERT(wait_wc(cq, &wc, EVENT_MS), "no completion");
	return wc;
}

struct ibv_wc want_wc(const char *file, int line, struct ibv_cq *cq,
		      uint64_t id, enum ibv_wc_status status)
{
	struct ibv_wc wc;

	errno = 0;
	if (!wait_wc(cq, &wc, EVENT_MS)) {
		test_fail(file, line, "no completion of %" PRIu64, id);
		test_stop();
	}
	if (wc.wr_id != id || wc.status != status)
		test_fail(file, line, "want id %" PRIu64 " %s, got id %" PRIu64 " %s",
			  id, ibv_wc_status_str(status), wc.wr_id,
			  ibv_wc_status_str(wc.status));
	return wc;
}

bool no_wc(struct ibv_cq *cq, unsigned int ms)
{
	struct ibv_wc wc;

	return !wait_wc(cq, &wc, ms);
}
