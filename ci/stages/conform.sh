# shellcheck shell=bash
# The rules of the RFCs and every vector, played against the driver in a guest; or
# with --inbox against the kernel's own, to see how the two differ.

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

# Wireshark's word on the vectors and the Terminates that answer them, to which the
# suite compares what arrives: no difference that has no explanation.
conform_tshark() {
	local dir=$out/share/tshark
	rm -rf "$dir"
	cp -r "$top/selftests/vectors" "$dir" && cd "$dir" &&
		python3 check_tshark.py
}

# conform_captures ROW: and its word on every frame that the driver sent in the run.
conform_captures() {
	cd "$out/share/tshark" &&
		python3 check_tshark.py tshark "$conform/$1"/*.pcap
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
	[ -z "$conform_inbox" ] ||
		cp "$out/share/inbox-$name/siw.ko" "$dir/inbox.ko" || return 1
	rm -f "$(image_dir "$name")/conform.erofs"
	mkfs.erofs --quiet "$(image_dir "$name")/conform.erofs" "$dir"
}

# conform_run ROW DIR [TEST...]: in a guest, from where the report comes in a tar.
conform_run() {
	local name=$1 dir=$2 args slow
	shift 2
	slow=$(kernel_field "$name" slow)
	[ "$(acceleration "$name")" = tcg ] || slow=1
	rm -rf "$dir"
	mkdir -p "$dir"
	read -ra args <<<"$(machine "$name" "$dir")"
	SIW_VM=$vm_bin "$vm_bin" hosts "${args[@]}" --memory 1024 \
		--payload "$(image_dir "$name")/conform.erofs" --host a \
		--append 'ci.systemd systemd.show_status=0' \
		-- "$top/ci/conform/script" "$dir" "${slow:-3}" "$@"
}

# conform_foreign ROW [TEST...]: in one guest after the other, as tests end them:
# the host dies, or the counterpart answers no more. What another driver does is a
# fact and no fault of ours: a table of what did not hold, in differences.md.
conform_foreign() {
	local name=$1 dir=$conform/$1-inbox n=0 tests ended from=() ktap
	shift
	rm -rf "$dir"
	mkdir -p "$dir"
	mapfile -t tests < <("$top/build/conform/siw-conform" list \
		--vectors "$top/selftests/vectors/vectors.json" "$@")
	[ ${#tests[@]} -gt 0 ] || return 1
	while :; do
		n=$((n + 1))
		ktap=$dir/$n/conform.ktap
		conform_run "$name" "$dir/$n" "${from[@]}" "$@" \
			>"$dir/$n.log" 2>&1
		grep -q '^1\.\.' "$ktap" || return 1
		cat "$ktap" >>"$dir/conform.ktap"
		ended=$(grep -aEc '^(not )?ok ' "$dir/conform.ktap")
		[ "$ended" -lt ${#tests[@]} ] || break
		grep -q '^Bail out!' "$ktap" || {
			say "# its host died or hangs"
			ended=$((ended + 1))
			say "not ok $ended ${tests[ended - 1]%%: *}"
		} >>"$dir/conform.ktap"
		say "# conform: guest $n ended with ${tests[ended - 1]%%: *}"
		[ "$ended" -lt ${#tests[@]} ] || break
		from=(--from "${tests[ended]%%: *}")
	done
	conform_differences "$dir/conform.ktap" >"$dir/differences.md"
}

# conform_differences KTAP: what did not hold, each with its first reason.
conform_differences() {
	say '| test | what was seen |'
	say '|---|---|'
	awk '/^1\.\./ { why = "" }	# before it is what the peer is
		/^# octets: / || /^# note: / { next }
		/^# / && why == "" { why = substr($0, 3) }
		/^not ok / { print "| " $4 " | " why " |" }
		/^(not )?ok / { why = "" }' "$1"
}

# conform_verdict ROW: what the guest left behind.
conform_verdict() {
	local name=$1 dir=$conform/$1
	grep -a '^not ok' "$dir/conform.ktap" | sed "s/^/$name: /"
	count_junit "conform-$name" "$dir/junit.xml"
	say "# $(grep -a ' passed, ' "$dir/conform.ktap"); $dir/index.html"
}

# stage_conform [--inbox] [ROW [TEST...]]
stage_conform() {
	local name
	conform_inbox=
	[ "${1:-}" != --inbox ] || {
		conform_inbox=1
		shift
	}
	name=${1:-$conform_row}
	[ $# -eq 0 ] || shift
	need mmdebstrap debian-archive-keyring python3 tshark
	check runner vm_runner_ready && check debs debs_ready &&
		check program conform_program && check table conform_table &&
		check tshark conform_tshark &&
		check "root-$name" root_ready "$name" full &&
		check "image-$name" installed_image "$name" || return
	[ -z "$conform_inbox" ] || check "inbox-$name" inbox_build "$name" || return
	check "payload-$name" conform_payload "$name" || return
	if [ -n "$conform_inbox" ]; then
		check "run-inbox-$name" conform_foreign "$name" "$@" &&
			say "# $conform/$name-inbox/differences.md"
		return
	fi
	check "run-$name" conform_run "$name" "$conform/$name" "$@"
	check "tshark-run-$name" conform_captures "$name"
	conform_verdict "$name"
}
