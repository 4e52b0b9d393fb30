/* SPDX-License-Identifier: GPL-2.0 */
/* No guard around this: a trace header is read several times. */
#include_next <trace/events/sock.h>

#ifndef SIWC_HAVE_TRACE_SK_DATA_READY
#undef trace_sk_data_ready
#define trace_sk_data_ready(sk) ((void)(sk))
#endif
