// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * MPA start-up against a peer made by hand.
 *
 *	netns sa                          netns sb
 *	+----------------------+          +----------------------+
 *	| raw TCP socket       |          |     the driver  siwb |
 *	|   va 10.83.0.1/24    |<- veth ->|    vb 10.83.0.2/24   |
 *	|  initiator,          | MTU 1500 |   responder,         |
 *	|  or responder        |          |   or initiator       |
 *	+----------------------+          +----------------------+
 *
 * RFC 5044 section 7, RFC 6581.
 */
#include <sys/fsuid.h>
#include <sys/socket.h>

#include "harness.h"
#include "rawpeer.h"

/* A Send from the raw peer is delivered, one from the driver comes out. */
static void wire_talks(struct wire *w)
{
	static struct fpdu f;
	uint8_t data[300];
	uint8_t u[512];

	recv_at(&w->s, 1, 0, 1000);
	fill(data, sizeof(data), 1);
	ASSERT(fpdu_put(&w->r, u, ddp_untagged(u, CTL_SEND, 0, 0, 1, 0, data,
					       sizeof(data))), "cannot send");
	EXPECT_EQ(sizeof(data),
		  WANT_WC(w->s.rcq, 1, IBV_WC_SUCCESS).byte_len);
	CHECK(w->s.buf, sizeof(data), 1);

	fill(w->s.buf, 700, 2);
	POST(&w->s, .op = IBV_WR_SEND, .len = 700, .id = 2);
	ASSERT(fpdu_read(&w->r, &f, 5000), "no FPDU");
	WANT_WC(w->s.scq, 2, IBV_WC_SUCCESS);
	if (w->r.crc)
		EXPECT(f.crc_ok, "bad CRC");
	EXPECT(f.markers_ok, "bad Marker");
	EXPECT_EQ(CTL_SEND, get16(f.ulpdu));
	EXPECT_EQ(18 + 700, f.len);
	EXPECT_EQ(0, get32(f.ulpdu + 6));	/* QN */
	EXPECT_EQ(1, get32(f.ulpdu + 10));	/* MSN */
	EXPECT_EQ(0, get32(f.ulpdu + 14));	/* MO */
	CHECK(f.ulpdu + 18, 700, 2);
}

static void rev1(void)
{
	struct wire w = { 0 };

	wire_up(&w, NULL);
	EXPECT_EQ(MPA_C, w.rep.flags);
	EXPECT_EQ(1, w.rep.rev);
	EXPECT_EQ(0, w.rep.len);
	wire_full(&w);
	wire_talks(&w);
	wire_close(&w);
}

/*
 * rdma_cm hands up at most 255 octets; what is longer is legal on the wire,
 * so it must not break the connection.
 */
static void private_data(uint8_t rev, const uint16_t *lens, size_t n)
{
	uint8_t out[255], in[512];
	struct wire w;
	size_t i;

	for (i = 0; i < n; i++) {
		uint16_t ulp = lens[i];
		uint16_t head = rev == 2 ? 4 : 0;
		uint16_t back = ulp > 200 ? 200 : ulp;

		memset(&w, 0, sizeof(w));
		fill(in + head, ulp, ulp);
		if (head)
			put32(in, MPA_ENHANCED(4, 4));
		fill(out, sizeof(out), 9);
		wire_listen(&w, &(struct opts){ .pdata = out, .plen = back });
		wire_dial(&w);
		wire_request(&w, MPA_C | (head ? MPA_S : 0), rev, in,
			     head + ulp);
		wire_accept(&w);
		if (ulp <= 255)
			EXPECT_EQ(ulp, w.s.plen);
		else
			test_info("%u octets sent, %u handed up", ulp,
				  w.s.plen);
		EXPECT(w.s.plen <= ulp, "more than was sent");
		CHECK(w.s.pdata, w.s.plen, ulp);
		EXPECT_EQ(head + back, w.rep.len);
		CHECK(w.rep.pd + head, back, 9);
		EXPECT_EQ(rev, w.rep.rev);
		wire_full(&w);
		wire_talks(&w);
		wire_close(&w);
	}
}

static void rev1_private(void)
{
	static const uint16_t lens[] = { 1, 2, 3, 4, 5, 251, 252, 253, 254,
					 255, 256, 257, 508, 511, 512 };

	private_data(1, lens, ARRAY_SIZE(lens));
}

static void rev2_private(void)
{
	static const uint16_t lens[] = { 0, 1, 2, 3, 4, 250, 251, 252, 253,
					 255, 256, 507, 508 };

	private_data(2, lens, ARRAY_SIZE(lens));
}

/* A revision 2 connection with the given enhanced data; its reply's. */
static uint32_t rev2_ask(struct wire *w, const struct opts *o, uint32_t word)
{
	uint8_t pd[4];

	memset(w, 0, sizeof(*w));
	put32(pd, word);
	wire_listen(w, o);
	wire_dial(w);
	wire_request(w, MPA_C | MPA_S, 2, pd, 4);
	wire_accept(w);
	EXPECT_EQ(2, w->rep.rev);
	EXPECT_EQ(MPA_C | MPA_S, w->rep.flags);
	ASSERT(w->rep.len >= 4, "no enhanced data in the Reply");
	return get32(w->rep.pd);
}

static void rev2_depths(void)
{
	struct wire w;
	uint32_t rep;

	rep = rev2_ask(&w, &(struct opts){ .ird = 8, .ord = 4 },
		       MPA_ENHANCED(16, 8));
	EXPECT_EQ(8, MPA_IRD(rep));
	EXPECT_EQ(4, MPA_ORD(rep));
	/* Up to the ULP: what the peer can take, and what it will send. */
	EXPECT_EQ(16, w.s.ord);
	EXPECT_EQ(8, w.s.ird);
	EXPECT(!(rep & (MPA_A | MPA_RTR_SEND | MPA_RTR_WRITE | MPA_RTR_READ)),
	       "RTR kinds offered to a peer that asked for none: %08x", rep);
	wire_full(&w);
	wire_talks(&w);
	wire_close(&w);

	/* Own ORD is never above the peer's IRD. */
	rep = rev2_ask(&w, &(struct opts){ .ird = 4, .ord = 4 },
		       MPA_ENHANCED(2, 100));
	EXPECT(MPA_ORD(rep) <= 2, "ORD %u of a peer's IRD 2", MPA_ORD(rep));
	EXPECT(MPA_IRD(rep) >= 4 && MPA_IRD(rep) <= 128, "IRD %u",
	       MPA_IRD(rep));
	wire_full(&w);
	wire_talks(&w);
	wire_close(&w);

	/* 0x3fff: no negotiation, answered in kind. */
	rep = rev2_ask(&w, &(struct opts){ .ird = 4, .ord = 4 },
		       MPA_ENHANCED(0x3fff, 0x3fff));
	EXPECT_EQ(0x3fff, MPA_IRD(rep));
	EXPECT_EQ(0x3fff, MPA_ORD(rep));
	wire_full(&w);
	wire_talks(&w);
	wire_close(&w);

	/* rdma_cm has eight bits for a depth: more is as many as they hold. */
	rev2_ask(&w, NULL, MPA_ENHANCED(256, 1000));
	EXPECT_EQ(255, w.s.ord);
	EXPECT_EQ(255, w.s.ird);
	wire_close(&w);
}

