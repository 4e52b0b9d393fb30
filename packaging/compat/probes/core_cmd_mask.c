// SPDX-License-Identifier: GPL-2.0
/*
 * Since: 5.11
 * Change: RDMA/core: Remove uverbs_ex_cmd_mask values that are linked to functions
 * Behaviour: the core enables the user commands a driver has callbacks for;
 * before it the driver had to.  The mask that went with the change is the proxy:
 * the compiler refuses a member that struct ib_device still has.
 */
#include <linux/module.h>
#include <rdma/ib_verbs.h>

struct probe_device {
	struct ib_device;
	u64 uverbs_ex_cmd_mask;
};

u64 probe(const struct probe_device *dev);
u64 probe(const struct probe_device *dev)
{
	return dev->uverbs_ex_cmd_mask;
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
