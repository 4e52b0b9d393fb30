// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Messages become FPDUs: there is room for each octet of them, and nothing is written
 * behind them.
 */
#include <linux/mm.h>
#include <linux/string.h>

#include "fake.h"
#include "../burst.h"
#include "../txbuf.h"
#include "../proto/mpa_frame.h"

#define OCTETS	3000
/* The length and the CRC of an FPDU of a Send, and its header */
#define AROUND	(SIW_MPA_LEN_LEN + SIW_DDP_UNTAGGED_LEN + SIW_MPA_CRC_LEN)

/* A queue pair with a socket, and octets for its messages */
struct burst_fixture {
	struct siw_device *dev;
	struct siw_qp *qp;
	struct siw_llp llp;
	u8 *octets;
};

static void drop(void *buf)
{
	siw_txbuf_drop(buf);
}

static int burst_init(struct kunit *test)
{
	struct burst_fixture *fix = kunit_kzalloc(test, sizeof(*fix),
						  GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fix);
	test->priv = fix;
	fix->octets = kunit_kzalloc(test, OCTETS, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fix->octets);
	fix->dev = siw_fake_device(test);
	siw_fake_llp(test, &fix->llp);
	fix->qp = siw_fake_qp(test, siw_fake_cq(test, fix->dev, 4), 4);
	fix->qp->llp = &fix->llp;
	fix->qp->tx.crc = true;
	return kunit_add_action_or_reset(test, drop, &fix->qp->tx.buf);
}

static u32 room(const struct siw_txbuf *buf)
{
	u32 n = buf->left;
	int i;

	for (i = buf->cur + 1; i < buf->num; i++)
		n += page_size(buf->bvec[i].bv_page) - buf->bvec[i].bv_offset -
		     buf->bvec[i].bv_len;
	return n;
}

/*
 * A message of @len octets, @past octets behind the beginning of a TCP segment,
 * with room for @left octets before it asks for any.
 *
 * Return: octets that it took beyond those it had asked for.
 */
static u32 beyond(struct kunit *test, u32 len, u32 past, u32 left)
{
	struct burst_fixture *fix = test->priv;
	struct siw_tx *tx = &fix->qp->tx;
	struct siw_txbuf *buf = &tx->buf;
	struct siw_burst burst = {
		.qp = fix->qp,
		.seg.op = SIW_RDMAP_SEND,
		.seg.hdr_len = SIW_DDP_UNTAGGED_LEN,
		.len = len,
	};
	u32 more = 0;

	siw_txbuf_drop(buf);
	KUNIT_ASSERT_EQ(test, 0, siw_txbuf_reserve(fix->dev, buf, 1));
	while (buf->left > left)
		siw_txbuf_put(buf, fix->octets, min(OCTETS, buf->left - left));
	tx->base = tx->pos - past;
	while (burst.done < len) {
		u32 before = buf->len, had;
		int n = siw_burst_begin(&burst);

		KUNIT_ASSERT_GT(test, n, 0);
		had = room(buf);
		/* Nobody else's, where it takes too much. */
		KUNIT_ASSERT_EQ(test, 0, siw_txbuf_reserve(fix->dev, buf,
							   had + SZ_4K));
		siw_burst_put(fix->octets, n, &burst);
		if (buf->len - before > had)
			more += buf->len - before - had;
	}
	return more;
}

static void expect_room(struct kunit *test)
{
	static const u32 past[] = { 0, 1, 100, 270, 300 };
	u32 len, left, more;
	int i;

	for (i = 0; i < ARRAY_SIZE(past); i++) {
		for (len = 1; len < OCTETS; len += len < 600 ? 7 : 97) {
			/* About as much as its octets need, with headers or without */
			for (left = len; left < len + 96; left += 8) {
				more = beyond(test, len, past[i], left);
				if (!more)
					continue;
				KUNIT_FAIL(test, "%u octets at %u, room for %u: %u too few",
					   len, past[i], left, more);
				return;
			}
		}
	}
}

/* Also where an FPDU fills up a segment that another message has begun */
static void has_room(struct kunit *test)
{
	expect_room(test);
}

static void has_room_for_markers(struct kunit *test)
{
	struct burst_fixture *fix = test->priv;

	fix->qp->tx.markers = true;
	expect_room(test);
}

#define BEHIND	64

/* What comes behind an FPDU is another's, where the FPDU ends with its pages. */
static void writes_nothing_behind_an_fpdu(struct kunit *test)
{
	static const struct siw_seg segs[] = {
		{ .op = SIW_RDMAP_WRITE, .tagged = true,
		  .hdr_len = SIW_DDP_TAGGED_LEN },
		{ .op = SIW_RDMAP_SEND, .hdr_len = SIW_DDP_UNTAGGED_LEN },
	};
	struct burst_fixture *fix = test->priv;
	struct siw_txbuf *buf = &fix->qp->tx.buf;
	u32 i, len, n;
	u8 *row;

	for (i = 0; i < ARRAY_SIZE(segs); i++) {
		for (len = 0; len < 16; len++) {
			n = siw_mpa_fpdu_len(segs[i].hdr_len + len);
			siw_txbuf_drop(buf);
			KUNIT_ASSERT_EQ(test, 0, siw_txbuf_reserve(fix->dev, buf,
								   n + BEHIND));
			KUNIT_ASSERT_GE(test, buf->left, n + BEHIND);
			row = siw_txbuf_row(buf, 0);
			memset(row, 0x5e, n + BEHIND);
			KUNIT_ASSERT_EQ(test, 0,
					siw_burst_small(fix->qp, &segs[i],
							fix->octets, len));
			KUNIT_EXPECT_EQ(test, n, buf->len);
			KUNIT_EXPECT_NULL_MSG(test,
					      memchr_inv(row + n, 0x5e, BEHIND),
					      "opcode %d, %u octets",
					      segs[i].op, len);
		}
	}
}

