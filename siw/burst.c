// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * A message becomes FPDUs in tx.buf, one behind the other.
 */
#include "burst.h"
#include "qp.h"
#include "trace.h"

/* What a segment has to have left for an FPDU that only fills it up */
#define FILL_MIN	256

/* Messages; not the Terminate, which has counters of its own */
static const u8 tx_counter[SIW_RDMAP_TERMINATE] = {
	[SIW_RDMAP_WRITE] = SIW_CNT_TX_WRITE,
	[SIW_RDMAP_READ_REQ] = SIW_CNT_TX_READ_REQ,
	[SIW_RDMAP_READ_RSP] = SIW_CNT_TX_READ_RSP,
	[SIW_RDMAP_SEND] = SIW_CNT_TX_SEND,
	[SIW_RDMAP_SEND_INV] = SIW_CNT_TX_SEND,
	[SIW_RDMAP_SEND_SE] = SIW_CNT_TX_SEND,
	[SIW_RDMAP_SEND_SE_INV] = SIW_CNT_TX_SEND,
};

/* Append octets to the stream, with the Markers that are due before them. */
static void emit_marked(struct siw_tx *tx, const void *p, size_t n)
{
	u8 marker[SIW_MPA_MARKER_LEN];

	while (n) {
		u32 part = siw_mpa_until_marker(tx->pos);

		if (!part) {
			siw_mpa_marker_put(marker, tx->pos - tx->head);
			siw_txbuf_put(&tx->buf, marker, sizeof(marker));
			tx->pos += sizeof(marker);
			continue;
		}
		part = min_t(size_t, part, n);
		siw_txbuf_put(&tx->buf, p, part);
		tx->pos += part;
		p += part;
		n -= part;
	}
}

static void emit(struct siw_tx *tx, const void *p, u32 n)
{
	if (tx->markers) {
		emit_marked(tx, p, n);
		return;
	}
	siw_txbuf_put(&tx->buf, p, n);
	tx->pos += n;
}

/* A Marker in front of an FPDU points to it with 0. */
static void emit_marker_due(struct siw_tx *tx, bool first)
{
	u8 marker[SIW_MPA_MARKER_LEN];

	if (siw_mpa_until_marker(tx->pos))
		return;
	siw_mpa_marker_put(marker, first ? 0 : tx->pos - tx->head);
	siw_txbuf_put(&tx->buf, marker, sizeof(marker));
	tx->pos += sizeof(marker);
}

static size_t fpdu_room(const struct siw_tx *tx, u32 ulpdu_len)
{
	size_t n = siw_mpa_fpdu_len(ulpdu_len);

	if (tx->markers)
		n += SIW_MPA_MARKER_LEN *
		     (n / (SIW_MPA_MARKER_INTERVAL - SIW_MPA_MARKER_LEN) + 2);
	return n;
}

/* The open FPDU does not go in a row, or has Markers in it. */
static noinline void open_in_pieces(struct siw_burst *burst, u32 ulpdu_len)
{
	u8 hdr[SIW_MPA_LEN_LEN + SIW_DDP_UNTAGGED_LEN];
	struct siw_tx *tx = &burst->qp->tx;

	if (tx->markers)
		emit_marker_due(tx, true);
	tx->head = tx->pos;
	put_unaligned_be16(ulpdu_len, hdr);
	siw_ddp_encode(hdr + SIW_MPA_LEN_LEN, &burst->seg);
	emit(tx, hdr, burst->fill);
}

static void open_fpdu(struct siw_burst *burst)
{
	struct siw_seg *seg = &burst->seg;
	struct siw_tx *tx = &burst->qp->tx;
	u32 ulpdu_len;

	seg->len = min(burst->len - burst->done, burst->next);
	seg->last = burst->done + seg->len == burst->len;
	if (seg->tagged)
		seg->to = burst->to + burst->done;
	else
		seg->mo = burst->done;
	ulpdu_len = seg->hdr_len + seg->len;
	burst->next = burst->max;
	burst->left = seg->len;
	burst->mark = siw_txbuf_mark(&tx->buf);
	burst->pos = tx->pos;
	burst->fill = SIW_MPA_LEN_LEN + seg->hdr_len;
	burst->row = tx->markers ? NULL :
		     siw_txbuf_row(&tx->buf, siw_mpa_fpdu_len(ulpdu_len));
	if (!burst->row) {
		open_in_pieces(burst, ulpdu_len);
		return;
	}
	put_unaligned_be16(ulpdu_len, burst->row);
	/* What is too much of a tagged header is where something else goes. */
	BUILD_BUG_ON(SIW_DDP_UNTAGGED_LEN >
		     SIW_DDP_TAGGED_LEN + SIW_MPA_CRC_LEN);
	memcpy(burst->row + SIW_MPA_LEN_LEN, burst->hdr, sizeof(burst->hdr));
	siw_ddp_encode_next(burst->row + SIW_MPA_LEN_LEN, seg);
}

static noinline void close_in_pieces(struct siw_burst *burst, u32 pad)
{
	struct siw_tx *tx = &burst->qp->tx;
	u8 field[SIW_MPA_CRC_LEN];
	u32 crc = ~0u;		/* 0 on the wire */

	if (pad)
		emit(tx, "\0\0\0", pad);
	if (tx->markers)
		emit_marker_due(tx, false);
	if (tx->crc)
		crc = siw_txbuf_crc(&tx->buf, burst->mark);
	siw_mpa_crc_put(field, crc);
	siw_txbuf_put(&tx->buf, field, sizeof(field));
}

