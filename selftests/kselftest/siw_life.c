// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Devices, namespaces, processes and the module itself go away under load.
 *
 *	netns sa                          netns sb
 *	+----------------------+          +----------------------+
 *	| siwa   32 ends       |          |       32 ends   siwb |
 *	|   va 10.83.0.1/24    |<- veth ->|    vb 10.83.0.2/24   |
 *	+----------------------+          +----------------------+
 *	  one process talks on all of them, another takes things away
 *
 * Each must end within seconds, with nothing left and nothing said by the
 * kernel.
 */
#include <linux/perf_event.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "harness.h"
#include "load.h"
#include "rawpeer.h"

/* A command that has to come back soon. */
static int timed(unsigned int ms, const char *cmd)
{
	uint64_t start = now_ms();
	int rc = sh("%s", cmd);
	uint64_t took = now_ms() - start;

	EXPECT(took < slow(ms), "%s took %llu ms", cmd,
	       (unsigned long long)took);
	test_info("%s: %llu ms", cmd, (unsigned long long)took);
	return rc;
}

static int timed_topo(unsigned int ms, const char *verb)
{
	uint64_t start = now_ms();
	int rc = topo(verb);
	uint64_t took = now_ms() - start;

	EXPECT(took < slow(ms), "%s took %llu ms", verb,
	       (unsigned long long)took);
	return rc;
}

static int device_count(void)
{
	struct ibv_device **list;
	int n = 0;

	/* Looks anew each time, other than rdma_cm's list. */
	list = ibv_get_device_list(&n);
	if (list)
		ibv_free_device_list(list);
	return n;
}

static bool device_on(const char *ns)
{
	return !topo(ns[1] == 'a' ? "name a | grep -q ." :
				    "name b | grep -q .");
}

static void wait_no_device(const char *ns, unsigned int ms)
{
	uint64_t end = deadline(ms);

	while (device_on(ns) && !passed(end))
		sleep_ms(50);
	EXPECT(!device_on(ns), "the device in %s is still there", ns);
}

static void others_work(void)
{
	EXPECT(new_process_works(), "a new connection does not work");
}

/* ---- links ---- */

static void link_del_idle(void)
{
	int i;

	for (i = 0; i < 10; i++) {
		EXPECT_EQ(0, timed_topo(5000, "del a"));
		EXPECT(!device_on(NS_A), "still there");
		EXPECT_EQ(0, timed_topo(5000, "add a"));
		EXPECT(device_on(NS_A), "not there");
	}
	others_work();
}

static void link_del_load(void)
{
	pid_t pid;
	int i;

	for (i = 0; i < 5; i++) {
		pid = load_start(8, false);
		sleep_ms(100 + 50 * i);
		EXPECT_EQ(0, timed_topo(10000, i & 1 ? "del a" : "del b"));
		EXPECT(!device_on(i & 1 ? NS_A : NS_B), "still there");
		sleep_ms(100);
		load_kill(pid);
		EXPECT_EQ(0, timed_topo(5000, i & 1 ? "add a" : "add b"));
		others_work();
	}
}

/* The process does not let go of a single object. */
static void link_del_held(void)
{
	pid_t pid = load_start(8, true);

	sleep_ms(100);
	EXPECT_EQ(0, timed_topo(10000, "del a"));
	EXPECT_EQ(0, timed_topo(10000, "del b"));
	/* The name is free again, with the old contexts still open. */
	EXPECT_EQ(0, timed_topo(5000, "add a"));
	EXPECT_EQ(0, timed_topo(5000, "add b"));
	others_work();
	load_kill(pid);
	others_work();
}

