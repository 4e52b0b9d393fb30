// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Many processes connect, transfer and go, while the administrator does what
 * administrators do, in any weather.
 *
 *	netns sa                          netns sb
 *	+----------------------+          +----------------------+
 *	| siwa   talkers       |          |       talkers   siwb |
 *	|   va 10.83.0.1/24    |<- veth ->|    vb 10.83.0.2/24   |
 *	+----------------------+  netem   +----------------------+
 *	initial netns: siwk on a dummy, an NVMe-oF target and its initiator
 *
 * Connections may break at any time here, and calls may fail.  What completed
 * well is right, octet by octet; what was posted completes or is flushed, nothing
 * hangs, nothing is left behind, the kernel has no complaint, and in the end the
 * module can be removed.
 *
 * SIW_STORM_SECONDS says how long.  --seed replays the events, in order, and what
 * the first, the second and each other process does; when who runs is up to the
 * scheduler.
 */
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "chance.h"
#include "harness.h"
#include "rawpeer.h"

#define TALKERS 4
#define BUF (1 << 20)
#define SINK (BUF / 2)
#define SLOTS 4
#define SLOT (SINK / SLOTS)

/**
 * struct tally - what all processes did
 * @connections: came up
 * @bare: of these, without CRC
 * @transfers: completed and were checked
 * @octets: of these
 * @kernel: connections of the initiator in the kernel
 * @events: of the administrator
 * @kills: processes killed
 * @calm: since when, in ms, nothing happens any more; 0 before
 * @waits: since when each talker waits for a completion; 0 if it does not
 */
struct tally {
	unsigned long connections;
	unsigned long bare;
	unsigned long transfers;
	unsigned long octets;
	unsigned long kernel;
	unsigned long events;
	unsigned long kills;
	uint64_t calm;
	uint64_t waits[TALKERS];
};

static struct tally *tally;

#define COUNT(field, n) \
	__atomic_fetch_add(&tally->field, (n), __ATOMIC_RELAXED)
#define SET(what, value) __atomic_store_n(&(what), (value), __ATOMIC_RELAXED)
#define GET(what) __atomic_load_n(&(what), __ATOMIC_RELAXED)

/* ---- transfers ---- */

#define FLUSH_MS 15000
#define CALM_MS 60000		/* a SLOT takes half of it with tiny buffers */
#define RTO_MAX_MS 120000	/* of TCP */

static uint64_t *waits;		/* of this talker */

/*
 * Until when a wait that began at @since may last when it is calm.  TCP may try
 * again only when it has waited as long again as it had before.
 */
static uint64_t patience(uint64_t since, uint64_t calm)
{
	uint64_t before = calm > since ? calm - since : 0;

	return calm + slow(CALM_MS) +
	       (before < RTO_MAX_MS ? before : RTO_MAX_MS);
}

/*
 * A completion of @s, or the connection to @peer is lost and this process ends.
 * The storm fails when a Send Queue in ERROR is not flushed, and when it is calm
 * at last, both ends are up, and nothing comes.
 */
static struct ibv_wc done(struct side *s, struct side *peer, struct ibv_cq *cq)
{
	uint64_t since = now_ms(), dead = 0;
	struct ibv_wc wc;

	SET(*waits, since);
	while (!wait_wc(cq, &wc, 100)) {
		/* This process ends here if one of them went with its device. */
		bool up = side_state(s) == IBV_QPS_RTS;
		bool peer_up = side_state(peer) == IBV_QPS_RTS;
		uint64_t calm = GET(tally->calm);

		/* An SRQ's receive is not flushed, nor one posted too late. */
		ASSERT(up || cq == s->scq, "the connection is lost");
		if (!up && !dead)
			dead = now_ms();
		if (up ? !calm || !passed(patience(since, calm)) :
			 !passed(dead + slow(FLUSH_MS)))
			continue;
		/* The last word of who has gone may be lost with its namespace. */
		ASSERT(!up || peer_up, "the peer is gone");
		forgiving = false;
		ASSERT(false, "a completion is lost, after %llu ms in %s",
		       (unsigned long long)(now_ms() - since),
		       up ? "RTS" : "ERROR");
	}
	SET(*waits, 0);
	ASSERT(wc.status == IBV_WC_SUCCESS, "%s",
	       ibv_wc_status_str(wc.status));
	return wc;
}

