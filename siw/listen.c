// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Listening sockets.
 *
 * rdma_cm listens on a wildcard address once for each device.  All of them
 * share one socket; a connection belongs to the device whose net_device has
 * the address the peer connected to.
 */
#include <linux/inetdevice.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <net/addrconf.h>
#include <net/ipv6.h>
#include <rdma/rdma_cm.h>

#include "conn.h"

/**
 * struct siw_listener - a listening socket
 * @ref: list and work
 * @entry: in siw_listeners
 * @net: its network namespace; it lives no longer than its members' devices
 * @addr: address and port
 * @v6only: takes no IPv4 connections
 * @llp: the socket, none once it is closed
 * @members: struct siw_backlog
 * @work: a connection waits to be accepted, or accepting is tried again
 */
struct siw_listener {
	struct kref ref;
	struct list_head entry;
	struct net *net;
	struct sockaddr_storage addr;
	bool v6only;
	struct siw_llp llp;
	struct list_head members;
	struct delayed_work work;
};

#define ACCEPT_RETRY	(HZ / 10)

/* Guards the list, the members and the sockets */
static DEFINE_MUTEX(siw_listen_lock);
static LIST_HEAD(siw_listeners);

static void listener_free(struct kref *ref)
{
	kfree(container_of(ref, struct siw_listener, ref));
}

static void listener_queue_after(struct siw_listener *listener,
				 unsigned long delay)
{
	kref_get(&listener->ref);
	if (mod_delayed_work(siw_wq, &listener->work, delay))
		kref_put(&listener->ref, listener_free);
}

static void listener_queue(struct siw_listener *listener)
{
	listener_queue_after(listener, 0);
}

static void on_event(struct siw_llp *llp)
{
	listener_queue(container_of(llp, struct siw_listener, llp));
}

static void on_nothing(struct siw_llp *llp)
{
}

static const struct siw_llp_ops listen_ops = {
	.data_ready = on_event,
	.write_space = on_nothing,
	.state_change = on_nothing,
};

static void backlog_free(struct kref *ref)
{
	kfree(container_of(ref, struct siw_backlog, ref));
}

void siw_backlog_put(struct siw_backlog *backlog)
{
	kref_put(&backlog->ref, backlog_free);
}

static bool is_wildcard(const struct sockaddr_storage *addr)
{
	if (addr->ss_family == AF_INET)
		return !((struct sockaddr_in *)addr)->sin_addr.s_addr;
	return ipv6_addr_any(&((struct sockaddr_in6 *)addr)->sin6_addr);
}

static bool same_addr(const struct sockaddr_storage *a,
		      const struct sockaddr_storage *b)
{
	const struct sockaddr_in6 *a6 = (const struct sockaddr_in6 *)a;
	const struct sockaddr_in6 *b6 = (const struct sockaddr_in6 *)b;
	const struct sockaddr_in *a4 = (const struct sockaddr_in *)a;
	const struct sockaddr_in *b4 = (const struct sockaddr_in *)b;

	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET)
		return a4->sin_port == b4->sin_port &&
		       a4->sin_addr.s_addr == b4->sin_addr.s_addr;
	return a6->sin6_port == b6->sin6_port &&
	       a6->sin6_scope_id == b6->sin6_scope_id &&
	       ipv6_addr_equal(&a6->sin6_addr, &b6->sin6_addr);
}

static bool dev_has_addr(struct net *net, struct net_device *ndev,
			 const struct sockaddr_storage *addr)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)addr;
	const struct sockaddr_in *in = (const struct sockaddr_in *)addr;
	bool has;

	if (addr->ss_family == AF_INET6)
		return IS_ENABLED(CONFIG_IPV6) &&
		       ipv6_chk_addr(net, &in6->sin6_addr, ndev, 1);
	rcu_read_lock();
	has = __ip_dev_find(net, in->sin_addr.s_addr, false) == ndev;
	rcu_read_unlock();
	return has;
}

