/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * The operations iw_cm calls.
 */
#ifndef SIW_CM_H
#define SIW_CM_H

#include <rdma/iw_cm.h>

int siw_cm_connect(struct iw_cm_id *cm_id, struct iw_cm_conn_param *param);
int siw_cm_accept(struct iw_cm_id *cm_id, struct iw_cm_conn_param *param);
int siw_cm_reject(struct iw_cm_id *cm_id, const void *pd, u8 pd_len);
int siw_cm_listen(struct iw_cm_id *cm_id, int backlog);
int siw_cm_unlisten(struct iw_cm_id *cm_id);
void siw_cm_add_ref(struct ib_qp *base);
void siw_cm_rem_ref(struct ib_qp *base);
struct ib_qp *siw_cm_get_qp(struct ib_device *base, int qpn);

#endif
