/* SPDX-License-Identifier: GPL-2.0 */
#include_next <linux/socket.h>

/* kernel_bind() and kernel_connect() take a plain struct sockaddr. */
#ifndef SIWC_HAVE_SOCKADDR_UNSIZED
#undef sockaddr_unsized
#define sockaddr_unsized sockaddr
#endif
