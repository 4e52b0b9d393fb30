// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Memory regions: in which page, of which size, an octet is; and when they go.
 */
#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/rcupdate.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "fake.h"
#include "../mr.h"

#define PAGES	2
#define IOVA	0x40000
#define OCTETS	(PAGES * PAGE_SIZE)

/* A region of PAGES pages, and memory for them */
struct pages_fixture {
	struct siw_device *dev;
	struct siw_mr_cache cache;
	struct ib_pd pd;
	struct ib_mr *mr;
	u8 *memory;
	u8 *octets;
};

static int pages_init(struct kunit *test)
{
	struct pages_fixture *fix = kunit_kzalloc(test, sizeof(*fix),
						  GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, fix);
	test->priv = fix;
	fix->dev = siw_fake_device(test);
	fix->cache.dev = fix->dev;
	fix->pd.device = &fix->dev->base;
	fix->memory = kunit_kzalloc(test, OCTETS, GFP_KERNEL);
	fix->octets = kunit_kzalloc(test, OCTETS, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fix->memory);
	KUNIT_ASSERT_NOT_NULL(test, fix->octets);
	for (i = 0; i < OCTETS; i++)
		fix->octets[i] = i % 251 + 1;
	fix->mr = siw_mr_alloc(&fix->pd, IB_MR_TYPE_MEM_REG, PAGES);
	KUNIT_ASSERT_FALSE(test, IS_ERR(fix->mr));
	return kunit_add_action_or_reset(test, siw_fake_dereg, fix->mr);
}

/* The elements of @sg become the region, in pages of @size octets. */
static void map(struct kunit *test, struct scatterlist *sg, int num, u32 size)
{
	struct pages_fixture *fix = test->priv;

	fix->mr->page_size = size;
	KUNIT_ASSERT_EQ(test, num, ib_dma_map_sg(&fix->dev->base, sg, num,
						 DMA_BIDIRECTIONAL));
	KUNIT_ASSERT_EQ(test, num, siw_mr_map_sg(fix->mr, sg, num, NULL));
	fix->mr->iova = IOVA;
	KUNIT_ASSERT_EQ(test, 0, siw_mr_enable(fix->dev, &fix->pd,
					       to_siw_mr(fix->mr),
					       fix->mr->rkey,
					       IB_ACCESS_REMOTE_WRITE));
}

static void copy(void *p, size_t n, void *arg)
{
	const u8 **from = arg;

	memcpy(p, *from, n);
	*from += n;
}

/* @n octets go to the region's beginning. */
static void write_octets(struct kunit *test, u32 n)
{
	struct pages_fixture *fix = test->priv;
	const u8 *from = fix->octets;

	KUNIT_EXPECT_EQ(test, SIW_ACCESS_OK,
			siw_mr_access(&fix->cache, &fix->pd, fix->mr->rkey,
				      IOVA, n, SIW_ACCESS_REMOTE_WRITE, copy,
				      &from));
	KUNIT_EXPECT_PTR_EQ(test, fix->octets + n, from);
}

/* Behind the last page there is none to look at; KASAN sees it if somebody does. */
static void ends_with_its_last_page(struct kunit *test)
{
	struct pages_fixture *fix = test->priv;
	struct scatterlist sg;

	sg_init_one(&sg, fix->memory, OCTETS);
	map(test, &sg, 1, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, PAGES, to_siw_mr(fix->mr)->num_pages);
	write_octets(test, OCTETS);
	KUNIT_EXPECT_MEMEQ(test, fix->octets, fix->memory, OCTETS);
}

