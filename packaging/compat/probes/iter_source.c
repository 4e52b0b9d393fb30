// SPDX-License-Identifier: GPL-2.0
/*
 * Since: 6.2
 * Change: iov_iter: use less confusing names for iov_iter direction initializers
 */
#include <linux/bvec.h>
#include <linux/module.h>
#include <linux/uio.h>

void probe(struct iov_iter *iter, const struct bio_vec *bv);
void probe(struct iov_iter *iter, const struct bio_vec *bv)
{
	iov_iter_bvec(iter, ITER_SOURCE, bv, 1, bv->bv_len);
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
