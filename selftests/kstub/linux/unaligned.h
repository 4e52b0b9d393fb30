/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
#ifndef SIW_KSTUB_LINUX_UNALIGNED_H
#define SIW_KSTUB_LINUX_UNALIGNED_H

#include <linux/types.h>

static inline u16 get_unaligned_be16(const void *p)
{
	const u8 *o = (const u8 *)p;

	return (u16)(o[0] << 8 | o[1]);
}

static inline u32 get_unaligned_be32(const void *p)
{
	return (u32)get_unaligned_be16(p) << 16 |
	       get_unaligned_be16((const u8 *)p + 2);
}

static inline u64 get_unaligned_be64(const void *p)
{
	return (u64)get_unaligned_be32(p) << 32 |
	       get_unaligned_be32((const u8 *)p + 4);
}

static inline u32 get_unaligned_le32(const void *p)
{
	return __builtin_bswap32(get_unaligned_be32(p));
}

static inline void put_unaligned_be16(u16 v, void *p)
{
	((u8 *)p)[0] = (u8)(v >> 8);
	((u8 *)p)[1] = (u8)v;
}

static inline void put_unaligned_be32(u32 v, void *p)
{
	put_unaligned_be16((u16)(v >> 16), p);
	put_unaligned_be16((u16)v, (u8 *)p + 2);
}

static inline void put_unaligned_be64(u64 v, void *p)
{
	put_unaligned_be32((u32)(v >> 32), p);
	put_unaligned_be32((u32)v, (u8 *)p + 4);
}

static inline void put_unaligned_le32(u32 v, void *p)
{
	put_unaligned_be32(__builtin_bswap32(v), p);
}

#endif
