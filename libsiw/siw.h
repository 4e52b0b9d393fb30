/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Objects of the siw provider.
 */
#ifndef SIW_PROVIDER_H
#define SIW_PROVIDER_H

#include <pthread.h>
#include <infiniband/driver.h>
#include <infiniband/kern-abi.h>
#include <rdma/siw-abi.h>
#include <kernel-abi/siw-abi.h>

#include "poll.h"
#include "queue.h"
#include "siw-ext-abi.h"

/**
 * struct siw_context - an open device
 * @base: what libibverbs sees
 * @features: SIW_EXT_* granted by the driver
 * @poller: rings doorbells for those who post, NULL if they do it themselves
 */
struct siw_context {
	struct verbs_context base;
	uint32_t features;
	struct siw_poller *poller;
};

/**
 * struct siw_cq - a completion queue
 * @base: what libibverbs sees
 * @lock: consumers; held from start_poll to end_poll
 * @cqes: the shared elements
 * @map_size: octets mapped at @cqes.ring
 * @unlocked: one thread polls, so @lock is not taken by the extended API
 * @current: copy of the completion the extended API looks at
 */
struct siw_cq {
	struct verbs_cq base;
	pthread_spinlock_t lock;
	struct siw_cqes cqes;
	size_t map_size;
	bool unlocked;
	struct siw_cqe current;
};

/**
 * struct siw_srq - a shared receive queue
 * @base: what libibverbs sees
 * @lock: posters
 * @rq: the shared elements
 * @map_size: octets mapped at @rq.ring
 */
struct siw_srq {
	struct ibv_srq base;
	pthread_spinlock_t lock;
	struct siw_rq rq;
	size_t map_size;
};

/**
 * enum siw_ringer - who rings the doorbell of a QP
 * @SIW_RINGER_SELF: who posts, and is told of an error
 * @SIW_RINGER_POLLER: the context's poller: one of ours went well
 * @SIW_RINGER_FAILED: who posts, each time: the poller's failed, so that the
 *	driver may not have looked at what is in the queue
 */
enum siw_ringer {
	SIW_RINGER_SELF,
	SIW_RINGER_POLLER,
	SIW_RINGER_FAILED,
};

/**
 * struct siw_qp - a queue pair
 * @base: what libibverbs sees
 * @sq_lock: posters to @sq; held from wr_start to wr_complete
 * @rq_lock: posters to @rq
 * @sq: the shared send queue
 * @rq: the shared receive queue; none of a QP with a shared one
 * @sq_map_size: octets mapped at @sq.ring
 * @rq_map_size: octets mapped at @rq.ring
 * @ctrl: the driver's word to us, NULL if it has none
 * @stopped: we moved the QP to ERROR
 * @ringer: whose turn the doorbell is: SIW_RINGER_*
 * @bell: what the poller has of the QP
 * @wr_sqe: element the ibv_wr_*() API is building, NULL if it failed
 * @wr_count: how many it has begun since wr_start
 * @wr_err: why it failed
 */
struct siw_qp {
	struct verbs_qp base;
	pthread_spinlock_t sq_lock;
	pthread_spinlock_t rq_lock;
	struct siw_sq sq;
	struct siw_rq rq;
	size_t sq_map_size;
	size_t rq_map_size;
	const struct siw_qp_ctrl *ctrl;
	bool stopped;
	uint8_t ringer;
	struct siw_bell bell;
	struct siw_sqe *wr_sqe;
	uint32_t wr_count;
	int wr_err;
};

DECLARE_DRV_CMD(siw_alloc_ctx, IB_USER_VERBS_CMD_GET_CONTEXT,
		empty, siw_uresp_alloc_ctx);
DECLARE_DRV_CMD(siw_create_cq_cmd, IB_USER_VERBS_CMD_CREATE_CQ,
		empty, siw_uresp_create_cq);
DECLARE_DRV_CMD(siw_create_qp_cmd, IB_USER_VERBS_CMD_CREATE_QP,
		empty, siw_uresp_create_qp);
DECLARE_DRV_CMD(siw_create_srq_cmd, IB_USER_VERBS_CMD_CREATE_SRQ,
		empty, siw_uresp_create_srq);
DECLARE_DRV_CMD(siw_reg_mr_cmd, IB_USER_VERBS_CMD_REG_MR,
		siw_ureq_reg_mr, siw_uresp_reg_mr);

/* Ours, so there is no generated form of them */
#define _STRUCT_siw_ureq_alloc_ctx_ext	struct siw_ureq_alloc_ctx_ext ext_req
#define _STRUCT_siw_uresp_alloc_ctx_ext	struct siw_uresp_alloc_ctx_ext ext_resp
DECLARE_DRV_CMD(siw_alloc_ctx_ext, IB_USER_VERBS_CMD_GET_CONTEXT,
		siw_ureq_alloc_ctx_ext, siw_uresp_alloc_ctx_ext);

static inline struct siw_context *to_siw_context(struct ibv_context *context)
{
	return container_of(context, struct siw_context, base.context);
}

static inline struct siw_cq *to_siw_cq(struct ibv_cq *cq)
{
	return container_of(cq, struct siw_cq, base.cq);
}

static inline struct siw_srq *to_siw_srq(struct ibv_srq *srq)
{
	return container_of(srq, struct siw_srq, base);
}

static inline struct siw_qp *to_siw_qp(struct ibv_qp *qp)
{
	return container_of(qp, struct siw_qp, base.qp);
}

/* verbs.c */
extern const struct verbs_context_ops siw_context_ops;
void siw_ring_for_poller(struct siw_bell *bell);
int siw_ring(struct siw_qp *qp, bool bell);
uint32_t siw_take_back(struct siw_qp *qp, uint32_t posts, uint32_t count);

/* wc.c */
void siw_wc_set_ops(struct siw_cq *cq);

/* wr.c */
#define SIW_WR_OPS	(IBV_QP_EX_WITH_RDMA_WRITE | \
			 IBV_QP_EX_WITH_RDMA_READ | \
			 IBV_QP_EX_WITH_SEND | \
			 IBV_QP_EX_WITH_SEND_WITH_INV)
void siw_wr_set_ops(struct siw_qp *qp);

#endif
