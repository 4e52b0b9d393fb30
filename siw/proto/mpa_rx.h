/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * FPDUs out of a contiguous stream (RFC 5044 section 4): for tests and tools.
 */
#ifndef SIW_PROTO_MPA_RX_H
#define SIW_PROTO_MPA_RX_H

#include <linux/types.h>
#include "fault.h"
#include "mpa_frame.h"

/* Octets to look at before siw_mpa_rx_need() can answer: Marker and length */
#define SIW_MPA_PEEK_MAX	(SIW_MPA_MARKER_LEN + SIW_MPA_LEN_LEN)

/*
 * Most octets a receiver has to hold: the longest FPDU with all its Markers.
 * siw_mpa_rx_need() goes beyond for an FPDU that is to be refused with
 * SIW_FAULT_DDP_LOCAL.
 */
#define SIW_MPA_RX_MAX		(SIW_MPA_FPDU_MAX + 130 * SIW_MPA_MARKER_LEN)

u32 siw_mpa_rx_need(const struct siw_mpa_rx *rx, const u8 *buf, size_t avail);
enum siw_fault siw_mpa_rx_open(struct siw_mpa_rx *rx, u8 *buf, u32 need,
			       u8 **ulpdu, u16 *ulpdu_len);

#endif