static void rev2_rtr(uint32_t kind)
{
	uint32_t kinds = MPA_RTR_SEND | MPA_RTR_WRITE | MPA_RTR_READ;
	static struct fpdu f;
	struct wire w;
	uint8_t u[64];
	uint32_t rep;
	size_t n;

	rep = rev2_ask(&w, NULL, MPA_A | kind | MPA_ENHANCED(4, 4));
	EXPECT(rep & MPA_A, "A is not answered");
	EXPECT(rep & kinds, "no RTR kind in the Reply");
	if (!(rep & kind)) {
		wire_close(&w);
		SKIP("the driver does not take this kind");
	}
	EXPECT_EQ(-1, side_event(&w.s, 200));	/* not before the RTR */
	if (kind == MPA_RTR_WRITE)
		n = ddp_tagged(u, CTL_WRITE, 0x1234, 5678, NULL, 0);
	else if (kind == MPA_RTR_SEND)
		n = ddp_untagged(u, CTL_SEND, 0, 0, 1, 0, NULL, 0);
	else
		n = rdmap_rreq(u, 1, 0x77, 0x88, 0, 0x99, 0xaa);
	ASSERT(fpdu_put(&w.r, u, n), "cannot send");
	side_want(&w.s, RDMA_CM_EVENT_ESTABLISHED);
	if (kind == MPA_RTR_READ) {
		ASSERT(fpdu_read(&w.r, &f, 5000), "no Read Response");
		EXPECT_EQ(CTL_RRSP, get16(f.ulpdu));
		EXPECT_EQ(14, f.len);
		EXPECT_EQ(0x77, get32(f.ulpdu + 2));
		EXPECT_EQ(0x88, get64(f.ulpdu + 6));
	}
	/* The passive end may now speak first. */
	fill(w.s.buf, 100, 3);
	POST(&w.s, .op = IBV_WR_SEND, .len = 100, .id = 1);
	ASSERT(fpdu_read(&w.r, &f, 5000), "no FPDU");
	EXPECT_EQ(CTL_SEND, get16(f.ulpdu));
	CHECK(f.ulpdu + 18, 100, 3);
	/* An RTR by Send counted its MSN and took no buffer. */
	recv_at(&w.s, 2, 0, 100);
	n = ddp_untagged(u, CTL_SEND, 0, 0, kind == MPA_RTR_SEND ? 2 : 1, 0,
			 "hello", 5);
	ASSERT(fpdu_put(&w.r, u, n), "cannot send");
	EXPECT_EQ(5, WANT_WC(w.s.rcq, 2, IBV_WC_SUCCESS).byte_len);
	wire_close(&w);
}

static void rtr_write(void)
{
	rev2_rtr(MPA_RTR_WRITE);
}

static void rtr_read(void)
{
	rev2_rtr(MPA_RTR_READ);
}

static void rtr_send(void)
{
	rev2_rtr(MPA_RTR_SEND);
}

/* Who takes no Reads takes none as RTR either, and says so. */
static void rtr_without_reads(void)
{
	struct wire w = { 0 };
	uint8_t pd[4];
	uint32_t rep;

	wire_listen(&w, NULL);
	w.s.o.ird = 0;
	wire_dial(&w);
	put32(pd, MPA_A | MPA_RTR_WRITE | MPA_RTR_READ | MPA_ENHANCED(4, 4));
	wire_request(&w, MPA_C | MPA_S, 2, pd, 4);
	wire_accept(&w);
	rep = get32(w.rep.pd);
	EXPECT_EQ(0, MPA_IRD(rep));
	EXPECT(rep & MPA_RTR_WRITE, "no RTR by Write: %08x", rep);
	EXPECT(!(rep & MPA_RTR_READ), "RTR by Read: %08x", rep);
	wire_full(&w);
	wire_close(&w);
}

/* Where no RTR was agreed on, an empty Send takes a receive like any other. */
static void empty_send_first(void)
{
	struct wire w = { 0 };
	uint8_t u[32];

	wire_up(&w, NULL);
	recv_at(&w.s, 1, 0, 64);
	recv_at(&w.s, 2, 64, 64);
	fpdu_put(&w.r, u, ddp_untagged(u, CTL_SEND, 0, 0, 1, 0, NULL, 0));
	fpdu_put(&w.r, u, ddp_untagged(u, CTL_SEND, 0, 0, 2, 0, "hello", 5));
	ASSERT(!WANT_WC(w.s.rcq, 1, IBV_WC_SUCCESS).byte_len,
	       "the empty Send took none");
	EXPECT_EQ(5, WANT_WC(w.s.rcq, 2, IBV_WC_SUCCESS).byte_len);
	side_want(&w.s, RDMA_CM_EVENT_ESTABLISHED);
	wire_close(&w);
}

/* RFC 5044 section 7.1.2: not an octet after the Reply until the first FPDU */
static void responder_waits(void)
{
	struct wire w = { 0 };
	static struct fpdu f;
	uint8_t octet;
	int rc;

	wire_up(&w, NULL);
	rc = try_post(&w.s, &(struct wr){ .op = IBV_WR_SEND, .len = 10,
					  .id = 1 });
	EXPECT_EQ(0, raw_get(&w.r, &octet, 1, 300));
	wire_full(&w);
	if (rc)
		POST(&w.s, .op = IBV_WR_SEND, .len = 10, .id = 1);
	ASSERT(fpdu_read(&w.r, &f, 5000), "no FPDU after the first of ours");
	EXPECT_EQ(CTL_SEND, get16(f.ulpdu));
	WANT_WC(w.s.scq, 1, IBV_WC_SUCCESS);
	wire_close(&w);
}

static void read_marked(struct wire *w, uint32_t total, uint32_t seed)
{
	static struct fpdu f;
	uint32_t got = 0;

	while (got < total) {
		ASSERT(fpdu_read(&w->r, &f, 5000), "%u of %u octets", got,
		       total);
		EXPECT(f.crc_ok, "bad CRC at %u of %u", got, total);
		EXPECT(f.markers_ok, "bad Marker at %u of %u", got, total);
		ASSERT(f.len >= 18 && (get16(f.ulpdu) & 0xbfff) == 0x0143,
		       "control %04x", get16(f.ulpdu));
		EXPECT_EQ(got, get32(f.ulpdu + 14));
		ASSERT(!memcmp(f.ulpdu + 18, w->s.buf + got, f.len - 18),
		       "payload at %u of %u, seed %u", got, total, seed);
		got += f.len - 18;
	}
	EXPECT_EQ(total, got);
}

