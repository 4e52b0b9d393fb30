#!/bin/bash
# The measurements, inside the guest; or on the first of two hosts, if SIW_BENCH_B
# is the address of the other (ci/run bench --hosts), where root logs in by ssh.
#
#	netns sa                          netns sb
#	   va 10.83.0.1/24  <- veth, MTU ->  vb 10.83.0.2/24
#
# NVMe over Fabrics knows only the first namespace: both ends stay in it, and
# rules of routing send what is for the other end over the veth all the same.
#
# guest.sh setup PEER MTU CRC PLACE  PEER is siw, notrace, inbox, rxe or tcp, CRC is
#                                    on or off, PLACE is netns, one (namespace), or
#                                    cpus, core: a CPU for each end, one for both
# guest.sh mtu                       prints that of the interface towards the other host
# guest.sh TOOL WHAT SIZE QPS BATCH N TIMES   prints as many figures: octets per
#                                    second, or for a latency ns one way
set -u
PATH=/usr/sbin:/usr/bin:/sbin:/bin
addr_a=10.83.0.1
addr_b=10.83.0.2
port=19765
peer=$(cat /run/peer 2>/dev/null)
cpu_b=$(cat /run/cpu_b 2>/dev/null)
hosts=${SIW_BENCH_B:-}

fail() {
	echo "guest.sh: $*" >&2
	exit 1
}

if [ -n "$hosts" ]; then
	# ip(8) knows no names.
	addr_b=$(getent ahostsv4 "$hosts" | awk '{ print $1; exit }')
	[ -n "$addr_b" ] || fail "$hosts: no IPv4 address of that name"
	a() { "$@"; }
	b() {
		ssh -n -o BatchMode=yes -o ConnectTimeout=10 "root@$addr_b" \
			"PATH=$PATH $(printf '%q ' "$@")"
	}
else
	a() { ip netns exec sa ${cpu_b:+taskset -c 0} "$@"; }
	b() { ip netns exec sb ${cpu_b:+taskset -c "$cpu_b"} "$@"; }
fi

devices_gone() {
	local i
	for i in $(seq 100); do
		[ -n "$(ls /sys/class/infiniband 2>/dev/null)" ] || return 0
		sleep 0.1
	done
	fail 'an RDMA device stays'
}

tear_down() {
	pkill -9 -x 'ib_.*|qperf|media|nginx'
	nvme_off 2>/dev/null
	rm -f /run/cpu_b
	ip -n sa link del va 2>/dev/null
	ip link del va 2>/dev/null
	ip netns del sa 2>/dev/null
	ip netns del sb 2>/dev/null
	# A link of the first namespace is not deleted with another one.
	devices_gone
	rmmod siw 2>/dev/null
	rmmod rdma_rxe 2>/dev/null
	return 0
}

# Both drivers of that name need what the other one does.
load() {
	modprobe -a ib_uverbs rdma_ucm iw_cm
	modprobe -q libcrc32c
	case $1 in
	siw | inbox | notrace) insmod "/payload/$1.ko" ;;
	rxe) modprobe rdma_rxe ;;
	esac
}

# wire MTU: the two interfaces, and with $1 = one the rules.
wire() {
	local place=$1 mtu=$2 ns_a=() ns_b=()
	[ "$place" = one ] || {
		ip netns add sa && ip netns add sb || return 1
		ns_a=(-n sa)
		ns_b=(-n sb)
		ip -n sa link set lo up
		ip -n sb link set lo up
	}
	ip link add va address 02:83:00:00:00:01 mtu "$mtu" type veth peer \
		name vb address 02:83:00:00:00:02 mtu "$mtu" || return 1
	if [ "$place" = one ]; then
		one_place
	else
		ip link set va netns sa && ip link set vb netns sb || return 1
	fi
	ip "${ns_a[@]}" addr add "$addr_a/24" dev va &&
		ip "${ns_b[@]}" addr add "$addr_b/24" dev vb &&
		ip "${ns_a[@]}" link set va up &&
		ip "${ns_b[@]}" link set vb up || return 1
	[ "$place" != one ] || {
		ip route add "$addr_b" dev va src "$addr_a" table 83 &&
			ip route add "$addr_a" dev vb src "$addr_b" table 84
	}
}

