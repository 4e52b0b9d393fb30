// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Memory regions: STags, rights, bounds, revocation.
 */
#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "fake.h"
#include "../mr.h"

#define KEY		0x5a
#define PAGES		4
#define INDEX(stag)	((stag) >> 8)
#define REMOTE		(IB_ACCESS_REMOTE_READ | IB_ACCESS_REMOTE_WRITE)

/* One region of a few pages */
struct mr_fixture {
	struct siw_device *dev;
	struct siw_mr_cache cache;
	struct ib_pd pd;
	struct ib_pd other_pd;
	struct siw_mr *mr;
	void *page[PAGES];
	struct scatterlist sg[PAGES];
};

static void free_a_page(void *page)
{
	free_page((unsigned long)page);
}

static void expect_no_regions(void *arg)
{
	struct kunit *test = arg;
	struct mr_fixture *fix = test->priv;

	KUNIT_EXPECT_TRUE(test, xa_empty(&fix->dev->mrs));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&fix->dev->objects[SIW_OBJ_MR]));
}

static void new_page(struct kunit *test, void **page)
{
	*page = (void *)get_zeroed_page(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, *page);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_a_page, *page));
}

static int mr_init(struct kunit *test)
{
	struct mr_fixture *fix = kunit_kzalloc(test, sizeof(*fix), GFP_KERNEL);
	struct ib_mr *base;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, fix);
	test->priv = fix;
	fix->dev = siw_fake_device(test);
	fix->cache.dev = fix->dev;
	fix->pd.device = &fix->dev->base;
	fix->other_pd.device = &fix->dev->base;
	sg_init_table(fix->sg, PAGES);
	for (i = 0; i < PAGES; i++) {
		new_page(test, &fix->page[i]);
		sg_set_buf(&fix->sg[i], fix->page[i], PAGE_SIZE);
	}
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test,
							   expect_no_regions,
							   test));
	base = siw_mr_alloc(&fix->pd, IB_MR_TYPE_MEM_REG, PAGES);
	KUNIT_ASSERT_FALSE(test, IS_ERR(base));
	fix->mr = to_siw_mr(base);
	return kunit_add_action_or_reset(test, siw_fake_dereg, base);
}

/* As ib_map_mr_sg() and a registration would, at Tagged Offset @iova. */
static u32 enable(struct kunit *test, u64 iova, int access)
{
	struct mr_fixture *fix = test->priv;
	struct ib_mr *base = &fix->mr->base;
	u32 stag = (base->rkey & ~0xffu) | KEY;

	base->page_size = PAGE_SIZE;
	KUNIT_ASSERT_EQ(test, PAGES,
			ib_dma_map_sg(&fix->dev->base, fix->sg, PAGES,
				      DMA_BIDIRECTIONAL));
	KUNIT_ASSERT_EQ(test, PAGES, siw_mr_map_sg(base, fix->sg, PAGES, NULL));
	base->iova = iova;
	KUNIT_ASSERT_EQ(test, 0, siw_mr_enable(fix->dev, &fix->pd, fix->mr,
					       stag, access));
	return stag;
}

static enum siw_access check(struct kunit *test, u32 stag, u64 to, u32 len,
			     u32 want)
{
	struct mr_fixture *fix = test->priv;

	return siw_mr_access(&fix->cache, &fix->pd, stag, to, len, want, NULL,
			     NULL);
}

static void is_found_by_its_stag_only(struct kunit *test)
{
	struct mr_fixture *fix = test->priv;
	u32 stag = enable(test, 0, REMOTE);
	int bit;

	KUNIT_EXPECT_NE(test, 0, INDEX(stag));
	KUNIT_EXPECT_EQ(test, SIW_ACCESS_OK,
			check(test, stag, 0, 1, SIW_ACCESS_REMOTE_READ));
	for (bit = 0; bit < 32; bit++)
		KUNIT_EXPECT_EQ_MSG(test, SIW_ACCESS_STAG,
				    check(test, stag ^ BIT(bit), 0, 1,
					  SIW_ACCESS_REMOTE_READ),
				    "bit %d", bit);
	KUNIT_EXPECT_EQ(test, SIW_ACCESS_PD,
			siw_mr_access(&fix->cache, &fix->other_pd, stag, 0, 1,
				      SIW_ACCESS_REMOTE_READ, NULL, NULL));
}

