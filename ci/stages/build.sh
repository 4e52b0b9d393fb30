# shellcheck shell=bash
# The module for each kernel of the quick set, from the tree that DKMS
# gets, with that suite's compiler. W=1, and a warning is an error.

build_silent() {
	local log=$out/log/build-$1.make
	module_build "$1" "$log" W=1 || return 1
	! grep -E '(warning|error):' "$log"
}

stage_build() {
	local name
	need mmdebstrap debian-archive-keyring
	for name in $(kernels quick); do
		check "root-$name" root_ready "$name" full &&
			check "module-$name" build_silent "$name"
	done
}
