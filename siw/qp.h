/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * Queue pairs, their send and receive queues, and shared receive queues.
 */
#ifndef SIW_QP_H
#define SIW_QP_H

#include <linux/completion.h>
#include <linux/kref.h>

#include "cq.h"
#include "ext_abi.h"
#include "llp.h"
#include "mr.h"
#include "siw.h"
#include "txbuf.h"
#include "proto/ddp.h"
#include "proto/fault.h"
#include "proto/mpa_frame.h"
#include "proto/mpa_setup.h"
#include "proto/qp_fsm.h"
#include "proto/rdmap.h"
#include "proto/ring.h"

struct siw_qp;

/**
 * struct siw_qp_ops - what the connection above wants to hear of
 * @wake: the first FPDU came, or the QP's state changed; must not sleep
 */
struct siw_qp_ops {
	void (*wake)(void *owner);
};

/**
 * struct siw_rq - a receive queue or shared receive queue
 * @lock: consumers, and posts by kernel users
 * @ring: elements, mapped to user space for a user queue
 * @num: elements, a power of two
 * @put: next element a kernel user fills
 * @get: next element to consume
 * @low: fewest elements that were left behind a train; @num before the first.
 *	 The receiver's
 * @limit: a shared queue's limit, 0 if not armed
 * @told: arming it has made an event before
 * @told_at: @get at that time
 * @mmap: what it is mapped by, or NULL
 */
struct siw_rq {
	spinlock_t lock;	/* consumers, kernel posters */
	struct siw_rqe *ring;
	u32 num;
	u32 put;
	u32 get;
	u32 low;
	u32 limit;
	bool told;
	u32 told_at;
	struct siw_mmap_entry *mmap;
};

struct siw_srq {
	struct ib_srq base;
	struct siw_rq rq;
	u32 max_sge;
	struct siw_upcall upcall;	/* limit reached */
};

/**
 * struct siw_sq_entry - a send work request taken from the ring
 * @id: work request id
 * @len: octets
 * @opcode: enum siw_opcode
 * @status: enum siw_wc_status, once @done
 * @signalled: wants a completion also if it succeeds
 * @done: it is complete, and waits for those before it
 */
struct siw_sq_entry {
	u64 id;
	u32 len;
	u8 opcode;
	u8 status;
	bool signalled;
	bool done;
};

/**
 * struct siw_sq - a send queue
 * @lock: guards entries before @fetch, @comp and the order of completions
 * @post_lock: posts by kernel users
 * @ring: elements, mapped to user space for a user QP
 * @ctrl: behind the last element, if the provider asked for it; written only
 * @entry: one for each element, @fetch and @comp index it
 * @num: elements, a power of two
 * @put: next element a kernel user fills
 * @fetch: next element to take; owned by the transmitter
 * @sent: entries before it were handed to TCP; owned by the transmitter
 * @comp: next entry to complete
 * @high: most entries that were outstanding at a time; the transmitter's
 * @peer_status: what the first uncompleted request failed with at the peer
 * @mmap: what @ring is mapped by, or NULL
 */
struct siw_sq {
	spinlock_t lock;	/* entries and completions */
	spinlock_t post_lock;	/* kernel posters */
	struct siw_sqe *ring;
	struct siw_qp_ctrl *ctrl;
	struct siw_sq_entry *entry;
	u32 num;
	u32 put;
	u32 fetch;
	u32 sent;
	u32 comp;
	u32 high;
	u8 peer_status;
	struct siw_mmap_entry *mmap;
};

/**
 * struct siw_orq_entry - a Read we wait for
 * @sink: where the response goes
 * @index: entry of the send queue; a ready-to-receive Read has none, and names
 *	   the one before the first, which is not outstanding
 * @inval: invalidate the sink when it is complete
 */
struct siw_orq_entry {
	struct siw_read_sink sink;
	u32 index;
	bool inval;
};

/* What the transmitter is in the middle of */
enum siw_tx_msg {
	SIW_TX_NONE,
	SIW_TX_WQE,
	SIW_TX_RESPONSE,
	SIW_TX_TERMINATE,
};

