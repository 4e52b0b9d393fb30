// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Streams as a peer may send them, bent at random, against the driver with
 * work posted.
 *
 *	netns sa                          netns sb
 *	+----------------------+          +----------------------+
 *	| a TCP socket         |<- veth ->|        side s   siwb |
 *	|   initiator or       |          |  receives, Reads,    |
 *	|   responder          |          |  Sends, Writes posted|
 *	+----------------------+          +----------------------+
 *
 * What is said on a connection, and where it breaks off, is decided by its seed
 * alone: what the driver does first, and how much TCP takes at once, moves no
 * other choice.  One in four is legal from its
 * first octet to its last, however it is cut and delayed, and has to deliver
 * all of it.  Whatever the others do: no octet outside of what the peer was
 * given changes, each work request completes once, everything can be closed,
 * and the next connection works.
 *
 * SIW_FUZZ_SECONDS says how long, --seed where to begin: a failure tells the
 * seed of its connection, which is then the first.
 */
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include "chance.h"
#include "harness.h"
#include "rawpeer.h"

/* The data buffer of the driver's end; what is between these is canary. */
#define SLOTS 8
#define SLOT 1024
#define RECV(i) ((size_t)(i) * 2 * SLOT)
#define WRITABLE 20480
#define READABLE 24576
#define AREA 4096
#define SINKS 4
#define SINK(i) (32768 + (size_t)(i) * 2 * SLOT)
#define SOURCE 40960
#define SOURCE_LEN 8192
#define BUF 65536
#define CANARY 0xee

#define OUT_MAX (1 << 20)

/**
 * struct peer - our end of one connection
 * @r: its chance, for all that follows no answer
 * @answers: for the answers to Reads
 * @cuts: for how the stream is cut and delayed
 * @w: the socket, and the driver's end
 * @writable: region that may be written to
 * @readable: region that may be read from
 * @hostile: allowed to break rules
 * @broken: has done so; nothing is promised any more
 * @deaf: does not read
 * @ended: sent FIN or RST
 * @end_at: octets after which it does
 * @resets: with RST
 * @out: octets to be sent
 * @out_len: how many
 * @in: octets received and not understood yet
 * @in_len: how many
 * @msn: next MSN of queues 0 to 2
 * @sent: messages sent to the receive queue, by length
 * @nsent: how many
 * @shadow: what the writable area holds in the end
 * @reads: Read Requests sent
 * @answered: octets of Read Responses that came
 * @asked: octets that were asked for
 * @posted: work requests at the driver, without receives
 * @recvs: receives at the driver
 * @driver_reads: Reads among @posted, of all times
 */
struct peer {
	struct rng r;
	struct rng answers;
	struct rng cuts;
	struct wire w;
	struct ibv_mr *writable;
	struct ibv_mr *readable;
	bool hostile;
	bool broken;
	bool deaf;
	bool ended;
	size_t end_at;
	bool resets;
	uint8_t *out;
	size_t out_len;
	uint8_t *in;
	size_t in_len;
	uint32_t msn[3];
	uint32_t sent[SLOTS];
	unsigned int nsent;
	uint8_t shadow[AREA];
	unsigned int reads;
	uint32_t answered;
	uint32_t asked;
	unsigned int posted;
	unsigned int recvs;
	unsigned int driver_reads;
};

static unsigned int connections, legal, started;

/* ---- bending ---- */

static uint32_t odd32(struct rng *r)
{
	static const uint32_t v[] = { 0, 1, 2, 3, 0x7fffffff, 0x80000000,
				      0xffffffff, 0xfffffffe, 65535, 65536 };

	return chance(r, 70) ? v[below(r, ARRAY_SIZE(v))] : rnd(r);
}

static uint64_t odd_to(struct peer *p)
{
	uint64_t edge[] = {
		at(&p->w.s, WRITABLE), at(&p->w.s, READABLE),
		at(&p->w.s, WRITABLE + AREA), at(&p->w.s, READABLE + AREA),
		at(&p->w.s, 0), at(&p->w.s, SINK(0)), 0, -1ull, 1ull << 63,
		0xffff888000000000ull,
	};

	return edge[below(&p->r, ARRAY_SIZE(edge))] + below(&p->r, 9) - 4;
}

