// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * The transmitter: FPDUs, built one after the other, go to TCP in trains.
 *
 * Whoever holds tx.lock is the one owner of a QP's transmitter.  A poster that
 * finds it taken leaves tx.again set: the owner looks at it after it let go.
 * What does not fit into TCP stays in tx.buf until there is room.
 */
#include "qp.h"
#include "trace.h"

/* Trains that go out before a poster is let go and a worker takes over */
#define TX_BUDGET	16

/* Build a train. Return: 0 or -ENOMEM if nothing could be built. */
static int build_train(struct siw_qp *qp)
{
	struct siw_tx *tx = &qp->tx;
	int did = 1;

	if (!tx->buf.len && !siw_llp_has_unsent(qp->llp))
		tx->base = tx->pos;
	while (tx->buf.len < SIW_TRAIN_LEN && did > 0 &&
	       (siw_qp_state(qp) == SIW_QP_RTS ||
		siw_qp_state(qp) == SIW_QP_CLOSING))
		did = siw_build_one(qp);
	return did < 0 && !tx->buf.len ? did : 0;
}

/* Hand the train to TCP. Return: 0 if all of it went, or -errno. */
static int send_train(struct siw_qp *qp)
{
	struct siw_device *dev = siw_qp_dev(qp);
	struct siw_txbuf *buf = &qp->tx.buf;

	while (buf->len) {
		int n = siw_llp_send_pages(qp->llp, &buf->bvec[buf->first],
					   siw_txbuf_segs(buf), buf->len,
					   qp->tx.msg == SIW_TX_WQE ||
					   qp->tx.msg == SIW_TX_RESPONSE);

		trace_siw_train(&qp->base, qp->tx.fpdus, n, buf->len);
		if (n == -EAGAIN)
			siw_count(dev, SIW_CNT_TX_WAIT);
		if (n < 0)
			return n;
		siw_count(dev, SIW_CNT_TX_TRAIN);
		siw_count_add(dev, SIW_CNT_TX_BYTES, n);
		siw_count_add(dev, SIW_CNT_TX_FPDU, qp->tx.fpdus);
		qp->tx.fpdus = 0;
		siw_txbuf_taken(buf, n);
	}
	siw_sq_sent(qp, qp->sq.fetch - (qp->tx.fetched ? 1 : 0));
	return 0;
}

/*
 * Send all there is to send.  A peer that reads and reads must not keep the
 * caller here: what goes beyond its budget is left to a worker.
 *
 * Return: 0, or -errno if it has to wait.
 */
static int transmit(struct siw_qp *qp)
{
	int err;

	do {
		err = send_train(qp);
		if (!err)
			err = build_train(qp);
		cond_resched();
	} while (!err && qp->tx.buf.len && --qp->tx.budget > 0);

	if (!err && qp->tx.buf.len)
		return -EAGAIN;		/* the budget is used up */
	if (!err && siw_qp_state(qp) == SIW_QP_TERMINATE) {
		if (qp->tx.msg != SIW_TX_TERMINATE)
			err = siw_build_terminate(qp);
		if (!err)
			err = send_train(qp);
		if (!err)
			siw_qp_event(qp, SIW_QP_EV_TERM_SENT);
	}
	/* What was done without an FPDU, such as LOCAL_INV */
	if (!err)
		siw_sq_sent(qp, qp->sq.fetch - (qp->tx.fetched ? 1 : 0));
	return err;
}

static void kick_after(struct siw_qp *qp, unsigned long delay)
{
	siw_qp_get(qp);
	/* One that waits for memory is due soon enough. */
	if (!queue_delayed_work(siw_data_wq, &qp->tx.work, delay))
		siw_qp_put(qp);		/* the pending one has a reference */
}

/* One look at everything there is to do; the caller owns the transmitter. */
static void step(struct siw_qp *qp)
{
	int err = 0;

	if (!qp->llp) {
		if (siw_qp_state(qp) == SIW_QP_ERROR)
			siw_sq_flush(qp);
		return;
	}
	if (siw_qp_state(qp) == SIW_QP_ERROR ||
	    (READ_ONCE(qp->tx.held) && siw_qp_state(qp) != SIW_QP_TERMINATE))
		return;
	err = transmit(qp);
	if (err == -ENOMEM)
		kick_after(qp, 1);
	else if (err && err != -EAGAIN)
		siw_qp_event(qp, SIW_QP_EV_LOST);
	else if (!err && siw_qp_state(qp) == SIW_QP_CLOSING)
		siw_qp_wake(qp);
}

/* Return: what is left of the budget. */
static int run_locked(struct siw_qp *qp, int budget)
{
	qp->tx.budget = budget;
	while (qp->tx.budget > 0 && test_and_clear_bit(0, &qp->tx.again)) {
		qp->tx.budget--;	/* looking costs as well */
		step(qp);
	}
	return qp->tx.budget;
}

/**
 * siw_tx_run() - transmit from the caller's context, if nobody else does
 * @qp: the QP
 *
 * Context: process.
 */
void siw_tx_run(struct siw_qp *qp)
{
	int budget = TX_BUDGET;

	set_bit(0, &qp->tx.again);
	/* Pairs with the barrier of the owner that lets go. */
	smp_mb__after_atomic();
	while (test_bit(0, &qp->tx.again) && mutex_trylock(&qp->tx.lock)) {
		budget = run_locked(qp, budget);
		mutex_unlock(&qp->tx.lock);
		if (budget <= 0) {
			siw_tx_kick(qp);
			return;
		}
		/* Pairs with the barrier of who finds the lock taken. */
		smp_mb();
	}
}

static void tx_work(struct work_struct *work)
{
	struct siw_qp *qp = container_of(to_delayed_work(work), struct siw_qp,
					 tx.work);

	siw_tx_run(qp);
	siw_qp_put(qp);
}

/* Let a worker transmit. Context: any. */
void siw_tx_kick(struct siw_qp *qp)
{
	kick_after(qp, 0);
}

void siw_tx_init(struct siw_qp *qp)
{
	u32 qn;

	mutex_init(&qp->tx.lock);
	qp->tx.mr.dev = siw_qp_dev(qp);
	INIT_DELAYED_WORK(&qp->tx.work, tx_work);
	for (qn = 0; qn < SIW_QNS; qn++)
		qp->tx.msn[qn] = 1;
}
