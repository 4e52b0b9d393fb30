// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Send queues.
 *
 * A user QP's ring is mapped: each element is copied once and the copy is
 * checked.  The element is given back as soon as it was copied, so that the
 * provider never waits for a doorbell it did not ring; what is outstanding is
 * kept in a private entry of the same index.
 */
#include "qp.h"
#include "trace.h"

/* A new queue.  Its indices wrap after a lap here, not after days elsewhere. */
void siw_sq_set_num(struct siw_sq *sq, u32 num)
{
	sq->num = num;
	sq->put = -num;
	sq->fetch = sq->put;
	sq->sent = sq->put;
	sq->comp = sq->put;
}

static const u8 wr_opcodes[] = {
	[IB_WR_RDMA_WRITE] = SIW_OP_WRITE,
	[IB_WR_SEND] = SIW_OP_SEND,
	[IB_WR_RDMA_READ] = SIW_OP_READ,
	[IB_WR_SEND_WITH_INV] = SIW_OP_SEND_REMOTE_INV,
	[IB_WR_RDMA_READ_WITH_INV] = SIW_OP_READ_LOCAL_INV,
	[IB_WR_LOCAL_INV] = SIW_OP_INVAL_STAG,
	[IB_WR_REG_MR] = SIW_OP_REG_MR,
};

static bool wr_known(enum ib_wr_opcode op)
{
	return op < ARRAY_SIZE(wr_opcodes) &&
	       (wr_opcodes[op] || op == IB_WR_RDMA_WRITE);
}

static int set_sges(struct siw_sqe *sqe, const struct ib_send_wr *wr)
{
	u8 *to = (u8 *)&sqe->sge[1];
	u32 len = 0;
	int i;

	if (!(wr->send_flags & IB_SEND_INLINE)) {
		for (i = 0; i < wr->num_sge; i++) {
			sqe->sge[i].laddr = wr->sg_list[i].addr;
			sqe->sge[i].length = wr->sg_list[i].length;
			sqe->sge[i].lkey = wr->sg_list[i].lkey;
		}
		sqe->num_sge = wr->num_sge;
		return 0;
	}
	for (i = 0; i < wr->num_sge; i++) {
		if (wr->sg_list[i].length > SIW_MAX_INLINE - len)
			return -EINVAL;
		memcpy(to + len, (void *)(uintptr_t)wr->sg_list[i].addr,
		       wr->sg_list[i].length);
		len += wr->sg_list[i].length;
	}
	sqe->sge[0].length = len;
	sqe->num_sge = 1;
	return 0;
}

static int set_sqe(struct siw_qp *qp, struct siw_sqe *sqe,
		   const struct ib_send_wr *wr)
{
	u32 len;

	memset(sqe, 0, sizeof(*sqe));
	if (!wr_known(wr->opcode) || wr->num_sge > qp->max_send_sge)
		return -EINVAL;
	sqe->id = wr->wr_id;
	sqe->opcode = wr_opcodes[wr->opcode];
	sqe->flags = SIW_WQE_VALID;
	if (wr->send_flags & IB_SEND_SIGNALED)
		sqe->flags |= SIW_WQE_SIGNALLED;
	if (wr->send_flags & IB_SEND_SOLICITED)
		sqe->flags |= SIW_WQE_SOLICITED;
	if (wr->send_flags & IB_SEND_FENCE)
		sqe->flags |= SIW_WQE_READ_FENCE;
	if (wr->send_flags & IB_SEND_INLINE)
		sqe->flags |= SIW_WQE_INLINE;

	switch (wr->opcode) {
	case IB_WR_REG_MR:
		sqe->base_mr = (uintptr_t)reg_wr(wr)->mr;
		sqe->rkey = reg_wr(wr)->key;
		sqe->access = reg_wr(wr)->access;
		break;
	case IB_WR_LOCAL_INV:
		sqe->rkey = wr->ex.invalidate_rkey;
		break;
	case IB_WR_SEND_WITH_INV:
		sqe->rkey = wr->ex.invalidate_rkey;
		if (set_sges(sqe, wr))
			return -EINVAL;
		break;
	case IB_WR_RDMA_WRITE:
	case IB_WR_RDMA_READ:
	case IB_WR_RDMA_READ_WITH_INV:
		sqe->raddr = rdma_wr(wr)->remote_addr;
		sqe->rkey = rdma_wr(wr)->rkey;
		fallthrough;
	default:
		if (set_sges(sqe, wr))
			return -EINVAL;
	}
	if (siw_ring_check_sqe(sqe, false, &len) != SIW_WC_SUCCESS)
		return -EINVAL;
	trace_siw_post(&qp->base, sqe, len);
	return 0;
}