static uint32_t odd_stag(struct peer *p)
{
	uint32_t stags[] = {
		p->writable->rkey, p->readable->rkey, p->w.s.mr->rkey,
		p->writable->rkey + 1, p->writable->rkey ^ 0x100, 0,
		odd32(&p->r),
	};

	return stags[below(&p->r, ARRAY_SIZE(stags))];
}

/* One change of a ULPDU, which gets a right CRC all the same. */
static size_t bend_ulpdu(struct peer *p, uint8_t *u, size_t n)
{
	struct rng *r = &p->r;
	size_t i;

	switch (below(r, 10)) {
	case 0:				/* a bit of the headers */
		i = below(r, n < 46 ? n : 46);
		u[i] ^= 1 << below(r, 8);
		return n;
	case 1:				/* another opcode */
		u[1] = (u[1] & 0xf0) | below(r, 16);
		return n;
	case 2:				/* other DDP flags, versions */
		u[below(r, 2)] = rnd(r);
		return n;
	case 3:
		put32(u + 2, odd_stag(p));
		return n;
	case 4:				/* TO, or queue and MSN */
		if (u[0] & 0x80)
			put64(u + 6, odd_to(p));
		else
			put32(u + 6 + 4 * below(r, 3), odd32(r));
		return n;
	case 5:				/* near misses of the same */
		put32(u + 10, get32(u + 10) + below(r, 5) - 2);
		return n;
	case 6:				/* cut short */
		return below(r, n);
	case 7:				/* too long */
		i = 1 + below(r, chance(r, 20) ? 60000 : 64);
		if (n + i > 65000)
			return n;
		memset(u + n, 0x55, i);
		return n + i;
	case 8:				/* the rest of a Read Request */
		for (i = 18; i + 4 <= n && i < 46; i += 4)
			if (chance(r, 30))
				put32(u + i, chance(r, 50) ? odd_stag(p) :
							     odd32(r));
		return n;
	default:			/* all of it */
		for (i = 0; i < n; i++)
			u[i] = rnd(r);
		return n;
	}
}

/* One change of the octets of the stream. Return: their new number. */
static size_t bend_octets(struct rng *r, uint8_t *b, size_t n)
{
	size_t i = below(r, n);
	size_t k;

	switch (below(r, 6)) {
	case 0:				/* a bit: the CRC must tell */
		b[i] ^= 1 << below(r, 8);
		return n;
	case 1:				/* the length */
		put16(b, chance(r, 50) ? odd32(r) : get16(b) + 1u);
		return n;
	case 2:				/* octets that are missing */
		k = 1 + below(r, n - i);
		memmove(b + i, b + i + k, n - i - k);
		return n - k;
	case 3:				/* octets too many, maybe a Marker */
		k = 4;
		memmove(b + i + k, b + i, n - i);
		put32(b + i, chance(r, 50) ? (uint32_t)i : rnd(r));
		return n + k;
	case 4:				/* no CRC at all */
		put32(b + n - 4, 0);
		return n;
	default:			/* twice */
		memcpy(b + n, b, n);
		return 2 * n;
	}
}

/* ---- sending ---- */

static void absorb(struct peer *p);

static void end(struct peer *p)
{
	p->ended = true;
	p->out_len = 0;
}

/* Some octets of what waits, in one piece or in many. */
static void pump(struct peer *p, bool all)
{
	struct rng *r = &p->cuts;

	while (p->out_len && !p->ended) {
		size_t n = p->out_len;
		int flags = MSG_NOSIGNAL | MSG_DONTWAIT;
		uint64_t limit = deadline(p->hostile ? 500 : 10000);
		ssize_t did;

		if (chance(r, 60))
			n = 1 + below(r, chance(r, 50) ? 64 : 4000);
		if (n > p->out_len)
			n = p->out_len;
		if (n > p->end_at)
			n = p->end_at;
		if (chance(r, 2))
			flags |= MSG_OOB;
		while ((did = send(p->w.r.fd, p->out, n, flags)) < 0 &&
		       errno == EAGAIN && !passed(limit)) {
			absorb(p);
			usleep(200);
		}
		if (did <= 0) {
			end(p);
			if (!p->broken)
				EXPECT(false, "a legal stream was not taken");
			return;
		}
		memmove(p->out, p->out + did, p->out_len - did);
		p->out_len -= did;
		p->end_at -= did;
		if (chance(r, 20))
			usleep(below(r, 1500));
		absorb(p);
		/* Not always with a farewell. */
		if (!p->end_at) {
			p->broken = true;
			end(p);
			if (p->resets)
				raw_reset(&p->w.r);
			else
				shutdown(p->w.r.fd, SHUT_WR);
			return;
		}
		if (!all && chance(r, 40))
			return;
	}
}

