/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * A receiver around proto/: it keeps the octets and counts the buffers, as rx.c
 * does, and leaves each decision to proto/.
 */
#ifndef SIW_TESTS_RECEIVER_H
#define SIW_TESTS_RECEIVER_H

#include <linux/types.h>

#include "../proto/access.h"
#include "../proto/ddp.h"
#include "../proto/fault.h"
#include "../proto/mpa_rx.h"
#include "../proto/rdmap.h"
#include "../proto/rfc7306.h"

#define SIW_RECEIVER_BUFFERS	4
#define SIW_RECEIVER_READS	2
#define SIW_RECEIVER_ATOMICS	2
#define SIW_RECEIVER_REGIONS	8

/**
 * struct siw_receiver_ctx - the receiver before the first octet
 * @markers: the peer puts Markers in
 * @crc: CRC is in use
 * @atomics: RFC 7306 atomics are allowed
 * @ird: Reads and atomics of the peer that find room
 * @msn: next MSN of each queue
 * @num_buffers: posted receives
 * @buffer: octets each has room for
 * @num_reads: outstanding Reads
 * @read: where their responses go
 * @num_atomics: outstanding atomics
 * @atomic: their Request Identifiers
 */
struct siw_receiver_ctx {
	bool markers;
	bool crc;
	bool atomics;
	u32 ird;
	u32 msn[SIW_QNS];
	u32 num_buffers;
	u32 buffer[SIW_RECEIVER_BUFFERS];
	u32 num_reads;
	struct siw_read_sink read[SIW_RECEIVER_READS];
	u32 num_atomics;
	u32 atomic[SIW_RECEIVER_ATOMICS];
};

/**
 * struct siw_receiver_region - a memory region
 * @region: what access checks look at
 * @same_pd: it belongs to this stream
 */
struct siw_receiver_region {
	struct siw_region region;
	bool same_pd;
};

/**
 * struct siw_receiver - the receiver
 * @ctx: as it began; reads count their octets here, @ird is what is left
 * @region: the regions, invalidated ones too
 * @mpa: framing state
 * @ddp: message order
 * @buffers_used: buffers taken from @ctx
 * @reads_done: Reads completed
 * @atomics_done: atomics completed
 * @in_msg: a Send is in progress
 * @room: octets its buffer has room for
 * @carry: octets not taken yet
 * @carry_len: how many
 * @fault: why the stream has to end
 * @refused: the ULPDU that caused it, or NULL
 * @refused_len: its octets
 * @terminated: a Terminate came
 * @dropping: octets behind it did
 * @events: what happened, one to a line
 * @events_len: length of @events
 */
struct siw_receiver {
	struct siw_receiver_ctx ctx;
	struct siw_receiver_region region[SIW_RECEIVER_REGIONS];
	struct siw_mpa_rx mpa;
	struct siw_ddp_rx ddp;
	u32 buffers_used;
	u32 reads_done;
	u32 atomics_done;
	bool in_msg;
	u32 room;
	u8 *carry;
	size_t carry_len;
	enum siw_fault fault;
	u8 *refused;
	u16 refused_len;
	bool terminated;
	bool dropping;
	char events[256];
	size_t events_len;
};

struct siw_receiver *siw_receiver_new(const struct siw_receiver_ctx *ctx,
				      const struct siw_receiver_region *region);
void siw_receiver_free(struct siw_receiver *rx);
void siw_receiver_feed(struct siw_receiver *rx, const u8 *p, size_t n);
size_t siw_receiver_terminate(const struct siw_receiver *rx, u8 *ulpdu);

#endif
