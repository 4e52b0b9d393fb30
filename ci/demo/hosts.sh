# shellcheck shell=bash
# What the demo says to its two hosts.

addr_a=192.0.2.1
addr_b=192.0.2.2

# on HOST COMMAND [LIMIT]: run it there.
on() { "$SIW_VM" on --limit "${3:-60}" "$1" "$2"; }

addr_of() { [ "$1" = a ] && echo "$addr_a" || echo "$addr_b"; }
other() { [ "$1" = a ] && echo b || echo a; }

# The RDMA device of a host, found by its network interface: udev may give it
# another name than the one in links.conf.
device_of() {
	on "$1" "rdma link show | sed -n 's,^link \([^/]*\)/.*netdev eth0.*,\1,p'"
}

# Of the host that SIW_PEER names, /payload/peer.ko is the driver.
set_up() {
	local host=$1 link="echo 'siw0 eth0' >>/etc/siw/links.conf
			systemctl restart siw"
	[ "$host" != "${SIW_PEER:-}" ] || link='set -e
		modprobe -a rdma_ucm iw_cm
		! rmmod siw
		modprobe -q libcrc32c || :
		insmod /payload/peer.ko
		rdma link add siw0 type siw netdev eth0'
	on "$host" "ip address add $(addr_of "$host")/24 dev eth0
		ip link set eth0 up
		$link" || return 1
	[ -n "$(device_of "$host")" ]
}

# start HOST COMMAND: a server, left running; its output goes to a file.
start() {
	on "$1" "setsid $2 >/run/server.log 2>&1 </dev/null &"
}

# server_log HOST: what it said; it is given a moment to end by itself.
server_log() {
	on "$1" 'for i in $(seq 60); do
			rdma resource show cm_id 2>/dev/null | grep -q LISTEN || break
			sleep 0.5
		done
		cat /run/server.log'
}

await_listener() {
	on "$1" 'for i in $(seq 100); do
			rdma resource show cm_id | grep -q LISTEN && exit 0
			sleep 0.1
		done
		cat /run/server.log
		exit 1' 90
}
