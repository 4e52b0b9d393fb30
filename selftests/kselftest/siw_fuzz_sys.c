// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * System calls in any order, with arguments that are right, nearly right and
 * wrong, from several threads at once.
 *
 *	netns sa                          netns sb
 *	+----------------------+          +----------------------+
 *	| siwa                 |          |                 siwb |
 *	|  uverbs, rdma_cm     |<- veth ->|                      |
 *	+----------------------+          +----------------------+
 *
 * Raw commands go to /dev/infiniband/uverbs* (write, ioctl, mmap, close) and
 * /dev/infiniband/rdma_cm; another thread goes through libibverbs and
 * librdmacm, and never gets what it wants for long.  Each round is a process,
 * which may crash over its own arguments.  The kernel must not mind, and the
 * process must be able to exit and to be killed.
 *
 * SIW_FUZZ_SECONDS says how long, --seed where to begin.
 */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <rdma/ib_user_ioctl_cmds.h>
#include <rdma/ib_user_verbs.h>
#include <rdma/ib_user_ioctl_verbs.h>
#include <rdma/rdma_user_ioctl_cmds.h>
#include <rdma/siw-abi.h>

#include "chance.h"
#include "harness.h"

/* The library has enumerators of the same names. */
#define RDMA_PS_IPOIB UCM_PS_IPOIB
#define RDMA_PS_IB UCM_PS_IB
#define RDMA_PS_TCP UCM_PS_TCP
#define RDMA_PS_UDP UCM_PS_UDP
#define RDMA_MC_JOIN_FLAG_FULLMEMBER UCM_MC_FULLMEMBER
#define RDMA_MC_JOIN_FLAG_SENDONLY_FULLMEMBER UCM_MC_SENDONLY
#define RDMA_MC_JOIN_FLAG_RESERVED UCM_MC_RESERVED
#define RDMA_OPTION_ID UCM_OPTION_ID
#define RDMA_OPTION_IB UCM_OPTION_IB
#define RDMA_OPTION_ID_TOS UCM_OPTION_ID_TOS
#define RDMA_OPTION_ID_REUSEADDR UCM_OPTION_ID_REUSEADDR
#define RDMA_OPTION_ID_AFONLY UCM_OPTION_ID_AFONLY
#define RDMA_OPTION_ID_ACK_TIMEOUT UCM_OPTION_ID_ACK_TIMEOUT
#define RDMA_OPTION_IB_PATH UCM_OPTION_IB_PATH
#include <rdma/rdma_user_cm.h>
#undef RDMA_PS_TCP

#define SCRATCH (256 << 10)
#define NFD 3
#define NIDS 16

static volatile bool stop;
static uint8_t *scratch;		/* then a page nobody may touch */
static int verbs_fd[NFD];
static int cm_fd[NFD];
static char verbs_path[512];
static uint32_t cm_ids[NIDS];		/* ids that were handed out */
static uint32_t qpns[NIDS];
static uint64_t keys[NIDS];		/* for mmap */
static uint16_t base_port;
static unsigned long *done, *good;	/* shared with the parent */

/* ---- arguments ---- */

static uint32_t odd32(struct rng *r)
{
	static const uint32_t v[] = { 0, 1, 2, 7, 0x7fffffff, 0x80000000,
				      0xffffffff, 65536, 1 << 20 };

	return chance(r, 60) ? v[below(r, ARRAY_SIZE(v))] : rnd(r);
}

static uint64_t ptr(struct rng *r)
{
	uint64_t good_one = (uintptr_t)scratch + below(r, SCRATCH / 2) / 8 * 8;

	switch (below(r, 40)) {
	case 0:
		return 0;
	case 1:
		return (uintptr_t)scratch + SCRATCH - 4;
	case 2:
		return 0xffff888000000000ull + rnd(r);
	case 3:
		return rnd64(r);
	case 4:
		return good_one + 1;
	default:
		return good_one;
	}
}

/* Handles are small numbers, given out from 0. */
static uint32_t handle(struct rng *r)
{
	return chance(r, 95) ? below(r, 24) : odd32(r);
}

/* Sizes the kernel can afford, mostly. */
static uint32_t some_count(struct rng *r)
{
	return chance(r, 95) ? below(r, 300) : odd32(r);
}

static void *field(void *base, size_t at)
{
	return (uint8_t *)base + at;
}

/* ---- uverbs: write() ---- */

/**
 * struct request - a command, as it is written
 * @hdr: length in words comes from @len
 * @body: the command's own struct
 */
struct request {
	struct ib_uverbs_cmd_hdr hdr;
	uint8_t body[1000];
};

