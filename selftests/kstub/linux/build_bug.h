/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
#ifndef SIW_KSTUB_LINUX_BUILD_BUG_H
#define SIW_KSTUB_LINUX_BUILD_BUG_H

#ifndef __cplusplus
#undef static_assert
#define static_assert(expr) _Static_assert(expr, #expr)
#endif
#define BUILD_BUG_ON(cond) ((void)sizeof(char[1 - 2 * !!(cond)]))

#endif
