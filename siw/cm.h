/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * The operations iw_cm calls.
 */
#ifndef SIW_CM_H
#define SIW_CM_H

#include <linux/llist.h>
#include <linux/spinlock.h>
#include <rdma/iw_cm.h>

struct siw_qp;

/**
 * struct siw_lent - what iw_cm has in place of a QP, from iw_get_qp() on
 * @base: what ib_core hands to siw_modify_qp(), by its type no QP
 * @lock: of @qp; taken where nobody may sleep, also with PREEMPT_RT
 * @qp: the QP, and a reference to it; NULL once that was taken back
 * @entry: in @qp's list, the youngest first
 * @task: who asked for it
 * @back: in the list of those that wait to be freed
 */
struct siw_lent {
	struct ib_qp base;
	raw_spinlock_t lock;
	struct siw_qp *qp;
	struct list_head entry;
	const struct task_struct *task;
	struct llist_node back;
};

int siw_cm_connect(struct iw_cm_id *cm_id, struct iw_cm_conn_param *param);
int siw_cm_accept(struct iw_cm_id *cm_id, struct iw_cm_conn_param *param);
int siw_cm_reject(struct iw_cm_id *cm_id, const void *pd, u8 pd_len);
int siw_cm_listen(struct iw_cm_id *cm_id, int backlog);
int siw_cm_unlisten(struct iw_cm_id *cm_id);
void siw_cm_add_ref(struct ib_qp *base);
void siw_cm_rem_ref(struct ib_qp *base);
struct ib_qp *siw_cm_get_qp(struct ib_device *base, int qpn);
struct siw_qp *siw_cm_borrow(struct ib_qp *base);
void siw_cm_exit(void);
struct siw_lent *siw_cm_lent(struct siw_qp *qp);
void siw_cm_take_back(struct siw_lent *lent);

#endif
