#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
# privileges_test.sh SIW: what siw reads captures and recorded lines of others with.
# Before their first octet comes it has become nobody, without groups and
# capabilities, for good. Root alone can tell: exits with 77 if it is not.
set -u

siw=$1
failed=0
[ "$(id -u)" = 0 ] || {
	echo 'needs root'
	exit 77
}
dir=$(mktemp -d)
trap 'rm -r "$dir"' EXIT
mkfifo "$dir/input"

# is_harmless PID UID: of /proc/PID/status, which lists four of each id
is_harmless() {
	awk -v "want=$2" '
		/^[UG]id:/ { ids += ($2 == want) + ($3 == want) + ($4 == want) + ($5 == want) }
		/^Groups:/ { groups = NF - 1 }
		/^Cap(Inh|Prm|Eff|Amb):/ { none += $2 ~ /^0+$/ }
		/^NoNewPrivs:/ { for_good = $2 }
		END { exit !(ids == 8 && groups == 0 && none == 4 && for_good == 1) }
	' "/proc/$1/status" 2>/dev/null
}

# reads NAME UID COMMAND...: siw by setpriv; its input is open, and empty
reads() {
	name=$1
	uid=$2
	shift 2
	setpriv "$@" <"$dir/input" >/dev/null 2>&1 &
	pid=$!
	exec 3>"$dir/input"
	tries=0
	until is_harmless "$pid" "$uid"; do
		tries=$((tries + 1))
		if [ "$tries" -eq 600 ] || ! kill -0 "$pid" 2>/dev/null; then
			echo "$name: reads with:"
			cat "/proc/$pid/status"
			failed=1
			break
		fi
		sleep 0.1
	done
	# It was not at its end: it takes what comes now, and says what it is.
	echo 'neither a capture nor an event' >&3
	exec 3>&-
	wait "$pid"
	code=$?
	case $name:$code in
	capture*:3 | lines*:1) ;;
	*)
		echo "$name: exit code $code"
		failed=1
		;;
	esac
}

nobody=65534
reads 'capture, root' $nobody --groups 4,27 "$siw" trace --pcap -
reads 'capture, root whose capabilities stay' $nobody \
	--securebits +no_setuid_fixup "$siw" trace --pcap -
reads 'capture, a user with a capability' 65533 --reuid 65533 --regid 65533 \
	--clear-groups --inh-caps +net_raw --ambient-caps +net_raw \
	"$siw" trace --pcap -
reads 'lines, root' $nobody --groups 4,27 "$siw" trace --events -
exit $failed
