#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Build the Debian package siw-provider into OUTDIR, from rdma-core's source as
# fetch.sh gets it.  The suite it is built in is the oldest it runs on.  The same
# source gives the same package, to the bit.
set -eu

[ $# -eq 2 ] || { echo "usage: $0 RDMA-CORE-TARBALL OUTDIR" >&2; exit 2; }
tarball=$(realpath "$1")
mkdir -p "$2"
out=$(cd "$2" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
changelog=$here/../debian/changelog
umask 022

SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -l "$changelog" -S Timestamp)
export SOURCE_DATE_EPOCH

work=$(mktemp -d "${TMPDIR:-/tmp}/siw-provider.XXXXXX")
trap 'rm -rf "$work"' EXIT
tree=$work/siw-provider

abi=$("$here/unpack.sh" "$tarball" "$tree/rdma-core")
cp -R "$here/debian" "$tree/debian"
# One changelog for all of the project; each private ABI is a build of its own.
sed "s/^siw (\([^)]*\))/siw-provider (\1+rdmav$abi)/" "$changelog" \
	>"$tree/debian/changelog"
find "$tree" ! -type l -exec touch -d "@$SOURCE_DATE_EPOCH" {} +

cd "$tree"
dpkg-buildpackage -b -us -uc
cp "$work"/*.deb "$work"/*.changes "$work"/*.buildinfo "$out/"
