// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * What a consumer is told.
 *
 * Handlers must not run within the consumer's own calls, nor two of one CQ at a
 * time (Documentation/infiniband/core_locking.rst), those of a QP's events in
 * process context; but whoever posts, modifies or closes may find that something
 * has to be told.  So a kernel consumer is told by a work.  ib_uverbs only notes
 * what it hears, from anywhere, and is told at once.
 */
#include "siw.h"
#include "upcall.h"

static void run(struct work_struct *work)
{
	struct siw_upcall *up = container_of(work, struct siw_upcall, work);

	up->tell(up, atomic_xchg(&up->due, 0));
}

/**
 * siw_upcall_init() - prepare for telling
 * @up: the object's
 * @user: the consumer is ib_uverbs
 * @tell: calls its handlers; @what are its bits
 */
void siw_upcall_init(struct siw_upcall *up, bool user,
		     void (*tell)(struct siw_upcall *up, unsigned long what))
{
	INIT_WORK(&up->work, run);
	atomic_set(&up->due, 0);
	up->tell = tell;
	up->user = user;
}

/**
 * siw_upcall() - the consumer has to hear of something
 * @up: the object's
 * @what: SIW_UPCALL_COMP, or BIT() of an enum ib_event_type
 *
 * Context: any; a consumer in user space is told before it returns.
 */
void siw_upcall(struct siw_upcall *up, u32 what)
{
	if (up->user) {
		up->tell(up, what);
		return;
	}
	atomic_or(what, &up->due);
	queue_work(siw_data_wq, &up->work);
}

/* Wait until a kernel consumer has heard of all. Context: process. */
void siw_upcall_sync(struct siw_upcall *up)
{
	flush_work(&up->work);
}