/* What is said to be there must be there, whatever the weather. */
static void verify(struct side *s, size_t off, size_t len, uint32_t seed)
{
	forgiving = false;
	CHECK(s->buf + off, len, seed);
	forgiving = true;
	COUNT(transfers, 1);
	COUNT(octets, len);
}

static uint32_t some_len(struct rng *r)
{
	static const uint32_t most[] = { 64, 64, 4096, 4096, 4096, 4096,
					 32768, 32768, 32768, SLOT };

	return 1 + below(r, most[below(r, ARRAY_SIZE(most))]);
}

/*
 * Several Sends under way, each from a buffer that is used for the next, and
 * spoilt before, as soon as its completion is there.
 */
static void sends(struct side *s, struct side *d, struct rng *r)
{
	unsigned int n = 1 + below(r, 12);
	unsigned int posted = 0, sent = 0, got = 0, recvs = 0;
	uint32_t seed = rnd(r);
	uint32_t len[12];
	struct ibv_wc wc;

	while (got < n) {
		while (recvs < n && recvs < got + SLOTS) {
			recv_at(d, recvs, SINK + recvs % SLOTS * SLOT, SLOT);
			recvs++;
		}
		while (posted < recvs && posted < sent + SLOTS) {
			size_t off = posted % SLOTS * SLOT;

			len[posted] = some_len(r);
			fill(s->buf + off, len[posted], seed + posted);
			POST(s, .op = IBV_WR_SEND, .off = off,
			     .len = len[posted], .id = posted);
			posted++;
		}
		while (sent < posted) {
			wc = done(s, d, s->scq);
			memset(s->buf + wc.wr_id % SLOTS * SLOT, 0xbb,
			       len[wc.wr_id % 12]);
			sent++;
		}
		wc = done(d, s, d->rcq);
		forgiving = false;
		EXPECT(wc.wr_id == got && wc.byte_len == len[got],
		       "message %u of %u octets: id %" PRIu64 ", %u octets",
		       got, len[got], wc.wr_id, wc.byte_len);
		forgiving = true;
		verify(d, SINK + got % SLOTS * SLOT, len[got], seed + got);
		got++;
	}
}

static void writes(struct side *s, struct side *d, struct rng *r)
{
	uint32_t seed = rnd(r);
	uint32_t len = some_len(r);

	fill(s->buf, len, seed);
	recv_at(d, 1, BUF - 64, 64);
	POST(s, .op = IBV_WR_RDMA_WRITE, .len = len, .id = 2,
	     .raddr = at(d, SINK), .rkey = d->mr->rkey);
	POST(s, .op = IBV_WR_SEND, .off = SLOT, .len = 1, .id = 3);
	done(s, d, s->scq);
	memset(s->buf, 0xbb, len);
	done(s, d, s->scq);
	done(d, s, d->rcq);
	verify(d, SINK, len, seed);
}

static void reads(struct side *s, struct side *d, struct rng *r)
{
	uint32_t seed = rnd(r);
	uint32_t len = some_len(r);

	fill(d->buf, len, seed);
	POST(s, .op = IBV_WR_RDMA_READ, .off = SINK, .len = len, .id = 4,
	     .raddr = at(d, 0), .rkey = d->mr->rkey);
	done(s, d, s->scq);
	verify(s, SINK, len, seed);
}

/* ---- processes ---- */

static bool crc_is_off(const char *dev)
{
	char path[64], c = 0;
	int fd;

	snprintf(path, sizeof(path), "/sys/class/infiniband/%s/mpa/crc", dev);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (read(fd, &c, 1) != 1)
		c = 0;
	close(fd);
	return c == '0';
}

static bool both_without_crc(void)
{
	return crc_is_off("siwa") && crc_is_off("siwb");
}

