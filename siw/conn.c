// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Connections: MPA start-up, the life of a stream, and its end.
 *
 * Whatever happens on the socket, at the QP or in time queues one work, which
 * looks at the states and does what they ask for.  Nothing here waits: a
 * connection that is over hands its socket to LINGER, which sends the FIN and
 * drops what comes until the peer's FIN, and is bounded in time.
 */
#include <linux/slab.h>
#include <rdma/iw_cm.h>

#include "conn.h"
#include "log.h"
#include "trace.h"

static void conn_free(struct kref *ref)
{
	kfree(container_of(ref, struct siw_conn, ref));
}

void siw_conn_put(struct siw_conn *conn)
{
	kref_put(&conn->ref, conn_free);
}

static void queue_on(struct siw_conn *conn, struct workqueue_struct *wq)
{
	kref_get(&conn->ref);
	if (!queue_work(wq, &conn->work))
		siw_conn_put(conn);
}

/*
 * Look at the connection soon.  Requests go out and up in the order in which TCP
 * has them: programs pair several connections by it.  Context: any.
 */
void siw_conn_queue(struct siw_conn *conn)
{
	enum siw_conn_state state = READ_ONCE(conn->state);
	bool ordered = state == SIW_CONN_CONNECTING ||
		       state == SIW_CONN_WAIT_REQUEST;

	queue_on(conn, ordered ? siw_request_wq : siw_wq);
}

void siw_conn_arm(struct siw_conn *conn, unsigned int ms)
{
	conn->deadline = jiffies + msecs_to_jiffies(ms);
	if (!conn->deadline)		/* 0 stands for "none" */
		conn->deadline--;	/* earlier than the timer */
	kref_get(&conn->ref);
	if (mod_delayed_work(siw_wq, &conn->timer, msecs_to_jiffies(ms)))
		siw_conn_put(conn);		/* the pending one has a reference */
}

/* Look again in a moment; the deadline stays. */
void siw_conn_retry(struct siw_conn *conn)
{
	kref_get(&conn->ref);
	if (mod_delayed_work(siw_wq, &conn->timer, HZ / 10))
		siw_conn_put(conn);
}

/* A timer that fires all the same finds no deadline. */
void siw_conn_disarm(struct siw_conn *conn)
{
	conn->deadline = 0;
	if (cancel_delayed_work(&conn->timer))
		siw_conn_put(conn);
}

/* For the callbacks of the socket: the QP may be used. */
static bool is_running(const struct siw_conn *conn)
{
	/* Pairs with the release in siw_conn_set_state(). */
	enum siw_conn_state state = smp_load_acquire(&conn->state);

	return state == SIW_CONN_UP || state == SIW_CONN_WAIT_FIRST;
}

static void on_data(struct siw_llp *llp)
{
	struct siw_conn *conn = container_of(llp, struct siw_conn, llp);

	if (is_running(conn))
		siw_rx_data_ready(conn->qp);
	else
		siw_conn_queue(conn);
}

static void on_space(struct siw_llp *llp)
{
	struct siw_conn *conn = container_of(llp, struct siw_conn, llp);

	if (is_running(conn))
		siw_tx_kick(conn->qp);
}

static void on_change(struct siw_llp *llp)
{
	siw_conn_queue(container_of(llp, struct siw_conn, llp));
}

const struct siw_llp_ops siw_conn_llp_ops = {
	.data_ready = on_data,
	.write_space = on_space,
	.state_change = on_change,
};

/* What becomes of a queue pair has no order, and takes long if it is flushed. */
static void on_wake(void *owner)
{
	queue_on(owner, siw_wq);
}

static const struct siw_qp_ops conn_qp_ops = {
	.wake = on_wake,
};

static u32 qpn_of(const struct siw_conn *conn)
{
	return conn->qp ? conn->qp->base.qp_num : 0;
}

