// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * What ib_core is told of a device, a port and a queue pair, and what it is refused.
 */
#include <linux/delay.h>
#include <linux/irqflags.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "../conn.h"
#include "../verbs.h"
#include "fake.h"

#define WQES	4

/**
 * struct verbs_fixture - a queue pair, as ib_core has it
 * @dev: its device
 * @cq: its completion queue
 * @other_cq: another one
 * @qp: the queue pair
 * @srq: a shared receive queue
 * @pd: a protection domain
 * @llp: of a stream that is up; nobody looks into it
 */
struct verbs_fixture {
	struct siw_device *dev;
	struct siw_fake_cq *cq;
	struct siw_fake_cq *other_cq;
	struct siw_qp *qp;
	struct siw_srq srq;
	struct ib_pd pd;
	struct siw_llp llp;
};

static void free_all(void *arg)
{
	struct verbs_fixture *fix = arg;

	kfree(fix->qp->irq);
	kfree(fix->qp->orq);
}

static int verbs_init(struct kunit *test)
{
	struct verbs_fixture *fix = kunit_kzalloc(test, sizeof(*fix), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fix);
	test->priv = fix;
	fix->dev = siw_fake_device(test);
	spin_lock_init(&fix->dev->gid_lock);
	fix->cq = siw_fake_cq(test, fix->dev, 4 * WQES);
	fix->other_cq = siw_fake_cq(test, fix->dev, 4 * WQES);
	fix->qp = siw_fake_qp(test, fix->cq, WQES);
	fix->pd.device = &fix->dev->base;
	fix->srq.base.device = &fix->dev->base;
	return kunit_add_action_or_reset(test, free_all, fix);
}

/* The limits that are kept, and not others that sound alike */
static void device_has_its_limits(struct kunit *test)
{
	struct verbs_fixture *fix = test->priv;
	struct ib_device_attr attr;

	memset(&attr, 0xee, sizeof(attr));
	memcpy(fix->dev->raw_gid, "\x02\x83\x01\x02\x03\x04", ETH_ALEN);
	KUNIT_ASSERT_EQ(test, 0, siw_device_ops.query_device(&fix->dev->base, &attr,
							     NULL));
	KUNIT_EXPECT_EQ(test, IB_DEVICE_MEM_MGT_EXTENSIONS, attr.device_cap_flags);
	KUNIT_EXPECT_EQ(test, IBK_ALLOW_USER_UNREG, attr.kernel_cap_flags);
	KUNIT_EXPECT_EQ(test, SIW_MAX_QP, attr.max_qp);
	KUNIT_EXPECT_EQ(test, SIW_MAX_QP_WR, attr.max_qp_wr);
	KUNIT_EXPECT_EQ(test, SIW_MAX_SGE, attr.max_send_sge);
	KUNIT_EXPECT_EQ(test, SIW_MAX_SGE, attr.max_recv_sge);
	KUNIT_EXPECT_EQ(test, 1, attr.max_sge_rd);	/* one sink, RFC 5040 */
	KUNIT_EXPECT_EQ(test, SIW_MAX_CQ, attr.max_cq);
	KUNIT_EXPECT_EQ(test, SIW_MAX_CQE, attr.max_cqe);
	KUNIT_EXPECT_EQ(test, SIW_MAX_MR, attr.max_mr);
	KUNIT_EXPECT_EQ(test, SIW_MAX_PD, attr.max_pd);
	KUNIT_EXPECT_EQ(test, SIW_MAX_RD_ATOM, attr.max_qp_rd_atom);
	KUNIT_EXPECT_EQ(test, SIW_MAX_RD_ATOM, attr.max_qp_init_rd_atom);
	KUNIT_EXPECT_EQ(test, SIW_MAX_QP * SIW_MAX_RD_ATOM, attr.max_res_rd_atom);
	KUNIT_EXPECT_EQ(test, SIW_MAX_SRQ, attr.max_srq);
	KUNIT_EXPECT_EQ(test, SIW_MAX_SRQ_WR, attr.max_srq_wr);
	KUNIT_EXPECT_EQ(test, SIW_MAX_SGE, attr.max_srq_sge);
	KUNIT_EXPECT_EQ(test, SIW_MAX_FRMR_PAGES, attr.max_fast_reg_page_list_len);
	KUNIT_EXPECT_TRUE(test, attr.atomic_cap == IB_ATOMIC_NONE);
	KUNIT_EXPECT_MEMEQ(test, &attr.sys_image_guid, "\x02\x83\x01\x02\x03\x04",
			   ETH_ALEN);
	/* What there is none of is 0, and no octet of somebody's stack. */
	KUNIT_EXPECT_EQ(test, 0, attr.max_mw);
	KUNIT_EXPECT_EQ(test, 0, attr.max_ah);
	KUNIT_EXPECT_EQ(test, 0, attr.max_mcast_grp);
	KUNIT_EXPECT_EQ(test, 0, attr.fw_ver);
}

