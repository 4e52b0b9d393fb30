/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * The octets of a received FPDU, one after the other, wherever they lie.
 */
#ifndef SIW_CURSOR_H
#define SIW_CURSOR_H

#include <linux/minmax.h>
#include <linux/skbuff.h>
#include <linux/string.h>

#include "proto/mpa_frame.h"
#include "proto/wire.h"

/**
 * struct cursor - octets of an FPDU, one after the other
 * @skb: buffer the next octet is in, or NULL if all octets are at @lin
 * @in_list: @skb is one of a frag_list
 * @frag: fragment of it the next octet is in, -1 for the linear part
 * @off: offset in that fragment or part
 * @lin: octets, if there is no @skb
 */
struct cursor {
	struct sk_buff *skb;
	bool in_list;
	int frag;
	u32 off;
	const u8 *lin;
};

/* Octets from here to the end of the fragment, and where they are */
static inline const u8 *cursor_row(const struct cursor *cur, u32 *n)
{
	const skb_frag_t *frag;

	if (cur->frag < 0) {
		*n = skb_headlen(cur->skb) - cur->off;
		return cur->skb->data + cur->off;
	}
	if (cur->frag >= skb_shinfo(cur->skb)->nr_frags) {
		*n = 0;
		return NULL;
	}
	frag = &skb_shinfo(cur->skb)->frags[cur->frag];
	*n = skb_frag_size(frag) - cur->off;
	return (const u8 *)skb_frag_address(frag) + cur->off;
}

static inline void cursor_next_row(struct cursor *cur)
{
	cur->off = 0;
	if (cur->frag < skb_shinfo(cur->skb)->nr_frags) {
		cur->frag++;
		return;
	}
	cur->frag = -1;
	cur->skb = cur->in_list ? cur->skb->next :
				  skb_shinfo(cur->skb)->frag_list;
	cur->in_list = true;
}

/*
 * Octets in a row at the cursor, as far as @want: @p and @n are what cursor_row()
 * says.  A page may be followed by its neighbour.
 */
static inline u32 cursor_reach(const struct cursor *cur, const u8 *p, u32 n,
			       u32 want)
{
	const struct skb_shared_info *shinfo = skb_shinfo(cur->skb);
	int i = cur->frag;

	while (n < want && i >= 0 && ++i < shinfo->nr_frags &&
	       skb_frag_address(&shinfo->frags[i]) == p + n)
		n += skb_frag_size(&shinfo->frags[i]);
	return n;
}

/* Move on to where the next octet is; as cursor_row(), and that is not 0. */
static inline const u8 *cursor_settle(struct cursor *cur, u32 *n)
{
	const u8 *p;

	while (p = cursor_row(cur, n), !*n)
		cursor_next_row(cur);
	return p;
}

/* The next octets in a row, at most @n; @n is set to how many there are. */
static inline const u8 *cursor_next(struct cursor *cur, u32 *n)
{
	const u8 *p;
	u32 size;

	if (!cur->skb) {
		p = cur->lin;
		cur->lin += *n;
		return p;
	}
	p = cursor_settle(cur, &size);
	*n = min(*n, size);
	cur->off += *n;
	return p;
}

static inline void cursor_skip(struct cursor *cur, u32 len)
{
	if (!cur->skb) {
		cur->lin += len;
		return;
	}
	while (len) {
		u32 n = len;

		cursor_next(cur, &n);
		len -= n;
	}
}

/* At octet @off of a buffer that has it */
static inline struct cursor cursor_at(struct sk_buff *skb, u32 off)
{
	struct cursor cur = { .skb = skb, .frag = -1 };

	cursor_skip(&cur, off);
	return cur;
}

static inline void cursor_copy(struct cursor *cur, u8 *to, u32 len)
{
	while (len) {
		u32 n = len;
		const u8 *p = cursor_next(cur, &n);

		memcpy(to, p, n);
		to += n;
		len -= n;
	}
}

static inline u32 cursor_crc(struct cursor *cur, u32 len)
{
	u32 crc = ~0u;

	while (len) {
		u32 n = len;
		const u8 *p = cursor_next(cur, &n);

		crc = siw_mpa_crc_add(crc, p, n);
		len -= n;
	}
	return crc;
}

/* @cur is at the length field of a whole FPDU with @ulpdu_len octets of ULPDU. */
static inline bool cursor_crc_ok(struct cursor cur, u16 ulpdu_len)
{
	u8 field[SIW_MPA_CRC_LEN];
	u32 crc;

	crc = cursor_crc(&cur, siw_mpa_fpdu_len(ulpdu_len) - SIW_MPA_CRC_LEN);
	cursor_copy(&cur, field, sizeof(field));
	return siw_mpa_crc_ok(field, crc);
}

#endif
