# shellcheck shell=bash
# Our packages, and an apt repository of them.

repo=$out/share/repo

# What the packages are made from.
source_state() {
	(cd "$top" && find siw packaging VERSION CHANGELOG.md LICENSES -type f \
		-print0 2>/dev/null | sort -z | xargs -0 sha256sum) | sha256sum
}

# debs_ready: build the packages if the sources changed.
debs_ready() {
	local state
	state=$(source_state)
	[ "$(cat "$repo/.state" 2>/dev/null)" = "$state" ] && return
	need build-essential debhelper dh-dkms dkms dpkg-dev
	rm -rf "$repo"
	mkdir -p "$repo"
	quietly nice "$top/packaging/build-deb.sh" "$repo" || return 1
	(cd "$repo" && dpkg-scanpackages --multiversion . 2>/dev/null >Packages) ||
		return 1
	say "$state" >"$repo/.state"
}

# add_repo ROOT: the repository of our packages, where apt in ROOT finds it.
add_repo() {
	mkdir -p "$1/srv"
	say 'deb [trusted=yes] file:/srv/repo ./' >"$1/etc/apt/sources.list.d/siw.list"
}

# tree_build ROOT DIR LOG [MAKE-ARGUMENT...]: build the tree that DKMS gets, for
# the kernel of that root, in this directory of build/ci/share. The KUnit tests
# are there, for CONFIG_RDMA_SIW_KUNIT_TEST=y.
tree_build() {
	local root=$1 dir=$out/share/$2 log=$3 kernel
	kernel=$(kernel_of "$root")
	rm -rf "$dir"
	mkdir -p "$dir"
	"$top/packaging/make-dkms-tree.sh" "$dir" &&
		cp -r "$top/siw/tests" "$dir/siw/" || return 1
	in_root "$root" make -C "/srv/$2" -j "$jobs" KVER="$kernel" "${@:4}" \
		>"$log" 2>&1 && [ -s "$dir/siw.ko" ] && return
	cat "$log"
	return 1
}

# module_build NAME LOG [MAKE-ARGUMENT...]: the same for the kernel of a row and
# with that suite's compiler.
module_build() {
	tree_build "$(root "$1" full)" "build-$1" "${@:2}"
}
