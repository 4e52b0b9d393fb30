// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Start-ups that end otherwise than they should, one step at a time.  The sockets are
 * connected to nothing: a test says what has come, and sees what is sent.
 */
#include <linux/sched.h>
#include <linux/skbuff.h>
#include <linux/uio.h>
#include <net/inet_common.h>
#include <net/net_namespace.h>
#include <net/tcp.h>
#include <rdma/rdma_cm.h>

#include "../conn.h"
#include "fake.h"

#define WQES	4

/**
 * struct startup_fixture - a device, a queue pair, and what a ULP is told
 * @dev: the device
 * @cq: completion queue of @qp
 * @qp: a queue pair, found by its number
 * @pd: its protection domain
 * @rdma_id: what rdma_cm has of @cm_id
 * @cm_id: of a listener and its connection, or of who connects
 * @refs: references to @cm_id
 * @events: calls of its event handler
 * @event: the last one
 * @owner_then: @qp's owner at that time
 * @noio_then: memory was not to be had by I/O then
 * @send_err: what who sends is told, or 0
 * @sent: the frame that was sent last
 * @sent_len: octets of it
 * @backlog: what @cm_id lends its connections
 */
struct startup_fixture {
	struct siw_device *dev;
	struct siw_fake_cq *cq;
	struct siw_qp *qp;
	struct ib_pd pd;
	struct rdma_cm_id rdma_id;
	struct iw_cm_id cm_id;
	int refs;
	unsigned int events;
	struct iw_cm_event event;
	void *owner_then;
	bool noio_then;
	int send_err;
	u8 sent[SIW_MPA_FRAME_MAX];
	size_t sent_len;
	struct siw_backlog backlog;
};

static struct startup_fixture *fixture_of(struct iw_cm_id *cm_id)
{
	return container_of(cm_id, struct startup_fixture, cm_id);
}

static void id_get(struct iw_cm_id *cm_id)
{
	fixture_of(cm_id)->refs++;
}

static void id_put(struct iw_cm_id *cm_id)
{
	fixture_of(cm_id)->refs--;
}

static int id_event(struct iw_cm_id *cm_id, struct iw_cm_event *event)
{
	struct startup_fixture *fix = fixture_of(cm_id);

	fix->events++;
	fix->event = *event;
	fix->owner_then = READ_ONCE(fix->qp->owner);
	fix->noio_then = current->flags & PF_MEMALLOC_NOIO;
	return 0;
}

/* Whose sockets they are: one test runs at a time. */
static struct startup_fixture *now;

static int takes_all(struct socket *sock, struct msghdr *msg, size_t len)
{
	struct startup_fixture *fix = now;

	fix->sent_len = copy_from_iter(fix->sent, min(len, sizeof(fix->sent)),
				       &msg->msg_iter);
	return fix->send_err ? fix->send_err : (int)len;
}

static int no_shutdown(struct socket *sock, int how)
{
	return 0;
}

/* Those of TCP, but nothing goes out. */
static const struct proto_ops mute_ops = {
	.family = PF_INET,
	.release = inet_release,
	.bind = inet_bind,
	.getname = inet_getname,
	.recvmsg = inet_recvmsg,
	.sendmsg = takes_all,
	.shutdown = no_shutdown,
};

static void forget_qp(void *arg)
{
	struct siw_qp *qp = arg;

	xa_erase_irq(&siw_qp_dev(qp)->qps, qp->base.qp_num);
	siw_conn_flush();
}

