// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Queue pairs: life and state.
 */
#include <linux/slab.h>

#include "qp.h"
#include "trace.h"

static const u8 fault_status[SIW_FAULTS] = {
	[SIW_FAULT_RDMAP_STAG] = SIW_WC_REM_ACCESS_ERR,
	[SIW_FAULT_RDMAP_BOUNDS] = SIW_WC_REM_ACCESS_ERR,
	[SIW_FAULT_RDMAP_ACCESS] = SIW_WC_REM_ACCESS_ERR,
	[SIW_FAULT_RDMAP_PD] = SIW_WC_REM_ACCESS_ERR,
	[SIW_FAULT_RDMAP_WRAP] = SIW_WC_REM_ACCESS_ERR,
	[SIW_FAULT_RDMAP_INVALIDATE] = SIW_WC_REM_ACCESS_ERR,
	[SIW_FAULT_RDMAP_VERSION] = SIW_WC_REM_INV_REQ_ERR,
	[SIW_FAULT_RDMAP_OPCODE] = SIW_WC_REM_INV_REQ_ERR,
	[SIW_FAULT_DDP_STAG] = SIW_WC_REM_ACCESS_ERR,
	[SIW_FAULT_DDP_BOUNDS] = SIW_WC_REM_ACCESS_ERR,
	[SIW_FAULT_DDP_PD] = SIW_WC_REM_ACCESS_ERR,
	[SIW_FAULT_DDP_WRAP] = SIW_WC_REM_ACCESS_ERR,
	[SIW_FAULT_DDP_T_VERSION] = SIW_WC_REM_INV_REQ_ERR,
	[SIW_FAULT_DDP_QN] = SIW_WC_REM_INV_REQ_ERR,
	[SIW_FAULT_DDP_NO_BUFFER] = SIW_WC_REM_INV_REQ_ERR,
	[SIW_FAULT_DDP_MSN] = SIW_WC_REM_INV_REQ_ERR,
	[SIW_FAULT_DDP_MO] = SIW_WC_REM_INV_REQ_ERR,
	[SIW_FAULT_DDP_TOO_LONG] = SIW_WC_REM_INV_REQ_ERR,
	[SIW_FAULT_DDP_U_VERSION] = SIW_WC_REM_INV_REQ_ERR,
};

/* What a fault means for work that was not finished */
static enum siw_wc_status status_of(enum siw_fault fault)
{
	return fault_status[fault] ? fault_status[fault] : SIW_WC_GENERAL_ERR;
}

/**
 * siw_qp_lookup() - find a queue pair by its number
 * @dev: the device
 * @qpn: QP number
 *
 * Context: any.
 * Return: the QP with a reference, or NULL.
 */
struct siw_qp *siw_qp_lookup(struct siw_device *dev, u32 qpn)
{
	struct siw_qp *qp;
	unsigned long irq;

	xa_lock_irqsave(&dev->qps, irq);
	qp = xa_load(&dev->qps, qpn);
	if (qp && !kref_get_unless_zero(&qp->ref))
		qp = NULL;
	xa_unlock_irqrestore(&dev->qps, irq);
	return qp;
}

static void last_put(struct kref *ref)
{
	complete(&container_of(ref, struct siw_qp, ref)->gone);
}

void siw_qp_get(struct siw_qp *qp)
{
	kref_get(&qp->ref);
}

void siw_qp_put(struct siw_qp *qp)
{
	kref_put(&qp->ref, last_put);
}

static void tell(struct siw_upcall *up, unsigned long what)
{
	struct siw_qp *qp = container_of(up, struct siw_qp, upcall);
	struct ib_event event = {
		.device = qp->base.device,
		.element.qp = &qp->base,
	};
	unsigned int type;

	for_each_set_bit(type, &what, BITS_PER_LONG) {
		event.event = type;
		if (qp->base.event_handler)
			qp->base.event_handler(&event, qp->base.qp_context);
	}
}

/* @user: the consumer is ib_uverbs */
void siw_qp_init(struct siw_qp *qp, bool user)
{
	siw_upcall_init(&qp->upcall, user, tell);
	kref_init(&qp->ref);
	init_completion(&qp->gone);
	INIT_LIST_HEAD(&qp->lent);
	/* RFC 5040 knows no RESET: a new QP is in IDLE, which ib_core calls INIT. */
	qp->ib_state = IB_QPS_INIT;
	spin_lock_init(&qp->lock);
	spin_lock_init(&qp->sq.lock);
	spin_lock_init(&qp->sq.post_lock);
	spin_lock_init(&qp->rq.lock);
	siw_tx_init(qp);
	siw_rx_init(qp);
}

