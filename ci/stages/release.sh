# shellcheck shell=bash
# From a tag to what is published: source, packages, SBOMs, checksums, signatures, in
# build/ci/release, and repositories of them in its apt/ and dnf/. SIW_RELEASE_KEY is
# the key that signs, as gpg --local-user takes it; without one the release is a trial,
# with a key that is forgotten. SIW_RELEASE_URL is where the directory will be served.

release=$out/release

# One version everywhere, and for a release one that is tagged.
release_versions() {
	local version status=0
	version=$(cat "$top/VERSION")
	versions_agree || status=1
	if [ -n "${SIW_RELEASE_KEY:-}" ]; then
		release_tagged "$top" "v$version" || status=1
		! grep -F "$version (unreleased)" "$top/CHANGELOG.md" || status=1
		[ -n "${SIW_RELEASE_URL:-}" ] || {
			say 'SIW_RELEASE_URL is not set: where are the repositories going to be served?'
			status=1
		}
	fi
	return "$status"
}

# release_tagged DIR TAG: the tree is just what the tag names, which is signed by a key
# that the keyring holds and that is in force.
release_tagged() {
	local status=0
	git -C "$1" tag --points-at HEAD | grep -qx "$2" || {
		say "no tag $2 here"
		status=1
	}
	git -C "$1" verify-tag "$2" || {
		say "$2: no good signature: git tag -s, or gpg --import the releaser's key"
		status=1
	}
	[ -z "$(git -C "$1" status --porcelain)" ] || {
		say 'the tree has changes that are not committed'
		status=1
	}
	return "$status"
}

# A tree as it should be is taken, and no other: each is refused for one reason alone.
release_tags_refused() {
	local dir=$out/release-tags status=0
	rm -rf "$dir"
	git init -q "$dir" || return 1
	own_keyring
	test_key stranger gpg && release_tag_made "$dir" stranger -s || status=1
	forget_keyring
	own_keyring
	test_key releaser gpg || status=1
	release_refused "$dir" stranger 'no good signature' || status=1
	release_tag_made "$dir" unsigned -a || status=1
	release_refused "$dir" unsigned 'no good signature' || status=1
	git -C "$dir" tag light
	release_refused "$dir" light 'no good signature' || status=1
	release_tag_made "$dir" good -s && release_tagged "$dir" good || status=1
	: >"$dir/left"
	release_refused "$dir" good 'not committed' || status=1
	rm "$dir/left"
	release_tag_made "$dir" later -s || status=1
	release_refused "$dir" good 'no tag good here' || status=1
	forget_keyring
	rm -rf "$dir"
	return "$status"
}

# release_refused DIR TAG REASON
release_refused() {
	local said
	said=$(release_tagged "$1" "$2" 2>"$out/release-tags.gpg") || {
		[[ $said = *"$3"* && $said != *$'\n'* ]] && return
	}
	say "$2: not refused as it should be ($3): ${said:-taken}"
	return 1
}

# release_tag_made DIR TAG HOW, by the one key there is.
release_tag_made() {
	local git=(git -C "$1" -c user.name=releaser -c user.email=releaser@siw.invalid
		-c gpg.format=openpgp)
	"${git[@]}" commit -q --allow-empty -m "$2" &&
		"${git[@]}" -c user.signingKey=@siw.invalid tag "$3" -m "$2" "$2"
}

release_source() { "$top/packaging/make-tarball.sh" "$release"; }

# The figure, for each that is released: tarball, Debian's, those of RPM.
release_sizes() {
	local file size count=0 status=0
	for file in "$release"/*.tar.xz "$release"/*.src.rpm; do
		size=$(stat -c %s "$file") || return 1
		say "${file##*/}: $size octets of 2 MiB"
		[ "$size" -lt $((2 << 20)) ] || status=1
		count=$((count + 1))
	done
	[ "$count" = 4 ] && return "$status"
}