static void markers_sent(struct wire *w)
{
	uint32_t len;
	int i;

	for (i = 0; i < 300; i++) {
		len = i < 200 ? 1 + i * 11 : 1 + (i - 200) * 601;
		fill(w->s.buf, len, i);
		POST(&w->s, .op = IBV_WR_SEND, .len = len, .id = i);
		read_marked(w, len, i);
		WANT_WC(w->s.scq, i, IBV_WC_SUCCESS);
	}
	EXPECT(w->r.nmarkers > 100, "%u Markers", w->r.nmarkers);
}

static void markers(void)
{
	struct wire w = { 0 };

	wire_listen(&w, NULL);
	wire_dial(&w);
	wire_request(&w, MPA_C | MPA_M, 1, NULL, 0);
	wire_accept(&w);
	EXPECT(!(w.rep.flags & MPA_M), "the driver asks for Markers itself");
	EXPECT(!(w.rep.flags & MPA_R), "rejected");
	w.r.markers = true;
	wire_full(&w);
	markers_sent(&w);
	wire_close(&w);
}

static void markers_initiator(void)
{
	struct wire w = { 0 };
	uint8_t pd[4];
	uint32_t ask;

	wire_connect(&w, NULL);
	ask = get32(w.rep.pd);
	put32(pd, (ask & (MPA_A | MPA_RTR_WRITE)) | MPA_ENHANCED(4, 4));
	w.r.markers = true;
	wire_reply(&w, MPA_C | MPA_M | (w.rep.flags & MPA_S), w.rep.rev, pd,
		   w.rep.flags & MPA_S ? 4 : 0);
	side_want(&w.s, RDMA_CM_EVENT_ESTABLISHED);
	if (ask & MPA_A) {
		static struct fpdu f;

		ASSERT(fpdu_read(&w.r, &f, 5000), "no RTR");
		EXPECT(f.crc_ok && f.markers_ok, "RTR");
		EXPECT_EQ(CTL_WRITE, get16(f.ulpdu));
	}
	markers_sent(&w);
	wire_close(&w);
}

static void crc_off_asked(void)
{
	struct wire w = { 0 };

	/* CRC is in use if either end wants it, and ours does by default. */
	wire_listen(&w, NULL);
	wire_dial(&w);
	wire_request(&w, 0, 1, NULL, 0);
	wire_accept(&w);
	EXPECT(w.rep.flags & MPA_C, "the driver goes without CRC");
	wire_full(&w);
	wire_talks(&w);
	wire_close(&w);
}

static void no_crc(const char *ns)
{
	ASSERT(!sh("echo 0 >/sys/class/infiniband/siw%s/mpa/crc", ns),
	       "cannot turn CRC off");
}

#define CRC_OF_B "/sys/class/infiniband/siwb/mpa/crc"

/* It is on, and says what it was told; of nonsense it stays as it is. */
static void crc_attribute(void)
{
	EXPECT_EQ(0, sh("grep -qx 1 " CRC_OF_B));
	EXPECT(sh("(echo perhaps >" CRC_OF_B ") 2>/dev/null"), "it is no word for it");
	EXPECT_EQ(0, sh("grep -qx 1 " CRC_OF_B));
	no_crc("b");
	EXPECT_EQ(0, sh("grep -qx 0 " CRC_OF_B));
	EXPECT(sh("(echo perhaps >" CRC_OF_B ") 2>/dev/null"), "it is no word for it");
	EXPECT_EQ(0, sh("grep -qx 0 " CRC_OF_B));
	EXPECT_EQ(0, sh("echo 1 >" CRC_OF_B));
	EXPECT_EQ(0, sh("grep -qx 1 " CRC_OF_B));
}

/* The field is there, and nobody looks at it. */
static void without_crc(struct wire *w)
{
	uint8_t out[64], u[32];
	size_t n;

	EXPECT_EQ(0, w->rep.flags & MPA_C);
	wire_talks(w);
	recv_at(&w->s, 3, 0, 64);
	n = fpdu_make(out, u, ddp_untagged(u, CTL_SEND, 0, 0, 2, 0, "ab", 2));
	put32(out + n - 4, 0xdeadbeef);
	ASSERT(raw_put(&w->r, out, n), "cannot send");
	EXPECT_EQ(2, WANT_WC(w->s.rcq, 3, IBV_WC_SUCCESS).byte_len);
}

static void crc_off_both(void)
{
	static struct fpdu f;
	struct wire w = { 0 };
	uint8_t pd[4];

	no_crc("b");
	wire_listen(&w, NULL);
	wire_dial(&w);
	wire_request(&w, 0, 1, NULL, 0);
	wire_accept(&w);
	wire_full(&w);
	without_crc(&w);
	wire_close(&w);

	memset(&w, 0, sizeof(w));
	wire_connect(&w, NULL);
	put32(pd, (get32(w.rep.pd) & MPA_A) | MPA_RTR_WRITE |
		  MPA_ENHANCED(4, 4));
	wire_reply(&w, MPA_S, 2, pd, 4);
	w.r.crc = false;
	side_want(&w.s, RDMA_CM_EVENT_ESTABLISHED);
	ASSERT(fpdu_read(&w.r, &f, 5000), "no RTR");
	EXPECT_EQ(CTL_WRITE, get16(f.ulpdu));
	without_crc(&w);
	wire_close(&w);
}

/* The peer wants it: so be it, and a wrong one is found. */
static void crc_off_here(void)
{
	static struct fpdu f;
	struct wire w = { 0 };
	uint8_t out[64], u[32];
	size_t n;

	no_crc("b");
	wire_up(&w, NULL);
	EXPECT(w.rep.flags & MPA_C, "no CRC, and the peer asked for it");
	wire_full(&w);
	wire_talks(&w);
	n = fpdu_make(out, u, ddp_untagged(u, CTL_SEND, 0, 0, 2, 0, "ab", 2));
	out[n - 1] ^= 1;
	ASSERT(raw_put(&w.r, out, n), "cannot send");
	WANT_TERM(&w, 0x20020000, NULL, 0);
	wire_close(&w);

	/* In a Reply as in a Request */
	memset(&w, 0, sizeof(w));
	wire_connect(&w, NULL);
	EXPECT_EQ(0, w.rep.flags & MPA_C);
	wire_reply_well(&w);
	side_want(&w.s, RDMA_CM_EVENT_ESTABLISHED);
	ASSERT(fpdu_read(&w.r, &f, 5000), "no RTR");
	EXPECT(f.crc_ok, "an RTR without a CRC");
	n = fpdu_make(out, u, ddp_untagged(u, CTL_SEND, 0, 0, 1, 0, "ab", 2));
	out[n - 1] ^= 1;
	ASSERT(raw_put(&w.r, out, n), "cannot send");
	WANT_TERM(&w, 0x20020000, NULL, 0);
	wire_close(&w);
}

