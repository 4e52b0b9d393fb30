// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * The verbs ib_core calls: attributes, contexts, queues.
 */
#include <linux/slab.h>
#include <rdma/uverbs_ioctl.h>

#include "cm.h"
#include "conn.h"
#include "device.h"
#include "queue.h"
#include "restrack.h"
#include "trace.h"
#include "verbs.h"

static int object_new(struct siw_device *dev, enum siw_object obj, int max)
{
	if (atomic_inc_return(&dev->objects[obj]) <= max)
		return 0;
	atomic_dec(&dev->objects[obj]);
	return -ENOMEM;
}

static void object_gone(struct siw_device *dev, enum siw_object obj)
{
	atomic_dec(&dev->objects[obj]);
}

/*
 * Device and port
 */
static int siw_query_device(struct ib_device *base,
			    struct ib_device_attr *attr,
			    struct ib_udata *udata)
{
	int err = ib_no_udata_io(udata);
	union ib_gid gid;

	if (err)
		return err;
	memset(attr, 0, sizeof(*attr));
	attr->device_cap_flags = IB_DEVICE_MEM_MGT_EXTENSIONS;
	attr->kernel_cap_flags |= IBK_ALLOW_USER_UNREG;
	attr->vendor_id = SIW_VENDOR_ID;
	attr->max_mr_size = U64_MAX;
	attr->page_size_cap = PAGE_SIZE;
	attr->max_qp = SIW_MAX_QP;
	attr->max_qp_wr = SIW_MAX_QP_WR;
	attr->max_send_sge = SIW_MAX_SGE;
	attr->max_recv_sge = SIW_MAX_SGE;
	attr->max_sge_rd = SIW_MAX_SGE_RD;
	attr->max_cq = SIW_MAX_CQ;
	attr->max_cqe = SIW_MAX_CQE;
	attr->max_mr = SIW_MAX_MR;
	attr->max_pd = SIW_MAX_PD;
	attr->max_qp_rd_atom = SIW_MAX_RD_ATOM;
	attr->max_qp_init_rd_atom = SIW_MAX_RD_ATOM;
	attr->max_res_rd_atom = SIW_MAX_QP * SIW_MAX_RD_ATOM;
	attr->atomic_cap = IB_ATOMIC_NONE;
	attr->max_srq = SIW_MAX_SRQ;
	attr->max_srq_wr = SIW_MAX_SRQ_WR;
	attr->max_srq_sge = SIW_MAX_SGE;
	attr->max_fast_reg_page_list_len = SIW_MAX_FRMR_PAGES;
	siw_device_gid(base, 1, 0, &gid);
	memcpy(&attr->sys_image_guid, gid.raw, ETH_ALEN);
	return 0;
}

static int siw_query_port(struct ib_device *base, u32 port,
			  struct ib_port_attr *attr)
{
	struct net_device *ndev = ib_device_get_netdev(base, port);

	attr->gid_tbl_len = 1;
	attr->max_msg_sz = SIW_MSG_MAX;
	attr->max_mtu = IB_MTU_4096;
	attr->port_cap_flags = IB_PORT_CM_SUP | IB_PORT_DEVICE_MGMT_SUP;
	attr->active_speed = IB_SPEED_SDR;
	attr->active_width = IB_WIDTH_1X;
	attr->active_mtu = IB_MTU_1024;
	attr->state = IB_PORT_DOWN;
	attr->phys_state = IB_PORT_PHYS_STATE_DISABLED;
	/* The net_device goes before the device does: a port that is down */
	if (!ndev)
		return 0;
	siw_device_speed(base, attr);
	attr->active_mtu = ib_mtu_int_to_enum(ndev->mtu);
	attr->state = ib_get_curr_port_state(ndev);
	if (attr->state == IB_PORT_ACTIVE)
		attr->phys_state = IB_PORT_PHYS_STATE_LINK_UP;
	dev_put(ndev);
	return 0;
}

