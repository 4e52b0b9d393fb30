#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Build the source and binary RPMs of siw into OUTDIR, and the source package of the
# module by itself, siw-kmod: distributions build it, each in its way.  The same tree
# gives the same packages, to the bit.
#
# build-rpm.sh OUTDIR [OPTION...]
#
# OPTION is one of rpmbuild: --nodeps where what is needed is there, but not as
# RPMs; --without command for SUSE 15.  Needs rpmbuild (rpm-build), make and xz.
set -eu

[ $# -ge 1 ] || { echo "usage: $0 OUTDIR [OPTION...]" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
shift
top=$(cd "$(dirname "$0")/.." && pwd)
. "$top/packaging/rpm/build.sh"

begin_rpms
build_rpm -ba "$@" "$spec"
# "spec.in" in the tree: rpmbuild -ta wants one spec in a tarball.
cp "$top"/packaging/rpm/siw-kmod.files "$top"/packaging/rpm/siw-kmod.preamble \
	"$work/SOURCES/"
make_spec siw-kmod
build_rpm -bs "$@" "$work/siw-kmod.spec"
end_rpms