/* No connection comes of it; @cause is the counter that says why. */
void siw_conn_failed(struct siw_conn *conn, enum siw_counter cause, int err)
{
	siw_count(conn->dev, cause);
	if (cause >= SIW_CNT_TIMEOUT_TCP && cause <= SIW_CNT_HALF_OPEN)
		siw_count(conn->dev, SIW_CNT_CONN_TIMEOUT);
	trace_siw_conn_failed(&conn->dev->base, qpn_of(conn), &conn->local,
			      &conn->remote, cause, err);
}

/* Enter a state; the callbacks of the socket see it from now on. */
void siw_conn_set_state(struct siw_conn *conn, enum siw_conn_state state)
{
	trace_siw_conn_state(&conn->dev->base, qpn_of(conn), &conn->local,
			     &conn->remote, conn->state, state);
	/* Pairs with the acquire in is_running(). */
	smp_store_release(&conn->state, state);
}

/* An event that iw_cm does not take leaves its caller waiting for ever. */
void siw_conn_tell(struct siw_conn *conn, struct iw_cm_event *event)
{
	struct iw_cm_id *cm_id = conn->cm_id;

	event->local_addr = conn->local;
	event->remote_addr = conn->remote;
	if (!cm_id || !cm_id->event_handler(cm_id, event) ||
	    !event->private_data_len)
		return;
	/* No memory for a copy of the private data: it needs none without. */
	event->private_data_len = 0;
	event->private_data = NULL;
	cm_id->event_handler(cm_id, event);
}

void siw_conn_tell_status(struct siw_conn *conn, enum iw_cm_event_type type,
			  int status)
{
	struct iw_cm_event event = { .event = type, .status = status };

	siw_conn_tell(conn, &event);
}

void siw_conn_drop_cm_id(struct siw_conn *conn)
{
	struct iw_cm_id *cm_id = conn->cm_id;

	siw_accept_forget(conn);
	conn->lent = NULL;
	conn->cm_id = NULL;
	if (cm_id)
		cm_id->rem_ref(cm_id);
}

void siw_conn_drop_setup(struct siw_conn *conn)
{
	if (conn->setup && conn->setup->spare)
		sock_release(conn->setup->spare);
	kfree(conn->setup);
	conn->setup = NULL;
	siw_accept_leave(conn);
}

/*
 * No socket any more, and nothing to do with one.  TCP does not look after a
 * kernel's socket that is released with its FIN on the way (it stops the
 * timers), so one that is not closed yet is reset.
 */
void siw_conn_retire(struct siw_conn *conn)
{
	siw_conn_set_state(conn, SIW_CONN_CLOSED);
	siw_conn_disarm(conn);
	siw_conn_drop_setup(conn);
	if (conn->llp.sock)
		siw_llp_abort(&conn->llp);
	mutex_lock(&conn->dev->conns_lock);
	conn->dev->lingering -= !!conn->linger_end;
	conn->linger_end = 0;
	if (!list_empty(&conn->entry)) {
		list_del_init(&conn->entry);
		siw_conn_put(conn);
	}
	mutex_unlock(&conn->dev->conns_lock);
}

/* When a connection has lingered enough; 0 stands for "does not linger". */
static void linger_until(struct siw_conn *conn, unsigned long when)
{
	WRITE_ONCE(conn->linger_end, when ?: 1);
}

/* Peers that never close must not pile up: who has waited longest makes way. */
static void begin_linger(struct siw_conn *conn)
{
	struct siw_device *dev = conn->dev;
	struct siw_conn *oldest;

	linger_until(conn, jiffies + msecs_to_jiffies(SIW_LINGER_MAX));
	mutex_lock(&dev->conns_lock);
	if (dev->lingering++ >= SIW_MAX_LINGER) {
		oldest = list_first_entry_or_null(&dev->lingerers,
						  struct siw_conn, entry);
		if (oldest) {
			list_move_tail(&oldest->entry, &dev->conns);
			linger_until(oldest, jiffies);
			siw_conn_queue(oldest);
		}
	}
	if (!list_empty(&conn->entry))
		list_move_tail(&conn->entry, &dev->lingerers);
	mutex_unlock(&dev->conns_lock);
}

