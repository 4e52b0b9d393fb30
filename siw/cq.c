// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Completion queues.
 *
 * The elements and the arming word of a user CQ are mapped: the process may
 * write anything there at any time.  So the driver never acts on what it reads
 * from an element except "is it free?", and keeps its own position.
 */
#include "cq.h"
#include "trace.h"

static const enum ib_wc_status statuses[SIW_NUM_WC_STATUS] = {
	[SIW_WC_SUCCESS] = IB_WC_SUCCESS,
	[SIW_WC_LOC_LEN_ERR] = IB_WC_LOC_LEN_ERR,
	[SIW_WC_LOC_PROT_ERR] = IB_WC_LOC_PROT_ERR,
	[SIW_WC_LOC_QP_OP_ERR] = IB_WC_LOC_QP_OP_ERR,
	[SIW_WC_WR_FLUSH_ERR] = IB_WC_WR_FLUSH_ERR,
	[SIW_WC_BAD_RESP_ERR] = IB_WC_BAD_RESP_ERR,
	[SIW_WC_LOC_ACCESS_ERR] = IB_WC_LOC_ACCESS_ERR,
	[SIW_WC_REM_ACCESS_ERR] = IB_WC_REM_ACCESS_ERR,
	[SIW_WC_REM_INV_REQ_ERR] = IB_WC_REM_INV_REQ_ERR,
	[SIW_WC_GENERAL_ERR] = IB_WC_GENERAL_ERR,
};

static const enum ib_wc_opcode opcodes[SIW_NUM_OPCODES] = {
	[SIW_OP_WRITE] = IB_WC_RDMA_WRITE,
	[SIW_OP_READ] = IB_WC_RDMA_READ,
	[SIW_OP_READ_LOCAL_INV] = IB_WC_RDMA_READ,
	[SIW_OP_SEND] = IB_WC_SEND,
	[SIW_OP_SEND_WITH_IMM] = IB_WC_SEND,
	[SIW_OP_SEND_REMOTE_INV] = IB_WC_SEND,
	[SIW_OP_RECEIVE] = IB_WC_RECV,
	[SIW_OP_INVAL_STAG] = IB_WC_LOCAL_INV,
	[SIW_OP_REG_MR] = IB_WC_REG_MR,
};

/* The element at a position, which goes on for ever */
static struct siw_cqe *element(const struct siw_cq *cq, u32 at)
{
	lockdep_assert_held(&cq->lock);
	return &cq->queue[at & (cq->num_cqe - 1)];
}

static void tell(struct siw_upcall *up, unsigned long what)
{
	struct siw_cq *cq = container_of(up, struct siw_cq, upcall);
	struct ib_event event = {
		.event = IB_EVENT_CQ_ERR,
		.device = cq->base.device,
		.element.cq = &cq->base,
	};

	if (what & BIT(IB_EVENT_CQ_ERR) && cq->base.event_handler)
		cq->base.event_handler(&event, cq->base.cq_context);
	if (!(what & SIW_UPCALL_COMP) || !cq->base.comp_handler)
		return;
	/* If it raises a softirq, that runs here and not in another thread. */
	local_bh_disable();
	cq->base.comp_handler(&cq->base, cq->base.cq_context);
	local_bh_enable();
}

/* @user: the consumer is ib_uverbs */
void siw_cq_init(struct siw_cq *cq, bool user)
{
	spin_lock_init(&cq->lock);
	siw_upcall_init(&cq->upcall, user, tell);
}

/* Each event is memory until the process reads it: one is all it gets. */
static void overflow(struct siw_cq *cq, bool first)
{
	siw_count(to_siw_dev(cq->base.device), SIW_CNT_CQ_OVERFLOW);
	if (first)
		siw_upcall(&cq->upcall, BIT(IB_EVENT_CQ_ERR));
}

/* One was added: has it made more than ever?  They are the last ones put. */
static void note_high(struct siw_cq *cq)
{
	u32 first = cq->put - cq->high - 1;

	if (cq->high < cq->num_cqe && READ_ONCE(element(cq, first)->flags))
		WRITE_ONCE(cq->high, cq->high + 1);
}

/* A consumer that writes to a slot that is not its own spoils its own queue. */
static __no_kcsan void fill(struct siw_cqe *cqe,
			    const struct siw_completion *comp, bool user)
{
	cqe->id = comp->id;
	cqe->opcode = comp->opcode;
	cqe->status = comp->status;
	cqe->bytes = comp->bytes;
	cqe->imm_data = 0;
	if (comp->invalidated)
		cqe->inval_stag = comp->inval_stag;
	if (user)
		cqe->qp_id = comp->qp->qp_num;
	else
		cqe->base_qp = comp->qp;
}

/**
 * siw_cq_put() - add a completion
 * @cq: the queue
 * @comp: the completion
 *
 * If the queue is full the completion is lost, and the consumer gets
 * IB_EVENT_CQ_ERR if it is the first that is.
 *
 * Context: any.
 * Return: what a consumer may wait for that this is, SIW_NOTIFY_*; 0 if it was
 * lost.  The caller gives that of all it adds to siw_cq_tell(), once it holds no
 * lock any more.
 */
u32 siw_cq_put(struct siw_cq *cq, const struct siw_completion *comp)
{
	u32 news = SIW_NOTIFY_NEXT_COMPLETION;
	u8 flags = SIW_WQE_VALID;
	struct siw_cqe *cqe;
	unsigned long irq;
	bool first;

	if (comp->invalidated)
		flags |= SIW_WQE_REM_INVAL;
	if (comp->solicited || comp->status != SIW_WC_SUCCESS)
		news |= SIW_NOTIFY_SOLICITED;

	spin_lock_irqsave(&cq->lock, irq);
	cqe = element(cq, cq->put);
	/* Pairs with the consumer's release when it clears the flags. */
	if (smp_load_acquire(&cqe->flags)) {
		first = !cq->overflowed;
		cq->overflowed = true;
		spin_unlock_irqrestore(&cq->lock, irq);
		overflow(cq, first);
		return 0;
	}
	fill(cqe, comp, cq->mmap);
	/* Pairs with the consumer's acquire: the body is there before it. */
	smp_store_release(&cqe->flags, flags);
	cq->put++;
	note_high(cq);
	trace_siw_complete(&cq->base, comp->qp, comp->id, comp->opcode,
			   comp->status, comp->bytes);
	spin_unlock_irqrestore(&cq->lock, irq);
	return news;
}

/**
 * siw_cq_is_due() - does the consumer wait for what was added?
 * @cq: the queue
 * @news: what siw_cq_put() returned, of one or of many
 *
 * Context: any.
 * Return: it does, and does not any more: siw_cq_notify() is to be called.
 */
bool siw_cq_is_due(struct siw_cq *cq, u32 news)
{
	unsigned long irq;
	bool due;

	/*
	 * Full barrier between "there are completions" and "is it armed?";
	 * the consumer arms first and then looks for completions.
	 */
	smp_mb();
	if (!(READ_ONCE(cq->ctrl->flags) & news))
		return false;
	spin_lock_irqsave(&cq->lock, irq);
	due = READ_ONCE(cq->ctrl->flags) & news;
	if (due)
		WRITE_ONCE(cq->ctrl->flags, SIW_NOTIFY_NOT);
	spin_unlock_irqrestore(&cq->lock, irq);
	return due;
}

void siw_cq_notify(struct siw_cq *cq)
{
	trace_siw_notify(&cq->base);
	siw_upcall(&cq->upcall, SIW_UPCALL_COMP);
}

/*
 * What a kernel consumer has not polled is void: its QP is destroyed.  It hears
 * of no completion of the QP from then on.
 */
void siw_cq_forget(struct siw_cq *cq, const struct ib_qp *qp)
{
	unsigned long irq;
	u32 i;

	spin_lock_irqsave(&cq->lock, irq);
	for (i = cq->get; !cq->mmap && i != cq->put; i++) {
		struct siw_cqe *cqe = element(cq, i);

		if (cqe->base_qp == qp)
			cqe->base_qp = NULL;
	}
	spin_unlock_irqrestore(&cq->lock, irq);
	siw_upcall_sync(&cq->upcall);
}

/* Whoever asks for its details may come until ib_core has let go of it. */
void *siw_cq_close(struct siw_cq *cq)
{
	void *queue = cq->queue;

	siw_upcall_sync(&cq->upcall);
	spin_lock_irq(&cq->lock);
	cq->queue = NULL;
	spin_unlock_irq(&cq->lock);
	return queue;
}

/* Completions that are not polled yet, as far as its consumer can be believed */
u32 siw_cq_pending(struct siw_cq *cq)
{
	u32 some = 0, none = cq->num_cqe;
	unsigned long irq;

	spin_lock_irqsave(&cq->lock, irq);
	/* They are the last ones put. */
	while (cq->queue && some < none) {
		u32 mid = some + (none - some) / 2;

		if (READ_ONCE(element(cq, cq->put - mid - 1)->flags))
			some = mid + 1;
		else
			none = mid;
	}
	spin_unlock_irqrestore(&cq->lock, irq);
	return some;
}

static void translate(struct ib_wc *wc, const struct siw_cqe *cqe)
{
	memset(wc, 0, sizeof(*wc));
	wc->wr_id = cqe->id;
	wc->status = statuses[cqe->status];
	wc->opcode = opcodes[cqe->opcode];
	wc->byte_len = cqe->bytes;
	wc->qp = cqe->base_qp;
	if (cqe->flags & SIW_WQE_REM_INVAL) {
		wc->ex.invalidate_rkey = cqe->inval_stag;
		wc->wc_flags = IB_WC_WITH_INVALIDATE;
	}
}

/* Kernel consumers only: a user CQ is polled by its provider. */
int siw_cq_poll(struct ib_cq *base, int num, struct ib_wc *wc)
{
	struct siw_cq *cq = to_siw_cq(base);
	unsigned long irq;
	int n;

	spin_lock_irqsave(&cq->lock, irq);
	for (n = 0; n < num && !cq->mmap;) {
		struct siw_cqe *cqe = element(cq, cq->get);

		if (!cqe->flags)
			break;
		if (cqe->base_qp)	/* else it was destroyed */
			translate(&wc[n++], cqe);
		cqe->flags = 0;
		cq->get++;
	}
	spin_unlock_irqrestore(&cq->lock, irq);
	return n;
}

int siw_cq_arm(struct ib_cq *base, enum ib_cq_notify_flags flags)
{
	struct siw_cq *cq = to_siw_cq(base);
	unsigned long irq;
	int missed = 0;
	u32 arm;

	arm = SIW_NOTIFY_SOLICITED;
	if ((flags & IB_CQ_SOLICITED_MASK) != IB_CQ_SOLICITED)
		arm |= SIW_NOTIFY_NEXT_COMPLETION;

	spin_lock_irqsave(&cq->lock, irq);
	/* A pending request for any completion is not weakened. */
	WRITE_ONCE(cq->ctrl->flags, READ_ONCE(cq->ctrl->flags) | arm);
	if (flags & IB_CQ_REPORT_MISSED_EVENTS)
		missed = READ_ONCE(element(cq, cq->get)->flags) != 0;
	spin_unlock_irqrestore(&cq->lock, irq);
	return missed;
}
