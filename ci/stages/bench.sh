# shellcheck shell=bash
# Our driver against TCP, the kernel's own siw and rxe: ratios, in a guest whose
# time counts instructions. ci/bench/rows says what, ci/bench/figures what for.

bench_row=newest
bench=$out/bench

# Debian's tools that the row's root lacks.
bench_needs='qperf nginx'

# What the guest boots: the module comes with the payload.
bench_image() {
	local root=$out/roots/bench state status
	state=$({
		cat "$(root "$bench_row" full).stamp" "$top"/ci/images/* \
			"$top/ci/lib/images.sh"
		say "$bench_needs"
	} | sha256sum)
	[ "$(cat "$(image_dir bench)/state" 2>/dev/null)" != "$state" ] || return 0
	# shellcheck disable=SC2086 # a list of words
	copy_of "$(root "$bench_row" full)" "$root" && prepare_guest "$root" &&
		in_root "$root" apt-get -qq update &&
		in_root "$root" apt-get -qq -y install --no-install-recommends \
			$bench_needs &&
		ln -sf /dev/null "$root/etc/systemd/system/nginx.service" &&
		pack_image bench "$root" "$state"
	status=$?
	rm -rf "$root"
	return "$status"
}

bench_payload() {
	local dir=$out/share/bench
	rm -rf "$dir"
	mkdir -p "$dir"
	cp "$top/ci/bench/guest.sh" "$top/ci/bench/media.c" "$dir/"
	in_root "$(root "$bench_row" full)" gcc -std=gnu11 -O2 -Wall -Wextra \
		-Werror -o /srv/bench/media /srv/bench/media.c -lrdmacm \
		-libverbs || return 1
	cp "$out/share/build-$bench_row/siw.ko" "$dir/siw.ko"
	cp "$out/share/inbox-$bench_row/siw.ko" "$dir/inbox.ko"
	[ "$1" != trace ] ||
		cp "$out/share/notrace-$bench_row/siw.ko" "$dir/notrace.ko" || return 1
	rm -f "$(image_dir bench)/payload.erofs"
	mkfs.erofs --quiet "$(image_dir bench)/payload.erofs" "$dir"
}

# Ours without a tracepoint in it, and without those of the kernel's headers: NOTRACE
# of <linux/tracepoint.h>. For comparison only.
bench_notrace() {
	local log=$out/log/build-notrace.make built=$out/share/notrace-$bench_row
	tree_build "$(root "$bench_row" full)" "notrace-$bench_row" "$log" W=1 \
		KCFLAGS=-DNOTRACE || return 1
	! grep -E '(warning|error):' "$log" || return 1
	# One has what is being measured, the other has not.
	! nm "$built/siw.ko" | grep __tracepoint_siw_ &&
		nm "$out/share/build-$bench_row/siw.ko" | grep -q __tracepoint_siw_
}

# bench_prepare SET
bench_prepare() {
	need mmdebstrap debian-archive-keyring
	check runner vm_runner_ready &&
		check root root_ready "$bench_row" full &&
		check image bench_image && check module build_silent "$bench_row" &&
		check inbox inbox_build "$bench_row" || return
	[ "$1" != trace ] || check notrace bench_notrace || return
	check payload bench_payload "$1"
}

# bench_driver: the commit that changed it last.
bench_driver() {
	local commit
	commit=$(git -C "$top" log -1 --format=%h -- siw 2>/dev/null)
	[ -z "$commit" ] || git -C "$top" diff --quiet HEAD -- siw ||
		commit+=' and changes'
	say "${commit:-unknown}"
}

bench_facts() {
	printf '{"facts":{"driver":"%s","kernel":"%s","runs":"%s","set":"%s","time":"%s","when":"%s"}}\n' \
		"$(bench_driver)" \
		"$(kernel_of "$(root "$bench_row" full)")" \
		"$bench_times" "$1" "$2" \
		"$(date -u +%Y-%m-%dT%H:%MZ)"
}

# bench_run SET TIME [WORD...]
bench_run() {
	local set=$1 time=$2 dir cpus=1 sets=$1
	shift 2
	dir=$(image_dir bench)
	[[ $time == icount* ]] || cpus=2
	[ "$set" != full ] || sets='quick full'
	bench_facts "$set" "$time" >"$bench/results.jsonl"
	SIW_VM=$vm_bin SIW_BENCH=$bench/results.jsonl "$vm_bin" hosts \
		--arch amd64 --kernel "$dir/vmlinuz" --initrd "$dir/initrd" \
		--root "$dir/root.erofs" --log-dir "$bench" --accel "$time" \
		--cpus "$cpus" --memory 2048 --payload "$dir/payload.erofs" \
		--host a "$top/ci/bench/script" "$sets" "$bench_times" "$@" </dev/null
}

# bench_hosts A,B SET [WORD...]: of real hosts.
bench_hosts() {
	local hosts=$1 set=$2 sets="quick real" kernel driver
	shift 2
	[ "$set" != full ] || sets+=' full'
	# shellcheck disable=SC2016 # expands there
	read -r kernel driver < <(ssh -n -o BatchMode=yes "root@${hosts%,*}" \
		'echo "$(uname -r) $(modinfo -F version siw)"')
	[ -n "$kernel" ] || die "${hosts%,*}: root cannot log in there by ssh"
	printf '{"facts":{"driver":"%s","hosts":"%s","kernel":"%s","runs":"%s","time":"real","when":"%s"}}\n' \
		"${driver:-unknown}" "$hosts" "$kernel" "$bench_times" \
		"$(date -u +%Y-%m-%dT%H:%MZ)" >"$bench/results.jsonl"
	SIW_BENCH_HOSTS=$hosts SIW_BENCH=$bench/results.jsonl \
		"$top/ci/bench/script" "$sets" "$bench_times" "$@"
}

bench_report() {
	"$vm_bin" bench --rows "$top/ci/bench/rows" \
		--figures "$top/ci/bench/figures" \
		--baseline "$top/ci/bench/baseline.json" --out "$bench" "$@" \
		"$bench/results.jsonl"
}

# stage_bench [--full | --real | --trace | --series 2009] [--octets | --hosts A,B]
#             [--check] [--store] [WORD...]
stage_bench() {
	local set=quick time=icount options=() status=0 hosts=
	bench_times=${SIW_BENCH_TIMES:-5}
	while [[ ${1:-} == --* ]]; do
		case $1 in
		--full) set=full ;;
		--real | --trace) set=${1#--} ;;
		--series)
			[ "${2:-}" = 2009 ] || die '--series knows 2009 only'
			set=2009
			shift
			;;
		--hosts)
			hosts=${2:-}
			[[ $hosts == ?*,?* ]] || die '--hosts wants A,B: two' \
				'hosts on which root logs in by ssh'
			shift
			;;
		--octets) time=icount-octets ;;
		--check | --store) options+=("$1") ;;
		*) usage ;;
		esac
		shift
	done
	if [ ${#options[@]} -gt 0 ]; then
		[[ $set != @(real|2009) ]] && [ "$time$hosts" = icount ] ||
			die 'no --check or --store with --real, --series,' \
				'--octets or --hosts: the baseline is of none'
	fi
	[[ ${options[*]} != *--store* ]] || [[ $set != trace && $# -eq 0 ]] ||
		die 'no --store with --trace or WORDs: a part of the rows' \
			'would take the place of the baseline'
	[ -z "$hosts" ] || [[ $set-$time == @(quick|full)-icount ]] ||
		die 'no --real, --trace, --series or --octets with --hosts'
	mkdir -p "$bench"
	if [ -n "$hosts" ]; then
		check runner vm_runner_ready || return
	else
		bench_prepare "$set" || return
	fi
	[ -n "$hosts" ] || [[ $set != @(real|2009) ]] ||
		time=$(bench_acceleration)
	say "== measuring (${hosts:-$time})"
	if [ -n "$hosts" ]; then
		bench_hosts "$hosts" "$set" "$@" || status=1
	else
		bench_run "$set" "$time" "$@" || status=1
	fi
	say
	bench_report "${options[@]}" || status=1
	say "results: $bench/index.html, results.json"
	[ "$status" -eq 0 ] && say "pass $stage ratios" >>"$results" ||
		say "fail $stage ratios" >>"$results"
	return "$status"
}

# kvm, where it works.
bench_acceleration() {
	[ -s "$out/accel" ] || "$vm_bin" probe \
		--kernel "$(image_dir bench)/vmlinuz" \
		--initrd "$(image_dir bench)/initrd" --log-dir "$bench" >"$out/accel"
	cat "$out/accel"
}
