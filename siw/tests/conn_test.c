// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Connections: how long each state lasts, who makes way for whom, whose turn it
 * is, and what iw_cm is told.  Their sockets are connected to nothing: a test says
 * which state TCP is in.
 */
#include <linux/slab.h>
#include <net/net_namespace.h>
#include <net/tcp.h>

#include "../cm.h"
#include "../conn.h"
#include "fake.h"

#define WQES	4

/**
 * struct conn_fixture - a device, a cm_id, and what it was told
 * @dev: the device
 * @cq: completion queue of @qp
 * @qp: a queue pair
 * @cm_id: of a listener, or of a connection
 * @refs: references to @cm_id
 * @busy: so many events are not taken
 * @events: calls of its event handler
 * @event: the last one
 * @owner_then: @qp's owner at that time
 * @watched: a connection, or NULL
 * @state_then: @watched's state at that time
 * @backlog: what @cm_id lends its connections
 */
struct conn_fixture {
	struct siw_device *dev;
	struct siw_fake_cq *cq;
	struct siw_qp *qp;
	struct iw_cm_id cm_id;
	int refs;
	int busy;
	unsigned int events;
	struct iw_cm_event event;
	void *owner_then;
	const struct siw_conn *watched;
	enum siw_conn_state state_then;
	struct siw_backlog backlog;
};

static struct conn_fixture *fixture_of(struct iw_cm_id *cm_id)
{
	return container_of(cm_id, struct conn_fixture, cm_id);
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
	struct conn_fixture *fix = fixture_of(cm_id);

	fix->events++;
	fix->event = *event;
	fix->owner_then = READ_ONCE(fix->qp->owner);
	if (fix->watched)
		fix->state_then = READ_ONCE(fix->watched->state);
	return fix->busy-- > 0 ? -ENOMEM : 0;
}

static int conn_init(struct kunit *test)
{
	struct conn_fixture *fix = kunit_kzalloc(test, sizeof(*fix), GFP_KERNEL);
	struct siw_backlog *backlog = &fix->backlog;
	struct siw_device *dev;

	KUNIT_ASSERT_NOT_NULL(test, fix);
	test->priv = fix;
	dev = siw_fake_device(test);
	mutex_init(&dev->conns_lock);
	INIT_LIST_HEAD(&dev->conns);
	INIT_LIST_HEAD(&dev->half_open);
	INIT_LIST_HEAD(&dev->lingerers);
	fix->dev = dev;
	fix->cq = siw_fake_cq(test, dev, 4 * WQES);
	fix->qp = siw_fake_qp(test, fix->cq, WQES);
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

static void end_conn(void *arg)
{
	struct siw_conn *conn = arg;

	mutex_lock(&conn->lock);
	siw_conn_release_qp(conn);	/* where the test has failed */
	if (conn->state != SIW_CONN_CLOSED)
		siw_conn_retire(conn);
	mutex_unlock(&conn->lock);
	/* Work and timer hold a reference each while they run. */
	siw_conn_flush();
	siw_conn_put(conn);
}

/* A connection in @state, whose TCP is in @tcp; @backlog is a passive one's. */
static struct siw_conn *new_conn(struct kunit *test, enum siw_conn_state state,
				 int tcp, struct siw_backlog *backlog)
{
	struct conn_fixture *fix = test->priv;
	struct siw_conn *conn = siw_conn_new(fix->dev);
	struct sock *sk;

	KUNIT_ASSERT_NOT_NULL(test, conn);
	conn->state = SIW_CONN_CLOSED;
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, end_conn, conn));
	KUNIT_ASSERT_EQ(test, 0, siw_llp_open(&conn->llp, &init_net, AF_INET));
	sk = conn->llp.sock->sk;
	/* TCP divides by it when it looks for a window to offer. */
	inet_csk(sk)->icsk_ack.rcv_mss = TCP_MIN_MSS;
	WRITE_ONCE(sk->sk_state, tcp);
	if (tcp == TCP_ESTABLISHED)	/* it is going to be counted off */
		TCP_INC_STATS(&init_net, TCP_MIB_CURRESTAB);
	conn->state = state;
	conn->backlog = backlog;
	if (backlog) {
		kref_get(&backlog->ref);
		atomic_inc(state == SIW_CONN_WAIT_REQUEST ? &backlog->half_open :
							    &backlog->pending);
	}
	KUNIT_ASSERT_EQ(test, 0, siw_conn_publish(conn));
	return conn;
}

