// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include <sys/syscall.h>
#include <rdma/ib_user_verbs.h>

#include "maps.h"

struct mapping maps[64];
int nmaps;

void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off)
{
	long p = syscall(SYS_mmap, addr, len, prot, flags, fd, off);

	if (p == -1)
		return MAP_FAILED;
	if (fd >= 0 && flags & MAP_SHARED && nmaps < 64)
		maps[nmaps++] = (struct mapping){ (void *)p, len, off, fd };
	return (void *)p;
}

void *mmap64(void *addr, size_t len, int prot, int flags, int fd, off_t off)
	__attribute__((alias("mmap")));

int doorbell(struct ibv_qp *qp)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_post_send cmd;
	} req = {
		.hdr = {
			.command = IB_USER_VERBS_CMD_POST_SEND,
			.in_words = sizeof(req) / 4,
			.out_words = sizeof(struct ib_uverbs_post_send_resp) / 4,
		},
		.cmd = {
			.qp_handle = qp->handle,
			.wqe_size = sizeof(struct ib_uverbs_send_wr),
		},
	};
	struct ib_uverbs_post_send_resp resp;

	req.cmd.response = (uintptr_t)&resp;
	return write(qp->context->cmd_fd, &req, sizeof(req)) ==
	       sizeof(req) ? 0 : -1;
}
