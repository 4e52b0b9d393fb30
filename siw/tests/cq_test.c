// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Completion queues: order, wrap-around, overflow, arming; and when a kernel hears
 * of what, also of a shared receive queue.
 */
#include <linux/delay.h>

#include "fake.h"
#include "../cq.h"
#include "../verbs.h"

#define CQES	4

struct cq_fixture {
	struct siw_device *dev;
	struct siw_fake_cq *fake;
	struct siw_cq *cq;
	struct ib_qp qp;
	struct ib_qp other_qp;
};

static int cq_init(struct kunit *test)
{
	struct cq_fixture *fix = kunit_kzalloc(test, sizeof(*fix), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fix);
	test->priv = fix;
	fix->dev = siw_fake_device(test);
	fix->fake = siw_fake_cq(test, fix->dev, CQES);
	fix->cq = &fix->fake->cq;
	fix->qp.qp_num = 7;
	return 0;
}

/* A good Send of one octet; the test changes what it is about. */
static struct siw_completion sent(struct cq_fixture *fix, u64 id)
{
	return (struct siw_completion) {
		.id = id,
		.qp = &fix->qp,
		.bytes = 1,
		.opcode = SIW_OP_SEND,
	};
}

/* Return: the consumer waited for it. */
static bool put_comp(struct cq_fixture *fix, const struct siw_completion *comp)
{
	u32 news = siw_cq_put(fix->cq, comp);

	return news && siw_cq_is_due(fix->cq, news);
}

static bool put(struct cq_fixture *fix, u64 id)
{
	struct siw_completion comp = sent(fix, id);

	return put_comp(fix, &comp);
}

static void expect_polled(struct kunit *test, u64 id)
{
	struct cq_fixture *fix = test->priv;
	struct ib_wc wc;

	KUNIT_ASSERT_EQ(test, 1, siw_cq_poll(&fix->cq->base, 1, &wc));
	KUNIT_EXPECT_EQ(test, id, wc.wr_id);
	KUNIT_EXPECT_PTR_EQ(test, &fix->qp, wc.qp);
}

static void expect_empty(struct kunit *test)
{
	struct cq_fixture *fix = test->priv;
	struct ib_wc wc;

	KUNIT_EXPECT_EQ(test, 0, siw_cq_poll(&fix->cq->base, 1, &wc));
}

static void keeps_order_around_its_end(struct kunit *test)
{
	struct cq_fixture *fix = test->priv;
	u64 id;

	/* Free-running positions wrap as well. */
	fix->cq->put = -(2 * CQES + 1);
	fix->cq->get = fix->cq->put;
	for (id = 1; id < 8 * CQES; id += 2) {
		KUNIT_EXPECT_FALSE(test, put(fix, id));
		KUNIT_EXPECT_FALSE(test, put(fix, id + 1));
		expect_polled(test, id);
		expect_polled(test, id + 1);
		expect_empty(test);
	}
	KUNIT_EXPECT_EQ(test, 0, fix->fake->errors);
}

static void polls_as_many_as_asked_for(struct kunit *test)
{
	struct cq_fixture *fix = test->priv;
	struct ib_wc wc[CQES + 1];
	u64 id;

	for (id = 0; id < CQES; id++)
		put(fix, id);
	KUNIT_EXPECT_EQ(test, 0, siw_cq_poll(&fix->cq->base, 0, wc));
	KUNIT_EXPECT_EQ(test, 3, siw_cq_poll(&fix->cq->base, 3, wc));
	KUNIT_EXPECT_EQ(test, 2, wc[2].wr_id);
	KUNIT_EXPECT_EQ(test, 1, siw_cq_poll(&fix->cq->base, CQES + 1, wc));
	KUNIT_EXPECT_EQ(test, 3, wc[0].wr_id);
}

