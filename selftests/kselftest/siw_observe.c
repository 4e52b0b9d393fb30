// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * What the driver tells of itself: counters, details of resources, tracepoints,
 * messages.  Each is caused, and told as it was and not otherwise.
 */
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "rawpeer.h"

/* ---- counters ---- */

#define COUNTERS_MAX 128

struct counters {
	size_t n;
	struct {
		char name[48];
		long value;
	} c[COUNTERS_MAX];
};

static long *counter_in(struct counters *all, const char *name)
{
	size_t i;

	for (i = 0; i < all->n; i++)
		if (!strcmp(all->c[i].name, name))
			return &all->c[i].value;
	ASSERT(false, "no counter %s", name);
	return NULL;
}

static void counters_read(struct counters *all, const char *dev)
{
	char path[600], dir[256];
	struct dirent *entry;
	DIR *d;
	FILE *f;

	/* ib_core reads them anew after 10 ms. */
	sleep_ms(20);
	snprintf(dir, sizeof(dir),
		 "/sys/class/infiniband/%s/ports/1/hw_counters", dev);
	d = opendir(dir);
	ASSERT(d, "open %s", dir);
	all->n = 0;
	while ((entry = readdir(d))) {
		if (entry->d_name[0] == '.' ||
		    !strcmp(entry->d_name, "lifespan"))
			continue;
		ASSERT(all->n < COUNTERS_MAX, "too many counters");
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		snprintf(all->c[all->n].name, sizeof(all->c[0].name), "%.47s",
			 entry->d_name);
		f = fopen(path, "r");
		ASSERT(f && fscanf(f, "%ld", &all->c[all->n].value) == 1,
		       "read %s", path);
		fclose(f);
		all->n++;
	}
	closedir(d);
}

static const char *dev_of(const struct side *s)
{
	return ibv_get_device_name(s->id->verbs->device);
}

struct moved {
	const char *name;
	long by;
};

static long moved_by(struct counters *before, struct counters *after,
		     const char *name)
{
	return *counter_in(after, name) - *counter_in(before, name);
}

/* Those of @all whose counters are named in @want, or else by 0. */
static long wanted(const struct moved *want, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!strcmp(want[i].name, name))
			return want[i].by;
	return 0;
}

/* These moved by so much, and no other whose name begins so. */
static bool as_wanted(const char *dev, struct counters *before,
		      const struct moved *want, size_t n, const char *const *of,
		      bool tell)
{
	struct counters after;
	bool good = true;
	size_t i, k;

	counters_read(&after, dev);
	for (i = 0; i < n; i++)
		counter_in(&after, want[i].name);	/* it is there */
	for (i = 0; i < after.n; i++) {
		const char *name = after.c[i].name;
		long by = moved_by(before, &after, name);

		for (k = 0; of[k]; k++)
			if (!strncmp(name, of[k], strlen(of[k])))
				break;
		if (!of[k] || by == wanted(want, n, name))
			continue;
		good = false;
		if (tell)
			FAIL("%s: %s moved by %ld, want %ld", dev, name, by,
			     wanted(want, n, name));
	}
	return good;
}

/* What is counted for a train is counted behind it: give it a moment. */
#define WANT_MOVED(dev, before, of, ...)				\
	do {								\
		static const struct moved want_[] = { __VA_ARGS__ };	\
		uint64_t end_ = deadline(2000);				\
									\
		while (!passed(end_) &&					\
		       !as_wanted(dev, before, want_,			\
				  ARRAY_SIZE(want_), of, false))	\
			;						\
		as_wanted(dev, before, want_, ARRAY_SIZE(want_), of,	\
			  true);					\
	} while (0)

/* All but those that depend on how TCP cuts the stream, and memory */
static const char *const exact[] = {
	"rx_fpdu", "rx_bytes", "rx_send", "rx_write", "rx_read", "rx_fault",
	"rx_crc", "rx_no_buffer", "rx_terminate", "tx_fpdu", "tx_bytes",
	"tx_send", "tx_write", "tx_read", "tx_terminate", "local", "cq", "conn",
	"stream", "msg", NULL
};

/* Octets of an FPDU that carries a ULPDU of @n */
#define FPDU(n)		(((n) + 2 + 3) / 4 * 4 + 4)
#define TAGGED(n)	((n) + 14)
#define UNTAGGED(n)	((n) + 18)
#define READ_REQ	UNTAGGED(28)

static void traffic(void)
{
	struct counters a, b;
	struct pair p;
	int i;

	pair_open(&p, NULL);
	counters_read(&a, dev_of(&p.a));
	counters_read(&b, dev_of(&p.b));
	for (i = 0; i < 3; i++) {
		recv_at(&p.b, i, 0, 100);
		POST(&p.a, .op = IBV_WR_SEND, .len = 100, .id = 10 + i);
		WANT_WC(p.a.scq, 10 + i, IBV_WC_SUCCESS);
		WANT_WC(p.b.rcq, i, IBV_WC_SUCCESS);
	}
	for (i = 0; i < 2; i++) {
		POST(&p.a, .op = IBV_WR_RDMA_WRITE, .len = 1000, .id = 20 + i,
		     .raddr = at(&p.b, 4096), .rkey = p.b.mr->rkey);
		WANT_WC(p.a.scq, 20 + i, IBV_WC_SUCCESS);
	}
	POST(&p.a, .op = IBV_WR_RDMA_READ, .off = 8192, .len = 500, .id = 30,
	     .raddr = at(&p.b, 4096), .rkey = p.b.mr->rkey);
	WANT_WC(p.a.scq, 30, IBV_WC_SUCCESS);

	WANT_MOVED(dev_of(&p.a), &a, exact,
		   { "tx_send", 3 }, { "tx_write", 2 },
		   { "tx_read_request", 1 }, { "tx_fpdu", 6 },
		   { "tx_bytes", 3 * FPDU(UNTAGGED(100)) +
				 2 * FPDU(TAGGED(1000)) + FPDU(READ_REQ) },
		   { "rx_read_response", 1 }, { "rx_fpdu", 1 },
		   { "rx_bytes", TAGGED(500) });
	WANT_MOVED(dev_of(&p.b), &b, exact,
		   { "rx_send", 3 }, { "rx_write", 2 },
		   { "rx_read_request", 1 }, { "rx_fpdu", 6 },
		   { "rx_bytes", 3 * UNTAGGED(100) + 2 * TAGGED(1000) +
				 READ_REQ },
		   { "tx_read_response", 1 }, { "tx_fpdu", 1 },
		   { "tx_bytes", FPDU(TAGGED(500)) });
	pair_close(&p);
}

/* Octets that TCP takes of a new connection of sa before it has to wait */
static void send_space(unsigned int n)
{
	ASSERT(!sh("ip netns exec sa sh -c 'echo 4096 %u 4194304"
		   " >/proc/sys/net/ipv4/tcp_wmem'", n), "tcp_wmem");
}

/*
 * A long message goes in many FPDUs and few calls of TCP, which has room for all of
 * it: no call is cut short.  Trains of 128 KiB have 91 FPDUs.
 */
static void trains(void)
{
	struct counters before, after, there;
	long fpdus, calls;
	uint64_t end;
	struct pair p;

	send_space(4 << 20);
	pair_open(&p, &(struct opts){ .buf = 1 << 20 });
	send_space(16384);
	counters_read(&before, dev_of(&p.a));
	counters_read(&there, dev_of(&p.b));
	POST(&p.a, .op = IBV_WR_RDMA_WRITE, .len = 512 << 10, .id = 1,
	     .raddr = at(&p.b, 0), .rkey = p.b.mr->rkey);
	WANT_WC(p.a.scq, 1, IBV_WC_SUCCESS);
	counters_read(&after, dev_of(&p.a));
	fpdus = moved_by(&before, &after, "tx_fpdu");
	calls = moved_by(&before, &after, "tx_train");
	EXPECT_EQ(1, moved_by(&before, &after, "tx_write"));
	EXPECT(calls >= 1 && fpdus >= 32 * calls, "%ld FPDUs in %ld calls",
	       fpdus, calls);
	EXPECT(fpdus >= (512 << 10) / 1460, "%ld FPDUs", fpdus);
	/* All of them are counted where they arrive. */
	end = deadline(2000);
	do
		counters_read(&after, dev_of(&p.b));
	while (moved_by(&there, &after, "rx_fpdu") < fpdus && !passed(end));
	EXPECT_EQ(1, moved_by(&there, &after, "rx_write"));
	EXPECT_EQ(fpdus, moved_by(&there, &after, "rx_fpdu"));
	EXPECT_EQ((512 << 10) + fpdus * TAGGED(0),
		  moved_by(&there, &after, "rx_bytes"));
	pair_close(&p);
}