static void talk(struct rng *r)
{
	static void (* const transfer[])(struct side *, struct side *,
					 struct rng *) = {
		sends, writes, reads,
	};
	struct opts o = { .sq = 16, .rq = 16, .buf = BUF };
	struct pair p;
	unsigned int n;
	bool bare;

	memset(&p, 0, sizeof(p));
	o.srq = chance(r, 20) ? 16 : 0;
	bare = both_without_crc();
	pair_open(&p, &o);
	COUNT(connections, 1);
	COUNT(bare, bare && both_without_crc());
	for (n = below(r, 20); n; n--) {
		bool turn = chance(r, 50);

		transfer[below(r, 3)](turn ? &p.a : &p.b, turn ? &p.b : &p.a,
				      r);
	}
	if (chance(r, 10))		/* without a word */
		_exit(0);
	if (chance(r, 10))
		side_to_err(chance(r, 50) ? &p.a : &p.b);
	pair_close(&p);
}

/* A peer that takes nothing, and one that says half of it. */
static void sulk(struct rng *r)
{
	struct wire w;
	uint8_t junk[512];
	int small = 1;
	int i;

	memset(&w, 0, sizeof(w));
	wire_listen(&w, &(struct opts){ .buf = BUF });
	wire_dial(&w);
	setsockopt(w.r.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (chance(r, 20)) {
		raw_put(&w.r, "MPA ID", 6);
	} else {
		wire_request(&w, MPA_C, 1, NULL, 0);
		wire_accept(&w);
		wire_full(&w);
		COUNT(connections, 1);
		for (i = 0; i < 8; i++)
			try_post(&w.s, &(struct wr){ .op = IBV_WR_SEND,
						     .len = SINK });
		if (chance(r, 50)) {
			fill(junk, sizeof(junk), rnd(r));
			raw_put(&w.r, junk, sizeof(junk));
		}
	}
	usleep(below(r, 300000));
	if (chance(r, 50))
		raw_reset(&w.r);
	wire_close(&w);
}

/* Objects that come and go. */
static void churn(struct rng *r)
{
	const char *ns = chance(r, 50) ? NS_A : NS_B;
	struct ibv_context *ctx = open_device(ns);
	uint8_t *buf = aligned_alloc(4096, 65536);
	int i, n = 1 + below(r, 20);

	ASSERT(ctx && buf, "no device");
	for (i = 0; i < n; i++) {
		struct ibv_pd *pd = ibv_alloc_pd(ctx);
		struct ibv_cq *cq = ibv_create_cq(ctx, 1 + below(r, 1000),
						  NULL, NULL, 0);
		struct ibv_qp_init_attr ia = {
			.send_cq = cq, .recv_cq = cq, .qp_type = IBV_QPT_RC,
			.cap = { 1 + below(r, 100), 1 + below(r, 100), 1, 1 },
		};
		struct ibv_mr *mr;
		struct ibv_qp *qp;

		ASSERT(pd && cq, "PD or CQ");
		mr = ibv_reg_mr(pd, buf, 1 + below(r, 65536),
				IBV_ACCESS_LOCAL_WRITE);
		qp = ibv_create_qp(pd, &ia);
		if (chance(r, 5))
			_exit(0);
		if (qp)
			ibv_destroy_qp(qp);
		if (mr)
			ibv_dereg_mr(mr);
		ibv_destroy_cq(cq);
		ibv_dealloc_pd(pd);
	}
	ibv_close_device(ctx);
}

static pid_t talker(int i, uint64_t seed)
{
	struct rng r;
	pid_t pid;
	int n;

	waits = &tally->waits[i];
	SET(*waits, 0);
	fflush(stdout);
	pid = fork();
	ASSERT(pid >= 0, "fork");
	if (pid)
		return pid;
	signal(SIGTERM, SIG_DFL);
	forgiving = true;
	rng_seed(&r, seed);
	for (n = 1 + below(&r, 5); n; n--) {
		switch (below(&r, 10)) {
		case 0:
			sulk(&r);
			break;
		case 1:
			churn(&r);
			break;
		default:
			talk(&r);
		}
	}
	_exit(0);
}

/* ---- the user inside the kernel ---- */

#define CHUNK 65536

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = write(fd, text, strlen(text));
	close(fd);
	return n == (ssize_t)strlen(text);
}

