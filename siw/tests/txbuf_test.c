// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Transmit buffers: what is put in comes out, in order and once, and chunks are
 * used again only when nobody else looks at them.
 */
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/sizes.h>

#include "fake.h"
#include "../txbuf.h"
#include "../proto/mpa_frame.h"

#define OCTETS	(3 * SIW_TRAIN_LEN)

/* Buffers, and octets to put into them */
struct txbuf_fixture {
	struct siw_device *dev;
	struct siw_txbuf buf;
	struct siw_txbuf other;
	u8 *octets;
};

static void drop(void *buf)
{
	siw_txbuf_drop(buf);
}

static int txbuf_init(struct kunit *test)
{
	struct txbuf_fixture *fix = kunit_kzalloc(test, sizeof(*fix),
						  GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fix);
	test->priv = fix;
	fix->dev = siw_fake_device(test);
	fix->octets = kunit_kmalloc(test, OCTETS, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fix->octets);
	get_random_bytes(fix->octets, OCTETS);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, drop,
							   &fix->other));
	return kunit_add_action_or_reset(test, drop, &fix->buf);
}

/* Octets @from to @to of the stream. */
static void put(struct kunit *test, u32 from, u32 to)
{
	struct txbuf_fixture *fix = test->priv;

	KUNIT_ASSERT_EQ(test, 0, siw_txbuf_reserve(fix->dev, &fix->buf,
						   to - from));
	siw_txbuf_put(&fix->buf, fix->octets + from, to - from);
}

/* The buffer holds octets @from to @to of the stream, and nothing else. */
static void expect_holds(struct kunit *test, u32 from, u32 to)
{
	struct txbuf_fixture *fix = test->priv;
	const struct siw_txbuf *buf = &fix->buf;
	unsigned int segs = siw_txbuf_segs(buf), i;

	KUNIT_EXPECT_EQ(test, to - from, buf->len);
	for (i = 0; i < segs; i++) {
		const struct bio_vec *bv = &buf->bvec[buf->first + i];

		KUNIT_ASSERT_GT(test, bv->bv_len, 0);
		KUNIT_ASSERT_LE(test, bv->bv_len, to - from);
		KUNIT_ASSERT_LE(test, bv->bv_offset + bv->bv_len,
				page_size(bv->bv_page));
		KUNIT_EXPECT_MEMEQ(test, fix->octets + from,
				   (u8 *)page_address(bv->bv_page) +
				   bv->bv_offset, bv->bv_len);
		from += bv->bv_len;
	}
	KUNIT_EXPECT_EQ(test, from, to);
}

static void is_empty_at_first(struct kunit *test)
{
	struct txbuf_fixture *fix = test->priv;
	struct siw_txmark mark = siw_txbuf_mark(&fix->buf);

	expect_holds(test, 0, 0);
	siw_txbuf_rollback(&fix->buf, mark);
	siw_txbuf_drop(&fix->buf);
	expect_holds(test, 0, 0);
	KUNIT_EXPECT_EQ(test, 0, siw_txbuf_reserve(fix->dev, &fix->buf, 0));
	KUNIT_EXPECT_EQ(test, 0, fix->buf.num);
}

static void holds_what_was_put(struct kunit *test)
{
	u32 at = 0, n;

	for (n = 1; at + n <= SIW_TRAIN_LEN; n = n * 3 + 1) {
		put(test, at, at + n);
		at += n;
		expect_holds(test, 0, at);
	}
}

static void reserves_more_than_a_chunk(struct kunit *test)
{
	put(test, 0, OCTETS / 2);
	expect_holds(test, 0, OCTETS / 2);
}

static void reserving_puts_nothing(struct kunit *test)
{
	struct txbuf_fixture *fix = test->priv;
	u16 num;

	put(test, 0, 100);
	KUNIT_EXPECT_EQ(test, 0, siw_txbuf_reserve(fix->dev, &fix->buf,
						   SIW_TRAIN_LEN));
	expect_holds(test, 0, 100);
	/* What is reserved is not reserved again. */
	num = fix->buf.num;
	KUNIT_EXPECT_EQ(test, 0, siw_txbuf_reserve(fix->dev, &fix->buf,
						   SIW_TRAIN_LEN));
	KUNIT_EXPECT_EQ(test, num, fix->buf.num);
}