static size_t get_context(struct rng *r, void *body, uint32_t *out)
{
	struct ib_uverbs_get_context *c = body;

	c->response = ptr(r);
	*out = sizeof(struct ib_uverbs_get_context_resp) +
	       sizeof(struct siw_uresp_alloc_ctx);
	return sizeof(*c);
}

static size_t alloc_pd(struct rng *r, void *body, uint32_t *out)
{
	struct ib_uverbs_alloc_pd *c = body;

	c->response = ptr(r);
	*out = sizeof(struct ib_uverbs_alloc_pd_resp);
	return sizeof(*c);
}

static size_t reg_mr(struct rng *r, void *body, uint32_t *out)
{
	struct ib_uverbs_reg_mr *c = body;
	struct siw_ureq_reg_mr *own = field(body, sizeof(*c));

	c->response = ptr(r);
	c->start = ptr(r);
	c->length = chance(r, 90) ? below(r, 65536) : rnd64(r);
	c->hca_va = chance(r, 90) ? c->start : rnd64(r);
	c->pd_handle = handle(r);
	c->access_flags = chance(r, 90) ? below(r, 8) : rnd(r);
	own->stag_key = rnd(r);
	*out = sizeof(struct ib_uverbs_reg_mr_resp) +
	       sizeof(struct siw_uresp_reg_mr);
	return sizeof(*c) + sizeof(*own);
}

static size_t create_channel(struct rng *r, void *body, uint32_t *out)
{
	struct ib_uverbs_create_comp_channel *c = body;

	c->response = ptr(r);
	*out = sizeof(struct ib_uverbs_create_comp_channel_resp);
	return sizeof(*c);
}

static size_t create_cq(struct rng *r, void *body, uint32_t *out)
{
	struct ib_uverbs_create_cq *c = body;

	c->response = ptr(r);
	c->user_handle = rnd64(r);
	c->cqe = some_count(r);
	c->comp_vector = chance(r, 90) ? 0 : odd32(r);
	c->comp_channel = chance(r, 70) ? -1 : (int)below(r, 40);
	*out = sizeof(struct ib_uverbs_create_cq_resp) +
	       sizeof(struct siw_uresp_create_cq);
	return sizeof(*c);
}

static size_t create_qp(struct rng *r, void *body, uint32_t *out)
{
	struct ib_uverbs_create_qp *c = body;

	c->response = ptr(r);
	c->user_handle = rnd64(r);
	c->pd_handle = handle(r);
	c->send_cq_handle = handle(r);
	c->recv_cq_handle = chance(r, 50) ? c->send_cq_handle : handle(r);
	c->is_srq = chance(r, 30);
	c->srq_handle = handle(r);
	c->max_send_wr = some_count(r);
	c->max_recv_wr = some_count(r);
	c->max_send_sge = below(r, 8);
	c->max_recv_sge = below(r, 8);
	c->max_inline_data = below(r, 82);
	c->sq_sig_all = rnd(r);
	c->qp_type = chance(r, 90) ? IBV_QPT_RC : below(r, 12);
	*out = sizeof(struct ib_uverbs_create_qp_resp) +
	       sizeof(struct siw_uresp_create_qp);
	return sizeof(*c);
}

static size_t create_srq(struct rng *r, void *body, uint32_t *out)
{
	struct ib_uverbs_create_srq *c = body;

	c->response = ptr(r);
	c->user_handle = rnd64(r);
	c->pd_handle = handle(r);
	c->max_wr = some_count(r);
	c->max_sge = below(r, 8);
	c->srq_limit = some_count(r);
	*out = sizeof(struct ib_uverbs_create_srq_resp) +
	       sizeof(struct siw_uresp_create_srq);
	return sizeof(*c);
}

static size_t modify_qp(struct rng *r, void *body, uint32_t *out)
{
	struct ib_uverbs_modify_qp *c = body;

	c->qp_handle = handle(r);
	c->attr_mask = chance(r, 70) ? IBV_QP_STATE : rnd(r);
	if (chance(r, 30))
		c->attr_mask |= IBV_QP_ACCESS_FLAGS;
	c->qp_access_flags = rnd(r) & 15;
	c->qp_state = below(r, 8);
	c->cur_qp_state = below(r, 8);
	c->port_num = chance(r, 90) ? 1 : rnd(r);
	*out = 0;
	return sizeof(*c);
}

static size_t query_qp(struct rng *r, void *body, uint32_t *out)
{
	struct ib_uverbs_query_qp *c = body;

	c->response = ptr(r);
	c->qp_handle = handle(r);
	c->attr_mask = rnd(r);
	*out = sizeof(struct ib_uverbs_query_qp_resp);
	return sizeof(*c);
}

