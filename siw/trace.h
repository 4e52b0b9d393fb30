/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * Tracepoints: each step of a work request, an FPDU and a connection.
 *
 * A device is its index, as "rdma dev" shows it; QPs, CQs and STags are the
 * numbers that "rdma resource" shows.  STags are capabilities: tracefs is for
 * root.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM siw

#if !defined(SIW_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define SIW_TRACE_H

#include <linux/in6.h>
#include <linux/socket.h>
#include <linux/tracepoint.h>
#include <rdma/ib_verbs.h>
#include <rdma/siw-abi.h>

#include "siw.h"
#include "stats.h"
#include "proto/access.h"
#include "proto/ddp.h"
#include "proto/fault.h"
#include "proto/mpa_setup.h"
#include "proto/qp_fsm.h"

/* What user space needs to make out the numbers */
TRACE_DEFINE_ENUM(SIW_OP_WRITE);
TRACE_DEFINE_ENUM(SIW_OP_READ);
TRACE_DEFINE_ENUM(SIW_OP_READ_LOCAL_INV);
TRACE_DEFINE_ENUM(SIW_OP_SEND);
TRACE_DEFINE_ENUM(SIW_OP_SEND_REMOTE_INV);
TRACE_DEFINE_ENUM(SIW_OP_RECEIVE);
TRACE_DEFINE_ENUM(SIW_OP_INVAL_STAG);
TRACE_DEFINE_ENUM(SIW_OP_REG_MR);

#define siw_show_op(value)						\
	__print_symbolic(value,						\
			 { SIW_OP_WRITE, "WRITE" },			\
			 { SIW_OP_READ, "READ" },			\
			 { SIW_OP_READ_LOCAL_INV, "READ_LOCAL_INV" },	\
			 { SIW_OP_SEND, "SEND" },			\
			 { SIW_OP_SEND_REMOTE_INV, "SEND_REMOTE_INV" },	\
			 { SIW_OP_RECEIVE, "RECEIVE" },			\
			 { SIW_OP_INVAL_STAG, "LOCAL_INV" },		\
			 { SIW_OP_REG_MR, "REG_MR" })

TRACE_DEFINE_ENUM(SIW_WC_SUCCESS);
TRACE_DEFINE_ENUM(SIW_WC_LOC_LEN_ERR);
TRACE_DEFINE_ENUM(SIW_WC_LOC_PROT_ERR);
TRACE_DEFINE_ENUM(SIW_WC_LOC_QP_OP_ERR);
TRACE_DEFINE_ENUM(SIW_WC_WR_FLUSH_ERR);
TRACE_DEFINE_ENUM(SIW_WC_BAD_RESP_ERR);
TRACE_DEFINE_ENUM(SIW_WC_LOC_ACCESS_ERR);
TRACE_DEFINE_ENUM(SIW_WC_REM_ACCESS_ERR);
TRACE_DEFINE_ENUM(SIW_WC_REM_INV_REQ_ERR);
TRACE_DEFINE_ENUM(SIW_WC_GENERAL_ERR);

#define siw_show_status(value)						\
	__print_symbolic(value,						\
			 { SIW_WC_SUCCESS, "SUCCESS" },			\
			 { SIW_WC_LOC_LEN_ERR, "LOC_LEN_ERR" },		\
			 { SIW_WC_LOC_PROT_ERR, "LOC_PROT_ERR" },	\
			 { SIW_WC_LOC_QP_OP_ERR, "LOC_QP_OP_ERR" },	\
			 { SIW_WC_WR_FLUSH_ERR, "WR_FLUSH_ERR" },	\
			 { SIW_WC_BAD_RESP_ERR, "BAD_RESP_ERR" },	\
			 { SIW_WC_LOC_ACCESS_ERR, "LOC_ACCESS_ERR" },	\
			 { SIW_WC_REM_ACCESS_ERR, "REM_ACCESS_ERR" },	\
			 { SIW_WC_REM_INV_REQ_ERR, "REM_INV_REQ_ERR" },	\
			 { SIW_WC_GENERAL_ERR, "GENERAL_ERR" })

