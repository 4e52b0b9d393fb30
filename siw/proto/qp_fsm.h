/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * The queue pair's states and what moves it from one to the next (RFC 5040
 * section 6, RFC 5044 section 7.2).
 */
#ifndef SIW_PROTO_QP_FSM_H
#define SIW_PROTO_QP_FSM_H

#include <linux/types.h>

enum siw_qp_state {
	SIW_QP_IDLE,		/* no stream; receives may be posted */
	SIW_QP_RTS,		/* full operation */
	SIW_QP_CLOSING,		/* graceful close under way */
	SIW_QP_TERMINATE,	/* own fault found, Terminate has to leave */
	SIW_QP_ERROR,		/* no stream any more, everything is flushed */
	SIW_QP_STATES
};

enum siw_qp_event {
	SIW_QP_EV_START,	/* MPA start-up is done */
	SIW_QP_EV_CLOSE,	/* the ULP wants a graceful close */
	SIW_QP_EV_CLOSED,	/* both directions are closed, nothing pending */
	SIW_QP_EV_PEER_CLOSED,	/* FIN from the peer at a message boundary */
	SIW_QP_EV_FAULT,	/* own fault: send a Terminate */
	SIW_QP_EV_TERM_SENT,	/* own Terminate handed to TCP (or hopeless) */
	SIW_QP_EV_TERM_RCVD,	/* the peer's Terminate came */
	SIW_QP_EV_LOST,		/* reset, time-out, FIN inside a message */
	SIW_QP_EV_FAIL,		/* the ULP moves the QP to ERROR */
	SIW_QP_EV_RESET,	/* the ULP moves the QP to RESET */
	SIW_QP_EVENTS
};

/* The event is not allowed in this state */
#define SIW_QP_REFUSED	SIW_QP_STATES

enum siw_qp_state siw_qp_next(enum siw_qp_state state, enum siw_qp_event ev);
const char *siw_qp_state_name(enum siw_qp_state state);

#endif
