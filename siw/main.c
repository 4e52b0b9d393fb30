// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * siw: software iWARP, RDMA over any net_device that carries TCP.
 */
#include <linux/module.h>
#include <rdma/iw_cm.h>
#include <rdma/rdma_netlink.h>

#include "cm.h"
#include "device.h"
#include "siw.h"
#include "txbuf.h"

/*
 * What transmits and receives waits behind no connection's work: memory may be
 * reclaimed through it.  What may not overtake one another is in an ordered one.
 */
struct workqueue_struct *siw_wq;
struct workqueue_struct *siw_request_wq;
struct workqueue_struct *siw_data_wq;

static struct rdma_link_ops siw_link_ops = {
	.type = "siw",
	.newlink = siw_device_add,
};

static void destroy_queues(void)
{
	if (siw_request_wq)
		destroy_workqueue(siw_request_wq);
	if (siw_wq)
		destroy_workqueue(siw_wq);
	if (siw_data_wq)
		destroy_workqueue(siw_data_wq);
}

static int __init siw_init(void)
{
	int err = -ENOMEM;

	siw_wq = alloc_workqueue("siw", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	siw_request_wq = alloc_ordered_workqueue("siw_request", WQ_MEM_RECLAIM);
	siw_data_wq = alloc_workqueue("siw_data", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!siw_wq || !siw_request_wq || !siw_data_wq)
		goto err_queues;
	err = siw_txbuf_init();
	if (err)
		goto err_queues;
	err = siw_device_init();
	if (err)
		goto err_txbuf;
	rdma_link_register(&siw_link_ops);
	return 0;

err_txbuf:
	siw_txbuf_exit();
err_queues:
	destroy_queues();
	return err;
}

static void __exit siw_exit(void)
{
	rdma_link_unregister(&siw_link_ops);
	siw_device_exit();
	siw_cm_exit();
	destroy_queues();
	siw_txbuf_exit();
}

module_init(siw_init);
module_exit(siw_exit);

MODULE_AUTHOR("The siw authors");
MODULE_DESCRIPTION("Software iWARP: RDMA over TCP");
MODULE_LICENSE("Dual BSD/GPL");
/* Its client has to be registered before ours; see device.c. */
MODULE_SOFTDEP("pre: rdma_cm");
/* Connections call back into iw_cm: it stays for as long as there are any. */
static const void *const iw_cm_stays __used = iw_cm_init_qp_attr;
MODULE_ALIAS_RDMA_LINK("siw");