# The source once more, from a copy at another place with other times of its files.
release_source_again() {
	local dir=$out/share/elsewhere
	rm -rf "$dir"
	mkdir -p "$dir/tree"
	tar -xf "$release"/siw-*.tar.xz -C "$dir/tree" --strip-components=1 \
		--touch --no-same-permissions &&
		TZ=Asia/Tokyo "$dir/tree/packaging/make-tarball.sh" "$dir/out" &&
		same_files "$release" "$dir/out" 'siw-*.tar.xz'
}

# The packages for Debian 12 and all after it, and for 11: what `test` has built in
# parts is not used. In a root, as the second time: this host may have other headers.
release_debs() {
	rm -rf "$out"/share/release-debs "$out"/share/release-debs11
	deb_build_in bookworm release-debs &&
		deb_build_in bookworm release-debs11 --no-command &&
		cp "$out"/share/release-debs*/*.deb "$out"/share/release-debs/*.dsc \
			"$out"/share/release-debs/*.tar.xz "$release/" &&
		find "$release" -name '*-dbgsym_*' -delete
}

# The source package builds in later releases as well, with their compilers and tools:
# there distributions and users build their own.
release_builds_in() {
	local suite=$1 dir=$out/share/release-in-$1 package
	rm -rf "$dir"
	deb_build_in "$suite" "release-in-$suite" || return 1
	for package in $ours; do
		find "$dir" -name "${package}_*.deb" | grep . || return 1
	done
	rm -rf "$dir"
}

release_provider() {
	provider_fetched "$1" && provider_build "$1" &&
		cp "$out/share/provider/$1"/*.deb "$release/" &&
		find "$release" -name '*-dbgsym_*' -delete
}

# release_again NAME [--no-command]: the packages of build/ci/share/NAME, elsewhere.
release_again() {
	local name=$1
	shift
	rm -rf "$out/share/elsewhere" "$out/share/source"
	"$top/packaging/make-source.sh" "$out/share/source" &&
		elsewhere /srv/source/packaging/build-deb.sh \
			/srv/elsewhere/out "$@" &&
		same_files "$out/share/$name" "$out/share/elsewhere/out" '*.[dt]*'
}

release_provider_again() {
	local source=$1
	rm -rf "$out/share/elsewhere" "$out/share/source"
	mkdir -p "$out/share/elsewhere"
	cp "$(provider_tarball "$source")" "$out/share/elsewhere/rdma-core.tar" &&
		"$top/packaging/make-source.sh" "$out/share/source" &&
		elsewhere /srv/source/packaging/provider/build-deb.sh \
			/srv/elsewhere/rdma-core.tar /srv/elsewhere/out &&
		same_files "$out/share/provider/$source" \
			"$out/share/elsewhere/out" '*.deb'
}

# Of what `ci/run rpm` has tried, what no library of Debian is linked to: its names are
# not those of other distributions (libpcap.so.0.8). They build the rest from the source,
# which is that of the release. That "dnf install siw" finds one, there is siw without the
# command; its version is below that of each build with it.
release_rpms() {
	local file version
	version=$(cat "$top/VERSION")
	rpms_ready && rm -rf "$out/share/source" &&
		"$top/packaging/make-source.sh" "$out/share/source" &&
		rpm_build source release-rpm --without command \
			--define 'dist ~nocommand' &&
		cp "$out"/share/rpm/*.src.rpm "$out"/share/rpm/siw-dkms-*.rpm \
			"$out"/share/rpm/siw-doc-*.rpm \
			"$out/share/release-rpm/siw-$version-1~nocommand.noarch.rpm" \
			"$release/" &&
		! rpm -qp --nosignature --qf '%{ARCH}\n' "$release"/siw-d*.rpm \
			"$release"/siw-*~nocommand.*.rpm | grep -vx noarch &&
		! rpm -qp --nosignature --requires "$release"/*.rpm | grep -F .so. || return 1
	for file in "$release"/*.src.rpm; do
		rpm2cpio "$file" | cpio -i --quiet --to-stdout "siw-$version.tar.xz" | xz -dc |
			cmp - <(xz -dc "$release/siw-$version.tar.xz") || return 1
	done
}

# provider_of DEB: which of rdma-core's sources it was built from.
provider_of() {
	local source
	for source in $provider_sources; do
		[ ! -e "$out/share/provider/$source/${1##*/}" ] || say "$source"
	done
}

