/* SPDX-License-Identifier: GPL-2.0 */
#ifdef SIWC_HAVE_LINUX_UNALIGNED_H
#include_next <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif
