// SPDX-License-Identifier: GPL-2.0
/*
 * Uses, in its newest form, everything the compat layer promises.  It does
 * nothing useful and is never loaded: that it builds on a kernel, without a
 * warning and with nothing left unresolved, is the test.
 */
#include <linux/bvec.h>
#include <linux/crc32.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/socket.h>
#include <linux/timer.h>
#include <linux/unaligned.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>
#include <net/sock.h>
#include <net/tcp.h>
#include <rdma/ib_umem.h>
#include <rdma/ib_verbs.h>
#include <rdma/iter.h>
#include <rdma/iw_cm.h>
#include <rdma/rdma_netlink.h>
#include <rdma/uverbs_ioctl.h>
#include <trace/events/sock.h>

struct sample_dev {
	struct ib_device base;
	struct timer_list timer;
	spinlock_t lock;
	int ticks __guarded_by(&lock);
};

struct sample_cq {
	struct ib_cq base;
};

struct sample_qp {
	struct ib_qp base;
};

struct sample_mr {
	struct ib_mr base;
	size_t n;
	u64 page[] __counted_by(n);
};

static struct workqueue_struct *sample_wq;

static int sample_create_cq(struct ib_cq *cq,
			    const struct ib_cq_init_attr *attr,
			    struct uverbs_attr_bundle *attrs)
{
	return 0;
}

static int sample_create_user_cq(struct ib_cq *cq,
				 const struct ib_cq_init_attr *attr,
				 struct uverbs_attr_bundle *attrs)
{
	struct ib_udata *udata = &attrs->driver_udata;
	struct {
		u64 a;
		u64 b;
	} body;
	int err;

	err = ib_copy_validate_udata_in(udata, body, a);
	if (!err)
		err = ib_is_udata_in_empty(udata);
	if (!err)
		err = ib_no_udata_io(udata);
	if (!err)
		err = ib_respond_empty_udata(udata);
	return err ? err : ib_respond_udata(udata, body);
}

static int sample_create_qp(struct ib_qp *qp, struct ib_qp_init_attr *init,
			    struct ib_udata *udata)
{
	return 0;
}

static int sample_modify_qp(struct ib_qp *qp, struct ib_qp_attr *attr, int mask,
			    struct ib_udata *udata)
{
	return mask & ~IB_QP_ATTR_STANDARD_BITS ? -EOPNOTSUPP : 0;
}

static int sample_destroy_qp(struct ib_qp *qp, struct ib_udata *udata)
{
	return 0;
}

static struct ib_mr *sample_reg_user_mr(struct ib_pd *pd, u64 start, u64 length,
					u64 virt_addr, int access,
					struct ib_dmah *dmah,
					struct ib_udata *udata)
{
	struct ib_block_iter biter;
	struct sample_mr *mr;
	struct ib_umem *umem;
	size_t i = 0;

	umem = ib_umem_get_va(pd->device, start, length, access);
	if (IS_ERR(umem))
		return ERR_CAST(umem);
	mr = kvzalloc_flex(*mr, page, ib_umem_num_pages(umem));
	if (!mr) {
		ib_umem_release(umem);
		return ERR_PTR(-ENOMEM);
	}
	mr->n = ib_umem_num_pages(umem);
	rdma_umem_for_each_dma_block(umem, &biter, PAGE_SIZE) {
		u64 dma = rdma_block_iter_dma_address(&biter);

		WARN_ON(!ib_virt_dma_to_page(dma) || !ib_virt_dma_to_ptr(dma));
		mr->page[i++] = dma;
	}
	return &mr->base;
}

static int sample_mmap(struct ib_ucontext *ctx, struct vm_area_struct *vma)
{
	vm_flags_set(vma, VM_DONTCOPY);
	return 0;
}

static void sample_dealloc_driver(struct ib_device *base)
{
}

static int sample_query_device(struct ib_device *base,
			       struct ib_device_attr *attr,
			       struct ib_udata *udata)
{
	attr->device_cap_flags = IB_DEVICE_MEM_MGT_EXTENSIONS;
	attr->kernel_cap_flags |= IBK_ALLOW_USER_UNREG;
	return 0;
}

static int sample_get_port_immutable(struct ib_device *base, u32 port,
				     struct ib_port_immutable *immutable)
{
	return 0;
}

static int sample_query_gid(struct ib_device *base, u32 port, int index,
			    union ib_gid *gid)
{
	return 0;
}

static struct rdma_hw_stats *sample_alloc_stats(struct ib_device *base,
						u32 port)
{
	static const struct rdma_stat_desc descs[2] = {
		[0].name = "ticks",
		[1].name = "tocks",
	};

	return rdma_alloc_hw_stats_struct(descs, 2,
					  RDMA_HW_STATS_DEFAULT_LIFESPAN);
}

static int sample_get_stats(struct ib_device *base, struct rdma_hw_stats *stats,
			    u32 port, int index)
{
	return 2;
}

