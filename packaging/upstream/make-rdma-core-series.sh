#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Turn libsiw/ into patches for rdma-core.
#
# make-rdma-core-series.sh RDMA-CORE OUTDIR
#
# As make-kernel-series.sh, in unpacked source of rdma-core. rdma-core/NN-name are
# the patches: subject and text.
set -eu

[ $# -eq 2 ] || { echo "usage: $0 RDMA-CORE OUTDIR" >&2; exit 2; }
core=$(cd "$1" && pwd)
mkdir -p "$2"
out=$(cd "$2" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
provider=providers/siw
paths='CMakeLists.txt kernel-headers providers'

. "$here/common.sh"

cd "$core"
start_series "$paths" "$here/rdma-core/cover-letter" $provider kernel-headers
for patch in "$here"/rdma-core/[0-9][0-9]-*; do
	case $patch in
	*-headers)
		cp "$top/libsiw/siw-ext-abi.h" kernel-headers/rdma/
		# The list of headers comes first, then that of structs.
		edit kernel-headers/CMakeLists.txt '0,/^  rdma\/siw-abi.h$/{
/^  rdma\/siw-abi.h$/a\
  rdma/siw-ext-abi.h
}'
		;;
	*-remove)
		rm -rf $provider
		edit CMakeLists.txt '/^add_subdirectory(providers\/siw)/d'
		;;
	*-add)
		mkdir $provider
		cp "$top"/libsiw/*.[ch] "$top/libsiw/CMakeLists.txt" $provider/
		rm $provider/siw-ext-abi.h
		edit $provider/siw.h '/^#include "siw-ext-abi.h"$/d'
		edit $provider/siw.h '/^#include <rdma\/siw-abi.h>$/a\
#include <rdma/siw-ext-abi.h>'
		git show base:CMakeLists.txt >CMakeLists.txt
		;;
	esac
	commit_patch "$patch" "$paths"
done
write_series "$out"
