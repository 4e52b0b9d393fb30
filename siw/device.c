// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Devices: made by "rdma link add", gone with their net_device.
 */
#include <linux/if_arp.h>
#include <linux/jiffies.h>
#include <linux/percpu.h>
#include <linux/random.h>
#include <net/addrconf.h>
#include <rdma/iw_cm.h>

#include "conn.h"
#include "device.h"
#include "log.h"
#include "verbs.h"

/* What carries TCP the way it is needed here */
static bool is_usable(const struct net_device *ndev)
{
	switch (ndev->type) {
	case ARPHRD_ETHER:
	case ARPHRD_LOOPBACK:
	case ARPHRD_NONE:
		return true;
	default:
		return false;
	}
}

/* rdma_cm finds the device by its net_device's address, in place of a GID. */
static void set_gid(struct siw_device *dev, const struct net_device *ndev)
{
	u8 *guid = (u8 *)&dev->base.node_guid;

	if (ndev->addr_len == ETH_ALEN && !is_zero_ether_addr(ndev->dev_addr))
		memcpy(dev->raw_gid, ndev->dev_addr, ETH_ALEN);
	else
		eth_random_addr(dev->raw_gid);
	addrconf_addr_eui48(guid, dev->raw_gid);
}

/* Before 6.6 rdma_cm looks for no other GID than the address of the moment. */
static void change_gid(struct siw_device *dev, const struct net_device *ndev)
{
	struct ib_event event = {
		.device = &dev->base,
		.element.port_num = 1,
		.event = IB_EVENT_GID_CHANGE,
	};

	if (ndev->addr_len != ETH_ALEN || is_zero_ether_addr(ndev->dev_addr))
		return;
	spin_lock(&dev->gid_lock);
	memcpy(dev->raw_gid, ndev->dev_addr, ETH_ALEN);
	spin_unlock(&dev->gid_lock);
	ib_dispatch_event(&event);
}

/* The only GID there is. Context: process. */
int siw_device_gid(struct ib_device *base, u32 port, int index,
		   union ib_gid *gid)
{
	struct siw_device *dev = to_siw_dev(base);

	spin_lock(&dev->gid_lock);
	memcpy(gid->raw, dev->raw_gid, sizeof(gid->raw));
	spin_unlock(&dev->gid_lock);
	return 0;
}

/* How long a speed is taken for what it was */
#define SPEED_KEPT	(10 * HZ)

/*
 * ib_core asks under the RTNL and writes a line each time nobody knows; any process
 * may want to know, as often as it likes. Context: process.
 */
void siw_device_speed(struct ib_device *base, struct ib_port_attr *attr)
{
	struct siw_device *dev = to_siw_dev(base);
	unsigned long due = READ_ONCE(dev->speed_due);

	if (time_in_range(jiffies, due - SPEED_KEPT, due)) {
		attr->active_speed = READ_ONCE(dev->speed);
		attr->active_width = READ_ONCE(dev->width);
		return;
	}
	WRITE_ONCE(dev->speed_due, jiffies + SPEED_KEPT);
	ib_get_eth_speed(base, 1, &attr->active_speed, &attr->active_width);
	WRITE_ONCE(dev->speed, attr->active_speed);
	WRITE_ONCE(dev->width, attr->active_width);
}

/*
 * RFC 5044 section 7.1: a CRC is used if either side asks for it.  Not to ask
 * is for networks that lose and change nothing TCP does not see, and takes
 * effect on connections made from then on.
 */
static ssize_t crc_show(struct device *base, struct device_attribute *attr,
			char *buf)
{
	struct siw_device *dev =
		rdma_device_to_drv_device(base, struct siw_device, base);

	return sysfs_emit(buf, "%d\n", READ_ONCE(dev->crc));
}

static ssize_t crc_store(struct device *base, struct device_attribute *attr,
			 const char *buf, size_t len)
{
	struct siw_device *dev =
		rdma_device_to_drv_device(base, struct siw_device, base);
	bool crc;
	int err = kstrtobool(buf, &crc);

	if (err)
		return err;
	WRITE_ONCE(dev->crc, crc);
	return len;
}
static DEVICE_ATTR_RW(crc);

