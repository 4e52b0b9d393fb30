/* SPDX-License-Identifier: GPL-2.0 */
#include_next <linux/bvec.h>

#ifndef SIWC_LINUX_BVEC_H
#define SIWC_LINUX_BVEC_H

#ifndef SIWC_HAVE_BVEC_SET_PAGE
static inline void bvec_set_page(struct bio_vec *bv, struct page *page,
				 unsigned int len, unsigned int offset)
{
	bv->bv_page = page;
	bv->bv_len = len;
	bv->bv_offset = offset;
}
#endif

#endif