/* All of it, also of one whose caller has something else there */
static void gid_is_told_whole(struct kunit *test)
{
	struct verbs_fixture *fix = test->priv;
	struct ib_device *base = &fix->dev->base;
	union ib_gid gid;

	memset(&gid, 0xee, sizeof(gid));
	memcpy(fix->dev->raw_gid, "\x02\x83\x01\x02\x03\x04", ETH_ALEN);
	KUNIT_EXPECT_EQ(test, 0, siw_device_ops.query_gid(base, 1, 0, &gid));
	KUNIT_EXPECT_MEMEQ(test, gid.raw, fix->dev->raw_gid, sizeof(gid.raw));
}

/* Its net_device has gone before it: a port that is down */
static void port_outlives_its_netdev(struct kunit *test)
{
	struct verbs_fixture *fix = test->priv;
	struct ib_port_attr attr = {};

	KUNIT_ASSERT_EQ(test, 0, siw_device_ops.query_port(&fix->dev->base, 1, &attr));
	KUNIT_EXPECT_TRUE(test, attr.state == IB_PORT_DOWN);
	KUNIT_EXPECT_EQ(test, IB_PORT_PHYS_STATE_DISABLED, attr.phys_state);
	KUNIT_EXPECT_TRUE(test, attr.active_mtu == IB_MTU_1024);
	KUNIT_EXPECT_TRUE(test, attr.max_mtu == IB_MTU_4096);
	KUNIT_EXPECT_EQ(test, SIW_MSG_MAX, attr.max_msg_sz);
	KUNIT_EXPECT_EQ(test, 1, attr.gid_tbl_len);
	KUNIT_EXPECT_EQ(test, IB_SPEED_SDR, attr.active_speed);
	KUNIT_EXPECT_EQ(test, IB_WIDTH_1X, attr.active_width);
}

static void query(struct kunit *test, struct ib_qp_attr *attr,
		  struct ib_qp_init_attr *init)
{
	struct verbs_fixture *fix = test->priv;

	memset(attr, 0xee, sizeof(*attr));
	memset(init, 0xee, sizeof(*init));
	KUNIT_ASSERT_EQ(test, 0, siw_device_ops.query_qp(&fix->qp->base, attr,
							 ~0, init));
}