static void grants_what_it_was_given(struct kunit *test)
{
	static const struct {
		int access;
		u32 rights;
	} rows[] = {
		{ 0, 0 },
		{ IB_ACCESS_LOCAL_WRITE, SIW_ACCESS_LOCAL_WRITE },
		{ IB_ACCESS_REMOTE_READ, SIW_ACCESS_REMOTE_READ },
		{ IB_ACCESS_REMOTE_WRITE, SIW_ACCESS_REMOTE_WRITE },
		{ IB_ACCESS_REMOTE_ATOMIC, 0 },
	};
	struct mr_fixture *fix = test->priv;
	int i;
	u32 want;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		u32 stag = enable(test, 0, rows[i].access);

		for (want = 1; want <= SIW_ACCESS_REMOTE_ATOMIC; want <<= 1)
			KUNIT_EXPECT_EQ(test, rows[i].rights & want ?
					SIW_ACCESS_OK : SIW_ACCESS_RIGHTS,
					check(test, stag, 0, 1, want));
		KUNIT_EXPECT_EQ(test, 0, siw_mr_invalidate_local(fix->dev,
								 &fix->pd,
								 stag));
	}
}

static void has_bounds(struct kunit *test)
{
	const u64 base = 0x123456789abc0000ULL, len = PAGES * PAGE_SIZE;
	u32 stag = enable(test, base, REMOTE);
	const struct {
		u64 to;
		u32 len;
		enum siw_access verdict;
	} rows[] = {
		{ base, len, SIW_ACCESS_OK },
		{ base, len + 1, SIW_ACCESS_BOUNDS },
		{ base - 1, 1, SIW_ACCESS_BOUNDS },
		{ base - 1, len, SIW_ACCESS_BOUNDS },
		{ base + len - 1, 1, SIW_ACCESS_OK },
		{ base + len - 1, 2, SIW_ACCESS_BOUNDS },
		{ base + len, 1, SIW_ACCESS_BOUNDS },
		{ base, U32_MAX, SIW_ACCESS_BOUNDS },
		{ U64_MAX, 1, SIW_ACCESS_WRAP },
		{ U64_MAX - 1, 1, SIW_ACCESS_BOUNDS },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		KUNIT_EXPECT_EQ_MSG(test, rows[i].verdict,
				    check(test, stag, rows[i].to, rows[i].len,
					  SIW_ACCESS_REMOTE_WRITE),
				    "row %d", i);
}

/* What siw_mr_access() is to do with a piece */
struct fill {
	u8 octet;
	unsigned int pieces;
	size_t octets;
};

static void fill(void *p, size_t n, void *arg)
{
	struct fill *with = arg;

	memset(p, with->octet, n);
	with->pieces++;
	with->octets += n;
}

/* Octets of all pages that are @octet */
static u32 count(const struct mr_fixture *fix, u8 octet)
{
	u32 i, n = 0;

	for (i = 0; i < PAGES * PAGE_SIZE; i++)
		n += ((u8 *)fix->page[i / PAGE_SIZE])[i % PAGE_SIZE] == octet;
	return n;
}

static void touches_each_octet_once(struct kunit *test)
{
	struct mr_fixture *fix = test->priv;
	struct fill with = { .octet = 0xa5 };
	u64 base = 0x10000;
	u32 stag = enable(test, base, REMOTE);
	u32 len = 2 * PAGE_SIZE, pieces = 1, i;

	KUNIT_EXPECT_EQ(test, SIW_ACCESS_OK,
			siw_mr_access(&fix->cache, &fix->pd, stag, base + 100,
				      len, SIW_ACCESS_REMOTE_WRITE, fill,
				      &with));
	KUNIT_EXPECT_EQ(test, len, with.octets);
	/* One that lies behind the other is the same piece. */
	for (i = 0; i < 2; i++)
		pieces += fix->page[i + 1] != fix->page[i] + PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, pieces, with.pieces);
	KUNIT_EXPECT_EQ(test, len, count(fix, 0xa5));
	KUNIT_EXPECT_EQ(test, 0, ((u8 *)fix->page[0])[99]);
	KUNIT_EXPECT_EQ(test, 0xa5, ((u8 *)fix->page[0])[100]);
	KUNIT_EXPECT_EQ(test, 0xa5, ((u8 *)fix->page[2])[99]);
	KUNIT_EXPECT_EQ(test, 0, ((u8 *)fix->page[2])[100]);
}

