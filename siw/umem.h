/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * Pages of a process, pinned, with their kernel addresses.
 */
#ifndef SIW_UMEM_H
#define SIW_UMEM_H

#include <linux/types.h>

struct ib_device;
struct ib_umem;

/**
 * struct siw_umem - pinned user memory
 * @base: what keeps the pages pinned and accounted
 * @page: kernel address of each page, in order
 */
struct siw_umem {
	struct ib_umem *base;
	void *page[];
};

struct siw_umem *siw_umem_get(struct ib_device *base, u64 start, u64 len,
			      int access);
void siw_umem_put(struct siw_umem *umem);

#endif