TRACE_DEFINE_ENUM(SIW_RDMAP_WRITE);
TRACE_DEFINE_ENUM(SIW_RDMAP_READ_REQ);
TRACE_DEFINE_ENUM(SIW_RDMAP_READ_RSP);
TRACE_DEFINE_ENUM(SIW_RDMAP_SEND);
TRACE_DEFINE_ENUM(SIW_RDMAP_SEND_INV);
TRACE_DEFINE_ENUM(SIW_RDMAP_SEND_SE);
TRACE_DEFINE_ENUM(SIW_RDMAP_SEND_SE_INV);
TRACE_DEFINE_ENUM(SIW_RDMAP_TERMINATE);

#define siw_show_message(value)						\
	__print_symbolic(value,						\
			 { SIW_RDMAP_WRITE, "Write" },			\
			 { SIW_RDMAP_READ_REQ, "ReadRequest" },		\
			 { SIW_RDMAP_READ_RSP, "ReadResponse" },	\
			 { SIW_RDMAP_SEND, "Send" },			\
			 { SIW_RDMAP_SEND_INV, "SendInvalidate" },	\
			 { SIW_RDMAP_SEND_SE, "SendSE" },		\
			 { SIW_RDMAP_SEND_SE_INV, "SendSEInvalidate" },	\
			 { SIW_RDMAP_TERMINATE, "Terminate" })

TRACE_DEFINE_ENUM(SIW_QP_IDLE);
TRACE_DEFINE_ENUM(SIW_QP_RTS);
TRACE_DEFINE_ENUM(SIW_QP_CLOSING);
TRACE_DEFINE_ENUM(SIW_QP_TERMINATE);
TRACE_DEFINE_ENUM(SIW_QP_ERROR);

#define siw_show_qp_state(value)					\
	__print_symbolic(value,						\
			 { SIW_QP_IDLE, "IDLE" },			\
			 { SIW_QP_RTS, "RTS" },				\
			 { SIW_QP_CLOSING, "CLOSING" },			\
			 { SIW_QP_TERMINATE, "TERMINATE" },		\
			 { SIW_QP_ERROR, "ERROR" })

TRACE_DEFINE_ENUM(SIW_QP_EV_START);
TRACE_DEFINE_ENUM(SIW_QP_EV_CLOSE);
TRACE_DEFINE_ENUM(SIW_QP_EV_CLOSED);
TRACE_DEFINE_ENUM(SIW_QP_EV_PEER_CLOSED);
TRACE_DEFINE_ENUM(SIW_QP_EV_FAULT);
TRACE_DEFINE_ENUM(SIW_QP_EV_TERM_SENT);
TRACE_DEFINE_ENUM(SIW_QP_EV_TERM_RCVD);
TRACE_DEFINE_ENUM(SIW_QP_EV_LOST);
TRACE_DEFINE_ENUM(SIW_QP_EV_FAIL);
TRACE_DEFINE_ENUM(SIW_QP_EV_RESET);

#define siw_show_qp_event(value)					\
	__print_symbolic(value,						\
			 { SIW_QP_EV_START, "start" },			\
			 { SIW_QP_EV_CLOSE, "close" },			\
			 { SIW_QP_EV_CLOSED, "closed" },		\
			 { SIW_QP_EV_PEER_CLOSED, "peer_closed" },	\
			 { SIW_QP_EV_FAULT, "fault" },			\
			 { SIW_QP_EV_TERM_SENT, "terminate_sent" },	\
			 { SIW_QP_EV_TERM_RCVD, "terminate_received" },	\
			 { SIW_QP_EV_LOST, "lost" },			\
			 { SIW_QP_EV_FAIL, "fail" },			\
			 { SIW_QP_EV_RESET, "reset" })

TRACE_DEFINE_ENUM(SIW_CONN_CONNECTING);
TRACE_DEFINE_ENUM(SIW_CONN_WAIT_REPLY);
TRACE_DEFINE_ENUM(SIW_CONN_WAIT_REQUEST);
TRACE_DEFINE_ENUM(SIW_CONN_QUEUED);
TRACE_DEFINE_ENUM(SIW_CONN_ULP);
TRACE_DEFINE_ENUM(SIW_CONN_WAIT_FIRST);
TRACE_DEFINE_ENUM(SIW_CONN_UP);
TRACE_DEFINE_ENUM(SIW_CONN_LINGER);
TRACE_DEFINE_ENUM(SIW_CONN_CLOSED);

