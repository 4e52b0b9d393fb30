# shellcheck shell=bash
# The samples of docs/samples: built by two compilers, run in pairs in a guest.

samples_row=bookworm

# By clang here, for its warnings; what runs is built in the row's root.
samples_clang() {
	local dir=$out/share/samples-clang
	need clang libibverbs-dev librdmacm-dev
	rm -rf "$dir"
	mkdir -p "${dir%/*}"
	cp -r "$top/docs/samples" "$dir" &&
		nice make -C "$dir" CC=clang CXX=clang++ clean all
}

# A sample is one file of at most 250 lines, licensed for copying.
samples_sizes() {
	local file lines status=0
	for file in "$top"/docs/samples/*.{c,cc}; do
		lines=$(wc -l <"$file")
		[ "$lines" -le 250 ] && continue
		say "$file: $lines lines of 250"
		status=1
	done
	! grep -L 'SPDX-License-Identifier: MIT-0' "$top"/docs/samples/*.{c,cc} \
		"$top"/docs/samples/siw/*.hpp | grep . && return "$status"
}

samples_payload() {
	local dir=$out/share/samples
	rm -rf "$dir"
	mkdir -p "${dir%/*}"
	cp -r "$top/docs/samples" "$dir" &&
		in_root "$(root "$samples_row" full)" make -C /srv/samples clean \
			all || return 1
	cp "$top/selftests/kselftest/topo.sh" "$dir/"
	rm -f "$(image_dir "$samples_row")/samples.erofs"
	mkfs.erofs --quiet "$(image_dir "$samples_row")/samples.erofs" "$dir"
}

samples_run() {
	local args slow=1
	[ "$(acceleration "$samples_row")" != tcg ] || slow=3
	read -ra args <<<"$(machine "$samples_row")"
	"$vm_bin" test "${args[@]}" --name samples --memory 1536 \
		--payload "$(image_dir "$samples_row")/samples.erofs" \
		--junit "$out/log/samples.xml" --test-limit 180 \
		--total-limit 1800 \
		"cd /payload && SIW_SAMPLES_SLOW=$slow ./run.sh $*" </dev/null
}

# stage_samples [siw|rxe [SAMPLE...]]
stage_samples() {
	need mmdebstrap debian-archive-keyring
	check sizes samples_sizes
	check clang samples_clang
	check runner vm_runner_ready &&
		check "root-$samples_row" root_ready "$samples_row" full &&
		check "image-$samples_row" try_image "$samples_row" &&
		check payload samples_payload || return
	rm -f "$out/log/samples.xml"
	samples_run "$@"
	count_junit samples "$out/log/samples.xml"
}
