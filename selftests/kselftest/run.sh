#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#
# Runs the siw tests as root, one after the other, and prints one KTAP document.
#
#	netns sa                          netns sb
#	+----------------------+          +----------------------+
#	| siwa                 |          |                 siwb |
#	|   va 10.83.0.1/24    |<- veth ->|    vb 10.83.0.2/24   |
#	|      fd83::1/64      | MTU 1500 |       fd83::2/64     |
#	+----------------------+          +----------------------+
#
# run.sh [-v] [-q] [-s I/N] [FILTER [NAME...]]
#	-v	say more
#	-q	quick: without the tests that take more than half a second
#	-s I/N	the I-th of N parts of the programs, for as many machines
#	FILTER	only programs whose name holds it ("mpa"); siw_doctor runs only
#		if it is named
#	NAME	only tests whose name holds one of these words
#
# SIW_KO		a siw.ko to insert in place of "modprobe siw"
# SIW_KSFT_SLOW		stretches every time limit by this factor
# SIW_KSFT_SEED		where random tests begin, to play a failure again
# SIW_FUZZ_SECONDS	how long each siw_fuzz_* runs
# SIW_STORM_SECONDS	how long siw_storm runs
# SIW_FAULTS_SECONDS	how long each call of siw_faults is tried
# SIW_LIMITS_FULL	1: siw_limits with 10000 peers and the slow tests

PATH=$PATH:/usr/sbin:/sbin
cd "$(dirname "$0")" || exit 1

programs="siw_verbs siw_bad_input siw_ring siw_mpa siw_fpdu siw_cm siw_observe siw_life
	siw_limits"
slow=${SIW_KSFT_SLOW:-1}
options=
shard=1/1
while :; do
	case $1 in
	-v | -q) options="$options $1" ;;
	-s)
		shard=$2
		shift
		;;
	*) break ;;
	esac
	shift
done
case $shard in
[1-9]/[1-9]) ;;
*)
	echo "run.sh: -s wants I/N, as in 1/2" >&2
	exit 2
	;;
esac
filter=$1
# Each test of these takes seconds, but those of KUnit.
case $filter:$options in
:*-q*) programs="$programs siw_kunit" ;;
*)
	programs="$programs siw_faults siw_fuzz_live siw_fuzz_pages siw_fuzz_ring
	siw_fuzz_sys siw_storm siw_kunit siw_encrypt"
	# Of the command siw, which Linux does not have
	[ ! -e siw_command ] || programs="$programs siw_command"
	;;
esac
# It takes five minutes, and a log in which nothing is wrong.
[ "$filter" != siw_doctor ] || programs=siw_doctor
[ $# -gt 0 ] && shift
words=$*

echo "KTAP version 1"

skip_all() {
	echo "1..0 # SKIP $*"
	exit 4
}

[ "$(id -u)" = 0 ] || skip_all "needs root"
for c in ip rdma awk timeout dmesg; do
	command -v $c >/dev/null || skip_all "needs the command $c"
done
./topo.sh load 2>/dev/null || skip_all "no module siw for $(uname -r)"

# The longest a program may take, in seconds; each test has a limit of its own.
limit() {
	case $1 in
	siw_life | siw_cm) echo 900 ;;
	siw_limits) echo 900 ;;
	siw_faults) echo $((900 + 30 * ${SIW_FAULTS_SECONDS:-5})) ;;
	siw_fuzz_*) echo $((600 + ${SIW_FUZZ_SECONDS:-0})) ;;
	siw_storm) echo $((600 + ${SIW_STORM_SECONDS:-0})) ;;
	*) echo 600 ;;
	esac
}

tmp=$(mktemp -d) || exit 1
child=

# shellcheck disable=SC2317 # reached by the traps
tidy() {
	trap - EXIT
	[ -n "$child" ] && kill "$child" 2>/dev/null && wait "$child"
	./topo.sh down >/dev/null 2>&1
	rm -rf "$tmp"
}
trap tidy EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# What the kernel says when something is wrong.
alarms='WARNING:|BUG:|KASAN|KCSAN|UBSAN|Oops|cut here|circular locking'
alarms="$alarms|recursive locking|inconsistent lock|lock inversion"
alarms="$alarms|unlock balance|suspicious RCU|sleeping function"
alarms="$alarms|blocked for more than|soft lockup|self-detected|refcount_t:"
alarms="$alarms|waiting for .* to become free|general protection fault[:,]"
alarms="$alarms|RESTRACK detected leak|unable to handle|list_add corruption"
alarms="$alarms|list_del corruption|ODEBUG|[1-9][0-9]* new suspected memory leak"
alarms="$alarms|allocated at module unload"

log_since() {
	dmesg | awk -v mark="$1" 'found { print } index($0, mark) { found = 1 }'
}

# Lines of the driver on standard input that are in no entry of the error catalogue,
# where there is a command to ask: "[ 12.3] siwa: QP 3, ...", before the device that
# of the interface if it has one. "infiniband siwa: " is of ib_core, and so is the
# state of a port; "siw_faults: " is a test of which the kernel speaks.
unexplained() {
	command -v siw >/dev/null || return 0
	# shellcheck disable=SC2086 # words are words
	tests=$(printf '|%s' $programs)
	grep -E '^(\[[^]]*\] )?([^ ]+ [^ ]+ )?siw[A-Za-z0-9._-]*: ' |
		grep -vE ": Port: [0-9]* Link |(^| )(${tests#|}): " >"$tmp/ours"
	[ "$(siw explain --json - <"$tmp/ours" |
		awk '/^ *"count":/ { n += $2 } END { print n + 0 }')" != \
		"$(wc -l <"$tmp/ours")" ] || return 0
	sed 's/^\[[^]]*\] *//' "$tmp/ours" | sort -u | while IFS= read -r line; do
		echo "$line" | siw explain - >/dev/null || echo "$line"
	done
}