#define siw_show_conn_state(value)					\
	__print_symbolic(value,						\
			 { SIW_CONN_CONNECTING, "CONNECTING" },		\
			 { SIW_CONN_WAIT_REPLY, "WAIT_REPLY" },		\
			 { SIW_CONN_WAIT_REQUEST, "WAIT_REQUEST" },	\
			 { SIW_CONN_QUEUED, "QUEUED" },			\
			 { SIW_CONN_ULP, "ULP" },			\
			 { SIW_CONN_WAIT_FIRST, "WAIT_FIRST" },		\
			 { SIW_CONN_UP, "UP" },				\
			 { SIW_CONN_LINGER, "LINGER" },			\
			 { SIW_CONN_CLOSED, "CLOSED" })

TRACE_DEFINE_ENUM(SIW_CNT_CONN_REFUSED);
TRACE_DEFINE_ENUM(SIW_CNT_CONN_TCP);
TRACE_DEFINE_ENUM(SIW_CNT_CONN_CLOSED);
TRACE_DEFINE_ENUM(SIW_CNT_CONN_REJ_RCVD);
TRACE_DEFINE_ENUM(SIW_CNT_CONN_REJ_SENT);
TRACE_DEFINE_ENUM(SIW_CNT_CONN_TERMS);
TRACE_DEFINE_ENUM(SIW_CNT_CONN_LOCAL);
TRACE_DEFINE_ENUM(SIW_CNT_CONN_ABORT);
TRACE_DEFINE_ENUM(SIW_CNT_TIMEOUT_TCP);
TRACE_DEFINE_ENUM(SIW_CNT_TIMEOUT_REPLY);
TRACE_DEFINE_ENUM(SIW_CNT_TIMEOUT_REQ);
TRACE_DEFINE_ENUM(SIW_CNT_TIMEOUT_ULP);
TRACE_DEFINE_ENUM(SIW_CNT_TIMEOUT_FIRST);
TRACE_DEFINE_ENUM(SIW_CNT_HALF_OPEN);

#define siw_show_cause(value)						\
	__print_symbolic(value,						\
			 { SIW_CNT_CONN_REFUSED, "refused" },		\
			 { SIW_CNT_CONN_TCP, "tcp_error" },		\
			 { SIW_CNT_CONN_CLOSED, "closed" },		\
			 { SIW_CNT_CONN_REJ_RCVD, "reject_received" },	\
			 { SIW_CNT_CONN_REJ_SENT, "reject_sent" },	\
			 { SIW_CNT_CONN_TERMS, "terms" },		\
			 { SIW_CNT_CONN_LOCAL, "local_error" },		\
			 { SIW_CNT_CONN_ABORT, "abort" },		\
			 { SIW_CNT_TIMEOUT_TCP, "timeout_tcp" },	\
			 { SIW_CNT_TIMEOUT_REPLY, "timeout_reply" },	\
			 { SIW_CNT_TIMEOUT_REQ, "timeout_request" },	\
			 { SIW_CNT_TIMEOUT_ULP, "timeout_ulp" },	\
			 { SIW_CNT_TIMEOUT_FIRST, "timeout_first" },	\
			 { SIW_CNT_HALF_OPEN, "half_open" })

/*
 * Work requests: posted by a kernel user, asked for by a user's doorbell,
 * taken from the ring, completed
 */
DECLARE_EVENT_CLASS(siw_wr,
		    TP_PROTO(const struct ib_qp *qp, const struct siw_sqe *sqe,
			     u32 len),
		    TP_ARGS(qp, sqe, len),
		    TP_STRUCT__entry(__field(u32, dev)
				     __field(u32, qpn)
				     __field(u64, id)
				     __field(u8, op)
				     __field(u16, flags)
				     __field(u32, len)
		    ),
		    TP_fast_assign(__entry->dev = qp->device->index;
				   __entry->qpn = qp->qp_num;
				   __entry->id = sqe->id;
				   __entry->op = sqe->opcode;
				   __entry->flags = sqe->flags;
				   __entry->len = len;
		    ),
		    TP_printk("dev=%u qpn=%u id=%#llx op=%s flags=%#x len=%u",
			      __entry->dev, __entry->qpn, __entry->id,
			      siw_show_op(__entry->op), __entry->flags,
			      __entry->len)
);

DEFINE_EVENT(siw_wr, siw_post,
	     TP_PROTO(const struct ib_qp *qp, const struct siw_sqe *sqe,
		      u32 len),
	     TP_ARGS(qp, sqe, len));

