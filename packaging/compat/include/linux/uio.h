/* SPDX-License-Identifier: GPL-2.0 */
#include_next <linux/uio.h>

#ifndef SIWC_HAVE_ITER_SOURCE
#undef ITER_SOURCE
#undef ITER_DEST
#define ITER_SOURCE	1	/* WRITE */
#define ITER_DEST	0	/* READ */
#endif
