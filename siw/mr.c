// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Memory regions and the STags that name them.
 *
 * An STag is a 24-bit index, drawn at random, and an 8-bit key that belongs to
 * the consumer (RFC 5042 section 6.1.1 asks for STags that are hard to guess).
 *
 * Memory is only touched inside siw_mr_hold(), under the region's read lock.
 * Revocation takes the write lock, so when it returns no placement that began
 * before it is still writing (RFC 5040 section 8.1.1).
 */
#include <linux/overflow.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <rdma/ib_umem.h>
#include <rdma/uverbs_ioctl.h>

#include "mr.h"
#include "trace.h"

#define STAG_INDEX(stag)	((stag) >> 8)
#define STAG_INDEX_MASK		0xffffffu
#define STAG_TRIES		64

/* Remote atomics are accepted and never granted: the device has none. */
#define USER_ACCESS	(IB_ACCESS_LOCAL_WRITE | IB_ACCESS_REMOTE_WRITE | \
			 IB_ACCESS_REMOTE_READ | IB_ACCESS_REMOTE_ATOMIC | \
			 IB_ACCESS_OPTIONAL)

static u32 rights_of(int access)
{
	u32 rights = 0;

	if (access & IB_ACCESS_LOCAL_WRITE)
		rights |= SIW_ACCESS_LOCAL_WRITE;
	if (access & IB_ACCESS_REMOTE_WRITE)
		rights |= SIW_ACCESS_REMOTE_WRITE;
	if (access & IB_ACCESS_REMOTE_READ)
		rights |= SIW_ACCESS_REMOTE_READ;
	return rights;
}

static void trace_register(const struct siw_mr *mr)
{
	const struct siw_region *region = &mr->region;

	trace_siw_mr_register(mr->base.device, region->stag, region->base,
			      region->len, region->access);
}

/* Give a complete region an STag and let the world find it. */
static int publish(struct siw_mr *mr, struct siw_device *dev, u8 key)
{
	int tries, err = -ENOMEM;

	if (atomic_inc_return(&dev->objects[SIW_OBJ_MR]) > SIW_MAX_MR)
		goto err_count;

	for (tries = 0; tries < STAG_TRIES; tries++) {
		u32 index = get_random_u32() & STAG_INDEX_MASK;

		if (!index)
			continue;
		mr->region.stag = index << 8 | key;
		mr->base.lkey = mr->region.stag;
		mr->base.rkey = mr->region.stag;
		err = xa_insert(&dev->mrs, index, mr, GFP_KERNEL);
		if (err != -EBUSY)
			break;
	}
	if (!err)
		return 0;
err_count:
	atomic_dec(&dev->objects[SIW_OBJ_MR]);
	return err == -EBUSY ? -ENOSPC : err;
}

static struct siw_mr *new_mr(struct ib_pd *pd, u32 rights)
{
	struct siw_mr *mr = kzalloc_obj(*mr, GFP_KERNEL_ACCOUNT);

	if (!mr)
		return NULL;
	mr->pd = pd;
	mr->base.device = pd->device;
	mr->region.access = rights;
	mr->page_shift = PAGE_SHIFT;
	rwlock_init(&mr->lock);
	return mr;
}

/*
 * Nobody who looks from now on may touch it.  Whoever is at it goes on until
 * await_readers().  The lock is held for reading: a writer waits for as long as
 * there are readers, and who finds the region valid can be made to come for ever.
 */
static void revoke(struct siw_mr *mr)
{
	lockdep_assert_held(&mr->lock);
	WRITE_ONCE(mr->region.valid, false);
}

/* Who was at it is done. */
static void await_readers(struct siw_mr *mr)
{
	write_lock_bh(&mr->lock);
	write_unlock_bh(&mr->lock);
}

/* Nobody finds the region from now on. */
static void unpublish(struct siw_device *dev, u32 stag)
{
	xa_erase(&dev->mrs, STAG_INDEX(stag));
	/* Pairs with the acquire in find(): who sees this does not see the region. */
	smp_mb__before_atomic();
	atomic64_inc(&dev->mr_gen);
}

