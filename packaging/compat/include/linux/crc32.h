/* SPDX-License-Identifier: GPL-2.0 */
#include_next <linux/crc32.h>

#ifndef SIWC_HAVE_CRC32C_IN_CRC32_H
#include <linux/crc32c.h>
#endif
