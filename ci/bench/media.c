// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * The tests of the talk of 2009, as a program of verbs and one of sockets.
 *
 * media serve ADDR PORT           a film, for all who come; answers each Send
 * media write ADDR PORT SIZE N    N chunks of SIZE octets by RDMA Write, each
 *                                 announced by a Send, which the server answers:
 *                                 prints octets per second
 * media connect ADDR PORT N       N connections, one after the other, which stay:
 *                                 prints ns for one
 * media read ADDR PORT STREAMS SECONDS
 * media http ADDR PORT STREAMS SECONDS
 *                                 so many streams of 8.7 Mb/s each, for so long:
 *                                 by RDMA Read, or the path /film of an HTTP server.
 *                                 Fails if one falls behind.
 *
 * A stream is chunks of 64 KiB, each asked for when it is due. The streams begin
 * one after the other, evenly over the time that a chunk lasts.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <rdma/rdma_cma.h>

#define FILM (16 << 20)
#define CHUNK 65536
#define RATE (8700000 / 8)			/* octets per second */
#define PERIOD (1000000000LL * CHUNK / RATE)	/* ns that a chunk lasts */
#define AHEAD 2					/* chunks of a write under way */
#define RECEIVES 4
#define CQES 16384

/* Where the film is, in the server's private data. */
struct film {
	uint64_t address;
	uint32_t key;
};

struct stream {
	struct rdma_cm_id *id;
	struct film film;
	int fd;
	bool busy;
	long have;	/* octets of the chunk that came in, by HTTP */
	long chunks;	/* that came in */
};

static uint8_t *memory;
static struct ibv_mr *mr;
static struct ibv_pd *pd;
static struct ibv_cq *cq;
static struct ibv_comp_channel *channel;

