// SPDX-License-Identifier: GPL-2.0
/*
 * Since: 6.2
 * Change: net: Introduce sk_use_task_frag in struct sock.
 * Kernels without it decide by sk_allocation alone.
 */
#include <linux/module.h>
#include <net/sock.h>

void probe(struct sock *sk);
void probe(struct sock *sk)
{
	sk->sk_use_task_frag = false;
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