/* The member whose device the peer connected to */
static struct siw_backlog *member_for(struct siw_listener *listener,
				      const struct siw_llp *llp)
{
	struct sockaddr_storage local;
	struct siw_backlog *member;
	struct net_device *ndev;
	bool found;

	if (!is_wildcard(&listener->addr))
		return list_first_entry_or_null(&listener->members,
						struct siw_backlog, entry);
	if (siw_llp_local(llp, &local))
		return NULL;
	list_for_each_entry(member, &listener->members, entry) {
		ndev = ib_device_get_netdev(&member->dev->base, 1);
		if (!ndev)
			continue;
		found = dev_has_addr(listener->net, ndev, &local);
		dev_put(ndev);
		if (found)
			return member;
	}
	return NULL;
}

/* As long as there are too many undecided connections, TCP keeps the rest. */
static bool is_full(const struct siw_listener *listener)
{
	struct siw_backlog *member;

	list_for_each_entry(member, &listener->members, entry)
		if (atomic_read(&member->pending) >= member->max)
			return true;
	return false;
}

/*
 * Peers that connect and say nothing do not keep others out.  One that has said
 * something makes way by being asked about: connections are looked at in their
 * order, and may come faster than that.
 */
void siw_backlog_make_way(struct siw_backlog *backlog)
{
	struct siw_device *dev = backlog->dev;
	struct siw_conn *conn, *oldest = NULL;
	unsigned int noio;

	mutex_lock(&dev->conns_lock);
	list_for_each_entry(conn, &dev->half_open, entry) {
		if (READ_ONCE(conn->backlog) == backlog) {
			kref_get(&conn->ref);
			oldest = conn;
			break;
		}
	}
	mutex_unlock(&dev->conns_lock);
	if (!oldest)
		return;
	noio = siw_conn_lock(oldest);
	if (oldest->state == SIW_CONN_WAIT_REQUEST)
		siw_accept_request(oldest);
	if (oldest->state == SIW_CONN_WAIT_REQUEST) {
		siw_conn_failed(oldest, SIW_CNT_HALF_OPEN, -ETIMEDOUT);
		siw_conn_retire(oldest);
	}
	siw_conn_unlock(oldest, noio);
	siw_conn_put(oldest);
}

/* Others wait for the lock, some with the RTNL: some now, the rest soon. */
static void accept_some(struct siw_listener *listener)
{
	struct siw_backlog *member;
	int left = SIW_ACCEPT_BATCH;
	int err;

	while (listener->llp.sock && !is_full(listener)) {
		struct siw_llp llp = {};

		if (!left--) {
			listener_queue(listener);
			break;
		}
		err = siw_llp_accept(&listener->llp, &llp);
		if (err == -ECONNABORTED)
			continue;
		/*
		 * Without memory: nobody tells when there is some again.  It is
		 * -EINVAL if an administrator has closed the socket.
		 */
		if (err && err != -EAGAIN && err != -EINVAL)
			listener_queue_after(listener, ACCEPT_RETRY);
		if (err)
			break;
		member = member_for(listener, &llp);
		if (!member) {
			siw_llp_abort(&llp);
			continue;
		}
		if (atomic_read(&member->half_open) >= SIW_MAX_HALF_OPEN)
			siw_backlog_make_way(member);
		siw_conn_incoming(member, &llp);
	}
}

static void listen_work(struct work_struct *work)
{
	struct siw_listener *listener =
		container_of(to_delayed_work(work), struct siw_listener, work);
	unsigned int noio = memalloc_noio_save();

	mutex_lock(&siw_listen_lock);
	accept_some(listener);
	mutex_unlock(&siw_listen_lock);
	memalloc_noio_restore(noio);
	kref_put(&listener->ref, listener_free);
}

/* A connection was decided: there may be room for the next. */
void siw_listen_resume(struct siw_backlog *backlog)
{
	mutex_lock(&backlog->lock);
	if (backlog->listener)
		listener_queue(backlog->listener);
	mutex_unlock(&backlog->lock);
}

