// SPDX-License-Identifier: MIT-0
/*
 * notify: RDMA Write, and a Send that says so.
 *
 * The server lends a ring of slots. The client writes a block into the next one
 * and sends a note; RFC 5040 has no immediate data. A Send is delivered after
 * the Writes before it have been placed (RFC 5041 section 5.3), so the note is
 * never early. The server sends the slot's number back when it is free again.
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

#define PORT "7472"
#define SLOTS 8
#define BLOCK 16384
#define DEPTH (2 * SLOTS)

struct loan {
	uint64_t address;
	uint32_t key;
};

static uint8_t ring[SLOTS][BLOCK];
static uint32_t in[SLOTS], out;
static struct ibv_mr *ring_mr, *in_mr, *out_mr;

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

static void post_receive(struct rdma_cm_id *id, uint32_t *note)
{
	check(!rdma_post_recv(id, note, note, sizeof(*note), in_mr),
	      "rdma_post_recv");
}

static void prepare(struct rdma_cm_id *id, bool lend)
{
	check(!ibv_req_notify_cq(id->send_cq, 0) &&
	      !ibv_req_notify_cq(id->recv_cq, 0), "ibv_req_notify_cq");
	ring_mr = lend ? rdma_reg_write(id, ring, sizeof(ring)) :
		rdma_reg_msgs(id, ring, sizeof(ring));
	out_mr = rdma_reg_msgs(id, &out, sizeof(out));
	in_mr = rdma_reg_msgs(id, in, sizeof(in));
	check(ring_mr && out_mr && in_mr, "registering memory");
	for (int i = 0; i < SLOTS; i++)
		post_receive(id, &in[i]);
}

static void send_note(struct rdma_cm_id *id, uint32_t number)
{
	out = htonl(number);
	check(!rdma_post_send(id, NULL, &out, sizeof(out), out_mr, 0),
	      "rdma_post_send");
	await(id, SENT);
}

static uint32_t receive_note(struct rdma_cm_id *id)
{
	struct ibv_wc wc = await(id, RECEIVED);
	uint32_t *note = (void *)(uintptr_t)wc.wr_id, number = ntohl(*note);

	post_receive(id, note);
	return number;
}

static void finish(struct rdma_cm_id *id)
{
	rdma_dereg_mr(ring_mr);
	rdma_dereg_mr(out_mr);
	rdma_dereg_mr(in_mr);
	rdma_destroy_ep(id);
}

static void server(char *address)
{
	struct rdma_cm_id *listener = endpoint(address, RAI_PASSIVE), *id;
	struct rdma_conn_param param = { .rnr_retry_count = 7 };
	struct loan loan = { 0 };
	uint32_t count;

	check(!rdma_listen(listener, 1) && puts("listening"), "rdma_listen");
	check(!rdma_get_request(listener, &id), "rdma_get_request");
	if (id->event->param.conn.private_data_len < sizeof(count))
		errx(1, "the client does not say how much will come");
	memcpy(&count, id->event->param.conn.private_data, sizeof(count));
	count = ntohl(count);
	prepare(id, true);
	loan.address = htobe64((uintptr_t)ring);
	loan.key = htonl(ring_mr->rkey);
	param.private_data = &loan;
	param.private_data_len = sizeof(loan);
	check(!rdma_accept(id, &param), "rdma_accept");
	rdma_destroy_ep(listener);
	puts("connected");

	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *block = ring[i % SLOTS];

		if (receive_note(id) != i || block[0] != (uint8_t)i ||
		    block[BLOCK - 1] != (uint8_t)i)
			errx(1, "note %u came without its block", i);
		send_note(id, i);
	}
	printf("%u blocks, %s\n", count, ending(id, -1));
	finish(id);
}

static void client(char *address, uint32_t count)
{
	uint32_t announced = htonl(count), busy = 0;
	struct rdma_conn_param param = {
		.private_data = &announced,
		.private_data_len = sizeof(announced),
		.retry_count = 7, .rnr_retry_count = 7,
	};
	struct rdma_cm_id *id = endpoint(address, 0);
	struct loan loan;

	prepare(id, false);
	if (rdma_connect(id, &param))
		err(1, "%s", address);
	if (id->event->param.conn.private_data_len < sizeof(loan))
		errx(1, "the server lends no memory");
	memcpy(&loan, id->event->param.conn.private_data, sizeof(loan));
	puts("connected");

	for (uint32_t i = 0, slot; i < count; i++) {
		slot = i % SLOTS;
		for (; busy == SLOTS; busy--)
			receive_note(id);
		memset(ring[slot], i, BLOCK);
		check(!rdma_post_write(id, NULL, ring[slot], BLOCK, ring_mr, 0,
				       be64toh(loan.address) + slot * BLOCK,
				       ntohl(loan.key)), "rdma_post_write");
		busy++;
		send_note(id, i);
		await(id, SENT);
	}
	for (; busy > 0; busy--)
		receive_note(id);
	printf("%u blocks of %d octets\n", count, BLOCK);
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
		errx(2, "usage: server ADDRESS | client ADDRESS [BLOCKS]");
	return 0;
}
