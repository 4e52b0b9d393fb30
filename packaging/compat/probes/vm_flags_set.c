// SPDX-License-Identifier: GPL-2.0
/*
 * Since: 6.3
 * Change: mm: introduce vma->vm_flags wrapper functions
 */
#include <linux/module.h>
#include <linux/mm.h>

void probe(struct vm_area_struct *vma);
void probe(struct vm_area_struct *vma)
{
	vm_flags_set(vma, VM_DONTCOPY);
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