/* A consumer may have pages of another size than the host. */
static void pages_are_as_large_as_it_was_said(struct kunit *test)
{
	struct pages_fixture *fix = test->priv;
	struct scatterlist sg[PAGES];

	sg_init_table(sg, PAGES);
	sg_set_buf(&sg[0], fix->memory + SZ_2K, SZ_1K);
	sg_set_buf(&sg[1], fix->memory, SZ_1K);
	map(test, sg, PAGES, SZ_1K);
	write_octets(test, 2 * SZ_1K);
	KUNIT_EXPECT_MEMEQ(test, fix->octets, fix->memory + SZ_2K, SZ_1K);
	KUNIT_EXPECT_MEMEQ(test, fix->octets + SZ_1K, fix->memory, SZ_1K);
	KUNIT_EXPECT_EQ(test, 0, fix->memory[SZ_1K]);
	KUNIT_EXPECT_EQ(test, 0, fix->memory[SZ_2K + SZ_1K]);
}

/* A page that is there twice lies behind another page once, and not behind itself. */
static void page_comes_again(struct kunit *test)
{
	struct pages_fixture *fix = test->priv;
	struct scatterlist sg[3];

	fix->mr = siw_mr_alloc(&fix->pd, IB_MR_TYPE_MEM_REG, ARRAY_SIZE(sg));
	KUNIT_ASSERT_FALSE(test, IS_ERR(fix->mr));
	siw_fake_on_exit(test, siw_fake_dereg, fix->mr);
	sg_init_table(sg, ARRAY_SIZE(sg));
	sg_set_buf(&sg[0], fix->memory, SZ_1K);
	sg_set_buf(&sg[1], fix->memory + SZ_1K, SZ_1K);
	sg_set_buf(&sg[2], fix->memory + SZ_1K, SZ_1K);
	map(test, sg, ARRAY_SIZE(sg), SZ_1K);
	write_octets(test, 3 * SZ_1K);
	KUNIT_EXPECT_MEMEQ(test, fix->octets, fix->memory, SZ_1K);
	KUNIT_EXPECT_MEMEQ(test, fix->octets + 2 * SZ_1K, fix->memory + SZ_1K,
			   SZ_1K);
	KUNIT_EXPECT_EQ(test, 0, fix->memory[2 * SZ_1K]);
}

/* Who found it in time may look at it as long as its RCU section lasts. */
static void outlives_its_readers(struct kunit *test)
{
	struct pages_fixture *fix = test->priv;
	struct ib_mr *mr = siw_mr_alloc(&fix->pd, IB_MR_TYPE_MEM_REG, PAGES);

	KUNIT_ASSERT_FALSE(test, IS_ERR(mr));
	rcu_read_lock();
	KUNIT_EXPECT_EQ(test, 0, siw_mr_dereg(mr, NULL));
	/* KASAN sees it if it is gone. */
	KUNIT_EXPECT_FALSE(test, READ_ONCE(to_siw_mr(mr)->region.valid));
	KUNIT_EXPECT_PTR_EQ(test, NULL, READ_ONCE(to_siw_mr(mr)->pages));
	rcu_read_unlock();
}

/* A region that another CPU takes away */
struct leaver {
	struct work_struct work;
	struct ib_mr *mr;
	bool leaves;
};

static void leave(struct work_struct *work)
{
	struct leaver *leaver = container_of(work, struct leaver, work);

	WRITE_ONCE(leaver->leaves, true);
	siw_mr_dereg(leaver->mr, NULL);
}

/* Who keeps what it has found is told to look again when it is gone, not before. */
static void leaves_before_it_is_said_so(struct kunit *test)
{
	unsigned long end = jiffies + 5 * HZ;
	struct pages_fixture *fix = test->priv;
	struct siw_device *dev = fix->dev;
	struct leaver leaver = {};
	s64 before, then;

	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two CPUs");
	leaver.mr = siw_mr_alloc(&fix->pd, IB_MR_TYPE_MEM_REG, PAGES);
	KUNIT_ASSERT_FALSE(test, IS_ERR(leaver.mr));
	INIT_WORK_ONSTACK(&leaver.work, leave);
	before = atomic64_read(&dev->mr_gen);
	/* Nothing leaves the table meanwhile. */
	xa_lock(&dev->mrs);
	schedule_work_on(cpumask_any_but(cpu_online_mask, smp_processor_id()),
			 &leaver.work);
	while (!READ_ONCE(leaver.leaves) && time_before(jiffies, end))
		cpu_relax();
	end = jiffies + HZ / 20;
	do {
		cpu_relax();
		then = atomic64_read(&dev->mr_gen);
	} while (then == before && time_before(jiffies, end));
	xa_unlock(&dev->mrs);
	flush_work(&leaver.work);
	destroy_work_on_stack(&leaver.work);
	KUNIT_EXPECT_TRUE(test, leaver.leaves);
	KUNIT_EXPECT_EQ(test, before, then);
	KUNIT_EXPECT_EQ(test, before + 1, atomic64_read(&dev->mr_gen));
}

