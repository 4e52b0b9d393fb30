# shellcheck shell=bash
# Everything that runs in user space, with sanitizers.

stage_unit() {
	local xml=$out/log/unit file
	need cmake ninja-build g++ libarchive-dev libcli11-dev libfmt-dev \
		libgtest-dev libtomlplusplus-dev nlohmann-json3-dev libmnl-dev \
		libncurses-dev libpcap-dev libtraceevent-dev libtracefs-dev \
		libibverbs-dev pkgconf gnupg
	cd "$top" || return
	check configure cmake --preset sanitize &&
		check compile nice cmake --build --preset sanitize || return
	rm -rf "$xml"
	check ctest env GTEST_OUTPUT="xml:$xml/" nice ctest --preset sanitize \
		-j "$jobs"
	for file in "$xml"/*.xml; do
		count_junit "$(basename "$file" .xml)" "$file"
	done
}
