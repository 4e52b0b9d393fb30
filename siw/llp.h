/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * The lower layer protocol: one TCP socket (RFC 5044 calls it LLP stream).
 */
#ifndef SIW_LLP_H
#define SIW_LLP_H

#include <linux/bvec.h>
#include <linux/skbuff.h>
#include <linux/socket.h>
#include <linux/types.h>

struct net;
struct siw_llp;
struct socket;

/**
 * struct siw_llp_ops - what the owner of a socket wants to hear of
 * @data_ready: there is data to read, or the peer closed its direction
 * @write_space: there is room to send again
 * @state_change: TCP's state changed
 *
 * All are called with the socket locked, mostly in softirq: they must not
 * sleep.  None is called any more once siw_llp_detach() returned.
 */
struct siw_llp_ops {
	void (*data_ready)(struct siw_llp *llp);
	void (*write_space)(struct siw_llp *llp);
	void (*state_change)(struct siw_llp *llp);
};

/**
 * struct siw_llp - a TCP socket of ours
 * @sock: the socket
 * @ops: the owner's callbacks
 * @saved_data_ready: the callbacks TCP had
 * @saved_write_space: see @saved_data_ready
 * @saved_state_change: see @saved_data_ready
 * @saved_error_report: see @saved_data_ready
 * @poked: siw_llp_poke() calls data_ready()
 */
struct siw_llp {
	struct socket *sock;
	const struct siw_llp_ops *ops;
	void (*saved_data_ready)(struct sock *sk);
	void (*saved_write_space)(struct sock *sk);
	void (*saved_state_change)(struct sock *sk);
	void (*saved_error_report)(struct sock *sk);
	bool poked;
} __aligned(8);	/* the lowest bits of sk_user_data are flags */

/* What a stream's TCP connection is doing */
enum siw_llp_state {
	SIW_LLP_CONNECTING,
	SIW_LLP_UP,
	SIW_LLP_FIN_SENT,	/* by us, none came yet */
	SIW_LLP_PEER_CLOSED,	/* FIN from the peer; what came is still there */
	SIW_LLP_LAST_ACK,	/* both have sent a FIN, ours is not acknowledged */
	SIW_LLP_CLOSED,		/* nothing goes either way any more */
};

/**
 * typedef siw_llp_actor - take received octets
 * @arg: the caller's
 * @skb: buffer
 * @offset: first octet to look at
 * @len: octets
 *
 * Return: octets taken; fewer than @len ends the reading.
 */
typedef size_t (*siw_llp_actor)(void *arg, struct sk_buff *skb, u32 offset,
				size_t len);

int siw_llp_open(struct siw_llp *llp, struct net *net, int family);
void siw_llp_attach(struct siw_llp *llp, const struct siw_llp_ops *ops);
void siw_llp_detach(struct siw_llp *llp);
void siw_llp_abort(struct siw_llp *llp);
void siw_llp_shutdown(struct siw_llp *llp);

int siw_llp_bind(struct siw_llp *llp, const struct sockaddr_storage *addr,
		 bool any_port);
int siw_llp_connect(struct siw_llp *llp, const struct sockaddr_storage *addr,
		    int tos);
int siw_llp_listen(struct siw_llp *llp, const struct sockaddr_storage *addr,
		   int backlog, int tos, bool v6only);
int siw_llp_accept(struct siw_llp *listener, struct siw_llp *llp);

enum siw_llp_state siw_llp_state(const struct siw_llp *llp);
int siw_llp_error(struct siw_llp *llp);
int siw_llp_local(const struct siw_llp *llp, struct sockaddr_storage *addr);
int siw_llp_remote(const struct siw_llp *llp, struct sockaddr_storage *addr);

int siw_llp_recv(struct siw_llp *llp, void *buf, size_t len);
bool siw_llp_has_data(const struct siw_llp *llp);
int siw_llp_send(struct siw_llp *llp, const void *buf, size_t len);
int siw_llp_send_pages(struct siw_llp *llp, const struct bio_vec *bvec,
		       unsigned int segs, size_t len, bool more);
bool siw_llp_reads_later(const struct siw_llp *llp);
size_t siw_llp_read(struct siw_llp *llp, siw_llp_actor actor, void *arg);
void siw_llp_drain(struct siw_llp *llp);
void siw_llp_poke(struct siw_llp *llp);
void siw_llp_barrier(struct siw_llp *llp);
u32 siw_llp_acked(const struct siw_llp *llp);
u32 siw_llp_next(const struct siw_llp *llp);
u64 siw_llp_cookie(const struct siw_llp *llp);
bool siw_llp_has_unsent(const struct siw_llp *llp);
u32 siw_llp_mss(const struct siw_llp *llp);

#endif
