/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * One end of a stream without a network: the test puts FPDUs into its socket, and
 * takes what is built.
 */
#ifndef SIW_TESTS_END_H
#define SIW_TESTS_END_H

#include "fake.h"

#define SIW_END_OCTETS	10	/* of a message */

/**
 * struct siw_end - a queue pair that is up, and what is on the wire
 * @dev: its device
 * @pd: its protection domain
 * @dma: all of memory, for everybody
 * @cq: its completion queue
 * @qp: the queue pair
 * @llp: its socket, which is connected to nothing
 * @page: memory
 * @wire: octets on their way
 * @len: how many
 */
struct siw_end {
	struct siw_device *dev;
	struct ib_pd pd;
	struct ib_mr *dma;
	struct siw_fake_cq *cq;
	struct siw_qp *qp;
	struct siw_llp llp;
	u8 *page;
	u8 *wire;
	u32 len;
};

int siw_end_init(struct kunit *test);
void siw_end_start(struct kunit *test, u32 ord);
void siw_end_over(struct kunit *test);
void siw_end_add(struct kunit *test, const struct siw_seg *seg, const void *p);
void siw_end_add_read_request(struct kunit *test, u32 msn);
void siw_end_receive(struct kunit *test, struct sk_buff *skb);
void siw_end_arrive(struct kunit *test, u32 from, u32 to);
void siw_end_all_arrive(struct kunit *test);
u32 siw_end_take_built(struct kunit *test);
u8 siw_end_built_op(const struct siw_end *fix);
struct ib_sge siw_end_octets(const struct siw_end *fix, u32 len);
struct ib_wc siw_end_completed(struct kunit *test, u64 id,
			       enum ib_wc_status status);

#endif