static void has_an_end(struct kunit *test)
{
	struct txbuf_fixture *fix = test->priv;

	put(test, 0, 10);
	KUNIT_EXPECT_EQ(test, -ENOMEM,
			siw_txbuf_reserve(fix->dev, &fix->buf, SZ_16M));
	KUNIT_EXPECT_EQ(test, SIW_TXBUF_SEGS, fix->buf.num);
	expect_holds(test, 0, 10);
}

static void rolls_back_to_a_mark(struct kunit *test)
{
	static const u32 sizes[] = { 0, 1, 100, 4096, 32768, 40000, 100000 };
	struct txbuf_fixture *fix = test->priv;
	int kept, forgotten;

	for (kept = 0; kept < ARRAY_SIZE(sizes); kept++) {
		for (forgotten = 0; forgotten < ARRAY_SIZE(sizes);
		     forgotten++) {
			u32 n = sizes[kept];
			struct siw_txmark mark;

			put(test, 0, n);
			mark = siw_txbuf_mark(&fix->buf);
			put(test, 0, sizes[forgotten]);
			siw_txbuf_rollback(&fix->buf, mark);
			expect_holds(test, 0, n);
			put(test, n, n + 500);
			expect_holds(test, 0, n + 500);
			siw_txbuf_drop(&fix->buf);
		}
	}
}

static void crc_is_that_of_what_was_put_since(struct kunit *test)
{
	static const u32 sizes[] = { 1, 2, 63, 4096, 32768, 64768, 98304 };
	struct txbuf_fixture *fix = test->priv;
	int before, since;

	for (before = 0; before < ARRAY_SIZE(sizes); before++) {
		for (since = 0; since < ARRAY_SIZE(sizes); since++) {
			u32 from = sizes[before], n = sizes[since];
			struct siw_txmark mark;

			put(test, 0, from);
			mark = siw_txbuf_mark(&fix->buf);
			put(test, from, from + n);
			KUNIT_EXPECT_EQ(test,
					siw_mpa_crc_add(~0u, fix->octets + from,
							n),
					siw_txbuf_crc(&fix->buf, mark));
			siw_txbuf_drop(&fix->buf);
		}
	}
}

/* TCP takes any number of octets at a time. */
static void is_taken_in_pieces(struct kunit *test)
{
	static const u32 sizes[] = { 1, 999, 4096, 32768, 32769, 99999 };
	struct txbuf_fixture *fix = test->priv;
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		u32 len = 2 * SIW_TRAIN_LEN, at, n, pieces = 0;
		u32 some = max(len / sizes[i] / 256, 1);

		put(test, 0, len);
		for (at = 0; at < len; at += n) {
			/* All of it for each octet takes minutes under KASAN. */
			if (pieces++ % some == 0)
				expect_holds(test, at, len);
			n = min(sizes[i] + (at ? 0 : 17), len - at);
			siw_txbuf_taken(&fix->buf, n);
		}
		expect_holds(test, len, len);
		KUNIT_EXPECT_EQ(test, 0, fix->buf.num);
	}
}

static void is_filled_while_it_is_taken(struct kunit *test)
{
	struct txbuf_fixture *fix = test->priv;
	u32 head = 0, tail = 0;
	int i;

	for (i = 0; i < 8; i++) {
		put(test, head, head + 20000);
		head += 20000;
		expect_holds(test, tail, head);
		siw_txbuf_taken(&fix->buf, 7001);
		tail += 7001;
		expect_holds(test, tail, head);
	}
	siw_txbuf_taken(&fix->buf, head - tail);
	expect_holds(test, head, head);
}

/* In steady state nothing is allocated. */
static void uses_chunks_again(struct kunit *test)
{
	struct txbuf_fixture *fix = test->priv;
	u64 before;
	int i;

	migrate_disable();
	put(test, 0, SIW_TRAIN_LEN);
	siw_txbuf_taken(&fix->buf, SIW_TRAIN_LEN);
	before = siw_fake_count(fix->dev, SIW_CNT_TX_CHUNK);
	for (i = 0; i < 200; i++) {
		put(test, 0, SIW_TRAIN_LEN);
		expect_holds(test, 0, SIW_TRAIN_LEN);
		siw_txbuf_taken(&fix->buf, SIW_TRAIN_LEN);
	}
	/* One more where the rest of an open chunk made the difference. */
	KUNIT_EXPECT_LE(test, siw_fake_count(fix->dev, SIW_CNT_TX_CHUNK),
			before + 1);
	migrate_enable();
}