/*
 * What the peer has taken of us and answered us with; whatever else it sends
 * does not keep us waiting.
 */
static u32 progress_of(const struct siw_conn *conn)
{
	return siw_llp_acked(&conn->llp) +
	       (conn->qp ? READ_ONCE(conn->qp->rx.answers) : 0);
}

/* Arm the timer of a state that may last while the peer takes octets. */
static void arm_watch(struct siw_conn *conn, unsigned int ms)
{
	conn->progress = progress_of(conn);
	siw_conn_arm(conn, ms);
}

/* The stream is over: let TCP end in its own time. */
void siw_conn_linger(struct siw_conn *conn)
{
	siw_conn_set_state(conn, SIW_CONN_LINGER);
	siw_conn_drop_setup(conn);
	siw_llp_barrier(&conn->llp);
	begin_linger(conn);
	siw_llp_shutdown(&conn->llp);
	arm_watch(conn, SIW_LINGER_TIMEOUT);
	siw_conn_queue(conn);
}

static void lingering(struct siw_conn *conn)
{
	siw_llp_drain(&conn->llp);
	if (siw_llp_state(&conn->llp) == SIW_LLP_CLOSED ||
	    !time_before(jiffies, READ_ONCE(conn->linger_end)))
		siw_conn_retire(conn);
}

/* Give back the QP; its consumer hears of it. */
void siw_conn_release_qp(struct siw_conn *conn)
{
	struct siw_qp *qp = conn->qp;

	conn->qp = NULL;
	if (qp)
		siw_qp_unclaim(qp);
}

/* The QP is in ERROR: stop it, flush it, tell everybody. */
static void end_stream(struct siw_conn *conn)
{
	bool accepting = conn->state == SIW_CONN_WAIT_FIRST;
	struct siw_qp *qp = conn->qp;

	siw_conn_set_state(conn, SIW_CONN_LINGER);
	siw_llp_barrier(&conn->llp);
	siw_qp_stop(qp, conn);
	siw_log_fault(conn);
	/* iw_cm knows CLOSE only for a connection that was established. */
	if (accepting && !READ_ONCE(qp->tx.held))
		siw_conn_established(conn);
	else if (accepting)
		siw_conn_tell_status(conn, IW_CM_EVENT_ESTABLISHED, -ECONNRESET);
	siw_qp_report(qp);
	siw_conn_tell_status(conn, IW_CM_EVENT_CLOSE, 0);
	siw_conn_drop_cm_id(conn);
	siw_conn_release_qp(conn);
	siw_conn_linger(conn);
}

/*
 * Full operation
 */

/*
 * Our FIN goes out behind everything that was posted and all that the peer is
 * owed, also after the peer's FIN.  That may take as long as it takes, but not
 * stand still.
 */
static void close_when_drained(struct siw_conn *conn)
{
	enum siw_llp_state state = siw_llp_state(&conn->llp);

	if (!conn->deadline)
		arm_watch(conn, SIW_LINGER_TIMEOUT);
	if (state == SIW_LLP_FIN_SENT)
		return;
	if (state != SIW_LLP_CLOSED && !siw_qp_is_drained(conn->qp))
		return;
	if (state == SIW_LLP_UP)
		siw_llp_shutdown(&conn->llp);
	else
		siw_qp_event(conn->qp, SIW_QP_EV_CLOSED);
}

/*
 * Something moved since the timer was armed.  The peer's acknowledgment of our
 * FIN counts, so it has 5 s to 10 s for its own.
 */
static bool moves(struct siw_conn *conn)
{
	u32 progress = progress_of(conn);
	u32 before = conn->progress;

	conn->progress = progress;
	return progress != before;
}

/* A state that lasts as long as the peer takes what is on its way to it. */
static bool may_take_longer(struct siw_conn *conn)
{
	switch (siw_qp_state(conn->qp)) {
	case SIW_QP_CLOSING:
	case SIW_QP_TERMINATE:
		return moves(conn);
	default:
		return false;
	}
}

