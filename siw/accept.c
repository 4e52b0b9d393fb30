// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * The responder's side of a start-up: RFC 5044 section 7.1, RFC 6581.
 */
#include <linux/slab.h>
#include <linux/xarray.h>
#include <rdma/iw_cm.h>

#include "cm.h"
#include "conn.h"

/*
 * iw_cm keeps a number, not a pointer, for a connection it has not decided
 * on: it may drop such an event without a word.
 */
static DEFINE_XARRAY_ALLOC1(siw_conn_ids);
static u32 siw_conn_next_id;

/* Accept and reject do not find this connection any more. */
void siw_accept_forget(struct siw_conn *conn)
{
	if (conn->id)
		xa_erase(&siw_conn_ids, conn->id);
	conn->id = 0;
}

/**
 * siw_conn_incoming() - a peer connected to a listening socket
 * @backlog: whose connection it is
 * @llp: the new socket; taken over
 */
void siw_conn_incoming(struct siw_backlog *backlog, struct siw_llp *llp)
{
	struct siw_conn *conn = siw_conn_new(backlog->dev);
	unsigned int noio;

	if (!conn) {
		siw_llp_abort(llp);
		return;
	}
	siw_count(conn->dev, SIW_CNT_CONN_IN);
	noio = siw_conn_lock(conn);
	conn->llp.sock = llp->sock;
	conn->backlog = backlog;
	kref_get(&backlog->ref);
	atomic_inc(&backlog->half_open);
	siw_conn_set_state(conn, SIW_CONN_WAIT_REQUEST);
	siw_llp_attach(&conn->llp, &siw_conn_llp_ops);
	if (siw_llp_local(&conn->llp, &conn->local) ||
	    siw_llp_remote(&conn->llp, &conn->remote) || siw_conn_publish(conn)) {
		siw_conn_retire(conn);
	} else {
		siw_conn_arm(conn, SIW_MPA_REQ_TIMEOUT);
		siw_conn_queue(conn);
	}
	siw_conn_unlock(conn, noio);
	siw_conn_put(conn);
}

/* Give the Request to the ULP, which calls accept or reject with our number. */
static int tell_ulp(struct siw_conn *conn)
{
	const struct siw_mpa_setup *req = &conn->setup->req;
	struct iw_cm_id *cm_id = conn->backlog->cm_id;
	struct iw_cm_event event = {
		.event = IW_CM_EVENT_CONNECT_REQUEST,
		.local_addr = conn->local,
		.remote_addr = conn->remote,
		.ird = siw_startup_depth(req, req->ird),
		.ord = siw_startup_depth(req, req->ord),
	};
	int err;

	/* Others wait behind this one: without memory it comes again later. */
	err = xa_alloc_cyclic(&siw_conn_ids, &conn->id, conn, xa_limit_31b,
			      &siw_conn_next_id, GFP_NOWAIT | __GFP_NOWARN);
	if (err < 0) {
		conn->id = 0;	/* it may have been written to */
		return err;
	}
	event.provider_data = (void *)(uintptr_t)conn->id;
	siw_startup_private_data(conn, &event, req);
	err = cm_id->event_handler(cm_id, &event);
	if (err)
		siw_accept_forget(conn);
	return err;
}

/* One more may be asked about: the next in the queue looks. */
static void wake_next(struct siw_backlog *backlog)
{
	struct siw_conn *next;

	lockdep_assert_held(&backlog->lock);
	next = list_first_entry_or_null(&backlog->queue, struct siw_conn,
					queued);
	if (next && backlog->asked < backlog->max)
		siw_conn_queue(next);
}

/* Return: 0, -EAGAIN if it is not this one's turn or never will be, or -errno. */
static int ask_ulp(struct siw_conn *conn)
{
	struct siw_backlog *backlog = conn->backlog;
	int err;

	mutex_lock(&backlog->lock);
	if (!backlog->cm_id)
		err = -ECONNREFUSED;
	else if (!list_is_first(&conn->queued, &backlog->queue) ||
		 backlog->asked >= backlog->max ||
		 READ_ONCE(backlog->dev->closed))
		err = -EAGAIN;
	else
		err = tell_ulp(conn);
	if (!err) {
		list_del_init(&conn->queued);
		conn->asked = true;
		backlog->asked++;
		wake_next(backlog);
	}
	mutex_unlock(&backlog->lock);
	return err;
}

