/* SPDX-License-Identifier: GPL-2.0 */
#include_next <rdma/ib_umem.h>

#ifndef SIWC_HAVE_IB_UMEM_GET_VA
#undef ib_umem_get_va
#define ib_umem_get_va ib_umem_get
#endif