static void no_wake(void *owner)
{
}

static const struct siw_qp_ops owner_ops = {
	.wake = no_wake,
};

/* @conn has the queue pair of the fixture, and tells its cm_id. */
static void give_qp(struct kunit *test, struct siw_conn *conn)
{
	struct conn_fixture *fix = test->priv;

	KUNIT_ASSERT_EQ(test, 0, siw_qp_claim(fix->qp, conn, &owner_ops));
	conn->qp = fix->qp;
	siw_conn_set_cm_id(conn, &fix->cm_id);
}

static void linger(struct siw_conn *conn)
{
	mutex_lock(&conn->lock);
	siw_conn_linger(conn);
	mutex_unlock(&conn->lock);
	siw_conn_flush();
}

static void ask(struct siw_conn *conn)
{
	mutex_lock(&conn->lock);
	siw_accept_ask(conn);
	mutex_unlock(&conn->lock);
}

/* The time of its state has passed. */
static void time_passes(struct siw_conn *conn)
{
	mutex_lock(&conn->lock);
	siw_conn_arm(conn, 0);
	mutex_unlock(&conn->lock);
	flush_work(&conn->timer.work);
}

/* Nothing holds it any more but the test. */
static void expect_gone(struct kunit *test, struct siw_conn *conn)
{
	siw_conn_flush();
	KUNIT_EXPECT_EQ(test, SIW_CONN_CLOSED, conn->state);
	KUNIT_EXPECT_NULL(test, conn->llp.sock);
	KUNIT_EXPECT_TRUE(test, list_empty(&conn->entry));
	KUNIT_EXPECT_FALSE(test, delayed_work_pending(&conn->timer));
	KUNIT_EXPECT_EQ(test, 1, kref_read(&conn->ref));
}

/* Each state of a start-up ends in time, and the counter says which it was. */
static void start_up_has_its_time(struct kunit *test)
{
	static const struct {
		enum siw_conn_state state;
		int tcp;
		enum siw_counter counter;
		bool active;
	} rows[] = {
		{ SIW_CONN_CONNECTING, TCP_SYN_SENT, SIW_CNT_TIMEOUT_TCP, true },
		{ SIW_CONN_WAIT_REPLY, TCP_LAST_ACK, SIW_CNT_TIMEOUT_REPLY, true },
		{ SIW_CONN_WAIT_REQUEST, TCP_LAST_ACK, SIW_CNT_TIMEOUT_REQ },
		{ SIW_CONN_ULP, TCP_ESTABLISHED, SIW_CNT_TIMEOUT_ULP },
	};
	struct conn_fixture *fix = test->priv;
	int i, told = 0;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct siw_conn *conn = new_conn(test, rows[i].state, rows[i].tcp,
						 rows[i].active ? NULL :
								  &fix->backlog);

		if (rows[i].active)
			give_qp(test, conn);
		if (rows[i].state == SIW_CONN_ULP) {
			conn->asked = true;
			fix->backlog.asked++;
		}
		time_passes(conn);
		expect_gone(test, conn);
		KUNIT_EXPECT_EQ_MSG(test, 1,
				    siw_fake_count(fix->dev, rows[i].counter),
				    "row %d", i);
		KUNIT_EXPECT_EQ(test, i + 1,
				siw_fake_count(fix->dev, SIW_CNT_CONN_TIMEOUT));
		told += rows[i].active;
		KUNIT_EXPECT_EQ(test, told, fix->events);
		KUNIT_EXPECT_EQ(test, -ETIMEDOUT, fix->event.status);
		KUNIT_EXPECT_EQ(test, IW_CM_EVENT_CONNECT_REPLY, fix->event.event);
		/* Who hears of it may connect the queue pair again at once. */
		KUNIT_EXPECT_NULL(test, fix->owner_then);
		KUNIT_EXPECT_EQ(test, 0, fix->refs);
	}
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&fix->backlog.half_open));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&fix->backlog.pending));
	KUNIT_EXPECT_EQ(test, 0, fix->backlog.asked);
	KUNIT_EXPECT_EQ(test, 1, kref_read(&fix->backlog.ref));
}

