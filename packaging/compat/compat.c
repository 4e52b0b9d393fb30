// SPDX-License-Identifier: GPL-2.0
/*
 * What a header alone cannot give to an older kernel, and the version of the
 * package.  Linked into siw.ko by the out-of-tree build; on the newest kernel
 * there is no code in it.
 */
#include <linux/bvec.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <net/tcp.h>
#include <rdma/ib_verbs.h>
#include <rdma/uverbs_ioctl.h>

MODULE_VERSION(SIWC_VERSION);

/* From here on the kernel's own names are meant. */
#undef ib_dealloc_device
#undef ib_device_ops
#undef ib_register_device
#undef ib_set_device_ops
#undef tcp_sendmsg_locked

#ifndef SIWC_HAVE_IB_DEVICE_GET_NETDEV
/* As in ib_core since 6.12: also returns a netdev that is unregistering. */
struct net_device *siwc_device_get_netdev(struct ib_device *ibdev, u32 port)
{
	struct ib_port_data *pdata;
	struct net_device *ndev;
	unsigned long flags;

	if (!rdma_is_port_valid(ibdev, port) || !ibdev->port_data)
		return NULL;

	pdata = &ibdev->port_data[port];
	spin_lock_irqsave(&pdata->netdev_lock, flags);
	ndev = rcu_dereference_protected(pdata->netdev,
					 lockdep_is_held(&pdata->netdev_lock));
	if (ndev)
		dev_hold(ndev);
	spin_unlock_irqrestore(&pdata->netdev_lock, flags);
	return ndev;
}
#endif

#ifndef SIWC_HAVE_IB_UDATA_HELPERS
int siwc_copy_validate_udata_in(struct ib_udata *udata, void *req,
				size_t kernel_size, size_t minimum_size)
{
	int err;

	if (udata->inlen < minimum_size)
		return -EINVAL;
	err = copy_struct_from_user(req, kernel_size, udata->inbuf,
				    udata->inlen);
	return err == -E2BIG ? -EOPNOTSUPP : err;
}

int siwc_respond_udata(struct ib_udata *udata, const void *src, size_t len)
{
	size_t n = min(len, udata->outlen);

	if (copy_to_user(udata->outbuf, src, n))
		return -EFAULT;
	if (n < udata->outlen &&
	    clear_user(udata->outbuf + n, udata->outlen - n))
		return -EFAULT;
	return 0;
}

int siwc_respond_empty_udata(struct ib_udata *udata)
{
	if (udata && udata->outlen && clear_user(udata->outbuf, udata->outlen))
		return -EFAULT;
	return 0;
}
#endif

#ifndef SIWC_HAVE_TCP_SPLICE_PAGES
/*
 * The bytes that one sendpage call may take from the start of @iter: a run
 * that is contiguous in one bvec and does not leave its compound page, which
 * is the unit TCP takes a reference to.
 */
static size_t splice_run(struct iov_iter *iter, struct page **page,
			 size_t *offset)
{
	const struct bio_vec *bv;
	size_t start;
	size_t len;

	while (iter->iov_offset >= iter->bvec->bv_len) {
		iter->iov_offset -= iter->bvec->bv_len;
		iter->bvec++;
		iter->nr_segs--;
	}
	bv = iter->bvec;
	len = min_t(size_t, bv->bv_len - iter->iov_offset, iter->count);
	start = bv->bv_offset + iter->iov_offset;

	*page = nth_page(bv->bv_page, start >> PAGE_SHIFT);
	*offset = offset_in_page(start);
	if (PageCompound(*page)) {
		struct page *head = compound_head(*page);

		*offset += (page_to_pfn(*page) - page_to_pfn(head)) << PAGE_SHIFT;
		*page = head;
		return min(len, page_size(head) - *offset);
	}
	return min_t(size_t, len, PAGE_SIZE - *offset);
}

