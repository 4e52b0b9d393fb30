// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Making and ending connections through rdma_cm.
 *
 *	netns sa                          netns sb
 *	+----------------------+          +----------------------+
 *	| siwa   connects      |          |       listens   siwb |
 *	|   va 10.83.0.1/24    |<- veth ->|    vb 10.83.0.2/24   |
 *	|      fd83::1/64      | MTU 1500 |       fd83::2/64     |
 *	|      fe80::1         |          |       fe80::2        |
 *	+----------------------+          +----------------------+
 */
#include <arpa/inet.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "harness.h"
#include "rawpeer.h"

/* The next request at listener @l, as an end of its own. */
static void take(struct side *l, struct side *s)
{
	side_want(l, RDMA_CM_EVENT_CONNECT_REQUEST);
	side_init(s, l->ns, &l->o);
	ASSERT(!rdma_migrate_id(l->id, s->ec), "rdma_migrate_id");
	s->id = l->id;
	s->id->context = s;
	l->id = NULL;
}

/* Connect from sa to @ip in sb, through a listener on @bind. */
static void connect_at(const char *bind, const char *ip, uint16_t port)
{
	struct pair p;

	side_init(&p.b, NS_B, NULL);
	side_init(&p.a, NS_A, NULL);
	side_listen(&p.b, bind, port, 4);
	side_resolve(&p.a, ip, port);
	side_open(&p.a);
	ASSERT(!side_connect(&p.a), "rdma_connect");
	side_want(&p.b, RDMA_CM_EVENT_CONNECT_REQUEST);
	side_open(&p.b);
	ASSERT(!side_accept(&p.b), "rdma_accept");
	side_want(&p.a, RDMA_CM_EVENT_ESTABLISHED);
	side_want(&p.b, RDMA_CM_EVENT_ESTABLISHED);
	pair_works(&p);
	pair_close(&p);
}

static void connect_to(const char *bind, const char *ip)
{
	connect_at(bind, ip, next_port());
}

static void ipv4(void)
{
	connect_to(ADDR_B, ADDR_B);
}

static void ipv6(void)
{
	connect_to(ADDR6_B, ADDR6_B);
}

static void link_local(void)
{
	connect_to("fe80::2", "fe80::2");
}

static void wildcard(void)
{
	connect_to("0.0.0.0", ADDR_B);
	connect_to("::", ADDR6_B);
}

/* A wildcard listener, two links in its namespace: each address has its own. */
static void wildcard_of_two_links(void)
{
	if (sh("ip -n sb link add vd type dummy"))
		SKIP("no dummy netdev in this kernel");
	EXPECT_EQ(0, sh("ip -n sb link set vd up &&"
			"ip -n sb addr add 10.85.0.1/24 dev vd &&"
			"ip -n sb addr add fd85::1/64 dev vd nodad &&"
			"ip -n sa route add 10.85.0.0/24 via " ADDR_B " &&"
			"ip -n sa route add fd85::/64 via " ADDR6_B " &&"
			"ip netns exec sb rdma link add siwd type siw netdev vd"));
	connect_to("0.0.0.0", "10.85.0.1");
	connect_to("::", "fd85::1");
	connect_to("0.0.0.0", ADDR_B);
	connect_to("::", ADDR6_B);
	sh("ip -n sb link del vd");
}

/* One that names a link, as side_listen() does, hears nothing of another one. */
static void wildcard_of_one_link(void)
{
	struct sockaddr_storage ss;
	uint16_t port = next_port();
	struct side b;
	struct raw r;
	int fd;

	if (sh("ip -n sb link add vd type dummy"))
		SKIP("no dummy netdev in this kernel");
	EXPECT_EQ(0, sh("ip -n sb link set vd up &&"
			"ip -n sb addr add fd85::1/64 dev vd nodad"));
	side_init(&b, NS_B, NULL);
	side_listen(&b, "::", port, 4);
	raw_dial(&r, NS_A, ADDR6_B, port);
	raw_close(&r);
	/* From here to an address of vd: whatever way that is, it is not over vb. */
	ns_enter(NS_B);
	addr_of(&ss, "fd85::1", port, NULL);
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ASSERT(fd >= 0, "socket");
	EXPECT_EQ(-1, connect(fd, (struct sockaddr *)&ss,
			      sizeof(struct sockaddr_in6)));
	EXPECT_EQ(ECONNREFUSED, errno);
	close(fd);
	side_close(&b);
	sh("ip -n sb link del vd");
}

/* Its socket hears of addresses that no link has, and keeps nobody who asks there. */
static void wildcard_of_no_link(void)
{
	uint16_t port = next_port();
	struct side b;
	struct raw r;

	side_init(&b, NS_B, NULL);
	side_listen(&b, "0.0.0.0", port, 4);
	raw_dial(&r, NS_B, "127.0.0.1", port);
	EXPECT_EQ(RAW_RST, raw_end(&r, 3000));
	EXPECT_EQ(-1, side_event(&b, 0));
	raw_close(&r);
	side_close(&b);
	/* Who asks at that of a link is heard. */
	connect_at("0.0.0.0", ADDR_B, port);
}

/* One that takes both has IPv4 peers by their own addresses. */
static void wildcard_of_both(void)
{
	if (!sh("uname -r | grep -q '^5\\.10\\.'"))
		SKIP("this kernel's iw_cm does not say which families it is for");
	connect_to("::", ADDR_B);
}

/* Two of them are two, each with a port of its own. */
static void two_wildcards(void)
{
	static const char *const any[] = { "0.0.0.0", "::" };
	static const char *const ip[] = { ADDR_B, ADDR6_B };
	struct side other;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(any); i++) {
		side_init(&other, NS_B, NULL);
		side_listen(&other, any[i], next_port(), 4);
		connect_at(any[i], ip[i], next_port());
		EXPECT_EQ(-1, side_event(&other, 0));
		side_close(&other);
	}
}

/* A wildcard listener in sb that is for the family of @any alone */
static void listen_to_family(struct side *s, const char *any, uint16_t port)
{
	struct sockaddr_storage ss;
	int only = 1;

	side_init(s, NS_B, NULL);
	ns_enter(NS_B);
	addr_of(&ss, any, port, NULL);
	ASSERT(!rdma_create_id(s->ec, &s->lid, s, RDMA_PS_TCP), "rdma_create_id");
	ASSERT(!rdma_set_option(s->lid, RDMA_OPTION_ID, RDMA_OPTION_ID_AFONLY,
				&only, sizeof(only)), "rdma_set_option: %m");
	ASSERT(!rdma_bind_addr(s->lid, (struct sockaddr *)&ss),
	       "rdma_bind_addr %s: %m", any);
	ASSERT(!rdma_listen(s->lid, 4), "rdma_listen %s: %m", any);
}

/* A peer at @ip comes to @p->b, and not to @other. */
static void family_connects(struct pair *p, const char *ip, uint16_t port,
			    struct side *other)
{
	side_init(&p->a, NS_A, NULL);
	side_resolve(&p->a, ip, port);
	side_open(&p->a);
	pair_connect(p);
	pair_works(p);
	EXPECT_EQ(-1, side_event(other, 0));
	pair_close(p);
}

/* One for IPv6 alone leaves IPv4 to another, also the number of its port. */
static void wildcards_of_one_family(void)
{
	uint16_t port = next_port();
	struct pair four, six;

	if (!sh("uname -r | grep -q '^5\\.10\\.'"))
		SKIP("this kernel's iw_cm does not say which families it is for");
	memset(&four, 0, sizeof(four));
	memset(&six, 0, sizeof(six));
	listen_to_family(&six.b, "::", port);
	listen_to_family(&four.b, "0.0.0.0", port);
	family_connects(&four, ADDR_B, port, &six.b);
	listen_to_family(&four.b, "0.0.0.0", port);
	family_connects(&six, ADDR6_B, port, &four.b);
	side_close(&four.b);
}