/* The block device of controller @ctrl, with or without multipath. */
static int open_disk(int ctrl)
{
	uint64_t end = deadline(5000);
	char pattern[128], path[128];
	int fd = -1;
	glob_t g;

	snprintf(pattern, sizeof(pattern), "/sys/class/nvme/nvme%d/nvme*n1",
		 ctrl);
	while (fd < 0 && !passed(end)) {
		if (!glob(pattern, 0, NULL, &g)) {
			int sub = ctrl;

			/* nvme0c1n1 is a path of nvme0n1. */
			sscanf(strrchr(g.gl_pathv[0], '/'), "/nvme%d", &sub);
			snprintf(path, sizeof(path), "/dev/nvme%dn1", sub);
			fd = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
		}
		globfree(&g);
		if (fd < 0)
			sleep_ms(20);
	}
	return fd;
}

static void use_disk(int fd, struct rng *r)
{
	uint8_t *buf = aligned_alloc(4096, CHUNK);
	uint32_t seed = rnd(r);
	off_t off = below(r, 128) * (off_t)CHUNK;
	int n;

	for (n = 1 + below(r, 10); n; n--, seed++) {
		fill(buf, CHUNK, seed);
		if (pwrite(fd, buf, CHUNK, off) != CHUNK)
			break;
		memset(buf, 0, CHUNK);
		if (pread(fd, buf, CHUNK, off) != CHUNK)
			break;
		forgiving = false;
		CHECK(buf, CHUNK, seed);
		forgiving = true;
		COUNT(transfers, 2);
		COUNT(octets, 2 * CHUNK);
	}
	free(buf);
}

/*
 * A device is not taken away while NVMe-oF makes a connection over it: the
 * kernel's target and iw_cm may then wait for each other for ever, whatever the
 * device.  Who connects holds this lock, and who takes away.
 */
static int nvme_lock(void)
{
	int fd = open("/tmp/siw-storm.lock", O_RDWR | O_CREAT | O_CLOEXEC,
		      0600);

	ASSERT(fd >= 0 && !flock(fd, LOCK_EX), "no lock: %s", strerror(errno));
	return fd;
}

/* The kernel connects again by itself: wait until it has, or gave up. */
static int nvme_lock_settled(void)
{
	uint64_t end = deadline(20000);
	int fd = nvme_lock();

	while (!sh("grep -qsE 'new|connecting|resetting' /sys/class/nvme/nvme*/state") &&
	       !passed(end))
		sleep_ms(100);
	return fd;
}

static void kernel_user(uint64_t seed)
{
	static const char options[] =
		"transport=rdma,traddr=10.84.0.1,trsvcid=4420,nqn=siw-storm,nr_io_queues=2,reconnect_delay=1,ctrl_loss_tmo=3,keep_alive_tmo=5";
	char answer[128] = "", path[128];
	struct rng r;
	int fd, disk, ctrl, lock;
	ssize_t n;

	forgiving = true;
	rng_seed(&r, seed);
	for (;;) {
		fd = open("/dev/nvme-fabrics", O_RDWR | O_CLOEXEC);
		if (fd < 0)
			_exit(0);
		lock = nvme_lock();
		n = write(fd, options, strlen(options));
		if (n > 0)
			n = read(fd, answer, sizeof(answer) - 1);
		if (n <= 0 || sscanf(answer, "instance=%d", &ctrl) != 1) {
			test_info("nvme-fabrics: %s", strerror(errno));
			close(lock);
			close(fd);
			sleep_ms(100);
			continue;
		}
		close(lock);
		close(fd);
		COUNT(kernel, 1);
		disk = open_disk(ctrl);
		if (disk >= 0) {
			use_disk(disk, &r);
			close(disk);
		}
		snprintf(path, sizeof(path),
			 "/sys/class/nvme/nvme%d/delete_controller", ctrl);
		write_file(path, "1");
	}
}

