#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Unpack rdma-core's source into DIR, with our provider in the place of its own.
# libsiw/ is written for the newest rdma-core; for a private ABI before it there
# may be a patch.
set -eu

[ $# -eq 2 ] || { echo "usage: $0 RDMA-CORE-TARBALL DIR" >&2; exit 2; }
tarball=$1
dir=$2
here=$(cd "$(dirname "$0")" && pwd)

mkdir -p "$dir"
tar -xf "$tarball" -C "$dir" --strip-components=1 --exclude='*/providers/siw/*'
mkdir -p "$dir/providers/siw"
cp "$here/../../libsiw"/*.[ch] "$here/../../libsiw/CMakeLists.txt" \
	"$dir/providers/siw/"

abi=$(sed -n 's/^set(IBVERBS_PABI_VERSION "\([0-9]*\)")$/\1/p' \
	"$dir/CMakeLists.txt")
[ -n "$abi" ] || { echo "$0: $tarball: no private ABI found" >&2; exit 1; }
if [ -e "$here/abi-$abi.patch" ]; then
	patch -s -d "$dir" -p1 <"$here/abi-$abi.patch"
fi
echo "$abi"