/* Put a ULPDU of @n octets into the stream.  @u has room for 65536. */
static void emit(struct peer *p, uint8_t *u, size_t n)
{
	uint8_t *at = p->out + p->out_len;
	size_t k;

	if (p->out_len + 3 * FPDU_MAX > OUT_MAX)
		pump(p, true);
	at = p->out + p->out_len;
	if (p->hostile && chance(&p->r, 4)) {
		p->broken = true;
		n = bend_ulpdu(p, u, n);
	}
	k = fpdu_make(at, u, n);
	if (p->hostile && chance(&p->r, 2)) {
		p->broken = true;
		k = bend_octets(&p->r, at, k);
	}
	if (p->hostile && chance(&p->r, 1)) {	/* not sent at all */
		p->broken = true;
		k = 0;
	}
	if (!p->ended)
		p->out_len += k;
}

/* A message in segments of random lengths. */
static void emit_tagged(struct peer *p, uint16_t ctl, uint32_t stag,
			uint64_t to, const uint8_t *data, size_t len)
{
	uint8_t u[65536];	/* emit() may hear of a Read, and answer */
	size_t off = 0;
	size_t n;

	do {
		n = chance(&p->r, 50) ? len - off :
					below(&p->r, len - off + 1);
		if (n > 1400)
			n = 1400;
		emit(p, u, ddp_tagged(u, off + n == len ? ctl :
				      ctl & ~CTL_LAST, stag, to + off,
				      data + off, n));
		off += n;
	} while (off < len);
}

static void emit_untagged(struct peer *p, uint16_t ctl, uint32_t inv,
			  uint32_t qn, const uint8_t *data, size_t len)
{
	static uint8_t u[65536];
	uint32_t msn = ++p->msn[qn];
	size_t off = 0;
	bool last;
	size_t n;

	do {
		n = chance(&p->r, 50) ? len - off :
					1 + below(&p->r, len - off);
		if (n > len - off)
			n = len - off;
		if (n > 1400)
			n = 1400;
		last = off + n == len;
		emit(p, u, ddp_untagged(u, last ? ctl : ctl & ~CTL_LAST, inv,
					qn, msn, off, data + off, n));
		off += n;
	} while (!last);
}

/* ---- what we say ---- */

static void say_send(struct peer *p)
{
	uint8_t data[SLOT];
	uint32_t len = below(&p->r, SLOT + 1);
	unsigned int k = p->nsent;

	if (k >= SLOTS) {
		if (!p->hostile)
			return;
		p->broken = true;	/* there is no receive for it */
	} else {
		p->sent[k] = len;
	}
	p->nsent++;
	fill(data, len, 1000 + k);
	emit_untagged(p, chance(&p->r, 30) ? CTL_SEND_SE : CTL_SEND, 0, 0,
		      data, len);
}

/* A legal stream keeps the last receive for its last word. */
static void say_send_soon(struct peer *p)
{
	if (p->hostile || p->nsent < SLOTS - 1)
		say_send(p);
}

static void say_write(struct peer *p)
{
	uint8_t data[AREA];
	uint32_t off = below(&p->r, AREA);
	uint32_t len = below(&p->r, AREA - off + 1);

	fill(data, len, rnd(&p->r));
	memcpy(p->shadow + off, data, len);
	emit_tagged(p, CTL_WRITE, p->writable->rkey,
		    at(&p->w.s, WRITABLE + off), data, len);
}

static void say_read(struct peer *p)
{
	static uint8_t u[65536];
	uint32_t off = below(&p->r, AREA);
	uint32_t len = below(&p->r, AREA - off + 1);

	/* Never more than the driver has agreed to at once. */
	if (p->reads >= p->w.s.o.ird) {
		if (!p->hostile)
			return;
		p->broken = true;
	}
	p->reads++;
	p->asked += len;
	emit(p, u, rdmap_rreq(u, ++p->msn[1], 0x5157, off, len,
			      p->readable->rkey, at(&p->w.s, READABLE + off)));
}

static void say_terminate(struct peer *p)
{
	uint8_t t[64];

	if (!p->hostile)
		return;
	p->broken = true;
	fill(t, sizeof(t), rnd(&p->r));
	emit_untagged(p, CTL_TERM, 0, 2, t, below(&p->r, sizeof(t) + 1));
}