static bool nvme_up(void)
{
	return !beside("nvme.sh up >/dev/null 2>&1");
}

static bool nvme_down(void)
{
	return !beside("nvme.sh down >/dev/null 2>&1");
}

/* A target does not find a device again that has been away. */
static void nvme_again(void)
{
	EXPECT(nvme_down(), "the target cannot be removed");
	EXPECT(nvme_up(), "the target cannot be made");
}

/* ---- weather ---- */

static void wind(const char *netem)
{
	sh("tc -n sa qdisc replace dev va root netem %s 2>/dev/null; tc -n sb qdisc replace dev vb root netem %s 2>/dev/null",
	   netem, netem);
}

static void clear_sky(void)
{
	sh("tc -n sa qdisc del dev va root 2>/dev/null; tc -n sb qdisc del dev vb root 2>/dev/null");
	sh("for n in sa sb; do ip netns exec $n sh -c 'echo 4096 131072 6291456 >/proc/sys/net/ipv4/tcp_rmem; echo 4096 16384 4194304 >/proc/sys/net/ipv4/tcp_wmem'; done 2>/dev/null");
}

static void small_buffers(void)
{
	sh("for n in sa sb; do ip netns exec $n sh -c 'echo 2048 2304 4608 >/proc/sys/net/ipv4/tcp_rmem; echo 4096 4096 4608 >/proc/sys/net/ipv4/tcp_wmem'; done 2>/dev/null");
}

/* TCP believes that it has used up its memory, for a moment. */
static void tcp_pressure(void)
{
	sh("m=$(cat /proc/sys/net/ipv4/tcp_mem); echo 4 8 64 >/proc/sys/net/ipv4/tcp_mem; sleep 0.3; echo $m >/proc/sys/net/ipv4/tcp_mem");
}

/* Whether streams that begin from now on have CRC, over links that come as well. */
static bool crc = true;

static void set_crc(void)
{
	sh("for d in siwa siwb; do echo %d >/sys/class/infiniband/$d/mpa/crc; done 2>/dev/null",
	   crc);
}

static void weather(struct rng *r)
{
	static const char * const netem[] = {
		"loss 2%", "loss 20%", "loss 100%", "duplicate 5%",
		"corrupt 2%", "delay 3ms 2ms", "delay 5ms reorder 30% 50%",
		"rate 2mbit",
		"loss 1% duplicate 1% corrupt 1% delay 2ms reorder 10%",
	};

	switch (below(r, 8)) {
	case 0:
	case 1:
	case 2:
	case 3:
		wind(netem[below(r, ARRAY_SIZE(netem))]);
		break;
	case 4:
		small_buffers();
		break;
	case 5:
		tcp_pressure();
		break;
	default:
		clear_sky();
	}
}

/* ---- the administrator ---- */

static pid_t pids[TALKERS];
static uint64_t born[TALKERS];
static pid_t in_kernel;
static bool has_nvme;

/*
 * nvme-rdma overlooks that a new controller's connection is lost, and waits a
 * minute for its command; whoever takes the device away waits with it.
 */
#define NVME_MS 90000

static void gone(pid_t *pid)
{
	uint64_t end = deadline(30000) + NVME_MS;
	int status;

	if (*pid <= 0)
		return;
	kill(*pid, SIGKILL);
	COUNT(kills, 1);
	while (waitpid(*pid, &status, WNOHANG) != *pid) {
		ASSERT(!passed(end), "process %d cannot be killed", *pid);
		usleep(1000);
	}
	*pid = 0;
}

static void kill_all(void)
{
	int i;

	for (i = 0; i < TALKERS; i++)
		gone(&pids[i]);
	gone(&in_kernel);
}

static void rebuild(void)
{
	ASSERT(!topo("up"), "the topology cannot be made");
	set_crc();
}

