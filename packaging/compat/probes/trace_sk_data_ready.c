// SPDX-License-Identifier: GPL-2.0
/*
 * Since: 6.3
 * Change: net-trace: Add trace points for sk_data_ready
 */
#include <linux/module.h>
#include <trace/events/sock.h>

void probe(struct sock *sk);
void probe(struct sock *sk)
{
	trace_sk_data_ready(sk);
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("siw compat probe");
