#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Build the Debian packages of siw, and their source package, into OUTDIR.  The same
# tree gives the same packages, to the bit, wherever and whenever it is built in the
# same release.
#
# build-deb.sh OUTDIR [--no-command] [OPTION...]
#
# What is built on Debian 12 installs on 12 and all after it.  For Debian 11, in
# whose archive the libraries of the command siw are missing (CLI11, toml++):
# --no-command, packages without it and without siw-selftests, version X~deb11, from
# the same source.
#
# OPTION is one of dpkg-buildpackage: -A builds the packages for all
# architectures (siw-dkms, siw-doc), -B the others (siw, siw-selftests), -b both,
# -S the source package.
set -eu

usage() {
	echo "usage: $0 OUTDIR [--no-command] [OPTION...]" >&2
	exit 2
}

case ${1:--} in
-*) usage ;;
esac
mkdir -p "$1"
out=$(cd "$1" && pwd)
shift
suffix=
build=--build=full
if [ "${1:-}" = --no-command ]; then
	suffix=~deb11
	build=--build=binary
	export DEB_BUILD_PROFILES="${DEB_BUILD_PROFILES:-} pkg.siw.nocommand"
	shift
fi
[ $# -gt 0 ] || set -- "$build"
top=$(cd "$(dirname "$0")/.." && pwd)
version=$(cat "$top/VERSION")
umask 022

packaged=$(dpkg-parsechangelog -l "$top/packaging/debian/changelog" -S Version)
if [ "$packaged" != "$version" ]; then
	echo "$0: VERSION says $version, packaging/debian/changelog $packaged" >&2
	exit 1
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/siw-deb.XXXXXX")
trap 'rm -rf "$work"' EXIT
tree=$work/siw-$version

# What packages are made from, no more: build products stay behind.
"$top/packaging/make-source.sh" "$tree"
cp -R "$tree/packaging/debian" "$tree/debian"
sed -i "1s/^siw (\([^)]*\))/siw (\1$suffix)/" "$tree/debian/changelog"

SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -l "$tree/debian/changelog" -S Timestamp)
export SOURCE_DATE_EPOCH
find "$tree" ! -type l -exec touch -d "@$SOURCE_DATE_EPOCH" {} +

cd "$tree"
dpkg-buildpackage "$@" -us -uc
rm -r "$tree"
cp "$work"/* "$out/"
