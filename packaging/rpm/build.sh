# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What build-rpm.sh of siw and that of the provider share.  Set are $top, the tree,
# and $out, where the packages go.

spec=$top/packaging/rpm/siw.spec
version=$(cat "$top/VERSION")
umask 022

# begin_rpms: $work is where rpmbuild works, with siw's tarball in SOURCES.
begin_rpms() {
	command -v rpmbuild >/dev/null || {
		echo "$0: no rpmbuild here: install the package rpm-build" >&2
		exit 1
	}
	packaged=$(sed -n 's/^Version: *//p' "$spec")
	if [ "$packaged" != "$version" ]; then
		echo "$0: VERSION says $version, packaging/rpm/siw.spec $packaged" >&2
		exit 1
	fi
	day=$(sed -n '/^%changelog/{n;s/^\* \(.*[0-9]\{4\}\) .*/\1/p;}' "$spec")
	SOURCE_DATE_EPOCH=$(LC_ALL=C date -u -d "$day" +%s)
	export SOURCE_DATE_EPOCH

	# rpm writes the build directory into the source package, and its hash into
	# the others: it has to be the same each time.
	work=/var/tmp/siw-rpm-$version
	mkdir "$work" || {
		echo "$0: $work: another build is running, or was ended: remove it" >&2
		exit 1
	}
	trap 'rm -rf "$work"' EXIT
	mkdir "$work/SOURCES"
	"$top/packaging/make-tarball.sh" "$work/SOURCES"
}

# make_spec NAME [SED-OPTION...]: $work/NAME.spec of NAME.spec.in, with siw's version
# and changelog.
make_spec() {
	name=$1
	shift
	{
		sed -e "s/@VERSION@/$version/" "$@" "$top/packaging/rpm/$name.spec.in"
		sed -n '/^%changelog/,$p' "$spec"
	} >"$work/$name.spec"
}

# build_rpm ARGUMENT...: build host, time and directory are not part of what is built;
# neither is debug information, where there is no find-debuginfo. With one, the directory
# is its business: it finds sources by it.
build_rpm() {
	rpmbuild --define "_topdir $work" --define '_buildhost siw.invalid' \
		--define 'use_source_date_epoch_as_buildtime 1' \
		--define 'clamp_mtime_to_source_date_epoch 1' \
		--define 'path_map -ffile-prefix-map=%{_builddir}=.' \
		--define 'debug_package %{nil}' "$@"
}

end_rpms() { cp "$work"/SRPMS/*.rpm "$work"/RPMS/*/*.rpm "$out/"; }