/* Whether va hands TCP's large buffers to the peer as they are */
static void whole_buffers(bool on)
{
	static const uint32_t what[] = { ETHTOOL_STSO, ETHTOOL_SGSO };
	struct ethtool_value value = { .data = on };
	struct ifreq ifr = { .ifr_name = "va" };
	size_t i;
	int fd;

	ns_enter("sa");
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	ifr.ifr_data = (void *)&value;
	for (i = 0; i < ARRAY_SIZE(what); i++) {
		value.cmd = what[i];
		ASSERT(!ioctl(fd, SIOCETHTOOL, &ifr), "ethtool %x", what[i]);
	}
	close(fd);
}

/*
 * FPDUs begin where segments do, also behind messages that end in between: an
 * adapter gives the peer segment for segment.
 */
static void segments(void)
{
	struct counters before, after;
	long fpdus, straddles;
	struct pair p;
	int i, tries = 5;

	/* A way that is long: much waits behind what is on it. */
	if (sh("tc -n sa qdisc replace dev va root netem delay 20ms"))
		SKIP("no netem");
	whole_buffers(false);
	pair_open(&p, &(struct opts){ .sq = 64 });
	/* On a host that is slow, TCP has at times nothing left to wait behind. */
	do {
		counters_read(&before, dev_of(&p.b));
		for (i = 0; i < 40; i++)
			POST(&p.a, .op = IBV_WR_RDMA_WRITE, .len = 10001,
			     .id = i, .raddr = at(&p.b, 0),
			     .rkey = p.b.mr->rkey, .unsignaled = i < 39);
		WANT_WC(p.a.scq, 39, IBV_WC_SUCCESS);
		pair_works(&p);
		counters_read(&after, dev_of(&p.b));
		fpdus = moved_by(&before, &after, "rx_fpdu");
		straddles = moved_by(&before, &after, "rx_straddle");
		EXPECT(fpdus >= 40 * 7, "%ld FPDUs", fpdus);
		test_info("%ld of %ld in two segments", straddles, fpdus);
	} while (straddles * 10 > fpdus && --tries);
	EXPECT(tries, "%ld of %ld FPDUs in two segments, and so in each try",
	       straddles, fpdus);
	pair_close(&p);
	whole_buffers(true);
	sh("tc -n sa qdisc del dev va root");
}

static const char *const stall[] = { "tx_read_stall", NULL };

static void read_stalls(void)
{
	struct counters before;
	struct pair p;
	struct wr read = {
		.op = IBV_WR_RDMA_READ, .len = 64, .off = 4096, .id = 1,
	};
	struct wr write = {
		.op = IBV_WR_RDMA_WRITE, .len = 64, .id = 2,
		.flags = IBV_SEND_FENCE,
	};

	pair_open(&p, &(struct opts){ .ord = 1, .ird = 1 });
	read.raddr = at(&p.b, 0);
	read.rkey = p.b.mr->rkey;
	write.raddr = at(&p.b, 0);
	write.rkey = p.b.mr->rkey;
	counters_read(&before, dev_of(&p.a));
	post_two(&p.a, &read, &read);
	WANT_WC(p.a.scq, 1, IBV_WC_SUCCESS);
	WANT_WC(p.a.scq, 1, IBV_WC_SUCCESS);
	WANT_MOVED(dev_of(&p.a), &before, stall, { "tx_read_stall", 1 });
	post_two(&p.a, &read, &write);
	WANT_WC(p.a.scq, 1, IBV_WC_SUCCESS);
	WANT_WC(p.a.scq, 2, IBV_WC_SUCCESS);
	WANT_MOVED(dev_of(&p.a), &before, stall, { "tx_read_stall", 2 });
	pair_close(&p);
}

static const char *const faults[] = {
	"rx_fault", "rx_crc", "rx_no_buffer", "rx_terminate", "tx_terminate",
	"stream_lost", NULL
};

/* A stream of a raw peer that is up, and what siwb has counted until then */
static void fault_begin(struct wire *w, struct counters *before)
{
	memset(w, 0, sizeof(*w));
	wire_up(w, &(struct opts){ .buf = 4096 });
	wire_full(w);
	counters_read(before, dev_of(&w->s));
}

static void fault_end(struct wire *w)
{
	EXPECT(raw_end(&w->r, 15000) != RAW_OPEN, "TCP stays open");
	side_want(&w->s, RDMA_CM_EVENT_DISCONNECTED);
}

static void terminates_sent(void)
{
	struct counters before;
	uint8_t u[128], out[256];
	struct wire w;
	size_t n;

	fault_begin(&w, &before);
	fpdu_put(&w.r, u, ddp_tagged(u, CTL_WRITE, 0xdead00, 0, u, 16));
	fault_end(&w);
	WANT_MOVED(dev_of(&w.s), &before, faults, { "rx_fault", 1 },
		   { "tx_terminate", 1 }, { "tx_terminate_ddp", 1 });
	wire_close(&w);

	fault_begin(&w, &before);
	fpdu_put(&w.r, u, ddp_untagged(u, CTL_SEND, 0, 0, 1, 0, u, 16));
	fault_end(&w);
	WANT_MOVED(dev_of(&w.s), &before, faults, { "rx_fault", 1 },
		   { "rx_no_buffer", 1 }, { "tx_terminate", 1 },
		   { "tx_terminate_ddp", 1 });
	wire_close(&w);

	fault_begin(&w, &before);
	fpdu_put(&w.r, u, rdmap_rreq(u, 1, 0, 0, 16, 0xdead00, 0));
	fault_end(&w);
	WANT_MOVED(dev_of(&w.s), &before, faults, { "rx_fault", 1 },
		   { "tx_terminate", 1 }, { "tx_terminate_rdmap", 1 });
	wire_close(&w);

	fault_begin(&w, &before);
	n = fpdu_make(out, u, ddp_tagged(u, CTL_WRITE, 0, 0, NULL, 0));
	out[n - 1] ^= 1;
	raw_put(&w.r, out, n);
	fault_end(&w);
	WANT_MOVED(dev_of(&w.s), &before, faults, { "rx_fault", 1 },
		   { "rx_crc_error", 1 }, { "tx_terminate", 1 },
		   { "tx_terminate_mpa", 1 });
	wire_close(&w);
}

static void terminate(struct wire *w, struct counters *before, uint32_t word)
{
	uint8_t u[64], code[4];

	fault_begin(w, before);
	put32(code, word);
	fpdu_put(&w->r, u, ddp_untagged(u, CTL_TERM, 0, 2, 1, 0, code, 4));
	fault_end(w);
}

static void terminates_received(void)
{
	struct counters before;
	struct wire w;

	terminate(&w, &before, 0x01000000);
	WANT_MOVED(dev_of(&w.s), &before, faults, { "rx_terminate", 1 },
		   { "rx_terminate_rdmap", 1 });
	wire_close(&w);
	terminate(&w, &before, 0x11000000);
	WANT_MOVED(dev_of(&w.s), &before, faults, { "rx_terminate", 1 },
		   { "rx_terminate_ddp", 1 });
	wire_close(&w);
	terminate(&w, &before, 0x20020000);
	WANT_MOVED(dev_of(&w.s), &before, faults, { "rx_terminate", 1 },
		   { "rx_terminate_mpa", 1 });
	wire_close(&w);
	/* A layer that is none of the three */
	terminate(&w, &before, 0x70000000);
	WANT_MOVED(dev_of(&w.s), &before, faults, { "rx_terminate", 1 });
	wire_close(&w);
}