/* What the ULP of such a listener is told is that address, at both ends of it. */
static void addresses_of_both(void)
{
	struct sockaddr_in *peer, *local;
	uint16_t port = next_port();
	struct pair p;

	if (!sh("uname -r | grep -q '^5\\.10\\.'"))
		SKIP("this kernel's iw_cm does not say which families it is for");
	side_init(&p.b, NS_B, NULL);
	side_init(&p.a, NS_A, NULL);
	side_listen(&p.b, "::", port, 4);
	side_resolve(&p.a, ADDR_B, port);
	side_open(&p.a);
	pair_connect(&p);
	local = (struct sockaddr_in *)rdma_get_local_addr(p.b.id);
	peer = (struct sockaddr_in *)rdma_get_peer_addr(p.b.id);
	EXPECT_EQ(AF_INET, local->sin_family);
	EXPECT_EQ(ntohl(inet_addr(ADDR_B)), ntohl(local->sin_addr.s_addr));
	EXPECT_EQ(AF_INET, peer->sin_family);
	EXPECT_EQ(ntohl(inet_addr(ADDR_A)), ntohl(peer->sin_addr.s_addr));
	pair_close(&p);
}

/* Of another namespace's wildcard listener nothing is seen in this one. */
static void wildcard_elsewhere(void)
{
	struct side other, one;
	uint16_t port = next_port();

	side_init(&other, NS_A, NULL);
	side_listen(&other, "0.0.0.0", port, 4);
	side_init(&one, NS_A, NULL);
	side_resolve(&one, ADDR_B, port);
	side_open(&one);
	EXPECT(!side_connect(&one), "rdma_connect");
	side_want(&one, RDMA_CM_EVENT_REJECTED);
	EXPECT_EQ(-ECONNREFUSED, one.status);	/* by TCP: no socket is there */
	side_close(&one);

	connect_at("0.0.0.0", ADDR_B, port);
	side_close(&other);
}

static void loopback(void)
{
	struct pair p;
	uint16_t port = next_port();

	side_init(&p.b, NS_A, NULL);
	side_init(&p.a, NS_A, NULL);
	side_listen(&p.b, ADDR_A, port, 4);
	side_resolve(&p.a, ADDR_A, port);
	side_open(&p.a);
	ASSERT(!side_connect(&p.a), "rdma_connect");
	side_want(&p.b, RDMA_CM_EVENT_CONNECT_REQUEST);
	side_open(&p.b);
	ASSERT(!side_accept(&p.b), "rdma_accept");
	side_want(&p.a, RDMA_CM_EVENT_ESTABLISHED);
	side_want(&p.b, RDMA_CM_EVENT_ESTABLISHED);
	pair_works(&p);
	pair_close(&p);
}

static void private_data(void)
{
	/* 255 is what rdma_cm can name; 4 of 512 go to the enhanced data. */
	static const uint8_t lens[] = { 0, 1, 4, 56, 100, 250, 251, 252, 255 };
	uint8_t req[256], rep[256];
	struct pair p;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		uint16_t port = next_port();

		fill(req, sizeof(req), i);
		fill(rep, sizeof(rep), i + 100);
		side_init(&p.a, NS_A, &(struct opts){ .pdata = req,
						      .plen = lens[i] });
		side_init(&p.b, NS_B, &(struct opts){ .pdata = rep,
						      .plen = lens[i] });
		side_listen(&p.b, ADDR_B, port, 4);
		side_resolve(&p.a, ADDR_B, port);
		side_open(&p.a);
		ASSERT(!side_connect(&p.a), "rdma_connect");
		side_want(&p.b, RDMA_CM_EVENT_CONNECT_REQUEST);
		EXPECT_EQ(lens[i], p.b.plen);
		CHECK(p.b.pdata, p.b.plen, i);
		side_open(&p.b);
		ASSERT(!side_accept(&p.b), "rdma_accept");
		side_want(&p.a, RDMA_CM_EVENT_ESTABLISHED);
		EXPECT_EQ(lens[i], p.a.plen);
		CHECK(p.a.pdata, p.a.plen, i + 100);
		pair_close(&p);
	}
}

static void depths(void)
{
	struct pair p;
	uint16_t port = next_port();

	side_init(&p.a, NS_A, &(struct opts){ .ird = 5, .ord = 7 });
	side_init(&p.b, NS_B, &(struct opts){ .ird = 7, .ord = 5 });
	side_listen(&p.b, ADDR_B, port, 4);
	side_resolve(&p.a, ADDR_B, port);
	side_open(&p.a);
	ASSERT(!side_connect(&p.a), "rdma_connect");
	side_want(&p.b, RDMA_CM_EVENT_CONNECT_REQUEST);
	EXPECT_EQ(7, p.b.ird);	/* what the peer will send */
	EXPECT_EQ(5, p.b.ord);	/* what it can take */
	side_open(&p.b);
	ASSERT(!side_accept(&p.b), "rdma_accept");
	side_want(&p.a, RDMA_CM_EVENT_ESTABLISHED);
	EXPECT_EQ(5, p.a.ird);	/* what the peer will send, and can take */
	EXPECT_EQ(7, p.a.ord);
	side_want(&p.b, RDMA_CM_EVENT_ESTABLISHED);
	EXPECT_EQ(7, p.b.ird);	/* what was agreed on */
	EXPECT_EQ(5, p.b.ord);
	pair_works(&p);
	pair_close(&p);
}

static void reject(void)
{
	static const uint8_t lens[] = { 0, 1, 100, 255 };
	uint8_t pd[255];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		uint16_t port = next_port();
		struct side a, b;

		fill(pd, sizeof(pd), i);
		side_init(&b, NS_B, NULL);
		side_init(&a, NS_A, NULL);
		side_listen(&b, ADDR_B, port, 4);
		side_resolve(&a, ADDR_B, port);
		side_open(&a);
		ASSERT(!side_connect(&a), "rdma_connect");
		side_want(&b, RDMA_CM_EVENT_CONNECT_REQUEST);
		ASSERT(!rdma_reject(b.id, pd, lens[i]), "rdma_reject");
		side_want(&a, RDMA_CM_EVENT_REJECTED);
		EXPECT_EQ(lens[i], a.plen);
		CHECK(a.pdata, a.plen, i);
		side_close(&a);
		side_close(&b);
	}
}

static void no_listener(void)
{
	struct side a;
	uint64_t start;
	int i;

	for (i = 0; i < 5; i++) {
		side_init(&a, NS_A, NULL);
		side_resolve(&a, ADDR_B, next_port());
		side_open(&a);
		start = now_ms();
		ASSERT(!side_connect(&a), "rdma_connect");
		side_want(&a, RDMA_CM_EVENT_REJECTED);
		EXPECT_EQ(-ECONNREFUSED, a.status);
		EXPECT(now_ms() - start < slow(1000), "took %llu ms",
		       (unsigned long long)(now_ms() - start));
		side_close(&a);
	}
}

/* rdma_cm does not look at another port space; TCP has one. */
static void listen_of_udp(const char *addr)
{
	struct side b, c;
	uint16_t port = next_port();
	struct sockaddr_storage ss;

	side_init(&b, NS_B, NULL);
	side_init(&c, NS_B, NULL);
	side_listen(&b, addr, port, 4);
	addr_of(&ss, addr, port, NULL);
	ASSERT(!rdma_create_id(c.ec, &c.lid, &c, RDMA_PS_UDP), "create");
	ASSERT(!rdma_bind_addr(c.lid, (struct sockaddr *)&ss), "bind");
	EXPECT(rdma_listen(c.lid, 4), "two listeners of %s, one port of TCP", addr);
	EXPECT_EQ(EADDRINUSE, errno);
	side_close(&b);
	side_close(&c);
}

static void listen_conflict(void)
{
	struct side b, c;
	uint16_t port = next_port();
	struct sockaddr_storage ss;
	int lfd;

	side_init(&b, NS_B, NULL);
	side_init(&c, NS_B, NULL);
	side_listen(&b, ADDR_B, port, 4);
	addr_of(&ss, ADDR_B, port, NULL);
	ASSERT(!rdma_create_id(c.ec, &c.lid, &c, RDMA_PS_TCP), "create");
	EXPECT(rdma_bind_addr(c.lid, (struct sockaddr *)&ss) ||
	       rdma_listen(c.lid, 4), "two listeners on one port");
	side_close(&b);
	side_close(&c);

	/* A TCP server has it already. */
	port = next_port();
	lfd = raw_listen(NS_B, ADDR_B, port);
	side_init(&c, NS_B, NULL);
	addr_of(&ss, ADDR_B, port, NULL);
	ASSERT(!rdma_create_id(c.ec, &c.lid, &c, RDMA_PS_TCP), "create");
	ns_enter(NS_B);
	EXPECT(rdma_bind_addr(c.lid, (struct sockaddr *)&ss) ||
	       rdma_listen(c.lid, 4), "a port of TCP is taken");
	EXPECT_EQ(EADDRINUSE, errno);
	side_close(&c);
	close(lfd);

	listen_of_udp(ADDR_B);
	listen_of_udp("0.0.0.0");
	listen_of_udp("::");
}

