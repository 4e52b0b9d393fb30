// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * The details "rdma resource show ... -dd" shows.
 *
 * Anybody may ask, so there is no STag in them: ib_core shows the keys of a
 * region, and only to the administrator.  Numbers are read while work goes on
 * and may be a moment apart.
 */
#include <rdma/rdma_netlink.h>
#include <rdma/restrack.h>

#include "conn.h"
#include "restrack.h"

/* Elements of a send queue that are posted and not taken yet */
static u32 posted_sqes(const struct siw_sq *sq)
{
	u32 get = READ_ONCE(sq->fetch);
	u32 n = 0;

	while (n < sq->num && READ_ONCE(sq->ring[(get + n) &
						 (sq->num - 1)].flags) &
			      SIW_WQE_VALID)
		n++;
	return n;
}

/**
 * struct detail - a number by its name
 * @name: as it is shown
 * @value: the number
 */
struct detail {
	const char *name;
	u32 value;
};

static int put_all(struct sk_buff *msg, const struct detail *detail, size_t n)
{
	int err = 0;

	for (; n && !err; n--, detail++)
		err = rdma_nl_put_driver_u32(msg, detail->name, detail->value);
	return err;
}

static int put_queues(struct sk_buff *msg, struct siw_qp *qp)
{
	const struct siw_ddp_queue *sends = &qp->rx.ddp.queue[SIW_QN_SEND];
	const struct siw_sq *sq = &qp->sq;
	const struct detail all[] = {
		{ "sq_size", sq->num },
		{ "sq_posted", posted_sqes(sq) },
		{ "sq_outstanding", READ_ONCE(sq->fetch) - READ_ONCE(sq->comp) },
		{ "sq_high", READ_ONCE(sq->high) },
		/* The index begins a lap below 0. */
		{ "sq_done", READ_ONCE(sq->comp) + sq->num },
		{ "tx_queued", READ_ONCE(qp->tx.buf.len) },
		/* Also with an SRQ; the receiver goes on counting meanwhile. */
		{ "rq_done", data_race(sends->msn) - 1 },
		/* Not with an SRQ */
		{ "rq_size", qp->rq.num },
		{ "rq_posted", qp->srq ? 0 : siw_rq_available(qp) },
		{ "rq_low", READ_ONCE(qp->rq.low) },
	};

	return put_all(msg, all, ARRAY_SIZE(all) - (qp->srq ? 3 : 0));
}

static int put_reads(struct sk_buff *msg, const struct siw_qp *qp)
{
	const struct detail all[] = {
		{ "ord", READ_ONCE(qp->ord) },
		{ "ord_used", READ_ONCE(qp->orq_put) - READ_ONCE(qp->orq_get) },
		{ "ord_high", READ_ONCE(qp->orq_high) },
		{ "ird", READ_ONCE(qp->ird) },
		{ "ird_used", READ_ONCE(qp->irq_put) - READ_ONCE(qp->irq_get) },
		{ "ird_high", READ_ONCE(qp->irq_high) },
	};

	return put_all(msg, all, ARRAY_SIZE(all));
}

static int put_terminate(struct sk_buff *msg, struct siw_qp *qp)
{
	enum siw_fault fault;
	struct siw_term term;
	char text[16];
	bool by_peer;

	spin_lock_bh(&qp->lock);
	fault = qp->fault;
	by_peer = qp->by_peer;
	term = qp->term;
	spin_unlock_bh(&qp->lock);
	if (fault == SIW_OK)
		return 0;
	snprintf(text, sizeof(text), "%u/%u/%02x", term.layer, term.etype,
		 term.code);
	return rdma_nl_put_driver_string(msg, by_peer ? "terminate_received" :
						       "terminate_sent", text);
}

static int put_stream(struct sk_buff *msg, struct siw_qp *qp)
{
	const struct detail all[] = {
		{ "mpa_rev", READ_ONCE(qp->rev) },
		{ "crc", READ_ONCE(qp->tx.crc) },
		{ "markers", READ_ONCE(qp->tx.markers) },
	};
	int err;

	err = rdma_nl_put_driver_string(msg, "stream",
					siw_qp_state_name(siw_qp_state(qp)));
	if (!err)
		err = put_all(msg, all, ARRAY_SIZE(all));
	return err ? err : put_terminate(msg, qp);
}

