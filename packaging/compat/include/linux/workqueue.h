/* SPDX-License-Identifier: GPL-2.0 */
#include_next <linux/workqueue.h>

/* A workqueue is per CPU unless it says WQ_UNBOUND. */
#ifndef SIWC_HAVE_WQ_PERCPU
#undef WQ_PERCPU
#define WQ_PERCPU 0
#endif
