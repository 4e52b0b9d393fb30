// SPDX-License-Identifier: GPL-2.0
/*
 * Since: 7.0
 * Change: slab: Introduce kmalloc_obj() and family
 */
#include <linux/module.h>
#include <linux/slab.h>

struct flex {
	size_t n;
	int v[];
};

void *probe(struct flex **f, int **p);
void *probe(struct flex **f, int **p)
{
	*f = kzalloc_flex(**f, v, 3);
	*p = kvzalloc_objs(**p, 3, GFP_NOFS);
	return kmalloc_obj(int, GFP_ATOMIC);
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
