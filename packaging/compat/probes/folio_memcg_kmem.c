// SPDX-License-Identifier: GPL-2.0
/*
 * Since: 5.16
 * Change: mm/memcg: add folio_memcg() and related functions
 * Behaviour: since 5.11 a page that counts for a memory cgroup has no page type
 * of its own any more, so that it can be mapped to user space as well; what
 * came next is the proxy.  In between pages are not counted.
 */
#include <linux/module.h>
#include <linux/memcontrol.h>

bool probe(struct folio *folio);
bool probe(struct folio *folio)
{
	return folio_memcg_kmem(folio);
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
