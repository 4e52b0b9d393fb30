#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Assemble the tree DKMS builds from (/usr/src/siw-VERSION) in OUTDIR.
set -eu

[ $# -eq 1 ] || { echo "usage: $0 OUTDIR" >&2; exit 2; }
out=$1
top=$(cd "$(dirname "$0")/.." && pwd)
version=$(cat "$top/VERSION")

mkdir -p "$out/siw/proto" "$out/compat"
cp "$top"/siw/*.[ch] "$top/siw/Makefile" "$out/siw/"
cp "$top"/siw/proto/*.[ch] "$out/siw/proto/"
cp -R "$top/packaging/compat/include" "$top/packaging/compat/probes" \
	"$top/packaging/compat/probe.sh" "$top/packaging/compat/compat.c" \
	"$out/compat/"
cp "$top/packaging/dkms/Makefile" "$out/"
for file in Kbuild dkms.conf; do
	sed "s/#MODULE_VERSION#/$version/" "$top/packaging/dkms/$file" >"$out/$file"
done
