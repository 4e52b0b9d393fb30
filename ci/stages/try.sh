# shellcheck shell=bash
# For while you work: the module and the kselftests as they are now, in a guest
# of one kernel; its image may be older.

# A new image costs more than all the rest.
try_image() {
	[ -s "$(image_dir "$1")/root.erofs" ] && return
	debs_ready && installed_image "$1"
}

try_payload() {
	local name=$1 dir=$out/share/try-$1
	rm -rf "$dir"
	mkdir -p "$dir"
	cp -r "$top/selftests" "$dir/"
	in_root "$(root "$name" full)" make -j "$jobs" \
		-C "/srv/try-$name/selftests/kselftest" clean all || return 1
	cp "$out/share/build-$name/siw.ko" "$dir/selftests/kselftest/"
	rm -f "$(image_dir "$name")/try.erofs"
	mkfs.erofs --quiet "$(image_dir "$name")/try.erofs" \
		"$dir/selftests/kselftest"
}

# The confusion matrix of `siw doctor`
doctor_truth() {
	local page=$out/doctor-truth.md status
	"$top/ci/doctor-truth" "$1" >"$page"
	status=$?
	cat "$page"
	return "$status"
}

# What `siw doctor` says of conditions that are caused, and of healthy hosts
stage_doctor() {
	stage_try newest siw_doctor
}

# stage_try [ROW [RUN-SH-ARGUMENT...]]
stage_try() {
	local name=${1:-bookworm}
	[ $# -eq 0 ] || shift
	[ $# -gt 0 ] || set -- -q
	[ -z "$(cross_for "$name")" ] || die "$name is cross-built: try another"
	need mmdebstrap debian-archive-keyring
	check runner vm_runner_ready &&
		check "root-$name" root_ready "$name" full &&
		check "image-$name" try_image "$name" &&
		check "module-$name" build_silent "$name" &&
		check "kselftest-build-$name" try_payload "$name" || return
	SIW_PAYLOAD=try SIW_KO=/payload/siw.ko \
		run_kselftests "$name" "$out/log" "$*"
	count_junit "$name" "$out/log/vm-$name.xml"
	! grep -q 'truth: .* | ' "$out/log/vm-$name.xml" ||
		check doctor-truth doctor_truth "$out/log/vm-$name.xml"
}
