// SPDX-License-Identifier: MIT-0
/*
 * many: a server lends memory to many clients, each behind a wall of its own.
 *
 * In a protection domain (PD) for all, a client may use the key of another. With
 * a PD for each, who tries (client ADDRESS 1 KEY) loses the connection.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <err.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rdma/rdma_cma.h>
#include <rdma/rdma_verbs.h>

#define PORT "7477"
#define DEPTH 2
#define SIZE 4096

struct loan {
	uint64_t address;
	uint32_t key;
};

struct peer {
	struct rdma_cm_id *id;
	struct ibv_pd *pd;
	struct ibv_mr *page_mr, *note_mr;
	uint32_t in, out;
	char page[SIZE];
};

static void check(bool ok, const char *what)
{
	if (!ok)
		err(1, "%s", what);
}

/* How the connection ended; -1: wait for that. */
static const char *ending(struct rdma_cm_id *id, int milliseconds)
{
	struct pollfd ready = { .fd = id->channel->fd, .events = POLLIN };
	enum rdma_cm_event_type type;
	struct rdma_cm_event *event;

	if (poll(&ready, 1, milliseconds) != 1)
		return "the connection has failed";
	check(!rdma_get_cm_event(id->channel, &event), "rdma_get_cm_event");
	type = event->event;
	rdma_ack_cm_event(event);
	if (type == RDMA_CM_EVENT_DEVICE_REMOVAL)
		return "the RDMA device is gone";
	return type == RDMA_CM_EVENT_DISCONNECTED ?
		"the peer has closed the connection" : rdma_event_str(type);
}

enum side { SENT, RECEIVED };

/* Waits for a completion on one side. Returns why there is none, or NULL. */
static const char *await(struct rdma_cm_id *id, enum side side)
{
	struct ibv_comp_channel *channel = side == SENT ?
		id->send_cq_channel : id->recv_cq_channel;
	struct ibv_cq *cq = side == SENT ? id->send_cq : id->recv_cq;
	struct pollfd ready[] = {
		{ .fd = channel->fd, .events = POLLIN },
		{ .fd = id->channel->fd, .events = POLLIN },
	};
	struct ibv_wc wc;
	void *context;
	int n;

	while ((n = ibv_poll_cq(cq, 1, &wc)) == 0) {
		check(poll(ready, 2, -1) > 0, "poll");
		if (!ready[0].revents)
			return ending(id, 0);
		check(!ibv_get_cq_event(channel, &cq, &context), "CQ event");
		ibv_ack_cq_events(cq, 1);
		/* Armed before the next look, so nothing is missed. */
		check(!ibv_req_notify_cq(cq, 0), "ibv_req_notify_cq");
	}
	check(n > 0, "ibv_poll_cq");
	if (wc.status == IBV_WC_WR_FLUSH_ERR)
		return ending(id, 2000);
	return wc.status ? ibv_wc_status_str(wc.status) : NULL;
}

/* A listener, or an endpoint that has found its way to the peer. */
static struct rdma_cm_id *endpoint(char *address, int flags)
{
	struct rdma_addrinfo hints = {
		.ai_flags = flags, .ai_port_space = RDMA_PS_TCP,
	};
	struct rdma_addrinfo *info;
	struct rdma_cm_id *id;

	if (rdma_getaddrinfo(address, PORT, &hints, &info))
		errx(1, "%s: not an address", address);
	if (rdma_create_ep(&id, info, NULL, NULL))
		err(1, "%s: no RDMA device leads there", address);
	rdma_freeaddrinfo(info);
	return id;
}

static void post_receive(struct peer *peer)
{
	check(!rdma_post_recv(peer->id, NULL, &peer->in, sizeof(peer->in),
			      peer->note_mr), "rdma_post_recv");
}

static struct peer *prepare(struct rdma_cm_id *id, int access)
{
	struct ibv_qp_init_attr attr = {
		.cap = { .max_send_wr = DEPTH, .max_send_sge = 1,
			 .max_recv_wr = DEPTH, .max_recv_sge = 1 },
		.qp_type = IBV_QPT_RC, .sq_sig_all = 1,
	};
	struct peer *peer = calloc(1, sizeof(*peer));

