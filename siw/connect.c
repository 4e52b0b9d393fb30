// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * The initiator's side of a start-up: RFC 5044 section 7.1, RFC 6581.
 */
#include <rdma/iw_cm.h>

#include "conn.h"

/*
 * The initiator's start-up failed.  Who hears of it may use the QP again at once, so
 * it is given back before.
 */
void siw_connect_fail(struct siw_conn *conn, enum siw_counter cause, int status)
{
	siw_conn_failed(conn, cause, status);
	siw_conn_set_state(conn, SIW_CONN_LINGER);
	siw_llp_barrier(&conn->llp);
	if (siw_qp_state(conn->qp) == SIW_QP_ERROR)
		siw_qp_stop(conn->qp, conn);
	siw_conn_release_qp(conn);
	siw_conn_tell_status(conn, IW_CM_EVENT_CONNECT_REPLY, status);
	siw_conn_drop_cm_id(conn);
	siw_conn_retire(conn);
}

/*
 * One for a second try as well: what the host's rules say of a stream depends on
 * who opens its socket, and a second try is a worker's.  Before 6.6 rdma_cm takes
 * any device that has the address, also one of another namespace.
 */
static int open_sockets(struct siw_conn *conn)
{
	int family = conn->cm_id->m_remote_addr.ss_family;
	struct net_device *ndev;
	int err = -ENODEV;
	struct net *net;

	ndev = ib_device_get_netdev(&conn->dev->base, 1);
	if (!ndev)
		return err;
	net = dev_net(ndev);
	if (net_eq(net, siw_cm_id_net(conn->cm_id)))
		err = siw_llp_open(&conn->llp, net, family);
	if (!err) {
		swap(conn->llp.sock, conn->setup->spare);
		err = siw_llp_open(&conn->llp, net, family);
	}
	dev_put(ndev);
	return err;
}

static int dial(struct siw_conn *conn)
{
	struct iw_cm_id *cm_id = conn->cm_id;
	int err;

	siw_conn_set_state(conn, SIW_CONN_CONNECTING);
	siw_llp_attach(&conn->llp, &siw_conn_llp_ops);
	/*
	 * The second try comes from another port: what is left of the first
	 * connection at the peer may see the SYN before our reset.
	 */
	err = siw_llp_bind(&conn->llp, &cm_id->m_local_addr,
			   conn->setup->req.rev == 1);
	if (!err)
		err = siw_llp_connect(&conn->llp, &cm_id->m_remote_addr,
				      conn->setup->tos);
	if (!err)
		siw_conn_arm(conn, SIW_TCP_TIMEOUT);
	return err;
}

static void send_request(struct siw_conn *conn)
{
	struct siw_startup *setup = conn->setup;
	int err;

	siw_llp_local(&conn->llp, &conn->local);
	err = siw_startup_send(conn, &setup->req, setup->pd, setup->pd_len);
	if (err) {
		siw_connect_fail(conn, SIW_CNT_CONN_CLOSED, -ECONNRESET);
		return;
	}
	siw_conn_arm(conn, SIW_MPA_REP_TIMEOUT);
	siw_conn_set_state(conn, SIW_CONN_WAIT_REPLY);
	siw_conn_queue(conn);
}

void siw_connect_tcp(struct siw_conn *conn)
{
	int err;

	switch (siw_llp_state(&conn->llp)) {
	case SIW_LLP_CONNECTING:
		return;
	case SIW_LLP_UP:
	case SIW_LLP_PEER_CLOSED:
		send_request(conn);
		return;
	default:
		err = siw_llp_error(&conn->llp);
		siw_connect_fail(conn, err == -ETIMEDOUT ? SIW_CNT_TIMEOUT_TCP :
							   SIW_CNT_CONN_TCP,
				 err ? err : -ECONNREFUSED);
	}
}

/*
 * RFC 6581 section 7: a peer that knows revision 1 only closes on a Request of
 * revision 2.  Try again in its words.
 */
static void fall_back(struct siw_conn *conn)
{
	struct siw_mpa_setup *req = &conn->setup->req;

	if (req->rev == 1 || conn->setup->in_len) {
		siw_connect_fail(conn, SIW_CNT_CONN_CLOSED, -ECONNRESET);
		return;
	}
	siw_llp_abort(&conn->llp);
	req->rev = 1;
	req->enhanced = false;
	req->p2p = false;
	req->rtr = 0;
	swap(conn->llp.sock, conn->setup->spare);
	siw_count(conn->dev, SIW_CNT_CONN_FALLBACK);
	if (dial(conn)) {
		siw_conn_failed(conn, SIW_CNT_CONN_LOCAL, -ECONNRESET);
		siw_conn_release_qp(conn);
		siw_conn_tell_status(conn, IW_CM_EVENT_CONNECT_REPLY, -ECONNRESET);
		siw_conn_drop_cm_id(conn);
		siw_conn_retire(conn);
	}
}

static void refused(struct siw_conn *conn, const struct siw_mpa_setup *reply)
{
	struct iw_cm_event event = {
		.event = IW_CM_EVENT_CONNECT_REPLY,
		.status = -ECONNRESET,
		.ird = siw_startup_depth(reply, reply->ird),
		.ord = siw_startup_depth(reply, reply->ord),
	};

	siw_conn_failed(conn, SIW_CNT_CONN_REJ_RCVD, -ECONNRESET);
	siw_startup_private_data(conn, &event, reply);
	siw_conn_release_qp(conn);
	siw_conn_tell(conn, &event);
	siw_conn_drop_cm_id(conn);
	siw_conn_linger(conn);
}

