/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * Memory of queues, mapped to user space for a user's objects.
 */
#ifndef SIW_QUEUE_H
#define SIW_QUEUE_H

#include <linux/types.h>

struct ib_ucontext;
struct ib_udata;
struct rdma_user_mmap_entry;
struct siw_mmap_entry;
struct vm_area_struct;

void *siw_queue_new(struct ib_udata *udata, size_t len,
		    struct siw_mmap_entry **mmap, u64 *key);
void siw_queue_free(void *queue, struct siw_mmap_entry *mmap);
int siw_queue_mmap(struct ib_ucontext *ctx, struct vm_area_struct *vma);
void siw_queue_mmap_free(struct rdma_user_mmap_entry *base);

#endif
