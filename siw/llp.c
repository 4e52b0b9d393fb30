// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * The lower layer protocol: the only file that looks into a struct sock.
 *
 * sk_user_data points to the llp while it is attached.  It changes under the
 * socket lock and sk_callback_lock; a callback holds the latter, so once
 * siw_llp_detach() has written NULL no callback of ours is running.
 */
#include <linux/net.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/sock.h>
#include <net/tcp.h>
#include <trace/events/sock.h>

#include "llp.h"
#include "siw.h"

/*
 * The owner of a socket; the caller holds sk_callback_lock.  A socket that a listener
 * made may be in a sockmap of a BPF program, with our callbacks, before it is accepted.
 */
static struct siw_llp *llp_of(const struct sock *sk)
{
	uintptr_t data = (uintptr_t)sk->sk_user_data;

	BUILD_BUG_ON(__alignof__(struct siw_llp) <= ~SK_USER_DATA_PTRMASK);
	if (data & SK_USER_DATA_PSOCK)
		return NULL;
	return (void *)(data & SK_USER_DATA_PTRMASK);
}

static void llp_data_ready(struct sock *sk)
{
	struct siw_llp *llp;

	trace_sk_data_ready(sk);
	read_lock_bh(&sk->sk_callback_lock);
	llp = llp_of(sk);
	if (llp)
		llp->ops->data_ready(llp);
	read_unlock_bh(&sk->sk_callback_lock);
}

static void llp_write_space(struct sock *sk)
{
	struct siw_llp *llp;

	read_lock_bh(&sk->sk_callback_lock);
	llp = llp_of(sk);
	if (llp && sk_stream_is_writeable(sk)) {
		clear_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
		llp->ops->write_space(llp);
	}
	read_unlock_bh(&sk->sk_callback_lock);
}

static void llp_state_change(struct sock *sk)
{
	struct siw_llp *llp;

	read_lock_bh(&sk->sk_callback_lock);
	llp = llp_of(sk);
	if (llp)
		llp->ops->state_change(llp);
	read_unlock_bh(&sk->sk_callback_lock);
}

/* A peer that is gone without a word is noticed, idle or not. */
static void watch_peer(struct sock *sk)
{
	tcp_sock_set_keepidle(sk, SIW_KEEP_IDLE);
	tcp_sock_set_keepintvl(sk, SIW_KEEP_INTERVAL);
	tcp_sock_set_keepcnt(sk, SIW_KEEP_COUNT);
	sock_set_keepalive(sk);
	tcp_sock_set_user_timeout(sk, SIW_PEER_TIMEOUT);
}

/**
 * siw_llp_open() - make a TCP socket
 * @llp: to be filled
 * @net: network namespace; not held, the owner closes the socket before the
 *	net_device leaves it
 * @family: AF_INET or AF_INET6
 *
 * Return: 0 or what sock_create_kern() said.
 */
int siw_llp_open(struct siw_llp *llp, struct net *net, int family)
{
	int err;

	err = sock_create_kern(net, family, SOCK_STREAM, IPPROTO_TCP,
			       &llp->sock);
	if (err)
		return err;
	/*
	 * Memory reclaim may wait for what goes over this very socket: without any it
	 * is tried again, rather than waited for.
	 */
	llp->sock->sk->sk_allocation = GFP_NOIO | __GFP_NORETRY | __GFP_NOWARN;
	llp->sock->sk->sk_use_task_frag = false;
	sock_set_reuseaddr(llp->sock->sk);
	tcp_sock_set_nodelay(llp->sock->sk);
	/* What a listener accepts inherits it. */
	watch_peer(llp->sock->sk);
	return 0;
}

void siw_llp_attach(struct siw_llp *llp, const struct siw_llp_ops *ops)
{
	struct sock *sk = llp->sock->sk;

	lock_sock(sk);
	write_lock_bh(&sk->sk_callback_lock);
	llp->ops = ops;
	llp->saved_data_ready = sk->sk_data_ready;
	llp->saved_write_space = sk->sk_write_space;
	llp->saved_state_change = sk->sk_state_change;
	llp->saved_error_report = sk->sk_error_report;
	/* A connection that a listener makes must not inherit the pointer. */
	sk->sk_user_data = (void *)((uintptr_t)llp | SK_USER_DATA_NOCOPY);
	sk->sk_data_ready = llp_data_ready;
	sk->sk_write_space = llp_write_space;
	sk->sk_state_change = llp_state_change;
	sk->sk_error_report = llp_state_change;
	write_unlock_bh(&sk->sk_callback_lock);
	sock_set_flag(sk, SOCK_URGINLINE);
	release_sock(sk);
}