static int splice_pages(struct sock *sk, struct msghdr *msg)
{
	struct iov_iter *iter = &msg->msg_iter;
	size_t sent = 0;
	int n = 0;

	while (iter->count) {
		int flags = msg->msg_flags & ~MSG_SPLICE_PAGES;
		struct page *page;
		size_t offset;
		size_t len;

		/*
		 * The next call would take the socket's error although it is
		 * the short count that is reported: leave it to the caller.
		 */
		if (sent && (sk->sk_err || sk->sk_shutdown & SEND_SHUTDOWN))
			break;
		len = splice_run(iter, &page, &offset);
		if (!sendpage_ok(page)) {
			n = -EIO;
			break;
		}
		if (len < iter->count)
			flags |= MSG_SENDPAGE_NOTLAST;
		n = tcp_sendpage_locked(sk, page, offset, len, flags);
		if (n <= 0)
			break;
		iov_iter_advance(iter, n);
		sent += n;
	}
	return sent ? sent : n;
}

/* @sk is locked by the caller. */
int siwc_tcp_sendmsg_locked(struct sock *sk, struct msghdr *msg, size_t size)
{
	if (!(msg->msg_flags & MSG_SPLICE_PAGES))
		return tcp_sendmsg_locked(sk, msg, size);
	if (iov_iter_is_bvec(&msg->msg_iter) && sk->sk_route_caps & NETIF_F_SG)
		return splice_pages(sk, msg);

	/* As newer kernels do where the route cannot scatter: copy. */
	msg->msg_flags &= ~MSG_SPLICE_PAGES;
	return tcp_sendmsg_locked(sk, msg, size);
}
#endif

#ifndef SIWC_HAVE_CORE_PORT_EVENTS
/*
 * Port events.  Newer cores raise IB_EVENT_PORT_ACTIVE and _PORT_ERR when the
 * netdev behind a port changes state; here the shim does.
 */
struct port_watch {
	struct list_head node;
	const struct ib_device *ibdev;
	enum ib_port_state last;
};

static LIST_HEAD(port_watches);
static DEFINE_SPINLOCK(port_watches_lock);

static struct port_watch *find_watch_locked(const struct ib_device *ibdev)
{
	struct port_watch *watch;

	lockdep_assert_held(&port_watches_lock);
	list_for_each_entry(watch, &port_watches, node)
		if (watch->ibdev == ibdev)
			return watch;
	return NULL;
}

static void forget_device(const struct ib_device *ibdev)
{
	struct port_watch *watch;

	spin_lock(&port_watches_lock);
	watch = find_watch_locked(ibdev);
	if (watch)
		list_del(&watch->node);
	spin_unlock(&port_watches_lock);
	kfree(watch);
}

int siwc_register_device(struct ib_device *ibdev, const char *name,
			 struct device *dma_device)
{
	struct port_watch *watch;
	int err;

	watch = kzalloc(sizeof(*watch), GFP_KERNEL);
	if (!watch)
		return -ENOMEM;
	watch->ibdev = ibdev;
	/* What happens before the device can be found is not seen. */
	watch->last = IB_PORT_NOP;

	spin_lock(&port_watches_lock);
	list_add(&watch->node, &port_watches);
	spin_unlock(&port_watches_lock);

	err = ib_register_device(ibdev, name, dma_device);
	if (err)
		forget_device(ibdev);
	return err;
}

void siwc_dealloc_device(struct ib_device *ibdev)
{
	forget_device(ibdev);
	ib_dealloc_device(ibdev);
}

/* Netdev notifiers run one at a time, under the RTNL. */
static void dispatch_port_event(struct ib_device *ibdev,
				struct net_device *ndev)
{
	enum ib_port_state now = ib_get_curr_port_state(ndev);
	struct ib_event event = {
		.device = ibdev,
		.element.port_num = 1,
		.event = now == IB_PORT_ACTIVE ? IB_EVENT_PORT_ACTIVE :
						 IB_EVENT_PORT_ERR,
	};
	struct port_watch *watch;
	bool changed;

	spin_lock(&port_watches_lock);
	watch = find_watch_locked(ibdev);
	changed = watch && watch->last != now;
	if (changed)
		watch->last = now;
	spin_unlock(&port_watches_lock);

	if (changed)
		ib_dispatch_event(&event);
}

