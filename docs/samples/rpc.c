// SPDX-License-Identifier: MIT-0
/*
 * rpc: calls and answers, several at once.
 *
 * A call has a number, and so has its answer. At most WINDOW calls are under way
 * and each end has as many receives; that is all the flow control it takes.
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

#define PORT "7481"
#define WINDOW 8
#define DEPTH WINDOW

/* A call holds an operation, its answer a result; in network order. */
enum operation { ADD, MULTIPLY, GOODBYE, NO_OPERATION };
enum result { DONE, NO_SUCH_OPERATION };

struct message {
	uint32_t number;
	uint32_t kind;
	uint64_t a, b;
};

static struct { struct message in[WINDOW], out[WINDOW]; } slots;
static struct ibv_mr *slots_mr;

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

static void post_receive(struct rdma_cm_id *id, uintptr_t slot)
{
	check(!rdma_post_recv(id, (void *)slot, &slots.in[slot],
			      sizeof(struct message), slots_mr), "rdma_post_recv");
}

static void prepare(struct rdma_cm_id *id)
{
	slots_mr = rdma_reg_msgs(id, &slots, sizeof(slots));
	check(slots_mr && !ibv_req_notify_cq(id->send_cq, 0) &&
	      !ibv_req_notify_cq(id->recv_cq, 0), "rdma_reg_msgs");
	for (int i = 0; i < WINDOW; i++)
		post_receive(id, i);
}

static void transmit(struct rdma_cm_id *id, uint32_t slot)
{
	check(!rdma_post_send(id, NULL, &slots.out[slot],
			      sizeof(struct message), slots_mr, 0), "rdma_post_send");
	await(id, SENT);
}

/* The next message, copied: its slot is free again. */
static struct message receive(struct rdma_cm_id *id)
{
	struct ibv_wc wc = await(id, RECEIVED);
	struct message message = slots.in[wc.wr_id];

	if (wc.byte_len != sizeof(message))
		errx(1, "a message of %u octets", wc.byte_len);
	post_receive(id, wc.wr_id);
	return message;
}

static struct message serve(const struct message *call)
{
	struct message answer = { .number = call->number, .kind = htonl(DONE) };
	uint64_t a = be64toh(call->a), b = be64toh(call->b);

	switch (ntohl(call->kind)) {
	case ADD:
		answer.a = htobe64(a + b);
		break;
	case MULTIPLY:
		answer.a = htobe64(a * b);
		break;
	case GOODBYE:
		break;
	default:
		answer.kind = htonl(NO_SUCH_OPERATION);
	}
	return answer;
}

static void server(char *address)
{
	struct rdma_cm_id *listener = endpoint(address, RAI_PASSIVE), *id;
	struct rdma_conn_param param = { .rnr_retry_count = 7 };
	struct message call;
	uint32_t served = 0;

	check(!rdma_listen(listener, 1), "rdma_listen");
	puts("listening");
	check(!rdma_get_request(listener, &id), "rdma_get_request");
	prepare(id);
	check(!rdma_accept(id, &param), "rdma_accept");
	rdma_destroy_ep(listener);
	puts("connected");
	do {
		call = receive(id);
		slots.out[served % WINDOW] = serve(&call);
		transmit(id, served++ % WINDOW);
	} while (call.kind != htonl(GOODBYE));
	printf("%u calls, %s\n", served, ending(id, -1));
	rdma_dereg_mr(slots_mr);
	rdma_destroy_ep(id);
}

static void call(struct rdma_cm_id *id, uint32_t number, enum operation operation)
{
	slots.out[number % WINDOW] = (struct message){
		.number = htonl(number), .kind = htonl(operation),
		.a = htobe64(number), .b = htobe64(3),
	};
	transmit(id, number % WINDOW);
}

static void verify(struct message answer)
{
	uint64_t number = ntohl(answer.number);
	uint64_t want[] = { number + 3, number * 3, 0 };
	enum result result = number % 3 == 2 ? NO_SUCH_OPERATION : DONE;

	if (ntohl(answer.kind) != result || be64toh(answer.a) != want[number % 3])
		errx(1, "call %ju has a wrong answer", (uintmax_t)number);
}

static void client(char *address, uint32_t count)
{
	struct rdma_conn_param param = { .retry_count = 7, .rnr_retry_count = 7 };
	struct rdma_cm_id *id = endpoint(address, 0);
	uint32_t begun = 0;

	prepare(id);
	if (rdma_connect(id, &param))
		err(1, "%s", address);
	puts("connected");
	for (uint32_t done = 0; done < count; done++) {
		for (; begun < count && begun - done < WINDOW; begun++)
			call(id, begun, begun % 3 == 2 ? NO_OPERATION :
			     begun % 3 ? MULTIPLY : ADD);
		verify(receive(id));
	}
	call(id, count, GOODBYE);
	receive(id);
	printf("%u calls\n", count);
	check(!rdma_disconnect(id), "rdma_disconnect");
	rdma_dereg_mr(slots_mr);
	rdma_destroy_ep(id);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 3 && !strcmp(argv[1], "server"))
		server(argv[2]);
	else if (argc >= 3 && argc <= 4 && !strcmp(argv[1], "client"))
		client(argv[2], argc == 4 ? strtoul(argv[3], NULL, 0) : 100);
	else
		errx(2, "usage: server ADDRESS | client ADDRESS [CALLS]");
	return 0;
}