static int siw_get_port_immutable(struct ib_device *base, u32 port,
				  struct ib_port_immutable *immutable)
{
	immutable->gid_tbl_len = 1;
	immutable->core_cap_flags = RDMA_CORE_PORT_IWARP;
	return 0;
}

/* Which extensions does the provider know?  The stock one sends no request. */
static int extensions_of(struct ib_udata *udata, u32 *features)
{
	struct siw_ureq_alloc_ctx_ext req = {};
	int err;

	*features = 0;
	if (!udata->inlen)
		return 0;
	err = ib_copy_validate_udata_in(udata, req, reserved);
	if (!err && req.reserved)
		err = -EINVAL;
	*features = req.features & SIW_EXT_QP_CTRL;
	return err;
}

static int siw_alloc_ucontext(struct ib_ucontext *base, struct ib_udata *udata)
{
	struct siw_ucontext *ctx =
		container_of(base, struct siw_ucontext, base);
	struct siw_device *dev = to_siw_dev(base->device);
	struct siw_uresp_alloc_ctx_ext resp = { .dev_id = dev->base.index };
	int err;

	BUILD_BUG_ON(sizeof(resp) != sizeof(struct siw_uresp_alloc_ctx));
	if (udata->outlen < sizeof(resp))
		return -EINVAL;
	err = extensions_of(udata, &ctx->features);
	if (!err)
		err = object_new(dev, SIW_OBJ_CONTEXT, SIW_MAX_CONTEXT);
	if (err)
		return err;
	resp.features = ctx->features;
	err = ib_respond_udata(udata, resp);
	if (err)
		object_gone(dev, SIW_OBJ_CONTEXT);
	return err;
}

static void siw_dealloc_ucontext(struct ib_ucontext *ctx)
{
	object_gone(to_siw_dev(ctx->device), SIW_OBJ_CONTEXT);
}

/* Mapped queues are plain memory: a process may keep them. */
static void siw_disassociate_ucontext(struct ib_ucontext *ctx)
{
}

static int siw_alloc_pd(struct ib_pd *pd, struct ib_udata *udata)
{
	int err = ib_no_udata_io(udata);

	if (err)
		return err;
	return object_new(to_siw_dev(pd->device), SIW_OBJ_PD, SIW_MAX_PD);
}

static int siw_dealloc_pd(struct ib_pd *pd, struct ib_udata *udata)
{
	object_gone(to_siw_dev(pd->device), SIW_OBJ_PD);
	return 0;
}

/*
 * Completion queues
 */
static int cq_new(struct siw_cq *cq, const struct ib_cq_init_attr *attr,
		  struct ib_udata *udata)
{
	struct siw_device *dev = to_siw_dev(cq->base.device);
	struct siw_uresp_create_cq resp = {};
	u64 key = 0;
	int err;

	if (attr->flags)
		return -EOPNOTSUPP;
	if (!attr->cqe || attr->cqe > SIW_MAX_CQE)
		return -EINVAL;
	if (udata && udata->outlen < sizeof(resp))
		return -EINVAL;
	err = ib_is_udata_in_empty(udata);
	if (!err)
		err = object_new(dev, SIW_OBJ_CQ, SIW_MAX_CQ);
	if (err)
		return err;

	siw_cq_init(cq, udata);
	cq->num_cqe = roundup_pow_of_two(attr->cqe);
	cq->put = -cq->num_cqe;
	cq->get = cq->put;
	cq->queue = siw_queue_new(udata, cq->num_cqe * sizeof(*cq->queue) +
				  sizeof(*cq->ctrl), &cq->mmap, &key);
	if (IS_ERR(cq->queue)) {
		object_gone(dev, SIW_OBJ_CQ);
		return PTR_ERR(cq->queue);
	}
	cq->ctrl = (struct siw_cq_ctrl *)&cq->queue[cq->num_cqe];
	cq->base.cqe = cq->num_cqe;
	if (!udata)
		return 0;
	resp.num_cqe = cq->num_cqe;
	resp.cq_key = key;
	err = ib_respond_udata(udata, resp);
	if (err) {
		siw_queue_free(cq->queue, cq->mmap);
		object_gone(dev, SIW_OBJ_CQ);
	}
	return err;
}

