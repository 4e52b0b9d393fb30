/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * RDMAP messages: opcode properties, request and response headers, and the
 * checks a message has to pass (RFC 5040 sections 4 and 5, RFC 7306).
 */
#ifndef SIW_PROTO_RDMAP_H
#define SIW_PROTO_RDMAP_H

#include <linux/types.h>
#include "ddp.h"
#include "fault.h"

/**
 * struct siw_rdmap_op_info - what an opcode looks like on the wire
 * @name: as in RFC 5040 table 1
 * @tagged: carried in tagged segments
 * @qn: queue of an untagged one
 * @atomic_ext: only with RFC 7306 atomics
 * @solicited: with Solicited Event
 * @invalidate: with Invalidate
 * @send: consumes a receive buffer
 */
struct siw_rdmap_op_info {
	const char *name;
	bool tagged;
	u8 qn;
	bool atomic_ext;
	bool solicited;
	bool invalidate;
	bool send;
};

extern const struct siw_rdmap_op_info siw_rdmap_ops[SIW_RDMAP_OPS];

/**
 * siw_rdmap_op_info() - what an opcode looks like on the wire
 * @op: opcode as received, any value
 *
 * RFC 5040 section 4.1, RFC 7306 section 4.
 *
 * Return: its properties, or NULL if the opcode is not assigned.
 */
static inline const struct siw_rdmap_op_info *siw_rdmap_op_info(u8 op)
{
	return op < SIW_RDMAP_OPS ? &siw_rdmap_ops[op] : NULL;
}

/**
 * struct siw_read_req - the RDMAP header of a Read Request
 * @sink_stag: STag of the Data Sink, ours to copy, not to look at
 * @sink_to: its Tagged Offset
 * @len: RDMA Read Message Size
 * @src_stag: STag of the Data Source
 * @src_to: its Tagged Offset
 */
struct siw_read_req {
	u32 sink_stag;
	u64 sink_to;
	u32 len;
	u32 src_stag;
	u64 src_to;
};

void siw_read_req_encode(u8 *hdr, const struct siw_read_req *req);
void siw_read_req_decode(struct siw_read_req *req, const u8 *hdr);

/**
 * struct siw_read_sink - an outstanding Read, where its response must go
 * @stag: Sink STag of the request
 * @to: Sink TO of the request
 * @len: octets asked for
 * @done: octets that have come
 */
struct siw_read_sink {
	u32 stag;
	u64 to;
	u32 len;
	u32 done;
};

enum siw_fault siw_rdmap_check_read_rsp(const struct siw_read_sink *sink,
					const struct siw_seg *seg);
enum siw_fault siw_rdmap_check_request(const struct siw_seg *seg);
bool siw_rdmap_term_ok(const struct siw_seg *seg);

#endif