/* Reserved bits are not checked; S of revision 1 is one of them. */
static void reserved_bits(void)
{
	struct wire w = { 0 };

	wire_listen(&w, NULL);
	wire_dial(&w);
	wire_request(&w, MPA_C | MPA_R | MPA_S | 0x0f, 1, "ab", 2);
	wire_accept(&w);
	EXPECT_EQ(2, w.s.plen);
	EXPECT_EQ(1, w.rep.rev);
	EXPECT_EQ(MPA_C, w.rep.flags);
	wire_full(&w);
	wire_talks(&w);
	wire_close(&w);

	/* Revision 2 without S: answered in the plain form. */
	memset(&w, 0, sizeof(w));
	wire_listen(&w, NULL);
	wire_dial(&w);
	wire_request(&w, MPA_C, 2, "abcde", 5);
	wire_accept(&w);
	EXPECT_EQ(5, w.s.plen);
	EXPECT_EQ(2, w.rep.rev);
	EXPECT_EQ(0, w.rep.len);
	EXPECT_EQ(MPA_C, w.rep.flags);
	wire_full(&w);
	wire_talks(&w);
	wire_close(&w);
}

static void octet_by_octet(void)
{
	struct wire w = { 0 };
	uint8_t out[64];
	uint8_t pd[14];
	size_t n, i;

	put32(pd, MPA_ENHANCED(4, 4));
	memcpy(pd + 4, "slow start", 10);
	n = mpa_make(out, false, MPA_C | MPA_S, 2, pd, 14);
	wire_listen(&w, NULL);
	wire_dial(&w);
	for (i = 0; i < n; i++) {
		ASSERT(raw_put(&w.r, out + i, 1), "octet %zu", i);
		sleep_ms(5);
	}
	wire_accept(&w);
	EXPECT_EQ(10, w.s.plen);
	EXPECT(!memcmp(w.s.pdata, "slow start", 10), "private data");
	wire_full(&w);
	wire_talks(&w);
	wire_close(&w);
}

/* TCP's urgent mark means nothing in a start-up frame: the octet counts. */
static void urgent_frames(void)
{
	struct wire w = { 0 };
	uint8_t out[64], pd[4];
	size_t n;

	n = mpa_make(out, false, MPA_C, 1, "abcd", 4);
	wire_listen(&w, NULL);
	wire_dial(&w);
	ASSERT(send(w.r.fd, out, 10, MSG_OOB) == 10, "send");
	raw_put(&w.r, out + 10, n - 10);
	wire_accept(&w);
	EXPECT_EQ(4, w.s.plen);
	wire_full(&w);
	wire_talks(&w);
	wire_close(&w);

	memset(&w, 0, sizeof(w));
	wire_connect(&w, NULL);
	put32(pd, MPA_A | MPA_RTR_WRITE | MPA_ENHANCED(4, 4));
	n = mpa_make(out, true, MPA_C | MPA_S, 2, pd, 4);
	ASSERT(send(w.r.fd, out, n - 1, MSG_OOB) == (ssize_t)n - 1, "send");
	raw_put(&w.r, out + n - 1, 1);
	side_want(&w.s, RDMA_CM_EVENT_ESTABLISHED);
	wire_close(&w);
}

/* @n octets that are no Request: closed, and nobody is told. */
static void not_a_request(const char *what, const uint8_t *out, size_t n)
{
	struct wire w = { 0 };

	wire_listen(&w, NULL);
	wire_dial(&w);
	raw_put(&w.r, out, n);
	/* Reset: the driver keeps no socket that waits for such a peer. */
	EXPECT(raw_end(&w.r, 3000) == RAW_RST, "%s: not reset", what);
	EXPECT(side_event(&w.s, 50) == -1, "%s: event %d", what, w.s.event);
	raw_close(&w.r);
	/* The listener is there for the next. */
	wire_dial(&w);
	wire_request(&w, MPA_C, 1, NULL, 0);
	wire_accept(&w);
	wire_full(&w);
	wire_close(&w);
}

static void bad_requests(void)
{
	uint8_t out[1200];
	uint8_t pd[600] = { 0 };
	size_t n;
	int i;

	for (i = 0; i < 16; i++) {
		n = mpa_make(out, false, MPA_C, 1, NULL, 0);
		out[i] ^= 0x20;
		not_a_request("key", out, n);
	}
	n = mpa_make(out, true, MPA_C, 1, NULL, 0);
	not_a_request("a Reply", out, n);
	n = mpa_make(out, false, MPA_C, 0, NULL, 0);
	not_a_request("revision 0", out, n);
	n = mpa_make(out, false, MPA_C, 3, NULL, 0);
	not_a_request("revision 3", out, n);
	n = mpa_make(out, false, MPA_C, 255, NULL, 0);
	not_a_request("revision 255", out, n);
	n = mpa_make(out, false, MPA_C, 1, pd, 513);
	not_a_request("PD_Length 513", out, n);
	n = mpa_make(out, false, MPA_C, 1, pd, 100);
	put16(out + 18, 0xffff);
	not_a_request("PD_Length 65535", out, n);
	for (i = 0; i < 4; i++) {
		n = mpa_make(out, false, MPA_C | MPA_S, 2, pd, i);
		not_a_request("S with less than 4 octets", out, n);
	}
	n = mpa_make(out, false, MPA_C, 1, pd, 10);
	out[n++] = 0;
	not_a_request("an octet behind the frame", out, n);
	n = mpa_make(out, false, MPA_C, 1, pd, 0);
	memset(out + n, 0xaa, 1000);
	not_a_request("1000 octets behind the frame", out, n + 1000);
}

static void silence(void)
{
	struct wire w = { 0 };
	struct raw half;
	uint8_t out[64];
	uint64_t start = now_ms();

	wire_listen(&w, NULL);
	wire_dial(&w);
	raw_dial(&half, NS_A, ADDR_B, w.port);
	mpa_make(out, false, MPA_C, 1, "abcdefgh", 8);
	raw_put(&half, out, 23);
	EXPECT(raw_end(&w.r, 40000) != RAW_OPEN, "silence is not closed");
	EXPECT(raw_end(&half, 10000) != RAW_OPEN, "half a frame is not closed");
	test_info("closed after %llu ms",
		  (unsigned long long)(now_ms() - start));
	EXPECT_EQ(-1, side_event(&w.s, 50));
	raw_close(&half);
	wire_close(&w);
}

