# shellcheck shell=bash
# Every kernel of kernels.toml: its suite's user space, siw from its package,
# all kselftests; and hosts with different kernels that talk to each other.
# ci/vm/README.md has the format of what each job leaves behind.

matrix=$out/matrix

# The probes' answers are those on record for this kernel, or no worse than those of the
# one before. They are kept for the same headers and probes.
probes_answer() {
	local name=$1 root release
	root=$(root "$name" full)
	release=$(kernel_of "$root")
	rm -rf "$out/share/probe-$name"
	mkdir -p "$out/share/probe-$name"
	cp -r "$top/packaging/compat" "$out/share/probe-$name/"
	in_root "$root" SIW_PROBE_CACHE=/srv/probes \
		"/srv/probe-$name/compat/probe.sh" \
		-k "/lib/modules/$release/build" --report \
		--check "/srv/probe-$name/compat/expected/$release"
}

describe_kernel() {
	local dir=$1 name=$2 root release arch
	root=$(root "$name" full)
	release=$(kernel_of "$root")
	arch=$(cross_for "$name")
	row_say "$dir" kernel "$release"
	row_say "$dir" suite "$(kernel_field "$name" suite)"
	row_say "$dir" arch \
		"${arch:-$(dpkg --root="$root" --print-architecture)}"
	row_say "$dir" compiler "$(sed -n \
		's/^CONFIG_CC_VERSION_TEXT="\([^ ]*\).* \([0-9.]*\)"/\1 \2/p' \
		"$root/boot/config-$release")"
	row_say "$dir" config "$(kernel_field "$name" flavour)"
	row_say "$dir" tier "$(kernel_field "$name" tier)"
	row_say "$dir" userspace "$(dpkg-query --admindir="$root/var/lib/dpkg" \
		-W -f '${Version}' rdma-core)"
}

kernel_prepare() {
	local name=$1 dir=$2
	row_step "$dir" build/root root_ready "$name" full || return
	describe_kernel "$dir" "$name"
	row_step "$dir" build/probes probes_answer "$name" || return
	[ "$(kernel_field "$name" also)" != clang ] ||
		row_step "$dir" build/clang clang_silent "$name"
	if [ -n "$(cross_for "$name")" ]; then
		row_step "$dir" build/module build_silent "$name" &&
			row_step "$dir" build/image cross_image "$name"
	else
		row_step "$dir" package/install installed_image "$name"
	fi && row_step "$dir" build/kselftest kselftest_payload "$name"
}

kernel_run() {
	local name=$1 dir=$2
	run_kselftests "$name" "$dir" >"$dir/20-vm.ktap"
}

pair_prepare() {
	local name=$1 dir=$2 side
	row_say "$dir" kernel "$name"
	for side in a b; do
		side=$(field pair "$name" "$side")
		row_step "$dir" "build/root of $side" root_ready "$side" full &&
			row_step "$dir" "package/install on $side" \
				installed_image "$side" || return
	done
	row_step "$dir" build/programs pair_payload "$name"
}

# The kernel's own driver, from the source package of the very kernel.
inbox_build() {
	local line
	line=$(resolve "$1") && cached "$out/share/inbox-$1" \
		"$line $(cat "$(root "$1" full).stamp")" inbox_make "$1" "$line"
}

inbox_make() {
	local name=$1 dir=$3 series version deb root
	read -r _ series version _ <<<"$2"
	deb=$(linux_source "$series" "$version") || return 1
	root=$(root "$name" full)
	linux_unpack "$deb" "$dir" --strip-components=5 \
		--wildcards '*/drivers/infiniband/sw/siw/*' &&
		in_root "$root" make -C "/lib/modules/$(kernel_of "$root")/build" \
			-j "$jobs" M="/srv/${dir##*/}" CONFIG_RDMA_SIW=m modules
}

pair_payload() {
	local a=$1 peer
	a=$(field pair "$1" a)
	peer=$(field pair "$1" inbox)
	[ -n "$peer" ] || {
		demo_payload "$a"
		return
	}
	peer=$(field pair "$1" "$peer")
	inbox_build "$peer" && demo_payload "$a" "$out/share/inbox-$peer/siw.ko"
}

# Two hosts, two kernels, each with its suite's user space.
pair_run() {
	local name=$1 dir=$2 args
	read -ra args <<<"$(machine "$(field pair "$name" a)" "$dir")"
	SIW_PEER=$(field pair "$name" inbox) SIW_VM=$vm_bin \
		SIW_KTAP=$dir/20-vm.ktap "$vm_bin" hosts "${args[@]}" --memory 1024 \
		--payload "$(image_dir "$(field pair "$name" a)")/demo.erofs" \
		--append 'ci.systemd systemd.show_status=0' --host a \
		--host "b=$(image_dir "$(field pair "$name" b)")" \
		"$top/ci/demo/script" pair >"$dir/hosts.log" 2>&1 </dev/null
}