release_sbom() {
	local package=$1 built=$out/share source with=()
	case $package in
	# No program is in those of Debian 11.
	*_all.deb | *~deb11_* | *.noarch.rpm | *.src.rpm | *.tar.xz) ;;
	*/siw-provider_*)
		source=$(provider_of "$package")
		with=("$built/provider/$source"/*.buildinfo rdma-core
			"$(provider_tarball "$source" |
				sed 's/.*_\(.*\)\.orig\..*/\1/')")
		;;
	*) with=("$built"/release-debs/*.buildinfo) ;;
	esac
	"$top/packaging/make-sbom.sh" "$package" "$package.spdx.json" "${with[@]}"
}

release_sboms() {
	local package version
	for package in "$release"/*.deb "$release"/*.rpm "$release"/siw-*.tar.xz; do
		release_sbom "$package" || return 1
	done
	# Headers that went into a program are told, and the code of others.
	version=$(cat "$top/VERSION")
	for package in "$release/siw_$version"_*.deb; do
		sbom_has libcli11-dev "$package" || return 1
	done
	for package in "$release"/siw-provider_*.deb; do
		sbom_has rdma-core "$package" && sbom_has libibverbs-dev "$package" ||
			return 1
	done
}

# sbom_has NAME PACKAGE: with its version.
sbom_has() {
	jq -e --arg name "$1" '.packages[] | select(.name == $name) |
		.versionInfo | test("^[0-9]")' "$2.spdx.json"
}

# The SPDX project's own tool; of Debian's suites sid has it.
spdx_root=$cache/roots/suite-sid-spdx

spdx_root_make() {
	copy_of "$(suite_root sid full)" "$1"
	in_root "$1" apt-get -qq update &&
		in_root "$1" apt-get -qq -y install --no-install-recommends \
			python3-spdx-tools || return 1
	in_root "$1" apt-get -qq clean
	rm -rf "$1"/var/lib/apt/lists/*
}

spdx_root_ready() {
	suite_ready sid full && cached "$spdx_root" "$({
		cat "$(suite_root sid full).stamp"
		declare -f spdx_root_make
	} | sha256sum)" spdx_root_make
}

spdx_valid() {
	local file status=0
	rm -rf "$out/share/spdx"
	mkdir -p "$out/share/spdx"
	cp "$@" "$out/share/spdx/"
	for file; do
		say "${file##*/}"
		in_root "$spdx_root" pyspdxtools -i "/srv/spdx/${file##*/}" || status=1
	done
	rm -rf "$out/share/spdx"
	return "$status"
}

# What is not valid is refused: a file that no relationship may name, no hash.
spdx_invalid() {
	local file=$out/broken.spdx.json
	jq '.packages[0].checksums[0].checksumValue = "00" |
		.relationships[0].relatedSpdxElement = "SPDXRef-nowhere"' \
		"$(find "$release" -name 'siw-dkms_*.deb.spdx.json' | head -n 1)" >"$file"
	local said
	! said=$(spdx_valid "$file" 2>&1) && say "$said" | grep -i 'document is invalid'
}

release_sign() {
	(cd "$release" && rm -f -- *.asc SHA256SUMS &&
		sha256sum -- * >SHA256SUMS) || return 1
	gpg --batch --armor --export "$release_key" >"$release/siw.asc" || return 1
	local file
	for file in "$release"/SHA256SUMS "$release"/siw-*.tar.xz; do
		gpg --batch --quiet --local-user "$release_key" --armor \
			--detach-sign "$file" || return 1
	done
}