static size_t post_send(struct rng *r, void *body, uint32_t *out)
{
	struct ib_uverbs_post_send *c = body;
	struct ib_uverbs_send_wr *wr = field(body, sizeof(*c));
	struct ib_uverbs_sge *sge = field(wr, sizeof(*wr));

	c->response = ptr(r);
	c->qp_handle = handle(r);
	c->wqe_size = sizeof(*wr);
	*out = sizeof(struct ib_uverbs_post_send_resp);
	if (chance(r, 60))
		return sizeof(*c);	/* the doorbell */
	c->wr_count = 1;
	c->sge_count = 1;
	wr->num_sge = chance(r, 90) ? 1 : odd32(r);
	wr->opcode = below(r, 16);
	wr->send_flags = rnd(r) & 15;
	*sge = (struct ib_uverbs_sge){ ptr(r), below(r, 4096), rnd(r) };
	return sizeof(*c) + sizeof(*wr) + sizeof(*sge);
}

/* Commands that are a response and one handle, or less. */
static size_t small_command(struct rng *r, void *body, uint32_t *out)
{
	struct ib_uverbs_destroy_qp *c = body;

	c->response = ptr(r);
	c->qp_handle = handle(r);
	c->reserved = some_count(r);
	*out = 8 * below(r, 40);
	return sizeof(*c);
}

/* And those that have no response. */
static size_t bare_command(struct rng *r, void *body, uint32_t *out)
{
	uint32_t *c = body;

	c[0] = handle(r);
	c[1] = chance(r, 50) ? below(r, 2) : rnd(r);
	*out = 0;
	return 4 * (1 + below(r, 2));
}

static const struct command {
	uint32_t number;
	size_t (*fill)(struct rng *r, void *body, uint32_t *out);
} commands[] = {
	{ IB_USER_VERBS_CMD_GET_CONTEXT, get_context },
	{ IB_USER_VERBS_CMD_ALLOC_PD, alloc_pd },
	{ IB_USER_VERBS_CMD_REG_MR, reg_mr },
	{ IB_USER_VERBS_CMD_REG_MR, reg_mr },
	{ IB_USER_VERBS_CMD_CREATE_COMP_CHANNEL, create_channel },
	{ IB_USER_VERBS_CMD_CREATE_CQ, create_cq },
	{ IB_USER_VERBS_CMD_CREATE_CQ, create_cq },
	{ IB_USER_VERBS_CMD_CREATE_QP, create_qp },
	{ IB_USER_VERBS_CMD_CREATE_QP, create_qp },
	{ IB_USER_VERBS_CMD_CREATE_QP, create_qp },
	{ IB_USER_VERBS_CMD_CREATE_SRQ, create_srq },
	{ IB_USER_VERBS_CMD_MODIFY_QP, modify_qp },
	{ IB_USER_VERBS_CMD_QUERY_QP, query_qp },
	{ IB_USER_VERBS_CMD_POST_SEND, post_send },
	{ IB_USER_VERBS_CMD_POST_SEND, post_send },
	{ IB_USER_VERBS_CMD_POST_RECV, post_send },
	{ IB_USER_VERBS_CMD_POST_SRQ_RECV, post_send },
	{ IB_USER_VERBS_CMD_DESTROY_QP, small_command },
	{ IB_USER_VERBS_CMD_DESTROY_CQ, small_command },
	{ IB_USER_VERBS_CMD_DESTROY_SRQ, small_command },
	{ IB_USER_VERBS_CMD_POLL_CQ, small_command },
	{ IB_USER_VERBS_CMD_RESIZE_CQ, small_command },
	{ IB_USER_VERBS_CMD_QUERY_SRQ, small_command },
	{ IB_USER_VERBS_CMD_MODIFY_SRQ, small_command },
	{ IB_USER_VERBS_CMD_QUERY_DEVICE, small_command },
	{ IB_USER_VERBS_CMD_QUERY_PORT, small_command },
	{ IB_USER_VERBS_CMD_DEALLOC_PD, bare_command },
	{ IB_USER_VERBS_CMD_DEREG_MR, bare_command },
	{ IB_USER_VERBS_CMD_REQ_NOTIFY_CQ, bare_command },
};

/* Wrong in one place or two. */
static void spoil(struct rng *r, uint8_t *body, size_t *len)
{
	size_t i;

	switch (below(r, 3)) {
	case 0:
		i = below(r, *len / 4);
		*(uint32_t *)(body + 4 * i) = odd32(r);
		break;
	case 1:
		*len = below(r, *len + 1) / 4 * 4;
		break;
	default:
		*len += 4 * below(r, 20);
	}
}

