# shellcheck shell=bash
# kselftests on each kernel of the quick set, the module from its package.

# has_kunit NAME: can the kernel of a row run KUnit tests?
has_kunit() {
	local root
	root=$(root "$1" full)
	grep -q '^CONFIG_KUNIT=[ym]' "$root/boot/config-$(kernel_of "$root")"
}

# Where it can, a module that has them: siw_kunit.ko, to insert as siw.
kunit_module() {
	local name=$1 dir=$2
	has_kunit "$name" || return 0
	module_build "$name" "$out/log/kunit-$name.make" \
		CONFIG_RDMA_SIW_KUNIT_TEST=y &&
		cp "$out/share/build-$name/siw.ko" "$dir/siw_kunit.ko"
}

# The programs are built in the row's root, against its libraries.
kselftest_payload() {
	local name=$1 dir=$out/share/kselftest-$1 cc=gcc
	[ -z "$(cross_for "$name")" ] || cc=$(cross_tool "$name" gcc)
	rm -rf "$dir"
	mkdir -p "$dir"
	cp -r "$top/selftests" "$dir/selftests"
	in_root "$(root "$name" full)" make -j 1 \
		-C "/srv/kselftest-$name/selftests/kselftest" CC="$cc" clean all &&
		kunit_module "$name" "$dir/selftests/kselftest" || return 1
	rm -f "$(image_dir "$name")/payload.erofs"
	mkfs.erofs --quiet "$(image_dir "$name")/payload.erofs" \
		"$dir/selftests/kselftest"
}

# run_kselftests NAME LOG-DIR [RUN-SH-ARGUMENTS [PART]]: KTAP on standard output. The
# tests and the module are those of the row, unless SIW_PAYLOAD and SIW_KO say
# others. PART tells guests of one row apart.
#   SIW_BUDGET       seconds that each random test takes, if not those of the row
#   SIW_LIMITS_FULL  siw_limits with 10 000 peers, and the tests that wait minutes
# Emulation is slow: the tests' own time limits stretch, a hang still ends.
# Tracepoints are patched in before there is a second CPU: TCG may show it half
# a patch.
run_kselftests() {
	local name=$1 logs=$2 part=$1${4:+-$4} args slow memory budget
	local program settings longer=0 junit=$2/vm-$1${4:+-$4}.xml
	rm -f "$junit"
	slow=$(kernel_field "$name" slow)
	memory=$(kernel_field "$name" memory)
	budget=${SIW_BUDGET:-$(kernel_field "$name" budget)}
	[ "$(acceleration "$name")" = tcg ] || slow=1
	: "${slow:=3}"
	settings="SIW_KSFT_SLOW=$slow${SIW_KO:+ SIW_KO=$SIW_KO}"
	[ -z "$budget" ] || for program in FUZZ STORM FAULTS; do
		settings+=" SIW_${program}_SECONDS=$budget"
	done
	[ -z "${SIW_LIMITS_FULL:-}" ] || {
		settings+=' SIW_LIMITS_FULL=1'
		longer=600
	}
	read -ra args <<<"$(machine "$name" "$logs")"
	"$vm_bin" test "${args[@]}" --payload "$(image_dir "$name")/${SIW_PAYLOAD:-payload}.erofs" \
		--name "$part" --junit "$junit" --memory "${memory:-1536}" \
		--test-limit $((120 * slow + 4 * ${budget:-0} + longer)) \
		--total-limit $((900 * slow + 10 * ${budget:-0} + longer)) \
		--append 'trace_event=kmem:kmalloc,kmem:kmem_cache_alloc' \
		"cd /payload && $settings ./run.sh ${3:-}" </dev/null
}

# Programs whose quick tests need nothing but the device
of_the_device='siw_verbs siw_bad_input siw_mpa siw_fpdu siw_cm siw_observe siw_life
	siw_limits'

# kselftest_verdict PART STATUS: its cases are results; that all of such a program were
# skipped is a failure, and so is a runner that failed, where no case has.
kselftest_verdict() {
	local part=$1 status=$2 program
	count_junit "$part" "$out/log/vm-$part.xml" || return
	for program in $(awk -v part="$part:" -v of="$of_the_device" '
		BEGIN { n = split(of, names); for (i = 1; i <= n; i++) needs[names[i]] }
		$2 == "vm" && $3 == part {
			sub("/.*", "", $4)
			if ($4 in needs)
				ran[$4] += $1 != "skip"
		}
		END { for (p in ran) if (!ran[p]) print p }' "$results"); do
		printf 'fail vm %s: all of %s was skipped\n' "$part" "$program"
	done | tee -a "$results"
	[ "$status" -eq 0 ] || grep -q "^fail vm $part: " "$results" ||
		printf 'fail vm %s: the runner ended with %d\n' "$part" "$status" |
		tee -a "$results"
}

# The guests run side by side: many tests wait more than they work. Those that take
# longer run on the newest kernel alone here; in the matrix on each.
stage_vm() {
	local name part status ready=() parts=() runners=()
	need mmdebstrap debian-archive-keyring
	check runner vm_runner_ready && check debs debs_ready || return
	for name in $(kernels quick); do
		check "root-$name" root_ready "$name" full &&
			check "image-$name" installed_image "$name" &&
			check "kselftest-build-$name" kselftest_payload "$name" &&
			ready+=("$name")
	done
	[ ${#ready[@]} -gt 0 ] || return
	for name in "${ready[@]:0:${#ready[@]}-1}"; do
		parts+=("$name")
		run_kselftests "$name" "$out/log" -q | sed -u "s/^/$name: /" &
		runners+=($!)
	done
	name=${ready[-1]}
	for part in 1 2; do
		parts+=("$name-$part")
		run_kselftests "$name" "$out/log" "-s $part/2" "$part" |
			sed -u "s/^/$name-$part: /" &
		runners+=($!)
	done
	# By pipefail, the status of a pipeline is that of its runner.
	for part in "${parts[@]}"; do
		wait "${runners[0]}"
		status=$?
		runners=("${runners[@]:1}")
		kselftest_verdict "$part" "$status"
	done
}
