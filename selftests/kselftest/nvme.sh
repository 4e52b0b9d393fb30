#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#
# A user of siw inside the kernel: an NVMe-oF target of 16 MiB, for an initiator
# on the same host.  Both ULPs know the initial namespace only.
#
#	initial netns
#	+-----------------------------+
#	| siwk                        |
#	|   sk 10.84.0.1/24, a dummy  |
#	+-----------------------------+
#
# nvme.sh up|down
# nvme.sh del		the siw link on sk, below it all

PATH=$PATH:/usr/sbin:/sbin
config=/sys/kernel/config/nvmet
subsystem=$config/subsystems/siw-storm
port=$config/ports/4420
disk=/tmp/siw-storm.disk

del() {
	n=$(rdma link show 2>/dev/null | sed -n 's/^link \([^/]*\)\/.* netdev sk .*/\1/p')
	[ -n "$n" ] && rdma link del "$n"
}

down() {
	for c in /sys/class/nvme/nvme*; do
		grep -qs '^siw-storm$' "$c/subsysnqn" &&
			echo 1 >"$c/delete_controller"
	done
	rm -f $port/subsystems/siw-storm
	[ -d $port ] && rmdir $port
	if [ -d $subsystem ]; then
		echo 0 >$subsystem/namespaces/1/enable
		rmdir $subsystem/namespaces/1
		rmdir $subsystem
	fi 2>/dev/null
	del
	ip link del sk 2>/dev/null
	rm -f $disk
	modprobe -qr nvme-rdma nvmet-rdma
	return 0
}

up() {
	modprobe -q nvmet-rdma && modprobe -q nvme-rdma || return 1
	[ -e /dev/nvme-fabrics ] || return 1
	# Before 5.19 the target has no workqueue of its own: it flushes the system's
	# from iw_cm's, and whenever there is work in it the kernel warns of that.
	grep -qsxe nvmet-wq -e 'kworker/R-nvmet.*' /proc/[0-9]*/comm || return 1
	[ -d $config ] || mount -t configfs none /sys/kernel/config || return 1
	ip link add sk type dummy && ip addr add 10.84.0.1/24 dev sk &&
		ip link set sk up &&
		rdma link add siwk type siw netdev sk || return 1
	truncate -s 16M $disk &&
		mkdir $subsystem && echo 1 >$subsystem/attr_allow_any_host &&
		mkdir $subsystem/namespaces/1 &&
		echo $disk >$subsystem/namespaces/1/device_path &&
		echo 1 >$subsystem/namespaces/1/buffered_io &&
		echo 1 >$subsystem/namespaces/1/enable &&
		mkdir $port && echo rdma >$port/addr_trtype &&
		echo ipv4 >$port/addr_adrfam &&
		echo 10.84.0.1 >$port/addr_traddr &&
		echo 4420 >$port/addr_trsvcid &&
		ln -s $subsystem $port/subsystems/siw-storm
}

case "$1" in
up)
	up || {
		down
		exit 1
	}
	;;
down | del)
	"$1"
	;;
*)
	echo "usage: $0 up|down|del" >&2
	exit 2
	;;
esac
