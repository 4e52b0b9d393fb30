// SPDX-License-Identifier: MIT-0
/*
 * epoll: one thread, any number of connections, nothing blocks.
 *
 * The server sends back what its clients say. Events of connections and of
 * completions arrive through one epoll; both ends share the code. The client
 * speaks first, as iWARP asks (RFC 5044 section 7.1).
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include <rdma/rdma_cma.h>
#include <rdma/rdma_verbs.h>

#define PORT "7475"
#define RESOLVE_MS 2000

struct connection {
	struct rdma_cm_id *id;
	struct ibv_comp_channel *completions;
	struct ibv_cq *cq;
	struct ibv_mr *mr;
	struct { char in[64], out[64]; } text;
};

static struct rdma_event_channel *events;
static bool serving;
static uint32_t rounds, done;
static int poller;

static void check(bool ok, const char *what)
{
	if (!ok)
		err(1, "%s", what);
}

static void watch(int fd, struct connection *connection)
{
	struct epoll_event want = { .events = EPOLLIN, .data.ptr = connection };

	check(!fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) &&
	      !epoll_ctl(poller, EPOLL_CTL_ADD, fd, &want), "epoll_ctl");
}

static void post_receive(struct connection *c)
{
	check(!rdma_post_recv(c->id, c->text.in, c->text.in,
			      sizeof(c->text.in), c->mr), "rdma_post_recv");
}

static void say(struct connection *c, const char *text)
{
	snprintf(c->text.out, sizeof(c->text.out), "%s", text);
	check(!rdma_post_send(c->id, NULL, c->text.out, sizeof(c->text.out),
			      c->mr, 0), "rdma_post_send");
}

static void say_next(struct connection *c)
{
	char text[32];

	snprintf(text, sizeof(text), "round %u", done);
	say(c, text);
}

/* Queues, and the first receive: it has to be there before the peer speaks. */
static struct connection *open_connection(struct rdma_cm_id *id)
{
	struct connection *c = calloc(1, sizeof(*c));
	struct ibv_qp_init_attr attr = {
		.cap = {
			.max_send_wr = 2,
			.max_recv_wr = 2,
			.max_send_sge = 1,
			.max_recv_sge = 1,
		},
		.qp_type = IBV_QPT_RC,
		.sq_sig_all = 1,
	};

	check(c, "calloc");
	c->id = id;
	id->context = c;
	c->completions = ibv_create_comp_channel(id->verbs);
	check(c->completions, "ibv_create_comp_channel");
	c->cq = ibv_create_cq(id->verbs, 4, NULL, c->completions, 0);
	check(c->cq && !ibv_req_notify_cq(c->cq, 0), "ibv_create_cq");
	attr.send_cq = attr.recv_cq = c->cq;
	check(!rdma_create_qp(id, NULL, &attr), "rdma_create_qp");
	c->mr = rdma_reg_msgs(id, &c->text, sizeof(c->text));
	check(c->mr, "rdma_reg_msgs");
	watch(c->completions->fd, c);
	post_receive(c);
	return c;
}

/* Its id is destroyed, so no event of it comes after this one. */
static void close_connection(struct connection *c)
{
	struct rdma_cm_id *id = c->id;

	rdma_destroy_qp(id);
	rdma_dereg_mr(c->mr);
	ibv_destroy_cq(c->cq);
	ibv_destroy_comp_channel(c->completions);
	rdma_destroy_id(id);
	free(c);
}

/* Returns false when the connection is of no more use. */
static bool on_completion(struct connection *c, const struct ibv_wc *wc)
{
	if (wc->status) {
		/* Flushed requests are silent: an event tells of the end. */
		if (wc->status != IBV_WC_WR_FLUSH_ERR)
			warnx("%s", ibv_wc_status_str(wc->status));
		return false;
	}
	if (wc->opcode != IBV_WC_RECV)
		return true;
	c->text.in[sizeof(c->text.in) - 1] = 0;
	if (serving) {
		char text[sizeof(c->text.in)];

		memcpy(text, c->text.in, sizeof(text));
		post_receive(c);
		say(c, text);
		return true;
	}
	if (strcmp(c->text.in, c->text.out))
		errx(1, "\"%s\" came back as \"%s\"", c->text.out, c->text.in);
	post_receive(c);
	if (++done < rounds)
		say_next(c);
	else
		check(!rdma_disconnect(c->id), "rdma_disconnect");
	return true;
}

