// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The verbs of the siw provider.  Control verbs go to the driver; those of the
 * data path touch the mapped queues, and ring a doorbell when no lock is held.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/mman.h>

#include <ccan/minmax.h>

#include "siw.h"

/*
 * Device and port
 */
static int siw_query_device(struct ibv_context *context,
			    const struct ibv_query_device_ex_input *input,
			    struct ibv_device_attr_ex *attr, size_t attr_size)
{
	struct ib_uverbs_ex_query_device_resp resp;
	size_t resp_size = sizeof(resp);
	uint64_t fw;
	int err;

	err = ibv_cmd_query_device_any(context, input, attr, attr_size, &resp,
				       &resp_size);
	if (err)
		return err;
	fw = resp.base.fw_ver;
	snprintf(attr->orig_attr.fw_ver, sizeof(attr->orig_attr.fw_ver),
		 "%u.%u.%u", (unsigned int)(fw >> 32) & 0xffff,
		 (unsigned int)(fw >> 16) & 0xffff,
		 (unsigned int)fw & 0xffff);
	return 0;
}

static int siw_query_port(struct ibv_context *context, uint8_t port,
			  struct ibv_port_attr *attr)
{
	struct ibv_query_port cmd = {};

	return ibv_cmd_query_port(context, port, attr, &cmd, sizeof(cmd));
}

static void siw_free_context(struct ibv_context *context)
{
	struct siw_context *ctx = to_siw_context(context);

	siw_poller_end(ctx->poller);
	verbs_uninit_context(&ctx->base);
	free(ctx);
}

/*
 * Protection domains and memory regions
 */
static struct ibv_pd *siw_alloc_pd(struct ibv_context *context)
{
	struct ib_uverbs_alloc_pd_resp resp = {};
	struct ibv_alloc_pd cmd = {};
	struct ibv_pd *pd;
	int err;

	pd = calloc(1, sizeof(*pd));
	if (!pd)
		return NULL;
	err = ibv_cmd_alloc_pd(context, pd, &cmd, sizeof(cmd), &resp,
			       sizeof(resp));
	if (err) {
		free(pd);
		errno = err;
		return NULL;
	}
	return pd;
}

static int siw_dealloc_pd(struct ibv_pd *pd)
{
	int err = ibv_cmd_dealloc_pd(pd);

	if (!err)
		free(pd);
	return err;
}

/* The low octet of an STag is ours: not the same for a region that follows. */
static uint8_t next_stag_key(void)
{
	static _Atomic(uint8_t) key;

	return atomic_fetch_add(&key, 1);
}

static struct ibv_mr *siw_reg_mr(struct ibv_pd *pd, void *addr, size_t len,
				 uint64_t iova, int access)
{
	struct siw_reg_mr_cmd_resp resp = {};
	struct siw_reg_mr_cmd cmd = {};
	struct verbs_mr *mr;
	int err;

	mr = calloc(1, sizeof(*mr));
	if (!mr)
		return NULL;
	cmd.stag_key = next_stag_key();
	err = ibv_cmd_reg_mr(pd, addr, len, iova, access, mr, &cmd.ibv_cmd,
			     sizeof(cmd), &resp.ibv_resp, sizeof(resp));
	if (err) {
		free(mr);
		errno = err;
		return NULL;
	}
	return &mr->ibv_mr;
}

static int siw_dereg_mr(struct verbs_mr *mr)
{
	int err = ibv_cmd_dereg_mr(mr);

	if (!err)
		free(mr);
	return err;
}

/*
 * Mapped queues.  An empty one is not mapped, whatever its key.
 */
static int map_queue(struct ibv_context *context, size_t size, uint64_t key,
		     void **queue)
{
	*queue = NULL;
	if (!size)
		return 0;
	*queue = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      context->cmd_fd, key);
	if (*queue != MAP_FAILED)
		return 0;
	*queue = NULL;
	return errno;
}

