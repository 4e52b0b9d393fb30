// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Send queues: work requests become elements of the ring.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "queue.h"

static_assert(sizeof(struct siw_sge) == sizeof(struct ibv_sge) &&
	      offsetof(struct siw_sge, laddr) ==
	      offsetof(struct ibv_sge, addr) &&
	      offsetof(struct siw_sge, length) ==
	      offsetof(struct ibv_sge, length) &&
	      offsetof(struct siw_sge, lkey) == offsetof(struct ibv_sge, lkey),
	      "an SGE is copied as it is");

/* What the user ABI knows of the opcodes of libibverbs */
static const struct send_op {
	bool known;
	uint8_t opcode;
} send_ops[] = {
	[IBV_WR_RDMA_WRITE] = { true, SIW_OP_WRITE },
	[IBV_WR_RDMA_READ] = { true, SIW_OP_READ },
	[IBV_WR_SEND] = { true, SIW_OP_SEND },
	[IBV_WR_SEND_WITH_INV] = { true, SIW_OP_SEND_REMOTE_INV },
};

/**
 * siw_sq_slot() - a slot to build an element in
 * @sq: the queue
 * @ahead: how many are being built already
 *
 * Return: NULL if the driver has not given it back yet.
 */
struct siw_sqe *siw_sq_slot(const struct siw_sq *sq, uint32_t ahead)
{
	struct siw_sqe *sqe;

	if (ahead >= sq->num)
		return NULL;
	sqe = &sq->ring[siw_queue_index(sq->put + ahead, sq->num)];
	/* Pairs with the driver's release when it clears the flag. */
	if (__atomic_load_n(&sqe->flags, __ATOMIC_ACQUIRE) & SIW_WQE_VALID)
		return NULL;
	return sqe;
}

/* SIW_WQE_VALID is for siw_sq_publish(). */
int siw_sq_set_flags(const struct siw_sq *sq, struct siw_sqe *sqe,
		     unsigned int send_flags)
{
	uint16_t flags = sq->sig_all ? SIW_WQE_SIGNALLED : 0;

	if (send_flags & ~(IBV_SEND_FENCE | IBV_SEND_SIGNALED |
			   IBV_SEND_SOLICITED | IBV_SEND_INLINE))
		return EINVAL;
	if (send_flags & IBV_SEND_FENCE)
		flags |= SIW_WQE_READ_FENCE;
	if (send_flags & IBV_SEND_SIGNALED)
		flags |= SIW_WQE_SIGNALLED;
	if (send_flags & IBV_SEND_SOLICITED)
		flags |= SIW_WQE_SOLICITED;
	sqe->flags = flags;
	return 0;
}

/* The opcode is set already: an RDMA Read has one data sink at most. */
int siw_sq_set_sges(const struct siw_sq *sq, struct siw_sqe *sqe,
		    const struct ibv_sge *sge, size_t num_sge)
{
	if (num_sge > sq->max_sge ||
	    (sqe->opcode == SIW_OP_READ && num_sge > 1))
		return EINVAL;
	if (num_sge)
		memcpy(sqe->sge, sge, num_sge * sizeof(*sge));
	sqe->num_sge = num_sge;
	return 0;
}

/* Inline data are in the place of sge[1] and up, sge[0] has their length. */
void siw_sq_begin_inline(struct siw_sqe *sqe)
{
	memset(&sqe->sge[0], 0, sizeof(sqe->sge[0]));
	sqe->num_sge = 1;
	sqe->flags |= SIW_WQE_INLINE;
}

int siw_sq_add_inline(const struct siw_sq *sq, struct siw_sqe *sqe,
		      const void *data, size_t len)
{
	uint32_t have = sqe->sge[0].length;

	if (sqe->opcode == SIW_OP_READ || len > sq->max_inline - have)
		return EINVAL;
	if (len)
		memcpy((uint8_t *)&sqe->sge[1] + have, data, len);
	sqe->sge[0].length = have + len;
	return 0;
}

/**
 * siw_sq_publish() - hand elements to the driver
 * @sq: the queue
 * @count: how many were built
 *
 * Return: the doorbell has to be rung.
 */
