/* SPDX-License-Identifier: GPL-2.0 */
#include_next <linux/timer.h>

#ifndef SIWC_HAVE_TIMER_CONTAINER_OF
#undef timer_container_of
#define timer_container_of(var, callback_timer, timer_fieldname) \
	container_of(callback_timer, typeof(*var), timer_fieldname)
#endif