static void stream_lost(void)
{
	struct counters before;
	uint8_t u[64] = { 0 };
	struct wire w;

	fault_begin(&w, &before);
	raw_reset(&w.r);
	side_want(&w.s, RDMA_CM_EVENT_DISCONNECTED);
	WANT_MOVED(dev_of(&w.s), &before, faults, { "stream_lost", 1 });
	wire_close(&w);

	/* An FPDU that has begun */
	fault_begin(&w, &before);
	raw_put(&w.r, "", 1);
	raw_close(&w.r);
	side_want(&w.s, RDMA_CM_EVENT_DISCONNECTED);
	WANT_MOVED(dev_of(&w.s), &before, faults, { "stream_lost", 1 });
	wire_close(&w);

	/* A message that has begun */
	fault_begin(&w, &before);
	recv_at(&w.s, 1, 0, 64);
	fpdu_put(&w.r, u, ddp_untagged(u, CTL_SEND & ~CTL_LAST, 0, 0, 1, 0, u,
				       16));
	raw_close(&w.r);
	side_want(&w.s, RDMA_CM_EVENT_DISCONNECTED);
	WANT_MOVED(dev_of(&w.s), &before, faults, { "stream_lost", 1 });
	wire_close(&w);

	/* A close that waits for the answer to a Read */
	fault_begin(&w, &before);
	POST(&w.s, .op = IBV_WR_RDMA_READ, .len = 16, .id = 1, .raddr = 0x5000,
	     .rkey = 0x4201);
	EXPECT_EQ(0, rdma_disconnect(w.s.id));
	raw_reset(&w.r);
	side_want(&w.s, RDMA_CM_EVENT_DISCONNECTED);
	WANT_MOVED(dev_of(&w.s), &before, faults, { "stream_lost", 1 });
	wire_close(&w);

	/* Nothing that would have let the driver send */
	memset(&w, 0, sizeof(w));
	wire_up(&w, NULL);
	side_want(&w.s, RDMA_CM_EVENT_ESTABLISHED);
	counters_read(&before, dev_of(&w.s));
	raw_close(&w.r);
	side_want(&w.s, RDMA_CM_EVENT_DISCONNECTED);
	WANT_MOVED(dev_of(&w.s), &before, faults, { "stream_lost", 1 });
	wire_close(&w);

	/* A close is no loss. */
	fault_begin(&w, &before);
	raw_close(&w.r);
	side_want(&w.s, RDMA_CM_EVENT_DISCONNECTED);
	WANT_MOVED(dev_of(&w.s), &before, faults, { "stream_lost", 0 });
	wire_close(&w);
}

static const char *const conns[] = { "conn", NULL };

static void connections_made(void)
{
	struct counters a, b;
	struct pair p;

	counters_read(&a, "siwa");
	counters_read(&b, "siwb");
	pair_open(&p, NULL);
	WANT_MOVED("siwa", &a, conns, { "conn_out", 1 }, { "conn_up", 1 });
	WANT_MOVED("siwb", &b, conns, { "conn_in", 1 }, { "conn_up", 1 });
	pair_close(&p);
}

static void nobody_listens(void)
{
	struct counters before;
	struct side s;

	side_init(&s, NS_A, NULL);
	side_resolve(&s, ADDR_B, next_port());
	side_open(&s);
	counters_read(&before, "siwa");
	ASSERT(!side_connect(&s), "rdma_connect");
	EXPECT(side_event(&s, 10000) >= 0, "no event");
	WANT_MOVED("siwa", &before, conns, { "conn_out", 1 },
		   { "conn_tcp_error", 1 });
	side_close(&s);
}