static bool is_listed(uint16_t port)
{
	return !sh("ip netns exec " NS_B " ss -Htln 'sport = :%u' 2>/dev/null |"
		   " grep -q .", port);
}

/* An administrator closes its socket: it hears of nobody, and ends like any other. */
static void listener_killed(void)
{
	uint16_t port = next_port();
	struct side a, b;

	side_init(&b, NS_B, NULL);
	side_listen(&b, ADDR_B, port, 4);
	if (!is_listed(port))
		SKIP("no ss here that lists a listener");
	sh("ip netns exec " NS_B " ss -Ktln 'sport = :%u' >/dev/null 2>&1", port);
	if (is_listed(port))
		SKIP("no ss -K, or no CONFIG_INET_DIAG_DESTROY in this kernel");
	side_init(&a, NS_A, NULL);
	side_resolve(&a, ADDR_B, port);
	side_open(&a);
	ASSERT(!side_connect(&a), "rdma_connect");
	side_want(&a, RDMA_CM_EVENT_REJECTED);
	EXPECT_EQ(-ECONNREFUSED, a.status);
	side_close(&a);
	EXPECT_EQ(-1, side_event(&b, 0));
	side_close(&b);
	connect_at(ADDR_B, ADDR_B, port);
}

/* An id of @s, in its namespace, that is bound to @ip. */
static struct rdma_cm_id *bound(struct side *s, const char *ip)
{
	struct sockaddr_storage ss;
	struct rdma_cm_id *id;

	ns_enter(s->ns);
	ASSERT(!rdma_create_id(s->ec, &id, s, RDMA_PS_TCP), "create");
	addr_of(&ss, ip, next_port(), NULL);
	ASSERT(!rdma_bind_addr(id, (struct sockaddr *)&ss), "bind %s", ip);
	return id;
}

/* It goes from the interface before the driver hears of it. */
static void address_gone(void)
{
	struct sockaddr_storage ss;
	struct side a, b;

	ASSERT(!sh("ip -n sa address add 10.83.1.1/24 dev va"), "ip");
	ASSERT(!sh("ip -n sb address add 10.83.1.2/24 dev vb"), "ip");
	side_init(&a, NS_A, NULL);
	side_init(&b, NS_B, NULL);
	a.id = bound(&a, "10.83.1.1");
	addr_of(&ss, ADDR_B, next_port(), NULL);
	ASSERT(!rdma_resolve_addr(a.id, NULL, (struct sockaddr *)&ss,
				  slow(5000)), "rdma_resolve_addr");
	side_want(&a, RDMA_CM_EVENT_ADDR_RESOLVED);
	ASSERT(!rdma_resolve_route(a.id, slow(5000)), "rdma_resolve_route");
	side_want(&a, RDMA_CM_EVENT_ROUTE_RESOLVED);
	side_open(&a);
	b.lid = bound(&b, "10.83.1.2");
	ASSERT(!sh("ip -n sa address del 10.83.1.1/24 dev va"), "ip");
	ASSERT(!sh("ip -n sb address del 10.83.1.2/24 dev vb"), "ip");
	EXPECT_EQ(-1, side_connect(&a));
	EXPECT_EQ(EADDRNOTAVAIL, errno);
	ns_enter(NS_B);
	EXPECT_EQ(-1, rdma_listen(b.lid, 4));
	EXPECT_EQ(EADDRNOTAVAIL, errno);
	side_close(&a);
	side_close(&b);
}

/* As nobody, with a channel of its own. Returns the errno, or 0. */
static int bind_as_nobody(uint16_t port)
{
	struct sockaddr_in at = { AF_INET, htons(port) };
	struct rdma_cm_id *id;
	int status;
	pid_t pid;

	inet_pton(AF_INET, ADDR_A, &at.sin_addr);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		ns_enter(NS_A);
		if (setresuid(65534, 65534, 65534) ||
		    rdma_create_id(NULL, &id, NULL, RDMA_PS_TCP))
			_exit(255);
		_exit(rdma_bind_addr(id, (struct sockaddr *)&at) ||
		      rdma_listen(id, 4) ? errno : 0);
	}
	ASSERT(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status),
	       "fork");
	return WEXITSTATUS(status);
}

static void port_denied(void)
{
	EXPECT_EQ(0, bind_as_nobody(next_port()));
	EXPECT_EQ(EACCES, bind_as_nobody(81));
}

/* rdma_cm asks for a source port that TCP has: any other does. */
static void source_port_taken(void)
{
	uint16_t port = next_port(), source = next_port();
	int lfd = raw_listen(NS_A, ADDR_A, source);
	struct sockaddr_storage ss;
	struct pair p;

	side_init(&p.b, NS_B, NULL);
	side_init(&p.a, NS_A, NULL);
	side_listen(&p.b, ADDR_B, port, 4);
	ns_enter(NS_A);
	ASSERT(!rdma_create_id(p.a.ec, &p.a.id, &p.a, RDMA_PS_TCP), "create");
	addr_of(&ss, ADDR_A, source, NULL);
	ASSERT(!rdma_bind_addr(p.a.id, (struct sockaddr *)&ss), "bind");
	addr_of(&ss, ADDR_B, port, NULL);
	ASSERT(!rdma_resolve_addr(p.a.id, NULL, (struct sockaddr *)&ss,
				  slow(5000)), "rdma_resolve_addr");
	side_want(&p.a, RDMA_CM_EVENT_ADDR_RESOLVED);
	ASSERT(!rdma_resolve_route(p.a.id, slow(5000)), "rdma_resolve_route");
	side_want(&p.a, RDMA_CM_EVENT_ROUTE_RESOLVED);
	side_open(&p.a);
	pair_connect(&p);
	pair_works(&p);
	pair_close(&p);
	close(lfd);
}

/* The type of service that the last segment of the handshake had */
static int tos_of(int fd)
{
	union {
		struct cmsghdr head;
		char octets[256];
	} said = { 0 };
	socklen_t len = sizeof(said);
	int on = 1, tos = -1;

	setsockopt(fd, IPPROTO_IP, IP_RECVTOS, &on, sizeof(on));
	if (!getsockopt(fd, IPPROTO_IP, IP_PKTOPTIONS, &said, &len) && len &&
	    said.head.cmsg_type == IP_TOS)
		memcpy(&tos, CMSG_DATA(&said.head), sizeof(tos));
	return tos;
}

static void type_of_service(void)
{
	uint8_t tos = 0x48;
	uint16_t port = next_port();
	int lfd = raw_listen(NS_A, ADDR_A, port);
	struct side s;
	struct raw r;

	side_init(&s, NS_B, NULL);
	side_resolve(&s, ADDR_A, port);
	ASSERT(!rdma_set_option(s.id, RDMA_OPTION_ID, RDMA_OPTION_ID_TOS, &tos,
				sizeof(tos)), "rdma_set_option");
	side_open(&s);
	ASSERT(!side_connect(&s), "rdma_connect");
	ASSERT(raw_accept(&r, lfd, 10000), "no connection");
	EXPECT_EQ(tos, tos_of(r.fd) & ~3);	/* less what ECN says */
	side_close(&s);
	raw_close(&r);
	close(lfd);
}

/* Of TCP's end of @port in @ns, whatever ECN says */
static bool has_service(const char *ns, uint16_t port, const char *what, char digit)
{
	return !sh("ip netns exec %s ss -Htn --tos | grep -E ':%u ' |"
		   " grep -Eq '%s:0x%c[89ab]( |$)'", ns, port, what, digit);
}