static int startup_init(struct kunit *test)
{
	struct startup_fixture *fix = kunit_kzalloc(test, sizeof(*fix), GFP_KERNEL);
	struct siw_backlog *backlog = &fix->backlog;
	struct siw_device *dev;

	KUNIT_ASSERT_NOT_NULL(test, fix);
	test->priv = fix;
	now = fix;
	dev = siw_fake_device(test);
	mutex_init(&dev->conns_lock);
	INIT_LIST_HEAD(&dev->conns);
	INIT_LIST_HEAD(&dev->half_open);
	INIT_LIST_HEAD(&dev->lingerers);
	fix->dev = dev;
	fix->pd.device = &dev->base;
	fix->cq = siw_fake_cq(test, dev, 4 * WQES);
	fix->qp = siw_fake_qp(test, fix->cq, WQES);
	fix->qp->base.pd = &fix->pd;
	siw_fake_on_exit(test, siw_fake_end, fix->qp);
	KUNIT_ASSERT_EQ(test, 0, xa_err(xa_store_irq(&dev->qps, fix->qp->base.qp_num,
						     fix->qp, GFP_KERNEL)));
	siw_fake_on_exit(test, forget_qp, fix->qp);
	fix->rdma_id.device = &dev->base;
	fix->cm_id.context = &fix->rdma_id;
	fix->cm_id.add_ref = id_get;
	fix->cm_id.rem_ref = id_put;
	fix->cm_id.event_handler = id_event;
	kref_init(&backlog->ref);	/* the fixture's: it never goes */
	mutex_init(&backlog->lock);
	INIT_LIST_HEAD(&backlog->queue);
	backlog->dev = dev;
	backlog->cm_id = &fix->cm_id;
	backlog->max = 2;
	return 0;
}

/* A socket whose TCP is in @tcp; the peer of one that is not open sends no more. */
static void open_llp(struct kunit *test, struct siw_llp *llp, int tcp)
{
	struct sock *sk;

	KUNIT_ASSERT_EQ(test, 0, siw_llp_open(llp, &init_net, AF_INET));
	llp->sock->ops = &mute_ops;
	sk = llp->sock->sk;
	/* TCP divides by it when it looks for a window to offer. */
	inet_csk(sk)->icsk_ack.rcv_mss = TCP_MIN_MSS;
	inet_sk(sk)->inet_dport = htons(9);	/* there is a peer */
	WRITE_ONCE(sk->sk_state, tcp);
	if (tcp == TCP_ESTABLISHED)	/* it is going to be counted off */
		TCP_INC_STATS(&init_net, TCP_MIB_CURRESTAB);
	else if (tcp != TCP_SYN_SENT)
		WRITE_ONCE(sk->sk_shutdown, RCV_SHUTDOWN);
}

static void end_conn(void *arg)
{
	struct siw_conn *conn = arg;

	mutex_lock(&conn->lock);
	siw_conn_release_qp(conn);	/* where the test has failed */
	siw_conn_drop_cm_id(conn);
	if (conn->state != SIW_CONN_CLOSED)
		siw_conn_retire(conn);
	mutex_unlock(&conn->lock);
	/* Work and timer hold a reference each while they run. */
	siw_conn_flush();
	siw_conn_put(conn);
}

static struct siw_conn *new_conn(struct kunit *test, enum siw_conn_state state,
				 int tcp)
{
	struct startup_fixture *fix = test->priv;
	struct siw_conn *conn = siw_conn_new(fix->dev);

	KUNIT_ASSERT_NOT_NULL(test, conn);
	conn->state = SIW_CONN_CLOSED;
	siw_fake_on_exit(test, end_conn, conn);
	open_llp(test, &conn->llp, tcp);
	conn->state = state;
	conn->setup->req.rev = 1;
	KUNIT_ASSERT_EQ(test, 0, siw_conn_publish(conn));
	return conn;
}

static void no_wake(void *owner)
{
}

static const struct siw_qp_ops owner_ops = {
	.wake = no_wake,
};

/* An initiator's, with the queue pair and the cm_id */
static struct siw_conn *initiator(struct kunit *test, enum siw_conn_state state,
				  int tcp)
{
	struct siw_conn *conn = new_conn(test, state, tcp);
	struct startup_fixture *fix = test->priv;

	KUNIT_ASSERT_EQ(test, 0, siw_qp_claim(fix->qp, conn, &owner_ops));
	conn->qp = fix->qp;
	siw_conn_set_cm_id(conn, &fix->cm_id);
	return conn;
}

/* A responder's, which has a Request and waits for its turn */
static struct siw_conn *queued(struct kunit *test)
{
	struct siw_conn *conn = new_conn(test, SIW_CONN_QUEUED, TCP_ESTABLISHED);
	struct startup_fixture *fix = test->priv;

	conn->backlog = &fix->backlog;
	kref_get(&fix->backlog.ref);
	atomic_inc(&fix->backlog.pending);
	list_add_tail(&conn->queued, &fix->backlog.queue);
	return conn;
}