/* Nothing an administrator does takes longer than this. */
static void timely(const char *what, uint64_t start)
{
	uint64_t bound = slow(15000) + (has_nvme ? NVME_MS : 0);

	EXPECT(now_ms() - start < bound, "%s took %llu ms", what,
	       (unsigned long long)(now_ms() - start));
}

static void link_goes(struct rng *r)
{
	bool a = chance(r, 50);
	uint64_t start = now_ms();

	topo(a ? "del a" : "del b");
	timely("link del", start);
	usleep(below(r, 100000));
	EXPECT_EQ(0, topo(a ? "add a" : "add b"));
	set_crc();
}

static void netdev_goes(struct rng *r)
{
	uint64_t start = now_ms();

	sh(chance(r, 50) ? "ip -n sa link del va" : "ip -n sb link del vb");
	timely("netdev del", start);
	rebuild();
}

static void netdev_moves(struct rng *r)
{
	uint64_t start = now_ms();

	sh(chance(r, 50) ? "ip -n sa link set va netns sb" :
			   "ip -n sb link set vb netns sa");
	timely("netdev move", start);
	sh("ip -n sa link del vb 2>/dev/null; ip -n sb link del va 2>/dev/null");
	rebuild();
}

static void netns_goes(struct rng *r)
{
	(void)r;
	sh("ip netns del sa; ip netns del sb");
	usleep(below(r, 100000));
	/* What is in there holds the namespace, not its name. */
	kill_all();
	rebuild();
}

static void flap(struct rng *r)
{
	sh("ip -n sa link set va down");
	usleep(below(r, 200000));
	sh("ip -n sa link set va up; ip -n sa addr replace fd83::1/64 dev va nodad");
}

static void module_goes(struct rng *r)
{
	int lock = has_nvme ? nvme_lock_settled() : -1;
	uint64_t start;

	if (chance(r, 50))
		kill_all();
	start = now_ms();
	sh("rmmod siw 2>/dev/null");
	timely("rmmod", start);
	ASSERT(!topo("load"), "the module cannot be loaded");
	rebuild();
	if (has_nvme) {
		nvme_again();
		close(lock);
	}
}

static void kernel_link_goes(struct rng *r)
{
	unsigned int pause = below(r, 100000);
	uint64_t start;
	int lock;

	if (!has_nvme)
		return;
	lock = nvme_lock_settled();
	start = now_ms();
	beside("nvme.sh del >/dev/null 2>&1");
	timely("link del below NVMe-oF", start);
	usleep(pause);
	nvme_again();
	close(lock);
}

static void crc_changes(struct rng *r)
{
	crc = chance(r, 50);
	set_crc();
}

static void killing(struct rng *r)
{
	gone(&pids[below(r, TALKERS)]);
}

static const struct {
	const char *name;
	void (*happen)(struct rng *r);
} events[] = {
	{ "weather", weather }, { "weather", weather }, { "weather", weather },
	{ "weather", weather }, { "weather", weather },
	{ "kill", killing }, { "kill", killing }, { "kill", killing },
	{ "CRC", crc_changes }, { "CRC", crc_changes },
	{ "link del", link_goes }, { "link del", link_goes },
	{ "netdev del", netdev_goes },
	{ "netdev move", netdev_moves },
	{ "netns exit", netns_goes },
	{ "link down", flap },
	{ "rmmod", module_goes },
	{ "link del below NVMe-oF", kernel_link_goes },
};

static void say_tally(void)
{
	test_note("%lu events, %lu kills, %lu connections, %lu of them without CRC, %lu transfers of %lu MiB, %lu times NVMe-oF",
		  tally->events, tally->kills, tally->connections, tally->bare,
		  tally->transfers, tally->octets >> 20, tally->kernel);
}

/* A process that has ended. */
static void reap(int i)
{
	int status;

	if (pids[i] > 0 && waitpid(pids[i], &status, WNOHANG) == pids[i]) {
		EXPECT(WIFEXITED(status), "a talker died of signal %d",
		       WTERMSIG(status));
		pids[i] = 0;
	}
}

/*
 * It makes room for the next.  When that is must not move
 * the events: the seeds of processes are counted on from that of the storm.
 */
