#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
# exit_codes_test.sh SIW: the exit codes that siw(8) promises.
set -u

siw=$1
failed=0

want() {
	code=$1
	shift
	"$@" >/dev/null 2>&1 </dev/null
	got=$?
	[ "$got" -eq "$code" ] && return
	echo "$*: exit code $got, not $code"
	failed=1
}

piped() {
	echo "$1" | "$siw" explain -
}

want 0 "$siw" --version
want 0 "$siw" --help
want 0 "$siw" explain SIW-MPA-KEY
want 0 "$siw" explain --json --errno ECONNRESET
want 0 piped 'siw0: local 192.0.2.1:2, peer 192.0.2.2:1: MPA Reply refused: unknown revision'
want 1 piped 'usb 1-1: new device'
directory() {
	"$siw" explain - </
}
want 3 directory
want 1 "$siw" explain xyzzy
want 1 "$siw" explain --errno 0
full() {
	"$siw" "$@" >/dev/full
}
want 3 full --version
want 3 full explain SIW-MPA-KEY
want 3 full explain --json --errno EINVAL
want 2 "$siw"
want 2 "$siw" bogus
want 2 "$siw" explain
want 2 "$siw" status --bogus
want 2 "$siw" doctor --level bogus
want 2 "$siw" doctor --peer 192.0.2.2
want 2 "$siw" doctor --level net --peer ''
want 2 "$siw" doctor --level net --peer 127.0.0.1:65537
want 1 "$siw" doctor --level net --peer 127.0.0.1:1
want 1 "$siw" doctor --level load --peer 127.0.0.1:1
want 2 "$siw" advisory
want 2 "$siw" advisory bogus
want 2 "$siw" advisory check --bogus
want 2 "$siw" top --json
want 2 "$siw" top --once --sort bogus
for seconds in nan inf 0 x; do
	want 2 "$siw" top --once --interval "$seconds"
	want 2 "$siw" trace --events /dev/null --seconds "$seconds"
done
want 3 "$siw" top
want 2 "$siw" trace --pcap x --qp 1
want 2 "$siw" trace --write x
want 2 "$siw" trace --opcode bogus
want 2 "$siw" trace --stag 0
want 2 "$siw" trace --pcap x --stag 1
want 2 "$siw" trace --events /dev/null --peer host
want 2 "$siw" trace --events /dev/null --peer ''
want 1 "$siw" trace --events /dev/null --peer '[2001:DB8::1]:4420'
want 3 "$siw" trace --events /does/not/exist
want 1 "$siw" trace --events /dev/null
want 1 "$siw" trace --events /dev/null --stag 0x5cfecc00
want 3 "$siw" trace --pcap /does/not/exist
want 3 "$siw" trace --pcap /dev/null

# says ID COMMAND...: the id is in what it says
says() {
	id=$1
	shift
	"$@" 2>&1 </dev/null | grep -q "^\(siw: \)\?$id: " && return
	echo "$*: does not say $id"
	failed=1
}
says SIW-TOOL-USAGE "$siw"
says SIW-TOOL-USAGE "$siw" bogus
says SIW-TOOL-USAGE "$siw" explain
says SIW-TOOL-USAGE "$siw" doctor --level bogus
says SIW-TOOL-USAGE "$siw" doctor --peer 192.0.2.2
says SIW-TOOL-UNKNOWN "$siw" explain xyzzy

dir=$(mktemp -d)
want 0 "$siw" report --output "$dir/report.tar.gz"
want 3 "$siw" report --output "$dir/report.tar.gz"
want 3 "$siw" report --output "$dir/none/report.tar.gz"
want 2 "$siw" report --bogus
[ "$(stat -c %a "$dir/report.tar.gz")" = 600 ] || {
	echo 'report: not of mode 0600'
	failed=1
}
tar -tzf "$dir/report.tar.gz" | grep -q '/README$' || {
	echo 'report: no README'
	failed=1
}
rm -r "$dir"

# Each option is completed.
for command in status doctor explain report top trace 'advisory list' 'advisory check'; do
	# shellcheck disable=SC2086 # of one word or two
	for option in $("$siw" $command --help | LC_ALL=C grep -oE -e '--[a-z]+(-[a-z]+)*' | sort -u); do
		for file in siw.bash _siw; do
			grep -qw -e "$option" "${0%/*}/../completion/$file" && continue
			echo "$command $option: not in completion/$file"
			failed=1
		done
	done
done

# What they find depends on the host; that they end does not.
for command in status doctor 'advisory list' 'advisory check'; do
	# shellcheck disable=SC2086 # of one word or two
	"$siw" $command --json | grep -q '"schema": 1' || {
		echo "$command --json: no schema"
		failed=1
	}
done
# Nor do the limits of siw-doctor(8); kselftest/siw_doctor has them with streams.
# Here they hold for the CPU it takes: others may be at work on this host.
TIMEFORMAT='%U %S'
for limit in '2 quick' '10 net'; do
	took=$({ time timeout 60 "$siw" doctor --level "${limit#* }" >/dev/null 2>&1; } 2>&1)
	awk -v limit="${limit% *}" '{ n = NF == 2 && $1 + $2 < limit } END { exit !n }' \
		<<<"$took" || {
		echo "doctor --level ${limit#* }: not within ${limit% *} s: $took"
		failed=1
	}
done
"$siw" top --once --json --interval 0.1 | grep -q '"schema": 1' || {
	echo "top --once --json: no schema"
	failed=1
}
exit $failed