/*
 * The caller is in an RCU read-side section.  A region that is freed has left the
 * table a grace period before, so that the generation is another one by now.
 */
static struct siw_mr *find(struct siw_mr_cache *cache, u32 stag)
{
	/* Pairs with the barrier in unpublish(). */
	s64 gen = atomic64_read_acquire(&cache->dev->mr_gen);
	u32 index = STAG_INDEX(stag);

	if (cache->mr && cache->index == index && cache->gen == gen)
		return cache->mr;
	cache->gen = gen;
	cache->index = index;
	cache->mr = xa_load(&cache->dev->mrs, index);
	return cache->mr;
}

static __always_inline void hold(struct siw_mr_cache *cache, u32 stag,
				 siw_mr_use use, void *arg)
{
	struct siw_mr *mr;

	rcu_read_lock();
	mr = find(cache, stag);
	if (mr) {
		read_lock_bh(&mr->lock);
		use(mr, arg);
		read_unlock_bh(&mr->lock);
	} else {
		use(NULL, arg);
	}
	rcu_read_unlock();
}

/**
 * siw_mr_hold() - look a region up once and use it more than once
 * @cache: the caller's
 * @stag: STag or local key
 * @use: called once, under the region's read lock; must not sleep, nor come
 *	 back here
 * @arg: passed to @use
 *
 * Context: any but hard interrupt.
 */
void siw_mr_hold(struct siw_mr_cache *cache, u32 stag, siw_mr_use use,
		 void *arg)
{
	hold(cache, stag, use, arg);
}

struct access {
	struct ib_pd *pd;
	u32 stag;
	u64 to;
	u32 len;
	u32 want;
	siw_mr_fn fn;
	void *arg;
	enum siw_access verdict;
};

static void access_once(const struct siw_mr *mr, void *arg)
{
	struct access *access = arg;
	u64 to = access->to;
	u32 len = access->len;

	access->verdict = siw_access_check(mr ? &mr->region : NULL,
					   access->stag,
					   mr && mr->pd == access->pd, to, len,
					   access->want);
	while (access->verdict == SIW_ACCESS_OK && access->fn && len) {
		u32 n = len;
		void *p = siw_mr_row(mr, to, &n);

		access->fn(p, n, access->arg);
		to += n;
		len -= n;
	}
}

/**
 * siw_mr_access() - check a range of a region and touch it
 * @cache: the caller's
 * @pd: protection domain of the QP that asks
 * @stag: STag or local key
 * @to: Tagged Offset or address of the first octet
 * @len: octets
 * @want: SIW_ACCESS_* rights the operation needs
 * @fn: called for each contiguous piece in order; NULL to check only
 * @arg: passed to @fn
 *
 * Either nothing or all of the range is touched.  @fn must not sleep.
 *
 * Context: any but hard interrupt.
 * Return: SIW_ACCESS_OK or what forbids the access.
 */
enum siw_access siw_mr_access(struct siw_mr_cache *cache, struct ib_pd *pd,
			      u32 stag, u64 to, u32 len, u32 want,
			      siw_mr_fn fn, void *arg)
{
	struct access access = {
		.pd = pd,
		.stag = stag,
		.to = to,
		.len = len,
		.want = want,
		.fn = fn,
		.arg = arg,
	};

	hold(cache, stag, access_once, &access);
	return access.verdict;
}

/* Send with Invalidate and Read with Invalidate: RFC 5040 section 5.3 */
enum siw_access siw_mr_invalidate_remote(struct siw_device *dev,
					 struct ib_pd *pd, u32 stag)
{
	enum siw_access verdict = SIW_ACCESS_STAG;
	struct siw_mr *mr;

