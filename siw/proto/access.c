// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * May a segment touch a region?  RFC 5041 section 7.1, RFC 5040 section 8.1,
 * RFC 5042.
 */
#include <linux/compiler.h>
#include <linux/types.h>

#include "access.h"
#include "fault.h"

/**
 * siw_access_check() - may a Tagged Buffer be accessed?
 * @region: region the STag's index resolved to, NULL if there is none
 * @stag: STag with its key octet, from the peer
 * @same_pd: region and stream share the protection domain (and the stream, if
 *	     the region is bound to one)
 * @to: Tagged Offset, from the peer
 * @len: octets, from the peer; not called for a Write or Read of none
 * @want: SIW_ACCESS_* rights the operation needs
 *
 * RFC 5041 section 7.1, RFC 5040 section 8.1.  @to and @len come from the peer,
 * so compare by subtraction: the sum @to + @len can wrap.  An access whose end
 * is 2^64 wraps, too.
 *
 * Return: SIW_ACCESS_OK or the first verdict in the order of the enum.
 */
enum siw_access siw_access_check(const struct siw_region *region, u32 stag,
				 bool same_pd, u64 to, u32 len, u32 want)
{
	if (!region || !READ_ONCE(region->valid) || region->stag != stag)
		return SIW_ACCESS_STAG;
	if (!same_pd)
		return SIW_ACCESS_PD;
	if ((region->access & want) != want)
		return SIW_ACCESS_RIGHTS;
	if (len > ~to)
		return SIW_ACCESS_WRAP;
	if (to < region->base || len > region->len ||
	    to - region->base > region->len - len)
		return SIW_ACCESS_BOUNDS;
	return SIW_ACCESS_OK;
}

/**
 * siw_access_check_invalidate() - may the peer invalidate this STag?
 * @region: region the STag's index resolved to, NULL if there is none
 * @stag: STag with its key octet, from the peer
 * @same_pd: as for siw_access_check()
 *
 * RFC 5040 section 5.3: the STag has to be one of this stream that grants
 * remote access and is not shared.  One that is invalid already is left so.
 * Whatever is wrong, the answer is SIW_FAULT_RDMAP_INVALIDATE.
 *
 * Return: SIW_ACCESS_OK, SIW_ACCESS_STAG, SIW_ACCESS_PD or SIW_ACCESS_RIGHTS.
 */
enum siw_access siw_access_check_invalidate(const struct siw_region *region,
					    u32 stag, bool same_pd)
{
	if (!region || region->stag != stag)
		return SIW_ACCESS_STAG;
	if (!same_pd)
		return SIW_ACCESS_PD;
	if (!(region->access & SIW_ACCESS_REMOTE) || region->shared)
		return SIW_ACCESS_RIGHTS;
	return SIW_ACCESS_OK;
}

/* Which fault answers a verdict, by the layer that names the buffer */
static const struct {
	enum siw_fault ddp;
	enum siw_fault rdmap;
} access_faults[SIW_ACCESS_VERDICTS] = {
	[SIW_ACCESS_OK] = { SIW_OK, SIW_OK },
	[SIW_ACCESS_STAG] = { SIW_FAULT_DDP_STAG, SIW_FAULT_RDMAP_STAG },
	[SIW_ACCESS_PD] = { SIW_FAULT_DDP_PD, SIW_FAULT_RDMAP_PD },
	/* DDP has no such code: RDMAP answers for a Write as well */
	[SIW_ACCESS_RIGHTS] = { SIW_FAULT_RDMAP_ACCESS,
				SIW_FAULT_RDMAP_ACCESS },
	[SIW_ACCESS_WRAP] = { SIW_FAULT_DDP_WRAP, SIW_FAULT_RDMAP_WRAP },
	[SIW_ACCESS_BOUNDS] = { SIW_FAULT_DDP_BOUNDS, SIW_FAULT_RDMAP_BOUNDS },
};

/**
 * siw_access_fault() - the fault to report for a refused access
 * @verdict: from siw_access_check()
 * @layer: %SIW_LAYER_DDP for the buffer of a tagged segment,
 *	   %SIW_LAYER_RDMAP for one that a request names
 *
 * RFC 5041 section 8.2, RFC 5040 section 4.8.
 *
 * Return: the fault, SIW_OK for SIW_ACCESS_OK.
 */
enum siw_fault siw_access_fault(enum siw_access verdict, enum siw_layer layer)
{
	return layer == SIW_LAYER_DDP ? access_faults[verdict].ddp :
					access_faults[verdict].rdmap;
}
