/* SPDX-License-Identifier: GPL-2.0 */
#ifdef SIWC_HAVE_RDMA_ITER_H
#include_next <rdma/iter.h>
#else
#include <rdma/ib_verbs.h>
#include <rdma/ib_umem.h>
#endif
