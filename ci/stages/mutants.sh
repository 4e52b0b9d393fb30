# shellcheck shell=bash
# Tests of the tests: faults put into the driver on purpose, one at a time.
# Each is a patch of selftests/mutants, and tests have to go red of it.

mutants=$top/selftests/mutants

# mutant_field NAME FIELD: of the head of its patch
mutant_field() { sed -n "s/^$2: //p" "$mutants/$1.patch"; }

mutant_row() {
	local row
	row=$(mutant_field "$1" Row)
	say "${row:-newest}"
}

# mutant_undo NAME DIR: by what is there before the patch. Applied backwards it may
# find another place that looks the same.
mutant_undo() {
	local name=$1 dir=$2 file
	sed -n 's/^+++ \([^[:space:]]*\).*/\1/p' "$mutants/$name.patch" |
		while read -r file; do
			cp "$top/$file" "$dir/$file" || return 1
		done
}

# The tree is built once for each row; then what a patch touches, twice.
mutant_build() {
	local name=$1 row=$2 dir=$out/share/build-$2 kernel root status
	root=$(root "$row" full)
	kernel=$(kernel_of "$root")
	patch -d "$dir" -p0 --no-backup-if-mismatch <"$mutants/$name.patch" ||
		return 1
	in_root "$root" make -C "/lib/modules/$kernel/build" \
		M="/srv/build-$row" -j "$jobs" W=1 modules &&
		cp "$dir/siw.ko" \
			"$out/share/try-$row/selftests/kselftest/$name.ko"
	status=$?
	mutant_undo "$name" "$dir" && return "$status"
}

# All patches fit the driver as it is.
mutants_apply() {
	local patch status=0
	for patch in "$mutants"/*.patch; do
		(cd "$top" && patch -p0 --dry-run --force <"$patch") >/dev/null || {
			say "$patch: does not apply to siw/ any more"
			status=1
		}
	done
	return "$status"
}

mutant_payload() {
	rm -f "$(image_dir "$1")/mutants.erofs"
	mkfs.erofs --quiet "$(image_dir "$1")/mutants.erofs" \
		"$out/share/try-$1/selftests/kselftest"
}

# A guest that never ran a test has proved nothing.
mutant_is_killed() {
	local name=$1 row=$2 dir=$out/log/mutants/$1 ktap
	ktap=$dir/ktap
	mkdir -p "$dir"
	SIW_PAYLOAD=mutants SIW_KO=/payload/$name.ko \
		run_kselftests "$row" "$dir" "$(mutant_field "$name" Tests)" \
		>"$ktap"
	cat "$ktap"
	grep -q '^KTAP version' "$ktap" && grep -q '^not ok' "$ktap" &&
		! grep -q '^not ok .* a test is named' "$ktap"
}

# named_tests NAME...: what the mutants name, a line for each program: without a word
# behind it, if one of them names it so.
named_tests() {
	local name
	for name; do
		mutant_field "$name" Tests
	done | awk '
		{ words[$1] }
		NF == 1 { all[$1] }
		{ for (i = 2; i <= NF; i++) if (!seen[$1, $i]++) words[$1] = words[$1] " " $i }
		END { for (name in words) print name (name in all ? "" : words[name]) }' | sort
}

# Tests that are red already would seem to kill each mutant.
row_finds_nothing() {
	local row=$1 tests=$2 dir
	dir=$out/log/mutants/$row-${tests%% *}
	mkdir -p "$dir"
	SIW_PAYLOAD=mutants SIW_KO=/payload/siw.ko \
		run_kselftests "$row" "$dir" "$tests" >"$dir/ktap"
	cat "$dir/ktap"
	grep -q '^KTAP version' "$dir/ktap" && ! grep -q '^not ok' "$dir/ktap"
}

await_core() {
	while [ "$(jobs -pr | wc -l)" -ge "$jobs" ]; do
		wait -n
	done
}

# For those that KUnit tests have to find there is no guest: Row: kunit.
kunit_mutants() {
	local name tree kunit=$out/kunit-mutants
	# shellcheck disable=SC2086 # a list of words
	need $um_needs
	check kernel um_ready && tree=$(um_tree) || return
	rm -rf "$kunit"
	mkdir -p "$kunit/source"
	cp -r "$top/siw" "$kunit/source/"
	check "kunit without a fault" kunit_finds_nothing "$tree" || return
	for name; do
		check "$name" kunit_finds "$name" "$tree"
	done
}

# What KUnit finds in the source as it is now, as KTAP
kunit_says() {
	kunit_build "$1" "$kunit/source/siw" && kunit_root "$1" || return
	kunit_run "$1" >"$kunit/ktap"
	cat "$kunit/ktap"
	grep -q 'KTAP version' "$out/log/kunit.console"
}

kunit_finds_nothing() { kunit_says "$1" && ! grep '^not ok' "$kunit/ktap"; }

kunit_finds() {
	local name=$1 tree=$2 status
	patch -d "$kunit/source" -p0 --no-backup-if-mismatch <"$mutants/$name.patch" ||
		return 1
	kunit_says "$tree" && grep '^not ok' "$kunit/ktap"
	status=$?
	mutant_undo "$name" "$kunit/source" && return "$status"
}

# stage_mutants [NAME...]
stage_mutants() {
	local name row rows tests ready=()
	[ $# -gt 0 ] || set -- "$mutants"/*.patch
	set -- "${@##*/}"
	set -- "${@%.patch}"
	for name; do
		[ -s "$mutants/$name.patch" ] ||
			die "no such mutant in selftests/mutants: $name"
	done
	need mmdebstrap debian-archive-keyring patch
	check runner vm_runner_ready || return
	rows=$(for name; do mutant_row "$name"; done | sort -u)
	for row in $rows; do
		[ "$row" != kunit ] || {
			# shellcheck disable=SC2046 # names
			kunit_mutants $(for name; do
				[ "$(mutant_row "$name")" != kunit ] || say "$name"
			done)
			continue
		}
		check "root-$row" root_ready "$row" full &&
			check "image-$row" try_image "$row" &&
			check "module-$row" build_silent "$row" &&
			check "kselftest-build-$row" try_payload "$row" || return
		ready=()
		for name; do
			[ "$(mutant_row "$name")" != "$row" ] ||
				! check "build-$name" mutant_build "$name" "$row" ||
				ready+=("$name")
		done
		check "payload-$row" mutant_payload "$row" || return
		while read -r tests; do
			await_core
			check "$row without a fault: ${tests%% *}" \
				row_finds_nothing "$row" "$tests" &
		done < <(named_tests "${ready[@]}")
		for name in "${ready[@]}"; do
			await_core
			check "$name" mutant_is_killed "$name" "$row" &
		done
		wait
	done
}