/* A silent peer is nobody's but its timer's, which looks at nothing that is freed. */
static void timer_lets_go_last(struct kunit *test)
{
	struct conn_fixture *fix = test->priv;
	struct siw_conn *conn = new_conn(test, SIW_CONN_WAIT_REQUEST, TCP_LAST_ACK,
					 &fix->backlog);

	kunit_remove_action(test, end_conn, conn);
	siw_conn_put(conn);
	siw_conn_arm(conn, 0);
	siw_conn_flush();	/* KASAN sees it */
	KUNIT_EXPECT_EQ(test, 1, siw_fake_count(fix->dev, SIW_CNT_TIMEOUT_REQ));
	KUNIT_EXPECT_TRUE(test, list_empty(&fix->dev->half_open));
	KUNIT_EXPECT_EQ(test, 1, kref_read(&fix->backlog.ref));
}

/* Armed once more, it has one reference for its timer, and one deadline. */
static void timer_is_one(struct kunit *test)
{
	struct siw_conn *conn = new_conn(test, SIW_CONN_LINGER, TCP_LAST_ACK, NULL);
	unsigned int refs = kref_read(&conn->ref);

	mutex_lock(&conn->lock);
	siw_conn_arm(conn, 60000);
	siw_conn_arm(conn, 50000);
	siw_conn_retry(conn);
	KUNIT_EXPECT_EQ(test, refs + 1, kref_read(&conn->ref));
	siw_conn_arm(conn, 60000);
	KUNIT_EXPECT_EQ(test, refs + 1, kref_read(&conn->ref));
	KUNIT_EXPECT_TRUE(test, conn->deadline);
	siw_conn_disarm(conn);
	KUNIT_EXPECT_EQ(test, refs, kref_read(&conn->ref));
	KUNIT_EXPECT_FALSE(test, conn->deadline);
	siw_conn_disarm(conn);
	KUNIT_EXPECT_EQ(test, refs, kref_read(&conn->ref));
	mutex_unlock(&conn->lock);
}

/* As long as the peer takes something of what is on its way */
static void lingers_while_something_moves(struct kunit *test)
{
	struct siw_conn *conn = new_conn(test, SIW_CONN_UP, TCP_LAST_ACK, NULL);
	struct conn_fixture *fix = test->priv;

	linger(conn);
	KUNIT_EXPECT_EQ(test, SIW_CONN_LINGER, conn->state);
	KUNIT_EXPECT_EQ(test, 1, fix->dev->lingering);
	tcp_sk(conn->llp.sock->sk)->snd_una++;
	time_passes(conn);
	KUNIT_ASSERT_EQ(test, SIW_CONN_LINGER, conn->state);
	KUNIT_EXPECT_TRUE(test, delayed_work_pending(&conn->timer));
	time_passes(conn);
	expect_gone(test, conn);
	KUNIT_EXPECT_EQ(test, 0, fix->dev->lingering);
}

/* Also of one that moves there is an end. */
static void lingers_for_a_minute_at_most(struct kunit *test)
{
	struct siw_conn *conn = new_conn(test, SIW_CONN_UP, TCP_LAST_ACK, NULL);
	struct conn_fixture *fix = test->priv;

	linger(conn);
	KUNIT_EXPECT_TRUE(test, time_after(conn->linger_end, jiffies));
	KUNIT_EXPECT_FALSE(test, time_after(conn->linger_end, jiffies + 60 * HZ));
	mutex_lock(&conn->lock);
	conn->linger_end = jiffies;
	mutex_unlock(&conn->lock);
	tcp_sk(conn->llp.sock->sk)->snd_una++;
	time_passes(conn);
	expect_gone(test, conn);
	KUNIT_EXPECT_EQ(test, 0, fix->dev->lingering);
}

/* With as many as there may be, who has lingered longest makes way. */
static void oldest_lingerer_makes_way(struct kunit *test)
{
	struct siw_conn *first = new_conn(test, SIW_CONN_UP, TCP_LAST_ACK, NULL);
	struct siw_conn *second = new_conn(test, SIW_CONN_UP, TCP_LAST_ACK, NULL);
	struct siw_conn *third = new_conn(test, SIW_CONN_UP, TCP_LAST_ACK, NULL);
	struct conn_fixture *fix = test->priv;
	struct siw_device *dev = fix->dev;

	dev->lingering = SIW_MAX_LINGER - 2;
	linger(first);
	linger(second);
	KUNIT_EXPECT_EQ(test, SIW_CONN_LINGER, first->state);
	KUNIT_EXPECT_EQ(test, SIW_CONN_LINGER, second->state);
	KUNIT_EXPECT_EQ(test, SIW_MAX_LINGER, dev->lingering);
	linger(third);
	expect_gone(test, first);
	KUNIT_EXPECT_EQ(test, SIW_CONN_LINGER, second->state);
	KUNIT_EXPECT_EQ(test, SIW_CONN_LINGER, third->state);
	KUNIT_EXPECT_EQ(test, SIW_MAX_LINGER, dev->lingering);
	KUNIT_EXPECT_TRUE(test, list_is_first(&second->entry, &dev->lingerers));
	dev->lingering -= SIW_MAX_LINGER - 2;
}