/* A short train, of which TCP keeps @held. */
static void send_short(struct kunit *test, struct bio_vec *held)
{
	struct txbuf_fixture *fix = test->priv;

	put(test, 0, 100);
	*held = fix->buf.bvec[0];
	get_page(held->bv_page);
	siw_txbuf_taken(&fix->buf, 100);
}

/* The first of two may have ended a chunk; the second pair shares one. */
static void short_trains_share_a_chunk(struct kunit *test)
{
	struct bio_vec one, next;
	bool shared = false;
	int i;

	migrate_disable();
	for (i = 0; i < 2 && !shared; i++) {
		send_short(test, &one);
		send_short(test, &next);
		shared = one.bv_page == next.bv_page;
		put_page(one.bv_page);
		put_page(next.bv_page);
	}
	migrate_enable();
	KUNIT_ASSERT_TRUE(test, shared);
	KUNIT_EXPECT_GE(test, next.bv_offset, one.bv_offset + one.bv_len);
	KUNIT_EXPECT_EQ(test, 0, next.bv_offset % 64);
}

/* Begin a train of one octet, which TCP is going to keep. */
static struct page *begin_short(struct kunit *test, struct siw_txbuf *buf)
{
	struct txbuf_fixture *fix = test->priv;
	struct page *page;

	KUNIT_ASSERT_EQ(test, 0, siw_txbuf_reserve(fix->dev, buf, 1));
	siw_txbuf_put(buf, fix->octets, 1);
	page = buf->bvec[buf->first].bv_page;
	get_page(page);
	return page;
}

#define ROUNDS	400

/*
 * Two senders of one CPU, the second while the first is at it: what the first
 * gives back is not the open chunk, and there is room in it all the same.
 */
static void the_rest_of_a_chunk_is_used(struct kunit *test)
{
	struct txbuf_fixture *fix = test->priv;
	struct page **held;
	u64 before;
	int i;

	held = kunit_kcalloc(test, 2 * ROUNDS, sizeof(*held), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, held);
	before = siw_fake_count(fix->dev, SIW_CNT_TX_CHUNK);
	migrate_disable();
	for (i = 0; i < ROUNDS; i++) {
		held[2 * i] = begin_short(test, &fix->buf);
		held[2 * i + 1] = begin_short(test, &fix->other);
		siw_txbuf_taken(&fix->other, 1);
		siw_txbuf_taken(&fix->buf, 1);
	}
	migrate_enable();
	/* Each takes 64 octets of 32 KiB, in one chunk or the other. */
	KUNIT_EXPECT_LE(test, siw_fake_count(fix->dev, SIW_CNT_TX_CHUNK),
			before + 2 * ROUNDS * 64 / SZ_32K + 3);
	for (i = 0; i < 2 * ROUNDS; i++)
		put_page(held[i]);
}

/* Take all chunks a buffer can have, and a reference on each. */
static void exhaust(struct kunit *test, struct siw_txbuf *buf,
		    struct page **page)
{
	struct txbuf_fixture *fix = test->priv;
	int i;

	KUNIT_ASSERT_EQ(test, -ENOMEM,
			siw_txbuf_reserve(fix->dev, buf, SZ_16M));
	KUNIT_ASSERT_EQ(test, SIW_TXBUF_SEGS, buf->num);
	for (i = 0; i < SIW_TXBUF_SEGS; i++) {
		page[i] = buf->bvec[i].bv_page;
		get_page(page[i]);
	}
}

/* Some chunks are kept to be used again, the others go. */
static void keeps_some_chunks(struct kunit *test)
{
	struct txbuf_fixture *fix = test->priv;
	struct page *page[2 * SIW_TXBUF_SEGS];
	int i, kept = 0;

	exhaust(test, &fix->buf, page);
	exhaust(test, &fix->other, page + SIW_TXBUF_SEGS);
	migrate_disable();
	siw_txbuf_drop(&fix->buf);
	siw_txbuf_drop(&fix->other);
	migrate_enable();
	for (i = 0; i < ARRAY_SIZE(page); i++) {
		kept += page_ref_count(page[i]) > 1;
		put_page(page[i]);
	}
	KUNIT_EXPECT_GT(test, kept, 0);
	KUNIT_EXPECT_LT(test, kept, ARRAY_SIZE(page));
}