set --
n=0
for p in $programs; do
	case $p in
	*"$filter"*)
		[ $((n % ${shard#*/} + 1)) != "${shard%/*}" ] || set -- "$@" "$p"
		n=$((n + 1))
		;;
	esac
done
names=$*

leaks=/sys/kernel/debug/kmemleak
count=$#
if [ -w $leaks ]; then
	count=$((count + 1))
	echo clear >$leaks
fi
# A kernel that counts what each line allocates says when a module goes what it has not
# freed, were it one object, and one that something stale still points at.
# What the network is done with is given back at once for that: since 6.0 it is
# otherwise when the CPU that allocated it comes by.
counted=
deferred=
if [ "$(cat /proc/sys/vm/mem_profiling 2>/dev/null)" = 1 ]; then
	counted=1
	count=$((count + 1))
	deferred=$(sysctl -n net.core.skb_defer_max 2>/dev/null)
	[ -z "$deferred" ] || sysctl -qw net.core.skb_defer_max=0
fi
# A name that none has must not look like a success.
[ -z "$filter" ] || count=$((count + 1))
echo "1..$count"

n=0
failed=0
ran=
for p in $names; do
	n=$((n + 1))
	mark="siw kselftest $$ $p"
	echo "$mark" >/dev/kmsg
	if [ ! -x "./$p" ]; then
		echo "not ok $n $p # not built"
		failed=$((failed + 1))
		continue
	fi
	seconds=$(($(limit "$p") * slow))
	{
		# shellcheck disable=SC2086 # words are words
		timeout -k 60 "$seconds" "./$p" $options $words
		echo $? >"$tmp/rc"
	} 2>&1 | tee "$tmp/said" | sed -u 's/^/    /' &
	child=$!
	wait $child
	child=
	rc=$(cat "$tmp/rc" 2>/dev/null || echo 1)
	rm -f "$tmp/rc"
	grep -Eq '^1\.\.0 # SKIP (no test of that|has no tests)' "$tmp/said" || ran=1
	why=
	[ "$rc" = 124 ] || [ "$rc" = 137 ] && why=" (time limit of $seconds s)"
	# What a killed program has left behind.
	[ ! -d /sys/kernel/config/nvmet/subsystems/siw-storm ] || ./nvme.sh down
	./topo.sh down | sed 's/^/# /'
	if log_since "$mark" | grep -E "$alarms" |
	   grep -v 'kmemleak:' >"$tmp/alarms"; then
		sed 's/^/# kernel: /' "$tmp/alarms" | head -n 40
		[ "$rc" = 0 ] && rc=1 && why=" (kernel warnings)"
	fi
	log_since "$mark" | unexplained >"$tmp/unexplained"
	if [ -s "$tmp/unexplained" ]; then
		sed 's/^/# not in the catalogue: /' "$tmp/unexplained" | head -n 40
		[ "$rc" = 0 ] && rc=1 && why=" (messages the catalogue does not know)"
	fi
	case $rc in
	0)
		echo "ok $n $p"
		;;
	4)
		echo "ok $n $p # SKIP see above"
		;;
	*)
		echo "not ok $n $p$why"
		failed=$((failed + 1))
		;;
	esac
done

if [ -n "$filter" ]; then
	n=$((n + 1))
	if [ -n "$ran" ]; then
		echo "ok $n a test is named $filter $words"
	else
		echo "not ok $n a test is named $filter $words"
		failed=$((failed + 1))
	fi
fi

if [ -w $leaks ]; then
	n=$((n + 1))
	# An object counts as leaked when two scans miss it.
	sleep 6
	echo scan >$leaks
	sleep 6
	echo scan >$leaks
	# What ib_register_device() allocates is ib_core's, and no leak of ours.
	awk '/^unreferenced/ { tell(); text = "" }
		{ text = text $0 "\n" }
		END { tell() }
		function tell() {
			if (text ~ /\[siw\]/ && text !~ /ib_register_device/)
				printf "%s", text
		}' $leaks >"$tmp/leaks"
	if [ -s "$tmp/leaks" ]; then
		sed 's/^/# /' "$tmp/leaks" | head -n 100
		echo "not ok $n no memory leaks in siw"
		failed=$((failed + 1))
	else
		echo "ok $n no memory leaks in siw"
	fi
fi

if [ -n "$counted" ]; then
	n=$((n + 1))
	mark="siw kselftest $$ unload"
	echo "$mark" >/dev/kmsg
	if ! timeout 60 rmmod siw; then
		echo "not ok $n siw unloads"
		failed=$((failed + 1))
	elif log_since "$mark" | grep 'siw.* allocated at module unload' >"$tmp/kept"; then
		sed 's/^/# kernel: /' "$tmp/kept" | head -n 40
		echo "not ok $n siw has freed all when it unloads"
		failed=$((failed + 1))
	else
		echo "ok $n siw has freed all when it unloads"
	fi
	./topo.sh load 2>/dev/null
	[ -z "$deferred" ] || sysctl -qw "net.core.skb_defer_max=$deferred"
fi

echo "# $n programs, $failed failed"
[ $failed = 0 ]
