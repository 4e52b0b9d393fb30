// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * The operations iw_cm calls.
 */
#include "cm.h"
#include "conn.h"

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
 * iw_cm asks for a QP by number and takes its reference afterwards; by then
 * the QP could be gone.  So the reference is taken when it is looked up.
 */
struct ib_qp *siw_cm_get_qp(struct ib_device *base, int qpn)
{
	struct siw_qp *qp = siw_qp_lookup(to_siw_dev(base), qpn);

	if (qp && !siw_qp_may_connect(qp)) {
		siw_qp_put(qp);
		qp = NULL;
	}
	return qp ? &qp->base : NULL;
}

void siw_cm_add_ref(struct ib_qp *base)
{
}

void siw_cm_rem_ref(struct ib_qp *base)
{
	siw_qp_put(to_siw_qp(base));
}
