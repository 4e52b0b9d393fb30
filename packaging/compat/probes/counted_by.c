// SPDX-License-Identifier: GPL-2.0
/*
 * Since: 6.6
 * Change: Compiler Attributes: Add __counted_by macro
 */
#include <linux/module.h>
#include <linux/types.h>

struct flex {
	size_t n;
	int v[] __counted_by(n);
};

size_t probe(struct flex *f);
size_t probe(struct flex *f)
{
	return f->n;
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
