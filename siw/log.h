/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * What the kernel log is told.
 */
#ifndef SIW_LOG_H
#define SIW_LOG_H

#include "conn.h"

int siw_log_init(struct siw_device *dev);
void siw_log_exit(struct siw_device *dev);

void siw_log_refused(struct siw_conn *conn, enum siw_mpa_kind kind,
		     enum siw_mpa_verdict verdict);
void siw_log_fault(struct siw_conn *conn);

#endif