/* The listener's is that of what it accepts. */
static void service_of_both(const char *ip, const char *what)
{
	uint8_t tos[2] = { 0x48, 0x88 };
	uint16_t port = next_port();
	struct sockaddr_storage ss;
	struct pair p;

	side_init(&p.b, NS_B, NULL);
	side_init(&p.a, NS_A, NULL);
	ns_enter(NS_B);
	ASSERT(!rdma_create_id(p.b.ec, &p.b.lid, &p.b, RDMA_PS_TCP), "create");
	ASSERT(!rdma_set_option(p.b.lid, RDMA_OPTION_ID, RDMA_OPTION_ID_TOS,
				&tos[1], 1), "rdma_set_option");
	addr_of(&ss, ip, port, "vb");
	ASSERT(!rdma_bind_addr(p.b.lid, (struct sockaddr *)&ss), "bind");
	ASSERT(!rdma_listen(p.b.lid, 4), "rdma_listen");
	side_resolve(&p.a, ip, port);
	ASSERT(!rdma_set_option(p.a.id, RDMA_OPTION_ID, RDMA_OPTION_ID_TOS,
				&tos[0], 1), "rdma_set_option");
	side_open(&p.a);
	pair_connect(&p);
	EXPECT(has_service(NS_A, port, what, '4'), "%s: who connects", ip);
	EXPECT(has_service(NS_B, port, what, '8'), "%s: who accepts", ip);
	pair_close(&p);
}

static void type_of_services(void)
{
	if (sh("ss -Htn --tos >/dev/null 2>&1"))
		SKIP("no command ss that knows of it");
	service_of_both(ADDR_B, "tos");
	service_of_both(ADDR6_B, "tclass");
}

/* The same port, over and over, with connections that just ended on it. */
static void same_port(void)
{
	uint16_t port = next_port();
	struct pair p;
	int i;

	for (i = 0; i < 10; i++) {
		side_init(&p.b, NS_B, NULL);
		side_init(&p.a, NS_A, NULL);
		side_listen(&p.b, ADDR_B, port, 4);
		side_resolve(&p.a, ADDR_B, port);
		side_open(&p.a);
		ASSERT(!side_connect(&p.a), "rdma_connect");
		side_want(&p.b, RDMA_CM_EVENT_CONNECT_REQUEST);
		side_open(&p.b);
		ASSERT(!side_accept(&p.b), "rdma_accept");
		side_want(&p.a, RDMA_CM_EVENT_ESTABLISHED);
		side_want(&p.b, RDMA_CM_EVENT_ESTABLISHED);
		/* The passive end closes first: its port is in TIME_WAIT. */
		rdma_disconnect(p.b.id);
		side_want(&p.b, RDMA_CM_EVENT_DISCONNECTED);
		pair_close(&p);
	}
}

#define CROWD 64

static void crowd(int backlog)
{
	static struct side a[CROWD], b[CROWD];
	struct side l;
	uint16_t port = next_port();
	int i;

	side_init(&l, NS_B, NULL);
	side_listen(&l, ADDR_B, port, backlog);
	for (i = 0; i < CROWD; i++) {
		side_init(&a[i], NS_A, NULL);
		side_resolve(&a[i], ADDR_B, port);
		side_open(&a[i]);
	}
	for (i = 0; i < CROWD; i++)
		ASSERT(!side_connect(&a[i]), "rdma_connect %d", i);
	for (i = 0; i < CROWD; i++) {
		take(&l, &b[i]);
		side_open(&b[i]);
		ASSERT(!side_accept(&b[i]), "rdma_accept %d", i);
	}
	for (i = 0; i < CROWD; i++) {
		side_want(&a[i], RDMA_CM_EVENT_ESTABLISHED);
		side_want(&b[i], RDMA_CM_EVENT_ESTABLISHED);
	}
	for (i = 0; i < CROWD; i++)
		recv_at(&b[i], i, 0, 4096);
	for (i = 0; i < CROWD; i++)
		POST(&a[i], .op = IBV_WR_SEND, .len = 4096, .id = i);
	for (i = 0; i < CROWD; i++) {
		WANT_WC(a[i].scq, i, IBV_WC_SUCCESS);
		WANT_WC(b[i].rcq, i, IBV_WC_SUCCESS);
	}
	for (i = 0; i < CROWD; i++)
		rdma_disconnect((i & 1 ? a : b)[i].id);
	for (i = 0; i < CROWD; i++) {
		side_close(&a[i]);
		side_close(&b[i]);
	}
	side_close(&l);
}

static void concurrent(void)
{
	crowd(128);
}

/* perftest pairs the queue pairs of its two ends by it. From one CPU, as TCP's order is. */
static void in_order(void)
{
	static struct side a[CROWD];
	static uint8_t number[CROWD];
	uint16_t port = next_port();
	struct side l;
	cpu_set_t one;
	int i;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	ASSERT(!sched_setaffinity(0, sizeof(one), &one), "sched_setaffinity");
	side_init(&l, NS_B, NULL);
	side_listen(&l, ADDR_B, port, 2 * CROWD);
	for (i = 0; i < CROWD; i++) {
		number[i] = i;
		side_init(&a[i], NS_A, &(struct opts){ .pdata = &number[i],
						       .plen = 1 });
		side_resolve(&a[i], ADDR_B, port);
		side_open(&a[i]);
	}
	for (i = 0; i < CROWD; i++)
		ASSERT(!side_connect(&a[i]), "rdma_connect %d", i);
	for (i = 0; i < CROWD; i++) {
		side_want(&l, RDMA_CM_EVENT_CONNECT_REQUEST);
		EXPECT_EQ(i, l.pdata[0]);
		EXPECT_EQ(0, rdma_reject(l.id, NULL, 0));
		EXPECT_EQ(0, rdma_destroy_id(l.id));
		l.id = NULL;
	}
	for (i = 0; i < CROWD; i++) {
		side_want(&a[i], RDMA_CM_EVENT_REJECTED);
		side_close(&a[i]);
	}
	side_close(&l);
}

static void requests_in_order(void)
{
	int i;

	for (i = 0; i < 8; i++)
		in_order();
}

/* A small backlog slows a crowd of 8 down, but loses nobody. */
static void small_backlog(int backlog)
{
	struct side a[8], b[8];
	struct side l;
	uint16_t port = next_port();
	int i;

	side_init(&l, NS_B, NULL);
	side_listen(&l, ADDR_B, port, backlog);
	for (i = 0; i < 8; i++) {
		side_init(&a[i], NS_A, NULL);
		side_resolve(&a[i], ADDR_B, port);
		side_open(&a[i]);
		ASSERT(!side_connect(&a[i]), "rdma_connect %d", i);
	}
	for (i = 0; i < 8; i++) {
		take(&l, &b[i]);
		side_open(&b[i]);
		EXPECT(!side_accept(&b[i]), "rdma_accept %d", i);
	}
	for (i = 0; i < 8; i++) {
		side_want(&a[i], RDMA_CM_EVENT_ESTABLISHED);
		side_want(&b[i], RDMA_CM_EVENT_ESTABLISHED);
	}
	for (i = 0; i < 8; i++) {
		side_close(&a[i]);
		side_close(&b[i]);
	}
	side_close(&l);
	fresh_pair_works();
}

static void small_backlogs(void)
{
	small_backlog(1);
	small_backlog(2);
}

static void sequence(void)
{
	struct pair p;
	int i;

	for (i = 0; i < 200; i++) {
		pair_open(&p, NULL);
		if (!(i % 20))
			pair_works(&p);
		pair_close(&p);
	}
}

/* ---- destroy at every state ---- */

static void prompt(const char *state, uint64_t start)
{
	EXPECT(now_ms() - start < slow(2000), "%s: destroy took %llu ms", state,
	       (unsigned long long)(now_ms() - start));
}

static void destroy_early(void)
{
	struct sockaddr_storage ss;
	uint64_t start;
	struct side s;
	int state;

	for (state = 0; state < 6; state++) {
		uint16_t port = next_port();

		side_init(&s, NS_A, NULL);
		ASSERT(!rdma_create_id(s.ec, &s.id, &s, RDMA_PS_TCP),
		       "create");
		addr_of(&ss, ADDR_A, port, NULL);
		if (state == 1 || state == 2)
			ASSERT(!rdma_bind_addr(s.id, (struct sockaddr *)&ss),
			       "bind");
		if (state == 2)
			ASSERT(!rdma_listen(s.id, 4), "listen");
		addr_of(&ss, ADDR_B, port, NULL);
		if (state >= 3)
			ASSERT(!rdma_resolve_addr(s.id, NULL,
						  (struct sockaddr *)&ss,
						  1000), "resolve_addr");
		if (state >= 4)
			side_want(&s, RDMA_CM_EVENT_ADDR_RESOLVED);
		if (state >= 5)
			ASSERT(!rdma_resolve_route(s.id, 1000),
			       "resolve_route");
		start = now_ms();
		side_close(&s);
		prompt("early", start);
	}
}