# Of what there is now; ci/run repo tries such repositories as a user does.
release_repositories() {
	local url=${SIW_RELEASE_URL:-}
	"$top/packaging/repo/make-apt.sh" ${url:+-u "$url/apt"} "$release_key" \
		"$release/apt" "$release"/*.deb "$release"/*.dsc &&
		"$top/packaging/repo/make-dnf.sh" ${url:+-u "$url/dnf"} "$release_key" \
			"$release/dnf" "$release"/*.rpm
}

# Each package is in them, as it was released; those of rpm are signed besides.
release_repositories_whole() {
	local file name
	for file in "$release"/*.deb "$release"/*.dsc "$release"/siw_*.tar.xz; do
		name=${file##*/}
		find "$release/apt/pool" -name "$name" -print0 | grep -z . |
			xargs -0 -n 1 cmp "$file" || return 1
	done
	for file in "$release"/*.rpm; do
		rpm -K --nosignature "$release/dnf/packages/${file##*/}" || return 1
	done
	for file in "$release"/apt/dists/*/InRelease; do
		gpgv --keyring "$out/siw.gpg" "$file" || return 1
	done
	gpgv --keyring "$out/siw.gpg" "$release"/dnf/repodata/repomd.xml.asc \
		"$release"/dnf/repodata/repomd.xml
}

# As docs/how-to/install.md tells users to.
release_verified() {
	(cd "$1" && gpg --batch --dearmor <siw.asc >"$out/siw.gpg" &&
		gpgv --keyring "$out/siw.gpg" SHA256SUMS.asc SHA256SUMS &&
		gpgv --keyring "$out/siw.gpg" siw-*.tar.xz.asc siw-*.tar.xz &&
		sha256sum --quiet --strict -c SHA256SUMS)
}

# One octet in each, and a signature of somebody else.
release_refuses() {
	local copy=$out/release-broken status=0 file
	for file in SHA256SUMS siw-*.tar.xz siw-dkms_*_all.deb; do
		rm -rf "$copy"
		cp -r "$release" "$copy"
		printf '\377' | dd of="$(find "$copy" -name "$file" | head -n 1)" \
			bs=1 seek=40 conv=notrunc status=none
		! release_verified "$copy" || {
			say "changed and taken: $file"
			status=1
		}
	done
	rm -rf "$copy"
	cp -r "$release" "$copy"
	own_keyring
	test_key stranger gpg && gpg --batch --yes --armor --detach-sign \
		"$copy/SHA256SUMS" || status=1
	! release_verified "$copy" || {
		say "a stranger's signature was taken"
		status=1
	}
	forget_keyring
	rm -rf "$copy"
	return "$status"
}

stage_release() {
	local source suite
	need apt-utils build-essential cpio createrepo-c debian-archive-keyring \
		diffoscope-minimal gnupg gpgv jq mmdebstrap python3 rpm xz-utils
	rm -rf "$release"
	mkdir -p "$release"
	# A trial goes on.
	check versions release_versions || [ -z "${SIW_RELEASE_KEY:-}" ] || return
	check tags-refused release_tags_refused
	check source release_source && check source-again release_source_again
	check root-bookworm deb_root_ready bookworm && check debs release_debs || return
	check root-elsewhere elsewhere_ready "$(deb_root bookworm)" && {
		check debs-again release_again release-debs
		check debs-of-debian-11-again release_again release-debs11 --no-command
	}
	for suite in trixie sid; do
		check "debs-in-$suite" release_builds_in "$suite"
	done
	for source in $provider_sources; do
		check "provider-$source" release_provider "$source" || continue
		# That of the other root is built in the same way.
		[ "$(provider_builder "$source")" = bookworm ] || continue
		check "provider-$source-again" release_provider_again "$source"
	done
	rm -rf "$elsewhere_root" "$out/share/elsewhere"
	check root-rpm rpm_root_ready && check rpms release_rpms &&
		check source-sizes release_sizes
	check sboms release_sboms && check root-spdx spdx_root_ready && {
		check sboms-valid spdx_valid "$release"/*.spdx.json
		check sboms-can-be-invalid spdx_invalid
	}
	release_key=${SIW_RELEASE_KEY:-trial@siw.invalid}
	[ -n "${SIW_RELEASE_KEY:-}" ] || {
		own_keyring
		check key test_key trial gpg
	}
	check signed release_sign && check verified release_verified "$release" &&
		check refused release_refuses && check repositories release_repositories &&
		check repositories-whole release_repositories_whole
	[ -n "${SIW_RELEASE_KEY:-}" ] || {
		forget_keyring
		say '# a trial: SIW_RELEASE_KEY was not set'
	}
	say "# $release"
}
