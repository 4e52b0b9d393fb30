// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * FPDUs out of a contiguous stream (RFC 5044 section 4).  The driver reads
 * socket buffers instead; this is for tests and tools, and not part of the
 * module.
 */
#include <linux/build_bug.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/unaligned.h>

#include "fault.h"
#include "mpa_rx.h"
#include "wire.h"

/* Octets of the stream between the end of one Marker and the next one */
#define MARKER_GAP	(SIW_MPA_MARKER_INTERVAL - SIW_MPA_MARKER_LEN)

/* The two low bits of FPDUPTR read as zero: RFC 5044 section 4.3 */
#define FPDUPTR_OFF	2
#define FPDUPTR_MASK	0xfffc

/* A need of SIW_MPA_RX_MAX leaves room for the longest legal ULPDU */
static_assert(SIW_MPA_RX_MAX >=
	      SIW_MPA_FPDU_MAX + SIW_MPA_MARKER_LEN *
	      (SIW_MPA_FPDU_MAX / MARKER_GAP + 2));

/* Octets of the Marker in front of the FPDU at rx->pos, 0 if there is none */
static u32 leading_marker(const struct siw_mpa_rx *rx)
{
	if (!rx->markers || siw_mpa_until_marker(rx->pos))
		return 0;
	return SIW_MPA_MARKER_LEN;
}

/*
 * Markers within @n octets of FPDU that start at stream position @head.  One
 * that would stand behind the last octet belongs to the FPDU that follows.
 */
static u32 inner_markers(u32 head, u32 n)
{
	u32 first = siw_mpa_until_marker(head);

	return n <= first ? 0 : 1 + (n - first - 1) / MARKER_GAP;
}

/**
 * siw_mpa_rx_need() - octets of the stream that make up the next FPDU
 * @rx: stream state
 * @buf: octets of the stream from @rx->pos on
 * @avail: how many are there; %SIW_MPA_PEEK_MAX are always enough
 *
 * RFC 5044 section 4.5 knows no ULPDU above %SIW_MPA_MULPDU_MAX octets and has
 * no code for one.  It is refused with %SIW_FAULT_DDP_LOCAL as soon as its
 * length is seen, before any CRC: waiting for it would need room for it.
 *
 * Return: octets from @rx->pos to the end of the CRC field, with all Markers
 * between; 0 if @avail does not reach behind the ULPDU_Length; more than
 * %SIW_MPA_RX_MAX if the FPDU is to be refused.
 */
u32 siw_mpa_rx_need(const struct siw_mpa_rx *rx, const u8 *buf, size_t avail)
{
	u32 lead = leading_marker(rx);
	u16 ulpdu_len;
	u32 n;

	if (avail < lead + SIW_MPA_LEN_LEN)
		return 0;
	ulpdu_len = get_unaligned_be16(buf + lead);
	if (!siw_mpa_len_ok(ulpdu_len))
		return SIW_MPA_RX_MAX + 1;
	n = siw_mpa_fpdu_len(ulpdu_len);
	if (rx->markers)
		n += SIW_MPA_MARKER_LEN * inner_markers(rx->pos + lead, n);
	return lead + n;
}

/* Does each Marker of the FPDU point to its ULPDU_Length field? */
static bool markers_ok(const u8 *buf, u32 need, u32 lead, u32 first)
{
	u32 at;

	if (lead && get_unaligned_be16(buf + FPDUPTR_OFF) & FPDUPTR_MASK)
		return false;
	for (at = first; at < need; at += SIW_MPA_MARKER_INTERVAL) {
		u16 ptr = get_unaligned_be16(buf + at + FPDUPTR_OFF);

		if ((ptr & FPDUPTR_MASK) != at - lead)
			return false;
	}
	return true;
}

/* Close the gaps that the Markers at @first, @first + 512, ... leave */
static void remove_markers(u8 *buf, u32 need, u32 first)
{
	u32 src, dst = first;

	for (src = first + SIW_MPA_MARKER_LEN; src < need;
	     src += SIW_MPA_MARKER_INTERVAL) {
		u32 n = min_t(u32, need - src, MARKER_GAP);

		memmove(buf + dst, buf + src, n);
		dst += n;
	}
}

/**
 * siw_mpa_rx_open() - verify a whole FPDU and find its ULPDU
 * @rx: stream state; moves on behind the FPDU if it is good
 * @buf: the FPDU, contiguous, from @rx->pos on; modified only if it has
 *	 Markers within: they are taken out in place
 * @need: its octets as siw_mpa_rx_need() said for this very buffer, at most
 *	  %SIW_MPA_RX_MAX
 * @ulpdu: out, where in @buf the ULPDU starts
 * @ulpdu_len: out, its octets
 *
 * RFC 5044 sections 4.3, 4.4 and 6.  First the CRC, if in use, then the
 * Markers: nothing of an FPDU is believed before its CRC was good.
 *
 * Return: SIW_OK, SIW_FAULT_MPA_CRC or SIW_FAULT_MPA_MARKER.
 */
enum siw_fault siw_mpa_rx_open(struct siw_mpa_rx *rx, u8 *buf, u32 need,
			       u8 **ulpdu, u16 *ulpdu_len)
{
	u32 lead = leading_marker(rx);
	u32 covered = need - SIW_MPA_CRC_LEN;
	u32 first = lead + siw_mpa_until_marker(rx->pos + lead);

	if (rx->crc &&
	    !siw_mpa_crc_ok(buf + covered, siw_mpa_crc_add(~0, buf, covered)))
		return SIW_FAULT_MPA_CRC;
	if (rx->markers && !markers_ok(buf, need, lead, first))
		return SIW_FAULT_MPA_MARKER;
	if (rx->markers)
		remove_markers(buf, need, first);
	rx->pos += need;
	*ulpdu = buf + lead + SIW_MPA_LEN_LEN;
	*ulpdu_len = get_unaligned_be16(buf + lead);
	return SIW_OK;
}
