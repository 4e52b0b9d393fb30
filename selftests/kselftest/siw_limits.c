// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * What one peer, one user or one administrator can make the host spend: time,
 * memory, log lines.
 *
 *	netns sa                          netns sb
 *	+----------------------+          +----------------------+
 *	| siwa  many ends,      |          |       many ends siwb |
 *	|  10000 TCP sockets   |<- veth ->|  one listener        |
 *	+----------------------+          +----------------------+
 *
 * Each figure is printed with its bound.  SIW_LIMITS_FULL=1 takes 100
 * connections, 10000 peers and 10000 bad streams in place of a few, and waits
 * for the timeouts that take minutes.
 */
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "chance.h"
#include "harness.h"
#include "load.h"
#include "rawpeer.h"

#define SOON 5000			/* ms, for up to 100 connections */

static bool full(void)
{
	return env_number("SIW_LIMITS_FULL", 0);
}

static int many(void)
{
	return full() ? 100 : 25;
}

static void figure(const char *what, uint64_t start, unsigned int bound_ms)
{
	uint64_t took = now_ms() - start;

	test_note("%s, %d connections: %llu ms, bound %u ms", what, many(),
		  (unsigned long long)took, slow(bound_ms));
	EXPECT(took < slow(bound_ms), "%s took too long", what);
}

static bool module_is_built_in(void)
{
	return access("/sys/module/siw/refcnt", F_OK);
}

/* ---- many connections ---- */

static void link_del(void)
{
	pid_t pid = load_start(many(), false);
	uint64_t start = now_ms();

	EXPECT_EQ(0, topo("del a"));
	figure("link del", start, SOON);
	load_kill(pid);
	EXPECT_EQ(0, topo("add a"));
	EXPECT(new_process_works(), "a new connection does not work");
}

static void link_del_held(void)
{
	pid_t pid = load_start(many(), true);
	uint64_t start = now_ms();

	EXPECT_EQ(0, topo("del b"));
	figure("link del below a process that lets nothing go", start, SOON);
	start = now_ms();
	load_kill(pid);
	figure("exit of that process", start, SOON);
}

static void module_goes(void)
{
	uint64_t start;
	pid_t pid;

	if (module_is_built_in())
		SKIP("siw is built in");
	pid = load_start(many(), false);
	start = now_ms();
	/* Who uses a device does not hold the module: docs/errors/SIW-MOD-IN-USE.md. */
	EXPECT_EQ(0, sh("rmmod siw"));
	figure("rmmod", start, SOON);
	start = now_ms();
	load_kill(pid);
	figure("exit of their process", start, SOON);
	EXPECT_EQ(0, topo("load"));
	EXPECT_EQ(0, topo("up"));
	EXPECT(new_process_works(), "a new connection does not work");
}

static void namespaces_go(void)
{
	pid_t pid = load_start(many(), false);
	uint64_t start = now_ms();
	struct ibv_device **list;
	int n;

	sh("ip netns del sa; ip netns del sb");
	load_kill(pid);
	do {
		list = ibv_get_device_list(&n);
		if (list)
			ibv_free_device_list(list);
		usleep(10000);
	} while (list && n && now_ms() - start < slow(4 * SOON));
	figure("namespace exit", start, SOON);
}

/* ---- memory ---- */

static long meminfo(const char *field)
{
	char line[128], want[64];
	FILE *f = fopen("/proc/meminfo", "r");
	long kib = -1;

	ASSERT(f, "open /proc/meminfo");
	snprintf(want, sizeof(want), "%s: %%ld kB", field);
	while (kib < 0 && fgets(line, sizeof(line), f))
		sscanf(line, want, &kib);
	fclose(f);
	ASSERT(kib >= 0, "no %s in /proc/meminfo", field);
	return kib;
}

static long slab(void)
{
	sleep_ms(300);			/* what RCU still holds goes first */
	return meminfo("Slab") + meminfo("Percpu");
}

