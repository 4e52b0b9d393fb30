// SPDX-License-Identifier: MIT-0
/*
 * reconnect: a client that outlives its server.
 *
 * What is lost is made again from nothing: a queue pair in error is of no more
 * use. The pause between attempts doubles, up to a limit, and has a random part
 * so that clients do not come back all at once. A call is made again when its
 * answer did not come; the server may then see it twice.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rdma/rdma_cma.h>
#include <rdma/rdma_verbs.h>

#define PORT "7480"
#define DEPTH 2
#define FIRST_PAUSE_MS 100
#define LONGEST_PAUSE_MS 2000
#define ATTEMPTS 30		/* in a row, without a call that succeeds */

static struct { uint32_t in, out; } notes;
static struct ibv_mr *notes_mr;

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

/* A listener or the way to a peer, with queues; or NULL and errno. */
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
		return NULL;
	if (rdma_create_ep(&id, info, NULL, &attr))
		id = NULL;
	rdma_freeaddrinfo(info);
	return id;
}

static bool prepare(struct rdma_cm_id *id)
{
	notes_mr = rdma_reg_msgs(id, &notes, sizeof(notes));
	return notes_mr && !ibv_req_notify_cq(id->send_cq, 0) &&
		!ibv_req_notify_cq(id->recv_cq, 0) &&
		!rdma_post_recv(id, NULL, &notes.in, 4, notes_mr);
}

static void forget(struct rdma_cm_id *id)
{
	if (notes_mr)
		rdma_dereg_mr(notes_mr);
	notes_mr = NULL;
	rdma_destroy_ep(id);
}

static const char *transmit(struct rdma_cm_id *id, uint32_t number)
{
	notes.out = htonl(number);
	if (rdma_post_send(id, NULL, &notes.out, 4, notes_mr, 0))
		return strerror(errno);
	return await(id, SENT);
}

/* The receive is posted again before the other end can send the next one. */
static const char *receive(struct rdma_cm_id *id, uint32_t *number)
{
	const char *why = await(id, RECEIVED);

	*number = ntohl(notes.in);
	if (!why && rdma_post_recv(id, NULL, &notes.in, 4, notes_mr))
		why = strerror(errno);
	return why;
}

/* One client after the other, until somebody stops it. */
static void server(char *address)
{
	struct rdma_cm_id *listener = endpoint(address, RAI_PASSIVE), *id;
	struct rdma_conn_param param = { .rnr_retry_count = 7 };
	const char *why;
	uint32_t number;

	if (!listener || rdma_listen(listener, 8))
		err(1, "%s", address);
	puts("listening");
	for (;;) {
		check(!rdma_get_request(listener, &id), "rdma_get_request");
		why = prepare(id) && !rdma_accept(id, &param) ?
			NULL : strerror(errno);
		if (!why)
			puts("connected");
		while (!why && !(why = receive(id, &number)))
			why = transmit(id, number + 1);
		printf("%s\n", why);
		forget(id);
	}
}

/* Returns the connection, or NULL and errno. */
static struct rdma_cm_id *connect_once(char *address)
{
	struct rdma_conn_param param = { .retry_count = 7 };
	struct rdma_cm_id *id = endpoint(address, 0);
	int error;

	if (!id || (prepare(id) && !rdma_connect(id, &param)))
		return id;
	error = errno;
	forget(id);
	errno = error;
	return NULL;
}

static struct rdma_cm_id *connect_patiently(char *address)
{
	int pause = FIRST_PAUSE_MS, wait;
	struct rdma_cm_id *id;

	for (int i = 0; i < ATTEMPTS; i++) {
		id = connect_once(address);
		if (id)
			return id;
		wait = pause / 2 + rand() % pause;
		printf("%s; again in %d ms\n", strerror(errno), wait);
		poll(NULL, 0, wait);
		pause = 2 * pause < LONGEST_PAUSE_MS ? 2 * pause : LONGEST_PAUSE_MS;
	}
	errx(1, "%s: given up after %d attempts", address, ATTEMPTS);
}

static const char *call(struct rdma_cm_id *id, uint32_t number)
{
	const char *why = transmit(id, number);
	uint32_t answer;

	if (!why)
		why = receive(id, &answer);
	if (!why && answer != number + 1)
		errx(1, "%u + 1 = %u", number, answer);
	return why;
}

static void client(char *address, uint32_t count)
{
	struct rdma_cm_id *id = NULL;
	const char *why;

	srand(getpid());
	for (uint32_t done = 0; done < count; ) {
		if (!id) {
			id = connect_patiently(address);
			printf("connected, at call %u\n", done);
		}
		why = call(id, done);
		if (why) {
			printf("%s\n", why);
			forget(id);
			id = NULL;
		} else {
			done++;
		}
	}
	printf("%u calls\n", count);
	check(!id || !rdma_disconnect(id), "rdma_disconnect");
	if (id)
		forget(id);
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
