/* SPDX-License-Identifier: GPL-2.0 */
#include_next <net/tcp.h>

#ifndef SIWC_NET_TCP_H
#define SIWC_NET_TCP_H

/* This TCP ignores MSG_SPLICE_PAGES: hand it the pages one by one. */
#ifndef SIWC_HAVE_TCP_SPLICE_PAGES
#ifndef MSG_SPLICE_PAGES
#define MSG_SPLICE_PAGES 0x8000000
#endif
int siwc_tcp_sendmsg_locked(struct sock *sk, struct msghdr *msg, size_t size);
#define tcp_sendmsg_locked siwc_tcp_sendmsg_locked
#endif

#endif