/*
 * A process names the QP that it connects by a number that it chooses.  It may
 * be one that it made, or that its user did.  The kernel's are its own: a thread of it
 * connects no process's, and a process none of its but what was made for it.
 */
bool siw_qp_may_connect(const struct siw_qp *qp)
{
	bool of_kernel = !qp->sq.mmap;

	if (current->flags & PF_KTHREAD)
		return of_kernel;
	return qp->creator == task_tgid(current) ||
	       (!of_kernel && uid_eq(qp->creator_uid, current_euid()));
}

/* What ibv_query_qp() says */
enum ib_qp_state siw_qp_ib_state(const struct siw_qp *qp)
{
	switch (siw_qp_state(qp)) {
	case SIW_QP_IDLE:
		return qp->ib_state;
	case SIW_QP_RTS:
		return IB_QPS_RTS;
	case SIW_QP_CLOSING:
		return IB_QPS_SQD;
	default:
		return IB_QPS_ERR;
	}
}

/**
 * siw_qp_claim() - make a QP belong to a connection
 * @qp: idle QP
 * @owner: the connection
 * @ops: upcalls
 *
 * The claim holds a reference on the QP.
 *
 * Return: 0, -EBUSY if it is not idle or has an owner, or -EINVAL if it is not
 * the caller's: the number may have become another's since it was asked.
 */
int siw_qp_claim(struct siw_qp *qp, void *owner, const struct siw_qp_ops *ops)
{
	int err = -EBUSY;

	if (!siw_qp_may_connect(qp))
		return -EINVAL;
	spin_lock_bh(&qp->lock);
	if (!qp->owner && qp->state == SIW_QP_IDLE) {
		qp->owner = owner;
		qp->ops = ops;
		siw_qp_get(qp);
		err = 0;
	}
	spin_unlock_bh(&qp->lock);
	return err;
}

/* No upcall comes after this. */
void siw_qp_unclaim(struct siw_qp *qp)
{
	spin_lock_bh(&qp->lock);
	qp->owner = NULL;
	spin_unlock_bh(&qp->lock);
	siw_qp_put(qp);
}

/**
 * siw_qp_depths() - provide for outstanding Reads
 * @qp: claimed QP, not started
 * @ird: most Reads we are going to take, up to SIW_MAX_RD_ATOM
 * @ord: most Reads we are going to issue, up to SIW_MAX_RD_ATOM
 *
 * Return: 0 or -ENOMEM.
 */
int siw_qp_depths(struct siw_qp *qp, u32 ird, u32 ord)
{
	/* A power of two each, so that free-running indices may wrap. */
	u32 irq_size = roundup_pow_of_two(max(ird, 1u));
	u32 orq_size = roundup_pow_of_two(max(ord, 1u));

	kfree(qp->irq);
	kfree(qp->orq);
	qp->irq = kzalloc_objs(*qp->irq, irq_size, GFP_KERNEL_ACCOUNT);
	qp->orq = kzalloc_objs(*qp->orq, orq_size, GFP_KERNEL_ACCOUNT);
	qp->irq_mask = irq_size - 1;
	qp->orq_mask = orq_size - 1;
	return qp->irq && qp->orq ? 0 : -ENOMEM;
}

/**
 * siw_qp_start() - enter full operation
 * @qp: claimed QP whose owner holds the socket
 * @start: what the start-up agreed on
 *
 * Return: 0, or -ECONNABORTED if the QP was moved to ERROR meanwhile, or
 * -ENOMEM.
 */
int siw_qp_start(struct siw_qp *qp, const struct siw_qp_start *start)
{
	int err = -ECONNABORTED;

	qp->rx.mpa.crc = start->crc;
	qp->rx.rtr_send = start->rtr_send;
	qp->tx.rtr = start->rtr;
	qp->tx.held = start->passive;
	/* Who asks for details may look at any time. */
	WRITE_ONCE(qp->tx.markers, start->markers);
	WRITE_ONCE(qp->tx.crc, start->crc);
	WRITE_ONCE(qp->rev, start->rev);
	WRITE_ONCE(qp->ird, start->ird);
	WRITE_ONCE(qp->ord, start->ord);

	mutex_lock(&qp->tx.lock);
	if (siw_qp_event(qp, SIW_QP_EV_START)) {
		qp->llp = start->llp;
		qp->last_wqe_told = false;
		err = 0;
	}
	mutex_unlock(&qp->tx.lock);
	siw_tx_run(qp);
	return err;
}