/* Half of a Request, none of it, or silence after the handshake. */
static void dial_and_sulk(int *fd, int n, uint16_t port)
{
	struct sockaddr_storage ss;
	int i;

	ns_enter(NS_A);
	addr_of(&ss, ADDR_B, port, NULL);
	for (i = 0; i < n; i++) {
		fd[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		ASSERT(fd[i] >= 0, "socket %d", i);
		connect(fd[i], (struct sockaddr *)&ss,
			sizeof(struct sockaddr_in));
		if (i >= 32 && i % 2)
			send(fd[i - 32], "MPA ID Req", i % 11,
			     MSG_NOSIGNAL | MSG_DONTWAIT);
	}
}

static void hang_up(const int *fd, int n)
{
	int i;

	for (i = 0; i < n; i++)
		close(fd[i]);
}

static bool is_knocking(int fd)
{
	struct tcp_info info = { .tcpi_state = TCP_SYN_SENT };
	socklen_t len = sizeof(info);

	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	return info.tcpi_state == TCP_SYN_SENT;
}

/* How many of them were let in; some may have been thrown out since. */
static int let_in(const int *fd, int n)
{
	int i, in = 0;

	for (i = 0; i < n; i++)
		in += !is_knocking(fd[i]);
	return in;
}

#define ROOM 128	/* for peers without a Request, at a listener */

/**
 * struct crowd - peers that keep coming, each silent until it goes
 * @to: where to
 * @thread: that makes them
 * @over: no more of them
 * @in: how many were let in
 */
struct crowd {
	struct sockaddr_storage to;
	pthread_t thread;
	bool over;
	unsigned int in;
};

static void *come(void *arg)
{
	struct crowd *c = arg;
	int fd[ROOM] = { 0 };
	unsigned int i;

	for (i = 0; !__atomic_load_n(&c->over, __ATOMIC_RELAXED);
	     i = (i + 1) % ROOM) {
		if (fd[i] > 0) {
			__atomic_fetch_add(&c->in, !is_knocking(fd[i]),
					   __ATOMIC_RELAXED);
			close(fd[i]);
		}
		fd[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(fd[i], (struct sockaddr *)&c->to,
			sizeof(struct sockaddr_in));
		usleep(1000);
	}
	for (i = 0; i < ROOM; i++)
		if (fd[i] > 0)
			close(fd[i]);
	return NULL;
}

static unsigned int crowd_in(const struct crowd *c)
{
	return __atomic_load_n(&c->in, __ATOMIC_RELAXED);
}

/* One more is let in. */
static void crowd_grows(const struct crowd *c)
{
	unsigned int before = crowd_in(c);
	uint64_t end = deadline(10000);

	while (crowd_in(c) == before) {
		ASSERT(!passed(end), "nobody is let in");
		usleep(1000);
	}
}

static void crowd_comes(struct crowd *c, uint16_t port)
{
	memset(c, 0, sizeof(*c));
	addr_of(&c->to, ADDR_B, port, NULL);
	ns_enter(NS_A);			/* and so will the thread */
	ASSERT(!pthread_create(&c->thread, NULL, come, c), "pthread_create");
	crowd_grows(c);
}

static void crowd_goes(struct crowd *c)
{
	__atomic_store_n(&c->over, true, __ATOMIC_RELAXED);
	pthread_join(c->thread, NULL);
}

static void flood(void)
{
	int n = full() ? 10000 : 500;
	struct rlimit files = { n + 512, n + 512 };
	long before, plain, ours, after, free_before, free_in;
	int *fd = calloc(n, sizeof(*fd));
	struct pair p;
	uint16_t port = next_port();
	uint64_t start, took, end;
	unsigned int others;
	struct crowd crowd;
	int lfd;

	if (setrlimit(RLIMIT_NOFILE, &files))
		SKIP("no %d open files for a process", n + 512);
	/* What as many sockets cost that knock at a plain TCP server. */
	before = slab();
	lfd = raw_listen(NS_B, ADDR_B, port);
	dial_and_sulk(fd, n, port);
	plain = slab() - before;
	hang_up(fd, n);
	close(lfd);

	port = next_port();
	side_init(&p.b, NS_B, NULL);
	side_init(&p.a, NS_A, NULL);
	side_listen(&p.b, ADDR_B, port, 16);
	side_resolve(&p.a, ADDR_B, port);
	side_open(&p.a);
	before = slab();
	free_before = meminfo("MemFree");
	dial_and_sulk(fd, n, port);
	ours = slab() - before;
	free_in = meminfo("MemFree");
	/* Who was not at first is let in when its TCP asks again. */
	end = deadline(8000);
	while (let_in(fd, n) < n / 10 * 9 && !passed(end))
		sleep_ms(50);
	test_note("%d of %d peers were let in", let_in(fd, n), n);
	EXPECT(let_in(fd, n) > n / 2, "that is no flood");
	crowd_comes(&crowd, port);
	others = crowd_in(&crowd);
	start = now_ms();
	ASSERT(!side_connect(&p.a), "rdma_connect");
	side_want(&p.b, RDMA_CM_EVENT_CONNECT_REQUEST);
	side_open(&p.b);
	ASSERT(!side_accept(&p.b), "rdma_accept");
	side_want(&p.a, RDMA_CM_EVENT_ESTABLISHED);
	side_want(&p.b, RDMA_CM_EVENT_ESTABLISHED);
	took = now_ms() - start;
	others = crowd_in(&crowd) - others;
	crowd_grows(&crowd);
	crowd_goes(&crowd);
	test_note("a connection behind %d half-open ones, %u more meanwhile: %llu ms, bound %u ms (its TCP timeout)",
		  n, others, (unsigned long long)took, slow(8000));
	EXPECT(took < slow(8000), "it took too long");
	pair_works(&p);
	hang_up(fd, n);
	free(fd);
	after = slab() - before;
	test_note("KiB of kernel memory for %d half-open connections: %ld (plain TCP: %ld), %ld after; MemFree %ld to %ld",
		  n, ours, plain, after, free_before, free_in);
	pair_close(&p);
	/* Slab holds freed objects back in such kernels. */
	if (!sh("grep -qw kasan_report /proc/kallsyms || test -e /sys/kernel/debug/kmemleak"))
		return;
	EXPECT(ours - plain <= 8192, "more than 8 MiB beyond plain TCP");
}

/* Who has gone takes no place of who has not. */
static void gone_and_forgotten(void)
{
	struct raw r, silent[2];
	uint16_t port = next_port();
	uint8_t out[64];
	struct side s;
	int i;

	side_init(&s, NS_B, NULL);
	side_listen(&s, ADDR_B, port, 16);
	for (i = 0; i < ROOM + 2; i++) {
		raw_dial(&r, NS_A, ADDR_B, port);
		raw_close(&r);
	}
	for (i = 0; i < ROOM + 2; i++) {
		raw_dial(&r, NS_A, ADDR_B, port);
		raw_put(&r, out, mpa_make(out, false, MPA_C, 1, NULL, 0));
		side_want(&s, RDMA_CM_EVENT_CONNECT_REQUEST);
		EXPECT_EQ(0, rdma_reject(s.id, NULL, 0));
		EXPECT_EQ(0, rdma_destroy_id(s.id));
		s.id = NULL;
		raw_close(&r);
	}
	for (i = 0; i < 2; i++)
		raw_dial(&silent[i], NS_A, ADDR_B, port);
	/* Long before its Request is due, also where time is stretched. */
	EXPECT_EQ(RAW_OPEN, raw_end(&silent[0], 300));
	for (i = 0; i < 2; i++)
		raw_close(&silent[i]);
	side_close(&s);
}

/* ---- log lines ---- */

static int log_lines(int fd)
{
	char line[8192];
	int n = 0;
	ssize_t len;

	for (;;) {
		len = read(fd, line, sizeof(line) - 1);
		if (len < 0 && errno == EPIPE)
			return 1 << 20;	/* more than the log can hold */
		if (len <= 0)
			return n;
		n++;
	}
}

/* Bad Requests, and one in ten a bad FPDU of a connection. */
static void bad_streams(void)
{
	int n = full() ? 10000 : 200;
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	uint64_t start = now_ms();
	uint8_t u[64];
	struct wire w;
	struct side s;
	struct raw r;
	uint16_t port = next_port();
	int i, lines, bound;

	ASSERT(fd >= 0 && lseek(fd, 0, SEEK_END) >= 0, "/dev/kmsg");
	side_init(&s, NS_B, NULL);
	side_listen(&s, ADDR_B, port, 16);
	for (i = 0; i < n; i++) {
		if (i % 10) {
			raw_dial(&r, NS_A, ADDR_B, port);
			raw_put(&r, "MPA ID Rep Frame\0\1\0\0", 20);
			EXPECT(raw_end(&r, 5000) != RAW_OPEN, "not closed");
			raw_close(&r);
			continue;
		}
		memset(&w, 0, sizeof(w));
		wire_up(&w, &(struct opts){ .buf = 4096 });
		fpdu_put(&w.r, u, ddp_tagged(u, CTL_WRITE, i, 0, u, 16));
		EXPECT(raw_end(&w.r, 5000) != RAW_OPEN, "not closed");
		wire_close(&w);
	}
	side_close(&s);
	lines = log_lines(fd);
	close(fd);
	/* Three kinds of message, 10 of each in 5 s, and how many were not. */
	bound = 33 * (1 + (now_ms() - start) / 5000);
	test_note("%d bad streams: %d log lines, bound %d (33 in 5 s)", n,
		  lines, bound);
	EXPECT(lines <= bound, "more log lines than that");
}

/* ---- dead peers ---- */

/* An idle one is asked in a minute: at both ends TCP is about to. */
static void idle_peer_is_watched(void)
{
	static const char timer[] =
		"ip netns exec %s ss -Htno | grep -E '%s:%u ' |"
		" grep -Eq 'keepalive,(1min|[0-9.]+(sec|ms))'";
	struct pair p;
	uint16_t port;

	if (sh("command -v ss >/dev/null"))
		SKIP("no command ss");
	port = pair_ready(&p, NULL, NULL);
	pair_connect(&p);
	sleep_ms(slow(500));		/* no other timer runs by now */
	EXPECT_EQ(0, sh(timer, NS_A, ADDR_B, port));
	EXPECT_EQ(0, sh(timer, NS_B, ADDR_B, port));
	pair_close(&p);
}

#define DEAD_SECONDS 150

/* Nothing comes through any more, with nothing on its way and with something. */
static void dead_peer(void)
{
	struct pair idle, busy;
	uint64_t start;
	int i;

	if (!full())
		SKIP("takes minutes: SIW_LIMITS_FULL=1");
	pair_open(&idle, NULL);
	pair_open(&busy, NULL);
	if (sh("tc -n sa qdisc replace dev va root netem loss 100%%; tc -n sb qdisc replace dev vb root netem loss 100%%"))
		SKIP("no netem");
	for (i = 0; i < 4; i++)
		POST(&busy.a, .op = IBV_WR_SEND, .len = 65536, .id = i);
	start = now_ms();
	EXPECT_EQ(RDMA_CM_EVENT_DISCONNECTED,
		  side_event(&idle.a, DEAD_SECONDS * 1000));
	test_note("an idle end noticed after %llu s, bound %d s",
		  (unsigned long long)(now_ms() - start) / 1000, DEAD_SECONDS);
	EXPECT_EQ(RDMA_CM_EVENT_DISCONNECTED,
		  side_event(&busy.a, DEAD_SECONDS * 1000));
	test_note("a sending end noticed after %llu s, bound %d s",
		  (unsigned long long)(now_ms() - start) / 1000, DEAD_SECONDS);
	sh("tc -n sa qdisc del dev va root; tc -n sb qdisc del dev vb root");
	pair_close(&idle);
	pair_close(&busy);
	fresh_pair_works();
}

/* ---- users ---- */

#define CGROUP "/tmp/siw-ksft-rdma-cgroup"
#define OBJECTS 5

static void rdma_cgroup(void)
{
	struct ibv_context *ctx;
	char name[64];
	int n = 0;

	sh("mkdir -p " CGROUP);
	if (sh("mount -t cgroup2 none " CGROUP) ||
	    sh("echo +rdma >" CGROUP "/cgroup.subtree_control") ||
	    sh("mkdir " CGROUP "/siw")) {
		sh("umount " CGROUP " 2>/dev/null; rmdir " CGROUP);
		SKIP("no rdma controller of cgroup 2");
	}
	ctx = open_device(NS_A);
	ASSERT(ctx, "no device in sa");
	snprintf(name, sizeof(name), "%s", ibv_get_device_name(ctx->device));
	/* Objects are charged to who makes them. */
	EXPECT_EQ(0, sh("echo %s hca_object=%d >" CGROUP "/siw/rdma.max",
			name, OBJECTS));
	EXPECT_EQ(0, sh("echo %d >" CGROUP "/siw/cgroup.procs", getpid()));
	while (n < 2 * OBJECTS && ibv_alloc_pd(ctx))
		n++;
	EXPECT_EQ(OBJECTS, n);
	ibv_close_device(ctx);
	EXPECT_EQ(0, sh("grep -q 'hca_object=0' " CGROUP "/siw/rdma.current || test ! -s " CGROUP "/siw/rdma.current"));
	/*
	 * Not without this: kernels at least up to 6.1 free the cgroup with its
	 * limit still on the device's list, and stumble over it later.
	 */
	sh("echo %s hca_handle=max hca_object=max >" CGROUP "/siw/rdma.max",
	   name);
	sh("echo %d >" CGROUP "/cgroup.procs", getpid());
	sh("rmdir " CGROUP "/siw; umount " CGROUP "; rmdir " CGROUP);
}

/* The last of them is refused, and room again when another one goes. */
static void most_domains(void)
{
	struct ibv_context *ctx = open_device(NS_A);
	struct ibv_device_attr attr;
	struct ibv_pd **pd;
	int n = 0;

	ASSERT(ctx && !ibv_query_device(ctx, &attr), "no device in sa");
	pd = calloc(attr.max_pd + 1, sizeof(*pd));
	ASSERT(pd, "calloc");
	while (n <= attr.max_pd && (pd[n] = ibv_alloc_pd(ctx)))
		n++;
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_EQ(attr.max_pd, n);
	EXPECT_EQ(0, ibv_dealloc_pd(pd[0]));
	pd[0] = ibv_alloc_pd(ctx);
	EXPECT(pd[0], "no room for one when one has gone");
	while (n)
		ibv_dealloc_pd(pd[--n]);
	free(pd);
	ibv_close_device(ctx);
}

/* ---- a host whose memory is used up ---- */

#define MiB (1024u * 1024)
#define LEFT 8192		/* KiB, of what /proc/meminfo calls available */

/* Takes all memory but @LEFT, and again what others give back. */
static pid_t hog_start(void)
{
	size_t size = meminfo("MemTotal") / 1024 * MiB, used = 0;
	pid_t pid = fork();
	uint8_t *mem;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* If it comes to that, it is the one to be killed. */
	sh("echo 1000 >/proc/%d/oom_score_adj", getpid());
	mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem == MAP_FAILED)
		_exit(1);
	for (;;) {
		long available = meminfo("MemAvailable");

		if (available > LEFT + 1024 && used + MiB <= size) {
			memset(mem + used, 1, MiB);
			used += MiB;
		} else if (available < LEFT / 2 && used) {
			used -= MiB;
			madvise(mem + used, MiB, MADV_DONTNEED);
		} else {
			sleep_ms(1);
		}
	}
}

/* Streams lose nothing, and new ones begin; it may take longer. */
static void short_of_memory(void)
{
	uint64_t end = deadline(90000);
	struct pair p;
	int round, i;
	pid_t hog;

	pair_open(&p, &(struct opts){ .buf = MiB });
	hog = hog_start();
	ASSERT(hog > 0, "fork");
	for (round = 0; round < 8; round++) {
		while (meminfo("MemAvailable") > 2 * LEFT) {
			ASSERT(!passed(end), "%ld KiB of memory are left",
			       meminfo("MemAvailable"));
			sleep_ms(10);
		}
		fill(p.a.buf, MiB, round);
		for (i = 0; i < 16; i++)
			POST(&p.a, .op = IBV_WR_RDMA_WRITE, .off = i << 16,
			     .len = 1 << 16, .id = i, .raddr = at(&p.b, i << 16),
			     .rkey = p.b.mr->rkey);
		for (i = 0; i < 16; i++)
			WANT_WC(p.a.scq, i, IBV_WC_SUCCESS);
		POST(&p.a, .op = IBV_WR_RDMA_READ, .len = 4096, .id = i,
		     .raddr = at(&p.b, 0), .rkey = p.b.mr->rkey);
		WANT_WC(p.a.scq, i, IBV_WC_SUCCESS);
		CHECK(p.b.buf, MiB, round);
		fresh_pair_works();
	}
	EXPECT_EQ(0, waitpid(hog, NULL, WNOHANG));
	kill(hog, SIGKILL);
	waitpid(hog, NULL, 0);
	pair_close(&p);
}

static const struct test tests[] = {
	{ "link del with many connections", link_del, 60, true, .slow = true },
	{ "link del with many connections that are held", link_del_held, 60, true,
	  .slow = true },
	{ "rmmod with many connections", module_goes, 90, true, .slow = true },
	{ "namespace exit with many connections", namespaces_go, 60, true,
	  .slow = true },
	{ "a flood of half-open connections", flood, 120, true, .slow = true },
	{ "half-open connections that are gone", gone_and_forgotten, 120,
	  .slow = true },
	{ "bad streams and the log", bad_streams, 600 },
	{ "an idle peer is watched", idle_peer_is_watched, .slow = true },
	{ "a peer that is gone without a word", dead_peer, 400 },
	{ "streams while memory is short", short_of_memory, 120, .slow = true,
	  .scarce = true },
	{ "the rdma cgroup is honoured", rdma_cgroup, .slow = true },
	{ "as many protection domains as there may be", most_domains, 300,
	  .slow = true },
};

int main(int argc, char **argv)
{
	return harness_main(argc, argv, tests, ARRAY_SIZE(tests));
}