# Programs and what is received: sa on the first CPU, sb on the second or with it.
cpus() {
	local cpu=1
	[ "$1" = cpus ] || cpu=0
	echo "$cpu" >/run/cpu_b
	ip netns exec sa sh -c 'echo 1 >/sys/class/net/va/queues/rx-0/rps_cpus' &&
		ip netns exec sb sh -c \
			"echo $((1 << cpu)) >/sys/class/net/vb/queues/rx-0/rps_cpus"
}

# An address of this host is looked up as one behind the wire, but not for what
# comes in from there.
one_place() {
	local dev
	for dev in all va vb; do
		sysctl -q -w "net.ipv4.conf.$dev.rp_filter=0" \
			"net.ipv4.conf.$dev.accept_local=1" \
			"net.ipv4.conf.$dev.arp_ignore=1" \
			"net.ipv4.conf.$dev.arp_announce=2"
	done
	ip rule show | grep -q 'lookup 83' && return
	ip rule add pref 10 iif lo to "$addr_b" lookup 83
	ip rule add pref 11 iif lo to "$addr_a" lookup 84
	ip rule add pref 100 lookup local
	ip rule del pref 0
}

# netdev_to END ADDRESS: its interface towards there
netdev_to() { "$1" ip -o route get "$2" | sed -n 's/.* dev \([^ ]*\).*/\1/p'; }

mtu_of() { "$1" cat "/sys/class/net/$2/mtu"; }

# The address of this host that the other one sees
own_address() { ip -o route get "$addr_b" | sed -n 's/.* src \([^ ]*\).*/\1/p'; }

# Of both ends, or there is nothing to measure.
mtu_of_hosts() {
	local dev_a dev_b mtu
	dev_a=$(netdev_to a "$addr_b")
	dev_b=$(netdev_to b "$(own_address)")
	[ -n "$dev_a" ] && [ -n "$dev_b" ] ||
		fail "no route to $addr_b, or no login there, or none back"
	mtu=$(mtu_of a "$dev_a")
	[ "$(mtu_of b "$dev_b")" = "$mtu" ] ||
		fail "$dev_a has another MTU than $dev_b on the other host"
	echo "$mtu"
}

# Both hosts have the modules; links of other names on them stay.
setup_hosts() {
	local peer=$1 crc=$3 dev_a dev_b end
	for end in a b; do
		"$end" pkill -9 -x 'ib_.*|qperf'
		"$end" rdma link delete "d$end" 2>/dev/null
		"$end" modprobe -a ib_uverbs rdma_ucm
	done
	dev_a=$(netdev_to a "$addr_b")
	dev_b=$(netdev_to b "$(own_address)")
	echo "$peer" >/run/peer
	[ "$peer" != tcp ] || return 0
	a rdma link add da type "$peer" netdev "$dev_a" &&
		b rdma link add db type "$peer" netdev "$dev_b" ||
		fail "no link of type $peer: is there one on $dev_a or $dev_b already?"
	[ "$peer" != siw ] || for end in a b; do
		"$end" sh -c "echo $crc >/sys/class/infiniband/d$end/mpa/crc" ||
			fail 'no CRC option: is it the siw of this package?'
	done
	sleep 1
}