/* It has no stream and gets none: posted work is flushed at once. */
bool siw_qp_is_stopped(const struct siw_qp *qp)
{
	return siw_qp_state(qp) == SIW_QP_ERROR && !READ_ONCE(qp->llp);
}

/* For who took the lock to look: what was left to its owner is not lost. */
static void unlock_tx(struct siw_qp *qp)
{
	mutex_unlock(&qp->tx.lock);
	/* Pairs with the barrier of who finds the lock taken. */
	smp_mb();
	if (test_bit(0, &qp->tx.again))
		siw_tx_kick(qp);
}

static bool may_reset(const struct siw_qp *qp)
{
	return !qp->owner && (siw_qp_state(qp) == SIW_QP_IDLE ||
			      siw_qp_is_stopped(qp));
}

static void forget_stream(struct siw_qp *qp)
{
	u32 qn;

	lockdep_assert_held(&qp->lock);
	for (qn = 0; qn < SIW_QNS; qn++)
		qp->tx.msn[qn] = 1;
	siw_ddp_rx_init(&qp->rx.ddp);
	qp->rx.fpdus = 0;
	qp->tx.pos = 0;
	qp->tx.fpdus = 0;
	qp->tx.last = SIW_TX_NONE;
	qp->tx.stalled = false;
	qp->fault = SIW_OK;
	qp->by_peer = false;
	qp->orq_put = 0;
	qp->orq_get = 0;
	qp->orq_high = 0;
	qp->irq_put = 0;
	qp->irq_get = 0;
	qp->irq_high = 0;
	qp->ib_state = IB_QPS_RESET;
}

/* What the provider is told of the queues of its QP */
static void set_ctrl(struct siw_qp *qp, u32 flags)
{
	if (!qp->sq.ctrl)
		return;
	WRITE_ONCE(qp->sq.ctrl->flags, flags);
	/*
	 * It posts, has a full barrier, and looks at the flags: either that is
	 * seen by who flushes after this, or this by it.
	 */
	smp_mb();
}

/* Begin anew. Return: 0, or -EBUSY if a connection still has it. */
int siw_qp_reset(struct siw_qp *qp)
{
	int err = -EBUSY;

	mutex_lock(&qp->tx.lock);
	spin_lock_bh(&qp->lock);
	if (may_reset(qp)) {
		trace_siw_qp_state(&qp->base, qp->state, SIW_QP_IDLE,
				   SIW_QP_EV_RESET);
		forget_stream(qp);
		set_ctrl(qp, 0);
		WRITE_ONCE(qp->state,
			   siw_qp_next(qp->state, SIW_QP_EV_RESET));
		err = 0;
	}
	spin_unlock_bh(&qp->lock);
	if (!err) {
		siw_sq_forget(qp);
		siw_rq_forget(qp);
	}
	unlock_tx(qp);
	return err;
}

/* Neither side said why. */
static bool is_loss(enum siw_qp_state state, enum siw_qp_event ev)
{
	return ev == SIW_QP_EV_LOST &&
	       (state == SIW_QP_RTS || state == SIW_QP_CLOSING);
}

static void wake_owner_locked(struct siw_qp *qp)
{
	lockdep_assert_held(&qp->lock);
	if (qp->owner)
		qp->ops->wake(qp->owner);
}

void siw_qp_wake(struct siw_qp *qp)
{
	spin_lock_bh(&qp->lock);
	wake_owner_locked(qp);
	spin_unlock_bh(&qp->lock);
}

/**
 * siw_qp_event() - something happened to the stream
 * @qp: the QP
 * @ev: what
 *
 * Context: any but hard interrupt.
 * Return: false if @ev is not allowed in the QP's state.
 */
bool siw_qp_event(struct siw_qp *qp, enum siw_qp_event ev)
{
	enum siw_qp_state next;

	spin_lock_bh(&qp->lock);
	next = siw_qp_next(qp->state, ev);
	if (next != SIW_QP_REFUSED && next != qp->state) {
		trace_siw_qp_state(&qp->base, qp->state, next, ev);
		if (is_loss(qp->state, ev))
			siw_count(siw_qp_dev(qp), SIW_CNT_STREAM_LOST);
		WRITE_ONCE(qp->state, next);
		wake_owner_locked(qp);
	}
	spin_unlock_bh(&qp->lock);
	return next != SIW_QP_REFUSED;
}

