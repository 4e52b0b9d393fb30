// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Transmit buffers.
 *
 * FPDUs are built in chunks of pages.  TCP takes references on a chunk as long
 * as it may have to send it again, so a chunk is free once ours is the last
 * one.  Each CPU keeps some chunks to use them again: in steady state nothing
 * is allocated, and an idle connection holds none.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "siw.h"
#include "txbuf.h"
#include "proto/mpa_frame.h"

#define CHUNK_ORDER	get_order(SZ_32K)
#define CHUNKS_PER_CPU	64
#define CHUNK_SCAN	4
#define OPEN_MIN	2048	/* less room than this is not worth keeping */
#define CHUNK_ALIGN	64

/**
 * struct chunk - memory to build in
 * @page: its first page, or NULL
 * @used: octets at its beginning that TCP may still refer to
 */
struct chunk {
	struct page *page;
	u32 used;
};

/**
 * struct chunk_cache - chunks one CPU keeps
 * @ring: chunks that TCP may still refer to, oldest at @get
 * @get: position of the oldest
 * @put: position behind the youngest
 * @open: the chunk with room at its end that is used next, if there is one
 */
struct chunk_cache {
	struct chunk ring[CHUNKS_PER_CPU];
	u32 get;
	u32 put;
	struct chunk open;
};

static struct chunk_cache __percpu *siw_chunks;

static bool has_room(struct chunk chunk)
{
	return chunk.used + OPEN_MIN <= page_size(chunk.page);
}

static bool is_ours(struct chunk chunk)
{
	return page_ref_count(chunk.page) == 1;
}

static struct page *take_cached(u32 *used)
{
	struct chunk_cache *cache = get_cpu_ptr(siw_chunks);
	struct chunk chunk = cache->open;
	unsigned int i;

	cache->open.page = NULL;
	for (i = 0; !chunk.page && i < CHUNK_SCAN && cache->get != cache->put;
	     i++) {
		struct chunk old = cache->ring[cache->get++ % CHUNKS_PER_CPU];

		if (is_ours(old) || has_room(old))
			chunk = old;
		else
			cache->ring[cache->put++ % CHUNKS_PER_CPU] = old;
	}
	put_cpu_ptr(siw_chunks);
	if (chunk.page)
		*used = is_ours(chunk) ? 0 : chunk.used;
	return chunk.page;
}

static struct page *take_chunk(struct siw_device *dev, u32 *used)
{
	struct page *page = take_cached(used);

	if (page)
		return page;
	*used = 0;
	siw_count(dev, SIW_CNT_TX_CHUNK);
	page = alloc_pages(GFP_NOIO | __GFP_COMP | __GFP_NOWARN |
			   __GFP_NORETRY, CHUNK_ORDER);
	/* Without any it is tried again: who waits here may be what is waited for. */
	return page ? page : alloc_page(GFP_NOIO | __GFP_NOWARN |
					__GFP_NORETRY);
}

/*
 * Give back our reference, or keep the chunk for the next train.  What is dropped
 * stays with TCP, whole, as long as it refers to an octet: one with room is worth
 * more than one without.
 */
static void return_chunk(struct page *page, u32 used)
{
	struct chunk_cache *cache = get_cpu_ptr(siw_chunks);
	struct chunk chunk = { page, ALIGN(used, CHUNK_ALIGN) };
	struct page *drop = NULL;

	if (has_room(chunk) && !cache->open.page) {
		cache->open = chunk;
		chunk.page = NULL;
	} else if (page_size(page) < SZ_32K) {
		drop = page;
	} else if (cache->put - cache->get == CHUNKS_PER_CPU) {
		drop = page;
		if (has_room(chunk))
			drop = cache->ring[cache->get++ % CHUNKS_PER_CPU].page;
	}
	if (chunk.page && drop != page)
		cache->ring[cache->put++ % CHUNKS_PER_CPU] = chunk;
	put_cpu_ptr(siw_chunks);
	if (drop)
		put_page(drop);
}

static u32 chunk_used(const struct bio_vec *bv)
{
	return bv->bv_offset + bv->bv_len;
}

static u32 chunk_room(const struct bio_vec *bv)
{
	return page_size(bv->bv_page) - chunk_used(bv);
}