/* A Send of OCTETS octets, of which none is built yet */
static struct siw_burst long_send(struct burst_fixture *fix)
{
	return (struct siw_burst) {
		.qp = fix->qp,
		.seg.op = SIW_RDMAP_SEND,
		.seg.hdr_len = SIW_DDP_UNTAGGED_LEN,
		.len = OCTETS,
	};
}

/* Octets of it in its first FPDU, @past octets behind where a segment begins */
static u32 first_octets(struct kunit *test, u32 past)
{
	struct burst_fixture *fix = test->priv;
	struct siw_burst burst = long_send(fix);

	fix->qp->tx.base = fix->qp->tx.pos - past;
	KUNIT_EXPECT_GT(test, siw_burst_begin(&burst), 0);
	return burst.next;
}

/* What is left of a TCP segment is filled up, unless that is hardly worth it. */
static void fills_up_a_segment(struct kunit *test)
{
	struct burst_fixture *fix = test->priv;
	u32 mss = siw_llp_mss(&fix->llp);
	u32 full = siw_mpa_mulpdu(mss, false) - SIW_DDP_UNTAGGED_LEN;

	KUNIT_ASSERT_GE(test, mss, 512);
	KUNIT_EXPECT_EQ(test, full, first_octets(test, 0));
	KUNIT_EXPECT_EQ(test, full, first_octets(test, mss));
	KUNIT_EXPECT_EQ(test, 256 - AROUND, first_octets(test, mss - 256));
	KUNIT_EXPECT_EQ(test, 256 - AROUND, first_octets(test, 3 * mss - 256));
	KUNIT_EXPECT_EQ(test, full, first_octets(test, mss - 252));
	KUNIT_EXPECT_EQ(test, full, first_octets(test, mss - 32));
}

/* Its Markers are in the segment as well, wherever it begins. */
static void leaves_room_for_markers(struct kunit *test)
{
	struct burst_fixture *fix = test->priv;
	u32 mss = siw_llp_mss(&fix->llp);
	u32 full = siw_mpa_mulpdu(mss, true) - SIW_DDP_UNTAGGED_LEN;

	fix->qp->tx.markers = true;
	KUNIT_EXPECT_LT(test, siw_mpa_mulpdu(mss, true),
			siw_mpa_mulpdu(mss, false));
	KUNIT_EXPECT_EQ(test, full, first_octets(test, 0));
	KUNIT_EXPECT_EQ(test, full, first_octets(test, mss - 256));
}

/* There is memory for an FPDU, and not for all of the message: that is a beginning. */
static void begins_with_one_fpdu(struct kunit *test)
{
	struct burst_fixture *fix = test->priv;
	struct siw_txbuf *buf = &fix->qp->tx.buf;
	struct siw_burst burst = long_send(fix);
	u32 mss = siw_llp_mss(&fix->llp);

	/* No more chunks than there are, and the last one is nearly full. */
	KUNIT_ASSERT_EQ(test, -ENOMEM, siw_txbuf_reserve(fix->dev, buf, SZ_16M));
	buf->cur = buf->num - 1;
	buf->left = 2 * mss - 4;
	KUNIT_EXPECT_EQ(test, siw_mpa_mulpdu(mss, false) - SIW_DDP_UNTAGGED_LEN,
			siw_burst_begin(&burst));
	buf->left = mss - 4;
	KUNIT_EXPECT_EQ(test, -ENOMEM, siw_burst_begin(&burst));
}

/* Where none is in use the field of the CRC is 0, whichever way the FPDU is built. */
static void crc_is_0_where_there_is_none(struct kunit *test)
{
	static const struct siw_seg seg = {
		.op = SIW_RDMAP_SEND, .hdr_len = SIW_DDP_UNTAGGED_LEN,
	};
	struct burst_fixture *fix = test->priv;
	struct siw_tx *tx = &fix->qp->tx;
	const struct bio_vec *bv;
	int markers;
	u8 *end;
	u32 len;

	tx->crc = false;
	for (markers = 0; markers < 2; markers++) {
		tx->markers = markers;		/* with them in pieces */
		for (len = 0; len < 5; len++) {
			siw_txbuf_drop(&tx->buf);
			KUNIT_ASSERT_EQ(test, 0,
					siw_burst_small(fix->qp, &seg,
							fix->octets, len));
			/* A chunk has room for all of it. */
			bv = &tx->buf.bvec[tx->buf.cur];
			KUNIT_ASSERT_EQ(test, tx->buf.len, bv->bv_len);
			end = page_address(bv->bv_page) + bv->bv_offset +
			      bv->bv_len;
			KUNIT_EXPECT_EQ_MSG(test, 0,
					    get_unaligned_be32(end - SIW_MPA_CRC_LEN),
					    "%u octets, Markers: %d", len, markers);
		}
	}
}

static struct kunit_case burst_cases[] = {
	KUNIT_CASE(has_room),
	KUNIT_CASE(has_room_for_markers),
	KUNIT_CASE(writes_nothing_behind_an_fpdu),
	KUNIT_CASE(fills_up_a_segment),
	KUNIT_CASE(leaves_room_for_markers),
	KUNIT_CASE(begins_with_one_fpdu),
	KUNIT_CASE(crc_is_0_where_there_is_none),
	{}
};

static struct kunit_suite burst_suite = {
	.name = "siw_burst",
	.init = burst_init,
	.test_cases = burst_cases,
};

kunit_test_suite(burst_suite);