static int siw_create_cq(struct ib_cq *base, const struct ib_cq_init_attr *attr,
			 struct uverbs_attr_bundle *attrs)
{
	return cq_new(to_siw_cq(base), attr, NULL);
}

static int siw_create_user_cq(struct ib_cq *base,
			      const struct ib_cq_init_attr *attr,
			      struct uverbs_attr_bundle *attrs)
{
	return cq_new(to_siw_cq(base), attr, &attrs->driver_udata);
}

static int siw_destroy_cq(struct ib_cq *base, struct ib_udata *udata)
{
	struct siw_cq *cq = to_siw_cq(base);

	siw_queue_free(siw_cq_close(cq), cq->mmap);
	object_gone(to_siw_dev(base->device), SIW_OBJ_CQ);
	return 0;
}

/*
 * Shared receive queues
 */
static int siw_create_srq(struct ib_srq *base, struct ib_srq_init_attr *init,
			  struct ib_udata *udata)
{
	struct siw_device *dev = to_siw_dev(base->device);
	struct siw_srq *srq = to_siw_srq(base);
	struct siw_uresp_create_srq resp = {};
	struct ib_srq_attr *attr = &init->attr;
	u64 key = 0;
	int err;

	if (init->srq_type != IB_SRQT_BASIC)
		return -EOPNOTSUPP;
	if (!attr->max_wr || attr->max_wr > SIW_MAX_SRQ_WR ||
	    attr->max_sge > SIW_MAX_SGE)
		return -EINVAL;
	if (udata && udata->outlen < sizeof(resp))
		return -EINVAL;
	err = ib_is_udata_in_empty(udata);
	if (!err)
		err = object_new(dev, SIW_OBJ_SRQ, SIW_MAX_SRQ);
	if (err)
		return err;

	siw_srq_init(srq, udata);
	siw_rq_set_num(&srq->rq, roundup_pow_of_two(attr->max_wr));
	srq->max_sge = attr->max_sge;
	srq->rq.ring = siw_queue_new(udata, srq->rq.num * sizeof(*srq->rq.ring),
				     &srq->rq.mmap, &key);
	if (IS_ERR(srq->rq.ring)) {
		object_gone(dev, SIW_OBJ_SRQ);
		return PTR_ERR(srq->rq.ring);
	}
	attr->max_wr = srq->rq.num;
	if (!udata)
		return 0;
	resp.num_rqe = srq->rq.num;
	resp.srq_key = key;
	err = ib_respond_udata(udata, resp);
	if (err) {
		siw_queue_free(srq->rq.ring, srq->rq.mmap);
		object_gone(dev, SIW_OBJ_SRQ);
	}
	return err;
}

static int siw_modify_srq(struct ib_srq *base, struct ib_srq_attr *attr,
			  enum ib_srq_attr_mask mask, struct ib_udata *udata)
{
	struct siw_srq *srq = to_siw_srq(base);
	int err = ib_no_udata_io(udata);

	if (err)
		return err;
	if (mask & IB_SRQ_MAX_WR)
		return -EOPNOTSUPP;
	if (!(mask & IB_SRQ_LIMIT))
		return 0;
	if (attr->srq_limit > srq->rq.num)
		return -EINVAL;
	siw_srq_arm(srq, attr->srq_limit);
	return 0;
}

static int siw_query_srq(struct ib_srq *base, struct ib_srq_attr *attr)
{
	struct siw_srq *srq = to_siw_srq(base);

	attr->max_wr = srq->rq.num;
	attr->max_sge = srq->max_sge;
	attr->srq_limit = READ_ONCE(srq->rq.limit);
	return 0;
}

