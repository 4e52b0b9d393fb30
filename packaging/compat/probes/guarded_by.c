// SPDX-License-Identifier: GPL-2.0
/*
 * Since: 7.0
 * Change: compiler-context-analysis: Add infrastructure for Context Analysis
 */
#include <linux/module.h>
#include <linux/spinlock.h>

struct guarded {
	spinlock_t lock;
	int v __guarded_by(&lock);
};

int probe(struct guarded *g);
int probe(struct guarded *g)
{
	int v;

	spin_lock(&g->lock);
	v = g->v;
	spin_unlock(&g->lock);
	return v;
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