static void touches_nothing_that_is_refused(struct kunit *test)
{
	struct mr_fixture *fix = test->priv;
	struct fill with = { .octet = 0xa5 };
	u32 stag = enable(test, 0, IB_ACCESS_REMOTE_READ);

	KUNIT_EXPECT_EQ(test, SIW_ACCESS_RIGHTS,
			siw_mr_access(&fix->cache, &fix->pd, stag, 0, 1,
				      SIW_ACCESS_REMOTE_WRITE, fill, &with));
	KUNIT_EXPECT_EQ(test, SIW_ACCESS_BOUNDS,
			siw_mr_access(&fix->cache, &fix->pd, stag, 1,
				      PAGES * PAGE_SIZE,
				      SIW_ACCESS_REMOTE_READ, fill, &with));
	KUNIT_EXPECT_EQ(test, 0, with.pieces);
	KUNIT_EXPECT_EQ(test, 0, count(fix, 0xa5));
}

/* A region that begins inside its first page and ends inside its last */
static void begins_inside_a_page(struct kunit *test)
{
	struct mr_fixture *fix = test->priv;
	struct fill with = { .octet = 0x77 };
	u64 base;
	u32 stag, len;

	fix->sg[0].offset += 16;
	fix->sg[0].length -= 16;
	fix->sg[PAGES - 1].length -= 8;
	len = PAGES * PAGE_SIZE - 16 - 8;
	base = 0x40000 + 16;
	stag = enable(test, base, REMOTE);
	KUNIT_EXPECT_EQ(test, SIW_ACCESS_BOUNDS,
			check(test, stag, base, len + 1,
			      SIW_ACCESS_REMOTE_READ));
	KUNIT_EXPECT_EQ(test, SIW_ACCESS_OK,
			siw_mr_access(&fix->cache, &fix->pd, stag, base, len,
				      SIW_ACCESS_REMOTE_WRITE, fill, &with));
	KUNIT_EXPECT_EQ(test, len, count(fix, 0x77));
	KUNIT_EXPECT_EQ(test, 0, ((u8 *)fix->page[0])[15]);
	KUNIT_EXPECT_EQ(test, 0, ((u8 *)fix->page[PAGES - 1])[PAGE_SIZE - 8]);
}

struct copy {
	u64 to;
	u32 n;
	const u8 *p;
};

static void copy_to(const struct siw_mr *mr, void *arg)
{
	struct copy *copy = arg;

	if (mr)
		siw_mr_copy_to(mr, copy->to, copy->p, copy->n);
}

static void copies_across_pages(struct kunit *test)
{
	const u64 iova = 0x123456789000 + 77;
	struct mr_fixture *fix = test->priv;
	u32 len = 2 * PAGE_SIZE + 100, i;
	struct copy copy = { .to = iova + 3, .n = len };
	u32 stag;
	u8 *octets = kunit_kmalloc(test, len, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, octets);
	for (i = 0; i < len; i++)
		octets[i] = i % 251 + 1;
	copy.p = octets;
	fix->sg[0].offset = 77;
	fix->sg[0].length = PAGE_SIZE - 77;
	stag = enable(test, iova, REMOTE);
	siw_mr_hold(&fix->cache, stag, copy_to, &copy);
	for (i = 0; i < PAGES * PAGE_SIZE; i++) {
		u8 *page = fix->page[i / PAGE_SIZE];
		u32 at = i - (77 + 3);
		u8 want = i >= 77 + 3 && at < len ? octets[at] : 0;

		if (page[i % PAGE_SIZE] != want) {
			KUNIT_FAIL(test, "octet %u of the pages is wrong", i);
			return;
		}
	}
	/* Nobody has this one. */
	siw_mr_hold(&fix->cache, stag ^ 0x100, copy_to, &copy);
}

static void peer_invalidates(struct kunit *test)
{
	struct mr_fixture *fix = test->priv;
	u32 stag = enable(test, 0, REMOTE);

	KUNIT_EXPECT_EQ(test, SIW_ACCESS_STAG,
			siw_mr_invalidate_remote(fix->dev, &fix->pd,
						 stag ^ 1));
	KUNIT_EXPECT_EQ(test, SIW_ACCESS_STAG,
			siw_mr_invalidate_remote(fix->dev, &fix->other_pd,
						 stag));
	KUNIT_EXPECT_EQ(test, SIW_ACCESS_OK,
			check(test, stag, 0, 1, SIW_ACCESS_REMOTE_READ));
	KUNIT_EXPECT_EQ(test, SIW_ACCESS_OK,
			siw_mr_invalidate_remote(fix->dev, &fix->pd, stag));
	KUNIT_EXPECT_EQ(test, SIW_ACCESS_STAG,
			check(test, stag, 0, 1, SIW_ACCESS_REMOTE_READ));
}

