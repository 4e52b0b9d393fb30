/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * Transmit buffers: trains of FPDUs, built in pages that TCP then refers to.
 */
#ifndef SIW_TXBUF_H
#define SIW_TXBUF_H

#include <linux/bvec.h>
#include <linux/mm.h>
#include <linux/types.h>

struct siw_device;

/* A train is handed over when it has this many octets or nothing is left */
#define SIW_TRAIN_LEN	131072
/* Room for a train and one more of the largest FPDU, in single pages */
#define SIW_TXBUF_SEGS	52

/**
 * struct siw_txbuf - octets on their way to TCP
 * @bvec: the octets; each entry holds a reference on its chunk
 * @first: first entry TCP has not taken completely
 * @cur: entry being filled
 * @left: octets for which there is room behind those of @cur
 * @num: entries with a chunk
 * @len: octets not taken yet
 */
struct siw_txbuf {
	struct bio_vec bvec[SIW_TXBUF_SEGS];
	u16 first;
	u16 cur;
	u16 num;
	u32 left;
	u32 len;
};

/**
 * struct siw_txmark - a place in a buffer to return to
 * @cur: entry being filled there
 * @fill: octets of that entry
 * @len: octets not taken
 */
struct siw_txmark {
	u16 cur;
	u32 fill;
	u32 len;
};

static inline struct siw_txmark siw_txbuf_mark(const struct siw_txbuf *buf)
{
	return (struct siw_txmark) {
		.cur = buf->cur,
		.fill = buf->num ? buf->bvec[buf->cur].bv_len : 0,
		.len = buf->len,
	};
}

int siw_txbuf_extend(struct siw_device *dev, struct siw_txbuf *buf, size_t n);

/**
 * siw_txbuf_reserve() - make room
 * @dev: device, for its counters
 * @buf: the buffer
 * @n: octets that siw_txbuf_put() is going to add
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
static inline int siw_txbuf_reserve(struct siw_device *dev,
				    struct siw_txbuf *buf, size_t n)
{
	return n <= buf->left ? 0 : siw_txbuf_extend(dev, buf, n);
}

void siw_txbuf_put(struct siw_txbuf *buf, const void *p, size_t n);

/* Append @n octets that the caller writes, if they go in a row; else NULL. */
static inline u8 *siw_txbuf_row(struct siw_txbuf *buf, u32 n)
{
	struct bio_vec *bv = &buf->bvec[buf->cur];
	u8 *p;

	if (n > buf->left)
		return NULL;
	p = page_address(bv->bv_page) + bv->bv_offset + bv->bv_len;
	bv->bv_len += n;
	buf->left -= n;
	buf->len += n;
	return p;
}

void siw_txbuf_rollback(struct siw_txbuf *buf, struct siw_txmark mark);
u32 siw_txbuf_crc(const struct siw_txbuf *buf, struct siw_txmark mark);
unsigned int siw_txbuf_segs(const struct siw_txbuf *buf);
void siw_txbuf_taken(struct siw_txbuf *buf, size_t n);
void siw_txbuf_drop(struct siw_txbuf *buf);

int siw_txbuf_init(void);
void siw_txbuf_exit(void);

#endif