/* Peers that say nothing must not keep others out. */
static void silent_crowd(void)
{
	struct raw crowd[32];
	struct wire w = { 0 };
	size_t i;

	wire_listen(&w, NULL);
	for (i = 0; i < ARRAY_SIZE(crowd); i++) {
		raw_dial(&crowd[i], NS_A, ADDR_B, w.port);
		raw_put(&crowd[i], "MPA ID", i % 7);
	}
	wire_dial(&w);
	wire_request(&w, MPA_C, 1, NULL, 0);
	wire_accept(&w);
	wire_full(&w);
	wire_talks(&w);
	for (i = 0; i < ARRAY_SIZE(crowd); i++)
		raw_close(&crowd[i]);
	wire_close(&w);
}

static void reject(void)
{
	static const uint8_t lens[] = { 0, 1, 100, 255 };
	uint8_t pd[255];
	struct wire w;
	size_t i;
	int rev;

	fill(pd, sizeof(pd), 4);
	for (rev = 1; rev <= 2; rev++) {
		for (i = 0; i < ARRAY_SIZE(lens); i++) {
			uint8_t ask[4];
			size_t head = rev == 2 ? 4 : 0;

			memset(&w, 0, sizeof(w));
			put32(ask, MPA_ENHANCED(4, 4));
			wire_listen(&w, NULL);
			wire_dial(&w);
			wire_request(&w, MPA_C | (head ? MPA_S : 0), rev, ask,
				     head);
			side_want(&w.s, RDMA_CM_EVENT_CONNECT_REQUEST);
			ASSERT(!rdma_reject(w.s.id, pd, lens[i]),
			       "rdma_reject");
			ASSERT(mpa_read(&w.r, &w.rep, true, 5000), "no Reply");
			EXPECT(w.rep.flags & MPA_R, "R is not set");
			EXPECT_EQ(rev, w.rep.rev);
			EXPECT_EQ(head + lens[i], w.rep.len);
			CHECK(w.rep.pd + head, lens[i], 4);
			/* A RST could overtake the Reply. */
			EXPECT_EQ(RAW_FIN, raw_end(&w.r, 5000));
			raw_close(&w.r);
			wire_close(&w);
		}
	}
}

/* The peer goes while its Request lies at the application. */
static void gone_before_accept(void)
{
	struct wire w;
	int how;

	for (how = 0; how < 4; how++) {
		memset(&w, 0, sizeof(w));
		wire_listen(&w, NULL);
		wire_dial(&w);
		wire_request(&w, MPA_C, 1, NULL, 0);
		side_want(&w.s, RDMA_CM_EVENT_CONNECT_REQUEST);
		if (how & 1)
			raw_reset(&w.r);
		else
			raw_close(&w.r);
		sleep_ms(50);
		if (how & 2) {
			side_open(&w.s);
			/* An error now, or an event later; never a hang. */
			if (!side_accept(&w.s))
				EXPECT(side_event(&w.s, 10000) >= 0,
				       "no event");
		}
		wire_close(&w);
	}
	fresh_pair_works();
}

/* What an initiator sends before it has the Reply is no FPDU. */
static void octets_before_reply(void)
{
	struct wire w = { 0 };

	wire_listen(&w, NULL);
	wire_dial(&w);
	wire_request(&w, MPA_C, 1, NULL, 0);
	side_want(&w.s, RDMA_CM_EVENT_CONNECT_REQUEST);
	wire_first(&w);
	EXPECT_EQ(RAW_RST, raw_end(&w.r, 3000));
	side_open(&w.s);
	/* An error now, or an event later; never a hang. */
	if (!side_accept(&w.s))
		EXPECT(side_event(&w.s, 10000) >= 0, "no event");
	wire_close(&w);
}

/* Start-up frames cut short by FIN and RST at every octet. */
static void cut_requests(void)
{
	struct wire w = { 0 };
	uint8_t out[64];
	size_t n, i;

	n = mpa_make(out, false, MPA_C, 1, "12345678", 8);
	wire_listen(&w, NULL);
	for (i = 0; i < n; i++) {
		wire_dial(&w);
		if (i)
			raw_put(&w.r, out, i);
		if (i % 2)
			raw_reset(&w.r);
		else
			raw_close(&w.r);
	}
	EXPECT_EQ(-1, side_event(&w.s, 200));
	wire_dial(&w);
	wire_request(&w, MPA_C, 1, NULL, 0);
	wire_accept(&w);
	wire_full(&w);
	wire_close(&w);
}

/* ---- the driver as initiator ---- */

static void request_sent(void)
{
	struct wire w = { 0 };
	static struct fpdu f;
	uint8_t pd[100];
	uint32_t ask;

	fill(pd, sizeof(pd), 8);
	wire_connect(&w, &(struct opts){ .ird = 6, .ord = 3, .pdata = pd,
					 .plen = sizeof(pd) });
	EXPECT_EQ(2, w.rep.rev);
	EXPECT_EQ(MPA_C | MPA_S, w.rep.flags);
	EXPECT_EQ(4 + sizeof(pd), w.rep.len);
	ask = get32(w.rep.pd);
	EXPECT_EQ(6, MPA_IRD(ask));
	EXPECT_EQ(3, MPA_ORD(ask));
	CHECK(w.rep.pd + 4, sizeof(pd), 8);
	wire_reply_well(&w);
	side_want(&w.s, RDMA_CM_EVENT_ESTABLISHED);
	if (ask & MPA_A) {
		ASSERT(fpdu_read(&w.r, &f, 5000), "no RTR");
		EXPECT(f.crc_ok, "RTR with a bad CRC");
		EXPECT_EQ(CTL_WRITE, get16(f.ulpdu));
		EXPECT_EQ(14, f.len);
	}
	wire_talks(&w);
	wire_close(&w);
}

static void reply_private(void)
{
	static const uint16_t lens[] = { 0, 1, 200, 251, 252, 255, 300, 508 };
	uint8_t pd[512];
	struct wire w;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		uint32_t ask;

		memset(&w, 0, sizeof(w));
		wire_connect(&w, NULL);
		ask = get32(w.rep.pd);
		put32(pd, (ask & (MPA_A | MPA_RTR_WRITE)) |
			  MPA_ENHANCED(4, 4));
		fill(pd + 4, lens[i], 3);
		wire_reply(&w, MPA_C | MPA_S, 2, pd, 4 + lens[i]);
		side_want(&w.s, RDMA_CM_EVENT_ESTABLISHED);
		if (lens[i] <= 255)
			EXPECT_EQ(lens[i], w.s.plen);
		CHECK(w.s.pdata, w.s.plen, 3);
		wire_close(&w);
	}
}