static void respawn(uint64_t *seed)
{
	int i, status;

	for (i = 0; i < TALKERS; i++) {
		uint64_t since = GET(tally->waits[i]);

		reap(i);
		/*
		 * It may wait for what has been taken away; if for a completion,
		 * it leaves by itself, or says that there is none.
		 */
		if (pids[i] > 0 && now_ms() - born[i] > slow(3000) &&
		    (!since || now_ms() - since < slow(1000)))
			gone(&pids[i]);
		if (!pids[i]) {
			pids[i] = talker(i, ++*seed);
			born[i] = now_ms();
		}
	}
	if (in_kernel > 0 && waitpid(in_kernel, &status, WNOHANG) == in_kernel)
		in_kernel = 0;
	if (has_nvme && !in_kernel) {
		++*seed;
		fflush(stdout);
		in_kernel = fork();
		if (!in_kernel)
			kernel_user(*seed);
	}
}

/* Who waits for a completion gets it, or says that it is lost. */
static void calm_down(void)
{
	uint64_t end = deadline(CALM_MS + 10000) + RTO_MAX_MS;
	int i, left = TALKERS;

	clear_sky();
	SET(tally->calm, now_ms());
	while (left && !passed(end)) {
		usleep(10000);
		for (left = i = 0; i < TALKERS; i++) {
			uint64_t since = GET(tally->waits[i]);

			reap(i);
			/* Something has come, or it waits for no completion. */
			if (!since || since > tally->calm)
				gone(&pids[i]);
			left += pids[i] > 0;
		}
	}
}

static void storm(void)
{
	uint64_t seed = first_seed(), child = seed;
	uint64_t budget = 1000 * env_number("SIW_STORM_SECONDS", 5);
	unsigned long least = 1 + budget / slow(10000);
	long baseline = resources();
	uint64_t next = 0;
	uint64_t start, end, latest, said;
	struct rng r;

	test_note("seed %" PRIu64, seed);
	rng_seed(&r, seed);
	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT(tally != MAP_FAILED, "mmap");
	has_nvme = nvme_up();
	test_note("NVMe-oF inside the kernel: %s", has_nvme ? "yes" : "no");
	crc = false;
	set_crc();
	said = now_ms();
	end = said + budget;
	latest = deadline(30000);
	/* On a slow machine, until anything happened and got through at all. */
	while (!passed(end) ||
	       ((!tally->transfers || !tally->events) && !passed(latest))) {
		respawn(&child);
		if (now_ms() - said > 10000) {
			said = now_ms();
			say_tally();
		}
		if (!passed(next)) {
			usleep(10000);
			continue;
		}
		if (next) {
			unsigned int k = below(&r, ARRAY_SIZE(events));

			test_info("event: %s", events[k].name);
			events[k].happen(&r);
			COUNT(events, 1);
		}
		next = now_ms() + 100 + below(&r, 500);
	}
	say_tally();
	calm_down();
	kill_all();
	if (has_nvme)
		EXPECT(nvme_down(), "the target cannot be removed");
	rebuild();
	EXPECT(new_process_works(), "a new connection does not work");
	EXPECT(resources_back(baseline, 15000), "objects are left");
	EXPECT(tally->transfers, "nothing was transferred");
	/* One in 10 s, even of the slowest. */
	EXPECT(tally->events >= least, "%lu events, and not %lu",
	       tally->events, least);
	EXPECT(tally->bare || budget < 30000, "no stream did without CRC");
	if (access("/sys/module/siw/refcnt", F_OK))
		return;			/* built in */
	start = now_ms();
	EXPECT_EQ(0, sh("rmmod siw"));
	timely("rmmod", start);
	EXPECT_EQ(0, topo("load"));
	EXPECT_EQ(0, topo("up"));
}

static struct test tests[] = {
	{ "a storm", storm, .slow = true },
};

int main(int argc, char **argv)
{
	tests[0].seconds = env_number("SIW_STORM_SECONDS", 5) + 300;
	return harness_main(argc, argv, tests, ARRAY_SIZE(tests));
}
