// SPDX-License-Identifier: GPL-2.0
/*
 * Since: 6.15
 * Change: lib/crc32: crc32c() is part of the CRC library and of <linux/crc32.h>
 * Before it crc32c() is declared by <linux/crc32c.h> and lives in the
 * module libcrc32c.
 */
#include <linux/module.h>
#include <linux/crc32.h>

u32 probe(const void *p, size_t len);
u32 probe(const void *p, size_t len)
{
	return crc32c(~0u, p, len);
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
