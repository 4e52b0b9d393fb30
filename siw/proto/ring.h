/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * Elements of the queues shared with user space: are they fit to be used?
 * A mapped element is copied once; these functions look at the copy.
 */
#ifndef SIW_PROTO_RING_H
#define SIW_PROTO_RING_H

#include <linux/types.h>
#include <rdma/siw-abi.h>
#include "wire.h"

/* Longest message: DDP's MO and the Read Message Size are 32 bits, and TO
 * and MO arithmetic stays simple below 2^31.
 */
#define SIW_MSG_MAX	0x7fffffffu

enum siw_wc_status siw_ring_check_sqe(const struct siw_sqe *sqe, bool user,
				      u32 *len);
enum siw_wc_status siw_ring_check_rqe(const struct siw_rqe *rqe, u32 *len);
enum siw_rdmap_op siw_ring_rdmap_op(const struct siw_sqe *sqe);

#endif
