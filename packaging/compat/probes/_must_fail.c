// SPDX-License-Identifier: GPL-2.0
/*
 * Since: never
 * Sanity: compiles, but names a symbol no kernel exports. If this is not
 * refused, the symbol check is broken and probe.sh stops.
 */
#include <linux/module.h>

int siwc_no_kernel_exports_this(void);
int probe(void);
int probe(void)
{
	return siwc_no_kernel_exports_this();
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