static void peer_invalidates_nothing_local(struct kunit *test)
{
	struct mr_fixture *fix = test->priv;
	u32 stag = enable(test, 0, IB_ACCESS_LOCAL_WRITE);

	KUNIT_EXPECT_EQ(test, SIW_ACCESS_RIGHTS,
			siw_mr_invalidate_remote(fix->dev, &fix->pd, stag));
	KUNIT_EXPECT_EQ(test, SIW_ACCESS_OK,
			check(test, stag, 0, 1, SIW_ACCESS_LOCAL_WRITE));
}

static void owner_invalidates(struct kunit *test)
{
	struct mr_fixture *fix = test->priv;
	u32 stag = enable(test, 0, REMOTE);

	KUNIT_EXPECT_EQ(test, -EINVAL,
			siw_mr_invalidate_local(fix->dev, &fix->pd, stag ^ 1));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			siw_mr_invalidate_local(fix->dev, &fix->other_pd,
						stag));
	KUNIT_EXPECT_EQ(test, SIW_ACCESS_OK,
			check(test, stag, 0, 1, SIW_ACCESS_REMOTE_READ));
	KUNIT_EXPECT_EQ(test, 0,
			siw_mr_invalidate_local(fix->dev, &fix->pd, stag));
	KUNIT_EXPECT_EQ(test, 0,
			siw_mr_invalidate_local(fix->dev, &fix->pd, stag));
	KUNIT_EXPECT_EQ(test, SIW_ACCESS_STAG,
			check(test, stag, 0, 1, SIW_ACCESS_REMOTE_READ));
}

static void enable_is_refused(struct kunit *test)
{
	struct mr_fixture *fix = test->priv;
	u32 stag = fix->mr->base.rkey;

	/* Nothing is mapped yet. */
	KUNIT_EXPECT_EQ(test, -EINVAL, siw_mr_enable(fix->dev, &fix->pd,
						     fix->mr, stag, 0));
	stag = enable(test, 0, REMOTE);
	/* It is valid. */
	KUNIT_EXPECT_EQ(test, -EINVAL, siw_mr_enable(fix->dev, &fix->pd,
						     fix->mr, stag, 0));
	siw_mr_invalidate_local(fix->dev, &fix->pd, stag);
	KUNIT_EXPECT_EQ(test, -EINVAL, siw_mr_enable(fix->dev, &fix->other_pd,
						     fix->mr, stag, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, siw_mr_enable(fix->dev, &fix->pd,
						     fix->mr, stag ^ 0x100, 0));
	KUNIT_EXPECT_EQ(test, 0, siw_mr_enable(fix->dev, &fix->pd, fix->mr,
					       stag ^ 1, REMOTE));
	KUNIT_EXPECT_EQ(test, SIW_ACCESS_STAG,
			check(test, stag, 0, 1, SIW_ACCESS_REMOTE_READ));
	KUNIT_EXPECT_EQ(test, SIW_ACCESS_OK,
			check(test, stag ^ 1, 0, 1, SIW_ACCESS_REMOTE_READ));
}

/* A registration that was posted runs after the region went away. */
static void enable_finds_no_region_that_is_gone(struct kunit *test)
{
	struct mr_fixture *fix = test->priv;
	struct ib_mr *base = siw_mr_alloc(&fix->pd, IB_MR_TYPE_MEM_REG, PAGES);
	const struct siw_mr *gone;
	u32 stag;

	KUNIT_ASSERT_FALSE(test, IS_ERR(base));
	gone = to_siw_mr(base);
	stag = base->rkey | KEY;
	base->page_size = PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, PAGES,
			ib_dma_map_sg(&fix->dev->base, fix->sg, PAGES,
				      DMA_BIDIRECTIONAL));
	KUNIT_EXPECT_EQ(test, PAGES, siw_mr_map_sg(base, fix->sg, PAGES, NULL));
	siw_mr_dereg(base, NULL);
	KUNIT_EXPECT_EQ(test, -EINVAL, siw_mr_enable(fix->dev, &fix->pd, gone,
						     stag, REMOTE));
	/* Nor another one in its place */
	stag = enable(test, 0, REMOTE);
	siw_mr_invalidate_local(fix->dev, &fix->pd, stag);
	KUNIT_EXPECT_EQ(test, -EINVAL, siw_mr_enable(fix->dev, &fix->pd, gone,
						     stag, REMOTE));
}