static int sample_listen(struct iw_cm_id *cm_id, int backlog)
{
	bool v6only = cm_id->afonly;

	return v6only == cm_id->afonly ? 0 : -EINVAL;
}

static int sample_query_port(struct ib_device *base, u32 port,
			     struct ib_port_attr *attr)
{
	struct net_device *ndev = ib_device_get_netdev(base, port);

	if (ndev)
		attr->state = ib_get_curr_port_state(ndev);
	dev_put(ndev);
	return 0;
}

static const struct attribute_group sample_group = {
	.name = "sample",
};

static const struct ib_device_ops sample_ops = {
	.owner = THIS_MODULE,
	.driver_id = RDMA_DRIVER_SIW,
	.uverbs_abi_ver = 1,
	.uverbs_robust_udata = 1,
	.alloc_hw_port_stats = sample_alloc_stats,
	.create_cq = sample_create_cq,
	.create_qp = sample_create_qp,
	.create_user_cq = sample_create_user_cq,
	.device_group = &sample_group,
	.dealloc_driver = sample_dealloc_driver,
	.destroy_qp = sample_destroy_qp,
	.get_hw_stats = sample_get_stats,
	.get_port_immutable = sample_get_port_immutable,
	.iw_create_listen = sample_listen,
	.mmap = sample_mmap,
	.modify_qp = sample_modify_qp,
	.query_device = sample_query_device,
	.query_gid = sample_query_gid,
	.query_port = sample_query_port,
	.reg_user_mr = sample_reg_user_mr,
	INIT_RDMA_OBJ_SIZE(ib_cq, sample_cq, base),
	INIT_RDMA_OBJ_SIZE(ib_qp, sample_qp, base),
};

static void sample_tick(struct timer_list *t)
{
	struct sample_dev *dev = timer_container_of(dev, t, timer);

	spin_lock(&dev->lock);
	dev->ticks++;
	spin_unlock(&dev->lock);
}

static void sample_data_ready(struct sock *sk)
{
	trace_sk_data_ready(sk);
	sk->sk_use_task_frag = false;
}

static int sample_take(read_descriptor_t *desc, struct sk_buff *skb,
		       unsigned int offset, size_t len)
{
	return skb_frags_readable(skb) ? len : -EFAULT;
}

static int sample_send(struct socket *sock, struct sockaddr *to,
		       struct page *page, size_t len)
{
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_SPLICE_PAGES };
	struct bio_vec bv;
	u32 crc;
	int n;

	n = kernel_bind(sock, (struct sockaddr_unsized *)to, sizeof(*to));
	if (!n)
		n = kernel_connect(sock, (struct sockaddr_unsized *)to,
				   sizeof(*to), 0);
	if (n)
		return n;

	crc = crc32c(~0u, page_address(page), len);
	put_unaligned_le32(crc, page_address(page) + len);
	bvec_set_page(&bv, page, len, 0);
	iov_iter_bvec(&msg.msg_iter, ITER_SOURCE, &bv, 1, len);
	lock_sock(sock->sk);
	n = tcp_sendmsg_locked(sock->sk, &msg, len);
	release_sock(sock->sk);
	return n;
}

static int sample_newlink(const char *name, struct net_device *ndev)
{
	struct sample_dev *dev;
	int *twelve;
	int err;

	dev = ib_alloc_device(sample_dev, base);
	if (!dev)
		return -ENOMEM;
	twelve = kzalloc_objs(*twelve, 12, GFP_NOFS);
	kfree(twelve);
	kfree(kmalloc_obj(struct sample_cq));
	vfree(__vmalloc(PAGE_SIZE, GFP_KERNEL_ACCOUNT | __GFP_ZERO));

	spin_lock_init(&dev->lock);
	timer_setup(&dev->timer, sample_tick, 0);
	ib_set_device_ops(&dev->base, &sample_ops);
	ib_mark_name_assigned_by_user(&dev->base);
	err = ib_device_set_netdev(&dev->base, ndev, 1);
	if (!err)
		err = ib_register_device(&dev->base, name, NULL);
	if (err) {
		timer_delete_sync(&dev->timer);
		ib_dealloc_device(&dev->base);
	}
	return err;
}

static struct rdma_link_ops sample_link_ops = {
	.type = "siw",
	.newlink = sample_newlink,
};

static int __init sample_init(void)
{
	/* Keeps the functions no one calls from being dropped unseen. */
	static const void *const used[] __used = {
		sample_data_ready, sample_take, sample_send,
	};

	sample_wq = alloc_workqueue("siw_sample", WQ_PERCPU, 0);
	if (!sample_wq)
		return -ENOMEM;
	rdma_link_register(&sample_link_ops);
	return 0;
}

static void __exit sample_exit(void)
{
	rdma_link_unregister(&sample_link_ops);
	ib_unregister_driver(RDMA_DRIVER_SIW);
	destroy_workqueue(sample_wq);
}

module_init(sample_init);
module_exit(sample_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat sample");
MODULE_ALIAS_RDMA_LINK("siw");
