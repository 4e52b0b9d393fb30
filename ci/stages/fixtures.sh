# shellcheck shell=bash
# The compat layer itself, and the module for kernels that the archive does not
# have: packaging/compat/README.md, "Fixtures".

fixtures=$out/share/fixtures

# for_kernel ROW SCRIPT [ARGUMENT...]: one of the layer's, for the row's kernel
# and in its root.
for_kernel() {
	local root
	root=$(root "$1" full)
	in_root "$root" SIW_PROBE_CACHE=/srv/fixtures/answers \
		"/srv/fixtures/packaging/compat/$2" \
		"/lib/modules/$(kernel_of "$root")/build" "${@:3}"
}

stage_fixtures() {
	local row name
	need mmdebstrap debian-archive-keyring
	rm -rf "$fixtures"
	mkdir -p "$fixtures"
	cp -r "$top/packaging" "$top/siw" "$top/VERSION" "$fixtures/"
	for row in newest trixie bookworm bullseye; do
		check "root-$row" root_ready "$row" full || continue
		check "layer-$row" for_kernel "$row" check.sh
		for name in $("$top/packaging/compat/fixtures/run.sh" --list \
			"$(kernel_field "$row" series)"); do
			check "$name" for_kernel "$row" fixtures/run.sh "$name"
		done
	done
}
