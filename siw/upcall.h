/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * What a consumer is told.
 */
#ifndef SIW_UPCALL_H
#define SIW_UPCALL_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/workqueue.h>

/* A completion came; other bits are those of enum ib_event_type. */
#define SIW_UPCALL_COMP		BIT(30)

/**
 * struct siw_upcall - what the consumer of an object is told
 * @work: tells a kernel consumer
 * @due: bits it has yet to hear of
 * @tell: calls the consumer's handlers
 * @user: the consumer is ib_uverbs
 */
struct siw_upcall {
	struct work_struct work;
	atomic_t due;
	void (*tell)(struct siw_upcall *up, unsigned long what);
	bool user;
};

void siw_upcall_init(struct siw_upcall *up, bool user,
		     void (*tell)(struct siw_upcall *up, unsigned long what));
void siw_upcall(struct siw_upcall *up, u32 what);
void siw_upcall_sync(struct siw_upcall *up);

#endif