/* After this no callback of ours runs or will run; may be called twice. */
void siw_llp_detach(struct siw_llp *llp)
{
	struct sock *sk = llp->sock->sk;

	lock_sock(sk);
	write_lock_bh(&sk->sk_callback_lock);
	if (llp_of(sk) == llp) {
		sk->sk_user_data = NULL;
		sk->sk_data_ready = llp->saved_data_ready;
		sk->sk_write_space = llp->saved_write_space;
		sk->sk_state_change = llp->saved_state_change;
		sk->sk_error_report = llp->saved_error_report;
	}
	write_unlock_bh(&sk->sk_callback_lock);
	release_sock(sk);
}

/* Detach, reset what is not closed, and give the socket back. */
void siw_llp_abort(struct siw_llp *llp)
{
	siw_llp_detach(llp);
	sock_no_linger(llp->sock->sk);
	sock_release(llp->sock);
	llp->sock = NULL;
}

/* Send a FIN behind all that was sent. */
void siw_llp_shutdown(struct siw_llp *llp)
{
	kernel_sock_shutdown(llp->sock, SHUT_WR);
}

static int addr_len(const struct sockaddr_storage *addr)
{
	return addr->ss_family == AF_INET ? sizeof(struct sockaddr_in) :
					    sizeof(struct sockaddr_in6);
}

static void set_port(struct sockaddr_storage *addr, __be16 port)
{
	if (addr->ss_family == AF_INET)
		((struct sockaddr_in *)addr)->sin_port = port;
	else
		((struct sockaddr_in6 *)addr)->sin6_port = port;
}

/* The bind of IPv6 does so for link-local addresses alone. */
static void bind_to_scope(struct siw_llp *llp,
			  const struct sockaddr_storage *addr)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)addr;

	if (addr->ss_family == AF_INET6 && in6->sin6_scope_id)
		sock_bindtoindex(llp->sock->sk, in6->sin6_scope_id, true);
}

/**
 * siw_llp_bind() - set the local address of a socket that is to connect
 * @llp: from siw_llp_open()
 * @addr: local address and port
 * @any_port: any port does
 *
 * rdma_cm hands out ports without asking TCP.  If TCP has this one in use,
 * any other does.
 *
 * Return: 0 or what bind said.
 */
int siw_llp_bind(struct siw_llp *llp, const struct sockaddr_storage *addr,
		 bool any_port)
{
	struct sockaddr_storage other = *addr;
	int err = -EADDRINUSE;

	bind_to_scope(llp, addr);
	if (!any_port)
		err = kernel_bind(llp->sock, (struct sockaddr_unsized *)addr,
				  addr_len(addr));
	if (err != -EADDRINUSE && err != -EACCES)
		return err;
	set_port(&other, 0);
	return kernel_bind(llp->sock, (struct sockaddr_unsized *)&other,
			   addr_len(addr));
}

static void set_tos(struct siw_llp *llp, int family, int tos)
{
	if (tos < 0)
		return;
	if (family == AF_INET)
		ip_sock_set_tos(llp->sock->sk, tos);
#if IS_ENABLED(CONFIG_IPV6)
	else
		inet6_sk(llp->sock->sk)->tclass = tos;
#endif
}

/**
 * siw_llp_connect() - start to connect; never waits
 * @llp: bound socket
 * @addr: the peer
 * @tos: type of service, or -1
 *
 * Return: 0 if state_change() is going to tell, or -errno.
 */
int siw_llp_connect(struct siw_llp *llp, const struct sockaddr_storage *addr,
		    int tos)
{
	int err;

	set_tos(llp, addr->ss_family, tos);
	err = kernel_connect(llp->sock, (struct sockaddr_unsized *)addr,
			     addr_len(addr), O_NONBLOCK);
	return err == -EINPROGRESS ? 0 : err;
}

int siw_llp_listen(struct siw_llp *llp, const struct sockaddr_storage *addr,
		   int backlog, int tos, bool v6only)
{
	int err;

	if (addr->ss_family == AF_INET6 && v6only) {
		err = ip6_sock_set_v6only(llp->sock->sk);
		if (err)
			return err;
	}
	bind_to_scope(llp, addr);
	set_tos(llp, addr->ss_family, tos);
	err = kernel_bind(llp->sock, (struct sockaddr_unsized *)addr,
			  addr_len(addr));
	if (err)
		return err;
	return kernel_listen(llp->sock, backlog);
}

/*
 * Take one connection, but not one that is a BPF program's.
 *
 * Return: 0, -EAGAIN if there is none, or -errno.
 */