static void say_invalidate(struct peer *p)
{
	uint8_t data[16] = { 0 };

	if (!p->hostile)
		return;
	p->broken = true;
	p->nsent = SLOTS;
	emit_untagged(p, CTL_SEND_INV, odd_stag(p), 0, data, sizeof(data));
}

static void say_unasked_response(struct peer *p)
{
	uint8_t data[64] = { 0 };

	if (!p->hostile)
		return;
	p->broken = true;
	emit_tagged(p, CTL_RRSP, chance(&p->r, 50) ? p->w.s.mr->rkey :
		    odd_stag(p), chance(&p->r, 50) ?
		    at(&p->w.s, SINK(below(&p->r, SINKS))) : odd_to(p),
		    data, below(&p->r, sizeof(data) + 1));
}

static void say_something(struct peer *p)
{
	static void (* const say[])(struct peer *p) = {
		say_send_soon, say_send_soon, say_send_soon, say_write, say_write, say_write,
		say_read, say_read, say_terminate, say_invalidate,
		say_unasked_response,
	};

	say[below(&p->r, chance(&p->r, 90) ? 8 : ARRAY_SIZE(say))](p);
}

/* ---- hearing ---- */

static void answer_read(struct peer *p, const uint8_t *u)
{
	uint32_t len = get32(u + 18 + 12);
	struct rng r = p->r;
	uint8_t data[SLOT];

	if (len > SLOT) {
		EXPECT(false, "the driver asks for %u octets", len);
		return;
	}
	fill(data, len, 77);
	p->r = p->answers;
	if (p->hostile && chance(&p->r, 10)) {	/* more, less, elsewhere */
		p->broken = true;
		len = below(&p->r, SLOT + 1);
	}
	emit_tagged(p, CTL_RRSP, get32(u + 18), get64(u + 18 + 4), data, len);
	p->answers = p->r;
	p->r = r;
}

static void hear(struct peer *p, const uint8_t *u, size_t n)
{
	uint64_t to;
	size_t i;

	switch (n >= 14 ? u[1] & 15 : 16) {
	case CTL_RREQ & 15:
		if (n == 46)
			answer_read(p, u);
		break;
	case CTL_RRSP & 15:
		to = get64(u + 6);
		if (!p->broken)
			for (i = 0; i < n - 14; i++)
				if (u[14 + i] != pattern(55, to + i)) {
					EXPECT(false, "Read Response: octet %zu of %zu at %" PRIu64,
					       i, n - 14, to);
					break;
				}
		p->answered += n - 14;
		break;
	case CTL_TERM & 15:
		EXPECT(p->broken, "a Terminate for a legal stream: %08x",
		       n >= 22 ? get32(u + 18) : 0);
		p->broken = true;
		break;
	}
}

static void absorb(struct peer *p)
{
	static bool within;
	ssize_t n;

	if (p->deaf || within || p->w.r.fd < 0)
		return;
	within = true;
	n = recv(p->w.r.fd, p->in + p->in_len, FPDU_MAX * 2 - p->in_len,
		 MSG_DONTWAIT);
	if (n > 0)
		p->in_len += n;
	/* With Markers it is only taken from the wire. */
	while (!p->w.r.markers && p->in_len >= 8) {
		size_t len = get16(p->in);
		size_t whole = (2 + len + 3) / 4 * 4 + 4;

		if (p->in_len < whole)
			break;
		EXPECT(crc32c(0, p->in, whole - 4) ==
		       (p->in[whole - 4] | p->in[whole - 3] << 8 |
			p->in[whole - 2] << 16 |
			(uint32_t)p->in[whole - 1] << 24),
		       "the driver sends a bad CRC");
		hear(p, p->in + 2, len);
		memmove(p->in, p->in + whole, p->in_len - whole);
		p->in_len -= whole;
	}
	if (p->w.r.markers)
		p->in_len = 0;
	within = false;
}

/* ---- start-up ---- */