static void connected(struct siw_conn *conn, const struct siw_mpa_setup *reply)
{
	struct siw_mpa_setup *req = &conn->setup->req;
	struct siw_qp_start start = {
		.llp = &conn->llp,
		.crc = req->crc || reply->crc,
		.markers = reply->markers,
		.rev = reply->rev,
	};
	struct iw_cm_event event = { .event = IW_CM_EVENT_CONNECT_REPLY };
	enum siw_fault fault;
	u16 ird, ord;

	fault = siw_mpa_setup_conclude(req, reply, &ird, &ord, &start.rtr);
	start.ird = ird;
	start.ord = ord;
	/* Nothing but the Terminate goes out on a stream that is refused. */
	start.passive = fault != SIW_OK;
	event.ird = siw_startup_depth(reply, reply->ird);
	event.ord = siw_startup_depth(reply, reply->ord);
	siw_startup_private_data(conn, &event, reply);
	siw_conn_disarm(conn);
	if (siw_qp_start(conn->qp, &start)) {
		siw_connect_fail(conn, SIW_CNT_CONN_ABORT, -ECONNABORTED);
		return;
	}
	/* RFC 6581 section 10; before anything that comes in is acted upon. */
	if (fault) {
		siw_conn_failed(conn, SIW_CNT_CONN_TERMS, -EPROTO);
		siw_qp_fault(conn->qp, fault, NULL, 0, 0);
		event.status = -EPROTO;
	} else {
		siw_count(conn->dev, SIW_CNT_CONN_UP);
	}
	siw_conn_set_state(conn, SIW_CONN_UP);
	/* TCP may have had room again before the state said "up". */
	siw_tx_kick(conn->qp);
	siw_conn_tell(conn, &event);
	if (fault)
		siw_conn_drop_cm_id(conn);
	siw_conn_drop_setup(conn);
	siw_llp_poke(&conn->llp);
}

void siw_connect_reply(struct siw_conn *conn)
{
	struct siw_mpa_setup reply;
	int err;

	err = siw_startup_read(conn, SIW_MPA_REPLY, &reply);
	if (err == -EAGAIN)
		return;
	if (err == -ECONNRESET)
		fall_back(conn);
	else if (err)
		siw_connect_fail(conn, SIW_CNT_CONN_REFUSED, err);
	else if (reply.reject)
		refused(conn, &reply);
	else
		connected(conn, &reply);
}

static void prepare_request(struct siw_conn *conn, struct iw_cm_id *cm_id,
			    const struct iw_cm_conn_param *param)
{
	struct siw_startup *setup = conn->setup;

	setup->req = (struct siw_mpa_setup) {
		.kind = SIW_MPA_REQUEST,
		.rev = 2,
		.crc = READ_ONCE(conn->dev->crc),
		.enhanced = true,
		.p2p = true,
		.rtr = SIW_RTR_WRITE | SIW_RTR_READ | SIW_RTR_SEND,
		.ird = min_t(u32, param->ird, SIW_MAX_RD_ATOM),
		.ord = min_t(u32, param->ord, SIW_MAX_RD_ATOM),
	};
	setup->pd_len = param->private_data_len;
	if (setup->pd_len)
		memcpy(setup->pd, param->private_data, setup->pd_len);
	setup->tos = cm_id->tos_set ? cm_id->tos : -1;
	conn->local = cm_id->m_local_addr;
	conn->remote = cm_id->m_remote_addr;
}

/**
 * siw_conn_connect() - start to connect
 * @dev: device
 * @cm_id: has both addresses
 * @param: QP number, depths and private data
 *
 * Return: 0 if an event is going to tell how it ended, or -errno.
 */
int siw_conn_connect(struct siw_device *dev, struct iw_cm_id *cm_id,
		     const struct iw_cm_conn_param *param)
{
	struct siw_conn *conn;
	unsigned int noio;
	int err;

	if (param->private_data_len > SIW_MPA_PD_MAX - SIW_MPA_ENH_LEN)
		return -EINVAL;
	conn = siw_conn_new(dev);
	if (!conn)
		return -ENOMEM;
	prepare_request(conn, cm_id, param);
	siw_count(dev, SIW_CNT_CONN_OUT);

	noio = siw_conn_lock(conn);
	siw_conn_set_cm_id(conn, cm_id);
	/* An RTR message by Read takes a place whatever the ULP asked for. */
	err = siw_conn_claim_qp(conn, param->qpn, conn->setup->req.ird,
				conn->setup->req.ord);
	if (!err)
		err = siw_conn_publish(conn);
	if (!err)
		err = open_sockets(conn);
	if (!err)
		err = dial(conn);
	if (err) {
		siw_conn_failed(conn, SIW_CNT_CONN_LOCAL, err);
		siw_conn_drop_cm_id(conn);
		siw_conn_release_qp(conn);
		siw_conn_retire(conn);
	}
	siw_conn_unlock(conn, noio);
	siw_conn_put(conn);
	return err;
}