static int netdev_event(struct notifier_block *nb, unsigned long event,
			void *ptr)
{
	struct net_device *ndev = netdev_notifier_info_to_dev(ptr);
	struct ib_device *ibdev;

	switch (event) {
	case NETDEV_UP:
	case NETDEV_CHANGE:
	case NETDEV_DOWN:
		break;
	default:
		return NOTIFY_DONE;
	}

	/* The core leaves bonding to the drivers that support it. */
	if (netif_is_lag_master(ndev) || netif_is_lag_port(ndev))
		return NOTIFY_DONE;

	ibdev = ib_device_get_by_netdev(ndev, RDMA_DRIVER_SIW);
	if (ibdev) {
		dispatch_port_event(ibdev, ndev);
		ib_device_put(ibdev);
	}
	return NOTIFY_DONE;
}

static struct notifier_block netdev_nb = {
	.notifier_call = netdev_event,
};

int siwc_init(void)
{
	return register_netdevice_notifier(&netdev_nb);
}

void siwc_exit(void)
{
	unregister_netdevice_notifier(&netdev_nb);
}
#endif

#ifdef SIWC_DEVICE_OPS
/*
 * The driver's own callbacks, where a thunk stands in for them.  There is one
 * driver here, and all its devices share one set of callbacks.
 */
static struct siwc_device_ops thunked;
static DEFINE_MUTEX(thunked_mutex);

#if !defined(SIWC_HAVE_OPS_CREATE_USER_CQ) || \
	!defined(SIWC_HAVE_OPS_CREATE_CQ_BUNDLE)
/* One callback for both kinds of CQ: it is a user's if there are attributes. */
static int create_any_cq(struct ib_cq *cq, const struct ib_cq_init_attr *attr,
			 struct uverbs_attr_bundle *attrs)
{
	if (attrs && thunked.create_user_cq)
		return thunked.create_user_cq(cq, attr, attrs);
	return thunked.create_cq(cq, attr, attrs);
}

#ifdef SIWC_HAVE_OPS_CREATE_CQ_BUNDLE
static int create_cq(struct ib_cq *cq, const struct ib_cq_init_attr *attr,
		     struct uverbs_attr_bundle *attrs)
{
	return create_any_cq(cq, attr, attrs);
}
#else
static int create_cq(struct ib_cq *cq, const struct ib_cq_init_attr *attr,
		     struct ib_udata *udata)
{
	struct uverbs_attr_bundle *attrs = NULL;

	if (udata)
		attrs = container_of(udata, struct uverbs_attr_bundle,
				     driver_udata);
	return create_any_cq(cq, attr, attrs);
}
#endif
#endif

#ifndef SIWC_HAVE_OPS_CREATE_USER_CQ
static int resize_cq(struct ib_cq *cq, int cqe, struct ib_udata *udata)
{
	if (cqe < 0)
		return -EINVAL;
	return thunked.resize_user_cq(cq, cqe, udata);
}
#endif

#ifndef SIWC_HAVE_OPS_REG_USER_MR_DMAH
static struct ib_mr *reg_user_mr(struct ib_pd *pd, u64 start, u64 length,
				 u64 virt_addr, int mr_access_flags,
				 struct ib_udata *udata)
{
	return thunked.reg_user_mr(pd, start, length, virt_addr,
				   mr_access_flags, NULL, udata);
}
#endif

#ifndef SIWC_HAVE_OPS_U32_PORT
static int query_port(struct ib_device *dev, u8 port,
		      struct ib_port_attr *attr)
{
	return thunked.query_port(dev, port, attr);
}

static int get_port_immutable(struct ib_device *dev, u8 port,
			      struct ib_port_immutable *immutable)
{
	return thunked.get_port_immutable(dev, port, immutable);
}

static int query_gid(struct ib_device *dev, u8 port, int index,
		     union ib_gid *gid)
{
	return thunked.query_gid(dev, port, index, gid);
}

static int get_hw_stats(struct ib_device *dev, struct rdma_hw_stats *stats,
			u8 port, int index)
{
	return thunked.get_hw_stats(dev, stats, port, index);
}

typedef u8 siwc_port;
#else
typedef u32 siwc_port;
#endif

#ifndef SIWC_HAVE_OPS_ALLOC_PORT_STATS
/* Port 0 stands for the device itself. */
static struct rdma_hw_stats *alloc_hw_stats(struct ib_device *dev,
					    siwc_port port)
{
	return port ? thunked.alloc_hw_port_stats(dev, port) : NULL;
}
#endif

