// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Octets of a buffer, in whatever pieces it has them.
 */
#include <linux/mm.h>
#include <linux/skbuff.h>
#include <kunit/test.h>

#include "../cursor.h"

#define LINEAR	10
#define FRAGS	3
#define FRAG	100	/* octets; each in a page of its own */
#define PARTS	3	/* a buffer, and two more in its frag_list */
#define PART	(LINEAR + FRAGS * FRAG)
#define OCTETS	(PARTS * PART)

static u8 octet(u32 i)
{
	return i % 251 + 1;
}

static void free_buffer(void *skb)
{
	kfree_skb(skb);
}

/* @linear octets and FRAGS fragments, numbered from @from on */
static struct sk_buff *part(struct kunit *test, u32 from, u32 linear)
{
	struct sk_buff *skb = alloc_skb(linear, GFP_KERNEL);
	u32 i, n;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	for (i = 0; i < linear; i++)
		*(u8 *)skb_put(skb, 1) = octet(from++);
	for (i = 0; i < FRAGS; i++) {
		struct page *page = alloc_page(GFP_KERNEL);

		if (!page) {
			kfree_skb(skb);
			KUNIT_ASSERT_NOT_NULL(test, page);
		}
		for (n = 0; n < FRAG; n++)
			((u8 *)page_address(page))[7 + n] = octet(from++);
		skb_add_rx_frag(skb, i, page, 7, FRAG, PAGE_SIZE);
	}
	return skb;
}

/* One buffer with two in its list; the last has no linear part. */
static struct sk_buff *buffer(struct kunit *test)
{
	struct sk_buff *skb = part(test, 0, LINEAR), *more;

	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, free_buffer, skb));
	more = part(test, PART, LINEAR);
	skb_shinfo(skb)->frag_list = more;
	more->next = part(test, 2 * PART, 0);
	skb->len += PART + PART - LINEAR;
	skb->data_len += PART + PART - LINEAR;
	return skb;
}

static void expect_octets(struct kunit *test, const u8 *p, u32 from, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++) {
		if (p[i] == octet(from + i))
			continue;
		KUNIT_FAIL(test, "octet %u of %u from %u on is wrong", i, n,
			   from);
		return;
	}
}

static void copies_from_everywhere(struct kunit *test)
{
	struct sk_buff *skb = buffer(test);
	u8 *octets = kunit_kmalloc(test, OCTETS, GFP_KERNEL);
	u32 from, n;

	KUNIT_ASSERT_NOT_NULL(test, octets);
	KUNIT_ASSERT_EQ(test, OCTETS - LINEAR, skb->len);
	for (from = 0; from < skb->len; from += 3) {
		for (n = 1; from + n <= skb->len; n = 2 * n + 5) {
			struct cursor cur = cursor_at(skb, from);

			cursor_copy(&cur, octets, n);
			expect_octets(test, octets, from, n);
		}
	}
}

static void goes_on_where_it_was(struct kunit *test)
{
	struct sk_buff *skb = buffer(test);
	struct cursor cur = cursor_at(skb, 0);
	u8 octets[64];
	u32 at = 0, n;

	for (n = 1; at + 2 * n <= skb->len; n = n % 60 + 1) {
		cursor_copy(&cur, octets, n);
		expect_octets(test, octets, at, n);
		cursor_skip(&cur, n);
		at += 2 * n;
	}
}

static void rows_are_the_pieces(struct kunit *test)
{
	static const u32 want[] = {
		LINEAR, FRAG, FRAG, FRAG, LINEAR, FRAG, FRAG, FRAG,
		FRAG, FRAG, FRAG,
	};
	struct sk_buff *skb = buffer(test);
	struct cursor cur = cursor_at(skb, 0);
	u32 at = 0, n, i;

	for (i = 0; i < ARRAY_SIZE(want); i++) {
		const u8 *p = cursor_settle(&cur, &n);

		KUNIT_EXPECT_EQ_MSG(test, want[i], n, "row %u", i);
		expect_octets(test, p, at, n);
		cursor_skip(&cur, n);
		at += n;
	}
	KUNIT_EXPECT_EQ(test, skb->len, at);
}

static void octets_in_a_row_need_no_buffer(struct kunit *test)
{
	struct cursor cur;
	u8 octets[50], some[20];
	u32 i;

	for (i = 0; i < sizeof(octets); i++)
		octets[i] = octet(i);
	cur = (struct cursor) { .lin = octets };
	cursor_skip(&cur, 5);
	cursor_copy(&cur, some, sizeof(some));
	expect_octets(test, some, 5, sizeof(some));
	KUNIT_EXPECT_PTR_EQ(test, octets + 25, cur.lin);
}

static struct kunit_case cursor_cases[] = {
	KUNIT_CASE(copies_from_everywhere),
	KUNIT_CASE(goes_on_where_it_was),
	KUNIT_CASE(rows_are_the_pieces),
	KUNIT_CASE(octets_in_a_row_need_no_buffer),
	{}
};

static struct kunit_suite cursor_suite = {
	.name = "siw_cursor",
	.test_cases = cursor_cases,
};

kunit_test_suite(cursor_suite);
