// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Elements of the queues shared with user space: are they fit to be used?
 * A mapped element is copied once; these functions look at the copy.
 */
#include <linux/types.h>
#include <rdma/siw-abi.h>

#include "ring.h"
#include "wire.h"

#define SQE_FLAGS	(SIW_WQE_VALID | SIW_WQE_INLINE | SIW_WQE_SIGNALLED | \
			 SIW_WQE_SOLICITED | SIW_WQE_READ_FENCE)

/*
 * Opcodes of a send queue: whom they are for, what data they take, and what
 * goes over the wire without and with SIW_WQE_SOLICITED.
 */
static const struct sqe_op {
	bool known;
	bool user;
	bool may_inline;
	u8 max_sge;
	u8 rdmap;
	u8 rdmap_se;
} sqe_ops[SIW_NUM_OPCODES] = {
	[SIW_OP_WRITE] = {
		.known = true,
		.user = true,
		.may_inline = true,
		.max_sge = SIW_MAX_SGE,
		.rdmap = SIW_RDMAP_WRITE,
		.rdmap_se = SIW_RDMAP_WRITE,
	},
	[SIW_OP_READ] = {
		.known = true,
		.user = true,
		.max_sge = 1,
		.rdmap = SIW_RDMAP_READ_REQ,
		.rdmap_se = SIW_RDMAP_READ_REQ,
	},
	[SIW_OP_READ_LOCAL_INV] = {
		.known = true,
		.max_sge = 1,
		.rdmap = SIW_RDMAP_READ_REQ,
		.rdmap_se = SIW_RDMAP_READ_REQ,
	},
	[SIW_OP_SEND] = {
		.known = true,
		.user = true,
		.may_inline = true,
		.max_sge = SIW_MAX_SGE,
		.rdmap = SIW_RDMAP_SEND,
		.rdmap_se = SIW_RDMAP_SEND_SE,
	},
	[SIW_OP_SEND_REMOTE_INV] = {
		.known = true,
		.user = true,
		.may_inline = true,
		.max_sge = SIW_MAX_SGE,
		.rdmap = SIW_RDMAP_SEND_INV,
		.rdmap_se = SIW_RDMAP_SEND_SE_INV,
	},
	[SIW_OP_INVAL_STAG] = {
		.known = true,
		.rdmap = SIW_RDMAP_OPS,
		.rdmap_se = SIW_RDMAP_OPS,
	},
	[SIW_OP_REG_MR] = {
		.known = true,
		.rdmap = SIW_RDMAP_OPS,
		.rdmap_se = SIW_RDMAP_OPS,
	},
};

static const struct sqe_op *find_op(u8 opcode)
{
	if (opcode >= SIW_NUM_OPCODES || !sqe_ops[opcode].known)
		return NULL;
	return &sqe_ops[opcode];
}

/* Octets of a scatter/gather list; six lengths of 32 bits do not wrap */
static enum siw_wc_status sum_sges(const struct siw_sge *sge, u8 num_sge,
				   u32 *len)
{
	u64 sum = 0;
	u8 i;

	for (i = 0; i < num_sge; i++)
		sum += sge[i].length;
	if (sum > SIW_MSG_MAX)
		return SIW_WC_LOC_LEN_ERR;
	*len = sum;
	return SIW_WC_SUCCESS;
}

/**
 * siw_ring_check_sqe() - is a send queue element fit to be used?
 * @sqe: our copy of it
 * @user: it comes from a mapped queue, so kernel-only operations are refused
 * @len: out, octets of the message, 0..%SIW_MSG_MAX; 0 on failure
 *
 * With SIW_WQE_INLINE the data are in the element, from sge[1] on, and
 * sge[0].length says how many; no sge means none.
 *
 * Return: SIW_WC_SUCCESS, SIW_WC_LOC_QP_OP_ERR (opcode, flags, number of sge)
 * or SIW_WC_LOC_LEN_ERR.
 */
enum siw_wc_status siw_ring_check_sqe(const struct siw_sqe *sqe, bool user,
				      u32 *len)
{
	const struct sqe_op *op = find_op(sqe->opcode);
	bool is_inline = sqe->flags & SIW_WQE_INLINE;

	*len = 0;
	if (!op || (user && !op->user))
		return SIW_WC_LOC_QP_OP_ERR;
	if (sqe->flags & ~SQE_FLAGS || (is_inline && !op->may_inline))
		return SIW_WC_LOC_QP_OP_ERR;
	if (sqe->num_sge > op->max_sge)
		return SIW_WC_LOC_QP_OP_ERR;
	if (!is_inline)
		return sum_sges(sqe->sge, sqe->num_sge, len);
	if (!sqe->num_sge)
		return SIW_WC_SUCCESS;
	if (sqe->sge[0].length > SIW_MAX_INLINE)
		return SIW_WC_LOC_LEN_ERR;
	*len = sqe->sge[0].length;
	return SIW_WC_SUCCESS;
}

/**
 * siw_ring_check_rqe() - is a receive queue element fit to be used?
 * @rqe: our copy of it
 * @len: out, octets of room, 0..%SIW_MSG_MAX; 0 on failure
 *
 * Return: SIW_WC_SUCCESS, SIW_WC_LOC_QP_OP_ERR (number of sge) or
 * SIW_WC_LOC_LEN_ERR.
 */
enum siw_wc_status siw_ring_check_rqe(const struct siw_rqe *rqe, u32 *len)
{
	*len = 0;
	if (rqe->num_sge > SIW_MAX_SGE)
		return SIW_WC_LOC_QP_OP_ERR;
	return sum_sges(rqe->sge, rqe->num_sge, len);
}

/**
 * siw_ring_rdmap_op() - the RDMAP message that carries out an element
 * @sqe: our copy of it
 *
 * Return: the opcode on the wire, %SIW_RDMAP_OPS if the operation is a local
 * one or none at all.
 */
enum siw_rdmap_op siw_ring_rdmap_op(const struct siw_sqe *sqe)
{
	const struct sqe_op *op = find_op(sqe->opcode);

	if (!op)
		return SIW_RDMAP_OPS;
	return sqe->flags & SIW_WQE_SOLICITED ? op->rdmap_se : op->rdmap;
}
