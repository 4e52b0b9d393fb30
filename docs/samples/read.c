// SPDX-License-Identifier: MIT-0
/*
 * read: RDMA Read, as many at once as both ends allow.
 *
 * IRD is how many Reads an end answers at once, ORD how many it may ask. The
 * client says how many it would like (initiator_depth), the server how many it
 * will answer (responder_resources); the event of the connection tells the
 * client. One scatter/gather entry for each Read, as iWARP has it.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <err.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rdma/rdma_cma.h>
#include <rdma/rdma_verbs.h>

#define PORT "7473"
#define WANTED 16
#define CHUNK 16384
#define DEPTH (WANTED + 1)

struct loan {
	uint64_t address;
	uint32_t key;
	uint32_t chunks;
};

static uint8_t store[64][CHUNK];	/* the server's */
static uint8_t sink[WANTED][CHUNK];	/* the client's */
static char goodbye;
static struct ibv_mr *memory, *message;

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

/* The next completion on one side. The connection may end instead. */
static struct ibv_wc await(struct rdma_cm_id *id, enum side side)
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
			errx(1, "%s", ending(id, 0));
		check(!ibv_get_cq_event(channel, &cq, &context), "CQ event");
		ibv_ack_cq_events(cq, 1);
		/* Armed before the next look, so nothing is missed. */
		check(!ibv_req_notify_cq(cq, 0), "ibv_req_notify_cq");
	}
	check(n > 0, "ibv_poll_cq");
	if (wc.status == IBV_WC_WR_FLUSH_ERR)
		errx(1, "%s", ending(id, 2000));
	if (wc.status)
		errx(1, "%s: %s", side == SENT ? "request" : "receive",
		     ibv_wc_status_str(wc.status));
	return wc;
}

/* A listener, or an endpoint that has found its way to the peer. */
static struct rdma_cm_id *endpoint(char *address, int flags)
{
	struct rdma_addrinfo hints = {
		.ai_flags = flags, .ai_port_space = RDMA_PS_TCP,
	};
	struct ibv_qp_init_attr attr = {
		.cap = { .max_send_wr = DEPTH, .max_send_sge = 1,
			 .max_recv_wr = DEPTH, .max_recv_sge = 1 },
		.qp_type = IBV_QPT_RC, .sq_sig_all = 1,
	};
	struct rdma_addrinfo *info;
	struct rdma_cm_id *id;

	if (rdma_getaddrinfo(address, PORT, &hints, &info))
		errx(1, "%s: not an address", address);
	if (rdma_create_ep(&id, info, NULL, &attr))
		err(1, "%s: no RDMA device leads there", address);
	rdma_freeaddrinfo(info);
	return id;
}

static uint8_t least(uint8_t one, int other)
{
	return one < other ? one : other;
}

static struct ibv_device_attr device_of(struct rdma_cm_id *id)
{
	struct ibv_device_attr device;

	check(!ibv_query_device(id->verbs, &device), "ibv_query_device");
	return device;
}

static void prepare(struct rdma_cm_id *id, struct ibv_mr *mr)
{
	check(!ibv_req_notify_cq(id->send_cq, 0) &&
	      !ibv_req_notify_cq(id->recv_cq, 0), "ibv_req_notify_cq");
	memory = mr;
	message = rdma_reg_msgs(id, &goodbye, sizeof(goodbye));
	check(memory && message, "registering memory");
}

static void finish(struct rdma_cm_id *id)
{
	rdma_dereg_mr(memory);
	rdma_dereg_mr(message);
	rdma_destroy_ep(id);
}

static void server(char *address)
{
	struct rdma_cm_id *listener = endpoint(address, RAI_PASSIVE), *id;
	struct rdma_conn_param param = { .rnr_retry_count = 7 };
	int chunks = sizeof(store) / CHUNK;
	struct loan loan;

	for (int i = 0; i < chunks; i++)
		memset(store[i], i, CHUNK);
	check(!rdma_listen(listener, 1), "rdma_listen");
	puts("listening");
	check(!rdma_get_request(listener, &id), "rdma_get_request");
	prepare(id, rdma_reg_read(id, store, sizeof(store)));
	check(!rdma_post_recv(id, NULL, &goodbye, sizeof(goodbye), message),
	      "rdma_post_recv");
	loan.address = htobe64((uintptr_t)store);
	loan.key = htonl(memory->rkey);
	loan.chunks = htonl(chunks);
	param.private_data = &loan;
	param.private_data_len = sizeof(loan);
	param.responder_resources =
		least(id->event->param.conn.responder_resources,
		      device_of(id).max_qp_rd_atom);
	printf("answering %u Reads at once\n", param.responder_resources);
	check(!rdma_accept(id, &param), "rdma_accept");
	rdma_destroy_ep(listener);
	puts("connected");

	/* Reads leave no trace here, so the client says when it has all. */
	await(id, RECEIVED);
	puts(ending(id, -1));
	finish(id);
}

static void post_read(struct rdma_cm_id *id, const struct loan *loan,
		      uint32_t number, uint32_t slot)
{
	uint64_t offset = (uint64_t)(number % ntohl(loan->chunks)) * CHUNK;

	check(!rdma_post_read(id, (void *)(uintptr_t)number, sink[slot], CHUNK,
			      memory, 0, be64toh(loan->address) + offset,
			      ntohl(loan->key)), "rdma_post_read");
}

static void client(char *address, uint32_t count)
{
	struct rdma_conn_param param = { .retry_count = 7, .rnr_retry_count = 7 };
	struct rdma_cm_id *id = endpoint(address, 0);
	uint32_t posted = 0, ord;
	struct loan loan;

	/* iWARP: the sink of a Read is written to by the peer. */
	prepare(id, rdma_reg_write(id, sink, sizeof(sink)));
	param.initiator_depth = least(WANTED, device_of(id).max_qp_init_rd_atom);
	if (rdma_connect(id, &param))
		err(1, "%s", address);
	if (id->event->param.conn.private_data_len < sizeof(loan))
		errx(1, "the server lends no memory");
	memcpy(&loan, id->event->param.conn.private_data, sizeof(loan));
	ord = least(param.initiator_depth, id->event->param.conn.initiator_depth);
	if (!ord || !loan.chunks)
		errx(1, "the server lets nobody read");
	printf("connected, %u Reads at once\n", ord);

	/* Reads complete in order, so slots are used in turn. */
	for (uint32_t done = 0; done < count; done++) {
		for (; posted < count && posted - done < ord; posted++)
			post_read(id, &loan, posted, posted % ord);
		if (await(id, SENT).wr_id != done)
			errx(1, "Read %u did not end in its turn", done);
		if (sink[done % ord][CHUNK - 1] != done % ntohl(loan.chunks))
			errx(1, "Read %u brought something else", done);
	}
	check(!rdma_post_send(id, NULL, &goodbye, sizeof(goodbye), message, 0),
	      "rdma_post_send");
	await(id, SENT);
	printf("%u Reads of %d octets\n", count, CHUNK);
	check(!rdma_disconnect(id), "rdma_disconnect");
	finish(id);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 3 && !strcmp(argv[1], "server"))
		server(argv[2]);
	else if (argc >= 3 && argc <= 4 && !strcmp(argv[1], "client"))
		client(argv[2], argc == 4 ? strtoul(argv[3], NULL, 0) : 100);
	else
		errx(2, "usage: server ADDRESS | client ADDRESS [READS]");
	return 0;
}
