// SPDX-License-Identifier: GPL-2.0
/*
 * Since: 6.12
 * Change: move asm/unaligned.h to linux/unaligned.h
 * (__has_include_next would do, but sparse does not know it.)
 */
#include <linux/module.h>
#include <linux/unaligned.h>

u32 probe(const void *p);
u32 probe(const void *p)
{
	return get_unaligned_be32(p);
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