/* It is about to be asked for: it counts, and is not dropped for others. */
static void enqueue(struct siw_conn *conn)
{
	struct siw_backlog *backlog = conn->backlog;

	/* The next is not the oldest before this one has its place in the queue. */
	mutex_lock(&backlog->lock);
	list_add_tail(&conn->queued, &backlog->queue);
	mutex_unlock(&backlog->lock);
	mutex_lock(&conn->dev->conns_lock);
	if (!list_empty(&conn->entry))
		list_move_tail(&conn->entry, &conn->dev->conns);
	mutex_unlock(&conn->dev->conns_lock);
	atomic_dec(&backlog->half_open);
	atomic_inc(&backlog->pending);
	siw_conn_set_state(conn, SIW_CONN_QUEUED);
	siw_conn_arm(conn, SIW_ULP_TIMEOUT);
}

/* The Request is here: ask once there are not too many others. */
void siw_accept_ask(struct siw_conn *conn)
{
	int err;

	if (siw_llp_state(&conn->llp) != SIW_LLP_UP ||
	    siw_llp_has_data(&conn->llp)) {
		siw_conn_failed(conn, SIW_CNT_CONN_CLOSED, -ECONNRESET);
		siw_conn_retire(conn);
		return;
	}
	err = ask_ulp(conn);
	if (!err) {
		siw_conn_set_state(conn, SIW_CONN_ULP);
		siw_conn_arm(conn, SIW_ULP_TIMEOUT);
	} else if (err == -ENOMEM) {
		/* iw_cm has room for few events, and does not tell when. */
		siw_conn_retry(conn);
	} else if (err != -EAGAIN) {
		siw_conn_failed(conn, SIW_CNT_CONN_LOCAL, err);
		siw_conn_retire(conn);
	}
}

void siw_accept_request(struct siw_conn *conn)
{
	int err;

	err = siw_startup_read(conn, SIW_MPA_REQUEST, &conn->setup->req);
	if (err == -EAGAIN)
		return;
	if (err) {
		siw_conn_failed(conn, err == -EPROTO ? SIW_CNT_CONN_REFUSED :
						       SIW_CNT_CONN_CLOSED,
				err);
		siw_conn_retire(conn);
		return;
	}
	enqueue(conn);
	siw_accept_ask(conn);
}

/*
 * A passive connection is decided, or over.  One that was accepted keeps its number:
 * iw_cm passes on what the ULP says once more.
 */
void siw_accept_leave(struct siw_conn *conn)
{
	struct siw_backlog *backlog = conn->backlog;
	bool asked = conn->asked;
	bool queued;

	if (!conn->cm_id)
		siw_accept_forget(conn);
	conn->asked = false;
	conn->backlog = NULL;
	if (!backlog)
		return;
	mutex_lock(&backlog->lock);
	queued = !list_empty(&conn->queued);
	list_del_init(&conn->queued);
	backlog->asked -= asked;
	wake_next(backlog);
	mutex_unlock(&backlog->lock);
	atomic_dec(asked || queued ? &backlog->pending : &backlog->half_open);
	siw_listen_resume(backlog);
	siw_backlog_put(backlog);
}

/* The connection iw_cm means, with a reference; NULL if it is over already */
static struct siw_conn *conn_of(struct iw_cm_id *cm_id)
{
	struct siw_conn *conn;

	xa_lock(&siw_conn_ids);
	conn = xa_load(&siw_conn_ids, (uintptr_t)cm_id->provider_data);
	if (conn && !kref_get_unless_zero(&conn->ref))
		conn = NULL;
	xa_unlock(&siw_conn_ids);
	return conn;
}

/* @ird, @ord: ours, which count where the Reply does not say otherwise */
static int start_accepted(struct siw_conn *conn, struct siw_mpa_setup *reply,
			  u32 qpn, u32 ird, u32 ord)
{
	const struct siw_mpa_setup *req = &conn->setup->req;
	struct siw_qp_start start = {
		.llp = &conn->llp,
		.ird = ird,
		.ord = ord,
		.crc = reply->crc,
		.markers = req->markers,
		.rev = reply->rev,
		.passive = true,
		.rtr_send = reply->rtr & SIW_RTR_SEND,
	};
	int err;

	if (reply->enhanced && reply->ird != SIW_MPA_DEPTH_AUTO)
		start.ird = reply->ird;
	if (reply->enhanced && reply->ord != SIW_MPA_DEPTH_AUTO)
		start.ord = reply->ord;
	err = siw_conn_claim_qp(conn, qpn, start.ird, start.ord);
	return err ? err : siw_qp_start(conn->qp, &start);
}