setup() {
	local peer=$1 mtu=$2 crc=$3 place=$4 type=$1 on_a=() on_b=() dev
	[ -z "$hosts" ] || {
		setup_hosts "$@"
		return
	}
	tear_down
	[ "$peer" = tcp ] || load "$peer" || fail "no module for $peer"
	wire "$place" "$mtu" || fail 'no veth'
	[[ $place != @(cpus|core) ]] || cpus "$place" || fail 'no CPU for each end'
	echo "$peer" >/run/peer
	[ "$peer" != tcp ] || return 0
	case $peer in
	inbox | notrace) type=siw ;;
	esac
	[ "$place" = one ] || {
		on_a=(ip netns exec sa)
		on_b=(ip netns exec sb)
	}
	"${on_a[@]}" rdma link add da type "$type" netdev va &&
		"${on_b[@]}" rdma link add db type "$type" netdev vb ||
		fail "no link of type $type"
	[[ $peer != @(siw|notrace) ]] || for dev in da db; do
		echo "$crc" >"/sys/class/infiniband/$dev/mpa/crc" ||
			fail 'no CRC option'
	done
	sleep 1
}

# Which columns of perftest's line of results, and how they become our unit.
bandwidth='$1 == size && NF >= 5 {
	printf "%.0f\n", size < 4096 ? $5 * 1e6 * size : $4 * 1048576; exit }'
latency='$1 == size && NF >= 6 { printf "%.0f\n", $5 * 1000; exit }'

# perftest TOOL SIZE ARGUMENT...: the client's line of results is in /run/client.
#
# The server of a Write or Read has no part in it, but waits for the end by
# polling: on one CPU that would take half of it. So it is stopped meanwhile.
perftest_run() {
	local tool=$1 line pid status
	shift
	rm -f /run/server /run/server.pid /run/client
	# shellcheck disable=SC2016 # expands inside
	b stdbuf -oL bash -c 'echo $$ >/run/server.pid; exec "$@"' server \
		"$tool" -R -F -d db "$@" 2>&1 | while read -r line; do
		echo "$line"
		[[ -n $hosts || $tool != ib_@(write|read)_bw || $what = *-both ||
			$line != '#bytes'* ]] || kill -STOP "$(cat /run/server.pid)"
	done >/run/server &
	rdma_listens
	pid=$(b cat /run/server.pid)
	a timeout 600 stdbuf -oL "$tool" -R -F -d da "$@" \
		"$addr_b" 2>&1 | while read -r line; do
		echo "$line"
		[[ ! $line =~ ^[0-9]+\ +[0-9]+\  ]] || b kill -CONT "$pid"
	done >/run/client
	status=${PIPESTATUS[0]}
	b kill -CONT "$pid" 2>/dev/null
	# It would wait for its client for ever.
	[ "$status" -eq 0 ] || b kill "$pid" 2>/dev/null
	wait
}

# Until the server is there. Other hosts may have listeners of their own: there it
# is what perftest says just before it listens.
rdma_listens() {
	local i
	for i in $(seq 300); do
		[ -z "$hosts" ] || {
			sleep 0.1
			grep -qs Waiting /run/server || continue
			sleep 0.5
			return
		}
		! rdma resource show cm_id | grep -q 'state LISTEN' || return 0
		sleep 0.02
	done
	return 1
}

# perftest WHAT SIZE QPS BATCH N: what is enough to count instructions is over at
# once on a real network.
perftest() {
	local what=$1 size=$2 qps=$3 batch=$4 n=$5 tool args column=$bandwidth
	[ -z "$hosts" ] || n=$((n * 100))
	[[ $what != *latency* ]] || n=$((n < 20000 ? n : 20000))
	args=(-s "$size" -n "$n")
	case $what in
	send | read | write)
		tool=ib_${what}_bw
		args+=(-q "$qps" -l "$batch")
		[ "$what" = write ] || args+=(-e)
		# Out of credit its sender sleeps for ever (docs/reference/interop.md):
		# it has more, or does not come to the end of what it has.
		[ "$what-$batch" != send-32 ] || args+=(-r 4096)
		if [ "$qps" -ge 8 ] || { [ "$what" = send ] && [ "$n" -lt 128 ]; }; then
			args+=(-t 16)
		fi
		;;
	*-both)
		# Both ends poll.
		tool=ib_${what%-both}_bw
		args+=(-b)
		;;
	send-latency)
		tool=ib_send_lat
		args+=(-e)
		column=$latency
		;;
	*-latency-polling)
		tool=ib_${what%%-*}_lat
		column=$latency
		;;
	*)
		fail "perftest has no $what"
		;;
	esac
	perftest_run "$tool" "${args[@]}"
	awk -v size="$size" "$column" /run/client | grep . || {
		tail -n 5 /run/server /run/client >&2
		return 1
	}
}