/* A start-up frame of ours, maybe a bad one. */
static void say_startup(struct peer *p, bool reply)
{
	struct rng *r = &p->r;
	uint8_t frame[20 + 1024];
	uint8_t pd[512];
	uint8_t flags = MPA_C;
	uint8_t rev = 1 + below(r, 2);
	uint16_t len = chance(r, 50) ? 0 : below(r, 200);
	size_t n, i;

	fill(pd, sizeof(pd), 9);
	if (reply)
		rev = p->w.rep.rev;
	if (chance(r, 20)) {
		flags |= MPA_M;
		p->w.r.markers = true;
	}
	if (chance(r, 20))
		flags &= ~MPA_C;
	if (rev == 2) {
		uint32_t word = MPA_ENHANCED(8, 8);

		flags |= MPA_S;
		if (reply) {
			uint32_t ask = get32(p->w.rep.pd);

			word = (ask & (MPA_A | MPA_RTR_WRITE)) |
			       MPA_ENHANCED(MPA_ORD(ask), MPA_IRD(ask));
		} else if (chance(r, 40)) {
			word |= MPA_A | MPA_RTR_WRITE;
		}
		put32(pd, word);
		if (len < 4)
			len = 4;
	}
	if (p->hostile && chance(r, 10)) {	/* well made, and odd */
		p->broken = true;
		if (chance(r, 30))
			rev = rnd(r);
		if (chance(r, 30))
			flags = rnd(r);
		if (chance(r, 30))
			put32(pd, rnd(r));
		if (chance(r, 30))
			len = below(r, 513);
	}
	n = mpa_make(frame, reply, flags, rev, pd, len);
	/* Whether there are Markers cannot be told after that. */
	if (p->broken)
		p->w.r.markers = true;
	if (p->hostile && chance(r, 15)) {
		p->w.r.markers = true;
		p->broken = true;
		i = below(r, n);
		switch (below(r, 4)) {
		case 0:
			frame[i] ^= 1 << below(r, 8);
			break;
		case 1:
			n = i;
			break;
		case 2:
			put16(frame + 18, odd32(r));
			break;
		default:			/* more than a frame */
			fill(frame + n, 64, 3);
			n += 64;
		}
	}
	p->out_len = n;
	memcpy(p->out, frame, n);
	pump(p, true);
}

/* ---- the driver's end ---- */

static void regions(struct peer *p)
{
	struct side *s = &p->w.s;

	p->writable = ibv_reg_mr(s->pd, s->buf + WRITABLE, AREA,
				 IBV_ACCESS_LOCAL_WRITE |
				 IBV_ACCESS_REMOTE_WRITE);
	p->readable = ibv_reg_mr(s->pd, s->buf + READABLE, AREA,
				 IBV_ACCESS_REMOTE_READ);
	ASSERT(p->writable && p->readable, "ibv_reg_mr");
	memset(s->buf, CANARY, s->o.buf);
	fill(s->buf + READABLE, AREA, 55);
	fill(s->buf + SOURCE, SOURCE_LEN, 66);
	memset(p->shadow, CANARY, AREA);
	for (p->recvs = 0; p->recvs < SLOTS; p->recvs++)
		recv_at(s, p->recvs, RECV(p->recvs), SLOT);
}

static void post_work(struct peer *p)
{
	struct side *s = &p->w.s;
	unsigned int n = below(&p->r, 8);

	/* Behind Markers its Reads would not be found, nor answered. */
	if (p->w.r.markers)
		return;
	while (n--) {
		struct wr w = { .id = 100 + p->posted, .off = SOURCE };

		switch (below(&p->r, 3)) {
		case 0:
			if (p->driver_reads == SINKS)
				continue;
			w.op = IBV_WR_RDMA_READ;
			w.off = SINK(p->driver_reads++);
			w.len = SLOT;
			w.raddr = 0x1000;
			w.rkey = 0x1234;
			break;
		case 1:
			w.op = IBV_WR_SEND;
			w.len = below(&p->r, SOURCE_LEN + 1);
			break;
		default:
			w.op = IBV_WR_RDMA_WRITE;
			w.len = below(&p->r, SOURCE_LEN + 1);
			w.rkey = 0x1234;
		}
		if (!try_post(s, &w))
			p->posted++;
	}
}