/* On none of its lists is one left, and none comes any more. */
static void all_end_with_their_device(struct kunit *test)
{
	struct conn_fixture *fix = test->priv;
	struct siw_conn *silent = new_conn(test, SIW_CONN_WAIT_REQUEST,
					   TCP_LAST_ACK, &fix->backlog);
	struct siw_conn *asked = new_conn(test, SIW_CONN_ULP, TCP_ESTABLISHED,
					  NULL);
	struct siw_conn *lingers = new_conn(test, SIW_CONN_UP, TCP_LAST_ACK, NULL);
	struct siw_conn *late;

	KUNIT_EXPECT_TRUE(test, list_is_first(&silent->entry, &fix->dev->half_open));
	KUNIT_EXPECT_TRUE(test, list_is_first(&asked->entry, &fix->dev->conns));
	linger(lingers);
	siw_conn_abort_all(fix->dev, SIW_CLOSED_NETDEV);
	expect_gone(test, silent);
	expect_gone(test, asked);
	expect_gone(test, lingers);
	KUNIT_EXPECT_EQ(test, 0, fix->dev->lingering);
	KUNIT_EXPECT_EQ(test, SIW_CLOSED_NETDEV, fix->dev->closed);
	siw_conn_abort_all(fix->dev, SIW_CLOSED_CLIENT);
	KUNIT_EXPECT_EQ(test, SIW_CLOSED_NETDEV | SIW_CLOSED_CLIENT,
			fix->dev->closed);

	late = siw_conn_new(fix->dev);
	KUNIT_ASSERT_NOT_NULL(test, late);
	KUNIT_EXPECT_EQ(test, -ENODEV, siw_conn_publish(late));
	KUNIT_EXPECT_TRUE(test, list_empty(&late->entry));
	KUNIT_EXPECT_EQ(test, 1, kref_read(&late->ref));
	kfree(late->setup);
	siw_conn_put(late);
}

/* What was posted before the start-up ended that way comes back. */
static void start_up_ends_with_its_device(struct kunit *test)
{
	struct siw_conn *conn = new_conn(test, SIW_CONN_CONNECTING, TCP_SYN_SENT,
					 NULL);
	struct conn_fixture *fix = test->priv;
	const struct ib_recv_wr wr = { .wr_id = 5 };
	const struct ib_recv_wr *bad;
	struct ib_wc wc;

	give_qp(test, conn);
	KUNIT_ASSERT_EQ(test, 0, siw_rq_post(&fix->qp->rq, SIW_MAX_SGE, &wr, &bad));
	siw_conn_abort_all(fix->dev, SIW_CLOSED_NETDEV);
	expect_gone(test, conn);
	KUNIT_EXPECT_EQ(test, 1, fix->events);
	KUNIT_EXPECT_EQ(test, -ECONNABORTED, fix->event.status);
	KUNIT_EXPECT_NULL(test, fix->owner_then);
	KUNIT_EXPECT_EQ(test, 0, fix->refs);
	KUNIT_EXPECT_EQ(test, 1, siw_fake_count(fix->dev, SIW_CNT_CONN_ABORT));
	KUNIT_ASSERT_EQ(test, 1, siw_cq_poll(&fix->cq->cq.base, 1, &wc));
	KUNIT_EXPECT_EQ(test, 5, wc.wr_id);
	KUNIT_EXPECT_EQ(test, IB_WC_WR_FLUSH_ERR, wc.status);
	KUNIT_EXPECT_TRUE(test, siw_qp_is_stopped(fix->qp));
}

/* It has a Request, and waits for its turn. */
static struct siw_conn *queued(struct kunit *test)
{
	struct conn_fixture *fix = test->priv;
	struct siw_conn *conn = new_conn(test, SIW_CONN_QUEUED, TCP_ESTABLISHED,
					 &fix->backlog);