static void qp_tells_what_it_is(struct kunit *test)
{
	struct verbs_fixture *fix = test->priv;
	struct siw_qp *qp = fix->qp;
	struct ib_qp_init_attr init;
	struct ib_qp_attr attr;

	qp->base.send_cq = &fix->cq->cq.base;
	qp->base.recv_cq = &fix->other_cq->cq.base;
	qp->max_send_sge = 3;
	qp->max_recv_sge = 2;
	qp->rq.num = 2 * WQES;
	qp->ord = 9;
	qp->ird = 8;
	qp->access = SIW_ACCESS_REMOTE_READ;
	query(test, &attr, &init);
	KUNIT_EXPECT_TRUE(test, attr.qp_state == IB_QPS_INIT);
	KUNIT_EXPECT_TRUE(test, attr.cur_qp_state == IB_QPS_INIT);
	KUNIT_EXPECT_TRUE(test, attr.path_mtu == IB_MTU_1024);
	KUNIT_EXPECT_EQ(test, 9, attr.max_rd_atomic);
	KUNIT_EXPECT_EQ(test, 8, attr.max_dest_rd_atomic);
	KUNIT_EXPECT_EQ(test, 1, attr.port_num);
	KUNIT_EXPECT_EQ(test, IB_ACCESS_LOCAL_WRITE | IB_ACCESS_REMOTE_READ,
			attr.qp_access_flags);
	KUNIT_EXPECT_EQ(test, WQES, attr.cap.max_send_wr);
	KUNIT_EXPECT_EQ(test, 2 * WQES, attr.cap.max_recv_wr);
	KUNIT_EXPECT_EQ(test, 3, attr.cap.max_send_sge);
	KUNIT_EXPECT_EQ(test, 2, attr.cap.max_recv_sge);
	KUNIT_EXPECT_EQ(test, SIW_MAX_INLINE, attr.cap.max_inline_data);
	KUNIT_EXPECT_MEMEQ(test, &attr.cap, &init.cap, sizeof(init.cap));
	KUNIT_EXPECT_EQ(test, 0, attr.dest_qp_num);
	KUNIT_EXPECT_EQ(test, 0, attr.sq_psn);
	KUNIT_EXPECT_TRUE(test, init.qp_type == IB_QPT_RC);
	KUNIT_EXPECT_TRUE(test, init.sq_sig_type == IB_SIGNAL_REQ_WR);
	KUNIT_EXPECT_PTR_EQ(test, &fix->cq->cq.base, init.send_cq);
	KUNIT_EXPECT_PTR_EQ(test, &fix->other_cq->cq.base, init.recv_cq);
	KUNIT_EXPECT_NULL(test, init.srq);
	KUNIT_EXPECT_EQ(test, 0, init.create_flags);

	qp->sig_all = true;
	qp->srq = &fix->srq;
	qp->base.srq = &fix->srq.base;
	qp->access = SIW_ACCESS_REMOTE_WRITE;
	query(test, &attr, &init);
	KUNIT_EXPECT_EQ(test, IB_ACCESS_LOCAL_WRITE | IB_ACCESS_REMOTE_WRITE,
			attr.qp_access_flags);
	KUNIT_EXPECT_EQ(test, 0, attr.cap.max_recv_wr);
	KUNIT_EXPECT_EQ(test, 0, attr.cap.max_recv_sge);
	KUNIT_EXPECT_TRUE(test, init.sq_sig_type == IB_SIGNAL_ALL_WR);
	KUNIT_EXPECT_PTR_EQ(test, &fix->srq.base, init.srq);
	qp->srq = NULL;
}

static enum ib_qp_state state_of(struct kunit *test)
{
	struct ib_qp_init_attr init;
	struct ib_qp_attr attr;

	query(test, &attr, &init);
	KUNIT_EXPECT_TRUE(test, attr.qp_state == attr.cur_qp_state);
	return attr.qp_state;
}

static int modify(struct kunit *test, enum ib_qp_state state)
{
	struct verbs_fixture *fix = test->priv;
	struct ib_qp_attr attr = { .qp_state = state };

	return siw_device_ops.modify_qp(&fix->qp->base, &attr, IB_QP_STATE, NULL);
}

/* A stream on which nothing may be sent: the transmitter looks at no socket. */
static void start(struct kunit *test)
{
	struct verbs_fixture *fix = test->priv;

	siw_fake_start(test, fix->qp, &fix->llp);
}

/* Only rdma_cm makes connections; it and others may end them. */
static void states_are_moved_between(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, 0, modify(test, IB_QPS_RTR));
	KUNIT_EXPECT_EQ(test, IB_QPS_RTR, state_of(test));
	KUNIT_EXPECT_EQ(test, 0, modify(test, IB_QPS_INIT));
	KUNIT_EXPECT_EQ(test, IB_QPS_INIT, state_of(test));
	KUNIT_EXPECT_EQ(test, -EINVAL, modify(test, IB_QPS_RTS));
	KUNIT_EXPECT_EQ(test, -EINVAL, modify(test, IB_QPS_SQD));
	KUNIT_EXPECT_EQ(test, -EINVAL, modify(test, IB_QPS_SQE));
	KUNIT_EXPECT_EQ(test, IB_QPS_INIT, state_of(test));
	KUNIT_EXPECT_EQ(test, 0, modify(test, IB_QPS_RESET));
	KUNIT_EXPECT_EQ(test, IB_QPS_RESET, state_of(test));
	start(test);
	KUNIT_EXPECT_EQ(test, IB_QPS_RTS, state_of(test));
	KUNIT_EXPECT_EQ(test, 0, modify(test, IB_QPS_RTS));
	KUNIT_EXPECT_EQ(test, -EINVAL, modify(test, IB_QPS_INIT));
	KUNIT_EXPECT_EQ(test, -EINVAL, modify(test, IB_QPS_RTR));
	KUNIT_EXPECT_EQ(test, 0, modify(test, IB_QPS_SQD));
	KUNIT_EXPECT_EQ(test, IB_QPS_SQD, state_of(test));
	KUNIT_EXPECT_EQ(test, 0, modify(test, IB_QPS_ERR));
	KUNIT_EXPECT_EQ(test, IB_QPS_ERR, state_of(test));
	KUNIT_EXPECT_EQ(test, 0, modify(test, IB_QPS_RESET));
	start(test);
	KUNIT_EXPECT_EQ(test, 0, modify(test, IB_QPS_RESET));
	KUNIT_EXPECT_EQ(test, IB_QPS_RESET, state_of(test));
	KUNIT_EXPECT_EQ(test, 0, modify(test, IB_QPS_ERR));
}