#ifndef SIWC_HAVE_OPS_CORE_ALLOCATES_QP
/* The core fills in the rest when create_qp() has returned. */
static struct ib_qp *create_qp(struct ib_pd *pd, struct ib_qp_init_attr *attr,
			       struct ib_udata *udata)
{
	struct ib_qp *qp = kzalloc(thunked.size_ib_qp, GFP_KERNEL);
	int err;

	if (!qp)
		return ERR_PTR(-ENOMEM);
	/* A connection may find it before the core fills this in. */
	qp->device = pd->device;
	qp->real_qp = qp;
	qp->pd = pd;
	qp->qp_type = attr->qp_type;
	qp->event_handler = attr->event_handler;
	qp->qp_context = attr->qp_context;
	err = thunked.create_qp(qp, attr, udata);
	if (err) {
		kfree(qp);
		return ERR_PTR(err);
	}
	return qp;
}

static int destroy_qp(struct ib_qp *qp, struct ib_udata *udata)
{
	int err = thunked.destroy_qp(qp, udata);

	if (!err)
		kfree(qp);
	return err;
}
#endif

#ifndef SIWC_HAVE_CORE_PORT_EVENTS
static void dealloc_driver(struct ib_device *ibdev)
{
	forget_device(ibdev);
	thunked.dealloc_driver(ibdev);
}
#endif

#define KEEP(member) (real->member = ops->member)
/* The thunk bears the name of the member it stands in for. */
#define THUNK(member)						\
	do {							\
		if (ops->member) {				\
			thunked.member = ops->member;		\
			real->member = member;			\
		}						\
	} while (0)

static void fill_same(struct ib_device_ops *real,
		      const struct siwc_device_ops *ops)
{
	KEEP(owner);
	KEEP(driver_id);
	KEEP(uverbs_abi_ver);
	KEEP(post_send);
	KEEP(post_recv);
	KEEP(drain_rq);
	KEEP(drain_sq);
	KEEP(poll_cq);
	KEEP(req_notify_cq);
	KEEP(post_srq_recv);
	KEEP(query_device);
	KEEP(get_dev_fw_str);
	KEEP(alloc_ucontext);
	KEEP(dealloc_ucontext);
	KEEP(mmap);
	KEEP(mmap_free);
	KEEP(disassociate_ucontext);
	KEEP(alloc_pd);
	KEEP(dealloc_pd);
	KEEP(create_srq);
	KEEP(modify_srq);
	KEEP(query_srq);
	KEEP(destroy_srq);
	KEEP(modify_qp);
	KEEP(query_qp);
	KEEP(destroy_cq);
	KEEP(get_dma_mr);
	KEEP(dereg_mr);
	KEEP(alloc_mr);
	KEEP(map_mr_sg);
	KEEP(fill_res_mr_entry);
	KEEP(fill_res_cq_entry);
	KEEP(fill_res_qp_entry);
	KEEP(fill_res_cm_id_entry);
	KEEP(enable_driver);
	KEEP(iw_add_ref);
	KEEP(iw_rem_ref);
	KEEP(iw_get_qp);
	KEEP(iw_connect);
	KEEP(iw_accept);
	KEEP(iw_reject);
	KEEP(iw_create_listen);
	KEEP(iw_destroy_listen);
	KEEP(size_ib_cq);
	KEEP(size_ib_pd);
	KEEP(size_ib_srq);
	KEEP(size_ib_ucontext);
}

