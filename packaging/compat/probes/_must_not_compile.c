// SPDX-License-Identifier: GPL-2.0
/*
 * Since: never
 * Sanity: if this compiles, errors are being ignored and probe.sh stops.
 */
#include <linux/module.h>

int probe(void);
int probe(void)
{
	return siwc_nobody_declares_this();
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