/* A revision 1 peer closes on a revision 2 Request; then try revision 1. */
static void fall_back(bool rst)
{
	struct wire w = { 0 };

	wire_connect(&w, NULL);
	EXPECT_EQ(2, w.rep.rev);
	if (rst)
		raw_reset(&w.r);
	else
		raw_close(&w.r);
	ASSERT(raw_accept(&w.r, w.lfd, 10000), "no second try");
	ASSERT(mpa_read(&w.r, &w.rep, false, 10000), "no second Request");
	EXPECT_EQ(1, w.rep.rev);
	EXPECT_EQ(MPA_C, w.rep.flags);
	EXPECT_EQ(0, w.rep.len);
	wire_reply(&w, MPA_C, 1, NULL, 0);
	side_want(&w.s, RDMA_CM_EVENT_ESTABLISHED);
	wire_talks(&w);
	wire_close(&w);
}

/* Often: the second try must not run into what is left of the first. */
static void fall_back_fin(void)
{
	int i;

	for (i = 0; i < 300; i++)
		fall_back(false);
}

static void fall_back_rst(void)
{
	fall_back(true);
}

static uint16_t port_of_peer(const struct raw *r)
{
	struct sockaddr_in peer = { 0 };
	socklen_t len = sizeof(peer);

	ASSERT(!getpeername(r->fd, (struct sockaddr *)&peer, &len), "getpeername");
	return ntohs(peer.sin_port);
}

/* What is left of the first try at the peer may not hear of the second. */
static void fall_back_port(void)
{
	struct wire w = { 0 };
	uint16_t port;

	wire_connect(&w, NULL);
	port = port_of_peer(&w.r);
	raw_reset(&w.r);
	ASSERT(raw_accept(&w.r, w.lfd, 10000), "no second try");
	EXPECT(port_of_peer(&w.r) != port, "port %u again", port);
	ASSERT(mpa_read(&w.r, &w.rep, false, 10000), "no second Request");
	wire_reply(&w, MPA_C, 1, NULL, 0);
	side_want(&w.s, RDMA_CM_EVENT_ESTABLISHED);
	wire_close(&w);
}

/* Who has begun a Reply to revision 2 knows it: there is no second try. */
static void fin_inside_reply(void)
{
	struct wire w = { 0 };
	uint8_t out[20];

	wire_connect(&w, NULL);
	mpa_make(out, true, MPA_C, 2, NULL, 0);
	raw_put(&w.r, out, sizeof(out) - 1);
	raw_close(&w.r);
	side_want(&w.s, RDMA_CM_EVENT_REJECTED);
	wire_close(&w);
}

/* The host's rules go by who has opened a socket: also that of the second try. */
static void fall_back_user(void)
{
	struct wire w = { 0 };

	/* Stays so: what one user has opened another may not use. */
	setfsuid(65534);
	wire_connect(&w, NULL);
	if (sh("ip -n " NS_B " rule add pref 5 uidrange 65534-65534 prohibit"))
		SKIP("no rules of routing");
	raw_reset(&w.r);
	EXPECT(!raw_accept(&w.r, w.lfd, 500), "it is another user's");
	EXPECT(side_event(&w.s, 10000) != RDMA_CM_EVENT_ESTABLISHED,
	       "established");
	EXPECT_EQ(0, sh("ip -n " NS_B " rule del pref 5"));
	wire_close(&w);
}

static void rejected(void)
{
	uint8_t pd[104];
	struct wire w = { 0 };

	put32(pd, MPA_ENHANCED(4, 4));
	fill(pd + 4, 100, 6);
	wire_connect(&w, NULL);
	wire_reply(&w, MPA_C | MPA_S | MPA_R, 2, pd, 104);
	side_want(&w.s, RDMA_CM_EVENT_REJECTED);
	EXPECT_EQ(100, w.s.plen);
	CHECK(w.s.pdata, w.s.plen, 6);
	EXPECT(raw_end(&w.r, 5000) != RAW_OPEN, "TCP stays open");
	wire_close(&w);
}

/* The peer may have said more behind its Reply: a RST would take it from it. */
static void rejected_with_fin(void)
{
	struct wire w = { 0 };

	wire_connect(&w, NULL);
	wire_reply(&w, MPA_C | MPA_R, 1, NULL, 0);
	side_want(&w.s, RDMA_CM_EVENT_REJECTED);
	EXPECT_EQ(RAW_FIN, raw_end(&w.r, 5000));
	wire_close(&w);
}

static void not_a_reply(const char *what, const uint8_t *out, size_t n)
{
	struct wire w = { 0 };
	int ev;

	wire_connect(&w, NULL);
	raw_put(&w.r, out, n);
	EXPECT(raw_end(&w.r, 5000) != RAW_OPEN, "%s: not closed", what);
	raw_close(&w.r);
	/* It may be taken for a revision 1 peer, which is worth one try. */
	if (raw_accept(&w.r, w.lfd, 100))
		raw_reset(&w.r);
	ev = side_event(&w.s, 10000);
	EXPECT(ev == RDMA_CM_EVENT_CONNECT_ERROR ||
	       ev == RDMA_CM_EVENT_UNREACHABLE ||
	       ev == RDMA_CM_EVENT_REJECTED, "%s: event %d", what, ev);
	wire_close(&w);
}

static void bad_replies(void)
{
	uint8_t out[1200];
	uint8_t pd[600];
	size_t n;

	memset(pd, 0, sizeof(pd));
	put32(pd, MPA_A | MPA_RTR_WRITE | MPA_ENHANCED(4, 4));
	n = mpa_make(out, false, MPA_C | MPA_S, 2, pd, 4);
	not_a_reply("a Request", out, n);
	n = mpa_make(out, true, MPA_C | MPA_S, 2, pd, 4);
	out[5] ^= 1;
	not_a_reply("key", out, n);
	n = mpa_make(out, true, MPA_C | MPA_S, 3, pd, 4);
	not_a_reply("revision 3", out, n);
	n = mpa_make(out, true, MPA_C, 0, NULL, 0);
	not_a_reply("revision 0", out, n);
	n = mpa_make(out, true, MPA_C | MPA_S, 2, pd, 513);
	not_a_reply("PD_Length 513", out, n);
	n = mpa_make(out, true, MPA_C | MPA_S, 2, pd, 3);
	not_a_reply("S with 3 octets", out, n);
	fresh_pair_works();
}

static void slow_reply(void)
{
	struct wire w = { 0 };
	uint8_t out[64];
	uint8_t pd[8];
	uint32_t ask;
	size_t n, i;

	wire_connect(&w, NULL);
	ask = get32(w.rep.pd);
	put32(pd, (ask & (MPA_A | MPA_RTR_WRITE)) | MPA_ENHANCED(4, 4));
	memcpy(pd + 4, "abcd", 4);
	n = mpa_make(out, true, MPA_C | MPA_S, 2, pd, 8);
	for (i = 0; i < n; i++) {
		ASSERT(raw_put(&w.r, out + i, 1), "octet %zu", i);
		sleep_ms(5);
	}
	side_want(&w.s, RDMA_CM_EVENT_ESTABLISHED);
	EXPECT_EQ(4, w.s.plen);
	EXPECT(!memcmp(w.s.pdata, "abcd", 4), "private data");
	wire_close(&w);
}