static void remembers_the_most_that_waited(struct kunit *test)
{
	struct cq_fixture *fix = test->priv;
	u64 id;

	/* Its elements were in use before. */
	fix->cq->put = -1;
	fix->cq->get = -1;
	KUNIT_EXPECT_EQ(test, 0, fix->cq->high);
	for (id = 0; id < 3 * CQES; id++) {
		put(fix, id);
		KUNIT_EXPECT_EQ(test, 1, fix->cq->high);
		expect_polled(test, id);
	}
	put(fix, id);
	put(fix, id + 1);
	expect_polled(test, id);
	put(fix, id + 2);
	expect_polled(test, id + 1);
	expect_polled(test, id + 2);
	KUNIT_EXPECT_EQ(test, 2, fix->cq->high);
	for (id = 0; id < CQES; id++)
		put(fix, id);
	KUNIT_EXPECT_EQ(test, CQES, fix->cq->high);
	put(fix, id);		/* lost */
	for (id = 0; id < CQES; id++)
		expect_polled(test, id);
	put(fix, id);
	KUNIT_EXPECT_EQ(test, CQES, fix->cq->high);
}

static void overflow_tells_once_and_loses_no_older(struct kunit *test)
{
	struct cq_fixture *fix = test->priv;
	u64 id;

	for (id = 0; id < CQES; id++)
		put(fix, id);
	KUNIT_EXPECT_EQ(test, 0, fix->fake->errors);
	KUNIT_EXPECT_FALSE(test, put(fix, CQES));
	KUNIT_EXPECT_FALSE(test, put(fix, CQES + 1));
	KUNIT_EXPECT_EQ(test, 1, fix->fake->errors);
	KUNIT_EXPECT_EQ(test, 2,
			siw_fake_count(fix->dev, SIW_CNT_CQ_OVERFLOW));
	for (id = 0; id < CQES; id++)
		expect_polled(test, id);
	expect_empty(test);
	put(fix, 99);
	expect_polled(test, 99);
}

static void says_what_happened(struct kunit *test)
{
	static const struct {
		u8 opcode;
		enum ib_wc_opcode wc;
	} ops[] = {
		{ SIW_OP_WRITE, IB_WC_RDMA_WRITE },
		{ SIW_OP_READ, IB_WC_RDMA_READ },
		{ SIW_OP_READ_LOCAL_INV, IB_WC_RDMA_READ },
		{ SIW_OP_SEND, IB_WC_SEND },
		{ SIW_OP_SEND_REMOTE_INV, IB_WC_SEND },
		{ SIW_OP_RECEIVE, IB_WC_RECV },
		{ SIW_OP_INVAL_STAG, IB_WC_LOCAL_INV },
		{ SIW_OP_REG_MR, IB_WC_REG_MR },
	};
	struct cq_fixture *fix = test->priv;
	struct ib_wc wc;
	int i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		struct siw_completion comp = sent(fix, i);

		comp.opcode = ops[i].opcode;
		comp.bytes = 1000 + i;
		siw_cq_put(fix->cq, &comp);
		KUNIT_ASSERT_EQ(test, 1, siw_cq_poll(&fix->cq->base, 1, &wc));
		KUNIT_EXPECT_EQ(test, ops[i].wc, wc.opcode);
		KUNIT_EXPECT_EQ(test, IB_WC_SUCCESS, wc.status);
		KUNIT_EXPECT_EQ(test, 1000 + i, wc.byte_len);
		KUNIT_EXPECT_EQ(test, 0, wc.wc_flags);
	}
}

static void says_what_failed(struct kunit *test)
{
	static const enum ib_wc_status statuses[SIW_NUM_WC_STATUS] = {
		IB_WC_SUCCESS, IB_WC_LOC_LEN_ERR, IB_WC_LOC_PROT_ERR,
		IB_WC_LOC_QP_OP_ERR, IB_WC_WR_FLUSH_ERR, IB_WC_BAD_RESP_ERR,
		IB_WC_LOC_ACCESS_ERR, IB_WC_REM_ACCESS_ERR,
		IB_WC_REM_INV_REQ_ERR, IB_WC_GENERAL_ERR,
	};
	struct cq_fixture *fix = test->priv;
	struct ib_wc wc;
	int i;

	for (i = 0; i < SIW_NUM_WC_STATUS; i++) {
		struct siw_completion comp = sent(fix, i);

		comp.status = i;
		siw_cq_put(fix->cq, &comp);
		KUNIT_ASSERT_EQ(test, 1, siw_cq_poll(&fix->cq->base, 1, &wc));
		KUNIT_EXPECT_EQ(test, statuses[i], wc.status);
	}
}