/**
 * struct siw_tx - the transmitter
 * @lock: held by its one owner at a time
 * @again: there may be work; set before the owner is looked for
 * @work: for those who cannot own it themselves
 * @buf: FPDUs that TCP did not take yet
 * @pos: stream position of the next octet
 * @base: a stream position at which TCP cuts a segment
 * @markers: the peer wants Markers
 * @head: stream position of the current FPDU's length field
 * @msg: which message is in progress
 * @last: the kind that was sent last, for alternation
 * @mr: region that was read last
 * @sqe: private copy of the work request in progress
 * @fetched: @sqe is valid
 * @len: octets of it
 * @done: octets of it already in FPDUs
 * @rsp_done: octets of the oldest Read Response already in FPDUs
 * @sge: SGE of @sqe the next octet is in
 * @sge_done: octets of that SGE already in FPDUs
 * @msn: next message sequence number of each untagged queue
 * @fpdus: FPDUs built since TCP took something
 * @budget: trains its owner may still send before a worker takes over
 * @rtr: ready-to-receive message still to send, SIW_RTR_* or 0
 * @stalled: waits for a Read to complete
 * @held: nothing may be sent before the peer has sent something
 * @crc: CRC is in use
 */
struct siw_tx {
	struct mutex lock;	/* the one owner */
	unsigned long again;
	struct delayed_work work;
	struct siw_txbuf buf;
	u32 pos;
	u32 base;
	bool markers;
	u32 head;
	enum siw_tx_msg msg;
	enum siw_tx_msg last;
	struct siw_mr_cache mr;
	struct siw_sqe sqe;
	bool fetched;
	u32 len;
	u32 done;
	u32 rsp_done;
	u8 sge;
	u32 sge_done;
	u32 msn[SIW_QNS];
	u32 fpdus;
	int budget;
	u8 rtr;
	bool stalled;
	bool held;
	bool crc;
};

/**
 * struct siw_rx - the receiver; owned by whoever holds the socket lock
 * @mpa: framing state
 * @ddp: message order
 * @mr: region that was placed in last
 * @rqe: private copy of the receive element in progress
 * @rqe_taken: @rqe is valid
 * @rqe_len: octets it has room for
 * @fpdus: FPDUs received
 * @bytes: octets of their ULPDUs
 * @answers: octets of Read Responses, without those placed as a run
 * @hdr: private copy of the first octets of a ULPDU
 * @rtr_send: the first FPDU may be a Send that takes no receive element
 * @carry: a straddling FPDU, octet by octet
 * @carry_size: size of @carry
 * @carry_len: octets in @carry
 * @carry_want: size @carry has to grow to before reading can go on, or 0
 * @news: what the receive CQ is told of at the end of the train
 * @read_on: reads on in process context, with a larger @carry if it is wanted
 */
struct siw_rx {
	struct siw_mpa_rx mpa;
	struct siw_ddp_rx ddp;
	struct siw_mr_cache mr;
	struct siw_rqe rqe;
	bool rqe_taken;
	u32 rqe_len;
	u32 fpdus;
	u64 bytes;
	u32 answers;
	u8 hdr[SIW_ULPDU_HDR_MAX];
	bool rtr_send;
	u8 *carry;
	u32 carry_size;
	u32 carry_len;
	u32 carry_want;
	u32 news;
	struct delayed_work read_on;
};

