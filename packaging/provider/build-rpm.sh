#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Build the source and binary RPM siw-provider into OUTDIR, from rdma-core's source
# as the distribution it is for has it.  The same source gives the same packages, to
# the bit.
#
# build-rpm.sh RDMA-CORE-TARBALL OUTDIR [OPTION...]
#
# OPTION is one of rpmbuild: --nodeps where what is needed is there, but not as RPMs.
# rdma-core's source: dnf download --source rdma-core, rpm -i, ~/rpmbuild/SOURCES.
set -eu

[ $# -ge 2 ] || {
	echo "usage: $0 RDMA-CORE-TARBALL OUTDIR [OPTION...]" >&2
	exit 2
}
tarball=$(realpath "$1")
mkdir -p "$2"
out=$(cd "$2" && pwd)
shift 2
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/packaging/rpm/build.sh"

begin_rpms
cp "$tarball" "$work/SOURCES/"
make_spec siw-provider -e "s/@RDMA_CORE@/${tarball##*/}/"
build_rpm -ba "$@" "$work/siw-provider.spec"
end_rpms
