#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What rdma-core's own build says of the provider: with gcc (and its analyser),
# clang and sparse, by the flags of rdma-core. No complaint about a file of ours
# is allowed; what they say of rdma-core itself is not ours to mend.
#
# static.sh RDMA-CORE-TARBALL
set -u

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/siw-static.XXXXXX")
trap 'rm -rf "$work"' EXIT
"$here/../unpack.sh" "$1" "$work/rdma-core" >/dev/null || exit 1
failed=0

# sparse has no redirected functions, which glibc's headers declare twice.
for run in 'gcc -Wall' 'gcc -fanalyzer' 'clang -Wall' 'cgcc -Wno-redundant-decls'; do
	cc=${run% *}
	dir=$work/build${run// /}
	mkdir "$dir"
	if ! (cd "$dir" && CC=$cc CFLAGS=${run#* } cmake -GNinja -DNO_MAN_PAGES=1 \
		-DNO_PYVERBS=1 "$work/rdma-core" >cmake.log 2>&1 &&
		ninja -j1 providers/siw/all >ninja.log 2>&1); then
		cat "$dir"/*.log
		echo "$run: failed"
		failed=1
	elif [ "$cc" = cgcc ] &&
		! grep -q 'HAVE_NO_SPARSE - Failed' "$dir/cmake.log"; then
		echo "$run: sparse did not run"
		failed=1
	elif grep -A 12 -E 'providers/siw/.*(warning|error):' "$dir/ninja.log"; then
		echo "$run: complaints"
		failed=1
	else
		echo "$run: nothing"
	fi
done
exit "$failed"