static void mapping_revokes(struct kunit *test)
{
	struct mr_fixture *fix = test->priv;
	u32 stag = enable(test, 0, REMOTE);

	KUNIT_EXPECT_EQ(test, 1, siw_mr_map_sg(&fix->mr->base, fix->sg, 1,
					       NULL));
	KUNIT_EXPECT_EQ(test, SIW_ACCESS_STAG,
			check(test, stag, 0, 1, SIW_ACCESS_REMOTE_READ));
	KUNIT_EXPECT_EQ(test, PAGE_SIZE, fix->mr->base.length);
}

static void takes_no_more_pages_than_it_has(struct kunit *test)
{
	struct mr_fixture *fix = test->priv;
	struct ib_mr *base = siw_mr_alloc(&fix->pd, IB_MR_TYPE_MEM_REG, 2);

	KUNIT_ASSERT_FALSE(test, IS_ERR(base));
	base->page_size = PAGE_SIZE;
	ib_dma_map_sg(&fix->dev->base, fix->sg, PAGES, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, 2, siw_mr_map_sg(base, fix->sg, PAGES, NULL));
	KUNIT_EXPECT_EQ(test, 2, to_siw_mr(base)->num_pages);
	siw_mr_dereg(base, NULL);
}

static enum siw_access reach(struct kunit *test, u32 stag)
{
	struct mr_fixture *fix = test->priv;

	return siw_mr_access(&fix->cache, &fix->pd, stag,
			     (uintptr_t)fix->page[0], 1, 0, NULL, NULL);
}

/* What was looked up last is used again, but not when it has gone. */
static void cache_forgets_what_is_gone(struct kunit *test)
{
	struct mr_fixture *fix = test->priv;
	struct ib_mr *base[2];
	u32 stag[2];
	int i;

	for (i = 0; i < 2; i++) {
		base[i] = siw_mr_get_dma(&fix->pd, 0);
		KUNIT_ASSERT_FALSE(test, IS_ERR(base[i]));
		stag[i] = base[i]->lkey;
	}
	KUNIT_EXPECT_EQ(test, SIW_ACCESS_OK, reach(test, stag[0]));
	KUNIT_EXPECT_PTR_EQ(test, to_siw_mr(base[0]), fix->cache.mr);
	KUNIT_EXPECT_EQ(test, SIW_ACCESS_OK, reach(test, stag[1]));
	KUNIT_EXPECT_PTR_EQ(test, to_siw_mr(base[1]), fix->cache.mr);
	siw_mr_dereg(base[0], NULL);
	KUNIT_EXPECT_EQ(test, SIW_ACCESS_OK, reach(test, stag[1]));
	siw_mr_dereg(base[1], NULL);
	/* Of one that has gone only its address would be left. */
	KUNIT_EXPECT_EQ(test, SIW_ACCESS_STAG, reach(test, stag[1]));
	KUNIT_EXPECT_NULL(test, fix->cache.mr);
	KUNIT_EXPECT_EQ(test, SIW_ACCESS_STAG, reach(test, stag[0]));
}

/*
 * A region that readers hold for ever stops no stream that asks to invalidate it.
 * Without SMP a lock is nothing, and this cannot fail.
 */
static void ordinary_region_is_not_waited_for(struct kunit *test)
{
	struct mr_fixture *fix = test->priv;
	struct ib_mr *base = siw_mr_get_dma(&fix->pd, IB_ACCESS_REMOTE_READ);
	enum siw_access verdict;

	KUNIT_ASSERT_FALSE(test, IS_ERR(base));
	read_lock_bh(&to_siw_mr(base)->lock);
	verdict = siw_mr_invalidate_remote(fix->dev, &fix->pd, base->lkey);
	read_unlock_bh(&to_siw_mr(base)->lock);
	KUNIT_EXPECT_NE(test, SIW_ACCESS_OK, verdict);
	siw_mr_dereg(base, NULL);
}