	rcu_read_lock();
	mr = xa_load(&dev->mrs, STAG_INDEX(stag));
	if (mr && mr->pd == pd) {
		read_lock_bh(&mr->lock);
		verdict = siw_access_check_invalidate(&mr->region, stag, true);
		if (verdict == SIW_ACCESS_OK) {
			revoke(mr);
			trace_siw_mr_invalidate_remote(&dev->base, stag);
		}
		read_unlock_bh(&mr->lock);
		if (verdict == SIW_ACCESS_OK)
			await_readers(mr);
	}
	rcu_read_unlock();
	return verdict;
}

/* Local Invalidate; the consumer of a fast-registration region may repeat it */
int siw_mr_invalidate_local(struct siw_device *dev, struct ib_pd *pd, u32 stag)
{
	struct siw_mr *mr;
	int err = -EINVAL;

	rcu_read_lock();
	mr = xa_load(&dev->mrs, STAG_INDEX(stag));
	if (mr && mr->pd == pd) {
		read_lock_bh(&mr->lock);
		if (mr->pages && mr->region.stag == stag) {
			revoke(mr);
			trace_siw_mr_invalidate_local(&dev->base, stag);
			err = 0;
		}
		read_unlock_bh(&mr->lock);
		if (!err)
			await_readers(mr);
	}
	rcu_read_unlock();
	return err;
}

/**
 * siw_mr_enable() - fast registration: make mapped pages accessible
 * @dev: the device
 * @pd: protection domain of the QP that asks
 * @posted: region the work request names, mapped by siw_mr_map_sg()
 * @stag: STag with the key it shall have from now on
 * @access: IB_ACCESS_* rights
 *
 * The region may be gone since the request was posted: @posted is compared
 * with what is found by the STag, and not looked into.
 *
 * Return: 0, or -EINVAL if there is no such region in this PD, or if it has
 * nothing mapped or is valid already.
 */
int siw_mr_enable(struct siw_device *dev, struct ib_pd *pd,
		  const struct siw_mr *posted, u32 stag, int access)
{
	struct siw_mr *mr;
	int err = -EINVAL;

	rcu_read_lock();
	mr = xa_load(&dev->mrs, STAG_INDEX(stag));
	if (mr && mr == posted && mr->pd == pd) {
		write_lock_bh(&mr->lock);
		if (mr->pages && mr->num_pages && !mr->region.valid) {
			mr->region.stag = stag;
			mr->region.base = mr->base.iova;
			mr->region.len = mr->base.length;
			mr->region.access = rights_of(access);
			mr->region.valid = true;
			mr->page_shift = ilog2(mr->base.page_size);
			mr->first = mr->base.iova & (mr->base.page_size - 1);
			trace_register(mr);
			err = 0;
		}
		write_unlock_bh(&mr->lock);
	}
	rcu_read_unlock();
	return err;
}

/* All of kernel memory, for kernel users only */
struct ib_mr *siw_mr_get_dma(struct ib_pd *pd, int access)
{
	struct siw_mr *mr = new_mr(pd, rights_of(access));
	int err;

	if (!mr)
		return ERR_PTR(-ENOMEM);
	mr->region.len = U64_MAX;
	mr->region.shared = true;
	mr->region.valid = true;
	err = publish(mr, to_siw_dev(pd->device), 0);
	if (err) {
		kfree(mr);
		return ERR_PTR(err);
	}
	trace_register(mr);
	return &mr->base;
}

static int complete_user(struct siw_mr *mr, struct ib_udata *udata)
{
	struct siw_uresp_reg_mr resp = {};
	struct siw_ureq_reg_mr req = {};
	int err;

	err = ib_copy_validate_udata_in(udata, req, pad);
	if (err)
		return err;
	if (udata->outlen < sizeof(resp))
		return -EINVAL;
	err = publish(mr, to_siw_dev(mr->pd->device), req.stag_key);
	if (err)
		return err;
	resp.stag = mr->region.stag;
	err = ib_respond_udata(udata, resp);
	if (!err)
		return 0;
	unpublish(to_siw_dev(mr->pd->device), resp.stag);
	atomic_dec(&to_siw_dev(mr->pd->device)->objects[SIW_OBJ_MR]);
	return err;
}

