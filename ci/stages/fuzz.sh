# shellcheck shell=bash
# The corpora once more, then new inputs for a while.
#   SIW_FUZZ_SECONDS  how long new inputs are tried, by the clock (120)
# Half of the time goes to the receive engine, the other targets share the rest.

fuzz_bin=$top/build/fuzz/selftests/fuzz
fuzz_out=$out/fuzz

fuzz_seconds() {
	local all=${SIW_FUZZ_SECONDS:-120} workers others seconds
	workers=$((jobs < 2 ? jobs : 2))
	others=$(($(fuzz_targets | wc -l) - 1))
	seconds=$((all * workers / 2))
	[ "$1" = receive ] || seconds=$((seconds / others))
	say "$((seconds > 0 ? seconds : 1))"
}

# fuzz_one TARGET SECONDS: what it says into a log, whether it is well into a
# file.  What it finds out is kept below build/ for the next run.
fuzz_one() {
	local target=$1
	mkdir -p "$fuzz_out/corpus/$target" "$fuzz_out/crashes"
	nice "$fuzz_bin/fuzz_$target" -max_total_time="$2" -timeout=60 \
		-print_final_stats=1 \
		-artifact_prefix="$fuzz_out/crashes/$target-" \
		"$fuzz_out/corpus/$target" "$fuzz_corpus/$target" \
		>"$fuzz_out/$target.log" 2>&1
	printf '%s\n' $? >"$fuzz_out/$target.status"
}

# The targets but the receive engine, one after the other.
fuzz_others() {
	local target
	for target in $(fuzz_targets | grep -vx receive); do
		fuzz_one "$target" "$(fuzz_seconds "$target")"
	done
}

# What a run came to; for a failure also what leads to it again.
fuzz_verdict() {
	local target=$1 file
	grep -E '^stat::|DONE' "$fuzz_out/$target.log"
	[ "$(cat "$fuzz_out/$target.status")" = 0 ] && return
	grep -vE '^#|^INFO|^stat::|^ +#[0-9]+ .*(fuzzer::|libc|\(/)' \
		"$fuzz_out/$target.log" | tail -n 30
	for file in "$fuzz_out/crashes/$target"-*; do
		say "replay: build/fuzz/selftests/fuzz/fuzz_$target ${file#"$top"/}"
	done
	return 1
}

fuzz_executions() {
	local n
	n=$(sed -n 's/^stat::number_of_executed_units: *//p' \
		"$fuzz_out/$1.log")
	say "${n:-0}"
}

stage_fuzz() {
	local target
	need clang cmake libclang-rt-dev libfmt-dev libgtest-dev libmnl-dev \
		ninja-build nlohmann-json3-dev pkg-config
	clang_build fuzz || return
	for target in $(fuzz_targets); do
		check "replay $target" nice "$fuzz_bin/fuzz_$target" -runs=0 \
			-timeout=60 "$fuzz_corpus/$target"
	done

	rm -rf "$fuzz_out"/crashes "$fuzz_out"/*.log "$fuzz_out"/*.status
	mkdir -p "$fuzz_out"
	if [ "$jobs" -lt 2 ]; then
		fuzz_one receive "$(fuzz_seconds receive)"
		fuzz_others
	else
		fuzz_one receive "$(fuzz_seconds receive)" &
		fuzz_others
		wait
	fi
	for target in $(fuzz_targets); do
		check "explore $target" fuzz_verdict "$target"
		say "# $target: $(fuzz_executions "$target") executions"
	done
}