static int siw_destroy_srq(struct ib_srq *base, struct ib_udata *udata)
{
	struct siw_srq *srq = to_siw_srq(base);

	siw_upcall_sync(&srq->upcall);
	siw_queue_free(srq->rq.ring, srq->rq.mmap);
	object_gone(to_siw_dev(base->device), SIW_OBJ_SRQ);
	return 0;
}

static int siw_post_srq_recv(struct ib_srq *base, const struct ib_recv_wr *wr,
			     const struct ib_recv_wr **bad)
{
	struct siw_srq *srq = to_siw_srq(base);

	if (srq->rq.mmap) {
		*bad = wr;
		return -EINVAL;
	}
	return siw_rq_post(&srq->rq, srq->max_sge, wr, bad);
}

/*
 * Queue pairs
 */
static int check_init(const struct ib_qp_init_attr *init)
{
	const struct ib_qp_cap *cap = &init->cap;

	if (init->create_flags || init->qp_type != IB_QPT_RC)
		return -EOPNOTSUPP;
	if (cap->max_send_wr > SIW_MAX_QP_WR ||
	    cap->max_recv_wr > SIW_MAX_QP_WR ||
	    cap->max_send_sge > SIW_MAX_SGE ||
	    cap->max_recv_sge > SIW_MAX_SGE ||
	    cap->max_inline_data > SIW_MAX_INLINE)
		return -EINVAL;
	return init->send_cq && init->recv_cq ? 0 : -EINVAL;
}

static void free_queues(struct siw_qp *qp)
{
	if (!IS_ERR_OR_NULL(qp->sq.ring))
		siw_queue_free(qp->sq.ring, qp->sq.mmap);
	if (!IS_ERR_OR_NULL(qp->rq.ring))
		siw_queue_free(qp->rq.ring, qp->rq.mmap);
	kvfree(qp->sq.entry);
	kfree(qp->irq);
	kfree(qp->orq);
}

static bool has_ctrl(struct ib_udata *udata)
{
	return udata && rdma_udata_to_drv_context(udata, struct siw_ucontext,
						  base)->features &
				SIW_EXT_QP_CTRL;
}

static int new_queues(struct siw_qp *qp, const struct ib_qp_cap *cap,
		      struct ib_udata *udata, struct siw_uresp_create_qp *resp)
{
	size_t len;

	siw_sq_set_num(&qp->sq, roundup_pow_of_two(max(cap->max_send_wr, 1u)));
	qp->sq.entry = kvcalloc(qp->sq.num, sizeof(*qp->sq.entry),
				GFP_KERNEL_ACCOUNT);
	if (!qp->sq.entry)
		return -ENOMEM;
	len = qp->sq.num * sizeof(*qp->sq.ring);
	if (has_ctrl(udata))
		len += sizeof(*qp->sq.ctrl);
	qp->sq.ring = siw_queue_new(udata, len, &qp->sq.mmap, &resp->sq_key);
	if (IS_ERR(qp->sq.ring))
		return PTR_ERR(qp->sq.ring);
	if (has_ctrl(udata))
		qp->sq.ctrl = (struct siw_qp_ctrl *)&qp->sq.ring[qp->sq.num];
	resp->num_sqe = qp->sq.num;
	if (qp->srq)
		return 0;
	/* The provider maps a receive queue even of a QP that has none. */
	siw_rq_set_num(&qp->rq, roundup_pow_of_two(max(cap->max_recv_wr, 1u)));
	qp->rq.ring = siw_queue_new(udata, qp->rq.num * sizeof(*qp->rq.ring),
				    &qp->rq.mmap, &resp->rq_key);
	if (IS_ERR(qp->rq.ring))
		return PTR_ERR(qp->rq.ring);
	resp->num_rqe = qp->rq.num;
	return 0;
}

static void set_caps(const struct siw_qp *qp, struct ib_qp_cap *cap)
{
	cap->max_send_wr = qp->sq.num;
	cap->max_recv_wr = qp->srq ? 0 : qp->rq.num;
	cap->max_send_sge = qp->max_send_sge;
	cap->max_recv_sge = qp->srq ? 0 : qp->max_recv_sge;
	cap->max_inline_data = SIW_MAX_INLINE;
}

