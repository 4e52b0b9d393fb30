/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * The verbs ib_core calls.
 */
#ifndef SIW_VERBS_H
#define SIW_VERBS_H

#include <rdma/ib_verbs.h>

extern const struct ib_device_ops siw_device_ops;

#endif
