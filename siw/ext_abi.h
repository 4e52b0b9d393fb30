/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause */
/*
 * What goes past user ABI 1 of <rdma/siw-abi.h>, per context.
 *
 * The provider sends a struct siw_ureq_alloc_ctx_ext with the features it
 * knows.  A driver that knows of extensions answers with those it grants, in
 * what is the padding of struct siw_uresp_alloc_ctx.  One that does not
 * refuses the request, and the provider asks again without, or ignores it and
 * answers 0.
 */
#ifndef SIW_EXT_ABI_H
#define SIW_EXT_ABI_H

#include <linux/types.h>

enum siw_ext_features {
	/*
	 * A struct siw_qp_ctrl follows the last element of each send queue.
	 * The mapping is longer by its size.
	 */
	SIW_EXT_QP_CTRL = (1 << 0)
};

struct siw_ureq_alloc_ctx_ext {
	__u32 features;
	__u32 reserved;
};

struct siw_uresp_alloc_ctx_ext {
	__u32 dev_id;
	__u32 features;
};

enum siw_qp_ctrl_flags {
	/*
	 * The stream is over: nobody looks at the queues any more.  After the
	 * driver has set it, it flushes what is posted; who posts after that,
	 * be it a receive, rings the doorbell to have it flushed.  Cleared by a
	 * move to RESET.
	 */
	SIW_QP_CTRL_STOPPED = (1 << 0)
};

/* Written by the driver, read by the provider */
struct siw_qp_ctrl {
	__u32 flags;
	__u32 pad;
};

#endif