/**
 * struct siw_qp - a queue pair
 * @base: what ib_core sees
 * @ref: users other than ib_core
 * @gone: the last of them is gone
 * @owner: connection, from siw_qp_claim() on
 * @ops: upcalls to it
 * @llp: socket; transmitter and receiver look at it while it is set
 * @lent: what iw_cm has of it, struct siw_lent
 * @lock: guards @state, @fault, @term, @owner and @lent
 * @state: where the stream is
 * @ib_state: what an idle QP was last modified to
 * @fault: why it ended
 * @by_peer: @fault was told by the peer's Terminate
 * @dying: it is being destroyed
 * @upcall: tells the consumer
 * @rev: MPA revision of the stream
 * @last_wqe_told: the SRQ's consumer knows that no more elements are taken
 * @term: the Terminate to send, or the one that came
 * @access: SIW_ACCESS_REMOTE_* the QP grants
 * @scq: completes the send queue
 * @rcq: completes the receive queue
 * @srq: shared receive queue, or NULL
 * @max_send_sge: as asked for
 * @max_recv_sge: as asked for
 * @sig_all: every send request is signalled
 * @creator: process (thread group) that made the QP
 * @creator_uid: its effective user
 * @sq: send queue
 * @rq: receive queue, unused with @srq
 * @orq: Reads we wait for; filled by tx, emptied by rx
 * @ord: Reads we may have outstanding
 * @orq_mask: size of @orq less one
 * @orq_put: next free
 * @orq_get: oldest
 * @orq_high: most that were outstanding at a time; the transmitter's
 * @irq: Reads the peer waits for; filled by rx, emptied by tx.  The one at
 *	index n came with MSN n + 1.
 * @ird: Reads the peer may have outstanding
 * @irq_mask: size of @irq less one
 * @irq_put: next free
 * @irq_get: oldest
 * @irq_high: most that were outstanding at a time; the receiver's
 * @tx: transmitter
 * @rx: receiver
 */
struct siw_qp {
	struct ib_qp base;
	struct kref ref;
	struct completion gone;
	void *owner;
	const struct siw_qp_ops *ops;
	struct siw_llp *llp;
	struct list_head lent;
	spinlock_t lock;	/* state, fault, term, owner, lent */
	enum siw_qp_state state;
	enum ib_qp_state ib_state;
	enum siw_fault fault;
	bool by_peer;
	bool dying;
	struct siw_upcall upcall;
	u8 rev;
	bool last_wqe_told;
	struct siw_term term;
	u32 access;
	struct siw_cq *scq;
	struct siw_cq *rcq;
	struct siw_srq *srq;
	u32 max_send_sge;
	u32 max_recv_sge;
	bool sig_all;
	struct pid *creator;
	kuid_t creator_uid;
	struct siw_sq sq;
	struct siw_rq rq;
	struct siw_orq_entry *orq;
	u32 ord;
	u32 orq_mask;
	u32 orq_put;
	u32 orq_get;
	u32 orq_high;
	struct siw_read_req *irq;
	u32 ird;
	u32 irq_mask;
	u32 irq_put;
	u32 irq_get;
	u32 irq_high;
	struct siw_tx tx ____cacheline_aligned_in_smp;
	struct siw_rx rx ____cacheline_aligned_in_smp;
};

static inline struct siw_qp *to_siw_qp(struct ib_qp *base)
{
	return container_of(base, struct siw_qp, base);
}

static inline struct siw_srq *to_siw_srq(struct ib_srq *base)
{
	return container_of(base, struct siw_srq, base);
}

static inline struct siw_device *siw_qp_dev(const struct siw_qp *qp)
{
	return to_siw_dev(qp->base.device);
}

static inline bool siw_is_read(u8 opcode)
{
	return opcode == SIW_OP_READ || opcode == SIW_OP_READ_LOCAL_INV;
}

/* The transmitter's view: a Read of the peer is not answered in full. */
static inline bool siw_qp_owes_response(const struct siw_qp *qp)
{
	/* Pairs with the release of the receiver. */
	return smp_load_acquire(&qp->irq_put) != qp->irq_get;
}

/* Add a completion, as siw_cq_put(), unless the QP is being destroyed. */
static inline u32 siw_qp_complete(const struct siw_qp *qp, struct siw_cq *cq,
				  const struct siw_completion *comp)
{
	return READ_ONCE(qp->dying) ? 0 : siw_cq_put(cq, comp);
}

static inline enum siw_qp_state siw_qp_state(const struct siw_qp *qp)
{
	return READ_ONCE(qp->state);
}

enum ib_qp_state siw_qp_ib_state(const struct siw_qp *qp);

static inline bool siw_qp_receives(const struct siw_qp *qp)
{
	return siw_qp_state(qp) == SIW_QP_RTS ||
	       siw_qp_state(qp) == SIW_QP_CLOSING;
}

