/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * Connections: MPA start-up, the life of a stream, and its end.
 */
#ifndef SIW_CONN_H
#define SIW_CONN_H

#include <linux/sched/mm.h>
#include <rdma/iw_cm.h>

#include "qp.h"

/**
 * struct siw_startup - what is only needed until full operation
 * @in: frame from the peer
 * @in_len: octets of @in
 * @in_need: octets @in is going to have
 * @out: frame to the peer
 * @req: decoded Request
 * @pd: the initiator's private data
 * @pd_len: octets of @pd
 * @tos: type of service, or -1
 * @spare: the initiator's, for a second try, or NULL
 */
struct siw_startup {
	u8 in[SIW_MPA_FRAME_MAX];
	size_t in_len;
	size_t in_need;
	u8 out[SIW_MPA_FRAME_MAX];
	struct siw_mpa_setup req;
	u8 pd[SIW_MPA_PD_MAX];
	u16 pd_len;
	int tos;
	struct socket *spare;
};

/**
 * struct siw_backlog - what a listening cm_id lends its connections
 * @ref: listener and connections
 * @lock: guards @cm_id, @listener, @queue and @asked
 * @cm_id: the listening id, NULL once it is destroyed
 * @dev: device of @cm_id
 * @listener: socket it is a member of, or NULL
 * @entry: in the listener's list
 * @half_open: connections without a complete Request
 * @pending: connections with one that are not accepted or rejected yet
 * @queue: those of @pending that the ULP has not been asked about, oldest first
 * @asked: how many it has been asked about
 * @max: most of @asked; with so many @pending none is taken from TCP
 */
struct siw_backlog {
	struct kref ref;
	struct mutex lock;	/* guards cm_id, listener, queue and asked */
	struct iw_cm_id *cm_id;
	struct siw_device *dev;
	struct siw_listener *listener;
	struct list_head entry;
	atomic_t half_open;
	atomic_t pending;
	struct list_head queue;
	int asked;
	int max;
};

/**
 * struct siw_conn - a connection
 * @ref: work, timer, device list and callers
 * @lock: guards everything below
 * @state: read without @lock by the socket's callbacks
 * @dev: device
 * @entry: in one of the device's lists
 * @llp: the socket; none if llp.sock is NULL
 * @cm_id: who is told, or NULL
 * @qp: claimed QP, or NULL
 * @lent: what iw_cm has of it, until it is told that the connection is there
 * @linger_end: when it has waited for the peer's FIN long enough, in jiffies;
 *	0 if it is not one of the device's lingering ones
 * @backlog: what a passive connection counts against until it is decided
 * @setup: start-up data, or NULL
 * @queued: in @backlog's queue
 * @asked: counts as one of those @backlog's ULP was asked about
 * @id: names a passive connection to iw_cm, 0 if it does not know of it
 * @work: something happened on the socket or the QP
 * @timer: the state lasted too long
 * @deadline: when, in jiffies; 0 if never
 * @progress: what moved until @timer was armed
 * @local: our address
 * @remote: the peer's address
 */
struct siw_conn {
	struct kref ref;
	struct mutex lock;	/* guards all below */
	enum siw_conn_state state;
	struct siw_device *dev;
	struct list_head entry;
	struct siw_llp llp;
	struct iw_cm_id *cm_id;
	struct siw_qp *qp;
	struct siw_lent *lent;
	unsigned long linger_end;
	struct siw_backlog *backlog;
	struct siw_startup *setup;
	struct list_head queued;
	bool asked;
	u32 id;
	struct work_struct work;
	struct delayed_work timer;
	unsigned long deadline;
	u32 progress;
	struct sockaddr_storage local;
	struct sockaddr_storage remote;
};

/**
 * struct siw_conn_path - the TCP connection of a QP
 * @local: our address
 * @remote: the peer's address
 * @mss: payload octets of a full TCP segment
 */
struct siw_conn_path {
	struct sockaddr_storage local;
	struct sockaddr_storage remote;
	u32 mss;
};

extern const struct siw_llp_ops siw_conn_llp_ops;

/* conn.c: life; the caller of all but the first holds the lock */
struct siw_conn *siw_conn_new(struct siw_device *dev);
/*
 * Memory reclaim may wait for a connection's end, and works of our queue wait for
 * this lock: who holds it must not wait for reclaim that does I/O.
 *
 * Return: what siw_conn_unlock() needs.
 */
