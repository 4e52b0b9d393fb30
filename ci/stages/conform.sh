# shellcheck shell=bash
# The rules of the RFCs and every vector, played against the driver in a guest.

conform_row=bookworm
conform=$out/conform

# One program for every guest: linked statically, here.
conform_program() {
	need cmake ninja-build g++ libcli11-dev libfmt-dev libtomlplusplus-dev \
		nlohmann-json3-dev
	cmake -G Ninja -S "$top/selftests/conform" -B "$top/build/conform" \
		-DSIW_STATIC=ON &&
		nice cmake --build "$top/build/conform"
}

conform_table() {
	"$top/build/conform/siw-conform" check-table \
		--vectors "$top/selftests/vectors/vectors.json" \
		--selftests "$top/selftests" \
		"$top/docs/reference/rfc-conformance.toml"
}

# conform_payload ROW: the counterpart is built in the row's root, against its
# libraries.
conform_payload() {
	local name=$1 dir=$out/share/conform-$1
	rm -rf "$dir"
	mkdir -p "$dir"
	cp "$top"/selftests/conform/peer/* "$dir/"
	in_root "$(root "$name" full)" make -C "/srv/conform-$name" clean \
		siw-conform-peer || return 1
	cp "$top/build/conform/siw-conform" "$top/selftests/conform/run.sh" \
		"$top/selftests/kselftest/topo.sh" \
		"$top/selftests/vectors/vectors.json" \
		"$top/docs/reference/rfc-conformance.toml" "$dir/"
	rm -f "$(image_dir "$name")/conform.erofs"
	mkfs.erofs --quiet "$(image_dir "$name")/conform.erofs" "$dir"
}

# conform_run ROW [TEST...]: in a guest, from where the report comes in a tar.
conform_run() {
	local name=$1 dir=$conform/$1 args slow
	shift
	slow=$(kernel_field "$name" slow)
	[ "$(acceleration "$name")" = tcg ] || slow=1
	rm -rf "$dir"
	mkdir -p "$dir"
	read -ra args <<<"$(machine "$name" "$dir")"
	SIW_VM=$vm_bin "$vm_bin" hosts "${args[@]}" --memory 1024 \
		--payload "$(image_dir "$name")/conform.erofs" --host a \
		--append 'ci.systemd systemd.show_status=0' \
		"$top/ci/conform/script" "$dir" "${slow:-3}" "$@"
}

# conform_verdict ROW: what the guest left behind.
conform_verdict() {
	local name=$1 dir=$conform/$1
	grep -a '^not ok' "$dir/conform.ktap" | sed "s/^/$name: /"
	count_junit "conform-$name" "$dir/junit.xml"
	say "# $(grep -a ' passed, ' "$dir/conform.ktap"); $dir/index.html"
}

# stage_conform [ROW [TEST...]]
stage_conform() {
	local name=${1:-$conform_row}
	[ $# -eq 0 ] || shift
	need mmdebstrap debian-archive-keyring
	check runner vm_runner_ready && check debs debs_ready &&
		check program conform_program && check table conform_table &&
		check "root-$name" root_ready "$name" full &&
		check "image-$name" installed_image "$name" &&
		check "payload-$name" conform_payload "$name" || return
	check "run-$name" conform_run "$name" "$@"
	conform_verdict "$name"
}