DEFINE_EVENT(siw_wr, siw_start,
	     TP_PROTO(const struct ib_qp *qp, const struct siw_sqe *sqe,
		      u32 len),
	     TP_ARGS(qp, sqe, len));

TRACE_EVENT(siw_doorbell,
	    TP_PROTO(const struct ib_qp *qp),
	    TP_ARGS(qp),
	    TP_STRUCT__entry(__field(u32, dev)
			     __field(u32, qpn)
	    ),
	    TP_fast_assign(__entry->dev = qp->device->index;
			   __entry->qpn = qp->qp_num;
	    ),
	    TP_printk("dev=%u qpn=%u", __entry->dev, __entry->qpn)
);

TRACE_EVENT(siw_complete,
	    TP_PROTO(const struct ib_cq *cq, const struct ib_qp *qp, u64 id,
		     u8 op, u8 status, u32 len),
	    TP_ARGS(cq, qp, id, op, status, len),
	    TP_STRUCT__entry(__field(u32, dev)
			     __field(u32, cqn)
			     __field(u32, qpn)
			     __field(u64, id)
			     __field(u8, op)
			     __field(u8, status)
			     __field(u32, len)
	    ),
	    TP_fast_assign(__entry->dev = cq->device->index;
			   __entry->cqn = cq->res.id;
			   __entry->qpn = qp->qp_num;
			   __entry->id = id;
			   __entry->op = op;
			   __entry->status = status;
			   __entry->len = len;
	    ),
	    TP_printk("dev=%u cqn=%u qpn=%u id=%#llx op=%s status=%s len=%u",
		      __entry->dev, __entry->cqn, __entry->qpn, __entry->id,
		      siw_show_op(__entry->op),
		      siw_show_status(__entry->status), __entry->len)
);

/* The consumer of an armed CQ is told. */
TRACE_EVENT(siw_notify,
	    TP_PROTO(const struct ib_cq *cq),
	    TP_ARGS(cq),
	    TP_STRUCT__entry(__field(u32, dev)
			     __field(u32, cqn)
	    ),
	    TP_fast_assign(__entry->dev = cq->device->index;
			   __entry->cqn = cq->res.id;
	    ),
	    TP_printk("dev=%u cqn=%u", __entry->dev, __entry->cqn)
);

/*
 * FPDUs: built, received and found whole, acted upon.  una: the snd_una of TCP
 * by which one that was built is acknowledged; that of now, when one is received.
 * The cookie is the one that tcp:tcp_probe has.
 */
DECLARE_EVENT_CLASS(siw_fpdu,
		    TP_PROTO(const struct ib_qp *qp, const struct siw_seg *seg,
			     u64 cookie, u32 una),
		    TP_ARGS(qp, seg, cookie, una),
		    TP_STRUCT__entry(__field(u32, dev)
				     __field(u32, qpn)
				     __field(u8, op)
				     __field(bool, last)
				     __field(u32, len)
				     __field(u32, stag)
				     __field(u64, to)
				     __field(u32, qn)
				     __field(u32, msn)
				     __field(u32, mo)
				     __field(u64, cookie)
				     __field(u32, una)
		    ),
		    TP_fast_assign(__entry->dev = qp->device->index;
				   __entry->qpn = qp->qp_num;
				   __entry->op = seg->op;
				   __entry->last = seg->last;
				   __entry->len = seg->len;
				   __entry->stag = seg->stag;
				   __entry->to = seg->tagged ? seg->to : 0;
				   __entry->qn = seg->tagged ? 0 : seg->qn;
				   __entry->msn = seg->tagged ? 0 : seg->msn;
				   __entry->mo = seg->tagged ? 0 : seg->mo;
				   __entry->cookie = cookie;
				   __entry->una = una;
		    ),
		    TP_printk("dev=%u qpn=%u op=%s last=%d len=%u stag=%#x to=%#llx qn=%u msn=%u mo=%u cookie=%#llx una=%#x",
			      __entry->dev, __entry->qpn,
			      siw_show_message(__entry->op), __entry->last,
			      __entry->len, __entry->stag, __entry->to, __entry->qn,
			      __entry->msn, __entry->mo, __entry->cookie,
			      __entry->una)
);