static void says_what_was_invalidated(struct kunit *test)
{
	struct cq_fixture *fix = test->priv;
	struct siw_completion comp = sent(fix, 1);
	struct ib_wc wc;

	comp.opcode = SIW_OP_RECEIVE;
	comp.invalidated = true;
	comp.inval_stag = 0x12345678;
	siw_cq_put(fix->cq, &comp);
	KUNIT_ASSERT_EQ(test, 1, siw_cq_poll(&fix->cq->base, 1, &wc));
	KUNIT_EXPECT_EQ(test, IB_WC_WITH_INVALIDATE, wc.wc_flags);
	KUNIT_EXPECT_EQ(test, 0x12345678, wc.ex.invalidate_rkey);
}

/* The STag of a message that invalidates nothing is not told, nor what was there. */
static void says_nothing_of_other_stags(struct kunit *test)
{
	struct cq_fixture *fix = test->priv;
	struct siw_completion comp = sent(fix, 1);

	comp.opcode = SIW_OP_RECEIVE;
	comp.inval_stag = 0x12345678;
	fix->cq->queue[0].imm_data = U64_MAX;
	siw_cq_put(fix->cq, &comp);
	KUNIT_EXPECT_EQ(test, SIW_WQE_VALID, fix->cq->queue[0].flags);
	KUNIT_EXPECT_EQ(test, 0, fix->cq->queue[0].imm_data);
	expect_polled(test, 1);
}

/* Who polls into the same array again reads nothing there of the time before. */
static void says_nothing_of_the_time_before(struct kunit *test)
{
	struct cq_fixture *fix = test->priv;
	struct ib_wc wc;

	memset(&wc, 0xee, sizeof(wc));
	put(fix, 1);
	KUNIT_ASSERT_EQ(test, 1, siw_cq_poll(&fix->cq->base, 1, &wc));
	KUNIT_EXPECT_EQ(test, 0, wc.wc_flags);
	KUNIT_EXPECT_EQ(test, 0, wc.ex.invalidate_rkey);
	KUNIT_EXPECT_EQ(test, 0, wc.vendor_err);
	KUNIT_EXPECT_EQ(test, 0, wc.src_qp);
}

static void fires_once_when_armed(struct kunit *test)
{
	struct cq_fixture *fix = test->priv;

	KUNIT_EXPECT_FALSE(test, put(fix, 0));
	KUNIT_EXPECT_EQ(test, 0, siw_cq_arm(&fix->cq->base, IB_CQ_NEXT_COMP));
	KUNIT_EXPECT_TRUE(test, put(fix, 1));
	KUNIT_EXPECT_FALSE(test, put(fix, 2));
	siw_cq_notify(fix->cq);
	KUNIT_EXPECT_EQ(test, 1, fix->fake->fired);
}

static void fires_for_solicited_or_failed(struct kunit *test)
{
	struct cq_fixture *fix = test->priv;
	struct siw_completion comp = sent(fix, 1);

	siw_cq_arm(&fix->cq->base, IB_CQ_SOLICITED);
	KUNIT_EXPECT_FALSE(test, put_comp(fix, &comp));
	comp.solicited = true;
	KUNIT_EXPECT_TRUE(test, put_comp(fix, &comp));
	KUNIT_EXPECT_FALSE(test, put_comp(fix, &comp));

	siw_cq_arm(&fix->cq->base, IB_CQ_SOLICITED);
	comp.solicited = false;
	comp.status = SIW_WC_WR_FLUSH_ERR;
	KUNIT_EXPECT_TRUE(test, put_comp(fix, &comp));
}

