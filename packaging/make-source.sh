#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Assemble in OUTDIR what the packages are made from: no build products, none of
# the project's own CI, fuzzing corpora or fixtures of old kernels.
set -eu

[ $# -eq 1 ] || { echo "usage: $0 OUTDIR" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
top=$(cd "$(dirname "$0")/.." && pwd)

mkdir "$out/selftests"
cd "$top"
cp -R CHANGELOG.md CMakeLists.txt LICENSES README.md SECURITY.md VERSION docs \
	libsiw packaging security siw tools "$out/"
cp -R selftests/conform selftests/kselftest selftests/kstub selftests/model \
	selftests/vectors "$out/selftests/"
make -s -C "$out/docs/samples" clean
rm -rf "$out/packaging/compat/fixtures" "$out/tools/advisory/validate/node_modules"
find "$out" -type f \( -name '*.o' -o -name '*.ko' -o -name '*.mod' \
	-o -name '*.mod.c' -o -name '*.cmd' -o -name '.*.cmd' -o -name '*.mod.o' \
	-o -name Module.symvers -o -name modules.order -o -name .gitignore \
	-o -name siw-conform-peer \) -delete
# The programs of the kselftests have no ending.
find "$out/selftests/kselftest" -type f -name 'siw_*' ! -name '*.[ch]' \
	! -name siw_kunit ! -name siw_encrypt ! -name siw_command \
	! -name siw_doctor -delete
