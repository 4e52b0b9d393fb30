/* SPDX-License-Identifier: GPL-2.0 */
#include_next <linux/gfp.h>

#ifndef SIWC_LINUX_GFP_H
#define SIWC_LINUX_GFP_H

/* vm_insert_page() refuses pages that count for a memory cgroup. */
#ifndef SIWC_HAVE_FOLIO_MEMCG_KMEM
#undef GFP_KERNEL_ACCOUNT
#define GFP_KERNEL_ACCOUNT GFP_KERNEL
#endif

#endif
