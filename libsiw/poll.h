/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * A thread that rings doorbells for those who post.  It knows nothing of queue
 * pairs, and needs no header of libibverbs.
 */
#ifndef SIW_POLL_H
#define SIW_POLL_H

#include <stdbool.h>

/**
 * struct siw_bell - what is rung; zeroed before it is used
 * @next: behind it in the list of its poller
 * @pending: it is in that list, or about to be
 */
struct siw_bell {
	struct siw_bell *next;
	bool pending;
};

struct siw_poller;

unsigned int siw_poller_usec(const char *text);
struct siw_poller *siw_poller_begin(unsigned int usec,
				    void (*ring)(struct siw_bell *bell));
void siw_poller_push(struct siw_poller *poller, struct siw_bell *bell);
void siw_poller_wait(struct siw_poller *poller, struct siw_bell *bell);
void siw_poller_end(struct siw_poller *poller);

#endif