/* What rdma_cm says of each new queue pair takes no rights; what others say does. */
static void rights_are_what_was_said(struct kunit *test)
{
	const u32 both = SIW_ACCESS_REMOTE_WRITE | SIW_ACCESS_REMOTE_READ;
	struct verbs_fixture *fix = test->priv;
	struct ib_qp_attr attr = { .qp_state = IB_QPS_INIT };
	struct ib_qp *base = &fix->qp->base;
	struct siw_qp *qp = fix->qp;

	qp->access = both;
	KUNIT_EXPECT_EQ(test, 0, siw_device_ops.modify_qp(base, &attr, IB_QP_STATE |
							  IB_QP_ACCESS_FLAGS, NULL));
	KUNIT_EXPECT_EQ(test, both, qp->access);
	attr.qp_access_flags = IB_ACCESS_REMOTE_READ;
	KUNIT_EXPECT_EQ(test, 0, siw_device_ops.modify_qp(base, &attr, IB_QP_STATE,
							  NULL));
	KUNIT_EXPECT_EQ(test, both, qp->access);
	KUNIT_EXPECT_EQ(test, 0, siw_device_ops.modify_qp(base, &attr, IB_QP_STATE |
							  IB_QP_ACCESS_FLAGS, NULL));
	KUNIT_EXPECT_EQ(test, SIW_ACCESS_REMOTE_READ, qp->access);
	attr.qp_access_flags = IB_ACCESS_REMOTE_WRITE | IB_ACCESS_LOCAL_WRITE;
	KUNIT_EXPECT_EQ(test, 0, siw_device_ops.modify_qp(base, &attr,
							  IB_QP_ACCESS_FLAGS, NULL));
	KUNIT_EXPECT_EQ(test, SIW_ACCESS_REMOTE_WRITE, qp->access);
	attr.qp_access_flags = 0;
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
			siw_device_ops.modify_qp(base, &attr, IB_QP_ACCESS_FLAGS |
						 IB_QP_RATE_LIMIT, NULL));
	attr.qp_state = IB_QPS_RTS;	/* which only a connection gets it to */
	KUNIT_EXPECT_EQ(test, -EINVAL,
			siw_device_ops.modify_qp(base, &attr, IB_QP_STATE |
						 IB_QP_ACCESS_FLAGS, NULL));
	KUNIT_EXPECT_EQ(test, SIW_ACCESS_REMOTE_WRITE, qp->access);
	attr.qp_state = IB_QPS_INIT;	/* which does not count */
	KUNIT_EXPECT_EQ(test, 0, siw_device_ops.modify_qp(base, &attr,
							  IB_QP_ACCESS_FLAGS, NULL));
	KUNIT_EXPECT_EQ(test, 0, qp->access);
	KUNIT_EXPECT_EQ(test, 1, kref_read(&qp->ref));
}

static struct ib_qp_init_attr small(struct kunit *test)
{
	struct verbs_fixture *fix = test->priv;

	return (struct ib_qp_init_attr) {
		.send_cq = &fix->cq->cq.base,
		.recv_cq = &fix->cq->cq.base,
		.qp_type = IB_QPT_RC,
		.cap = { .max_send_wr = 3, .max_recv_wr = 5, .max_send_sge = 1,
			 .max_recv_sge = 2 },
	};
}

static int created(struct kunit *test)
{
	struct verbs_fixture *fix = test->priv;

	return atomic_read(&fix->dev->objects[SIW_OBJ_QP]);
}

/* Not with such attributes, and nothing is left of the attempt. */
static void refuses(struct kunit *test, struct ib_qp_init_attr init, int err,
		    const char *what)
{
	struct verbs_fixture *fix = test->priv;
	struct siw_qp *qp = kunit_kzalloc(test, sizeof(*qp), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, qp);
	qp->base.device = &fix->dev->base;
	KUNIT_EXPECT_EQ_MSG(test, err,
			    siw_device_ops.create_qp(&qp->base, &init, NULL), "%s",
			    what);
	KUNIT_EXPECT_EQ_MSG(test, 0, created(test), "%s", what);
}

