// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * MPA framing: FPDU sizes, CRC32c and Markers (RFC 5044 section 4).
 */
#include <linux/crc32.h>
#include <linux/minmax.h>
#include <linux/types.h>
#include <linux/unaligned.h>

#include "mpa_frame.h"
#include "wire.h"

/* Where FPDUPTR stands in a Marker: RFC 5044 section 4.3 */
#define FPDUPTR_OFF	2

/**
 * siw_mpa_mulpdu() - longest ULPDU for one FPDU that fits a TCP segment
 * @emss: effective maximum segment size in octets, any value
 * @markers: the peer asked for Markers
 *
 * RFC 5044 section 4.5.
 *
 * Return: octets, %SIW_MPA_MULPDU_MIN..%SIW_MPA_MULPDU_MAX.
 */
u32 siw_mpa_mulpdu(u32 emss, bool markers)
{
	u32 overhead;

	/* The result has reached its maximum long before: no sum wraps */
	emss = min_t(u32, emss, 2 * SIW_MPA_MULPDU_MAX);
	overhead = SIW_MPA_LEN_LEN + SIW_MPA_CRC_LEN + emss % 4;
	if (markers)
		overhead += SIW_MPA_MARKER_LEN *
			    ((emss + SIW_MPA_MARKER_INTERVAL - 1) /
			     SIW_MPA_MARKER_INTERVAL);
	if (emss < overhead + SIW_MPA_MULPDU_MIN)
		return SIW_MPA_MULPDU_MIN;
	return min_t(u32, emss - overhead, SIW_MPA_MULPDU_MAX);
}

/**
 * siw_mpa_crc_add() - take octets into a CRC32c
 * @crc: ~0 to start with, else what the call before returned
 * @p: octets
 * @n: how many
 *
 * RFC 5044 section 4.4: the ULPDU_Length field, ULPDU, PAD and every Marker of
 * the FPDU, in stream order.
 *
 * Return: the running CRC, not yet complemented.
 */
u32 siw_mpa_crc_add(u32 crc, const u8 *p, size_t n)
{
	return crc32c(crc, p, n);
}

/**
 * siw_mpa_crc_put() - fill the CRC field, low octet first
 * @field: its four octets
 * @crc: from siw_mpa_crc_add(); complemented here
 */
void siw_mpa_crc_put(u8 *field, u32 crc)
{
	put_unaligned_le32(~crc, field);
}

/**
 * siw_mpa_crc_ok() - does the CRC field hold this CRC?
 * @field: its four octets
 * @crc: from siw_mpa_crc_add(); complemented here
 *
 * Return: true if the FPDU is intact.
 */
bool siw_mpa_crc_ok(const u8 *field, u32 crc)
{
	return get_unaligned_le32(field) == ~crc;
}

/**
 * siw_mpa_marker_put() - build a Marker
 * @marker: its four octets
 * @fpduptr: octets from the ULPDU_Length field to the Marker, 0..65532, 0 for
 *	     one in front of that field
 *
 * RFC 5044 section 4.3.
 */
void siw_mpa_marker_put(u8 *marker, u32 fpduptr)
{
	put_unaligned_be16(0, marker);
	put_unaligned_be16(fpduptr, marker + FPDUPTR_OFF);
}