static void on_completions(struct connection *c)
{
	struct ibv_cq *cq;
	struct ibv_wc wc;
	void *context;
	int n;

	if (ibv_get_cq_event(c->completions, &cq, &context)) {
		check(errno == EAGAIN, "ibv_get_cq_event");
		return;
	}
	ibv_ack_cq_events(cq, 1);
	check(!ibv_req_notify_cq(cq, 0), "ibv_req_notify_cq");
	while ((n = ibv_poll_cq(cq, 1, &wc)) == 1 && on_completion(c, &wc))
		;
	check(n >= 0, "ibv_poll_cq");
}

/* Acknowledges the event, which has to be before its id is destroyed. */
static void on_event(struct rdma_cm_event *event)
{
	struct rdma_conn_param param = { .retry_count = 7, .rnr_retry_count = 7 };
	enum rdma_cm_event_type type = event->event;
	struct rdma_cm_id *id = event->id;
	int status = event->status;

	rdma_ack_cm_event(event);
	switch (type) {
	case RDMA_CM_EVENT_ADDR_RESOLVED:
		check(!rdma_resolve_route(id, RESOLVE_MS), "rdma_resolve_route");
		break;
	case RDMA_CM_EVENT_ROUTE_RESOLVED:
		open_connection(id);
		check(!rdma_connect(id, &param), "rdma_connect");
		break;
	case RDMA_CM_EVENT_CONNECT_REQUEST:
		open_connection(id);
		if (rdma_accept(id, &param)) {
			warn("rdma_accept");
			close_connection(id->context);
		}
		break;
	case RDMA_CM_EVENT_ESTABLISHED:
		puts("connected");
		if (!serving)
			say_next(id->context);
		break;
	case RDMA_CM_EVENT_TIMEWAIT_EXIT:
	case RDMA_CM_EVENT_ADDR_CHANGE:	/* of the listener, too */
		break;
	case RDMA_CM_EVENT_DEVICE_REMOVAL:
		errx(1, "the RDMA device is gone");
	default:
		/* Of one connection: it was refused, has failed, is closed. */
		if (!serving && (done < rounds || !rounds))
			errx(1, "%s (%d)", type == RDMA_CM_EVENT_DISCONNECTED ?
			     "the peer has closed the connection" :
			     rdma_event_str(type), status);
		puts("a connection has ended");
		close_connection(id->context);
		if (!serving)
			exit(0);
	}
}

int main(int argc, char **argv)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *info;
	struct rdma_cm_event *event;
	struct epoll_event ready;
	struct rdma_cm_id *id;

	setvbuf(stdout, NULL, _IOLBF, 0);
	serving = argc == 3 && !strcmp(argv[1], "server");
	if (!serving && (argc < 3 || argc > 4 || strcmp(argv[1], "client")))
		errx(2, "usage: server ADDRESS | client ADDRESS [ROUNDS]");
	rounds = argc == 4 ? strtoul(argv[3], NULL, 0) : 100;
	if (getaddrinfo(argv[2], PORT, &hints, &info))
		errx(1, "%s: not an address", argv[2]);
	poller = epoll_create1(EPOLL_CLOEXEC);
	events = rdma_create_event_channel();
	check(poller >= 0 && events, "rdma_create_event_channel");
	watch(events->fd, NULL);
	check(!rdma_create_id(events, &id, NULL, RDMA_PS_TCP), "rdma_create_id");
	if (serving ? rdma_bind_addr(id, info->ai_addr) || rdma_listen(id, 64) :
	    rdma_resolve_addr(id, NULL, info->ai_addr, RESOLVE_MS))
		err(1, "%s", argv[2]);
	freeaddrinfo(info);
	if (serving)
		puts("listening");
	while (epoll_wait(poller, &ready, 1, -1) == 1) {
		/* One at a time: the next may be of what this one closes. */
		if (ready.data.ptr)
			on_completions(ready.data.ptr);
		else if (!rdma_get_cm_event(events, &event))
			on_event(event);
	}
	err(1, "epoll_wait");
}