static void ask(struct siw_conn *conn)
{
	mutex_lock(&conn->lock);
	siw_accept_ask(conn);
	mutex_unlock(&conn->lock);
}

/* One that the ULP has been asked about */
static struct siw_conn *asked(struct kunit *test)
{
	struct siw_conn *conn = queued(test);
	struct startup_fixture *fix = test->priv;

	ask(conn);
	KUNIT_ASSERT_EQ(test, SIW_CONN_ULP, conn->state);
	KUNIT_ASSERT_EQ(test, IW_CM_EVENT_CONNECT_REQUEST, fix->event.event);
	fix->cm_id.provider_data = fix->event.provider_data;
	return conn;
}

static void post_recv(struct kunit *test, u64 id)
{
	struct startup_fixture *fix = test->priv;
	const struct ib_recv_wr wr = { .wr_id = id };
	const struct ib_recv_wr *bad;

	KUNIT_ASSERT_EQ(test, 0, siw_rq_post(&fix->qp->rq, SIW_MAX_SGE, &wr, &bad));
}

static void expect_recv(struct kunit *test, u64 id, enum ib_wc_status status)
{
	struct startup_fixture *fix = test->priv;
	struct ib_wc wc = {};

	KUNIT_EXPECT_EQ(test, 1, siw_cq_poll(&fix->cq->cq.base, 1, &wc));
	KUNIT_EXPECT_EQ(test, id, wc.wr_id);
	KUNIT_EXPECT_EQ(test, status, wc.status);
}

/* The octets at @p have come. */
static void arrive(struct kunit *test, struct siw_conn *conn, const void *p, u32 len)
{
	struct sk_buff *skb = alloc_skb(len, GFP_KERNEL);
	struct sock *sk = conn->llp.sock->sk;
	u32 seq;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_put_data(skb, p, len);
	lock_sock(sk);
	seq = tcp_sk(sk)->rcv_nxt;
	TCP_SKB_CB(skb)->seq = seq;
	TCP_SKB_CB(skb)->end_seq = seq + len;
	WRITE_ONCE(tcp_sk(sk)->rcv_nxt, seq + len);
	__skb_queue_tail(&sk->sk_receive_queue, skb);
	release_sock(sk);
}

/* A Send of nothing, without a CRC */
static void send_arrives(struct kunit *test, struct siw_conn *conn)
{
	const struct siw_seg seg = { .op = SIW_RDMAP_SEND, .last = true, .msn = 1 };
	u8 fpdu[64] = {};
	u32 len = siw_ddp_encode(fpdu + SIW_MPA_LEN_LEN, &seg);

	put_unaligned_be16(len, fpdu);
	arrive(test, conn, fpdu, siw_mpa_fpdu_len(len));
}

/* A Reply of revision 1 */
static void reply_arrives(struct kunit *test, struct siw_conn *conn, bool reject)
{
	const struct siw_mpa_setup reply = {
		.kind = SIW_MPA_REPLY,
		.rev = 1,
		.reject = reject,
	};
	u8 frame[SIW_MPA_HDR_LEN];

	arrive(test, conn, frame, siw_mpa_setup_encode(frame, &reply));
}

/* A Request of revision 1 */
static void request_arrives(struct kunit *test, struct siw_conn *conn)
{
	const struct siw_mpa_setup req = { .kind = SIW_MPA_REQUEST, .rev = 1 };
	u8 frame[SIW_MPA_HDR_LEN];

	arrive(test, conn, frame, siw_mpa_setup_encode(frame, &req));
}

/* Nothing holds it any more but the test. */
static void expect_gone(struct kunit *test, struct siw_conn *conn)
{
	struct startup_fixture *fix = test->priv;

	siw_conn_flush();
	KUNIT_EXPECT_EQ(test, SIW_CONN_CLOSED, conn->state);
	KUNIT_EXPECT_NULL(test, conn->llp.sock);
	KUNIT_EXPECT_TRUE(test, list_empty(&conn->entry));
	KUNIT_EXPECT_NULL(test, conn->qp);
	KUNIT_EXPECT_EQ(test, 0, conn->id);
	KUNIT_EXPECT_EQ(test, 1, kref_read(&conn->ref));
	KUNIT_EXPECT_EQ(test, 0, fix->refs);
	KUNIT_EXPECT_NULL(test, fix->qp->owner);
}