static void check(bool ok, const char *what)
{
	if (!ok)
		err(1, "%s", what);
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* ---- both ends of RDMA ---- */

static void common(struct ibv_context *context)
{
	if (pd)
		return;
	pd = ibv_alloc_pd(context);
	channel = ibv_create_comp_channel(context);
	check(pd && channel, "protection domain, completion channel");
	cq = ibv_create_cq(context, CQES, NULL, channel, 0);
	check(cq && !ibv_req_notify_cq(cq, 0), "completion queue");
	memory = calloc(1, FILM);
	check(memory, "memory");
	mr = ibv_reg_mr(pd, memory, FILM, IBV_ACCESS_LOCAL_WRITE |
			IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_READ);
	check(mr, "ibv_reg_mr");
}

/* A Send is an octet that says nothing: the stock provider receives no less. */
static struct ibv_sge octet(void)
{
	return (struct ibv_sge){ (uintptr_t)memory + FILM - 1, 1, mr->lkey };
}

static void receive(struct ibv_qp *qp)
{
	struct ibv_sge to = octet();
	struct ibv_recv_wr *bad, wr = {
		.wr_id = (uintptr_t)qp, .sg_list = &to, .num_sge = 1,
	};

	check(!(errno = ibv_post_recv(qp, &wr, &bad)), "ibv_post_recv");
}

static void queue_pair(struct rdma_cm_id *id)
{
	struct ibv_qp_init_attr attr = {
		.qp_type = IBV_QPT_RC, .sq_sig_all = 0,
		.cap = { .max_send_wr = 16, .max_recv_wr = RECEIVES,
			 .max_send_sge = 1, .max_recv_sge = 1 },
	};
	int i;

	common(id->verbs);
	attr.send_cq = attr.recv_cq = cq;
	check(!rdma_create_qp(id, pd, &attr), "rdma_create_qp");
	for (i = 0; i < RECEIVES; i++)
		receive(id->qp);
}

/* The next completion. */
static struct ibv_wc completion(void)
{
	struct ibv_cq *which;
	struct ibv_wc wc;
	void *context;
	int n;

	while ((n = ibv_poll_cq(cq, 1, &wc)) == 0) {
		check(!ibv_get_cq_event(channel, &which, &context), "CQ event");
		ibv_ack_cq_events(which, 1);
		check(!ibv_req_notify_cq(cq, 0), "ibv_req_notify_cq");
		n = ibv_poll_cq(cq, 1, &wc);
		if (n)
			break;
	}
	check(n > 0, "ibv_poll_cq");
	return wc;
}

static void announce(struct ibv_qp *qp)
{
	static unsigned int sent;
	struct ibv_sge from = octet();
	struct ibv_send_wr *bad, wr = {
		.opcode = IBV_WR_SEND, .sg_list = &from, .num_sge = 1,
		/* One in so many, or the queue would fill with them. */
		.send_flags = sent++ % 4 ? 0 : IBV_SEND_SIGNALED,
	};

	check(!(errno = ibv_post_send(qp, &wr, &bad)), "ibv_post_send");
}

/* ---- server ---- */

static void *answer(void *unused)
{
	for (;;) {
		struct ibv_wc wc = completion();

		if (!wc.status && wc.opcode == IBV_WC_RECV) {
			struct ibv_qp *qp = (struct ibv_qp *)(uintptr_t)wc.wr_id;

			receive(qp);
			announce(qp);
		}
	}
	return unused;
}

static void serve(struct addrinfo *at)
{
	struct rdma_event_channel *events = rdma_create_event_channel();
	struct rdma_cm_event *event;
	struct rdma_cm_id *listener;
	bool answers = false;
	pthread_t thread;

	check(events && !rdma_create_id(events, &listener, NULL, RDMA_PS_TCP) &&
	      !rdma_bind_addr(listener, at->ai_addr) &&
	      !rdma_listen(listener, 1024), "listening");
	while (!rdma_get_cm_event(events, &event)) {
		struct rdma_cm_id *id = event->id;
		enum rdma_cm_event_type type = event->event;
		struct rdma_conn_param asked = event->param.conn;

		/* A completion may still name the queue pair: it stays. */
		rdma_ack_cm_event(event);
		if (type != RDMA_CM_EVENT_CONNECT_REQUEST)
			continue;
		queue_pair(id);

		struct film film = { (uintptr_t)memory, mr->rkey };
		struct rdma_conn_param param = {
			.private_data = &film,
			.private_data_len = sizeof(film),
			.responder_resources = asked.responder_resources,
		};

		check(!rdma_accept(id, &param), "rdma_accept");
		if (!answers)
			check(!pthread_create(&thread, NULL, answer, NULL),
			      "pthread_create");
		answers = true;
	}
	err(1, "rdma_get_cm_event");
}

/* ---- clients ---- */

static void rdma_open(struct stream *s, struct addrinfo *at)
{
	struct rdma_conn_param param = { .initiator_depth = 1 };

	/* No channel: each call waits until it is done. */
	check(!rdma_create_id(NULL, &s->id, s, RDMA_PS_TCP) &&
	      !rdma_resolve_addr(s->id, NULL, at->ai_addr, 2000) &&
	      !rdma_resolve_route(s->id, 2000), "the way to the server");
	queue_pair(s->id);
	check(!rdma_connect(s->id, &param), "rdma_connect");
	check(s->id->event && s->id->event->param.conn.private_data_len >=
	      sizeof(s->film), "the server says not where the film is");
	memcpy(&s->film, s->id->event->param.conn.private_data,
	       sizeof(s->film));
}

static void rdma_ask(struct stream *s)
{
	uint64_t offset = (uint64_t)s->chunks * CHUNK % FILM;
	struct ibv_sge to = { (uintptr_t)memory, CHUNK, mr->lkey };
	struct ibv_send_wr *bad, wr = {
		.wr_id = (uintptr_t)s, .sg_list = &to, .num_sge = 1,
		.opcode = IBV_WR_RDMA_READ, .send_flags = IBV_SEND_SIGNALED,
		.wr.rdma = { s->film.address + offset, s->film.key },
	};

	check(!(errno = ibv_post_send(s->id->qp, &wr, &bad)), "ibv_post_send");
}

static void rdma_take(void)
{
	struct ibv_cq *which;
	struct ibv_wc wc;
	void *context;
	int n;

	check(!ibv_get_cq_event(channel, &which, &context), "CQ event");
	ibv_ack_cq_events(which, 1);
	check(!ibv_req_notify_cq(cq, 0), "ibv_req_notify_cq");
	while ((n = ibv_poll_cq(cq, 1, &wc)) == 1) {
		struct stream *s = (struct stream *)(uintptr_t)wc.wr_id;

		if (wc.status)
			errx(1, "%s", ibv_wc_status_str(wc.status));
		s->busy = false;
		s->chunks++;
	}
	check(!n, "ibv_poll_cq");
}

static void http_open(struct stream *s, struct addrinfo *at)
{
	s->fd = socket(at->ai_family, SOCK_STREAM, 0);
	check(s->fd >= 0 && !connect(s->fd, at->ai_addr, at->ai_addrlen),
	      "connect");
}

static void http_ask(struct stream *s)
{
	long offset = s->chunks * CHUNK % FILM;
	char text[128];
	int n = snprintf(text, sizeof(text),
			 "GET /film HTTP/1.1\r\nHost: film\r\n"
			 "Range: bytes=%ld-%ld\r\n\r\n",
			 offset, offset + CHUNK - 1);

	s->have = -1;
	check(write(s->fd, text, n) == n, "write");
}

/* The answer's head comes in one piece with the first octets behind it. */
static void http_take(struct stream *s)
{
	static char text[2 * CHUNK];
	ssize_t n = read(s->fd, text, sizeof(text) - 1);

	if (n <= 0)
		errx(1, "the server has closed a connection");
	text[n] = 0;
	if (s->have < 0) {
		char *body = strstr(text, "\r\n\r\n");

		if (strncmp(text, "HTTP/1.1 206", 12) || !body)
			errx(1, "the server answers %.32s", text);
		n -= body + 4 - text;
		s->have = 0;
	}
	s->have += n;
	if (s->have < CHUNK)
		return;
	if (s->have > CHUNK)
		errx(1, "more than was asked for");
	s->busy = false;
	s->chunks++;
}

static void stream(struct addrinfo *at, int streams, int seconds, bool http)
{
	struct stream *all = calloc(streams, sizeof(*all));
	struct pollfd *ready = calloc(streams, sizeof(*ready));
	long chunks = seconds * (1000000000LL / PERIOD), asked = 0;
	int64_t start, due;
	int i;

	check(all && ready, "memory");
	for (i = 0; i < streams; i++) {
		if (http)
			http_open(&all[i], at);
		else
			rdma_open(&all[i], at);
		ready[i].fd = http ? all[i].fd : channel->fd;
		ready[i].events = POLLIN;
	}
	start = now();
	for (;;) {
		struct stream *next = &all[asked % streams];
		int64_t left;
		int wait;

		due = start + asked / streams * PERIOD +
		      asked % streams * PERIOD / streams;
		left = due - now();
		/* The last ones have a chunk's time to come in. */
		if (left <= 0 && asked == chunks * streams + streams)
			break;
		if (left <= 0) {
			if (asked++ >= chunks * streams)
				continue;
			/* Its last chunk has not come yet, or we are late. */
			if (now() - due > 1000000000LL || next->busy)
				errx(1, "stream %d falls behind", (int)(next - all));
			next->busy = true;
			if (http)
				http_ask(next);
			else
				rdma_ask(next);
			continue;
		}
		wait = (left + 999999) / 1000000;
		if (poll(ready, http ? streams : 1, wait) <= 0)
			continue;
		if (!http)
			rdma_take();
		for (i = 0; http && i < streams; i++)
			if (ready[i].revents)
				http_take(&all[i]);
	}
	for (i = 0; i < streams; i++)
		if (all[i].chunks != chunks)
			errx(1, "stream %d falls behind", i);
	printf("%ld\n", chunks * streams * CHUNK);
}

static void write_chunks(struct addrinfo *at, uint32_t size, long n)
{
	struct stream s = {};
	long sent = 0, answered = 0;
	int64_t start;

	if (size > FILM)
		errx(1, "at most %d octets", FILM);
	rdma_open(&s, at);
	start = now();
	while (answered < n) {
		struct ibv_sge from = { (uintptr_t)memory, size, mr->lkey };
		struct ibv_send_wr *bad, wr = {
			.sg_list = &from, .num_sge = 1,
			.opcode = IBV_WR_RDMA_WRITE,
			.wr.rdma = { s.film.address, s.film.key },
		};
		struct ibv_wc wc;

		for (; sent < n && sent - answered < AHEAD; sent++) {
			check(!(errno = ibv_post_send(s.id->qp, &wr, &bad)),
			      "ibv_post_send");
			announce(s.id->qp);
		}
		wc = completion();
		if (wc.status)
			errx(1, "%s", ibv_wc_status_str(wc.status));
		if (wc.opcode != IBV_WC_RECV)
			continue;
		receive(s.id->qp);
		answered++;
	}
	printf("%.0f\n", 1e9 * size * n / (now() - start));
}

static void connect_all(struct addrinfo *at, long n)
{
	/* Each has a channel of events of its own. */
	const struct rlimit files = { n + 64, n + 64 };
	struct stream *all = calloc(n + 1, sizeof(*all));
	int64_t start;
	long i;

	check(all && !setrlimit(RLIMIT_NOFILE, &files), "memory, files");
	/* The first one looks for its neighbour. */
	rdma_open(&all[n], at);
	start = now();
	for (i = 0; i < n; i++)
		rdma_open(&all[i], at);
	printf("%.0f\n", (double)(now() - start) / n);
}

int main(int argc, char **argv)
{
	struct addrinfo *at;
	long a, b;

	if (argc < 4)
		errx(2, "serve ADDR PORT | write ADDR PORT SIZE N | connect ADDR PORT N | read|http ADDR PORT STREAMS SECONDS");
	if (getaddrinfo(argv[2], argv[3], &(struct addrinfo){
			.ai_socktype = SOCK_STREAM }, &at))
		errx(1, "%s: not an address", argv[2]);
	a = argc > 4 ? atol(argv[4]) : 0;
	b = argc > 5 ? atol(argv[5]) : 0;
	if (!strcmp(argv[1], "serve"))
		serve(at);
	else if (!strcmp(argv[1], "connect"))
		connect_all(at, a);
	else if (!strcmp(argv[1], "write"))
		write_chunks(at, a, b);
	else
		stream(at, a, b, !strcmp(argv[1], "http"));
	return 0;
}
