// SPDX-License-Identifier: MIT-0
/*
 * polling: ping-pong without sleeping, for the shortest latency.
 *
 * Whoever only polls a completion queue does not hear that the connection has
 * ended, so it has to ask, from time to time. Each end wants a CPU of its own.
 */
#include <arpa/inet.h>
#include <err.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rdma/rdma_cma.h>
#include <rdma/rdma_verbs.h>

#define PORT "7474"
#define DEPTH 2
#define POLLS 1000	/* without result, between two looks at events */

static uint32_t in, out;
static struct ibv_mr *in_mr, *out_mr;

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

/* A listener, or an endpoint that has found its way to the peer. */
static struct rdma_cm_id *endpoint(char *address, int flags)
{
	struct rdma_addrinfo hints = {
		.ai_flags = flags, .ai_port_space = RDMA_PS_TCP,
	};
	struct ibv_qp_init_attr attr = {
		.cap = { .max_send_wr = DEPTH, .max_send_sge = 1,
			 .max_recv_wr = DEPTH, .max_recv_sge = 1,
			 .max_inline_data = sizeof(out) },
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

static struct ibv_wc spin(struct rdma_cm_id *id, struct ibv_cq *cq)
{
	struct pollfd ready = { .fd = id->channel->fd, .events = POLLIN };
	struct ibv_wc wc;
	int n, polls = 0;

	while ((n = ibv_poll_cq(cq, 1, &wc)) == 0) {
		if (++polls % POLLS == 0 && poll(&ready, 1, 0) == 1)
			errx(1, "%s", ending(id, 0));
	}
	check(n > 0, "ibv_poll_cq");
	if (wc.status == IBV_WC_WR_FLUSH_ERR)
		errx(1, "%s", ending(id, 2000));
	if (wc.status)
		errx(1, "%s", ibv_wc_status_str(wc.status));
	return wc;
}

static void post_receive(struct rdma_cm_id *id)
{
	check(!rdma_post_recv(id, NULL, &in, sizeof(in), in_mr),
	      "rdma_post_recv");
}

static void prepare(struct rdma_cm_id *id)
{
	in_mr = rdma_reg_msgs(id, &in, sizeof(in));
	out_mr = rdma_reg_msgs(id, &out, sizeof(out));
	check(in_mr && out_mr, "rdma_reg_msgs");
	post_receive(id);
}

/* The number that came. The next receive is posted before any answer goes. */
static uint32_t receive(struct rdma_cm_id *id)
{
	struct ibv_wc wc = spin(id, id->recv_cq);
	uint32_t number = ntohl(in);

	if (wc.byte_len != sizeof(in))
		errx(1, "a message of %u octets", wc.byte_len);
	post_receive(id);
	return number;
}

static void transmit(struct rdma_cm_id *id, uint32_t number)
{
	out = htonl(number);
	check(!rdma_post_send(id, NULL, &out, sizeof(out), out_mr,
			      IBV_SEND_INLINE), "rdma_post_send");
	spin(id, id->send_cq);
}

static void finish(struct rdma_cm_id *id)
{
	rdma_dereg_mr(in_mr);
	rdma_dereg_mr(out_mr);
	rdma_destroy_ep(id);
}

static void server(char *address)
{
	struct rdma_cm_id *listener = endpoint(address, RAI_PASSIVE), *id;
	struct rdma_conn_param param = { .rnr_retry_count = 7 };
	uint32_t count;

	check(!rdma_listen(listener, 1), "rdma_listen");
	puts("listening");
	check(!rdma_get_request(listener, &id), "rdma_get_request");
	if (id->event->param.conn.private_data_len < sizeof(count))
		errx(1, "the client does not say how many rounds");
	memcpy(&count, id->event->param.conn.private_data, sizeof(count));
	count = ntohl(count);
	prepare(id);
	check(!rdma_accept(id, &param), "rdma_accept");
	rdma_destroy_ep(listener);
	puts("connected");
	for (uint32_t i = 0; i < count; i++)
		transmit(id, receive(id));
	printf("%u rounds, %s\n", count, ending(id, -1));
	finish(id);
}

static double microseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static void client(char *address, uint32_t count)
{
	uint32_t announced = htonl(count);
	struct rdma_conn_param param = {
		.private_data = &announced,
		.private_data_len = sizeof(announced),
		.retry_count = 7,
		.rnr_retry_count = 7,
	};
	struct rdma_cm_id *id = endpoint(address, 0);
	double begin;

	prepare(id);
	if (rdma_connect(id, &param))
		err(1, "%s", address);
	puts("connected");
	begin = microseconds();
	for (uint32_t i = 0; i < count; i++) {
		transmit(id, i);
		if (receive(id) != i)
			errx(1, "answer %u is another's", i);
	}
	printf("%u rounds, %.1f us each\n", count,
	       (microseconds() - begin) / count);
	check(!rdma_disconnect(id), "rdma_disconnect");
	finish(id);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 3 && !strcmp(argv[1], "server"))
		server(argv[2]);
	else if (argc >= 3 && argc <= 4 && !strcmp(argv[1], "client"))
		client(argv[2], argc == 4 ? strtoul(argv[3], NULL, 0) : 1000);
	else
		errx(2, "usage: server ADDRESS | client ADDRESS [ROUNDS]");
	return 0;
}