static inline unsigned int siw_conn_lock(struct siw_conn *conn)
{
	unsigned int noio = memalloc_noio_save();

	mutex_lock(&conn->lock);
	return noio;
}

static inline void siw_conn_unlock(struct siw_conn *conn, unsigned int noio)
{
	mutex_unlock(&conn->lock);
	memalloc_noio_restore(noio);
}

static inline void siw_conn_set_cm_id(struct siw_conn *conn,
				      struct iw_cm_id *cm_id)
{
	cm_id->add_ref(cm_id);
	conn->cm_id = cm_id;
}

/* No work of a connection that is over runs any more. Context: process. */
static inline void siw_conn_flush(void)
{
	flush_workqueue(siw_request_wq);
	flush_workqueue(siw_wq);
}

void siw_conn_put(struct siw_conn *conn);
void siw_conn_queue(struct siw_conn *conn);
void siw_conn_arm(struct siw_conn *conn, unsigned int ms);
void siw_conn_retry(struct siw_conn *conn);
void siw_conn_disarm(struct siw_conn *conn);
void siw_conn_set_state(struct siw_conn *conn, enum siw_conn_state state);
int siw_conn_publish(struct siw_conn *conn);
int siw_conn_claim_qp(struct siw_conn *conn, u32 qpn, u32 ird, u32 ord);
void siw_conn_release_qp(struct siw_conn *conn);
void siw_conn_drop_cm_id(struct siw_conn *conn);
void siw_conn_drop_setup(struct siw_conn *conn);
void siw_conn_tell(struct siw_conn *conn, struct iw_cm_event *event);
void siw_conn_tell_status(struct siw_conn *conn, enum iw_cm_event_type type,
			  int status);
void siw_conn_established(struct siw_conn *conn);
void siw_conn_failed(struct siw_conn *conn, enum siw_counter cause, int err);
void siw_conn_event(struct siw_conn *conn, enum siw_qp_event event);
void siw_conn_linger(struct siw_conn *conn);
void siw_conn_retire(struct siw_conn *conn);

/* startup.c: frames */
int siw_startup_read(struct siw_conn *conn, enum siw_mpa_kind kind,
		     struct siw_mpa_setup *frame);
int siw_startup_send(struct siw_conn *conn, struct siw_mpa_setup *frame,
		     const void *pd, u16 pd_len);
void siw_startup_private_data(struct siw_conn *conn, struct iw_cm_event *event,
			      const struct siw_mpa_setup *frame);
u8 siw_startup_depth(const struct siw_mpa_setup *frame, u16 depth);

/* connect.c: the initiator's steps, with the lock held */
void siw_connect_tcp(struct siw_conn *conn);
void siw_connect_reply(struct siw_conn *conn);
void siw_connect_fail(struct siw_conn *conn, enum siw_counter cause,
		      int status);

/* accept.c: the responder's steps, with the lock held */
void siw_accept_request(struct siw_conn *conn);
void siw_accept_ask(struct siw_conn *conn);
void siw_accept_leave(struct siw_conn *conn);
void siw_accept_forget(struct siw_conn *conn);

/* What the layers above and below call */
int siw_conn_connect(struct siw_device *dev, struct iw_cm_id *cm_id,
		     const struct iw_cm_conn_param *param);
int siw_conn_accept(struct siw_device *dev, struct iw_cm_id *cm_id,
		    const struct iw_cm_conn_param *param);
int siw_conn_reject(struct iw_cm_id *cm_id, const void *pd, u8 pd_len);
void siw_conn_incoming(struct siw_backlog *backlog, struct siw_llp *llp);
void siw_conn_fail_qp(struct siw_qp *qp);
void siw_conn_close_qp(struct siw_qp *qp);
void siw_conn_abort_all(struct siw_device *dev, unsigned int why);
bool siw_conn_path(struct siw_qp *qp, struct siw_conn_path *path);

/* listen.c */
int siw_listen_add(struct siw_device *dev, struct iw_cm_id *cm_id,
		   int backlog);
void siw_listen_del(struct iw_cm_id *cm_id);
struct net *siw_cm_id_net(const struct iw_cm_id *cm_id);
struct ib_device *siw_cm_id_device(const struct iw_cm_id *cm_id);
void siw_listen_del_dev(struct siw_device *dev);
void siw_listen_resume(struct siw_backlog *backlog);
void siw_backlog_make_way(struct siw_backlog *backlog);
void siw_backlog_put(struct siw_backlog *backlog);

#endif