	list_add_tail(&conn->queued, &fix->backlog.queue);
	return conn;
}

/* iw_cm has no room for an event: it is told later, and then the next at once. */
static void turn_comes_when_there_is_room(struct kunit *test)
{
	struct siw_conn *first = queued(test), *second = queued(test);
	struct conn_fixture *fix = test->priv;
	struct siw_backlog *backlog = &fix->backlog;
	unsigned int refs = kref_read(&first->ref);

	fix->busy = 1;
	/* The lock keeps its timer waiting. */
	mutex_lock(&first->lock);
	siw_accept_ask(first);
	KUNIT_EXPECT_EQ(test, 1, fix->events);
	KUNIT_EXPECT_EQ(test, SIW_CONN_QUEUED, first->state);
	KUNIT_EXPECT_EQ(test, 0, first->id);
	KUNIT_EXPECT_EQ(test, refs + 1, kref_read(&first->ref));
	siw_accept_ask(second);		/* it is not the second's turn */
	KUNIT_EXPECT_EQ(test, 1, fix->events);
	KUNIT_EXPECT_EQ(test, 0, backlog->asked);
	mutex_unlock(&first->lock);
	flush_delayed_work(&first->timer);
	KUNIT_EXPECT_EQ(test, SIW_CONN_ULP, first->state);
	siw_conn_flush();
	KUNIT_EXPECT_EQ(test, SIW_CONN_ULP, second->state);
	KUNIT_EXPECT_EQ(test, 3, fix->events);
	KUNIT_EXPECT_EQ(test, IW_CM_EVENT_CONNECT_REQUEST, fix->event.event);
	KUNIT_EXPECT_TRUE(test, first->id && second->id && first->id != second->id);
	KUNIT_EXPECT_EQ(test, 2, backlog->asked);
	KUNIT_EXPECT_TRUE(test, list_empty(&backlog->queue));
}

/* No more are asked about than the listener said, and none of a device that goes. */
static void turn_comes_when_another_is_decided(struct kunit *test)
{
	struct siw_conn *first = queued(test), *second = queued(test);
	struct conn_fixture *fix = test->priv;
	struct siw_backlog *backlog = &fix->backlog;
	u32 id;

	backlog->max = 1;
	fix->dev->closed = SIW_CLOSED_CLIENT;
	ask(first);
	KUNIT_EXPECT_EQ(test, 0, fix->events);
	fix->dev->closed = 0;
	ask(first);
	ask(second);
	KUNIT_EXPECT_EQ(test, 1, fix->events);
	KUNIT_EXPECT_EQ(test, SIW_CONN_ULP, first->state);
	KUNIT_EXPECT_EQ(test, SIW_CONN_QUEUED, second->state);
	id = first->id;
	mutex_lock(&first->lock);
	siw_conn_retire(first);
	mutex_unlock(&first->lock);
	expect_gone(test, first);
	KUNIT_EXPECT_EQ(test, 0, first->id);
	KUNIT_EXPECT_EQ(test, SIW_CONN_ULP, second->state);
	KUNIT_EXPECT_EQ(test, 1, backlog->asked);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&backlog->pending));
	/* What iw_cm says of the first reaches nobody. */
	fix->cm_id.provider_data = (void *)(uintptr_t)id;
	KUNIT_EXPECT_EQ(test, -ECONNRESET, siw_conn_reject(&fix->cm_id, NULL, 0));
	KUNIT_EXPECT_EQ(test, 1, kref_read(&first->ref));
	KUNIT_EXPECT_EQ(test, SIW_CONN_ULP, second->state);
}

/* Who gives up while it waits for its turn takes nobody's place with it. */
static void turn_is_given_up(struct kunit *test)
{
	struct siw_conn *first = queued(test), *second;
	struct conn_fixture *fix = test->priv;
	struct siw_backlog *backlog = &fix->backlog;

	backlog->max = 1;
	second = new_conn(test, SIW_CONN_QUEUED, TCP_LAST_ACK, backlog);
	list_add_tail(&second->queued, &backlog->queue);
	ask(first);
	KUNIT_EXPECT_EQ(test, 2, atomic_read(&backlog->pending));
	ask(second);
	expect_gone(test, second);
	KUNIT_EXPECT_EQ(test, 1, siw_fake_count(fix->dev, SIW_CNT_CONN_CLOSED));
	KUNIT_EXPECT_EQ(test, 1, fix->events);
	KUNIT_EXPECT_EQ(test, 1, backlog->asked);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&backlog->pending));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&backlog->half_open));
	KUNIT_EXPECT_TRUE(test, list_empty(&backlog->queue));
}