static void expect_no_backlog(struct kunit *test)
{
	struct startup_fixture *fix = test->priv;

	KUNIT_EXPECT_EQ(test, 0, atomic_read(&fix->backlog.half_open));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&fix->backlog.pending));
	KUNIT_EXPECT_EQ(test, 0, fix->backlog.asked);
	KUNIT_EXPECT_EQ(test, 1, kref_read(&fix->backlog.ref));
}

/* The ULP has heard last that its connection failed, and has its queue pair back. */
static void expect_told(struct kunit *test, int status)
{
	struct startup_fixture *fix = test->priv;

	KUNIT_EXPECT_EQ(test, 1, fix->events);
	KUNIT_EXPECT_EQ(test, IW_CM_EVENT_CONNECT_REPLY, fix->event.event);
	KUNIT_EXPECT_EQ(test, status, fix->event.status);
	KUNIT_EXPECT_NULL(test, fix->owner_then);
}

/* A peer comes and goes, and nobody has to say so a second time. */
static void incoming_is_looked_at(struct kunit *test)
{
	struct startup_fixture *fix = test->priv;
	struct siw_llp llp = {};

	open_llp(test, &llp, TCP_LAST_ACK);
	siw_conn_incoming(&fix->backlog, &llp);
	siw_conn_flush();
	KUNIT_EXPECT_EQ(test, 1, siw_fake_count(fix->dev, SIW_CNT_CONN_IN));
	KUNIT_EXPECT_EQ(test, 1, siw_fake_count(fix->dev, SIW_CNT_CONN_CLOSED));
	KUNIT_EXPECT_TRUE(test, list_empty(&fix->dev->half_open));
	expect_no_backlog(test);
	siw_conn_abort_all(fix->dev, SIW_CLOSED_NETDEV);	/* where it has failed */
}

/* A responder's, which has not been looked at */
static struct siw_conn *half_open(struct kunit *test)
{
	struct siw_conn *conn = new_conn(test, SIW_CONN_WAIT_REQUEST,
					 TCP_ESTABLISHED);
	struct startup_fixture *fix = test->priv;

	conn->backlog = &fix->backlog;
	kref_get(&fix->backlog.ref);
	atomic_inc(&fix->backlog.half_open);
	list_move_tail(&conn->entry, &fix->dev->half_open);
	return conn;
}

/* Who has said what it wants makes way by being asked about, whoever is slow. */
static void silent_ones_make_way(struct kunit *test)
{
	struct siw_conn *asks = half_open(test);
	struct siw_conn *silent = half_open(test);
	struct startup_fixture *fix = test->priv;

	request_arrives(test, asks);
	siw_backlog_make_way(&fix->backlog);
	KUNIT_EXPECT_EQ(test, SIW_CONN_ULP, asks->state);
	KUNIT_EXPECT_EQ(test, IW_CM_EVENT_CONNECT_REQUEST, fix->event.event);
	KUNIT_EXPECT_EQ(test, SIW_CONN_WAIT_REQUEST, silent->state);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&fix->backlog.half_open));
	KUNIT_EXPECT_EQ(test, 0, siw_fake_count(fix->dev, SIW_CNT_HALF_OPEN));

	siw_backlog_make_way(&fix->backlog);
	KUNIT_EXPECT_EQ(test, SIW_CONN_CLOSED, silent->state);
	KUNIT_EXPECT_EQ(test, SIW_CONN_ULP, asks->state);
	KUNIT_EXPECT_EQ(test, 1, siw_fake_count(fix->dev, SIW_CNT_HALF_OPEN));

	mutex_lock(&asks->lock);
	siw_conn_retire(asks);
	mutex_unlock(&asks->lock);
	siw_conn_flush();
	expect_no_backlog(test);
}

