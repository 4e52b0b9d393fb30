// SPDX-License-Identifier: MIT-0
/*
 * revoke: take memory back before looking at it.
 *
 * While a peer holds a key it can change the memory at any time, so also between
 * the check of what it wrote and its use. The server deregisters the memory
 * first, then looks. In the end the client tries an old key, and is refused.
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

#define PORT "7478"
#define DEPTH 2
#define SIZE 16384

/* The server lends, the client says what it wrote. */
struct note {
	uint64_t address;
	uint32_t key;
	uint32_t checksum;
};

static uint8_t page[SIZE];
static struct { struct note in, out; } notes;
static struct ibv_mr *page_mr, *notes_mr;

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

static uint32_t checksum(void)
{
	uint32_t sum = 2166136261;

	for (int i = 0; i < SIZE; i++)
		sum = (sum ^ page[i]) * 16777619;
	return sum;
}

static void post_receive(struct rdma_cm_id *id)
{
	check(!rdma_post_recv(id, NULL, &notes.in, sizeof(notes.in),
			      notes_mr), "rdma_post_recv");
}

static void prepare(struct rdma_cm_id *id)
{
	check(!ibv_req_notify_cq(id->send_cq, 0) &&
	      !ibv_req_notify_cq(id->recv_cq, 0), "ibv_req_notify_cq");
	notes_mr = rdma_reg_msgs(id, &notes, sizeof(notes));
	check(notes_mr, "rdma_reg_msgs");
	post_receive(id);
}

static void send_note(struct rdma_cm_id *id)
{
	check(!rdma_post_send(id, NULL, &notes.out, sizeof(notes.out),
			      notes_mr, 0), "rdma_post_send");
	await(id, SENT);
}

static void lend(struct rdma_cm_id *id)
{
	page_mr = rdma_reg_write(id, page, sizeof(page));
	check(page_mr, "rdma_reg_write");
	notes.out.address = htobe64((uintptr_t)page);
	notes.out.key = htonl(page_mr->rkey);
}

static void server(char *address)
{
	struct rdma_cm_id *listener = endpoint(address, RAI_PASSIVE), *id;
	struct rdma_conn_param param = {
		.private_data = &notes.out, .private_data_len = sizeof(notes.out),
	};
	uint32_t count, sum;

	check(!rdma_listen(listener, 1), "rdma_listen");
	puts("listening");
	check(!rdma_get_request(listener, &id), "rdma_get_request");
	if (id->event->param.conn.private_data_len < sizeof(count))
		errx(1, "the client does not say how many pages");
	memcpy(&count, id->event->param.conn.private_data, sizeof(count));
	count = ntohl(count);
	prepare(id);
	lend(id);
	check(!rdma_accept(id, &param), "rdma_accept");
	rdma_destroy_ep(listener);
	puts("connected");

	for (uint32_t i = 0; i < count; i++) {
		await(id, RECEIVED);
		check(!rdma_dereg_mr(page_mr), "rdma_dereg_mr");
		/* From here on the page is what it is. */
		if (checksum() != ntohl(notes.in.checksum))
			errx(1, "page %u is not what the client says", i);
		post_receive(id);
		if (i < count - 1)
			lend(id);	/* else the note has the old key */
		send_note(id);
	}
	sum = checksum();
	printf("%u pages, %s\n", count, ending(id, -1));
	if (checksum() != sum)
		errx(1, "the old key was still good");
	rdma_dereg_mr(notes_mr);
	rdma_destroy_ep(id);
}

static void write_page(struct rdma_cm_id *id, const struct note *loan, int octet)
{
	memset(page, octet, SIZE);
	check(!rdma_post_write(id, NULL, page, SIZE, page_mr, 0,
			       be64toh(loan->address), ntohl(loan->key)),
	      "rdma_post_write");
}

static void client(char *address, uint32_t count)
{
	uint32_t announced = htonl(count);
	struct rdma_conn_param param = {
		.private_data = &announced, .private_data_len = sizeof(announced),
		.retry_count = 7,
	};
	struct rdma_cm_id *id = endpoint(address, 0);
	struct note loan;

	prepare(id);
	page_mr = rdma_reg_msgs(id, page, sizeof(page));
	check(page_mr, "rdma_reg_msgs");
	if (rdma_connect(id, &param))
		err(1, "%s", address);
	if (id->event->param.conn.private_data_len < sizeof(loan))
		errx(1, "the server lends no memory");
	memcpy(&loan, id->event->param.conn.private_data, sizeof(loan));
	puts("connected");

	for (uint32_t i = 0; i < count; i++) {
		write_page(id, &loan, i);
		await(id, SENT);
		notes.out.checksum = htonl(checksum());
		send_note(id);
		await(id, RECEIVED);
		loan = notes.in;
		post_receive(id);
	}
	printf("%u pages; now with the old key\n", count);
	write_page(id, &loan, count);
	/* iWARP says later that it failed, RoCE at once; both end here. */
	await(id, RECEIVED);
	errx(1, "the old key was good");
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 3 && !strcmp(argv[1], "server"))
		server(argv[2]);
	else if (argc >= 3 && argc <= 4 && !strcmp(argv[1], "client"))
		client(argv[2], argc == 4 ? strtoul(argv[3], NULL, 0) : 10);
	else
		errx(2, "usage: server ADDRESS | client ADDRESS [PAGES]");
	return 0;
}