/* Another CPU that takes a region away from who holds it */
struct revoker {
	struct work_struct work;
	struct mr_fixture *fix;
	u32 stag;
	bool remote;
	bool seen;
};

static void revoke_it(struct work_struct *work)
{
	struct revoker *rev = container_of(work, struct revoker, work);
	struct mr_fixture *fix = rev->fix;

	if (rev->remote)
		siw_mr_invalidate_remote(fix->dev, &fix->pd, rev->stag);
	else
		siw_mr_invalidate_local(fix->dev, &fix->pd, rev->stag);
}

static void hold_until_revoked(const struct siw_mr *mr, void *arg)
{
	unsigned long end = jiffies + 5 * HZ;
	struct revoker *rev = arg;

	if (!mr)
		return;
	schedule_work_on(cpumask_any_but(cpu_online_mask, smp_processor_id()),
			 &rev->work);
	while (!rev->seen && time_before(jiffies, end))
		rev->seen = !READ_ONCE(mr->region.valid);
}

/* Streams that take turns could keep a writer waiting: they find it invalid. */
static void readers_end_what_is_revoked(struct kunit *test)
{
	struct mr_fixture *fix = test->priv;
	struct revoker rev = { .fix = fix };
	int remote;

	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two CPUs");
	INIT_WORK_ONSTACK(&rev.work, revoke_it);
	for (remote = 0; remote < 2; remote++) {
		rev.stag = enable(test, 0, REMOTE);
		rev.remote = remote;
		rev.seen = false;
		siw_mr_hold(&fix->cache, rev.stag, hold_until_revoked, &rev);
		flush_work(&rev.work);
		KUNIT_EXPECT_TRUE_MSG(test, rev.seen, "remote %d", remote);
		KUNIT_EXPECT_EQ(test, SIW_ACCESS_STAG,
				check(test, rev.stag, 0, 1,
				      SIW_ACCESS_REMOTE_READ));
	}
	destroy_work_on_stack(&rev.work);
}

static void all_of_memory(struct kunit *test)
{
	struct mr_fixture *fix = test->priv;
	struct ib_mr *base = siw_mr_get_dma(&fix->pd, IB_ACCESS_LOCAL_WRITE);
	u64 to = (uintptr_t)fix->page[1] + 8;
	struct fill with = { .octet = 0x3c };

	KUNIT_ASSERT_FALSE(test, IS_ERR(base));
	KUNIT_EXPECT_EQ(test, SIW_ACCESS_OK,
			siw_mr_access(&fix->cache, &fix->pd, base->lkey, to, 16,
				      SIW_ACCESS_LOCAL_WRITE, fill, &with));
	KUNIT_EXPECT_EQ(test, 1, with.pieces);
	KUNIT_EXPECT_EQ(test, 16, count(fix, 0x3c));
	KUNIT_EXPECT_EQ(test, 0x3c, ((u8 *)fix->page[1])[8]);
	KUNIT_EXPECT_EQ(test, SIW_ACCESS_RIGHTS,
			siw_mr_access(&fix->cache, &fix->pd, base->lkey, to, 16,
				      SIW_ACCESS_REMOTE_READ, NULL, NULL));
	/* It is not a fast-registration region. */
	KUNIT_EXPECT_EQ(test, -EINVAL,
			siw_mr_invalidate_local(fix->dev, &fix->pd,
						base->lkey));
	base->page_size = PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, -EINVAL,
			siw_mr_map_sg(base, fix->sg, PAGES, NULL));
	siw_mr_dereg(base, NULL);
}

/* Whatever rights it has, it is not the peer's to invalidate. */
static void all_of_memory_is_shared(struct kunit *test)
{
	struct mr_fixture *fix = test->priv;
	struct ib_mr *base = siw_mr_get_dma(&fix->pd, REMOTE);

	KUNIT_ASSERT_FALSE(test, IS_ERR(base));
	KUNIT_EXPECT_EQ(test, SIW_ACCESS_RIGHTS,
			siw_mr_invalidate_remote(fix->dev, &fix->pd,
						 base->rkey));
	KUNIT_EXPECT_EQ(test, SIW_ACCESS_OK,
			check(test, base->rkey, 0, 1, SIW_ACCESS_REMOTE_READ));
	siw_mr_dereg(base, NULL);
}