DEFINE_EVENT(siw_fpdu, siw_tx_fpdu,
	     TP_PROTO(const struct ib_qp *qp, const struct siw_seg *seg,
		      u64 cookie, u32 una),
	     TP_ARGS(qp, seg, cookie, una));

DEFINE_EVENT(siw_fpdu, siw_rx_fpdu,
	     TP_PROTO(const struct ib_qp *qp, const struct siw_seg *seg,
		      u64 cookie, u32 una),
	     TP_ARGS(qp, seg, cookie, una));

TRACE_EVENT(siw_placed,
	    TP_PROTO(const struct ib_qp *qp, const struct siw_seg *seg),
	    TP_ARGS(qp, seg),
	    TP_STRUCT__entry(__field(u32, dev)
			     __field(u32, qpn)
			     __field(u8, op)
			     __field(bool, last)
			     __field(u32, len)
			     __field(u32, stag)
			     __field(u64, to)
			     __field(u32, qn)
			     __field(u32, msn)
			     __field(u32, mo)
	    ),
	    TP_fast_assign(__entry->dev = qp->device->index;
			   __entry->qpn = qp->qp_num;
			   __entry->op = seg->op;
			   __entry->last = seg->last;
			   __entry->len = seg->len;
			   __entry->stag = seg->stag;
			   __entry->to = seg->tagged ? seg->to : 0;
			   __entry->qn = seg->tagged ? 0 : seg->qn;
			   __entry->msn = seg->tagged ? 0 : seg->msn;
			   __entry->mo = seg->tagged ? 0 : seg->mo;
	    ),
	    TP_printk("dev=%u qpn=%u op=%s last=%d len=%u stag=%#x to=%#llx qn=%u msn=%u mo=%u",
		      __entry->dev, __entry->qpn,
		      siw_show_message(__entry->op), __entry->last,
		      __entry->len, __entry->stag, __entry->to, __entry->qn,
		      __entry->msn, __entry->mo)
);

/* A call into TCP: FPDUs since it last took something, what it took, of how much */
TRACE_EVENT(siw_train,
	    TP_PROTO(const struct ib_qp *qp, u32 fpdus, int taken, u32 len),
	    TP_ARGS(qp, fpdus, taken, len),
	    TP_STRUCT__entry(__field(u32, dev)
			     __field(u32, qpn)
			     __field(u32, fpdus)
			     __field(int, taken)
			     __field(u32, len)
	    ),
	    TP_fast_assign(__entry->dev = qp->device->index;
			   __entry->qpn = qp->qp_num;
			   __entry->fpdus = fpdus;
			   __entry->taken = taken;
			   __entry->len = len;
	    ),
	    TP_printk("dev=%u qpn=%u fpdus=%u taken=%d len=%u",
		      __entry->dev, __entry->qpn, __entry->fpdus, __entry->taken,
		      __entry->len)
);

/* A work request waits for a Read of ours: so many are outstanding. */
TRACE_EVENT(siw_stall,
	    TP_PROTO(const struct ib_qp *qp, u32 reads, u32 ord),
	    TP_ARGS(qp, reads, ord),
	    TP_STRUCT__entry(__field(u32, dev)
			     __field(u32, qpn)
			     __field(u32, reads)
			     __field(u32, ord)
	    ),
	    TP_fast_assign(__entry->dev = qp->device->index;
			   __entry->qpn = qp->qp_num;
			   __entry->reads = reads;
			   __entry->ord = ord;
	    ),
	    TP_printk("dev=%u qpn=%u reads=%u ord=%u", __entry->dev, __entry->qpn,
		      __entry->reads, __entry->ord)
);

/*
 * Streams
 */
TRACE_EVENT(siw_qp_state,
	    TP_PROTO(const struct ib_qp *qp, u8 from, u8 to, u8 event),
	    TP_ARGS(qp, from, to, event),
	    TP_STRUCT__entry(__field(u32, dev)
			     __field(u32, qpn)
			     __field(u8, from)
			     __field(u8, to)
			     __field(u8, event)
	    ),
	    TP_fast_assign(__entry->dev = qp->device->index;
			   __entry->qpn = qp->qp_num;
			   __entry->from = from;
			   __entry->to = to;
			   __entry->event = event;
	    ),
	    TP_printk("dev=%u qpn=%u from=%s to=%s event=%s",
		      __entry->dev, __entry->qpn,
		      siw_show_qp_state(__entry->from),
		      siw_show_qp_state(__entry->to),
		      siw_show_qp_event(__entry->event))
);