/*
 * The peer does not send any more.  If that ends in the middle of something,
 * or before it allowed us to send, the stream is lost.
 */
static void peer_closed(struct siw_conn *conn)
{
	bool whole = siw_rx_is_idle(conn->qp) && !READ_ONCE(conn->qp->tx.held);

	siw_qp_event(conn->qp, whole ? SIW_QP_EV_PEER_CLOSED :
				       SIW_QP_EV_LOST);
}

static void look_at_socket(struct siw_conn *conn)
{
	switch (siw_llp_state(&conn->llp)) {
	case SIW_LLP_UP:
	case SIW_LLP_FIN_SENT:
	case SIW_LLP_CONNECTING:
		break;
	case SIW_LLP_PEER_CLOSED:
	case SIW_LLP_LAST_ACK:
	case SIW_LLP_CLOSED:
		/* What came before counts. What waits for memory wakes us. */
		siw_llp_poke(&conn->llp);
		if (siw_llp_has_data(&conn->llp))
			break;
		if (siw_llp_error(&conn->llp))
			siw_qp_event(conn->qp, SIW_QP_EV_LOST);
		else
			peer_closed(conn);
	}
}

/* rdma_cm takes the peer's IRD for the most Reads we may have outstanding. */
void siw_conn_established(struct siw_conn *conn)
{
	struct iw_cm_event event = {
		.event = IW_CM_EVENT_ESTABLISHED,
		.ird = conn->qp->ord,
		.ord = conn->qp->ird,
	};

	siw_conn_disarm(conn);
	if (conn->state != SIW_CONN_LINGER)	/* over already */
		siw_conn_set_state(conn, SIW_CONN_UP);
	siw_count(conn->dev, SIW_CNT_CONN_UP);
	siw_conn_tell(conn, &event);
}

static void running(struct siw_conn *conn)
{
	struct siw_qp *qp = conn->qp;

	if (conn->state == SIW_CONN_WAIT_FIRST && !READ_ONCE(qp->tx.held))
		siw_conn_established(conn);
	if (siw_qp_state(qp) == SIW_QP_RTS ||
	    siw_qp_state(qp) == SIW_QP_CLOSING)
		look_at_socket(conn);
	if (siw_qp_state(qp) == SIW_QP_CLOSING)
		close_when_drained(conn);
	if (siw_qp_state(qp) == SIW_QP_TERMINATE && !conn->deadline)
		arm_watch(conn, SIW_TERM_TIMEOUT);
	if (siw_qp_state(qp) == SIW_QP_ERROR)
		end_stream(conn);
}

/* One look at everything; the caller holds the lock. */
static void conn_look(struct siw_conn *conn)
{
	lockdep_assert_held(&conn->lock);
	switch (conn->state) {
	case SIW_CONN_CONNECTING:
	case SIW_CONN_WAIT_REPLY:
		if (siw_qp_state(conn->qp) == SIW_QP_ERROR)
			siw_connect_fail(conn, SIW_CNT_CONN_ABORT,
					 -ECONNABORTED);
		else if (conn->state == SIW_CONN_CONNECTING)
			siw_connect_tcp(conn);
		else
			siw_connect_reply(conn);
		break;
	case SIW_CONN_WAIT_REQUEST:
		siw_accept_request(conn);
		break;
	case SIW_CONN_QUEUED:
		siw_accept_ask(conn);
		break;
	case SIW_CONN_ULP:
		if (siw_llp_state(&conn->llp) != SIW_LLP_UP ||
		    siw_llp_has_data(&conn->llp)) {
			siw_conn_failed(conn, SIW_CNT_CONN_CLOSED, -ECONNRESET);
			siw_conn_retire(conn);
		}
		break;
	case SIW_CONN_WAIT_FIRST:
	case SIW_CONN_UP:
		running(conn);
		break;
	case SIW_CONN_LINGER:
		lingering(conn);
		break;
	case SIW_CONN_CLOSED:
		break;
	}
}

