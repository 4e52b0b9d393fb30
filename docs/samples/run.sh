#!/bin/sh
# SPDX-License-Identifier: MIT-0
#
# Runs the samples in pairs, as root, and prints KTAP: over siw between two
# network namespaces (topo.sh has the picture), and over rxe, where client and
# server share a host, as rxe knows the first namespace only.
#
#	rxea on ra, 10.85.0.1/24, one end of a veth pair
#
# Of each pair: it runs; when the server is killed the client says so, when the
# client is killed the server does, each within 5 s, or the limit in the test's name.
#
# run.sh [siw|rxe [SAMPLE...]]
#
# SIW_SAMPLES_SLOW	stretches the 5 s by this factor, where a CPU is emulated

PATH=$PATH:/usr/sbin:/sbin
cd "$(dirname "$0")" || exit 1
topo=./topo.sh
[ -x $topo ] || topo=../../selftests/kselftest/topo.sh

all="hello credits notify read epoll polling srq many revoke filecopy reconnect
	rpc easy"
fabrics=${1:-siw rxe}
[ $# -gt 0 ] && shift
samples=${*:-$all}
limit=$((5 * ${SIW_SAMPLES_SLOW:-1}))
tmp=$(mktemp -d) || exit 1
n=0
failed=0
server=
client=

skip_all() {
	echo "1..0 # SKIP $*"
	exit 4
}

# shellcheck disable=SC2317 # reached by the trap
tidy() {
	stop
	link_down
	rm -rf "$tmp"
}

result() {
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n $fabric: $2"
		return
	fi
	echo "not ok $n $fabric: $2"
	sed 's/^/# server: /' "$tmp/server" | tail -n 5
	sed 's/^/# client: /' "$tmp/client" | tail -n 5
	failed=$((failed + 1))
}

link_up() {
	case $fabric in
	siw)
		address=10.83.0.2
		at_server="ip netns exec sb"
		at_client="ip netns exec sa"
		$topo load && $topo up
		;;
	rxe)
		address=10.85.0.1
		at_server=
		at_client=
		modprobe rdma_rxe && modprobe rdma_ucm || return 1
		ip link add ra type veth peer name rb &&
			ip address add $address/24 dev ra &&
			ip link set ra up && ip link set rb up &&
			rdma link add rxea type rxe netdev ra
		;;
	esac
}

link_down() {
	case $fabric in
	siw) $topo down ;;
	rxe)
		rdma link delete rxea
		ip link delete ra
		;;
	esac >/dev/null 2>&1
}

# What each program takes besides its address: (SIDE SAMPLE short|long)
arguments() {
	case $1,$2,$3 in
	server,filecopy,*) echo "$tmp/copy" ;;
	client,filecopy,short) echo "$tmp/file" ;;
	client,filecopy,long) echo "$tmp/long" ;;
	client,hello,long) echo 60 ;;
	client,*,long) echo 4000000000 ;;
	esac
}

program() {
	case $1,$2 in
	*,easy) echo "./easy_$1" ;;
	client,srq) echo "./epoll client" ;;
	*) echo "./$2 $1" ;;
	esac
}

# These serve one client after the other, until they are stopped.
serves_on() {
	case $1 in
	epoll | srq | many | reconnect | easy) return 0 ;;
	*) return 1 ;;
	esac
}

# await FILE PATTERN SECONDS
await() {
	i=0
	until grep -q "$2" "$1"; do
		i=$((i + 1))
		[ $i -gt $(($3 * 10)) ] && return 1
		sleep 0.1
	done
}

running() { kill -0 "$1" 2>/dev/null; }

# ended PID SECONDS: its exit status, or 99 for one that goes on
ended() {
	i=0
	while running "$1"; do
		i=$((i + 1))
		[ $i -gt $(($2 * 10)) ] && return 99
		sleep 0.1
	done
	wait "$1"
}

start_server() {
	: >"$tmp/client"
	# shellcheck disable=SC2046,SC2086 # words are words
	$at_server $(program server "$1") $address $(arguments server "$1") \
		>"$tmp/server" 2>&1 &
	server=$!
	await "$tmp/server" '^listening' 20
}

start_client() {
	# shellcheck disable=SC2046,SC2086 # words are words
	$at_client $(program client "$1") $address $(arguments client "$1" "$2") \
		>"$tmp/client" 2>&1 &
	client=$!
}

stop() {
	for pid in $server $client; do
		kill -9 "$pid" && wait "$pid"
	done >/dev/null 2>&1
	server=
	client=
}

# What a peer's death is called. A process that dies loses its memory before its
# queue pair: over rxe a Write or Read that comes between fails for that reason.
says_so() {
	grep -q 'the peer has closed the connection' "$1" && return
	[ $fabric = rxe ] && grep -q 'remote access error' "$1"
}

# The last thing the client of revoke does is refused.
runs() {
	start_server "$1" || return
	start_client "$1" short
	ended "$client" 60
	status=$?
	if [ "$1" = revoke ]; then
		[ $status = 1 ] && grep -q 'with the old key' "$tmp/client" ||
			return 1
	elif [ $status != 0 ]; then
		return 1
	fi
	if serves_on "$1"; then
		running "$server" || return
	else
		ended "$server" 20 || return
	fi
	[ "$1" != filecopy ] || cmp "$tmp/file" "$tmp/copy"
}

both_work() {
	start_server "$1" && start_client "$1" long &&
		await "$tmp/client" '^connected' 20 &&
		await "$tmp/server" '^\(connected\|listening\)' 20 || return
	sleep 0.5
	running "$server" && running "$client"
}

server_killed() {
	both_work "$1" || return
	kill -9 "$server"
	if [ "$1" = reconnect ]; then
		await "$tmp/client" 'again in' $limit && says_so "$tmp/client" &&
			start_server "$1" &&
			await "$tmp/server" '^connected' 20 && running "$client"
		return
	fi
	ended "$client" $limit
	[ $? = 1 ] && says_so "$tmp/client"
}

client_killed() {
	both_work "$1" || return
	kill -9 "$client"
	if serves_on "$1"; then
		await "$tmp/server" 'has ended\|has gone\|the peer has closed' \
			$limit || return
		start_client "$1" short
		ended "$client" 60 && running "$server"
		return
	fi
	ended "$server" $limit
	status=$?
	case $1 in
	# It cannot know, and need not, whether its client was content.
	hello) [ $status = 0 ] && grep -q 'closed' "$tmp/server" ;;
	*) [ $status = 1 ] && says_so "$tmp/server" ;;
	esac
}

[ "$(id -u)" = 0 ] || skip_all 'needs root'
for command in ip rdma modprobe cmp; do
	command -v $command >/dev/null || skip_all "needs the command $command"
done
trap tidy EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
head -c 300001 /dev/urandom >"$tmp/file"
truncate -s 4G "$tmp/long"

echo 'KTAP version 1'
echo "1..$(($(echo "$fabrics" | wc -w) * $(echo "$samples" | wc -w) * 3))"
for fabric in $fabrics; do
	if ! link_up; then
		echo "Bail out! no $fabric here"
		exit 1
	fi
	for sample in $samples; do
		runs "$sample"
		result $? "$sample runs"
		stop
		server_killed "$sample"
		result $? "$sample: the server is killed, which is told within $limit s"
		stop
		client_killed "$sample"
		result $? "$sample: the client is killed, which is told within $limit s"
		stop
	done
	link_down
done
echo "# $n tests, $failed failed"
[ $failed = 0 ]
