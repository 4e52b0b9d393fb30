// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include <linux/netlink.h>
#include <rdma/rdma_netlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "harness.h"
#include "nldev.h"

/**
 * struct message - a request to the RDMA subsystem
 * @h: header
 * @attrs: what follows it
 */
struct message {
	struct nlmsghdr h;
	uint8_t attrs[512];
};

typedef void (*attr_fn)(const struct nlattr *a, void *arg);

static void each_attr(const void *data, size_t len, attr_fn fn, void *arg)
{
	const struct nlattr *a = data;

	while (len >= sizeof(*a) && a->nla_len >= sizeof(*a) &&
	       a->nla_len <= len) {
		size_t step = NLA_ALIGN(a->nla_len);

		fn(a, arg);
		if (step > len)
			return;
		len -= step;
		a = (const void *)((const uint8_t *)a + step);
	}
}

static const void *attr_data(const struct nlattr *a)
{
	return a + 1;
}

static size_t attr_len(const struct nlattr *a)
{
	return a->nla_len - sizeof(*a);
}

static int attr_type(const struct nlattr *a)
{
	return a->nla_type & NLA_TYPE_MASK;
}

static void start(struct message *m, int cmd, int flags)
{
	memset(m, 0, sizeof(*m));
	m->h.nlmsg_len = NLMSG_HDRLEN;
	m->h.nlmsg_type = RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, cmd);
	m->h.nlmsg_flags = NLM_F_REQUEST | flags;
}

static void add(struct message *m, int type, const void *data, size_t len)
{
	struct nlattr *a = (void *)((uint8_t *)m + m->h.nlmsg_len);

	a->nla_type = type;
	a->nla_len = sizeof(*a) + len;
	memcpy(a + 1, data, len);
	m->h.nlmsg_len += NLA_ALIGN(a->nla_len);
}

/* Send, and hand the attributes of each answer to @fn. Return: 0 or -errno. */
static int ask(const struct message *m, attr_fn fn, void *arg)
{
	static uint8_t buf[65536] __attribute__((aligned(8)));
	const struct timeval patience = { .tv_sec = slow(5000) / 1000 };
	const struct nlmsghdr *h;
	int err = -EIO;
	ssize_t n;
	int fd;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_RDMA);
	if (fd < 0)
		return -errno;
	/* Without memory the kernel may not answer at all. */
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (send(fd, m, m->h.nlmsg_len, 0) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	for (;;) {
		n = recv(fd, buf, sizeof(buf), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			err = n ? -errno : -EIO;
			break;
		}
		for (h = (void *)buf; NLMSG_OK(h, (size_t)n);
		     h = NLMSG_NEXT(h, n)) {
			if (h->nlmsg_type == NLMSG_ERROR) {
				err = *(const int *)NLMSG_DATA(h);
				goto out;
			}
			if (h->nlmsg_type == NLMSG_DONE) {
				err = 0;
				goto out;
			}
			if (fn)
				each_attr(NLMSG_DATA(h),
					  h->nlmsg_len - NLMSG_HDRLEN, fn, arg);
		}
	}
out:
	close(fd);
	return err;
}

static void add_count(const struct nlattr *a, void *arg)
{
	uint64_t n;

	switch (attr_type(a)) {
	case RDMA_NLDEV_ATTR_RES_SUMMARY:
	case RDMA_NLDEV_ATTR_RES_SUMMARY_ENTRY:
		each_attr(attr_data(a), attr_len(a), add_count, arg);
		break;
	case RDMA_NLDEV_ATTR_RES_SUMMARY_ENTRY_CURR:
		memcpy(&n, attr_data(a), sizeof(n));
		*(long *)arg += n;
		break;
	}
}

long resources(void)
{
	struct message m;
	long sum = 0;

	start(&m, RDMA_NLDEV_CMD_RES_GET, NLM_F_DUMP);
	return ask(&m, add_count, &sum) ? -1 : sum;
}

struct wanted {
	const char *name;
	uint32_t last;
	uint32_t index;
	bool found;
};

/* The index comes before the name. */
static void match(const struct nlattr *a, void *arg)
{
	struct wanted *w = arg;

	if (attr_type(a) == RDMA_NLDEV_ATTR_DEV_INDEX)
		memcpy(&w->last, attr_data(a), sizeof(w->last));
	if (attr_type(a) == RDMA_NLDEV_ATTR_DEV_NAME &&
	    !strcmp(attr_data(a), w->name)) {
		w->index = w->last;
		w->found = true;
	}
}

int nldev_link_add(const char *name, const char *netdev)
{
	struct message m;

	start(&m, RDMA_NLDEV_CMD_NEWLINK, NLM_F_ACK);
	add(&m, RDMA_NLDEV_ATTR_DEV_NAME, name, strlen(name) + 1);
	add(&m, RDMA_NLDEV_ATTR_LINK_TYPE, "siw", 4);
	add(&m, RDMA_NLDEV_ATTR_NDEV_NAME, netdev, strlen(netdev) + 1);
	return ask(&m, NULL, NULL);
}

int nldev_link_del(const char *name)
{
	struct wanted w = { .name = name };
	struct message m;
	int err;

	start(&m, RDMA_NLDEV_CMD_GET, NLM_F_DUMP);
	err = ask(&m, match, &w);
	if (err)
		return err;
	if (!w.found)
		return -ENODEV;
	start(&m, RDMA_NLDEV_CMD_DELLINK, NLM_F_ACK);
	add(&m, RDMA_NLDEV_ATTR_DEV_INDEX, &w.index, sizeof(w.index));
	return ask(&m, NULL, NULL);
}
