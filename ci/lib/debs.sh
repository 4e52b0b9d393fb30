# shellcheck shell=bash
# Our packages, and apt repositories of them: one for Debian 12 and all after
# it, and one of packages without the command `siw` for suites before.

deb_needs='build-essential cmake debhelper dh-dkms dkms dpkg-dev libarchive-dev
	libcli11-dev libfmt-dev libibverbs-dev libmnl-dev libncurses-dev libnl-3-dev
	libnl-route-3-dev libpcap-dev librdmacm-dev libtomlplusplus-dev
	libtraceevent-dev libtracefs-dev ninja-build nlohmann-json3-dev pkgconf
	python3 python3-myst-parser python3-sphinx'

# repo_name SUITE, repo_of SUITE: under build/ci/share, which is /srv in a root.
repo_name() {
	case $(field suite "$1" debs) in
	no-command) say repo-no-command ;;
	*) say repo ;;
	esac
}
repo_of() { say "$out/share/$(repo_name "$1")"; }

# A suite's root with what it takes to build packages.
deb_root() { say "$cache/roots/suite-$1-deb"; }

deb_root_make() {
	local suite=$1 dir=$2
	copy_of "$(suite_root "$suite" full)" "$dir"
	# shellcheck disable=SC2086 # a list of words
	in_root "$dir" apt-get -qq update &&
		in_root "$dir" apt-get -qq -y install --no-install-recommends \
			$deb_needs || return 1
	in_root "$dir" apt-get -qq clean
	rm -rf "$dir"/var/lib/apt/lists/*
}

deb_root_ready() {
	suite_ready "$1" full && cached "$(deb_root "$1")" "$({
		cat "$(suite_root "$1" full).stamp"
		say "$deb_needs"
	} | sha256sum)" deb_root_make "$1"
}

# deb_build_in SUITE NAME [ARGUMENT...]: in a root of the suite, into
# build/ci/share/NAME.
deb_build_in() {
	local suite=$1 name=$2
	shift 2
	deb_root_ready "$suite" || return 1
	rm -rf "$out/share/source"
	"$top/packaging/make-source.sh" "$out/share/source" &&
		in_root "$(deb_root "$suite")" /srv/source/packaging/build-deb.sh \
			"/srv/$name" "$@"
}

# deb_build NAME [ARGUMENT...]: on Debian 12. To try the packages the host will do, if it
# is that; with headers of another day they may differ from those of a release.
deb_build() {
	local name=$1
	shift
	if grep -qx 'VERSION_CODENAME=bookworm' /etc/os-release; then
		nice "$top/packaging/build-deb.sh" "$out/share/$name" "$@"
	else
		deb_build_in bookworm "$name" "$@"
	fi
}

# deb_group NAME GROUP WITHOUT PATHS [ARGUMENT...]: some of the packages, if what
# they are made from has changed. WITHOUT are those that are left out.
deb_group() {
	local name=$1 group=$2 without=$3 paths=$4 dir=$out/share/$1 state deb package
	shift 4
	# shellcheck disable=SC2086 # a list of words
	state=$(cd "$top" && find packaging/*.sh packaging/debian VERSION $paths \
		-type f -print0 | sort -z | xargs -0 sha256sum | sha256sum)
	[ "$(cat "$dir/.$group" 2>/dev/null)" = "$state" ] && return
	rm -rf "$dir.new" "$dir/.$group" "$dir/Packages"
	# shellcheck disable=SC2086 # a list of words
	DH_OPTIONS=$(printf -- '-N%s ' $without) \
		quietly deb_build "$name.new" "$@" || return 1
	mkdir -p "$dir"
	for deb in "$dir.new"/*.deb; do
		package=${deb##*/}
		rm -f "$dir/${package%%_*}"_*.deb
	done
	mv "$dir.new"/*.deb "$dir/"
	rm -rf "$dir.new"
	say "$state" >"$dir/.$group"
}

# index_debs NAME: the index of a repository.
index_debs() {
	(cd "$out/share/$1" && { [ -s Packages ] ||
		dpkg-scanpackages --multiversion . 2>/dev/null >Packages; })
}

# debs_ready [SUITE]: what a host of the suite needs: siw-dkms and siw.
# shellcheck disable=SC2120 # other files give a suite
debs_ready() {
	local name options=()
	name=$(repo_name "${1:-bookworm}")
	[ "$name" = repo ] || options=(--no-command)
	# shellcheck disable=SC2086 # a list of words
	need $deb_needs
	deb_group "$name" siw-dkms siw-doc \
		'siw packaging/compat packaging/dkms' "${options[@]}" -A &&
		deb_group "$name" siw siw-selftests \
			'CMakeLists.txt docs/errors security selftests/kstub siw/proto tools' \
			"${options[@]}" -B &&
		index_debs "$name"
}

# all_debs_ready: and the packages that take longer to build.
all_debs_ready() {
	debs_ready && deb_group repo rest 'siw siw-dkms' \
		'CHANGELOG.md CMakeLists.txt README.md SECURITY.md docs packaging/site security
		selftests/conform selftests/kselftest selftests/kstub selftests/model selftests/vectors siw' -b &&
		index_debs repo
}

# What the packages of a suite's image hold.
debs_state() {
	(cd "$(repo_of "$1")" && sha256sum siw_*.deb siw-dkms_*.deb)
}

# add_repo ROOT SUITE: the repository of our packages, where apt in ROOT finds it.
add_repo() {
	mkdir -p "$1/srv"
	say "deb [trusted=yes] file:/srv/$(repo_name "$2") ./" \
		>"$1/etc/apt/sources.list.d/siw.list"
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