int siw_llp_accept(struct siw_llp *listener, struct siw_llp *llp)
{
	struct sock *sk;
	bool taken;
	int err;

	err = kernel_accept(listener->sock, &llp->sock, O_NONBLOCK);
	if (err)
		return err;

	/* It is a copy of the listener, callbacks included. */
	sk = llp->sock->sk;
	lock_sock(sk);
	write_lock_bh(&sk->sk_callback_lock);
	taken = sk->sk_user_data;
	if (!taken) {
		sk->sk_data_ready = listener->saved_data_ready;
		sk->sk_write_space = listener->saved_write_space;
		sk->sk_state_change = listener->saved_state_change;
		sk->sk_error_report = listener->saved_error_report;
	}
	write_unlock_bh(&sk->sk_callback_lock);
	release_sock(sk);
	if (taken) {
		sock_no_linger(sk);
		sock_release(llp->sock);
		llp->sock = NULL;
		return -ECONNABORTED;
	}
	tcp_sock_set_nodelay(sk);
	return 0;
}

enum siw_llp_state siw_llp_state(const struct siw_llp *llp)
{
	struct sock *sk = llp->sock->sk;

	switch (inet_sk_state_load(sk)) {
	case TCP_SYN_SENT:
	case TCP_SYN_RECV:
		return SIW_LLP_CONNECTING;
	case TCP_ESTABLISHED:
		return SIW_LLP_UP;
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
		return SIW_LLP_FIN_SENT;
	case TCP_CLOSE_WAIT:
		return SIW_LLP_PEER_CLOSED;
	case TCP_LAST_ACK:
	case TCP_CLOSING:
		return SIW_LLP_LAST_ACK;
	default:
		return SIW_LLP_CLOSED;
	}
}

/* Why TCP gave up, as -errno; the error is taken. */
int siw_llp_error(struct siw_llp *llp)
{
	return sock_error(llp->sock->sk);
}

/* An IPv4 peer of a dual-stack listener is an IPv4 peer. */
static void unmap_v4(struct sockaddr_storage *addr)
{
	struct sockaddr_in6 in6 = *(struct sockaddr_in6 *)addr;
	struct sockaddr_in *in = (struct sockaddr_in *)addr;

	if (addr->ss_family != AF_INET6 || !ipv6_addr_v4mapped(&in6.sin6_addr))
		return;
	memset(addr, 0, sizeof(*addr));
	in->sin_family = AF_INET;
	in->sin_port = in6.sin6_port;
	in->sin_addr.s_addr = in6.sin6_addr.s6_addr32[3];
}

int siw_llp_local(const struct siw_llp *llp, struct sockaddr_storage *addr)
{
	int len = kernel_getsockname(llp->sock, (struct sockaddr *)addr);

	if (len < 0)
		return len;
	unmap_v4(addr);
	return 0;
}

int siw_llp_remote(const struct siw_llp *llp, struct sockaddr_storage *addr)
{
	int len = kernel_getpeername(llp->sock, (struct sockaddr *)addr);

	if (len < 0)
		return len;
	unmap_v4(addr);
	return 0;
}

/**
 * siw_llp_recv() - read without waiting
 * @llp: connected socket
 * @buf: where to
 * @len: at most so many octets
 *
 * Return: octets, 0 if the peer closed, -EAGAIN if there is nothing now, or
 * -errno.
 */
int siw_llp_recv(struct siw_llp *llp, void *buf, size_t len)
{
	struct kvec iov = { .iov_base = buf, .iov_len = len };
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };

	return kernel_recvmsg(llp->sock, &msg, &iov, 1, len, msg.msg_flags);
}

bool siw_llp_has_data(const struct siw_llp *llp)
{
	struct sock *sk = llp->sock->sk;
	bool has;

	/* A FIN on its way into the socket would look like an octet. */
	lock_sock(sk);
	has = !skb_queue_empty(&sk->sk_receive_queue) && tcp_inq(sk) > 0;
	release_sock(sk);
	return has;
}

/* Send a start-up frame. Return: 0 or -errno; -EAGAIN if not all of it went. */
int siw_llp_send(struct siw_llp *llp, const void *buf, size_t len)
{
	struct kvec iov = { .iov_base = (void *)buf, .iov_len = len };
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	int n;

	n = kernel_sendmsg(llp->sock, &msg, &iov, 1, len);
	if (n < 0)
		return n;
	return n == len ? 0 : -EAGAIN;
}

/**
 * siw_llp_send_pages() - hand pages to TCP without copying them
 * @llp: connected socket
 * @bvec: the octets; TCP takes references on the pages
 * @segs: entries in @bvec
 * @len: octets in @bvec
 * @more: the caller is going to send more at once
 *
 * Context: process, may sleep for the socket lock but not for space.
 * Return: octets taken, -EAGAIN if there is no room now (write_space() is
 * going to tell), -ENOMEM if there is no memory now, or -errno.
 */
