#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#
# The topology of the siw tests.
#
#	netns sa                          netns sb
#	+----------------------+          +----------------------+
#	| siwa                 |          |                 siwb |
#	|   va 10.83.0.1/24    |<- veth ->|    vb 10.83.0.2/24   |
#	|      fd83::1/64      | MTU 1500 |       fd83::2/64     |
#	|      fe80::1         |          |       fe80::2        |
#	+----------------------+          +----------------------+
#
# topo.sh load|unload		the module
# topo.sh up|down		everything; 4 if this host has no namespaces or no veth
# topo.sh exclusive		the same, with each rdma device in its namespace only
# topo.sh add a|b		the siw link of one side
# topo.sh del a|b		remove it
# topo.sh name a|b		what the link is called (udev may rename it)
#
# SIW_KO names a siw.ko to insert in place of "modprobe siw".

PATH=$PATH:/usr/sbin:/sbin

kcsan=/sys/kernel/debug/kcsan
exclusive=/run/siw-ksft-exclusive	# is there while the mode is ours

load() {
	[ -d /sys/module/siw ] && return 0
	# The KUnit tests run as their module loads: minutes if it watches.
	[ ! -w $kcsan ] || echo off >$kcsan
	if [ -n "$SIW_KO" ]; then
		for m in ib_uverbs rdma_ucm libcrc32c crc32c_generic; do
			modprobe -q "$m" 2>/dev/null
		done
		insmod "$SIW_KO" || return 1
	else
		modprobe siw || return 1
		modprobe -q rdma_ucm
	fi
	watch_races
}

# KCSAN, if there is one, reports what siw's own functions do to each other; the
# kernel's other races are not ours to judge.
watch_races() {
	[ -w $kcsan ] || return 0
	echo whitelist >$kcsan
	awk '$4 == "[siw]" && $2 ~ /^[tT]$/ { print "!siw:" $3 }' /proc/kallsyms |
		while read -r function; do
			echo "$function" >$kcsan 2>/dev/null
		done
	echo on >$kcsan
}

unload() {
	[ -d /sys/module/siw ] || return 0
	rmmod siw
}

name() {
	ip netns exec "s$1" rdma link show 2>/dev/null |
		awk -v dev="v$1" '{
			for (i = 1; i < NF; i++)
				if ($i == "netdev" && $(i + 1) == dev) {
					sub("/.*", "", $2)
					print $2
				}
		}'
}

add() {
	ip netns exec "s$1" rdma link add "siw$1" type siw netdev "v$1"
}

del() {
	n=$(name "$1")
	[ -n "$n" ] && ip netns exec "s$1" rdma link del "$n"
}

# Tries a command for a while.
soon() {
	i=0
	until why=$("$@" 2>&1); do
		i=$((i + 1))
		if [ $i -gt 200 ]; then
			echo "# topo.sh: $*: $why"
			return 1
		fi
		sleep 0.1
	done
}

# Links of one side, on whatever interface
links() {
	ip netns exec "s$1" rdma link show 2>/dev/null |
		awk '/ netdev / { sub("/.*", "", $2); print $2 }'
}

# A namespace goes in the background, and its devices after it.  While one has no
# interface any more, ib_core lets nobody make a new namespace.
gone() {
	for n; do
		[ ! -d "/sys/class/infiniband/$n" ] || {
			echo "$n outlives its namespace"
			return 1
		}
	done
}

down() {
	left=
	for s in a b; do
		[ -e "/var/run/netns/s$s" ] || continue
		left="$left $(links "$s")"
	done
	for s in a b; do
		[ -e "/var/run/netns/s$s" ] || continue
		ip -n "s$s" link del "v$s" 2>/dev/null
		ip netns del "s$s" 2>/dev/null
	done
	if [ -e $exclusive ]; then
		soon rdma system set netns shared || return 1
		rm $exclusive
	fi
	# shellcheck disable=SC2086 # a list of words
	soon gone $left
}

# Addresses are good at once: no duplicate detection, a link-local of our own,
# and neighbours known beforehand.  veth answers ARP before ib_core has queued
# its wait for the answer, which then lasts as long as the caller allowed.
side_up() {
	ip -n "s$1" -b - <<-EOF
		link set lo up
		link set v$1 addrgenmode none
		link set v$1 up
		addr add 10.83.0.$2/24 dev v$1
		addr add fd83::$2/64 dev v$1 nodad
		addr add fe80::$2/64 dev v$1 nodad
		neigh add 10.83.0.$3 lladdr 02:83:00:00:00:0$3 dev v$1 nud permanent
		neigh add fd83::$3 lladdr 02:83:00:00:00:0$3 dev v$1 nud permanent
		neigh add fe80::$3 lladdr 02:83:00:00:00:0$3 dev v$1 nud permanent
	EOF
}

make() {
	ip -b - <<-EOF || return 4
		netns add sa
		netns add sb
		link add va address 02:83:00:00:00:01 mtu 1500 netns sa type veth peer name vb address 02:83:00:00:00:02 mtu 1500 netns sb
	EOF
	side_up a 1 2 && side_up b 2 1 || return 4
	# ib_core gives a name free some time after its device has left sysfs.
	soon add a && soon add b
}

up() {
	down && make
}

# ib_core changes its mode while there is no namespace but the first, and makes
# devices in that one, wherever their netdev is.
exclusive() {
	down && soon rdma system set netns exclusive || return 1
	: >$exclusive
	make && rdma dev set siwa netns sa && rdma dev set siwb netns sb
}

case "$1" in
load | unload | up | down | exclusive)
	"$1"
	;;
add | del | name)
	"$1" "$2"
	;;
*)
	echo "usage: $0 load|unload|up|down|exclusive|add S|del S|name S" >&2
	exit 2
	;;
esac
