// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Streams whose sender still writes to them: a local program puts its own pages
 * on the wire (vmsplice() and splice()), over veth they arrive as they are, and
 * what a header says can change between any two looks at it.
 *
 *	netns sa                          netns sb
 *	+----------------------+          +----------------------+
 *	| pages -> pipe -> TCP |<- veth ->|        side s   siwb |
 *	|   ^ a thread bends   |          |  a region to write   |
 *	|     a header, and    |          |  to, receives        |
 *	|     back, and bends  |          |                      |
 *	+----------------------+          +----------------------+
 *
 * CRC is off, so nothing else is in the way.  Whatever comes: no octet outside
 * of what the peer was given changes, each receive completes once, and the next
 * connection works.
 *
 * SIW_FUZZ_SECONDS and --seed are as for siw_fuzz_live.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "chance.h"
#include "harness.h"
#include "rawpeer.h"

/* The data buffer of the driver's end; what is between these is canary. */
#define SLOTS 8
#define SLOT 1024
#define RECV(i) ((size_t)(i) * 2 * SLOT)
#define WRITABLE 20480
#define AREA 8192
#define BUF 65536
#define CANARY 0xee

#define STREAM 65536
#define FPDUS 400
#define SEG_MAX 700

/**
 * struct stream - octets to be sent, in pages of their own
 * @r: its chance
 * @w: the socket, and the driver's end
 * @writable: region that may be written to
 * @pages: the octets
 * @len: how many
 * @fpdu: where FPDUs begin in them
 * @nfpdus: how many
 * @sends: messages to the receive queue
 * @over: the thread shall end
 */
struct stream {
	struct rng r;
	struct wire w;
	struct ibv_mr *writable;
	uint8_t *pages;
	size_t len;
	uint32_t fpdu[FPDUS];
	unsigned int nfpdus;
	unsigned int sends;
	bool over;
};

static unsigned int connections, noticed;

static void add(struct stream *st, const uint8_t *u, size_t n)
{
	st->fpdu[st->nfpdus++] = st->len;
	st->len += fpdu_make(st->pages + st->len, u, n);
}

/* Messages of many segments: they are what the receiver has a short way for. */
static void add_message(struct stream *st)
{
	bool send = st->sends < SLOTS && chance(&st->r, 20);
	uint32_t room = send ? SLOT : AREA;
	uint32_t off = send ? 0 : below(&st->r, AREA);
	uint32_t end = off + below(&st->r, room - off + 1);
	static uint8_t data[SEG_MAX], u[SEG_MAX + 18];
	uint32_t n;

	st->sends += send;
	do {
		n = 1 + below(&st->r, send ? SLOT / 4 : SEG_MAX);
		if (n > end - off)
			n = end - off;
		if (send)
			n = ddp_untagged(u, CTL_SEND & ~(off + n < end ?
							 CTL_LAST : 0),
					 0, 0, st->sends, off, data, n);
		else
			n = ddp_tagged(u, CTL_WRITE & ~(off + n < end ?
							CTL_LAST : 0),
				       st->writable->rkey,
				       at(&st->w.s, WRITABLE + off), data, n);
		add(st, u, n);
		off += n - (send ? 18 : 14);
	} while (off < end);
}

/* One octet of a header, to and fro, while the stream is received. */
static void *bend(void *arg)
{
	struct stream *st = arg;
	volatile uint8_t *p[4];
	uint8_t was[4], is[4];
	struct rng r;
	int i, n;

	/* The main thread goes on with its own: a seed has to replay. */
	rng_seed(&r, st->len);
	for (i = 0; i < 4; i++) {
		p[i] = st->pages + st->fpdu[below(&r, st->nfpdus)] +
		       below(&r, chance(&r, 50) ? 4 : 20);
		was[i] = *p[i];
		is[i] = was[i] ^ (chance(&r, 50) ? rnd(&r) :
						   1u << below(&r, 8));
	}
	while (!__atomic_load_n(&st->over, __ATOMIC_RELAXED))
		for (n = 0; n < 64; n++)
			for (i = 0; i < 4; i++)
				*p[i] = n & 1 << i ? is[i] : was[i];
	return NULL;
}

