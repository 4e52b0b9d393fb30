#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Write siw-VERSION.tar.xz, what all packages are made from, into OUTDIR.  The same
# tree gives the same file.
set -eu

[ $# -eq 1 ] || { echo "usage: $0 OUTDIR" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
top=$(cd "$(dirname "$0")/.." && pwd)
version=$(cat "$top/VERSION")
# Of the newest entry of the changelog: without dpkg, which not each distribution has.
stamp=$(LC_ALL=C date -d "$(sed -n '/^ -- /{s/.*>  //p;q;}' \
	"$top/packaging/debian/changelog")" +%s)
umask 022

work=$(mktemp -d "${TMPDIR:-/tmp}/siw-tarball.XXXXXX")
trap 'rm -rf "$work"' EXIT
"$top/packaging/make-source.sh" "$work/siw-$version"
LC_ALL=C tar -C "$work" --format=ustar --sort=name --owner=0 --group=0 \
	--numeric-owner --mtime="@$stamp" --mode=go=rX,u+rw -cf - "siw-$version" |
	xz -9 -T 1 >"$out/siw-$version.tar.xz"