/* Calls on a device that is gone fail, and its objects can be let go. */
static void link_del_calls(void)
{
	struct ibv_qp_init_attr ia;
	struct ibv_device_attr da;
	struct ibv_qp_attr qa;
	struct pair p;

	pair_open(&p, NULL);
	recv_at(&p.a, 1, 0, 64);
	EXPECT_EQ(0, timed_topo(10000, "del a"));
	EXPECT_EQ(IBV_EVENT_DEVICE_FATAL, side_async(&p.a, 5000));
	EXPECT(ibv_query_device(p.a.qp->context, &da), "query_device");
	EXPECT(ibv_query_qp(p.a.qp, &qa, IBV_QP_STATE, &ia), "query_qp");
	EXPECT(!ibv_alloc_pd(p.a.qp->context), "alloc_pd");
	side_want(&p.b, RDMA_CM_EVENT_DISCONNECTED);
	try_post(&p.a, &(struct wr){ .op = IBV_WR_SEND, .len = 10 });
	/* As rdma_cm asks: DEVICE_REMOVAL, and the application lets go. */
	EXPECT(side_event(&p.a, 2000) >= 0, "no event");
	side_close(&p.b);
	rdma_destroy_qp(p.a.id);
	rdma_destroy_id(p.a.id);
}

static void link_del_startup(void)
{
	struct wire w, v;
	struct raw r;

	memset(&w, 0, sizeof(w));
	memset(&v, 0, sizeof(v));
	/* Connecting, listening, and half a Request. */
	wire_connect(&w, NULL);
	wire_listen(&v, NULL);
	wire_dial(&v);
	raw_put(&v.r, "MPA ID", 6);
	raw_dial(&r, NS_A, ADDR_B, v.port);
	sleep_ms(50);
	EXPECT_EQ(0, timed_topo(10000, "del b"));
	EXPECT(raw_end(&w.r, 5000) != RAW_OPEN, "connecting: TCP stays open");
	EXPECT(raw_end(&v.r, 5000) != RAW_OPEN, "request: TCP stays open");
	EXPECT(raw_end(&r, 5000) != RAW_OPEN, "silent: TCP stays open");
	EXPECT_EQ(0, timed_topo(5000, "add b"));
	others_work();
}

/* As nobody, who may not. */
static void link_add_denied(void)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		ns_enter(NS_A);
		if (setresuid(65534, 65534, 65534))
			_exit(2);
		_exit(!!sh("rdma link add siwx type siw netdev va 2>&1 |"
			   " grep -q 'Operation not permitted'"));
	}
	ASSERT(pid > 0 && waitpid(pid, &status, 0) == pid, "fork");
	EXPECT(!status, "nobody adds a link: status %x", status);
}

/* What rdma says is all that a user gets. */
static void refused(int err, const char *link)
{
	char add[256];

	snprintf(add, sizeof(add),
		 "ip netns exec sa rdma link add %s 2>&1 | grep -qF '%s'",
		 link, strerror(err));
	EXPECT(!timed(5000, add), "%s", add);
}

static void link_add_wrong(void)
{
	struct ibv_context *ctx = open_device(NS_B);
	char taken[128];

	ASSERT(ctx, "no device in sb");
	snprintf(taken, sizeof(taken), "%s type siw netdev lo",
		 ibv_get_device_name(ctx->device));
	ibv_close_device(ctx);
	refused(EEXIST, "siwx type siw netdev va");
	refused(ENODEV, "siwx type siw netdev nothere");
	refused(ENFILE, taken);
	refused(EINVAL, "siwx type siwx netdev va");
	link_add_denied();
	/* It carries TCP, but no address that rdma_cm could go by. */
	if (!sh("ip -n sa link add tun4 type ipip local 10.83.0.1 remote 10.83.0.2 2>/dev/null")) {
		refused(EINVAL, "siwx type siw netdev tun4");
		sh("ip -n sa link del tun4");
	} else {
		test_note("no tunnel in this kernel");
	}
	others_work();
}

/*
 * A listener on any device, when there was none in its namespace, and a TCP
 * server that took its port since: the link that is added works all the same.
 */