/* What a create gave: numbers for rdma_cm, keys for mmap. */
static void learn(struct rng *r, uint32_t number, const struct request *q)
{
	uint64_t at;
	const uint32_t *resp;

	memcpy(&at, q->body, sizeof(at));
	if (at < (uintptr_t)scratch ||
	    at + 256 > (uintptr_t)scratch + SCRATCH || at % 4)
		return;
	resp = (const uint32_t *)(uintptr_t)at;
	if (number == IB_USER_VERBS_CMD_CREATE_QP) {
		qpns[below(r, NIDS)] = resp[1];
		keys[below(r, NIDS)] = resp[12];
		keys[below(r, NIDS)] = resp[14];
	} else if (number == IB_USER_VERBS_CMD_CREATE_CQ) {
		keys[below(r, NIDS)] = resp[4];
	} else if (number == IB_USER_VERBS_CMD_CREATE_SRQ) {
		keys[below(r, NIDS)] = resp[6];
	}
}

/* A size that the core takes as it is: what comes of it is not the driver's. */
static void bound_wqe(struct request *q)
{
	struct ib_uverbs_post_send *c = (void *)q->body;

	switch (q->hdr.command) {
	case IB_USER_VERBS_CMD_POST_SEND:
	case IB_USER_VERBS_CMD_POST_RECV:
	case IB_USER_VERBS_CMD_POST_SRQ_RECV:
		if (c->wqe_size > 1 << 16)
			c->wqe_size = 1 << 16;
	}
}

static bool verbs_write(struct rng *r)
{
	const struct command *c = &commands[below(r, ARRAY_SIZE(commands))];
	struct request q = { 0 };
	uint32_t out = 0;
	size_t len;

	q.hdr.command = c->number;
	len = c->fill(r, q.body, &out);
	if (chance(r, 15))
		spoil(r, q.body, &len);
	if (chance(r, 3))
		q.hdr.command = rnd(r) & 0x800000ff;
	if (chance(r, 3))
		out = odd32(r);
	q.hdr.in_words = (sizeof(q.hdr) + len) / 4;
	q.hdr.out_words = out / 4;
	if (chance(r, 2))
		q.hdr.in_words = rnd(r);
	bound_wqe(&q);
	if (write(verbs_fd[below(r, NFD)], &q, sizeof(q.hdr) + len) < 0)
		return false;
	learn(r, q.hdr.command, &q);
	return true;
}

/* ---- uverbs: ioctl(), mmap() ---- */

static bool verbs_ioctl(struct rng *r)
{
	struct {
		struct ib_uverbs_ioctl_hdr hdr;
		struct ib_uverbs_attr attrs[12];
	} q = { 0 };
	unsigned int i, n = below(r, 9);
	uint16_t next = 0;

	q.hdr.object_id = chance(r, 95) ? below(r, 17) : rnd(r);
	q.hdr.method_id = chance(r, 95) ? below(r, 8) : rnd(r);
	q.hdr.driver_id = chance(r, 95) ? RDMA_DRIVER_SIW : rnd(r);
	q.hdr.num_attrs = n;
	q.hdr.length = sizeof(q.hdr) + n * sizeof(q.attrs[0]);
	if (chance(r, 3))
		q.hdr.length = rnd(r);
	for (i = 0; i < n; i++) {
		struct ib_uverbs_attr *a = &q.attrs[i];

		/* Mostly in order, each once, the last for the driver. */
		a->attr_id = chance(r, 90) ? next : rnd(r);
		next += 1 + below(r, 2);
		if (i + 2 >= n && chance(r, 50))
			a->attr_id = UVERBS_ATTR_UHW_IN + n - i - 1;
		a->flags = chance(r, 50) ? UVERBS_ATTR_F_MANDATORY :
			   chance(r, 95) ? 0 : rnd(r);
		a->len = chance(r, 60) ? 4u << below(r, 3) :
			 chance(r, 60) ? 0 : 8 * below(r, 40);
		a->data = chance(r, 40) ? ptr(r) : chance(r, 90) ?
			  below(r, 32) : rnd64(r);
	}
	return !ioctl(verbs_fd[below(r, NFD)], RDMA_VERBS_IOCTL, &q);
}

static bool verbs_mmap(struct rng *r)
{
	size_t len = chance(r, 50) ? 1u << below(r, 18) : odd32(r) % (1 << 22);
	off_t off = chance(r, 60) ? keys[below(r, NIDS)] :
				    (uint64_t)below(r, 1 << 16) << 12;
	uint8_t *m;

	m = mmap(NULL, len, chance(r, 90) ? PROT_READ | PROT_WRITE : PROT_READ,
		 chance(r, 90) ? MAP_SHARED : MAP_PRIVATE,
		 verbs_fd[below(r, NFD)], off);
	if (m == MAP_FAILED)
		return false;
	/* It may be revoked while it is touched: that is a signal, not ours. */
	m[0]++;
	if (chance(r, 70))
		munmap(m, chance(r, 90) ? len : 4096);
	return true;
}

