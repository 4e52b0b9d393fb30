/* SPDX-License-Identifier: GPL-2.0 */
#include_next <net/sock.h>

/* Before 6.0 nothing tells who has put sk_user_data there. */
#ifndef SK_USER_DATA_PSOCK
#define SK_USER_DATA_PSOCK 0UL
#endif

/*
 * Where it is not a socket's own choice, one that must not recurse into the
 * filesystem (GFP_NOIO, GFP_NOFS) does not use its task's page fragment.  Let
 * the driver clear a bit that is clear and means nothing to TCP.
 */
#ifndef SIWC_HAVE_SK_USE_TASK_FRAG
#undef sk_use_task_frag
#define sk_use_task_frag sk_no_check_tx
#endif