static struct siw_listener *listener_find(struct net *net,
					  struct iw_cm_id *cm_id)
{
	struct siw_listener *listener;

	list_for_each_entry(listener, &siw_listeners, entry)
		if (listener->net == net && is_wildcard(&listener->addr) &&
		    listener->v6only == cm_id->afonly &&
		    same_addr(&listener->addr, &cm_id->m_local_addr))
			return listener;
	return NULL;
}

static struct siw_listener *listener_new(struct net *net,
					 struct iw_cm_id *cm_id, int backlog)
{
	struct siw_listener *listener;
	int err;

	listener = kzalloc_obj(*listener, GFP_KERNEL_ACCOUNT);
	if (!listener)
		return ERR_PTR(-ENOMEM);
	kref_init(&listener->ref);
	INIT_LIST_HEAD(&listener->members);
	INIT_DELAYED_WORK(&listener->work, listen_work);
	listener->net = net;
	listener->addr = cm_id->m_local_addr;
	listener->v6only = cm_id->afonly;
	err = siw_llp_open(&listener->llp, net, listener->addr.ss_family);
	if (err) {
		kref_put(&listener->ref, listener_free);
		return ERR_PTR(err);
	}
	siw_llp_attach(&listener->llp, &listen_ops);
	err = siw_llp_listen(&listener->llp, &listener->addr, backlog,
			     cm_id->tos_set ? cm_id->tos : -1,
			     listener->v6only);
	if (err) {
		siw_llp_abort(&listener->llp);
		kref_put(&listener->ref, listener_free);
		return ERR_PTR(err);
	}
	list_add_tail(&listener->entry, &siw_listeners);
	return listener;
}

static struct siw_backlog *member_on(const struct siw_listener *listener,
				     const struct siw_device *dev)
{
	struct siw_backlog *member;

	list_for_each_entry(member, &listener->members, entry)
		if (member->dev == dev)
			return member;
	return NULL;
}

static void set_listener(struct siw_backlog *backlog,
			 struct siw_listener *listener)
{
	mutex_lock(&backlog->lock);
	backlog->listener = listener;
	mutex_unlock(&backlog->lock);
}

static void leave_listener(struct siw_backlog *backlog)
{
	struct siw_listener *listener = backlog->listener;

	lockdep_assert_held(&siw_listen_lock);
	if (!listener)
		return;
	set_listener(backlog, NULL);
	list_del(&backlog->entry);
	if (!list_empty(&listener->members)) {
		/* It may have been this one that was full. */
		listener_queue(listener);
		return;
	}
	list_del(&listener->entry);
	siw_llp_abort(&listener->llp);
	/* A timer must not outlive the module. */
	if (cancel_delayed_work(&listener->work))
		kref_put(&listener->ref, listener_free);
	kref_put(&listener->ref, listener_free);
}

/* Whose listener it is: only rdma_cm calls iw_cm_listen(), with its own id. */
struct net *siw_cm_id_net(const struct iw_cm_id *cm_id)
{
	const struct rdma_cm_id *id = cm_id->context;

	return id->route.addr.dev_addr.net;
}

/*
 * Where the QPs are that the ULP names.  rdma_cm looks for the device by the address of
 * a new connection: it may have moved since the listener was made.
 */
struct ib_device *siw_cm_id_device(const struct iw_cm_id *cm_id)
{
	const struct rdma_cm_id *id = cm_id->context;

	return id->device;
}