/* What waits in the buffer goes behind all that TCP has. */
static noinline void trace_closed(const struct siw_burst *burst)
{
	struct siw_qp *qp = burst->qp;

	trace_siw_tx_fpdu(&qp->base, &burst->seg, siw_llp_cookie(qp->llp),
			  siw_llp_next(qp->llp) + qp->tx.buf.len);
}

static void close_fpdu(struct siw_burst *burst)
{
	const struct siw_seg *seg = &burst->seg;
	u32 pad = siw_mpa_pad(seg->hdr_len + seg->len);
	struct siw_tx *tx = &burst->qp->tx;
	u32 crc = ~0u;

	if (burst->row) {
		if (pad)
			memset(burst->row + burst->fill, 0, pad);
		burst->fill += pad;
		if (tx->crc)
			crc = siw_mpa_crc_add(crc, burst->row, burst->fill);
		siw_mpa_crc_put(burst->row + burst->fill, crc);
		tx->pos += burst->fill;
	} else {
		close_in_pieces(burst, pad);
	}
	tx->pos += SIW_MPA_CRC_LEN;
	tx->fpdus++;
	if (trace_siw_tx_fpdu_enabled())
		trace_closed(burst);
	if (seg->last && seg->op < ARRAY_SIZE(tx_counter))
		siw_count(siw_qp_dev(burst->qp), tx_counter[seg->op]);
	burst->done += seg->len;
}

/* A message without octets */
void siw_burst_empty(struct siw_burst *burst)
{
	open_fpdu(burst);
	close_fpdu(burst);
}

/* The next @n octets of the message are at @p; a siw_mr_fn. */
void siw_burst_put(void *p, size_t n, void *arg)
{
	struct siw_burst *burst = arg;

	while (n) {
		u32 part;

		if (!burst->left)
			open_fpdu(burst);
		part = min_t(size_t, n, burst->left);
		if (burst->row) {
			memcpy(burst->row + burst->fill, p, part);
			burst->fill += part;
		} else {
			emit(&burst->qp->tx, p, part);
		}
		burst->left -= part;
		p += part;
		n -= part;
		if (!burst->left)
			close_fpdu(burst);
	}
}

/*
 * A message of one FPDU, whose payload is @n octets at @p.
 *
 * Return: 0 or -ENOMEM.
 */
int siw_burst_small(struct siw_qp *qp, const struct siw_seg *seg, void *p,
		    u32 n)
{
	struct siw_burst burst = { .qp = qp, .seg = *seg, .len = n, .next = n };

	if (siw_txbuf_reserve(siw_qp_dev(qp), &qp->tx.buf,
			      fpdu_room(&qp->tx, seg->hdr_len + n)))
		return -ENOMEM;
	siw_ddp_encode(burst.hdr, seg);
	if (n)
		siw_burst_put(p, n, &burst);
	else
		siw_burst_empty(&burst);
	return 0;
}

/* Nobody will ever see the open FPDU. */
void siw_burst_undo(struct siw_burst *burst)
{
	if (!burst->left)
		return;
	siw_txbuf_rollback(&burst->qp->tx.buf, burst->mark);
	burst->qp->tx.pos = burst->pos;
}

/*
 * Octets of the message for its first FPDU.  Behind the end of another message it
 * fills up that TCP segment, so that those after it are one segment each (RFC 5044
 * section 5.1); what would be very short goes across the edge.  Nobody knows
 * where TCP cuts if it has to cut off the beat: then FPDUs go across until all is
 * sent.
 */
static u32 first_len(struct siw_tx *tx, u32 mss, u32 hdr_len, u32 max)
{
	u32 ulpdu, past = tx->pos - tx->base;

	if (mss < 2 * FILL_MIN || tx->markers)
		return max;
	if (past >= mss) {
		past %= mss;
		tx->base = tx->pos - past;
	}
	if (!past || mss - past < FILL_MIN)
		return max;
	ulpdu = round_down(mss - past, 4) - SIW_MPA_LEN_LEN - SIW_MPA_CRC_LEN;
	return min(ulpdu - hdr_len, max);
}

/*
 * Make room for as much of the message as the train takes, one FPDU at least.
 *
 * Return: octets of the message in whole FPDUs, or -ENOMEM.
 */
int siw_burst_begin(struct siw_burst *burst)
{
	struct siw_tx *tx = &burst->qp->tx;
	u32 mss = siw_llp_mss(burst->qp->llp);
	u32 rest = burst->len - burst->done;
	u32 hdr_len = burst->seg.hdr_len;
	u32 full, fpdus, more = 0;

	siw_ddp_encode(burst->hdr, &burst->seg);
	burst->max = siw_mpa_mulpdu(mss, tx->markers) - hdr_len;
	burst->next = first_len(tx, mss, hdr_len, burst->max);
	if (burst->next < min(burst->max, rest))
		more = siw_mpa_fpdu_len(hdr_len) + 4;	/* and another pad */
	if (rest <= burst->max)
		return siw_txbuf_reserve(siw_qp_dev(burst->qp), &tx->buf, more +
					 fpdu_room(tx, hdr_len + rest)) ?
		       -ENOMEM : rest;
	full = fpdu_room(tx, hdr_len + burst->max);
	fpdus = DIV_ROUND_UP(SIW_TRAIN_LEN - tx->buf.len, full);
	for (;; fpdus = 1) {
		u32 n = min(rest, burst->next + (fpdus - 1) * burst->max);

		if (!siw_txbuf_reserve(siw_qp_dev(burst->qp), &tx->buf, more +
				       n / burst->max * full +
				       fpdu_room(tx, hdr_len + n % burst->max)))
			return n;
		if (fpdus == 1)
			return -ENOMEM;
	}
}