/* The listener of a device that goes has a moment more: what it takes goes at once. */
static void incoming_is_too_late(struct kunit *test)
{
	struct startup_fixture *fix = test->priv;
	struct siw_llp llp = {};

	fix->dev->closed = SIW_CLOSED_NETDEV;
	open_llp(test, &llp, TCP_LAST_ACK);
	siw_conn_incoming(&fix->backlog, &llp);
	siw_conn_flush();
	KUNIT_EXPECT_EQ(test, 1, siw_fake_count(fix->dev, SIW_CNT_CONN_IN));
	/* It was not even looked at. */
	KUNIT_EXPECT_EQ(test, 0, siw_fake_count(fix->dev, SIW_CNT_CONN_CLOSED));
	KUNIT_EXPECT_TRUE(test, list_empty(&fix->dev->half_open));
	expect_no_backlog(test);
}

/* What comes behind a Request before its turn is no FPDU: the ULP is not asked. */
static void says_nothing_before_its_turn(struct kunit *test)
{
	struct startup_fixture *fix = test->priv;
	struct siw_conn *conn = queued(test);

	send_arrives(test, conn);
	ask(conn);
	expect_gone(test, conn);
	expect_no_backlog(test);
	KUNIT_EXPECT_EQ(test, 0, fix->events);
	KUNIT_EXPECT_EQ(test, 1, siw_fake_count(fix->dev, SIW_CNT_CONN_CLOSED));
}

/* rdma_cm has its queue pair on another device: here the number is another's. */
static void accepts_no_qp_of_another_device(struct kunit *test)
{
	struct startup_fixture *fix = test->priv;
	const struct iw_cm_conn_param param = { .qpn = fix->qp->base.qp_num };
	struct siw_conn *conn = asked(test);

	fix->send_err = -EPIPE;
	fix->rdma_id.device = kunit_kzalloc(test, sizeof(struct ib_device), GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, -EINVAL, siw_conn_accept(fix->dev, &fix->cm_id, &param));
	KUNIT_EXPECT_EQ(test, SIW_QP_IDLE, siw_qp_state(fix->qp));
	KUNIT_EXPECT_EQ(test, 0, fix->sent_len);
	expect_gone(test, conn);
	expect_no_backlog(test);
	KUNIT_EXPECT_EQ(test, 1, siw_fake_count(fix->dev, SIW_CNT_CONN_LOCAL));
}

/* The Reply does not go out: the queue pair has no stream, and what it was given. */
static void accept_that_fails_leaves_no_stream(struct kunit *test)
{
	struct startup_fixture *fix = test->priv;
	const struct iw_cm_conn_param param = { .qpn = fix->qp->base.qp_num };
	struct siw_conn *conn = asked(test);

	fix->send_err = -EPIPE;
	post_recv(test, 5);
	KUNIT_EXPECT_EQ(test, -EPIPE, siw_conn_accept(fix->dev, &fix->cm_id, &param));
	KUNIT_EXPECT_TRUE(test, siw_qp_is_stopped(fix->qp));
	expect_recv(test, 5, IB_WC_WR_FLUSH_ERR);
	expect_gone(test, conn);
	expect_no_backlog(test);
	KUNIT_EXPECT_EQ(test, 1, fix->events);	/* an error is all that it hears */
	KUNIT_EXPECT_EQ(test, 1, siw_fake_count(fix->dev, SIW_CNT_CONN_LOCAL));
	KUNIT_EXPECT_EQ(test, 0, siw_qp_reset(fix->qp));
}

/*
 * What came while the Reply went out is not lost.  The connection keeps its number
 * until it is over, for a ULP that says another word.
 */
static void accept_reads_what_came_meanwhile(struct kunit *test)
{
	struct startup_fixture *fix = test->priv;
	const struct iw_cm_conn_param param = { .qpn = fix->qp->base.qp_num };
	struct siw_conn *conn = asked(test);

	siw_llp_attach(&conn->llp, &siw_conn_llp_ops);
	post_recv(test, 5);
	send_arrives(test, conn);
	KUNIT_EXPECT_EQ(test, 0, siw_conn_accept(fix->dev, &fix->cm_id, &param));
	KUNIT_EXPECT_EQ(test, SIW_CONN_UP, conn->state);
	KUNIT_EXPECT_EQ(test, IW_CM_EVENT_ESTABLISHED, fix->event.event);
	KUNIT_EXPECT_TRUE(test, fix->noio_then);
	KUNIT_EXPECT_FALSE(test, !!(current->flags & PF_MEMALLOC_NOIO));
	expect_recv(test, 5, IB_WC_SUCCESS);
	expect_no_backlog(test);
	KUNIT_EXPECT_NE(test, 0, conn->id);
	mutex_lock(&conn->lock);
	siw_conn_event(conn, SIW_QP_EV_FAIL);
	mutex_unlock(&conn->lock);
	KUNIT_EXPECT_EQ(test, 0, conn->id);
	KUNIT_EXPECT_EQ(test, IW_CM_EVENT_CLOSE, fix->event.event);
	KUNIT_EXPECT_EQ(test, 0, fix->refs);
}

