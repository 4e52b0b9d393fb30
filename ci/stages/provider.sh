# shellcheck shell=bash
# Our provider for rdma-core: a package for each private ABI, and what can be
# said of it without a machine to run it on.

# The suite whose rdma-core a private ABI is built from, and the oldest suite
# that has the ABI: there it is built.
provider_sources='trixie sid'
provider_suites='bookworm trixie sid'
provider_builder() {
	case $1 in
	trixie) say bookworm ;;
	*) say "$1" ;;
	esac
}
# provider_source_of SUITE: whose package that suite installs.
provider_source_of() {
	case $1 in
	bookworm) say trixie ;;
	*) say "$1" ;;
	esac
}

provider_tarball() { find "$cache/rdma-core/$1" -name '*.orig.tar.*' ! -name '*.asc'; }

provider_fetch() {
	SIW_MIRROR=$SIW_MIRROR "$top/packaging/provider/fetch.sh" "$1" "$2"
}

provider_fetched() {
	cached "$cache/rdma-core/$1" "$(($(date +%s) / 86400 / root_days))" \
		provider_fetch "$1"
}

# provider_build SOURCE: in a root, into build/ci/share/provider/SOURCE.
provider_build() {
	local source=$1 builder dir=$out/share/provider/$1
	builder=$(provider_builder "$source")
	deb_root_ready "$builder" || return 1
	rm -rf "$dir" "$out/share/source"
	mkdir -p "$dir"
	cp "$(provider_tarball "$source")" "$dir/rdma-core.tar" &&
		"$top/packaging/make-source.sh" "$out/share/source" &&
		in_root "$(deb_root "$builder")" \
			/srv/source/packaging/provider/build-deb.sh \
			"/srv/provider/$source/rdma-core.tar" \
			"/srv/provider/$source" || return 1
	rm "$dir/rdma-core.tar"
}

provider_lintian() {
	lintian --fail-on error,warning,info,pedantic --pedantic --allow-root \
		"$out"/share/provider/*/*.deb
}

# provider_deb SOURCE: its path in a root.
provider_deb() {
	(cd "$out/share" && find "provider/$1" -name 'siw-provider_*.deb' \
		-printf '/srv/%p\n')
}

# provider_install SUITE: in a root of it, with the package of another ABI.
provider_install() {
	local suite=$1 root=$out/roots/provider source other status
	source=$(provider_source_of "$suite")
	for other in $provider_sources; do
		[ "$other" = "$source" ] || break
	done
	cp "$top/packaging/provider/test/install.sh" "$out/share/provider/"
	copy_of "$(suite_root "$suite" full)" "$root" &&
		in_root "$root" apt-get -qq update &&
		in_root "$root" /srv/provider/install.sh \
			"$(provider_deb "$source")" "$(provider_deb "$other")"
	status=$?
	rm -rf "$root"
	return "$status"
}

# What needs a siw device is built only: no machine is booted here.
provider_test_builds() {
	local dir=$out/share/provider-test
	rm -rf "$dir"
	mkdir -p "$dir"
	cp "$top"/selftests/kselftest/* "$top/packaging/provider/test/siw_provider.c" \
		"$dir/"
	in_root "$(deb_root bookworm)" make -C /srv/provider-test clean \
		TESTS=siw_provider siw_provider
}

stage_provider() {
	local source suite
	need clang cmake debian-archive-keyring libibverbs-dev libnl-3-dev \
		libnl-route-3-dev lintian mmdebstrap ninja-build pkgconf sparse
	for source in $provider_sources; do
		check "source-$source" provider_fetched "$source" &&
			check "deb-$source" provider_build "$source" || return
		check "static-$source" "$top/packaging/provider/test/static.sh" \
			"$(provider_tarball "$source")"
	done
	check lintian provider_lintian
	check test-program provider_test_builds
	for suite in $provider_suites; do
		check "root-$suite" suite_ready "$suite" full &&
			check "install-$suite" provider_install "$suite"
	done
}