static void unmap_queue(void *queue, size_t size)
{
	if (queue)
		munmap(queue, size);
}

/*
 * Completion queues
 */
static struct siw_cq *new_cq(struct ibv_context *context, int num_cqe,
			     struct ibv_comp_channel *channel, int comp_vector)
{
	struct siw_create_cq_cmd_resp resp = {};
	struct siw_create_cq_cmd cmd = {};
	struct siw_cq *cq;
	void *ring;
	int err;

	cq = calloc(1, sizeof(*cq));
	if (!cq)
		return NULL;
	err = ibv_cmd_create_cq(context, num_cqe, channel, comp_vector,
				&cq->base.cq, &cmd.ibv_cmd, sizeof(cmd),
				&resp.ibv_resp, sizeof(resp));
	if (err)
		goto err_free;

	cq->cqes.num = resp.num_cqe;
	cq->map_size = (size_t)resp.num_cqe * sizeof(*cq->cqes.ring) +
		       sizeof(*cq->cqes.ctrl);
	err = map_queue(context, cq->map_size, resp.cq_key, &ring);
	if (err)
		goto err_destroy;
	cq->cqes.ring = ring;
	cq->cqes.ctrl = (struct siw_cq_ctrl *)&cq->cqes.ring[cq->cqes.num];
	pthread_spin_init(&cq->lock, PTHREAD_PROCESS_PRIVATE);
	return cq;

err_destroy:
	ibv_cmd_destroy_cq(&cq->base.cq);
err_free:
	free(cq);
	errno = err;
	return NULL;
}

static struct ibv_cq *siw_create_cq(struct ibv_context *context, int num_cqe,
				    struct ibv_comp_channel *channel,
				    int comp_vector)
{
	struct siw_cq *cq = new_cq(context, num_cqe, channel, comp_vector);

	return cq ? &cq->base.cq : NULL;
}

static struct ibv_cq_ex *siw_create_cq_ex(struct ibv_context *context,
					  struct ibv_cq_init_attr_ex *attr)
{
	struct siw_cq *cq;
	uint32_t flags = 0;

	if (attr->comp_mask & IBV_CQ_INIT_ATTR_MASK_FLAGS)
		flags = attr->flags;
	if (attr->comp_mask & ~IBV_CQ_INIT_ATTR_MASK_FLAGS ||
	    flags & ~IBV_CREATE_CQ_ATTR_SINGLE_THREADED ||
	    attr->wc_flags & ~(uint64_t)IBV_WC_STANDARD_FLAGS) {
		errno = EOPNOTSUPP;
		return NULL;
	}
	if (attr->cqe > INT32_MAX) {
		errno = EINVAL;
		return NULL;
	}
	cq = new_cq(context, attr->cqe, attr->channel, attr->comp_vector);
	if (!cq)
		return NULL;
	cq->unlocked = flags & IBV_CREATE_CQ_ATTR_SINGLE_THREADED;
	siw_wc_set_ops(cq);
	return &cq->base.cq_ex;
}

/* No driver resizes: what is large enough already may stay as it is. */
static int siw_resize_cq(struct ibv_cq *cq, int num_cqe)
{
	if (num_cqe <= 0)
		return EINVAL;
	return num_cqe <= cq->cqe ? 0 : EOPNOTSUPP;
}

static int siw_destroy_cq(struct ibv_cq *base)
{
	struct siw_cq *cq = to_siw_cq(base);
	int err = ibv_cmd_destroy_cq(base);

	if (err)
		return err;
	unmap_queue(cq->cqes.ring, cq->map_size);
	pthread_spin_destroy(&cq->lock);
	free(cq);
	return 0;
}

static int siw_poll_cq(struct ibv_cq *base, int num, struct ibv_wc *wc)
{
	struct siw_cq *cq = to_siw_cq(base);
	int n;

	pthread_spin_lock(&cq->lock);
	n = siw_cq_poll(&cq->cqes, num, wc);
	pthread_spin_unlock(&cq->lock);
	return n;
}

