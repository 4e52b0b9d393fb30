// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * What a user sees who writes to memory he was not given.
 *
 *   wrong-rkey ADDRESS            serve: offer a page to one peer
 *   wrong-rkey ADDRESS write      write to it with the right rkey, then with a
 *                                 wrong one
 *
 * Exit status 0: the right write came through, the wrong one was refused, on
 * both sides, and changed no octet.
 */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rdma/rdma_cma.h>
#include <rdma/rdma_verbs.h>

#define PORT "7472"
#define SIZE 4096
#define ASYNC_WAIT_MS 10000

struct offer {
	uint64_t addr;
	uint32_t rkey;
};

static char page[SIZE] __attribute__((aligned(SIZE)));

static void check(int failed, const char *what)
{
	if (!failed)
		return;
	fprintf(stderr, "wrong-rkey: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct rdma_addrinfo *resolve(char *address, int flags)
{
	struct rdma_addrinfo hints = {
		.ai_flags = flags,
		.ai_port_space = RDMA_PS_TCP,
	};
	struct rdma_addrinfo *info;

	check(rdma_getaddrinfo(address, PORT, &hints, &info), "getaddrinfo");
	return info;
}

static struct ibv_qp_init_attr qp_attr(void)
{
	struct ibv_qp_init_attr attr = {
		.cap = {
			.max_send_wr = 4,
			.max_recv_wr = 4,
			.max_send_sge = 1,
			.max_recv_sge = 1,
		},
		.sq_sig_all = 1,
		.qp_type = IBV_QPT_RC,
	};

	return attr;
}

/* Nothing but a fatal event of the QP counts; the peer's end comes later. */
static int await_fatal_event(struct rdma_cm_id *id)
{
	struct ibv_async_event event;
	struct pollfd ready = { .fd = id->verbs->async_fd, .events = POLLIN };

	if (poll(&ready, 1, ASYNC_WAIT_MS) != 1) {
		printf("no asynchronous event\n");
		return 1;
	}
	check(ibv_get_async_event(id->verbs, &event), "ibv_get_async_event");
	printf("asynchronous event: %s\n", ibv_event_type_str(event.event_type));
	check(event.event_type != IBV_EVENT_QP_ACCESS_ERR &&
	      event.event_type != IBV_EVENT_QP_FATAL &&
	      event.event_type != IBV_EVENT_QP_REQ_ERR, "unexpected event");
	ibv_ack_async_event(&event);
	return 0;
}

static int serve(char *address)
{
	struct rdma_addrinfo *info = resolve(address, RAI_PASSIVE);
	struct ibv_qp_init_attr attr = qp_attr();
	struct rdma_conn_param param = { .responder_resources = 1 };
	struct rdma_cm_id *listener, *id;
	struct offer offer;
	struct ibv_mr *mr;
	int status;

	check(rdma_create_ep(&listener, info, NULL, &attr), "rdma_create_ep");
	check(rdma_listen(listener, 1), "rdma_listen");
	check(rdma_get_request(listener, &id), "rdma_get_request");
	mr = ibv_reg_mr(id->pd, page, SIZE,
			IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE |
			IBV_ACCESS_REMOTE_READ);
	check(!mr, "ibv_reg_mr");
	offer.addr = (uintptr_t)page;
	offer.rkey = mr->rkey;
	param.private_data = &offer;
	param.private_data_len = sizeof(offer);
	check(rdma_accept(id, &param), "rdma_accept");
	printf("offered %d octets, rkey 0x%08x\n", SIZE, mr->rkey);
	status = await_fatal_event(id);
	printf("memory: \"%s\"\n", page);
	check(strcmp(page, "right"), "the wrong write changed memory");
	return status;
}

static enum ibv_wc_status await_completion(struct rdma_cm_id *id,
					   const char *what)
{
	struct ibv_wc wc;

	check(rdma_get_send_comp(id, &wc) != 1, "rdma_get_send_comp");
	printf("%s: %s (status %d)\n", what, ibv_wc_status_str(wc.status),
	       wc.status);
	return wc.status;
}

/*
 * iWARP completes a write when TCP has taken it, and the refusal comes later:
 * it arrives with a request that still waits for the peer, here the read that
 * goes out with the write.
 */
static enum ibv_wc_status write_page(struct rdma_cm_id *id, struct ibv_mr *mr,
				     const char *text, const struct offer *offer,
				     uint32_t rkey)
{
	struct ibv_sge sge = {
		.addr = (uintptr_t)page,
		.length = strlen(text) + 1,
		.lkey = mr->lkey,
	};
	struct ibv_sge sink = {
		.addr = (uintptr_t)page + SIZE / 2,
		.length = 1,
		.lkey = mr->lkey,
	};
	struct ibv_send_wr read = {
		.sg_list = &sink,
		.num_sge = 1,
		.opcode = IBV_WR_RDMA_READ,
		.wr.rdma = { offer->addr, offer->rkey },
	};
	struct ibv_send_wr write = {
		.next = &read,
		.sg_list = &sge,
		.num_sge = 1,
		.opcode = IBV_WR_RDMA_WRITE,
		.wr.rdma = { offer->addr, rkey },
	};
	struct ibv_send_wr *bad;
	enum ibv_wc_status status;

	strcpy(page, text);
	printf("write with rkey 0x%08x, and a read with it\n", rkey);
	check(ibv_post_send(id->qp, &write, &bad), "ibv_post_send");
	status = await_completion(id, "write");
	return status != IBV_WC_SUCCESS ? status : await_completion(id, "read");
}

static int write_twice(char *address)
{
	struct rdma_addrinfo *info = resolve(address, 0);
	struct ibv_qp_init_attr attr = qp_attr();
	struct rdma_conn_param param = { .initiator_depth = 1 };
	enum ibv_wc_status status;
	struct rdma_cm_id *id;
	struct offer offer;
	struct ibv_mr *mr;

	check(rdma_create_ep(&id, info, NULL, &attr), "rdma_create_ep");
	/* The sink of an iWARP read is written by the peer. */
	mr = ibv_reg_mr(id->pd, page, SIZE,
			IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE);
	check(!mr, "ibv_reg_mr");
	check(rdma_connect(id, &param), "rdma_connect");
	check(id->event->param.conn.private_data_len < sizeof(offer),
	      "the server offered nothing");
	memcpy(&offer, id->event->param.conn.private_data, sizeof(offer));

	status = write_page(id, mr, "right", &offer, offer.rkey);
	check(status != IBV_WC_SUCCESS, "the right write failed");
	status = write_page(id, mr, "wrong", &offer, offer.rkey ^ 0x5a00);
	check(status == IBV_WC_SUCCESS, "the wrong write was not refused");
	return await_fatal_event(id);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2)
		return serve(argv[1]);
	if (argc == 3)
		return write_twice(argv[1]);
	return 2;
}