/* An event of its QP, and what comes of it at once */
void siw_conn_event(struct siw_conn *conn, enum siw_qp_event event)
{
	siw_qp_event(conn->qp, event);
	conn_look(conn);
}

static void conn_work(struct work_struct *work)
{
	struct siw_conn *conn = container_of(work, struct siw_conn, work);
	unsigned int noio = siw_conn_lock(conn);

	conn_look(conn);
	siw_conn_unlock(conn, noio);
	siw_conn_put(conn);
}

/* The state has lasted too long. */
static void conn_timeout(struct work_struct *work)
{
	struct siw_conn *conn = container_of(to_delayed_work(work),
					     struct siw_conn, timer);
	unsigned int noio = siw_conn_lock(conn);

	conn_look(conn);
	if (!conn->deadline || time_before(jiffies, conn->deadline))
		goto out;
	switch (conn->state) {
	case SIW_CONN_CONNECTING:
		siw_connect_fail(conn, SIW_CNT_TIMEOUT_TCP, -ETIMEDOUT);
		break;
	case SIW_CONN_WAIT_REPLY:
		siw_connect_fail(conn, SIW_CNT_TIMEOUT_REPLY, -ETIMEDOUT);
		break;
	case SIW_CONN_WAIT_REQUEST:
		siw_conn_failed(conn, SIW_CNT_TIMEOUT_REQ, -ETIMEDOUT);
		siw_conn_retire(conn);
		break;
	case SIW_CONN_QUEUED:
	case SIW_CONN_ULP:
		siw_conn_failed(conn, SIW_CNT_TIMEOUT_ULP, -ETIMEDOUT);
		siw_conn_retire(conn);
		break;
	case SIW_CONN_WAIT_FIRST:
	case SIW_CONN_UP:
		/* Who waits for the first FPDU cannot be destroyed: not for longer. */
		if (conn->state == SIW_CONN_UP && may_take_longer(conn)) {
			siw_conn_arm(conn, SIW_LINGER_TIMEOUT);
			break;
		}
		if (conn->state == SIW_CONN_WAIT_FIRST)
			siw_conn_failed(conn, SIW_CNT_TIMEOUT_FIRST,
					-ETIMEDOUT);
		siw_conn_event(conn, SIW_QP_EV_LOST);
		break;
	case SIW_CONN_LINGER:
		if (moves(conn))
			siw_conn_arm(conn, SIW_LINGER_TIMEOUT);
		else
			siw_conn_retire(conn);
		break;
	case SIW_CONN_CLOSED:
		break;
	}
out:
	siw_conn_unlock(conn, noio);
	siw_conn_put(conn);
}

struct siw_conn *siw_conn_new(struct siw_device *dev)
{
	struct siw_conn *conn = kzalloc_obj(*conn, GFP_KERNEL_ACCOUNT);

	if (!conn)
		return NULL;
	conn->setup = kzalloc_obj(*conn->setup, GFP_KERNEL_ACCOUNT);
	if (!conn->setup) {
		kfree(conn);
		return NULL;
	}
	conn->setup->in_need = SIW_MPA_HDR_LEN;
	kref_init(&conn->ref);
	mutex_init(&conn->lock);
	INIT_LIST_HEAD(&conn->entry);
	INIT_LIST_HEAD(&conn->queued);
	conn->dev = dev;
	INIT_WORK(&conn->work, conn_work);
	INIT_DELAYED_WORK(&conn->timer, conn_timeout);
	return conn;
}

/* From here on the device's end is the connection's. */
int siw_conn_publish(struct siw_conn *conn)
{
	int err = -ENODEV;

	mutex_lock(&conn->dev->conns_lock);
	if (!conn->dev->closed) {
		kref_get(&conn->ref);
		list_add_tail(&conn->entry, conn->backlog ?
			      &conn->dev->half_open : &conn->dev->conns);
		err = 0;
	}
	mutex_unlock(&conn->dev->conns_lock);
	return err;
}