static int publish_qp(struct siw_qp *qp, struct ib_udata *udata,
		      struct siw_uresp_create_qp *resp)
{
	struct siw_device *dev = siw_qp_dev(qp);
	int err;

	/* Reserve the number, tell it, and only then let the QP be found. */
	err = xa_alloc_cyclic_irq(&dev->qps, &qp->base.qp_num, NULL,
				  XA_LIMIT(2, 0xffffff), &dev->next_qpn,
				  GFP_KERNEL);
	if (err < 0)
		return err;
	resp->qp_id = qp->base.qp_num;
	err = udata ? ib_respond_udata(udata, *resp) : 0;
	if (err)
		xa_erase_irq(&dev->qps, qp->base.qp_num);
	else
		xa_store_irq(&dev->qps, qp->base.qp_num, qp, GFP_KERNEL);
	return err;
}

static int siw_create_qp(struct ib_qp *base, struct ib_qp_init_attr *init,
			 struct ib_udata *udata)
{
	struct siw_device *dev = to_siw_dev(base->device);
	struct siw_uresp_create_qp resp = {};
	struct siw_qp *qp = to_siw_qp(base);
	int err;

	err = check_init(init);
	if (!err && udata && udata->outlen < sizeof(resp))
		err = -EINVAL;
	if (!err)
		err = ib_is_udata_in_empty(udata);
	if (!err)
		err = object_new(dev, SIW_OBJ_QP, SIW_MAX_QP);
	if (err)
		return err;

	siw_qp_init(qp, udata);
	qp->scq = to_siw_cq(init->send_cq);
	qp->rcq = to_siw_cq(init->recv_cq);
	qp->srq = init->srq ? to_siw_srq(init->srq) : NULL;
	qp->access = SIW_ACCESS_REMOTE_WRITE | SIW_ACCESS_REMOTE_READ;
	qp->sig_all = init->sq_sig_type == IB_SIGNAL_ALL_WR;
	qp->creator = get_task_pid(current, PIDTYPE_TGID);
	qp->creator_uid = current_euid();
	qp->max_send_sge = init->cap.max_send_sge;
	qp->max_recv_sge = init->cap.max_recv_sge;
	err = new_queues(qp, &init->cap, udata, &resp);
	if (!err)
		err = publish_qp(qp, udata, &resp);
	if (err) {
		put_pid(qp->creator);
		free_queues(qp);
		object_gone(dev, SIW_OBJ_QP);
		return err;
	}
	set_caps(qp, &init->cap);
	return 0;
}

static int siw_destroy_qp(struct ib_qp *base, struct ib_udata *udata)
{
	struct siw_device *dev = to_siw_dev(base->device);
	struct siw_qp *qp = to_siw_qp(base);

	xa_erase_irq(&dev->qps, base->qp_num);
	WRITE_ONCE(qp->dying, true);
	siw_conn_fail_qp(qp);
	siw_qp_put(qp);
	wait_for_completion(&qp->gone);
	siw_upcall_sync(&qp->upcall);
	siw_cq_forget(qp->scq, base);
	siw_cq_forget(qp->rcq, base);
	put_pid(qp->creator);
	free_queues(qp);
	object_gone(dev, SIW_OBJ_QP);
	return 0;
}

static int modify_state(struct siw_qp *qp, enum ib_qp_state state)
{
	enum siw_qp_state now = siw_qp_state(qp);

	switch (state) {
	case IB_QPS_INIT:
	case IB_QPS_RTR:
		/* rdma_cm announces a connection so. */
		if (now != SIW_QP_IDLE)
			return -EINVAL;
		qp->ib_state = state;
		return 0;
	case IB_QPS_RTS:
		/* Only a connection gets a QP there. */
		return now == SIW_QP_RTS ? 0 : -EINVAL;
	case IB_QPS_SQD:
		if (now == SIW_QP_IDLE)
			return -EINVAL;
		siw_conn_close_qp(qp);
		return 0;
	case IB_QPS_ERR:
		siw_conn_fail_qp(qp);
		return 0;
	case IB_QPS_SQE:
		return -EINVAL;
	case IB_QPS_RESET:
		if (now != SIW_QP_IDLE)
			siw_conn_fail_qp(qp);
		return siw_qp_reset(qp);
	}
	return -EINVAL;
}

