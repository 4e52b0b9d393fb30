/* SPDX-License-Identifier: GPL-2.0 */
#include_next <rdma/ib_verbs.h>

#ifndef SIWC_RDMA_IB_VERBS_H
#define SIWC_RDMA_IB_VERBS_H

#ifndef SIWC_HAVE_IB_VIRT_DMA_TO_PTR
static inline void *ib_virt_dma_to_ptr(u64 dma_addr)
{
	return (void *)(uintptr_t)dma_addr;
}

static inline struct page *ib_virt_dma_to_page(u64 dma_addr)
{
	return virt_to_page(ib_virt_dma_to_ptr(dma_addr));
}
#endif

/* Without it udev may rename the device, as it does with every other. */
#ifndef SIWC_HAVE_IB_MARK_NAME_ASSIGNED_BY_USER
static inline void ib_mark_name_assigned_by_user(struct ib_device *ibdev)
{
}
#endif

#ifndef SIWC_HAVE_IB_GET_CURR_PORT_STATE
static inline enum ib_port_state
ib_get_curr_port_state(struct net_device *net_dev)
{
	return netif_running(net_dev) && netif_carrier_ok(net_dev) ?
	       IB_PORT_ACTIVE : IB_PORT_DOWN;
}
#endif

/* ib_core has one of its own by this name, which it does not export. */
#ifndef SIWC_HAVE_IB_DEVICE_GET_NETDEV
struct net_device *siwc_device_get_netdev(struct ib_device *ibdev, u32 port);
#define ib_device_get_netdev siwc_device_get_netdev
#endif

/* The flag of old has a bit that no other flag of the device has. */
#ifndef SIWC_HAVE_KERNEL_CAP_FLAGS
#undef kernel_cap_flags
#define kernel_cap_flags device_cap_flags
#define IBK_ALLOW_USER_UNREG IB_DEVICE_ALLOW_USER_UNREG
#endif

#ifndef SIWC_HAVE_IB_QP_ATTR_STANDARD_BITS
#define IB_QP_ATTR_STANDARD_BITS GENMASK(20, 0)
#endif

/* Counters are named by an array of strings: so is an array of these. */
#ifndef SIWC_HAVE_RDMA_STAT_DESC
struct rdma_stat_desc {
	const char *name;
};

static inline struct rdma_hw_stats *
siwc_alloc_hw_stats_struct(const struct rdma_stat_desc *descs,
			   int num_counters, unsigned long lifespan)
{
	return rdma_alloc_hw_stats_struct(&descs->name, num_counters, lifespan);
}

#define rdma_alloc_hw_stats_struct siwc_alloc_hw_stats_struct
#endif

/*
 * The shim dispatches port events and has to know the devices to do it for.
 */
#ifndef SIWC_HAVE_CORE_PORT_EVENTS
int siwc_register_device(struct ib_device *ibdev, const char *name,
			 struct device *dma_device);
void siwc_dealloc_device(struct ib_device *ibdev);
#define ib_register_device siwc_register_device
#define ib_dealloc_device siwc_dealloc_device
#endif

/*
 * Callbacks whose prototypes changed.  The driver fills this struct, in the
 * form the newest kernel has; siwc_set_device_ops() fills the kernel's own and
 * puts a thunk in where the prototypes differ.  A member that siw does not use
 * is not here; a member the kernel does not have is dropped.
 */
#if !defined(SIWC_HAVE_OPS_U32_PORT) || \
	!defined(SIWC_HAVE_OPS_CORE_ALLOCATES_QP) || \
	!defined(SIWC_HAVE_OPS_ALLOC_PORT_STATS) || \
	!defined(SIWC_HAVE_OPS_DEVICE_GROUP) || \
	!defined(SIWC_HAVE_OPS_CREATE_CQ_BUNDLE) || \
	!defined(SIWC_HAVE_OPS_CREATE_USER_CQ) || \
	!defined(SIWC_HAVE_OPS_REG_USER_MR_DMAH) || \
	!defined(SIWC_HAVE_OPS_ROBUST_UDATA) || \
	!defined(SIWC_HAVE_OPS_FILL_RES_SRQ) || \
	!defined(SIWC_HAVE_CORE_CMD_MASK) || \
	!defined(SIWC_HAVE_CORE_PORT_EVENTS)
#define SIWC_DEVICE_OPS

struct ib_dmah;
struct iw_cm_conn_param;
struct iw_cm_id;
struct rdma_cm_id;
struct rdma_user_mmap_entry;
struct uverbs_attr_bundle;

struct siwc_device_ops {
	struct module *owner;
	enum rdma_driver_id driver_id;
	u32 uverbs_abi_ver;
	unsigned int uverbs_robust_udata:1;
	const struct attribute_group *device_group;