static struct attribute *siw_mpa_attrs[] = {
	&dev_attr_crc.attr,
	NULL
};

/* /sys/class/infiniband/NAME/mpa/ */
const struct attribute_group siw_device_group = {
	.name = "mpa",
	.attrs = siw_mpa_attrs,
};

/* Called by ib_core when nothing refers to the device any more. */
void siw_device_dealloc(struct ib_device *base)
{
	struct siw_device *dev = to_siw_dev(base);
	u32 obj;

	siw_conn_abort_all(dev, SIW_CLOSED_NETDEV);
	siw_listen_del_dev(dev);
	/* Work of connections that are over may still look at the device. */
	siw_conn_flush();
	/*
	 * rdma_cm lets a device go before its reference to the GID, and the
	 * last such reference queues work that looks at the device. Wait until
	 * whoever is between the two has got past them, then for the work.
	 */
	synchronize_rcu_tasks();
	flush_workqueue(ib_wq);
	/* All that was counted was counted off, and nothing is found any more. */
	for (obj = 0; obj < SIW_OBJECTS; obj++)
		WARN_ON_ONCE(atomic_read(&dev->objects[obj]));
	WARN_ON_ONCE(dev->lingering);
	WARN_ON_ONCE(!xa_empty(&dev->qps) || !xa_empty(&dev->mrs));
	siw_log_exit(dev);
	free_percpu(dev->stats);
	xa_destroy(&dev->qps);
	xa_destroy(&dev->mrs);
}

static struct siw_device *device_new(struct net_device *ndev)
{
	struct siw_device *dev = ib_alloc_device(siw_device, base);

	if (!dev)
		return NULL;
	xa_init_flags(&dev->qps, XA_FLAGS_ALLOC | XA_FLAGS_LOCK_IRQ);
	xa_init(&dev->mrs);
	mutex_init(&dev->conns_lock);
	spin_lock_init(&dev->gid_lock);
	INIT_LIST_HEAD(&dev->conns);
	INIT_LIST_HEAD(&dev->half_open);
	INIT_LIST_HEAD(&dev->lingerers);
	dev->closed = SIW_CLOSED_CLIENT;	/* until client_add() */
	dev->speed_due = jiffies - 1;
	dev->speed = IB_SPEED_SDR;
	dev->width = IB_WIDTH_1X;
	dev->crc = true;
	dev->stats = alloc_percpu(struct siw_stats);
	if (!dev->stats || siw_log_init(dev)) {
		free_percpu(dev->stats);
		ib_dealloc_device(&dev->base);
		return NULL;
	}
	set_gid(dev, ndev);
	strscpy(dev->base.node_desc, SIW_NODE_DESC_COMMON,
		sizeof(dev->base.node_desc));
	strscpy(dev->base.iw_ifname, ndev->name, sizeof(dev->base.iw_ifname));
	dev->base.iw_driver_flags = IW_F_NO_PORT_MAP;
	dev->base.node_type = RDMA_NODE_RNIC;
	dev->base.phys_port_cnt = 1;
	dev->base.num_comp_vectors = num_possible_cpus();
	dev->base.uverbs_cmd_mask |= BIT_ULL(IB_USER_VERBS_CMD_POST_SEND);
	ib_set_device_ops(&dev->base, &siw_device_ops);
	return dev;
}

/* Its net_device is going: close its sockets now, the rest may follow. */
static void device_gone(struct siw_device *dev)
{
	siw_conn_abort_all(dev, SIW_CLOSED_NETDEV);
	siw_listen_del_dev(dev);
	ib_unregister_device_queued(&dev->base);
}

static struct siw_device *device_of(struct net_device *ndev)
{
	struct ib_device *base =
		ib_device_get_by_netdev(ndev, RDMA_DRIVER_SIW);

	return base ? to_siw_dev(base) : NULL;
}