/* What the Reply says of depths holds here, too. */
static void accept_keeps_to_its_reply(struct kunit *test)
{
	static const struct {
		u16 peer_ird, peer_ord;
		u16 ird, ord;
		u16 want_ird, want_ord;
	} rows[] = {
		{ 2, 3, 4, 4, 3, 2 },
		{ 9, 8, 4, 5, 4, 5 },
		{ SIW_MPA_DEPTH_AUTO, SIW_MPA_DEPTH_AUTO, 4, 5, 4, 5 },
		{ 1000, 1000, 200, 250, SIW_MAX_RD_ATOM, SIW_MAX_RD_ATOM },
	};
	struct startup_fixture *fix = test->priv;
	struct iw_cm_conn_param param = { .qpn = fix->qp->base.qp_num };
	struct siw_mpa_setup reply;
	size_t need;
	int i;

	fix->send_err = -EPIPE;		/* behind the Reply all is over */
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct siw_conn *conn = asked(test);

		conn->setup->req.rev = 2;
		conn->setup->req.enhanced = true;
		conn->setup->req.ird = rows[i].peer_ird;
		conn->setup->req.ord = rows[i].peer_ord;
		param.ird = rows[i].ird;
		param.ord = rows[i].ord;
		KUNIT_EXPECT_EQ(test, -EPIPE,
				siw_conn_accept(fix->dev, &fix->cm_id, &param));
		KUNIT_EXPECT_EQ_MSG(test, rows[i].want_ird, fix->qp->ird, "row %d", i);
		KUNIT_EXPECT_EQ_MSG(test, rows[i].want_ord, fix->qp->ord, "row %d", i);
		KUNIT_EXPECT_EQ(test, SIW_MPA_GOOD,
				siw_mpa_setup_decode(&reply, SIW_MPA_REPLY, fix->sent,
						     fix->sent_len, &need));
		if (rows[i].peer_ird != SIW_MPA_DEPTH_AUTO) {
			KUNIT_EXPECT_EQ(test, fix->qp->ird, reply.ird);
			KUNIT_EXPECT_EQ(test, fix->qp->ord, reply.ord);
		}
		KUNIT_ASSERT_EQ(test, 0, siw_qp_reset(fix->qp));
	}
}

/* The peer's FIN came before the Request went out: that is all it ever says. */
static void peer_closes_before_the_request(struct kunit *test)
{
	struct siw_conn *conn = initiator(test, SIW_CONN_CONNECTING, TCP_CLOSE_WAIT);
	struct startup_fixture *fix = test->priv;

	mutex_lock(&conn->lock);
	siw_connect_tcp(conn);
	mutex_unlock(&conn->lock);
	KUNIT_EXPECT_EQ(test, SIW_MPA_HDR_LEN, fix->sent_len);
	expect_gone(test, conn);
	expect_told(test, -ECONNRESET);
	KUNIT_EXPECT_TRUE(test, fix->noio_then);	/* a work said so */
	KUNIT_EXPECT_EQ(test, 1, siw_fake_count(fix->dev, SIW_CNT_CONN_CLOSED));
}

/* Who hears that it was rejected may connect the queue pair again at once. */
static void rejected_has_its_qp_back(struct kunit *test)
{
	struct siw_conn *conn = initiator(test, SIW_CONN_WAIT_REPLY, TCP_LAST_ACK);
	struct startup_fixture *fix = test->priv;

	reply_arrives(test, conn, true);
	mutex_lock(&conn->lock);
	siw_connect_reply(conn);
	mutex_unlock(&conn->lock);
	expect_told(test, -ECONNRESET);
	KUNIT_EXPECT_EQ(test, SIW_QP_IDLE, siw_qp_state(fix->qp));
	KUNIT_EXPECT_EQ(test, SIW_CONN_LINGER, conn->state);
	KUNIT_EXPECT_EQ(test, 0, fix->refs);
	KUNIT_EXPECT_EQ(test, 1, siw_fake_count(fix->dev, SIW_CNT_CONN_REJ_RCVD));
}