DECLARE_EVENT_CLASS(siw_terminate,
		    TP_PROTO(const struct ib_qp *qp, const struct siw_term *term),
		    TP_ARGS(qp, term),
		    TP_STRUCT__entry(__field(u32, dev)
				     __field(u32, qpn)
				     __field(u8, layer)
				     __field(u8, etype)
				     __field(u8, code)
		    ),
		    TP_fast_assign(__entry->dev = qp->device->index;
				   __entry->qpn = qp->qp_num;
				   __entry->layer = term->layer;
				   __entry->etype = term->etype;
				   __entry->code = term->code;
		    ),
		    TP_printk("dev=%u qpn=%u code=%u/%u/%02x", __entry->dev, __entry->qpn,
			      __entry->layer, __entry->etype, __entry->code)
);

DEFINE_EVENT(siw_terminate, siw_terminate_sent,
	     TP_PROTO(const struct ib_qp *qp, const struct siw_term *term),
	     TP_ARGS(qp, term));

DEFINE_EVENT(siw_terminate, siw_terminate_received,
	     TP_PROTO(const struct ib_qp *qp, const struct siw_term *term),
	     TP_ARGS(qp, term));

/*
 * Connections.  A QP number of 0: it has none (yet).
 */
TRACE_EVENT(siw_conn_state,
	    TP_PROTO(const struct ib_device *dev, u32 qpn,
		     const struct sockaddr_storage *local,
		     const struct sockaddr_storage *remote, u8 from, u8 to),
	    TP_ARGS(dev, qpn, local, remote, from, to),
	    TP_STRUCT__entry(__field(u32, dev)
			     __field(u32, qpn)
			     __array(u8, local, sizeof(struct sockaddr_in6))
			     __array(u8, remote, sizeof(struct sockaddr_in6))
			     __field(u8, from)
			     __field(u8, to)
	    ),
	    TP_fast_assign(__entry->dev = dev->index;
			   __entry->qpn = qpn;
			   memcpy(__entry->local, local,
				  sizeof(struct sockaddr_in6));
		       memcpy(__entry->remote, remote,
			      sizeof(struct sockaddr_in6));
		       __entry->from = from;
		       __entry->to = to;
	),
	TP_printk("dev=%u qpn=%u local=%pISpc peer=%pISpc from=%s to=%s",
		  __entry->dev, __entry->qpn, __entry->local, __entry->remote,
		  siw_show_conn_state(__entry->from),
		  siw_show_conn_state(__entry->to))
);

/* The cause is the counter that says why. */
TRACE_EVENT(siw_conn_failed,
	    TP_PROTO(const struct ib_device *dev, u32 qpn,
		     const struct sockaddr_storage *local,
		     const struct sockaddr_storage *remote, u8 cause, int err),
	    TP_ARGS(dev, qpn, local, remote, cause, err),
	    TP_STRUCT__entry(__field(u32, dev)
			     __field(u32, qpn)
			     __array(u8, local, sizeof(struct sockaddr_in6))
			     __array(u8, remote, sizeof(struct sockaddr_in6))
			     __field(u8, cause)
			     __field(int, err)
	    ),
	    TP_fast_assign(__entry->dev = dev->index;
			   __entry->qpn = qpn;
			   memcpy(__entry->local, local,
				  sizeof(struct sockaddr_in6));
		       memcpy(__entry->remote, remote,
			      sizeof(struct sockaddr_in6));
		       __entry->cause = cause;
		       __entry->err = err;
	),
	TP_printk("dev=%u qpn=%u local=%pISpc peer=%pISpc cause=%s err=%d",
		  __entry->dev, __entry->qpn, __entry->local, __entry->remote,
		  siw_show_cause(__entry->cause), __entry->err)
);

