#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Build the Debian packages siw and siw-dkms into OUTDIR.  The same tree gives
# the same packages, to the bit, wherever and whenever it is built.
set -eu

[ $# -eq 1 ] || { echo "usage: $0 OUTDIR" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
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

# What a package is made from, no more: build products stay behind.
mkdir -p "$tree/siw/proto"
for part in VERSION packaging; do
	cp -R "$top/$part" "$tree/"
done
cp "$top"/siw/*.[ch] "$top/siw/Makefile" "$tree/siw/"
cp "$top"/siw/proto/*.[ch] "$tree/siw/proto/"
ln -s packaging/debian "$tree/debian"

SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -l "$tree/debian/changelog" -S Timestamp)
export SOURCE_DATE_EPOCH
find "$tree" ! -type l -exec touch -d "@$SOURCE_DATE_EPOCH" {} +

cd "$tree"
dpkg-buildpackage -b -us -uc
cp "$work"/*.deb "$work"/*.changes "$work"/*.buildinfo "$out/"