static void open_verbs(int i)
{
	verbs_fd[i] = open(verbs_path, O_RDWR | O_CLOEXEC);
}

static bool reopen(struct rng *r)
{
	int i = below(r, NFD);

	if (chance(r, 50)) {
		close(verbs_fd[i]);
		open_verbs(i);
	} else {
		close(cm_fd[i]);
		cm_fd[i] = open("/dev/infiniband/rdma_cm",
				O_RDWR | O_CLOEXEC | O_NONBLOCK);
	}
	return true;
}

/* ---- rdma_cm ---- */

static uint32_t cm_id(struct rng *r)
{
	return chance(r, 90) ? cm_ids[below(r, NIDS)] : odd32(r);
}

static void cm_addr(struct rng *r, void *to)
{
	static const char * const ip[] = { ADDR_A, ADDR_A, ADDR_B, "0.0.0.0",
					   ADDR6_A, "::1", "10.83.0.99" };
	struct sockaddr_storage ss;

	addr_of(&ss, ip[below(r, ARRAY_SIZE(ip))], base_port + below(r, 4),
		NULL);
	if (chance(r, 5))
		ss.ss_family = rnd(r);
	memcpy(to, &ss, sizeof(struct sockaddr_in6));
}

static void cm_param(struct rng *r, struct rdma_ucm_conn_param *p)
{
	p->qp_num = chance(r, 80) ? qpns[below(r, NIDS)] : below(r, 64);
	p->private_data_len = chance(r, 80) ? 0 : rnd(r);
	p->responder_resources = chance(r, 80) ? below(r, 5) : rnd(r);
	p->initiator_depth = chance(r, 80) ? below(r, 5) : rnd(r);
	p->valid = chance(r, 90);
}