static void qp_is_refused(struct kunit *test)
{
	struct verbs_fixture *fix = test->priv;
	struct ib_qp_init_attr init = small(test);

	init.cap.max_send_wr = SIW_MAX_QP_WR + 1;
	refuses(test, init, -EINVAL, "max_send_wr");
	init = small(test);
	init.cap.max_recv_wr = SIW_MAX_QP_WR + 1;
	refuses(test, init, -EINVAL, "max_recv_wr");
	init = small(test);
	init.cap.max_send_sge = SIW_MAX_SGE + 1;
	refuses(test, init, -EINVAL, "max_send_sge");
	init = small(test);
	init.cap.max_recv_sge = SIW_MAX_SGE + 1;
	refuses(test, init, -EINVAL, "max_recv_sge");
	init = small(test);
	init.cap.max_inline_data = SIW_MAX_INLINE + 1;
	refuses(test, init, -EINVAL, "max_inline_data");
	init = small(test);
	init.send_cq = NULL;
	refuses(test, init, -EINVAL, "send_cq");
	init = small(test);
	init.recv_cq = NULL;
	refuses(test, init, -EINVAL, "recv_cq");
	init = small(test);
	init.qp_type = IB_QPT_UD;
	refuses(test, init, -EOPNOTSUPP, "qp_type");
	init = small(test);
	init.create_flags = IB_QP_CREATE_MANAGED_SEND;
	refuses(test, init, -EOPNOTSUPP, "create_flags");
	/* One more than there may be */
	atomic_set(&fix->dev->objects[SIW_OBJ_QP], SIW_MAX_QP);
	init = small(test);
	KUNIT_EXPECT_EQ(test, -ENOMEM,
			siw_device_ops.create_qp(&fix->qp->base, &init, NULL));
	KUNIT_EXPECT_EQ(test, SIW_MAX_QP, created(test));
	atomic_set(&fix->dev->objects[SIW_OBJ_QP], 0);
}

static void qp_comes_and_goes(struct kunit *test)
{
	struct siw_qp *qp = kunit_kzalloc(test, sizeof(*qp), GFP_KERNEL);
	const struct siw_completion comp = { .qp = &qp->base };
	struct verbs_fixture *fix = test->priv;
	struct ib_qp_init_attr init = small(test);
	struct siw_qp *found;
	struct ib_wc wc;

	KUNIT_ASSERT_NOT_NULL(test, qp);
	qp->base.device = &fix->dev->base;
	init.recv_cq = &fix->other_cq->cq.base;
	KUNIT_ASSERT_EQ(test, 0, siw_device_ops.create_qp(&qp->base, &init, NULL));
	/* As much as was asked for, and what is granted is told. */
	KUNIT_EXPECT_EQ(test, 4, init.cap.max_send_wr);
	KUNIT_EXPECT_EQ(test, 8, init.cap.max_recv_wr);
	KUNIT_EXPECT_EQ(test, 1, init.cap.max_send_sge);
	KUNIT_EXPECT_EQ(test, 2, init.cap.max_recv_sge);
	KUNIT_EXPECT_EQ(test, SIW_MAX_INLINE, init.cap.max_inline_data);
	KUNIT_EXPECT_EQ(test, 1, created(test));
	KUNIT_EXPECT_GE(test, qp->base.qp_num, 2);	/* 0 and 1 are special */
	found = siw_qp_lookup(fix->dev, qp->base.qp_num);
	KUNIT_EXPECT_PTR_EQ(test, qp, found);
	if (found)
		siw_qp_put(found);
	siw_cq_put(&fix->cq->cq, &comp);
	siw_cq_put(&fix->other_cq->cq, &comp);
	KUNIT_EXPECT_EQ(test, 0, siw_device_ops.destroy_qp(&qp->base, NULL));
	/* What was not polled yet would name a queue pair that is gone. */
	KUNIT_EXPECT_EQ(test, 0, siw_cq_poll(init.send_cq, 1, &wc));
	KUNIT_EXPECT_EQ(test, 0, siw_cq_poll(init.recv_cq, 1, &wc));
	KUNIT_EXPECT_NULL(test, siw_qp_lookup(fix->dev, qp->base.qp_num));
	KUNIT_EXPECT_TRUE(test, xa_empty(&fix->dev->qps));
	KUNIT_EXPECT_EQ(test, 0, created(test));
}

