/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * MPA framing: FPDU sizes, CRC32c and Markers (RFC 5044 section 4).
 *
 * A stream position counts octets from the first octet of full operation in
 * one direction.  Only its value modulo 512 matters, so a u32 may wrap.
 */
#ifndef SIW_PROTO_MPA_FRAME_H
#define SIW_PROTO_MPA_FRAME_H

#include <linux/types.h>
#include "wire.h"

u32 siw_mpa_mulpdu(u32 emss, bool markers);

/* Octets of PAD behind a ULPDU of @ulpdu_len, 0..3: RFC 5044 section 4.1 */
static inline u32 siw_mpa_pad(u32 ulpdu_len)
{
	return -(SIW_MPA_LEN_LEN + ulpdu_len) & 3;
}

/* Octets of an FPDU without Markers */
static inline u32 siw_mpa_fpdu_len(u32 ulpdu_len)
{
	return SIW_MPA_LEN_LEN + ulpdu_len + siw_mpa_pad(ulpdu_len) +
	       SIW_MPA_CRC_LEN;
}

/* Octets that may follow @pos before the next Marker is due; 0: due now */
static inline u32 siw_mpa_until_marker(u32 pos)
{
	return -pos & (SIW_MPA_MARKER_INTERVAL - 1);
}

/* CRC32c as MPA uses it: start with ~0, add octets, finish, store */
u32 siw_mpa_crc_add(u32 crc, const u8 *p, size_t n);
void siw_mpa_crc_put(u8 *field, u32 crc);
bool siw_mpa_crc_ok(const u8 *field, u32 crc);

void siw_mpa_marker_put(u8 *marker, u32 fpduptr);

/**
 * struct siw_mpa_rx - what a receiver has to know about one stream
 * @pos: stream position of the next FPDU's first octet (a Marker may be there)
 * @markers: the peer puts Markers in, because our start-up frame had M=1
 * @crc: CRC is in use
 */
struct siw_mpa_rx {
	u32 pos;
	bool markers;
	bool crc;
};

/* Is this a ULPDU_Length that MULPDU allows?  RFC 5044 section 4.5 */
static inline bool siw_mpa_len_ok(u16 ulpdu_len)
{
	return ulpdu_len <= SIW_MPA_MULPDU_MAX;
}

#endif
