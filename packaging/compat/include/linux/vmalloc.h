/* SPDX-License-Identifier: GPL-2.0 */
#include_next <linux/vmalloc.h>

#ifndef SIWC_LINUX_VMALLOC_H
#define SIWC_LINUX_VMALLOC_H

/* vm_insert_page() refuses pages that count for a memory cgroup. */
#ifndef SIWC_HAVE_FOLIO_MEMCG_KMEM
#define __vmalloc(size, flags) __vmalloc(size, (flags) & ~__GFP_ACCOUNT)
#endif

#endif