static u32 rights_of(int access)
{
	return (access & IB_ACCESS_REMOTE_WRITE ? SIW_ACCESS_REMOTE_WRITE : 0) |
	       (access & IB_ACCESS_REMOTE_READ ? SIW_ACCESS_REMOTE_READ : 0);
}

/*
 * rdma_cm moves every new QP to INIT without rights, and gives a user's QP
 * none later: iw_cm would have given it both.  Only what somebody says beyond
 * that counts.
 */
static bool is_cm_default(const struct siw_qp *qp,
			  const struct ib_qp_attr *attr, int mask)
{
	return mask & IB_QP_STATE && attr->qp_state == IB_QPS_INIT &&
	       !attr->qp_access_flags && siw_qp_state(qp) == SIW_QP_IDLE;
}

static int siw_modify_qp(struct ib_qp *base, struct ib_qp_attr *attr, int mask,
			 struct ib_udata *udata)
{
	struct siw_qp *qp;
	int err = ib_no_udata_io(udata);
	bool rights;

	if (err)
		return err;
	if (mask & ~IB_QP_ATTR_STANDARD_BITS)
		return -EOPNOTSUPP;
	qp = siw_cm_borrow(base);
	if (!qp)
		return -EINVAL;
	rights = mask & IB_QP_ACCESS_FLAGS && !is_cm_default(qp, attr, mask);
	if (mask & IB_QP_STATE)
		err = modify_state(qp, attr->qp_state);
	if (!err && rights)
		WRITE_ONCE(qp->access, rights_of(attr->qp_access_flags));
	siw_qp_put(qp);
	return err;
}

static int siw_query_qp(struct ib_qp *base, struct ib_qp_attr *attr, int mask,
			struct ib_qp_init_attr *init)
{
	const struct siw_qp *qp = to_siw_qp(base);
	struct net_device *ndev = ib_device_get_netdev(base->device, 1);

	/* ib_core copies all of it to user space. */
	memset(attr, 0, sizeof(*attr));
	memset(init, 0, sizeof(*init));
	attr->qp_state = siw_qp_ib_state(qp);
	attr->cur_qp_state = attr->qp_state;
	attr->path_mtu = IB_MTU_1024;
	if (ndev)
		attr->path_mtu = ib_mtu_int_to_enum(ndev->mtu);
	dev_put(ndev);
	attr->max_rd_atomic = READ_ONCE(qp->ord);
	attr->max_dest_rd_atomic = READ_ONCE(qp->ird);
	attr->port_num = 1;
	attr->qp_access_flags = IB_ACCESS_LOCAL_WRITE;
	if (READ_ONCE(qp->access) & SIW_ACCESS_REMOTE_WRITE)
		attr->qp_access_flags |= IB_ACCESS_REMOTE_WRITE;
	if (READ_ONCE(qp->access) & SIW_ACCESS_REMOTE_READ)
		attr->qp_access_flags |= IB_ACCESS_REMOTE_READ;
	set_caps(qp, &attr->cap);
	init->qp_type = IB_QPT_RC;
	init->send_cq = base->send_cq;
	init->recv_cq = base->recv_cq;
	init->srq = base->srq;
	init->sq_sig_type = qp->sig_all ? IB_SIGNAL_ALL_WR : IB_SIGNAL_REQ_WR;
	init->cap = attr->cap;
	return 0;
}

