// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Receive queues and shared receive queues.
 */
#include "qp.h"

static struct siw_rq *rq_of(struct siw_qp *qp)
{
	return qp->srq ? &qp->srq->rq : &qp->rq;
}

/* A new queue; as siw_sq_set_num() */
void siw_rq_set_num(struct siw_rq *rq, u32 num)
{
	rq->num = num;
	rq->put = -num;
	rq->get = rq->put;
	rq->low = num;
}

/* Is the @n-th element from the next one to be taken posted? */
static bool is_posted(const struct siw_rq *rq, u32 n)
{
	/* Others take from an SRQ; who asks for details holds nothing. */
	u32 at = READ_ONCE(rq->get) + n;

	return n < rq->num &&
	       READ_ONCE(rq->ring[at & (rq->num - 1)].flags) & SIW_WQE_VALID;
}

/* Elements that are posted: they are in a row. */
static u32 posted(const struct siw_rq *rq)
{
	u32 some = 0, none = rq->num;

	while (some < none) {
		u32 mid = some + (none - some) / 2;

		if (is_posted(rq, mid))
			some = mid + 1;
		else
			none = mid;
	}
	return some;
}

/*
 * Messages have taken some of its own queue: are fewer left than ever?  What was
 * posted again by the end of their train was there in time.
 */
void siw_rq_note_low(struct siw_qp *qp)
{
	struct siw_rq *rq = &qp->rq;
	u32 low = rq->low;

	if (qp->srq)
		return;
	if (low == rq->num)
		low = posted(rq);
	while (low && !is_posted(rq, low - 1))
		low--;
	WRITE_ONCE(rq->low, low);
}

/**
 * siw_rq_post() - post receives of a kernel user
 * @rq: queue of a kernel QP or SRQ
 * @max_sge: most SGEs of a request
 * @wr: list of work requests
 * @bad: the first one not taken
 *
 * Context: any.
 * Return: 0, -EINVAL, or -ENOMEM if the queue is full.
 */
int siw_rq_post(struct siw_rq *rq, u32 max_sge, const struct ib_recv_wr *wr,
		const struct ib_recv_wr **bad)
{
	unsigned long irq;
	int err = 0;

	spin_lock_irqsave(&rq->lock, irq);
	for (; wr; wr = wr->next) {
		struct siw_rqe *rqe = &rq->ring[rq->put & (rq->num - 1)];
		int i;

		if (wr->num_sge > max_sge)
			err = -EINVAL;
		else if (rqe->flags)
			err = -ENOMEM;
		if (err)
			break;
		rqe->id = wr->wr_id;
		rqe->num_sge = wr->num_sge;
		for (i = 0; i < wr->num_sge; i++) {
			rqe->sge[i].laddr = wr->sg_list[i].addr;
			rqe->sge[i].length = wr->sg_list[i].length;
			rqe->sge[i].lkey = wr->sg_list[i].lkey;
		}
		rqe->flags = SIW_WQE_VALID;
		rq->put++;
	}
	spin_unlock_irqrestore(&rq->lock, irq);
	if (err)
		*bad = wr;
	return err;
}

static void tell(struct siw_upcall *up, unsigned long what)
{
	struct siw_srq *srq = container_of(up, struct siw_srq, upcall);
	struct ib_event event = {
		.event = IB_EVENT_SRQ_LIMIT_REACHED,
		.device = srq->base.device,
		.element.srq = &srq->base,
	};

	if (srq->base.event_handler)
		srq->base.event_handler(&event, srq->base.srq_context);
}

/* @user: the consumer is ib_uverbs */
void siw_srq_init(struct siw_srq *srq, bool user)
{
	spin_lock_init(&srq->rq.lock);
	siw_upcall_init(&srq->upcall, user, tell);
}

static void limit_reached(struct siw_srq *srq)
{
	siw_upcall(&srq->upcall, BIT(IB_EVENT_SRQ_LIMIT_REACHED));
}

/* Fewer than @limit elements are left */
static bool below_limit(const struct siw_rq *rq)
{
	u32 last = rq->get + rq->limit - 1;

	lockdep_assert_held(&rq->lock);
	return rq->limit && !(READ_ONCE(rq->ring[last & (rq->num - 1)].flags) &
			      SIW_WQE_VALID);
}

/*
 * Ask for one event when fewer than @limit elements are left; 0 for none.  Who
 * was told, and took nothing since, hears no more until the next is taken: events
 * are memory that nobody accounts for.
 */