static int siw_req_notify_cq(struct ibv_cq *base, int solicited_only)
{
	siw_cq_arm(&to_siw_cq(base)->cqes, solicited_only);
	return 0;
}

/*
 * Shared receive queues
 */
static struct ibv_srq *siw_create_srq(struct ibv_pd *pd,
				      struct ibv_srq_init_attr *attr)
{
	struct siw_create_srq_cmd_resp resp = {};
	struct siw_create_srq_cmd cmd = {};
	struct siw_srq *srq;
	void *ring;
	int err;

	srq = calloc(1, sizeof(*srq));
	if (!srq)
		return NULL;
	err = ibv_cmd_create_srq(pd, &srq->base, attr, &cmd.ibv_cmd,
				 sizeof(cmd), &resp.ibv_resp, sizeof(resp));
	if (err)
		goto err_free;

	srq->rq.num = resp.num_rqe;
	srq->rq.max_sge = min_t(uint32_t, attr->attr.max_sge, SIW_MAX_SGE);
	srq->map_size = (size_t)resp.num_rqe * sizeof(*srq->rq.ring);
	err = map_queue(pd->context, srq->map_size, resp.srq_key, &ring);
	if (err)
		goto err_destroy;
	srq->rq.ring = ring;
	pthread_spin_init(&srq->lock, PTHREAD_PROCESS_PRIVATE);
	return &srq->base;

err_destroy:
	ibv_cmd_destroy_srq(&srq->base);
err_free:
	free(srq);
	errno = err;
	return NULL;
}

static int siw_modify_srq(struct ibv_srq *srq, struct ibv_srq_attr *attr,
			  int mask)
{
	struct ibv_modify_srq cmd = {};

	return ibv_cmd_modify_srq(srq, attr, mask, &cmd, sizeof(cmd));
}

static int siw_query_srq(struct ibv_srq *srq, struct ibv_srq_attr *attr)
{
	struct ibv_query_srq cmd = {};

	return ibv_cmd_query_srq(srq, attr, &cmd, sizeof(cmd));
}

static int siw_destroy_srq(struct ibv_srq *base)
{
	struct siw_srq *srq = to_siw_srq(base);
	int err = ibv_cmd_destroy_srq(base);

	if (err)
		return err;
	unmap_queue(srq->rq.ring, srq->map_size);
	pthread_spin_destroy(&srq->lock);
	free(srq);
	return 0;
}

static int siw_post_srq_recv(struct ibv_srq *base, struct ibv_recv_wr *wr,
			     struct ibv_recv_wr **bad)
{
	struct siw_srq *srq = to_siw_srq(base);
	int err;

	pthread_spin_lock(&srq->lock);
	err = siw_rq_post(&srq->rq, wr, bad);
	pthread_spin_unlock(&srq->lock);
	return err;
}

/*
 * Queue pairs
 */
static int map_qp(struct siw_qp *qp, const struct siw_uresp_create_qp *resp)
{
	struct siw_context *ctx = to_siw_context(qp->base.qp.context);
	void *ring;
	int err;

	qp->sq_map_size = (size_t)resp->num_sqe * sizeof(*qp->sq.ring);
	if (ctx->features & SIW_EXT_QP_CTRL)
		qp->sq_map_size += sizeof(*qp->ctrl);
	err = map_queue(&ctx->base.context, qp->sq_map_size, resp->sq_key,
			&ring);
	if (err)
		return err;
	qp->sq.ring = ring;
	qp->sq.num = resp->num_sqe;
	if (ctx->features & SIW_EXT_QP_CTRL)
		qp->ctrl = (struct siw_qp_ctrl *)&qp->sq.ring[qp->sq.num];

	if (qp->base.qp.srq)
		return 0;
	qp->rq_map_size = (size_t)resp->num_rqe * sizeof(*qp->rq.ring);
	err = map_queue(&ctx->base.context, qp->rq_map_size, resp->rq_key,
			&ring);
	if (err) {
		unmap_queue(qp->sq.ring, qp->sq_map_size);
		return err;
	}
	qp->rq.ring = ring;
	qp->rq.num = resp->num_rqe;
	return 0;
}