static void link_add_port_taken(void)
{
	struct pollfd pfd = { .events = POLLIN };
	struct wire w = { 0 };
	struct side any;
	int lfd;

	EXPECT_EQ(0, timed_topo(5000, "del b"));
	side_init(&any, NS_B, NULL);
	w.port = next_port();
	side_listen(&any, "0.0.0.0", w.port, 4);
	lfd = raw_listen(NS_B, ADDR_B, w.port);
	EXPECT_EQ(0, timed_topo(5000, "add b"));
	others_work();
	close(lfd);

	/* With the port free, it hears on the next one. */
	EXPECT_EQ(0, timed_topo(5000, "del b"));
	EXPECT_EQ(0, timed_topo(5000, "add b"));
	wire_dial(&w);
	wire_request(&w, MPA_C, 1, NULL, 0);
	/* librdmacm knows the device of before only: it is not asked. */
	pfd.fd = any.ec->fd;
	EXPECT(poll(&pfd, 1, slow(10000)) == 1, "the listener hears nothing");
	side_close(&any);
	raw_close(&w.r);
	others_work();
}

/* ---- netdevs ---- */

/* The next of the port's events; others may come between. */
static int port_event(struct ibv_context *ctx)
{
	struct pollfd fd = { .fd = ctx->async_fd, .events = POLLIN };
	uint64_t end = deadline(5000);
	struct ibv_async_event e;

	while (!passed(end)) {
		if (poll(&fd, 1, 50) != 1 || ibv_get_async_event(ctx, &e))
			continue;
		ibv_ack_async_event(&e);
		if (e.event_type == IBV_EVENT_PORT_ERR ||
		    e.event_type == IBV_EVENT_PORT_ACTIVE)
			return e.event_type;
	}
	return -1;
}

static void netdev_down_up(void)
{
	pid_t pid = load_start(8, false);
	struct ibv_context *ctx = open_device(NS_A);
	struct ibv_port_attr pa;
	uint64_t end;
	struct pair p;

	ASSERT(ctx, "no device on va");
	pair_open(&p, NULL);
	EXPECT_EQ(0, timed(10000, "ip -n sa link set va down"));
	end = deadline(3000);
	do {
		ASSERT(!ibv_query_port(ctx, 1, &pa), "ibv_query_port");
	} while (pa.state != IBV_PORT_DOWN && !passed(end));
	EXPECT_EQ(IBV_PORT_DOWN, pa.state);
	EXPECT_EQ(IBV_EVENT_PORT_ERR, port_event(ctx));
	sleep_ms(100);
	EXPECT_EQ(0, timed(10000, "ip -n sa link set va up"));
	sh("ip -n sa addr replace fd83::1/64 dev va nodad");
	end = deadline(3000);
	do {
		ASSERT(!ibv_query_port(ctx, 1, &pa), "ibv_query_port");
	} while (pa.state != IBV_PORT_ACTIVE && !passed(end));
	EXPECT_EQ(IBV_PORT_ACTIVE, pa.state);
	EXPECT_EQ(IBV_EVENT_PORT_ACTIVE, port_event(ctx));
	/* TCP outlives such a gap, and so does what stands on it. */
	pair_works(&p);
	load_kill(pid);
	pair_close(&p);
	ibv_close_device(ctx);
	others_work();
}

static void netdev_rename(void)
{
	pid_t pid = load_start(4, false);
	struct pair p;

	pair_open(&p, NULL);
	if (sh("ip -n sa link set va name vx 2>/dev/null")) {
		sh("ip -n sa link set va down");
		EXPECT_EQ(0, sh("ip -n sa link set va name vx"));
		sh("ip -n sa link set vx up");
	}
	pair_works(&p);
	EXPECT_EQ(0, sh("ip netns exec sa rdma link show | grep -q 'netdev vx'"));
	if (sh("ip -n sa link set vx name va 2>/dev/null")) {
		sh("ip -n sa link set vx down");
		EXPECT_EQ(0, sh("ip -n sa link set vx name va"));
		sh("ip -n sa link set va up");
		sh("ip -n sa addr replace fd83::1/64 dev va nodad");
	}
	pair_works(&p);
	load_kill(pid);
	pair_close(&p);
	others_work();
}