/* A user's doorbell comes without a work request: "look at your ring". */
static int siw_post_send(struct ib_qp *base, const struct ib_send_wr *wr,
			 const struct ib_send_wr **bad)
{
	struct siw_qp *qp = to_siw_qp(base);

	if (!qp->sq.mmap)
		return siw_sq_post(qp, wr, bad);
	if (wr) {
		*bad = wr;
		return -EINVAL;
	}
	trace_siw_doorbell(base);
	siw_tx_run(qp);
	if (siw_qp_is_stopped(qp))
		siw_rq_flush(qp);
	return 0;
}

static int siw_post_recv(struct ib_qp *base, const struct ib_recv_wr *wr,
			 const struct ib_recv_wr **bad)
{
	struct siw_qp *qp = to_siw_qp(base);
	int err;

	if (qp->srq || qp->rq.mmap) {
		*bad = wr;
		return -EINVAL;
	}
	err = siw_rq_post(&qp->rq, qp->max_recv_sge, wr, bad);
	if (siw_qp_is_stopped(qp))
		siw_rq_flush(qp);
	return err;
}

const struct ib_device_ops siw_device_ops = {
	.owner = THIS_MODULE,
	.driver_id = RDMA_DRIVER_SIW,
	.uverbs_abi_ver = SIW_ABI_VERSION,
	.uverbs_robust_udata = 1,

	.alloc_hw_port_stats = siw_stats_alloc,
	.alloc_mr = siw_mr_alloc,
	.alloc_pd = siw_alloc_pd,
	.alloc_ucontext = siw_alloc_ucontext,
	.create_cq = siw_create_cq,
	.create_qp = siw_create_qp,
	.create_srq = siw_create_srq,
	.create_user_cq = siw_create_user_cq,
	.dealloc_driver = siw_device_dealloc,
	.dealloc_pd = siw_dealloc_pd,
	.dealloc_ucontext = siw_dealloc_ucontext,
	.dereg_mr = siw_mr_dereg,
	.destroy_cq = siw_destroy_cq,
	.destroy_qp = siw_destroy_qp,
	.destroy_srq = siw_destroy_srq,
	.device_group = &siw_device_group,
	.disassociate_ucontext = siw_disassociate_ucontext,
	.fill_res_cq_entry = siw_restrack_cq,
	.fill_res_mr_entry = siw_restrack_mr,
	.fill_res_qp_entry = siw_restrack_qp,
	.get_dma_mr = siw_mr_get_dma,
	.get_hw_stats = siw_stats_get,
	.get_port_immutable = siw_get_port_immutable,
	.iw_accept = siw_cm_accept,
	.iw_add_ref = siw_cm_add_ref,
	.iw_connect = siw_cm_connect,
	.iw_create_listen = siw_cm_listen,
	.iw_destroy_listen = siw_cm_unlisten,
	.iw_get_qp = siw_cm_get_qp,
	.iw_reject = siw_cm_reject,
	.iw_rem_ref = siw_cm_rem_ref,
	.map_mr_sg = siw_mr_map_sg,
	.mmap = siw_queue_mmap,
	.mmap_free = siw_queue_mmap_free,
	.modify_qp = siw_modify_qp,
	.modify_srq = siw_modify_srq,
	.poll_cq = siw_cq_poll,
	.post_recv = siw_post_recv,
	.post_send = siw_post_send,
	.post_srq_recv = siw_post_srq_recv,
	.query_device = siw_query_device,
	.query_gid = siw_device_gid,
	.query_port = siw_query_port,
	.query_qp = siw_query_qp,
	.query_srq = siw_query_srq,
	.reg_user_mr = siw_mr_reg_user,
	.req_notify_cq = siw_cq_arm,

	INIT_RDMA_OBJ_SIZE(ib_cq, siw_cq, base),
	INIT_RDMA_OBJ_SIZE(ib_pd, siw_pd, base),
	INIT_RDMA_OBJ_SIZE(ib_qp, siw_qp, base),
	INIT_RDMA_OBJ_SIZE(ib_srq, siw_srq, base),
	INIT_RDMA_OBJ_SIZE(ib_ucontext, siw_ucontext, base),
};
