/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * Memory regions and the STags that name them.
 */
#ifndef SIW_MR_H
#define SIW_MR_H

#include <linux/minmax.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "siw.h"
#include "umem.h"
#include "proto/access.h"

/**
 * struct siw_mr - a memory region
 * @base: what ib_core sees
 * @pd: protection domain; ib_core sets @base.pd only later
 * @lock: readers touch the memory, a writer revokes it
 * @region: what access checks look at; guarded by @lock
 * @umem: pages of a user region, else NULL
 * @pages: kernel addresses of a fast-registration region's pages, else NULL;
 *	guarded by @lock once the region can be found
 * @max_pages: entries in @pages
 * @num_pages: entries mapped by ib_map_mr_sg()
 * @first: offset of the region's first octet in its first page
 * @page_shift: log2 of the page size of @pages or @umem
 * @rcu: the STag table is read under RCU
 */
struct siw_mr {
	struct ib_mr base;
	struct ib_pd *pd;
	rwlock_t lock;
	struct siw_region region;
	struct siw_umem *umem;
	void **pages;
	u32 max_pages;
	u32 num_pages;
	u32 first;
	u8 page_shift;
	struct rcu_head rcu;
};

static inline struct siw_mr *to_siw_mr(struct ib_mr *base)
{
	return container_of(base, struct siw_mr, base);
}

/**
 * siw_mr_row() - where octets of a region are
 * @mr: region that is held, in which there are @n octets from @to on
 * @to: address or Tagged Offset of the first of them
 * @n: octets, which the region has; set to how many are in a row
 *
 * Return: kernel address of the first octet.
 */
static inline void *siw_mr_row(const struct siw_mr *mr, u64 to, u32 *n)
{
	u64 off = to - mr->region.base + mr->first;
	u32 size = 1u << mr->page_shift;
	u32 in_page = off & (size - 1);
	void **page = mr->umem ? mr->umem->page : mr->pages;
	size_t row = size - in_page;
	u32 i;

	lockdep_assert_held(&mr->lock);
	if (!page)		/* DMA region: the offset is the address */
		return (void *)(uintptr_t)to;
	page += off >> mr->page_shift;
	/* A page may be followed by its neighbour. */
	for (i = 0; row < *n && page[i + 1] == page[i] + size; i++)
		row += size;
	*n = min_t(size_t, *n, row);
	return page[0] + in_page;
}

/* Copy @n octets, one at least, to where siw_mr_row() finds @to. */
static inline void siw_mr_copy_to(const struct siw_mr *mr, u64 to, const u8 *p,
				  u32 n)
{
	for (;;) {
		u32 part = n;
		void *row = siw_mr_row(mr, to, &part);

		memcpy(row, p, part);
		if (likely(part == n))
			return;
		to += part;
		p += part;
		n -= part;
	}
}

/**
 * typedef siw_mr_fn - touch one contiguous piece of a region
 * @p: kernel address
 * @n: octets
 * @arg: the caller's
 */
typedef void (*siw_mr_fn)(void *p, size_t n, void *arg);

/**
 * typedef siw_mr_use - use a region more than once
 * @mr: the region, which is not revoked before this returns; NULL if there is
 *	none
 * @arg: the caller's
 */
typedef void (*siw_mr_use)(const struct siw_mr *mr, void *arg);

/**
 * struct siw_mr_cache - the region that was looked up last
 * @dev: the device
 * @mr: the region, or NULL
 * @index: where it was found
 * @gen: @dev->mr_gen before that
 *
 * Its users take turns.
 */
struct siw_mr_cache {
	struct siw_device *dev;
	struct siw_mr *mr;
	u32 index;
	s64 gen;
};

void siw_mr_hold(struct siw_mr_cache *cache, u32 stag, siw_mr_use use,
		 void *arg);
enum siw_access siw_mr_access(struct siw_mr_cache *cache, struct ib_pd *pd,
			      u32 stag, u64 to, u32 len, u32 want,
			      siw_mr_fn fn, void *arg);
enum siw_access siw_mr_invalidate_remote(struct siw_device *dev,
					 struct ib_pd *pd, u32 stag);
int siw_mr_invalidate_local(struct siw_device *dev, struct ib_pd *pd,
			    u32 stag);
int siw_mr_enable(struct siw_device *dev, struct ib_pd *pd,
		  const struct siw_mr *posted, u32 stag, int access);

struct ib_mr *siw_mr_get_dma(struct ib_pd *pd, int access);
struct ib_mr *siw_mr_reg_user(struct ib_pd *pd, u64 start, u64 len, u64 iova,
			      int access, struct ib_dmah *dmah,
			      struct ib_udata *udata);
struct ib_mr *siw_mr_alloc(struct ib_pd *pd, enum ib_mr_type type,
			   u32 max_num_sg);
int siw_mr_map_sg(struct ib_mr *base, struct scatterlist *sg, int nents,
		  unsigned int *offset);
int siw_mr_dereg(struct ib_mr *base, struct ib_udata *udata);

#endif
