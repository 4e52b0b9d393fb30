# shellcheck shell=bash
# What a row of the kernel matrix leaves behind: the format is in
# ci/vm/README.md, `siw-vm report` reads it.

# row_begin DIR DOCUMENT...: a new row, and the KTAP documents it will hold
# besides those of row_step. An empty one counts as a failure.
row_begin() {
	local dir=$1 document
	shift
	rm -rf "$dir"
	mkdir -p "$dir"
	for document in 10-steps.ktap "$@"; do
		: >"$dir/$document"
	done
	row_say "$dir" started "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
	row_say "$dir" commit "$(git -C "$top" describe --always --dirty --abbrev=40 \
		--exclude '*' 2>/dev/null)"
	printf 'KTAP version 1\n' >"$dir/10-steps.ktap"
}

# row_say DIR KEY VALUE...
row_say() {
	local dir=$1 key=$2
	shift 2
	printf '%s=%s\n' "$key" "$*" >>"$dir/row"
}

# row_step DIR NAME COMMAND...: like check(), with the result in the row.
row_step() {
	local dir=$1 name=$2 log verdict='ok' start=$SECONDS line
	shift 2
	log=$dir/${name//[^A-Za-z0-9.-]/_}.log
	("$@") >"$log" 2>&1 </dev/null || verdict='not ok'
	line="$(($(row_steps "$dir") + 1)) $name # $(seconds_since "$start") s"
	# awk ends the last line of the log, come what may.
	[ "$verdict" = ok ] ||
		tail -n "${CI_TAIL:-40}" "$log" | awk '{ print "# " $0 }' \
			>>"$dir/10-steps.ktap"
	printf '%s %s\n' "$verdict" "$line" >>"$dir/10-steps.ktap"
	say "$verdict ${dir##*/}: $name ($(seconds_since "$start") s), log: $log"
	[ "$verdict" = ok ] && return
	tail -n "${CI_TAIL:-40}" "$log" | sed 's/^/    /'
	return 1
}

# How many steps were taken.
row_steps() { grep -acE '^(not )?ok ' "$1/10-steps.ktap"; }

# row_end DIR: no more steps. Without this the row counts as cut short.
row_end() {
	printf '1..%d\n' "$(row_steps "$1")" >>"$1/10-steps.ktap"
	row_say "$1" seconds "$(($(date +%s) -
		$(date -d "$(sed -n 's/^started=//p' "$1/row")" +%s)))"
}
