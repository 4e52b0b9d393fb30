#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Build the source and binary RPMs of siw into OUTDIR.  The same tree gives the
# same packages, to the bit.
#
# build-rpm.sh OUTDIR [OPTION...]
#
# OPTION is one of rpmbuild: --nodeps where what is needed is there, but not as
# RPMs; --without command for EL 8.  Needs rpmbuild (rpm-build), make and xz.
set -eu

[ $# -ge 1 ] || { echo "usage: $0 OUTDIR [OPTION...]" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
shift
top=$(cd "$(dirname "$0")/.." && pwd)
spec=$top/packaging/rpm/siw.spec
version=$(cat "$top/VERSION")
umask 022

command -v rpmbuild >/dev/null ||
	{ echo "$0: no rpmbuild here: install the package rpm-build" >&2; exit 1; }
packaged=$(sed -n 's/^Version: *//p' "$spec")
if [ "$packaged" != "$version" ]; then
	echo "$0: VERSION says $version, packaging/rpm/siw.spec $packaged" >&2
	exit 1
fi
day=$(sed -n '/^%changelog/{n;s/^\* \(.*[0-9]\{4\}\) .*/\1/p;}' "$spec")
SOURCE_DATE_EPOCH=$(LC_ALL=C date -u -d "$day" +%s)
export SOURCE_DATE_EPOCH

# rpm writes the build directory into the source package, and its hash into the
# others: it has to be the same each time.
work=/var/tmp/siw-rpm-$version
mkdir "$work" || {
	echo "$0: $work: another build is running, or was ended: remove it" >&2
	exit 1
}
trap 'rm -rf "$work"' EXIT
mkdir "$work/SOURCES"
"$top/packaging/make-tarball.sh" "$work/SOURCES"

# Build host and time are not part of what is built; neither is debug
# information, where there is no find-debuginfo.
rpmbuild -ba --define "_topdir $work" --define '_buildhost siw.invalid' \
	--define 'use_source_date_epoch_as_buildtime 1' \
	--define 'clamp_mtime_to_source_date_epoch 1' \
	--define 'debug_package %{nil}' "$@" "$spec"
cp "$work"/SRPMS/*.rpm "$work"/RPMS/*/*.rpm "$out/"