struct ib_mr *siw_mr_reg_user(struct ib_pd *pd, u64 start, u64 len, u64 iova,
			      int access, struct ib_dmah *dmah,
			      struct ib_udata *udata)
{
	struct siw_umem *umem;
	struct siw_mr *mr;
	int err;

	if (dmah || access & ~USER_ACCESS)
		return ERR_PTR(-EOPNOTSUPP);
	if (!len || iova + len < iova)
		return ERR_PTR(-EINVAL);

	mr = new_mr(pd, rights_of(access));
	if (!mr)
		return ERR_PTR(-ENOMEM);
	umem = siw_umem_get(pd->device, start, len, access);
	if (IS_ERR(umem)) {
		kfree(mr);
		return ERR_CAST(umem);
	}
	mr->umem = umem;
	mr->first = offset_in_page(start);
	mr->region.base = iova;
	mr->region.len = len;
	mr->region.shared = true;
	mr->region.valid = true;
	err = complete_user(mr, udata);
	if (err) {
		/* It may have been found for a moment by guessing its STag. */
		write_lock_bh(&mr->lock);
		revoke(mr);
		write_unlock_bh(&mr->lock);
		siw_umem_put(umem);
		kfree_rcu(mr, rcu);
		return ERR_PTR(err);
	}
	trace_register(mr);
	return &mr->base;
}

struct ib_mr *siw_mr_alloc(struct ib_pd *pd, enum ib_mr_type type,
			   u32 max_num_sg)
{
	struct siw_mr *mr;
	int err;

	if (type != IB_MR_TYPE_MEM_REG)
		return ERR_PTR(-EOPNOTSUPP);
	if (!max_num_sg || max_num_sg > SIW_MAX_FRMR_PAGES)
		return ERR_PTR(-EINVAL);

	mr = new_mr(pd, 0);
	if (!mr)
		return ERR_PTR(-ENOMEM);
	mr->max_pages = max_num_sg;
	mr->pages = kvcalloc(max_num_sg, sizeof(*mr->pages),
			     GFP_KERNEL_ACCOUNT);
	err = mr->pages ? publish(mr, to_siw_dev(pd->device), 0) : -ENOMEM;
	if (err) {
		kvfree(mr->pages);
		kfree(mr);
		return ERR_PTR(err);
	}
	return &mr->base;
}

static int set_page(struct ib_mr *base, u64 addr)
{
	struct siw_mr *mr = to_siw_mr(base);

	if (mr->num_pages == mr->max_pages)
		return -ENOMEM;
	mr->pages[mr->num_pages++] = ib_virt_dma_to_ptr(addr);
	return 0;
}

/* The consumer has to invalidate a region before it maps it anew. */
int siw_mr_map_sg(struct ib_mr *base, struct scatterlist *sg, int nents,
		  unsigned int *offset)
{
	struct siw_mr *mr = to_siw_mr(base);
	int n;

	read_lock_bh(&mr->lock);
	revoke(mr);
	read_unlock_bh(&mr->lock);
	write_lock_bh(&mr->lock);
	revoke(mr);
	mr->num_pages = 0;
	n = mr->pages ? ib_sg_to_pages(base, sg, nents, offset, set_page) :
			-EINVAL;
	write_unlock_bh(&mr->lock);
	return n;
}

int siw_mr_dereg(struct ib_mr *base, struct ib_udata *udata)
{
	struct siw_device *dev = to_siw_dev(base->device);
	struct siw_mr *mr = to_siw_mr(base);
	void **pages;

	trace_siw_mr_deregister(base->device, mr->region.stag);
	unpublish(dev, mr->region.stag);
	/* Whoever found it before that ends under the lock, and enables it not. */
	write_lock_bh(&mr->lock);
	revoke(mr);
	pages = mr->pages;
	mr->pages = NULL;
	write_unlock_bh(&mr->lock);

	if (mr->umem)
		siw_umem_put(mr->umem);
	kvfree(pages);
	kfree_rcu(mr, rcu);
	atomic_dec(&dev->objects[SIW_OBJ_MR]);
	return 0;
}