/* What was all there was when memory was short is given back, and not kept. */
static void keeps_no_single_pages(struct kunit *test)
{
	struct txbuf_fixture *fix = test->priv;
	struct page *page;

	if (PAGE_SIZE >= SZ_32K)
		kunit_skip(test, "a page is as large as a chunk");
	page = alloc_page(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, page);
	get_page(page);
	migrate_disable();
	/* There is room for more to be kept, whatever was before. */
	KUNIT_EXPECT_EQ(test, 0, siw_txbuf_reserve(fix->dev, &fix->other,
						   SIW_TRAIN_LEN));
	bvec_set_page(&fix->buf.bvec[0], page, PAGE_SIZE, 0);
	fix->buf.num = 1;
	fix->buf.len = PAGE_SIZE;
	siw_txbuf_drop(&fix->buf);
	migrate_enable();
	KUNIT_EXPECT_EQ(test, 1, page_ref_count(page));
	put_page(page);
}

/* The beginning of a chunk may be TCP's: there is room for less than a chunk. */
static void the_next_chunk_has_its_own_room(struct kunit *test)
{
	struct txbuf_fixture *fix = test->priv;
	struct siw_txbuf *buf = &fix->buf;
	u8 *page;
	u32 n;

	/* The second is for what goes beyond the first. */
	page = alloc_pages_exact(2 * PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, page);
	memset(page, 0x5e, 2 * PAGE_SIZE);
	put(test, 0, 1);
	n = 1 + buf->left + PAGE_SIZE / 2;
	bvec_set_page(&buf->bvec[buf->num++], virt_to_page(page), 0,
		      PAGE_SIZE / 2);
	put(test, 1, n + 100);
	KUNIT_EXPECT_NULL(test, memchr_inv(page, 0x5e, PAGE_SIZE / 2));
	KUNIT_EXPECT_NULL(test, memchr_inv(page + PAGE_SIZE, 0x5e, PAGE_SIZE));
	free_page((unsigned long)page + PAGE_SIZE);
	expect_holds(test, 0, n + 100);
}

/* Chunk @i of those that both buffers have */
static const struct page *chunk(const struct txbuf_fixture *fix, int i)
{
	return i < SIW_TXBUF_SEGS ? fix->buf.bvec[i].bv_page :
				    fix->other.bvec[i - SIW_TXBUF_SEGS].bv_page;
}

/* However many come back, none of them is given out twice. */
static void chunks_are_nobody_elses(struct kunit *test)
{
	struct txbuf_fixture *fix = test->priv;
	int round, a, b, twice = 0;

	migrate_disable();
	for (round = 0; round < 3; round++) {
		siw_txbuf_reserve(fix->dev, &fix->buf, SZ_16M);
		siw_txbuf_reserve(fix->dev, &fix->other, SZ_16M);
		KUNIT_EXPECT_EQ(test, SIW_TXBUF_SEGS, fix->buf.num);
		KUNIT_EXPECT_EQ(test, SIW_TXBUF_SEGS, fix->other.num);
		for (a = 0; a < fix->buf.num + fix->other.num; a++)
			for (b = 0; b < a; b++)
				twice += chunk(fix, a) == chunk(fix, b);
		siw_txbuf_drop(&fix->buf);
		siw_txbuf_drop(&fix->other);
	}
	migrate_enable();
	KUNIT_EXPECT_EQ(test, 0, twice);
}

/* TCP keeps what the buffer holds now. Return: how many entries. */
static unsigned int hold(const struct siw_txbuf *buf, struct bio_vec *held)
{
	unsigned int num = siw_txbuf_segs(buf), i;

	for (i = 0; i < num; i++) {
		held[i] = buf->bvec[buf->first + i];
		get_page(held[i].bv_page);
	}
	return num;
}