static void destroy_connecting(void)
{
	struct wire w;
	uint64_t start;
	struct side s;
	int how;

	/* Waiting for SYN ACK: the neighbour is known and is nobody. */
	sh("ip -n sa neigh replace 10.83.0.99 lladdr 02:00:00:00:00:99 dev va nud permanent");
	for (how = 0; how < 3; how++) {
		side_init(&s, NS_A, NULL);
		side_resolve(&s, "10.83.0.99", next_port());
		side_open(&s);
		start = now_ms();
		ASSERT(!side_connect(&s), "rdma_connect");
		EXPECT(now_ms() - start < slow(500), "rdma_connect blocks");
		sleep_ms(how * 100);
		start = now_ms();
		side_close(&s);
		prompt("waiting for SYN ACK", start);
	}
	/* Waiting for the Reply. */
	for (how = 0; how < 3; how++) {
		memset(&w, 0, sizeof(w));
		wire_connect(&w, NULL);
		sleep_ms(how * 100);
		start = now_ms();
		side_close(&w.s);
		prompt("waiting for the Reply", start);
		EXPECT(raw_end(&w.r, 5000) != RAW_OPEN, "TCP stays open");
		raw_close(&w.r);
		close(w.lfd);
	}
	sh("ip -n sa neigh del 10.83.0.99 dev va");
}

static void destroy_passive(void)
{
	struct wire w;
	uint64_t start;
	int state;

	for (state = 0; state < 5; state++) {
		memset(&w, 0, sizeof(w));
		wire_listen(&w, NULL);
		wire_dial(&w);
		if (state >= 1)		/* else silent */
			wire_request(&w, MPA_C, 1, NULL, 0);
		if (state == 2)		/* the id of the request first */
			side_want(&w.s, RDMA_CM_EVENT_CONNECT_REQUEST);
		if (state == 3) {	/* accepted, no FPDU yet */
			wire_accept(&w);
		}
		if (state == 4) {
			wire_accept(&w);
			wire_full(&w);
		}
		sleep_ms(50);
		start = now_ms();
		side_close(&w.s);
		prompt("passive", start);
		EXPECT(raw_end(&w.r, 8000) != RAW_OPEN,
		       "state %d: TCP stays open", state);
		raw_close(&w.r);
	}
	fresh_pair_works();
}

/* The listener goes while a request is at the application. */
static void listener_first(void)
{
	struct pair p;
	struct side l;
	uint16_t port = next_port();

	side_init(&l, NS_B, NULL);
	side_init(&p.a, NS_A, NULL);
	side_listen(&l, ADDR_B, port, 4);
	side_resolve(&p.a, ADDR_B, port);
	side_open(&p.a);
	ASSERT(!side_connect(&p.a), "rdma_connect");
	take(&l, &p.b);
	side_close(&l);
	side_open(&p.b);
	if (!side_accept(&p.b)) {
		side_want(&p.a, RDMA_CM_EVENT_ESTABLISHED);
		side_want(&p.b, RDMA_CM_EVENT_ESTABLISHED);
		pair_works(&p);
	}
	pair_close(&p);
}

/* Two requests at a listener that hears of one at a time: the other waits. */
static void two_requests(struct side *l, struct raw *r)
{
	uint16_t port = next_port();
	uint8_t out[64];
	int i;

	side_init(l, NS_B, NULL);
	side_listen(l, ADDR_B, port, 1);
	for (i = 0; i < 2; i++)
		raw_dial(&r[i], NS_A, ADDR_B, port);
	sleep_ms(slow(100));		/* both are taken from TCP */
	for (i = 0; i < 2; i++) {
		raw_put(&r[i], out, mpa_make(out, false, MPA_C, 1, NULL, 0));
		sleep_ms(slow(50));
	}
	side_want(l, RDMA_CM_EVENT_CONNECT_REQUEST);
}

/* One is decided on: it is the turn of the next. */
static void next_in_queue(void)
{
	struct raw r[2];
	struct side l;
	int i;

	two_requests(&l, r);
	EXPECT_EQ(-1, side_event(&l, 0));
	EXPECT_EQ(0, rdma_reject(l.id, NULL, 0));
	EXPECT_EQ(0, rdma_destroy_id(l.id));
	l.id = NULL;
	side_want(&l, RDMA_CM_EVENT_CONNECT_REQUEST);
	side_close(&l);
	for (i = 0; i < 2; i++)
		raw_close(&r[i]);
}

/* Who came first is asked about first. */
static void queue_in_order(void)
{
	uint16_t port = next_port();
	uint8_t out[64], pd;
	struct raw r[3];
	struct side l;
	int i;

	side_init(&l, NS_B, NULL);
	side_listen(&l, ADDR_B, port, 1);
	for (i = 0; i < 3; i++) {
		raw_dial(&r[i], NS_A, ADDR_B, port);
		sleep_ms(slow(50));	/* it is taken from TCP */
	}
	for (i = 0; i < 3; i++) {
		pd = i;
		raw_put(&r[i], out, mpa_make(out, false, MPA_C, 1, &pd, 1));
		sleep_ms(slow(50));
	}
	for (i = 0; i < 3; i++) {
		side_want(&l, RDMA_CM_EVENT_CONNECT_REQUEST);
		EXPECT_EQ(1, l.plen);
		EXPECT_EQ(i, l.pdata[0]);
		EXPECT_EQ(0, rdma_reject(l.id, NULL, 0));
		EXPECT_EQ(0, rdma_destroy_id(l.id));
		l.id = NULL;
	}
	side_close(&l);
	for (i = 0; i < 3; i++)
		raw_close(&r[i]);
}

/* With its Request complete, a peer waits for the ULP, and not for 5 s only. */
static void queue_waits_for_ulp(void)
{
	struct raw r[2];
	struct side l;
	int i;

	two_requests(&l, r);
	sleep_ms(6000);		/* of the driver's own clock, however slow the guest */
	EXPECT_EQ(RAW_OPEN, raw_end(&r[1], 50));
	EXPECT_EQ(RAW_OPEN, raw_end(&r[0], 50));
	side_close(&l);
	for (i = 0; i < 2; i++)
		raw_close(&r[i]);
}

/* A request that waits for its turn goes with the listener. */
static void listener_before_queue(void)
{
	struct raw r[2];
	struct side l;
	int i;

	two_requests(&l, r);
	EXPECT_EQ(RAW_OPEN, raw_end(&r[1], 100));
	EXPECT_EQ(0, rdma_destroy_id(l.lid));
	l.lid = NULL;
	EXPECT(raw_end(&r[1], 3000) != RAW_OPEN, "it waits for nobody");
	side_close(&l);
	for (i = 0; i < 2; i++)
		raw_close(&r[i]);
	fresh_pair_works();
}

/* Neither accepted nor rejected: the connecting end gives up in the end. */
static void never_accepted(void)
{
	struct side a, b;
	uint16_t port = next_port();
	uint64_t start;
	int ev;

	side_init(&b, NS_B, NULL);
	side_init(&a, NS_A, NULL);
	side_listen(&b, ADDR_B, port, 4);
	side_resolve(&a, ADDR_B, port);
	side_open(&a);
	start = now_ms();
	ASSERT(!side_connect(&a), "rdma_connect");
	side_want(&b, RDMA_CM_EVENT_CONNECT_REQUEST);
	ev = side_event(&a, 60000);
	EXPECT(ev == RDMA_CM_EVENT_UNREACHABLE ||
	       ev == RDMA_CM_EVENT_REJECTED ||
	       ev == RDMA_CM_EVENT_CONNECT_ERROR, "event %d", ev);
	test_info("gave up after %llu ms, status %d",
		  (unsigned long long)(now_ms() - start), a.status);
	side_close(&a);
	/* An accept that comes too late fails, now or by an event. */
	side_open(&b);
	if (!side_accept(&b))
		EXPECT(side_event(&b, 10000) >= 0, "no event");
	side_close(&b);
}