# job_run KIND NAME DIR: the guest's part; several at a time.
job_run() {
	local kind=$1 name=$2 dir=$3
	"${kind}_run" "$name" "$dir"
	row_end "$dir"
	grep -h "^not ok" "$dir"/*.ktap | sed "s/^/$name: /"
	say "# $name: $(grep -c '^ok' "$dir/20-vm.ktap") ok," \
		"$(sed -n 's/^seconds=//p' "$dir/row") s"
}

# jobs_of [--shard I/N] [NAME...]: kind and name of the jobs asked for, by their
# names or tiers; release kernels and pairs if none is. The slowest kernels come first,
# so that none is left to run alone.
jobs_of() {
	local shard=1/1 name slow known
	if [ "${1:-}" = --shard ]; then
		shard=${2:-}
		[[ $shard =~ ^[1-9][0-9]*/[1-9][0-9]*$ ]] &&
			[ "${shard%/*}" -le "${shard#*/}" ] ||
			die "--shard wants I/N, as in 3/8, not \"$shard\""
		shift 2
	fi
	[ $# -gt 0 ] || set -- quick matrix pair
	known=$({
		awk -F'"' '/^tier / { print $2 }' "$kernel_table" | sort -u
		say pair
		rows kernel
		rows pair
	} | xargs)
	for name; do
		[[ " $known " == *" $name "* ]] ||
			die "no row or tier \"$name\" in ci/kernels.toml, which has: $known"
	done
	{
		for name in $(rows kernel); do
			slow=$(kernel_field "$name" slow)
			say "kernel $name $(kernel_field "$name" tier) ${slow:-3}"
		done
		for name in $(rows pair); do
			say "pair $name pair 0"
		done
	} | sort -s -k 4,4nr | awk -v shard="$shard" -v names=" $* " '
		BEGIN { split(shard, s, "/") }
		!index(names, " " $2 " ") && !index(names, " " $3 " ") { next }
		n++ % s[2] == s[1] - 1 { print $1, $2 }' | grep . ||
		die "no job is left for --shard $shard of $*"
}

# For hosted runners: one job each, merged by `ci/run matrix --merge`.
matrix_emit() {
	local names
	names=$(jobs_of "${@:2}") || exit
	names=$(awk '{ print "\"" $2 "\"" }' <<<"$names" | paste -sd ,)
	case ${1:-} in
	github) say "{\"job\":[$names]}" ;;
	gitlab) printf 'parallel:\n  matrix:\n    - JOB: [%s]\n' "$names" ;;
	*) die '--emit wants github or gitlab' ;;
	esac
}

# matrix_report DIR...: one page of all rows, and the verdict.
matrix_report() {
	rm -f "$matrix/junit.xml"
	"$vm_bin" report --out "$matrix" "$@"
	local status=$?
	count_junit matrix "$matrix/junit.xml" || status=1
	say "results: $matrix/index.html"
	return "$status"
}

# shards_whole DIR...: of the N shards that rows of DIR were run in, each left one.
shards_whole() {
	local shards n i status=0
	shards=$(find "$@" -maxdepth 2 -name row -exec sed -n 's/^shard=//p' {} + | sort -u)
	for n in $(sed 's,.*/,,' <<<"$shards" | sort -u); do
		for ((i = 1; i <= n; i++)); do
			grep -qx "$i/$n" <<<"$shards" && continue
			say "no row of shard $i/$n"
			status=1
		done
	done
	return "$status"
}

# matrix_merge DIR...: what several machines ran.
matrix_merge() {
	[ $# -gt 0 ] || die '--merge wants directories with rows'
	check shards shards_whole "$@"
	check runner vm_runner_ready && matrix_report "$@"
}

stage_matrix() {
	local kind name dir jobs_asked dirs=()
	jobs_asked=$(jobs_of "$@") || exit
	need mmdebstrap debian-archive-keyring
	check runner vm_runner_ready && check debs debs_ready || return
	while read -r kind name; do
		dir=$matrix/$name
		dirs+=("$dir")
		row_begin "$dir" 20-vm.ktap
		row_say "$dir" name "$name"
		[ "${1:-}" != --shard ] || row_say "$dir" shard "$2"
		"${kind}_prepare" "$name" "$dir" || {
			row_end "$dir"
			continue
		}
		# The next is prepared while these run; a guest often sleeps, so
		# one more of them than there are cores.
		while [ "$(jobs -pr | wc -l)" -gt "$jobs" ]; do
			wait -n
		done
		job_run "$kind" "$name" "$dir" &
	done <<<"$jobs_asked"
	wait
	matrix_report "${dirs[@]}"
}
