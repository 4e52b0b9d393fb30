// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * The operations iw_cm calls.
 */
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "cm.h"
#include "conn.h"

/* The type of a QP that is none */
#define SIW_QPT_LENT	IB_QPT_RESERVED1

static LLIST_HEAD(lents_back);

int siw_cm_connect(struct iw_cm_id *cm_id, struct iw_cm_conn_param *param)
{
	if (cm_id->m_local_addr.ss_family != cm_id->m_remote_addr.ss_family)
		return -EAFNOSUPPORT;
	return siw_conn_connect(to_siw_dev(cm_id->device), cm_id, param);
}

int siw_cm_accept(struct iw_cm_id *cm_id, struct iw_cm_conn_param *param)
{
	return siw_conn_accept(to_siw_dev(cm_id->device), cm_id, param);
}

int siw_cm_reject(struct iw_cm_id *cm_id, const void *pd, u8 pd_len)
{
	return siw_conn_reject(cm_id, pd, pd_len);
}

int siw_cm_listen(struct iw_cm_id *cm_id, int backlog)
{
	return siw_listen_add(to_siw_dev(cm_id->device), cm_id, backlog);
}

int siw_cm_unlisten(struct iw_cm_id *cm_id)
{
	siw_listen_del(cm_id);
	return 0;
}

/*
 * iw_cm asks for a QP by number and takes its reference afterwards; by then the QP
 * could be gone.  So the reference is taken when it is looked up.  A ULP can have
 * iw_cm keep it for as long as its cm_id lives, and destroy the QP before that: iw_cm
 * gets something in place of the QP, from which the reference can be taken back.
 * ib_core takes it for the QP itself.
 *
 * Context: iw_cm's lock is held.
 */
struct ib_qp *siw_cm_get_qp(struct ib_device *base, int qpn)
{
	struct siw_qp *qp = siw_qp_lookup(to_siw_dev(base), qpn);
	struct siw_lent *lent = NULL;
	unsigned long irq;

	if (!qp)
		return NULL;
	if (siw_qp_may_connect(qp))
		lent = kzalloc_obj(*lent, GFP_ATOMIC | __GFP_ACCOUNT);
	if (!lent) {
		siw_qp_put(qp);
		return NULL;
	}
	lent->base.device = base;
	lent->base.real_qp = &lent->base;
	lent->base.qp_num = qpn;
	lent->base.qp_type = SIW_QPT_LENT;
	raw_spin_lock_init(&lent->lock);
	lent->qp = qp;
	lent->task = current;
	spin_lock_irqsave(&qp->lock, irq);
	list_add(&lent->entry, &qp->lent);
	spin_unlock_irqrestore(&qp->lock, irq);
	return &lent->base;
}

/* What iw_cm got for the call that it is in now */
struct siw_lent *siw_cm_lent(struct siw_qp *qp)
{
	struct siw_lent *lent, *found = NULL;

	spin_lock_bh(&qp->lock);
	list_for_each_entry(lent, &qp->lent, entry) {
		if (lent->task == current) {
			found = lent;
			break;
		}
	}
	spin_unlock_bh(&qp->lock);
	return found;
}

/* iw_cm does nothing with this QP any more but to give it back, if that. */
void siw_cm_take_back(struct siw_lent *lent)
{
	struct siw_qp *qp;
	unsigned long irq;

	raw_spin_lock_irqsave(&lent->lock, irq);
	qp = lent->qp;
	lent->qp = NULL;
	raw_spin_unlock_irqrestore(&lent->lock, irq);
	if (!qp)
		return;
	spin_lock_irqsave(&qp->lock, irq);
	list_del(&lent->entry);
	spin_unlock_irqrestore(&qp->lock, irq);
	siw_qp_put(qp);
}

void siw_cm_add_ref(struct ib_qp *base)
{
}

/*
 * ib_modify_qp() of one may have begun and not have come to siw_cm_borrow() yet: nobody
 * sleeps on that way.
 */
static void free_lents(struct work_struct *work)
{
	struct llist_node *back = llist_del_all(&lents_back);
	struct siw_lent *lent, *next;

	synchronize_rcu_tasks();
	llist_for_each_entry_safe(lent, next, back, back)
		kfree(lent);
}

static DECLARE_WORK(free_lents_work, free_lents);

void siw_cm_rem_ref(struct ib_qp *base)
{
	struct siw_lent *lent = container_of(base, struct siw_lent, base);

	siw_cm_take_back(lent);
	if (llist_add(&lent->back, &lents_back))
		schedule_work(&free_lents_work);
}

/**
 * siw_cm_borrow() - a QP that is to be modified
 * @base: the QP, or what iw_cm has in its place
 *
 * Return: the QP with a reference, or NULL if it was taken back.
 */
struct siw_qp *siw_cm_borrow(struct ib_qp *base)
{
	struct siw_lent *lent = container_of(base, struct siw_lent, base);
	struct siw_qp *qp;
	unsigned long irq;

	if (base->qp_type != SIW_QPT_LENT) {
		qp = to_siw_qp(base);
		siw_qp_get(qp);
		return qp;
	}
	raw_spin_lock_irqsave(&lent->lock, irq);
	qp = lent->qp;
	if (qp)
		siw_qp_get(qp);
	raw_spin_unlock_irqrestore(&lent->lock, irq);
	return qp;
}

/* With nothing lent any more */
void siw_cm_exit(void)
{
	flush_work(&free_lents_work);
}