/* What still comes over the socket goes to no queue pair that is given back. */
static void stream_is_over_before_that_is_told(struct kunit *test)
{
	struct siw_conn *conn = new_conn(test, SIW_CONN_UP, TCP_LAST_ACK, NULL);
	struct conn_fixture *fix = test->priv;

	give_qp(test, conn);
	fix->watched = conn;
	mutex_lock(&conn->lock);
	siw_conn_event(conn, SIW_QP_EV_FAIL);
	mutex_unlock(&conn->lock);
	KUNIT_EXPECT_EQ(test, 1, fix->events);
	KUNIT_EXPECT_EQ(test, IW_CM_EVENT_CLOSE, fix->event.event);
	KUNIT_EXPECT_EQ(test, SIW_CONN_LINGER, fix->state_then);
	KUNIT_EXPECT_TRUE(test, siw_qp_is_stopped(fix->qp));
	KUNIT_EXPECT_NULL(test, fix->qp->owner);
	KUNIT_EXPECT_EQ(test, 0, fix->refs);
	fix->watched = NULL;
}

/* An address of ours says nothing of one of the other family. */
static void both_ends_are_of_one_family(struct kunit *test)
{
	struct conn_fixture *fix = test->priv;
	struct iw_cm_conn_param param = {};

	fix->cm_id.device = &fix->dev->base;
	fix->cm_id.m_local_addr.ss_family = AF_INET;
	fix->cm_id.m_remote_addr.ss_family = AF_INET6;
	KUNIT_EXPECT_EQ(test, -EAFNOSUPPORT,
			siw_cm_connect(&fix->cm_id, &param));
	KUNIT_EXPECT_EQ(test, 0, siw_fake_count(fix->dev, SIW_CNT_CONN_OUT));
}

/* As much as a Request of revision 2 has room for, and not an octet more */
static void private_data_has_an_end(struct kunit *test)
{
	static const u8 octets[SIW_MPA_PD_MAX];
	struct conn_fixture *fix = test->priv;
	struct iw_cm_conn_param param = {
		.private_data = octets,
		.private_data_len = SIW_MPA_PD_MAX - SIW_MPA_ENH_LEN + 1,
		.qpn = 1,	/* no queue pair's: that is looked at later */
	};

	KUNIT_EXPECT_EQ(test, -EINVAL,
			siw_conn_connect(fix->dev, &fix->cm_id, &param));
	KUNIT_EXPECT_EQ(test, 0, siw_fake_count(fix->dev, SIW_CNT_CONN_OUT));
	param.private_data_len--;
	KUNIT_EXPECT_EQ(test, -EINVAL,
			siw_conn_connect(fix->dev, &fix->cm_id, &param));
	KUNIT_EXPECT_EQ(test, 1, siw_fake_count(fix->dev, SIW_CNT_CONN_OUT));
	KUNIT_EXPECT_EQ(test, 1, siw_fake_count(fix->dev, SIW_CNT_CONN_LOCAL));
	KUNIT_EXPECT_EQ(test, 0, fix->refs);
}

/* Without room for the private data, the rest of an event is told all the same. */
static void event_is_not_lost(struct kunit *test)
{
	struct siw_conn *conn = new_conn(test, SIW_CONN_UP, TCP_LAST_ACK, NULL);
	struct iw_cm_event event = {
		.event = IW_CM_EVENT_CONNECT_REPLY,
		.private_data = "data",
		.private_data_len = 4,
	};
	struct conn_fixture *fix = test->priv;

	mutex_lock(&conn->lock);
	siw_conn_set_cm_id(conn, &fix->cm_id);
	conn->remote.ss_family = AF_INET;
	siw_conn_tell(conn, &event);
	KUNIT_EXPECT_EQ(test, 1, fix->events);
	KUNIT_EXPECT_EQ(test, 4, fix->event.private_data_len);
	KUNIT_EXPECT_EQ(test, AF_INET, fix->event.remote_addr.ss_family);
	fix->busy = 1;
	siw_conn_tell(conn, &event);
	KUNIT_EXPECT_EQ(test, 3, fix->events);
	KUNIT_EXPECT_EQ(test, 0, fix->event.private_data_len);
	KUNIT_EXPECT_NULL(test, fix->event.private_data);
	KUNIT_EXPECT_EQ(test, IW_CM_EVENT_CONNECT_REPLY, fix->event.event);
	fix->busy = 1;
	siw_conn_tell_status(conn, IW_CM_EVENT_CLOSE, 0);
	KUNIT_EXPECT_EQ(test, 4, fix->events);
	siw_conn_drop_cm_id(conn);
	KUNIT_EXPECT_EQ(test, 0, fix->refs);
	siw_conn_tell(conn, &event);
	KUNIT_EXPECT_EQ(test, 4, fix->events);
	mutex_unlock(&conn->lock);
}