static void count_completion(struct ib_cq *base, void *arg)
{
	++*(unsigned int *)arg;
}

/* Its consumer has heard of all before it is gone. */
static void cq_comes_and_goes(struct kunit *test)
{
	/* They fill pages: the word by which it is armed is behind them. */
	struct ib_cq_init_attr init = {
		.cqe = PAGE_SIZE / sizeof(struct siw_cqe),
	};
	struct siw_cq *cq = kunit_kzalloc(test, sizeof(*cq), GFP_KERNEL);
	struct verbs_fixture *fix = test->priv;
	const struct siw_completion comp = { .qp = &fix->qp->base };
	atomic_t *objects = &fix->dev->objects[SIW_OBJ_CQ];
	unsigned int fired = 0;

	KUNIT_ASSERT_NOT_NULL(test, cq);
	cq->base.device = &fix->dev->base;
	cq->base.comp_handler = count_completion;
	cq->base.cq_context = &fired;
	KUNIT_ASSERT_EQ(test, 0, siw_device_ops.create_cq(&cq->base, &init, NULL));
	KUNIT_EXPECT_EQ(test, init.cqe, cq->base.cqe);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(objects));
	KUNIT_EXPECT_EQ(test, 0, siw_device_ops.req_notify_cq(&cq->base,
							      IB_CQ_NEXT_COMP));
	siw_cq_tell(cq, siw_cq_put(cq, &comp));
	KUNIT_EXPECT_EQ(test, 0, siw_device_ops.destroy_cq(&cq->base, NULL));
	KUNIT_EXPECT_EQ(test, 1, READ_ONCE(fired));
	/* Who asks for its details from now on finds none. */
	KUNIT_EXPECT_NULL(test, cq->queue);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(objects));
	siw_upcall_sync(&cq->upcall);
}

/* iw_cm asks for it with a lock held: nothing may interrupt that. */
static void qp_is_found_without_interrupts(struct kunit *test)
{
	struct verbs_fixture *fix = test->priv;
	u32 num = fix->qp->base.qp_num;
	struct siw_qp *found;
	unsigned long irq;
	bool off;

	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		kunit_skip(test, "locks leave interrupts on");
	KUNIT_ASSERT_EQ(test, 0, xa_err(xa_store_irq(&fix->dev->qps, num, fix->qp,
						     GFP_KERNEL)));
	local_irq_save(irq);
	found = siw_qp_lookup(fix->dev, num);
	off = irqs_disabled();
	local_irq_restore(irq);
	xa_erase_irq(&fix->dev->qps, num);
	KUNIT_EXPECT_TRUE(test, off);
	KUNIT_EXPECT_PTR_EQ(test, fix->qp, found);
	if (found)
		siw_qp_put(found);
}

/* Numbers that were all given out begin again, and not with those that are special. */
static void qp_numbers_begin_again(struct kunit *test)
{
	struct siw_qp *qp = kunit_kzalloc(test, sizeof(*qp), GFP_KERNEL);
	struct verbs_fixture *fix = test->priv;
	struct ib_qp_init_attr init = small(test);

	KUNIT_ASSERT_NOT_NULL(test, qp);
	qp->base.device = &fix->dev->base;
	fix->dev->next_qpn = 0x1000000;
	KUNIT_ASSERT_EQ(test, 0, siw_device_ops.create_qp(&qp->base, &init, NULL));
	KUNIT_EXPECT_EQ(test, 2, qp->base.qp_num);
	KUNIT_EXPECT_EQ(test, 0, siw_device_ops.destroy_qp(&qp->base, NULL));
}

/* Somebody who has a queue pair a little longer, and then has something to tell */
struct holder {
	struct work_struct work;
	struct siw_qp *qp;
	bool done;
	bool told;
};

static void qp_event(struct ib_event *event, void *arg)
{
	struct holder *holder = arg;

	msleep(50);
	WRITE_ONCE(holder->told, true);
}

static void let_go(struct work_struct *work)
{
	struct holder *holder = container_of(work, struct holder, work);

	msleep(50);
	WRITE_ONCE(holder->done, true);
	siw_upcall(&holder->qp->upcall, BIT(IB_EVENT_QP_FATAL));
	siw_qp_put(holder->qp);
}