static void nobody_there(void)
{
	struct side s;
	uint64_t start;
	int ev;

	sh("ip -n sa neigh replace 10.83.0.99 lladdr 02:00:00:00:00:99 dev va nud permanent");
	side_init(&s, NS_A, NULL);
	side_resolve(&s, "10.83.0.99", next_port());
	side_open(&s);
	start = now_ms();
	ASSERT(!side_connect(&s), "rdma_connect");
	ev = side_event(&s, 90000);
	EXPECT(ev == RDMA_CM_EVENT_UNREACHABLE ||
	       ev == RDMA_CM_EVENT_CONNECT_ERROR, "event %d", ev);
	test_info("gave up after %llu ms, status %d",
		  (unsigned long long)(now_ms() - start), s.status);
	side_close(&s);
	sh("ip -n sa neigh del 10.83.0.99 dev va");
}

/* ---- endings ---- */

static void both_disconnect(void)
{
	struct pair p;
	int i;

	for (i = 0; i < 30; i++) {
		pair_open(&p, NULL);
		recv_at(&p.a, 1, 0, 64);
		recv_at(&p.b, 2, 0, 64);
		if (i & 1) {
			POST(&p.a, .op = IBV_WR_SEND, .len = 64, .id = 3);
			POST(&p.b, .op = IBV_WR_SEND, .len = 64, .id = 4);
		}
		if (i & 2) {
			EXPECT_EQ(0, rdma_disconnect(p.a.id));
			EXPECT_EQ(0, rdma_disconnect(p.b.id));
		} else {
			side_to_err(&p.a);
			side_to_err(&p.b);
		}
		side_want(&p.a, RDMA_CM_EVENT_DISCONNECTED);
		side_want(&p.b, RDMA_CM_EVENT_DISCONNECTED);
		pair_close(&p);
	}
}

static void early_disconnect(void)
{
	struct side a, b;
	uint16_t port;
	int i;

	for (i = 0; i < 20; i++) {
		port = next_port();
		side_init(&b, NS_B, NULL);
		side_init(&a, NS_A, NULL);
		side_listen(&b, ADDR_B, port, 4);
		side_resolve(&a, ADDR_B, port);
		side_open(&a);
		ASSERT(!side_connect(&a), "rdma_connect");
		if (i & 1)
			rdma_disconnect(a.id);
		if (i & 2) {
			if (side_event(&b, 1000) ==
			    RDMA_CM_EVENT_CONNECT_REQUEST) {
				side_open(&b);
				side_accept(&b);
				rdma_disconnect(b.id);
			}
		}
		usleep(i * 200);
		side_close(&a);
		side_close(&b);
	}
	fresh_pair_works();
}

/* A QP without its id, an id without its QP. */
static void qp_before_id(void)
{
	struct pair p;

	pair_open(&p, NULL);
	rdma_destroy_qp(p.a.id);
	p.a.qp = NULL;
	side_want(&p.b, RDMA_CM_EVENT_DISCONNECTED);
	pair_close(&p);

	/* The id goes with the connection up and the QP still there. */
	pair_open(&p, NULL);
	recv_at(&p.a, 1, 0, 64);
	rdma_destroy_qp(p.b.id);
	p.b.qp = NULL;
	WANT_WC(p.a.rcq, 1, IBV_WC_WR_FLUSH_ERR);
	pair_close(&p);
}

/* An id of its own, in @s, for the queue pair @qpn. Return: what was said. */
static int connect_as(struct side *s, uint16_t port, uint32_t qpn)
{
	struct rdma_conn_param cp;
	int err;

	side_init(s, NS_B, NULL);
	side_resolve(s, ADDR_A, port);
	cp = side_param(s);
	cp.qp_num = qpn;
	err = rdma_connect(s->id, &cp) ? errno : 0;
	side_close(s);
	return err;
}

static void connects_once(void)
{
	struct ibv_qp_attr reset = { .qp_state = IBV_QPS_RESET };
	struct wire w = { 0 };
	struct side other;
	uint16_t port;
	uint32_t qpn;

	wire_connect(&w, NULL);
	qpn = w.s.qp->qp_num;
	EXPECT_EQ(EBUSY, connect_as(&other, w.port, qpn));
	/* Nor does it begin anew. */
	EXPECT_EQ(EBUSY, ibv_modify_qp(w.s.qp, &reset, IBV_QP_STATE));
	wire_reply_well(&w);
	side_want(&w.s, RDMA_CM_EVENT_ESTABLISHED);
	EXPECT_EQ(EBUSY, connect_as(&other, w.port, qpn));
	EXPECT_EQ(IBV_QPS_RTS, side_state(&w.s));
	side_to_err(&w.s);
	side_want(&w.s, RDMA_CM_EVENT_DISCONNECTED);
	EXPECT_EQ(EBUSY, connect_as(&other, w.port, qpn));
	port = w.port;
	wire_close(&w);
	/* Nor is one that is gone */
	EXPECT_EQ(EINVAL, connect_as(&other, port, qpn));
}

/*
 * Connects the queue pair of number @qpn as user nobody.  The channel has to be
 * nobody's: the kernel takes nothing through one that another user opened.
 * Returns the errno.
 */
static void connect_anothers(uint16_t port, uint32_t qpn)
{
	struct sockaddr_in to = { AF_INET, htons(port) };
	struct rdma_conn_param cp = { .qp_num = qpn };
	struct rdma_cm_id *id;

	inet_pton(AF_INET, ADDR_B, &to.sin_addr);
	ns_enter(NS_A);
	ASSERT(!setresuid(65534, 65534, 65534), "setresuid");
	/* Without a channel of ours each call waits for its event. */
	ASSERT(!rdma_create_id(NULL, &id, NULL, RDMA_PS_TCP), "rdma_create_id");
	ASSERT(!rdma_resolve_addr(id, NULL, (struct sockaddr *)&to,
				  slow(5000)), "rdma_resolve_addr");
	ASSERT(!rdma_resolve_route(id, slow(5000)), "rdma_resolve_route");
	_exit(rdma_connect(id, &cp) ? errno : 0);
}

static void anothers_qp(void)
{
	struct pair p;
	uint16_t port;
	int status;
	pid_t pid;

	port = pair_ready(&p, NULL, NULL);
	fflush(stdout);
	pid = fork();
	if (!pid)
		connect_anothers(port, p.a.qp->qp_num);
	ASSERT(pid > 0 && waitpid(pid, &status, 0) == pid, "fork");
	EXPECT(status, "rdma_connect took another user's queue pair");
	EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == EINVAL, "status %x",
	       status);
	/* It is still free for its owner. */
	pair_connect(&p);
	pair_works(&p);
	pair_close(&p);
}

struct legacy {
	uint16_t port;
	uint32_t qpn;
	pid_t heir;
};

/* Makes a queue pair, leaves it to a child, and ends. */
static void leave_qp(struct legacy *left)
{
	struct pair p;
	pid_t pid;

	left->port = pair_ready(&p, NULL, NULL);
	left->qpn = p.a.qp->qp_num;
	pid = fork();
	if (!pid)
		pause();
	left->heir = pid;
	_exit(pid < 0);
}

/* The number of a process that has ended says nothing of who has it next. */
static void number_again(void)
{
	struct legacy *left = mmap(NULL, sizeof(*left), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	FILE *last = fopen("/proc/sys/kernel/ns_last_pid", "w");
	pid_t first, next;
	int status;

	ASSERT(left != MAP_FAILED, "mmap");
	if (!last)
		SKIP("this kernel lets nobody choose a process's number");
	fflush(stdout);
	first = fork();
	if (!first)
		leave_qp(left);
	ASSERT(first > 0 && waitpid(first, &status, 0) == first && !status,
	       "fork");
	fprintf(last, "%d", first - 1);
	fclose(last);
	next = fork();
	if (!next)
		connect_anothers(left->port, left->qpn);
	ASSERT(next > 0 && waitpid(next, &status, 0) == next, "fork");
	kill(left->heir, SIGKILL);
	if (next != first)
		SKIP("another process got the number");
	EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == EINVAL, "status %x",
	       status);
}

/*
 * A namespace with the addresses of the device, that of the hardware as well.
 * From 6.6 on rdma_cm finds no device there; before it does.
 */