	check(peer, "calloc");
	peer->id = id;
	peer->pd = ibv_alloc_pd(id->verbs);
	check(peer->pd && !rdma_create_qp(id, peer->pd, &attr) &&
	      !ibv_req_notify_cq(id->send_cq, 0) &&
	      !ibv_req_notify_cq(id->recv_cq, 0), "rdma_create_qp");
	peer->page_mr = ibv_reg_mr(peer->pd, peer->page, SIZE, access);
	peer->note_mr = ibv_reg_mr(peer->pd, &peer->in, 2 * sizeof(peer->in),
				   IBV_ACCESS_LOCAL_WRITE);
	check(peer->page_mr && peer->note_mr, "ibv_reg_mr");
	post_receive(peer);
	return peer;
}

static void forget(struct peer *peer)
{
	rdma_destroy_qp(peer->id);
	ibv_dereg_mr(peer->page_mr);
	ibv_dereg_mr(peer->note_mr);
	ibv_dealloc_pd(peer->pd);
	rdma_destroy_id(peer->id);
	free(peer);
}

/* Returns why not, or NULL. */
static const char *send_note(struct peer *peer, uint32_t number)
{
	peer->out = htonl(number);
	if (rdma_post_send(peer->id, NULL, &peer->out, sizeof(peer->out),
			   peer->note_mr, 0))
		return "rdma_post_send failed";
	return await(peer->id, SENT);
}

static const char *receive_note(struct peer *peer, uint32_t *number)
{
	const char *why = await(peer->id, RECEIVED);

	*number = ntohl(peer->in);
	if (!why)
		post_receive(peer);
	return why;
}

static void *serve(void *context)
{
	struct peer *peer = context;
	struct loan loan = {
		.address = htobe64((uintptr_t)peer->page),
		.key = htonl(peer->page_mr->rkey),
	};
	struct rdma_conn_param param = {
		.private_data = &loan, .private_data_len = sizeof(loan),
	};
	const char *why = rdma_accept(peer->id, &param) ? "not accepted" : NULL;
	uint32_t number;

	/* The client's note follows its Write: the page is there. */
	while (!why && !(why = receive_note(peer, &number)))
		why = send_note(peer, peer->page[0] == (char)number);
	printf("client of queue pair %u: %s\n", peer->id->qp->qp_num, why);
	forget(peer);
	return NULL;
}

static void server(char *address)
{
	struct rdma_cm_id *listener = endpoint(address, RAI_PASSIVE), *id;
	struct peer *peer;
	pthread_t thread;

	check(!rdma_listen(listener, 16), "rdma_listen");
	puts("listening");
	for (;;) {
		check(!rdma_get_request(listener, &id), "rdma_get_request");
		peer = prepare(id, IBV_ACCESS_LOCAL_WRITE |
			       IBV_ACCESS_REMOTE_WRITE);
		check(!pthread_create(&thread, NULL, serve, peer) &&
		      !pthread_detach(thread), "pthread_create");
	}
}

static void client(char *address, uint32_t count, const char *key)
{
	struct rdma_conn_param param = { .retry_count = 7 };
	struct peer *peer = prepare(endpoint(address, 0), IBV_ACCESS_LOCAL_WRITE);
	const char *why = NULL;
	uint32_t verdict = 1;
	struct loan loan;

	if (rdma_connect(peer->id, &param))
		err(1, "%s", address);
	if (peer->id->event->param.conn.private_data_len < sizeof(loan))
		errx(1, "the server lends no memory");
	memcpy(&loan, peer->id->event->param.conn.private_data, sizeof(loan));
	loan.key = key ? strtoul(key, NULL, 0) : ntohl(loan.key);
	puts("connected");
	for (uint32_t i = 0; i < count && !why; i++) {
		memset(peer->page, i, SIZE);
		check(!rdma_post_write(peer->id, NULL, peer->page, SIZE,
				       peer->page_mr, 0, be64toh(loan.address),
				       loan.key), "rdma_post_write");
		why = await(peer->id, SENT);
		if (!why)
			why = send_note(peer, i);
		if (!why && !(why = receive_note(peer, &verdict)) && !verdict)
			why = "the server saw another page";
	}
	if (why)
		errx(1, "%s", why);
	printf("%u pages\n", count);
	check(!rdma_disconnect(peer->id), "rdma_disconnect");
	forget(peer);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 3 && !strcmp(argv[1], "server"))
		server(argv[2]);
	if (argc < 3 || argc > 5 || strcmp(argv[1], "client"))
		errx(2, "usage: server ADDRESS | client ADDRESS [PAGES [KEY]]");
	client(argv[2], argc > 3 ? atol(argv[3]) : 100, argv[argc > 4 ? 4 : argc]);
	return 0;
}