/**
 * siw_sq_post() - post work of a kernel user
 * @qp: kernel QP
 * @wr: list of work requests
 * @bad: the first one not taken
 *
 * Context: any.
 * Return: 0, -EINVAL for a malformed request, -ENOMEM if the queue is full.
 */
int siw_sq_post(struct siw_qp *qp, const struct ib_send_wr *wr,
		const struct ib_send_wr **bad)
{
	struct siw_sq *sq = &qp->sq;
	unsigned long irq;
	int err = 0;

	spin_lock_irqsave(&sq->post_lock, irq);
	for (; wr; wr = wr->next) {
		struct siw_sqe *slot = &sq->ring[sq->put & (sq->num - 1)];
		struct siw_sqe sqe;
		u16 flags;

		/* Pairs with the release in siw_sq_fetch(). */
		if (smp_load_acquire(&slot->flags) & SIW_WQE_VALID ||
		    sq->put - READ_ONCE(sq->comp) >= sq->num)
			err = -ENOMEM;
		else
			err = set_sqe(qp, &sqe, wr);
		if (err)
			break;
		flags = sqe.flags;
		sqe.flags = 0;
		*slot = sqe;
		/* Pairs with the acquire in siw_sq_fetch(). */
		smp_store_release(&slot->flags, flags);
		sq->put++;
	}
	spin_unlock_irqrestore(&sq->post_lock, irq);
	if (err)
		*bad = wr;
	siw_tx_kick(qp);
	return err;
}

/* Fewer than the queue's size are outstanding */
bool siw_sq_has_room(struct siw_qp *qp)
{
	/* Pairs with the release in advance(): the entry may be used again. */
	return qp->sq.fetch - smp_load_acquire(&qp->sq.comp) < qp->sq.num;
}

/**
 * siw_sq_fetch() - take the next work request
 * @qp: the QP; the caller owns its transmitter
 * @sqe: filled with a private copy, not checked yet
 *
 * Return: false if there is none, or too many are outstanding.
 */
bool siw_sq_fetch(struct siw_qp *qp, struct siw_sqe *sqe)
{
	struct siw_sq *sq = &qp->sq;
	struct siw_sq_entry *entry = &sq->entry[sq->fetch & (sq->num - 1)];
	struct siw_sqe *slot = &sq->ring[sq->fetch & (sq->num - 1)];

	if (!siw_sq_has_room(qp))
		return false;
	/* Pairs with the release of the provider, or of siw_sq_post(). */
	if (!(smp_load_acquire(&slot->flags) & SIW_WQE_VALID)) {
		/*
		 * The provider rings no doorbell if it finds the slot before its
		 * new one still valid: that is given back before there is
		 * believed to be no new one.
		 */
		smp_mb();	/* Pairs with the provider's. */
		if (!(smp_load_acquire(&slot->flags) & SIW_WQE_VALID))
			return false;
	}
	/* Who rewrites an element after posting it gets either, or a mixture. */
	data_race(memcpy(sqe, slot, sizeof(*sqe)));
	/* The slot is free again: pairs with the acquire of who posts. */
	smp_store_release(&slot->flags, 0);

	entry->id = sqe->id;
	entry->len = 0;
	entry->opcode = sqe->opcode;
	if (qp->sq.mmap && entry->opcode > SIW_OP_SEND_REMOTE_INV)
		entry->opcode = SIW_OP_SEND;
	entry->signalled = qp->sig_all || sqe->flags & SIW_WQE_SIGNALLED;
	entry->done = false;
	entry->status = SIW_WC_SUCCESS;
	WRITE_ONCE(sq->high, max(sq->high,
				 sq->fetch + 1 - READ_ONCE(sq->comp)));
	/* Pairs with the acquire of who completes: the entry is there. */
	smp_store_release(&sq->fetch, sq->fetch + 1);
	return true;
}

/* Complete what is done, in order. Return: what siw_cq_tell() wants. */
static u32 advance(struct siw_qp *qp)
{
	struct siw_sq *sq = &qp->sq;
	u32 news = 0;

	lockdep_assert_held(&sq->lock);
	/* Pairs with the release in siw_sq_fetch(). */
	while (sq->comp != smp_load_acquire(&sq->fetch)) {
		struct siw_sq_entry *entry =
			&sq->entry[sq->comp & (sq->num - 1)];
		struct siw_completion comp = {
			.id = entry->id,
			.qp = &qp->base,
			.bytes = entry->len,
			.opcode = entry->opcode,
			.status = entry->status,
		};
		bool signalled;

		if (!entry->done)
			break;
		signalled = entry->signalled || comp.status != SIW_WC_SUCCESS;
		/*
		 * First the room, then its news: a poster may act on it.
		 * Pairs with the acquire in siw_sq_has_room().
		 */
		smp_store_release(&sq->comp, sq->comp + 1);
		if (signalled)
			news |= siw_qp_complete(qp, qp->scq, &comp);
	}
	return news;
}