static int accept_with(struct siw_conn *conn, struct iw_cm_id *cm_id,
		       const struct iw_cm_conn_param *param)
{
	u16 ird = min_t(u32, param->ird, SIW_MAX_RD_ATOM);
	u16 ord = min_t(u32, param->ord, SIW_MAX_RD_ATOM);
	struct siw_mpa_setup reply;
	int err;

	siw_mpa_setup_reply(&reply, &conn->setup->req,
			    READ_ONCE(conn->dev->crc),
			    SIW_RTR_WRITE | SIW_RTR_SEND |
			    (ird ? SIW_RTR_READ : 0), ird, ord);
	if (param->private_data_len > siw_mpa_setup_pd_max(&reply))
		return -EINVAL;
	err = start_accepted(conn, &reply, param->qpn, ird, ord);
	if (!err)
		err = siw_startup_send(conn, &reply, param->private_data,
				       param->private_data_len);
	if (err) {
		if (conn->qp)
			siw_qp_event(conn->qp, SIW_QP_EV_LOST);
		return err;
	}
	siw_conn_set_cm_id(conn, cm_id);
	conn->lent = siw_cm_lent(conn->qp);
	if (reply.p2p) {
		siw_conn_set_state(conn, SIW_CONN_WAIT_FIRST);
		siw_conn_arm(conn, SIW_FIRST_FPDU_TIMEOUT);
	} else {
		siw_conn_established(conn);
	}
	siw_conn_drop_setup(conn);
	siw_llp_poke(&conn->llp);
	return 0;
}

/*
 * The ULP says something else of a connection that it has accepted: it is over, and
 * iw_cm is told no more of it, so that it would keep the QP.
 *
 * Return: what iw_cm has of the QP, or NULL.
 */
static struct siw_lent *retract(struct siw_conn *conn)
{
	struct siw_lent *lent = conn->lent;

	siw_conn_drop_cm_id(conn);
	siw_conn_failed(conn, SIW_CNT_CONN_LOCAL, -EINVAL);
	siw_conn_event(conn, SIW_QP_EV_FAIL);
	if (lent)
		siw_cm_take_back(lent);
	return lent;
}

/**
 * siw_conn_accept() - the ULP takes a connection
 * @dev: device
 * @cm_id: names the connection
 * @param: QP number, depths and private data
 *
 * Return: 0 if ESTABLISHED is going to follow, -ECONNRESET if the peer gave
 * up, or -errno; then the connection is over.
 */
int siw_conn_accept(struct siw_device *dev, struct iw_cm_id *cm_id,
		    const struct iw_cm_conn_param *param)
{
	struct siw_conn *conn = conn_of(cm_id);
	int err = -ECONNRESET;
	unsigned int noio;

	if (!conn)
		return err;
	noio = siw_conn_lock(conn);
	if (conn->state == SIW_CONN_ULP && conn->dev == dev) {
		err = -EINVAL;
		if (siw_cm_id_device(cm_id) == &dev->base)
			err = accept_with(conn, cm_id, param);
		if (err) {
			siw_conn_failed(conn, SIW_CNT_CONN_LOCAL, err);
			siw_conn_set_state(conn, SIW_CONN_LINGER);
			siw_llp_barrier(&conn->llp);
			if (conn->qp)
				siw_qp_stop(conn->qp, conn);
			siw_conn_release_qp(conn);
			siw_conn_retire(conn);
		}
	} else if (conn->state == SIW_CONN_WAIT_FIRST) {
		/* iw_cm has another QP in mind, and forgotten this one. */
		kfree(retract(conn));
		err = -EINVAL;
	}
	siw_conn_unlock(conn, noio);
	siw_conn_put(conn);
	return err;
}

int siw_conn_reject(struct iw_cm_id *cm_id, const void *pd, u8 pd_len)
{
	struct siw_conn *conn = conn_of(cm_id);
	struct siw_mpa_setup reply;
	int err = -ECONNRESET;
	unsigned int noio;

	if (!conn)
		return err;
	noio = siw_conn_lock(conn);
	if (conn->state == SIW_CONN_ULP) {
		siw_mpa_setup_reply(&reply, &conn->setup->req,
				    READ_ONCE(conn->dev->crc), 0, 0, 0);
		reply.reject = true;
		siw_conn_failed(conn, SIW_CNT_CONN_REJ_SENT, -ECONNREFUSED);
		err = siw_startup_send(conn, &reply, pd, pd_len);
		siw_conn_linger(conn);
	} else if (conn->state == SIW_CONN_WAIT_FIRST) {
		retract(conn);
		err = -EINVAL;
	}
	siw_conn_unlock(conn, noio);
	siw_conn_put(conn);
	return err;
}
