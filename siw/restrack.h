/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * The details "rdma resource show ... -dd" shows.
 */
#ifndef SIW_RESTRACK_H
#define SIW_RESTRACK_H

struct ib_cq;
struct ib_mr;
struct ib_qp;
struct sk_buff;

int siw_restrack_cq(struct sk_buff *msg, struct ib_cq *base);
int siw_restrack_mr(struct sk_buff *msg, struct ib_mr *base);
int siw_restrack_qp(struct sk_buff *msg, struct ib_qp *base);

#endif