/* One look for all of a train, whichever of them it is that was waited for. */
static void fires_once_for_a_train(struct kunit *test)
{
	struct cq_fixture *fix = test->priv;
	struct siw_completion plain = sent(fix, 1);
	struct siw_completion wanted = sent(fix, 2);
	u32 news;

	wanted.solicited = true;
	siw_cq_arm(&fix->cq->base, IB_CQ_SOLICITED);
	siw_cq_tell(fix->cq, 0);
	siw_cq_tell(fix->cq, siw_cq_put(fix->cq, &plain));
	KUNIT_EXPECT_EQ(test, 0, fix->fake->fired);
	news = siw_cq_put(fix->cq, &wanted);
	news |= siw_cq_put(fix->cq, &plain);
	KUNIT_EXPECT_EQ(test, 0, fix->fake->fired);
	siw_cq_tell(fix->cq, news);
	siw_cq_tell(fix->cq, news);
	KUNIT_EXPECT_EQ(test, 1, fix->fake->fired);

	/* What was lost is no news. */
	put(fix, 4);
	siw_cq_arm(&fix->cq->base, IB_CQ_NEXT_COMP);
	KUNIT_EXPECT_EQ(test, 0, siw_cq_put(fix->cq, &wanted));
}

/* Who asked for any completion is told of any, whoever asks for less. */
static void asking_again_weakens_nothing(struct kunit *test)
{
	struct cq_fixture *fix = test->priv;

	siw_cq_arm(&fix->cq->base, IB_CQ_NEXT_COMP);
	siw_cq_arm(&fix->cq->base, IB_CQ_SOLICITED);
	KUNIT_EXPECT_TRUE(test, put(fix, 1));
}

static void tells_whether_it_missed_some(struct kunit *test)
{
	const enum ib_cq_notify_flags flags = IB_CQ_NEXT_COMP |
					      IB_CQ_REPORT_MISSED_EVENTS;
	struct cq_fixture *fix = test->priv;

	KUNIT_EXPECT_EQ(test, 0, siw_cq_arm(&fix->cq->base, flags));
	put(fix, 1);
	KUNIT_EXPECT_EQ(test, 1, siw_cq_arm(&fix->cq->base, flags));
	KUNIT_EXPECT_EQ(test, 0, siw_cq_arm(&fix->cq->base, IB_CQ_NEXT_COMP));
	expect_polled(test, 1);
	KUNIT_EXPECT_EQ(test, 0, siw_cq_arm(&fix->cq->base, flags));
}

static void forgets_a_destroyed_qp(struct kunit *test)
{
	struct cq_fixture *fix = test->priv;
	struct siw_completion comp = sent(fix, 1);
	struct ib_wc wc[CQES];

	siw_cq_put(fix->cq, &comp);
	comp.qp = &fix->other_qp;
	comp.id = 2;
	siw_cq_put(fix->cq, &comp);
	comp.qp = &fix->qp;
	comp.id = 3;
	siw_cq_put(fix->cq, &comp);
	siw_cq_forget(fix->cq, &fix->other_qp);
	KUNIT_ASSERT_EQ(test, 2, siw_cq_poll(&fix->cq->base, CQES, wc));
	KUNIT_EXPECT_EQ(test, 1, wc[0].wr_id);
	KUNIT_EXPECT_EQ(test, 3, wc[1].wr_id);
	expect_empty(test);
}