static void check_memory(struct peer *p)
{
	const uint8_t *b = p->w.s.buf;
	unsigned int i;

	for (i = 0; i < SLOTS; i++)
		CHECK_BYTE(b + RECV(i) + SLOT, SLOT, CANARY);
	CHECK_BYTE(b + RECV(SLOTS), WRITABLE - RECV(SLOTS), CANARY);
	CHECK(b + READABLE, AREA, 55);
	CHECK_BYTE(b + READABLE + AREA, SINK(0) - READABLE - AREA, CANARY);
	for (i = 0; i < SINKS; i++) {
		if (i >= p->driver_reads)
			CHECK_BYTE(b + SINK(i), SLOT, CANARY);
		CHECK_BYTE(b + SINK(i) + SLOT, SLOT, CANARY);
	}
	CHECK(b + SOURCE, SOURCE_LEN, 66);
	CHECK_BYTE(b + SOURCE + SOURCE_LEN, BUF - SOURCE - SOURCE_LEN, CANARY);
}

/* A legal stream: each message is there, and each Read has come back. */
static void check_legal(struct peer *p)
{
	struct side *s = &p->w.s;
	uint64_t end = deadline(10000);
	struct ibv_wc wc;
	unsigned int i;

	for (i = 0; i < p->nsent; i++) {
		while (!ibv_poll_cq(s->rcq, 1, &wc)) {
			ASSERT(!passed(end), "message %u of %u is not there",
			       i, p->nsent);
			absorb(p);
			pump(p, true);
		}
		p->recvs--;
		ASSERT(wc.status == IBV_WC_SUCCESS && wc.wr_id == i &&
		       wc.byte_len == p->sent[i],
		       "message %u: status %d, id %" PRIu64 ", %u octets for %u",
		       i, wc.status, wc.wr_id, wc.byte_len, p->sent[i]);
		CHECK(s->buf + RECV(i), p->sent[i], 1000 + i);
	}
	while (p->posted) {
		while (!ibv_poll_cq(s->scq, 1, &wc)) {
			ASSERT(!passed(end), "%u work requests left",
			       p->posted);
			absorb(p);
			pump(p, true);
		}
		p->posted--;
		ASSERT(wc.status == IBV_WC_SUCCESS, "id %" PRIu64 ": status %d",
		       wc.wr_id, wc.status);
	}
	for (i = 0; i < p->driver_reads && !p->w.r.markers; i++)
		CHECK(s->buf + SINK(i), SLOT, 77);
	while (!p->w.r.markers && p->answered < p->asked && !passed(end)) {
		absorb(p);
		usleep(100);
	}
	if (!p->w.r.markers)
		EXPECT_EQ(p->asked, p->answered);
	/* The last message stands behind all Writes. */
	EXPECT(!memcmp(s->buf + WRITABLE, p->shadow, AREA),
	       "a Write is not there, or not as it was sent");
}

/* Each work request comes back, once. */
static void check_flush(struct peer *p)
{
	struct side *s = &p->w.s;
	uint64_t end = deadline(10000);
	struct ibv_wc wc;
	int n;

	EXPECT_EQ(0, side_to_err(s));
	while (p->posted || p->recvs) {
		n = 0;
		while (ibv_poll_cq(s->scq, 1, &wc) == 1) {
			ASSERT(p->posted, "a completion too many, id %" PRIu64,
			       wc.wr_id);
			p->posted--;
			n++;
		}
		while (ibv_poll_cq(s->rcq, 1, &wc) == 1) {
			ASSERT(p->recvs, "a receive too many, id %" PRIu64,
			       wc.wr_id);
			p->recvs--;
			n++;
		}
		if (n)
			continue;
		ASSERT(!passed(end), "%u work requests and %u receives never complete",
		       p->posted, p->recvs);
		usleep(200);
	}
}

static bool start_responder(struct peer *p, const struct opts *o)
{
	struct wire *w = &p->w;

	wire_listen(w, o);
	wire_dial(w);
	if (chance(&p->r, 20)) {
		int small = 1;

		setsockopt(w->r.fd, SOL_SOCKET, SO_RCVBUF, &small,
			   sizeof(small));
	}
	p->deaf = true;		/* the Reply is read below */
	say_startup(p, false);
	if (side_event(&w->s, p->broken ? 100 : 10000) !=
	    RDMA_CM_EVENT_CONNECT_REQUEST) {
		EXPECT(p->broken, "no request");
		return false;
	}
	if (p->hostile && chance(&p->r, 5)) {
		rdma_reject(w->s.id, NULL, 0);
		return false;
	}
	side_open(&w->s);
	regions(p);
	if (side_accept(&w->s)) {
		EXPECT(p->broken, "rdma_accept");
		return true;
	}
	if (!p->ended && !mpa_read(&w->r, &w->rep, true, p->broken ? 500 : 10000))
		EXPECT(p->broken, "no Reply");
	return true;
}