/* iw_cm counts private data in eight bits, and rdma_cm depths. */
static void start_up_data_is_cut_to_fit(struct kunit *test)
{
	static const u16 lens[][2] = {
		{ 1, 1 }, { 255, 255 }, { 256, 255 }, { 512, 255 },
	};
	struct siw_conn *conn = new_conn(test, SIW_CONN_ULP, TCP_ESTABLISHED, NULL);
	struct siw_mpa_setup frame = {};
	struct iw_cm_event event = {};
	int i;

	siw_startup_private_data(conn, &event, &frame);
	KUNIT_EXPECT_NULL(test, event.private_data);
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		frame.enhanced = i & 1;
		frame.pd_len = lens[i][0];
		siw_startup_private_data(conn, &event, &frame);
		KUNIT_EXPECT_EQ(test, lens[i][1], event.private_data_len);
		KUNIT_EXPECT_PTR_EQ(test, (void *)conn->setup->in +
				    SIW_MPA_HDR_LEN + (i & 1 ? SIW_MPA_ENH_LEN : 0),
				    (void *)event.private_data);
	}
	frame.enhanced = false;
	KUNIT_EXPECT_EQ(test, SIW_MAX_RD_ATOM, siw_startup_depth(&frame, 3));
	frame.enhanced = true;
	KUNIT_EXPECT_EQ(test, SIW_MAX_RD_ATOM,
			siw_startup_depth(&frame, SIW_MPA_DEPTH_AUTO));
	KUNIT_EXPECT_EQ(test, 0, siw_startup_depth(&frame, 0));
	KUNIT_EXPECT_EQ(test, 255, siw_startup_depth(&frame, 255));
	KUNIT_EXPECT_EQ(test, 255, siw_startup_depth(&frame, 256));
}

/* It may be destroyed while iw_cm has it in its hands. */
static void claims_no_qp_that_is_gone(struct kunit *test)
{
	struct siw_conn *conn = new_conn(test, SIW_CONN_CONNECTING, TCP_SYN_SENT,
					 NULL);
	struct conn_fixture *fix = test->priv;

	KUNIT_EXPECT_EQ(test, -EINVAL,
			siw_conn_claim_qp(conn, fix->qp->base.qp_num, 1, 1));
	KUNIT_EXPECT_NULL(test, conn->qp);
}

static struct kunit_case conn_cases[] = {
	KUNIT_CASE(start_up_has_its_time),
	KUNIT_CASE(timer_lets_go_last),
	KUNIT_CASE(timer_is_one),
	KUNIT_CASE(lingers_while_something_moves),
	KUNIT_CASE(lingers_for_a_minute_at_most),
	KUNIT_CASE(oldest_lingerer_makes_way),
	KUNIT_CASE(all_end_with_their_device),
	KUNIT_CASE(start_up_ends_with_its_device),
	KUNIT_CASE(turn_comes_when_there_is_room),
	KUNIT_CASE(turn_comes_when_another_is_decided),
	KUNIT_CASE(turn_is_given_up),
	KUNIT_CASE(stream_is_over_before_that_is_told),
	KUNIT_CASE(both_ends_are_of_one_family),
	KUNIT_CASE(private_data_has_an_end),
	KUNIT_CASE(event_is_not_lost),
	KUNIT_CASE(start_up_data_is_cut_to_fit),
	KUNIT_CASE(claims_no_qp_that_is_gone),
	{}
};

static struct kunit_suite conn_suite = {
	.name = "siw_conn",
	.init = conn_init,
	.test_cases = conn_cases,
};

kunit_test_suite(conn_suite);
