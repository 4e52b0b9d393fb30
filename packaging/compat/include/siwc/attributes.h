/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Attributes that <linux/compiler_types.h> of the newest kernel defines for
 * everyone.  That header is force-included by kbuild under its full path, so
 * it cannot be shadowed; this one is force-included after it.
 */
#ifndef SIWC_ATTRIBUTES_H
#define SIWC_ATTRIBUTES_H

#ifndef SIWC_HAVE_COUNTED_BY
#define __counted_by(member)
#endif

#ifndef SIWC_HAVE_GUARDED_BY
#define __guarded_by(...)
#define __pt_guarded_by(...)
#endif

#endif
