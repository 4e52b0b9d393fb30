/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * What the rdma command does, in this very process: cheap enough to be asked
 * often, and a call whose allocations can be made to fail.
 */
#ifndef SIW_KSFT_NLDEV_H
#define SIW_KSFT_NLDEV_H

/* Both act on the namespace of the caller. Return: 0 or -errno. */
int nldev_link_add(const char *name, const char *netdev);
int nldev_link_del(const char *name);

#endif /* SIW_KSFT_NLDEV_H */