static int join_listener(struct siw_backlog *backlog, struct net *net)
{
	struct siw_listener *listener;

	lockdep_assert_held(&siw_listen_lock);
	/*
	 * rdma_cm puts a wildcard id on every device. It takes nothing that comes
	 * to a device of another namespace, be it the net_device's or the RDMA
	 * device's own, so there is no socket there. An error would end the
	 * listener of all devices, also when this one is about to go; one that
	 * only moves is open again before anybody can connect.
	 */
	if (!net_eq(siw_cm_id_net(backlog->cm_id), net) ||
	    !rdma_dev_access_netns(&backlog->dev->base, net) ||
	    READ_ONCE(backlog->dev->closed) & SIW_CLOSED_NETDEV)
		return 0;
	listener = listener_find(net, backlog->cm_id);
	if (!listener)
		listener = listener_new(net, backlog->cm_id, backlog->max);
	else if (member_on(listener, backlog->dev))	/* rdma_cm has UDP's ports too */
		listener = ERR_PTR(-EADDRINUSE);
	if (IS_ERR(listener)) {
		/* Nobody has asked just now, and rdma_cm would lose the device. */
		if (READ_ONCE(backlog->dev->closed) & SIW_CLOSED_CLIENT)
			return 0;
		return PTR_ERR(listener);
	}
	list_add_tail(&backlog->entry, &listener->members);
	set_listener(backlog, listener);
	listener_queue(listener);
	return 0;
}

/**
 * siw_listen_add() - listen for a cm_id
 * @dev: device
 * @cm_id: has the address; keeps the backlog in provider_data
 * @backlog: most connections that wait for accept or reject
 *
 * rdma_cm puts the wildcard ids there are on a device that is being added.  One
 * that can have no socket hears nothing on this device.
 *
 * Return: 0 or -errno, -EADDRINUSE if TCP uses the port already.
 */
int siw_listen_add(struct siw_device *dev, struct iw_cm_id *cm_id, int backlog)
{
	struct siw_backlog *member;
	struct net_device *ndev;
	unsigned int noio;
	int err;

	ndev = ib_device_get_netdev(&dev->base, 1);
	if (!ndev)
		return -ENODEV;
	member = kzalloc_obj(*member, GFP_KERNEL_ACCOUNT);
	if (!member) {
		dev_put(ndev);
		return -ENOMEM;
	}
	kref_init(&member->ref);
	mutex_init(&member->lock);
	INIT_LIST_HEAD(&member->queue);
	member->dev = dev;
	member->max = max(backlog, 1);
	member->cm_id = cm_id;

	/* Our queue waits for the lock. */
	noio = memalloc_noio_save();
	mutex_lock(&siw_listen_lock);
	err = join_listener(member, dev_net(ndev));
	if (!err) {
		cm_id->add_ref(cm_id);
		cm_id->provider_data = member;
	}
	mutex_unlock(&siw_listen_lock);
	memalloc_noio_restore(noio);
	dev_put(ndev);
	if (err)
		siw_backlog_put(member);
	return err;
}

/* No event comes for this cm_id any more. */
void siw_listen_del(struct iw_cm_id *cm_id)
{
	struct siw_backlog *member = cm_id->provider_data;
	struct siw_conn *conn;

	if (!member)
		return;
	mutex_lock(&siw_listen_lock);
	leave_listener(member);
	mutex_unlock(&siw_listen_lock);

	mutex_lock(&member->lock);
	member->cm_id = NULL;
	/* There is nobody left to ask. */
	list_for_each_entry(conn, &member->queue, queued)
		siw_conn_queue(conn);
	mutex_unlock(&member->lock);
	cm_id->provider_data = NULL;
	cm_id->rem_ref(cm_id);
	siw_backlog_put(member);
}

static struct siw_backlog *member_of(const struct siw_device *dev)
{
	struct siw_listener *listener;
	struct siw_backlog *member;

	list_for_each_entry(listener, &siw_listeners, entry) {
		member = member_on(listener, dev);
		if (member)
			return member;
	}
	return NULL;
}

/* The device's net_device is going: its sockets have to go first. */
void siw_listen_del_dev(struct siw_device *dev)
{
	struct siw_backlog *member;

	mutex_lock(&siw_listen_lock);
	while ((member = member_of(dev)))
		leave_listener(member);
	mutex_unlock(&siw_listen_lock);
}