static void same_address_elsewhere(void)
{
	struct sockaddr_storage to;
	struct ibv_qp_init_attr attr = {
		.qp_type = IBV_QPT_RC,
		.cap = { .max_send_wr = 4, .max_recv_wr = 4,
			 .max_send_sge = 1, .max_recv_sge = 1 },
	};
	struct rdma_conn_param cp = { 0 };
	uint16_t port = next_port();
	struct rdma_cm_id *id;
	const char *how;
	struct side l;

	side_init(&l, NS_B, NULL);
	side_listen(&l, ADDR_B, port, 4);
	ASSERT(!sh("ip netns add sc && ip -n sc link set lo up &&"
		   " ip -n sc link add va type dummy &&"
		   " ip -n sc link set va address $(ip netns exec sa cat"
		   " /sys/class/net/va/address) up &&"
		   " ip -n sc addr add " ADDR_A "/24 dev va"), "namespace");
	ns_enter("sc");
	addr_of(&to, ADDR_B, port, NULL);
	ASSERT(!rdma_create_id(NULL, &id, NULL, RDMA_PS_TCP), "rdma_create_id");
	how = rdma_resolve_addr(id, NULL, (struct sockaddr *)&to, slow(2000)) ?
		      "rdma_resolve_addr" :
	      rdma_resolve_route(id, slow(2000)) ? "rdma_resolve_route" :
	      rdma_create_qp(id, NULL, &attr) ? "rdma_create_qp" :
	      rdma_connect(id, &cp) ? "rdma_connect" : NULL;
	EXPECT(how, "connected");
	if (how)
		test_info("refused by %s: %s", how, strerror(errno));
	EXPECT_EQ(-1, side_event(&l, 200));
	rdma_destroy_ep(id);
	side_close(&l);
	ns_enter(NS_A);
	sh("ip netns del sc");
}

/* A process that connects and talks until it is killed. */
static pid_t victim(const char *ns, bool listens, uint16_t port)
{
	pid_t pid = fork();
	struct side s;
	struct ibv_wc wc;
	int i;

	if (pid)
		return pid;
	side_init(&s, ns, &(struct opts){ .rq = 64 });
	if (listens) {
		side_listen(&s, ADDR_B, port, 8);
		while (side_event(&s, 60000) != RDMA_CM_EVENT_CONNECT_REQUEST)
			;
		side_open(&s);
		side_accept(&s);
	} else {
		side_resolve(&s, ADDR_B, port);
		side_open(&s);
		side_connect(&s);
	}
	while (side_event(&s, 10000) != RDMA_CM_EVENT_ESTABLISHED)
		;
	for (i = 0; i < 64; i++)
		recv_at(&s, i, i * 64, 64);
	for (;;) {
		try_post(&s, &(struct wr){ .op = IBV_WR_SEND, .len = 64 });
		while (ibv_poll_cq(s.scq, 1, &wc) == 1)
			;
		while (ibv_poll_cq(s.rcq, 1, &wc) == 1)
			if (!wc.status)
				try_recv(&s, wc.wr_id, wc.wr_id * 64, 64);
	}
}

/* Either end is killed at a random moment, start-up included. */
static void killed(void)
{
	pid_t pid[2];
	int i, k, status;

	srand(getpid());
	for (i = 0; i < 40; i++) {
		uint16_t port = next_port();

		pid[0] = victim(NS_B, true, port);
		sleep_ms(slow(30));
		pid[1] = victim(NS_A, false, port);
		usleep(rand() % slow(120000));
		k = rand() % 2;
		kill(pid[k], SIGKILL);
		waitpid(pid[k], &status, 0);
		usleep(rand() % 20000);
		kill(pid[!k], SIGKILL);
		waitpid(pid[!k], &status, 0);
	}
	fresh_pair_works();
}

/* ---- memory ---- */

#define IDLE 100
#define ODD_WRITE 1300		/* its FPDU leaves too little of a segment to fill */
#define LONG_SEND 32768		/* more than the first segments that TCP lets go */

/* KiB of @field in /proc/meminfo */
static long meminfo(const char *field)
{
	char line[128], want[64];
	FILE *f = fopen("/proc/meminfo", "r");
	long kib = -1;

	ASSERT(f, "open /proc/meminfo");
	snprintf(want, sizeof(want), "%s: %%ld kB", field);
	while (kib < 0 && fgets(line, sizeof(line), f))
		sscanf(line, want, &kib);
	fclose(f);
	ASSERT(kib >= 0, "no %s in /proc/meminfo", field);
	return kib;
}

static long small_memory(void)
{
	/* What RCU and the workqueues still hold goes first. */
	sleep_ms(500);
	return meminfo("Slab") + meminfo("Percpu");
}

/* What an end of the harness has besides its id and queue pair. */
struct extras {
	struct rdma_event_channel *ec;
	struct ibv_pd *pd;
	struct ibv_mr *mr;
	struct ibv_comp_channel *cc[2];
	struct ibv_cq *cq[2];
};

static void extras_open(struct extras *e, const struct side *s)
{
	struct ibv_context *ctx = s->id->verbs;
	int i;

	e->ec = rdma_create_event_channel();
	e->pd = ibv_alloc_pd(ctx);
	ASSERT(e->ec && e->pd, "event channel, protection domain");
	e->mr = ibv_reg_mr(e->pd, s->buf, LONG_SEND, s->o.access);
	ASSERT(e->mr, "ibv_reg_mr");
	for (i = 0; i < 2; i++) {
		e->cc[i] = ibv_create_comp_channel(ctx);
		ASSERT(e->cc[i], "ibv_create_comp_channel");
		e->cq[i] = ibv_create_cq(ctx, 64, NULL, e->cc[i], 0);
		ASSERT(e->cq[i], "ibv_create_cq");
	}
}

static void extras_close(struct extras *e)
{
	int i;

	for (i = 0; i < 2; i++) {
		ibv_destroy_cq(e->cq[i]);
		ibv_destroy_comp_channel(e->cc[i]);
	}
	ibv_dereg_mr(e->mr);
	ibv_dealloc_pd(e->pd);
	rdma_destroy_event_channel(e->ec);
}

static void sockets_open(struct raw r[2][2 * IDLE], int i, int fd, uint16_t port)
{
	raw_dial(&r[0][i], NS_A, ADDR_B, port);
	ASSERT(raw_accept(&r[1][i], fd, 5000), "accept %d", i);
}

/* FPDUs that the device of @s has put together, for whatever queue pair */
static long straddled(const struct side *s)
{
	char path[200];
	long n = 0;
	FILE *f;

	/* ib_core reads it anew after 10 ms. */
	sleep_ms(20);
	snprintf(path, sizeof(path),
		 "/sys/class/infiniband/%s/ports/1/hw_counters/rx_straddle",
		 ibv_get_device_name(s->id->verbs->device));
	f = fopen(path, "r");
	ASSERT(f && fscanf(f, "%ld", &n) == 1, "read %s", path);
	fclose(f);
	return n;
}

/*
 * The FPDUs of the Send, which goes with the Write, lie across the edges of segments,
 * and TCP cuts it at one of them.
 */
static void talk_in_pieces(struct side *from, struct side *to)
{
	recv_at(to, 1, 0, LONG_SEND);
	post_two(from,
		 &(struct wr){ .op = IBV_WR_RDMA_WRITE, .len = ODD_WRITE,
			       .raddr = at(to, 0), .rkey = to->mr->rkey,
			       .unsignaled = true },
		 &(struct wr){ .op = IBV_WR_SEND, .len = LONG_SEND, .id = 2 });
	WANT_WC(from->scq, 2, IBV_WC_SUCCESS);
	WANT_WC(to->rcq, 1, IBV_WC_SUCCESS);
}

/*
 * What an idle end holds in the kernel, all layers together, beyond its socket
 * and beyond its rings (which are not in Slab): as many TCP connections and as
 * many of the other objects are made, and taken off.  Once an FPDU came in two
 * buffers of TCP it holds besides the one in which that was put together: 4096
 * octets for any FPDU of a segment of 1500, and room for how the kernel rounds.
 */
