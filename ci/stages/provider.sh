# shellcheck shell=bash
# Our provider for rdma-core: a package for each private ABI, installed in roots, and
# in a guest, where it runs.

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

# The guest that it runs in, with the package of that suite's private ABI. All but the
# last three of the tests fail with the stock provider: they say whose is used.
provider_row=newest

provider_payload() {
	local dir=$out/share/provider-test payload root source
	payload=$(image_dir "$provider_row")/provider.erofs
	root=$(root "$provider_row" full)
	source=$(provider_source_of "$(kernel_field "$provider_row" suite)")
	rm -rf "$dir"
	mkdir -p "$dir"
	cp "$top"/selftests/kselftest/* "$top/packaging/provider/test/siw_provider.c" \
		"$out/share/provider/$source"/siw-provider_*.deb "$dir/" &&
		in_root "$root" make -C /srv/provider-test clean siw_provider \
			TESTS=siw_provider && rm -f "$payload" &&
		mkfs.erofs --quiet "$payload" "$dir"
}

provider_in_guest() {
	local args slow=1
	[ "$(acceleration "$provider_row")" = kvm ] || slow=3
	read -ra args <<<"$(machine "$provider_row")"
	rm -f "$out/log/provider.xml"
	"$vm_bin" test "${args[@]}" --name provider --memory 1536 \
		--payload "$(image_dir "$provider_row")/provider.erofs" \
		--junit "$out/log/provider.xml" --test-limit $((120 * slow)) \
		--total-limit $((600 * slow)) "echo KTAP version 1; echo 1..2
		cd /payload
		dpkg -i siw-provider_*.deb >/run/said 2>&1 || {
			sed 's/^/# /' /run/said
			echo -n 'not '
		}
		echo ok 1 siw-provider is installed
		SIW_KSFT_SLOW=$slow ./siw_provider 2>&1 | sed -u 's/^/    /'
		[ \${PIPESTATUS[0]} = 0 ] || echo -n 'not '
		echo ok 2 siw_provider" </dev/null
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
	for suite in $provider_suites; do
		check "root-$suite" suite_ready "$suite" full &&
			check "install-$suite" provider_install "$suite"
	done
	check runner vm_runner_ready && check debs debs_ready &&
		check "root-$provider_row" root_ready "$provider_row" full &&
		check "image-$provider_row" installed_image "$provider_row" &&
		check test-program provider_payload || return
	provider_in_guest
	count_junit provider "$out/log/provider.xml"
}
