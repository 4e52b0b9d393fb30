// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Whose queue pairs are connected by whom, and what iw_cm has in place of them.
 */
#include <linux/cred.h>
#include <linux/irqflags.h>
#include <linux/sched.h>

#include "../cm.h"
#include "fake.h"

#define WQES	4

/**
 * struct cm_fixture - a queue pair
 * @dev: its device
 * @qp: the queue pair
 */
struct cm_fixture {
	struct siw_device *dev;
	struct siw_qp *qp;
};

static int cm_init(struct kunit *test)
{
	struct cm_fixture *fix = kunit_kzalloc(test, sizeof(*fix), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fix);
	test->priv = fix;
	fix->dev = siw_fake_device(test);
	fix->qp = siw_fake_qp(test, siw_fake_cq(test, fix->dev, 4 * WQES), WQES);
	return 0;
}

static void no_wake(void *owner)
{
}

static void belongs_to_one_at_a_time(struct kunit *test)
{
	static const struct siw_qp_ops owner_ops = { .wake = no_wake };
	struct cm_fixture *fix = test->priv;
	unsigned int one = 0, other = 0;
	struct siw_qp *qp = fix->qp;

	KUNIT_EXPECT_EQ(test, 0, siw_qp_claim(qp, &one, &owner_ops));
	KUNIT_EXPECT_EQ(test, 2, kref_read(&qp->ref));
	KUNIT_EXPECT_EQ(test, -EBUSY, siw_qp_claim(qp, &other, &owner_ops));
	KUNIT_EXPECT_PTR_EQ(test, (void *)&one, qp->owner);
	KUNIT_EXPECT_EQ(test, 2, kref_read(&qp->ref));
	siw_qp_unclaim(qp);
	KUNIT_EXPECT_EQ(test, 1, kref_read(&qp->ref));
	KUNIT_EXPECT_EQ(test, 0, siw_qp_claim(qp, &other, &owner_ops));
	siw_qp_unclaim(qp);
	/* One that has ended begins anew before it can be had again. */
	siw_qp_event(qp, SIW_QP_EV_FAIL);
	KUNIT_EXPECT_EQ(test, -EBUSY, siw_qp_claim(qp, &one, &owner_ops));
	KUNIT_EXPECT_EQ(test, 0, siw_qp_reset(qp));
	KUNIT_EXPECT_EQ(test, 0, siw_qp_claim(qp, &one, &owner_ops));
	siw_qp_unclaim(qp);
}

/* What iw_cm has in its place stays for as long as somebody is about to modify it. */
static void stands_in_for_itself_until_nobody_looks(struct kunit *test)
{
	struct cm_fixture *fix = test->priv;
	struct siw_qp *qp = fix->qp;
	u32 num = qp->base.qp_num;
	unsigned int refs = kref_read(&qp->ref);
	struct ib_qp *lent;

	KUNIT_ASSERT_EQ(test, 0, xa_err(xa_store(&fix->dev->qps, num, qp,
						 GFP_KERNEL)));
	lent = siw_cm_get_qp(&fix->dev->base, num);
	xa_erase(&fix->dev->qps, num);
	KUNIT_ASSERT_NOT_NULL(test, lent);
	KUNIT_EXPECT_PTR_EQ(test, lent, lent->real_qp);
	KUNIT_EXPECT_PTR_EQ(test, qp, siw_cm_borrow(lent->real_qp));
	KUNIT_EXPECT_EQ(test, refs + 2, kref_read(&qp->ref));
	siw_cm_rem_ref(lent);
	/* With KASAN this tells as well that it is not freed. */
	KUNIT_EXPECT_NULL(test, siw_cm_borrow(lent->real_qp));
	KUNIT_EXPECT_EQ(test, refs + 1, kref_read(&qp->ref));
	siw_qp_put(qp);
	KUNIT_EXPECT_PTR_EQ(test, qp, siw_cm_borrow(&qp->base));
	siw_qp_put(qp);
}

