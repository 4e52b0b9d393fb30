// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * The queue pair's states and what moves it from one to the next (RFC 5040
 * section 6, RFC 5044 section 7.2).
 */
#include <linux/types.h>

#include "qp_fsm.h"

/*
 * Reasons for the less obvious ones:
 *  - a fault can end the start-up (RFC 6581 section 10), so IDLE has one;
 *  - in CLOSING a Terminate goes out if our FIN has not;
 *  - in TERMINATE the first fault counts and input is not looked at any more;
 *  - an orderly closed QP flushes like any other without a stream: ERROR.
 */
static const u8 next_state[SIW_QP_STATES][SIW_QP_EVENTS] = {
	[SIW_QP_IDLE] = {
		[SIW_QP_EV_START] = SIW_QP_RTS,
		[SIW_QP_EV_CLOSE] = SIW_QP_IDLE,
		[SIW_QP_EV_CLOSED] = SIW_QP_IDLE,
		[SIW_QP_EV_PEER_CLOSED] = SIW_QP_ERROR,
		[SIW_QP_EV_FAULT] = SIW_QP_TERMINATE,
		[SIW_QP_EV_TERM_SENT] = SIW_QP_REFUSED,
		[SIW_QP_EV_TERM_RCVD] = SIW_QP_ERROR,
		[SIW_QP_EV_LOST] = SIW_QP_ERROR,
		[SIW_QP_EV_FAIL] = SIW_QP_ERROR,
		[SIW_QP_EV_RESET] = SIW_QP_IDLE,
	},
	[SIW_QP_RTS] = {
		[SIW_QP_EV_START] = SIW_QP_REFUSED,
		[SIW_QP_EV_CLOSE] = SIW_QP_CLOSING,
		[SIW_QP_EV_CLOSED] = SIW_QP_ERROR,
		[SIW_QP_EV_PEER_CLOSED] = SIW_QP_CLOSING,
		[SIW_QP_EV_FAULT] = SIW_QP_TERMINATE,
		[SIW_QP_EV_TERM_SENT] = SIW_QP_REFUSED,
		[SIW_QP_EV_TERM_RCVD] = SIW_QP_ERROR,
		[SIW_QP_EV_LOST] = SIW_QP_ERROR,
		[SIW_QP_EV_FAIL] = SIW_QP_ERROR,
		[SIW_QP_EV_RESET] = SIW_QP_IDLE,
	},
	[SIW_QP_CLOSING] = {
		[SIW_QP_EV_START] = SIW_QP_REFUSED,
		[SIW_QP_EV_CLOSE] = SIW_QP_CLOSING,
		[SIW_QP_EV_CLOSED] = SIW_QP_ERROR,
		[SIW_QP_EV_PEER_CLOSED] = SIW_QP_CLOSING,
		[SIW_QP_EV_FAULT] = SIW_QP_TERMINATE,
		[SIW_QP_EV_TERM_SENT] = SIW_QP_REFUSED,
		[SIW_QP_EV_TERM_RCVD] = SIW_QP_ERROR,
		[SIW_QP_EV_LOST] = SIW_QP_ERROR,
		[SIW_QP_EV_FAIL] = SIW_QP_ERROR,
		[SIW_QP_EV_RESET] = SIW_QP_IDLE,
	},
	[SIW_QP_TERMINATE] = {
		[SIW_QP_EV_START] = SIW_QP_REFUSED,
		[SIW_QP_EV_CLOSE] = SIW_QP_TERMINATE,
		[SIW_QP_EV_CLOSED] = SIW_QP_ERROR,
		[SIW_QP_EV_PEER_CLOSED] = SIW_QP_TERMINATE,
		[SIW_QP_EV_FAULT] = SIW_QP_TERMINATE,
		[SIW_QP_EV_TERM_SENT] = SIW_QP_ERROR,
		[SIW_QP_EV_TERM_RCVD] = SIW_QP_ERROR,
		[SIW_QP_EV_LOST] = SIW_QP_ERROR,
		[SIW_QP_EV_FAIL] = SIW_QP_ERROR,
		[SIW_QP_EV_RESET] = SIW_QP_IDLE,
	},
	[SIW_QP_ERROR] = {
		[SIW_QP_EV_START] = SIW_QP_REFUSED,
		[SIW_QP_EV_CLOSE] = SIW_QP_ERROR,
		[SIW_QP_EV_CLOSED] = SIW_QP_ERROR,
		[SIW_QP_EV_PEER_CLOSED] = SIW_QP_ERROR,
		[SIW_QP_EV_FAULT] = SIW_QP_ERROR,
		[SIW_QP_EV_TERM_SENT] = SIW_QP_ERROR,
		[SIW_QP_EV_TERM_RCVD] = SIW_QP_ERROR,
		[SIW_QP_EV_LOST] = SIW_QP_ERROR,
		[SIW_QP_EV_FAIL] = SIW_QP_ERROR,
		[SIW_QP_EV_RESET] = SIW_QP_IDLE,
	},
};

/**
 * siw_qp_next() - the state an event leads to
 * @state: state now
 * @ev: what happened
 *
 * RFC 5040 section 6.2, RFC 5044 section 7.2.
 *
 * Return: the next state, possibly the same, or %SIW_QP_REFUSED.
 */
enum siw_qp_state siw_qp_next(enum siw_qp_state state, enum siw_qp_event ev)
{
	return next_state[state][ev];
}

static const char *const state_names[SIW_QP_STATES] = {
	[SIW_QP_IDLE] = "IDLE",
	[SIW_QP_RTS] = "RTS",
	[SIW_QP_CLOSING] = "CLOSING",
	[SIW_QP_TERMINATE] = "TERMINATE",
	[SIW_QP_ERROR] = "ERROR",
};

/**
 * siw_qp_state_name() - a state in words
 * @state: any state
 *
 * Return: its name, "REFUSED" for %SIW_QP_REFUSED; never NULL.
 */
const char *siw_qp_state_name(enum siw_qp_state state)
{
	return state < SIW_QP_STATES ? state_names[state] : "REFUSED";
}