/* A Reply finds its queue pair in ERROR: there is no stream, whatever it says. */
static void reply_comes_for_a_dead_qp(struct kunit *test)
{
	struct siw_conn *conn = initiator(test, SIW_CONN_WAIT_REPLY, TCP_LAST_ACK);
	struct startup_fixture *fix = test->priv;

	post_recv(test, 5);
	reply_arrives(test, conn, false);
	siw_qp_event(fix->qp, SIW_QP_EV_FAIL);
	mutex_lock(&conn->lock);
	siw_connect_reply(conn);
	mutex_unlock(&conn->lock);
	expect_gone(test, conn);
	expect_told(test, -ECONNABORTED);
	expect_recv(test, 5, IB_WC_WR_FLUSH_ERR);
	KUNIT_EXPECT_EQ(test, 0, siw_fake_count(fix->dev, SIW_CNT_CONN_UP));
	KUNIT_EXPECT_EQ(test, 1, siw_fake_count(fix->dev, SIW_CNT_CONN_ABORT));
}

/* The second try cannot even begin: who connects hears of it, and nothing is left. */
static void second_try_fails_at_once(struct kunit *test)
{
	struct siw_conn *conn = initiator(test, SIW_CONN_WAIT_REPLY, TCP_LAST_ACK);
	struct startup_fixture *fix = test->priv;
	struct siw_llp spare = {};

	open_llp(test, &spare, TCP_CLOSE);
	conn->setup->spare = spare.sock;
	conn->setup->req.rev = 2;
	/* Not what its socket is of: it is bound to no address. */
	fix->cm_id.m_local_addr.ss_family = AF_INET6;
	mutex_lock(&conn->lock);
	siw_connect_reply(conn);
	mutex_unlock(&conn->lock);
	expect_gone(test, conn);
	expect_told(test, -ECONNRESET);
	KUNIT_EXPECT_EQ(test, 1, siw_fake_count(fix->dev, SIW_CNT_CONN_FALLBACK));
	KUNIT_EXPECT_EQ(test, 1, siw_fake_count(fix->dev, SIW_CNT_CONN_LOCAL));
}

/* Memory reclaim may wait for what a timer ends: that waits for none of it. */
static void timer_reclaims_nothing(struct kunit *test)
{
	struct siw_conn *conn = initiator(test, SIW_CONN_CONNECTING, TCP_SYN_SENT);
	struct startup_fixture *fix = test->priv;

	mutex_lock(&conn->lock);
	siw_conn_arm(conn, 0);
	mutex_unlock(&conn->lock);
	flush_work(&conn->timer.work);
	expect_gone(test, conn);
	expect_told(test, -ETIMEDOUT);
	KUNIT_EXPECT_TRUE(test, fix->noio_then);
}

static struct kunit_case startup_cases[] = {
	KUNIT_CASE(incoming_is_looked_at),
	KUNIT_CASE(incoming_is_too_late),
	KUNIT_CASE(silent_ones_make_way),
	KUNIT_CASE(says_nothing_before_its_turn),
	KUNIT_CASE(accepts_no_qp_of_another_device),
	KUNIT_CASE(accept_that_fails_leaves_no_stream),
	KUNIT_CASE(accept_reads_what_came_meanwhile),
	KUNIT_CASE(accept_keeps_to_its_reply),
	KUNIT_CASE(peer_closes_before_the_request),
	KUNIT_CASE(rejected_has_its_qp_back),
	KUNIT_CASE(reply_comes_for_a_dead_qp),
	KUNIT_CASE(second_try_fails_at_once),
	KUNIT_CASE(timer_reclaims_nothing),
	{}
};

static struct kunit_suite startup_suite = {
	.name = "siw_startup",
	.init = startup_init,
	.test_cases = startup_cases,
};

kunit_test_suite(startup_suite);