/* A thread's call has what it got for it: not before, and not what another got. */
static void each_thread_has_its_own(struct kunit *test)
{
	struct cm_fixture *fix = test->priv;
	struct siw_lent *before, *mine, *others;
	struct siw_qp *qp = fix->qp;
	u32 num = qp->base.qp_num;

	KUNIT_ASSERT_EQ(test, 0, xa_err(xa_store(&fix->dev->qps, num, qp,
						 GFP_KERNEL)));
	before = container_of(siw_cm_get_qp(&fix->dev->base, num),
			      struct siw_lent, base);
	mine = container_of(siw_cm_get_qp(&fix->dev->base, num), struct siw_lent,
			    base);
	others = container_of(siw_cm_get_qp(&fix->dev->base, num), struct siw_lent,
			      base);
	xa_erase(&fix->dev->qps, num);
	others->task = NULL;
	KUNIT_EXPECT_PTR_EQ(test, mine, siw_cm_lent(qp));
	siw_cm_rem_ref(&mine->base);
	KUNIT_EXPECT_PTR_EQ(test, before, siw_cm_lent(qp));
	siw_cm_rem_ref(&before->base);
	KUNIT_EXPECT_NULL(test, siw_cm_lent(qp));
	siw_cm_rem_ref(&others->base);
	KUNIT_EXPECT_EQ(test, 1, kref_read(&qp->ref));
	KUNIT_EXPECT_TRUE(test, list_empty(&qp->lent));
}

/* Would a process be let? Nobody looks at the flag meanwhile. */
static bool process_may_connect(const struct siw_qp *qp)
{
	unsigned int kthread = current->flags & PF_KTHREAD;
	unsigned long irq;
	bool may;

	local_irq_save(irq);
	current->flags &= ~PF_KTHREAD;
	may = siw_qp_may_connect(qp);
	current->flags |= kthread;
	local_irq_restore(irq);
	return may;
}

/* The kernel's are its own, whoever the user is; but for one that was made for it. */
static void process_connects_no_kernels(struct kunit *test)
{
	struct siw_mmap_entry mapped = {};
	struct cm_fixture *fix = test->priv;
	struct siw_qp *qp = fix->qp;

	qp->creator_uid = current_euid();
	KUNIT_EXPECT_TRUE(test, siw_qp_may_connect(qp));
	KUNIT_EXPECT_FALSE(test, process_may_connect(qp));
	qp->creator = task_tgid(current);
	KUNIT_EXPECT_TRUE(test, process_may_connect(qp));
	qp->creator = NULL;
	qp->sq.mmap = &mapped;
	KUNIT_EXPECT_TRUE(test, process_may_connect(qp));
	qp->creator_uid = KUIDT_INIT(12345);
	KUNIT_EXPECT_FALSE(test, process_may_connect(qp));
	qp->sq.mmap = NULL;
}

/* The number may be a process's by now: whoever claims it is asked once more. */
static void thread_claims_no_processes(struct kunit *test)
{
	static const struct siw_qp_ops ops = {};
	struct siw_mmap_entry mapped = {};
	struct cm_fixture *fix = test->priv;
	struct siw_qp *qp = fix->qp;
	int err;

	qp->sq.mmap = &mapped;
	KUNIT_EXPECT_FALSE(test, siw_qp_may_connect(qp));
	err = siw_qp_claim(qp, fix, &ops);
	KUNIT_EXPECT_EQ(test, -EINVAL, err);
	if (!err)
		siw_qp_unclaim(qp);
	qp->sq.mmap = NULL;
}

static struct kunit_case cm_cases[] = {
	KUNIT_CASE(belongs_to_one_at_a_time),
	KUNIT_CASE(stands_in_for_itself_until_nobody_looks),
	KUNIT_CASE(each_thread_has_its_own),
	KUNIT_CASE(process_connects_no_kernels),
	KUNIT_CASE(thread_claims_no_processes),
	{}
};

static struct kunit_suite cm_suite = {
	.name = "siw_cm",
	.init = cm_init,
	.test_cases = cm_cases,
};

kunit_test_suite(cm_suite);