	int (*post_send)(struct ib_qp *qp, const struct ib_send_wr *send_wr,
			 const struct ib_send_wr **bad_send_wr);
	int (*post_recv)(struct ib_qp *qp, const struct ib_recv_wr *recv_wr,
			 const struct ib_recv_wr **bad_recv_wr);
	void (*drain_rq)(struct ib_qp *qp);
	void (*drain_sq)(struct ib_qp *qp);
	int (*poll_cq)(struct ib_cq *cq, int num_entries, struct ib_wc *wc);
	int (*req_notify_cq)(struct ib_cq *cq, enum ib_cq_notify_flags flags);
	int (*post_srq_recv)(struct ib_srq *srq,
			     const struct ib_recv_wr *recv_wr,
			     const struct ib_recv_wr **bad_recv_wr);
	int (*query_device)(struct ib_device *device,
			    struct ib_device_attr *device_attr,
			    struct ib_udata *udata);
	void (*get_dev_fw_str)(struct ib_device *device, char *str);
	int (*query_port)(struct ib_device *device, u32 port_num,
			  struct ib_port_attr *port_attr);
	int (*get_port_immutable)(struct ib_device *device, u32 port_num,
				  struct ib_port_immutable *immutable);
	int (*query_gid)(struct ib_device *device, u32 port_num, int index,
			 union ib_gid *gid);
	int (*alloc_ucontext)(struct ib_ucontext *context,
			      struct ib_udata *udata);
	void (*dealloc_ucontext)(struct ib_ucontext *context);
	int (*mmap)(struct ib_ucontext *context, struct vm_area_struct *vma);
	void (*mmap_free)(struct rdma_user_mmap_entry *entry);
	void (*disassociate_ucontext)(struct ib_ucontext *ibcontext);
	int (*alloc_pd)(struct ib_pd *pd, struct ib_udata *udata);
	int (*dealloc_pd)(struct ib_pd *pd, struct ib_udata *udata);
	int (*create_srq)(struct ib_srq *srq,
			  struct ib_srq_init_attr *srq_init_attr,
			  struct ib_udata *udata);
	int (*modify_srq)(struct ib_srq *srq, struct ib_srq_attr *srq_attr,
			  enum ib_srq_attr_mask srq_attr_mask,
			  struct ib_udata *udata);
	int (*query_srq)(struct ib_srq *srq, struct ib_srq_attr *srq_attr);
	int (*destroy_srq)(struct ib_srq *srq, struct ib_udata *udata);
	int (*create_qp)(struct ib_qp *qp, struct ib_qp_init_attr *qp_init_attr,
			 struct ib_udata *udata);
	int (*modify_qp)(struct ib_qp *qp, struct ib_qp_attr *qp_attr,
			 int qp_attr_mask, struct ib_udata *udata);
	int (*query_qp)(struct ib_qp *qp, struct ib_qp_attr *qp_attr,
			int qp_attr_mask, struct ib_qp_init_attr *qp_init_attr);
	int (*destroy_qp)(struct ib_qp *qp, struct ib_udata *udata);
	int (*create_cq)(struct ib_cq *cq, const struct ib_cq_init_attr *attr,
			 struct uverbs_attr_bundle *attrs);
	int (*create_user_cq)(struct ib_cq *cq,
			      const struct ib_cq_init_attr *attr,
			      struct uverbs_attr_bundle *attrs);
	int (*destroy_cq)(struct ib_cq *cq, struct ib_udata *udata);
	int (*resize_user_cq)(struct ib_cq *cq, unsigned int cqe,
			      struct ib_udata *udata);
	struct ib_mr *(*get_dma_mr)(struct ib_pd *pd, int mr_access_flags);
	struct ib_mr *(*reg_user_mr)(struct ib_pd *pd, u64 start, u64 length,
				     u64 virt_addr, int mr_access_flags,
				     struct ib_dmah *dmah,
				     struct ib_udata *udata);
	int (*dereg_mr)(struct ib_mr *mr, struct ib_udata *udata);
	struct ib_mr *(*alloc_mr)(struct ib_pd *pd, enum ib_mr_type mr_type,
				  u32 max_num_sg);
	int (*map_mr_sg)(struct ib_mr *mr, struct scatterlist *sg, int sg_nents,
			 unsigned int *sg_offset);
	struct rdma_hw_stats *(*alloc_hw_port_stats)(struct ib_device *device,
						     u32 port_num);
	int (*get_hw_stats)(struct ib_device *device,
			    struct rdma_hw_stats *stats, u32 port, int index);
	int (*fill_res_mr_entry)(struct sk_buff *msg, struct ib_mr *ibmr);
	int (*fill_res_cq_entry)(struct sk_buff *msg, struct ib_cq *ibcq);
	int (*fill_res_qp_entry)(struct sk_buff *msg, struct ib_qp *ibqp);
	int (*fill_res_cm_id_entry)(struct sk_buff *msg, struct rdma_cm_id *id);
	int (*fill_res_srq_entry)(struct sk_buff *msg, struct ib_srq *ibsrq);
	int (*enable_driver)(struct ib_device *dev);
	void (*dealloc_driver)(struct ib_device *dev);

	void (*iw_add_ref)(struct ib_qp *qp);
	void (*iw_rem_ref)(struct ib_qp *qp);
	struct ib_qp *(*iw_get_qp)(struct ib_device *device, int qpn);
	int (*iw_connect)(struct iw_cm_id *cm_id,
			  struct iw_cm_conn_param *conn_param);
	int (*iw_accept)(struct iw_cm_id *cm_id,
			 struct iw_cm_conn_param *conn_param);
	int (*iw_reject)(struct iw_cm_id *cm_id, const void *pdata,
			 u8 pdata_len);
	int (*iw_create_listen)(struct iw_cm_id *cm_id, int backlog);
	int (*iw_destroy_listen)(struct iw_cm_id *cm_id);

	DECLARE_RDMA_OBJ_SIZE(ib_cq);
	DECLARE_RDMA_OBJ_SIZE(ib_pd);
	DECLARE_RDMA_OBJ_SIZE(ib_qp);
	DECLARE_RDMA_OBJ_SIZE(ib_srq);
	DECLARE_RDMA_OBJ_SIZE(ib_ucontext);
};

void siwc_set_device_ops(struct ib_device *ibdev,
			 const struct siwc_device_ops *ops);

#define ib_device_ops siwc_device_ops
#define ib_set_device_ops siwc_set_device_ops
#endif

#endif
