/* SPDX-License-Identifier: GPL-2.0 */
#include_next <linux/skbuff.h>

#ifndef SIWC_LINUX_SKBUFF_H
#define SIWC_LINUX_SKBUFF_H

/* Every fragment is a page. */
#ifndef SIWC_HAVE_SKB_FRAGS_READABLE
static inline bool skb_frags_readable(const struct sk_buff *skb)
{
	return true;
}
#endif

#endif