bool siw_sq_publish(struct siw_sq *sq, uint32_t count)
{
	struct siw_sqe *sqe;
	uint32_t before, i;

	if (!count)
		return false;
	for (i = 0; i < count; i++) {
		sqe = &sq->ring[siw_queue_index(sq->put + i, sq->num)];
		/* Pairs with the driver's acquire: the body is there first. */
		__atomic_store_n(&sqe->flags, sqe->flags | SIW_WQE_VALID,
				 __ATOMIC_RELEASE);
	}
	before = siw_queue_index(sq->put + sq->num - 1, sq->num);
	sq->put = siw_queue_index(sq->put + count, sq->num);
	sq->posts += count;

	/* All of the ring was free: the driver has nothing to be at. */
	if (count == sq->num)
		return true;
	/*
	 * The driver clears a flag, and then looks at the next element before
	 * it rests.  So if the element before ours is not cleared after ours
	 * can be seen, ours will be.  Pairs with the driver's full barrier.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return !(__atomic_load_n(&sq->ring[before].flags, __ATOMIC_RELAXED) &
		 SIW_WQE_VALID);
}

/**
 * siw_sq_take_back() - nobody was told of elements that were published
 * @sq: the queue
 * @posts: sq->posts after they were
 * @count: how many they are
 *
 * The last ones that the driver has not taken are void.  Where somebody has
 * published more behind them, or the driver is through, they stay as they are.
 *
 * Return: how many are void.
 */
uint32_t siw_sq_take_back(struct siw_sq *sq, uint32_t posts, uint32_t count)
{
	uint32_t n;

	if (sq->posts != posts)
		return 0;
	for (n = 0; n < count; n++) {
		uint32_t last = siw_queue_index(sq->put + sq->num - 1, sq->num);
		struct siw_sqe *sqe = &sq->ring[last];
		uint16_t flags = __atomic_load_n(&sqe->flags, __ATOMIC_RELAXED);

		if (!(flags & SIW_WQE_VALID))
			break;
		__atomic_store_n(&sqe->flags, 0, __ATOMIC_RELAXED);
		sq->put = last;
	}
	return n;
}

static int set_inline(const struct siw_sq *sq, struct siw_sqe *sqe,
		      const struct ibv_send_wr *wr)
{
	const struct ibv_sge *sge = wr->sg_list;
	int err = 0;
	int i;

	if (sqe->opcode == SIW_OP_READ)
		return EINVAL;
	siw_sq_begin_inline(sqe);
	for (i = 0; i < wr->num_sge && !err; i++, sge++)
		err = siw_sq_add_inline(sq, sqe,
					(const void *)(uintptr_t)sge->addr,
					sge->length);
	return err;
}

static int build(const struct siw_sq *sq, struct siw_sqe *sqe,
		 const struct ibv_send_wr *wr)
{
	uint32_t op = wr->opcode;
	int err;

	if (op >= sizeof(send_ops) / sizeof(send_ops[0]) ||
	    !send_ops[op].known)
		return EOPNOTSUPP;
	if (wr->num_sge < 0)
		return EINVAL;
	err = siw_sq_set_flags(sq, sqe, wr->send_flags);
	if (err)
		return err;
	sqe->id = wr->wr_id;
	sqe->opcode = send_ops[op].opcode;
	if (wr->opcode == IBV_WR_SEND_WITH_INV) {
		sqe->rkey = wr->invalidate_rkey;
		sqe->raddr = 0;
	} else if (wr->opcode == IBV_WR_SEND) {
		sqe->rkey = 0;
		sqe->raddr = 0;
	} else {
		sqe->rkey = wr->wr.rdma.rkey;
		sqe->raddr = wr->wr.rdma.remote_addr;
	}
	if (wr->send_flags & IBV_SEND_INLINE)
		return set_inline(sq, sqe, wr);
	return siw_sq_set_sges(sq, sqe, wr->sg_list, wr->num_sge);
}

/**
 * siw_sq_post() - post a list of send work requests
 * @sq: the queue
 * @wr: the list
 * @bad: the first request not taken, if it fails
 * @bell: the doorbell has to be rung
 *
 * Return: 0, ENOMEM if the queue is full, EOPNOTSUPP or EINVAL.  Requests
 * before @bad are posted either way.
 */
int siw_sq_post(struct siw_sq *sq, struct ibv_send_wr *wr,
		struct ibv_send_wr **bad, bool *bell)
{
	uint32_t count = 0;
	int err = 0;

	for (; wr; wr = wr->next) {
		struct siw_sqe *sqe = siw_sq_slot(sq, count);

		err = sqe ? build(sq, sqe, wr) : ENOMEM;
		if (err) {
			*bad = wr;
			break;
		}
		count++;
	}
	*bell = siw_sq_publish(sq, count);
	return err;
}