/* A FIN right behind the Reply does not look like an octet of it. */
static void reply_and_fin(void)
{
	struct wire w;
	int i;

	for (i = 0; i < 20; i++) {
		memset(&w, 0, sizeof(w));
		wire_connect(&w, NULL);
		wire_reply_well(&w);
		shutdown(w.r.fd, SHUT_WR);
		side_want(&w.s, RDMA_CM_EVENT_ESTABLISHED);
		side_want(&w.s, RDMA_CM_EVENT_DISCONNECTED);
		wire_close(&w);
	}
}

static void silent_responder(void)
{
	struct wire w = { 0 };
	uint64_t start;
	int ev;

	wire_connect(&w, NULL);
	start = now_ms();
	ev = side_event(&w.s, 60000);
	EXPECT(ev == RDMA_CM_EVENT_UNREACHABLE ||
	       ev == RDMA_CM_EVENT_CONNECT_ERROR ||
	       ev == RDMA_CM_EVENT_REJECTED, "event %d", ev);
	test_info("event %d status %d after %llu ms", ev, w.s.status,
		  (unsigned long long)(now_ms() - start));
	EXPECT(raw_end(&w.r, 5000) != RAW_OPEN, "TCP stays open");
	wire_close(&w);
}

/* The peer takes one Read at a time, and so shall it be. */
static void ord_lowered(void)
{
	static struct fpdu f;
	struct wire w = { 0 };
	uint8_t data[16];
	uint8_t pd[4];
	uint8_t u[64];
	uint32_t ask;
	int i;

	wire_connect(&w, &(struct opts){ .ird = 4, .ord = 4 });
	ask = get32(w.rep.pd);
	put32(pd, (ask & (MPA_A | MPA_RTR_WRITE)) | MPA_ENHANCED(1, 1));
	wire_reply(&w, MPA_C | MPA_S, 2, pd, 4);
	side_want(&w.s, RDMA_CM_EVENT_ESTABLISHED);
	if (ask & MPA_A)
		ASSERT(fpdu_read(&w.r, &f, 5000), "no RTR");
	for (i = 0; i < 3; i++)
		POST(&w.s, .op = IBV_WR_RDMA_READ, .off = i * 16, .len = 16,
		     .id = i, .raddr = 0x1000, .rkey = 0x42);
	for (i = 0; i < 3; i++) {
		uint8_t octet;

		ASSERT(fpdu_read(&w.r, &f, 5000), "no Read Request %d", i);
		EXPECT_EQ(CTL_RREQ, get16(f.ulpdu));
		EXPECT_EQ(i + 1, get32(f.ulpdu + 10));
		EXPECT_EQ(16, get32(f.ulpdu + 30));
		EXPECT_EQ(0x42, get32(f.ulpdu + 34));
		EXPECT_EQ(0x1000, get64(f.ulpdu + 38));
		EXPECT_EQ(0, raw_get(&w.r, &octet, 1, 100));
		fill(data, 16, i);
		fpdu_put(&w.r, u, ddp_tagged(u, CTL_RRSP, get32(f.ulpdu + 18),
					     get64(f.ulpdu + 22), data, 16));
		WANT_WC(w.s.scq, i, IBV_WC_SUCCESS);
		CHECK(w.s.buf + i * 16, 16, i);
	}
	wire_close(&w);
}

static void ird_insufficient(void)
{
	struct wire w = { 0 };
	uint8_t pd[4];
	uint32_t ask;

	wire_connect(&w, &(struct opts){ .ird = 2, .ord = 2 });
	/* What is posted by now must not leave. */
	POST(&w.s, .op = IBV_WR_SEND, .len = 10, .id = 1);
	ask = get32(w.rep.pd);
	put32(pd, (ask & (MPA_A | MPA_RTR_WRITE)) | MPA_ENHANCED(2, 200));
	wire_reply(&w, MPA_C | MPA_S, 2, pd, 4);
	/* RFC 6581 section 9.1 */
	WANT_TERM(&w, 0x20060000, NULL, 0);
	EXPECT(raw_end(&w.r, 10000) != RAW_OPEN, "TCP stays open");
	EXPECT(side_event(&w.s, 10000) != RDMA_CM_EVENT_ESTABLISHED,
	       "connected nevertheless");
	wire_close(&w);
}

static void rtr_no_match(void)
{
	struct wire w = { 0 };
	uint8_t pd[4];
	uint32_t ask;

	wire_connect(&w, NULL);
	ask = get32(w.rep.pd);
	if (!(ask & MPA_A))
		SKIP("the driver does not ask for peer-to-peer");
	/* What it offers, we do not have. */
	put32(pd, MPA_A | (~ask & (MPA_RTR_SEND | MPA_RTR_WRITE |
				   MPA_RTR_READ)) | MPA_ENHANCED(4, 4));
	wire_reply(&w, MPA_C | MPA_S, 2, pd, 4);
	WANT_TERM(&w, 0x20070000, NULL, 0);
	EXPECT(raw_end(&w.r, 10000) != RAW_OPEN, "TCP stays open");
	EXPECT(side_event(&w.s, 10000) != RDMA_CM_EVENT_ESTABLISHED,
	       "connected nevertheless");
	wire_close(&w);
}

/* The peer found fault with the Reply: nothing was established. */
static void terminate_first(void)
{
	struct wire w = { 0 };
	uint8_t u[64], pd[4];
	const uint8_t word[4] = { 0x20, 0x06 };

	wire_listen(&w, NULL);
	wire_dial(&w);
	put32(pd, MPA_A | MPA_RTR_WRITE | MPA_ENHANCED(4, 4));
	wire_request(&w, MPA_C | MPA_S, 2, pd, 4);
	wire_accept(&w);
	fpdu_put(&w.r, u, ddp_untagged(u, CTL_TERM, 0, 2, 1, 0, word, 4));
	/* Who has accepted hears of it, in one word or the other. */
	EXPECT(side_event(&w.s, 10000) >= 0, "no event");
	EXPECT(w.s.event != RDMA_CM_EVENT_ESTABLISHED || w.s.status,
	       "established");
	EXPECT(raw_end(&w.r, 10000) != RAW_OPEN, "TCP stays open");
	wire_close(&w);
}

