/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * Test vectors, as vectors.inc has them.  Octets are strings of hex digits.
 */
#ifndef SIW_TESTS_VECTORS_H
#define SIW_TESTS_VECTORS_H

#include <linux/types.h>

#include "receiver.h"
#include "../proto/mpa_setup.h"

/**
 * struct siw_crc_vector - a CRC32c
 * @id: name
 * @octets: input
 * @crc: as a number
 * @wire: the CRC field
 */
struct siw_crc_vector {
	const char *id;
	const char *octets;
	u32 crc;
	const char *wire;
};

/**
 * struct siw_startup_vector - an MPA Request or Reply
 * @id: name
 * @octets: the frame
 * @kind: which it is
 * @wait: more octets have to come
 * @close: it must be refused
 * @rebuild: encoding its fields gives the same octets
 * @frame: its fields, unless @wait or @close
 * @pd: its ULP private data, likewise
 */
struct siw_startup_vector {
	const char *id;
	const char *octets;
	enum siw_mpa_kind kind;
	bool wait;
	bool close;
	bool rebuild;
	struct siw_mpa_setup frame;
	const char *pd;
};

/**
 * struct siw_stream_vector - FPDUs
 * @id: name
 * @octets: the stream
 * @ctx: the receiver's state before it
 * @events: what happens, one to a line
 * @need_more: it stops inside an FPDU
 * @ulpdu: the Terminate that answers it, or NULL if it is accepted
 * @fpdu: the same as an FPDU
 * @layer: of the Terminate
 * @etype: of the Terminate
 * @code: of the Terminate
 */
struct siw_stream_vector {
	const char *id;
	const char *octets;
	struct siw_receiver_ctx ctx;
	const char *events;
	bool need_more;
	const char *ulpdu;
	const char *fpdu;
	u8 layer;
	u8 etype;
	u8 code;
};

/**
 * struct siw_mulpdu_vector - a MULPDU
 * @id: name
 * @emss: segment size
 * @plain: MULPDU without Markers
 * @markers: MULPDU with Markers
 * @tagged: payload that leaves in a tagged segment without Markers
 * @untagged: payload that leaves in an untagged one
 */
struct siw_mulpdu_vector {
	const char *id;
	u32 emss;
	u32 plain;
	u32 markers;
	u32 tagged;
	u32 untagged;
};

#define SIW_VECTOR_MARKERS	3

/**
 * struct siw_marker_vector - where Markers stand
 * @id: name
 * @first: TCP sequence number of the first octet
 * @at: those of the first Markers
 */
struct siw_marker_vector {
	const char *id;
	u32 first;
	u32 at[SIW_VECTOR_MARKERS];
};

/**
 * struct siw_depth_vector - what two sides agree on
 * @id: name
 * @req_ird: IRD of the Request
 * @req_ord: ORD of the Request
 * @max_ird: most the responder takes
 * @max_ord: most the responder issues
 * @rep_ird: IRD of the Reply
 * @rep_ord: ORD of the Reply
 * @ird: the initiator's IRD from then on
 * @ord: the initiator's ORD from then on
 */
struct siw_depth_vector {
	const char *id;
	u16 req_ird;
	u16 req_ord;
	u16 max_ird;
	u16 max_ord;
	u16 rep_ird;
	u16 rep_ord;
	u16 ird;
	u16 ord;
};

#endif