/* The first octets of the stream stay where TCP has them, whatever is sent then. */
static void expect_held(struct kunit *test, const struct bio_vec *held,
			unsigned int num)
{
	struct txbuf_fixture *fix = test->priv;
	unsigned int i;
	u32 at = 0;

	for (i = 0; i < 100; i++) {
		put(test, 10000, 10000 + SIW_TRAIN_LEN);
		siw_txbuf_taken(&fix->buf, SIW_TRAIN_LEN);
	}
	for (i = 0; i < num; i++) {
		KUNIT_EXPECT_MEMEQ(test, fix->octets + at,
				   (u8 *)page_address(held[i].bv_page) +
				   held[i].bv_offset, held[i].bv_len);
		at += held[i].bv_len;
		put_page(held[i].bv_page);
	}
}

/* What TCP may have to send again does not change. */
static void leaves_alone_what_tcp_holds(struct kunit *test)
{
	struct txbuf_fixture *fix = test->priv;
	struct bio_vec held[SIW_TXBUF_SEGS];
	unsigned int num;

	put(test, 0, 10000);
	num = hold(&fix->buf, held);
	siw_txbuf_taken(&fix->buf, 10000);
	expect_held(test, held, num);
}

/* Nor do the octets of a chunk that it took a few at a time */
static void leaves_alone_what_tcp_took_in_pieces(struct kunit *test)
{
	struct txbuf_fixture *fix = test->priv;
	struct bio_vec held[SIW_TXBUF_SEGS];
	unsigned int num;

	migrate_disable();
	put(test, 0, SIW_TRAIN_LEN);
	num = hold(&fix->buf, held);
	while (fix->buf.len)
		siw_txbuf_taken(&fix->buf, min(fix->buf.len, 1000u));
	expect_held(test, held, num);
	migrate_enable();
}

/* When the module goes, what a CPU kept is given back: full, and with room. */
static void gives_everything_back(struct kunit *test)
{
	struct txbuf_fixture *fix = test->priv;
	struct siw_txbuf *buf = &fix->buf;
	struct page *page[SIW_TXBUF_SEGS];
	unsigned int num, i;

	migrate_disable();
	/* One that was kept with room is the first of them. */
	KUNIT_ASSERT_EQ(test, 0, siw_txbuf_reserve(fix->dev, buf, SZ_64K));
	siw_txbuf_put(buf, fix->octets, SZ_64K - SZ_8K);
	num = buf->num;
	for (i = 0; i < num; i++) {
		page[i] = buf->bvec[i].bv_page;
		get_page(page[i]);
	}
	siw_txbuf_drop(buf);
	migrate_enable();
	siw_txbuf_exit();
	KUNIT_ASSERT_EQ(test, 0, siw_txbuf_init());
	for (i = 0; i < num; i++) {
		KUNIT_EXPECT_EQ_MSG(test, 1, page_ref_count(page[i]),
				    "chunk %u of %u", i, num);
		put_page(page[i]);
	}
}

static struct kunit_case txbuf_cases[] = {
	KUNIT_CASE(is_empty_at_first),
	KUNIT_CASE(holds_what_was_put),
	KUNIT_CASE(reserves_more_than_a_chunk),
	KUNIT_CASE(reserving_puts_nothing),
	KUNIT_CASE(has_an_end),
	KUNIT_CASE(rolls_back_to_a_mark),
	KUNIT_CASE(crc_is_that_of_what_was_put_since),
	KUNIT_CASE(is_taken_in_pieces),
	KUNIT_CASE(is_filled_while_it_is_taken),
	KUNIT_CASE(uses_chunks_again),
	KUNIT_CASE(short_trains_share_a_chunk),
	KUNIT_CASE(the_rest_of_a_chunk_is_used),
	KUNIT_CASE(keeps_some_chunks),
	KUNIT_CASE(keeps_no_single_pages),
	KUNIT_CASE(the_next_chunk_has_its_own_room),
	KUNIT_CASE(chunks_are_nobody_elses),
	KUNIT_CASE(leaves_alone_what_tcp_holds),
	KUNIT_CASE(leaves_alone_what_tcp_took_in_pieces),
	KUNIT_CASE(gives_everything_back),
	{}
};

static struct kunit_suite txbuf_suite = {
	.name = "siw_txbuf",
	.init = txbuf_init,
	.test_cases = txbuf_cases,
};

kunit_test_suite(txbuf_suite);
