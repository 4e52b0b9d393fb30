/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * The octets of a received FPDU, one after the other, wherever they lie.
 */
#ifndef SIW_CURSOR_H
#define SIW_CURSOR_H

#include <linux/skbuff.h>
#include <linux/string.h>

#include "proto/mpa_frame.h"

/**
 * struct cursor - octets of an FPDU, one after the other
 * @skb: buffer without a frag_list, or NULL if all octets are at @lin
 * @frag: fragment the next octet is in, -1 for the linear part
 * @off: offset in that fragment or part
 * @lin: octets, if there is no @skb
 */
struct cursor {
	struct sk_buff *skb;
	int frag;
	u32 off;
	const u8 *lin;
};

static inline struct cursor cursor_at(struct sk_buff *skb, u32 off)
{
	struct cursor cur = { .skb = skb, .frag = -1, .off = off };

	if (off < skb_headlen(skb))
		return cur;
	cur.off -= skb_headlen(skb);
	for (cur.frag = 0; cur.frag < skb_shinfo(skb)->nr_frags; cur.frag++) {
		u32 size = skb_frag_size(&skb_shinfo(skb)->frags[cur.frag]);

		if (cur.off < size)
			break;
		cur.off -= size;
	}
	return cur;
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
	if (cur->frag < 0) {
		p = cur->skb->data + cur->off;
		size = skb_headlen(cur->skb) - cur->off;
	} else {
		const skb_frag_t *frag =
			&skb_shinfo(cur->skb)->frags[cur->frag];

		p = skb_frag_address(frag) + cur->off;
		size = skb_frag_size(frag) - cur->off;
	}
	if (size <= *n) {
		*n = size;
		cur->frag++;
		cur->off = 0;
	} else {
		cur->off += *n;
	}
	return p;
}

static inline void cursor_skip(struct cursor *cur, u32 len)
{
	while (len) {
		u32 n = len;

		cursor_next(cur, &n);
		len -= n;
	}
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

#endif
