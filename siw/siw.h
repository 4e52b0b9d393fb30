/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * What every layer knows: limits, the device, and its counters.
 */
#ifndef SIW_H
#define SIW_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <rdma/ib_verbs.h>
#include <rdma/siw-abi.h>

#include "stats.h"

struct siw_log;

/* No hardware, no OUI; rdma_rxe reports the same. */
#define SIW_VENDOR_ID		0xffffff

/* Device limits, as reported by query_device() */
#define SIW_MAX_QP		(1024 * 100)
#define SIW_MAX_QP_WR		(1024 * 32)
#define SIW_MAX_CQ		(1024 * 100)
#define SIW_MAX_CQE		(SIW_MAX_QP_WR * 100)
#define SIW_MAX_MR		(1024 * 1000)
#define SIW_MAX_PD		SIW_MAX_QP
#define SIW_MAX_SRQ		SIW_MAX_QP
#define SIW_MAX_SRQ_WR		(SIW_MAX_QP_WR * 10)
#define SIW_MAX_SGE_RD		1
#define SIW_MAX_RD_ATOM		128	/* IRD and ORD */
#define SIW_MAX_FRMR_PAGES	512
#define SIW_MAX_CONTEXT		(1024 * 100)

/* Connections to one listener whose Request is not complete; the oldest goes */
#define SIW_MAX_HALF_OPEN	128

/* Connections that are over and wait for the peer's FIN; more are reset */
#define SIW_MAX_LINGER		4096

/* Connections that are accepted in one go */
#define SIW_ACCEPT_BATCH	64

/* Start-up and shutdown timers, in milliseconds */
#define SIW_TCP_TIMEOUT		8000	/* three SYN */
#define SIW_MPA_REQ_TIMEOUT	5000	/* TCP is up, no Request yet */
#define SIW_MPA_REP_TIMEOUT	10000	/* no Reply yet */
#define SIW_FIRST_FPDU_TIMEOUT	10000	/* peer-to-peer: no RTR message yet */
#define SIW_ULP_TIMEOUT		60000	/* neither accept nor reject called */
#define SIW_TERM_TIMEOUT	1000	/* Terminate not taken by TCP yet */
#define SIW_LINGER_TIMEOUT	5000	/* FIN sent, none received, nothing moves */
#define SIW_LINGER_MAX		60000	/* FIN sent, none received yet */

/* TCP asks a silent peer, in seconds, and gives up on one that says nothing */
#define SIW_KEEP_IDLE		60
#define SIW_KEEP_INTERVAL	10
#define SIW_KEEP_COUNT		6
#define SIW_PEER_TIMEOUT	120000	/* in milliseconds: with data under way */

/* Objects an application can have so many of */
enum siw_object {
	SIW_OBJ_CONTEXT,
	SIW_OBJ_PD,
	SIW_OBJ_CQ,
	SIW_OBJ_SRQ,
	SIW_OBJ_QP,
	SIW_OBJ_MR,
	SIW_OBJECTS
};

/* What a connection goes through, in order; all end in LINGER and CLOSED */
enum siw_conn_state {
	SIW_CONN_CONNECTING,	/* SYN sent */
	SIW_CONN_WAIT_REPLY,	/* Request sent */
	SIW_CONN_WAIT_REQUEST,	/* TCP accepted */
	SIW_CONN_QUEUED,	/* Request good, others are before it */
	SIW_CONN_ULP,		/* the ULP decides */
	SIW_CONN_WAIT_FIRST,	/* Reply sent, ready-to-receive message due */
	SIW_CONN_UP,
	SIW_CONN_LINGER,	/* no QP any more; waits for the peer's FIN */
	SIW_CONN_CLOSED,	/* no socket any more */
};

/* Why a device makes no connections: its net_device goes; it is not enabled */
#define SIW_CLOSED_NETDEV	0x1
#define SIW_CLOSED_CLIENT	0x2

/**
 * struct siw_device - one RDMA device on top of one net_device
 * @base: what ib_core sees
 * @qps: QP number to struct siw_qp
 * @next_qpn: where the search for a free QP number begins
 * @mrs: STag index (STag >> 8) to struct siw_mr
 * @mr_gen: how many have left @mrs; what was found there may be used as long as
 *	    this is the same
 * @objects: how many of each object exist
 * @stats: per-CPU counters
 * @log: what was said to the kernel log lately
 * @speed_due: when the net_device may be asked for its speed again, in jiffies
 * @speed: what it said, as ib_core has it
 * @width: the same
 * @crc: ask for CRC in the start-up of connections
 * @conns_lock: protects @conns to @closed
 * @conns: connections that have a socket
 * @half_open: those of them whose Request is not complete, the oldest first
 * @lingerers: those of them that wait for the peer's FIN, the oldest first
 * @lingering: how many do
 * @closed: why no socket may be made any more, SIW_CLOSED_*, or 0
 * @gid_lock: protects @raw_gid
 * @raw_gid: the GID, made of the net_device's hardware address
 */
struct siw_device {
	struct ib_device base;
	struct xarray qps;
	u32 next_qpn;
	struct xarray mrs;
	atomic64_t mr_gen;
	atomic_t objects[SIW_OBJECTS];
	struct siw_stats __percpu *stats;
	struct siw_log *log;
	unsigned long speed_due;
	u16 speed;
	u8 width;
	bool crc;
	struct mutex conns_lock;	/* conns to closed */
	struct list_head conns;
	struct list_head half_open;
	struct list_head lingerers;
	unsigned int lingering;
	unsigned int closed;
	spinlock_t gid_lock;		/* raw_gid */
	u8 raw_gid[16];
};

/**
 * struct siw_ucontext - a process that opened the device
 * @base: what ib_core sees
 * @features: extensions of the user ABI it was granted, SIW_EXT_*
 */
struct siw_ucontext {
	struct ib_ucontext base;
	u32 features;
};

struct siw_pd {
	struct ib_pd base;
};

/**
 * struct siw_mmap_entry - a queue mapped to user space
 * @base: ib_core's entry, reference counted
 * @queue: vmalloc() memory, freed with the entry
 */
struct siw_mmap_entry {
	struct rdma_user_mmap_entry base;
	void *queue;
};

extern struct workqueue_struct *siw_wq;
extern struct workqueue_struct *siw_request_wq;
extern struct workqueue_struct *siw_data_wq;

static inline struct siw_device *to_siw_dev(struct ib_device *base)
{
	return container_of(base, struct siw_device, base);
}

static inline void siw_count(struct siw_device *dev, enum siw_counter counter)
{
	this_cpu_inc(dev->stats->value[counter]);
}

static inline void siw_count_add(struct siw_device *dev,
				 enum siw_counter counter, u64 n)
{
	this_cpu_add(dev->stats->value[counter], n);
}

#endif