void siw_srq_arm(struct siw_srq *srq, u32 limit)
{
	unsigned long irq;
	bool below;

	spin_lock_irqsave(&srq->rq.lock, irq);
	srq->rq.limit = limit;
	below = below_limit(&srq->rq) &&
		!(srq->rq.told && srq->rq.told_at == srq->rq.get);
	if (below) {
		srq->rq.limit = 0;
		srq->rq.told = true;
		srq->rq.told_at = srq->rq.get;
	}
	spin_unlock_irqrestore(&srq->rq.lock, irq);
	if (below)
		limit_reached(srq);
}

static bool take_locked(struct siw_rq *rq, struct siw_rqe *rqe)
{
	struct siw_rqe *slot = &rq->ring[rq->get & (rq->num - 1)];

	lockdep_assert_held(&rq->lock);
	/* Pairs with the provider's release when it posts. */
	if (!(smp_load_acquire(&slot->flags) & SIW_WQE_VALID))
		return false;
	/* Who rewrites an element after posting it gets either, or a mixture. */
	data_race(memcpy(rqe, slot, sizeof(*rqe)));
	/* Pairs with the provider's acquire: the slot is free. */
	smp_store_release(&slot->flags, 0);
	WRITE_ONCE(rq->get, rq->get + 1);
	return true;
}

/**
 * siw_rq_take() - take the next receive element
 * @qp: the QP a message came for
 * @rqe: filled with a private copy, not checked yet
 *
 * Context: any.
 * Return: false if there is none.
 */
bool siw_rq_take(struct siw_qp *qp, struct siw_rqe *rqe)
{
	struct siw_rq *rq = rq_of(qp);
	bool below = false, taken;
	unsigned long irq;

	spin_lock_irqsave(&rq->lock, irq);
	taken = take_locked(rq, rqe);
	if (taken && below_limit(rq)) {
		rq->limit = 0;
		below = true;
	}
	spin_unlock_irqrestore(&rq->lock, irq);
	if (below)
		limit_reached(qp->srq);
	return taken;
}

/* As is_posted(), of the queue that the QP takes from */
bool siw_rq_is_posted(struct siw_qp *qp, u32 n)
{
	return is_posted(rq_of(qp), n);
}

/* How many elements are posted, as far as the poster can be believed */
u32 siw_rq_available(struct siw_qp *qp)
{
	return posted(rq_of(qp));
}

/* Forget everything that is posted: the QP begins anew. */
void siw_rq_forget(struct siw_qp *qp)
{
	struct siw_rq *rq = &qp->rq;
	struct siw_rqe rqe;
	unsigned long irq;
	u32 n;

	if (qp->srq)
		return;
	spin_lock_irqsave(&rq->lock, irq);
	/* A process that keeps posting must not keep us here. */
	for (n = 0; n < rq->num && take_locked(rq, &rqe); n++)
		;
	WRITE_ONCE(rq->low, rq->num);
	spin_unlock_irqrestore(&rq->lock, irq);
}

/* Elements that are flushed without letting go of the lock */
#define FLUSH_BATCH	16

/**
 * siw_rq_flush() - complete everything that is posted
 * @qp: stopped QP
 *
 * Elements of a shared queue stay for the others.  An element is taken and
 * completed under the lock, so that the one posted last completes last, whoever
 * flushes it.
 *
 * Context: any.
 */
void siw_rq_flush(struct siw_qp *qp)
{
	struct siw_completion comp = {
		.qp = &qp->base,
		.opcode = SIW_OP_RECEIVE,
		.status = SIW_WC_WR_FLUSH_ERR,
	};
	struct siw_rq *rq = &qp->rq;
	struct siw_rqe rqe;
	unsigned long irq;
	u32 n, done = 0;
	u32 news = 0;

	if (qp->srq)
		return;
	/* A process that keeps posting must not keep us here. */
	do {
		spin_lock_irqsave(&rq->lock, irq);
		for (n = 0; n < FLUSH_BATCH && take_locked(rq, &rqe); n++) {
			comp.id = rqe.id;
			news |= siw_qp_complete(qp, qp->rcq, &comp);
		}
		spin_unlock_irqrestore(&rq->lock, irq);
		done += n;
	} while (n == FLUSH_BATCH && done < rq->num);
	siw_cq_tell(qp->rcq, news);
}
