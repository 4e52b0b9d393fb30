/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * May a segment touch a region?  RFC 5041 section 7.1, RFC 5040 section 8.1,
 * RFC 5042.
 */
#ifndef SIW_PROTO_ACCESS_H
#define SIW_PROTO_ACCESS_H

#include <linux/compiler.h>
#include <linux/types.h>
#include "fault.h"

/* Rights a region grants and an operation wants */
#define SIW_ACCESS_LOCAL_WRITE		0x01
#define SIW_ACCESS_REMOTE_WRITE		0x02
#define SIW_ACCESS_REMOTE_READ		0x04
#define SIW_ACCESS_REMOTE_ATOMIC	0x08
#define SIW_ACCESS_REMOTE		(SIW_ACCESS_REMOTE_WRITE | \
					 SIW_ACCESS_REMOTE_READ | \
					 SIW_ACCESS_REMOTE_ATOMIC)

/**
 * struct siw_region - what access checks need to know of a memory region
 * @base: first Tagged Offset (virtual address)
 * @len: octets from @base
 * @stag: STag with its key octet
 * @access: SIW_ACCESS_* rights
 * @valid: registered and not invalidated; may become false at any time
 * @shared: an ordinary region, which a peer must not invalidate
 */
struct siw_region {
	u64 base;
	u64 len;
	u32 stag;
	u32 access;
	bool valid;
	bool shared;
};

/* In the order in which they are checked: the first failure wins */
enum siw_access {
	SIW_ACCESS_OK,
	SIW_ACCESS_STAG,	/* unknown, wrong key or invalid */
	SIW_ACCESS_PD,		/* protection domain or stream association */
	SIW_ACCESS_RIGHTS,
	SIW_ACCESS_WRAP,	/* TO + length passes 2^64 */
	SIW_ACCESS_BOUNDS,
	SIW_ACCESS_VERDICTS
};

enum siw_access siw_access_check(const struct siw_region *region, u32 stag,
				 bool same_pd, u64 to, u32 len, u32 want);

/**
 * siw_access_again() - may more of a Tagged Buffer be accessed?
 * @region: what siw_access_check() allowed to access since it was locked
 * @to: Tagged Offset, from the peer
 * @len: octets, from the peer
 *
 * For the next segments of a message: STag, rights and protection domain are what
 * they were.
 *
 * Return: what siw_access_check() would, as far as that is SIW_ACCESS_OK or not.
 */
static inline bool siw_access_again(const struct siw_region *region, u64 to,
				    u32 len)
{
	return READ_ONCE(region->valid) && len <= ~to && to >= region->base &&
	       len <= region->len && to - region->base <= region->len - len;
}

enum siw_access siw_access_check_invalidate(const struct siw_region *region,
					    u32 stag, bool same_pd);
enum siw_fault siw_access_fault(enum siw_access verdict, enum siw_layer layer);

#endif
