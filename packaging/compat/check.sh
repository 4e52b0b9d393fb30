#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Is the compat layer sound?
#
#   check.sh                       rules that need no kernel
#   check.sh KDIR [EXPECTED_FILE]  and build the sample module for that kernel,
#                                  warnings fatal; where every probe says yes,
#                                  the layer must not change the driver's code
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
status=0

fault() {
	echo "compat: $*" >&2
	status=1
}

# The driver knows nothing of this directory, nor of kernel versions.
if grep -rnE 'SIWC_|siwc_|compat|LINUX_VERSION_CODE|KERNEL_VERSION|RHEL_RELEASE|\bHAVE_' \
	"$top/siw"; then
	fault "siw/ must build in the newest kernel as it stands"
fi

# Before 5.19 it is the same word as device_cap_flags.
if grep -rn 'kernel_cap_flags = ' "$top/siw"; then
	fault "kernel_cap_flags: add to it (|=), the layer may share it"
fi

# Every probe decides something, every question has a probe.
asked=$(grep -rhoE 'SIWC_HAVE_[A-Z0-9_]+' "$here/include" "$here/compat.c" | sort -u)
for probe in "$here"/probes/[!_]*.c; do
	macro=SIWC_HAVE_$(basename "$probe" .c | tr '[:lower:]' '[:upper:]')
	echo "$asked" | grep -qx "$macro" || fault "$probe: nothing asks for $macro"
	asked=$(echo "$asked" | grep -vx "$macro" || :)
done
[ -z "$asked" ] || fault "no probe answers: $asked"

[ $# -gt 0 ] || exit $status
kdir=$1
work=$(mktemp -d "${TMPDIR:-/tmp}/siw-check.XXXXXX")
trap 'rm -rf "$work"' EXIT
export SIW_PROBE_CACHE="${SIW_PROBE_CACHE:-$work/answers}"

if [ $# -gt 1 ]; then
	"$here/probe.sh" -k "$kdir" --check "$2" || status=1
fi

# The checker is checked: a copy of it with few probes, one of them broken, has
# to fail and to name that one.
names_broken() {
	broken=$1
	mkdir -p "$work/expected"
	echo 'a_probe y' >"$work/expected/1.9"
	echo 'a_probe n' >"$work/expected/1.11"
	echo '#error broken on purpose' >>"$work/checker/probes/$broken.c"
	if SIW_PROBE_CACHE='' "$work/checker/probe.sh" -k "$kdir" \
		--check "$work/expected/$2" >"$work/said" 2>&1; then
		fault "broken probe $broken was not noticed"
	elif ! grep "^probe.sh: kernel .*\<$broken\>" "$work/said"; then
		cat "$work/said" >&2
		fault "broken probe $broken was not named"
	fi
}

mkdir -p "$work/checker/probes"
cp "$here/probe.sh" "$work/checker/"
cp "$here"/probes/_must_*.c "$work/checker/probes/"
cp "$here/probes/_must_succeed.c" "$work/checker/probes/a_probe.c"
# Of 1.10 nothing is on record: what counts is 1.9.
names_broken a_probe 1.10
names_broken a_probe 1.9
names_broken _must_succeed 1.9

# Without its compiler it says what to install.
if SIW_PROBE_CACHE='' MAKE='make CC=siw-cc' "$here/probe.sh" -k "$kdir" \
	--report >"$work/said" 2>&1 ||
	! grep 'siw-cc is missing: apt install siw-cc' "$work/said"; then
	cat "$work/said" >&2
	fault "a missing compiler was not named"
fi

# tree NAME: a tree like that of the package, to be filled.
tree() {
	"$top/packaging/make-dkms-tree.sh" "$work/$1"
}

build() {
	make -s -C "$work/$1" KDIR="$kdir" W=1 KCFLAGS=-Werror >"$work/$1.log" 2>&1 || {
		cat "$work/$1.log" >&2
		fault "$1 does not build against $kdir"
		return 1
	}
}

tree sample
rm -r "$work/sample/siw"
cp -R "$here/sample" "$work/sample/siw"
build sample || exit 1

# With every answer yes the layer must vanish.
if ! grep -q '#undef' "$work/sample/compat_config.h"; then
	tree with
	tree without
	: >"$work/without/compat/compat.c"
	rm -r "$work/without/compat/include/linux" "$work/without/compat/include/net" \
		"$work/without/compat/include/rdma" "$work/without/compat/include/trace"
	build with && build without || exit 1
	for object in "$work"/with/siw/*.o "$work"/with/siw/proto/*.o; do
		name=${object#"$work/with/"}
		objcopy -O binary -j .text "$object" "$work/a"
		objcopy -O binary -j .text "$work/without/$name" "$work/b"
		cmp -s "$work/a" "$work/b" ||
			fault "$name: its code differs with and without the compat layer"
	done
fi
exit $status