static uint16_t cm_body(struct rng *r, uint32_t cmd, void *body)
{
	union {
		struct rdma_ucm_create_id create;
		struct rdma_ucm_destroy_id destroy;
		struct rdma_ucm_bind bind;
		struct rdma_ucm_bind_ip bind_ip;
		struct rdma_ucm_resolve_addr addr;
		struct rdma_ucm_resolve_ip ip;
		struct rdma_ucm_resolve_route route;
		struct rdma_ucm_query query;
		struct rdma_ucm_connect connect;
		struct rdma_ucm_listen listen;
		struct rdma_ucm_accept accept;
		struct rdma_ucm_reject reject;
		struct rdma_ucm_init_qp_attr init;
		struct rdma_ucm_get_event event;
		struct rdma_ucm_set_option option;
		struct rdma_ucm_notify notify;
		struct rdma_ucm_migrate_id migrate;
		struct rdma_ucm_join_mcast join;
	} *c = body;

	switch (cmd) {
	case RDMA_USER_CM_CMD_CREATE_ID:
		c->create.uid = rnd64(r);
		c->create.response = ptr(r);
		c->create.ps = chance(r, 90) ? RDMA_PS_TCP : rnd(r);
		c->create.qp_type = chance(r, 90) ? IBV_QPT_RC : rnd(r);
		return sizeof(c->create);
	case RDMA_USER_CM_CMD_DESTROY_ID:
		c->destroy.response = ptr(r);
		c->destroy.id = cm_id(r);
		return sizeof(c->destroy);
	case RDMA_USER_CM_CMD_BIND_IP:
		c->bind_ip.id = cm_id(r);
		cm_addr(r, &c->bind_ip.addr);
		return sizeof(c->bind_ip);
	case RDMA_USER_CM_CMD_BIND:
		c->bind.id = cm_id(r);
		c->bind.addr_size = chance(r, 90) ? 28 : rnd(r);
		cm_addr(r, &c->bind.addr);
		return sizeof(c->bind);
	case RDMA_USER_CM_CMD_RESOLVE_IP:
		c->ip.id = cm_id(r);
		c->ip.timeout_ms = below(r, 200);
		cm_addr(r, &c->ip.dst_addr);
		return sizeof(c->ip);
	case RDMA_USER_CM_CMD_RESOLVE_ADDR:
		c->addr.id = cm_id(r);
		c->addr.timeout_ms = below(r, 200);
		c->addr.dst_size = chance(r, 90) ? 28 : rnd(r);
		cm_addr(r, &c->addr.dst_addr);
		if (chance(r, 20)) {
			c->addr.src_size = 28;
			cm_addr(r, &c->addr.src_addr);
		}
		return sizeof(c->addr);
	case RDMA_USER_CM_CMD_RESOLVE_ROUTE:
		c->route.id = cm_id(r);
		c->route.timeout_ms = below(r, 200);
		return sizeof(c->route);
	case RDMA_USER_CM_CMD_QUERY_ROUTE:
	case RDMA_USER_CM_CMD_QUERY:
		c->query.response = ptr(r);
		c->query.id = cm_id(r);
		c->query.option = below(r, 4);
		return sizeof(c->query);
	case RDMA_USER_CM_CMD_CONNECT:
		c->connect.id = cm_id(r);
		cm_param(r, &c->connect.conn_param);
		return sizeof(c->connect);
	case RDMA_USER_CM_CMD_LISTEN:
		c->listen.id = cm_id(r);
		c->listen.backlog = chance(r, 90) ? below(r, 16) : rnd(r);
		return sizeof(c->listen);
	case RDMA_USER_CM_CMD_ACCEPT:
		c->accept.uid = rnd64(r);
		c->accept.id = cm_id(r);
		cm_param(r, &c->accept.conn_param);
		return sizeof(c->accept);
	case RDMA_USER_CM_CMD_REJECT:
		c->reject.id = cm_id(r);
		c->reject.private_data_len = chance(r, 80) ? 0 : rnd(r);
		return sizeof(c->reject);
	case RDMA_USER_CM_CMD_INIT_QP_ATTR:
		c->init.response = ptr(r);
		c->init.id = cm_id(r);
		c->init.qp_state = below(r, 8);
		return sizeof(c->init);
	case RDMA_USER_CM_CMD_GET_EVENT:
		c->event.response = ptr(r);
		return sizeof(c->event);
	case RDMA_USER_CM_CMD_SET_OPTION:
		c->option.optval = ptr(r);
		c->option.id = cm_id(r);
		c->option.level = below(r, 3);
		c->option.optname = below(r, 5);
		c->option.optlen = chance(r, 90) ? 1u << below(r, 4) : rnd(r);
		return sizeof(c->option);
	case RDMA_USER_CM_CMD_MIGRATE_ID:
		c->migrate.response = ptr(r);
		c->migrate.id = cm_id(r);
		c->migrate.fd = cm_fd[below(r, NFD)];
		return sizeof(c->migrate);
	case RDMA_USER_CM_CMD_JOIN_MCAST:
		c->join.response = ptr(r);
		c->join.id = cm_id(r);
		c->join.addr_size = 28;
		cm_addr(r, &c->join.addr);
		return sizeof(c->join);
	default:			/* an id and a number */
		c->notify.id = cm_id(r);
		c->notify.event = below(r, 20);
		return sizeof(c->notify);
	}
}

static bool cm_write(struct rng *r)
{
	/* What makes a connection, more often than the rest. */
	static const uint32_t often[] = {
		RDMA_USER_CM_CMD_CREATE_ID, RDMA_USER_CM_CMD_CREATE_ID,
		RDMA_USER_CM_CMD_BIND, RDMA_USER_CM_CMD_LISTEN,
		RDMA_USER_CM_CMD_RESOLVE_ADDR, RDMA_USER_CM_CMD_RESOLVE_ROUTE,
		RDMA_USER_CM_CMD_CONNECT, RDMA_USER_CM_CMD_ACCEPT,
		RDMA_USER_CM_CMD_GET_EVENT, RDMA_USER_CM_CMD_GET_EVENT,
		RDMA_USER_CM_CMD_REJECT, RDMA_USER_CM_CMD_DISCONNECT,
	};
	struct {
		struct rdma_ucm_cmd_hdr hdr;
		uint8_t body[1024] __attribute__((aligned(8)));
	} q = { 0 };
	const uint32_t *resp;
	size_t len;

	q.hdr.cmd = chance(r, 70) ? often[below(r, ARRAY_SIZE(often))] :
				    below(r, RDMA_USER_CM_CMD_JOIN_MCAST + 2);
	len = cm_body(r, q.hdr.cmd, q.body);
	q.hdr.out = chance(r, 95) ? 512 : rnd(r);
	if (chance(r, 10))
		spoil(r, q.body, &len);
	q.hdr.in = chance(r, 97) ? len : rnd(r);
	if (write(cm_fd[below(r, NFD)], &q, sizeof(q.hdr) + len) < 0)
		return false;
	if (q.hdr.cmd == RDMA_USER_CM_CMD_CREATE_ID) {
		resp = (void *)(uintptr_t)((struct rdma_ucm_create_id *)q.body)
			->response;
		cm_ids[below(r, NIDS)] = *resp;
	} else if (q.hdr.cmd == RDMA_USER_CM_CMD_GET_EVENT) {
		const struct rdma_ucm_event_resp *e = (void *)(uintptr_t)
			((struct rdma_ucm_get_event *)q.body)->response;

		/* The id of a request comes with it. */
		if (e->event == RDMA_CM_EVENT_CONNECT_REQUEST)
			memcpy(&cm_ids[below(r, NIDS)], e->param.conn.private_data, 4);
		cm_ids[below(r, NIDS)] = e->id;
	}
	return true;
}

