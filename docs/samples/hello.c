// SPDX-License-Identifier: MIT-0
/*
 * hello: make a connection, step by step, and end it.
 *
 * No data flows but the private data that goes with the request and the answer.
 * The client holds the connection for SECONDS (0).
 */
#include <err.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rdma/rdma_cma.h>

#define PORT "7470"
#define VERSION 1
#define RESOLVE_MS 2000

struct greeting {
	unsigned char version;
	char name[31];
};

static void check(bool ok, const char *what)
{
	if (!ok)
		err(1, "%s", what);
}

/* What each event means to whoever waits for another one. */
static const char *meaning(const struct rdma_cm_event *event)
{
	switch (event->event) {
	case RDMA_CM_EVENT_ADDR_ERROR:
		return "no RDMA device leads to this address";
	case RDMA_CM_EVENT_ROUTE_ERROR:
		return "there is no route to this address";
	case RDMA_CM_EVENT_UNREACHABLE:
		return "the peer does not answer";
	case RDMA_CM_EVENT_REJECTED:
		/* iWARP: -ECONNREFUSED; InfiniBand and RoCE: a reason */
		return "the peer refuses: nobody listens, or not to us";
	case RDMA_CM_EVENT_CONNECT_ERROR:
		return "the connection broke while it was being made";
	case RDMA_CM_EVENT_DISCONNECTED:
		return "the peer has closed the connection";
	case RDMA_CM_EVENT_DEVICE_REMOVAL:
		return "the RDMA device is gone";
	case RDMA_CM_EVENT_ADDR_CHANGE:
		return "the address has moved to another device";
	default:
		return rdma_event_str(event->event);
	}
}

/*
 * Waits for the event @want, which carries a greeting if @greeting is not NULL;
 * another one is the end. Returns the id it is about: a new one for a request.
 */
static struct rdma_cm_id *expect(struct rdma_event_channel *channel,
				 enum rdma_cm_event_type want,
				 struct greeting *greeting)
{
	struct rdma_cm_event *event;
	struct rdma_cm_id *id;

	check(!rdma_get_cm_event(channel, &event), "rdma_get_cm_event");
	if (event->event != want)
		errx(1, "%s (status %d)", meaning(event), event->status);
	if (greeting) {
		/* RoCE pads private data: longer is no fault. */
		if (event->param.conn.private_data_len < sizeof(*greeting))
			errx(1, "the peer does not say who it is");
		memcpy(greeting, event->param.conn.private_data,
		       sizeof(*greeting));
		greeting->name[sizeof(greeting->name) - 1] = 0;
	}
	id = event->id;
	/* The private data goes with the event, so it was copied before. */
	rdma_ack_cm_event(event);
	return id;
}

static struct addrinfo *lookup(const char *address, int flags)
{
	struct addrinfo hints = {
		.ai_flags = flags,
		.ai_socktype = SOCK_STREAM,
	}, *info;
	int fault = getaddrinfo(address, PORT, &hints, &info);

	if (fault)
		errx(1, "%s: %s", address, gai_strerror(fault));
	return info;
}

static struct rdma_cm_id *new_id(struct rdma_event_channel *channel)
{
	struct rdma_cm_id *id;

	check(!rdma_create_id(channel, &id, NULL, RDMA_PS_TCP),
	      "rdma_create_id (is the module rdma_ucm loaded?)");
	return id;
}

/* Queues of the smallest size: with no completion queue given, it makes two. */
static void make_queues(struct rdma_cm_id *id)
{
	struct ibv_qp_init_attr attr = {
		.cap = {
			.max_send_wr = 1,
			.max_recv_wr = 1,
			.max_send_sge = 1,
			.max_recv_sge = 1,
		},
		.qp_type = IBV_QPT_RC,
	};

	check(!rdma_create_qp(id, NULL, &attr), "rdma_create_qp");
}

static void server(struct rdma_event_channel *channel, const char *address)
{
	struct greeting mine = { VERSION, "server" }, theirs;
	struct rdma_conn_param param = {
		.private_data = &mine,
		.private_data_len = sizeof(mine),
	};
	struct rdma_cm_id *listener = new_id(channel), *id;
	struct addrinfo *info = lookup(address, AI_PASSIVE);

	if (rdma_bind_addr(listener, info->ai_addr))
		err(1, "%s", address);
	freeaddrinfo(info);
	check(!rdma_listen(listener, 1), "rdma_listen");
	puts("listening");
	id = expect(channel, RDMA_CM_EVENT_CONNECT_REQUEST, &theirs);
	if (theirs.version != VERSION) {
		rdma_reject(id, &mine, sizeof(mine));
		errx(1, "a client of version %u", theirs.version);
	}
	/* Nobody else: requests that have come since are refused. */
	rdma_destroy_id(listener);
	make_queues(id);
	check(!rdma_accept(id, &param), "rdma_accept");
	expect(channel, RDMA_CM_EVENT_ESTABLISHED, NULL);
	printf("connected to %s\n", theirs.name);
	expect(channel, RDMA_CM_EVENT_DISCONNECTED, NULL);
	puts("the client has closed the connection");
	rdma_destroy_qp(id);
	rdma_destroy_id(id);
}

static void client(struct rdma_event_channel *channel, const char *address,
		   int seconds)
{
	struct greeting mine = { VERSION, "client" }, theirs;
	struct rdma_conn_param param = {
		.private_data = &mine,
		.private_data_len = sizeof(mine),
		.retry_count = 7,
	};
	struct pollfd ready = { .fd = channel->fd, .events = POLLIN };
	struct addrinfo *info = lookup(address, 0);
	struct rdma_cm_id *id = new_id(channel);

	if (rdma_resolve_addr(id, NULL, info->ai_addr, RESOLVE_MS))
		err(1, "%s", address);
	freeaddrinfo(info);
	expect(channel, RDMA_CM_EVENT_ADDR_RESOLVED, NULL);
	check(!rdma_resolve_route(id, RESOLVE_MS), "rdma_resolve_route");
	expect(channel, RDMA_CM_EVENT_ROUTE_RESOLVED, NULL);
	make_queues(id);
	check(!rdma_connect(id, &param), "rdma_connect");
	expect(channel, RDMA_CM_EVENT_ESTABLISHED, &theirs);
	printf("connected to %s\n", theirs.name);
	if (poll(&ready, 1, seconds * 1000) == 0) {
		check(!rdma_disconnect(id), "rdma_disconnect");
		expect(channel, RDMA_CM_EVENT_DISCONNECTED, NULL);
		puts("closed");
	} else {
		/* Nothing but its end can happen to the connection. */
		expect(channel, RDMA_CM_EVENT_DISCONNECTED, NULL);
		errx(1, "the peer has closed the connection");
	}
	rdma_destroy_qp(id);
	rdma_destroy_id(id);
}

int main(int argc, char **argv)
{
	struct rdma_event_channel *channel = rdma_create_event_channel();

	setvbuf(stdout, NULL, _IOLBF, 0);
	check(channel, "rdma_create_event_channel");
	if (argc == 3 && !strcmp(argv[1], "server"))
		server(channel, argv[2]);
	else if (argc >= 3 && argc <= 4 && !strcmp(argv[1], "client"))
		client(channel, argv[2], argc == 4 ? atoi(argv[3]) : 0);
	else
		errx(2, "usage: server ADDRESS | client ADDRESS [SECONDS]");
	rdma_destroy_event_channel(channel);
	return 0;
}