# qperf WHAT SIZE: for a second, as its clock goes in steps of 10 ms and its TCP
# tests know no other limit. A client that is quicker than its server listens is
# rejected (docs/reference/interop.md), and starts again.
qperf() {
	local what=$1 size=$2 test
	case $peer/$what in
	tcp/latency) test=(tcp_lat) ;;
	tcp/stream) test=(tcp_bw) ;;
	*/send) test=(-cm1 rc_bw) ;;
	*/read) test=(-cm1 rc_rdma_read_bw) ;;
	*/send-latency) test=(-cm1 rc_lat) ;;
	*) fail "qperf has no $what" ;;
	esac
	for _ in 1 2 3 4 5 6; do
		b qperf -lp "$port" >/run/server 2>&1 &
		sleep 0.2
		a timeout 600 qperf "$addr_b" -lp "$port" -uu -vvu \
			-t 1 -m "$size" "${test[@]}" >/run/client 2>&1
		b pkill -x qperf
		wait
		grep -q 'Event rejected' /run/client || break
	done
	awk '$1 == "bw" || $1 == "latency" { print $3; exit }' /run/client |
		grep . || {
		tail -n 5 /run/server /run/client >&2
		return 1
	}
}

# Ticks of 10 ms that the CPU of sb has worked.
worked() { awk -v cpu="cpu$cpu_b" '$1 == cpu { print $2 + $3 + $4 + $7 + $8 }' /proc/stat; }

film_server() {
	if [ "$peer" != tcp ]; then
		b /payload/media serve "$addr_b" "$port" >/run/server 2>&1 &
		rdma_listens
		return
	fi
	mkdir -p /run/film
	[ -s /run/film/film ] || head -c 16M /dev/zero >/run/film/film
	cat >/run/film/conf <<-END
	daemon off;
	user root;
	pid /run/film/pid;
	worker_processes 1;
	error_log stderr;
	events { worker_connections 4096; }
	http {
		access_log off;
		sendfile on;
		tcp_nopush on;
		keepalive_requests 1000000;
		server { listen $addr_b:$port; root /run/film; }
	}
	END
	b nginx -c /run/film/conf >/run/server 2>&1 &
	sleep 1
}

# media write SIZE - - N: chunks with a Send each that is answered.
# media connect-latency - N: of N connections, made one after the other and kept.
# media streams SIZE STREAMS - SECONDS: octets for a second of the server's CPU.
media() {
	local what=$1 size=$2 streams=$3 n=$5 mode=read before octets
	film_server || return 1
	if [ "$what" = connect-latency ]; then
		a timeout 600 /payload/media connect "$addr_b" "$port" "$streams" \
			>/run/client 2>&1
	elif [ "$what" != streams ]; then
		a timeout 600 /payload/media write "$addr_b" "$port" "$size" "$n" \
			>/run/client 2>&1
	else
		[ "$peer" != tcp ] || mode=http
		before=$(worked)
		a timeout 600 /payload/media "$mode" "$addr_b" "$port" \
			"$streams" "$n" >/run/client 2>&1
		octets=$(grep -xE '[0-9]+' /run/client) &&
			awk -v octets="$octets" -v ticks=$(($(worked) - before)) \
				'BEGIN { printf "%.0f\n", octets * 100 / ticks }' \
				>/run/client
	fi
	pkill -x 'media|nginx'
	wait
	grep -xE '[0-9]+' /run/client || {
		tail -n 5 /run/server /run/client >&2
		return 1
	}
}