static struct ibv_qp *siw_create_qp_ex(struct ibv_context *context,
				       struct ibv_qp_init_attr_ex *attr)
{
	struct siw_create_qp_cmd_resp resp = {};
	struct siw_create_qp_cmd cmd = {};
	struct siw_qp *qp;
	int err;

	if (attr->qp_type != IBV_QPT_RC ||
	    attr->comp_mask & ~(IBV_QP_INIT_ATTR_PD |
				IBV_QP_INIT_ATTR_SEND_OPS_FLAGS) ||
	    (attr->comp_mask & IBV_QP_INIT_ATTR_SEND_OPS_FLAGS &&
	     attr->send_ops_flags & ~(uint64_t)SIW_WR_OPS)) {
		errno = EOPNOTSUPP;
		return NULL;
	}
	qp = calloc(1, sizeof(*qp));
	if (!qp)
		return NULL;
	err = ibv_cmd_create_qp_ex(context, &qp->base, attr, &cmd.ibv_cmd,
				   sizeof(cmd), &resp.ibv_resp, sizeof(resp));
	if (err)
		goto err_free;

	qp->sq.max_sge = min_t(uint32_t, attr->cap.max_send_sge, SIW_MAX_SGE);
	qp->sq.max_inline = min_t(uint32_t, attr->cap.max_inline_data,
				  SIW_MAX_INLINE);
	qp->sq.sig_all = attr->sq_sig_all;
	qp->rq.max_sge = min_t(uint32_t, attr->cap.max_recv_sge, SIW_MAX_SGE);
	err = map_qp(qp, &resp.drv_payload);
	if (err)
		goto err_destroy;
	pthread_spin_init(&qp->sq_lock, PTHREAD_PROCESS_PRIVATE);
	pthread_spin_init(&qp->rq_lock, PTHREAD_PROCESS_PRIVATE);
	if (attr->comp_mask & IBV_QP_INIT_ATTR_SEND_OPS_FLAGS)
		siw_wr_set_ops(qp);
	return &qp->base.qp;

err_destroy:
	ibv_cmd_destroy_qp(&qp->base.qp);
err_free:
	free(qp);
	errno = err;
	return NULL;
}

static struct ibv_qp *siw_create_qp(struct ibv_pd *pd,
				    struct ibv_qp_init_attr *attr)
{
	struct ibv_qp_init_attr_ex ex = {
		.qp_context = attr->qp_context,
		.send_cq = attr->send_cq,
		.recv_cq = attr->recv_cq,
		.srq = attr->srq,
		.cap = attr->cap,
		.qp_type = attr->qp_type,
		.sq_sig_all = attr->sq_sig_all,
		.comp_mask = IBV_QP_INIT_ATTR_PD,
		.pd = pd,
	};
	struct ibv_qp *qp = siw_create_qp_ex(pd->context, &ex);

	if (qp)
		attr->cap = ex.cap;
	return qp;
}

/*
 * The driver flushes what is posted when the QP goes to ERROR.  @stopped is set
 * before, so whoever posts too late for that sees it, see is_stopped().
 * Whether a state takes work is told to who posts first in it.
 */
static int siw_modify_qp(struct ibv_qp *base, struct ibv_qp_attr *attr,
			 int mask)
{
	struct siw_qp *qp = to_siw_qp(base);
	struct ibv_modify_qp cmd = {};
	int err;

	if (mask & IBV_QP_STATE && attr->qp_state == IBV_QPS_ERR) {
		__atomic_store_n(&qp->stopped, true, __ATOMIC_RELAXED);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	}
	err = ibv_cmd_modify_qp(base, attr, mask, &cmd, sizeof(cmd));
	if (!err && mask & IBV_QP_STATE && attr->qp_state == IBV_QPS_RESET)
		__atomic_store_n(&qp->stopped, false, __ATOMIC_RELAXED);
	if (!err && mask & IBV_QP_STATE)
		__atomic_store_n(&qp->ringer, SIW_RINGER_SELF,
				 __ATOMIC_RELAXED);
	return err;
}

