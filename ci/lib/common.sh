# shellcheck shell=bash
# What every stage uses: where things are, one check, one result line.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/siw
out=$top/build/ci
results=$out/results
jobs=$(nproc)
export LC_ALL=C DEBIAN_FRONTEND=noninteractive

say() { printf '%s\n' "$*"; }

die() {
	printf 'ci/run: %s\n' "$*" >&2
	exit 2
}

seconds_since() { printf '%d' $((SECONDS - $1)); }

# need PACKAGE...: install what is missing, ask apt for nothing otherwise.
need() {
	local package missing=()
	for package; do
		dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null |
			grep -qx installed || missing+=("$package")
	done
	[ ${#missing[@]} -eq 0 ] && return
	say "# installing ${missing[*]}"
	[ "$(id -u)" = 0 ] || die "run as root, or install: ${missing[*]}"
	{
		apt-get -qq update &&
			apt-get -qq -y install --no-install-recommends \
				"${missing[@]}"
	} >"$out/apt.log" 2>&1 || {
		tail -n 20 "$out/apt.log"
		die "apt could not install: ${missing[*]}"
	}
}

# check NAME COMMAND...: run it quietly; one line, and the log when it fails.
check() {
	local name=$1 log start=$SECONDS
	shift
	log=$out/log/$stage-${name//[^A-Za-z0-9.-]/_}.log
	mkdir -p "${log%/*}"
	if ("$@") >"$log" 2>&1 </dev/null; then
		say "ok $name ($(seconds_since "$start") s)"
		printf 'pass %s %s\n' "$stage" "$name" >>"$results"
		return 0
	fi
	say "not ok $name ($(seconds_since "$start") s), log: $log"
	tail -n "${CI_TAIL:-40}" "$log" | sed 's/^/    /'
	printf 'fail %s %s\n' "$stage" "$name" >>"$results"
	return 1
}

# quietly COMMAND...: the output only when it fails.
quietly() {
	local log
	log=$(mktemp)
	if "$@" >"$log" 2>&1 </dev/null; then
		rm -f "$log"
		return 0
	fi
	tail -n "${CI_TAIL:-40}" "$log"
	rm -f "$log"
	return 1
}

# count_junit NAME FILE: add the cases of a JUnit file to the results.
count_junit() {
	local name=$1 file=$2
	[ -s "$file" ] || {
		printf 'fail %s %s: no results\n' "$stage" "$name" >>"$results"
		return 1
	}
	awk -v stage="$stage" -v suite="$name" '
		function done() {
			if (test != "")
				print verdict, stage, suite ": " test
			test = ""
		}
		/<testcase/ {
			done()
			match($0, / name="[^"]*"/)
			test = substr($0, RSTART + 7, RLENGTH - 8)
			verdict = "pass"
		}
		/<failure|<error|status="fail"/ { verdict = "fail" }
		/<skipped|status="(disabled|notrun)"/ { verdict = "skip" }
		END { done() }' "$file" >>"$results"
	say "# $name: $(grep -c '<testcase' "$file") tests"
}
