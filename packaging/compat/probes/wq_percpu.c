// SPDX-License-Identifier: GPL-2.0
/*
 * Since: 6.18
 * Change: workqueue: Add new WQ_PERCPU flag
 */
#include <linux/module.h>
#include <linux/workqueue.h>

struct workqueue_struct *probe(void);
struct workqueue_struct *probe(void)
{
	return alloc_workqueue("probe", WQ_PERCPU, 0);
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