nvme_on() {
	local transport=$peer options=() dir=/sys/kernel/config/nvmet i
	modprobe -a nvmet null_blk
	mount | grep -q configfs || mount -t configfs configfs /sys/kernel/config
	[ "$peer" = tcp ] && options=(--data-digest) || transport=rdma
	modprobe -a "nvmet-$transport" "nvme-$transport"
	mkdir "$dir/subsystems/bench" "$dir/subsystems/bench/namespaces/1" \
		"$dir/ports/1" || return 1
	echo 1 >"$dir/subsystems/bench/attr_allow_any_host"
	echo /dev/nullb0 >"$dir/subsystems/bench/namespaces/1/device_path"
	echo 1 >"$dir/subsystems/bench/namespaces/1/enable"
	echo "$transport" >"$dir/ports/1/addr_trtype"
	echo ipv4 >"$dir/ports/1/addr_adrfam"
	echo "$addr_b" >"$dir/ports/1/addr_traddr"
	echo 4420 >"$dir/ports/1/addr_trsvcid"
	ln -s "$dir/subsystems/bench" "$dir/ports/1/subsystems/bench" || return 1
	nvme connect -t "$transport" -a "$addr_b" -s 4420 -n bench -i 1 \
		"${options[@]}" >/dev/null || return 1
	for i in $(seq 100); do
		[ ! -b /dev/nvme0n1 ] || return 0
		sleep 0.1
	done
	return 1
}

nvme_off() {
	local dir=/sys/kernel/config/nvmet
	[ -d "$dir/ports/1" ] || return 0
	nvme disconnect -n bench >/dev/null
	rm "$dir/ports/1/subsystems/bench"
	rmdir "$dir/ports/1" "$dir/subsystems/bench/namespaces/1" \
		"$dir/subsystems/bench"
	modprobe -r nvme-rdma nvmet-rdma nvme-tcp nvmet-tcp null_blk
}

# fio WHAT SIZE QPS BATCH N: of an NVMe namespace that costs the target nothing,
# BATCH requests at a time.
fio() {
	local what=$1 size=$2 batch=$4 n=$5
	[ -b /dev/nvme0n1 ] || nvme_on >&2 || return 1
	command fio --name=bench --filename=/dev/nvme0n1 --direct=1 \
		--ioengine=libaio --rw="$what" --bs="$size" --iodepth="$batch" \
		--size=$((n * size)) --output-format=json >/run/client 2>&1
	awk -v what="\"$what\"" '$1 == what { here = 1 }
		here && $1 == "\"bw_bytes\"" { print $3 + 0; exit }' \
		/run/client | grep . || {
		tail -n 5 /run/client >&2
		return 1
	}
}

# quiet: no measurement while something else is at work.
quiet() {
	local i idle least=$((28 * $(nproc)))
	for i in $(seq 100); do
		idle=$(awk '$1 == "cpu" { print $5 }' /proc/stat)
		sleep 0.3
		[ $(($(awk '$1 == "cpu" { print $5 }' /proc/stat) - idle)) -lt "$least" ] ||
			return 0
	done
	fail 'this machine does not come to rest'
}

[ "$1" != mtu ] || {
	mtu_of_hosts
	exit
}
[ "$1" != setup ] || {
	setup "${@:2}"
	exit
}

# A run that fails is told of; after a fourth one it is over.
lost=0
for _ in $(seq "$7"); do
	quiet
	until ("$1" "${@:2:5}") 2>/run/why; do
		echo "lost: $(tail -n 12 /run/why | tr -s '\n\t ' ' ')"
		lost=$((lost + 1))
		[ "$lost" -lt 4 ] || exit 1
		quiet
	done
done