/* The process may write anything into its elements. */
static void user_elements_are_not_believed(struct kunit *test)
{
	struct cq_fixture *fix = test->priv;
	struct siw_mmap_entry mapped = {};
	struct siw_cqe *cqe = fix->cq->queue;
	struct ib_wc wc;

	fix->cq->mmap = &mapped;
	KUNIT_EXPECT_FALSE(test, put(fix, 42));
	KUNIT_EXPECT_EQ(test, 42, cqe[0].id);
	KUNIT_EXPECT_EQ(test, 7, cqe[0].qp_id);
	KUNIT_EXPECT_EQ(test, SIW_WQE_VALID, cqe[0].flags);

	/* No kernel consumer polls it, no address in it is looked at. */
	KUNIT_EXPECT_EQ(test, 0, siw_cq_poll(&fix->cq->base, 1, &wc));
	cqe[0].qp_id = (uintptr_t)&fix->qp;
	siw_cq_forget(fix->cq, &fix->qp);
	KUNIT_EXPECT_EQ(test, (uintptr_t)&fix->qp, cqe[0].qp_id);

	/* Any flag means that the element is taken. */
	cqe[1].flags = 0x80;
	KUNIT_EXPECT_FALSE(test, put(fix, 43));
	KUNIT_EXPECT_EQ(test, 1, fix->fake->errors);
	cqe[1].flags = 0;
	WRITE_ONCE(fix->cq->ctrl->flags, U32_MAX);
	KUNIT_EXPECT_TRUE(test, put(fix, 44));
	KUNIT_EXPECT_EQ(test, 44, cqe[1].id);
	KUNIT_EXPECT_EQ(test, SIW_NOTIFY_NOT, fix->cq->ctrl->flags);
}

static void tells_how_many_are_pending(struct kunit *test)
{
	struct cq_fixture *fix = test->priv;
	u64 start, id;

	for (start = 0; start < 2 * CQES; start++) {
		KUNIT_EXPECT_EQ(test, 0, siw_cq_pending(fix->cq));
		for (id = 0; id < CQES; id++) {
			put(fix, id);
			KUNIT_EXPECT_EQ(test, id + 1, siw_cq_pending(fix->cq));
		}
		for (id = 0; id < CQES; id++) {
			expect_polled(test, id);
			KUNIT_EXPECT_EQ(test, CQES - id - 1,
					siw_cq_pending(fix->cq));
		}
		/* Begin one further on the next time. */
		put(fix, 0);
		expect_polled(test, 0);
	}
	put(fix, 0);
	KUNIT_EXPECT_PTR_EQ(test, (void *)fix->cq->queue,
			    siw_cq_close(fix->cq));
	KUNIT_EXPECT_EQ(test, 0, siw_cq_pending(fix->cq));
}

/* Within its own call it may hold what its handler takes. */
static void note_caller(struct ib_cq *base, void *arg)
{
	struct siw_fake_cq *fake = arg;

	fake->fired++;
	fake->errors += fake->caller == current;
}

static void a_kernel_hears_between_its_calls(struct kunit *test)
{
	struct cq_fixture *fix = test->priv;

	siw_cq_init(fix->cq, false);
	fix->cq->base.comp_handler = note_caller;
	fix->fake->caller = current;
	siw_cq_arm(&fix->cq->base, IB_CQ_NEXT_COMP);
	KUNIT_ASSERT_TRUE(test, put(fix, 1));
	siw_cq_notify(fix->cq);
	siw_upcall_sync(&fix->cq->upcall);
	KUNIT_EXPECT_EQ(test, 1, fix->fake->fired);
	KUNIT_EXPECT_EQ(test, 0, fix->fake->errors);
}

static void note_limit(struct ib_event *event, void *arg)
{
	struct siw_fake_cq *fake = arg;

	fake->fired += event->event == IB_EVENT_SRQ_LIMIT_REACHED;
	fake->errors += fake->caller == current;
}

/* A shared receive queue of no elements, and who hears of its limit */
static struct siw_srq *new_srq(struct kunit *test,
			       void (*handler)(struct ib_event *event, void *arg))
{
	struct siw_srq *srq = kunit_kzalloc(test, sizeof(*srq), GFP_KERNEL);
	struct ib_srq_init_attr init = { .attr = { .max_wr = 3, .max_sge = 1 } };
	struct cq_fixture *fix = test->priv;

	KUNIT_ASSERT_NOT_NULL(test, srq);
	srq->base.device = &fix->dev->base;
	srq->base.event_handler = handler;
	srq->base.srq_context = fix->fake;
	KUNIT_ASSERT_EQ(test, 0, siw_device_ops.create_srq(&srq->base, &init, NULL));
	KUNIT_EXPECT_EQ(test, 4, init.attr.max_wr);
	return srq;
}

