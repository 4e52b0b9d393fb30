// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Memory of queues, mapped to user space for a user's objects.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <rdma/uverbs_ioctl.h>

#include "queue.h"
#include "siw.h"

/* The provider takes the offset 0x90000 for a failure: begin behind it. */
#define FIRST_PGOFF	0x91

static struct ib_ucontext *context_of(struct ib_udata *udata)
{
	struct siw_ucontext *ctx =
		rdma_udata_to_drv_context(udata, struct siw_ucontext, base);

	return &ctx->base;
}

static void unmap_queue(struct siw_mmap_entry *entry)
{
	if (entry)
		rdma_user_mmap_entry_remove(&entry->base);
}

/*
 * Memory of a user's queue; it lives as long as its mapping, and counts for the
 * memory cgroup of who asked for it.
 */
static struct siw_mmap_entry *map_queue(struct ib_udata *udata, size_t len,
					u64 *key)
{
	struct siw_mmap_entry *entry;
	int err;

	entry = kzalloc_obj(*entry, GFP_KERNEL_ACCOUNT);
	if (!entry)
		return ERR_PTR(-ENOMEM);
	entry->queue = __vmalloc(len, GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!entry->queue) {
		kfree(entry);
		return ERR_PTR(-ENOMEM);
	}
	err = rdma_user_mmap_entry_insert_range(context_of(udata),
						&entry->base, len,
						FIRST_PGOFF, U32_MAX);
	if (err) {
		vfree(entry->queue);
		kfree(entry);
		return ERR_PTR(err);
	}
	*key = rdma_user_mmap_get_offset(&entry->base);
	return entry;
}

/**
 * siw_queue_new() - memory for a queue
 * @udata: set for a user's queue
 * @len: octets
 * @mmap: what it is mapped by, NULL for a kernel queue
 * @key: offset to map it at
 *
 * Return: zeroed memory or an ERR_PTR().
 */
void *siw_queue_new(struct ib_udata *udata, size_t len,
		    struct siw_mmap_entry **mmap, u64 *key)
{
	struct siw_mmap_entry *entry;
	void *queue;

	*mmap = NULL;
	if (!udata) {
		queue = vzalloc(len);
		return queue ? queue : ERR_PTR(-ENOMEM);
	}
	entry = map_queue(udata, len, key);
	if (IS_ERR(entry))
		return ERR_CAST(entry);
	*mmap = entry;
	return entry->queue;
}

void siw_queue_free(void *queue, struct siw_mmap_entry *mmap)
{
	if (mmap)
		unmap_queue(mmap);
	else
		vfree(queue);
}

/* The pages are counted: they outlive the entry if need be. */
static int insert_pages(struct vm_area_struct *vma, const void *queue)
{
	unsigned long addr;
	int err = 0;

	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
	for (addr = vma->vm_start; addr < vma->vm_end && !err;
	     addr += PAGE_SIZE, queue += PAGE_SIZE)
		err = vm_insert_page(vma, addr, vmalloc_to_page(queue));
	return err;
}

int siw_queue_mmap(struct ib_ucontext *ctx, struct vm_area_struct *vma)
{
	/* One of just the size of @vma, or none */
	struct rdma_user_mmap_entry *base = rdma_user_mmap_entry_get(ctx, vma);
	int err;

	if (!base)
		return -EINVAL;
	err = insert_pages(vma, container_of(base, struct siw_mmap_entry,
					     base)->queue);
	rdma_user_mmap_entry_put(base);
	return err;
}

void siw_queue_mmap_free(struct rdma_user_mmap_entry *base)
{
	struct siw_mmap_entry *entry =
		container_of(base, struct siw_mmap_entry, base);

	vfree(entry->queue);
	kfree(entry);
}