/* Nothing that comes behind a Reply that is refused is acted upon. */
static void refused_says_more(void)
{
	uint8_t u[64], pd[4];
	struct ibv_wc wc;
	struct wire w;
	int i, k;

	for (i = 0; i < 30; i++) {
		memset(&w, 0, sizeof(w));
		wire_connect(&w, NULL);
		recv_at(&w.s, 1, 0, 1000);
		put32(pd, MPA_A | MPA_ENHANCED(4, 4));
		wire_reply(&w, MPA_C | MPA_S, 2, pd, 4);
		for (k = 1; k < 30; k++) {
			fpdu_put(&w.r, u, ddp_untagged(u, CTL_SEND, 0, 0, k, 0,
						       NULL, 0));
			usleep(100);
		}
		EXPECT(raw_end(&w.r, 10000) != RAW_OPEN, "TCP stays open");
		/* None, if the Reply was not even complete for its trailer. */
		if (wait_wc(w.s.rcq, &wc, 50))
			EXPECT_EQ(IBV_WC_WR_FLUSH_ERR, wc.status);
		wire_close(&w);
	}
}

/* A connection that ended at once was up all the same, and what came counts. */
static void all_at_once(void)
{
	uint8_t out[128], u[64];
	struct wire w;
	size_t n;
	int i;

	for (i = 0; i < 100; i++) {
		rev2_ask(&w, NULL, MPA_A | MPA_RTR_WRITE | MPA_ENHANCED(4, 4));
		recv_at(&w.s, 1, 0, 1000);
		n = fpdu_make(out, u, ddp_tagged(u, CTL_WRITE, 0x1234, 0, NULL,
						 0));
		n += fpdu_make(out + n, u, ddp_untagged(u, CTL_SEND, 0, 0, 1, 0,
							"end", 3));
		/* In one segment, with the FIN */
		ASSERT(send(w.r.fd, out, n, MSG_MORE) == (ssize_t)n, "send");
		shutdown(w.r.fd, SHUT_WR);
		EXPECT_EQ(3, WANT_WC(w.s.rcq, 1, IBV_WC_SUCCESS).byte_len);
		side_want(&w.s, RDMA_CM_EVENT_ESTABLISHED);
		EXPECT_EQ(0, w.s.status);
		side_want(&w.s, RDMA_CM_EVENT_DISCONNECTED);
		wire_close(&w);
	}
}

/* A ULP that has accepted says something else before the RTR comes. */
static void second_word(bool accept)
{
	struct rdma_conn_param param;
	struct ibv_qp *first, *qp;
	struct wire w;
	uint8_t u[64];
	size_t n;

	rev2_ask(&w, NULL, MPA_A | MPA_RTR_WRITE | MPA_ENHANCED(4, 4));
	param = side_param(&w.s);
	first = w.s.id->qp;
	qp = ibv_create_qp(w.s.pd, &w.s.attr);
	ASSERT(qp, "ibv_create_qp");
	if (accept) {
		w.s.id->qp = qp;
		EXPECT(rdma_accept(w.s.id, &param), "an accept was taken");
		w.s.id->qp = first;
	} else {
		EXPECT(rdma_reject(w.s.id, NULL, 0), "a reject was taken");
	}
	n = ddp_tagged(u, CTL_WRITE, 0x1234, 5678, NULL, 0);
	fpdu_put(&w.r, u, n);	/* it may be closed */
	EXPECT(raw_end(&w.r, 5000) != RAW_OPEN, "the stream goes on");
	EXPECT_EQ(-1, side_event(&w.s, 200));
	EXPECT_EQ(IBV_QPS_ERR, side_state(&w.s));
	EXPECT_EQ(0, ibv_destroy_qp(qp));
	wire_close(&w);		/* the queue pair before its id */
}

static void accept_taken_back(void)
{
	second_word(false);
	second_word(true);
	fresh_pair_works();
}

static const struct test tests[] = {
	{ "revision 1, no private data", rev1 },
	{ "revision 1, private data of 1 to 512 octets", rev1_private, 60 },
	{ "revision 2, private data of 0 to 508 octets", rev2_private, 60 },
	{ "revision 2, IRD and ORD", rev2_depths },
	{ "peer-to-peer, RTR by Write", rtr_write, .slow = true },
	{ "peer-to-peer, RTR by Read", rtr_read, .slow = true },
	{ "peer-to-peer, RTR by Send", rtr_send, .slow = true },
	{ "peer-to-peer without Reads: no RTR by Read", rtr_without_reads },
	{ "an empty Send as first FPDU of revision 1", empty_send_first },
	{ "the responder says nothing before the first FPDU", responder_waits,
	  .slow = true },
	{ "M=1 in the Request: Markers from the responder", markers, 60 },
	{ "M=1 in the Reply: Markers from the initiator", markers_initiator, 60 },
	{ "C=0 in the Request: CRC stays on", crc_off_asked },
	{ "the attribute for CRC", crc_attribute, .slow = true },
	{ "reserved bits are ignored", reserved_bits, .slow = true },
	{ "a Request octet by octet", octet_by_octet },
	{ "urgent octets in start-up frames", urgent_frames },
	{ "bad Requests are closed and not reported", bad_requests, 120,
	  .slow = true },
	{ "Requests cut short by FIN and RST", cut_requests, .slow = true },
	{ "silence is closed after a while", silence, 60, .slow = true },
	{ "silent peers do not keep others out", silent_crowd },
	{ "reject with private data", reject },
	{ "peer gone before accept", gone_before_accept, 60 },
	{ "accepted, then rejected, or accepted with another QP",
	  accept_taken_back, 60, .slow = true },
	{ "octets from the initiator before the Reply", octets_before_reply },
	{ "the Request of the driver", request_sent },
	{ "private data of a Reply, 0 to 508 octets", reply_private },
	{ "fall back to revision 1 after FIN", fall_back_fin, 60,
	  .slow = true },
	{ "fall back to revision 1 after RST", fall_back_rst },
	{ "the second try is from another port", fall_back_port },
	{ "no fall back after a FIN inside a Reply", fin_inside_reply },
	{ "the second try is by the same user", fall_back_user, .slow = true },
	{ "rejected with private data", rejected },
	{ "a rejection is answered by a FIN", rejected_with_fin },
	{ "bad Replies end the attempt", bad_replies, 90, .slow = true },
	{ "a Reply octet by octet", slow_reply },
	{ "a Reply and a FIN", reply_and_fin },
	{ "a responder that never replies is given up", silent_responder, 90,
	  .slow = true },
	{ "ORD follows the IRD of the Reply", ord_lowered, .slow = true },
	{ "ORD of the Reply above our IRD: Terminate 2/0/06", ird_insufficient },
	{ "no common RTR kind: Terminate 2/0/07", rtr_no_match },
	{ "nothing behind a refused Reply is acted upon", refused_says_more, 60,
	  .slow = true },
	{ "a Terminate as first FPDU", terminate_first },
	{ "RTR, a Send and FIN at once", all_at_once, 60, .slow = true },
	/* Each leaves CRC off at one device, which goes with the topology: last. */
	{ "CRC off at both ends", crc_off_both },
	{ "CRC off here, wanted by the peer", crc_off_here },
};

int main(int argc, char **argv)
{
	return harness_main(argc, argv, tests, ARRAY_SIZE(tests));
}