static void idle_memory(void)
{
	static struct extras e[2][2 * IDLE];
	static struct pair p[IDLE];
	static struct raw r[2][2 * IDLE];
	uint16_t port = next_port();
	int fd = raw_listen(NS_B, ADDR_B, port);
	struct rlimit files = { 4096, 4096 };
	long mark[5], rest, carry, pieces;
	struct pair warm;
	int i;

	if (!sh("grep -qw kasan_report /proc/kallsyms || test -e /sys/kernel/debug/kmemleak"))
		SKIP("objects are larger in a debug kernel");
	ASSERT(!setrlimit(RLIMIT_NOFILE, &files), "setrlimit");
	pair_open(&warm, NULL);
	/* The first of each take the room that earlier tests have left in slabs. */
	for (i = 0; i < IDLE; i++) {
		sockets_open(r, i, fd, port);
		extras_open(&e[0][i], &warm.a);
		extras_open(&e[1][i], &warm.b);
	}
	mark[0] = small_memory();
	for (i = IDLE; i < 2 * IDLE; i++)
		sockets_open(r, i, fd, port);
	mark[1] = small_memory();
	for (i = IDLE; i < 2 * IDLE; i++) {
		extras_open(&e[0][i], &warm.a);
		extras_open(&e[1][i], &warm.b);
	}
	mark[2] = small_memory();
	for (i = 0; i < IDLE; i++)
		pair_open(&p[i], &(struct opts){ .buf = LONG_SEND, .sq = 16,
						 .rq = 16, .cqe = 64 });
	mark[3] = small_memory();
	pieces = straddled(&p[0].a) + straddled(&p[0].b);
	for (i = 0; i < IDLE; i++) {
		talk_in_pieces(&p[i].a, &p[i].b);
		talk_in_pieces(&p[i].b, &p[i].a);
	}
	pieces = straddled(&p[0].a) + straddled(&p[0].b) - pieces;
	mark[4] = small_memory();
	rest = mark[3] - mark[2] - (mark[2] - mark[0]);
	carry = mark[4] - mark[3];
	test_note("octets of an idle end: socket %ld, PD, MR, CQs, channels %ld, the rest %ld, %ld more behind FPDUs in pieces",
		  (mark[1] - mark[0]) * 1024 / (2 * IDLE),
		  (mark[2] - mark[1]) * 1024 / (2 * IDLE),
		  rest * 1024 / (2 * IDLE), carry * 1024 / (2 * IDLE));
	EXPECT(rest <= 16 * 2 * IDLE, "%ld KiB for %d ends", rest, 2 * IDLE);
	EXPECT(pieces >= 2 * IDLE, "%ld FPDUs in pieces", pieces);
	EXPECT(carry <= 6 * 2 * IDLE, "%ld KiB more for %d ends", carry,
	       2 * IDLE);
	for (i = 0; i < IDLE; i++)
		pair_close(&p[i]);
	for (i = 0; i < 2 * IDLE; i++) {
		extras_close(&e[0][i]);
		extras_close(&e[1][i]);
		raw_close(&r[0][i]);
		raw_close(&r[1][i]);
	}
	close(fd);
	pair_close(&warm);
}

/* ---- fairness ---- */

#define FLOWS 32
#define FLOW_WRITES 128		/* each, in the mean */
#define FLOW_LEN 16384
#define FLOW_OUT 32

/* Its source has the number of a Write, from 1 on, where the Write has its last word. */
static void number_writes(struct side *s)
{
	uint32_t *last = (uint32_t *)(s->buf + FLOW_LEN) - 1;
	uint32_t i, n = (s->o.buf - FLOW_LEN) / sizeof(*last);

	for (i = 0; i < n; i++)
		last[i] = i + 1;
}

/* Writes that are there */
static uint32_t arrived(const struct side *s)
{
	return ((const volatile uint32_t *)(s->buf + FLOW_LEN))[-1];
}

/* Connections that always have work get like shares of the wire. */
static void fair(void)
{
	const struct rlimit files = { 4096, 4096 };
	static struct pair p[FLOWS];
	uint32_t posted[FLOWS] = {}, out[FLOWS] = {};
	uint32_t all = 0, least = UINT_MAX, most = 0, i;
	uint64_t end;

	ASSERT(!setrlimit(RLIMIT_NOFILE, &files), "setrlimit");
	for (i = 0; i < FLOWS; i++) {
		pair_open(&p[i], &(struct opts){ .sq = FLOW_OUT });
		number_writes(&p[i].a);
	}
	end = deadline(30000);
	while (all < FLOWS * FLOW_WRITES) {
		ASSERT(!passed(end), "%u writes", all);
		all = 0;
		for (i = 0; i < FLOWS; i++) {
			struct ibv_wc wc;

			while (ibv_poll_cq(p[i].a.scq, 1, &wc) == 1) {
				ASSERT(!wc.status, "connection %u: status %d",
				       i, wc.status);
				out[i]--;
			}
			for (; out[i] < FLOW_OUT; out[i]++)
				POST(&p[i].a, .op = IBV_WR_RDMA_WRITE,
				     .off = 4 * posted[i]++, .len = FLOW_LEN,
				     .raddr = at(&p[i].b, 0),
				     .rkey = p[i].b.mr->rkey);
			all += arrived(&p[i].b);
		}
	}
	for (i = 0; i < FLOWS; i++) {
		uint32_t n = arrived(&p[i].b);

		least = n < least ? n : least;
		most = n > most ? n : most;
	}
	test_note("writes of a connection that arrived: %u to %u", least, most);
	EXPECT(least && 2 * most <= 3 * least, "%u against %u", least, most);
	for (i = 0; i < FLOWS; i++)
		pair_close(&p[i]);
}

static const struct test tests[] = {
	{ "IPv4", ipv4 },
	{ "IPv6", ipv6 },
	{ "IPv6 link-local", link_local },
	{ "listen on the wildcard address", wildcard },
	{ "a wildcard listener in a namespace with two links",
	  wildcard_of_two_links, .fresh = true, .slow = true },
	{ "a wildcard listener of one of two links", wildcard_of_one_link,
	  .fresh = true, .slow = true },
	{ "a wildcard listener at the loopback address", wildcard_of_no_link },
	{ "an IPv4 peer of an IPv6 wildcard listener", wildcard_of_both },
	{ "two wildcard listeners at a time", two_wildcards },
	{ "wildcard listeners of one family each on a port", wildcards_of_one_family },
	{ "addresses of an IPv4 peer of an IPv6 wildcard listener",
	  addresses_of_both },
	{ "a wildcard listener in another namespace", wildcard_elsewhere },
	{ "both ends on one device", loopback },
	{ "private data both ways, 0 to 255 octets", private_data },
	{ "read depths both ways", depths },
	{ "reject with private data", reject },
	{ "no listener: refused at once", no_listener },
	{ "a listener whose socket is killed", listener_killed, .slow = true },
	{ "a port that is taken", listen_conflict },
	{ "an address that is gone", address_gone, .slow = true },
	{ "a port that is not for everybody", port_denied },
	{ "a source port that TCP has", source_port_taken },
	{ "the type of service that was asked for", type_of_service },
	{ "the type of service at both ends, IPv4 and IPv6", type_of_services,
	  .slow = true },
	{ "a port used a moment ago", same_port },
	{ "200 connections, one after the other", sequence, 120, .slow = true },
	{ "64 connections at once", concurrent, 60, .slow = true },
	{ "requests of 64 connections at once come in order", requests_in_order,
	  60, .slow = true },
	{ "a backlog of 1, and of 2", small_backlogs, 60, .slow = true },
	{ "memory of an idle connection", idle_memory, 60, .slow = true },
	{ "32 connections share the wire fairly", fair, 60, .slow = true },
	{ "destroy before connecting", destroy_early },
	{ "destroy while connecting", destroy_connecting, 60, .slow = true },
	{ "destroy on the passive side", destroy_passive, 60, .slow = true },
	{ "the listener goes before its request", listener_first },
	{ "the next in the queue of a listener", next_in_queue, .slow = true },
	{ "the queue of a listener is in order", queue_in_order, .slow = true },
	{ "a Request waits in the queue as long as at the ULP",
	  queue_waits_for_ulp, .slow = true },
	{ "the listener goes before those in its queue", listener_before_queue,
	  .slow = true },
	{ "a request neither accepted nor rejected", never_accepted, 90,
	  .slow = true },
	{ "nobody answers the SYN", nobody_there, 120, .slow = true },
	{ "both ends disconnect at once", both_disconnect, 60, .slow = true },
	{ "disconnect before the connection is up", early_disconnect, 60 },
	{ "queue pair destroyed before its id", qp_before_id },
	{ "a queue pair that connects is not taken twice", connects_once },
	{ "the queue pair of another user", anothers_qp },
	{ "the number of a process that has ended", number_again },
	{ "the same address in another namespace", same_address_elsewhere,
	  .slow = true },
	{ "an end killed at a random moment", killed, 120, .slow = true },
};

int main(int argc, char **argv)
{
	return harness_main(argc, argv, tests, ARRAY_SIZE(tests));
}
