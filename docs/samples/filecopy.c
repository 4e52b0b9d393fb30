// SPDX-License-Identifier: MIT-0
/*
 * filecopy: the server reads a file out of the client's memory.
 *
 * The client lends a block at a time and says its checksum; the server fetches
 * it with RDMA Read and asks for the next. A file is renamed when it is complete.
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
#include <unistd.h>

#include <rdma/rdma_cma.h>
#include <rdma/rdma_verbs.h>

#define PORT "7479"
#define DEPTH 2
#define BLOCK 65536

/* The client lends a block, empty after the last; the server sends it back. */
struct note {
	uint64_t address;
	uint32_t key;
	uint32_t length;
	uint64_t checksum;
};

static uint8_t block[BLOCK];
static struct { struct note in, out; } notes;
static struct ibv_mr *block_mr, *notes_mr;

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

static uint64_t checksum(size_t length)
{
	uint64_t sum = 14695981039346656037u;

	for (size_t i = 0; i < length; i++)
		sum = (sum ^ block[i]) * 1099511628211;
	return sum;
}

static void post_receive(struct rdma_cm_id *id)
{
	check(!rdma_post_recv(id, NULL, &notes.in, sizeof(notes.in),
			      notes_mr), "rdma_post_recv");
}

static void prepare(struct rdma_cm_id *id, struct ibv_mr *mr)
{
	check(!ibv_req_notify_cq(id->send_cq, 0) &&
	      !ibv_req_notify_cq(id->recv_cq, 0), "ibv_req_notify_cq");
	block_mr = mr;
	notes_mr = rdma_reg_msgs(id, &notes, sizeof(notes));
	check(block_mr && notes_mr, "registering memory");
	post_receive(id);
}

static void send_note(struct rdma_cm_id *id)
{
	check(!rdma_post_send(id, NULL, &notes.out, sizeof(notes.out),
			      notes_mr, 0), "rdma_post_send");
	await(id, SENT);
}

static void finish(struct rdma_cm_id *id)
{
	rdma_dereg_mr(block_mr);
	rdma_dereg_mr(notes_mr);
	rdma_destroy_ep(id);
}

/* Fetches what the last note lends; false: there is no more. */
static bool fetch(struct rdma_cm_id *id)
{
	uint32_t length = ntohl(notes.in.length);

	if (length > BLOCK)
		errx(1, "a block of %u octets", length);
	if (!length)
		return false;
	check(!rdma_post_read(id, NULL, block, length, block_mr, 0,
			      be64toh(notes.in.address), ntohl(notes.in.key)),
	      "rdma_post_read");
	await(id, SENT);
	if (checksum(length) != be64toh(notes.in.checksum))
		errx(1, "a block does not have its checksum");
	return true;
}

static void server(char *address, const char *name)
{
	struct rdma_cm_id *listener = endpoint(address, RAI_PASSIVE), *id;
	struct rdma_conn_param param = { .initiator_depth = 1 };
	char partial[4096];
	bool more;
	FILE *to;

	snprintf(partial, sizeof(partial), "%s.part", name);
	to = fopen(partial, "w");
	check(to, partial);
	check(!rdma_listen(listener, 1), "rdma_listen");
	puts("listening");
	check(!rdma_get_request(listener, &id), "rdma_get_request");
	/* iWARP: the sink of a Read is written to by the peer. */
	prepare(id, rdma_reg_write(id, block, sizeof(block)));
	check(!rdma_accept(id, &param), "rdma_accept");
	rdma_destroy_ep(listener);
	puts("connected");
	do {
		await(id, RECEIVED);
		more = fetch(id);
		notes.out = notes.in;
		if (more)
			check(fwrite(block, ntohl(notes.in.length), 1, to), name);
		else
			check(!fflush(to) && !fsync(fileno(to)) &&
			      !fclose(to) && !rename(partial, name), name);
		post_receive(id);
		send_note(id);
	} while (more);
	printf("%s is complete, %s\n", name, ending(id, -1));
	finish(id);
}

static void client(char *address, const char *name)
{
	struct rdma_cm_id *id = endpoint(address, 0);
	struct rdma_conn_param param = {
		.responder_resources = 1, .retry_count = 7,
	};
	FILE *file = fopen(name, "r");
	size_t length;

	check(file, name);
	prepare(id, rdma_reg_read(id, block, sizeof(block)));
	if (rdma_connect(id, &param))
		err(1, "%s", address);
	puts("connected");
	do {
		length = fread(block, 1, BLOCK, file);
		check(!ferror(file), name);
		notes.out.address = htobe64((uintptr_t)block);
		notes.out.key = htonl(block_mr->rkey);
		notes.out.length = htonl(length);
		notes.out.checksum = htobe64(checksum(length));
		send_note(id);
		await(id, RECEIVED);
		if (memcmp(&notes.in, &notes.out, sizeof(notes.in)))
			errx(1, "the server has something else");
		post_receive(id);
	} while (length);
	puts("the server has it");
	check(!rdma_disconnect(id), "rdma_disconnect");
	fclose(file);
	finish(id);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 4 || (strcmp(argv[1], "server") && strcmp(argv[1], "client")))
		errx(2, "usage: server|client ADDRESS FILE");
	(*argv[1] == 's' ? server : client)(argv[2], argv[3]);
	return 0;
}