static bool start_initiator(struct peer *p, const struct opts *o)
{
	struct wire *w = &p->w;

	wire_connect(w, o);
	regions(p);
	p->deaf = true;
	say_startup(p, true);
	if (side_event(&w->s, p->broken ? 200 : 10000) !=
	    RDMA_CM_EVENT_ESTABLISHED)
		EXPECT(p->broken, "not established");
	return true;
}

/* The initiator speaks first; a responder waits for it. */
static void first_word(struct peer *p)
{
	struct pollfd pfd = { .fd = p->w.r.fd, .events = POLLIN };
	uint8_t u[64 + 65536];

	if (p->w.lfd) {
		if (!p->ended)
			poll(&pfd, 1, p->broken ? 50 : slow(10000));
		return;
	}
	emit(p, u, ddp_tagged(u, CTL_WRITE, 0, 0, NULL, 0));
	pump(p, true);
	if (side_event(&p->w.s, p->broken ? 20 : 10000) !=
	    RDMA_CM_EVENT_ESTABLISHED)
		EXPECT(p->broken, "not established");
}

static void one(uint64_t seed)
{
	static uint8_t out[OUT_MAX + 2 * FPDU_MAX], in[FPDU_MAX * 2];
	struct opts o = { .buf = BUF, .access = IBV_ACCESS_LOCAL_WRITE };
	struct peer *p = calloc(1, sizeof(*p));
	struct rng *r = &p->r;
	unsigned int n;
	bool deaf;

	seed_is(seed);
	rng_seed(r, seed);
	rng_seed(&p->answers, rnd64(r));
	rng_seed(&p->cuts, rnd64(r));
	p->out = out;
	p->in = in;
	p->hostile = chance(r, 75);
	deaf = p->hostile && chance(r, 20);
	p->end_at = SIZE_MAX;
	if (p->hostile && chance(r, 20))
		p->end_at = 1 + below(r, chance(r, 50) ? 300 : 20000);
	p->resets = chance(r, 50);
	o.ird = 1 + below(r, 8);
	o.ord = 1 + below(r, 8);
	connections++;
	if (!(chance(r, 60) ? start_responder(p, &o) : start_initiator(p, &o)))
		goto out;
	started++;
	p->deaf = deaf;
	first_word(p);
	if (chance(r, 80))
		post_work(p);
	for (n = below(r, 20); n; n--) {
		say_something(p);
		if (chance(r, 50))
			pump(p, false);
		if (p->hostile && chance(r, 5))
			post_work(p);
	}
	if (p->nsent < SLOTS)
		say_send(p);
	pump(p, true);
	if (!p->hostile) {
		legal++;
		check_legal(p);
	} else if (chance(r, 50)) {
		usleep(below(r, 20000));
		absorb(p);
	}
	if (chance(r, 30)) {
		if (chance(r, 50) && p->w.r.fd >= 0)
			raw_reset(&p->w.r);
		else
			raw_close(&p->w.r);
	}
	check_flush(p);
	check_memory(p);
out:
	if (p->writable)
		EXPECT_EQ(0, ibv_dereg_mr(p->writable));
	if (p->readable)
		EXPECT_EQ(0, ibv_dereg_mr(p->readable));
	wire_close(&p->w);
	free(p);
}

static void streams(void)
{
	uint64_t end = now_ms() + 1000 * env_number("SIW_FUZZ_SECONDS", 2);
	uint64_t seed = first_seed();
	uint64_t said = now_ms();
	long baseline;
	int i;

	test_note("seed %" PRIu64, seed);
	fresh_pair_works();
	baseline = resources();
	while (!passed(end)) {
		for (i = 0; i < 20 && !passed(end); i++)
			one(seed++);
		/* The others have noticed nothing. */
		fresh_pair_works();
		EXPECT(resources_back(baseline, 10000), "objects are left");
		if (now_ms() - said > 30000) {
			said = now_ms();
			test_note("%u connections", connections);
		}
	}
	test_note("%u connections, %u got past start-up, %u were legal",
		  connections, started, legal);
}

static struct test tests[] = {
	{ "streams bent at random", streams, .slow = true },
};

int main(int argc, char **argv)
{
	tests[0].seconds = env_number("SIW_FUZZ_SECONDS", 2) + 60;
	return harness_main(argc, argv, tests, ARRAY_SIZE(tests));
}