int siw_conn_claim_qp(struct siw_conn *conn, u32 qpn, u32 ird, u32 ord)
{
	struct siw_qp *qp = siw_qp_lookup(conn->dev, qpn);
	int err;

	if (!qp)
		return -EINVAL;
	err = siw_qp_claim(qp, conn, &conn_qp_ops);
	if (!err) {
		conn->qp = qp;
		err = siw_qp_depths(qp, ird, ord);
		if (err)
			siw_conn_release_qp(conn);
	}
	siw_qp_put(qp);
	return err;
}

static struct siw_conn *owner_of(struct siw_qp *qp)
{
	struct siw_conn *conn;

	spin_lock_bh(&qp->lock);
	conn = qp->owner;
	if (conn)
		kref_get(&conn->ref);
	spin_unlock_bh(&qp->lock);
	return conn;
}

/**
 * siw_conn_fail_qp() - the QP was or is to be moved to ERROR
 * @qp: the QP
 *
 * When it returns, everything posted so far is flushed and the connection is
 * left to end by itself.
 *
 * Context: process.
 */
void siw_conn_fail_qp(struct siw_qp *qp)
{
	struct siw_conn *conn;
	unsigned int noio;

	siw_qp_event(qp, SIW_QP_EV_FAIL);
	conn = owner_of(qp);
	if (conn) {
		noio = siw_conn_lock(conn);
		conn_look(conn);
		siw_conn_unlock(conn, noio);
		siw_conn_put(conn);
	}
	/* Nobody had it, or it was given back before we got the lock. */
	siw_qp_stop(qp, NULL);
}

/* The connection of a QP, for who asks. Return: false if it has none. */
bool siw_conn_path(struct siw_qp *qp, struct siw_conn_path *path)
{
	struct siw_conn *conn = owner_of(qp);
	unsigned int noio;

	if (!conn)
		return false;
	noio = siw_conn_lock(conn);
	path->local = conn->local;
	path->remote = conn->remote;
	path->mss = conn->llp.sock ? siw_llp_mss(&conn->llp) : 0;
	siw_conn_unlock(conn, noio);
	siw_conn_put(conn);
	return true;
}

/* The ULP wants a graceful close: the connection sees to it. */
void siw_conn_close_qp(struct siw_qp *qp)
{
	siw_qp_event(qp, SIW_QP_EV_CLOSE);
}

static void abort_conn(struct siw_conn *conn)
{
	unsigned int noio = siw_conn_lock(conn);

	if (conn->qp)
		siw_conn_event(conn, SIW_QP_EV_FAIL);
	if (conn->state != SIW_CONN_CLOSED)
		siw_conn_retire(conn);
	siw_conn_unlock(conn, noio);
}

static struct siw_conn *any_conn(struct siw_device *dev)
{
	struct siw_conn *conn;

	lockdep_assert_held(&dev->conns_lock);
	conn = list_first_entry_or_null(&dev->half_open, struct siw_conn,
					entry);
	if (!conn)
		conn = list_first_entry_or_null(&dev->lingerers,
						struct siw_conn, entry);
	return conn ? conn : list_first_entry_or_null(&dev->conns,
						      struct siw_conn, entry);
}

/**
 * siw_conn_abort_all() - no socket of this device may exist any more
 * @dev: the device
 * @why: SIW_CLOSED_*
 *
 * Returns when all of them are gone; new ones are refused as long as @why is
 * in dev->closed.
 *
 * Context: process, may hold the RTNL.
 */
void siw_conn_abort_all(struct siw_device *dev, unsigned int why)
{
	struct siw_conn *conn;

	mutex_lock(&dev->conns_lock);
	dev->closed |= why;
	while ((conn = any_conn(dev))) {
		kref_get(&conn->ref);
		mutex_unlock(&dev->conns_lock);
		abort_conn(conn);
		siw_conn_put(conn);
		mutex_lock(&dev->conns_lock);
	}
	mutex_unlock(&dev->conns_lock);
}
