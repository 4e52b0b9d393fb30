/* SPDX-License-Identifier: GPL-2.0 */
#include_next <rdma/iw_cm.h>

/*
 * iw_cm does not pass on what rdma_set_afonly() said.  Kernel servers listen
 * once for IPv4 and once, with it, for IPv6: take it as said.  The bit is set
 * for every device whose driver, as ours, has all mandatory callbacks.
 */
#ifndef SIWC_HAVE_IW_CM_ID_AFONLY
#include <rdma/rdma_cm.h>
#undef afonly
#define afonly device->kverbs_provider
#endif