/* As siw_txbuf_reserve(), if @n is more than goes in a row now. */
int siw_txbuf_extend(struct siw_device *dev, struct siw_txbuf *buf, size_t n)
{
	size_t room = buf->left;
	u16 i;

	for (i = buf->cur + 1; i < buf->num; i++)
		room += chunk_room(&buf->bvec[i]);
	while (room < n) {
		struct bio_vec *bv = &buf->bvec[buf->num];
		struct page *page;
		u32 used;

		if (buf->num == SIW_TXBUF_SEGS)
			return -ENOMEM;
		page = take_chunk(dev, &used);
		if (!page)
			return -ENOMEM;
		bvec_set_page(bv, page, 0, used);
		if (buf->num++ == buf->cur)
			buf->left = chunk_room(bv);
		room += chunk_room(bv);
	}
	return 0;
}

/* Append @n octets, for which there is room. Context: any. */
void siw_txbuf_put(struct siw_txbuf *buf, const void *p, size_t n)
{
	while (n) {
		size_t part = min_t(size_t, n, buf->left);

		if (!part) {
			buf->left = chunk_room(&buf->bvec[++buf->cur]);
			continue;
		}
		memcpy(siw_txbuf_row(buf, part), p, part);
		p += part;
		n -= part;
	}
}

/* Forget what was put since @mark. */
void siw_txbuf_rollback(struct siw_txbuf *buf, struct siw_txmark mark)
{
	for (; buf->cur > mark.cur; buf->cur--)
		buf->bvec[buf->cur].bv_len = 0;
	if (buf->num) {
		buf->bvec[mark.cur].bv_len = mark.fill;
		buf->left = chunk_room(&buf->bvec[mark.cur]);
	}
	buf->len = mark.len;
}

/* CRC over what was put since @mark, to be stored by siw_mpa_crc_put(). */
u32 siw_txbuf_crc(const struct siw_txbuf *buf, struct siw_txmark mark)
{
	u32 skip = mark.fill;
	u32 crc = ~0u;
	u16 i;

	for (i = mark.cur; i <= buf->cur; i++) {
		const struct bio_vec *bv = &buf->bvec[i];

		crc = siw_mpa_crc_add(crc, page_address(bv->bv_page) +
				      bv->bv_offset + skip, bv->bv_len - skip);
		skip = 0;
	}
	return crc;
}

/* How many entries from bvec[first] on hold octets */
unsigned int siw_txbuf_segs(const struct siw_txbuf *buf)
{
	if (!buf->len)
		return 0;
	return buf->cur - buf->first + (buf->bvec[buf->cur].bv_len ? 1 : 0);
}

/* TCP took @n octets. */
void siw_txbuf_taken(struct siw_txbuf *buf, size_t n)
{
	buf->len -= n;
	if (!buf->len) {
		siw_txbuf_drop(buf);
		return;
	}
	while (n) {
		struct bio_vec *bv = &buf->bvec[buf->first];
		size_t part = min_t(size_t, n, bv->bv_len);

		bv->bv_offset += part;
		bv->bv_len -= part;
		n -= part;
		if (!bv->bv_len) {
			return_chunk(bv->bv_page, bv->bv_offset);
			buf->first++;
		}
	}
}

/* Give back all chunks. */
void siw_txbuf_drop(struct siw_txbuf *buf)
{
	for (; buf->first < buf->num; buf->first++) {
		struct bio_vec *bv = &buf->bvec[buf->first];

		return_chunk(bv->bv_page, chunk_used(bv));
	}
	buf->first = 0;
	buf->cur = 0;
	buf->num = 0;
	buf->left = 0;
	buf->len = 0;
}

int siw_txbuf_init(void)
{
	siw_chunks = alloc_percpu(struct chunk_cache);
	return siw_chunks ? 0 : -ENOMEM;
}

void siw_txbuf_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct chunk_cache *cache = per_cpu_ptr(siw_chunks, cpu);

		if (cache->open.page)
			put_page(cache->open.page);
		while (cache->get != cache->put)
			put_page(cache->ring[cache->get++ % CHUNKS_PER_CPU].page);
	}
	free_percpu(siw_chunks);
}
