/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * Messages of RFC 7306, Immediate Data and atomics: for tests and tools.
 */
#ifndef SIW_PROTO_RFC7306_H
#define SIW_PROTO_RFC7306_H

#include <linux/types.h>
#include "ddp.h"
#include "fault.h"

enum siw_fault siw_rdmap_check_imm(const struct siw_seg *seg);

/* Atomics, RFC 7306 section 5 */
enum siw_atomic_op {
	SIW_ATOMIC_FETCH_ADD = 0,
	SIW_ATOMIC_CMP_SWAP = 2,
};

/**
 * struct siw_atomic_req - the RDMAP header of an Atomic Request
 * @aop: enum siw_atomic_op
 * @id: Request Identifier, comes back in the response
 * @stag: Remote STag
 * @to: Remote Tagged Offset
 * @data: Add or Swap Data
 * @data_mask: Add or Swap Mask
 * @cmp: Compare Data
 * @cmp_mask: Compare Mask
 */
struct siw_atomic_req {
	u8 aop;
	u32 id;
	u32 stag;
	u64 to;
	u64 data;
	u64 data_mask;
	u64 cmp;
	u64 cmp_mask;
};

void siw_atomic_req_encode(u8 *hdr, const struct siw_atomic_req *req);
enum siw_fault siw_atomic_req_decode(struct siw_atomic_req *req, const u8 *hdr);
enum siw_fault siw_atomic_check_align(u64 addr);
u64 siw_atomic_result(const struct siw_atomic_req *req, u64 old);
void siw_atomic_rsp_encode(u8 *hdr, u32 id, u64 value);
void siw_atomic_rsp_decode(const u8 *hdr, u32 *id, u64 *value);
enum siw_fault siw_rdmap_check_atomic_rsp(const struct siw_seg *seg,
					  const u8 *hdr, u32 id);

#endif
