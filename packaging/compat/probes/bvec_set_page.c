// SPDX-License-Identifier: GPL-2.0
/*
 * Since: 6.3
 * Change: block: factor out a bvec_set_page helper
 */
#include <linux/bvec.h>
#include <linux/module.h>

void probe(struct bio_vec *bv, struct page *page);
void probe(struct bio_vec *bv, struct page *page)
{
	bvec_set_page(bv, page, 1, 0);
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