/* With it, its neighbours go; and what the other end knows of it has to change. */
static int set_address(const uint8_t *mac)
{
	return sh("m=%02x:%02x:%02x:%02x:%02x:%02x;"
		  "ip -n sa link set va address $m &&"
		  "ip -n sb neigh replace " ADDR_A " lladdr $m dev vb nud permanent &&"
		  "ip -n sa neigh replace " ADDR_B " lladdr $(ip netns exec sb"
		  " cat /sys/class/net/vb/address) dev va nud permanent",
		  mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

static void netdev_address(void)
{
	static const uint8_t new[] = { 0x02, 0, 0, 0, 0x05, 0x01 };
	struct ibv_context *ctx = open_device(NS_A);
	union ibv_gid old, gid;
	struct pair p, after;
	uint64_t end;

	ASSERT(ctx, "no device on va");
	ASSERT(!ibv_query_gid(ctx, 1, 0, &old), "ibv_query_gid");
	pair_open(&p, NULL);
	EXPECT_EQ(0, set_address(new));
	end = deadline(3000);
	do {
		ASSERT(!ibv_query_gid(ctx, 1, 0, &gid), "ibv_query_gid");
	} while (memcmp(gid.raw, new, sizeof(new)) && !passed(end));
	EXPECT(!memcmp(gid.raw, new, sizeof(new)), "the GID is the old address");
	pair_works(&p);
	/* rdma_cm finds the device by its new address, at both ends. */
	pair_open(&after, NULL);
	pair_works(&after);
	pair_close(&after);
	pair_close(&p);
	ibv_close_device(ctx);
	EXPECT_EQ(0, set_address(old.raw));
	others_work();
}

static void hwaddr(int fd, int what, uint8_t *mac)
{
	struct ifreq ifr = { .ifr_name = "va",
			     .ifr_hwaddr.sa_family = ARPHRD_ETHER };

	memcpy(ifr.ifr_hwaddr.sa_data, mac, 6);
	ASSERT(!ioctl(fd, what, &ifr), "ioctl %x", what);
	memcpy(mac, ifr.ifr_hwaddr.sa_data, 6);
}

/*
 * An address that changes while a link is being added is the link's: once in each
 * round, at another time of it.  The moment in which it could be missed is short,
 * and may be missed here.
 */
static void address_while_added(void)
{
	uint8_t old[6] = { 0 }, now[6] = { 0 }, next[6] = { 0x02, 0, 0, 0, 0x06 };
	enum { ROUNDS = 20 };
	uint64_t start, took = 0;
	struct ibv_context *ctx;
	union ibv_gid gid;
	uint64_t end;
	int i, fd;
	pid_t pid;

	ns_enter(NS_A);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	ASSERT(fd >= 0, "socket");
	hwaddr(fd, SIOCGIFHWADDR, old);
	fflush(stdout);
	for (i = 0; i < ROUNDS; i++) {
		ASSERT(!sh("ip netns exec sa rdma link delete siwa"), "delete");
		next[5]++;
		start = now_ms();
		pid = fork();
		if (!pid) {
			usleep(took * 1000 * i / ROUNDS);
			hwaddr(fd, SIOCSIFHWADDR, next);
			_exit(0);
		}
		ASSERT(!sh("ip netns exec sa rdma link add siwa type siw netdev va"),
		       "add");
		if (!took)
			took = now_ms() - start;
		waitpid(pid, NULL, 0);
		ctx = open_device(NS_A);
		ASSERT(ctx, "no device on va");
		hwaddr(fd, SIOCGIFHWADDR, now);
		end = deadline(2000);
		do {
			ASSERT(!ibv_query_gid(ctx, 1, 0, &gid), "ibv_query_gid");
		} while (memcmp(gid.raw, now, 6) && !passed(end));
		EXPECT(!memcmp(gid.raw, now, 6), "round %d: the GID is another address",
		       i);
		ibv_close_device(ctx);
	}
	close(fd);
	EXPECT_EQ(0, set_address(old));
	others_work();
}

static void netdev_mtu(void)
{
	static const int mtu[] = { 9000, 1500, 576, 1280, 65535, 1400, 1500 };
	pid_t pid = load_start(4, false);
	char cmd[128];
	struct pair p;
	size_t i;

	pair_open(&p, NULL);
	for (i = 0; i < ARRAY_SIZE(mtu); i++) {
		snprintf(cmd, sizeof(cmd),
			 "ip -n sa link set va mtu %d; ip -n sb link set vb mtu %d",
			 mtu[i], mtu[i]);
		timed(10000, cmd);
		sleep_ms(50);
		pair_works(&p);
		/* Below 1280 IPv6 goes; IPv4 must not mind. */
		others_work();
	}
	load_kill(pid);
	pair_close(&p);
}

static void netdev_delete(void)
{
	pid_t pid = load_start(16, false);
	int status;
	uint64_t end;

	sleep_ms(200);
	EXPECT_EQ(0, timed(20000, "ip -n sa link del va"));
	wait_no_device(NS_A, 5000);
	wait_no_device(NS_B, 5000);
	/* Every work request came back in error: the load ends by itself. */
	end = deadline(10000);
	while (!waitpid(pid, &status, WNOHANG)) {
		if (passed(end)) {
			test_note("the load still waits for completions");
			load_kill(pid);
			break;
		}
		sleep_ms(10);
	}
}

static void netdev_moves(void)
{
	pid_t pid = load_start(4, false);

	sleep_ms(100);
	EXPECT_EQ(0, timed(20000, "ip -n sa link set va netns sb"));
	sleep_ms(100);
	load_kill(pid);
}

/* ---- namespaces ---- */

/*
 * The rdma device of sb goes to sa, without its netdev, and comes back.  Its
 * connection is gone then, and who listened on an address of it; who listens on
 * any device hears again.
 */
static void device_moves(void)
{
	struct wire w = { 0 }, v = { 0 };
	struct pollfd pfd = { .events = POLLIN };
	struct side any;

	if (topo("exclusive"))
		SKIP("rdma devices have no namespace of their own here");
	/* sysfs shows the devices of the namespace it was mounted in. */
	ns_enter(NS_B);
	ASSERT(!unshare(CLONE_NEWNS) &&
	       !mount("", "/", NULL, MS_REC | MS_SLAVE, NULL) &&
	       !mount("sysfs", "/sys", "sysfs", 0, NULL), "mount of sysfs");
	side_init(&any, NS_B, NULL);
	v.port = next_port();
	side_listen(&any, "0.0.0.0", v.port, 4);
	wire_up(&w, NULL);
	wire_full(&w);

	EXPECT_EQ(0, timed(15000, "ip netns exec sb rdma dev set siwb netns sa"));
	EXPECT(raw_end(&w.r, 5000) != RAW_OPEN, "TCP stays open");
	EXPECT(side_event(&w.s, 5000) >= 0, "no event");
	/* Nobody is left on its port, nor on that of who may not use it now. */
	close(raw_listen(NS_B, ADDR_B, w.port));
	close(raw_listen(NS_B, ADDR_B, v.port));
	EXPECT_EQ(-1, side_event(&any, 0));

	EXPECT_EQ(0, timed(15000, "ip netns exec sa rdma dev set siwb netns sb"));
	wire_dial(&v);
	wire_request(&v, MPA_C, 1, NULL, 0);
	/* librdmacm knows the device of before only: it is not asked. */
	pfd.fd = any.ec->fd;
	EXPECT(poll(&pfd, 1, slow(10000)) == 1, "the listener hears nothing");
	side_close(&any);
	EXPECT(raw_end(&v.r, 5000) != RAW_OPEN, "TCP stays open");
	raw_close(&v.r);
	rdma_destroy_qp(w.s.id);
	rdma_destroy_id(w.s.id);
	rdma_destroy_id(w.s.lid);
}

static void netns_exit(void)
{
	pid_t pid = load_start(8, false);
	uint64_t end;

	sleep_ms(100);
	EXPECT_EQ(0, timed(10000, "ip netns del sa"));
	EXPECT_EQ(0, timed(10000, "ip netns del sb"));
	load_kill(pid);
	/* Out of it ourselves; nothing holds it then. */
	sh("ip netns add sc");
	ns_enter("sc");
	end = deadline(20000);
	while (device_count() && !passed(end))
		sleep_ms(50);
	EXPECT_EQ(0, device_count());
	sh("ip netns del sc");
}

/* ---- processes ---- */

static void sigkill(void)
{
	pid_t pid;
	int i;

	for (i = 0; i < 5; i++) {
		pid = load_start(32, false);
		sleep_ms(50 + i * 100);
		load_kill(pid);
	}
	others_work();
}

static void exit_unclean(void)
{
	struct pair p;
	pid_t pid;
	int i, status;

	for (i = 0; i < 20; i++) {
		pid = fork();
		if (!pid) {
			pair_open(&p, &(struct opts){ .srq = i % 2 * 16 });
			recv_at(&p.a, 1, 0, 64);
			for (int k = 0; k < i; k++)
				try_post(&p.a, &(struct wr){
					.op = IBV_WR_RDMA_READ, .len = 60000,
					.raddr = at(&p.b, 0),
					.rkey = p.b.mr->rkey });
			_exit(0);
		}
		waitpid(pid, &status, 0);
		EXPECT(WIFEXITED(status) && !WEXITSTATUS(status), "child");
	}
	others_work();
}

/* Create, look up, destroy, all at once, from several processes. */
static void object_races(void)
{
	pid_t pid[4];
	int i, k, status;

	for (i = 0; i < 4; i++) {
		pid[i] = fork();
		if (pid[i])
			continue;
		for (k = 0; k < 25; k++) {
			struct pair p;

			pair_open(&p, &(struct opts){ .srq = k % 2 * 8 });
			pair_works(&p);
			pair_close(&p);
		}
		_exit(0);
	}
	for (k = 0; k < 30; k++)
		sh("rdma resource show qp >/dev/null 2>&1; rdma resource show mr >/dev/null 2>&1; rdma resource show cq >/dev/null 2>&1; rdma resource show cm_id >/dev/null 2>&1");
	for (i = 0; i < 4; i++) {
		waitpid(pid[i], &status, 0);
		EXPECT(WIFEXITED(status) && !WEXITSTATUS(status), "child %d",
		       i);
	}
}

/* ---- the module ---- */

static long module_refs(void)
{
	long n = -1;
	FILE *f = fopen("/sys/module/siw/refcnt", "r");

	if (f && fscanf(f, "%ld", &n) != 1)
		n = -1;
	if (f)
		fclose(f);
	return n;
}

/* Of the clients of ib_core who came last is told first that a device goes. */
static void module_order(void)
{
	if (module_refs() < 0)
		SKIP("siw is built in");
	if (sh("command -v modinfo >/dev/null"))
		SKIP("needs modinfo");
	EXPECT_EQ(0, sh("modinfo -F softdep \"${SIW_KO:-siw}\" | "
			"grep -qw 'pre: rdma_cm'"));
}

static void module_refcount(void)
{
	long before = module_refs();
	uint64_t end;
	pid_t pid;

	if (before < 0)
		SKIP("siw is built in");
	pid = load_start(8, false);
	load_kill(pid);
	end = deadline(10000);
	while (module_refs() != before && !passed(end))
		sleep_ms(50);
	EXPECT_EQ(before, module_refs());
}

/* Who looks at a tracepoint of the module by perf holds it. */
static void module_in_use(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr),
	};
	long before = module_refs();
	unsigned long id = 0;
	uint64_t end;
	FILE *f;
	int fd;

	if (before < 0)
		SKIP("siw is built in");
	if (access("/sys/kernel/tracing/events", F_OK))
		sh("mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null");
	f = fopen("/sys/kernel/tracing/events/siw/siw_terminate_sent/id", "r");
	if (!f)
		SKIP("needs tracefs and CONFIG_PERF_EVENTS");
	ASSERT(fscanf(f, "%lu", &id) == 1, "no id");
	fclose(f);
	attr.config = id;
	fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1, 0);
	ASSERT(fd >= 0, "perf_event_open");
	EXPECT(module_refs() > before, "nothing holds the module");
	EXPECT(!sh("LC_ALL=C rmmod siw 2>&1 | grep -q 'siw is in use'"),
	       "rmmod does not say so");
	close(fd);
	end = deadline(10000);
	while (module_refs() != before && !passed(end))
		sleep_ms(50);
	EXPECT_EQ(before, module_refs());
	others_work();
}

