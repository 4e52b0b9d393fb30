// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * The socket below a stream: how it is set up, and who hears of it.
 */
#include <linux/cred.h>
#include <net/tcp.h>

#include "../llp.h"
#include "fake.h"

/* What no stream shows, unless memory is short or the peer is gone. */
static void is_prepared(struct kunit *test)
{
	const struct tcp_sock *tp;
	struct siw_llp *llp = kunit_kzalloc(test, sizeof(*llp), GFP_KERNEL);
	struct sock *sk;

	KUNIT_ASSERT_NOT_NULL(test, llp);
	siw_fake_llp(test, llp);
	sk = llp->sock->sk;
	tp = tcp_sk(sk);
	/* Memory reclaim may wait for what goes over it. */
	KUNIT_EXPECT_FALSE(test, sk->sk_allocation & __GFP_IO);
	KUNIT_EXPECT_TRUE(test, sk->sk_allocation & __GFP_NORETRY);
	KUNIT_EXPECT_FALSE(test, sk->sk_use_task_frag);
	KUNIT_EXPECT_TRUE(test, sk->sk_reuse == SK_CAN_REUSE);
	KUNIT_EXPECT_TRUE(test, tp->nonagle & TCP_NAGLE_OFF);
	KUNIT_EXPECT_TRUE(test, sock_flag(sk, SOCK_KEEPOPEN));
	KUNIT_EXPECT_EQ(test, SIW_KEEP_IDLE * HZ, tp->keepalive_time);
	KUNIT_EXPECT_EQ(test, SIW_KEEP_INTERVAL * HZ, tp->keepalive_intvl);
	KUNIT_EXPECT_EQ(test, SIW_KEEP_COUNT, tp->keepalive_probes);
	KUNIT_EXPECT_EQ(test, SIW_PEER_TIMEOUT,
			inet_csk(sk)->icsk_user_timeout);
}

/* A socket, how often its owner heard of it, and whether it was locked, or to be read later */
struct ear {
	struct siw_llp llp;
	unsigned int heard;
	bool locked;
	bool later;
};

static void hear(struct siw_llp *llp)
{
	struct ear *ear = container_of(llp, struct ear, llp);

	ear->heard++;
	ear->locked = sock_owned_by_user_nocheck(llp->sock->sk);
	ear->later = siw_llp_reads_later(llp);
}

static const struct siw_llp_ops ear_ops = {
	.data_ready = hear, .write_space = hear, .state_change = hear,
};

/* A BPF program's data may be where ours would be, with our callbacks behind its. */
static void hears_nothing_for_another(struct kunit *test)
{
	struct ear *ear = kunit_kzalloc(test, sizeof(*ear), GFP_KERNEL);
	uintptr_t ours;
	struct sock *sk;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, ear);
	siw_fake_llp(test, &ear->llp);
	siw_llp_attach(&ear->llp, &ear_ops);
	sk = ear->llp.sock->sk;
	ours = (uintptr_t)sk->sk_user_data;
	for (i = 0; i < 2; i++) {
		sk->sk_user_data = (void *)(ours | (i ? SK_USER_DATA_PSOCK : 0));
		sk->sk_data_ready(sk);
		sk->sk_write_space(sk);
		sk->sk_state_change(sk);
		sk->sk_error_report(sk);
		KUNIT_EXPECT_EQ(test, 4, ear->heard);
	}
	sk->sk_user_data = (void *)ours;
}

/* Who reads what was there before is alone with it, as when octets come. */
static void pokes_with_the_socket_locked(struct kunit *test)
{
	struct ear *ear = kunit_kzalloc(test, sizeof(*ear), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, ear);
	siw_fake_llp(test, &ear->llp);
	siw_llp_attach(&ear->llp, &ear_ops);
	siw_llp_poke(&ear->llp);
	KUNIT_EXPECT_EQ(test, 1, ear->heard);
	KUNIT_EXPECT_TRUE(test, ear->locked);
	KUNIT_EXPECT_FALSE(test, sock_owned_by_user_nocheck(ear->llp.sock->sk));
}

/* TCP opens no window for what is read while a backlog is worked off. */
static void reads_a_backlog_later(struct kunit *test)
{
	struct ear *ear = kunit_kzalloc(test, sizeof(*ear), GFP_KERNEL);
	struct tcp_sock *tp;
	struct sock *sk;
	u32 window;

	KUNIT_ASSERT_NOT_NULL(test, ear);
	siw_fake_llp(test, &ear->llp);
	siw_llp_attach(&ear->llp, &ear_ops);
	sk = ear->llp.sock->sk;
	tp = tcp_sk(sk);
	tp->window_clamp = 65536;
	for (window = 32767; window <= 32769; window++) {
		tp->rcv_wup = tp->rcv_nxt;
		tp->rcv_wnd = window;
		lock_sock(sk);
		sk->sk_data_ready(sk);
		release_sock(sk);
		KUNIT_EXPECT_EQ(test, window <= 32768, ear->later);
		siw_llp_poke(&ear->llp);
		KUNIT_EXPECT_FALSE(test, ear->later);
		bh_lock_sock(sk);	/* as in softirq */
		sk->sk_data_ready(sk);
		bh_unlock_sock(sk);
		KUNIT_EXPECT_FALSE(test, ear->later);
	}
	KUNIT_EXPECT_EQ(test, 9, ear->heard);
}

/* Callbacks of a socket that is nobody's, or another's */
static void foreign(struct sock *sk)
{
}

