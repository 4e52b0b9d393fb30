// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * The counterpart of siw-conform: an application of the RDMA device under test
 * that does what it is told over a TCP connection of its own.
 *
 *	siw-conform-peer ADDRESS PORT [SLOWNESS]
 *
 * ADDRESS is one of the device's interface; the control connection comes to
 * PORT there.  One client at a time; when it leaves, everything it made goes.
 *
 * Each line is a command and gets one line back: "ok key=value ..." or "err
 * why".  Numbers are decimal or 0x; octets are hex digits, "-" for none.
 *
 *	hello				what this is
 *	crc 0|1				ask for CRC or not, until the next reset
 *	reset				give everything back
 *	listen				-> port
 *	resolve ADDRESS PORT		be the initiator of a connection
 *	setup OCTETS RECV[,RECV...]	-> addr and STags; see struct end
 *	renew				the stream is over, its memory stays
 *	again RECV[,RECV...]		a new one, as setup with that memory
 *	accept IRD ORD PDATA
 *	connect IRD ORD PDATA
 *	reject PDATA
 *	disconnect
 *	error				the queue pair goes to ERROR
 *	state				-> state of the queue pair
 *	event MS			-> next rdma_cm event, or none
 *	async MS			-> next asynchronous event, or none
 *	wc send|recv MS			-> next completion, or none
 *	recv ID OFFSET LENGTH
 *	post OP ID OFFSET LENGTH [RADDR RKEY [fence]]
 *	mr NAME OFFSET LENGTH RIGHTS	-> stag; RIGHTS of l r w a, "-" for none
 *	dereg NAME
 *	fill OFFSET LENGTH OCTET
 *	set OFFSET OCTETS
 *	get OFFSET LENGTH		-> data
 *	differ OFFSET LENGTH OCTET	-> how many octets are another
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <infiniband/verbs.h>
#include <rdma/rdma_cma.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define LINE_MAX_LEN (1 << 20)
#define MAX_ARGS 16
#define MAX_MRS 16
#define QUEUE 64
#define RESOLVE_MS 5000
#define ALL_RIGHTS (IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE | \
		    IBV_ACCESS_REMOTE_READ)

/* A memory region with a name */
struct named_mr {
	char name[16];
	struct ibv_mr *mr;
};

/**
 * struct end - the connection under test
 * @ec: its event channel
 * @lid: listening id, on the passive end
 * @id: connection id
 * @pd: protection domain of the queue pair
 * @pd2: another one
 * @scq: CQ of the send queue
 * @rcq: CQ of the receive queue
 * @buf: all memory that is used
 * @len: its octets
 * @mrs: regions; setup makes those over all of @buf: "main" with all rights,
 *	 "other" in @pd2, "ro" without remote write, "wo" without remote read
 */
struct end {
	struct rdma_event_channel *ec;
	struct rdma_cm_id *lid;
	struct rdma_cm_id *id;
	struct ibv_pd *pd;
	struct ibv_pd *pd2;
	struct ibv_cq *scq;
	struct ibv_cq *rcq;
	uint8_t *buf;
	size_t len;
	struct named_mr mrs[MAX_MRS];
};

static struct sockaddr_storage local;
static unsigned int slowness = 1;
static struct end end;
static FILE *out;

/* ---- answers ---- */

static void ok(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void ok(const char *fmt, ...)
{
	va_list ap;

	fputs("ok ", out);
	va_start(ap, fmt);
	vfprintf(out, fmt, ap);
	va_end(ap);
	fputc('\n', out);
}

static void err(const char *what)
{
	fprintf(out, "err %s: %s\n", what, strerror(errno));
}

/* Answers with an error when @failed. */
static bool bad(bool failed, const char *what)
{
	if (failed)
		err(what);
	return failed;
}

static void put_hex(const uint8_t *data, size_t len)
{
	size_t i;

	if (!len)
		fputc('-', out);
	for (i = 0; i < len; i++)
		fprintf(out, "%02x", data[i]);
}

static size_t get_hex(const char *text, uint8_t *data, size_t max)
{
	unsigned int octet;
	size_t n = 0;

	while (n < max && sscanf(text + 2 * n, "%2x", &octet) == 1)
		data[n++] = octet;
	return n;
}

static uint64_t num(const char *text)
{
	return text ? strtoull(text, NULL, 0) : 0;
}

static bool readable(int fd, unsigned int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, ms * slowness) == 1;
}