/*
 * TCP has sent and freed all it was given.  What it has not is in pages of the
 * module: it needs no module for that, but a kernel that keeps account of who
 * allocated what calls it left behind.
 */
static void tcp_is_through(void)
{
	uint64_t end = deadline(10000);

	while (!sh("for ns in sa sb; do ip netns exec $ns ss -Htn state connected exclude time-wait; done | grep -q .") &&
	       !passed(end))
		sleep_ms(50);
}

static void module_live(void)
{
	pid_t pid;
	int i;

	if (module_refs() < 0)
		SKIP("siw is built in");
	for (i = 0; i < 5; i++) {
		int rc;

		pid = load_start(8, false);
		sleep_ms(100);
		/* In use: refused, or taken away; never a hang. */
		rc = timed(15000, "rmmod siw 2>/dev/null");
		test_info("rmmod with live connections: %d", rc);
		if (rc) {
			others_work();
		}
		load_kill(pid);
		tcp_is_through();
		if (rc)
			EXPECT_EQ(0, timed(15000, "rmmod siw"));
		EXPECT_EQ(0, topo("load"));
		EXPECT_EQ(0, topo("up"));
		others_work();
	}
}

static void module_loop(void)
{
	int i;

	if (module_refs() < 0)
		SKIP("siw is built in");
	for (i = 0; i < 10; i++) {
		EXPECT_EQ(0, timed(15000, "rmmod siw"));
		EXPECT(!device_on(NS_A), "the device outlives its module");
		EXPECT_EQ(0, topo("load"));
		EXPECT_EQ(0, topo("add a"));
		EXPECT_EQ(0, topo("add b"));
		if (i % 5 == 0)
			others_work();
	}
}

