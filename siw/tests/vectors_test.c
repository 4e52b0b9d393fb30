// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Every test vector, however its octets come.
 */
#include <kunit/test.h>
#include <linux/hex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "vectors.h"
#include "vectors.inc"

/* In memory of just its size. */
static u8 *octets_of(struct kunit *test, const char *hex, size_t *n)
{
	u8 *p;

	*n = strlen(hex) / 2;
	p = kunit_kmalloc(test, *n, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_EQ(test, 0, hex2bin(p, hex, *n));
	return p;
}

static void expect_octets(struct kunit *test, const char *hex, const u8 *p,
			  size_t n)
{
	size_t want_len;
	u8 *want = octets_of(test, hex, &want_len);

	KUNIT_EXPECT_EQ(test, want_len, n);
	if (want_len == n)
		KUNIT_EXPECT_MEMEQ(test, want, p, n);
}

KUNIT_ARRAY_PARAM_DESC(crc, siw_crc_vectors, id);

static void crc_in_pieces(struct kunit *test)
{
	const struct siw_crc_vector *v = test->param_value;
	u8 field[SIW_MPA_CRC_LEN];
	size_t n, cut;
	u8 *in = octets_of(test, v->octets, &n);

	for (cut = 0; cut <= n; cut++) {
		u32 crc = siw_mpa_crc_add(~0u, in, cut);

		crc = siw_mpa_crc_add(crc, in + cut, n - cut);
		KUNIT_EXPECT_EQ_MSG(test, v->crc, ~crc, "cut at %zu", cut);
	}
	siw_mpa_crc_put(field, ~v->crc);
	expect_octets(test, v->wire, field, sizeof(field));
	KUNIT_EXPECT_TRUE(test, siw_mpa_crc_ok(field, ~v->crc));
	KUNIT_EXPECT_FALSE(test, siw_mpa_crc_ok(field, v->crc));
}

KUNIT_ARRAY_PARAM_DESC(startup, siw_startup_vectors, id);

/* Of a copy of its own: what is read beyond it, KASAN sees. */
static enum siw_mpa_verdict decode(const struct siw_startup_vector *v,
				   struct siw_mpa_setup *frame, const u8 *in,
				   size_t n, size_t *need)
{
	u8 *copy = kmemdup(in, n, GFP_KERNEL | __GFP_NOFAIL);
	enum siw_mpa_verdict verdict;

	verdict = siw_mpa_setup_decode(frame, v->kind, copy, n, need);
	kfree(copy);
	return verdict;
}

static void expect_frame(struct kunit *test, const struct siw_mpa_setup *want,
			 const struct siw_mpa_setup *got)
{
	KUNIT_EXPECT_EQ(test, want->kind, got->kind);
	KUNIT_EXPECT_EQ(test, want->rev, got->rev);
	KUNIT_EXPECT_EQ(test, want->markers, got->markers);
	KUNIT_EXPECT_EQ(test, want->crc, got->crc);
	KUNIT_EXPECT_EQ(test, want->reject, got->reject);
	KUNIT_EXPECT_EQ(test, want->enhanced, got->enhanced);
	KUNIT_EXPECT_EQ(test, want->pd_len, got->pd_len);
	if (!want->enhanced)
		return;
	KUNIT_EXPECT_EQ(test, want->p2p, got->p2p);
	KUNIT_EXPECT_EQ(test, want->rtr, got->rtr);
	KUNIT_EXPECT_EQ(test, want->ird, got->ird);
	KUNIT_EXPECT_EQ(test, want->ord, got->ord);
}

/* What is not checked on reception is not sent either. */
static void expect_rebuilt(struct kunit *test, const u8 *in,
			   const struct siw_mpa_setup *frame)
{
	u8 out[SIW_MPA_HDR_LEN + SIW_MPA_ENH_LEN];
	size_t n = siw_mpa_setup_encode(out, frame);

	KUNIT_EXPECT_EQ(test, siw_mpa_setup_hdr_len(frame), n);
	KUNIT_EXPECT_MEMEQ(test, in, out, n);
}

static void startup_whole(struct kunit *test)
{
	const struct siw_startup_vector *v = test->param_value;
	enum siw_mpa_verdict verdict;
	struct siw_mpa_setup frame;
	size_t n, need = 0;
	u8 *in = octets_of(test, v->octets, &n);

	verdict = decode(v, &frame, in, n, &need);
	if (v->wait) {
		KUNIT_EXPECT_EQ(test, SIW_MPA_WAIT, verdict);
		KUNIT_EXPECT_GT(test, need, n);
		return;
	}
	if (v->close) {
		KUNIT_EXPECT_NE(test, SIW_MPA_GOOD, verdict);
		KUNIT_EXPECT_NE(test, SIW_MPA_WAIT, verdict);
		return;
	}
	KUNIT_ASSERT_EQ(test, SIW_MPA_GOOD, verdict);
	KUNIT_EXPECT_EQ(test, n, need);
	expect_frame(test, &v->frame, &frame);
	expect_octets(test, v->pd, in + siw_mpa_setup_hdr_len(&frame),
		      frame.pd_len);
	if (v->rebuild)
		expect_rebuilt(test, in, &frame);
}

static void startup_by_octet(struct kunit *test)
{
	const struct siw_startup_vector *v = test->param_value;
	enum siw_mpa_verdict verdict = SIW_MPA_WAIT, whole;
	struct siw_mpa_setup frame;
	size_t n, need, i = 0;
	u8 *in = octets_of(test, v->octets, &n);

	whole = decode(v, &frame, in, n, &need);
	while (i < n && verdict == SIW_MPA_WAIT) {
		verdict = decode(v, &frame, in, ++i, &need);
		if (verdict == SIW_MPA_WAIT)
			KUNIT_EXPECT_GT(test, need, i);
	}
	/* What is whole is not looked beyond; the caller peeks for more. */
	if (whole == SIW_MPA_BAD_TRAIL) {
		KUNIT_EXPECT_EQ(test, SIW_MPA_GOOD, verdict);
		verdict = decode(v, &frame, in, i + 1, &need);
	}
	KUNIT_EXPECT_EQ(test, whole, verdict);
}

KUNIT_ARRAY_PARAM_DESC(stream, siw_stream_vectors, id);

static void expect_fpdu(struct kunit *test, const char *hex, const u8 *ulpdu,
			u16 len)
{
	u8 fpdu[SIW_TERM_ULPDU_MAX + 10] = {};
	size_t n = SIW_MPA_LEN_LEN + len + siw_mpa_pad(len);

	put_unaligned_be16(len, fpdu);
	memcpy(fpdu + SIW_MPA_LEN_LEN, ulpdu, len);
	siw_mpa_crc_put(fpdu + n, siw_mpa_crc_add(~0u, fpdu, n));
	expect_octets(test, hex, fpdu, siw_mpa_fpdu_len(len));
}

static void expect_terminate(struct kunit *test,
			     const struct siw_stream_vector *v,
			     const struct siw_receiver *rx)
{
	u8 ulpdu[SIW_TERM_ULPDU_MAX];
	size_t n = siw_receiver_terminate(rx, ulpdu);
	struct siw_term term;

	expect_octets(test, v->ulpdu, ulpdu, n);
	expect_fpdu(test, v->fpdu, ulpdu, n);
	siw_term_decode(&term, ulpdu + SIW_DDP_UNTAGGED_LEN,
			n - SIW_DDP_UNTAGGED_LEN);
	KUNIT_EXPECT_EQ(test, v->layer, term.layer);
	KUNIT_EXPECT_EQ(test, v->etype, term.etype);
	KUNIT_EXPECT_EQ(test, v->code, term.code);
	KUNIT_EXPECT_EQ(test, rx->fault, siw_term_fault(&term));
}

/* The verdict on a stream that comes as @first octets and then in @pieces. */
static void expect_stream(struct kunit *test, const u8 *in, size_t n,
			  size_t first, size_t pieces)
{
	const struct siw_stream_vector *v = test->param_value;
	struct siw_receiver *rx = siw_receiver_new(&v->ctx, siw_vector_regions);
	size_t i;

	siw_receiver_feed(rx, in, first);
	for (i = first; i < n; i += pieces)
		siw_receiver_feed(rx, in + i, min(pieces, n - i));

	KUNIT_EXPECT_STREQ_MSG(test, v->events, rx->events,
			       "cut at %zu, pieces of %zu", first, pieces);
	KUNIT_EXPECT_EQ_MSG(test, !v->ulpdu, rx->fault == SIW_OK,
			    "cut at %zu, pieces of %zu: %s", first, pieces,
			    siw_fault_name(rx->fault));
	if (v->ulpdu && rx->fault)
		expect_terminate(test, v, rx);
	else
		KUNIT_EXPECT_EQ(test, v->need_more, rx->carry_len != 0);
	siw_receiver_free(rx);
}

static void stream_whole(struct kunit *test)
{
	const struct siw_stream_vector *v = test->param_value;
	size_t n;
	u8 *in = octets_of(test, v->octets, &n);

	expect_stream(test, in, n, n, n);
}

static void stream_by_octet(struct kunit *test)
{
	const struct siw_stream_vector *v = test->param_value;
	size_t n;
	u8 *in = octets_of(test, v->octets, &n);

	expect_stream(test, in, n, 0, 1);
}

static void stream_cut_anywhere(struct kunit *test)
{
	const struct siw_stream_vector *v = test->param_value;
	size_t n, cut;
	u8 *in = octets_of(test, v->octets, &n);

	for (cut = 0; cut <= n; cut++)
		expect_stream(test, in, n, cut, n);
}

static void stream_in_pieces(struct kunit *test)
{
	static const size_t sizes[] = { 2, 3, 5, 7, 13, 31, 127, 511, 513 };
	const struct siw_stream_vector *v = test->param_value;
	size_t n, i;
	u8 *in = octets_of(test, v->octets, &n);

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		expect_stream(test, in, n, 0, sizes[i]);
}

KUNIT_ARRAY_PARAM_DESC(mulpdu, siw_mulpdu_vectors, id);

static void mulpdu(struct kunit *test)
{
	const struct siw_mulpdu_vector *v = test->param_value;
	u32 plain = siw_mpa_mulpdu(v->emss, false);

	KUNIT_EXPECT_EQ(test, v->plain, plain);
	KUNIT_EXPECT_EQ(test, v->markers, siw_mpa_mulpdu(v->emss, true));
	KUNIT_EXPECT_EQ(test, v->tagged, plain - SIW_DDP_TAGGED_LEN);
	KUNIT_EXPECT_EQ(test, v->untagged, plain - SIW_DDP_UNTAGGED_LEN);
}

KUNIT_ARRAY_PARAM_DESC(marker, siw_marker_vectors, id);

static void marker_positions(struct kunit *test)
{
	const struct siw_marker_vector *v = test->param_value;
	u32 pos = 0;
	int i;

	for (i = 0; i < SIW_VECTOR_MARKERS; i++) {
		KUNIT_EXPECT_EQ(test, 0, siw_mpa_until_marker(pos));
		KUNIT_EXPECT_EQ(test, v->at[i], v->first + pos);
		pos += SIW_MPA_MARKER_LEN;
		pos += siw_mpa_until_marker(pos);
	}
}

KUNIT_ARRAY_PARAM_DESC(depth, siw_depth_vectors, id);

static void ird_ord(struct kunit *test)
{
	const struct siw_depth_vector *v = test->param_value;
	const struct siw_mpa_setup req = {
		.kind = SIW_MPA_REQUEST,
		.rev = 2,
		.crc = true,
		.enhanced = true,
		.ird = v->req_ird,
		.ord = v->req_ord,
	};
	struct siw_mpa_setup reply;
	u16 ird, ord;
	u8 rtr;

	siw_mpa_setup_reply(&reply, &req, true, SIW_RTR_WRITE | SIW_RTR_READ,
			    v->max_ird, v->max_ord);
	KUNIT_EXPECT_EQ(test, v->rep_ird, reply.ird);
	KUNIT_EXPECT_EQ(test, v->rep_ord, reply.ord);
	KUNIT_EXPECT_EQ(test, SIW_OK,
			siw_mpa_setup_conclude(&req, &reply, &ird, &ord, &rtr));
	KUNIT_EXPECT_EQ(test, v->ird, ird);
	KUNIT_EXPECT_EQ(test, v->ord, ord);
	KUNIT_EXPECT_EQ(test, 0, rtr);
}

static struct kunit_case vector_cases[] = {
	KUNIT_CASE_PARAM(crc_in_pieces, crc_gen_params),
	KUNIT_CASE_PARAM(startup_whole, startup_gen_params),
	KUNIT_CASE_PARAM(startup_by_octet, startup_gen_params),
	KUNIT_CASE_PARAM(stream_whole, stream_gen_params),
	KUNIT_CASE_PARAM(stream_by_octet, stream_gen_params),
	KUNIT_CASE_PARAM(stream_cut_anywhere, stream_gen_params),
	KUNIT_CASE_PARAM(stream_in_pieces, stream_gen_params),
	KUNIT_CASE_PARAM(mulpdu, mulpdu_gen_params),
	KUNIT_CASE_PARAM(marker_positions, marker_gen_params),
	KUNIT_CASE_PARAM(ird_ord, depth_gen_params),
	{}
};

static struct kunit_suite vector_suite = {
	.name = "siw_vectors",
	.test_cases = vector_cases,
};

kunit_test_suite(vector_suite);
