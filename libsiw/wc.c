// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The extended completion queue API: ibv_start_poll() and ibv_wc_read_*().
 *
 * A completion is copied and its element given back at once, so what is read
 * stays as it is until the next one is asked for.
 */
#include <errno.h>
#include <string.h>

#include "siw.h"

static struct siw_cq *siw_cq_of(struct ibv_cq_ex *base)
{
	return container_of(base, struct siw_cq, base.cq_ex);
}

static int next_poll(struct ibv_cq_ex *base)
{
	struct siw_cq *cq = siw_cq_of(base);

	if (!siw_cq_take(&cq->cqes, &cq->current))
		return ENOENT;
	base->wr_id = cq->current.id;
	base->status = siw_cq_status(&cq->current);
	return 0;
}

static void end_poll(struct ibv_cq_ex *base)
{
	struct siw_cq *cq = siw_cq_of(base);

	if (!cq->unlocked)
		pthread_spin_unlock(&cq->lock);
}

/* If it fails there is no end_poll(). */
static int start_poll(struct ibv_cq_ex *base, struct ibv_poll_cq_attr *attr)
{
	struct siw_cq *cq = siw_cq_of(base);
	int err;

	if (attr->comp_mask)
		return EINVAL;
	if (!cq->unlocked)
		pthread_spin_lock(&cq->lock);
	err = next_poll(base);
	if (err)
		end_poll(base);
	return err;
}

static enum ibv_wc_opcode read_opcode(struct ibv_cq_ex *base)
{
	return siw_cq_opcode(&siw_cq_of(base)->current);
}

static uint32_t read_vendor_err(struct ibv_cq_ex *base)
{
	return 0;
}

static uint32_t read_byte_len(struct ibv_cq_ex *base)
{
	return siw_cq_of(base)->current.bytes;
}

static uint32_t read_qp_num(struct ibv_cq_ex *base)
{
	return siw_cq_of(base)->current.qp_id;
}

static unsigned int read_wc_flags(struct ibv_cq_ex *base)
{
	return siw_cq_of(base)->current.flags & SIW_WQE_REM_INVAL ?
		       IBV_WC_WITH_INV : 0;
}

/* There is no immediate data; ibv_wc_read_invalidated_rkey() ends here, too. */
static __be32 read_imm_data(struct ibv_cq_ex *base)
{
	const struct siw_cqe *cqe = &siw_cq_of(base)->current;
	__be32 value = 0;

	if (cqe->flags & SIW_WQE_REM_INVAL)
		memcpy(&value, &cqe->inval_stag, sizeof(value));
	return value;
}

/* What only InfiniBand has */
static uint32_t read_src_qp(struct ibv_cq_ex *base)
{
	return 0;
}

static uint32_t read_slid(struct ibv_cq_ex *base)
{
	return 0;
}

static uint8_t read_sl(struct ibv_cq_ex *base)
{
	return 0;
}

static uint8_t read_dlid_path_bits(struct ibv_cq_ex *base)
{
	return 0;
}

void siw_wc_set_ops(struct siw_cq *cq)
{
	struct ibv_cq_ex *base = &cq->base.cq_ex;

	base->start_poll = start_poll;
	base->next_poll = next_poll;
	base->end_poll = end_poll;
	base->read_opcode = read_opcode;
	base->read_vendor_err = read_vendor_err;
	base->read_byte_len = read_byte_len;
	base->read_qp_num = read_qp_num;
	base->read_wc_flags = read_wc_flags;
	base->read_imm_data = read_imm_data;
	base->read_src_qp = read_src_qp;
	base->read_slid = read_slid;
	base->read_sl = read_sl;
	base->read_dlid_path_bits = read_dlid_path_bits;
}
