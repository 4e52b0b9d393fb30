// SPDX-License-Identifier: GPL-2.0
/*
 * Since: 6.12
 * Change: net: add support for skbs with unreadable frags
 */
#include <linux/module.h>
#include <linux/skbuff.h>

bool probe(const struct sk_buff *skb);
bool probe(const struct sk_buff *skb)
{
	return skb_frags_readable(skb);
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
