// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include "harness.h"
#include "rawpeer.h"

static const char req_key[16] = { 'M', 'P', 'A', ' ', 'I', 'D', ' ', 'R',
				  'e', 'q', ' ', 'F', 'r', 'a', 'm', 'e' };
static const char rep_key[16] = { 'M', 'P', 'A', ' ', 'I', 'D', ' ', 'R',
				  'e', 'p', ' ', 'F', 'r', 'a', 'm', 'e' };

/* Start with 0; the conditioning is inside, so that calls can be chained. */
uint32_t crc32c(uint32_t crc, const void *data, size_t len)
{
	static uint32_t table[256];
	const uint8_t *p = data;
	uint32_t x;
	int i, k;

	if (!table[1]) {
		for (i = 0; i < 256; i++) {
			for (x = i, k = 0; k < 8; k++)
				x = x >> 1 ^ (x & 1 ? 0x82f63b78 : 0);
			table[i] = x;
		}
	}
	crc = ~crc;
	while (len--)
		crc = crc >> 8 ^ table[(crc ^ *p++) & 0xff];
	return ~crc;
}

uint16_t get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

uint64_t get64(const uint8_t *p)
{
	return (uint64_t)get32(p) << 32 | get32(p + 4);
}

void put16(uint8_t *p, uint16_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

void put64(uint8_t *p, uint64_t v)
{
	put32(p, v >> 32);
	put32(p + 4, v);
}

/* ---- socket ---- */

static void raw_init(struct raw *r, int fd)
{
	int one = 1;

	memset(r, 0, sizeof(*r));
	r->fd = fd;
	r->crc = true;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static socklen_t sa_len(const struct sockaddr_storage *ss)
{
	return ss->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) :
					   sizeof(struct sockaddr_in);
}

void raw_dial(struct raw *r, const char *ns, const char *ip, uint16_t port)
{
	struct sockaddr_storage ss;
	int fd;

	ns_enter(ns);
	addr_of(&ss, ip, port, NULL);
	fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ASSERT(fd >= 0, "socket");
	/* Reset before connect(2) returned: it was there; raw_end() tells it. */
	ASSERT(!connect(fd, (struct sockaddr *)&ss, sa_len(&ss)) ||
	       errno == ECONNRESET, "connect: %s", strerror(errno));
	raw_init(r, fd);
}

int raw_listen(const char *ns, const char *ip, uint16_t port)
{
	struct sockaddr_storage ss;
	int one = 1;
	int fd;

	ns_enter(ns);
	addr_of(&ss, ip, port, NULL);
	fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ASSERT(fd >= 0, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	ASSERT(!bind(fd, (struct sockaddr *)&ss, sa_len(&ss)), "bind");
	ASSERT(!listen(fd, 64), "listen");
	return fd;
}

static bool ready(int fd, short events, unsigned int ms)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	return poll(&pfd, 1, ms) == 1;
}

bool raw_accept(struct raw *r, int lfd, unsigned int ms)
{
	int fd;

	if (!ready(lfd, POLLIN, slow(ms)))
		return false;
	fd = accept4(lfd, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return false;
	raw_init(r, fd);
	return true;
}

/* False if the driver does not take it: it has closed, or stopped reading. */
bool raw_put(struct raw *r, const void *data, size_t len)
{
	const uint8_t *p = data;
	ssize_t n;

	while (len) {
		if (!ready(r->fd, POLLOUT, slow(10000)))
			return false;
		n = send(r->fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= n;
	}
	return true;
}

size_t raw_get(struct raw *r, void *data, size_t len, unsigned int ms)
{
	uint64_t end = deadline(ms);
	uint8_t *p = data;
	size_t got = 0;
	ssize_t n;

	while (got < len) {
		uint64_t now = now_ms();

		if (!ready(r->fd, POLLIN, end > now ? end - now : 0))
			break;
		n = recv(r->fd, p + got, len - got, MSG_DONTWAIT);
		if (n <= 0)
			break;
		got += n;
	}
	return got;
}

void raw_close(struct raw *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

void raw_reset(struct raw *r)
{
	struct linger l = { .l_onoff = 1 };

	setsockopt(r->fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	raw_close(r);
}

enum raw_end raw_end(struct raw *r, unsigned int ms)
{
	uint64_t end = deadline(ms);
	uint8_t sink[4096];
	ssize_t n;

	for (;;) {
		uint64_t now = now_ms();

		if (now >= end || !ready(r->fd, POLLIN, end - now))
			return RAW_OPEN;
		n = recv(r->fd, sink, sizeof(sink), MSG_DONTWAIT);
		if (!n)
			return RAW_FIN;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return RAW_RST;
	}
}

/* ---- MPA start-up ---- */

size_t mpa_make(uint8_t *out, bool reply, uint8_t flags, uint8_t rev,
		const void *pd, uint16_t len)
{
	memcpy(out, reply ? rep_key : req_key, 16);
	out[16] = flags;
	out[17] = rev;
	put16(out + 18, len);
	if (len)
		memcpy(out + 20, pd, len);
	return 20 + len;
}

bool mpa_read(struct raw *r, struct mpa *m, bool reply, unsigned int ms)
{
	uint8_t head[20];

	memset(m, 0, sizeof(*m));
	if (raw_get(r, head, 20, ms) != 20)
		return false;
	m->key_ok = !memcmp(head, reply ? rep_key : req_key, 16);
	m->flags = head[16];
	m->rev = head[17];
	m->len = get16(head + 18);
	return m->len <= 512 && raw_get(r, m->pd, m->len, ms) == m->len;
}

/* ---- DDP and RDMAP headers; each returns the ULPDU's length ---- */

size_t ddp_untagged(uint8_t *out, uint16_t ctl, uint32_t inv, uint32_t qn,
		    uint32_t msn, uint32_t mo, const void *data, size_t len)
{
	put16(out, ctl);
	put32(out + 2, inv);
	put32(out + 6, qn);
	put32(out + 10, msn);
	put32(out + 14, mo);
	if (len)
		memcpy(out + 18, data, len);
	return 18 + len;
}

size_t ddp_tagged(uint8_t *out, uint16_t ctl, uint32_t stag, uint64_t to,
		  const void *data, size_t len)
{
	put16(out, ctl);
	put32(out + 2, stag);
	put64(out + 6, to);
	if (len)
		memcpy(out + 14, data, len);
	return 14 + len;
}

size_t rdmap_rreq(uint8_t *out, uint32_t msn, uint32_t sink_stag,
		  uint64_t sink_to, uint32_t size, uint32_t src_stag,
		  uint64_t src_to)
{
	uint8_t h[28];

	put32(h, sink_stag);
	put64(h + 4, sink_to);
	put32(h + 12, size);
	put32(h + 16, src_stag);
	put64(h + 20, src_to);
	return ddp_untagged(out, CTL_RREQ, 0, 1, msn, 0, h, sizeof(h));
}

/* ---- MPA framing ---- */

size_t fpdu_make(uint8_t *out, const uint8_t *ulpdu, size_t len)
{
	size_t n = 2 + len;
	uint32_t crc;

	put16(out, len);
	memcpy(out + 2, ulpdu, len);
	while (n % 4)
		out[n++] = 0;
	crc = crc32c(0, out, n);
	out[n++] = crc;		/* low octet first */
	out[n++] = crc >> 8;
	out[n++] = crc >> 16;
	out[n++] = crc >> 24;
	return n;
}

bool fpdu_put(struct raw *r, const uint8_t *ulpdu, size_t len)
{
	uint8_t *out = malloc(FPDU_MAX);
	bool ok;

	ok = raw_put(r, out, fpdu_make(out, ulpdu, len));
	free(out);
	return ok;
}

/*
 * The next @n octets of the FPDU that starts at stream offset *@head, without
 * the Markers between them; octets and Markers go into *@crc.  @n is a
 * multiple of 4, as everything between two Markers is.
 */
static bool get_words(struct raw *r, struct fpdu *f, void *data, size_t n,
		      uint64_t *head, uint32_t *crc, uint64_t end)
{
	uint8_t *p = data;
	uint8_t m[4];
	size_t left = n;
	size_t chunk;

	while (left) {
		uint64_t now = now_ms();
		unsigned int ms = end > now ? end - now : 0;

		if (r->markers && r->pos % 512 == 0) {
			if (raw_get(r, m, 4, ms) != 4)
				return false;
			*crc = crc32c(*crc, m, 4);
			if (get16(m + 2) != (r->pos == *head ? 0 :
					     r->pos - *head))
				f->markers_ok = false;
			if (r->pos == *head)
				*head += 4;
			r->pos += 4;
			r->nmarkers++;
		}
		chunk = left;
		if (r->markers && chunk > 512 - r->pos % 512)
			chunk = 512 - r->pos % 512;
		if (raw_get(r, p, chunk, ms) != chunk)
			return false;
		*crc = crc32c(*crc, p, chunk);
		r->pos += chunk;
		p += chunk;
		left -= chunk;
	}
	return true;
}

bool fpdu_read(struct raw *r, struct fpdu *f, unsigned int ms)
{
	uint64_t end = deadline(ms);
	uint64_t head = r->pos;
	uint32_t ignored = 0;
	uint32_t crc = 0;
	uint8_t first[4];
	uint8_t tail[4];
	uint8_t *rest;
	size_t n, i;
	bool ok;

	f->crc_ok = false;
	f->markers_ok = true;
	f->pad_ok = true;
	if (!get_words(r, f, first, 4, &head, &crc, end))
		return false;
	f->len = get16(first);
	n = (2 + f->len + 3) / 4 * 4;
	rest = malloc(n);
	ok = get_words(r, f, rest, n - 4, &head, &crc, end);
	if (ok) {
		f->ulpdu[0] = first[2];
		f->ulpdu[1] = first[3];
		if (f->len > 2)
			memcpy(f->ulpdu + 2, rest, f->len - 2);
		for (i = f->len + 2; i < n; i++)
			if (i >= 4 && rest[i - 4])
				f->pad_ok = false;
	}
	free(rest);
	if (!ok)
		return false;
	/* A Marker between PAD and CRC is covered by the CRC. */
	if (r->markers && r->pos % 512 == 0) {
		uint8_t m[4];

		if (raw_get(r, m, 4, slow(ms)) != 4)
			return false;
		crc = crc32c(crc, m, 4);
		if (get16(m + 2) != r->pos - head)
			f->markers_ok = false;
		r->pos += 4;
		r->nmarkers++;
	}
	if (!get_words(r, f, tail, 4, &head, &ignored, end))
		return false;
	f->crc_ok = tail[0] == (crc & 0xff) && tail[1] == (crc >> 8 & 0xff) &&
		    tail[2] == (crc >> 16 & 0xff) && tail[3] == crc >> 24;
	return true;
}

/* ---- the driver against the raw peer ---- */

void wire_listen(struct wire *w, const struct opts *o)
{
	w->port = next_port();
	side_init(&w->s, NS_B, o);
	side_listen(&w->s, ADDR_B, w->port, 16);
	w->r.fd = -1;
}

void wire_dial(struct wire *w)
{
	raw_dial(&w->r, NS_A, ADDR_B, w->port);
}

void wire_request(struct wire *w, uint8_t flags, uint8_t rev, const void *pd,
		  uint16_t len)
{
	uint8_t out[20 + 1024];

	ASSERT(raw_put(&w->r, out, mpa_make(out, false, flags, rev, pd, len)),
	       "cannot send the Request");
}

void wire_accept(struct wire *w)
{
	side_want(&w->s, RDMA_CM_EVENT_CONNECT_REQUEST);
	side_open(&w->s);
	ASSERT(!side_accept(&w->s), "rdma_accept");
	ASSERT(mpa_read(&w->r, &w->rep, true, 10000), "no Reply");
	ASSERT(w->rep.key_ok, "the Reply has another key");
	w->r.crc = w->rep.flags & MPA_C;
}

void wire_up(struct wire *w, const struct opts *o)
{
	wire_listen(w, o);
	wire_dial(w);
	wire_request(w, MPA_C, 1, NULL, 0);
	wire_accept(w);
}

void wire_connect(struct wire *w, const struct opts *o)
{
	if (!w->lfd) {
		w->port = next_port();
		w->lfd = raw_listen(NS_A, ADDR_A, w->port);
	}
	side_init(&w->s, NS_B, o);
	side_resolve(&w->s, ADDR_A, w->port);
	side_open(&w->s);
	ASSERT(!side_connect(&w->s), "rdma_connect");
	ASSERT(raw_accept(&w->r, w->lfd, 10000), "no connection");
	ASSERT(mpa_read(&w->r, &w->rep, false, 10000), "no Request");
	ASSERT(w->rep.key_ok, "the Request has another key");
}

void wire_reply(struct wire *w, uint8_t flags, uint8_t rev, const void *pd,
		uint16_t len)
{
	uint8_t out[20 + 1024];

	ASSERT(raw_put(&w->r, out, mpa_make(out, true, flags, rev, pd, len)),
	       "cannot send the Reply");
}

void wire_reply_well(struct wire *w)
{
	uint8_t pd[4];
	uint32_t ask;

	if (w->rep.rev < 2 || !(w->rep.flags & MPA_S)) {
		wire_reply(w, MPA_C, w->rep.rev, NULL, 0);
		return;
	}
	ask = get32(w->rep.pd);
	put32(pd, (ask & (MPA_A | MPA_RTR_WRITE | MPA_RTR_READ)) |
		  MPA_ENHANCED(MPA_ORD(ask), MPA_IRD(ask)));
	wire_reply(w, MPA_C | MPA_S, 2, pd, 4);
}

void wire_close(struct wire *w)
{
	raw_close(&w->r);
	if (w->lfd)
		close(w->lfd);
	side_close(&w->s);
}

/* A Write of no octets: something for the driver to receive first. */
void wire_first(struct wire *w)
{
	uint8_t u[64];

	ASSERT(fpdu_put(&w->r, u, ddp_tagged(u, CTL_WRITE, 0, 0, NULL, 0)),
	       "cannot send");
}

void wire_full(struct wire *w)
{
	wire_first(w);
	side_want(&w->s, RDMA_CM_EVENT_ESTABLISHED);
}

/* The driver's Terminate, whole, and then the end of the stream. */
bool wire_wants_term(const char *file, int line, struct wire *w, uint32_t word,
		     const uint8_t *ulpdu, size_t len)
{
	static struct fpdu f;
	uint8_t want[128];
	uint8_t rest[64];
	size_t hdr;
	size_t n;

	put32(rest, word);
	n = 4;
	if (word & 0x4000) {
		hdr = ulpdu[0] & 0x80 ? 14 : 18;
		put16(rest + n, len);
		memcpy(rest + n + 2, ulpdu, hdr);
		n += 2 + hdr;
		if (word & 0x2000) {
			memcpy(rest + n, ulpdu + 18, 28);
			n += 28;
		}
	}
	n = ddp_untagged(want, CTL_TERM, 0, 2, 1, 0, rest, n);
	errno = 0;
	/* Read Responses that are under way come first. */
	do {
		if (!fpdu_read(&w->r, &f, 10000)) {
			test_fail(file, line, "no Terminate, want %08x", word);
			return false;
		}
	} while ((f.ulpdu[1] & 15) == (CTL_RRSP & 15));
	if (f.len == n && !memcmp(want, f.ulpdu, n) && f.crc_ok)
		return true;
	test_fail(file, line, "want a Terminate %08x of %zu octets, got %08x of %u, CRC %s",
		  word, n, f.len >= 22 ? get32(f.ulpdu + 18) : 0, f.len,
		  f.crc_ok ? "good" : "bad");
	dump("want", want, n);
	dump("got ", f.ulpdu, f.len > 80 ? 80 : f.len);
	return false;
}

void dump(const char *what, const uint8_t *p, size_t n)
{
	char hex[512];
	size_t i;

	for (i = 0; i < n && i < 250; i++)
		sprintf(hex + 2 * i, "%02x", p[i]);
	hex[2 * i] = 0;
	test_note("%s %s", what, hex);
}