int siw_llp_send_pages(struct siw_llp *llp, const struct bio_vec *bvec,
		       unsigned int segs, size_t len, bool more)
{
	struct msghdr msg = {
		.msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL | MSG_SPLICE_PAGES |
			     (more ? MSG_MORE : 0),
	};
	struct sock *sk = llp->sock->sk;
	int n;

	iov_iter_bvec(&msg.msg_iter, ITER_SOURCE, bvec, segs, len);
	lock_sock(sk);
	n = tcp_sendmsg_locked(sk, &msg, len);
	/* With nothing on its way there is nobody to tell of room. */
	if (n == -EAGAIN && tcp_rtx_and_write_queues_empty(sk))
		n = -ENOMEM;
	release_sock(sk);
	return n;
}

/* MPA knows no urgent data: such an octet is one like any other. */
static int read_all(struct siw_llp *llp, read_descriptor_t *desc,
		    sk_read_actor_t actor)
{
	struct sock *sk = llp->sock->sk;

	if (unlikely(tcp_sk(sk)->urg_data)) {
		WRITE_ONCE(tcp_sk(sk)->urg_data, 0);
		tcp_fast_path_check(sk);
	}
	return tcp_read_sock(sk, desc, actor);
}

struct read_context {
	siw_llp_actor actor;
	void *arg;
};

static int read_actor(read_descriptor_t *desc, struct sk_buff *skb,
		      unsigned int offset, size_t len)
{
	struct read_context *ctx = desc->arg.data;

	return ctx->actor(ctx->arg, skb, offset, len);
}

/**
 * siw_llp_reads_later() - is this no time to read?
 * @llp: connected socket
 *
 * While a backlog is worked off TCP takes all of it for unread: whoever reads opens
 * no window, and nobody does behind him.  With a small one the peer would have to
 * find out by a probe, in 200 ms at the soonest.
 *
 * Context: the socket is locked: inside data_ready().
 * Return: true if siw_llp_poke() is to be called soon, which reads and opens it.
 */
bool siw_llp_reads_later(const struct siw_llp *llp)
{
	const struct sock *sk = llp->sock->sk;
	const struct tcp_sock *tp = tcp_sk(sk);

	return sock_owned_by_user_nocheck(sk) && !llp->poked &&
	       2 * tcp_receive_window(tp) <= tp->window_clamp;
}

/**
 * siw_llp_read() - read what has come, in place
 * @llp: connected socket
 * @actor: called for each buffer
 * @arg: passed to @actor
 *
 * Context: the socket is locked: inside data_ready().
 * Return: octets read.
 */
size_t siw_llp_read(struct siw_llp *llp, siw_llp_actor actor, void *arg)
{
	struct read_context ctx = { .actor = actor, .arg = arg };
	read_descriptor_t desc = { .arg.data = &ctx, .count = 1 };

	return max(read_all(llp, &desc, read_actor), 0);
}

static int drop_actor(read_descriptor_t *desc, struct sk_buff *skb,
		      unsigned int offset, size_t len)
{
	return len;
}

/* Drop what has come, so that TCP does not answer the peer with a reset. */
void siw_llp_drain(struct siw_llp *llp)
{
	read_descriptor_t desc = { .count = 1 };

	lock_sock(llp->sock->sk);
	read_all(llp, &desc, drop_actor);
	release_sock(llp->sock->sk);
}

/* Call data_ready() once for what may have come without it. Context: process. */
void siw_llp_poke(struct siw_llp *llp)
{
	struct sock *sk = llp->sock->sk;

	lock_sock(sk);
	llp->poked = true;
	sk->sk_data_ready(sk);
	llp->poked = false;
	release_sock(sk);
}

/* Wait until a callback that runs now has ended. */
void siw_llp_barrier(struct siw_llp *llp)
{
	lock_sock(llp->sock->sk);
	release_sock(llp->sock->sk);
}

/* Changes when the peer acknowledges something. */
u32 siw_llp_acked(const struct siw_llp *llp)
{
	return READ_ONCE(tcp_sk(llp->sock->sk)->snd_una);
}

/* Sequence number of the octet that the next one handed to TCP gets */
u32 siw_llp_next(const struct siw_llp *llp)
{
	return READ_ONCE(tcp_sk(llp->sock->sk)->write_seq);
}

/* The number of the socket, which is no other's on this host */
u64 siw_llp_cookie(const struct siw_llp *llp)
{
	u32 half[2];

	sock_diag_save_cookie(llp->sock->sk, half);
	return (u64)half[1] << 32 | half[0];
}

/* Has TCP octets that it has not sent once?  If not, a segment begins next. */
bool siw_llp_has_unsent(const struct siw_llp *llp)
{
	return !skb_queue_empty_lockless(&llp->sock->sk->sk_write_queue);
}

/* Payload octets of a full TCP segment: the EMSS of RFC 5044 section 3 */
u32 siw_llp_mss(const struct siw_llp *llp)
{
	return READ_ONCE(tcp_sk(llp->sock->sk)->mss_cache);
}
