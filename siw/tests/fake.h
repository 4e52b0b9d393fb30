/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * Objects as ib_core would make them, without ib_core: as much of them as the
 * lower layers look at.  They go with the test.
 */
#ifndef SIW_TESTS_FAKE_H
#define SIW_TESTS_FAKE_H

#include <kunit/test.h>

#include "../qp.h"
#include "../siw.h"

/**
 * struct siw_fake_cq - a completion queue, and what its consumer was told
 * @cq: the queue
 * @fired: calls of the completion handler
 * @errors: calls of the event handler
 * @caller: who must not call the completion handler
 */
struct siw_fake_cq {
	struct siw_cq cq;
	unsigned int fired;
	unsigned int errors;
	const struct task_struct *caller;
};

struct siw_device *siw_fake_device(struct kunit *test);
struct siw_fake_cq *siw_fake_cq(struct kunit *test, struct siw_device *dev,
				u32 num_cqe);
struct siw_qp *siw_fake_qp(struct kunit *test, struct siw_fake_cq *cq,
			   u32 num);
void siw_fake_llp(struct kunit *test, struct siw_llp *llp);
void siw_fake_start(struct kunit *test, struct siw_qp *qp, struct siw_llp *llp);
void siw_fake_on_exit(struct kunit *test, kunit_action_t *action, void *arg);
void siw_fake_dereg(void *mr);
void siw_fake_end(void *qp);
u64 siw_fake_count(struct siw_device *dev, enum siw_counter counter);

#endif