/* What a peer answers to the Request of siwb */
static void replies(void)
{
	struct counters before;
	struct wire w = { 0 };

	counters_read(&before, "siwb");
	wire_connect(&w, NULL);
	wire_reply(&w, MPA_C | MPA_R, 1, NULL, 0);
	EXPECT(side_event(&w.s, 10000) >= 0, "no event");
	WANT_MOVED("siwb", &before, conns, { "conn_out", 1 },
		   { "conn_reject_received", 1 });
	wire_close(&w);

	memset(&w, 0, sizeof(w));
	counters_read(&before, "siwb");
	wire_connect(&w, NULL);
	raw_put(&w.r, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
	EXPECT(side_event(&w.s, 10000) >= 0, "no event");
	WANT_MOVED("siwb", &before, conns, { "conn_out", 1 },
		   { "conn_refused", 1 });
	wire_close(&w);

	/* Closed, tried in revision 1, closed again */
	memset(&w, 0, sizeof(w));
	counters_read(&before, "siwb");
	wire_connect(&w, NULL);
	raw_close(&w.r);
	ASSERT(raw_accept(&w.r, w.lfd, 10000), "no second try");
	raw_close(&w.r);
	EXPECT(side_event(&w.s, 10000) >= 0, "no event");
	WANT_MOVED("siwb", &before, conns, { "conn_out", 1 },
		   { "conn_fallback", 1 }, { "conn_closed", 1 });
	w.r.fd = -1;
	wire_close(&w);
}

/* What a peer sends to the listener of siwb */
static void requests(void)
{
	struct counters before;
	struct wire w = { 0 };

	wire_listen(&w, NULL);
	counters_read(&before, "siwb");
	wire_dial(&w);
	raw_put(&w.r, "GET / HTTP/1.1\r\n\r\n  ", 20);
	EXPECT(raw_end(&w.r, 5000) != RAW_OPEN, "not closed");
	WANT_MOVED("siwb", &before, conns, { "conn_in", 1 },
		   { "conn_refused", 1 });
	raw_close(&w.r);

	counters_read(&before, "siwb");
	wire_dial(&w);
	raw_close(&w.r);
	WANT_MOVED("siwb", &before, conns, { "conn_in", 1 },
		   { "conn_closed", 1 });

	counters_read(&before, "siwb");
	wire_dial(&w);
	wire_request(&w, MPA_C, 1, NULL, 0);
	side_want(&w.s, RDMA_CM_EVENT_CONNECT_REQUEST);
	ASSERT(!rdma_reject(w.s.id, NULL, 0), "rdma_reject");
	ASSERT(mpa_read(&w.r, &w.rep, true, 5000), "no Reply");
	WANT_MOVED("siwb", &before, conns, { "conn_in", 1 },
		   { "conn_reject_sent", 1 });
	wire_close(&w);
}

/* What ends at our side */
static void ended_here(void)
{
	struct counters before;
	struct wire w = { 0 };
	struct side s;
	uint8_t pd[4];

	/* The Reply asks for more than was offered. */
	counters_read(&before, "siwb");
	wire_connect(&w, &(struct opts){ .ird = 2, .ord = 2 });
	put32(pd, (get32(w.rep.pd) & (MPA_A | MPA_RTR_WRITE)) |
		  MPA_ENHANCED(2, 200));
	wire_reply(&w, MPA_C | MPA_S, 2, pd, 4);
	EXPECT(side_event(&w.s, 10000) >= 0, "no event");
	WANT_MOVED("siwb", &before, conns, { "conn_out", 1 },
		   { "conn_terms", 1 });
	wire_close(&w);

	memset(&w, 0, sizeof(w));
	counters_read(&before, "siwb");
	wire_connect(&w, NULL);
	EXPECT_EQ(0, side_to_err(&w.s));
	EXPECT(side_event(&w.s, 10000) >= 0, "no event");
	WANT_MOVED("siwb", &before, conns, { "conn_out", 1 },
		   { "conn_abort", 1 });
	wire_close(&w);

	side_init(&s, NS_B, NULL);
	side_resolve(&s, ADDR_A, next_port());
	side_open(&s);
	EXPECT_EQ(0, side_to_err(&s));
	counters_read(&before, "siwb");
	EXPECT(side_connect(&s), "a queue pair in ERROR is connected");
	WANT_MOVED("siwb", &before, conns, { "conn_out", 1 },
		   { "conn_local_error", 1 });
	side_close(&s);
}

#define SILENT 130

static bool is_open(const struct raw *r)
{
	char octet;

	return recv(r->fd, &octet, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/*
 * All of them connect, the last two when there is room for no more.  Not so fast that
 * TCP's own queue is full: who finds it so comes again after 1 s.
 */
static void dial_silently(struct raw r[SILENT], uint16_t port, uint64_t start)
{
	int i;

	for (i = 0; i < SILENT; i++) {
		/* After 5 s they go for another reason. */
		if (i == SILENT - 2 && now_ms() - start > 3000)
			SKIP("this machine is too slow");
		raw_dial(&r[i], NS_A, ADDR_B, port);
		if (i % 4 == 3)
			sleep_ms(slow(3));
	}
	for (i = 0; i < 2; i++)
		EXPECT(raw_end(&r[i], 1500) != RAW_OPEN, "peer %d stays", i);
	if (now_ms() - start > 4900)
		SKIP("this machine is too slow");
}

/* Two more silent peers than there is room for: the first two make way. */
static void silent_crowd(void)
{
	struct wire w = { 0 }, other = { 0 };
	struct counters before;
	struct raw r[SILENT];
	uint64_t start;
	int i;

	wire_listen(&w, NULL);
	wire_listen(&other, NULL);
	start = now_ms();
	wire_dial(&other);		/* longer silent than all of them */
	sleep_ms(slow(50));
	counters_read(&before, "siwb");
	dial_silently(r, w.port, start);
	for (i = 2; i < SILENT && is_open(&r[i]); i++)
		;
	EXPECT_EQ(SILENT, i);
	EXPECT(is_open(&other.r), "a peer of another listener made way");
	WANT_MOVED("siwb", &before, conns, { "conn_in", SILENT },
		   { "conn_timeout", 2 }, { "conn_half_open", 2 });
	for (i = 0; i < SILENT; i++)
		raw_close(&r[i]);
	wire_close(&other);
	wire_close(&w);
}

/* One that has said what it wants makes way for nobody, and keeps none of them. */
static void silent_behind_one_asked(void)
{
	struct raw asked, r[SILENT];
	struct wire w = { 0 };
	uint8_t out[64];
	uint64_t start;
	int i;

	wire_listen(&w, NULL);
	raw_dial(&asked, NS_A, ADDR_B, w.port);
	raw_put(&asked, out, mpa_make(out, false, MPA_C, 1, NULL, 0));
	side_want(&w.s, RDMA_CM_EVENT_CONNECT_REQUEST);
	start = now_ms();
	dial_silently(r, w.port, start);
	EXPECT(is_open(&r[2]), "one too many made way");
	EXPECT(is_open(&asked), "who has sent a Request made way");
	for (i = 0; i < SILENT; i++)
		raw_close(&r[i]);
	raw_close(&asked);
	w.r.fd = -1;
	wire_close(&w);
}

#define ONE_GO 64			/* so many are taken from TCP at a time */
#define WAITING (ONE_GO + 1)

/*
 * With as many requests undecided as the backlog says, TCP keeps the rest.  When
 * one is decided on, all of that is taken, though it is too much for one go.
 */
static void full_backlog(void)
{
	struct rdma_cm_id *asked[WAITING];
	struct raw r[2 * WAITING];
	uint16_t port = next_port();
	struct counters before;
	uint8_t out[64];
	struct side s;
	int i;

	side_init(&s, NS_B, NULL);
	side_listen(&s, ADDR_B, port, WAITING);
	counters_read(&before, "siwb");
	for (i = 0; i < WAITING; i++) {
		raw_dial(&r[i], NS_A, ADDR_B, port);
		raw_put(&r[i], out, mpa_make(out, false, MPA_C, 1, NULL, 0));
		side_want(&s, RDMA_CM_EVENT_CONNECT_REQUEST);
		asked[i] = s.id;
	}
	for (; i < 2 * WAITING; i++)
		raw_dial(&r[i], NS_A, ADDR_B, port);
	WANT_MOVED("siwb", &before, conns, { "conn_in", WAITING });
	EXPECT_EQ(0, rdma_reject(asked[0], NULL, 0));
	WANT_MOVED("siwb", &before, conns, { "conn_in", 2 * WAITING },
		   { "conn_reject_sent", 1 });
	for (i = 0; i < WAITING; i++)
		EXPECT_EQ(0, rdma_destroy_id(asked[i]));
	s.id = NULL;
	side_close(&s);
	for (i = 0; i < 2 * WAITING; i++)
		raw_close(&r[i]);
}

/* Two links have one socket: while one of them is full, TCP keeps the rest of both. */
static void full_backlog_of_one_link(void)
{
	struct rdma_cm_id *asked[2];
	uint16_t port = next_port();
	struct counters before;
	struct raw r[3];
	uint8_t out[64];
	struct side s;
	size_t i;

	if (sh("ip -n sb link add vd type dummy"))
		SKIP("no dummy netdev in this kernel");
	EXPECT_EQ(0, sh("ip -n sb link set vd up &&"
			"ip -n sb addr add 10.85.0.1/24 dev vd &&"
			"ip netns exec sb rdma link add siwd type siw netdev vd"));
	side_init(&s, NS_B, NULL);
	side_listen(&s, "0.0.0.0", port, ARRAY_SIZE(asked));
	counters_read(&before, "siwb");
	for (i = 0; i < ARRAY_SIZE(asked); i++) {
		raw_dial(&r[i], NS_A, ADDR_B, port);
		raw_put(&r[i], out, mpa_make(out, false, MPA_C, 1, NULL, 0));
		side_want(&s, RDMA_CM_EVENT_CONNECT_REQUEST);
		asked[i] = s.id;
	}
	raw_dial(&r[i], NS_A, ADDR_B, port);
	sleep_ms(slow(200));
	WANT_MOVED("siwb", &before, conns, { "conn_in", 2 });
	EXPECT_EQ(0, rdma_reject(asked[0], NULL, 0));
	WANT_MOVED("siwb", &before, conns, { "conn_in", 3 },
		   { "conn_reject_sent", 1 });
	for (i = 0; i < ARRAY_SIZE(asked); i++)
		EXPECT_EQ(0, rdma_destroy_id(asked[i]));
	s.id = NULL;
	side_close(&s);
	for (i = 0; i < ARRAY_SIZE(r); i++)
		raw_close(&r[i]);
	sh("ip -n sb link del vd");
}

/* Each time limit has its counter, and all of them are in conn_timeout. */
static void timeouts(void)
{
	struct counters before;
	struct wire w = { 0 };
	struct pair up;
	uint8_t pd[4];

	pair_open(&up, NULL);
	wire_listen(&w, NULL);
	counters_read(&before, "siwb");
	wire_dial(&w);
	EXPECT(raw_end(&w.r, 10000) != RAW_OPEN, "silence is not noticed");
	WANT_MOVED("siwb", &before, conns, { "conn_in", 1 },
		   { "conn_timeout", 1 }, { "conn_timeout_request", 1 });
	wire_close(&w);

	memset(&w, 0, sizeof(w));
	counters_read(&before, "siwb");
	wire_connect(&w, NULL);
	EXPECT(side_event(&w.s, 15000) >= 0, "no event");
	WANT_MOVED("siwb", &before, conns, { "conn_out", 1 },
		   { "conn_timeout", 1 }, { "conn_timeout_reply", 1 });
	wire_close(&w);

	memset(&w, 0, sizeof(w));
	wire_listen(&w, NULL);
	counters_read(&before, "siwb");
	wire_dial(&w);
	put32(pd, MPA_A | MPA_RTR_WRITE | MPA_ENHANCED(1, 1));
	wire_request(&w, MPA_C | MPA_S, 2, pd, 4);
	wire_accept(&w);
	EXPECT(raw_end(&w.r, 15000) != RAW_OPEN, "silence is not noticed");
	WANT_MOVED("siwb", &before, conns, { "conn_in", 1 },
		   { "conn_timeout", 1 }, { "conn_timeout_first", 1 });
	wire_close(&w);

	/* They have passed, and none is for a stream that is up. */
	pair_works(&up);
	pair_close(&up);
}

/* ---- details of resources ---- */

static char said[1 << 18];

/* What a command says, as root or as nobody */
static void say(const char *command, bool nobody)
{
	size_t n = 0;
	int fds[2];
	ssize_t got;
	pid_t pid;
	int status;

	ASSERT(!pipe(fds), "pipe");
	pid = fork();
	ASSERT(pid >= 0, "fork");
	if (!pid) {
		dup2(fds[1], 1);
		close(fds[0]);
		close(fds[1]);
		if (nobody && (setgroups(0, NULL) || setgid(65534) ||
			       setuid(65534)))
			_exit(126);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	close(fds[1]);
	while (n < sizeof(said) - 1 &&
	       (got = read(fds[0], said + n, sizeof(said) - 1 - n)) > 0)
		n += got;
	said[n] = 0;
	close(fds[0]);
	waitpid(pid, &status, 0);
	EXPECT(!status, "%s: status %x", command, status);
}

#define SAYS(...)							\
	do {								\
		char text_[256];					\
									\
		snprintf(text_, sizeof(text_), __VA_ARGS__);		\
		EXPECT(strstr(said, text_), "no %s in %s", text_, said); \
	} while (0)

static uint16_t port_of(const struct sockaddr *sa)
{
	return ntohs(((const struct sockaddr_in *)sa)->sin_port);
}

/* What the details of @s say now is there for SAYS(). */
static void say_details(const struct side *s)
{
	char command[128];

	snprintf(command, sizeof(command),
		 "rdma -dd -j resource show qp link siwb/1 lqpn %u",
		 s->qp->qp_num);
	say(command, false);
}

static void details_qp(void)
{
	char command[128];
	struct pair p;

	pair_open(&p, &(struct opts){ .sq = 16, .rq = 8, .ird = 2, .ord = 2 });
	recv_at(&p.b, 1, 0, 64);
	recv_at(&p.b, 2, 0, 64);
	recv_at(&p.b, 3, 0, 64);
	POST(&p.a, .op = IBV_WR_SEND, .len = 64, .id = 1);
	POST(&p.a, .op = IBV_WR_RDMA_READ, .off = 4096, .len = 64, .id = 2,
	     .raddr = at(&p.b, 0), .rkey = p.b.mr->rkey);
	WANT_WC(p.b.rcq, 1, IBV_WC_SUCCESS);
	WANT_WC(p.a.scq, 1, IBV_WC_SUCCESS);
	WANT_WC(p.a.scq, 2, IBV_WC_SUCCESS);

	ns_enter(NS_B);
	say_details(&p.b);
	SAYS("_stream\":\"RTS\"");
	SAYS("_mpa_rev\":2");
	SAYS("_crc\":1");
	SAYS("_markers\":0");
	SAYS("_local\":\"" ADDR_B ":%u\"",
	     port_of(rdma_get_local_addr(p.b.id)));
	SAYS("_peer\":\"" ADDR_A ":%u\"", port_of(rdma_get_peer_addr(p.b.id)));
	SAYS("_mss\":14");	/* 1460, or 1448 with time stamps */
	SAYS("_sq_size\":16");
	SAYS("_rq_size\":8");
	SAYS("_rq_posted\":2");
	SAYS("_rq_low\":2");
	SAYS("_rq_done\":1");
	SAYS("_sq_done\":0");
	SAYS("_ird_high\":1");
	SAYS("_ird_used\":0");
	EXPECT(!strstr(said, "terminate"), "%s", said);

	snprintf(command, sizeof(command),
		 "rdma -dd -j resource show qp link siwa/1 lqpn %u",
		 p.a.qp->qp_num);
	ns_enter(NS_A);
	say(command, false);
	SAYS("_sq_outstanding\":0");
	SAYS("_sq_posted\":0");
	SAYS("_sq_done\":2");
	SAYS("_rq_done\":0");
	SAYS("_ord\":2");
	SAYS("_ord_high\":1");
	EXPECT(!strstr(said, "_sq_high\":0"), "%s", said);
	pair_close(&p);
}

/* A Read that is not answered takes a place of our ORD, and none of our IRD. */
static void details_read(void)
{
	static struct fpdu f[2];
	struct wire w = { 0 };
	uint8_t u[64];
	int i;

	wire_up(&w, &(struct opts){ .buf = 4096, .ird = 2, .ord = 2 });
	wire_full(&w);
	for (i = 0; i < 2; i++) {
		POST(&w.s, .op = IBV_WR_RDMA_READ, .len = 16, .id = i,
		     .raddr = 0x5000, .rkey = 0x4201);
		ASSERT(fpdu_read(&w.r, &f[i], 5000), "no Read Request");
	}
	ns_enter(NS_B);
	say_details(&w.s);
	SAYS("_ord_used\":2");
	SAYS("_ord_high\":2");
	SAYS("_ird_used\":0");
	SAYS("_sq_outstanding\":2");
	SAYS("_sq_posted\":0");
	for (i = 0; i < 2; i++) {
		fpdu_put(&w.r, u, ddp_tagged(u, CTL_RRSP, get32(f[i].ulpdu + 18),
					     get64(f[i].ulpdu + 22),
					     "0123456789abcdef", 16));
		WANT_WC(w.s.scq, i, IBV_WC_SUCCESS);
	}
	POST(&w.s, .op = IBV_WR_RDMA_READ, .len = 16, .id = i, .raddr = 0x5000,
	     .rkey = 0x4201);
	ASSERT(fpdu_read(&w.r, &f[0], 5000), "no Read Request");
	say_details(&w.s);
	SAYS("_ord_used\":1");
	SAYS("_ord_high\":2");
	wire_close(&w);
}

static void details_terminate(void)
{
	uint8_t u[64], code[4];
	struct wire w;

	memset(&w, 0, sizeof(w));
	wire_up(&w, &(struct opts){ .buf = 4096 });
	fpdu_put(&w.r, u, ddp_tagged(u, CTL_WRITE, 0xdead00, 0, u, 16));
	side_want(&w.s, RDMA_CM_EVENT_ESTABLISHED);
	side_want(&w.s, RDMA_CM_EVENT_DISCONNECTED);
	ns_enter(NS_B);
	say_details(&w.s);
	SAYS("_stream\":\"ERROR\"");
	SAYS("_terminate_sent\":\"1/1/00\"");
	wire_close(&w);

	memset(&w, 0, sizeof(w));
	wire_up(&w, &(struct opts){ .buf = 4096 });
	wire_full(&w);
	put32(code, 0x12020000);
	fpdu_put(&w.r, u, ddp_untagged(u, CTL_TERM, 0, 2, 1, 0, code, 4));
	side_want(&w.s, RDMA_CM_EVENT_DISCONNECTED);
	ns_enter(NS_B);
	say_details(&w.s);
	SAYS("_terminate_received\":\"1/2/02\"");
	wire_close(&w);
}

/* Anybody may ask, and learns no STag. */
static void details_mr(void)
{
	char number[32];
	struct pair p;

	pair_open(&p, NULL);
	ns_enter(NS_B);
	say("rdma -dd -j resource show mr", true);
	SAYS("_kind\":\"user\"");
	SAYS("_valid\":1");
	SAYS("_remote_write\":1");
	snprintf(number, sizeof(number), "%u", p.b.mr->rkey);
	EXPECT(!strstr(said, number), "the STag in %s", said);
	snprintf(number, sizeof(number), "%x", p.b.mr->rkey);
	EXPECT(!strstr(said, number), "the STag in %s", said);
	pair_close(&p);
}

static void details_cq(void)
{
	struct pair p;
	int i;

	pair_open(&p, NULL);
	for (i = 0; i < 3; i++)
		recv_at(&p.b, i, 0, 64);
	for (i = 0; i < 3; i++)
		POST(&p.a, .op = IBV_WR_SEND, .len = 64, .id = i);
	for (i = 0; i < 3; i++)
		WANT_WC(p.a.scq, i, IBV_WC_SUCCESS);
	/* They are in the queue when their octets are there. */
	sleep_ms(slow(200));
	ns_enter(NS_B);
	say("rdma -dd -j resource show cq", false);
	SAYS("_pending\":3");
	SAYS("_overflowed\":0");
	for (i = 0; i < 3; i++)
		WANT_WC(p.b.rcq, i, IBV_WC_SUCCESS);
	say("rdma -dd -j resource show cq", false);
	EXPECT(!strstr(said, "_pending\":3"), "%s", said);
	pair_close(&p);
}

/* Details are asked for while everything comes and goes. */
static void details_while_busy(void)
{
	uint64_t end = deadline(5000);
	struct pair p;
	pid_t pid;
	int n = 0;

	pid = fork();
	ASSERT(pid >= 0, "fork");
	if (!pid) {
		execl("/bin/sh", "sh", "-c",
		      "while :; do rdma -dd -j resource show qp;"
		      "rdma -dd -j resource show cq; rdma -dd -j resource show mr;"
		      "done >/dev/null 2>&1", NULL);
		_exit(127);
	}
	while (!passed(end)) {
		pair_open(&p, NULL);
		pair_works(&p);
		pair_close(&p);
		n++;
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	test_note("%d connections", n);
}

/* ---- tracepoints ---- */

/* A buffer of our own: others may have events in the one of all. */
#define TRACEFS "/sys/kernel/tracing"
static const char tracing[] = TRACEFS "/instances/siw-ksft";

static bool write_file(const char *file, const char *text)
{
	char path[256];
	FILE *f;
	bool ok;

	snprintf(path, sizeof(path), "%s/%s", tracing, file);
	f = fopen(path, "w");
	if (!f)
		return false;
	ok = fputs(text, f) >= 0;
	return fclose(f) == 0 && ok;
}

static void trace_begin(void)
{
	if (access(TRACEFS "/instances", F_OK) &&
	    sh("mount -t tracefs tracefs " TRACEFS))
		SKIP("no tracefs in this kernel");
	ASSERT(!mkdir(tracing, 0700) || errno == EEXIST, "mkdir %s", tracing);
	write_file("tracing_on", "0");
	ASSERT(write_file("events/siw/enable", "1"), "no events siw:*");
	write_file("trace", "");
	write_file("tracing_on", "1");
}

static void trace_end(void)
{
	char path[256];
	size_t n;
	FILE *f;

	write_file("tracing_on", "0");
	write_file("events/siw/enable", "0");
	snprintf(path, sizeof(path), "%s/trace", tracing);
	f = fopen(path, "r");
	ASSERT(f, "open %s", path);
	n = fread(said, 1, sizeof(said) - 1, f);
	said[n] = 0;
	fclose(f);
	rmdir(tracing);
	test_info("%s", said);
}

/* A line that has all of these. Return: where, or NULL. */
static const char *traced(const char *event, const char *with, const char *also)
{
	char line[1024];
	const char *at;

	for (at = said; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		snprintf(line, sizeof(line), "%.*s ", (int)strcspn(at, "\n"),
			 at);
		if (strstr(line, event) && strstr(line, with) &&
		    strstr(line, also))
			return at;
	}
	FAIL("no %s with %s and %s in the trace", event, with, also);
	return NULL;
}

static void in_order(const char *const *at, size_t n)
{
	size_t i;

	for (i = 1; i < n; i++)
		EXPECT(!at[i - 1] || !at[i] || at[i - 1] < at[i],
		       "step %zu comes after step %zu", i - 1, i);
}

static void trace_write(void)
{
	char a[32], b[32], stag[32];
	struct pair p;

	pair_open(&p, NULL);
	snprintf(a, sizeof(a), " qpn=%u ", p.a.qp->qp_num);
	snprintf(b, sizeof(b), " qpn=%u ", p.b.qp->qp_num);
	snprintf(stag, sizeof(stag), " stag=%#x ", p.b.mr->rkey);
	trace_begin();
	POST(&p.a, .op = IBV_WR_RDMA_WRITE, .len = 1000, .id = 0x5157,
	     .raddr = at(&p.b, 4096), .rkey = p.b.mr->rkey);
	WANT_WC(p.a.scq, 0x5157, IBV_WC_SUCCESS);
	sleep_ms(slow(100));
	trace_end();
	in_order((const char *[]){
		traced("siw_doorbell:", a, ""),
		traced("siw_start:", a, " id=0x5157 op=WRITE "),
		traced("siw_tx_fpdu:", a, stag),
		traced("siw_train:", a, " fpdus=1 taken=1020 len=1020 "),
		traced("siw_complete:", a, " id=0x5157 op=WRITE status=SUCCESS len=1000 "),
	}, 5);
	in_order((const char *[]){
		traced("siw_tx_fpdu:", a, " op=Write last=1 len=1000 "),
		traced("siw_rx_fpdu:", b, stag),
		traced("siw_placed:", b, " op=Write last=1 len=1000 "),
	}, 3);
	EXPECT(!strstr(said, "siw_qp_state"), "a state changed");
	pair_close(&p);
}

static void trace_send(void)
{
	char a[32], b[32];
	struct pair p;

	pair_open(&p, NULL);
	snprintf(a, sizeof(a), " qpn=%u ", p.a.qp->qp_num);
	snprintf(b, sizeof(b), " qpn=%u ", p.b.qp->qp_num);
	recv_at(&p.b, 0x5158, 0, 100);
	trace_begin();
	POST(&p.a, .op = IBV_WR_SEND, .len = 100, .id = 0x5157);
	WANT_WC(p.a.scq, 0x5157, IBV_WC_SUCCESS);
	WANT_WC(p.b.rcq, 0x5158, IBV_WC_SUCCESS);
	sleep_ms(slow(100));
	trace_end();
	in_order((const char *[]){
		traced("siw_tx_fpdu:", a, " op=Send last=1 len=100 "),
		traced("siw_rx_fpdu:", b, " op=Send last=1 len=100 "),
		traced("siw_placed:", b, " op=Send last=1 len=100 "),
		traced("siw_complete:", b, " id=0x5158 op=RECEIVE status=SUCCESS len=100 "),
	}, 4);
	pair_close(&p);
}

/* The number behind a name in a line, such as " una=0x5157" */
static uint32_t number(const char *line, const char *name)
{
	const char *at = line ? strstr(line, name) : NULL;

	if (!at || at > line + strcspn(line, "\n")) {
		FAIL("no%s", name);
		return 0;
	}
	return strtoul(at + strlen(name), NULL, 0);
}

/*
 * All that was sent is acknowledged: TCP's number behind it, whether it went
 * alone or with others in a train, is the one that comes back.
 */
static void trace_numbers(void)
{
	char a[32], to[3][32];
	uint32_t seq[3];
	struct pair p;
	int i;

	pair_open(&p, NULL);
	snprintf(a, sizeof(a), " qpn=%u ", p.a.qp->qp_num);
	recv_at(&p.a, 0x5158, 0, 100);
	trace_begin();
	for (i = 0; i < 3; i++) {
		uint64_t raddr = at(&p.b, 1024 * i);

		snprintf(to[i], sizeof(to[i]), " to=%#llx ",
			 (unsigned long long)raddr);
		POST(&p.a, .op = IBV_WR_RDMA_WRITE, .len = 300, .id = i,
		     .raddr = raddr, .rkey = p.b.mr->rkey);
	}
	for (i = 0; i < 3; i++)
		WANT_WC(p.a.scq, i, IBV_WC_SUCCESS);
	sleep_ms(slow(100));
	POST(&p.b, .op = IBV_WR_SEND, .len = 100, .id = 0x5157);
	WANT_WC(p.a.rcq, 0x5158, IBV_WC_SUCCESS);
	sleep_ms(slow(100));
	trace_end();
	for (i = 0; i < 3; i++)
		seq[i] = number(traced("siw_tx_fpdu:", a, to[i]), " una=");
	/*
	 * Together they are shorter than a segment: each is one FPDU, with 20
	 * octets of length, header and CRC.
	 */
	EXPECT_EQ(320, seq[1] - seq[0]);
	EXPECT_EQ(320, seq[2] - seq[1]);
	EXPECT_EQ(seq[2], number(traced("siw_rx_fpdu:", a, " op=Send "),
				 " una="));
	EXPECT(number(traced("siw_tx_fpdu:", a, to[0]), " cookie="),
	       "a socket without a number");
	pair_close(&p);
}

/* Who waits for what, and that the consumer of an armed queue is told */
static void trace_wait(void)
{
	struct wr read = {
		.op = IBV_WR_RDMA_READ, .len = 64, .off = 4096, .id = 0x5157,
	};
	struct wr write = {
		.op = IBV_WR_RDMA_WRITE, .len = 64, .id = 0x5158,
		.flags = IBV_SEND_FENCE,
	};
	struct pair p;
	char a[32];

	pair_open(&p, &(struct opts){ .ord = 3, .ird = 3 });
	snprintf(a, sizeof(a), " qpn=%u ", p.a.qp->qp_num);
	read.raddr = at(&p.b, 0);
	read.rkey = p.b.mr->rkey;
	write.raddr = at(&p.b, 0);
	write.rkey = p.b.mr->rkey;
	ASSERT(!ibv_req_notify_cq(p.a.scq, 0), "arm");
	trace_begin();
	post_two(&p.a, &read, &write);
	WANT_WC(p.a.scq, 0x5157, IBV_WC_SUCCESS);
	WANT_WC(p.a.scq, 0x5158, IBV_WC_SUCCESS);
	sleep_ms(slow(100));
	trace_end();
	in_order((const char *[]){
		traced("siw_start:", a, " id=0x5157 op=READ "),
		traced("siw_start:", a, " id=0x5158 op=WRITE "),
		traced("siw_stall:", a, " reads=1 ord=3 "),
		traced("siw_complete:", a, " id=0x5157 op=READ status=SUCCESS len=64 "),
		traced("siw_complete:", a, " id=0x5158 op=WRITE status=SUCCESS len=64 "),
	}, 5);
	in_order((const char *[]){
		traced("siw_complete:", a, " id=0x5157 "),
		traced("siw_notify:", "", ""),
	}, 2);
	pair_close(&p);
}

static void trace_connection(void)
{
	char port[64], a[64], b[64];
	struct pair p;

	trace_begin();
	pair_open(&p, NULL);
	snprintf(port, sizeof(port), "peer=" ADDR_B ":%u ",
		 port_of(rdma_get_peer_addr(p.a.id)));
	snprintf(a, sizeof(a), " qpn=%u local=" ADDR_A ":", p.a.qp->qp_num);
	snprintf(b, sizeof(b), " qpn=%u local=" ADDR_B ":", p.b.qp->qp_num);
	pair_close(&p);
	sleep_ms(slow(200));
	trace_end();
	in_order((const char *[]){
		traced("siw_conn_state:", port, " to=CONNECTING "),
		traced("siw_mpa_sent:", port, " Request rev=2 "),
		traced("siw_conn_state:", port, " to=WAIT_REPLY "),
		traced("siw_mpa_received:", port, " Reply rev=2 "),
		traced("siw_conn_state:", port, " from=WAIT_REPLY to=UP "),
		traced("siw_conn_state:", port, " from=UP to=LINGER "),
		traced("siw_conn_state:", port, " to=CLOSED "),
	}, 7);
	in_order((const char *[]){
		traced("siw_mpa_received:", "", " Request rev=2 "),
		traced("siw_conn_state:", "local=" ADDR_B, " to=ULP "),
		traced("siw_mpa_sent:", "", " Reply rev=2 "),
		traced("siw_conn_state:", "local=" ADDR_B, " to=WAIT_FIRST "),
		traced("siw_conn_state:", "local=" ADDR_B,
		       " from=WAIT_FIRST to=UP "),
	}, 5);
	in_order((const char *[]){
		traced("siw_mr_register:", "", " rights=LOCAL_WRITE|"),
		traced("siw_qp_state:", "", " from=IDLE to=RTS event=start "),
		traced("siw_mr_deregister:", "", ""),
	}, 3);
	/* Which queue pair it is, as long as there is one */
	in_order((const char *[]){
		traced("siw_conn_state:", a, " to=CONNECTING "),
		traced("siw_conn_state:", a, " from=WAIT_REPLY to=UP "),
	}, 2);
	in_order((const char *[]){
		traced("siw_conn_state:", " qpn=0 local=" ADDR_B ":", " to=ULP "),
		traced("siw_conn_state:", b, " from=WAIT_FIRST to=UP "),
	}, 2);
}

static void trace_terminate(void)
{
	uint8_t u[64];
	struct wire w;

	memset(&w, 0, sizeof(w));
	trace_begin();
	wire_up(&w, &(struct opts){ .buf = 4096 });
	fpdu_put(&w.r, u, ddp_tagged(u, CTL_WRITE, 0xdead00, 0, u, 16));
	EXPECT(raw_end(&w.r, 15000) != RAW_OPEN, "TCP stays open");
	trace_end();
	in_order((const char *[]){
		traced("siw_rx_fpdu:", "", " stag=0xdead00 "),
		traced("siw_qp_state:", "", " from=RTS to=TERMINATE event=fault "),
		traced("siw_terminate_sent:", "", " code=1/1/00 "),
		traced("siw_qp_state:", "",
		       " from=TERMINATE to=ERROR event=terminate_sent "),
	}, 4);
	EXPECT(!strstr(said, "siw_placed:"), "it was placed");
	wire_close(&w);

	memset(&w, 0, sizeof(w));
	wire_listen(&w, NULL);
	trace_begin();
	wire_dial(&w);
	raw_put(&w.r, "GET / HTTP/1.1\r\n\r\n  ", 20);
	EXPECT(raw_end(&w.r, 5000) != RAW_OPEN, "not closed");
	trace_end();
	traced("siw_conn_failed:", "peer=" ADDR_A, " cause=refused err=-71 ");
	wire_close(&w);
}

/* As rdma_cm is told it: the peer wants no connection. */
static void trace_rejection(void)
{
	struct wire w = { 0 };

	trace_begin();
	wire_connect(&w, NULL);
	wire_reply(&w, MPA_C | MPA_R, 1, NULL, 0);
	EXPECT(side_event(&w.s, 10000) >= 0, "no event");
	trace_end();
	traced("siw_conn_failed:", "peer=" ADDR_A,
	       " cause=reject_received err=-104 ");
	wire_close(&w);
}

/* ---- messages ---- */

static int log_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);

	ASSERT(fd >= 0 && lseek(fd, 0, SEEK_END) >= 0, "/dev/kmsg");
	return fd;
}

/* The messages of siwb since then, one to a line */
static int log_read(int fd)
{
	char line[8192];
	ssize_t len;
	size_t n = 0;
	int lines = 0;
	char *text;

	said[0] = 0;
	while ((len = read(fd, line, sizeof(line) - 1)) > 0) {
		line[len] = 0;
		line[strcspn(line, "\n")] = 0;
		text = strstr(line, ";siwb: ");
		if (!text || n + strlen(text) + 2 > sizeof(said))
			continue;
		n += sprintf(said + n, "%s\n", text + 1);
		lines++;
	}
	test_info("%s", said);
	return lines;
}

/* A fault that is about an STag names it; one that is not names none. */
static void message_of_a_fault(void)
{
	char local[64], peer[64];
	struct sockaddr_in sa;
	socklen_t len = sizeof(sa);
	uint8_t u[64], out[256];
	struct wire w;
	uint32_t qpn;
	size_t n;
	int fd;

	memset(&w, 0, sizeof(w));
	fd = log_open();
	wire_up(&w, &(struct opts){ .buf = 4096 });
	qpn = w.s.qp->qp_num;
	ASSERT(!getsockname(w.r.fd, (struct sockaddr *)&sa, &len), "name");
	snprintf(local, sizeof(local), ADDR_B ":%u", w.port);
	snprintf(peer, sizeof(peer), ADDR_A ":%u", ntohs(sa.sin_port));
	fpdu_put(&w.r, u, ddp_tagged(u, CTL_WRITE, 0xdead00, 0, u, 16));
	side_want(&w.s, RDMA_CM_EVENT_ESTABLISHED);
	side_want(&w.s, RDMA_CM_EVENT_DISCONNECTED);
	EXPECT_EQ(1, log_read(fd));
	SAYS("siwb: QP %u, local %s, peer %s: stream ended by us: tagged: invalid STag (1/1/00), STag 0xdead00\n",
	     qpn, local, peer);
	wire_close(&w);

	memset(&w, 0, sizeof(w));
	wire_up(&w, &(struct opts){ .buf = 4096 });
	qpn = w.s.qp->qp_num;
	n = fpdu_make(out, u, ddp_tagged(u, CTL_WRITE, 0, 0, NULL, 0));
	out[n - 1] ^= 1;
	raw_put(&w.r, out, n);
	EXPECT(raw_end(&w.r, 15000) != RAW_OPEN, "TCP stays open");
	sleep_ms(slow(100));
	EXPECT_EQ(1, log_read(fd));
	SAYS("siwb: QP %u, ", qpn);
	SAYS(": stream ended by us: CRC error (2/0/02)\n");
	wire_close(&w);
	close(fd);
}

/* Of a Read Request it is the source that is wrong, and not the peer's own sink. */
static void message_of_a_read(void)
{
	struct wire w = { 0 };
	uint8_t u[64];
	int fd;

	fd = log_open();
	wire_up(&w, &(struct opts){ .buf = 4096 });
	fpdu_put(&w.r, u, rdmap_rreq(u, 1, 0xbeef00, 0, 16, 0xdead00, 0));
	side_want(&w.s, RDMA_CM_EVENT_ESTABLISHED);
	side_want(&w.s, RDMA_CM_EVENT_DISCONNECTED);
	EXPECT_EQ(1, log_read(fd));
	SAYS(": stream ended by us: ");
	SAYS(" (0/1/00), STag 0xdead00\n");
	wire_close(&w);
	close(fd);
}

static void bad_requests(struct wire *w, int n)
{
	while (n--) {
		wire_dial(w);
		raw_put(&w->r, "GET / HTTP/1.1\r\n\r\n  ", 20);
		EXPECT(raw_end(&w->r, 5000) != RAW_OPEN, "not closed");
		raw_close(&w->r);
	}
}

static void bad_reply(void)
{
	struct wire w = { 0 };

	wire_connect(&w, &(struct opts){ .buf = 4096 });
	raw_put(&w.r, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
	EXPECT(side_event(&w.s, 10000) >= 0, "no event");
	wire_close(&w);
}

/* How many messages those that were read say were left out */
static long told(void)
{
	const char *at = said;
	long n, sum = 0;

	while ((at = strstr(at, "siwb: "))) {
		at += strlen("siwb: ");
		if (sscanf(at, "%ld messages like the next were suppressed",
			   &n) == 1)
			sum += n;
	}
	return sum;
}

/*
 * Ten of a kind in five seconds.  Of another kind there is room, and after a
 * while the next says how many were left out.
 */
/* All that the RFCs register, and one they do not: layer, type and code */
static void messages_of_terminates(void)
{
	static const uint16_t codes[] = {
		0x0000, 0x0100, 0x0101, 0x0102, 0x0103, 0x0104, 0x0109,
		0x01ff, 0x0205, 0x0206, 0x0207, 0x0208, 0x0209, 0x02ff,
		0x1000, 0x1100, 0x1101, 0x1102, 0x1103, 0x1104, 0x1201,
		0x1202, 0x1203, 0x1204, 0x1205, 0x1206, 0x1300, 0x2001,
		0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x7000,
	};
	struct counters before;
	struct wire w;
	unsigned int i;
	int fd;

	fd = log_open();
	for (i = 0; i < ARRAY_SIZE(codes); i++) {
		terminate(&w, &before, (uint32_t)codes[i] << 16);
		sleep_ms(slow(20));
		EXPECT_EQ(1, log_read(fd));
		SAYS(": stream ended by peer: ");
		SAYS(" (%u/%u/%02x)", codes[i] >> 12, codes[i] >> 8 & 0xf,
		     codes[i] & 0xff);
		wire_close(&w);
	}
	close(fd);
}

static void suppressed(void)
{
	struct counters before, after;
	struct wire w = { 0 };
	long before_long, all;
	uint8_t frame[20];
	uint64_t start;
	int fd, lines;

	wire_listen(&w, NULL);
	counters_read(&before, "siwb");
	fd = log_open();
	start = now_ms();
	bad_requests(&w, 25);
	lines = log_read(fd);
	before_long = told();
	counters_read(&after, "siwb");
	all = moved_by(&before, &after, "msg_suppressed");
	EXPECT_EQ(25, moved_by(&before, &after, "conn_refused"));
	if (now_ms() - start < 4500) {
		EXPECT_EQ(10, lines);
		EXPECT_EQ(15, all);
		EXPECT_EQ(0, before_long);
	}

	wire_dial(&w);
	raw_put(&w.r, frame, mpa_make(frame, false, MPA_C, 9, NULL, 0));
	EXPECT(raw_end(&w.r, 5000) != RAW_OPEN, "not closed");
	raw_close(&w.r);
	EXPECT_EQ(1, log_read(fd));
	SAYS("MPA Request refused: unknown revision\n");
	/* Of the other kind of frame, the same is another reason. */
	bad_reply();
	EXPECT_EQ(1, log_read(fd));
	SAYS("MPA Reply refused: wrong key, not MPA\n");

	sleep_ms(5500);
	bad_requests(&w, 2);
	EXPECT_EQ(3, log_read(fd));
	EXPECT_EQ(all, before_long + told());
	EXPECT(all, "nothing was left out");
	SAYS("MPA Request refused: wrong key, not MPA\n");
	counters_read(&after, "siwb");
	EXPECT_EQ(all, moved_by(&before, &after, "msg_suppressed"));
	close(fd);
	wire_close(&w);
}

static void peers_terminate(void)
{
	uint8_t u[64], code[4];
	struct wire w = { 0 };

	wire_up(&w, &(struct opts){ .buf = 4096 });
	wire_full(&w);
	put32(code, 0x11000000);
	fpdu_put(&w.r, u, ddp_untagged(u, CTL_TERM, 0, 2, 1, 0, code, 4));
	side_want(&w.s, RDMA_CM_EVENT_DISCONNECTED);
	wire_close(&w);
}

/* One message more than is allowed, each from a call of @cause */
static void one_too_many(void (*cause)(void))
{
	struct counters before, after;
	int fd = log_open(), i;
	uint64_t start;

	counters_read(&before, "siwb");
	start = now_ms();
	for (i = 0; i < 11; i++)
		cause();
	if (now_ms() - start > 4500)
		SKIP("this machine is too slow");
	EXPECT_EQ(10, log_read(fd));
	counters_read(&after, "siwb");
	EXPECT_EQ(1, moved_by(&before, &after, "msg_suppressed"));
	close(fd);
}

/* Responders and peers that are connected fill the log no more than others. */
static void limited(void)
{
	one_too_many(bad_reply);
	one_too_many(peers_terminate);
}

/* ib_core says so each time it asks an interface that does not know its speed. */
static void speed_unknown(void)
{
	ASSERT(!sh("ip netns exec sb rdma link add siwlo type siw netdev lo"),
	       "rdma link add");
	EXPECT(!sh("lines() { dmesg | grep -c 'speed is unknown'; };"
		   "dev=$(ip netns exec sb rdma link show |"
		   " awk '$NF == \"lo\" { sub(\"/.*\", \"\", $2); print $2 }');"
		   "before=$(lines); i=0;"
		   "while [ $i -lt 100 ]; do i=$((i + 1));"
		   " cat /sys/class/infiniband/$dev/ports/1/rate || exit 1; done >/dev/null;"
		   "after=$(lines); ip netns exec sb rdma link del $dev;"
		   "echo \"# lines: $((after - before))\";"
		   "[ $((after - before)) -lt 20 ]"),
	       "who asks for the speed fills the log");
}

/* Without an address of the hardware it has one that no other link has. */
static void gid_without_address(void)
{
	ASSERT(!sh("ip netns exec sb rdma link add siwlo type siw netdev lo"),
	       "rdma link add");
	EXPECT(!sh("dev=$(ip netns exec sb rdma link show |"
		   " awk '$NF == \"lo\" { sub(\"/.*\", \"\", $2); print $2 }');"
		   "gid=$(cat /sys/class/infiniband/$dev/ports/1/gids/0);"
		   "ip netns exec sb rdma link del $dev;"
		   "case $gid in *[1-9a-f]*) ;; *) exit 1 ;; esac"),
	       "a link without a GID");
}

/* The module says which version it is of, if it was built as the package is. */
static void version(void)
{
	if (access("/sys/module/siw/version", R_OK))
		SKIP("built inside a kernel");
	say("cat /sys/module/siw/version", false);
	EXPECT(said[0] >= '0' && said[0] <= '9', "version %s", said);
}

static const struct test tests[] = {
	{ "counters move by the traffic, and no other does", traffic },
	{ "many FPDUs in a call of TCP", trains, .slow = true },
	{ "a segment is an FPDU, behind odd messages as well", segments,
	  .slow = true },
	{ "a work request that waits for a Read is counted once", read_stalls },
	{ "Terminates sent, by layer, and why", terminates_sent, 60 },
	{ "Terminates received, by layer", terminates_received, 60 },
	{ "a stream that is lost, and one that is closed", stream_lost, 60,
	  .slow = true },
	{ "connections that were made", connections_made },
	{ "nobody listens: a TCP error", nobody_listens },
	{ "Replies: rejected, refused, closed", replies, 60 },
	{ "Requests: refused, closed, rejected", requests, 60 },
	{ "terms, aborts and errors of our side", ended_here, 60 },
	{ "more silent peers than there is room for", silent_crowd,
	  .slow = true },
	{ "silent peers behind one that is not", silent_behind_one_asked },
	{ "a backlog that is full leaves the rest to TCP", full_backlog,
	  .slow = true },
	{ "a backlog of two links, one of which is full",
	  full_backlog_of_one_link, .fresh = true, .slow = true },
	{ "each time limit has its counter", timeouts, 90, .slow = true },
	{ "details of a queue pair", details_qp },
	{ "details of a queue pair that waits for a Read", details_read },
	{ "details of a queue pair that got a Terminate", details_terminate },
	{ "details of a region, without its STag", details_mr },
	{ "details of a completion queue", details_cq, .slow = true },
	{ "details while everything comes and goes", details_while_busy, 60,
	  .slow = true },
	{ "the steps of a Write are traced in order", trace_write,
	  .slow = true },
	{ "the steps of a Send are traced in order", trace_send },
	{ "the numbers of TCP are traced", trace_numbers, .slow = true },
	{ "what is waited for is traced, and who is told", trace_wait },
	{ "the steps of a connection are traced in order", trace_connection,
	  .slow = true },
	{ "a Terminate and a refusal are traced", trace_terminate },
	{ "a rejection is traced, and why", trace_rejection },
	{ "a fault's message names QP, addresses and STag", message_of_a_fault,
	  .fresh = true, .slow = true },
	{ "a bad Read's message names its source", message_of_a_read },
	{ "each Terminate received is told by its code", messages_of_terminates,
	  120, .fresh = true, .slow = true },
	{ "messages beyond the limit are counted, and told of", suppressed, 60,
	  .fresh = true, .slow = true },
	{ "messages of Replies and of Terminates received are limited", limited,
	  .fresh = true, .slow = true },
	{ "a speed that nobody knows is not asked for ever", speed_unknown,
	  .slow = true },
	{ "a link on an interface without an address has a GID",
	  gid_without_address, .slow = true },
	{ "the module tells its version", version },
};

int main(int argc, char **argv)
{
	return harness_main(argc, argv, tests, ARRAY_SIZE(tests));
}
