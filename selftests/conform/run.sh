#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#
# Runs siw-conform against siw-conform-peer, as root.  Prints KTAP.
#
#	netns sa                          netns sb
#	+----------------------+          +----------------------+
#	| siw-conform:         |          |    siw-conform-peer: |
#	| plain TCP sockets    |          |          the Verbs   |
#	|   va 10.83.0.1/24    |<- veth ->|    vb 10.83.0.2/24   |
#	+----------------------+          +----------------------+
#
# run.sh OUT [--pcaps] [NAME...]
#	OUT	directory of the report and the pcaps
#	--pcaps	a pcap for each test, not for those alone that fail
#	NAME	only tests whose id holds one of these words
#
# SIW_CONFORM_SLOW	stretches every time limit by this factor
# SIW_KO		as in kselftest/topo.sh

PATH=$PATH:/usr/sbin:/sbin
cd "$(dirname "$0")" || exit 1
out=$1
shift
slow=${SIW_CONFORM_SLOW:-1}
address=10.83.0.2
port=7471
peer=
topo=./topo.sh
[ -e $topo ] || topo=../kselftest/topo.sh
data=.
[ -e $data/vectors.json ] || data=../vectors
table=rfc-conformance.toml
[ -e $table ] || table=../../docs/reference/rfc-conformance.toml
[ -x ./siw-conform-peer ] && bin=. || bin=peer

skip_all() {
	echo "1..0 # SKIP $*"
	exit 4
}

# shellcheck disable=SC2317 # reached by the trap
tidy() {
	[ -n "$peer" ] && kill "$peer" 2>/dev/null && wait "$peer" 2>/dev/null
	$topo down >/dev/null 2>&1
}
trap tidy EXIT
trap 'exit 143' TERM HUP INT

[ "$(id -u)" = 0 ] || skip_all "needs root"
$topo load || skip_all "no module siw for $(uname -r)"
$topo up
case $? in
0) ;;
4) skip_all "no namespaces or no veth here" ;;
*)
	printf '1..1\nnot ok 1 the topology can be made\n'
	exit 1
	;;
esac
ip netns exec sb "$bin/siw-conform-peer" $address $port "$slow" >&2 &
peer=$!
i=0
until ip netns exec sb ss -Hltn "sport = :$port" | grep -q .; do
	i=$((i + 1))
	[ $i -lt 300 ] || skip_all "siw-conform-peer does not listen"
	sleep 0.1
done

mark="siw-conform $$"
echo "$mark" >/dev/kmsg
ip netns exec sa ./siw-conform run --peer $address:$port --out "$out" \
	--vectors $data/vectors.json --table "$table" --slow "$slow" "$@"
status=$?
if dmesg | awk -v mark="$mark" 'on; index($0, mark) { on = 1 }' |
   grep -E 'WARNING:|BUG:|KASAN|UBSAN|Oops|cut here|blocked for more than' \
	>"$out/kernel.log"; then
	sed 's/^/# kernel: /' "$out/kernel.log"
	status=1
fi
exit $status