/**
 * siw_sq_done() - a work request is complete
 * @qp: the QP
 * @index: its entry, ignored if it is not outstanding any more
 * @status: how it ended
 */
void siw_sq_done(struct siw_qp *qp, u32 index, enum siw_wc_status status)
{
	struct siw_sq *sq = &qp->sq;
	u32 news = 0;

	spin_lock_bh(&sq->lock);
	/* Pairs with the release in siw_sq_fetch(). */
	if (index - sq->comp < smp_load_acquire(&sq->fetch) - sq->comp) {
		sq->entry[index & (sq->num - 1)].done = true;
		sq->entry[index & (sq->num - 1)].status = status;
		news = advance(qp);
	}
	spin_unlock_bh(&sq->lock);
	siw_cq_tell(qp->scq, news);
}

/*
 * All entries before @end are in TCP's hands, which completes them (RFC 5041
 * section 5.4); a Read waits for the peer.
 */
void siw_sq_sent(struct siw_qp *qp, u32 end)
{
	struct siw_sq *sq = &qp->sq;
	u32 news;

	if (sq->sent == end)
		return;
	spin_lock_bh(&sq->lock);
	/* A Response that was forged came first, and its entry is another's now. */
	if (sq->comp - sq->sent <= end - sq->sent)
		sq->sent = sq->comp;
	for (; sq->sent != end; sq->sent++) {
		struct siw_sq_entry *entry =
			&sq->entry[sq->sent & (sq->num - 1)];

		if (!siw_is_read(entry->opcode))
			entry->done = true;
	}
	news = advance(qp);
	spin_unlock_bh(&sq->lock);
	siw_cq_tell(qp->scq, news);
}

/* Forget everything that is posted; the caller owns the transmitter. */
void siw_sq_forget(struct siw_qp *qp)
{
	struct siw_sq *sq = &qp->sq;
	struct siw_sqe sqe;
	u32 n;

	for (n = 0; n < sq->num && siw_sq_fetch(qp, &sqe); n++)
		;
	spin_lock_bh(&sq->lock);
	/* Pairs with the acquire in siw_sq_has_room(). */
	smp_store_release(&sq->comp, sq->fetch);
	sq->sent = sq->fetch;
	sq->high = 0;
	sq->peer_status = SIW_WC_SUCCESS;
	spin_unlock_bh(&sq->lock);
}

/* Status of the next request to be flushed: the first tells what went wrong */
static enum siw_wc_status flush_status(struct siw_sq *sq)
{
	enum siw_wc_status status = sq->peer_status;

	sq->peer_status = SIW_WC_SUCCESS;
	return status == SIW_WC_SUCCESS ? SIW_WC_WR_FLUSH_ERR : status;
}

/* Complete everything that is not complete; the caller owns the transmitter. */
void siw_sq_flush(struct siw_qp *qp)
{
	struct siw_sq *sq = &qp->sq;
	struct siw_sqe sqe;
	u32 news = 0;
	u32 n = 0, i;

	qp->tx.fetched = false;
	qp->tx.msg = SIW_TX_NONE;
	/* A process that keeps posting must not keep us here. */
	do {
		spin_lock_bh(&sq->lock);
		for (i = sq->comp; i != sq->fetch; i++) {
			struct siw_sq_entry *entry =
				&sq->entry[i & (sq->num - 1)];

			if (!entry->done)
				entry->status = flush_status(sq);
			entry->done = true;
		}
		news |= advance(qp);
		spin_unlock_bh(&sq->lock);
	} while (n++ < sq->num && siw_sq_fetch(qp, &sqe));
	/* What is posted from now on has nothing to do with the peer. */
	spin_lock_bh(&sq->lock);
	sq->peer_status = SIW_WC_SUCCESS;
	spin_unlock_bh(&sq->lock);
	sq->sent = sq->fetch;
	siw_cq_tell(qp->scq, news);
	/* Its doorbell may have found us at it: what is left is for later. */
	if (n > sq->num && !READ_ONCE(qp->dying))
		siw_tx_kick(qp);
}

/* Nothing is posted, and all that was is complete */
bool siw_sq_is_idle(struct siw_qp *qp)
{
	struct siw_sq *sq = &qp->sq;

	return READ_ONCE(sq->comp) == READ_ONCE(sq->fetch) &&
	       !(READ_ONCE(sq->ring[sq->fetch & (sq->num - 1)].flags) &
		 SIW_WQE_VALID);
}