/**
 * siw_qp_fault() - the stream has to end: send a Terminate
 * @qp: the QP
 * @fault: why
 * @ulpdu: the offending segment, or NULL
 * @avail: octets at @ulpdu
 * @ulpdu_len: length of the segment
 *
 * The first fault wins (RFC 5040 section 4.8).
 */
void siw_qp_fault(struct siw_qp *qp, enum siw_fault fault, const u8 *ulpdu,
		  size_t avail, u16 ulpdu_len)
{
	bool by_peer;

	spin_lock_bh(&qp->lock);
	if (qp->fault == SIW_OK && (qp->state == SIW_QP_RTS ||
				    qp->state == SIW_QP_CLOSING)) {
		qp->fault = fault;
		siw_term_fill(&qp->term, fault, ulpdu, avail, ulpdu_len);
	}
	by_peer = qp->by_peer;
	spin_unlock_bh(&qp->lock);
	/* Of the peer's Terminate the one who received it tells. */
	if (!by_peer)
		siw_qp_event(qp, SIW_QP_EV_FAULT);
	siw_tx_kick(qp);
}

/* The peer's Terminate came: RFC 5040 section 5.4. */
void siw_qp_terminated(struct siw_qp *qp, const struct siw_term *term)
{
	enum siw_fault fault = siw_term_fault(term);

	spin_lock_bh(&qp->lock);
	if (qp->fault == SIW_OK) {
		qp->fault = fault;
		qp->by_peer = true;
		qp->term = *term;
	}
	spin_unlock_bh(&qp->lock);
	spin_lock_bh(&qp->sq.lock);
	qp->sq.peer_status = status_of(fault);
	spin_unlock_bh(&qp->sq.lock);
	siw_qp_event(qp, SIW_QP_EV_TERM_RCVD);
}

static enum ib_event_type event_of(const struct siw_qp *qp)
{
	switch (status_of(qp->fault)) {
	case SIW_WC_REM_ACCESS_ERR:
		return IB_EVENT_QP_ACCESS_ERR;
	case SIW_WC_REM_INV_REQ_ERR:
		return IB_EVENT_QP_REQ_ERR;
	default:
		return IB_EVENT_QP_FATAL;
	}
}

/* Tell the consumer why the stream ended; once, when it is stopped. */
void siw_qp_report(struct siw_qp *qp)
{
	if (qp->fault != SIW_OK)
		siw_upcall(&qp->upcall, BIT(event_of(qp)));
}

/* Who drains a QP with an SRQ waits for this. */
static void report_last_wqe(struct siw_qp *qp)
{
	bool told;

	spin_lock_bh(&qp->lock);
	told = qp->last_wqe_told;
	qp->last_wqe_told = true;
	spin_unlock_bh(&qp->lock);
	if (qp->srq && !told && !READ_ONCE(qp->dying))
		siw_upcall(&qp->upcall, BIT(IB_EVENT_QP_LAST_WQE_REACHED));
}

/**
 * siw_qp_stop() - leave the stream and flush
 * @qp: QP in ERROR
 * @owner: whose stream it is, NULL if nobody's
 *
 * Does nothing if the QP has begun anew meanwhile.  @owner has detached the
 * socket, so the receiver does not run; the transmitter is waited for.  From
 * here on posted work is flushed at once.
 */
void siw_qp_stop(struct siw_qp *qp, const void *owner)
{
	mutex_lock(&qp->tx.lock);
	if (siw_qp_state(qp) == SIW_QP_ERROR && READ_ONCE(qp->owner) == owner) {
		siw_rx_stop(qp);
		WRITE_ONCE(qp->llp, NULL);
		siw_txbuf_drop(&qp->tx.buf);
		set_ctrl(qp, SIW_QP_CTRL_STOPPED);
		siw_sq_flush(qp);
		siw_rq_flush(qp);
		report_last_wqe(qp);
	}
	unlock_tx(qp);
}

/* Nothing is posted, on its way to TCP, or owed to the peer */
bool siw_qp_is_drained(struct siw_qp *qp)
{
	bool drained;

	mutex_lock(&qp->tx.lock);
	drained = siw_sq_is_idle(qp) && !siw_qp_owes_response(qp) &&
		  !qp->tx.buf.len;
	unlock_tx(qp);
	return drained;
}
