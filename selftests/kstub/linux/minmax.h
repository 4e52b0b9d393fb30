/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
#ifndef SIW_KSTUB_LINUX_MINMAX_H
#define SIW_KSTUB_LINUX_MINMAX_H

#ifndef __cplusplus	/* there std::min is at hand */
/* Like the kernel's, these refuse to compare different types */
#define kstub_pick(a, op, b) ({			\
	__typeof__(a) a_ = (a);			\
	__typeof__(b) b_ = (b);			\
	(void)(&a_ == &b_);			\
	a_ op b_ ? a_ : b_; })
#define min(a, b)	kstub_pick(a, <, b)
#define max(a, b)	kstub_pick(a, >, b)
#define min_t(t, a, b)	min((t)(a), (t)(b))
#define max_t(t, a, b)	max((t)(a), (t)(b))
#endif

#endif