static void nonblock(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/* Is there such a range in the buffer?  Answers if not. */
static bool in_buffer(uint64_t off, uint64_t len)
{
	errno = ERANGE;
	return !bad(off > end.len || len > end.len - off, "range");
}

/* ---- making and ending ---- */

static struct named_mr *find_mr(const char *name)
{
	size_t i;

	for (i = 0; i < MAX_MRS; i++) {
		if (end.mrs[i].mr && !strcmp(end.mrs[i].name, name))
			return &end.mrs[i];
	}
	return NULL;
}

static struct ibv_mr *add_mr(const char *name, struct ibv_pd *pd, size_t off,
			     size_t len, int access)
{
	size_t i;

	for (i = 0; i < MAX_MRS && end.mrs[i].mr; i++)
		;
	if (i == MAX_MRS) {
		errno = ENOSPC;
		return NULL;
	}
	end.mrs[i].mr = ibv_reg_mr(pd, end.buf + off, len, access);
	snprintf(end.mrs[i].name, sizeof(end.mrs[i].name), "%s", name);
	return end.mrs[i].mr;
}

static void reset(void)
{
	size_t i;

	if (end.id && end.id->qp)
		rdma_destroy_qp(end.id);
	if (end.id)
		rdma_destroy_id(end.id);
	if (end.lid)
		rdma_destroy_id(end.lid);
	for (i = 0; i < MAX_MRS; i++) {
		if (end.mrs[i].mr)
			ibv_dereg_mr(end.mrs[i].mr);
	}
	if (end.scq)
		ibv_destroy_cq(end.scq);
	if (end.rcq)
		ibv_destroy_cq(end.rcq);
	if (end.pd)
		ibv_dealloc_pd(end.pd);
	if (end.pd2)
		ibv_dealloc_pd(end.pd2);
	if (end.buf)
		munmap(end.buf, end.len);
	if (end.ec)
		rdma_destroy_event_channel(end.ec);
	memset(&end, 0, sizeof(end));
}

static bool open_channel(void)
{
	end.ec = rdma_create_event_channel();
	if (bad(!end.ec, "rdma_create_event_channel"))
		return false;
	nonblock(end.ec->fd);
	return true;
}

/* Waits for an event on the way to a connection. */
static bool await(enum rdma_cm_event_type type)
{
	struct rdma_cm_event *e;
	bool right;

	if (!readable(end.ec->fd, RESOLVE_MS) ||
	    rdma_get_cm_event(end.ec, &e))
		return false;
	right = e->event == type;
	rdma_ack_cm_event(e);
	return right;
}

static char device[64];		/* since hello */

static void do_hello(char **arg)
{
	struct ibv_device_attr attr = { 0 };
	struct rdma_cm_id *id = NULL;
	struct utsname uts;

	(void)arg;
	reset();
	if (!open_channel())
		return;
	if (!bad(rdma_create_id(end.ec, &id, NULL, RDMA_PS_TCP),
		 "rdma_create_id") &&
	    !bad(rdma_bind_addr(id, (struct sockaddr *)&local),
		 "rdma_bind_addr") &&
	    !bad(!id->verbs, "no device at this address") &&
	    !bad(ibv_query_device(id->verbs, &attr), "ibv_query_device")) {
		uname(&uts);
		snprintf(device, sizeof(device), "%s",
			 ibv_get_device_name(id->verbs->device));
		ok("device=%s kernel=%s atomics=%d ird=%d ord=%d",
		   device, uts.release,
		   attr.atomic_cap != IBV_ATOMIC_NONE, attr.max_qp_rd_atom,
		   attr.max_qp_init_rd_atom);
	}
	if (id)
		rdma_destroy_id(id);
	reset();
}

static bool crc_off;

static bool set_crc(const char *value)
{
	char path[128];
	bool done;
	int fd;

	snprintf(path, sizeof(path), "/sys/class/infiniband/%s/mpa/crc",
		 device);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	done = fd >= 0 && write(fd, value, 1) == 1;
	if (fd >= 0)
		close(fd);
	return done;
}

static void do_crc(char **arg)
{
	if (bad(!set_crc(arg[0]), "mpa/crc"))
		return;
	crc_off = !num(arg[0]);
	ok("crc");
}

/* CRC as well, which a renewed end keeps. */
static void reset_all(void)
{
	reset();
	if (crc_off && !set_crc("1"))
		fprintf(stderr, "siw-conform-peer: CRC stays off\n");
	crc_off = false;
}

static void do_reset(char **arg)
{
	(void)arg;
	reset_all();
	ok("reset");
}

static void do_listen(char **arg)
{
	(void)arg;
	reset();
	if (!open_channel() ||
	    bad(rdma_create_id(end.ec, &end.lid, NULL, RDMA_PS_TCP),
		"rdma_create_id") ||
	    bad(rdma_bind_addr(end.lid, (struct sockaddr *)&local),
		"rdma_bind_addr") ||
	    bad(rdma_listen(end.lid, 16), "rdma_listen"))
		return;
	ok("port=%u", ntohs(rdma_get_src_port(end.lid)));
}

static void do_resolve(char **arg)
{
	struct sockaddr_in to = { .sin_family = AF_INET };

	reset();
	errno = EINVAL;
	if (bad(!arg[0] || inet_pton(AF_INET, arg[0], &to.sin_addr) != 1,
		"address"))
		return;
	to.sin_port = htons(num(arg[1]));
	if (!open_channel() ||
	    bad(rdma_create_id(end.ec, &end.id, NULL, RDMA_PS_TCP),
		"rdma_create_id") ||
	    bad(rdma_resolve_addr(end.id, (struct sockaddr *)&local,
				  (struct sockaddr *)&to, RESOLVE_MS),
		"rdma_resolve_addr"))
		return;
	errno = ETIMEDOUT;
	if (bad(!await(RDMA_CM_EVENT_ADDR_RESOLVED), "address") ||
	    bad(rdma_resolve_route(end.id, RESOLVE_MS), "rdma_resolve_route") ||
	    bad(!await(RDMA_CM_EVENT_ROUTE_RESOLVED), "route"))
		return;
	ok("resolved");
}

static bool post_recv(uint64_t id, size_t off, uint32_t len)
{
	struct ibv_sge sge = {
		.addr = (uintptr_t)(end.buf + off),
		.length = len,
		.lkey = find_mr("main")->mr->lkey,
	};
	struct ibv_recv_wr wr = {
		.wr_id = id,
		.sg_list = &sge,
		.num_sge = 1,
	};
	struct ibv_recv_wr *bad_wr;

	errno = ibv_post_recv(end.id->qp, &wr, &bad_wr);
	return !bad(errno, "ibv_post_recv");
}

/* Receives get the slots of 4096 octets from the start of the buffer on. */
static bool post_recvs(const char *lens)
{
	uint64_t id = 0;

	while (lens && *lens && *lens != '-') {
		if (!in_buffer(id * 4096, num(lens)) ||
		    !post_recv(id, id * 4096, strtoul(lens, NULL, 0)))
			return false;
		lens = strchr(lens, ',');
		if (lens)
			lens++;
		id++;
	}
	return true;
}

static bool make_qp(void)
{
	struct ibv_qp_init_attr attr = {
		.cap = {
			.max_send_wr = QUEUE,
			.max_recv_wr = QUEUE,
			.max_send_sge = 1,
			.max_recv_sge = 1,
		},
		.qp_type = IBV_QPT_RC,
		.send_cq = end.scq,
		.recv_cq = end.rcq,
	};

	return !bad(rdma_create_qp(end.id, end.pd, &attr), "rdma_create_qp");
}

static void do_setup(char **arg)
{
	struct ibv_mr *all, *other, *ro, *wo;
	struct ibv_context *ctx;

	errno = ENOTCONN;
	if (bad(!end.id || !end.id->verbs || end.buf, "no id without setup"))
		return;
	ctx = end.id->verbs;
	nonblock(ctx->async_fd);
	end.len = num(arg[0]);
	end.buf = mmap(NULL, end.len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (end.buf == MAP_FAILED)
		end.buf = NULL;
	end.pd = ibv_alloc_pd(ctx);
	end.pd2 = ibv_alloc_pd(ctx);
	end.scq = ibv_create_cq(ctx, 2 * QUEUE, NULL, NULL, 0);
	end.rcq = ibv_create_cq(ctx, 2 * QUEUE, NULL, NULL, 0);
	if (bad(!end.buf || !end.pd || !end.pd2 || !end.scq || !end.rcq,
		"PD, CQ or memory"))
		return;
	if (!make_qp())
		return;
	memset(end.buf, 0xee, end.len);
	all = add_mr("main", end.pd, 0, end.len, ALL_RIGHTS);
	other = add_mr("other", end.pd2, 0, end.len, ALL_RIGHTS);
	ro = add_mr("ro", end.pd, 0, end.len, IBV_ACCESS_REMOTE_READ);
	wo = add_mr("wo", end.pd, 0, end.len, IBV_ACCESS_LOCAL_WRITE |
		    IBV_ACCESS_REMOTE_WRITE);
	if (bad(!all || !other || !ro || !wo, "ibv_reg_mr") ||
	    !post_recvs(arg[1]))
		return;
	ok("addr=%" PRIu64 " main=%u other=%u ro=%u wo=%u",
	   (uint64_t)(uintptr_t)end.buf, all->rkey, other->rkey, ro->rkey,
	   wo->rkey);
}

static void do_renew(char **arg)
{
	(void)arg;
	errno = ENOTCONN;
	if (bad(!end.id || !end.id->qp, "no setup"))
		return;
	rdma_destroy_qp(end.id);
	rdma_destroy_id(end.id);
	end.id = NULL;
	ok("renewed");
}

static void do_again(char **arg)
{
	errno = ENOTCONN;
	if (!bad(!end.id || end.id->qp || !end.buf, "no id after renew") &&
	    make_qp() && post_recvs(arg[0]))
		ok("again");
}

static struct rdma_conn_param conn_param(char **arg, uint8_t *pdata)
{
	struct rdma_conn_param cp = {
		.responder_resources = num(arg[0]),
		.initiator_depth = num(arg[1]),
		.private_data = pdata,
		.private_data_len = arg[2] ? get_hex(arg[2], pdata, 255) : 0,
		.retry_count = 7,
	};

	return cp;
}

static void do_accept(char **arg)
{
	uint8_t pdata[255];
	struct rdma_conn_param cp = conn_param(arg, pdata);

	errno = ENOTCONN;
	if (!bad(!end.id || !end.id->qp, "no setup") &&
	    !bad(rdma_accept(end.id, &cp), "rdma_accept"))
		ok("accepted");
}

static void do_connect(char **arg)
{
	uint8_t pdata[255];
	struct rdma_conn_param cp = conn_param(arg, pdata);

	errno = ENOTCONN;
	if (!bad(!end.id || !end.id->qp, "no setup") &&
	    !bad(rdma_connect(end.id, &cp), "rdma_connect"))
		ok("connecting");
}

static void do_reject(char **arg)
{
	uint8_t pdata[255];
	size_t len = arg[0] ? get_hex(arg[0], pdata, sizeof(pdata)) : 0;

	errno = ENOTCONN;
	if (!bad(!end.id, "no request") &&
	    !bad(rdma_reject(end.id, pdata, len), "rdma_reject"))
		ok("rejected");
}

static void do_disconnect(char **arg)
{
	(void)arg;
	errno = ENOTCONN;
	if (!bad(!end.id, "no connection") &&
	    !bad(rdma_disconnect(end.id), "rdma_disconnect"))
		ok("disconnecting");
}

static void do_error(char **arg)
{
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_ERR };

	(void)arg;
	errno = ENOTCONN;
	if (bad(!end.id || !end.id->qp, "no queue pair"))
		return;
	errno = ibv_modify_qp(end.id->qp, &attr, IBV_QP_STATE);
	if (!bad(errno, "ibv_modify_qp"))
		ok("error");
}

static void do_state(char **arg)
{
	static const char * const name[] = {
		"RESET", "INIT", "RTR", "RTS", "SQD", "SQE", "ERR"
	};
	struct ibv_qp_init_attr init;
	struct ibv_qp_attr attr;

	(void)arg;
	errno = ENOTCONN;
	if (bad(!end.id || !end.id->qp, "no queue pair"))
		return;
	errno = ibv_query_qp(end.id->qp, &attr, IBV_QP_STATE, &init);
	if (!bad(errno, "ibv_query_qp"))
		ok("state=%s", attr.qp_state < ARRAY_SIZE(name) ?
			       name[attr.qp_state] : "UNKNOWN");
}

/* ---- what happened ---- */

static void do_event(char **arg)
{
	struct rdma_cm_event *e;
	const char *name;

	errno = ENOTCONN;
	if (bad(!end.ec, "no event channel"))
		return;
	if (!readable(end.ec->fd, num(arg[0])) ||
	    rdma_get_cm_event(end.ec, &e)) {
		ok("event=none");
		return;
	}
	name = rdma_event_str(e->event) + strlen("RDMA_CM_EVENT_");
	if (e->event == RDMA_CM_EVENT_CONNECT_REQUEST && !end.id)
		end.id = e->id;
	fprintf(out, "ok event=%s status=%d ird=%u ord=%u pdata=", name,
		e->status, e->param.conn.responder_resources,
		e->param.conn.initiator_depth);
	put_hex(e->param.conn.private_data, e->param.conn.private_data ?
		e->param.conn.private_data_len : 0);
	fputc('\n', out);
	rdma_ack_cm_event(e);
}

static void do_async(char **arg)
{
	static const struct {
		enum ibv_event_type type;
		const char *name;
	} names[] = {
		{ IBV_EVENT_QP_FATAL, "QP_FATAL" },
		{ IBV_EVENT_QP_REQ_ERR, "QP_REQ_ERR" },
		{ IBV_EVENT_QP_ACCESS_ERR, "QP_ACCESS_ERR" },
		{ IBV_EVENT_QP_LAST_WQE_REACHED, "QP_LAST_WQE_REACHED" },
		{ IBV_EVENT_CQ_ERR, "CQ_ERR" },
		{ IBV_EVENT_COMM_EST, "COMM_EST" },
	};
	struct ibv_async_event e;
	size_t i;

	errno = ENOTCONN;
	if (bad(!end.id || !end.id->verbs, "no device"))
		return;
	if (!readable(end.id->verbs->async_fd, num(arg[0])) ||
	    ibv_get_async_event(end.id->verbs, &e)) {
		ok("async=none");
		return;
	}
	for (i = 0; i < ARRAY_SIZE(names) && names[i].type != e.event_type; i++)
		;
	ok("async=%s", i < ARRAY_SIZE(names) ? names[i].name : "other");
	ibv_ack_async_event(&e);
}

static const char *wc_name(enum ibv_wc_status status)
{
	switch (status) {
	case IBV_WC_SUCCESS: return "SUCCESS";
	case IBV_WC_LOC_LEN_ERR: return "LOC_LEN_ERR";
	case IBV_WC_LOC_QP_OP_ERR: return "LOC_QP_OP_ERR";
	case IBV_WC_LOC_PROT_ERR: return "LOC_PROT_ERR";
	case IBV_WC_WR_FLUSH_ERR: return "WR_FLUSH_ERR";
	case IBV_WC_REM_INV_REQ_ERR: return "REM_INV_REQ_ERR";
	case IBV_WC_REM_ACCESS_ERR: return "REM_ACCESS_ERR";
	case IBV_WC_REM_OP_ERR: return "REM_OP_ERR";
	case IBV_WC_FATAL_ERR: return "FATAL_ERR";
	case IBV_WC_GENERAL_ERR: return "GENERAL_ERR";
	default: return "other";
	}
}

/* The mapped queue is looked at, as an application that polls would. */
static void do_wc(char **arg)
{
	unsigned int left = num(arg[1]) * slowness;
	struct ibv_cq *cq;
	struct ibv_wc wc;
	int n;

	errno = ENOTCONN;
	cq = arg[0] && !strcmp(arg[0], "recv") ? end.rcq : end.scq;
	if (bad(!cq, "no setup"))
		return;
	while (!(n = ibv_poll_cq(cq, 1, &wc)) && left) {
		usleep(1000);
		left--;
	}
	if (bad(n < 0, "ibv_poll_cq"))
		return;
	if (!n)
		ok("id=none");
	else
		ok("id=%" PRIu64 " status=%s opcode=%d len=%u", wc.wr_id,
		   wc_name(wc.status), wc.opcode, wc.byte_len);
}

/* ---- work ---- */

static void do_recv(char **arg)
{
	uint64_t off = num(arg[1]), len = num(arg[2]);

	errno = ENOTCONN;
	if (!bad(!end.id || !end.id->qp, "no setup") && in_buffer(off, len) &&
	    post_recv(num(arg[0]), off, len))
		ok("posted");
}

static void do_post(char **arg)
{
	static const struct {
		const char *name;
		enum ibv_wr_opcode op;
		unsigned int flags;
	} ops[] = {
		{ "send", IBV_WR_SEND, 0 },
		{ "send_se", IBV_WR_SEND, IBV_SEND_SOLICITED },
		{ "send_inv", IBV_WR_SEND_WITH_INV, 0 },
		{ "send_se_inv", IBV_WR_SEND_WITH_INV, IBV_SEND_SOLICITED },
		{ "write", IBV_WR_RDMA_WRITE, 0 },
		{ "read", IBV_WR_RDMA_READ, 0 },
	};
	uint64_t off = num(arg[2]), len = num(arg[3]);
	struct ibv_send_wr wr = { 0 };
	struct ibv_send_wr *bad_wr;
	struct ibv_sge sge;
	size_t i;

	for (i = 0; arg[0] && i < ARRAY_SIZE(ops); i++) {
		if (!strcmp(ops[i].name, arg[0]))
			break;
	}
	errno = EOPNOTSUPP;
	if (bad(!arg[0] || i == ARRAY_SIZE(ops), "operation"))
		return;
	errno = ENOTCONN;
	if (bad(!end.id || !end.id->qp, "no setup") || !in_buffer(off, len))
		return;
	sge.addr = (uintptr_t)(end.buf + off);
	sge.length = len;
	sge.lkey = find_mr("main")->mr->lkey;
	wr.wr_id = num(arg[1]);
	wr.sg_list = &sge;
	wr.num_sge = len ? 1 : 0;
	wr.opcode = ops[i].op;
	wr.send_flags = IBV_SEND_SIGNALED | ops[i].flags;
	if (arg[4]) {
		wr.wr.rdma.remote_addr = num(arg[4]);
		/* Providers take the STag to invalidate from either place. */
		wr.wr.rdma.rkey = num(arg[5]);
		if (wr.opcode == IBV_WR_SEND_WITH_INV)
			wr.invalidate_rkey = wr.wr.rdma.rkey;
		if (arg[5] && arg[6])
			wr.send_flags |= IBV_SEND_FENCE;
	}
	errno = ibv_post_send(end.id->qp, &wr, &bad_wr);
	if (!bad(errno, "ibv_post_send"))
		ok("posted");
}

static void do_mr(char **arg)
{
	uint64_t off = num(arg[1]), len = num(arg[2]);
	const char *rights = arg[3] ? arg[3] : "-";
	struct ibv_mr *mr;
	int access = 0;

	errno = ENOTCONN;
	if (bad(!end.pd, "no setup") || !in_buffer(off, len))
		return;
	access |= strchr(rights, 'l') ? IBV_ACCESS_LOCAL_WRITE : 0;
	access |= strchr(rights, 'r') ? IBV_ACCESS_REMOTE_READ : 0;
	access |= strchr(rights, 'w') ? IBV_ACCESS_REMOTE_WRITE : 0;
	access |= strchr(rights, 'a') ? IBV_ACCESS_REMOTE_ATOMIC : 0;
	mr = add_mr(arg[0], end.pd, off, len, access);
	if (!bad(!mr, "ibv_reg_mr"))
		ok("stag=%u", mr->rkey);
}

static void do_dereg(char **arg)
{
	struct named_mr *mr = arg[0] ? find_mr(arg[0]) : NULL;

	errno = ENOENT;
	if (bad(!mr, "region"))
		return;
	errno = ibv_dereg_mr(mr->mr);
	if (bad(errno, "ibv_dereg_mr"))
		return;
	mr->mr = NULL;
	ok("deregistered");
}

static void do_fill(char **arg)
{
	uint64_t off = num(arg[0]), len = num(arg[1]);

	if (!in_buffer(off, len))
		return;
	memset(end.buf + off, num(arg[2]), len);
	ok("filled");
}

static void do_set(char **arg)
{
	uint64_t off = num(arg[0]);

	if (!arg[1] || !in_buffer(off, strlen(arg[1]) / 2))
		return;
	get_hex(arg[1], end.buf + off, strlen(arg[1]) / 2);
	ok("set");
}

static void do_get(char **arg)
{
	uint64_t off = num(arg[0]), len = num(arg[1]);

	if (!in_buffer(off, len))
		return;
	fputs("ok data=", out);
	put_hex(end.buf + off, len);
	fputc('\n', out);
}

static void do_differ(char **arg)
{
	uint64_t off = num(arg[0]), len = num(arg[1]), i, n = 0, first = 0;

	if (!in_buffer(off, len))
		return;
	for (i = 0; i < len; i++) {
		if (end.buf[off + i] != (uint8_t)num(arg[2]) && !n++)
			first = off + i;
	}
	ok("count=%" PRIu64 " first=%" PRIu64, n, first);
}

static const struct {
	const char *name;
	void (*run)(char **arg);
} commands[] = {
	{ "hello", do_hello },	   { "reset", do_reset },
	{ "crc", do_crc },
	{ "listen", do_listen },   { "resolve", do_resolve },
	{ "setup", do_setup },	   { "accept", do_accept },
	{ "renew", do_renew },	   { "again", do_again },
	{ "connect", do_connect }, { "reject", do_reject },
	{ "disconnect", do_disconnect },
	{ "error", do_error },	   { "state", do_state },
	{ "event", do_event },	   { "async", do_async },
	{ "wc", do_wc },	   { "recv", do_recv },
	{ "post", do_post },	   { "mr", do_mr },
	{ "dereg", do_dereg },	   { "fill", do_fill },
	{ "set", do_set },	   { "get", do_get },
	{ "differ", do_differ },
};

static void obey(char *line)
{
	char *arg[MAX_ARGS + 1] = { NULL };
	char *save;
	char *word;
	size_t n = 0;
	size_t i;

	for (word = strtok_r(line, " \r\n", &save); word && n < MAX_ARGS;
	     word = strtok_r(NULL, " \r\n", &save))
		arg[n++] = word;
	for (i = 0; arg[0] && i < ARRAY_SIZE(commands); i++) {
		if (!strcmp(arg[0], commands[i].name)) {
			commands[i].run(arg + 1);
			return;
		}
	}
	fprintf(out, "err no such command\n");
}

static void serve(int fd)
{
	static char line[LINE_MAX_LEN];
	FILE *in = fdopen(fd, "r");
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	out = fdopen(dup(fd), "w");
	if (!in || !out)
		exit(1);
	while (fgets(line, sizeof(line), in)) {
		obey(line);
		if (fflush(out))
			break;
	}
	reset_all();
	fclose(in);
	fclose(out);
}

static int open_control(const char *port)
{
	struct sockaddr_in in = *(struct sockaddr_in *)&local;
	int one = 1;
	int fd;

	in.sin_port = htons(num(port));
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&in, sizeof(in)) || listen(fd, 4)) {
		fprintf(stderr, "siw-conform-peer: port %s: %s\n", port,
			strerror(errno));
		exit(1);
	}
	return fd;
}

int main(int argc, char **argv)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&local;
	int lfd, fd;

	if (argc < 3 || inet_pton(AF_INET, argv[1], &in->sin_addr) != 1) {
		fprintf(stderr,
			"usage: siw-conform-peer ADDRESS PORT [SLOWNESS]\n");
		return 2;
	}
	in->sin_family = AF_INET;
	if (argc > 3 && num(argv[3]))
		slowness = num(argv[3]);
	signal(SIGPIPE, SIG_IGN);
	lfd = open_control(argv[2]);
	for (;;) {
		fd = accept4(lfd, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			serve(fd);
	}
}
