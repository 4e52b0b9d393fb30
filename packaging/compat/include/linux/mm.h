/* SPDX-License-Identifier: GPL-2.0 */
#include_next <linux/mm.h>

#ifndef SIWC_LINUX_MM_H
#define SIWC_LINUX_MM_H

/* The caller is an mmap handler and holds the mmap lock for writing. */
#ifndef SIWC_HAVE_VM_FLAGS_SET
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}

static inline void vm_flags_clear(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags &= ~flags;
}
#endif

#endif