static const struct test tests[] = {
	{ "10 times link del and add", link_del_idle, 90, true, .slow = true },
	{ "link add refuses what makes no sense", link_add_wrong, 30, true,
	  .slow = true },
	{ "link add while TCP has a listener's port", link_add_port_taken, 60,
	  true, .slow = true },
	{ "link del with traffic", link_del_load, 90, true, .slow = true },
	{ "link del with a process that lets nothing go", link_del_held, 60, true,
	  .slow = true },
	{ "calls on a device that is gone", link_del_calls, 30, true,
	  .slow = true },
	{ "link del with connections starting up", link_del_startup, 60, true,
	  .slow = true },
	{ "netdev down and up with traffic", netdev_down_up, 60, true,
	  .slow = true },
	{ "netdev renamed with traffic", netdev_rename, 60, true,
	  .slow = true },
	{ "netdev gets another hardware address", netdev_address, 60, true,
	  .slow = true },
	{ "and another one while the link is added", address_while_added, 60,
	  true, .slow = true },
	{ "netdev MTU changes with traffic", netdev_mtu, 90, true,
	  .slow = true },
	{ "netdev deleted with traffic", netdev_delete, 60, true,
	  .slow = true },
	{ "netdev moves to another namespace", netdev_moves, 60, true,
	  .slow = true },
	{ "rdma device moves to another namespace and back", device_moves, 90,
	  true, .slow = true },
	{ "network namespaces exit with traffic", netns_exit, 60, true,
	  .slow = true },
	{ "processes killed with 32 connections", sigkill, 120, true,
	  .slow = true },
	{ "processes exit without a word", exit_unclean, 60, true,
	  .slow = true },
	{ "objects come and go while others look at them", object_races, 120, true,
	  .slow = true },
	{ "the module is loaded behind rdma_cm", module_order },
	{ "the module's reference count comes back", module_refcount, 60, true,
	  .slow = true },
	{ "rmmod while somebody traces the module", module_in_use, 60, true,
	  .slow = true },
	{ "rmmod with live connections", module_live, 120, true, .slow = true },
	{ "10 times rmmod with links, and back", module_loop, 120, true,
	  .slow = true },
};

int main(int argc, char **argv)
{
	return harness_main(argc, argv, tests, ARRAY_SIZE(tests));
}
