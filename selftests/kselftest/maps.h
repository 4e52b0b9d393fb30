/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * The queues that the provider shares with the kernel: a program linked with
 * maps.c and -rdynamic is the provider's mmap(), and sees its mappings.
 */
#ifndef SIW_KSFT_MAPS_H
#define SIW_KSFT_MAPS_H

#include <sys/mman.h>

#include "harness.h"

struct mapping {
	void *addr;
	size_t len;
	off_t off;
	int fd;
};

extern struct mapping maps[64];
extern int nmaps;

/* The doorbell, as the provider rings it: a post of no work requests. */
int doorbell(struct ibv_qp *qp);

#endif /* SIW_KSFT_MAPS_H */