/* MPA start-up frames */
DECLARE_EVENT_CLASS(siw_mpa,
		    TP_PROTO(const struct ib_device *dev,
			     const struct sockaddr_storage *remote,
			     const struct siw_mpa_setup *frame),
		    TP_ARGS(dev, remote, frame),
		    TP_STRUCT__entry(__field(u32, dev)
				     __array(u8, remote, sizeof(struct sockaddr_in6))
				     __field(u8, kind)
				     __field(u8, rev)
				     __field(bool, markers)
				     __field(bool, crc)
				     __field(bool, reject)
				     __field(bool, enhanced)
				     __field(u8, rtr)
				     __field(u16, ird)
				     __field(u16, ord)
				     __field(u16, pd_len)
		    ),
		    TP_fast_assign(__entry->dev = dev->index;
				   memcpy(__entry->remote, remote,
					  sizeof(struct sockaddr_in6));
		       __entry->kind = frame->kind;
		       __entry->rev = frame->rev;
		       __entry->markers = frame->markers;
		       __entry->crc = frame->crc;
		       __entry->reject = frame->reject;
		       __entry->enhanced = frame->enhanced;
		       __entry->rtr = frame->rtr;
		       __entry->ird = frame->ird;
		       __entry->ord = frame->ord;
		       __entry->pd_len = frame->pd_len;
	),
	TP_printk("dev=%u peer=%pISpc %s rev=%u markers=%d crc=%d reject=%d enhanced=%d rtr=%#x ird=%u ord=%u pd_len=%u",
		  __entry->dev, __entry->remote,
		  __print_symbolic(__entry->kind, { 0, "Request" },
				   { 1, "Reply" }),
		  __entry->rev, __entry->markers, __entry->crc,
		  __entry->reject, __entry->enhanced, __entry->rtr,
		  __entry->ird, __entry->ord, __entry->pd_len)
);

DEFINE_EVENT(siw_mpa, siw_mpa_sent,
	     TP_PROTO(const struct ib_device *dev,
		      const struct sockaddr_storage *remote,
		      const struct siw_mpa_setup *frame),
	     TP_ARGS(dev, remote, frame));

DEFINE_EVENT(siw_mpa, siw_mpa_received,
	     TP_PROTO(const struct ib_device *dev,
		      const struct sockaddr_storage *remote,
		      const struct siw_mpa_setup *frame),
	     TP_ARGS(dev, remote, frame));

/*
 * Memory regions: made accessible, made inaccessible, gone
 */
TRACE_EVENT(siw_mr_register,
	    TP_PROTO(const struct ib_device *dev, u32 stag, u64 base, u64 len,
		     u32 rights),
	    TP_ARGS(dev, stag, base, len, rights),
	    TP_STRUCT__entry(__field(u32, dev)
			     __field(u32, stag)
			     __field(u64, base)
			     __field(u64, len)
			     __field(u32, rights)
	    ),
	    TP_fast_assign(__entry->dev = dev->index;
			   __entry->stag = stag;
			   __entry->base = base;
			   __entry->len = len;
			   __entry->rights = rights;
	    ),
	    TP_printk("dev=%u stag=%#x base=%#llx len=%llu rights=%s",
		      __entry->dev, __entry->stag, __entry->base, __entry->len,
		      __print_flags(__entry->rights, "|",
				    { SIW_ACCESS_LOCAL_WRITE, "LOCAL_WRITE" },
				    { SIW_ACCESS_REMOTE_WRITE, "REMOTE_WRITE" },
				    { SIW_ACCESS_REMOTE_READ, "REMOTE_READ" }))
);

DECLARE_EVENT_CLASS(siw_stag,
		    TP_PROTO(const struct ib_device *dev, u32 stag),
		    TP_ARGS(dev, stag),
		    TP_STRUCT__entry(__field(u32, dev)
				     __field(u32, stag)
		    ),
		    TP_fast_assign(__entry->dev = dev->index;
				   __entry->stag = stag;
		    ),
		    TP_printk("dev=%u stag=%#x", __entry->dev, __entry->stag)
);

DEFINE_EVENT(siw_stag, siw_mr_invalidate_local,
	     TP_PROTO(const struct ib_device *dev, u32 stag),
	     TP_ARGS(dev, stag));

DEFINE_EVENT(siw_stag, siw_mr_invalidate_remote,
	     TP_PROTO(const struct ib_device *dev, u32 stag),
	     TP_ARGS(dev, stag));

DEFINE_EVENT(siw_stag, siw_mr_deregister,
	     TP_PROTO(const struct ib_device *dev, u32 stag),
	     TP_ARGS(dev, stag));

#endif

/* The Makefile has this directory searched. */
#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