/* Another CPU that takes a region away from who holds it, in one of three ways */
struct taker {
	struct work_struct work;
	struct pages_fixture *fix;
	int how;
	bool starts;
	bool returned;
	bool early;
};

static void take_away(struct work_struct *work)
{
	struct taker *taker = container_of(work, struct taker, work);
	struct pages_fixture *fix = taker->fix;
	u32 stag = fix->mr->rkey;

	WRITE_ONCE(taker->starts, true);
	if (taker->how == 0)
		siw_mr_invalidate_local(fix->dev, &fix->pd, stag);
	else if (taker->how == 1)
		siw_mr_invalidate_remote(fix->dev, &fix->pd, stag);
	else
		siw_mr_dereg(fix->mr, NULL);
	WRITE_ONCE(taker->returned, true);
}

static void hold_a_while(const struct siw_mr *mr, void *arg)
{
	unsigned long end = jiffies + 5 * HZ;
	struct taker *taker = arg;

	schedule_work_on(cpumask_any_but(cpu_online_mask, smp_processor_id()),
			 &taker->work);
	while (!READ_ONCE(taker->starts) && time_before(jiffies, end))
		cpu_relax();
	end = jiffies + HZ / 20;
	do {
		cpu_relax();
		taker->early = READ_ONCE(taker->returned);
	} while (!taker->early && time_before(jiffies, end));
}

/* RFC 5040 section 8.1.1: when it is said to be gone, nobody writes to it any more. */
static void is_gone_when_nobody_holds_it(struct kunit *test)
{
	struct pages_fixture *fix = test->priv;
	struct taker taker = { .fix = fix };
	struct scatterlist sg;

	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two CPUs");
	INIT_WORK_ONSTACK(&taker.work, take_away);
	for (taker.how = 0; taker.how < 3; taker.how++) {
		if (taker.how == 2) {
			fix->mr = siw_mr_alloc(&fix->pd, IB_MR_TYPE_MEM_REG, PAGES);
			KUNIT_ASSERT_FALSE(test, IS_ERR(fix->mr));
		}
		sg_init_one(&sg, fix->memory, OCTETS);
		map(test, &sg, 1, PAGE_SIZE);
		taker.starts = false;
		taker.returned = false;
		siw_mr_hold(&fix->cache, fix->mr->rkey, hold_a_while, &taker);
		flush_work(&taker.work);
		KUNIT_EXPECT_TRUE(test, taker.returned);
		KUNIT_EXPECT_FALSE_MSG(test, taker.early, "way %d", taker.how);
	}
	destroy_work_on_stack(&taker.work);
}

static struct kunit_case pages_cases[] = {
	KUNIT_CASE(outlives_its_readers),
	KUNIT_CASE(leaves_before_it_is_said_so),
	KUNIT_CASE(is_gone_when_nobody_holds_it),
	KUNIT_CASE(ends_with_its_last_page),
	KUNIT_CASE(pages_are_as_large_as_it_was_said),
	KUNIT_CASE(page_comes_again),
	{}
};

static struct kunit_suite pages_suite = {
	.name = "siw_pages",
	.init = pages_init,
	.test_cases = pages_cases,
};

kunit_test_suite(pages_suite);