/* qp.c: life and state */
struct siw_qp *siw_qp_lookup(struct siw_device *dev, u32 qpn);
void siw_qp_get(struct siw_qp *qp);
void siw_qp_put(struct siw_qp *qp);
void siw_qp_init(struct siw_qp *qp, bool user);
bool siw_qp_may_connect(const struct siw_qp *qp);
int siw_qp_claim(struct siw_qp *qp, void *owner, const struct siw_qp_ops *ops);
void siw_qp_unclaim(struct siw_qp *qp);
int siw_qp_depths(struct siw_qp *qp, u32 ird, u32 ord);

/**
 * struct siw_qp_start - what the start-up agreed on
 * @llp: the socket
 * @ird: Reads we take
 * @ord: Reads we issue
 * @crc: CRC is in use
 * @markers: we send Markers
 * @rev: MPA revision
 * @rtr: SIW_RTR_* message to send first, 0 if none
 * @passive: do not send before something came
 * @rtr_send: the peer's first FPDU may be a ready-to-receive Send
 */
struct siw_qp_start {
	struct siw_llp *llp;
	u32 ird;
	u32 ord;
	bool crc;
	bool markers;
	u8 rev;
	u8 rtr;
	bool passive;
	bool rtr_send;
};

int siw_qp_start(struct siw_qp *qp, const struct siw_qp_start *start);
void siw_qp_stop(struct siw_qp *qp, const void *owner);
bool siw_qp_is_stopped(const struct siw_qp *qp);
int siw_qp_reset(struct siw_qp *qp);
bool siw_qp_event(struct siw_qp *qp, enum siw_qp_event ev);
void siw_qp_fault(struct siw_qp *qp, enum siw_fault fault, const u8 *ulpdu,
		  size_t avail, u16 ulpdu_len);
void siw_qp_terminated(struct siw_qp *qp, const struct siw_term *term);
bool siw_qp_is_drained(struct siw_qp *qp);
void siw_qp_report(struct siw_qp *qp);
void siw_qp_wake(struct siw_qp *qp);

/* sq.c */
void siw_sq_set_num(struct siw_sq *sq, u32 num);
int siw_sq_post(struct siw_qp *qp, const struct ib_send_wr *wr,
		const struct ib_send_wr **bad);
bool siw_sq_has_room(struct siw_qp *qp);
bool siw_sq_fetch(struct siw_qp *qp, struct siw_sqe *sqe);
void siw_sq_done(struct siw_qp *qp, u32 index, enum siw_wc_status status);
void siw_sq_sent(struct siw_qp *qp, u32 end);
void siw_sq_flush(struct siw_qp *qp);
void siw_sq_forget(struct siw_qp *qp);
bool siw_sq_is_idle(struct siw_qp *qp);

/* rq.c */
void siw_rq_set_num(struct siw_rq *rq, u32 num);
void siw_srq_init(struct siw_srq *srq, bool user);
int siw_rq_post(struct siw_rq *rq, u32 max_sge, const struct ib_recv_wr *wr,
		const struct ib_recv_wr **bad);
bool siw_rq_take(struct siw_qp *qp, struct siw_rqe *rqe);
bool siw_rq_is_posted(struct siw_qp *qp, u32 n);
u32 siw_rq_available(struct siw_qp *qp);
void siw_rq_note_low(struct siw_qp *qp);
void siw_rq_flush(struct siw_qp *qp);
void siw_rq_forget(struct siw_qp *qp);
void siw_srq_arm(struct siw_srq *srq, u32 limit);

/* build.c */
int siw_build_one(struct siw_qp *qp);
int siw_build_terminate(struct siw_qp *qp);

/* tx.c */
void siw_tx_init(struct siw_qp *qp);
void siw_tx_run(struct siw_qp *qp);
void siw_tx_kick(struct siw_qp *qp);

/* rx.c */
void siw_rx_init(struct siw_qp *qp);
void siw_rx_data_ready(struct siw_qp *qp);
void siw_rx_stop(struct siw_qp *qp);
bool siw_rx_is_idle(const struct siw_qp *qp);

#endif