static int set_limit(struct siw_srq *srq, enum ib_srq_attr_mask mask)
{
	struct ib_srq_attr limit = { .srq_limit = 1 };

	return siw_device_ops.modify_srq(&srq->base, &limit, mask, NULL);
}

/* There are fewer elements than the limit: that is so at once, and once. */
static void a_kernel_hears_of_limits_between_its_calls(struct kunit *test)
{
	struct siw_srq *srq = new_srq(test, note_limit);
	struct cq_fixture *fix = test->priv;

	fix->fake->caller = current;
	KUNIT_EXPECT_EQ(test, 0, set_limit(srq, 0));	/* not the limit */
	siw_upcall_sync(&srq->upcall);
	KUNIT_EXPECT_EQ(test, 0, fix->fake->fired);
	KUNIT_EXPECT_EQ(test, 0, set_limit(srq, IB_SRQ_LIMIT));
	siw_upcall_sync(&srq->upcall);
	KUNIT_EXPECT_EQ(test, 1, fix->fake->fired);
	KUNIT_EXPECT_EQ(test, 0, fix->fake->errors);
	KUNIT_EXPECT_EQ(test, 0, srq->rq.limit);
	KUNIT_EXPECT_EQ(test, 0, siw_device_ops.destroy_srq(&srq->base, NULL));
}

static void limit_takes_its_time(struct ib_event *event, void *arg)
{
	struct siw_fake_cq *fake = arg;

	msleep(50);
	fake->fired++;
}

/* Who destroys a shared queue frees what the handler looks at. */
static void a_kernel_hears_of_no_limit_afterwards(struct kunit *test)
{
	struct siw_srq *srq = new_srq(test, limit_takes_its_time);
	struct cq_fixture *fix = test->priv;

	KUNIT_EXPECT_EQ(test, 0, set_limit(srq, IB_SRQ_LIMIT));
	KUNIT_EXPECT_EQ(test, 0, siw_device_ops.destroy_srq(&srq->base, NULL));
	KUNIT_EXPECT_EQ(test, 1, READ_ONCE(fix->fake->fired));
	siw_upcall_sync(&srq->upcall);
}

/* The first call brings about another notification, as if from another CPU. */
static void once_more(struct ib_cq *base, void *arg)
{
	struct siw_fake_cq *fake = arg;
	int fired = ++fake->fired;

	if (fired == 1)
		siw_cq_notify(&fake->cq);
	if (fake->fired != fired)
		fake->errors++;
}

static void a_kernel_hears_one_at_a_time(struct kunit *test)
{
	struct cq_fixture *fix = test->priv;

	siw_cq_init(fix->cq, false);
	fix->cq->base.comp_handler = once_more;
	siw_cq_notify(fix->cq);
	siw_upcall_sync(&fix->cq->upcall);
	/* The other may have been queued only now. */
	siw_upcall_sync(&fix->cq->upcall);
	KUNIT_EXPECT_EQ(test, 2, fix->fake->fired);
	KUNIT_EXPECT_EQ(test, 0, fix->fake->errors);
}

/* What it was told of is not due any more. */
static void a_kernel_hears_of_each_once(struct kunit *test)
{
	struct cq_fixture *fix = test->priv;
	u64 id;

	siw_cq_init(fix->cq, false);
	for (id = 0; id <= CQES; id++)
		put(fix, id);
	siw_upcall_sync(&fix->cq->upcall);
	KUNIT_EXPECT_EQ(test, 1, fix->fake->errors);
	KUNIT_EXPECT_EQ(test, 0, fix->fake->fired);
	siw_cq_notify(fix->cq);
	siw_upcall_sync(&fix->cq->upcall);
	KUNIT_EXPECT_EQ(test, 1, fix->fake->errors);
	KUNIT_EXPECT_EQ(test, 1, fix->fake->fired);
}