/* ib_core frees it next: nobody may have it any more, nor be told of it. */
static void qp_goes_when_nobody_has_it(struct kunit *test)
{
	struct siw_qp *qp = kunit_kzalloc(test, sizeof(*qp), GFP_KERNEL);
	struct verbs_fixture *fix = test->priv;
	struct ib_qp_init_attr init = small(test);
	struct holder holder = { .qp = qp };

	KUNIT_ASSERT_NOT_NULL(test, qp);
	qp->base.device = &fix->dev->base;
	qp->base.event_handler = qp_event;
	qp->base.qp_context = &holder;
	KUNIT_ASSERT_EQ(test, 0, siw_device_ops.create_qp(&qp->base, &init, NULL));
	siw_qp_get(qp);
	INIT_WORK_ONSTACK(&holder.work, let_go);
	schedule_work(&holder.work);
	KUNIT_EXPECT_EQ(test, 0, siw_device_ops.destroy_qp(&qp->base, NULL));
	KUNIT_EXPECT_TRUE(test, READ_ONCE(holder.done));
	KUNIT_EXPECT_TRUE(test, READ_ONCE(holder.told));
	flush_work(&holder.work);
	siw_upcall_sync(&qp->upcall);
	destroy_work_on_stack(&holder.work);
}

/* Nobody rings a doorbell for a kernel user, also not when it is over. */
static void receive_comes_back_at_once(struct kunit *test)
{
	struct verbs_fixture *fix = test->priv;
	const struct ib_recv_wr wr = { .wr_id = 3 };
	const struct ib_recv_wr *bad = NULL;
	struct ib_wc wc;

	KUNIT_ASSERT_EQ(test, 0, modify(test, IB_QPS_ERR));
	KUNIT_EXPECT_EQ(test, 0, siw_device_ops.post_recv(&fix->qp->base, &wr, &bad));
	KUNIT_ASSERT_EQ(test, 1, siw_cq_poll(&fix->cq->cq.base, 1, &wc));
	KUNIT_EXPECT_EQ(test, 3, wc.wr_id);
	KUNIT_EXPECT_EQ(test, IB_WC_WR_FLUSH_ERR, wc.status);

	/* The one that it shares is for that. */
	fix->qp->srq = &fix->srq;
	KUNIT_EXPECT_EQ(test, -EINVAL,
			siw_device_ops.post_recv(&fix->qp->base, &wr, &bad));
	KUNIT_EXPECT_PTR_EQ(test, &wr, bad);
	fix->qp->srq = NULL;
}

/* As many elements as were asked for, though a queue has room for more */
static void shared_receive_is_what_was_granted(struct kunit *test)
{
	struct verbs_fixture *fix = test->priv;
	struct siw_srq *srq = &fix->srq;
	struct ib_sge sge[3] = {};
	struct ib_recv_wr wr = { .sg_list = sge };
	const struct ib_recv_wr *bad;

	siw_srq_init(srq, true);
	siw_rq_set_num(&srq->rq, WQES);
	srq->rq.ring = fix->qp->rq.ring;
	srq->max_sge = 2;
	for (wr.num_sge = 2; wr.num_sge <= 3; wr.num_sge++)
		KUNIT_EXPECT_EQ(test, wr.num_sge == 2 ? 0 : -EINVAL,
				siw_device_ops.post_srq_recv(&srq->base, &wr, &bad));
}

/* The answer goes to user space, and nothing with it that was there before. */
static void shared_queue_tells_what_it_is(struct kunit *test)
{
	struct verbs_fixture *fix = test->priv;
	struct siw_srq *srq = &fix->srq;
	struct ib_srq_attr attr;

	siw_srq_init(srq, true);
	siw_rq_set_num(&srq->rq, WQES);
	srq->max_sge = 2;
	srq->rq.limit = 3;
	memset(&attr, 0xee, sizeof(attr));
	KUNIT_ASSERT_TRUE(test, !!siw_device_ops.query_srq);
	KUNIT_ASSERT_EQ(test, 0, siw_device_ops.query_srq(&srq->base, &attr));
	KUNIT_EXPECT_EQ(test, WQES, attr.max_wr);
	KUNIT_EXPECT_EQ(test, 2, attr.max_sge);
	KUNIT_EXPECT_EQ(test, 3, attr.srq_limit);
}

