// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Objects as ib_core would make them, without ib_core.
 */
#include <linux/percpu.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include <net/tcp.h>

#include "fake.h"

static void free_device(void *arg)
{
	struct siw_device *dev = arg;

	xa_destroy(&dev->mrs);
	free_percpu(dev->stats);
}

/* A device with tables of queue pairs and regions and counters, and nothing else. */
struct siw_device *siw_fake_device(struct kunit *test)
{
	struct siw_device *dev = kunit_kzalloc(test, sizeof(*dev), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, dev);
	xa_init_flags(&dev->qps, XA_FLAGS_ALLOC | XA_FLAGS_LOCK_IRQ);
	xa_init(&dev->mrs);
	dev->stats = alloc_percpu(struct siw_stats);
	KUNIT_ASSERT_TRUE(test, !!dev->stats);	/* per-CPU: not a plain pointer */
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, free_device, dev));
	return dev;
}

static void completion(struct ib_cq *base, void *arg)
{
	struct siw_fake_cq *fake = arg;

	fake->fired++;
}

static void cq_event(struct ib_event *event, void *arg)
{
	struct siw_fake_cq *fake = arg;

	if (event->event == IB_EVENT_CQ_ERR)
		fake->errors++;
}

/* A kernel's completion queue of @num_cqe elements, a power of two. */
struct siw_fake_cq *siw_fake_cq(struct kunit *test, struct siw_device *dev,
				u32 num_cqe)
{
	struct siw_fake_cq *fake = kunit_kzalloc(test, sizeof(*fake),
						 GFP_KERNEL);
	struct siw_cq *cq = &fake->cq;

	KUNIT_ASSERT_NOT_NULL(test, fake);
	cq->queue = kunit_kzalloc(test, num_cqe * sizeof(*cq->queue) +
				  sizeof(*cq->ctrl), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, cq->queue);
	cq->ctrl = (struct siw_cq_ctrl *)&cq->queue[num_cqe];
	cq->num_cqe = num_cqe;
	siw_cq_init(cq, true);
	cq->base.device = &dev->base;
	cq->base.comp_handler = completion;
	cq->base.event_handler = cq_event;
	cq->base.cq_context = fake;
	return fake;
}

static void stop_qp(void *arg)
{
	struct siw_qp *qp = arg;

	flush_delayed_work(&qp->tx.work);
	siw_qp_put(qp);
	wait_for_completion(&qp->gone);
}

/* A kernel's queue pair with queues of @num elements, a power of two. */
struct siw_qp *siw_fake_qp(struct kunit *test, struct siw_fake_cq *cq, u32 num)
{
	struct siw_qp *qp = kunit_kzalloc(test, sizeof(*qp), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, qp);
	qp->sq.num = num;
	qp->rq.num = num;
	qp->sq.ring = kunit_kcalloc(test, num, sizeof(*qp->sq.ring),
				    GFP_KERNEL);
	qp->sq.entry = kunit_kcalloc(test, num, sizeof(*qp->sq.entry),
				     GFP_KERNEL);
	qp->rq.ring = kunit_kcalloc(test, num, sizeof(*qp->rq.ring),
				    GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, qp->sq.ring);
	KUNIT_ASSERT_NOT_NULL(test, qp->sq.entry);
	KUNIT_ASSERT_NOT_NULL(test, qp->rq.ring);
	qp->base.device = cq->cq.base.device;
	qp->base.qp_num = 7;
	qp->scq = &cq->cq;
	qp->rcq = &cq->cq;
	qp->max_send_sge = SIW_MAX_SGE;
	qp->max_recv_sge = SIW_MAX_SGE;
	siw_qp_init(qp, true);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, stop_qp, qp));
	return qp;
}

static void close_llp(void *llp)
{
	siw_llp_abort(llp);
}

/* A socket that is connected to nothing. */
void siw_fake_llp(struct kunit *test, struct siw_llp *llp)
{
	KUNIT_ASSERT_EQ(test, 0, siw_llp_open(llp, &init_net, AF_INET));
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, close_llp, llp));
	/* TCP divides by it when it looks for a window to offer. */
	inet_csk(llp->sock->sk)->icsk_ack.rcv_mss = TCP_MIN_MSS;
	/* With a small one reading is left for later. */
	tcp_sk(llp->sock->sk)->rcv_wnd = 1 << 20;
}

/* A stream on which nothing may be sent: the transmitter looks at no socket. */
void siw_fake_start(struct kunit *test, struct siw_qp *qp, struct siw_llp *llp)
{
	const struct siw_qp_start held = {
		.llp = llp,
		.passive = true,
	};

	KUNIT_ASSERT_EQ(test, 0, siw_qp_depths(qp, 1, 1));
	KUNIT_ASSERT_EQ(test, 0, siw_qp_start(qp, &held));
}

/* @action is called with @arg when the test is over. */
void siw_fake_on_exit(struct kunit *test, kunit_action_t *action, void *arg)
{
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, action, arg));
}

/* A region, if the test is over */
void siw_fake_dereg(void *mr)
{
	siw_mr_dereg(mr, NULL);
}

/* A stream, if the test is over, with the room for Reads that its queue pair got */
void siw_fake_end(void *arg)
{
	struct siw_qp *qp = arg;

	siw_qp_event(qp, SIW_QP_EV_FAIL);
	siw_qp_stop(qp, NULL);
	kfree(qp->irq);
	kfree(qp->orq);
}

/* The sum of a counter over all CPUs. */
u64 siw_fake_count(struct siw_device *dev, enum siw_counter counter)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += per_cpu_ptr(dev->stats, cpu)->value[counter];
	return sum;
}