static int put_path(struct sk_buff *msg, struct siw_qp *qp)
{
	struct siw_conn_path path;
	char local[64], remote[64];
	int err;

	if (!siw_conn_path(qp, &path))
		return 0;
	snprintf(local, sizeof(local), "%pISpc", &path.local);
	snprintf(remote, sizeof(remote), "%pISpc", &path.remote);
	err = rdma_nl_put_driver_string(msg, "local", local);
	if (!err)
		err = rdma_nl_put_driver_string(msg, "peer", remote);
	return err ? err : rdma_nl_put_driver_u32(msg, "mss", path.mss);
}

static int finish(struct sk_buff *msg, struct nlattr *table, int err)
{
	if (err)
		nla_nest_cancel(msg, table);
	else
		nla_nest_end(msg, table);
	return err;
}

static int put_qp(struct sk_buff *msg, struct siw_qp *qp)
{
	struct nlattr *table = nla_nest_start(msg, RDMA_NLDEV_ATTR_DRIVER);
	int err;

	if (!table)
		return -EMSGSIZE;
	err = put_stream(msg, qp);
	if (!err)
		err = put_path(msg, qp);
	if (!err)
		err = put_queues(msg, qp);
	if (!err && siw_qp_state(qp) != SIW_QP_IDLE)
		err = put_reads(msg, qp);
	return finish(msg, table, err);
}

/*
 * ib_core may have had the QP destroyed and not have let go of it yet: only one
 * that is still found has queues.
 */
int siw_restrack_qp(struct sk_buff *msg, struct ib_qp *base)
{
	struct siw_qp *qp = siw_qp_lookup(to_siw_dev(base->device),
					  base->qp_num);
	int err = 0;

	if (!qp)
		return 0;
	if (qp == to_siw_qp(base))
		err = put_qp(msg, qp);
	siw_qp_put(qp);
	return err;
}

int siw_restrack_cq(struct sk_buff *msg, struct ib_cq *base)
{
	struct nlattr *table = nla_nest_start(msg, RDMA_NLDEV_ATTR_DRIVER);
	struct siw_cq *cq = to_siw_cq(base);
	const struct detail all[] = {
		{ "pending", siw_cq_pending(cq) },
		{ "high", READ_ONCE(cq->high) },
		{ "overflowed", READ_ONCE(cq->overflowed) },
	};

	if (!table)
		return -EMSGSIZE;
	return finish(msg, table, put_all(msg, all, ARRAY_SIZE(all)));
}

static const char *kind_of(const struct siw_mr *mr)
{
	if (mr->umem)
		return "user";
	return mr->pages ? "fast" : "dma";
}

static int put_mr(struct sk_buff *msg, struct siw_mr *mr)
{
	struct siw_region region;
	int err;

	read_lock_bh(&mr->lock);
	/* It may be invalidated meanwhile. */
	region = data_race(mr->region);
	read_unlock_bh(&mr->lock);
	err = rdma_nl_put_driver_string(msg, "kind", kind_of(mr));
	if (!err) {
		const struct detail all[] = {
			{ "valid", region.valid },
			{ "local_write",
			  !!(region.access & SIW_ACCESS_LOCAL_WRITE) },
			{ "remote_write",
			  !!(region.access & SIW_ACCESS_REMOTE_WRITE) },
			{ "remote_read",
			  !!(region.access & SIW_ACCESS_REMOTE_READ) },
		};

		err = put_all(msg, all, ARRAY_SIZE(all));
	}
	return err;
}

int siw_restrack_mr(struct sk_buff *msg, struct ib_mr *base)
{
	struct nlattr *table = nla_nest_start(msg, RDMA_NLDEV_ATTR_DRIVER);

	if (!table)
		return -EMSGSIZE;
	return finish(msg, table, put_mr(msg, to_siw_mr(base)));
}