/* The last one is refused, and counts for nothing. */
static void domains_have_an_end(struct kunit *test)
{
	struct verbs_fixture *fix = test->priv;
	atomic_t *objects = &fix->dev->objects[SIW_OBJ_PD];

	atomic_set(objects, SIW_MAX_PD - 1);
	KUNIT_EXPECT_EQ(test, 0, siw_device_ops.alloc_pd(&fix->pd, NULL));
	KUNIT_EXPECT_EQ(test, -ENOMEM, siw_device_ops.alloc_pd(&fix->pd, NULL));
	KUNIT_EXPECT_EQ(test, SIW_MAX_PD, atomic_read(objects));
	KUNIT_EXPECT_EQ(test, 0, siw_device_ops.dealloc_pd(&fix->pd, NULL));
	KUNIT_EXPECT_EQ(test, SIW_MAX_PD - 1, atomic_read(objects));
	atomic_set(objects, 0);
}

/* In the order of enum siw_counter */
static const char *const counter_names[] = {
	"rx_fpdu", "rx_bytes", "rx_send", "rx_write", "rx_read_request",
	"rx_read_response", "rx_straddle", "rx_fault", "rx_crc_error",
	"rx_no_buffer", "rx_terminate", "rx_terminate_rdmap",
	"rx_terminate_ddp", "rx_terminate_mpa", "tx_fpdu", "tx_bytes",
	"tx_send", "tx_write", "tx_read_request", "tx_read_response",
	"tx_train", "tx_wait", "tx_read_stall", "tx_chunk_alloc",
	"tx_terminate", "tx_terminate_rdmap", "tx_terminate_ddp",
	"tx_terminate_mpa", "local_op", "local_error", "cq_overflow",
	"conn_out", "conn_in", "conn_up", "conn_fallback", "conn_timeout",
	"conn_refused", "conn_tcp_error", "conn_closed",
	"conn_reject_received", "conn_reject_sent", "conn_terms",
	"conn_local_error", "conn_abort", "conn_timeout_tcp",
	"conn_timeout_reply", "conn_timeout_request", "conn_timeout_ulp",
	"conn_timeout_first", "conn_half_open", "stream_lost",
	"msg_suppressed",
};

static void counters_have_their_names(struct kunit *test)
{
	struct verbs_fixture *fix = test->priv;
	struct rdma_hw_stats *stats = siw_stats_alloc(&fix->dev->base, 1);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, stats);
	KUNIT_EXPECT_EQ(test, SIW_COUNTERS, ARRAY_SIZE(counter_names));
	KUNIT_EXPECT_EQ(test, SIW_COUNTERS, stats->num_counters);
	for (i = 0; i < SIW_COUNTERS; i++)
		siw_count_add(fix->dev, i, i + 1);
	KUNIT_EXPECT_EQ(test, SIW_COUNTERS,
			siw_stats_get(&fix->dev->base, stats, 1, 0));
	for (i = 0; i < SIW_COUNTERS; i++) {
		KUNIT_EXPECT_STREQ(test, counter_names[i], stats->descs[i].name);
		KUNIT_EXPECT_EQ(test, i + 1, stats->value[i]);
	}
	rdma_free_hw_stats_struct(stats);
}

static struct kunit_case verbs_cases[] = {
	KUNIT_CASE(device_has_its_limits),
	KUNIT_CASE(gid_is_told_whole),
	KUNIT_CASE(port_outlives_its_netdev),
	KUNIT_CASE(qp_tells_what_it_is),
	KUNIT_CASE(states_are_moved_between),
	KUNIT_CASE(rights_are_what_was_said),
	KUNIT_CASE(qp_is_refused),
	KUNIT_CASE(qp_comes_and_goes),
	KUNIT_CASE(cq_comes_and_goes),
	KUNIT_CASE(qp_is_found_without_interrupts),
	KUNIT_CASE(qp_numbers_begin_again),
	KUNIT_CASE(qp_goes_when_nobody_has_it),
	KUNIT_CASE(receive_comes_back_at_once),
	KUNIT_CASE(shared_receive_is_what_was_granted),
	KUNIT_CASE(shared_queue_tells_what_it_is),
	KUNIT_CASE(domains_have_an_end),
	KUNIT_CASE(counters_have_their_names),
	{}
};

static struct kunit_suite verbs_suite = {
	.name = "siw_verbs",
	.init = verbs_init,
	.test_cases = verbs_cases,
};

kunit_test_suite(verbs_suite);
