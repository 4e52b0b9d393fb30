// SPDX-License-Identifier: MIT-0
/*
 * credits: Send and Receive with flow control.
 *
 * A message needs a receive that waits for it; iWARP ends the connection where
 * there is none. So the receiver says how many may come (credits), and gives
 * them back as it posts receives again. The server's own messages need none: it
 * sends one for CREDITS / 2 of the client's, so at most three are on their way.
 */
#include <arpa/inet.h>
#include <err.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rdma/rdma_cma.h>
#include <rdma/rdma_verbs.h>

#define PORT "7471"
#define CREDITS 16
#define DEPTH CREDITS

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

/* Both ends alike: messages to send, and messages that may come. */
struct message {
	uint32_t number;	/* in the server's: credits given back */
	char text[60];
};

static struct message out, in[CREDITS];
static struct ibv_mr *out_mr, *in_mr;

static void post_receive(struct rdma_cm_id *id, struct message *message)
{
	check(!rdma_post_recv(id, message, message, sizeof(*message), in_mr),
	      "rdma_post_recv");
}

/* Receives are there before the peer can send: they are posted first. */
static void prepare(struct rdma_cm_id *id)
{
	check(!ibv_req_notify_cq(id->send_cq, 0) &&
	      !ibv_req_notify_cq(id->recv_cq, 0), "ibv_req_notify_cq");
	out_mr = rdma_reg_msgs(id, &out, sizeof(out));
	in_mr = rdma_reg_msgs(id, in, sizeof(in));
	check(out_mr && in_mr, "rdma_reg_msgs");
	for (int i = 0; i < CREDITS; i++)
		post_receive(id, &in[i]);
}

static void transmit(struct rdma_cm_id *id, uint32_t number)
{
	out.number = htonl(number);
	check(!rdma_post_send(id, NULL, &out, sizeof(out), out_mr, 0),
	      "rdma_post_send");
	await(id, SENT);
}

/* The number in the next message, whose place is free again then. */
static uint32_t receive(struct rdma_cm_id *id)
{
	struct ibv_wc wc = await(id, RECEIVED);
	struct message *message = (void *)(uintptr_t)wc.wr_id;
	uint32_t number = ntohl(message->number);

	if (wc.byte_len != sizeof(*message))
		errx(1, "a message of %u octets", wc.byte_len);
	post_receive(id, message);
	return number;
}

static void finish(struct rdma_cm_id *id)
{
	rdma_dereg_mr(out_mr);
	rdma_dereg_mr(in_mr);
	rdma_destroy_ep(id);
}

static void server(char *address)
{
	uint32_t granted = htonl(CREDITS), count, owed = 0;
	struct rdma_conn_param param = {
		.private_data = &granted,
		.private_data_len = sizeof(granted),
		.rnr_retry_count = 7,
	};
	struct rdma_cm_id *listener = endpoint(address, RAI_PASSIVE), *id;

	check(!rdma_listen(listener, 1), "rdma_listen");
	puts("listening");
	check(!rdma_get_request(listener, &id), "rdma_get_request");
	if (id->event->param.conn.private_data_len < sizeof(count))
		errx(1, "the client does not say how much will come");
	memcpy(&count, id->event->param.conn.private_data, sizeof(count));
	count = ntohl(count);
	prepare(id);
	check(!rdma_accept(id, &param), "rdma_accept");
	rdma_destroy_ep(listener);
	puts("connected");

	for (uint32_t i = 0; i < count; i++) {
		if (receive(id) != i)
			errx(1, "message %u did not come in its turn", i);
		/* Half at a time: the client need not stop for them. */
		if (++owed == CREDITS / 2 || i == count - 1) {
			transmit(id, owed);
			owed = 0;
		}
	}
	printf("%u messages, %s\n", count, ending(id, -1));
	finish(id);
}

static void client(char *address, uint32_t count)
{
	uint32_t announced = htonl(count), credits, granted, waited = 0;
	struct rdma_conn_param param = {
		.private_data = &announced,
		.private_data_len = sizeof(announced),
		.retry_count = 7,
		.rnr_retry_count = 7,
	};
	struct rdma_cm_id *id = endpoint(address, 0);

	prepare(id);
	if (rdma_connect(id, &param))
		err(1, "%s", address);
	if (id->event->param.conn.private_data_len < sizeof(granted))
		errx(1, "the server grants no credits");
	memcpy(&granted, id->event->param.conn.private_data, sizeof(granted));
	credits = granted = ntohl(granted);
	puts("connected");

	for (uint32_t i = 0; i < count; i++) {
		for (; credits == 0; waited++)
			credits = receive(id);
		credits--;
		transmit(id, i);
	}
	/* All back: the server has seen each message. */
	while (credits < granted)
		credits += receive(id);
	printf("%u messages, waited %u times\n", count, waited);
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
		errx(2, "usage: server ADDRESS | client ADDRESS [COUNT]");
	return 0;
}
