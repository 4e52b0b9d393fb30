// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Receive queues and shared receive queues.
 */
#include <errno.h>
#include <string.h>

#include "queue.h"

static int post_one(struct siw_rq *rq, const struct ibv_recv_wr *wr)
{
	struct siw_rqe *rqe;

	if (wr->num_sge < 0 || (uint32_t)wr->num_sge > rq->max_sge)
		return EINVAL;
	if (!rq->num)
		return ENOMEM;
	rqe = &rq->ring[rq->put];
	/* Pairs with the driver's release when it clears the flag. */
	if (__atomic_load_n(&rqe->flags, __ATOMIC_ACQUIRE) & SIW_WQE_VALID)
		return ENOMEM;
	rqe->id = wr->wr_id;
	rqe->num_sge = wr->num_sge;
	if (wr->num_sge)
		memcpy(rqe->sge, wr->sg_list,
		       wr->num_sge * sizeof(rqe->sge[0]));
	/* Pairs with the driver's acquire: the body is there first. */
	__atomic_store_n(&rqe->flags, SIW_WQE_VALID, __ATOMIC_RELEASE);
	rq->put = siw_queue_index(rq->put + 1, rq->num);
	return 0;
}

/**
 * siw_rq_post() - post a list of receive work requests
 * @rq: the queue
 * @wr: the list
 * @bad: the first request not taken, if it fails
 *
 * Return: 0, ENOMEM if the queue is full, or EINVAL.  Requests before @bad are
 * posted either way.
 */
int siw_rq_post(struct siw_rq *rq, struct ibv_recv_wr *wr,
		struct ibv_recv_wr **bad)
{
	int err;

	for (; wr; wr = wr->next) {
		err = post_one(rq, wr);
		if (err) {
			*bad = wr;
			return err;
		}
	}
	return 0;
}
