// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * What the kernel log is told: each reason a peer can give is limited for
 * itself and for each device, so that none hides another.
 */
#include <linux/ratelimit.h>
#include <linux/slab.h>

#include "log.h"

#define VERDICTS	(SIW_MPA_BAD_ENHANCED + 1)

/**
 * struct siw_log_reason - a reason for a message
 * @limit: messages that are still allowed
 * @suppressed: those that were not, since the last one that was
 */
struct siw_log_reason {
	struct ratelimit_state limit;
	atomic_t suppressed;
};

/**
 * struct siw_log - what a device has said lately
 * @refused: start-up frames, by kind and verdict
 * @ended: streams, by who ended them and the fault
 */
struct siw_log {
	struct siw_log_reason refused[2][VERDICTS];
	struct siw_log_reason ended[2][SIW_FAULTS];
};

static void init_reason(struct siw_log_reason *reason)
{
	ratelimit_default_init(&reason->limit);
	/* We say ourselves how many there were. */
	ratelimit_set_flags(&reason->limit, RATELIMIT_MSG_ON_RELEASE);
}

int siw_log_init(struct siw_device *dev)
{
	struct siw_log *log = kzalloc_obj(*log);
	u32 i;

	if (!log)
		return -ENOMEM;
	for (i = 0; i < 2 * VERDICTS; i++)
		init_reason(&log->refused[0][0] + i);
	for (i = 0; i < 2 * SIW_FAULTS; i++)
		init_reason(&log->ended[0][0] + i);
	dev->log = log;
	return 0;
}

void siw_log_exit(struct siw_device *dev)
{
	kfree(dev->log);
}

static bool may_say(struct siw_device *dev, struct siw_log_reason *reason)
{
	int n;

	if (!__ratelimit(&reason->limit)) {
		atomic_inc(&reason->suppressed);
		siw_count(dev, SIW_CNT_MSG_SUPPRESSED);
		return false;
	}
	n = atomic_xchg(&reason->suppressed, 0);
	if (n)
		ibdev_notice(&dev->base,
			     "%d messages like the next were suppressed\n", n);
	return true;
}

/* A start-up frame is not legal. */
void siw_log_refused(struct siw_conn *conn, enum siw_mpa_kind kind,
		     enum siw_mpa_verdict verdict)
{
	static const char *const why[] = {
		[SIW_MPA_BAD_KEY] = "wrong key, not MPA",
		[SIW_MPA_BAD_REV] = "unknown revision",
		[SIW_MPA_BAD_PD_LEN] = "private data longer than 512 octets",
		[SIW_MPA_BAD_TRAIL] = "octets behind the frame",
		[SIW_MPA_BAD_ENHANCED] = "no room for the enhanced data",
	};
	struct siw_device *dev = conn->dev;

	if (may_say(dev, &dev->log->refused[kind][verdict]))
		ibdev_notice(&dev->base,
			     "local %pISpc, peer %pISpc: MPA %s refused: %s\n",
			     &conn->local, &conn->remote,
			     kind == SIW_MPA_REQUEST ? "Request" : "Reply",
			     why[verdict]);
}

/* The STag a Terminate is about, if it is about one */
static bool has_stag(const struct siw_term *term, u32 *stag)
{
	struct siw_read_req read;

	if (term->read_len) {
		siw_read_req_decode(&read, term->read);
		*stag = read.src_stag;
		return true;
	}
	if (term->hdr_len != SIW_DDP_TAGGED_LEN)
		return false;
	*stag = get_unaligned_be32(term->hdr + SIW_DDP_OFF_STAG);
	return true;
}

/* The QP of a connection is stopped: if it was a fault, say which. */
void siw_log_fault(struct siw_conn *conn)
{
	const struct siw_qp *qp = conn->qp;
	const struct siw_term *term = &qp->term;
	struct siw_device *dev = conn->dev;
	u32 stag;

	if (qp->fault == SIW_OK ||
	    !may_say(dev, &dev->log->ended[qp->by_peer][qp->fault]))
		return;
	if (has_stag(term, &stag))
		ibdev_notice(&dev->base,
			     "QP %u, local %pISpc, peer %pISpc: stream ended by %s: %s (%u/%u/%02x), STag %#x\n",
			     qp->base.qp_num, &conn->local, &conn->remote,
			     qp->by_peer ? "peer" : "us",
			     siw_fault_name(qp->fault), term->layer,
			     term->etype, term->code, stag);
	else
		ibdev_notice(&dev->base,
			     "QP %u, local %pISpc, peer %pISpc: stream ended by %s: %s (%u/%u/%02x)\n",
			     qp->base.qp_num, &conn->local, &conn->remote,
			     qp->by_peer ? "peer" : "us",
			     siw_fault_name(qp->fault), term->layer,
			     term->etype, term->code);
}
