// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The work request API: ibv_wr_start() to ibv_wr_complete().
 *
 * Elements are built in the ring, where the driver does not see them before
 * they are published.  Any failure makes all of them void.
 */
#include <errno.h>

#include "siw.h"

static struct siw_qp *siw_qp_of(struct ibv_qp_ex *base)
{
	return container_of(base, struct siw_qp, base.qp_ex);
}

static void fail(struct siw_qp *qp, int err)
{
	if (!qp->wr_err)
		qp->wr_err = err;
	qp->wr_sqe = NULL;
}

static void wr_start(struct ibv_qp_ex *base)
{
	struct siw_qp *qp = siw_qp_of(base);

	pthread_spin_lock(&qp->sq_lock);
	qp->wr_sqe = NULL;
	qp->wr_count = 0;
	qp->wr_err = 0;
}

static void begin(struct ibv_qp_ex *base, uint8_t opcode, uint32_t rkey,
		  uint64_t remote_addr)
{
	struct siw_qp *qp = siw_qp_of(base);
	struct siw_sqe *sqe;
	int err;

	if (qp->wr_err)
		return;
	sqe = siw_sq_slot(&qp->sq, qp->wr_count);
	err = sqe ? siw_sq_set_flags(&qp->sq, sqe,
				     base->wr_flags & ~IBV_SEND_INLINE) :
		    ENOMEM;
	if (err) {
		fail(qp, err);
		return;
	}
	sqe->id = base->wr_id;
	sqe->opcode = opcode;
	sqe->num_sge = 0;
	sqe->rkey = rkey;
	sqe->raddr = remote_addr;
	qp->wr_sqe = sqe;
	qp->wr_count++;
}

static void wr_rdma_write(struct ibv_qp_ex *base, uint32_t rkey,
			  uint64_t remote_addr)
{
	begin(base, SIW_OP_WRITE, rkey, remote_addr);
}

static void wr_rdma_read(struct ibv_qp_ex *base, uint32_t rkey,
			 uint64_t remote_addr)
{
	begin(base, SIW_OP_READ, rkey, remote_addr);
}

static void wr_send(struct ibv_qp_ex *base)
{
	begin(base, SIW_OP_SEND, 0, 0);
}

static void wr_send_inv(struct ibv_qp_ex *base, uint32_t invalidate_rkey)
{
	begin(base, SIW_OP_SEND_REMOTE_INV, invalidate_rkey, 0);
}

static void wr_set_sge_list(struct ibv_qp_ex *base, size_t num_sge,
			    const struct ibv_sge *sge)
{
	struct siw_qp *qp = siw_qp_of(base);
	int err;

	if (!qp->wr_sqe)
		return;
	err = siw_sq_set_sges(&qp->sq, qp->wr_sqe, sge, num_sge);
	if (err)
		fail(qp, err);
}

static void wr_set_sge(struct ibv_qp_ex *base, uint32_t lkey, uint64_t addr,
		       uint32_t length)
{
	const struct ibv_sge sge = {
		.addr = addr,
		.length = length,
		.lkey = lkey,
	};

	wr_set_sge_list(base, 1, &sge);
}

static void wr_set_inline_data_list(struct ibv_qp_ex *base, size_t num_buf,
				    const struct ibv_data_buf *buf)
{
	struct siw_qp *qp = siw_qp_of(base);
	int err = 0;
	size_t i;

	if (!qp->wr_sqe)
		return;
	siw_sq_begin_inline(qp->wr_sqe);
	for (i = 0; i < num_buf && !err; i++)
		err = siw_sq_add_inline(&qp->sq, qp->wr_sqe, buf[i].addr,
					buf[i].length);
	if (err)
		fail(qp, err);
}

static void wr_set_inline_data(struct ibv_qp_ex *base, void *addr,
			       size_t length)
{
	const struct ibv_data_buf buf = { .addr = addr, .length = length };

	wr_set_inline_data_list(base, 1, &buf);
}

static void wr_abort(struct ibv_qp_ex *base)
{
	struct siw_qp *qp = siw_qp_of(base);

	pthread_spin_unlock(&qp->sq_lock);
}

static int wr_complete(struct ibv_qp_ex *base)
{
	struct siw_qp *qp = siw_qp_of(base);
	uint32_t posts, count = qp->wr_count;
	int err = qp->wr_err;
	bool bell = false;

	if (!err)
		bell = siw_sq_publish(&qp->sq, count);
	posts = qp->sq.posts;
	pthread_spin_unlock(&qp->sq_lock);
	if (err)
		return err;
	err = siw_ring(qp, bell);
	/* As for siw_post_send(): what stays is posted. */
	return err && siw_take_back(qp, posts, count) ? err : 0;
}

void siw_wr_set_ops(struct siw_qp *qp)
{
	struct ibv_qp_ex *base = &qp->base.qp_ex;

	qp->base.comp_mask |= VERBS_QP_EX;
	base->wr_start = wr_start;
	base->wr_complete = wr_complete;
	base->wr_abort = wr_abort;
	base->wr_rdma_write = wr_rdma_write;
	base->wr_rdma_read = wr_rdma_read;
	base->wr_send = wr_send;
	base->wr_send_inv = wr_send_inv;
	base->wr_set_sge = wr_set_sge;
	base->wr_set_sge_list = wr_set_sge_list;
	base->wr_set_inline_data = wr_set_inline_data;
	base->wr_set_inline_data_list = wr_set_inline_data_list;
}