/* While the first call runs, two things become due. */
static void error_and_more(struct ib_cq *base, void *arg)
{
	struct siw_fake_cq *fake = arg;

	if (fake->fired++)
		return;
	siw_upcall(&fake->cq.upcall, BIT(IB_EVENT_CQ_ERR));
	siw_cq_notify(&fake->cq);
}

static void a_kernel_hears_of_all_that_is_due(struct kunit *test)
{
	struct cq_fixture *fix = test->priv;

	siw_cq_init(fix->cq, false);
	fix->cq->base.comp_handler = error_and_more;
	siw_cq_notify(fix->cq);
	siw_upcall_sync(&fix->cq->upcall);
	/* The others may have been queued only now. */
	siw_upcall_sync(&fix->cq->upcall);
	KUNIT_EXPECT_EQ(test, 1, fix->fake->errors);
	KUNIT_EXPECT_EQ(test, 2, fix->fake->fired);
}

static void takes_its_time(struct ib_cq *base, void *arg)
{
	struct siw_fake_cq *fake = arg;

	mdelay(20);
	fake->fired++;
}

/* Who destroys a queue, or a queue pair, frees what the handler looks at. */
static void a_kernel_hears_nothing_afterwards(struct kunit *test)
{
	struct cq_fixture *fix = test->priv;

	siw_cq_init(fix->cq, false);
	fix->cq->base.comp_handler = takes_its_time;
	siw_cq_notify(fix->cq);
	siw_cq_forget(fix->cq, &fix->qp);
	KUNIT_EXPECT_EQ(test, 1, READ_ONCE(fix->fake->fired));
	siw_upcall_sync(&fix->cq->upcall);
	siw_cq_notify(fix->cq);
	siw_cq_close(fix->cq);
	KUNIT_EXPECT_EQ(test, 2, READ_ONCE(fix->fake->fired));
	siw_upcall_sync(&fix->cq->upcall);
}

static struct kunit_case cq_cases[] = {
	KUNIT_CASE(keeps_order_around_its_end),
	KUNIT_CASE(polls_as_many_as_asked_for),
	KUNIT_CASE(remembers_the_most_that_waited),
	KUNIT_CASE(overflow_tells_once_and_loses_no_older),
	KUNIT_CASE(says_what_happened),
	KUNIT_CASE(says_what_failed),
	KUNIT_CASE(says_what_was_invalidated),
	KUNIT_CASE(says_nothing_of_other_stags),
	KUNIT_CASE(says_nothing_of_the_time_before),
	KUNIT_CASE(fires_once_when_armed),
	KUNIT_CASE(fires_for_solicited_or_failed),
	KUNIT_CASE(fires_once_for_a_train),
	KUNIT_CASE(asking_again_weakens_nothing),
	KUNIT_CASE(tells_whether_it_missed_some),
	KUNIT_CASE(forgets_a_destroyed_qp),
	KUNIT_CASE(user_elements_are_not_believed),
	KUNIT_CASE(tells_how_many_are_pending),
	KUNIT_CASE(a_kernel_hears_between_its_calls),
	KUNIT_CASE(a_kernel_hears_of_limits_between_its_calls),
	KUNIT_CASE(a_kernel_hears_of_no_limit_afterwards),
	KUNIT_CASE(a_kernel_hears_one_at_a_time),
	KUNIT_CASE(a_kernel_hears_of_each_once),
	KUNIT_CASE(a_kernel_hears_of_all_that_is_due),
	KUNIT_CASE(a_kernel_hears_nothing_afterwards),
	{}
};

static struct kunit_suite cq_suite = {
	.name = "siw_cq",
	.init = cq_init,
	.test_cases = cq_cases,
};

kunit_test_suite(cq_suite);