static void fill_changed(struct ib_device_ops *real,
			 const struct siwc_device_ops *ops)
{
#ifdef SIWC_HAVE_OPS_ROBUST_UDATA
	KEEP(uverbs_robust_udata);
#endif
#ifdef SIWC_HAVE_OPS_DEVICE_GROUP
	KEEP(device_group);
#endif
#ifdef SIWC_HAVE_OPS_FILL_RES_SRQ
	KEEP(fill_res_srq_entry);
#endif
#ifdef SIWC_HAVE_OPS_U32_PORT
	KEEP(query_port);
	KEEP(get_port_immutable);
	KEEP(query_gid);
	KEEP(get_hw_stats);
#else
	THUNK(query_port);
	THUNK(get_port_immutable);
	THUNK(query_gid);
	THUNK(get_hw_stats);
#endif
#ifdef SIWC_HAVE_OPS_ALLOC_PORT_STATS
	KEEP(alloc_hw_port_stats);
#else
	if (ops->alloc_hw_port_stats) {
		thunked.alloc_hw_port_stats = ops->alloc_hw_port_stats;
		real->alloc_hw_stats = alloc_hw_stats;
	}
#endif
#ifdef SIWC_HAVE_OPS_CORE_ALLOCATES_QP
	KEEP(create_qp);
	KEEP(destroy_qp);
	KEEP(size_ib_qp);
#else
	THUNK(create_qp);
	THUNK(destroy_qp);
	thunked.size_ib_qp = ops->size_ib_qp;
#endif
#ifdef SIWC_HAVE_OPS_CREATE_USER_CQ
	KEEP(create_user_cq);
	KEEP(resize_user_cq);
#else
	if (ops->create_user_cq)
		thunked.create_user_cq = ops->create_user_cq;
	if (ops->resize_user_cq) {
		thunked.resize_user_cq = ops->resize_user_cq;
		real->resize_cq = resize_cq;
	}
#endif
#if defined(SIWC_HAVE_OPS_CREATE_USER_CQ) && \
	defined(SIWC_HAVE_OPS_CREATE_CQ_BUNDLE)
	KEEP(create_cq);
#else
	THUNK(create_cq);
#endif
#ifdef SIWC_HAVE_OPS_REG_USER_MR_DMAH
	KEEP(reg_user_mr);
#else
	THUNK(reg_user_mr);
#endif
#ifdef SIWC_HAVE_CORE_PORT_EVENTS
	KEEP(dealloc_driver);
#else
	THUNK(dealloc_driver);
#endif
}

#ifndef SIWC_HAVE_CORE_CMD_MASK
/* What newer cores let a user call; each needs its callback as well. */
static void enable_commands(struct ib_device *ibdev)
{
	static const u8 commands[] = {
		IB_USER_VERBS_CMD_ALLOC_PD,
		IB_USER_VERBS_CMD_CREATE_COMP_CHANNEL,
		IB_USER_VERBS_CMD_CREATE_CQ,
		IB_USER_VERBS_CMD_CREATE_QP,
		IB_USER_VERBS_CMD_CREATE_SRQ,
		IB_USER_VERBS_CMD_DEALLOC_PD,
		IB_USER_VERBS_CMD_DEREG_MR,
		IB_USER_VERBS_CMD_DESTROY_CQ,
		IB_USER_VERBS_CMD_DESTROY_QP,
		IB_USER_VERBS_CMD_DESTROY_SRQ,
		IB_USER_VERBS_CMD_GET_CONTEXT,
		IB_USER_VERBS_CMD_MODIFY_QP,
		IB_USER_VERBS_CMD_MODIFY_SRQ,
		IB_USER_VERBS_CMD_QUERY_DEVICE,
		IB_USER_VERBS_CMD_QUERY_PORT,
		IB_USER_VERBS_CMD_QUERY_QP,
		IB_USER_VERBS_CMD_QUERY_SRQ,
		IB_USER_VERBS_CMD_REG_MR,
		IB_USER_VERBS_CMD_RESIZE_CQ,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		ibdev->uverbs_cmd_mask |= BIT_ULL(commands[i]);
	ibdev->uverbs_ex_cmd_mask |=
		BIT_ULL(IB_USER_VERBS_EX_CMD_CREATE_CQ) |
		BIT_ULL(IB_USER_VERBS_EX_CMD_CREATE_QP) |
		BIT_ULL(IB_USER_VERBS_EX_CMD_MODIFY_QP);
}
#endif

void siwc_set_device_ops(struct ib_device *ibdev,
			 const struct siwc_device_ops *ops)
{
	static struct ib_device_ops real;

	mutex_lock(&thunked_mutex);
	memset(&real, 0, sizeof(real));
	fill_same(&real, ops);
	fill_changed(&real, ops);
	ib_set_device_ops(ibdev, &real);
	mutex_unlock(&thunked_mutex);
#ifndef SIWC_HAVE_OPS_DEVICE_GROUP
	rdma_set_device_sysfs_group(ibdev, ops->device_group);
#endif
#ifndef SIWC_HAVE_CORE_CMD_MASK
	enable_commands(ibdev);
#endif
}
#endif
