// SPDX-License-Identifier: GPL-2.0
/*
 * Since: 6.16
 * Change: treewide, timers: Rename from_timer() to timer_container_of()
 */
#include <linux/module.h>
#include <linux/timer.h>

struct holder {
	struct timer_list timer;
};

struct holder *probe(struct timer_list *t);
struct holder *probe(struct timer_list *t)
{
	struct holder *h = timer_container_of(h, t, timer);

	return h;
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
