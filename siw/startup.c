// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * MPA start-up frames, from and to the socket.
 */
#include <rdma/ib_verbs.h>

#include "conn.h"
#include "log.h"
#include "trace.h"

/**
 * siw_startup_read() - read what there is of a start-up frame
 * @conn: connection
 * @kind: the frame that is due
 * @frame: decoded frame
 *
 * Return: 0 if @frame is complete, -EAGAIN if more has to come, -ECONNRESET
 * if the peer closed, -EPROTO if the frame is not legal.
 */
int siw_startup_read(struct siw_conn *conn, enum siw_mpa_kind kind,
		     struct siw_mpa_setup *frame)
{
	struct siw_startup *setup = conn->setup;
	enum siw_mpa_verdict verdict = SIW_MPA_WAIT;
	int n;

	while (verdict == SIW_MPA_WAIT) {
		n = siw_llp_recv(&conn->llp, setup->in + setup->in_len,
				 setup->in_need - setup->in_len);
		if (n == -EAGAIN)
			return n;
		if (n <= 0)
			return -ECONNRESET;
		setup->in_len += n;
		verdict = siw_mpa_setup_decode(frame, kind, setup->in,
					       setup->in_len, &setup->in_need);
	}
	if (verdict == SIW_MPA_GOOD && siw_llp_has_data(&conn->llp))
		verdict = SIW_MPA_BAD_TRAIL;
	if (verdict == SIW_MPA_GOOD) {
		trace_siw_mpa_received(&conn->dev->base, &conn->remote, frame);
		return 0;
	}
	siw_log_refused(conn, kind, verdict);
	return -EPROTO;
}

int siw_startup_send(struct siw_conn *conn, struct siw_mpa_setup *frame,
		     const void *pd, u16 pd_len)
{
	size_t n;

	frame->pd_len = pd_len;
	trace_siw_mpa_sent(&conn->dev->base, &conn->remote, frame);
	n = siw_mpa_setup_encode(conn->setup->out, frame);
	if (pd_len)
		memcpy(conn->setup->out + n, pd, pd_len);
	return siw_llp_send(&conn->llp, conn->setup->out, n + pd_len);
}

/*
 * What iw_cm can carry of the peer's private data: 255 octets.  It makes a copy, but
 * not of none: a pointer would outlive what it points to.
 */
void siw_startup_private_data(struct siw_conn *conn, struct iw_cm_event *event,
			      const struct siw_mpa_setup *frame)
{
	if (!frame->pd_len)
		return;
	event->private_data = conn->setup->in + siw_mpa_setup_hdr_len(frame);
	event->private_data_len = min_t(u16, frame->pd_len, U8_MAX);
}

u8 siw_startup_depth(const struct siw_mpa_setup *frame, u16 depth)
{
	if (!frame->enhanced || depth == SIW_MPA_DEPTH_AUTO)
		return SIW_MAX_RD_ATOM;
	return min_t(u16, depth, U8_MAX);
}
