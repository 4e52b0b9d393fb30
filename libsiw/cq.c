// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Completion queues.
 */
#include <string.h>

#include "queue.h"

static const enum ibv_wc_status statuses[SIW_NUM_WC_STATUS] = {
	[SIW_WC_SUCCESS] = IBV_WC_SUCCESS,
	[SIW_WC_LOC_LEN_ERR] = IBV_WC_LOC_LEN_ERR,
	[SIW_WC_LOC_PROT_ERR] = IBV_WC_LOC_PROT_ERR,
	[SIW_WC_LOC_QP_OP_ERR] = IBV_WC_LOC_QP_OP_ERR,
	[SIW_WC_WR_FLUSH_ERR] = IBV_WC_WR_FLUSH_ERR,
	[SIW_WC_BAD_RESP_ERR] = IBV_WC_BAD_RESP_ERR,
	[SIW_WC_LOC_ACCESS_ERR] = IBV_WC_LOC_ACCESS_ERR,
	[SIW_WC_REM_ACCESS_ERR] = IBV_WC_REM_ACCESS_ERR,
	[SIW_WC_REM_INV_REQ_ERR] = IBV_WC_REM_INV_REQ_ERR,
	[SIW_WC_GENERAL_ERR] = IBV_WC_GENERAL_ERR,
};

static const enum ibv_wc_opcode opcodes[SIW_NUM_OPCODES] = {
	[SIW_OP_WRITE] = IBV_WC_RDMA_WRITE,
	[SIW_OP_READ] = IBV_WC_RDMA_READ,
	[SIW_OP_READ_LOCAL_INV] = IBV_WC_RDMA_READ,
	[SIW_OP_SEND] = IBV_WC_SEND,
	[SIW_OP_SEND_WITH_IMM] = IBV_WC_SEND,
	[SIW_OP_SEND_REMOTE_INV] = IBV_WC_SEND,
	[SIW_OP_FETCH_AND_ADD] = IBV_WC_FETCH_ADD,
	[SIW_OP_COMP_AND_SWAP] = IBV_WC_COMP_SWAP,
	[SIW_OP_RECEIVE] = IBV_WC_RECV,
	[SIW_OP_READ_RESPONSE] = IBV_WC_RDMA_READ,
	[SIW_OP_INVAL_STAG] = IBV_WC_LOCAL_INV,
	[SIW_OP_REG_MR] = IBV_WC_DRIVER1,
};

/* In the flags of an element that is not the driver's: skip it. */
#define CQE_FORGOTTEN	0x80

/**
 * siw_cq_take() - take the next completion
 * @cq: the queue
 * @cqe: filled with a copy; the element itself goes back to the driver
 *
 * Return: false if there is none.
 */
bool siw_cq_take(struct siw_cqes *cq, struct siw_cqe *cqe)
{
	do {
		struct siw_cqe *slot = &cq->ring[cq->get];

		/* Pairs with the driver's release: the body is there first. */
		if (!(__atomic_load_n(&slot->flags, __ATOMIC_ACQUIRE) &
		      SIW_WQE_VALID))
			return false;
		memcpy(cqe, slot, sizeof(*cqe));
		/* Pairs with the driver's acquire: it may be filled again. */
		__atomic_store_n(&slot->flags, 0, __ATOMIC_RELEASE);
		cq->get = siw_queue_index(cq->get + 1, cq->num);
	} while (cqe->flags & CQE_FORGOTTEN);
	return true;
}

/* A destroyed queue pair completes nothing; its number may be used again. */
void siw_cq_forget(struct siw_cqes *cq, uint32_t qp_num)
{
	uint32_t n;

	for (n = 0; n < cq->num; n++) {
		struct siw_cqe *cqe =
			&cq->ring[siw_queue_index(cq->get + n, cq->num)];

		/* Pairs with the driver's release: the body is there first. */
		if (!(__atomic_load_n(&cqe->flags, __ATOMIC_ACQUIRE) &
		      SIW_WQE_VALID))
			break;
		if (cqe->qp_id == qp_num)
			cqe->flags |= CQE_FORGOTTEN;
	}
}

enum ibv_wc_status siw_cq_status(const struct siw_cqe *cqe)
{
	return cqe->status < SIW_NUM_WC_STATUS ? statuses[cqe->status] :
						 IBV_WC_GENERAL_ERR;
}

enum ibv_wc_opcode siw_cq_opcode(const struct siw_cqe *cqe)
{
	return cqe->opcode < SIW_NUM_OPCODES ? opcodes[cqe->opcode] :
					       IBV_WC_DRIVER1;
}

static void translate(struct ibv_wc *wc, const struct siw_cqe *cqe)
{
	memset(wc, 0, sizeof(*wc));
	wc->wr_id = cqe->id;
	wc->status = siw_cq_status(cqe);
	wc->opcode = siw_cq_opcode(cqe);
	wc->byte_len = cqe->bytes;
	wc->qp_num = cqe->qp_id;
	if (cqe->flags & SIW_WQE_REM_INVAL) {
		wc->wc_flags = IBV_WC_WITH_INV;
		wc->invalidated_rkey = cqe->inval_stag;
	}
}

/* Return: how many were taken. */
int siw_cq_poll(struct siw_cqes *cq, int num, struct ibv_wc *wc)
{
	struct siw_cqe cqe;
	int n;

	for (n = 0; n < num && siw_cq_take(cq, &cqe); n++)
		translate(&wc[n], &cqe);
	return n;
}

/**
 * siw_cq_arm() - ask for one event
 * @cq: the queue; its lock is not needed
 * @solicited_only: for a solicited completion or an error only
 *
 * A pending request for any completion is not weakened.
 */
void siw_cq_arm(struct siw_cqes *cq, bool solicited_only)
{
	uint32_t arm = SIW_NOTIFY_SOLICITED;

	if (!solicited_only)
		arm |= SIW_NOTIFY_NEXT_COMPLETION;
	__atomic_fetch_or(&cq->ctrl->flags, arm, __ATOMIC_RELAXED);
	/*
	 * First it is armed, and then the consumer looks for completions once
	 * more.  Pairs with the driver's full barrier between the two.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}
