/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * The queues shared with the driver, <rdma/siw-abi.h>: how elements go in and
 * come out.  Nothing here takes a lock or makes a system call: whoever calls
 * holds the lock of the queue.  It needs the public verbs.h only.
 */
#ifndef SIW_QUEUE_H
#define SIW_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <infiniband/verbs.h>
#include <rdma/siw-abi.h>

/**
 * struct siw_sq - send queue
 * @ring: mapped elements, NULL if there are none
 * @num: how many
 * @put: index of the next one to fill
 * @posts: how many were ever published, modulo 2^32
 * @max_sge: most scatter/gather entries of a request
 * @max_inline: most octets of inline data
 * @sig_all: every request is signalled
 */
struct siw_sq {
	struct siw_sqe *ring;
	uint32_t num;
	uint32_t put;
	uint32_t posts;
	uint32_t max_sge;
	uint32_t max_inline;
	bool sig_all;
};

/**
 * struct siw_rq - receive queue or shared receive queue
 * @ring: mapped elements, NULL if there are none
 * @num: how many
 * @put: index of the next one to fill
 * @max_sge: most scatter/gather entries of a request
 */
struct siw_rq {
	struct siw_rqe *ring;
	uint32_t num;
	uint32_t put;
	uint32_t max_sge;
};

/**
 * struct siw_cqes - the elements of a completion queue
 * @ring: mapped elements
 * @ctrl: arming word behind the last element
 * @num: how many
 * @get: index of the next one to look at
 */
struct siw_cqes {
	struct siw_cqe *ring;
	struct siw_cq_ctrl *ctrl;
	uint32_t num;
	uint32_t get;
};

/* @index is less than two times round */
static inline uint32_t siw_queue_index(uint32_t index, uint32_t num)
{
	return index < num ? index : index - num;
}

/* sq.c */
struct siw_sqe *siw_sq_slot(const struct siw_sq *sq, uint32_t ahead);
int siw_sq_set_flags(const struct siw_sq *sq, struct siw_sqe *sqe,
		     unsigned int send_flags);
int siw_sq_set_sges(const struct siw_sq *sq, struct siw_sqe *sqe,
		    const struct ibv_sge *sge, size_t num_sge);
void siw_sq_begin_inline(struct siw_sqe *sqe);
int siw_sq_add_inline(const struct siw_sq *sq, struct siw_sqe *sqe,
		      const void *data, size_t len);
bool siw_sq_publish(struct siw_sq *sq, uint32_t count);
uint32_t siw_sq_take_back(struct siw_sq *sq, uint32_t posts, uint32_t count);
int siw_sq_post(struct siw_sq *sq, struct ibv_send_wr *wr,
		struct ibv_send_wr **bad, bool *bell);

/* rq.c */
int siw_rq_post(struct siw_rq *rq, struct ibv_recv_wr *wr,
		struct ibv_recv_wr **bad);

/* cq.c */
bool siw_cq_take(struct siw_cqes *cq, struct siw_cqe *cqe);
void siw_cq_forget(struct siw_cqes *cq, uint32_t qp_num);
enum ibv_wc_status siw_cq_status(const struct siw_cqe *cqe);
enum ibv_wc_opcode siw_cq_opcode(const struct siw_cqe *cqe);
int siw_cq_poll(struct siw_cqes *cq, int num, struct ibv_wc *wc);
void siw_cq_arm(struct siw_cqes *cq, bool solicited_only);

#endif
