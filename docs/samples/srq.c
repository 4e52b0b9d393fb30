// SPDX-License-Identifier: MIT-0
/*
 * srq: all clients of a server share its receives.
 *
 * With a receive queue for each client, memory grows with their number; a shared
 * one has to be as large as what comes at the same time. A buffer is the
 * server's twice: it receives, then it carries the answer, then it goes back.
 * The clients are those of epoll.c, whose server does the same without.
 */
#include <err.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rdma/rdma_cma.h>
#include <rdma/rdma_verbs.h>

#define PORT "7475"
#define SLOTS 64
#define SIZE 64

struct peer {
	struct rdma_cm_id *id;
	struct peer *next;
	int answers;		/* not yet sent */
	bool gone;
};

static char slots[SLOTS][SIZE];
static struct ibv_mr *mr;
static struct ibv_srq *srq;
static struct peer *peers;

static void check(bool ok, const char *what)
{
	if (!ok)
		err(1, "%s", what);
}

/* A listener, or an endpoint that has found its way to the peer. */
static struct rdma_cm_id *endpoint(char *address, int flags)
{
	struct rdma_addrinfo hints = {
		.ai_flags = flags, .ai_port_space = RDMA_PS_TCP,
	};
	struct rdma_addrinfo *info;
	struct rdma_cm_id *id;

	if (rdma_getaddrinfo(address, PORT, &hints, &info))
		errx(1, "%s: not an address", address);
	if (rdma_create_ep(&id, info, NULL, NULL))
		err(1, "%s: no RDMA device leads there", address);
	rdma_freeaddrinfo(info);
	return id;
}

static void post_shared(uint64_t slot)
{
	struct ibv_sge sge = { (uintptr_t)slots[slot], SIZE, mr->lkey };
	struct ibv_recv_wr wr = { .wr_id = slot, .sg_list = &sge, .num_sge = 1 };
	struct ibv_recv_wr *bad;

	check(!ibv_post_srq_recv(srq, &wr, &bad), "ibv_post_srq_recv");
}

/* A queue pair may go once none of its answers is in the completion queue. */
static void forget_if_idle(struct peer **at)
{
	struct peer *peer = *at;

	if (!peer->gone || peer->answers)
		return;
	*at = peer->next;
	rdma_destroy_qp(peer->id);
	rdma_destroy_id(peer->id);
	free(peer);
	puts("a client has gone");
}

static void on_completion(const struct ibv_wc *wc)
{
	struct peer **at = &peers;

	while (*at && (*at)->id->qp->qp_num != wc->qp_num)
		at = &(*at)->next;
	/* The opcode says nothing when the status is not 0; the count does. */
	if (*at && wc->status == 0 && wc->opcode == IBV_WC_RECV &&
	    !rdma_post_send((*at)->id, (void *)(uintptr_t)(wc->wr_id + SLOTS),
			    slots[wc->wr_id], wc->byte_len, mr, 0)) {
		(*at)->answers++;
		return;
	}
	post_shared(wc->wr_id % SLOTS);
	if (*at && wc->wr_id >= SLOTS) {
		(*at)->answers--;
		forget_if_idle(at);
	}
}

static void on_event(struct rdma_cm_event *event, struct ibv_cq *cq)
{
	struct rdma_conn_param param = { .rnr_retry_count = 7 };
	struct ibv_qp_init_attr attr = {
		.send_cq = cq, .recv_cq = cq, .srq = srq,
		.cap = { .max_send_wr = SLOTS, .max_send_sge = 1 },
		.qp_type = IBV_QPT_RC, .sq_sig_all = 1,
	};
	enum rdma_cm_event_type type = event->event;
	struct rdma_cm_id *id = event->id;
	struct peer **at = &peers, *peer;

	rdma_ack_cm_event(event);
	switch (type) {
	case RDMA_CM_EVENT_CONNECT_REQUEST:
		peer = calloc(1, sizeof(*peer));
		check(peer && !rdma_create_qp(id, NULL, &attr), "rdma_create_qp");
		*peer = (struct peer){ .id = id, .next = peers };
		peers = peer;
		if (rdma_accept(id, &param)) {
			peer->gone = true;
			forget_if_idle(&peers);
		}
		break;
	case RDMA_CM_EVENT_ESTABLISHED:
		puts("connected");
		break;
	case RDMA_CM_EVENT_TIMEWAIT_EXIT:
	case RDMA_CM_EVENT_ADDR_CHANGE:	/* of the listener, too */
		break;
	case RDMA_CM_EVENT_DEVICE_REMOVAL:
		errx(1, "the RDMA device is gone");
	default:	/* of one client: failed, or closed */
		while ((*at)->id != id)
			at = &(*at)->next;
		(*at)->gone = true;
		rdma_disconnect(id);	/* flushes what is left */
		forget_if_idle(at);
	}
}

static void server(char *address)
{
	struct rdma_cm_id *listener = endpoint(address, RAI_PASSIVE);
	struct ibv_srq_init_attr attr = { .attr = { SLOTS, 1, 0 } };
	struct pollfd ready[2] = { { .events = POLLIN }, { .events = POLLIN } };
	struct ibv_comp_channel *channel;
	struct rdma_cm_event *event;
	struct ibv_cq *cq;
	struct ibv_wc wc;
	void *context;
	int n;

	if (!listener->verbs)
		errx(1, "%s: not the address of one device", address);
	mr = rdma_reg_msgs(listener, slots, sizeof(slots));
	srq = ibv_create_srq(listener->pd, &attr);
	channel = ibv_create_comp_channel(listener->verbs);
	check(mr && srq && channel, "registering memory");
	cq = ibv_create_cq(listener->verbs, 2 * SLOTS, NULL, channel, 0);
	check(cq && !ibv_req_notify_cq(cq, 0), "ibv_create_cq");
	for (int i = 0; i < SLOTS; i++)
		post_shared(i);
	check(!rdma_migrate_id(listener, rdma_create_event_channel()) &&
	      !rdma_listen(listener, SLOTS), "rdma_listen");
	puts("listening");
	ready[0].fd = channel->fd;
	ready[1].fd = listener->channel->fd;
	while (poll(ready, 2, -1) > 0) {
		if (ready[1].revents) {
			check(!rdma_get_cm_event(listener->channel, &event),
			      "rdma_get_cm_event");
			on_event(event, cq);
		}
		if (!ready[0].revents)
			continue;
		check(!ibv_get_cq_event(channel, &cq, &context),
		      "ibv_get_cq_event");
		ibv_ack_cq_events(cq, 1);
		check(!ibv_req_notify_cq(cq, 0), "ibv_req_notify_cq");
		while ((n = ibv_poll_cq(cq, 1, &wc)) == 1)
			on_completion(&wc);
		check(n == 0, "ibv_poll_cq");
	}
	err(1, "poll");
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 3 || strcmp(argv[1], "server"))
		errx(2, "usage: server ADDRESS (the client is that of epoll)");
	server(argv[2]);
}
