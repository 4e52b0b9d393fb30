// SPDX-License-Identifier: GPL-2.0
/*
 * Since: always
 * Sanity: a module like every probe below. If this does not compile, no
 * answer means anything and probe.sh stops.
 */
#include <linux/module.h>
#include <rdma/ib_verbs.h>

int probe(struct ib_device *dev);
int probe(struct ib_device *dev)
{
	return ib_device_try_get(dev);
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
