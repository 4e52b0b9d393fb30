// SPDX-License-Identifier: GPL-2.0
/*
 * Since: 6.5
 * Change: net: Kill MSG_SENDPAGE_NOTLAST; tcp: Support MSG_SPLICE_PAGES
 * Behaviour: stable 6.1 has the constant MSG_SPLICE_PAGES but its TCP
 * ignores it. TCP honours it once proto_ops.sendpage is gone and
 * sendpage's internal flag with it.
 */
#include <linux/module.h>
#include <linux/socket.h>
#include <net/tcp.h>

#ifdef MSG_SENDPAGE_NOTLAST
#error TCP still sends pages through sendpage
#endif

int probe(struct sock *sk, struct msghdr *msg);
int probe(struct sock *sk, struct msghdr *msg)
{
	msg->msg_flags |= MSG_SPLICE_PAGES;
	return tcp_sendmsg_locked(sk, msg, 0);
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