static int siw_query_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int mask,
			struct ibv_qp_init_attr *init_attr)
{
	struct ibv_query_qp cmd = {};

	return ibv_cmd_query_qp(qp, attr, mask, init_attr, &cmd, sizeof(cmd));
}

static void forget_qp(struct ibv_cq *base, const struct ibv_qp *qp)
{
	struct siw_cq *cq = to_siw_cq(base);

	pthread_spin_lock(&cq->lock);
	siw_cq_forget(&cq->cqes, qp->qp_num);
	pthread_spin_unlock(&cq->lock);
}

static int siw_destroy_qp(struct ibv_qp *base)
{
	struct siw_context *ctx = to_siw_context(base->context);
	struct siw_qp *qp = to_siw_qp(base);
	int err;

	if (ctx->poller)
		siw_poller_wait(ctx->poller, &qp->bell);
	err = ibv_cmd_destroy_qp(base);
	if (err)
		return err;
	forget_qp(base->send_cq, base);
	forget_qp(base->recv_cq, base);
	unmap_queue(qp->sq.ring, qp->sq_map_size);
	unmap_queue(qp->rq.ring, qp->rq_map_size);
	pthread_spin_destroy(&qp->sq_lock);
	pthread_spin_destroy(&qp->rq_lock);
	free(qp);
	return 0;
}

/*
 * "Look at your queues": a post_send command without a work request.  write()
 * is the shortest way there.  The kernel wants the credentials of who opened
 * the device for it; a process that gave some of them up takes the ioctl.
 */
static int ring_doorbell(struct siw_qp *qp)
{
	struct ib_uverbs_post_send_resp resp;
	struct ibv_post_send cmd = {
		.hdr = {
			.command = IB_USER_VERBS_CMD_POST_SEND,
			.in_words = sizeof(cmd) / 4,
			.out_words = sizeof(resp) / 4,
		},
		.core_payload = {
			.response = (uintptr_t)&resp,
			.qp_handle = qp->base.qp.handle,
			.wqe_size = sizeof(struct ib_uverbs_send_wr),
		},
	};
	struct ibv_send_wr *bad;

	/* Whoever posts behind us does not ring: want of memory must not end it. */
	do {
		if (write(qp->base.qp.context->cmd_fd, &cmd, sizeof(cmd)) ==
		    sizeof(cmd))
			return 0;
	} while (errno == ENOMEM);
	if (errno != EACCES)
		return errno;
	return ibv_cmd_post_send(&qp->base.qp, NULL, &bad);
}

/* What was posted stays posted if it fails: who posts next is told. */
void siw_ring_for_poller(struct siw_bell *bell)
{
	struct siw_qp *qp = container_of(bell, struct siw_qp, bell);

	if (ring_doorbell(qp))
		__atomic_store_n(&qp->ringer, SIW_RINGER_FAILED,
				 __ATOMIC_RELAXED);
}

/**
 * siw_ring() - have the driver look at the queues
 * @qp: the queue pair; the caller holds no lock of it
 * @bell: the driver has to be told of what was posted
 *
 * Return: 0, or why the driver does not look.  Of a doorbell that is left to
 * the poller the next one who posts is told.
 */
int siw_ring(struct siw_qp *qp, bool bell)
{
	struct siw_context *ctx = to_siw_context(qp->base.qp.context);
	uint8_t ringer = __atomic_load_n(&qp->ringer, __ATOMIC_RELAXED);
	int err;

	/* Where the poller's failed, elements wait of which nobody was told. */
	if (!bell && ringer != SIW_RINGER_FAILED)
		return 0;
	if (ringer == SIW_RINGER_POLLER) {
		siw_poller_push(ctx->poller, &qp->bell);
		return 0;
	}
	err = ring_doorbell(qp);
	if (!err && ctx->poller)
		__atomic_store_n(&qp->ringer, SIW_RINGER_POLLER,
				 __ATOMIC_RELAXED);
	return err;
}