/* False if the driver has ended the stream. */
static bool to_socket(struct stream *st, const int *ends, size_t len)
{
	struct pollfd pfd = { .fd = st->w.r.fd, .events = POLLOUT };
	ssize_t n;

	while (len) {
		if (poll(&pfd, 1, slow(10000)) != 1 ||
		    pfd.revents & (POLLERR | POLLHUP))
			return false;
		n = splice(ends[0], NULL, st->w.r.fd, NULL, len,
			   SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
		if (n < 0 && errno == EAGAIN)
			continue;
		if (n <= 0)
			return false;
		len -= n;
	}
	return true;
}

static void put_pages(struct stream *st)
{
	size_t off = 0;
	int ends[2];

	ASSERT(!pipe2(ends, O_CLOEXEC), "pipe2");
	fcntl(st->w.r.fd, F_SETFL, O_NONBLOCK);
	while (off < st->len) {
		/* Any cut will do: a page holds parts of several FPDUs. */
		size_t most = 1 + below(&st->r, chance(&st->r, 50) ? 30000 :
								     3000);
		struct iovec iov = {
			.iov_base = st->pages + off,
			.iov_len = st->len - off < most ? st->len - off : most,
		};
		ssize_t n = vmsplice(ends[1], &iov, 1, 0);

		ASSERT(n > 0, "vmsplice");
		if (!to_socket(st, ends, n))
			break;
		off += n;
	}
	close(ends[0]);
	close(ends[1]);
}

/* Each receive comes back, once. */
static void check_receives(struct side *s)
{
	uint64_t end = deadline(10000);
	unsigned int left = SLOTS;
	struct ibv_wc wc;

	EXPECT_EQ(0, side_to_err(s));
	while (left) {
		if (ibv_poll_cq(s->rcq, 1, &wc) == 1) {
			left--;
			continue;
		}
		ASSERT(!passed(end), "%u receives never complete", left);
		usleep(200);
	}
	EXPECT(no_wc(s->rcq, 0), "a receive too many");
}

static void check_memory(const uint8_t *b)
{
	unsigned int i;

	for (i = 0; i < SLOTS; i++)
		CHECK_BYTE(b + RECV(i) + SLOT, SLOT, CANARY);
	CHECK_BYTE(b + RECV(SLOTS), WRITABLE - RECV(SLOTS), CANARY);
	CHECK_BYTE(b + WRITABLE + AREA, BUF - WRITABLE - AREA, CANARY);
}

static void one(uint8_t *pages, uint64_t seed)
{
	struct opts o = { .buf = BUF, .access = IBV_ACCESS_LOCAL_WRITE };
	struct stream st = { .pages = pages };
	struct side *s = &st.w.s;
	pthread_t bender;
	unsigned int i;

	seed_is(seed);
	rng_seed(&st.r, seed);
	connections++;
	wire_listen(&st.w, &o);
	wire_dial(&st.w);
	wire_request(&st.w, 0, 1, NULL, 0);
	wire_accept(&st.w);
	ASSERT(!(st.w.rep.flags & MPA_C), "CRC is on");
	wire_full(&st.w);
	memset(s->buf, CANARY, BUF);
	st.writable = ibv_reg_mr(s->pd, s->buf + WRITABLE, AREA,
				 IBV_ACCESS_LOCAL_WRITE |
				 IBV_ACCESS_REMOTE_WRITE);
	ASSERT(st.writable, "ibv_reg_mr");
	for (i = 0; i < SLOTS; i++)
		recv_at(s, i, RECV(i), SLOT);
	while (st.len < STREAM - AREA * 2 && st.nfpdus < FPDUS - 64)
		add_message(&st);
	ASSERT(!pthread_create(&bender, NULL, bend, &st), "pthread_create");
	put_pages(&st);
	noticed += raw_end(&st.w.r, 50) != RAW_OPEN;
	__atomic_store_n(&st.over, true, __ATOMIC_RELAXED);
	pthread_join(bender, NULL);
	check_receives(s);
	check_memory(s->buf);
	EXPECT_EQ(0, ibv_dereg_mr(st.writable));
	wire_close(&st.w);
}

/* Else the thread bends what is sent long ago, and nothing is tested. */
static void pages_are_shared(uint8_t *pages)
{
	struct stream st = { .pages = pages, .len = 1000 };
	uint16_t port = next_port();
	int lfd = raw_listen(NS_B, ADDR_B, port);
	uint8_t got[1000];
	struct raw peer;

	memset(pages, 'a', st.len);
	raw_dial(&st.w.r, NS_A, ADDR_B, port);
	ASSERT(raw_accept(&peer, lfd, 10000), "no connection");
	put_pages(&st);
	memset(pages, 'b', st.len);
	ASSERT(raw_get(&peer, got, sizeof(got), 10000) == sizeof(got),
	       "no octets");
	CHECK_BYTE(got, sizeof(got), 'b');
	raw_close(&peer);
	raw_close(&st.w.r);
	close(lfd);
}

static void pages_in_flight(void)
{
	uint64_t end = now_ms() + 1000 * env_number("SIW_FUZZ_SECONDS", 2);
	uint64_t seed = first_seed();
	long baseline;
	uint8_t *pages;

	test_note("seed %" PRIu64, seed);
	ASSERT(!sh("echo 0 >/sys/class/infiniband/siwb/mpa/crc"),
	       "cannot turn CRC off");
	pages = mmap(NULL, STREAM, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT(pages != MAP_FAILED, "mmap");
	pages_are_shared(pages);
	fresh_pair_works();
	baseline = resources();
	do {
		one(pages, seed++);
		/* A busy machine makes few connections in that time. */
	} while (!passed(end) || (!noticed && !passed(end + 30000)));
	fresh_pair_works();
	EXPECT(resources_back(baseline, 10000), "objects are left");
	EXPECT(noticed, "nothing that was bent was noticed");
	test_note("%u connections, %u were ended by the driver", connections,
		  noticed);
}

static struct test tests[] = {
	/* It leaves CRC off, which goes with the topology. */
	{ "streams whose sender still writes to them", pages_in_flight,
	  .slow = true },
};

int main(int argc, char **argv)
{
	tests[0].seconds = env_number("SIW_FUZZ_SECONDS", 2) + 60;
	return harness_main(argc, argv, tests, ARRAY_SIZE(tests));
}