/* ---- threads ---- */

static void *raw_thread(void *arg)
{
	struct rng *r = arg;
	bool ok;

	while (!stop) {
		switch (below(r, 20)) {
		case 0:
			ok = chance(r, 20) && reopen(r);
			break;
		case 1:
			ok = verbs_mmap(r);
			break;
		case 2:
		case 3:
		case 4:
			ok = verbs_ioctl(r);
			break;
		case 5:
		case 6:
		case 7:
		case 8:
		case 9:
		case 10:
		case 11:
			ok = cm_write(r);
			break;
		default:
			ok = verbs_write(r);
		}
		__atomic_fetch_add(done, 1, __ATOMIC_RELAXED);
		if (ok)
			__atomic_fetch_add(good, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/*
 * The libraries as they are meant to be used, in an order that is not: nothing
 * is waited for, and anything may fail.
 */
static void *library_thread(void *arg)
{
	struct rng *r = arg;
	struct rdma_event_channel *ec = rdma_create_event_channel();
	struct rdma_conn_param cp = { .responder_resources = 1,
				      .initiator_depth = 1 };

	if (!ec)
		return NULL;
	fcntl(ec->fd, F_SETFL, fcntl(ec->fd, F_GETFL) | O_NONBLOCK);
	while (!stop) {
		struct ibv_qp_init_attr ia = {
			.cap = { 1 + below(r, 64), 1 + below(r, 64), 1, 1, 0 },
			.qp_type = IBV_QPT_RC,
		};
		struct ibv_qp_attr qa = { .qp_state = below(r, 7) };
		struct rdma_cm_id *id, *lid;
		struct sockaddr_storage ss;
		struct rdma_cm_event *e;
		struct ibv_mr *mr = NULL;
		unsigned int n;

		addr_of(&ss, ADDR_A, base_port + below(r, 4), NULL);
		if (rdma_create_id(ec, &lid, NULL, RDMA_PS_TCP))
			break;
		if (rdma_create_id(ec, &id, NULL, RDMA_PS_TCP)) {
			rdma_destroy_id(lid);
			break;
		}
		if (!rdma_bind_addr(lid, (struct sockaddr *)&ss))
			rdma_listen(lid, below(r, 8));
		rdma_resolve_addr(id, NULL, (struct sockaddr *)&ss, 100);
		for (n = 5 + below(r, 30); n && !stop; n--) {
			switch (below(r, 8)) {
			case 0:
				if (id->verbs && !id->qp)
					rdma_create_qp(id, NULL, &ia);
				break;
			case 1:
				rdma_resolve_route(id, 100);
				break;
			case 2:
				rdma_connect(id, &cp);
				break;
			case 3:
				rdma_disconnect(id);
				break;
			case 4:
				if (id->qp)
					ibv_modify_qp(id->qp, &qa, IBV_QP_STATE);
				break;
			case 5:
				if (id->pd && !mr)
					mr = ibv_reg_mr(id->pd, scratch,
							1 + below(r, SCRATCH),
							below(r, 8));
				break;
			default:
				if (rdma_get_cm_event(ec, &e))
					break;
				if (e->event == RDMA_CM_EVENT_CONNECT_REQUEST) {
					struct rdma_cm_id *in = e->id;

					rdma_ack_cm_event(e);
					if (chance(r, 30))
						rdma_reject(in, NULL, 0);
					else if (!rdma_create_qp(in, NULL, &ia))
						rdma_accept(in, &cp);
					if (in->qp)
						rdma_destroy_qp(in);
					rdma_destroy_id(in);
				} else {
					rdma_ack_cm_event(e);
				}
			}
			usleep(below(r, 500));
		}
		if (mr)
			ibv_dereg_mr(mr);
		if (id->qp && chance(r, 80))
			rdma_destroy_qp(id);
		/* No event is waited for: ids of requests may stay behind. */
		rdma_destroy_id(id);
		rdma_destroy_id(lid);
	}
	return NULL;
}

/* ---- rounds ---- */

/* The character device of the siw device in sa. */
static void find_device(void)
{
	struct ibv_context *ctx = open_device(NS_A);

	ASSERT(ctx, "no device in sa");
	snprintf(verbs_path, sizeof(verbs_path), "/dev/infiniband/%s",
		 ctx->device->dev_name);
	ibv_close_device(ctx);
	if (access(verbs_path, R_OK | W_OK) ||
	    access("/dev/infiniband/rdma_cm", R_OK | W_OK))
		SKIP("no %s or no rdma_cm", verbs_path);
}

/* Nothing works without a context, so let there be one. */
static void begin(int fd)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_get_context c;
	} q = {
		.hdr = {
			.command = IB_USER_VERBS_CMD_GET_CONTEXT,
			.in_words = sizeof(q) / 4,
			.out_words = (sizeof(struct ib_uverbs_get_context_resp) +
				      sizeof(struct siw_uresp_alloc_ctx)) / 4,
		},
		.c = { .response = (uintptr_t)scratch },
	};

	ASSERT(write(fd, &q, sizeof(q)) == sizeof(q), "GET_CONTEXT");
}

static void round_of(uint64_t seed)
{
	struct rlimit files = { 256, 256 };
	struct rng r, th_rng[4];
	pthread_t th[4];
	int i, n;

	rng_seed(&r, seed);
	setrlimit(RLIMIT_NOFILE, &files);
	ns_enter(NS_A);
	base_port = next_port();
	scratch = mmap(NULL, SCRATCH + 65536, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT(scratch != MAP_FAILED, "mmap");
	mprotect(scratch + SCRATCH, 65536, PROT_NONE);
	for (i = 0; i < NFD; i++) {
		open_verbs(i);
		cm_fd[i] = open("/dev/infiniband/rdma_cm",
				O_RDWR | O_CLOEXEC | O_NONBLOCK);
		begin(verbs_fd[i]);
	}
	n = 2 + below(&r, 3);
	for (i = 0; i < n; i++) {
		rng_seed(&th_rng[i], rnd64(&r));
		pthread_create(&th[i], NULL, i ? raw_thread : library_thread,
			       &th_rng[i]);
	}
	usleep(50000 + below(&r, 500000));
	if (chance(&r, 50)) {
		stop = true;
		for (i = 0; i < n; i++)
			pthread_join(th[i], NULL);
		for (i = 0; i < NFD; i++) {
			close(verbs_fd[i]);
			close(cm_fd[i]);
		}
	}
	_exit(0);
}

static void round_process(uint64_t seed)
{
	bool killed = false;
	uint64_t end, kill_at;
	struct rng r;
	int status;
	pid_t pid;

	seed_is(seed);
	rng_seed(&r, ~seed);
	fflush(stdout);
	pid = fork();
	ASSERT(pid >= 0, "fork");
	if (!pid)
		round_of(seed);
	kill_at = now_ms() + (chance(&r, 30) ? below(&r, 500) : slow(5000));
	/* An id that is connecting is destroyed when that has ended. */
	end = now_ms() + slow(45000);
	while (waitpid(pid, &status, WNOHANG) != pid) {
		ASSERT(!passed(end), "the process cannot be killed");
		if (!killed && passed(kill_at)) {
			kill(pid, SIGKILL);
			killed = true;
		}
		usleep(1000);
	}
}

static int in_child(void (*run)(void))
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		run();
		_exit(0);
	}
	ASSERT(pid > 0 && waitpid(pid, &status, 0) == pid, "fork");
	return status;
}

static void calls(void)
{
	uint64_t end = now_ms() + 1000 * env_number("SIW_FUZZ_SECONDS", 2);
	uint64_t seed = first_seed();
	uint64_t said = now_ms();
	long baseline;
	unsigned int rounds = 0;

	test_note("seed %" PRIu64, seed);
	done = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT(done != MAP_FAILED, "mmap");
	good = done + 1;
	find_device();
	baseline = resources();
	while (!passed(end)) {
		round_process(seed++);
		if (++rounds % 8 && !passed(end))
			continue;
		ASSERT(!in_child(fresh_pair_works), "others do not work");
		EXPECT(resources_back(baseline, 20000), "objects are left");
		if (now_ms() - said > 30000) {
			said = now_ms();
			test_note("%u rounds, %lu calls", rounds, *done);
		}
	}
	test_note("%u rounds, %lu calls, %lu of them succeeded", rounds, *done,
		  *good);
	EXPECT(*good, "not a single call succeeded");
}

static struct test tests[] = {
	{ "system calls in any order", calls, .slow = true },
};

int main(int argc, char **argv)
{
	tests[0].seconds = env_number("SIW_FUZZ_SECONDS", 2) + 90;
	return harness_main(argc, argv, tests, ARRAY_SIZE(tests));
}