/* What it did not put there itself it does not take away. */
static void detaches_from_its_own_only(struct kunit *test)
{
	struct ear *ear = kunit_kzalloc(test, sizeof(*ear), GFP_KERNEL);
	struct siw_llp *llp;
	uintptr_t ours;
	struct sock *sk;

	KUNIT_ASSERT_NOT_NULL(test, ear);
	llp = &ear->llp;
	siw_fake_llp(test, llp);
	sk = llp->sock->sk;
	llp->saved_data_ready = foreign;
	llp->saved_write_space = foreign;
	llp->saved_state_change = foreign;
	llp->saved_error_report = foreign;
	siw_llp_detach(llp);		/* It was never attached. */
	KUNIT_EXPECT_TRUE(test, sk->sk_data_ready != foreign);
	siw_llp_attach(llp, &ear_ops);
	ours = (uintptr_t)sk->sk_user_data;
	sk->sk_user_data = (void *)(ours | SK_USER_DATA_PSOCK);
	siw_llp_detach(llp);
	KUNIT_EXPECT_PTR_EQ(test, (void *)(ours | SK_USER_DATA_PSOCK),
			    sk->sk_user_data);
	sk->sk_user_data = (void *)ours;
	siw_llp_detach(llp);
	KUNIT_EXPECT_NULL(test, sk->sk_user_data);
	KUNIT_EXPECT_TRUE(test, sk->sk_data_ready == llp->saved_data_ready);
}

/* With nothing on its way TCP tells nobody of room: it has to be looked for. */
static void room_that_nobody_tells_of(struct kunit *test)
{
	struct siw_llp *llp = kunit_kzalloc(test, sizeof(*llp), GFP_KERNEL);
	u8 *octets = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	struct bio_vec bv;

	KUNIT_ASSERT_NOT_NULL(test, llp);
	KUNIT_ASSERT_NOT_NULL(test, octets);
	siw_fake_llp(test, llp);
	bvec_set_virt(&bv, octets, 16);
	WRITE_ONCE(llp->sock->sk->sk_state, TCP_SYN_SENT);	/* it takes nothing */
	KUNIT_EXPECT_EQ(test, -ENOMEM,
			siw_llp_send_pages(llp, &bv, 1, 16, false));
	WRITE_ONCE(llp->sock->sk->sk_state, TCP_CLOSE);
}

/* rdma_cm gave it a port that it may not have any more: any other does. */
static void source_port_may_be_denied(struct kunit *test)
{
	struct siw_llp *llp = kunit_kzalloc(test, sizeof(*llp), GFP_KERNEL);
	struct sockaddr_storage at = { .ss_family = AF_INET };
	struct sockaddr_in *in = (struct sockaddr_in *)&at;
	struct cred *nobody = prepare_creds();
	const struct cred *was;
	int err;

	KUNIT_ASSERT_NOT_NULL(test, nobody);
	KUNIT_ASSERT_NOT_NULL(test, llp);
	siw_fake_llp(test, llp);
	cap_clear(nobody->cap_effective);
	in->sin_port = htons(81);
	was = override_creds(nobody);
	err = siw_llp_bind(llp, &at, false);
	revert_creds(was);
	put_cred(nobody);
	KUNIT_ASSERT_EQ(test, 0, err);
	KUNIT_ASSERT_EQ(test, 0, siw_llp_local(llp, &at));
	KUNIT_EXPECT_GE(test, ntohs(in->sin_port), 1024);
}

/* A FIN waits in the queue, with a sequence number of its own, and is no octet. */
static void fin_is_no_octet(struct kunit *test)
{
	struct siw_llp *llp = kunit_kzalloc(test, sizeof(*llp), GFP_KERNEL);
	struct sk_buff *fin = alloc_skb(0, GFP_KERNEL);
	struct tcp_sock *tp;
	struct sock *sk;

	KUNIT_ASSERT_TRUE(test, llp && fin);
	siw_fake_llp(test, llp);
	sk = llp->sock->sk;
	tp = tcp_sk(sk);
	KUNIT_EXPECT_FALSE(test, siw_llp_has_data(llp));
	lock_sock(sk);
	TCP_SKB_CB(fin)->seq = tp->rcv_nxt;
	TCP_SKB_CB(fin)->end_seq = tp->rcv_nxt + 1;
	TCP_SKB_CB(fin)->tcp_flags = TCPHDR_FIN;
	WRITE_ONCE(tp->rcv_nxt, tp->rcv_nxt + 1);
	sock_set_flag(sk, SOCK_DONE);
	__skb_queue_tail(&sk->sk_receive_queue, fin);
	release_sock(sk);
	KUNIT_EXPECT_FALSE(test, siw_llp_has_data(llp));
	/* There is one before it that nobody has read. */
	WRITE_ONCE(tp->copied_seq, tp->copied_seq - 1);
	KUNIT_EXPECT_TRUE(test, siw_llp_has_data(llp));
	WRITE_ONCE(tp->copied_seq, tp->copied_seq + 1);
}

static struct kunit_case llp_cases[] = {
	KUNIT_CASE(is_prepared),
	KUNIT_CASE(hears_nothing_for_another),
	KUNIT_CASE(pokes_with_the_socket_locked),
	KUNIT_CASE(reads_a_backlog_later),
	KUNIT_CASE(detaches_from_its_own_only),
	KUNIT_CASE(room_that_nobody_tells_of),
	KUNIT_CASE(source_port_may_be_denied),
	KUNIT_CASE(fin_is_no_octet),
	{}
};

static struct kunit_suite llp_suite = {
	.name = "siw_llp",
	.test_cases = llp_cases,
};

kunit_test_suite(llp_suite);