static void alloc_is_refused(struct kunit *test)
{
	struct mr_fixture *fix = test->priv;
	static const struct {
		enum ib_mr_type type;
		u32 pages;
		int err;
	} rows[] = {
		{ IB_MR_TYPE_MEM_REG, 0, -EINVAL },
		{ IB_MR_TYPE_MEM_REG, SIW_MAX_FRMR_PAGES + 1, -EINVAL },
		{ IB_MR_TYPE_SG_GAPS, 1, -EOPNOTSUPP },
		{ IB_MR_TYPE_INTEGRITY, 1, -EOPNOTSUPP },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(rows[i].err),
				    siw_mr_alloc(&fix->pd, rows[i].type,
						 rows[i].pages));
}

static void is_limited_in_number(struct kunit *test)
{
	struct mr_fixture *fix = test->priv;
	atomic_t *mrs = &fix->dev->objects[SIW_OBJ_MR];
	struct ib_mr *base;

	atomic_set(mrs, SIW_MAX_MR - 1);
	base = siw_mr_alloc(&fix->pd, IB_MR_TYPE_MEM_REG, 1);
	KUNIT_ASSERT_FALSE(test, IS_ERR(base));
	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-ENOMEM),
			    siw_mr_alloc(&fix->pd, IB_MR_TYPE_MEM_REG, 1));
	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-ENOMEM),
			    siw_mr_get_dma(&fix->pd, 0));
	KUNIT_EXPECT_EQ(test, SIW_MAX_MR, atomic_read(mrs));
	siw_mr_dereg(base, NULL);
	KUNIT_EXPECT_EQ(test, SIW_MAX_MR - 1, atomic_read(mrs));
	atomic_set(mrs, 1);
}

static void stags_are_unique_and_gone_with_the_region(struct kunit *test)
{
	struct mr_fixture *fix = test->priv;
	struct ib_mr *base[64];
	int a, b;

	for (a = 0; a < ARRAY_SIZE(base); a++) {
		base[a] = siw_mr_get_dma(&fix->pd, REMOTE);
		KUNIT_ASSERT_FALSE(test, IS_ERR(base[a]));
		KUNIT_EXPECT_EQ(test, base[a]->lkey, base[a]->rkey);
		for (b = 0; b < a; b++)
			KUNIT_EXPECT_NE(test, INDEX(base[a]->rkey),
					INDEX(base[b]->rkey));
	}
	for (a = 0; a < ARRAY_SIZE(base); a++) {
		u32 stag = base[a]->rkey;

		KUNIT_EXPECT_EQ(test, SIW_ACCESS_OK,
				check(test, stag, 0, 1,
				      SIW_ACCESS_REMOTE_READ));
		siw_mr_dereg(base[a], NULL);
		KUNIT_EXPECT_EQ(test, SIW_ACCESS_STAG,
				check(test, stag, 0, 1,
				      SIW_ACCESS_REMOTE_READ));
	}
}

static struct kunit_case mr_cases[] = {
	KUNIT_CASE(is_found_by_its_stag_only),
	KUNIT_CASE(grants_what_it_was_given),
	KUNIT_CASE(has_bounds),
	KUNIT_CASE(touches_each_octet_once),
	KUNIT_CASE(touches_nothing_that_is_refused),
	KUNIT_CASE(begins_inside_a_page),
	KUNIT_CASE(copies_across_pages),
	KUNIT_CASE(peer_invalidates),
	KUNIT_CASE(peer_invalidates_nothing_local),
	KUNIT_CASE(owner_invalidates),
	KUNIT_CASE(enable_is_refused),
	KUNIT_CASE(enable_finds_no_region_that_is_gone),
	KUNIT_CASE(mapping_revokes),
	KUNIT_CASE(takes_no_more_pages_than_it_has),
	KUNIT_CASE(cache_forgets_what_is_gone),
	KUNIT_CASE(ordinary_region_is_not_waited_for),
	KUNIT_CASE(readers_end_what_is_revoked),
	KUNIT_CASE(all_of_memory),
	KUNIT_CASE(all_of_memory_is_shared),
	KUNIT_CASE(alloc_is_refused),
	KUNIT_CASE(is_limited_in_number),
	KUNIT_CASE(stags_are_unique_and_gone_with_the_region),
	{}
};

static struct kunit_suite mr_suite = {
	.name = "siw_mr",
	.init = mr_init,
	.test_cases = mr_cases,
};

kunit_test_suite(mr_suite);