/* As siw_sq_take_back(); the caller does not hold the lock. */
uint32_t siw_take_back(struct siw_qp *qp, uint32_t posts, uint32_t count)
{
	uint32_t n;

	pthread_spin_lock(&qp->sq_lock);
	n = siw_sq_take_back(&qp->sq, posts, count);
	pthread_spin_unlock(&qp->sq_lock);
	return n;
}

/*
 * If the doorbell fails, the driver does not look at what was posted: the
 * device is gone, or the QP takes no work yet.  What is reported as not posted
 * must not go out later either.
 */
static int siw_post_send(struct ibv_qp *base, struct ibv_send_wr *wr,
			 struct ibv_send_wr **bad)
{
	struct siw_qp *qp = to_siw_qp(base);
	uint32_t posts, count, taken;
	int err, bell_err;
	bool bell;

	pthread_spin_lock(&qp->sq_lock);
	count = qp->sq.posts;
	err = siw_sq_post(&qp->sq, wr, bad, &bell);
	posts = qp->sq.posts;
	pthread_spin_unlock(&qp->sq_lock);
	bell_err = siw_ring(qp, bell);
	if (!bell_err)
		return err;
	count = posts - count;
	taken = siw_take_back(qp, posts, count);
	if (!taken)
		return err;
	while (count-- > taken)
		wr = wr->next;
	*bad = wr;
	return bell_err;
}

/* Nobody looks at the receive queue any more, unless the doorbell is rung. */
static bool is_stopped(const struct siw_qp *qp)
{
	/* First it is posted, then we look; the other side does the reverse. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&qp->stopped, __ATOMIC_RELAXED))
		return true;
	return qp->ctrl &&
	       __atomic_load_n(&qp->ctrl->flags, __ATOMIC_RELAXED) &
		       SIW_QP_CTRL_STOPPED;
}

static int siw_post_recv(struct ibv_qp *base, struct ibv_recv_wr *wr,
			 struct ibv_recv_wr **bad)
{
	struct siw_qp *qp = to_siw_qp(base);
	int err;

	if (base->srq) {
		*bad = wr;
		return EINVAL;
	}
	pthread_spin_lock(&qp->rq_lock);
	err = siw_rq_post(&qp->rq, wr, bad);
	pthread_spin_unlock(&qp->rq_lock);
	/* It is posted: a doorbell that fails does not change that. */
	if (is_stopped(qp))
		siw_ring(qp, true);
	return err;
}

const struct verbs_context_ops siw_context_ops = {
	.alloc_pd = siw_alloc_pd,
	.create_cq = siw_create_cq,
	.create_cq_ex = siw_create_cq_ex,
	.create_qp = siw_create_qp,
	.create_qp_ex = siw_create_qp_ex,
	.create_srq = siw_create_srq,
	.dealloc_pd = siw_dealloc_pd,
	.dereg_mr = siw_dereg_mr,
	.destroy_cq = siw_destroy_cq,
	.destroy_qp = siw_destroy_qp,
	.destroy_srq = siw_destroy_srq,
	.free_context = siw_free_context,
	.modify_qp = siw_modify_qp,
	.modify_srq = siw_modify_srq,
	.poll_cq = siw_poll_cq,
	.post_recv = siw_post_recv,
	.post_send = siw_post_send,
	.post_srq_recv = siw_post_srq_recv,
	.query_device_ex = siw_query_device,
	.query_port = siw_query_port,
	.query_qp = siw_query_qp,
	.query_srq = siw_query_srq,
	.reg_mr = siw_reg_mr,
	.req_notify_cq = siw_req_notify_cq,
	.resize_cq = siw_resize_cq,
};