static int add_locked(const char *name, struct net_device *ndev)
{
	struct siw_device *dev = device_of(ndev);
	int err;

	if (dev) {
		ib_device_put(&dev->base);
		return -EEXIST;
	}
	dev = device_new(ndev);
	if (!dev)
		return -ENOMEM;
	ib_mark_name_assigned_by_user(&dev->base);
	err = ib_device_set_netdev(&dev->base, ndev, 1);
	if (!err)
		err = ib_register_device(&dev->base, name, NULL);
	if (err) {
		ib_dealloc_device(&dev->base);
		return err;
	}
	/* The net_device may have gone before the device could be found. */
	if (data_race(ndev->reg_state) != NETREG_REGISTERED) {
		dev = device_of(ndev);
		if (dev) {
			device_gone(dev);
			ib_device_put(&dev->base);
		}
	}
	return 0;
}

/**
 * siw_device_add() - make a device on top of a net_device
 * @name: name or pattern for ib_core
 * @ndev: the net_device
 *
 * Return: 0, -EINVAL for a kind of net_device that cannot be used, -EEXIST if
 * it has a device already, or what ib_core said.
 */
int siw_device_add(const char *name, struct net_device *ndev)
{
	/* One device for a net_device, whoever asks at the same time. */
	static DEFINE_MUTEX(lock);
	int err;

	if (!is_usable(ndev))
		return -EINVAL;
	mutex_lock(&lock);
	err = add_locked(name, ndev);
	mutex_unlock(&lock);
	return err;
}

static int netdev_event(struct notifier_block *nb, unsigned long event,
			void *arg)
{
	struct net_device *ndev = netdev_notifier_info_to_dev(arg);
	struct siw_device *dev = device_of(ndev);

	if (!dev)
		return NOTIFY_DONE;
	if (event == NETDEV_UNREGISTER)
		device_gone(dev);
	else if (event == NETDEV_CHANGENAME)
		strscpy(dev->base.iw_ifname, ndev->name,
			sizeof(dev->base.iw_ifname));
	else if (event == NETDEV_CHANGEADDR)
		change_gid(dev, ndev);
	ib_device_put(&dev->base);
	return NOTIFY_DONE;
}

/*
 * ib_core tells its clients that a device goes, the last registered first, and
 * rdma_cm waits for connections that are being made.  As a client that comes
 * after it we can end them before.  A device that is new, or comes back when it
 * has moved to another network namespace, opens when all have been told.
 */
static int client_add(struct ib_device *base)
{
	struct siw_device *dev = to_siw_dev(base);
	struct net_device *ndev;

	if (base->ops.driver_id != RDMA_DRIVER_SIW)
		return -EOPNOTSUPP;
	/* netdev_event() has not found the device until now. */
	ndev = ib_device_get_netdev(base, 1);
	if (ndev) {
		if (memcmp(dev->raw_gid, ndev->dev_addr, ETH_ALEN))
			change_gid(dev, ndev);
		dev_put(ndev);
	}
	mutex_lock(&dev->conns_lock);
	dev->closed &= ~SIW_CLOSED_CLIENT;
	mutex_unlock(&dev->conns_lock);
	return 0;
}

static void client_remove(struct ib_device *base, void *data)
{
	siw_conn_abort_all(to_siw_dev(base), SIW_CLOSED_CLIENT);
}

static struct ib_client siw_client = {
	.name = "siw",
	.add = client_add,
	.remove = client_remove,
};

static struct notifier_block netdev_nb = {
	.notifier_call = netdev_event,
};

int siw_device_init(void)
{
	int err = ib_register_client(&siw_client);

	if (err)
		return err;
	err = register_netdevice_notifier(&netdev_nb);
	if (err)
		ib_unregister_client(&siw_client);
	return err;
}

void siw_device_exit(void)
{
	ib_unregister_driver(RDMA_DRIVER_SIW);
	unregister_netdevice_notifier(&netdev_nb);
	ib_unregister_client(&siw_client);
}
