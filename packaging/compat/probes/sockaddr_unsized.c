// SPDX-License-Identifier: GPL-2.0
/*
 * Since: 6.19
 * Change: net: Introduce struct sockaddr_unsized
 */
#include <linux/module.h>
#include <linux/net.h>
#include <linux/socket.h>

int probe(struct socket *sock, struct sockaddr_unsized *sa);
int probe(struct socket *sock, struct sockaddr_unsized *sa)
{
	return kernel_bind(sock, sa, sizeof(struct sockaddr)) ?:
	       kernel_connect(sock, sa, sizeof(struct sockaddr), 0);
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
