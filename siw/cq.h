/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * Completion queues.
 */
#ifndef SIW_CQ_H
#define SIW_CQ_H

#include "siw.h"
#include "upcall.h"

/**
 * struct siw_cq - a completion queue
 * @base: what ib_core sees
 * @lock: one producer at a time, and kernel consumers
 * @queue: elements, mapped to user space unless it is a kernel CQ
 * @ctrl: arming word behind the last element
 * @num_cqe: elements, a power of two
 * @put: next element to fill
 * @get: next element a kernel consumer looks at
 * @high: most completions that waited to be polled at a time
 * @overflowed: a completion was lost, and the consumer told
 * @upcall: tells the consumer
 * @mmap: what a user CQ is mapped by, else NULL
 */
struct siw_cq {
	struct ib_cq base;
	spinlock_t lock;	/* producers, kernel consumers */
	struct siw_cqe *queue;
	struct siw_cq_ctrl *ctrl;
	u32 num_cqe;
	u32 put;
	u32 get;
	u32 high;
	bool overflowed;
	struct siw_upcall upcall;
	struct siw_mmap_entry *mmap;
};

/**
 * struct siw_completion - what a work request came to
 * @id: the consumer's work request id
 * @qp: queue pair
 * @bytes: message length
 * @inval_stag: STag invalidated by the peer, if @invalidated
 * @opcode: enum siw_opcode, at most SIW_OP_RECEIVE for a user CQ
 * @status: enum siw_wc_status
 * @solicited: fires a CQ armed for solicited events only
 * @invalidated: @inval_stag is valid
 */
struct siw_completion {
	u64 id;
	struct ib_qp *qp;
	u32 bytes;
	u32 inval_stag;
	u8 opcode;
	u8 status;
	bool solicited;
	bool invalidated;
};

static inline struct siw_cq *to_siw_cq(struct ib_cq *base)
{
	return container_of(base, struct siw_cq, base);
}

void siw_cq_init(struct siw_cq *cq, bool user);
u32 siw_cq_put(struct siw_cq *cq, const struct siw_completion *comp);
bool siw_cq_is_due(struct siw_cq *cq, u32 news);
void siw_cq_notify(struct siw_cq *cq);
void siw_cq_forget(struct siw_cq *cq, const struct ib_qp *qp);
void *siw_cq_close(struct siw_cq *cq);
u32 siw_cq_pending(struct siw_cq *cq);
int siw_cq_poll(struct ib_cq *base, int num, struct ib_wc *wc);
int siw_cq_arm(struct ib_cq *base, enum ib_cq_notify_flags flags);

/* After all of a train: @news is of all its completions, or 0. */
static inline void siw_cq_tell(struct siw_cq *cq, u32 news)
{
	if (news && siw_cq_is_due(cq, news))
		siw_cq_notify(cq);
}

#endif
